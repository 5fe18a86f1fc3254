/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates that a request is signed with: the one being renewed, those
 * of enrollment agents and of registration authorities.  A certificate
 * counts when this CA's own database has the very same one as issued, it is
 * not revoked, and is valid now; whose it is tells its SID.
 */
#include <string.h>

#include "base/breaks.h"
#include "ca/work.h"
#include "db/db.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "pki/oid.h"

#define BEHALF_MAX 256 /* bytes of "DOMAIN\account" */

#define SECTION_RENEW "MS-WCCE 3.2.1.4.2.1.4.2"
#define SECTION_RA "MS-WCCE 3.2.2.6.2.1.4.5.1"
#define SECTION_REENROLL "MS-WCCE 3.2.2.6.2.1.4.8"

/* Which signers have a certificate. */
static void
collect(struct ae_ca_work *w)
{
	const struct ae_request *r = w->req;
	size_t i;

	for (i = 0; i < r->nsigners && w->nsigners < AE_CA_CERTS_MAX; i++)
		if (r->signers[i].kind == AE_SIGNER_CERT)
			w->signers[w->nsigners++].cert = r->signers[i].cert;
}

/*
 * A renewal names its certificate in the PKCS#10, and is signed with it
 * (MS-WCCE 3.2.1.4.2.1.4.2.1, .2).
 */
static int
check_renewal(struct ae_ca_work *w)
{
	const struct ae_der *old = &w->req->csr->renewal_cert;
	size_t i;

	w->prefix = "Error Parsing Request";
	collect(w);
	if (old->p == NULL)
		return AE_CA_GO;
	for (i = 0; i < w->nsigners; i++)
		if (ae_der_equal(w->signers[i].cert->der, *old))
			w->renews = &w->signers[i];
	if (w->renews == NULL)
		return ae_ca_stop(w, AE_CA_FAIL,
		    AE_HR_BAD_RENEWAL_CERT_ATTRIBUTE, "deny.renewal-attr",
		    SECTION_RENEW,
		    "the certificate to be renewed is not one the request is "
		    "signed with");
	w->d->request_flags |= AE_CR_FLG_RENEWAL;
	ae_ca_note(
	    w, "request.renewal", SECTION_RENEW, "it renews a certificate");
	return AE_CA_GO;
}

static void
judge(struct ae_ca_work *w, struct ae_ca_signer *s)
{
	const struct ae_db_request *row = s->row;
	const struct ae_der *der = &s->cert->der;

	if (AE_BREAK(esc3_own_row))
		return;
	if (row == NULL || row->cert_len != der->len ||
	    memcmp(row->cert, der->p, der->len) != 0) {
		s->wrong = "this CA did not issue it";
		s->hresult = AE_HR_CERT_E_UNTRUSTEDROOT;
	} else if (row->disp != AE_DB_ISSUED && !AE_BREAK(esc3_revoked)) {
		s->wrong = "it is revoked";
		s->hresult = AE_HR_CERT_E_REVOKED;
	} else if ((w->in->now < s->cert->not_before ||
		       w->in->now > s->cert->not_after) &&
	    !AE_BREAK(esc3_expired)) {
		s->wrong = "it is not valid now";
		s->hresult = AE_HR_CERT_E_EXPIRED;
	}
}

/* What the database knows of them. */
static int
check_rows(struct ae_ca_work *w)
{
	struct ae_decision *d = w->d;
	size_t i;
	int step;

	if (w->nsigners == 0)
		return AE_CA_GO;
	for (i = 0; i < w->nsigners; i++) {
		const struct ae_der serial = w->signers[i].cert->serial;

		d->ask_certs[i].p = ae_arena_dup(w->a, serial.p, serial.len);
		d->ask_certs[i].len = serial.len;
		if (d->ask_certs[i].p == NULL)
			return ae_fail_mem(w->e);
	}
	d->nask_certs = w->nsigners;
	step = ae_ca_ask(w, AE_CA_ASK_ROW_CERTS, SECTION_RENEW);
	if (step != AE_CA_GO)
		return step;
	for (i = 0; i < w->nsigners; i++) {
		w->signers[i].row = i < w->answers->nrow_certs
		    ? w->answers->row_certs[i]
		    : NULL;
		judge(w, &w->signers[i]);
	}
	return AE_CA_GO;
}

bool
ae_ca_signer_is(const struct ae_ca_signer *s, const struct ae_sid *sid)
{
	char text[AE_SID_STR_MAX];

	if (s->cert->x.has_sid)
		return ae_sid_equal(&s->cert->x.sid, sid);
	return s->row != NULL && s->row->sid != NULL &&
	    strcmp(s->row->sid, ae_sid_print(text, sid)) == 0;
}

/*
 * Ours, good, and the caller's: whoever stole its key renews nothing, unless
 * the CA takes renewals from others' hands.
 */
