/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Framing taken off first tokens: what changes, and all that must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gss/unframe.h"
#include "mutate.h"

/* clang-format off */
#define OID_KRB5 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02
#define OID_MSKRB5 0x06, 0x09, 0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02
#define OID_SPNEGO 0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02
#define AP_REQ 0x6e, 0x02, 0x05, 0x00


static const uint8_t framed[] = { 0x60, 0x11, OID_KRB5, 0x01, 0x00, AP_REQ };

/* As impacket sends it: one mechanism, Microsoft's number of Kerberos. */
static const uint8_t negotiate[] = {
	0x60, 0x30, OID_SPNEGO,
	0xa0, 0x26, 0x30, 0x24,
	0xa0, 0x0b, 0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01,
	0xa2, 0x15, 0x04, 0x13, 0x60, 0x11, OID_KRB5, 0x01, 0x00, AP_REQ };

static const uint8_t negotiate_bare[] = {
	0x60, 0x21, OID_SPNEGO,
	0xa0, 0x17, 0x30, 0x15,
	0xa0, 0x0b, 0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01,
	0xa2, 0x06, 0x04, 0x04, AP_REQ };
/* clang-format on */

static void
check(const uint8_t *in, size_t len, const uint8_t *want, size_t want_len)
{
	struct ae_wr w;

	ae_wr_init(&w, 1 << 20);
	assert_int_equal(ae_gss_unframe(&w, in, len), want != NULL);
	assert_true(ae_wr_ok(&w));
	assert_int_equal(w.len, want_len);
	if (want != NULL)
		assert_memory_equal(w.p, want, want_len);
	ae_wr_done(&w);
}

static void
raw(void **state)
{
	static const uint8_t bare[] = { AP_REQ };

	(void)state;
	check(framed, sizeof(framed), bare, sizeof(bare));
	check(bare, sizeof(bare), NULL, 0);
	check(NULL, 0, NULL, 0);
}

static void
inside_spnego(void **state)
{
	(void)state;
	check(negotiate, sizeof(negotiate), negotiate_bare,
	    sizeof(negotiate_bare));
	/* What is bare already stays as it is. */
	check(negotiate_bare, sizeof(negotiate_bare), NULL, 0);
}

/* Fields behind the token are kept. */
static void
with_mic(void **state)
{
	static const uint8_t mic[] = { 0xa3, 0x03, 0x04, 0x01, 0x77 };
	uint8_t in[sizeof(negotiate) + sizeof(mic)];
	uint8_t want[sizeof(negotiate_bare) + sizeof(mic)];

	(void)state;
	memcpy(in, negotiate, sizeof(negotiate));
	memcpy(in + sizeof(negotiate), mic, sizeof(mic));
	memcpy(want, negotiate_bare, sizeof(negotiate_bare));
	memcpy(want + sizeof(negotiate_bare), mic, sizeof(mic));
	in[1] += sizeof(mic);
	in[11] += sizeof(mic);
	in[13] += sizeof(mic);
	want[1] += sizeof(mic);
	want[11] += sizeof(mic);
	want[13] += sizeof(mic);
	check(in, sizeof(in), want, sizeof(want));
}

