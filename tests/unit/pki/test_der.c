/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/der.h: the strictness gate and the writer.
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
#include "torture.h"

static int
check(const char *p, size_t len)
{
	return ae_der_check(p, len, NULL);
}
#define CHECK(s) check(s, sizeof(s) - 1)

static void
strict_forms_pass(void **state)
{
	(void)state;
	assert_ok(CHECK("\x30\x00"));
	assert_ok(CHECK("\x30\x03\x02\x01\x00"));
	assert_ok(CHECK("\x02\x02\x00\x80"));
	assert_ok(CHECK("\x02\x02\xff\x7f"));
	assert_ok(CHECK("\x01\x01\xff"));
	assert_ok(CHECK("\x03\x02\x05\xa0"));
	assert_ok(CHECK("\xa0\x03\x06\x01\x2a"));
	assert_ok(CHECK("\x31\x06\x02\x01\x02\x02\x01\x01")); /* unsorted */
}

static void
request_parse_strict_der(void **state)
{
	(void)state;
	assert_rc(CHECK(""), AE_EPROTO);
	assert_rc(CHECK("\x30"), AE_EPROTO);
	assert_rc(CHECK("\x30\x80\x00\x00"), AE_EPROTO); /* indefinite */
	assert_rc(CHECK("\x30\x81\x00"), AE_EPROTO); /* longer than needed */
	assert_rc(CHECK("\x04\x81\x7f"), AE_EPROTO);
	assert_rc(CHECK("\x04\x82\x00\x80"), AE_EPROTO);
	assert_rc(CHECK("\x04\x85\x01\x00\x00\x00\x00"), AE_EPROTO);
	assert_rc(CHECK("\x04\x84\xff\xff\xff\xff"), AE_EPROTO);
	assert_rc(CHECK("\x30\x00\x00"), AE_EPROTO); /* trailing */
	assert_rc(CHECK("\x30\x01\x02"), AE_EPROTO);
	assert_rc(CHECK("\x02\x00"), AE_EPROTO);
	assert_rc(CHECK("\x02\x02\x00\x7f"), AE_EPROTO);
	assert_rc(CHECK("\x02\x02\xff\x80"), AE_EPROTO);
	assert_rc(CHECK("\x01\x01\x01"), AE_EPROTO);
	assert_rc(CHECK("\x01\x02\xff\xff"), AE_EPROTO);
	assert_rc(CHECK("\x05\x01\x00"), AE_EPROTO);
	assert_rc(CHECK("\x03\x00"), AE_EPROTO);
	assert_rc(CHECK("\x03\x01\x01"), AE_EPROTO);
	assert_rc(CHECK("\x03\x02\x08\x00"), AE_EPROTO);
	assert_rc(CHECK("\x03\x02\x05\xa1"), AE_EPROTO); /* bits set */
	assert_rc(CHECK("\x06\x00"), AE_EPROTO);
	assert_rc(CHECK("\x06\x02\x80\x01"), AE_EPROTO);
	assert_rc(CHECK("\x06\x01\x81"), AE_EPROTO);
	assert_rc(CHECK("\x24\x02\x04\x00"), AE_EPROTO); /* in pieces */
	assert_rc(CHECK("\x10\x00"), AE_EPROTO);
	assert_rc(CHECK("\x1f\x81\x01\x00"), AE_EPROTO); /* high tag */
	assert_rc(CHECK("\x00\x00"), AE_EPROTO);
}

static void
request_parse_depth_is_bounded(void **state)
{
	uint8_t b[2 * 40];
	size_t n = sizeof(b);

	(void)state;
	for (size_t i = 0; i < n; i += 2) {
		b[i] = AE_DER_SEQUENCE;
		b[i + 1] = (uint8_t)(n - i - 2);
	}
	assert_ok(ae_der_check(b + n - 64, 64, NULL));
	assert_rc(ae_der_check(b, n, NULL), AE_EPROTO);
	assert_rc(ae_der_check(b + n - 66, 66, NULL), AE_EPROTO);
}

static void
lengths_grow_as_needed(void **state)
{
	static const size_t sizes[] = { 0, 1, 127, 128, 255, 256, 65535,
		65536 };
	struct ae_wr w;
	size_t mark;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ae_wr_init(&w, 200000);
		mark = ae_der_open(&w, AE_DER_SEQUENCE);
		ae_der_put(&w, AE_DER_OCTETS, NULL, 0);
		w.len = mark + 2;
		ae_wr_zeros(&w, 0);
		for (size_t j = 0; j < sizes[i] / 2; j++)
			ae_wr_bytes(&w, "\x04\x00", 2);
		ae_der_close(&w, mark);
		assert_true(ae_wr_ok(&w));
		assert_ok(ae_der_check(w.p, w.len, NULL));
		ae_wr_done(&w);
	}
}

