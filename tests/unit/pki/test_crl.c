/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/crl.h.
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
#include "pki/crl.h"
#include "torture.h"

static char url[] = "http://ca1.example.com/ca.crl";
static char delta_url[] = "http://ca1.example.com/ca+.crl";
static char *urls[] = { url }, *deltas[] = { delta_url };
static uint8_t aki[AE_KEY_ID_LEN];
static struct ae_cert *ca;

static struct ae_crl_spec
spec(void)
{
	struct ae_crl_spec s = { 0 };

	if (ca == NULL)
		assert_ok(
		    ae_cert_parse(&ca, fix_root().p, fix_root().len, NULL));
	assert_ok(ae_key_id(aki, fix_ca_key(), NULL));
	s.sigalg = ae_key_sigalg(fix_ca_key(), AE_HASH_SHA256);
	s.issuer = ca->subject;
	s.this_update = FIX_NOW;
	s.next_update = FIX_NOW + 8 * 86400;
	s.number = 258;
	s.aki = (struct ae_der){ aki, sizeof(aki) };
	s.ca_version = 0x10001;
	s.next_publish = FIX_NOW + 7 * 86400;
	s.freshest = (struct ae_strv){ deltas, 1 };
	s.idp = (struct ae_strv){ urls, 1 };
	return s;
}

static const struct {
	uint8_t serial[4];
	size_t len;
	int64_t at;
	enum ae_crl_reason why;
} revoked[] = {
	{ { 0x61, 0, 1 }, 3, FIX_NOW - 5, AE_CRL_KEY_COMPROMISE },
	{ { 0x00, 0x80 }, 2, FIX_NOW - 9, AE_CRL_UNSPECIFIED },
	{ { 0x07 }, 1, INT64_C(2600000000), AE_CRL_HOLD },
};

static int
tbs(struct ae_wr *w, const struct ae_crl_spec *s, size_t n)
{
	struct ae_crl_build b;
	int rc;

	rc = ae_crl_begin(&b, w, s, NULL);
	for (size_t i = 0; i < n && rc == AE_OK; i++)
		rc = ae_crl_add(&b, revoked[i].serial, revoked[i].len,
		    revoked[i].at, revoked[i].why, NULL);
	return rc == AE_OK ? ae_crl_end(&b, NULL) : rc;
}

static void
build(struct ae_wr *w, const struct ae_crl_spec *s, size_t n)
{
	struct ae_wr t, sig;

	ae_wr_init(&t, 65536);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(w, 65536);
	assert_ok(tbs(&t, s, n));
	assert_ok(
	    ae_key_sign(&sig, fix_ca_key(), &s->sigalg, t.p, t.len, NULL));
	assert_ok(
	    ae_crl_assemble(w, t.p, t.len, &s->sigalg, sig.p, sig.len, NULL));
	ae_wr_done(&t);
	ae_wr_done(&sig);
}

static struct ae_crl *
parse(const struct ae_wr *w, bool bare)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_crl *c = NULL;
	int rc = ae_crl_parse(&c, w->p, w->len, 65536, bare, &e);

	if (rc != AE_OK)
		print_error("%s\n", e.text);
	assert_ok(rc);
	return c;
}

static void
reads_as_written(void **state)
{
	struct ae_crl_spec s = spec();
	enum ae_crl_reason why = AE_CRL_REMOVE;
	struct ae_crl *c;
	struct ae_wr w;
	int64_t at = 0;
	bool listed;

	(void)state;
	build(&w, &s, 3);
	c = parse(&w, false);
	assert_true(ae_der_equal(c->issuer, s.issuer));
	assert_true(c->this_update == s.this_update);
	assert_true(c->next_update == s.next_update);
	assert_true(c->has_number && c->number == 258);
	assert_false(c->has_base_number);
	assert_true(c->has_ca_version && c->ca_version == 0x10001);
	assert_true(c->next_publish == s.next_publish);
	assert_true(ae_der_equal(c->aki, s.aki));
	assert_int_equal(c->entries, 3);
	assert_ok(ae_crl_verify(c, fix_ca_key(), NULL));
	assert_rc(ae_crl_verify(c, fix_leaf_key(), NULL), AE_ETRUST);
	assert_ok(ae_crl_find(c, (struct ae_der){ revoked[0].serial, 3 },
	    &listed, &at, &why, NULL));
	assert_true(listed && at == FIX_NOW - 5);
	assert_int_equal(why, AE_CRL_KEY_COMPROMISE);
	assert_ok(ae_crl_find(c, (struct ae_der){ revoked[1].serial + 1, 1 },
	    &listed, &at, &why, NULL));
	assert_true(listed);
	assert_int_equal(why, AE_CRL_UNSPECIFIED);
	assert_ok(ae_crl_find(c, (struct ae_der){ revoked[2].serial, 1 },
	    &listed, &at, &why, NULL));
	assert_true(listed && at == INT64_C(2600000000));
	assert_ok(ae_crl_find(c, (struct ae_der){ revoked[0].serial, 2 },
	    &listed, &at, &why, NULL));
	assert_false(listed);
	ae_crl_free(c);
	ae_wr_done(&w);
}

