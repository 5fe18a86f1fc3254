/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Key attestation, MS-WCCE 3.2.2.6.2.1.2.5 and .4.5.7: what the template
 * wants of a TPM, what the request says, whether that holds together, and
 * whose TPM it may be.  The endorsement key's envelope is opened by the
 * signer, who has the exchange key; that the attestation key is in the same
 * TPM is proven by a challenge, which is asked for last of all.
 */
#include "ca/attest.h"

#include <string.h>

#include "base/breaks.h"
#include "base/hex.h"
#include "ca/work.h"
#include "pki/oid.h"

#define SECTION "MS-WCCE 3.2.2.6.2.1.2.5"
#define SECTION_CERT "MS-WCCE 3.2.2.6.2.1.2.5.1"
#define SECTION_KEY "MS-WCCE 3.2.2.6.2.1.2.5.2"
#define SECTION_CHALLENGE "MS-WCCE 3.2.2.6.2.1.2.6"
#define SECTION_FLAG "MS-WCCE 3.2.2.6.2.1.4.5.7"

#define MODES \
	(AE_CT_EK_TRUST_ON_USE | AE_CT_EK_VALIDATE_CERT | AE_CT_EK_VALIDATE_KEY)

/* A way to trust an endorsement key, and what it adds to the certificate. */
static const struct mode {
	uint32_t flag, row;
	const char *policy;
} modes[] = {
	{ AE_CT_EK_TRUST_ON_USE, AE_CR_FLG_TRUSTONUSE,
	    AE_OID_MS_EKVERIFYCREDS },
	{ AE_CT_EK_VALIDATE_CERT, AE_CR_FLG_TRUSTEKCERT,
	    AE_OID_MS_EKVERIFYCERT },
	{ AE_CT_EK_VALIDATE_KEY, AE_CR_FLG_TRUSTEKKEY, AE_OID_MS_EKVERIFYKEY },
};

static bool
required(const struct ae_ca_work *w)
{
	return (w->t->private_key_flag & AE_CT_ATTEST_REQUIRED) != 0;
}

/* Those of the template; one that names none trusts who asks. */
static uint32_t
wanted_modes(const struct ae_ca_work *w)
{
	const uint32_t m = w->t->private_key_flag & MODES;

	return m != 0 ? m : AE_CT_EK_TRUST_ON_USE;
}

static int
deny(struct ae_ca_work *w, uint32_t hr, const char *section, const char *text)
{
	return ae_ca_stop(
	    w, AE_CA_DENY, hr, "deny.attestation", section, "%s", text);
}

/* Nothing is attested: refused where it must be, else told. */
static int
go_without(
    struct ae_ca_work *w, uint32_t hr, const char *section, const char *text)
{
	if (required(w) && !AE_BREAK(attest_required))
		return deny(w, hr, section, text);
	ae_ca_note(w, "request.attestation", section,
	    "not attested, which the template would like: %s", text);
	return AE_CA_GO;
}

/* ---- the statement ---- */

static const uint32_t hresults[] = {
	[AE_ATTEST_FORM] = AE_HR_CORRUPT_KEY_ATTESTATION,
	[AE_ATTEST_ID_BINDING] = AE_HR_INVALID_IDBINDING,
	[AE_ATTEST_KEY] = AE_HR_INVALID_ATTESTATION,
};

/*
 * One that is not true is refused, also where none is required: nobody sends
 * it by mistake.
 */
static int
check_statement(struct ae_ca_work *w, struct ae_attestation *out)
{
	const struct ae_csr *c = w->req->csr;
	enum ae_attest_part part = AE_ATTEST_FORM;
	struct ae_err e = AE_ERR_INIT;
	int rc;

	if (c->ksp_name == NULL ||
	    !ae_str_eq_nocase(c->ksp_name, AE_TPM_KSP_NAME))
		return deny(w, AE_HR_INVALID_ATTESTATION, SECTION,
		    "the request does not name the TPM's provider");
	rc = ae_attestation_verify(
	    out, &part, c->attestation, c->key, w->cfg->allow_sha1_csr, &e);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(w->e);
	if (rc != AE_OK)
		return deny(w, hresults[part], SECTION, e.text);
	ae_ca_pass(w, "request.attestation", SECTION,
	    "a TPM says that it made the key and keeps it");
	return AE_CA_GO;
}

