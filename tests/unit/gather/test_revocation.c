/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What revocation lists of the directory are worth: whose they must be, which
 * of several speaks, and what an old one still says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "gather/revocation.h"
#include "pki/crl.h"

#define DAY 86400

static struct ae_cert *root, *leaf;

struct list {
	struct ae_key *key; /* that signs */
	int64_t at, until;
	uint64_t base; /* not 0: a delta list to that base */
	bool lists;    /* the leaf */
	enum ae_crl_reason why;
};

static void
sign(struct ae_wr *out, const struct list *l)
{
	uint8_t aki[AE_KEY_ID_LEN];
	struct ae_crl_build b;
	struct ae_wr tbs, sig;
	struct ae_crl_spec s = { .sigalg =
				     ae_key_sigalg(l->key, AE_HASH_SHA256),
		.issuer = root->subject,
		.this_update = l->at,
		.next_update = l->until,
		.number = 7,
		.ca_version = 0 };

	assert_ok(ae_key_id(aki, l->key, NULL));
	s.aki = (struct ae_der){ aki, sizeof(aki) };
	if (l->base != 0) {
		s.delta = true;
		s.base_number = l->base;
	}
	ae_wr_init(&tbs, 65536);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(out, 65536);
	assert_ok(ae_crl_begin(&b, &tbs, &s, NULL));
	if (l->lists)
		assert_ok(ae_crl_add(&b, leaf->serial.p, leaf->serial.len,
		    l->at - 60, l->why, NULL));
	assert_ok(ae_crl_end(&b, NULL));
	assert_ok(ae_key_sign(&sig, l->key, &s.sigalg, tbs.p, tbs.len, NULL));
	assert_ok(ae_crl_assemble(
	    out, tbs.p, tbs.len, &s.sigalg, sig.p, sig.len, NULL));
	ae_wr_done(&tbs);
	ae_wr_done(&sig);
}

static struct ae_inv_cert
judged(const struct list *v, size_t n)
{
	const struct ae_cert *issuers[] = { root };
	struct ae_revocation *r = ae_revocation_new();
	struct ae_inv_cert out;
	struct ae_wr der;
	size_t i;

	memset(&out, 0xa5, sizeof(out)); /* what it says, it sets */
	assert_non_null(r);
	for (i = 0; i < n; i++) {
		sign(&der, &v[i]);
		assert_ok(ae_revocation_add(r, der.p, der.len, FIX_NOW, NULL));
		ae_wr_done(&der);
	}
	ae_revocation_judge(&out, r, leaf, issuers, 1);
	ae_revocation_free(r);
	return out;
}

static struct list
fresh(void)
{
	return (struct list){ fix_ca_key(), FIX_NOW - DAY, FIX_NOW + DAY, 0,
		false, AE_CRL_UNSPECIFIED };
}

static void
who_is_listed_and_who_is_not(void **state)
{
	struct list l = fresh();
	struct ae_inv_cert c = judged(&l, 1);

	(void)state;
	assert_int_equal(c.revocation, AE_INV_GOOD);
	assert_false(c.crl_stale);
	assert_int_equal(c.crl_this_update, FIX_NOW - DAY);
	assert_int_equal(c.crl_next_update, FIX_NOW + DAY);
	l.lists = true;
	l.why = AE_CRL_KEY_COMPROMISE;
	c = judged(&l, 1);
	assert_int_equal(c.revocation, AE_INV_REVOKED);
	assert_string_equal(c.revoked_why, "key compromise");
	assert_int_equal(c.revoked_at, l.at - 60);
	l.why = AE_CRL_HOLD;
	assert_int_equal(judged(&l, 1).revocation, AE_INV_HOLD);
	l.why = AE_CRL_UNSPECIFIED;
	c = judged(&l, 1);
	assert_int_equal(c.revocation, AE_INV_REVOKED);
	assert_null(c.revoked_why);
	c = judged(NULL, 0);
	assert_int_equal(c.revocation, AE_INV_UNKNOWN);
	assert_int_equal(c.crl_this_update, 0);
}

/* The same issuer's name, another key: it says nothing. */
static void
somebody_elses_list(void **state)
{
	struct list v[2] = { fresh(), fresh() };

	(void)state;
	v[0].key = fix_leaf_key();
	v[0].lists = true;
	assert_int_equal(judged(v, 1).revocation, AE_INV_UNKNOWN);
	v[0].at = FIX_NOW - 60; /* newer than the CA's own, and all the same */
	assert_int_equal(judged(v, 2).revocation, AE_INV_GOOD);
}