static void
empty_and_delta(void **state)
{
	struct ae_crl_spec s = spec();
	struct ae_crl *c;
	struct ae_wr w;
	bool listed;

	(void)state;
	s.delta = true;
	s.base_number = 256;
	s.next_publish = 0;
	ae_wr_init(&w, 65536);
	assert_ok(tbs(&w, &s, 0));
	c = parse(&w, true);
	assert_int_equal(c->entries, 0);
	assert_true(c->has_base_number && c->base_number == 256);
	assert_true(c->next_publish == 0);
	assert_ok(ae_crl_find(c, s.aki, &listed, NULL, NULL, NULL));
	assert_false(listed);
	assert_rc(ae_crl_verify(c, fix_ca_key(), NULL), AE_EINVAL);
	ae_crl_free(c);
	ae_wr_done(&w);
}

static void
what_cannot_be_written(void **state)
{
	static char odd[] = "http://a b";
	static char *odds[] = { odd };
	static const uint8_t neg[21] = { 0x80 };
	struct ae_crl_spec good = spec(), s = good;
	struct ae_crl_build b;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 65536);
	s.next_update = s.this_update;
	assert_rc(ae_crl_begin(&b, &w, &s, NULL), AE_EINVAL);
	s = good;
	s.issuer = (struct ae_der){ NULL, 0 };
	assert_rc(ae_crl_begin(&b, &w, &s, NULL), AE_EINVAL);
	s = good;
	s.aki = (struct ae_der){ NULL, 0 };
	assert_rc(ae_crl_begin(&b, &w, &s, NULL), AE_EINVAL);
	assert_ok(ae_crl_begin(&b, &w, &good, NULL));
	assert_rc(ae_crl_add(&b, neg, 1, 0, AE_CRL_HOLD, NULL), AE_EINVAL);
	assert_rc(ae_crl_add(&b, neg + 1, 0, 0, AE_CRL_HOLD, NULL), AE_EINVAL);
	assert_rc(ae_crl_add(&b, neg, 21, 0, AE_CRL_HOLD, NULL), AE_EINVAL);
	assert_rc(
	    ae_crl_add(&b, neg + 1, 1, 0, AE_CRL_REMOVE, NULL), AE_EINVAL);
	s = good;
	s.idp = (struct ae_strv){ odds, 1 };
	ae_wr_reset(&w);
	assert_rc(tbs(&w, &s, 1), AE_EINVAL);
	ae_wr_done(&w);
	ae_wr_init(&w, 300);
	assert_ok(ae_crl_begin(&b, &w, &good, NULL));
	for (int i = 0; i < 100; i++)
		if (ae_crl_add(&b, revoked[0].serial, 3, 0, AE_CRL_HOLD,
			NULL) != AE_OK)
			break;
	assert_rc(ae_crl_add(&b, revoked[0].serial, 3, 0, AE_CRL_HOLD, NULL),
	    AE_ELIMIT);
	ae_wr_done(&w);
}