static int
check_renewed(struct ae_ca_work *w)
{
	const struct ae_ca_signer *s = w->renews;

	w->prefix = "Error Verifying Request Signature or Signing Certificate";
	if (s == NULL)
		return AE_CA_GO;
	if (s->wrong != NULL)
		return ae_ca_stop(w, AE_CA_DENY, s->hresult,
		    "deny.renewal-cert", SECTION_RENEW,
		    "the certificate to be renewed does not count: %s",
		    s->wrong);
	if (!(w->in->request->flags & AE_CR_IN_ROBO) &&
	    !ae_ca_signer_is(s, &w->in->caller->user) &&
	    !AE_BREAK(renewal_owner))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_BAD_RENEWAL_SUBJECT,
		    "deny.renewal-owner", SECTION_RENEW,
		    "the certificate to be renewed is not one of %s",
		    ae_ca_quote(w, w->d->requester));
	ae_ca_pass(w, "request.renewal-cert", SECTION_RENEW,
	    "the certificate to be renewed is request %lld of %s, and good",
	    (long long)s->row->id, ae_ca_quote(w, s->row->account));
	return AE_CA_GO;
}

/* clang-format off */
const struct ae_ca_check ae_ca_checks_signers[] = {
	{ { "renewal.attribute", "MS-WCCE 3.2.1.4.2.1.4.2",
	    "is the certificate to be renewed one that signed" }, check_renewal },
	{ { "request.signers", "MS-WCCE 3.2.1.4.2.1.4.2",
	    "what are the signing certificates worth" }, check_rows },
	{ { "renewal.certificate", "MS-WCCE 3.2.1.4.2.1.4.2",
	    "is the certificate to be renewed good, and whose is it" }, check_renewed },
	{ { "renewal.on-behalf", "MS-WCCE 3.2.2.6.2.1.2.4",
	    "whose renewal does somebody else bring" }, ae_ca_check_robo },
	{ { "request.on-behalf", "MS-WCCE 3.2.2.6.2.1.2.1",
	    "whom does an enrollment agent ask for" }, ae_ca_check_on_behalf },
	{ .fn = NULL },
};
/* clang-format on */

/* ---- with the template ---- */

/* The template the certificate was made by: by OID, or by its name. */
static bool
same_template(const struct ae_template *t, const struct ae_exts *x)
{
	return t->schema_version > 1
	    ? x->template_oid != NULL && strcmp(x->template_oid, t->oid) == 0
	    : x->template_name != NULL &&
		ae_str_eq_nocase(x->template_name, t->cn);
}

static bool
supersedes(const struct ae_ca_work *w)
{
	const struct ae_ca_templates *all = w->in->templates;
	size_t i;

	for (i = 0; i < all->n; i++)
		if (same_template(all->v[i], &w->renews->cert->x) &&
		    ae_strv_has_nocase(&w->t->supersedes, all->v[i]->cn))
			return true;
	return false;
}

/* MS-WCCE 3.2.2.6.2.1.2.3 and .4.5.7, for renewals */
int
ae_ca_check_old(struct ae_ca_work *w)
{
	if (w->renews == NULL)
		return AE_CA_GO;
	if (!same_template(w->t, &w->renews->cert->x) && !supersedes(w))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_TEMPLATE_CONFLICT,
		    "deny.template-conflict", "MS-WCCE 3.2.2.6.2.1.2.3",
		    "the certificate to be renewed is of another template, "
		    "which %s does not supersede",
		    ae_ca_quote(w, w->t->cn));
	if ((w->t->private_key_flag & AE_CT_REQUIRE_SAME_KEY_RENEWAL) &&
	    !ae_cert_has_key(w->renews->cert, w->req->csr->key))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_RENEWAL_BAD_PUBLIC_KEY,
		    "deny.renewal-same-key", "MS-WCCE 3.2.2.6.2.1.4.5.7",
		    "the template wants the same key when renewing");
	return AE_CA_GO;
}

static bool
same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && ae_str_eq_nocase(a, b);
}

/*
 * Is one of the old certificate's names the requester's today?  The section
 * speaks of mail and UPN; a computer has neither, its name is dNSHostName.
 */
static bool
still_named(const struct ae_ca_work *w)
{
	const struct ae_exts *x = &w->renews->cert->x;
	const struct ae_ca_requester *r = w->who;
	size_t i;
	bool one = false;

	for (i = 0; i < x->nsans; i++) {
		const struct ae_san *s = &x->sans[i];

		if (s->type == AE_SAN_UPN && !same_text(s->text, r->upn))
			return false;
		if (s->type == AE_SAN_EMAIL && !same_text(s->text, r->mail))
			return false;
		one = one || s->type == AE_SAN_UPN || s->type == AE_SAN_EMAIL ||
		    (s->type == AE_SAN_DNS &&
			(w->t->flags & AE_CT_MACHINE_TYPE) != 0 &&
			same_text(s->text, r->dns_host_name));
	}
	return one;
}

/*
 * A certificate that was approved once stands in for another approval
 * (CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT), on conditions; when
 * they do not hold the template's other demands simply remain.
 */
