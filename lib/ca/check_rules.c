/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The template's policy file (lib/rules), after all that the directory's
 * template says: every violation is a reason, and what the file wants in the
 * certificate goes there.  doc/rules.md has the elements.
 */
#include <string.h>

#include "ca/cacerts.h"
#include "ca/lint.h"
#include "ca/url.h"
#include "ca/work.h"
#include "pki/name.h"
#include "rules/judge.h"
#include "wcce/name.h"

#define SECTION "policy"
#define MESSAGE_MAX 1000

static int
deny(struct ae_ca_work *w, const char *check, const char *text)
{
	return ae_ca_stop(
	    w, AE_CA_DENY, AE_HR_NTE_FAIL, check, SECTION, "%s", text);
}

/* The file that counts, NULL: none does; a broken one stops. */
static int
find(struct ae_ca_work *w, const struct ae_rules **out)
{
	const struct ae_rules_entry *entry = w->in->policy;

	*out = NULL;
	if (entry == NULL && w->in->policies != NULL)
		entry = ae_rules_set_find(w->in->policies, w->t->cn);
	if (entry == NULL && w->cfg->policy_required)
		return deny(w, "rules.missing",
		    "the template has no policy file, and the CA's "
		    "configuration demands one");
	if (entry == NULL)
		return AE_CA_GO;
	if (entry->rules == NULL)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_NTE_FAIL, "rules.broken",
		    SECTION, "the template's policy file is not good: %s",
		    entry->error != NULL ? entry->error : "out of memory");
	*out = entry->rules;
	return AE_CA_GO;
}

/* The configuration's naming context, behind the container of templates. */
static const char *
config_nc(const struct ae_template *t)
{
	static const char at[] = ",CN=Public Key Services,CN=Services,";
	const char *s = t->dn == NULL ? NULL : strcasestr(t->dn, at);

	return s == NULL ? NULL : s + sizeof(at) - 1;
}

static void
gather(struct ae_ca_work *w, struct ae_rules_facts *f)
{
	const struct ae_template *t = w->t;

	*f = (struct ae_rules_facts){ .now = w->in->now,
		.csr = w->req->csr,
		.supplied =
		    (t->name_flag & AE_CT_ENROLLEE_SUPPLIES_SUBJECT) != 0,
		.user = (t->flags & AE_CT_MACHINE_TYPE) == 0,
		.wanted_key = ae_ca_wanted_key(t),
		.subject = w->tbs.subject,
		.sans = w->tbs.x.sans,
		.nsans = w->tbs.x.nsans,
		.not_after = w->tbs.not_after,
		.trust = w->cfg->yubikey };
}

/* All of them in one message for the row, as far as they fit. */
static const char *
message(struct ae_ca_work *w, const struct ae_rules_outcome *out)
{
	struct ae_wr text;
	const char *s;
	size_t i;

	ae_wr_init(&text, 64 * 1024);
	for (i = 0; i < out->n && text.len < MESSAGE_MAX; i++)
		ae_wr_printf(
		    &text, "%s%s", i == 0 ? "" : "; ", out->violations[i].text);
	if (i < out->n || out->more)
		ae_wr_str(&text, "; and more");
	s = ae_wr_cstr(&text);
	s = s == NULL ? NULL
		      : ae_arena_printf(w->a, "%s  0x%08x, %s", w->prefix,
			    out->violations[0].hresult, s);
	ae_wr_done(&text);
	return s;
}

/* The first says with what it is denied; they all are reasons. */
static int
violated(struct ae_ca_work *w, const struct ae_rules_outcome *out)
{
	const struct ae_rules_violation *v = out->violations;
	size_t i;
	int step;

	for (i = 0; i + 1 < out->n; i++)
		ae_ca_note(w, v[i].check, SECTION, "%s", v[i].text);
	step = ae_ca_stop(
	    w, AE_CA_DENY, v[0].hresult, v[i].check, SECTION, "%s", v[i].text);
	w->d->message = message(w, out);
	return w->d->message == NULL ? ae_fail_mem(w->e) : step;
}

/* What would be denied is told, and nothing is changed. */
static int
audited(struct ae_ca_work *w, const struct ae_rules_outcome *out)
{
	size_t i;

	for (i = 0; i < out->n; i++)
		ae_ca_note(w, out->violations[i].check, SECTION, "%s",
		    out->violations[i].text);
	if (out->n > 0)
		ae_ca_note(w, "rules.audit-only", SECTION,
		    "without AuditOnly it would be denied with 0x%08x",
		    out->violations[0].hresult);
	return AE_CA_GO;
}