static void
refused(const char *find, size_t flen, const char *put, int rc)
{
	struct ae_crl_spec s = spec();
	struct ae_crl *c = NULL;
	uint8_t *at;
	struct ae_wr w;

	ae_wr_init(&w, 65536);
	assert_ok(tbs(&w, &s, 3));
	at = memmem(w.p, w.len, find, flen);
	assert_non_null(at);
	memcpy(at, put, flen);
	assert_rc(ae_crl_parse(&c, w.p, w.len, 65536, true, NULL), rc);
	ae_crl_free(c);
	ae_wr_done(&w);
}
#define REFUSED(find, put) refused(find, sizeof(find) - 1, put, AE_EPROTO)

static void
what_is_no_crl(void **state)
{
	struct ae_crl *c = NULL;
	struct ae_wr w;

	(void)state;
	REFUSED("\x02\x01\x01\x30", "\x02\x01\x00\x30"); /* version */
	REFUSED("\xce\x3d\x04\x03\x02", "\xce\x3d\x04\x03\x01");
	REFUSED("Z\x17\x0d", "+\x17\x0d");
	REFUSED("\x55\x1d\x23", "\x55\x1d\x14"); /* number twice */
	/* the critical IDP becomes one nobody knows */
	REFUSED("\x55\x1d\x1c\x01\x01\xff", "\x55\x1d\x7c\x01\x01\xff");
	REFUSED("\x30\x22\x02\x03\x61", "\x31\x22\x02\x03\x61");
	ae_wr_init(&w, 10);
	ae_wr_zeros(&w, 10);
	assert_rc(ae_crl_parse(&c, w.p, 10, 9, false, NULL), AE_ELIMIT);
	assert_rc(ae_crl_parse(&c, w.p, 10, 10, false, NULL), AE_EPROTO);
	assert_rc(ae_crl_parse(&c, w.p, 0, 10, false, NULL), AE_EPROTO);
	assert_null(c);
	ae_wr_done(&w);
}

/* A list that cannot be read to the end clears nobody. */
static void
broken_entries_are_not_passed_over(void **state)
{
	struct ae_crl_spec s = spec();
	enum ae_crl_reason why;
	struct ae_crl *c = NULL;
	struct ae_wr w;
	uint8_t *at;
	int64_t t;
	bool listed;

	(void)state;
	ae_wr_init(&w, 65536);
	assert_ok(tbs(&w, &s, 3));
	at = memmem(w.p, w.len, "\x02\x03\x61", 3);
	assert_non_null(at);
	*at = AE_DER_OCTETS;
	c = parse(&w, true);
	assert_rc(ae_crl_find(c, (struct ae_der){ revoked[2].serial, 1 },
		      &listed, &t, &why, NULL),
	    AE_EPROTO);
	assert_false(listed);
	ae_crl_free(c);
	ae_wr_done(&w);
}

static void
try_crl(const uint8_t *p, size_t len, void *arg)
{
	enum ae_crl_reason why;
	struct ae_crl *c = NULL;
	bool listed;
	int64_t at;

	(void)arg;
	if (ae_crl_parse(&c, p, len, 65536, false, NULL) == AE_OK &&
	    ae_crl_find(c, (struct ae_der){ revoked[2].serial, 1 }, &listed,
		&at, &why, NULL) == AE_OK)
		(void)listed;
	ae_crl_free(c);
}

static void
survives_mutation(void **state)
{
	struct ae_crl_spec s = spec();
	struct ae_wr w;

	(void)state;
	build(&w, &s, 3);
	assert_true(ae_mutate(w.p, w.len, try_crl, NULL) > 3000);
	ae_wr_done(&w);
}

static bool
work(void *arg)
{
	struct ae_crl *c = NULL;
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, 65536);
	ok = tbs(&w, arg, 3) == AE_OK &&
	    ae_crl_parse(&c, w.p, w.len, 65536, true, NULL) == AE_OK;
	ae_crl_free(c);
	ae_wr_done(&w);
	return ok;
}

static void
survives_lack_of_memory(void **state)
{
	struct ae_crl_spec s = spec();

	(void)state;
	assert_true(work(&s));
	assert_true(ae_torture(work, &s, 20000, false) > 10);
	ae_cert_free(ca);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_written),
		cmocka_unit_test(empty_and_delta),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(what_is_no_crl),
		cmocka_unit_test(broken_entries_are_not_passed_over),
		cmocka_unit_test(survives_mutation),
		cmocka_unit_test(survives_lack_of_memory),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
