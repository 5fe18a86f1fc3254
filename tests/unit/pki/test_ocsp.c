/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/ocsp.h, with OpenSSL as the client: it makes the requests and
 * verifies the responses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "mutate.h"
#include "pki/ocsp.h"

static X509 *root, *leaf;
static struct ae_cert *ca, *ee;

static X509 *
x509(struct ae_der d)
{
	const unsigned char *p = d.p;
	X509 *x = d2i_X509(NULL, &p, (long)d.len);

	assert_non_null(x);
	return x;
}

static int
setup(void **state)
{
	(void)state;
	fix_init();
	root = x509(fix_root());
	leaf = x509(fix_leaf());
	assert_ok(ae_cert_parse(&ca, fix_root().p, fix_root().len, NULL));
	assert_ok(ae_cert_parse(&ee, fix_leaf().p, fix_leaf().len, NULL));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(root);
	X509_free(leaf);
	ae_cert_free(ca);
	ae_cert_free(ee);
	return 0;
}

/* n times the leaf, by this hash; DER is OPENSSL_malloc'd. */
static int
request(uint8_t **out, const EVP_MD *md, unsigned n, bool nonce)
{
	OCSP_REQUEST *r = OCSP_REQUEST_new();
	int len;

	for (unsigned i = 0; i < n; i++)
		assert_non_null(
		    OCSP_request_add0_id(r, OCSP_cert_to_id(md, leaf, root)));
	if (nonce)
		assert_int_equal(OCSP_request_add1_nonce(r, NULL, 16), 1);
	*out = NULL;
	len = i2d_OCSP_REQUEST(r, out);
	assert_true(len > 0);
	OCSP_REQUEST_free(r);
	return len;
}

static void
reads_what_openssl_asks(void **state)
{
	const struct {
		const EVP_MD *md;
		enum ae_hash h;
	} with[] = { { EVP_sha1(), AE_HASH_SHA1 },
		{ EVP_sha256(), AE_HASH_SHA256 } };
	struct ae_ocsp_request *q = NULL, *again = NULL;
	struct ae_ocsp_issuer who;
	uint8_t *der;
	int len;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		len = request(&der, with[i].md, 3, i == 1);
		assert_ok(ae_ocsp_request_parse(&q, der, (size_t)len, NULL));
		OPENSSL_free(der);
		assert_int_equal(q->n, 3);
		assert_int_equal(q->id[2].hash, with[i].h);
		assert_true(ae_der_equal(q->id[1].serial, ee->serial));
		assert_int_equal(q->nonce.p != NULL, i == 1);
		assert_ok(ae_ocsp_issuer(
		    &who, with[i].h, ca->subject, ca->spki, NULL));
		assert_int_equal(q->id[0].name_hash.len, who.len);
		assert_memory_equal(q->id[0].name_hash.p, who.name, who.len);
		assert_int_equal(q->id[0].key_hash.len, who.len);
		assert_memory_equal(q->id[0].key_hash.p, who.key, who.len);
		/* one of them by itself */
		assert_ok(ae_ocsp_id_parse(
		    &again, q->id[0].der.p, q->id[0].der.len, NULL));
		assert_int_equal(again->n, 1);
		assert_true(ae_der_equal(again->id[0].serial, q->id[0].serial));
		ae_ocsp_request_free(again);
		ae_ocsp_request_free(q);
	}
	/* a hash that nobody computes here is no error */
	len = request(&der, EVP_sha512(), 1, false);
	assert_ok(ae_ocsp_request_parse(&q, der, (size_t)len, NULL));
	assert_int_equal(q->id[0].hash, AE_HASH_NONE);
	ae_ocsp_request_free(q);
	OPENSSL_free(der);
}

