/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/crl_parts.h, of the writer in parts, and of signatures over
 * what comes in parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "mutate.h"
#include "pki/crl_parts.h"
#include "pki/signed.h"

#define N 300 /* entries: lengths of three bytes */
#define MAX 1000000u

static uint8_t aki[AE_KEY_ID_LEN];
static struct ae_cert *ca;
static struct ae_crl_spec s;
static struct ae_wr head, list, tail, whole;
static size_t total;

static void
entry(unsigned i, uint8_t serial[17], int64_t *at, enum ae_crl_reason *why)
{
	memset(serial, 0, 17);
	serial[0] = (uint8_t)(i % 7);
	serial[9] = 1;
	serial[3] = (uint8_t)i;
	serial[16] = (uint8_t)(i >> 8);
	*at = i == 5 ? INT64_C(2600000000) : FIX_NOW - i;
	*why = i % 3 == 0 ? AE_CRL_UNSPECIFIED : AE_CRL_SUPERSEDED;
}

static int
setup(void **state)
{
	struct ae_crl_build b;
	enum ae_crl_reason why;
	uint8_t serial[17];
	size_t size = 0;
	int64_t at;

	(void)state;
	fix_init();
	assert_ok(ae_cert_parse(&ca, fix_root().p, fix_root().len, NULL));
	assert_ok(ae_key_id(aki, fix_ca_key(), NULL));
	s = (struct ae_crl_spec){ .sigalg = ae_key_sigalg(
				      fix_ca_key(), AE_HASH_SHA256),
		.issuer = ca->subject,
		.this_update = FIX_NOW,
		.next_update = FIX_NOW + 86400,
		.number = 9,
		.aki = { aki, sizeof(aki) } };
	ae_wr_init(&head, MAX);
	ae_wr_init(&list, MAX);
	ae_wr_init(&tail, MAX);
	ae_wr_init(&whole, MAX);
	assert_ok(ae_crl_begin(&b, &whole, &s, NULL));
	for (unsigned i = 0; i < N; i++) {
		entry(i, serial, &at, &why);
		size += ae_crl_entry_size(serial, 17, at, why);
		assert_ok(ae_crl_entry(&list, &s, serial, 17, at, why, NULL));
		assert_ok(ae_crl_add(&b, serial, 17, at, why, NULL));
	}
	assert_ok(ae_crl_end(&b, NULL));
	assert_int_equal(size, list.len);
	assert_ok(ae_crl_head(&head, &total, &s, size, NULL));
	assert_ok(ae_crl_tail(&tail, &s, NULL));
	return 0;
}

/* The parts are what is written in one go, byte for byte. */
static void
parts_are_the_whole(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, MAX);
	ae_wr_bytes(&w, head.p, head.len);
	ae_wr_bytes(&w, list.p, list.len);
	ae_wr_bytes(&w, tail.p, tail.len);
	assert_int_equal(w.len, whole.len);
	assert_int_equal(w.len, total);
	assert_memory_equal(w.p, whole.p, w.len);
	/* and so with the signature around it */
	ae_wr_reset(&w);
	ae_signed_head(&w, whole.len, &s.sigalg, 71);
	ae_wr_bytes(&w, whole.p, whole.len);
	ae_signed_tail(&w, &s.sigalg, whole.p, 71);
	ae_wr_reset(&head);
	assert_ok(ae_crl_assemble(
	    &head, whole.p, whole.len, &s.sigalg, whole.p, 71, NULL));
	assert_int_equal(w.len, head.len);
	assert_memory_equal(w.p, head.p, w.len);
	ae_wr_done(&w);
	ae_wr_reset(&head);
	assert_ok(ae_crl_head(&head, &total, &s, list.len, NULL));
}

/* The whole list up to a cut, the rest, then the end. */
static int
feed(size_t cut, struct ae_crl **out)
{
	struct ae_crl_parts p = { 0 };
	int rc = ae_crl_parts_head(&p, head.p, head.len, MAX, NULL);

	if (rc == AE_OK && cut > 0)
		rc = ae_crl_parts_list(&p, list.p, cut, NULL);
	if (rc == AE_OK && cut < list.len)
		rc = ae_crl_parts_list(&p, list.p + cut, list.len - cut, NULL);
	if (rc == AE_OK)
		rc = ae_crl_parts_tail(&p, tail.p, tail.len, out, NULL);
	ae_crl_parts_done(&p);
	return rc;
}