/* ---- what the file writes ---- */

/* One list, its variables put in; *out is the arena's and never freed. */
static int
expand(struct ae_ca_work *w, struct ae_strv *out,
    const struct ae_ca_url_vars *vars, const struct ae_rules_strings *in,
    bool crl, struct ae_err *e)
{
	const struct ae_exts *ca = &w->cfg->cert->x;
	const uint32_t version = ca->has_ca_version ? ca->ca_version : 0;
	struct ae_strv named = { NULL, 0 }, urls = { NULL, 0 };
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < in->n && rc == AE_OK; i++)
		rc = ae_ca_url_expand(&named, vars, in->v[i], e);
	for (i = 0; i < named.n && rc == AE_OK; i++)
		if (!ae_ca_url_of(&urls, version & 0xffff, version >> 16,
			named.v[i], crl))
			rc = ae_fail_mem(e);
	out->n = 0;
	out->v = ae_arena_array(w->a, urls.n, sizeof(*out->v));
	for (i = 0; i < urls.n && rc == AE_OK && out->v != NULL; i++)
		if ((out->v[out->n++] = ae_arena_strdup(w->a, urls.v[i])) ==
		    NULL)
			rc = ae_fail_mem(e);
	if (out->v == NULL)
		rc = ae_fail_mem(e);
	ae_strv_done(&named);
	ae_strv_done(&urls);
	return rc;
}

static int
put_urls(struct ae_ca_work *w, const struct ae_rules_outcome *out)
{
	const struct ae_ca_url_vars vars = { .dns_name = w->cfg->dns_name,
		.ca_name = ae_wcce_sanitize(w->a, w->cfg->name),
		.ca_short = ae_wcce_sanitize_short(w->a, w->cfg->name),
		.config_dn = config_nc(w->t) };
	struct ae_exts *x = &w->tbs.x;
	struct ae_err e = AE_ERR_INIT;
	int rc = AE_OK;

	if (vars.ca_name == NULL || vars.ca_short == NULL)
		return ae_fail_mem(w->e);
	if (out->cdp.n > 0)
		rc = expand(w, &x->cdp, &vars, &out->cdp, true, &e);
	/* one extension: who names either names both */
	if (rc == AE_OK && out->aia.n + out->ocsp.n > 0)
		rc = expand(w, &x->aia_issuers, &vars, &out->aia, false, &e);
	if (rc == AE_OK && out->aia.n + out->ocsp.n > 0)
		rc = expand(w, &x->aia_ocsp, &vars, &out->ocsp, false, &e);
	if (rc == AE_ELIMIT || rc == AE_EUNAVAIL)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_TEMPLATE_DENIED,
		    "rules.outbound", SECTION, "%s", e.text);
	return rc == AE_OK ? AE_CA_GO : ae_fail_mem(w->e);
}

static int
put_subject(struct ae_ca_work *w, const struct ae_rules_outcome *out)
{
	struct ae_err e = AE_ERR_INIT;
	int rc;

	ae_wr_reset(&w->subject);
	rc = ae_name_encode(&w->subject, out->subject, out->nsubject, &e);
	if (rc == AE_OK && !ae_wr_ok(&w->subject))
		rc = ae_wr_full(&w->subject) ? AE_ELIMIT : ae_fail_mem(w->e);
	if (rc == AE_EINVAL || rc == AE_ELIMIT)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_TEMPLATE_DENIED,
		    "rules.outbound", SECTION, "the subject: %s",
		    rc == AE_ELIMIT ? "it is too long" : e.text);
	w->tbs.subject = (struct ae_der){ w->subject.p, w->subject.len };
	return rc;
}

static int
put_extensions(struct ae_ca_work *w, const struct ae_rules_outcome *out)
{
	size_t i;

	for (i = 0; i < out->nextensions; i++)
		if (!ae_ca_extension_allowed(
			out->extensions[i].oid, &w->cfg->more_extensions))
			return ae_ca_stop(w, AE_CA_DENY, AE_HR_NTE_FAIL,
			    "rules.extension", SECTION,
			    "the CA's configuration does not let policy files "
			    "add the extension %s",
			    out->extensions[i].oid);
	w->tbs.x.raw = out->extensions;
	w->tbs.x.nraw = out->nextensions;
	w->tbs.x.ocsp_nocheck = w->tbs.x.ocsp_nocheck || out->ocsp_nocheck;
	return AE_CA_GO;
}

