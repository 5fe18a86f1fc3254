/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/response.h: what a CA sends and a client takes.
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
#include "pki/response.h"
#include "torture.h"

static struct ae_cert *ca;

static struct ae_cert *
root(void)
{
	if (ca == NULL)
		assert_ok(
		    ae_cert_parse(&ca, fix_root().p, fix_root().len, NULL));
	return ca;
}

static void
full(struct ae_wr *w, const struct ae_response_spec *s,
    const struct ae_key *signer)
{
	struct ae_sigalg alg = ae_key_sigalg(signer, s->hash);
	struct ae_response *r = NULL;
	struct ae_der to_sign;
	struct ae_wr sig;

	ae_wr_init(w, AE_PKI_RESPONSE_MAX);
	ae_wr_init(&sig, AE_SIG_MAX);
	assert_ok(ae_response_begin(&r, &to_sign, s, NULL));
	assert_ok(
	    ae_key_sign(&sig, signer, &alg, to_sign.p, to_sign.len, NULL));
	assert_ok(ae_response_finish(w, r, sig.p, sig.len, NULL));
	ae_response_free(r);
	ae_wr_done(&sig);
}

static struct ae_answer *
parse(const struct ae_wr *w)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_answer *a = NULL;
	int rc = ae_answer_parse(&a, w->p, w->len, &e);

	if (rc != AE_OK)
		print_error("%s\n", e.text);
	assert_ok(rc);
	return a;
}

static void
certificates_only(void **state)
{
	static const uint8_t crl[] = { 0x30, 0x03, 0x02, 0x01, 0x07 };
	struct ae_der certs[] = { fix_leaf(), fix_root() },
		      crls[] = { { crl, sizeof(crl) } };
	const struct ae_cert *c = NULL;
	struct ae_answer *a;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	assert_ok(ae_chain_build(&w, certs, 2, crls, 1, NULL));
	assert_ok(ae_der_check(w.p, w.len, NULL));
	a = parse(&w);
	assert_false(a->cmc);
	assert_int_equal(a->ncerts, 2);
	assert_int_equal(a->ncrls, 1);
	assert_true(ae_der_equal(a->crls[0], crls[0]));
	assert_ok(ae_answer_cert(&c, a, fix_leaf_key(), NULL));
	assert_true(ae_der_equal(c->der, certs[0]));
	assert_rc(ae_answer_cert(&c, a, fix_rsa_key(), NULL), AE_ENOTFOUND);
	ae_answer_free(a);
	ae_wr_reset(&w);
	assert_rc(ae_chain_build(&w, certs, 0, NULL, 0, NULL), AE_EINVAL);
	assert_rc(ae_chain_build(&w, certs, 33, NULL, 0, NULL), AE_EINVAL);
	ae_wr_done(&w);
}

static void
two_certificates_for_one_key(void **state)
{
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_der certs[3] = { fix_leaf(), fix_leaf() };
	const struct ae_cert *c = NULL;
	struct ae_answer *a;
	struct ae_wr w, other;

	(void)state;
	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	ae_wr_init(&other, AE_PKI_CERT_MAX);
	assert_ok(ae_chain_build(&w, certs, 2, NULL, 0, NULL));
	a = parse(&w);
	assert_ok(ae_answer_cert(&c, a, fix_leaf_key(), NULL)); /* the same */
	ae_answer_free(a);
	t.not_after++;
	assert_ok(ae_tbs_sign(&other, &t, fix_ca_key(), NULL));
	certs[2] = (struct ae_der){ other.p, other.len };
	ae_wr_reset(&w);
	assert_ok(ae_chain_build(&w, certs, 3, NULL, 0, NULL));
	a = parse(&w);
	assert_rc(ae_answer_cert(&c, a, fix_leaf_key(), NULL), AE_EPROTO);
	ae_answer_free(a);
	ae_wr_done(&w);
	ae_wr_done(&other);
}

static void
issued(void **state)
{
	struct ae_der chain[] = { fix_root() };
	struct ae_response_spec s = { .status = AE_CMC_SUCCESS,
		.status_text = "Issued",
		.issued = fix_leaf(),
		.chain = chain,
		.nchain = 1,
		.ca = root(),
		.hash = AE_HASH_SHA256 };
	const struct ae_cert *c = NULL;
	struct ae_answer *a;
	struct ae_wr w;

	(void)state;
	full(&w, &s, fix_ca_key());
	assert_ok(ae_der_check(w.p, w.len, NULL));
	a = parse(&w);
	assert_true(a->cmc);
	assert_int_equal(a->status, AE_CMC_SUCCESS);
	assert_string_equal(a->status_text, "Issued");
	assert_false(a->has_request_id);
	assert_int_equal(a->issued_hash.len, 20);
	assert_int_equal(a->ncerts, 2);
	assert_true(ae_der_equal(a->signer->der, fix_root()));
	assert_ok(ae_answer_cert(&c, a, fix_leaf_key(), NULL));
	assert_true(ae_der_equal(c->der, fix_leaf()));
	ae_answer_free(a);
	a = NULL;
	w.p[w.len - 1] ^= 1;
	assert_rc(ae_answer_parse(&a, w.p, w.len, NULL), AE_ETRUST);
	ae_wr_done(&w);
	/* signed by a key that is not the certificate's */
	full(&w, &s, fix_leaf_key());
	assert_rc(ae_answer_parse(&a, w.p, w.len, NULL), AE_ETRUST);
	ae_wr_done(&w);
}