static void
any_whole_entries_will_do(void **state)
{
	struct ae_crl *c = NULL;
	size_t good = 0;

	(void)state;
	for (size_t cut = 0; cut <= list.len; cut++) {
		if (feed(cut, &c) != AE_OK)
			continue;
		good++;
		assert_int_equal(c->entries, N);
		assert_int_equal(c->number, 9);
		assert_int_equal(c->next_update, FIX_NOW + 86400);
		ae_crl_free(c);
		c = NULL;
	}
	assert_int_equal(good, N + 1); /* between two of them, or at an end */
}

static void
an_order_of_its_own_is_refused(void **state)
{
	struct ae_crl_parts p = { 0 };
	struct ae_crl *c = NULL;
	size_t at;

	(void)state;
	assert_rc(ae_crl_parts_list(&p, list.p, list.len, NULL), AE_EPROTO);
	assert_rc(ae_crl_parts_tail(&p, tail.p, tail.len, &c, NULL), AE_EPROTO);
	assert_rc(
	    ae_crl_parts_head(&p, head.p, head.len, 1000, NULL), AE_EPROTO);
	assert_ok(ae_crl_parts_head(&p, head.p, head.len, MAX, NULL));
	/* the end before the last entry */
	assert_rc(ae_crl_parts_tail(&p, tail.p, tail.len, &c, NULL), AE_EPROTO);
	assert_ok(ae_crl_parts_head(&p, head.p, head.len, MAX, NULL));
	assert_ok(ae_crl_parts_list(&p, list.p, list.len, NULL));
	/* one entry too many, and nothing */
	assert_rc(ae_crl_parts_list(&p, list.p, 40, NULL), AE_EPROTO);
	assert_rc(ae_crl_parts_list(&p, list.p, 0, NULL), AE_EPROTO);
	assert_rc(
	    ae_crl_parts_tail(&p, tail.p, tail.len - 1, &c, NULL), AE_EPROTO);
	assert_ok(ae_crl_parts_tail(&p, tail.p, tail.len, &c, NULL));
	ae_crl_free(c);
	c = NULL;
	/* once */
	assert_rc(ae_crl_parts_tail(&p, tail.p, tail.len, &c, NULL), AE_EPROTO);
	/* a list where the extensions are: nobody would look at it */
	at = head.len - ae_der_head_size(list.len);
	assert_ok(ae_crl_parts_head(&p, whole.p, at, MAX, NULL));
	assert_rc(ae_crl_parts_tail(&p, whole.p + at, whole.len - at, &c, NULL),
	    AE_EPROTO);
	ae_crl_parts_done(&p);
}

static void
one_entry(const uint8_t *p, size_t len, void *arg)
{
	struct ae_crl_parts parts = { 0 };

	(void)arg;
	assert_ok(ae_crl_parts_head(&parts, head.p, head.len, MAX, NULL));
	if (ae_crl_parts_list(&parts, p, len, NULL) == AE_OK)
		assert_true(parts.entries > 0);
	ae_crl_parts_done(&parts);
}

static void
one_head(const uint8_t *p, size_t len, void *arg)
{
	struct ae_crl_parts parts = { 0 };

	(void)arg;
	if (ae_crl_parts_head(&parts, p, len, MAX, NULL) == AE_OK)
		assert_true(parts.left <= MAX);
	ae_crl_parts_done(&parts);
}

static void
survives_mutation(void **state)
{
	(void)state;
	assert_true(ae_mutate(list.p, 120, one_entry, NULL) > 1000);
	assert_true(ae_mutate(head.p, head.len, one_head, NULL) > 1000);
}

