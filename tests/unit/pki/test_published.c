/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/published.h: what an address gives is the issuer's, or it is
 * worth nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "pki/published.h"
#include "pki/response.h"

#define DAY 86400

static struct ae_cert *root, *leaf;

static int
start(void **state)
{
	(void)state;
	assert_ok(ae_cert_parse(&root, fix_root().p, fix_root().len, NULL));
	assert_ok(ae_cert_parse(&leaf, fix_leaf().p, fix_leaf().len, NULL));
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	ae_cert_free(root);
	ae_cert_free(leaf);
	return 0;
}

static void
check_issuer(const void *p, size_t len, int want)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_cert *up = NULL;

	assert_rc(ae_published_issuer(&up, leaf, p, len, &e), want);
	if (want == AE_OK)
		assert_true(ae_der_equal(up->der, root->der));
	else
		assert_null(up);
	ae_cert_free(up);
}

static void
the_issuer_in_every_form(void **state)
{
	struct ae_der both[2];
	struct ae_wr pem, cms;

	(void)state;
	both[0] = leaf->der;
	both[1] = root->der;
	ae_wr_init(&pem, 65536);
	ae_wr_init(&cms, 65536);
	ae_cert_put_pem(&pem, root);
	assert_ok(ae_chain_build(&cms, both, 2, NULL, 0, NULL));
	check_issuer(root->der.p, root->der.len, AE_OK);
	check_issuer(pem.p, pem.len, AE_OK);
	check_issuer(cms.p, cms.len, AE_OK);
	ae_wr_done(&pem);
	ae_wr_done(&cms);
}

static void
no_issuer(void **state)
{
	(void)state;
	check_issuer(leaf->der.p, leaf->der.len, AE_ENOTFOUND);
	check_issuer("<html>not here</html>", 21, AE_EPROTO);
	check_issuer("", 0, AE_EPROTO);
	check_issuer(root->der.p, root->der.len - 1, AE_EPROTO);
}

/* A list of the root's name, with the leaf on it or not. */
static void
make_list(struct ae_wr *out, struct ae_key *key, struct ae_der issuer,
    int64_t until, bool listed)
{
	uint8_t aki[AE_KEY_ID_LEN];
	struct ae_crl_build b;
	struct ae_wr tbs, sig;
	struct ae_crl_spec s = { .sigalg = ae_key_sigalg(key, AE_HASH_SHA256),
		.issuer = issuer,
		.this_update = FIX_NOW - 2 * DAY,
		.next_update = until,
		.number = 7 };

	assert_ok(ae_key_id(aki, key, NULL));
	s.aki = (struct ae_der){ aki, sizeof(aki) };
	ae_wr_init(&tbs, 65536);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(out, 65536);
	assert_ok(ae_crl_begin(&b, &tbs, &s, NULL));
	if (listed)
		assert_ok(ae_crl_add(&b, leaf->serial.p, leaf->serial.len,
		    FIX_NOW - 3 * DAY, AE_CRL_KEY_COMPROMISE, NULL));
	assert_ok(ae_crl_end(&b, NULL));
	assert_ok(ae_key_sign(&sig, key, &s.sigalg, tbs.p, tbs.len, NULL));
	assert_ok(ae_crl_assemble(
	    out, tbs.p, tbs.len, &s.sigalg, sig.p, sig.len, NULL));
	ae_wr_done(&tbs);
	ae_wr_done(&sig);
}

static struct ae_published_list
judged(struct ae_key *key, struct ae_der issuer, const struct ae_cert *up,
    int64_t until, bool listed, int want)
{
	struct ae_published_list l = { 0 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr der;

	make_list(&der, key, issuer, until, listed);
	assert_rc(
	    ae_published_list(&l, leaf, up, FIX_NOW, der.p, der.len, &e), want);
	ae_wr_done(&der);
	return l;
}

static void
lists_of_the_issuer(void **state)
{
	struct ae_published_list l;

	(void)state;
	l = judged(
	    fix_ca_key(), root->subject, root, FIX_NOW + DAY, false, AE_OK);
	assert_true(l.verified && !l.listed && !l.stale);
	assert_int_equal(l.next_update, FIX_NOW + DAY);
	l = judged(
	    fix_ca_key(), root->subject, root, FIX_NOW + DAY, true, AE_OK);
	assert_true(l.verified && l.listed && !l.stale);
	assert_int_equal(l.revoked, FIX_NOW - 3 * DAY);
	assert_int_equal(l.reason, AE_CRL_KEY_COMPROMISE);
	/* What an old one names stays named. */
	l = judged(
	    fix_ca_key(), root->subject, root, FIX_NOW - DAY, true, AE_OK);
	assert_true(l.verified && l.listed && l.stale);
	/* Nobody can say whose it is: nothing about the leaf. */
	l = judged(
	    fix_leaf_key(), root->subject, NULL, FIX_NOW + DAY, true, AE_OK);
	assert_true(!l.verified && !l.listed && !l.stale);
}

static void
lists_of_others(void **state)
{
	struct ae_published_list l = { 0 };

	(void)state;
	(void)judged(fix_leaf_key(), root->subject, root, FIX_NOW + DAY, true,
	    AE_ETRUST);
	(void)judged(fix_ca_key(), leaf->subject, root, FIX_NOW + DAY, true,
	    AE_ENOTFOUND);
	assert_rc(ae_published_list(&l, leaf, root, FIX_NOW, "no", 2, NULL),
	    AE_EPROTO);
	assert_rc(ae_published_list(&l, leaf, root, FIX_NOW, root->der.p,
		      root->der.len, NULL),
	    AE_EPROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_issuer_in_every_form),
		cmocka_unit_test(no_issuer),
		cmocka_unit_test(lists_of_the_issuer),
		cmocka_unit_test(lists_of_others),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, start, stop));
}
