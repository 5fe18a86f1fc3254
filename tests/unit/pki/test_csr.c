/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/csr.h.
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
#include "pki/name.h"
#include "pki/ossl.h"
#include "torture.h"

static struct ae_csr *
parse(struct ae_der d)
{
	struct ae_csr *c = NULL;
	struct ae_err e = AE_ERR_INIT;
	int rc = ae_csr_parse(&c, d.p, d.len, &e);

	if (rc != AE_OK)
		print_error("%s\n", e.text);
	assert_ok(rc);
	return c;
}

static void
reads_as_written(void **state)
{
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_csr *c = parse(fix_csr());

	(void)state;
	assert_true(ae_der_equal(c->subject, t.subject));
	assert_true(ae_der_equal(c->spki, ae_key_spki(fix_leaf_key())));
	assert_true(ae_key_same_public(c->key, fix_leaf_key()));
	assert_string_equal(c->os_version, "10.0.20348.2");
	assert_string_equal(
	    c->csp_name, "Microsoft Software Key Storage Provider");
	assert_int_equal(c->client.client_id, 6);
	assert_string_equal(c->client.machine, "pc1.example.com");
	assert_string_equal(c->client.user, "EXAMPLE\\pc1$");
	assert_string_equal(c->client.process, "autoenrolld");
	assert_int_equal(c->npairs, 2);
	assert_string_equal(
	    ae_pairs_get(c->pairs, c->npairs, "certificatetemplate"),
	    "Machine");
	assert_string_equal(
	    ae_pairs_get(c->pairs, c->npairs, "RMD"), "pc1.example.com");
	assert_null(ae_pairs_get(c->pairs, c->npairs, "cdc"));
	assert_true(ae_der_equal(c->renewal_cert, fix_leaf()));
	assert_string_equal(c->x.template_oid, t.x.template_oid);
	assert_true(ae_sid_equal(&c->x.sid, &t.x.sid));
	assert_int_equal(c->x.nsans, 6);
	assert_true(c->has_sigalg);
	assert_int_equal(c->sigalg.hash, AE_HASH_SHA256);
	assert_int_equal(c->null_hash, AE_HASH_NONE);
	assert_ok(ae_csr_verify(c, NULL));
	assert_rc(ae_csr_verify_null(c, NULL), AE_ETRUST);
	ae_csr_free(c);
}

static void
build(struct ae_wr *w, const struct ae_csr_spec *s, const struct ae_key *k)
{
	struct ae_err e = AE_ERR_INIT;
	int rc;

	ae_wr_init(w, AE_PKI_REQUEST_MAX);
	rc = ae_csr_build(w, s, k, &e);
	if (rc != AE_OK)
		print_error("%s\n", e.text);
	assert_ok(rc);
}

static void
the_least_request(void **state)
{
	struct ae_csr_spec s = { .hash = AE_HASH_SHA1 };
	struct ae_csr *c;
	struct ae_wr w;

	(void)state;
	build(&w, &s, fix_rsa_key());
	c = parse((struct ae_der){ w.p, w.len });
	assert_true(ae_name_is_empty(c->subject));
	assert_null(c->os_version);
	assert_null(c->csp_name);
	assert_null(c->client.machine);
	assert_null(c->renewal_cert.p);
	assert_int_equal(c->npairs, 0);
	assert_int_equal(c->x.nraw, 0);
	assert_int_equal(c->x.path_len, -1);
	assert_int_equal(c->sigalg.hash, AE_HASH_SHA1); /* seen, to be judged */
	assert_ok(ae_csr_verify(c, NULL));
	ae_csr_free(c);
	ae_wr_done(&w);
}

