/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the template and its permissions say; see plan_int.h.
 */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "enroll/plan_int.h"

/*
 * The client version we stand for in msPKI-Private-Key-Flag's nibble
 * 0x0F000000 (MS-CRTD 2.27): 6, the highest that is assigned.
 */
#define CLIENT_VERSION 6u
#define DAY 86400
#define RID_DOMAIN_USERS 513u
#define RID_DOMAIN_COMPUTERS 515u

typedef bool right_fn(const struct ae_sd *sd, const struct ae_token *t);

static bool
has(const struct walk *w, const struct ae_template *t, right_fn *right)
{
	return t->sd != NULL && right(t->sd, w->in->token);
}

bool
plan_is_auto(const struct walk *w, const struct ae_template *t)
{
	return (t->enrollment_flag & AE_CT_AUTO_ENROLLMENT) != 0 &&
	    t->schema_version >= 2 && has(w, t, ae_sd_can_autoenroll);
}

/* MS-CRTD 2.4: CA templates are never enrolled automatically. */
bool
plan_check_not_ca(struct walk *w, const struct ae_template *t)
{
	if ((t->flags & (AE_CT_IS_CA | AE_CT_IS_CROSS_CA)) == 0)
		return true;
	FAIL(w, "context.ca-template", 0,
	    "the template is for certification authorities");
	return false;
}

/* MS-WCCE 3.1.2.4.2.2.1.1: a machine template serves the machine alone. */
bool
plan_check_context(struct walk *w, const struct ae_template *t)
{
	bool machine = (t->flags & AE_CT_MACHINE_TYPE) != 0;

	if (machine && w->in->context == AE_CONTEXT_USER) {
		FAIL(w, "context.machine-template-in-user", 42,
		    "the template is for computers, this is a user");
		return false;
	}
	if (!machine && w->in->context == AE_CONTEXT_MACHINE) {
		FAIL(w, "context.user-template-in-machine", 51,
		    "the template is for users, this is a computer");
		return false;
	}
	PASS(w, "context", "the template is for %s",
	    machine ? "computers" : "users");
	return true;
}

/*
 * The explicit refusal that a missing right comes from, or NULL: an ACE that
 * denies one of our SIDs what mask and object say.
 */
static const struct ae_ace *
denied_by(const struct walk *w, const struct ae_template *t, uint32_t mask,
    const struct ae_guid *object)
{
	size_t i;

	for (i = 0; t->sd != NULL && i < t->sd->dacl.n; i++) {
		const struct ae_ace *a = &t->sd->dacl.v[i];

		if (!a->known || (a->flags & AE_ACE_INHERIT_ONLY) != 0 ||
		    (a->type != AE_ACE_DENIED &&
			a->type != AE_ACE_DENIED_OBJECT) ||
		    (ae_access_map_generic(a->mask) & mask) == 0 ||
		    !ae_token_has(w->in->token, &a->sid))
			continue;
		if (!a->has_object ||
		    (object != NULL && ae_guid_equal(&a->object, object)))
			return a;
	}
	return NULL;
}

/* Granted, but to the other kind of account: a mistake people make. */
static void
hint_wrong_type(struct walk *w, const struct ae_template *t, const char *name,
    right_fn *right)
{
	bool machine = w->in->context == AE_CONTEXT_MACHINE;
	struct ae_token *other = NULL;
	struct ae_sid group;

	if (w->in->sid == NULL || w->in->sid->nsubs == 0 || t->sd == NULL)
		return;
	group = *w->in->sid;
	group.sub[group.nsubs - 1] =
	    machine ? RID_DOMAIN_USERS : RID_DOMAIN_COMPUTERS;
	if (ae_token_exact(&other, &group, 1, NULL) != AE_OK) {
		w->nomem = true;
		return;
	}
	if (right(t->sd, other)) {
		WARN(w, "template.rights-for-wrong-type",
		    "%s is granted to %s, but the template is for %s", name,
		    machine ? "Domain Users" : "Domain Computers",
		    machine ? "computers" : "users");
		ABOUT(w, "%s", machine ? "Domain Users" : "Domain Computers");
	}
	ae_token_free(other);
}

