/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of pki/request.h: CMC and CMS, both directions.
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
#include "pki/cms_int.h"
#include "pki/request.h"
#include "torture.h"

static const struct ae_pair pairs[] = { { "CertificateTemplate", "Machine" },
	{ "rmd", "pc1.example.com" } };

static struct ae_cert *old_cert;

/* A certificate of the RSA key, to be renewed. */
static struct ae_cert *
old(void)
{
	struct ae_tbs t = fix_leaf_tbs();
	struct ae_wr w;

	if (old_cert != NULL)
		return old_cert;
	t.spki = ae_key_spki(fix_rsa_key());
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	assert_ok(ae_tbs_sign(&w, &t, fix_ca_key(), NULL));
	assert_ok(ae_cert_parse(&old_cert, w.p, w.len, NULL));
	ae_wr_done(&w);
	return old_cert;
}

static struct ae_request_spec
spec(bool renew)
{
	struct ae_request_spec s = { 0 };

	s.pkcs10 = fix_csr();
	s.key = fix_leaf_key();
	s.hash = AE_HASH_SHA256;
	s.reginfo = pairs;
	s.nreginfo = 2;
	if (renew) {
		s.old_key = fix_rsa_key();
		s.old_cert = old();
	}
	return s;
}

static void
build_cmc(struct ae_wr *w, const struct ae_request_spec *s)
{
	struct ae_err e = AE_ERR_INIT;
	int rc;

	ae_wr_init(w, AE_PKI_REQUEST_MAX);
	rc = ae_request_build_cmc(w, s, &e);
	if (rc != AE_OK)
		print_error("%s\n", e.text);
	assert_ok(rc);
}

static struct ae_request *
parse(const struct ae_wr *w, enum ae_request_form form)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_request *r = NULL;
	int rc;

	rc = ae_request_parse(&r, form, w->p, w->len, &e);
	if (rc != AE_OK)
		print_error("%s\n", e.text);
	assert_ok(rc);
	return r;
}

/* It is refused with this return code and HRESULT. */
static void
refused(const struct ae_wr *w, enum ae_request_form form, int rc, uint32_t hr)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_request *r = NULL;

	assert_rc(ae_request_parse(&r, form, w->p, w->len, &e), rc);
	assert_null(r);
	assert_int_equal(e.dom, AE_DOM_HRESULT);
	if ((uint32_t)e.code != hr)
		fail_msg("0x%08x: %s", (uint32_t)e.code, e.text);
}

static void
plain_pkcs10(void **state)
{
	struct ae_wr w = { .p = NULL };
	struct ae_request *r;

	(void)state;
	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	ae_der_raw(&w, fix_csr());
	r = parse(&w, AE_REQUEST_ANY);
	assert_int_equal(r->form, AE_REQUEST_PKCS10);
	assert_int_equal(r->pop, AE_POP_SIGNATURE);
	assert_true(r->possession);
	assert_int_equal(r->nsigners + r->ncerts + r->nreginfo, 0);
	ae_request_free(r);
	r = parse(&w, AE_REQUEST_PKCS10);
	ae_request_free(r);
	refused(&w, AE_REQUEST_CMC, AE_EPROTO, 0x80091004);
	refused(&w, AE_REQUEST_CMS, AE_EPROTO, 0x80091004);
	w.p[w.len - 1] ^= 1;
	refused(&w, AE_REQUEST_ANY, AE_ETRUST, 0x80090006);
	ae_wr_done(&w);
}

static void
new_cmc(void **state)
{
	struct ae_request_spec s = spec(false);
	struct ae_request *r;
	struct ae_wr w;

	(void)state;
	build_cmc(&w, &s);
	r = parse(&w, AE_REQUEST_CMC);
	assert_int_equal(r->form, AE_REQUEST_CMC);
	assert_true(ae_der_equal(r->csr->der, fix_csr()));
	assert_int_equal(r->pop, AE_POP_SIGNATURE);
	assert_true(r->possession);
	assert_int_equal(r->nreginfo, 2);
	assert_string_equal(
	    ae_pairs_get(r->reginfo, 2, "CertificateTemplate"), "Machine");
	assert_int_equal(r->nsigners, 1);
	assert_int_equal(r->signers[0].kind, AE_SIGNER_NEW_KEY);
	assert_int_equal(r->signers[0].hash, AE_HASH_SHA256);
	assert_null(r->signers[0].cert);
	assert_int_equal(r->ncerts, 0);
	assert_null(r->encrypted_key_hash.p);
	assert_false(r->has_archived_key);
	ae_request_free(r);
	refused(&w, AE_REQUEST_PKCS10, AE_EPROTO, 0x80091004);
	refused(&w, AE_REQUEST_CMS, AE_EPROTO, 0x80091004);
	w.p[w.len - 1] ^= 1;
	refused(&w, AE_REQUEST_CMC, AE_ETRUST, 0x80090006);
	ae_wr_done(&w);
}