static void
what_cannot_be_written(void **state)
{
	struct ae_pair pair = { "x", "\xff" };
	struct ae_csr_spec s = { .hash = AE_HASH_SHA256 }, t = s;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	t.os_version = "ten";
	assert_rc(ae_csr_build(&w, &t, fix_leaf_key(), NULL), AE_EINVAL);
	t = s;
	t.csp_name = "\xff";
	assert_rc(ae_csr_build(&w, &t, fix_leaf_key(), NULL), AE_EINVAL);
	t = s;
	t.client.machine = "pc1";
	assert_rc(ae_csr_build(&w, &t, fix_leaf_key(), NULL), AE_EINVAL);
	t = s;
	t.pairs = &pair;
	t.npairs = 1;
	assert_rc(ae_csr_build(&w, &t, fix_leaf_key(), NULL), AE_EINVAL);
	t.npairs = AE_PAIRS_MAX + 1;
	assert_rc(ae_csr_build(&w, &t, fix_leaf_key(), NULL), AE_EINVAL);
	t = s;
	t.hash = AE_HASH_NONE;
	assert_rc(ae_csr_build(&w, &t, fix_leaf_key(), NULL), AE_EINVAL);
	assert_int_equal(w.len, 0);
	ae_wr_done(&w);
}

static void
request_parse_someone_elses_key(void **state)
{
	struct ae_csr_spec s = { .hash = AE_HASH_SHA256 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_csr *c;
	struct ae_wr w;

	(void)state;
	build(&w, &s, fix_leaf_key());
	w.p[w.len - 1] ^= 1;
	c = parse((struct ae_der){ w.p, w.len });
	assert_rc(ae_csr_verify(c, &e), AE_ETRUST);
	assert_int_equal(e.dom, AE_DOM_HRESULT);
	assert_true(e.code == INT64_C(0x80090006));
	ae_csr_free(c);
	ae_wr_done(&w);
}

/* A request over the attributes given, whatever they are. */
static void
with_attrs(struct ae_wr *w, const char *attrs, size_t len)
{
	struct ae_sigalg alg = ae_key_sigalg(fix_leaf_key(), AE_HASH_SHA256);
	struct ae_wr info, sig;
	size_t m, a;

	ae_wr_init(&info, AE_PKI_REQUEST_MAX);
	ae_wr_init(&sig, AE_SIG_MAX);
	m = ae_der_open(&info, AE_DER_SEQUENCE);
	ae_der_uint(&info, 0);
	ae_der_put(&info, AE_DER_SEQUENCE, NULL, 0);
	ae_der_raw(&info, ae_key_spki(fix_leaf_key()));
	a = ae_der_open(&info, AE_DER_CTX_CONS(0));
	ae_wr_bytes(&info, attrs, len);
	ae_der_close(&info, a);
	ae_der_close(&info, m);
	assert_ok(
	    ae_key_sign(&sig, fix_leaf_key(), &alg, info.p, info.len, NULL));
	assert_ok(
	    ae_tbs_assemble(w, info.p, info.len, &alg, sig.p, sig.len, NULL));
	ae_wr_done(&info);
	ae_wr_done(&sig);
}

static void
attrs_give(const char *attrs, size_t len, int want)
{
	struct ae_csr *c = NULL;
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	with_attrs(&w, attrs, len);
	rc = ae_csr_parse(&c, w.p, w.len, NULL);
	assert_rc(rc, want);
	if (rc == AE_OK)
		assert_ok(ae_csr_verify(c, NULL));
	ae_csr_free(c);
	ae_wr_done(&w);
}
#define ATTRS(s, want) attrs_give(s, sizeof(s) - 1, want)

#define OSV "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x03"
#define NVP "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x01"
#define CSP "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x02"
#define INFO "\x06\x09\x2b\x06\x01\x04\x01\x82\x37\x15\x14"
#define REN "\x06\x09\x2b\x06\x01\x04\x01\x82\x37\x0d\x01"
#define MSX "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"
#define EXT "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
/* extensions: one, 1.2.3 with value NULL */
#define XS "\x30\x0a\x30\x08\x06\x02\x2a\x03\x04\x02\x05\x00"

static void
request_parse_attributes_by_the_rules(void **state)
{
	(void)state;
	ATTRS("", AE_OK);
	ATTRS("\x30\x11" OSV "\x31\x03\x16\x01"
	      "1",
	    AE_OK);
	ATTRS("\x30\x11" OSV "\x31\x03\x1e\x01"
	      "1",
	    AE_EPROTO); /* odd BMP */
	ATTRS("\x30\x11" OSV "\x31\x03\x02\x01"
	      "1",
	    AE_EPROTO); /* number */
	/* MS-WCCE note 23: one value */
	ATTRS("\x30\x14" OSV "\x31\x06\x16\x01"
	      "1\x16\x01"
	      "2",
	    AE_EPROTO);
	ATTRS("\x30\x0e" OSV "\x31\x00", AE_EPROTO);
	/* an attribute twice */
	ATTRS("\x30\x11" OSV "\x31\x03\x16\x01"
	      "1"
	      "\x30\x11" OSV "\x31\x03\x16\x01"
	      "1",
	    AE_EPROTO);
	/* one that nobody knows is passed over, twice is not */
	ATTRS("\x30\x06\x06\x02\x2a\x03\x31\x00", AE_OK);
	ATTRS("\x30\x06\x06\x02\x2a\x03\x31\x00"
	      "\x30\x06\x06\x02\x2a\x03\x31\x00",
	    AE_EPROTO);
	ATTRS("\x30\x18" NVP "\x31\x0a\x30\x08\x1e\x02\x00"
	      "a\x1e\x02\x00"
	      "b",
	    AE_OK);
	ATTRS("\x30\x12" NVP "\x31\x04\x1e\x02\x00"
	      "a",
	    AE_EPROTO);
	ATTRS("\x30\x18" NVP "\x31\x0a\x30\x08\x0c\x02\x00"
	      "a\x1e\x02\x00"
	      "b",
	    AE_EPROTO);
	ATTRS("\x30\x18" NVP "\x31\x0a\x30\x08\x1e\x02\xd8"
	      "a\x1e\x02\x00"
	      "b",
	    AE_EPROTO); /* lone surrogate */
	ATTRS("\x30\x0e" NVP "\x31\x00", AE_OK);
	ATTRS("\x30\x10" CSP "\x31\x02\x30\x00", AE_EPROTO);
	ATTRS("\x30\x18" INFO "\x31\x0b\x30\x09\x02\x01\x06\x0c\x00\x0c\x00"
	      "\x0c\x00",
	    AE_OK);
	ATTRS("\x30\x18" INFO "\x31\x0b\x30\x09\x02\x01\xff\x0c\x00\x0c\x00"
	      "\x0c\x00",
	    AE_EPROTO);
	ATTRS("\x30\x0f" REN "\x31\x02\x30\x00", AE_EPROTO);
}

static void
extension_attributes(void **state)
{
	(void)state;
	ATTRS("\x30\x19" EXT "\x31\x0c" XS, AE_OK);
	ATTRS("\x30\x1a" MSX "\x31\x0c" XS, AE_OK);
	ATTRS("\x30\x19" EXT "\x31\x0c" XS "\x30\x1a" MSX "\x31\x0c" XS,
	    AE_EPROTO);
	ATTRS("\x30\x25" EXT "\x31\x18" XS XS, AE_EPROTO);
	ATTRS("\x30\x23" EXT "\x31\x16\x30\x14"
	      "\x30\x08\x06\x02\x2a\x03\x04\x02\x05\x00"
	      "\x30\x08\x06\x02\x2a\x03\x04\x02\x05\x00",
	    AE_EPROTO);
	/* key usage that is no BIT STRING */
	ATTRS("\x30\x1a" EXT "\x31\x0d\x30\x0b\x30\x09\x06\x03\x55\x1d\x0f"
	      "\x04\x02\x05\x00",
	    AE_EPROTO);
}

/* MS-WCCE 2.2.2.6.5 */
static void
null_signature(void **state)
{
	struct ae_csr *c = parse(fix_csr());
	uint8_t hash[AE_HASH_MAX];
	struct ae_csr *n = NULL;
	size_t m, bits, len;
	struct ae_wr w;

	(void)state;
	len = ae_hash_bytes(hash, AE_HASH_SHA256, c->info.p, c->info.len);
	assert_int_equal(len, 32);
	for (int broken = 0; broken < 2; broken++) {
		hash[0] ^= (uint8_t)broken;
		ae_wr_init(&w, AE_PKI_REQUEST_MAX);
		m = ae_der_open(&w, AE_DER_SEQUENCE);
		ae_der_raw(&w, c->info);
		ae_hash_put(&w, AE_HASH_SHA256);
		bits = ae_der_open(&w, AE_DER_BITSTRING);
		ae_wr_u8(&w, 0);
		ae_wr_bytes(&w, hash, len);
		ae_der_close(&w, bits);
		ae_der_close(&w, m);
		n = parse((struct ae_der){ w.p, w.len });
		assert_false(n->has_sigalg);
		assert_int_equal(n->null_hash, AE_HASH_SHA256);
		assert_rc(ae_csr_verify(n, NULL), AE_ETRUST);
		assert_rc(
		    ae_csr_verify_null(n, NULL), broken ? AE_ETRUST : AE_OK);
		ae_csr_free(n);
		ae_wr_done(&w);
	}
	ae_csr_free(c);
}

static void
request_parse_size_is_bounded(void **state)
{
	uint8_t *p = calloc(1, AE_PKI_REQUEST_MAX + 1);
	struct ae_csr *c = NULL;

	(void)state;
	assert_rc(ae_csr_parse(&c, p, AE_PKI_REQUEST_MAX + 1, NULL), AE_ELIMIT);
	assert_rc(ae_csr_parse(&c, p, AE_PKI_REQUEST_MAX, NULL), AE_EPROTO);
	assert_rc(ae_csr_parse(&c, p, 0, NULL), AE_EPROTO);
	free(p);
}

static void
pairs_as_text(void **state)
{
	static const struct ae_pair ok[] = { { "a", "b" }, { "c", "d=e" } };
	static const struct ae_pair bad[] = { { "a=", "b" }, { "a&", "b" },
		{ "", "b" }, { "a", "b&c" }, { "a", "\xff" } };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 100);
	assert_ok(ae_pairs_put(&w, ok, 2, NULL));
	assert_string_equal(ae_wr_cstr(&w), "a=b&c=d=e");
	for (size_t i = 0; i < 5; i++)
		assert_rc(ae_pairs_put(&w, &bad[i], 1, NULL), AE_EINVAL);
	ae_wr_done(&w);
}