static void
unchanged(void **state)
{
	/* clang-format off */
	static const struct { uint8_t p[48]; size_t len; } rows[] = {
		{ { 0x60, 0x11, OID_MSKRB5, 0x01, 0x00, AP_REQ }, 19 },
		{ { 0x60, 0x11, OID_KRB5, 0x02, 0x00, AP_REQ }, 19 },	  /* an AP-REP's TOK_ID */
		{ { 0x60, 0x11, OID_KRB5, 0x01, 0x00, 0x6f, 2, 5, 0 }, 19 }, /* an AP-REP */
		{ { 0x60, 0x0d, OID_KRB5, 0x01, 0x00 }, 15 },
		{ { 0x60, 0x80, OID_KRB5, 0x01, 0x00, AP_REQ }, 19 },	  /* indefinite */
		{ { 0x60, 0x84, 0, 0, 0, 17, OID_KRB5, 1, 0, AP_REQ }, 23 },
		{ { 0x60, 0x11, OID_KRB5, 0x01, 0x00, AP_REQ, 0x00 }, 20 }, /* trailing */
		{ { 0x60, 0x08, OID_SPNEGO }, 10 },
		{ { 0xa1, 0x02, 0x30, 0x00 }, 4 },			  /* a later leg */
		{ "NTLMSSP", 8 },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(rows[i].p, rows[i].len, NULL, 0);
}

/* Every form of length: around 0x80, 0x100 and 0x10000. */
static void
cve_2024_37370_sizes(void **state)
{
	static const size_t lens[] = { 0x60, 0x7d, 0x7f, 0x80, 0xf0, 0xff,
		0x100, 0x101, 0xfff0, 0xffff, 0x10000, 0x10010 };
	struct ae_wr in, out;
	uint8_t *req;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		n = lens[i];
		req = calloc(1, n);
		assert_non_null(req);
		req[0] = 0x6e;
		ae_wr_init(&in, 1 << 20);
		ae_wr_init(&out, 1 << 20);
		ae_wr_u8(&in, 0x60);
		ae_wr_u8(&in, 0x83);
		ae_wr_u8(&in, (uint8_t)((n + 13) >> 16));
		ae_wr_u8(&in, (uint8_t)((n + 13) >> 8));
		ae_wr_u8(&in, (uint8_t)(n + 13));
		ae_wr_bytes(&in, framed + 2, 13);
		ae_wr_bytes(&in, req, n);
		assert_true(ae_gss_unframe(&out, in.p, in.len));
		assert_int_equal(out.len, n);
		assert_memory_equal(out.p, req, n);
		ae_wr_done(&in);
		ae_wr_done(&out);
		free(req);
	}
}

/* An init token with n bytes of AP-REQ, as put_init() would write it. */
static void
round_trip(void **state)
{
	static const size_t lens[] = { 0x10, 0x7d, 0x80, 0xff, 0x100, 0xffff,
		0x10000 };
	struct ae_wr octets, init, out;
	uint8_t zeros[256] = { 0 };
	size_t i, n, left;

	(void)state;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		n = lens[i];
		ae_wr_init(&octets, 1 << 20);
		ae_wr_init(&init, 1 << 20);
		ae_wr_init(&out, 1 << 20);
		ae_wr_bytes(&octets, framed + 2, 13);
		ae_wr_u8(&octets, 0x6e);
		for (left = n - 1; left > 0; left -= left < 256 ? left : 256)
			ae_wr_bytes(&octets, zeros, left < 256 ? left : 256);
			/* Long forms throughout: legal to read, never written.
			 */
#define LONG(tag, len)                                   \
	do {                                             \
		ae_wr_u8(&init, (tag));                  \
		ae_wr_u8(&init, 0x83);                   \
		ae_wr_u8(&init, (uint8_t)((len) >> 16)); \
		ae_wr_u8(&init, (uint8_t)((len) >> 8));  \
		ae_wr_u8(&init, (uint8_t)(len));         \
	} while (0)
		LONG(0x60, 8 + 5 * 5 + octets.len);
		ae_wr_bytes(&init, negotiate + 2, 8);
		LONG(0xa0, 4 * 5 + octets.len);
		LONG(0x30, 3 * 5 + octets.len);
		LONG(0xa2, 2 * 5 + octets.len);
		LONG(0x04, 5 + octets.len);
		LONG(0x60, octets.len);
#undef LONG
		ae_wr_bytes(&init, octets.p, octets.len);
		assert_true(ae_gss_unframe(&out, init.p, init.len));
		assert_true(ae_wr_ok(&out));
		assert_memory_equal(out.p + out.len - n, octets.p + 13, n);
		/* Well-formed, and nothing left to take off. */
		ae_wr_reset(&init);
		assert_false(ae_gss_unframe(&init, out.p, out.len));
		assert_int_equal(out.p[0], 0x60);
		ae_wr_done(&octets);
		ae_wr_done(&init);
		ae_wr_done(&out);
	}
}

static void
one_mutation(const uint8_t *p, size_t len, void *arg)
{
	struct ae_wr w;

	(void)arg;
	ae_wr_init(&w, 1 << 20);
	(void)ae_gss_unframe(&w, p, len);
	assert_true(w.len <= len + 16);
	ae_wr_done(&w);
}

static void
mutations(void **state)
{
	(void)state;
	assert_true(
	    ae_mutate(framed, sizeof(framed), one_mutation, NULL) > 100);
	assert_true(
	    ae_mutate(negotiate, sizeof(negotiate), one_mutation, NULL) > 400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw),
		cmocka_unit_test(inside_spnego),
		cmocka_unit_test(with_mic),
		cmocka_unit_test(unchanged),
		cmocka_unit_test(cve_2024_37370_sizes),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