static void
renewal_cmc(void **state)
{
	struct ae_request_spec s = spec(true);
	struct ae_request *r;
	struct ae_wr w;

	(void)state;
	build_cmc(&w, &s);
	r = parse(&w, AE_REQUEST_ANY);
	assert_int_equal(r->nsigners, 2);
	assert_int_equal(r->signers[0].kind, AE_SIGNER_NEW_KEY);
	assert_int_equal(r->signers[1].kind, AE_SIGNER_CERT);
	assert_non_null(r->signers[1].cert);
	assert_true(ae_cert_has_key(r->signers[1].cert, fix_rsa_key()));
	assert_int_equal(r->ncerts, 1);
	ae_request_free(r);
	w.p[w.len - 1] ^= 1; /* in the old key's signature */
	refused(&w, AE_REQUEST_ANY, AE_ETRUST, 0x80090006);
	ae_wr_done(&w);
}

static void
renewal_cms(void **state)
{
	struct ae_request_spec s = spec(true);
	struct ae_request *r;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	assert_ok(ae_request_build_cms(&w, &s, NULL));
	r = parse(&w, AE_REQUEST_CMS);
	assert_int_equal(r->form, AE_REQUEST_CMS);
	assert_true(r->possession);
	assert_int_equal(r->nsigners, 1);
	assert_int_equal(r->signers[0].kind, AE_SIGNER_CERT);
	ae_request_free(r);
	refused(&w, AE_REQUEST_CMC, AE_EPROTO, 0x80091004);
	ae_wr_done(&w);
}

static void
what_cannot_be_built(void **state)
{
	struct ae_pair bad = { "a&b", "c" };
	struct ae_request_spec good = spec(true), s = good;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	s.pkcs10.p = NULL;
	assert_rc(ae_request_build_cmc(&w, &s, NULL), AE_EINVAL);
	s = good;
	s.key = NULL;
	assert_rc(ae_request_build_cmc(&w, &s, NULL), AE_EINVAL);
	s = good;
	s.old_key = NULL;
	assert_rc(ae_request_build_cmc(&w, &s, NULL), AE_EINVAL);
	s = good;
	s.old_key = fix_ca_key();
	assert_rc(ae_request_build_cmc(&w, &s, NULL), AE_EINVAL);
	s = good;
	s.hash = AE_HASH_NONE;
	assert_rc(ae_request_build_cmc(&w, &s, NULL), AE_EINVAL);
	s = good;
	s.reginfo = &bad;
	s.nreginfo = 1;
	assert_rc(ae_request_build_cmc(&w, &s, NULL), AE_EINVAL);
	s = spec(false);
	assert_rc(ae_request_build_cms(&w, &s, NULL), AE_EINVAL);
	assert_int_equal(w.len, 0);
	ae_wr_done(&w);
}

/*
 * A CMC message around any PKIData, signed by key under its own identifier,
 * with the no-signature form when key is NULL, or unsigned when nobody.
 */