static void
try_csr(const uint8_t *p, size_t len, void *arg)
{
	struct ae_csr *c = NULL;

	(void)arg;
	if (ae_csr_parse(&c, p, len, NULL) == AE_OK)
		ae_csr_free(c);
}

static void
survives_mutation(void **state)
{
	struct ae_der d = fix_csr();

	(void)state;
	assert_true(ae_mutate(d.p, d.len, try_csr, NULL) > 10000);
}

static bool
work(void *arg)
{
	struct ae_csr *c = NULL;
	bool ok;

	(void)arg;
	ok = ae_csr_parse(&c, fix_csr().p, fix_csr().len, NULL) == AE_OK &&
	    ae_csr_verify(c, NULL) == AE_OK;
	ae_csr_free(c);
	return ok;
}

static bool
work_build(void *arg)
{
	static const struct ae_pair pairs[] = { { "b", "b" }, { "a", "a" } };
	struct ae_csr_spec s = { .hash = AE_HASH_SHA256 };
	struct ae_wr w;
	bool ok;

	s.x = *(const struct ae_exts *)arg;
	s.pairs = pairs;
	s.npairs = 2;
	s.renewal_cert = fix_leaf();
	s.csp_name = "x";
	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	ok = ae_csr_build(&w, &s, fix_leaf_key(), NULL) == AE_OK;
	ae_wr_done(&w);
	return ok;
}

static void
survives_lack_of_memory(void **state)
{
	struct ae_tbs t = fix_leaf_tbs();

	(void)state;
	assert_true(work(NULL) && work_build(&t.x));
	assert_true(ae_torture(work, NULL, 20000, false) > 100);
	assert_true(ae_torture(work_build, &t.x, 20000, false) > 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_written),
		cmocka_unit_test(the_least_request),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(request_parse_someone_elses_key),
		cmocka_unit_test(request_parse_attributes_by_the_rules),
		cmocka_unit_test(extension_attributes),
		cmocka_unit_test(null_signature),
		cmocka_unit_test(request_parse_size_is_bounded),
		cmocka_unit_test(pairs_as_text),
		cmocka_unit_test(survives_mutation),
		cmocka_unit_test(survives_lack_of_memory),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