/* One right: granted, refused to us by name, or not granted at all. */
static void
check_right(struct walk *w, const struct ae_template *t, const char *name,
    right_fn *right, uint32_t mask, const struct ae_guid *object,
    const char *granted, const char *missing, uint16_t event)
{
	const struct ae_ace *ace;
	char sid[AE_SID_STR_MAX];

	if (has(w, t, right)) {
		PASS(w, granted, "%s is granted", name);
		return;
	}
	ace = denied_by(w, t, mask, object);
	if (ace != NULL) {
		FAIL(w, "template.deny-ace", event,
		    "%s is denied to %s, which this account is or is in; a "
		    "denial comes before what is granted",
		    name, ae_sid_print(sid, &ace->sid));
		ABOUT(w, "%s", sid);
		return;
	}
	FAIL(w, missing, event,
	    "%s is not granted to this account or its groups", name);
	hint_wrong_type(w, t, name, right);
}

/* Event 25 is Windows' word for a renewal that is not permitted. */
static uint16_t
right_event(const struct walk *w)
{
	return w->want == AE_PLAN_RENEW ? 25 : 46;
}

/*
 * The directory decides here, the ticket at the CA.  It is asked all the
 * same, as Windows does; but nobody shall wonder.
 */
static void
check_ticket(struct walk *w, const struct ae_template *t)
{
	if (w->in->ticket == NULL || !has(w, t, ae_sd_can_enroll) ||
	    ae_sd_can_enroll(t->sd, w->in->ticket))
		return;
	WARN(w, "token.group-not-in-ticket",
	    "Enroll is granted through a group that the Kerberos ticket does "
	    "not have yet: the CA will refuse (0x80094012) until there is a "
	    "new ticket");
}

bool
plan_check_read(struct walk *w, const struct ae_template *t)
{
	check_right(w, t, "Read", ae_sd_can_read, AE_ACCESS_READ, NULL,
	    "template.read-right", "template.no-read-right", right_event(w));
	return true;
}

bool
plan_check_enroll(struct walk *w, const struct ae_template *t)
{
	check_right(w, t, "Enroll", ae_sd_can_enroll, AE_ACCESS_CONTROL,
	    &ae_right_enroll, "template.enroll-right",
	    "template.no-enroll-right", right_event(w));
	check_ticket(w, t);
	return true;
}

/* What is renewed needs to be enrolled automatically no more. */
static bool
needs_auto(const struct walk *w)
{
	return !w->in->manual && w->want != AE_PLAN_RENEW;
}

bool
plan_check_autoenroll_flag(struct walk *w, const struct ae_template *t)
{
	if (!needs_auto(w))
		return true;
	if (t->schema_version < 2)
		FAIL(w, "template.v1-no-autoenroll", 0,
		    "the template has schema version %u; auto-enrollment "
		    "needs 2 or higher",
		    t->schema_version);
	else if ((t->enrollment_flag & AE_CT_AUTO_ENROLLMENT) == 0)
		FAIL(w, "template.not-configured-autoenroll", 0,
		    "auto-enrollment is not ticked "
		    "(msPKI-Enrollment-Flag 0x%x lacks 0x20)",
		    t->enrollment_flag);
	else
		PASS(
		    w, "template.autoenroll-flag", "auto-enrollment is ticked");
	return true;
}

bool
plan_check_autoenroll(struct walk *w, const struct ae_template *t)
{
	if (needs_auto(w))
		check_right(w, t, "Autoenroll", ae_sd_can_autoenroll,
		    AE_ACCESS_CONTROL, &ae_right_autoenroll,
		    "template.autoenroll-right", "template.no-autoenroll-right",
		    46);
	return true;
}

/* MS-WCCE 3.1.2.4.2.1: an unknown schema version is not enrolled. */
bool
plan_check_versions(struct walk *w, const struct ae_template *t)
{
	unsigned client = AE_CT_CLIENT_VERSION(t->private_key_flag);

	if (t->schema_version < 1 || t->schema_version > 4)
		FAIL(w, "template.schema-unknown", 0,
		    "schema version %u is not known here", t->schema_version);
	else if (client > CLIENT_VERSION) {
		FAIL(w, "template.client-too-old", 0,
		    "the template wants client version %u, this is %u "
		    "(MS-WCCE 3.1.2.4.2.2.2.8)",
		    client, CLIENT_VERSION);
		ABOUT(w, "%u", client);
	} else
		PASS(w, "template.versions",
		    "schema version %u, revision %u.%u", t->schema_version,
		    t->revision, t->minor_revision);
	return true;
}

