/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/pkcs12.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "pki/pkcs12.h"

static struct ae_pkcs12
whole(struct ae_cert **cert, struct ae_cert **root)
{
	struct ae_der leaf = fix_leaf(), ca = fix_root();

	assert_ok(ae_cert_parse(cert, leaf.p, leaf.len, NULL));
	assert_ok(ae_cert_parse(root, ca.p, ca.len, NULL));
	return (struct ae_pkcs12){ .key = fix_leaf_key(),
		.cert = *cert,
		.chain = root,
		.nchain = 1,
		.name = "Web",
		.password = "secret" };
}

static void
what_goes_in_comes_out(void **state)
{
	struct ae_secret one = { 0 }, two = { 0 };
	struct ae_cert *cert, *root;
	struct ae_pkcs12 p = whole(&cert, &root), q;

	(void)state;
	assert_ok(ae_pkcs12_build(&one, &p, NULL));
	assert_ok(ae_pkcs12_build(&two, &p, NULL));
	assert_true(ae_pkcs12_same(one.p, one.len, &p));
	assert_true(ae_pkcs12_same(two.p, two.len, &p));
	/* The salts differ. */
	assert_true(one.len != two.len || memcmp(one.p, two.p, one.len) != 0);

	q = p;
	q.password = "other";
	assert_false(ae_pkcs12_same(one.p, one.len, &q));
	q = p;
	q.key = fix_ca_key();
	assert_false(ae_pkcs12_same(one.p, one.len, &q));
	q = p;
	q.cert = root;
	assert_false(ae_pkcs12_same(one.p, one.len, &q));
	q = p;
	q.nchain = 0;
	assert_false(ae_pkcs12_same(one.p, one.len, &q));
	assert_false(ae_pkcs12_same(one.p, one.len - 1, &p));
	assert_false(ae_pkcs12_same("", 0, &p));
	ae_secret_done(&one);
	ae_secret_done(&two);
	ae_cert_free(cert);
	ae_cert_free(root);
}

static void
refusals(void **state)
{
	char longest[AE_PKCS12_PASSWORD_MAX + 2];
	struct ae_secret out = { 0 };
	struct ae_cert *cert, *root;
	struct ae_pkcs12 p = whole(&cert, &root);
	struct ae_key *public = NULL;
	struct ae_der spki = ae_key_spki(fix_leaf_key());

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	p.password = "";
	assert_rc(ae_pkcs12_build(&out, &p, NULL), AE_EINVAL);
	p.password = NULL;
	assert_rc(ae_pkcs12_build(&out, &p, NULL), AE_EINVAL);
	p.password = longest;
	assert_rc(ae_pkcs12_build(&out, &p, NULL), AE_EINVAL);
	p.password = "x";
	assert_ok(ae_key_from_spki(&public, spki.p, spki.len, NULL));
	p.key = public;
	assert_rc(ae_pkcs12_build(&out, &p, NULL), AE_EINVAL);
	p.key = fix_ca_key(); /* not the certificate's */
	assert_rc(ae_pkcs12_build(&out, &p, NULL), AE_EINTERNAL);
	ae_key_free(public);
	ae_cert_free(cert);
	ae_cert_free(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(refusals),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