/* ---- the endorsement key ---- */

/* AE_CA_GO with the bit in *holds, or not; below zero: our own failing. */
static int
try_mode(struct ae_ca_work *w, const struct mode *m,
    const struct ae_ek_info *ek, uint32_t *holds)
{
	const struct ae_ca_trust *t = w->cfg->attest;
	struct ae_err e = AE_ERR_INIT;
	int rc;

	if (m->flag == AE_CT_EK_TRUST_ON_USE) {
		*holds |= m->flag;
		return AE_CA_GO;
	}
	if (m->flag == AE_CT_EK_VALIDATE_KEY) {
		if (ae_ca_trust_has_key(t, ek) || AE_BREAK(attest_ek_list))
			*holds |= m->flag;
		else
			ae_ca_note(w, "request.attestation", SECTION_KEY,
			    "the endorsement key is not in the CA's list");
		return AE_CA_GO;
	}
	rc = ae_ca_trust_cert(t, ek, w->in->now, &e);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(w->e);
	if (rc == AE_OK)
		*holds |= m->flag;
	else
		ae_ca_note(w, "request.attestation", SECTION_CERT,
		    "the endorsement key's certificate: %s", e.text);
	return AE_CA_GO;
}

/* Every way that the template names must hold. */
static int
check_ek(struct ae_ca_work *w, const struct ae_ek_info *ek, bool *trusted)
{
	char hex[2 * AE_CA_EK_HASH + 1];
	const uint32_t want = wanted_modes(w);
	uint32_t holds = 0;
	size_t i;
	int rc = AE_CA_GO;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (rc == AE_CA_GO && (want & modes[i].flag))
			rc = try_mode(w, &modes[i], ek, &holds);
	if (rc != AE_CA_GO)
		return rc;
	ae_hex_encode(hex, ek->hash, sizeof(ek->hash));
	*trusted = holds == want;
	if (!*trusted)
		return go_without(w, AE_HR_INVALID_EK, SECTION,
		    ae_arena_printf(w->a,
			"this CA does not trust the endorsement key %s", hex));
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (want & modes[i].flag)
			w->d->request_flags |= modes[i].row;
	ae_ca_pass(w, "request.attestation", SECTION,
	    "the endorsement key %s is trusted", hex);
	return AE_CA_GO;
}

/* What is to be asked, kept beyond the parsed request. */
static int
keep_challenge(struct ae_ca_work *w, const struct ae_ek_info *ek,
    const struct ae_attestation *a)
{
	const struct ae_der spki = ae_key_spki(ek->ek);
	struct ae_ca_challenge *c = ae_arena_alloc(w->a, sizeof(*c));

	if (c == NULL)
		return ae_fail_mem(w->e);
	c->ek.p = ae_arena_dup(w->a, spki.p, spki.len);
	c->ek.len = spki.len;
	c->to = *a;
	c->to.aik_opaque.p =
	    ae_arena_dup(w->a, a->aik_opaque.p, a->aik_opaque.len);
	if (c->ek.p == NULL || c->to.aik_opaque.p == NULL)
		return ae_fail_mem(w->e);
	w->challenge = c;
	w->d->request_flags |= AE_CR_FLG_CHALLENGEPENDING;
	return AE_CA_GO;
}