#define CHAIN_MAX 64

/* Does from supersede to, itself or by way of others?  MS-CRTD 2.21. */
static bool
reaches(const struct walk *w, const struct ae_template *from,
    const struct ae_template *to)
{
	const struct ae_template *seen[CHAIN_MAX] = { from };
	size_t n = 1, i, k, s;

	for (i = 0; i < n; i++) {
		if (ae_strv_has_nocase(&seen[i]->supersedes, to->cn))
			return true;
		for (k = 0; k < w->in->ntemplates && n < CHAIN_MAX; k++) {
			const struct ae_template *o = w->in->templates[k];

			for (s = 0; s < n && seen[s] != o; s++)
				;
			if (s == n &&
			    ae_strv_has_nocase(&seen[i]->supersedes, o->cn))
				seen[n++] = o;
		}
	}
	return false;
}

/*
 * Templates that supersede each other, also around a corner, would leave
 * nobody with a certificate; between these the lists are ignored.
 */
const struct ae_template *
plan_superseder(const struct walk *w, const struct ae_template *t)
{
	size_t i;

	for (i = 0; i < w->in->ntemplates; i++) {
		const struct ae_template *o = w->in->templates[i];

		if (o != t && w->usable != NULL && w->usable[i] &&
		    ae_strv_has_nocase(&o->supersedes, t->cn) &&
		    !reaches(w, t, o))
			return o;
	}
	return NULL;
}

/* Decides also where a certificate is: that one counts as absent. */
bool
plan_check_superseded(struct walk *w, const struct ae_template *t)
{
	const struct ae_template *by;

	if (w->in->manual || w->quiet)
		return true;
	by = plan_superseder(w, t);
	if (by == NULL)
		return true;
	w->failed = true;
	plan_reason(w, &w->item->reasons, "template.superseded", AE_FAIL, 56,
	    "template %s supersedes it and can be enrolled", by->cn);
	ABOUT(w, "%s", by->cn);
	return true;
}

bool
plan_check_subject(struct walk *w, const struct ae_template *t)
{
	if (w->in->manual)
		return true;
	if ((t->name_flag &
		(AE_CT_ENROLLEE_SUPPLIES_SUBJECT |
		    AE_CT_ENROLLEE_SUPPLIES_SAN)) == 0)
		PASS(w, "template.subject", "the subject is built from AD");
	else if (w->want == AE_PLAN_RENEW)
		PASS(w, "template.subject",
		    "the names of %s are asked for again", w->item->have->name);
	else
		FAIL(w, "template.supplies-subject", 38,
		    "the request must supply the subject; the first "
		    "certificate is enrolled by hand, renewals follow by "
		    "themselves");
	return true;
}

bool
plan_check_interaction(struct walk *w, const struct ae_template *t)
{
	bool machine = w->in->context == AE_CONTEXT_MACHINE;

	if ((t->private_key_flag & AE_CT_STRONG_KEY_PROTECTION) != 0)
		FAIL(w, "template.user-interaction", machine ? 37 : 38,
		    "strong key protection is ticked: somebody would have to "
		    "answer a question");
	else if ((t->enrollment_flag & AE_CT_USER_INTERACTION_REQUIRED) != 0 &&
	    !w->in->manual)
		FAIL(w, "template.user-interaction", 38,
		    "user interaction is ticked: somebody would have to "
		    "answer a question");
	else
		PASS(w, "template.silent", "nobody has to be asked");
	return true;
}

/*
 * MS-CRTD 2.20.  A renewal may do without when the old certificate's
 * signature is enough (MS-WCCE 3.2.2.6.2.1.4.5.6); one own certificate may
 * vouch for the next ("self RA"), and then the request is not a renewal any
 * more, MS-WCCE 3.1.2.4.2.1.
 */
