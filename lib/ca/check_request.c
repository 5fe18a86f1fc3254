/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The bytes of the request: form, signatures, possession of the key, and
 * whether the same bytes were answered before.
 */
#include <string.h>

#include "base/breaks.h"
#include "ca/work.h"
#include "db/db.h"

#define SECTION_FORM "MS-WCCE 3.2.1.4.2.1.4"
#define SECTION_POP "MS-WCCE 3.2.1.4.2.1.4.1.1"

/* The form dwFlags names; false: one this CA does not take. */
static bool
expected_form(enum ae_request_form *out, uint32_t flags)
{
	switch (flags & AE_CR_IN_FORMATMASK) {
	case AE_CR_IN_FORMATANY:
		*out = AE_REQUEST_ANY;
		return true;
	case AE_CR_IN_PKCS10:
		*out = AE_REQUEST_PKCS10;
		return true;
	case AE_CR_IN_PKCS7:
		*out = AE_REQUEST_CMS;
		return true;
	case AE_CR_IN_CMC:
		*out = AE_REQUEST_CMC;
		return true;
	default: /* KEYGEN, challenge responses, SCT lists */
		return false;
	}
}

static int
check_parse(struct ae_ca_work *w)
{
	const struct ae_wcce_blob *csr = &w->in->request->csr;
	uint8_t hash[AE_HASH_MAX];
	enum ae_request_form form;
	struct ae_err e = AE_ERR_INIT;
	uint32_t hr;
	int rc;

	if (!expected_form(&form, w->in->request->flags))
		return ae_ca_stop(w, AE_CA_FAIL, AE_HR_CRYPT_E_INVALID_MSG_TYPE,
		    "deny.bad-request", SECTION_FORM,
		    "requests of format 0x%04x are not taken",
		    w->in->request->flags & AE_CR_IN_FORMATMASK);
	if (ae_hash_bytes(hash, AE_HASH_SHA256, csr->p, csr->len) == 0)
		return ae_fail_mem(w->e);
	memcpy(w->d->csr_hash, hash, sizeof(w->d->csr_hash));
	if (w->in->parsed != NULL && *w->in->parsed != NULL) {
		w->req = *w->in->parsed;
		return AE_CA_GO;
	}
	rc = ae_request_parse(&w->req, form, csr->p, csr->len, &e);
	if (rc == AE_OK && w->in->parsed != NULL)
		*w->in->parsed = w->req;
	if (rc == AE_OK)
		return AE_CA_GO;
	if (rc == AE_ENOMEM || rc == AE_EINTERNAL) {
		if (w->e != NULL)
			*w->e = e;
		return rc;
	}
	hr = e.dom == AE_DOM_HRESULT ? (uint32_t)e.code : AE_HR_E_INVALID_DATA;
	if (rc == AE_ETRUST) {
		w->prefix = "Error Verifying Request Signature or Signing "
			    "Certificate";
		w->d->store = true;
	}
	return ae_ca_stop(w, AE_CA_FAIL, hr,
	    rc == AE_ETRUST ? "deny.bad-signature" : "deny.bad-request",
	    SECTION_FORM, "%s", e.text);
}

/* The strongest proof of possession must not rest on SHA-1. */
static bool
proof_is_sha1(const struct ae_request *r)
{
	size_t i;

	if (r->pop == AE_POP_SIGNATURE)
		return r->csr->sigalg.hash == AE_HASH_SHA1;
	for (i = 0; i < r->nsigners; i++)
		if (r->signers[i].kind == AE_SIGNER_NEW_KEY &&
		    r->signers[i].hash != AE_HASH_SHA1)
			return false;
	return true;
}

static int
check_possession(struct ae_ca_work *w)
{
	const struct ae_request *r = w->req;
	char key[16];

	w->d->store = true; /* it parsed: from here on it leaves a row */
	w->prefix = "Error Verifying Request Signature or Signing Certificate";
	if (!r->possession)
		return ae_ca_stop(w, AE_CA_FAIL, AE_HR_NTE_BAD_SIGNATURE,
		    "deny.bad-signature", SECTION_POP,
		    "nothing proves that the requester holds the private key");
	if (proof_is_sha1(r) && !w->cfg->allow_sha1_csr && !AE_BREAK(sha1))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_WEAK_SIGNATURE_OR_KEY,
		    "deny.weak-signature", "policy",
		    "the request is signed with SHA-1");
	ae_ca_pass(w, "request.possession", SECTION_POP,
	    "the requester holds the private key (%s)",
	    ae_key_print(key, r->csr->key));
	return AE_CA_GO;
}

