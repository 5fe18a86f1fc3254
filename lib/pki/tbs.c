/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writing certificates: the TBSCertificate in one pass, its signature, and
 * both put together.
 */
#include "pki/tbs.h"

#include <string.h>

#include "pki/cert.h"
#include "pki/name.h"
#include "pki/ossl.h"
#include "pki/signed.h"

/* 1950-01-01 and 9999-12-31: what UTCTime and GeneralizedTime can hold. */
#define TIME_MIN INT64_C(-631152000)
#define TIME_MAX INT64_C(253402300799)

static int
check(const struct ae_tbs *t, struct ae_err *e)
{
	const char *why = NULL;
	size_t zeros = 0;

	while (zeros < t->serial.len && t->serial.p[zeros] == 0)
		zeros++;
	if (t->serial.p == NULL || zeros == t->serial.len ||
	    t->serial.len > AE_SERIAL_MAX || (t->serial.p[0] & 0x80) != 0)
		why = "serial number is not 1..20 bytes of a positive number";
	else if (t->not_before > t->not_after || t->not_before < TIME_MIN ||
	    t->not_after > TIME_MAX)
		why = "validity is reversed or out of 1950..9999";
	else if (ae_name_is_empty(t->issuer))
		why = "no issuer";
	else if (ae_name_is_empty(t->subject) && t->x.nsans == 0)
		why = "neither subject nor alternative name";
	else if (t->spki.p == NULL)
		why = "no public key";
	if (why == NULL)
		return AE_OK;
	return ae_fail(
	    e, AE_EINVAL, AE_DOM_NONE, 0, "cannot be a certificate: %s", why);
}

int
ae_tbs_encode(struct ae_wr *w, const struct ae_tbs *t, struct ae_err *e)
{
	size_t start = w->len, tbs, mark;
	int rc;

	rc = check(t, e);
	if (rc != AE_OK)
		return rc;
	tbs = ae_der_open(w, AE_DER_SEQUENCE);
	mark = ae_der_open(w, AE_DER_CTX_CONS(0));
	ae_der_uint(w, 2);
	ae_der_close(w, mark);
	ae_der_bignum(w, t->serial.p, t->serial.len);
	ae_sigalg_put(w, &t->sigalg);
	ae_der_raw(w, t->issuer);
	mark = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_time(w, t->not_before);
	ae_der_time(w, t->not_after);
	ae_der_close(w, mark);
	if (ae_name_is_empty(t->subject))
		ae_der_put(w, AE_DER_SEQUENCE, NULL, 0);
	else
		ae_der_raw(w, t->subject);
	ae_der_raw(w, t->spki);
	mark = ae_der_open(w, AE_DER_CTX_CONS(3));
	rc = ae_exts_encode(w, &t->x, e);
	if (rc == AE_OK && ae_wr_ok(w) && w->len == mark + 2)
		w->len = mark; /* no extension at all */
	else
		ae_der_close(w, mark);
	ae_der_close(w, tbs);
	if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
	if (rc != AE_OK && ae_wr_ok(w))
		w->len = start;
	return rc;
}

int
ae_tbs_assemble(struct ae_wr *w, const void *tbs, size_t len,
    const struct ae_sigalg *alg, const void *sig, size_t siglen,
    struct ae_err *e)
{
	return ae_signed_put(w, tbs, len, alg, sig, siglen, e);
}

int
ae_tbs_sign(struct ae_wr *w, const struct ae_tbs *t,
    const struct ae_key *issuer, struct ae_err *e)
{
	struct ae_wr tbs;
	int rc;

	ae_wr_init(&tbs, AE_PKI_CERT_MAX);
	rc = ae_tbs_encode(&tbs, t, e);
	if (rc == AE_OK)
		rc = ae_signed_make(w, tbs.p, tbs.len, &t->sigalg, issuer, e);
	ae_wr_done(&tbs);
	return rc;
}

int
ae_tbs_root(struct ae_tbs *t, const struct ae_key *k, enum ae_hash hash,
    struct ae_der name, struct ae_der serial, int64_t not_before,
    int64_t not_after, uint8_t keyid[AE_KEY_ID_LEN], struct ae_err *e)
{
	int rc;

	rc = ae_key_id(keyid, k, e);
	if (rc != AE_OK)
		return rc;
	memset(t, 0, sizeof(*t));
	t->serial = serial;
	t->sigalg = ae_key_sigalg(k, hash);
	t->issuer = name;
	t->subject = name;
	t->not_before = not_before;
	t->not_after = not_after;
	t->spki = ae_key_spki(k);
	t->x.has_key_usage = true;
	t->x.key_usage =
	    AE_KU_DIGITAL_SIGNATURE | AE_KU_KEY_CERT_SIGN | AE_KU_CRL_SIGN;
	t->x.has_basic_constraints = true;
	t->x.ca = true;
	t->x.path_len = -1;
	t->x.ski.p = keyid;
	t->x.ski.len = AE_KEY_ID_LEN;
	t->x.has_ca_version = true;
	return AE_OK;
}
