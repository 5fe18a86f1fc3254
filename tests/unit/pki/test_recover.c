/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A key's way through the archive: sealed by the client for the exchange
 * certificate, opened by the CA, wrapped for its recovery agents, and in the
 * hands of one of them the same key again; and what is in the way.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "pki/archive.h"
#include "pki/envelope.h"
#include "pki/name.h"
#include "pki/recover.h"
#include "pki/tbs.h"

#define NOW INT64_C(1790000000)

static struct ae_key *xchg_key, *kra_key, *user_rsa, *user_ec;
static struct ae_cert *xchg, *kra, *other;
static struct ae_err e;

/* A self-signed certificate: only its key and name matter here. */
static struct ae_cert *
make(const struct ae_key *k, const char *cn, uint8_t no)
{
	const struct ae_name_part part = { "CN", cn };
	uint8_t ski[AE_KEY_ID_LEN], serial[2] = { 0x11, no };
	struct ae_cert *c = NULL;
	struct ae_wr name, der;
	struct ae_tbs tbs;

	ae_wr_init(&name, 256);
	ae_wr_init(&der, 8192);
	assert_int_equal(ae_name_encode(&name, &part, 1, &e), AE_OK);
	assert_int_equal(
	    ae_tbs_root(&tbs, k, AE_HASH_SHA256,
		(struct ae_der){ name.p, name.len },
		(struct ae_der){ serial, 2 }, NOW - 1, NOW + 1000, ski, &e),
	    AE_OK);
	assert_int_equal(ae_tbs_sign(&der, &tbs, k, &e), AE_OK);
	assert_int_equal(ae_cert_parse(&c, der.p, der.len, &e), AE_OK);
	ae_wr_done(&name);
	ae_wr_done(&der);
	return c;
}

static int
begin(void **state)
{
	(void)state;
	if (ae_key_generate(&xchg_key, AE_KEY_RSA, 2048, &e) != AE_OK ||
	    ae_key_generate(&kra_key, AE_KEY_RSA, 2048, &e) != AE_OK ||
	    ae_key_generate(&user_rsa, AE_KEY_RSA, 2048, &e) != AE_OK ||
	    ae_key_generate(&user_ec, AE_KEY_EC, 256, &e) != AE_OK)
		return -1;
	xchg = make(xchg_key, "CA-Xchg", 1);
	kra = make(kra_key, "Agent", 2);
	other = make(kra_key, "CA-Xchg", 1);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	ae_cert_free(xchg);
	ae_cert_free(kra);
	ae_cert_free(other);
	ae_key_free(xchg_key);
	ae_key_free(kra_key);
	ae_key_free(user_rsa);
	ae_key_free(user_ec);
	return 0;
}

static void
through(const struct ae_key *user, const struct ae_key *stranger)
{
	const struct ae_der own = ae_key_spki(user),
			    alien = ae_key_spki(stranger);
	struct ae_secret blob = { 0 }, again = { 0 };
	uint8_t serial[AE_RECIPIENT_MAX];
	struct ae_wr sealed, wrapped;
	size_t serial_len = 0;

	ae_wr_init(&sealed, AE_ARCHIVED_MAX);
	ae_wr_init(&wrapped, AE_ARCHIVED_MAX);
	assert_int_equal(ae_archive_seal(&sealed, user, xchg, &e), AE_OK);
	assert_int_equal(ae_envelope_recipient(
			     serial, &serial_len, sealed.p, sealed.len, &e),
	    AE_OK);
	assert_int_equal(serial_len, xchg->serial.len);
	assert_memory_equal(serial, xchg->serial.p, serial_len);
	assert_int_equal(ae_envelope_recipient(serial, &serial_len, sealed.p,
			     sealed.len - 1, NULL),
	    AE_EPROTO);
	assert_int_equal(
	    ae_archive_open(&blob, sealed.p, sealed.len, xchg_key, xchg, &e),
	    AE_OK);
	assert_int_equal(ae_archive_matches(&blob, own.p, own.len, &e), AE_OK);
	assert_int_equal(
	    ae_archive_matches(&blob, alien.p, alien.len, &e), AE_ETRUST);
	assert_int_equal(ae_archive_wrap(&wrapped, &blob,
			     (const struct ae_cert *const *)&kra, 1, &e),
	    AE_OK);
	assert_int_equal(
	    ae_archive_open(&again, wrapped.p, wrapped.len, kra_key, kra, &e),
	    AE_OK);
	assert_int_equal(again.len, blob.len);
	assert_memory_equal(again.p, blob.p, blob.len);
	/* not with the exchange key any more */
	assert_int_equal(
	    ae_archive_open(&again, wrapped.p, wrapped.len, xchg_key, xchg, &e),
	    AE_ETRUST);
	ae_secret_done(&blob);
	ae_secret_done(&again);
	ae_wr_done(&sealed);
	ae_wr_done(&wrapped);
}

static void
a_key_goes_through(void **state)
{
	(void)state;
	through(user_rsa, user_ec);
	through(user_ec, user_rsa);
}