/* What the pairs of one place in the request mean. */
static int
note_pairs(struct ae_ca_work *w, const struct ae_pair *v, size_t n,
    const char *where, bool agents)
{
	struct ae_wcce_attrs all = { .v = NULL };
	const struct ae_wcce_attr *at;
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		rc = ae_wcce_attrs_add(&all, v[i].name, v[i].value, w->a, w->e);
		if (rc != AE_OK)
			return rc;
	}
	for (i = 0; i < all.n; i++) {
		at = &all.v[i];
		if (at->use == AE_WCCE_ATTR_USED ||
		    (agents && strcmp(at->key, "requestername") == 0))
			continue;
		ae_ca_note(w, "request.attribute-ignored",
		    "MS-WCCE 3.2.1.4.2.1.4.1.3",
		    "ignored %s with value %s in %s: %s",
		    ae_ca_quote(w, at->name), ae_ca_quote(w, at->value), where,
		    at->why == NULL ? "unknown" : at->why);
	}
	return AE_CA_GO;
}

/*
 * RegInfo and the PKCS#10's own pairs are like request attributes: they name
 * the template, and RegInfo whom an agent asks for.
 */
static int
check_pairs(struct ae_ca_work *w)
{
	const struct ae_request *r = w->req;
	int step;

	step = note_pairs(w, r->reginfo, r->nreginfo, "RegInfo", true);
	if (step == AE_CA_GO)
		step = note_pairs(w, r->csr->pairs, r->csr->npairs,
		    "the request's pairs", false);
	return step;
}

/*
 * The same bytes and attributes from the same SID: the answer that was
 * given, as after a reply that got lost.
 */
static int
check_repeat(struct ae_ca_work *w)
{
	static const char section[] = "policy";
	const struct ae_db_request *row;
	const char *a = w->in->request->attributes, *b;
	int step;

	if (w->in->approved || w->in->anew || w->in->answered ||
	    w->cfg->repeat_window == 0 || AE_BREAK(f23_repeat))
		return AE_CA_GO;
	step = ae_ca_ask(w, AE_CA_ASK_ROW_SAME, section);
	if (step != AE_CA_GO)
		return step;
	row = w->answers->row_same;
	if (row == NULL ||
	    (row->disp != AE_DB_ISSUED && row->disp != AE_DB_PENDING))
		return AE_CA_GO;
	if (row->disp == AE_DB_PENDING &&
	    (row->request_flags & AE_CR_FLG_ATTESTATION) != 0 &&
	    !(row->request_flags & AE_CR_FLG_CHALLENGESATISFIED))
		return AE_CA_GO; /* its challenge is lost: another one */
	b = row->attrs;
	if (strcmp(a == NULL ? "" : a, b == NULL ? "" : b) != 0)
		return AE_CA_GO;
	if (row->disp == AE_DB_ISSUED &&
	    (row->resolved + w->cfg->repeat_window < w->in->now ||
		row->not_after <= w->in->now))
		return AE_CA_GO;
	w->d->row = row;
	return ae_ca_stop(w, AE_CA_STORED, 0, "ca.repeated", section,
	    "the same request was request %lld, which is %s",
	    (long long)row->id, ae_db_disp_name((int)row->disp));
}

/* clang-format off */
const struct ae_ca_check ae_ca_checks_request[] = {
	{ { "request.form", "MS-WCCE 3.2.1.4.2.1.4",
	    "is it a request of a known form, whose signatures verify" }, check_parse },
	{ { "request.possession", "MS-WCCE 3.2.1.4.2.1.4.1.1",
	    "does the requester hold the private key" }, check_possession },
	{ { "request.pairs", "MS-WCCE 3.2.1.4.2.1.4.1.3",
	    "which name-value pairs of the request mean anything" }, check_pairs },
	{ { "request.repeated", "policy",
	    "was the same request answered before" }, check_repeat },
	{ .fn = NULL },
};
/* clang-format on */
