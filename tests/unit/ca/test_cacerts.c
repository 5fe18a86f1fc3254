/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's certificates and their keys: indexes as MS-WCCE 3.2.1.4.3.2.39
 * counts them, the one that signs at a time, and names by index.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ca/cacerts.h"
#include "pki/name.h"
#include "pki/tbs.h"
#include "torture.h"

#define NOW INT64_C(1790000000)
#define YEAR (INT64_C(365) * 86400)
#define N 5

static struct ae_key *key[3];
static struct ae_cert *cert[N];

/* Of key k, beginning so many years from now, for ten; with this version. */
static struct ae_cert *
make(int k, int begin, uint32_t version, bool has_version)
{
	static const struct ae_name_part parts[] = { { "CN", "Example CA" } };
	static uint8_t serial = 1;
	uint8_t keyid[AE_KEY_ID_LEN];
	struct ae_cert *c = NULL;
	struct ae_wr name, der;
	struct ae_tbs t;

	serial++;
	ae_wr_init(&name, 1024);
	ae_wr_init(&der, 8192);
	assert_int_equal(ae_name_encode(&name, parts, 1, NULL), AE_OK);
	assert_int_equal(ae_tbs_root(&t, key[k], AE_HASH_SHA384,
			     (struct ae_der){ name.p, name.len },
			     (struct ae_der){ &serial, 1 }, NOW + begin * YEAR,
			     NOW + (begin + 10) * YEAR, keyid, NULL),
	    AE_OK);
	t.x.has_ca_version = has_version;
	t.x.ca_version = version;
	assert_int_equal(ae_tbs_sign(&der, &t, key[k], NULL), AE_OK);
	assert_int_equal(ae_cert_parse(&c, der.p, der.len, NULL), AE_OK);
	ae_wr_done(&name);
	ae_wr_done(&der);
	return c;
}

/* The pattern of the specification's example, in short. */
static int
begin(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(
		    ae_key_generate(&key[i], AE_KEY_EC, 256, NULL), AE_OK);
	cert[0] = make(0, -1, 0, true);
	cert[1] = make(1, 1, 0x10001, true);
	cert[2] = make(1, 3, 0x10002, true);
	cert[3] = make(2, 5, 0x30003, true);
	cert[4] = make(2, 7, 0, false); /* one that does not say */
	return 0;
}

static int
end(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		ae_key_free(key[i]);
	for (i = 0; i < N; i++)
		ae_cert_free(cert[i]);
	return 0;
}

static void
indexes(void **state)
{
	static const uint32_t versions[] = { 0, 0x10001, 0x10002, 0x30003,
		0x30004 };
	static const uint16_t keys[] = { 0, 1, 3 }, newest[] = { 0, 2, 4 };
	struct ae_ca_certs l;
	size_t i;

	(void)state;
	assert_int_equal(ae_ca_certs_init(&l, cert, N, NULL), AE_OK);
	assert_int_equal(l.n, N);
	assert_int_equal(l.nkeys, 3);
	for (i = 0; i < N; i++) {
		assert_int_equal(ae_ca_cert_version(&l, &l.v[i]), versions[i]);
		assert_ptr_equal(ae_ca_certs_get(&l, versions[i]), &l.v[i]);
		assert_true(ae_der_equal(l.v[i].keyid, cert[i]->x.ski));
	}
	assert_null(ae_ca_certs_get(&l, N));
	for (i = 0; i < 3; i++) {
		assert_int_equal(l.keys[i].index, keys[i]);
		assert_int_equal(l.keys[i].newest, newest[i]);
		assert_int_equal(l.keys[i].end, cert[newest[i]]->not_after);
		assert_int_equal(l.keys[i].alg.hash, AE_HASH_SHA384);
		assert_true(ae_key_same_public(l.keys[i].pub, key[i]));
		assert_int_equal(ae_ca_certs_key(&l, keys[i]), (int)i);
	}
	assert_int_equal(ae_ca_certs_key(&l, 2), -1);
	ae_ca_certs_done(&l);
}