/* What the signer found in the envelope, and what the statement says. */
static int
attest(struct ae_ca_work *w)
{
	const struct ae_ca_answers *s = w->answers;
	struct ae_attestation a = { .aik_name_len = 0 };
	struct ae_ek_info ek = { .ek = NULL };
	struct ae_err e = AE_ERR_INIT;
	bool trusted = false;
	int rc;

	if (s->ek_hresult != 0)
		return deny(w, s->ek_hresult, SECTION,
		    s->ek_text != NULL ? s->ek_text : "no endorsement key");
	rc = ae_ek_info_parse(&ek, s->ek.p, s->ek.len, &e);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(w->e);
	if (rc != AE_OK)
		return deny(w, AE_HR_INVALID_EK, SECTION, e.text);
	rc = check_statement(w, &a);
	if (rc == AE_CA_GO)
		rc = check_ek(w, &ek, &trusted);
	if (rc == AE_CA_GO && trusted)
		rc = keep_challenge(w, &ek, &a);
	ae_ek_info_done(&ek);
	return rc;
}

/*
 * The challenge was answered: what was found when the request came stands in
 * its row, and today's template must ask for no more.
 */
static int
attested_before(struct ae_ca_work *w)
{
	const uint32_t flags = w->in->row_flags;
	const uint32_t want = wanted_modes(w);
	size_t i;

	if (!(flags & AE_CR_FLG_CHALLENGESATISFIED) &&
	    !AE_BREAK(attest_answered))
		return go_without(w, AE_HR_KEY_ATTESTATION, SECTION_CHALLENGE,
		    "the challenge was not answered");
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if ((want & modes[i].flag) && !(flags & modes[i].row))
			return go_without(w, AE_HR_KEY_ATTESTATION,
			    SECTION_FLAG,
			    "the template wants another attestation than "
			    "when it was asked for");
	w->d->request_flags |= flags & AE_CR_FLG_ATTESTATION;
	ae_ca_pass(w, "request.attestation", SECTION_CHALLENGE,
	    "the TPM has answered the challenge");
	return AE_CA_GO;
}

int
ae_ca_check_attestation(struct ae_ca_work *w)
{
	const struct ae_csr *c = w->req->csr;
	const bool wanted =
	    (w->t->private_key_flag &
		(AE_CT_ATTEST_REQUIRED | AE_CT_ATTEST_PREFERRED)) != 0;
	int step;

	if (!wanted)
		return AE_CA_GO;
	if (w->in->approved || w->in->answered)
		return attested_before(w);
	if (w->cfg->attest == NULL)
		return go_without(w, AE_HR_KEY_ATTESTATION, SECTION_FLAG,
		    "this CA is not configured to check key attestation");
	if (c->aik_info.p != NULL)
		return go_without(w, AE_HR_KEY_ATTESTATION_NOT_SUPPORTED,
		    SECTION,
		    "attestation by an attestation key's certificate alone is "
		    "not taken");
	if (c->ek_info.p == NULL || c->attestation.p == NULL)
		return go_without(w, AE_HR_KEY_ATTESTATION, SECTION_FLAG,
		    "the request attests nothing");
	step = ae_ca_ask(w, AE_CA_ASK_EK, SECTION);
	return step == AE_CA_GO ? attest(w) : step;
}

/* The policies that say how, MS-WCCE 3.2.2.6.2.1.4.5.8. */
int
ae_ca_attest_policies(struct ae_ca_work *w)
{
	size_t i;

	if (w->t->private_key_flag & AE_CT_ATTESTATION_WITHOUT_POLICY)
		return AE_CA_GO;
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if ((w->d->request_flags & modes[i].row) &&
		    !ae_strv_has(&w->policies, modes[i].policy) &&
		    !ae_strv_add(&w->policies, modes[i].policy))
			return ae_fail_mem(w->e);
	return AE_CA_GO;
}

int
ae_ca_check_challenge(struct ae_ca_work *w)
{
	if (w->challenge == NULL || AE_BREAK(attest_challenge))
		return AE_CA_GO;
	w->d->tbs = NULL; /* made anew when it is answered */
	w->d->tbs_len = 0;
	w->d->challenge = w->challenge;
	w->d->message = "Taken Under Submission";
	return ae_ca_stop(w, AE_CA_PEND, 0, "pending.attestation",
	    SECTION_CHALLENGE, "the TPM is asked to prove itself");
}