static void
refuses(void **state)
{
	struct ae_ocsp_request *q = NULL;
	static uint8_t large[AE_OCSP_REQUEST_MAX + 1];
	X509_EXTENSION *x;
	OCSP_REQUEST *r;
	uint8_t *der;
	int len;

	(void)state;
	len = request(&der, EVP_sha1(), AE_OCSP_IDS_MAX + 1, false);
	assert_rc(ae_ocsp_request_parse(&q, der, (size_t)len, NULL), AE_ELIMIT);
	OPENSSL_free(der);
	len = request(&der, EVP_sha1(), 1, true);
	assert_rc(
	    ae_ocsp_request_parse(&q, der, (size_t)len - 1, NULL), AE_EPROTO);
	OPENSSL_free(der);
	assert_rc(
	    ae_ocsp_request_parse(&q, large, sizeof(large), NULL), AE_ELIMIT);
	assert_rc(ae_ocsp_request_parse(&q, "", 0, NULL), AE_EPROTO);
	/* nothing asked; two nonces; a nonce too long; something critical */
	for (int i = 0; i < 4; i++) {
		r = OCSP_REQUEST_new();
		if (i > 0)
			OCSP_request_add0_id(
			    r, OCSP_cert_to_id(NULL, leaf, root));
		if (i == 1) {
			OCSP_request_add1_nonce(r, NULL, 16);
			x = X509_EXTENSION_dup(OCSP_REQUEST_get_ext(r, 0));
			OCSP_REQUEST_add_ext(r, x, -1);
			X509_EXTENSION_free(x);
		}
		if (i == 2)
			OCSP_request_add1_nonce(r, NULL, 200);
		if (i == 3) {
			ASN1_OCTET_STRING *v = ASN1_OCTET_STRING_new();

			ASN1_OCTET_STRING_set(v, (const uint8_t *)"\5\0", 2);
			x = X509_EXTENSION_create_by_NID(
			    NULL, NID_id_pkix_OCSP_archiveCutoff, 1, v);
			OCSP_REQUEST_add_ext(r, x, -1);
			X509_EXTENSION_free(x);
			ASN1_OCTET_STRING_free(v);
		}
		der = NULL;
		len = i2d_OCSP_REQUEST(r, &der);
		OCSP_REQUEST_free(r);
		if (len <= 0)
			continue; /* a request for nothing is not written */
		assert_rc(ae_ocsp_request_parse(&q, der, (size_t)len, NULL),
		    AE_EPROTO);
		OPENSSL_free(der);
	}
}

/* A response about the leaf, signed by the CA itself. */
static void
respond(struct ae_wr *w, const struct ae_ocsp_single *v, size_t n,
    struct ae_der nonce)
{
	struct ae_sigalg alg = ae_key_sigalg(fix_ca_key(), AE_HASH_SHA256);
	uint8_t id[AE_KEY_ID_LEN];
	struct ae_ocsp_data d;
	struct ae_wr data, sig;

	ae_wr_init(&data, AE_OCSP_DATA_MAX);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(w, AE_OCSP_RESPONSE_MAX);
	assert_ok(ae_key_id(id, fix_ca_key(), NULL));
	assert_ok(ae_ocsp_data_put(&data, id, FIX_NOW, v, n, nonce, NULL));
	assert_ok(ae_ocsp_data_parse(&d, data.p, data.len, NULL));
	assert_memory_equal(d.responder, id, sizeof(id));
	assert_int_equal(d.n, n);
	assert_int_equal(d.produced, FIX_NOW);
	assert_int_equal(d.this_first, FIX_NOW - 60);
	assert_int_equal(d.next_last, FIX_NOW + 3600);
	assert_ok(
	    ae_key_sign(&sig, fix_ca_key(), &alg, data.p, data.len, NULL));
	assert_ok(ae_ocsp_assemble(w, data.p, data.len, &alg, sig.p, sig.len,
	    (struct ae_der){ NULL, 0 }, NULL));
	ae_wr_done(&data);
	ae_wr_done(&sig);
}

