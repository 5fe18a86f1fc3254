/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The certificate to be: dates, extensions from the template and from
 * nowhere else, serial number, TBS; and whether it waits for an officer.
 * Names are in subject.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/breaks.h"
#include "ca/lint.h"
#include "ca/subject.h"
#include "ca/work.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "pki/oid.h"

#define TBS_MAX 0x10000

/* MS-WCCE 3.2.1.4.2.1.4.7, 3.2.2.6.2.1.4.4.2 */
static int
check_dates(struct ae_ca_work *w)
{
	static const char section[] = "MS-WCCE 3.2.2.6.2.1.4.4.2";
	const struct ae_cert *ca = w->cfg->cert;
	const int64_t now = w->in->now;
	int64_t span = w->t->validity, from = now - w->cfg->clock_skew, to;
	int step;

	if (now < ca->not_before || now >= ca->not_after)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_INVALID_CA_CERTIFICATE,
		    "deny.ca-expired", section,
		    "the CA's certificate is not valid now");
	if (from < ca->not_before)
		from = ca->not_before;
	if (w->cfg->max_validity > 0 && span > w->cfg->max_validity) {
		span = w->cfg->max_validity;
		ae_ca_note(w, "ca.validity-bounded", section,
		    "the CA issues for at most %lld seconds", (long long)span);
	}
	to = span > ca->not_after - from && !AE_BREAK(ca_lifetime)
	    ? ca->not_after
	    : from + span;
	if (to == ca->not_after && span > ca->not_after - from)
		ae_ca_note(w, "deny.ca-expires-soon", section,
		    "the certificate ends when the CA's does");
	if (to <= now)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_UNSUPPORTED_CERT_TYPE,
		    "deny.template-not-supported", section,
		    "a certificate of %lld seconds would have expired already",
		    (long long)span);
	step = ae_ca_requested_dates(w, &from, &to);
	if (step != AE_CA_GO)
		return step;
	w->d->not_before = w->tbs.not_before = from;
	w->d->not_after = w->tbs.not_after = to;
	return AE_CA_GO;
}

/*
 * KeyUsage as the template and the key's algorithm have it (MS-WCCE
 * 3.2.2.6.2.1.4.4.4): an EC key can neither encipher keys nor data, it
 * agrees on keys instead.
 */
static void
put_key_usage(struct ae_ca_work *w)
{
	const struct ae_octets *ku = &w->t->key_usage;
	const uint16_t encipher =
	    AE_KU_KEY_ENCIPHERMENT | AE_KU_DATA_ENCIPHERMENT;
	uint16_t v = 0;

	if (ku->len > 0)
		v = ku->p[0];
	if (ku->len > 1)
		v = (uint16_t)(v | ku->p[1] << 8);
	if (ae_key_type(w->req->csr->key) == AE_KEY_EC && (v & encipher)) {
		v &= (uint16_t)~encipher;
		v |= AE_KU_KEY_AGREEMENT;
		ae_ca_note(w, "template.key-usage", "MS-WCCE 3.2.2.6.2.1.4.4.4",
		    "an EC key agrees on keys where the template speaks of "
		    "enciphering");
	}
	w->tbs.x.has_key_usage = v != 0;
	w->tbs.x.key_usage = v;
}

/* SMIMECapabilities, RFC 8551 2.5.2: what Windows lists that is still good. */
static bool
put_smime(struct ae_ca_work *w)
{
	static const char *const algs[] = {
		"2.16.840.1.101.3.4.1.42", /* aes256-CBC */
		"2.16.840.1.101.3.4.1.22", /* aes192-CBC */
		"2.16.840.1.101.3.4.1.2",  /* aes128-CBC */
	};
	size_t seq, one, i;

	seq = ae_der_open(&w->smime, AE_DER_SEQUENCE);
	for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		one = ae_der_open(&w->smime, AE_DER_SEQUENCE);
		(void)ae_der_oid(&w->smime, algs[i]);
		ae_der_close(&w->smime, one);
	}
	ae_der_close(&w->smime, seq);
	w->tbs.x.smime_caps = (struct ae_der){ w->smime.p, w->smime.len };
	return ae_wr_ok(&w->smime);
}

/* CDP, AIA, OCSP: MS-WCCE 3.2.1.4.2.1.4.7, 3.2.2.6.2.1.4.5.6 */
static void
put_revocation(struct ae_ca_work *w)
{
	const struct ae_template *t = w->t;
	struct ae_exts *x = &w->tbs.x;

	if ((t->enrollment_flag & AE_CT_ADD_OCSP_NOCHECK) &&
	    (ae_strv_has(&t->application_policies, AE_OID_EKU_OCSP_SIGNING) ||
		ae_strv_has(&t->ekus, AE_OID_EKU_OCSP_SIGNING))) {
		x->ocsp_nocheck = true;
		return;
	}
	x->aia_issuers = w->cfg->aia_urls;
	if (t->enrollment_flag & AE_CT_NOREVOCATIONINFO)
		return;
	x->aia_ocsp = w->cfg->ocsp_urls;
	x->cdp = w->cfg->cdp_urls;
}

