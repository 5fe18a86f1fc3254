/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Servers' names of the requester's choice (ESC17): where nobody looks at a
 * request before it is issued, they are host names of his own directory
 * object, and nobody else's.
 */
#include <string.h>

#include "base/breaks.h"
#include "ca/work.h"
#include "pki/name.h"
#include "pki/oid.h"

#define SECTION "policy"

/* Somebody sees the names before anything is issued. */
static bool
is_seen(const struct ae_ca_work *w)
{
	return (w->t->enrollment_flag & AE_CT_PEND_ALL_REQUESTS) != 0 ||
	    w->t->ra_signature > 0 ||
	    (w->cfg->request_disposition & AE_REQDISP_PENDINGFIRST) != 0;
}

static bool
is_exempt(const struct ae_ca_work *w)
{
	return ae_strv_has(&w->cfg->any_host_names, "*") ||
	    ae_strv_has_nocase(&w->cfg->any_host_names, w->t->cn);
}

/* Old clients take a common name that looks like a host's for one. */
static bool
is_host_like(const char *s)
{
	return *s != '\0' &&
	    s[strspn(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_.*:")] == '\0';
}

static bool
is_own(const struct ae_ca_work *w, const char *host)
{
	const struct ae_ca_requester *r = w->who;
	size_t i;

	if (r->dns_host_name != NULL && r->dns_host_name[0] != '\0' &&
	    ae_str_eq_nocase(r->dns_host_name, host))
		return true;
	for (i = 0; i < r->nhosts; i++)
		if (ae_str_eq_nocase(r->hosts[i], host))
			return true;
	return false;
}

static int
foreign(struct ae_ca_work *w, const char *what, const char *name)
{
	return ae_ca_stop(w, AE_CA_DENY, AE_HR_BAD_REQUESTSUBJECT,
	    "template.supplied-host-name", SECTION,
	    "%s %s is no host name that %s has in the directory "
	    "(any-host-names)",
	    what, ae_ca_quote(w, name), ae_ca_quote(w, w->d->requester));
}

/* Those that are own, to be asked about; stops at the first that is not. */
static int
collect(struct ae_ca_work *w, const char **own, size_t *n)
{
	const char *cn_oid = ae_name_type_oid("CN");
	struct ae_name_part *parts;
	size_t i, nparts;
	int rc;

	*n = 0;
	rc = ae_name_list(&parts, &nparts, w->req->csr->subject, w->a, w->e);
	if (rc == AE_ELIMIT || rc == AE_EPROTO)
		return ae_ca_stop(w, AE_CA_FAIL, AE_HR_BAD_REQUESTSUBJECT,
		    "deny.bad-subject", SECTION, "the subject cannot be read");
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < nparts; i++) {
		if (strcmp(parts[i].type, cn_oid) != 0 ||
		    !is_host_like(parts[i].value))
			continue;
		if (!is_own(w, parts[i].value))
			return foreign(w, "the common name", parts[i].value);
		own[(*n)++] = parts[i].value;
	}
	for (i = 0; i < w->tbs.x.nsans; i++) {
		if (w->sans[i].type == AE_SAN_IP)
			return foreign(w, "an address", "(IP)");
		if (w->sans[i].type != AE_SAN_DNS)
			continue;
		if (!is_own(w, w->sans[i].text))
			return foreign(w, "the DNS name", w->sans[i].text);
		own[(*n)++] = w->sans[i].text;
	}
	return AE_CA_GO;
}

/* A computer writes its own names: those of others do not count. */
static int
check_owners(struct ae_ca_work *w, const char *const *own, size_t n)
{
	int step;

	if (n == 0)
		return AE_CA_GO;
	w->d->ask_names = own;
	w->d->nask_names = n;
	step = ae_ca_ask(w, AE_CA_ASK_NAMES, SECTION);
	if (step != AE_CA_GO)
		return step;
	if (w->answers->name_other_owners == 0 && w->answers->nnames == n) {
		ae_ca_pass(w, "template.supplied-host-name", SECTION,
		    "the host names are the requester's own");
		return AE_CA_GO;
	}
	return ae_ca_stop(w, AE_CA_DENY, AE_HR_SUBJECT_DNS_REQUIRED,
	    "deny.duplicate-name", SECTION,
	    "%u other accounts bear the name %s as well",
	    w->answers->name_other_owners,
	    w->answers->nnames == 0 || w->answers->nnames > n
		? "?"
		: ae_ca_quote(w, own[w->answers->nnames - 1]));
}

int
ae_ca_check_host_names(struct ae_ca_work *w)
{
	const char **own;
	size_t n;
	int step = AE_CA_GO;

	if (!w->server || is_seen(w) || is_exempt(w) ||
	    AE_BREAK(esc17_host_names))
		return AE_CA_GO;
	own = ae_arena_array(
	    w->a, AE_NAME_PARTS_MAX + AE_CA_SANS_MAX, sizeof(*own));
	if (own == NULL)
		return ae_fail_mem(w->e);
	if (w->d->on_behalf == NULL)
		step = ae_ca_ask(w, AE_CA_ASK_REQUESTER, "MS-WCCE 3.2.2.1.2");
	if (step == AE_CA_GO)
		step = ae_ca_check_requester(w);
	if (step == AE_CA_GO)
		step = collect(w, own, &n);
	return step == AE_CA_GO ? check_owners(w, own, n) : step;
}
