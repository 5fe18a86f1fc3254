/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The directory's half of what setup and renewal do; see publish.h.
 */
#include "publish.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ad/locate.h"
#include "ca/cacerts.h"
#include "cafile.h"
#include "gather/setup.h"
#include "pki/name.h"
#include "sys/clock.h"
#include "wcce/name.h"

#define ABOVE_MAX 16

static int
find_host(struct publish *s, struct ae_err *e)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME }, *ai = NULL;
	char *p;

	if (gethostname(s->fqdn, sizeof(s->fqdn)) != 0)
		return ae_fail_errno(e, errno, "read the host name");
	s->fqdn[sizeof(s->fqdn) - 1] = '\0';
	if (strchr(s->fqdn, '.') == NULL &&
	    getaddrinfo(s->fqdn, NULL, &hints, &ai) == 0 &&
	    ai->ai_canonname != NULL &&
	    strlen(ai->ai_canonname) < sizeof(s->fqdn))
		memcpy(s->fqdn, ai->ai_canonname, strlen(ai->ai_canonname) + 1);
	if (ai != NULL)
		freeaddrinfo(ai);
	for (p = s->fqdn; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return strchr(s->fqdn, '.') != NULL
	    ? AE_OK
	    : ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		  "the host name '%s' has no domain; set the fully qualified "
		  "name",
		  s->fqdn);
}

/* The ticket decides which domain, and must be an administrator's. */
static int
connect_domain(struct publish *s, struct ae_err *e)
{
	struct ae_ad_conf conf = { 0 };
	struct ae_ad_ping dc;
	const char *realm;
	int rc;

	rc = ae_gss_cred_ccache(&s->cred, NULL, e);
	if (rc != AE_OK)
		return ae_note(e, rc,
		    "setup writes the configuration of the forest and needs an "
		    "Enterprise Admin's ticket (kinit Administrator)");
	realm = strrchr(ae_gss_cred_principal(s->cred), '@');
	if (realm == NULL)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "the ticket names no realm");
	rc = ae_ad_locate(&dc, realm + 1, NULL, NULL, ae_random_u64(), e);
	if (rc == AE_OK) {
		conf.host = dc.host;
		conf.cred = s->cred;
		rc = ae_ad_open(&s->ad, &conf, e);
	}
	if (rc == AE_OK)
		rc = ae_ad_domain(&s->domain, s->ad, e);
	return rc;
}

void
publish_step(
    struct publish *s, const char *action, const char *what, const char *detail)
{
	(void)json_array_append_new(s->steps,
	    json_pack("{s:s, s:s, s:s?}", "action", action, "what", what,
		"detail", detail));
	if (!s->cli->json)
		(void)printf("%-7s %s%s%s\n", action, cli_safe(what),
		    detail == NULL ? "" : ": ",
		    detail == NULL ? "" : cli_safe(detail));
}

int
publish_open(struct publish *p, struct cli *cli, struct ae_err *e)
{
	int rc;

	memset(p, 0, sizeof(*p));
	p->cli = cli;
	p->steps = json_array();
	p->a = ae_arena_new(1 << 20);
	if (p->a == NULL || p->steps == NULL)
		return ae_fail_mem(e);
	rc = find_host(p, e);
	return rc == AE_OK ? connect_domain(p, e) : rc;
}

void
publish_done(struct publish *p)
{
	json_decref(p->steps);
	ae_ad_free(p->ad);
	ae_gss_cred_free(p->cred);
	ae_arena_free(p->a);
}

/* ---- the CA as the directory has it ---- */

/* A value of ours that the directory's types would have writable. */
static struct ae_value
value(struct publish *p, struct ae_der der)
{
	return (struct ae_value){ ae_arena_dup(p->a, der.p, der.len), der.len };
}

/* The common name of an issuer, as its object is called. */
static const char *
object_name(struct publish *p, const struct ae_cert *c)
{
	char *cn = NULL;
	const char *name = NULL;

	if (ae_name_get(&cn, c->subject, "CN", NULL) == AE_OK && cn != NULL)
		name = ae_wcce_sanitize_short(p->a, cn);
	free(cn);
	return name;
}

static int
fill_above(struct publish *p, struct ae_setup *d, const struct cafile *f,
    struct ae_setup_above *above, struct ae_err *e)
{
	size_t i;

	for (i = 0; i < f->nchain && i < ABOVE_MAX; i++) {
		above[i].object = object_name(p, f->chain[i]);
		above[i].cert = value(p, f->chain[i]->der);
		above[i].root = ae_cert_self_issued(f->chain[i]);
		if (above[i].object == NULL || above[i].cert.p == NULL)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "an issuer above has no common name");
	}
	d->above = above;
	d->nabove = i;
	return AE_OK;
}