static void
put_template(struct ae_ca_work *w)
{
	const struct ae_template *t = w->t;
	struct ae_exts *x = &w->tbs.x;

	if (t->schema_version < 2) {
		x->template_name = t->cn;
		x->eku = t->ekus;
		return;
	}
	x->template_oid = t->oid;
	x->has_template_major = x->has_template_minor = true;
	x->template_major = t->revision;
	x->template_minor = t->minor_revision;
	x->eku = t->ekus;
	x->app_policies = t->application_policies;
	x->cert_policies = w->policies;
}

/*
 * The requester's SID, from the PAC (MS-WCCE 2.2.2.7.7.4), or that of whom an
 * agent enrolls for, from the directory.  A template may
 * leave it out only where nobody is authenticated by the certificate.
 */
static void
put_sid(struct ae_ca_work *w)
{
	static const char section[] = "MS-WCCE 3.2.2.6.2.1.4.5.9";

	if (w->t->enrollment_flag & AE_CT_NO_SECURITY_EXTENSION) {
		if (!w->auth || AE_BREAK(esc9_sid))
			return;
		ae_ca_note(w, "template.no-security-extension", section,
		    "the SID goes in although the template leaves it out: the "
		    "certificate authenticates");
	}
	w->tbs.x.has_sid = true;
	w->tbs.x.sid = AE_BREAK(kb5014754_sid) && w->req->csr->x.has_sid
	    ? w->req->csr->x.sid
	    : *w->sid;
}

/*
 * As the template says; and names that only the alternative names tell are
 * critical (RFC 5280 4.2.1.6), or strict verifiers refuse the certificate.
 */
static int
put_critical(struct ae_ca_work *w)
{
	const struct ae_strv *t = &w->t->critical_extensions;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!ae_strv_add(&w->critical, t->v[i]))
			return ae_fail_mem(w->e);
	if (ae_name_is_empty(w->tbs.subject) && !ae_strv_has(t, AE_OID_SAN) &&
	    !ae_strv_add(&w->critical, AE_OID_SAN))
		return ae_fail_mem(w->e);
	w->tbs.x.critical = w->critical;
	return AE_CA_GO;
}

static int
check_extensions(struct ae_ca_work *w)
{
	const struct ae_template *t = w->t;
	const struct ae_exts *asked = &w->req->csr->x;
	struct ae_exts *x = &w->tbs.x;
	int rc;

	put_template(w);
	put_key_usage(w);
	put_revocation(w);
	put_sid(w);
	if (t->enrollment_flag & AE_CT_INCLUDE_BASIC_CONSTRAINTS_FOR_EE) {
		x->has_basic_constraints = true;
		x->path_len = -1;
	}
	if ((t->enrollment_flag & AE_CT_INCLUDE_SYMMETRIC_ALGORITHMS) &&
	    !put_smime(w))
		return ae_fail_mem(w->e);
	rc = ae_spki_id(
	    w->ski, w->req->csr->spki.p, w->req->csr->spki.len, w->e);
	if (rc != AE_OK)
		return ae_note(w->e, AE_EINTERNAL, "identifying the key");
	x->ski = (struct ae_der){ w->ski, sizeof(w->ski) };
	x->aki = w->cfg->cert->x.ski;
	if (x->aki.p == NULL) {
		rc = ae_spki_id(
		    w->aki, w->cfg->cert->spki.p, w->cfg->cert->spki.len, w->e);
		if (rc != AE_OK)
			return rc;
		x->aki = (struct ae_der){ w->aki, sizeof(w->aki) };
	}
	if (AE_BREAK(esc15_extensions) && asked->app_policies.n > 0)
		x->app_policies = asked->app_policies;
	if (asked->nraw > 0)
		ae_ca_note(w, "request.extensions-ignored",
		    "MS-WCCE 3.2.1.4.2.1.4.1.1",
		    "%zu extensions of the request stay out: the template "
		    "alone says what goes in",
		    asked->nraw);
	return AE_CA_GO;
}

static void
put_serial(struct ae_ca_work *w)
{
	w->d->serial[0] = w->cfg->serial_instance;
	memcpy(w->d->serial + 1, w->in->random, AE_CA_RANDOM_LEN);
	w->tbs.serial = (struct ae_der){ w->d->serial, AE_CA_SERIAL_LEN };
}