static void
message(struct ae_wr *w, const char *type, struct ae_der body,
    const struct ae_key *key, bool nobody)
{
	struct ae_sigalg alg = { AE_KEY_EC, AE_HASH_SHA256, false };
	enum ae_hash h = AE_HASH_SHA256;
	struct ae_wr attrs, sig;
	struct ae_cms_out o;
	uint8_t hash[AE_HASH_MAX], id[AE_KEY_ID_LEN] = { 0 };
	size_t set, info, n;

	ae_wr_init(&attrs, 1024);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(w, AE_PKI_REQUEST_MAX);
	assert_ok(ae_cms_signed_attrs(&attrs, type, h, body, NULL));
	ae_cms_open(w, &o, 3, &h, 1, type, body);
	set = ae_der_open(w, AE_DER_SET);
	if (!nobody && key != NULL) {
		assert_ok(ae_key_id(id, key, NULL));
		assert_ok(
		    ae_key_sign(&sig, key, &alg, attrs.p, attrs.len, NULL));
		ae_cms_put_signer(w, NULL, (struct ae_der){ id, sizeof(id) },
		    &alg, (struct ae_der){ attrs.p, attrs.len },
		    (struct ae_der){ sig.p, sig.len }, (struct ae_der){ 0 });
	} else if (!nobody) {
		n = ae_hash_bytes(hash, h, attrs.p, attrs.len);
		info = ae_der_open(w, AE_DER_SEQUENCE);
		ae_der_uint(w, 3);
		ae_der_put(w, AE_DER_CTX(0), id, sizeof(id));
		ae_hash_put(w, h);
		attrs.p[0] = AE_DER_CTX_CONS(0);
		ae_wr_bytes(w, attrs.p, attrs.len);
		size_t a = ae_der_open(w, AE_DER_SEQUENCE);
		assert_true(ae_der_oid(w, AE_OID_CMC_NO_SIGNATURE));
		ae_der_put(w, AE_DER_NULL, NULL, 0);
		ae_der_close(w, a);
		ae_der_put(w, AE_DER_OCTETS, hash, n);
		ae_der_close(w, info);
	}
	ae_der_close(w, set);
	ae_cms_close(w, &o);
	assert_true(ae_wr_ok(w));
	ae_wr_done(&attrs);
	ae_wr_done(&sig);
}

/* PKIData with the controls given and the request n times. */
static void
pki_data(
    struct ae_wr *w, const char *controls, size_t len, int n, struct ae_der csr)
{
	size_t all, seq, one;

	ae_wr_init(w, AE_PKI_REQUEST_MAX);
	all = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_put(w, AE_DER_SEQUENCE, controls, len);
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	for (int i = 0; i < n; i++) {
		one = ae_der_open(w, AE_DER_CTX_CONS(0));
		ae_der_uint(w, (uint64_t)i + 1);
		ae_der_raw(w, csr);
		ae_der_close(w, one);
	}
	ae_der_close(w, seq);
	ae_der_put(w, AE_DER_SEQUENCE, NULL, 0);
	ae_der_put(w, AE_DER_SEQUENCE, NULL, 0);
	ae_der_close(w, all);
	assert_true(ae_wr_ok(w));
}

/* The CSR with a null signature in place of its own. */
static void
null_signed(struct ae_wr *w)
{
	struct ae_csr *c = NULL;
	uint8_t hash[AE_HASH_MAX];
	size_t m, bits, n;

	assert_ok(ae_csr_parse(&c, fix_csr().p, fix_csr().len, NULL));
	n = ae_hash_bytes(hash, AE_HASH_SHA256, c->info.p, c->info.len);
	ae_wr_init(w, AE_PKI_REQUEST_MAX);
	m = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_raw(w, c->info);
	ae_hash_put(w, AE_HASH_SHA256);
	bits = ae_der_open(w, AE_DER_BITSTRING);
	ae_wr_u8(w, 0);
	ae_wr_bytes(w, hash, n);
	ae_der_close(w, bits);
	ae_der_close(w, m);
	ae_csr_free(c);
}

