/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * SubjectPublicKeyInfo out of the numbers that a device tells: RFC 3279 2.3.1,
 * RFC 5480 2.  ae_key_from_spki judges the result.
 */
#include "pki/key_int.h"

/* clang-format off */
static const struct {
	unsigned bits;
	const char *oid;
} curves[] = {
	{ 256, "1.2.840.10045.3.1.7" },
	{ 384, "1.3.132.0.34" },
	{ 521, "1.3.132.0.35" },
};
/* clang-format on */

const char *
ae_key_curve_oid(unsigned bits)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (curves[i].bits == bits)
			return curves[i].oid;
	return "1.2.840.10045.3.1.7";
}

void
ae_spki_put_rsa(struct ae_wr *w, struct ae_der n, struct ae_der exponent)
{
	size_t seq, alg, bits, key;

	seq = ae_der_open(w, AE_DER_SEQUENCE);
	alg = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, "1.2.840.113549.1.1.1");
	ae_der_put(w, AE_DER_NULL, NULL, 0);
	ae_der_close(w, alg);
	bits = ae_der_open(w, AE_DER_BITSTRING);
	ae_wr_u8(w, 0);
	key = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_bignum(w, n.p, n.len);
	ae_der_bignum(w, exponent.p, exponent.len);
	ae_der_close(w, key);
	ae_der_close(w, bits);
	ae_der_close(w, seq);
}

void
ae_spki_put_ec(struct ae_wr *w, unsigned curve, struct ae_der point)
{
	size_t seq, alg, bits;

	seq = ae_der_open(w, AE_DER_SEQUENCE);
	alg = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, "1.2.840.10045.2.1");
	(void)ae_der_oid(w, ae_key_curve_oid(curve));
	ae_der_close(w, alg);
	bits = ae_der_open(w, AE_DER_BITSTRING);
	ae_wr_u8(w, 0);
	ae_der_raw(w, point);
	ae_der_close(w, bits);
	ae_der_close(w, seq);
}