static void
what_does_not_open(void **state)
{
	struct ae_secret blob = { 0 };
	struct ae_wr sealed;
	uint8_t *bad;
	size_t i, same = 0;

	(void)state;
	ae_wr_init(&sealed, AE_ARCHIVED_MAX);
	assert_int_equal(ae_archive_seal(&sealed, user_ec, xchg, &e), AE_OK);
	/* another key under the same issuer and serial number */
	assert_int_equal(ae_archive_open(&blob, sealed.p, sealed.len, kra_key,
			     other, &e) == AE_OK &&
		ae_archive_matches(&blob, ae_key_spki(user_ec).p,
		    ae_key_spki(user_ec).len, &e) == AE_OK,
	    0);
	assert_int_equal(
	    ae_archive_open(&blob, sealed.p, sealed.len, kra_key, kra, &e),
	    AE_ETRUST);
	assert_int_equal(
	    ae_archive_open(&blob, sealed.p, 0, xchg_key, xchg, &e), AE_EPROTO);
	assert_int_equal(ae_archive_open(&blob, sealed.p, sealed.len - 1,
			     xchg_key, xchg, &e),
	    AE_EPROTO);
	assert_int_equal(ae_archive_open(&blob, xchg->der.p, xchg->der.len,
			     xchg_key, xchg, &e),
	    AE_EPROTO);
	/* a bent message opens as nothing that fits, and never harms */
	bad = malloc(sealed.len);
	assert_non_null(bad);
	for (i = 0; i < sealed.len; i += 7) {
		memcpy(bad, sealed.p, sealed.len);
		bad[i] ^= 0x10;
		if (ae_archive_open(
			&blob, bad, sealed.len, xchg_key, xchg, &e) == AE_OK &&
		    ae_archive_matches(&blob, ae_key_spki(user_ec).p,
			ae_key_spki(user_ec).len, &e) == AE_OK)
			same++;
	}
	/* only where the change says nothing: the version, say */
	assert_true(same < 8);
	free(bad);
	ae_secret_done(&blob);
	ae_wr_done(&sealed);
}

static void
nobody_to_wrap_for(void **state)
{
	struct ae_secret blob = { 0 };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_ARCHIVED_MAX);
	assert_int_equal(ae_secret_set(&blob, "x", 1), 0);
	assert_int_equal(ae_archive_wrap(&w, &blob, NULL, 0, &e), AE_EINVAL);
	assert_int_equal(ae_archive_matches(&blob, "x", 1, &e), AE_ETRUST);
	ae_secret_done(&blob);
	ae_wr_done(&w);
}

/* MS-CSRA 3.1.4.2.9: signed around, and out of it again. */
static void
signed_for_the_agent(void **state)
{
	const struct ae_sigalg alg = ae_key_sigalg(kra_key, AE_HASH_SHA256);
	struct ae_wr sealed, attrs, sig, out, inner;
	uint8_t *bad;
	size_t i;

	(void)state;
	ae_wr_init(&sealed, AE_ARCHIVED_MAX);
	ae_wr_init(&attrs, 1024);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(&out, 2 * AE_ARCHIVED_MAX);
	ae_wr_init(&inner, AE_ARCHIVED_MAX);
	assert_int_equal(ae_archive_seal(&sealed, user_ec, xchg, &e), AE_OK);
	assert_int_equal(
	    ae_archive_attrs(&attrs, sealed.p, sealed.len, AE_HASH_SHA256, &e),
	    AE_OK);
	assert_int_equal(
	    ae_key_sign(&sig, kra_key, &alg, attrs.p, attrs.len, &e), AE_OK);
	assert_int_equal(ae_archive_sign(&out, sealed.p, sealed.len, kra, &alg,
			     (struct ae_der){ attrs.p, attrs.len },
			     (struct ae_der){ sig.p, sig.len }, &e),
	    AE_OK);
	assert_int_equal(ae_archive_unwrap(&inner, out.p, out.len, &e), AE_OK);
	assert_int_equal(inner.len, sealed.len);
	assert_memory_equal(inner.p, sealed.p, sealed.len);
	/* what is no enveloped message is not signed, nor unwrapped */
	assert_int_equal(ae_archive_attrs(&attrs, kra->der.p, kra->der.len,
			     AE_HASH_SHA256, &e),
	    AE_EPROTO);
	assert_int_equal(
	    ae_archive_attrs(&attrs, out.p, out.len, AE_HASH_SHA256, &e),
	    AE_EPROTO);
	ae_wr_reset(&inner);
	assert_int_equal(
	    ae_archive_unwrap(&inner, sealed.p, sealed.len, &e), AE_EPROTO);
	/* a bent one is never believed to be something else */
	bad = malloc(out.len);
	assert_non_null(bad);
	for (i = 0; i < out.len; i++) {
		memcpy(bad, out.p, out.len);
		bad[i] ^= 0x10;
		ae_wr_reset(&inner);
		if (ae_archive_unwrap(&inner, bad, out.len, &e) == AE_OK) {
			assert_int_equal(inner.len, sealed.len);
			assert_memory_equal(inner.p, sealed.p, sealed.len);
		}
	}
	free(bad);
	ae_wr_done(&sealed);
	ae_wr_done(&attrs);
	ae_wr_done(&sig);
	ae_wr_done(&out);
	ae_wr_done(&inner);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_goes_through),
		cmocka_unit_test(what_does_not_open),
		cmocka_unit_test(nobody_to_wrap_for),
		cmocka_unit_test(signed_for_the_agent),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