static void
possession_must_come_from_somewhere(void **state)
{
	struct ae_request *r;
	struct ae_wr null, body, w;
	struct ae_der d;

	(void)state;
	null_signed(&null);
	refused(&null, AE_REQUEST_ANY, AE_ETRUST, 0x80090006); /* bare */
	pki_data(&body, NULL, 0, 1, (struct ae_der){ null.p, null.len });
	d = (struct ae_der){ body.p, body.len };
	message(&w, AE_OID_CMC_PKI_DATA, d, fix_leaf_key(), false);
	r = parse(&w, AE_REQUEST_CMC);
	assert_int_equal(r->pop, AE_POP_NULL);
	assert_int_equal(r->signers[0].kind, AE_SIGNER_NEW_KEY);
	assert_true(r->possession);
	ae_request_free(r);
	ae_wr_done(&w);
	/* null inside and no signature outside proves nothing */
	message(&w, AE_OID_CMC_PKI_DATA, d, NULL, false);
	r = parse(&w, AE_REQUEST_CMC);
	assert_int_equal(r->signers[0].kind, AE_SIGNER_NO_SIGNATURE);
	assert_false(r->possession);
	ae_request_free(r);
	w.p[w.len - 1] ^= 1;
	refused(&w, AE_REQUEST_CMC, AE_ETRUST, 0x80090006);
	ae_wr_done(&w);
	/* somebody else's key, without a certificate */
	message(&w, AE_OID_CMC_PKI_DATA, d, fix_ca_key(), false);
	refused(&w, AE_REQUEST_CMC, AE_ETRUST, 0x80090006);
	ae_wr_done(&w);
	ae_wr_done(&body);
	ae_wr_done(&null);
}

static void
numbers_the_spec_assigns(void **state)
{
	struct ae_der csr = fix_csr(), d;
	struct ae_wr body, w;

	(void)state;
	for (int n = 0; n < 3; n++) {
		pki_data(&body, NULL, 0, n, csr);
		d = (struct ae_der){ body.p, body.len };
		message(&w, AE_OID_CMC_PKI_DATA, d, fix_leaf_key(), n == 1);
		if (n == 1)
			refused(&w, AE_REQUEST_ANY, AE_EPROTO, 0x8009200e);
		else
			refused(&w, AE_REQUEST_ANY, AE_EPROTO, 0x8007000d);
		ae_wr_done(&w);
		ae_wr_done(&body);
	}
	message(&w, "1.2.3", csr, fix_leaf_key(), false);
	refused(&w, AE_REQUEST_ANY, AE_EPROTO, 0x80091004);
	ae_wr_done(&w);
	message(&w, AE_OID_CMS_DATA, (struct ae_der){ (const uint8_t *)"x", 1 },
	    fix_leaf_key(), false);
	refused(&w, AE_REQUEST_ANY, AE_EPROTO, 0x8009310b);
	ae_wr_done(&w);
	message(&w, AE_OID_CMS_DATA, (struct ae_der){ NULL, 0 }, fix_leaf_key(),
	    false);
	refused(&w, AE_REQUEST_ANY, AE_EPROTO, 0x8007000d);
	ae_wr_done(&w);
	/* a PKIData in plain CMS is no PKCS#10 */
	pki_data(&body, NULL, 0, 1, csr);
	d = (struct ae_der){ body.p, body.len };
	message(&w, AE_OID_CMS_DATA, d, fix_leaf_key(), false);
	refused(&w, AE_REQUEST_ANY, AE_EPROTO, 0x8009310b);
	ae_wr_done(&w);
	ae_wr_done(&body);
}

#define REG(n, text) \
	"\x30" n "\x02\x01\x02\x06\x08\x2b\x06\x01\x05\x05\x07\x07\x12" text

static void
controls_give(const char *controls, size_t len, int rc, size_t npairs)
{
	struct ae_request *r = NULL;
	struct ae_wr body, w;

	pki_data(&body, controls, len, 1, fix_csr());
	message(&w, AE_OID_CMC_PKI_DATA, (struct ae_der){ body.p, body.len },
	    fix_leaf_key(), false);
	assert_rc(ae_request_parse(&r, AE_REQUEST_CMC, w.p, w.len, NULL), rc);
	if (rc == AE_OK)
		assert_int_equal(r->nreginfo, npairs);
	ae_request_free(r);
	ae_wr_done(&body);
	ae_wr_done(&w);
}
#define CONTROLS(s, rc, n) controls_give(s, sizeof(s) - 1, rc, n)