static void
openssl_believes_the_response(void **state)
{
	static const enum ae_ocsp_status all[] = { AE_OCSP_GOOD,
		AE_OCSP_REVOKED, AE_OCSP_REVOKED, AE_OCSP_UNKNOWN };
	static const int want[] = { V_OCSP_CERTSTATUS_GOOD,
		V_OCSP_CERTSTATUS_REVOKED, V_OCSP_CERTSTATUS_REVOKED,
		V_OCSP_CERTSTATUS_UNKNOWN };
	X509_STORE *store = X509_STORE_new();
	ASN1_GENERALIZEDTIME *at, *from, *until;
	struct ae_ocsp_request *q = NULL;
	const unsigned char *p;
	OCSP_CERTID *id;
	uint8_t *der;
	int len, status, reason;

	(void)state;
	X509_STORE_add_cert(store, root);
	len = request(&der, EVP_sha256(), 1, true);
	assert_ok(ae_ocsp_request_parse(&q, der, (size_t)len, NULL));
	p = der;
	OCSP_REQUEST *r = d2i_OCSP_REQUEST(NULL, &p, len);
	for (size_t i = 0; i < 4; i++) {
		const struct ae_ocsp_single s = { .id = q->id[0].der,
			.status = all[i],
			.revoked = FIX_NOW - 90,
			.reason = i == 2 ? AE_CRL_HOLD : AE_CRL_UNSPECIFIED,
			.this_update = FIX_NOW - 60,
			.next_update = FIX_NOW + 3600 };
		struct ae_wr w;
		OCSP_RESPONSE *resp;
		OCSP_BASICRESP *b;
		STACK_OF(X509) *chain = sk_X509_new_null();

		respond(&w, &s, 1, q->nonce);
		p = w.p;
		resp = d2i_OCSP_RESPONSE(NULL, &p, (long)w.len);
		assert_non_null(resp);
		assert_ptr_equal(p, w.p + w.len);
		assert_int_equal(OCSP_response_status(resp), 0);
		b = OCSP_response_get1_basic(resp);
		assert_non_null(b);
		sk_X509_push(chain, root);
		assert_int_equal(OCSP_basic_verify(b, chain, store,
				     OCSP_TRUSTOTHER | OCSP_NOCHECKS),
		    1);
		assert_int_equal(OCSP_check_nonce(r, b), 1);
		id = OCSP_cert_to_id(EVP_sha256(), leaf, root);
		assert_int_equal(OCSP_resp_find_status(b, id, &status, &reason,
				     &at, &from, &until),
		    1);
		assert_int_equal(status, want[i]);
		if (i == 2)
			assert_int_equal(reason, 6);
		OCSP_CERTID_free(id);
		sk_X509_free(chain);
		OCSP_BASICRESP_free(b);
		OCSP_RESPONSE_free(resp);
		ae_wr_done(&w);
	}
	OCSP_REQUEST_free(r);
	OPENSSL_free(der);
	ae_ocsp_request_free(q);
	X509_STORE_free(store);
}

static void
errors_are_responses(void **state)
{
	struct ae_wr w;
	const unsigned char *p;
	OCSP_RESPONSE *r;

	(void)state;
	ae_wr_init(&w, 64);
	ae_ocsp_error_put(&w, AE_OCSP_TRY_LATER);
	p = w.p;
	r = d2i_OCSP_RESPONSE(NULL, &p, (long)w.len);
	assert_non_null(r);
	assert_int_equal(
	    OCSP_response_status(r), OCSP_RESPONSE_STATUS_TRYLATER);
	OCSP_RESPONSE_free(r);
	ae_wr_done(&w);
}

static void
one_request(const uint8_t *p, size_t len, void *arg)
{
	struct ae_ocsp_request *q = NULL;

	(void)arg;
	if (ae_ocsp_request_parse(&q, p, len, NULL) == AE_OK)
		assert_true(q->n > 0);
	ae_ocsp_request_free(q);
}

static void
one_data(const uint8_t *p, size_t len, void *arg)
{
	struct ae_ocsp_data d;

	(void)arg;
	if (ae_ocsp_data_parse(&d, p, len, NULL) == AE_OK)
		assert_true(d.n > 0);
}

static void
survives_mutation(void **state)
{
	struct ae_ocsp_single s = { .status = AE_OCSP_GOOD,
		.this_update = FIX_NOW,
		.next_update = FIX_NOW + 1 };
	uint8_t id[AE_KEY_ID_LEN] = { 0 };
	struct ae_ocsp_request *q = NULL;
	struct ae_wr w;
	uint8_t *der;
	int len = request(&der, EVP_sha1(), 2, true);

	(void)state;
	assert_true(ae_mutate(der, (size_t)len, one_request, NULL) > 1000);
	assert_ok(ae_ocsp_request_parse(&q, der, (size_t)len, NULL));
	s.id = q->id[0].der;
	ae_wr_init(&w, AE_OCSP_DATA_MAX);
	assert_ok(ae_ocsp_data_put(&w, id, FIX_NOW, &s, 1, q->nonce, NULL));
	assert_true(ae_mutate(w.p, w.len, one_data, NULL) > 1000);
	ae_wr_done(&w);
	ae_ocsp_request_free(q);
	OPENSSL_free(der);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_openssl_asks),
		cmocka_unit_test(refuses),
		cmocka_unit_test(openssl_believes_the_response),
		cmocka_unit_test(errors_are_responses),
		cmocka_unit_test(survives_mutation),
	};

	return fix_done(cmocka_run_group_tests(tests, setup, teardown));
}