static void
f27_the_one_for_the_time(void **state)
{
	static const struct {
		int year;
		unsigned index;
	} rows[] = { { -2, 4 }, { 0, 0 }, { 2, 1 }, { 4, 2 }, { 6, 3 },
		{ 8, 4 }, { 16, 4 }, { 40, 4 } };
	struct ae_ca_certs l;
	size_t i;

	(void)state;
	assert_int_equal(ae_ca_certs_init(&l, cert, N, NULL), AE_OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    ae_ca_certs_at(&l, NOW + rows[i].year * YEAR)->index,
		    rows[i].index);
	/* the first key's CRL is needed for as long as its certificate */
	assert_true(ae_ca_key_lives(&l.keys[0], NOW + 9 * YEAR));
	assert_false(ae_ca_key_lives(&l.keys[0], NOW + 9 * YEAR + 1));
	/* and the second's as long as the newer of two */
	assert_true(ae_ca_key_lives(&l.keys[1], NOW + 13 * YEAR));
	assert_false(ae_ca_key_lives(&l.keys[1], NOW + 13 * YEAR + 1));
	ae_ca_certs_done(&l);
}

static void
disorder_is_refused(void **state)
{
	struct ae_cert *twice[] = { cert[0], cert[1], cert[0] };
	struct ae_cert *swapped[] = { cert[1], cert[0] };
	struct ae_cert *gap[] = { cert[0], cert[2] };
	struct ae_cert *many[AE_CA_SIGNING_MAX + 1];
	struct ae_err e = AE_ERR_INIT;
	struct ae_ca_certs l;
	size_t i;

	(void)state;
	for (i = 0; i < AE_CA_SIGNING_MAX + 1; i++)
		many[i] = cert[0];
	assert_int_equal(ae_ca_certs_init(&l, twice, 3, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "twice"));
	assert_int_equal(ae_ca_certs_init(&l, swapped, 2, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "in the place of"));
	assert_int_equal(ae_ca_certs_init(&l, gap, 2, &e), AE_EINVAL);
	assert_int_equal(ae_ca_certs_init(&l, NULL, 0, &e), AE_EINVAL);
	assert_int_equal(
	    ae_ca_certs_init(&l, many, AE_CA_SIGNING_MAX + 1, &e), AE_EINVAL);
}

static void
names_by_index(void **state)
{
	/* clang-format off */
	static const struct {
		unsigned index;
		bool crl;
		const char *url, *is;
	} rows[] = {
		{ 0, true, "http://p/ca.crl", "http://p/ca.crl" },
		{ 2, true, "http://p/ca.crl", "http://p/ca(1).crl" },
		{ 4, true, "http://p/ca%8.crl", "http://p/ca(3).crl" },
		{ 4, true, "http://p/%88%8/a.crl", "http://p/%88(3)/a.crl" },
		{ 4, true, "http://p/.crl/ca", "http://p/.crl/ca" },
		{ 4, true, "http://p/ca%4.crl", "http://p/ca(4)(3).crl" },
		{ 4, false, "http://p/ca%4.crt", "http://p/ca(4).crt" },
		{ 0, false, "http://p/ca%4%8.crt", "http://p/ca.crt" },
		{ 1, false, "http://p/a%20b%4F.crl", "http://p/a%20b%4F.crl" },
		{ 1, false, "http://p/%8", "http://p/(1)" },
	};
	/* clang-format on */
	struct ae_ca_certs l;
	size_t i;

	(void)state;
	assert_int_equal(ae_ca_certs_init(&l, cert, N, NULL), AE_OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ae_strv out = { 0 };

		assert_true(ae_ca_url(
		    &out, &l, &l.v[rows[i].index], rows[i].url, rows[i].crl));
		assert_int_equal(out.n, 1);
		assert_string_equal(out.v[0], rows[i].is);
		ae_strv_done(&out);
	}
	ae_ca_certs_done(&l);
}

static bool
tortured(void *arg)
{
	struct ae_strv out = { 0 };
	struct ae_ca_certs l;
	bool ok;

	(void)arg;
	if (ae_ca_certs_init(&l, cert, N, NULL) != AE_OK)
		return false;
	ok = ae_ca_url(&out, &l, &l.v[2], "http://p/ca.crl", true);
	ae_strv_done(&out);
	ae_ca_certs_done(&l);
	return ok;
}

static void
every_allocation_may_fail(void **state)
{
	(void)state;
	/* OpenSSL does without some of its own */
	(void)ae_torture(tortured, NULL, 2000, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(indexes),
		cmocka_unit_test(f27_the_one_for_the_time),
		cmocka_unit_test(disorder_is_refused),
		cmocka_unit_test(names_by_index),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