static void
reginfo(void **state)
{
	(void)state;
	CONTROLS(REG("\x14",
		     "\x31\x05\x04\x03"
		     "a=b"),
	    AE_OK, 1);
	CONTROLS(REG("\x14",
		     "\x31\x05\x04\x03"
		     "a&b"),
	    AE_OK, 0);
	CONTROLS(REG("\x14",
		     "\x31\x05\x04\x03"
		     "=&="),
	    AE_OK, 0);
	CONTROLS(REG("\x16",
		     "\x31\x07\x04\x05"
		     "a=&b="),
	    AE_OK, 2);
	CONTROLS(REG("\x11", "\x31\x02\x04\x00"), AE_OK, 0);
	CONTROLS(REG("\x14",
		     "\x31\x05\x0c\x03"
		     "a=b"),
	    AE_EPROTO, 0);
	CONTROLS(REG("\x14",
		     "\x31\x05\x04\x03"
		     "a=\xff"),
	    AE_EPROTO, 0);
	CONTROLS(REG("\x14",
		     "\x31\x05\x04\x03"
		     "a=\x00"),
	    AE_EPROTO, 0);
	CONTROLS(REG("\x0f", "\x31\x00"), AE_EPROTO, 0);
	CONTROLS(REG("\x11", "\x31\x02\x04\x00")
		     REG("\x11", "\x31\x02\x04\x00"),
	    AE_EPROTO, 0);
	/* an unknown control is passed over */
	CONTROLS("\x30\x09\x02\x01\x02\x06\x02\x2a\x03\x31\x00", AE_OK, 0);
}

static void
form_is_looked_at(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 100);
	refused(&w, AE_REQUEST_ANY, AE_EPROTO, 0x8009310b);
	ae_wr_bytes(&w, "\x30\x04\x06\x02\x2a\x03", 6);
	refused(&w, AE_REQUEST_ANY, AE_EPROTO, 0x80091004);
	ae_wr_done(&w);
}

static void
try_request(const uint8_t *p, size_t len, void *arg)
{
	struct ae_request *r = NULL;

	(void)arg;
	if (ae_request_parse(&r, AE_REQUEST_ANY, p, len, NULL) == AE_OK)
		ae_request_free(r);
}

/* A small request: what matters here is the wrapping. */
static void
survives_mutation(void **state)
{
	struct ae_csr_spec c = { .hash = AE_HASH_SHA256 };
	struct ae_request_spec s = spec(true);
	struct ae_wr csr, w;

	(void)state;
	ae_wr_init(&csr, AE_PKI_REQUEST_MAX);
	assert_ok(ae_csr_build(&csr, &c, fix_leaf_key(), NULL));
	s.pkcs10 = (struct ae_der){ csr.p, csr.len };
	s.old_key = NULL;
	s.old_cert = NULL;
	build_cmc(&w, &s);
	assert_true(ae_mutate(w.p, w.len, try_request, NULL) > 5000);
	ae_wr_done(&w);
	ae_wr_done(&csr);
}

static bool
work(void *arg)
{
	struct ae_request *r = NULL;
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	ok = ae_request_build_cmc(&w, arg, NULL) == AE_OK &&
	    ae_request_parse(&r, AE_REQUEST_CMC, w.p, w.len, NULL) == AE_OK;
	ae_request_free(r);
	ae_wr_done(&w);
	return ok;
}

static void
survives_lack_of_memory(void **state)
{
	struct ae_csr_spec c = { .hash = AE_HASH_SHA256 };
	struct ae_request_spec s = spec(false);
	struct ae_wr csr;

	(void)state;
	ae_wr_init(&csr, AE_PKI_REQUEST_MAX);
	assert_ok(ae_csr_build(&csr, &c, fix_leaf_key(), NULL));
	s.pkcs10 = (struct ae_der){ csr.p, csr.len };
	assert_true(work(&s));
	assert_true(ae_torture(work, &s, 20000, false) > 100);
	ae_wr_done(&csr);
	ae_cert_free(old_cert);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_pkcs10),
		cmocka_unit_test(new_cmc),
		cmocka_unit_test(renewal_cmc),
		cmocka_unit_test(renewal_cms),
		cmocka_unit_test(what_cannot_be_built),
		cmocka_unit_test(possession_must_come_from_somewhere),
		cmocka_unit_test(numbers_the_spec_assigns),
		cmocka_unit_test(reginfo),
		cmocka_unit_test(form_is_looked_at),
		cmocka_unit_test(survives_mutation),
		cmocka_unit_test(survives_lack_of_memory),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