static int
apply(struct ae_ca_work *w, const struct ae_rules_outcome *out)
{
	struct ae_exts *x = &w->tbs.x;
	char sid[AE_SID_STR_MAX];
	int step;

	if (out->new_not_after) {
		w->d->not_after = w->tbs.not_after = out->not_after;
		ae_ca_note(w, "rules.not-after", SECTION,
		    "the policy file's date ends it");
	}
	if (out->new_sans) {
		memcpy(w->sans, out->sans, out->nsans * sizeof(*out->sans));
		x->sans = w->sans;
		x->nsans = out->nsans;
		ae_ca_note(w, "rules.outbound", SECTION,
		    "the policy file changed the alternative names");
	}
	if (out->new_sid) {
		x->has_sid = true;
		x->sid = out->sid;
		ae_ca_note(w, "rules.sid", SECTION, "the SID is %s",
		    ae_sid_print(sid, &out->sid));
	}
	if (out->new_subject) {
		ae_ca_note(w, "rules.outbound", SECTION,
		    "the policy file changed the subject");
		step = put_subject(w, out);
		if (step != AE_CA_GO)
			return step;
	}
	step = put_urls(w, out);
	return step == AE_CA_GO ? put_extensions(w, out) : step;
}

/* Ask for the object the rules are about. */
static int
ask(struct ae_ca_work *w, const struct ae_rules *r, struct ae_rules_facts *f)
{
	int step;

	if (!ae_rules_ask(&w->d->ask_object, r, f, w->a))
		return AE_CA_GO;
	w->d->ask_sid = w->sid;
	step = ae_ca_ask(w, AE_CA_ASK_OBJECT, SECTION);
	if (step == AE_CA_GO)
		f->object = &w->answers->object;
	return step;
}

/*
 * Host names that the directory told: each only when nobody else bears it,
 * as with those the template itself takes from there (CVE-2022-26923).
 */
static int
check_hosts(struct ae_ca_work *w, const struct ae_rules_outcome *out)
{
	const struct ae_ca_answers *answers = w->answers;
	int step;

	if (out->nhosts == 0)
		return AE_CA_GO;
	w->d->ask_hosts = out->hosts;
	w->d->nask_hosts = out->nhosts;
	w->d->ask_hosts_sid = &answers->object.sid;
	step = ae_ca_ask(w, AE_CA_ASK_HOSTS, SECTION);
	if (step != AE_CA_GO)
		return step;
	if (answers->host_other_owners == 0 && answers->nhosts == out->nhosts) {
		ae_ca_pass(w, "rules.hosts", SECTION,
		    "nobody else bears the host names of the directory");
		return AE_CA_GO;
	}
	return ae_ca_stop(w, AE_CA_DENY, AE_HR_SUBJECT_DNS_REQUIRED,
	    "deny.duplicate-name", SECTION,
	    "%u other accounts bear the name %s as well, which the policy "
	    "file takes from the directory",
	    answers->host_other_owners,
	    answers->nhosts > 0 && answers->nhosts <= out->nhosts
		? ae_ca_quote(w, out->hosts[answers->nhosts - 1])
		: "?");
}

int
ae_ca_check_rules(struct ae_ca_work *w)
{
	struct ae_rules_outcome out;
	const struct ae_rules *r;
	struct ae_err e = AE_ERR_INIT;
	struct ae_rules_facts f;
	int step;

	step = find(w, &r);
	if (step != AE_CA_GO || r == NULL)
		return step;
	gather(w, &f);
	step = ask(w, r, &f);
	if (step != AE_CA_GO)
		return step;
	step = ae_rules_judge(&out, r, &f, w->a, &e);
	if (step == AE_EPROTO)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_CERT_E_INVALID_NAME,
		    "rules.subject", SECTION, "%s", e.text);
	if (step != AE_OK) {
		if (w->e != NULL)
			*w->e = e;
		return step;
	}
	if (r->audit_only)
		return audited(w, &out);
	if (out.n > 0)
		return violated(w, &out);
	step = check_hosts(w, &out);
	if (step != AE_CA_GO)
		return step;
	ae_ca_pass(w, "rules.kept", SECTION, "the policy file is kept");
	return apply(w, &out);
}