static void
pending_and_denied(void **state)
{
	struct ae_response_spec s = { .status = AE_CMC_PENDING,
		.status_text = "Taken Under Submission",
		.request_id = 0x01020304,
		.pend_time = FIX_NOW,
		.ca = root(),
		.hash = AE_HASH_SHA256 };
	struct ae_answer *a;
	struct ae_wr w;

	(void)state;
	full(&w, &s, fix_ca_key());
	a = parse(&w);
	assert_int_equal(a->status, AE_CMC_PENDING);
	assert_true(a->has_request_id);
	assert_int_equal(a->request_id, 0x01020304);
	assert_null(a->issued_hash.p);
	assert_int_equal(a->ncerts, 1); /* the signer */
	ae_answer_free(a);
	ae_wr_done(&w);
	s.status = AE_CMC_FAILED;
	s.status_text = NULL;
	full(&w, &s, fix_ca_key());
	a = parse(&w);
	assert_int_equal(a->status, AE_CMC_FAILED);
	assert_null(a->status_text);
	assert_false(a->has_request_id);
	ae_answer_free(a);
	ae_wr_done(&w);
}

static void
what_cannot_be_answered(void **state)
{
	struct ae_response_spec good = { .status = AE_CMC_FAILED,
		.ca = root(),
		.hash = AE_HASH_SHA256 },
				s = good;
	struct ae_response *r = NULL;
	struct ae_der d;

	(void)state;
	s.ca = NULL;
	assert_rc(ae_response_begin(&r, &d, &s, NULL), AE_EINVAL);
	s = good;
	s.issued = fix_leaf();
	assert_rc(ae_response_begin(&r, &d, &s, NULL), AE_EINVAL);
	s = good;
	s.status = AE_CMC_SUCCESS;
	assert_rc(ae_response_begin(&r, &d, &s, NULL), AE_EINVAL);
	s = good;
	s.status_text = "\xff";
	assert_rc(ae_response_begin(&r, &d, &s, NULL), AE_EINVAL);
	s = good;
	s.nchain = 33;
	assert_rc(ae_response_begin(&r, &d, &s, NULL), AE_EINVAL);
	s = good;
	s.hash = AE_HASH_NONE;
	assert_rc(ae_response_begin(&r, &d, &s, NULL), AE_EINVAL);
	assert_null(r);
}

static void
what_is_no_answer(void **state)
{
	struct ae_answer *a = NULL;
	uint8_t *big;

	(void)state;
	assert_rc(ae_answer_parse(&a, "", 0, NULL), AE_EPROTO);
	assert_rc(
	    ae_answer_parse(&a, fix_leaf().p, fix_leaf().len, NULL), AE_EPROTO);
	assert_rc(
	    ae_answer_parse(&a, fix_csr().p, fix_csr().len, NULL), AE_EPROTO);
	big = calloc(1, AE_PKI_RESPONSE_MAX + 1);
	assert_rc(
	    ae_answer_parse(&a, big, AE_PKI_RESPONSE_MAX + 1, NULL), AE_ELIMIT);
	free(big);
	assert_null(a);
}

static void
try_answer(const uint8_t *p, size_t len, void *arg)
{
	struct ae_answer *a = NULL;

	(void)arg;
	if (ae_answer_parse(&a, p, len, NULL) == AE_OK)
		ae_answer_free(a);
}

static void
survives_mutation(void **state)
{
	struct ae_response_spec s = { .status = AE_CMC_PENDING,
		.status_text = "x",
		.request_id = 7,
		.pend_time = FIX_NOW,
		.ca = root(),
		.hash = AE_HASH_SHA256 };
	struct ae_wr w;

	(void)state;
	full(&w, &s, fix_ca_key());
	assert_true(ae_mutate(w.p, w.len, try_answer, NULL) > 5000);
	ae_wr_done(&w);
}

static bool
work(void *arg)
{
	const struct ae_response_spec *s = arg;
	struct ae_sigalg alg = { AE_KEY_EC, AE_HASH_SHA256, false };
	struct ae_response *r = NULL;
	struct ae_answer *a = NULL;
	struct ae_wr w, sig;
	struct ae_der d;
	bool ok;

	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	ae_wr_init(&sig, AE_SIG_MAX);
	ok = ae_response_begin(&r, &d, s, NULL) == AE_OK &&
	    ae_key_sign(&sig, fix_ca_key(), &alg, d.p, d.len, NULL) == AE_OK &&
	    ae_response_finish(&w, r, sig.p, sig.len, NULL) == AE_OK &&
	    ae_answer_parse(&a, w.p, w.len, NULL) == AE_OK;
	ae_response_free(r);
	ae_answer_free(a);
	ae_wr_done(&w);
	ae_wr_done(&sig);
	return ok;
}

static void
survives_lack_of_memory(void **state)
{
	struct ae_response_spec s = { .status = AE_CMC_SUCCESS,
		.issued = fix_leaf(),
		.ca = root(),
		.hash = AE_HASH_SHA256 };

	(void)state;
	assert_true(work(&s));
	assert_true(ae_torture(work, &s, 20000, false) > 100);
	ae_cert_free(ca);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_only),
		cmocka_unit_test(two_certificates_for_one_key),
		cmocka_unit_test(issued),
		cmocka_unit_test(pending_and_denied),
		cmocka_unit_test(what_cannot_be_answered),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(survives_mutation),
		cmocka_unit_test(survives_lack_of_memory),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