/*
 * RFC 4523 2.6: SEQUENCE { [0] issued to this CA, [1] issued by it }.  Of two
 * keys of one CA each is both; they are kept apart by being pairs of one.
 */
static int
fill_cross(struct publish *p, struct ae_setup *d, const struct cafile *f,
    struct ae_value *cross, struct ae_err *e)
{
	size_t i;

	for (i = 0; i < f->ncross; i++) {
		size_t seq, tag;
		struct ae_wr w;

		ae_wr_init(&w, AE_PKI_CERT_MAX + 32);
		seq = ae_der_open(&w, AE_DER_SEQUENCE);
		tag = ae_der_open(&w, AE_DER_CTX_CONS(0));
		ae_wr_bytes(&w, f->cross[i]->der.p, f->cross[i]->der.len);
		ae_der_close(&w, tag);
		ae_der_close(&w, seq);
		cross[i] = value(p, (struct ae_der){ w.p, w.len });
		if (!ae_wr_ok(&w))
			cross[i].p = NULL;
		ae_wr_done(&w);
		if (cross[i].p == NULL)
			return ae_fail_mem(e);
	}
	d->cross = cross;
	d->ncross = f->ncross;
	return AE_OK;
}

static int
fill_certs(struct publish *p, struct ae_setup *d, const struct cafile *f,
    struct ae_value *certs, const char **suffixes, struct ae_err *e)
{
	char text[AE_CA_SUFFIX_MAX];
	size_t i;

	for (i = 0; i < f->ncerts; i++) {
		certs[i] = value(p, f->certs[i]->der);
		if (certs[i].p == NULL)
			return ae_fail_mem(e);
	}
	for (i = 1; i < f->list.nkeys; i++) {
		suffixes[i - 1] = ae_arena_strdup(
		    p->a, ae_ca_suffix(text, f->list.keys[i].index));
		if (suffixes[i - 1] == NULL)
			return ae_fail_mem(e);
	}
	d->certs = certs;
	d->ncerts = f->ncerts;
	d->key_suffixes = suffixes;
	return AE_OK;
}

static int
tell(struct publish *p, const struct publish_what *w, const struct cafile *f,
    struct ae_err *e)
{
	struct ae_setup_above above[ABOVE_MAX];
	struct ae_value certs[AE_CA_SIGNING_MAX];
	struct ae_value cross[2 * AE_CA_SIGNING_MAX];
	const char *suffixes[AE_CA_SIGNING_MAX] = { NULL };
	struct ae_setup_report report = { 0 };
	struct ae_setup d = { .ad = p->ad,
		.dry_run = w->dry_run,
		.ca_name = w->name,
		.ca_object = ae_wcce_sanitize_short(p->a, w->name),
		.host = p->fqdn,
		.root = ae_cert_self_issued(cafile_cert(f)),
		.templates = w->templates,
		.machine_logon = w->machine_logon,
		.gpo = w->gpo,
		.sysvol = { .program = w->sysvol } };
	char account[32], *subject = NULL;
	size_t i;
	int rc;

	for (i = 0; i < 15 && p->fqdn[i] != '.'; i++)
		account[i] = (char)toupper((unsigned char)p->fqdn[i]);
	account[i++] = '$';
	account[i] = '\0';
	d.account = account;
	rc = fill_certs(p, &d, f, certs, suffixes, e);
	if (rc == AE_OK)
		rc = fill_above(p, &d, f, above, e);
	if (rc == AE_OK)
		rc = fill_cross(p, &d, f, cross, e);
	if (rc == AE_OK)
		rc = ae_name_print(&subject, cafile_cert(f)->subject, e);
	if (rc != AE_OK)
		return rc;
	d.ca_subject = subject;
	rc = ae_setup_directory(&report, &d, e);
	for (i = 0; i < report.n; i++)
		publish_step(p, ae_setup_action_name(report.v[i].action),
		    report.v[i].what, report.v[i].detail);
	p->changes += report.changes;
	ae_setup_report_done(&report);
	free(subject);
	return rc;
}

int
publish_ca(struct publish *p, const struct publish_what *w, struct ae_err *e)
{
	struct cafile f;
	struct conf c;
	int rc = conf_read(&c, w->root, NULL, e);

	if (rc == AE_OK)
		rc = cafile_read(&f, &c, false, e);
	if (rc == AE_OK) {
		rc = tell(p, w, &f, e);
		cafile_done(&f);
	}
	conf_done(&c);
	return rc;
}