static void
wrote(struct ae_wr *w, const char *want, size_t len)
{
	assert_true(ae_wr_ok(w));
	assert_int_equal(w->len, len);
	assert_memory_equal(w->p, want, len);
	ae_wr_reset(w);
}
#define WROTE(w, s) wrote(w, s, sizeof(s) - 1)

static void
scalars_are_exact(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1000);
	ae_der_uint(&w, 0);
	WROTE(&w, "\x02\x01\x00");
	ae_der_uint(&w, 127);
	WROTE(&w, "\x02\x01\x7f");
	ae_der_uint(&w, 128);
	WROTE(&w, "\x02\x02\x00\x80");
	ae_der_uint(&w, UINT64_MAX);
	WROTE(&w, "\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff");
	ae_der_bignum(&w, "\x00\x00", 2);
	WROTE(&w, "\x02\x01\x00");
	ae_der_bool(&w, true);
	WROTE(&w, "\x01\x01\xff");
	ae_der_time(&w, 0);
	WROTE(&w,
	    "\x17\x0d"
	    "700101000000Z");
	ae_der_time(&w, INT64_C(2524607999)); /* end of 2049 */
	WROTE(&w,
	    "\x17\x0d"
	    "491231235959Z");
	ae_der_time(&w, INT64_C(2524608000));
	WROTE(&w,
	    "\x18\x0f"
	    "20500101000000Z");
	ae_der_time(&w, INT64_C(-631152000));
	WROTE(&w,
	    "\x17\x0d"
	    "500101000000Z");
	ae_der_time(&w, INT64_C(-631152001));
	WROTE(&w,
	    "\x18\x0f"
	    "19491231235959Z");
	assert_true(ae_der_bmp(&w, "A\xc3\xbc"));
	WROTE(&w, "\x1e\x04\x00\x41\x00\xfc");
	assert_true(ae_der_bmp(&w, ""));
	WROTE(&w, "\x1e\x00");
	assert_false(ae_der_bmp(&w, "\xff"));
	assert_int_equal(w.len, 0);
	ae_wr_done(&w);
}

static void
oids(void **state)
{
	static const char *const wrong[] = { "", "1", "1.", ".1", "1..2", "3.1",
		"1.40", "1.2.", "1.2.x", "1.02", "1.2.3 ", "-1.2",
		"1.2.18446744073709551616", "2.999999999999999999999" };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1000);
	assert_true(ae_der_oid(&w, "1.2.840.113549"));
	WROTE(&w, "\x06\x06\x2a\x86\x48\x86\xf7\x0d");
	assert_true(ae_der_oid(&w, "2.999"));
	WROTE(&w, "\x06\x02\x88\x37");
	assert_true(ae_der_oid(&w, "0.0"));
	WROTE(&w, "\x06\x01\x00");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(ae_der_oid(&w, wrong[i]));
		assert_int_equal(w.len, 0);
	}
	ae_wr_done(&w);
}

static void
writer_over_its_maximum(void **state)
{
	struct ae_wr w;
	size_t m;

	(void)state;
	for (size_t max = 0; max < 200; max++) {
		ae_wr_init(&w, max);
		m = ae_der_open(&w, AE_DER_SEQUENCE);
		ae_der_put(&w, AE_DER_OCTETS, "0123456789", 10);
		for (int i = 0; i < 20; i++)
			(void)ae_der_bmp(&w, "abc");
		ae_der_close(&w, m);
		assert_int_equal(ae_wr_ok(&w), max >= 12 + 160 + 3);
		ae_wr_done(&w);
	}
}

static void
run_check(const uint8_t *p, size_t len, void *arg)
{
	(void)arg;
	if (ae_der_check(p, len, NULL) == AE_OK)
		(void)arg;
}

static void
survives_mutation(void **state)
{
	struct ae_der d = fix_csr();

	(void)state;
	assert_ok(ae_der_check(d.p, d.len, NULL));
	assert_true(ae_mutate(d.p, d.len, run_check, NULL) > 10000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict_forms_pass),
		cmocka_unit_test(request_parse_strict_der),
		cmocka_unit_test(request_parse_depth_is_bounded),
		cmocka_unit_test(lengths_grow_as_needed),
		cmocka_unit_test(scalars_are_exact),
		cmocka_unit_test(oids),
		cmocka_unit_test(writer_over_its_maximum),
		cmocka_unit_test(survives_mutation),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