int
ae_ca_check_reenroll(struct ae_ca_work *w)
{
	const struct ae_template *t = w->t;
	const struct ae_csr *csr = w->req->csr;
	const char *why = NULL;
	int step;

	if (w->renews == NULL ||
	    !(t->enrollment_flag &
		AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT))
		return AE_CA_GO;
	if (t->schema_version < 2 || !same_template(t, &w->renews->cert->x)) {
		why = "the old certificate is of another template";
	} else if (t->name_flag & AE_CT_ENROLLEE_SUPPLIES_SUBJECT) {
		if (ae_name_is_empty(csr->subject) ||
		    !ae_name_equal(csr->subject, w->renews->cert->subject))
			why = "the subject is not the old certificate's";
	} else {
		step = w->d->on_behalf != NULL
		    ? AE_CA_GO /* the owner was looked up already */
		    : ae_ca_ask(w, AE_CA_ASK_REQUESTER, SECTION_REENROLL);
		if (step != AE_CA_GO)
			return step;
		if (!w->who->found || !still_named(w))
			why = "the old certificate does not name the requester "
			      "as the directory does today";
	}
	w->reenroll = why == NULL;
	if (why == NULL)
		ae_ca_pass(w, "template.reenroll", SECTION_REENROLL,
		    "the old certificate stands in for approval and for "
		    "signatures of registration authorities");
	else
		ae_ca_note(w, "template.reenroll", SECTION_REENROLL,
		    "the old certificate does not stand in for an approval: "
		    "%s",
		    why);
	return AE_CA_GO;
}

/* Every OID is in one of the certificates at least. */
static const char *
policy_missing(const struct ae_ca_work *w, bool applications)
{
	const struct ae_strv *want =
	    applications ? &w->t->ra_application_policies : &w->t->ra_policies;
	size_t i, k;
	bool has;

	for (i = 0; i < want->n; i++) {
		for (k = 0, has = false; k < w->nsigners && !has; k++) {
			if (&w->signers[k] == w->renews)
				continue;
			has = applications
			    ? ae_cert_allows(w->signers[k].cert, want->v[i])
			    : ae_strv_has(&w->signers[k].cert->x.cert_policies,
				  want->v[i]);
		}
		if (!has)
			return want->v[i];
	}
	return NULL;
}

static int
check_policies(struct ae_ca_work *w)
{
	const char *oid;

	/* MS-WCCE 3.2.2.6.2.1.4.5.4: schema 3 and 4 keep algorithms there
	   as well, the list has the OIDs alone */
	oid = policy_missing(w, true);
	if (oid != NULL)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_SIGNATURE_REJECTED,
		    "deny.ra-policy", "MS-WCCE 3.2.2.6.2.1.4.5.4",
		    "no signer has the application policy %s",
		    ae_ca_quote(w, oid));
	oid = policy_missing(w, false);
	if (oid != NULL)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_SIGNATURE_REJECTED,
		    "deny.ra-policy", "MS-WCCE 3.2.2.6.2.1.4.5.3",
		    "no signer has the issuance policy %s",
		    ae_ca_quote(w, oid));
	return AE_CA_GO;
}

/*
 * Signatures of registration authorities, MS-WCCE 3.2.2.6.2.1.4.5.1, .3, .4.
 * The old certificate of a renewal is not one of them.
 */
static int
check_count(struct ae_ca_work *w)
{
	size_t i, n = 0;

	for (i = 0; i < w->nsigners; i++) {
		if (&w->signers[i] == w->renews)
			continue;
		if (w->signers[i].wrong != NULL)
			return ae_ca_stop(w, AE_CA_DENY,
			    AE_HR_SIGNATURE_REJECTED, "deny.untrusted-signer",
			    SECTION_RA,
			    "a signer's certificate does not "
			    "count: %s",
			    w->signers[i].wrong);
		n++;
	}
	if (n == 0)
		return ae_ca_stop(w, AE_CA_DENY,
		    AE_HR_SIGNATURE_POLICY_REQUIRED, "deny.ra-policy",
		    SECTION_RA,
		    "the template wants %u signatures of registration "
		    "authorities, the request has none",
		    w->t->ra_signature);
	if (n < w->t->ra_signature && !AE_BREAK(ra_count))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_SIGNATURE_COUNT,
		    "deny.ra-policy", SECTION_RA,
		    "the template wants %u signatures of registration "
		    "authorities, the request has %zu",
		    w->t->ra_signature, n);
	return AE_CA_GO;
}

int
ae_ca_check_ra(struct ae_ca_work *w)
{
	const struct ae_template *t = w->t;
	int step;

	if (t->ra_signature == 0 || w->reenroll)
		return AE_CA_GO;
	step = check_count(w);
	if (step == AE_CA_GO)
		step = check_policies(w);
	if (step == AE_CA_GO)
		ae_ca_pass(w, "request.ra-signatures", SECTION_RA,
		    "the signatures that template %s demands are there",
		    ae_ca_quote(w, t->cn));
	return step;
}