bool
plan_check_ra_signature(struct walk *w, const struct ae_template *t)
{
	if (t->ra_signature == 0) {
		PASS(w, "template.signatures", "no further signature needed");
		return true;
	}
	if (w->want == AE_PLAN_RENEW &&
	    (t->enrollment_flag &
		AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT) != 0) {
		PASS(w, "template.signatures",
		    "the signature of %s stands for the approval",
		    w->item->have->name);
		return true;
	}
	if (w->in->signed_by_hand) {
		PASS(
		    w, "template.signatures", "the signature is brought along");
		return true;
	}
	w->item->signer = t->ra_signature == 1 ? plan_cert_signer(w, t) : NULL;
	if (w->item->signer != NULL)
		PASS(w, "template.signatures", "%s signs the request",
		    w->item->signer->name);
	else if (t->ra_signature == 1)
		FAIL(w, "template.ra-signature", 48,
		    "the template wants the signature of a registration "
		    "authority, and no certificate here may give it (%zu "
		    "usages, %zu policies asked for)",
		    t->ra_application_policies.n, t->ra_policies.n);
	else
		FAIL(w, "template.ra-signature", 48,
		    "the template wants %u signatures of registration "
		    "authorities; auto-enrollment can give one",
		    t->ra_signature);
	return true;
}

bool
plan_check_archival(struct walk *w, const struct ae_template *t)
{
	if ((t->private_key_flag & AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL) != 0)
		PASS(w, "key.archival",
		    "the private key goes to the CA's archive, encrypted to "
		    "its exchange certificate");
	return true;
}

bool
plan_check_attestation(struct walk *w, const struct ae_template *t)
{
	char text[AE_ATTEST_STR_MAX];

	switch (ae_attestation(t, text)) {
	case AE_ATTEST_REQUIRED:
		FAIL(w, "key.attestation", 85, "%s", text);
		break;
	case AE_ATTEST_PREFERRED:
		WARN(w, "key.attestation", "%s", text);
		break;
	case AE_ATTEST_NONE:
		break;
	}
	return true;
}

bool
plan_check_key(struct walk *w, const struct ae_template *t)
{
	struct ae_key_spec *k = &w->item->key;
	struct ae_err e = AE_ERR_INIT;
	const char *name;

	if (w->want == AE_PLAN_RENEW &&
	    (t->private_key_flag & AE_CT_REQUIRE_SAME_KEY_RENEWAL) != 0)
		w->item->same_key = true;
	if (ae_key_spec_from_template(k, t, w->in->providers, &e) != AE_OK &&
	    !w->item->same_key) {
		FAIL(w, k->check, k->event, "%s", e.text);
		if (t->algorithms.asymmetric != NULL)
			ABOUT(w, "%s", t->algorithms.asymmetric);
		return true;
	}
	if (w->item->same_key) {
		PASS(w, "key.provider", "the key of %s is used again",
		    w->item->have->name);
		return true;
	}
	name = k->provider_name;
	PASS(w, "key.provider", "a key of %s, %u bits, %s%s%s%s",
	    ae_key_alg_name(k->alg), k->bits,
	    k->provider == AE_PROVIDER_TPM	   ? "in the TPM"
		: k->provider == AE_PROVIDER_TOKEN ? "in the PKCS#11 token"
						   : "in software",
	    name != NULL ? " (" : "", name != NULL ? name : "",
	    name != NULL ? ")" : "");
	return true;
}

/* Settings that work, but not as people expect. */
bool
plan_check_periods(struct walk *w, const struct ae_template *t)
{
	char valid[AE_TIME_STR_MAX], overlap[AE_TIME_STR_MAX];
	size_t i;

	(void)ae_span_print(valid, t->validity);
	(void)ae_span_print(overlap, t->overlap);
	if (t->validity > 0 && t->overlap >= t->validity)
		WARN(w, "template.overlap-too-long",
		    "the renewal period of %s is not shorter than the validity "
		    "of %s; a CA refuses that (0x80094814)",
		    overlap, valid);
	else if (t->validity > 0 && t->validity < 5 * DAY)
		WARN(w, "template.validity-too-short",
		    "a validity of %s leaves little time to renew: a run every "
		    "eight hours may come too late",
		    valid);
	for (i = 0; t->oid != NULL && i < w->in->ntemplates; i++) {
		const struct ae_template *o = w->in->templates[i];

		if (o != t && o->oid != NULL && strcmp(o->oid, t->oid) == 0) {
			WARN(w, "template.duplicate-oid",
			    "template %s has the same OID; which one a "
			    "certificate is of cannot be told",
			    o->cn);
			ABOUT(w, "%s", o->cn);
		}
	}
	return true;
}