/* What an old list names stays named; it clears nobody. */
static void
stale_lists(void **state)
{
	struct list l = fresh();
	struct ae_inv_cert c;

	(void)state;
	l.until = FIX_NOW - 1;
	c = judged(&l, 1);
	assert_int_equal(c.revocation, AE_INV_UNKNOWN);
	assert_true(c.crl_stale);
	l.lists = true;
	l.why = AE_CRL_SUPERSEDED;
	assert_int_equal(judged(&l, 1).revocation, AE_INV_REVOKED);
	l.why = AE_CRL_HOLD; /* it may have been released since */
	assert_int_equal(judged(&l, 1).revocation, AE_INV_UNKNOWN);
	/* From the future, beyond what clocks differ by. */
	l = fresh();
	l.at = FIX_NOW + 601;
	l.until = FIX_NOW + DAY;
	assert_int_equal(judged(&l, 1).revocation, AE_INV_UNKNOWN);
	l.at = FIX_NOW + 599;
	assert_int_equal(judged(&l, 1).revocation, AE_INV_GOOD);
}

static void
the_newest_speaks(void **state)
{
	struct list v[2] = { fresh(), fresh() };

	(void)state;
	v[0].lists = true;
	v[0].why = AE_CRL_HOLD;
	v[1].at += 60; /* released since */
	assert_int_equal(judged(v, 2).revocation, AE_INV_GOOD);
	v[1].at -= 120;
	assert_int_equal(judged(v, 2).revocation, AE_INV_HOLD);
}

static void
deltas(void **state)
{
	struct list v[2] = { fresh(), fresh() };

	(void)state;
	v[1].base = 7;
	v[1].at += 60;
	v[1].lists = true;
	v[1].why = AE_CRL_CA_COMPROMISE;
	assert_int_equal(judged(v, 2).revocation, AE_INV_REVOKED);
	/* Alone it says nothing. */
	assert_int_equal(judged(v + 1, 1).revocation, AE_INV_UNKNOWN);
	/* Taken off hold again. */
	v[0].lists = true;
	v[0].why = AE_CRL_HOLD;
	v[1].why = AE_CRL_REMOVE;
	assert_int_equal(judged(v, 2).revocation, AE_INV_GOOD);
	v[1].at -= 120; /* older than the base list */
	assert_int_equal(judged(v, 2).revocation, AE_INV_HOLD);
	/* What is revoked for good is not taken back. */
	v[1].at += 120;
	v[0].why = AE_CRL_KEY_COMPROMISE;
	assert_int_equal(judged(v, 2).revocation, AE_INV_REVOKED);
}

static void
what_is_no_list(void **state)
{
	struct ae_revocation *r = ae_revocation_new();
	const struct ae_cert *issuers[] = { root };
	struct ae_inv_cert out = { 0 };

	(void)state;
	assert_ok(ae_revocation_add(r, "", 0, FIX_NOW, NULL));
	assert_ok(ae_revocation_add(r, "\x30\x00", 2, FIX_NOW, NULL));
	assert_ok(
	    ae_revocation_add(r, fix_root().p, fix_root().len, FIX_NOW, NULL));
	ae_revocation_judge(&out, r, leaf, issuers, 1);
	assert_int_equal(out.revocation, AE_INV_UNKNOWN);
	/* Nobody whose list it could be. */
	ae_revocation_judge(&out, r, leaf, issuers, 0);
	assert_int_equal(out.revocation, AE_INV_UNKNOWN);
	ae_revocation_free(r);
	ae_revocation_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_listed_and_who_is_not),
		cmocka_unit_test(somebody_elses_list),
		cmocka_unit_test(stale_lists),
		cmocka_unit_test(the_newest_speaks),
		cmocka_unit_test(deltas),
		cmocka_unit_test(what_is_no_list),
	};
	int failed;

	fix_init();
	if (ae_cert_parse(&root, fix_root().p, fix_root().len, NULL) != AE_OK ||
	    ae_cert_parse(&leaf, fix_leaf().p, fix_leaf().len, NULL) != AE_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	ae_cert_free(root);
	ae_cert_free(leaf);
	return fix_done(failed);
}
