/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/verify.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "fixture.h"
#include "pki/name.h"
#include "pki/verify.h"
#include "torture.h"

static struct ae_cert *leaf, *root;

static void
fails(const struct ae_cert *c, const struct ae_verify *v, int64_t why)
{
	struct ae_err e = AE_ERR_INIT;

	assert_rc(ae_verify_chain(c, v, &e), AE_ETRUST);
	assert_int_equal(e.dom, AE_DOM_X509);
	if (e.code != why)
		fail_msg("%lld: %s", (long long)e.code, e.text);
}

static struct ae_verify
good(void)
{
	static const struct ae_cert *anchors[1];
	struct ae_verify v = { 0 };

	if (leaf == NULL) {
		assert_ok(
		    ae_cert_parse(&leaf, fix_leaf().p, fix_leaf().len, NULL));
		assert_ok(
		    ae_cert_parse(&root, fix_root().p, fix_root().len, NULL));
	}
	anchors[0] = root;
	v.anchors = anchors;
	v.nanchors = 1;
	v.at = FIX_NOW;
	return v;
}

static void
leaf_under_its_root(void **state)
{
	struct ae_verify v = good();

	(void)state;
	assert_ok(ae_verify_chain(leaf, &v, NULL));
	v.eku = AE_OID_EKU_CLIENT_AUTH;
	assert_ok(ae_verify_chain(leaf, &v, NULL));
	v.eku = AE_OID_EKU_ENROLLMENT_AGENT;
	fails(leaf, &v, X509_V_ERR_INVALID_PURPOSE);
}

static void
reasons_to_refuse(void **state)
{
	const struct ae_cert *others[1];
	struct ae_verify v = good();

	(void)state;
	v.at = leaf->not_after + 1;
	fails(leaf, &v, X509_V_ERR_CERT_HAS_EXPIRED);
	v.at = leaf->not_before - 1;
	fails(leaf, &v, X509_V_ERR_CERT_NOT_YET_VALID);
	v = good();
	v.nanchors = 0;
	fails(leaf, &v, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	/* the root along, but not trusted */
	others[0] = root;
	v.others = others;
	v.nothers = 1;
	fails(leaf, &v, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
}

/* The leaf's key issues: it is no CA. */
static void
issuer_that_is_no_ca(void **state)
{
	struct ae_tbs t = fix_leaf_tbs();
	const struct ae_cert *others[1];
	struct ae_verify v = good();
	struct ae_cert *c = NULL;
	uint8_t aki[AE_KEY_ID_LEN];
	struct ae_wr w;

	(void)state;
	assert_ok(ae_key_id(aki, fix_leaf_key(), NULL));
	t.issuer = leaf->subject;
	t.subject = (struct ae_der){ NULL, 0 };
	t.spki = ae_key_spki(fix_rsa_key());
	t.x.aki = (struct ae_der){ aki, sizeof(aki) };
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_sign(&w, &t, fix_leaf_key(), NULL));
	assert_ok(ae_cert_parse(&c, w.p, w.len, NULL));
	others[0] = leaf;
	v.others = others;
	v.nothers = 1;
	fails(c, &v, X509_V_ERR_INVALID_CA);
	ae_cert_free(c);
	ae_wr_done(&w);
}

/* An issuing CA as the anchor, without its root. */
static void
anchor_need_not_be_a_root(void **state)
{
	struct ae_tbs t = fix_leaf_tbs();
	const struct ae_cert *anchor[1];
	struct ae_verify v = good();
	struct ae_cert *sub = NULL, *c = NULL;
	uint8_t id[AE_KEY_ID_LEN];
	struct ae_wr w, name;

	(void)state;
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	ae_wr_init(&name, AE_PKI_NAME_MAX);
	assert_ok(ae_name_from_text(&name, "CN=Sub CA", NULL));
	assert_ok(ae_key_id(id, fix_rsa_key(), NULL));
	t.subject = (struct ae_der){ name.p, name.len };
	t.spki = ae_key_spki(fix_rsa_key());
	t.x.ski = (struct ae_der){ id, sizeof(id) };
	t.x.has_basic_constraints = t.x.ca = true;
	t.x.path_len = 0;
	t.x.key_usage = AE_KU_KEY_CERT_SIGN;
	assert_ok(ae_tbs_sign(&w, &t, fix_ca_key(), NULL));
	assert_ok(ae_cert_parse(&sub, w.p, w.len, NULL));
	t = fix_leaf_tbs();
	t.issuer = sub->subject;
	t.sigalg = ae_key_sigalg(fix_rsa_key(), AE_HASH_SHA256);
	t.x.aki = sub->x.ski;
	ae_wr_reset(&w);
	assert_ok(ae_tbs_sign(&w, &t, fix_rsa_key(), NULL));
	assert_ok(ae_cert_parse(&c, w.p, w.len, NULL));
	anchor[0] = sub;
	v.anchors = anchor;
	assert_ok(ae_verify_chain(c, &v, NULL));
	v = good();
	fails(c, &v, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	v.others = anchor;
	v.nothers = 1;
	assert_ok(ae_verify_chain(c, &v, NULL));
	ae_cert_free(c);
	ae_cert_free(sub);
	ae_wr_done(&w);
	ae_wr_done(&name);
}

static void
unknown_critical_extension(void **state)
{
	static const uint8_t nul[] = { 5, 0 };
	struct ae_ext raw = { "1.2.3.4", true, { nul, 2 } };
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_verify v = good();
	struct ae_cert *c = NULL;
	struct ae_wr w;

	(void)state;
	t.x.raw = &raw;
	t.x.nraw = 1;
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_sign(&w, &t, fix_ca_key(), NULL));
	assert_ok(ae_cert_parse(&c, w.p, w.len, NULL));
	fails(c, &v, X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION);
	ae_cert_free(c);
	c = NULL;
	assert_ok(ae_cert_parse_tbs(&c, leaf->tbs.p, leaf->tbs.len, NULL));
	assert_rc(ae_verify_chain(c, &v, NULL), AE_EINVAL);
	ae_cert_free(c);
	ae_wr_done(&w);
}

static bool
work(void *arg)
{
	return ae_verify_chain(leaf, arg, NULL) == AE_OK;
}

static void
survives_lack_of_memory(void **state)
{
	struct ae_verify v = good();

	(void)state;
	assert_true(work(&v));
	assert_true(ae_torture(work, &v, 20000, false) > 10);
	ae_cert_free(leaf);
	ae_cert_free(root);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_under_its_root),
		cmocka_unit_test(reasons_to_refuse),
		cmocka_unit_test(issuer_that_is_no_ca),
		cmocka_unit_test(anchor_need_not_be_a_root),
		cmocka_unit_test(unknown_critical_extension),
		cmocka_unit_test(survives_lack_of_memory),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