/* Entries of a form that nobody here writes. */
static void
one_form_of_entry(void **state)
{
	static const char *const wrong[] = {
		/* serial negative, empty, not minimal, 21 bytes */
		"\x30\x12\x02\x01\x81\x17\x0d"
		"261101000000Z",
		"\x30\x11\x02\x00\x17\x0d"
		"261101000000Z",
		/* a month without digits, UTCTime without Z, wrong reason */
		"\x30\x12\x02\x01\x07\x17\x0d"
		"26a101000000Z",
		"\x30\x12\x02\x01\x07\x17\x0d"
		"261101000000+",
		"\x30\x20\x02\x01\x07\x17\x0d"
		"261101000000Z"
		"\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x07",
		"\x30\x20\x02\x01\x07\x17\x0d"
		"261101000000Z"
		"\x30\x0c\x30\x0a\x06\x03\x55\x1d\x18\x04\x03\x0a\x01\x01",
		/* GeneralizedTime before 2050 */
		"\x30\x14\x02\x01\x07\x18\x0f"
		"20261101000000Z",
		/* a length in a longer form */
		"\x30\x81\x12\x02\x01\x07\x17\x0d"
		"261101000000Z",
	};
	static const uint8_t right[] = "\x30\x12\x02\x01\x07\x17\x0d"
				       "261101000000Z";
	struct ae_crl_parts p = { 0 };
	size_t i;

	(void)state;
	assert_ok(ae_crl_parts_head(&p, head.p, head.len, MAX, NULL));
	assert_ok(ae_crl_parts_list(&p, right, sizeof(right) - 1, NULL));
	assert_string_equal(p.newest, "20261101000000");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const uint8_t *w = (const uint8_t *)wrong[i];
		size_t len = w[1] == 0x81 ? w[2] + 3u : w[1] + 2u;

		assert_rc(ae_crl_parts_list(&p, w, len, NULL), AE_EPROTO);
	}
	ae_crl_parts_done(&p);
}

static void
sign_in_parts(struct ae_key *k, bool pss)
{
	struct ae_sigalg alg = ae_key_sigalg(k, AE_HASH_SHA256);
	struct ae_key_stream *st = NULL;
	struct ae_wr sig;

	alg.pss = pss;
	ae_wr_init(&sig, AE_SIG_MAX);
	assert_ok(ae_key_stream_new(&st, k, &alg, NULL));
	assert_ok(ae_key_stream_add(st, whole.p, 10, NULL));
	assert_ok(ae_key_stream_add(st, whole.p + 10, whole.len - 10, NULL));
	assert_ok(ae_key_stream_sign(st, &sig, NULL));
	ae_key_stream_free(st);
	/* a signature like any other, and the other way round */
	assert_ok(
	    ae_key_verify(k, &alg, whole.p, whole.len, sig.p, sig.len, NULL));
	ae_wr_reset(&sig);
	assert_ok(ae_key_sign(&sig, k, &alg, whole.p, whole.len, NULL));
	assert_ok(ae_key_stream_new(&st, k, &alg, NULL));
	assert_ok(ae_key_stream_add(st, whole.p, whole.len, NULL));
	assert_ok(ae_key_stream_verify(st, sig.p, sig.len, NULL));
	ae_key_stream_free(st);
	assert_ok(ae_key_stream_new(&st, k, &alg, NULL));
	assert_ok(ae_key_stream_add(st, whole.p, whole.len - 1, NULL));
	assert_rc(ae_key_stream_verify(st, sig.p, sig.len, NULL), AE_ETRUST);
	ae_key_stream_free(st);
	ae_wr_done(&sig);
}

static void
signatures_in_parts(void **state)
{
	struct ae_sigalg alg = ae_key_sigalg(fix_rsa_key(), AE_HASH_SHA256);
	struct ae_key_stream *st = NULL;
	struct ae_key *pub = NULL;
	struct ae_der spki = ae_key_spki(fix_ca_key());
	struct ae_wr sig;

	(void)state;
	sign_in_parts(fix_ca_key(), false);
	sign_in_parts(fix_rsa_key(), false);
	sign_in_parts(fix_rsa_key(), true);
	assert_rc(ae_key_stream_new(&st, fix_ca_key(), &alg, NULL), AE_EINVAL);
	assert_ok(ae_key_from_spki(&pub, spki.p, spki.len, NULL));
	alg = ae_key_sigalg(pub, AE_HASH_SHA256);
	ae_wr_init(&sig, AE_SIG_MAX);
	assert_ok(ae_key_stream_new(&st, pub, &alg, NULL));
	assert_rc(ae_key_stream_sign(st, &sig, NULL), AE_EINVAL);
	ae_key_stream_free(st);
	ae_key_free(pub);
}

static int
teardown(void **state)
{
	(void)state;
	ae_cert_free(ca);
	ae_wr_done(&head);
	ae_wr_done(&list);
	ae_wr_done(&tail);
	ae_wr_done(&whole);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_the_whole),
		cmocka_unit_test(any_whole_entries_will_do),
		cmocka_unit_test(an_order_of_its_own_is_refused),
		cmocka_unit_test(survives_mutation),
		cmocka_unit_test(one_form_of_entry),
		cmocka_unit_test(signatures_in_parts),
	};

	return fix_done(cmocka_run_group_tests(tests, setup, teardown));
}