/* The subject as people read it, for the row. */
static int
print_subject(struct ae_ca_work *w)
{
	const struct ae_san *san;
	char *text = NULL;
	int rc;

	rc = ae_name_print(&text, w->tbs.subject, w->e);
	if (rc != AE_OK)
		return rc;
	if (text[0] == '\0' && w->tbs.x.nsans > 0 &&
	    (san = &w->tbs.x.sans[0])->text != NULL)
		w->d->subject = ae_arena_printf(w->a, "(%s)", san->text);
	else
		w->d->subject = ae_arena_strdup(w->a, text);
	free(text);
	return w->d->subject == NULL ? ae_fail_mem(w->e) : AE_CA_GO;
}

static int
check_tbs(struct ae_ca_work *w)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;
	int rc;

	rc = put_critical(w);
	if (rc != AE_CA_GO)
		return rc;
	put_serial(w);
	w->tbs.sigalg = w->cfg->sigalg;
	w->tbs.issuer = w->cfg->cert->subject;
	w->tbs.spki = w->req->csr->spki;
	ae_wr_init(&out, TBS_MAX);
	rc = ae_tbs_encode(&out, &w->tbs, &e);
	if (rc == AE_OK)
		rc = ae_ca_lint(
		    &w->tbs, out.p, out.len, &w->cfg->more_extensions, &e);
	if (rc == AE_OK) {
		w->d->tbs = ae_arena_dup(w->a, out.p, out.len);
		w->d->tbs_len = out.len;
		if (w->d->tbs == NULL)
			rc = ae_fail_mem(&e);
	}
	ae_wr_done(&out);
	if (rc == AE_EINVAL || rc == AE_ELIMIT)
		return ae_ca_stop(w, AE_CA_FAIL, AE_HR_BAD_REQUESTSUBJECT,
		    "deny.bad-subject", "MS-WCCE 3.2.1.4.2.1.4.7", "%s",
		    e.text);
	if (rc != AE_OK) {
		if (w->e != NULL)
			*w->e = e;
		return rc;
	}
	return print_subject(w);
}

/* RequestDisposition and the template's flag: MS-WCCE 3.2.1.4.2.1.4.5 */
static int
check_disposition(struct ae_ca_work *w)
{
	static const char section[] = "MS-WCCE 3.2.2.6.2.1.4.5.6";
	const uint32_t disp = w->cfg->request_disposition;
	const char *why = NULL;

	if (disp == AE_REQDISP_DENY)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_ADMIN_DENIED_REQUEST,
		    "deny.policy-module-custom", "MS-WCCE 3.2.1.4.2.1.4.5",
		    "the CA is configured to deny every request");
	if ((w->t->enrollment_flag & AE_CT_PEND_ALL_REQUESTS) && !w->reenroll)
		why = "the template wants an officer's approval";
	else if ((disp & AE_REQDISP_PENDINGFIRST) || disp != AE_REQDISP_ISSUE)
		why = "the CA is configured to have all requests approved";
	if (why != NULL && !w->in->approved && !AE_BREAK(approval)) {
		w->d->tbs = NULL; /* made anew when it is approved */
		w->d->tbs_len = 0;
		w->d->message = "Taken Under Submission";
		return ae_ca_stop(w, AE_CA_PEND, 0, "pending.awaiting-approval",
		    section, "%s", why);
	}
	w->d->message = "Issued";
	return ae_ca_stop(w, AE_CA_ISSUE, 0, "ca.issue", section,
	    "nothing stands against it");
}

/* clang-format off */
const struct ae_ca_check ae_ca_checks_build[] = {
	{ { "certificate.dates", "MS-WCCE 3.2.2.6.2.1.4.4.2",
	    "from when to when" }, check_dates },
	{ { "certificate.names", "MS-WCCE 3.2.2.6.2.1.4.5.9",
	    "which names" }, ae_ca_subject },
	{ { "certificate.extensions", "MS-WCCE 3.2.1.4.2.1.4.7",
	    "which extensions" }, check_extensions },
	{ { "policy.file", "policy",
	    "what the template's policy file says" }, ae_ca_check_rules },
	{ { "certificate.written", "MS-WCCE 3.2.1.4.2.1.4.7",
	    "is what was written what was meant" }, check_tbs },
	{ { "request.archived", "MS-WCCE 3.2.2.6.2.1.2.2",
	    "is the private key the one of the request" }, ae_ca_check_archived },
	{ { "request.challenge", "MS-WCCE 3.2.2.6.2.1.2.6",
	    "has the TPM to prove itself first" }, ae_ca_check_challenge },
	{ { "ca.disposition", "MS-WCCE 3.2.1.4.2.1.4.5",
	    "issue, wait for an officer, or deny" }, check_disposition },
	{ .fn = NULL },
};
/* clang-format on */
