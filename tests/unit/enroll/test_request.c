/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of enroll/request.h: what is built is what pki's strict parser, the
 * CA's door, finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/ca_order.h"
#include "enroll/exchange.h"
#include "enroll/request.h"
#include "pki/archive.h"
#include "pki/name.h"
#include "pki/request.h"
#include "pki/tbs.h"

static char cn[] = "WebServer", oid[] = "1.3.6.1.4.1.311.21.8.1.2";
static char server_auth[] = "1.3.6.1.5.5.7.3.1";
static uint8_t ku[] = { 0xa0, 0x00 };

static struct ae_key *key;

static int
make_key(void **state)
{
	(void)state;
	return ae_key_generate(&key, AE_KEY_EC, 256, NULL);
}

static int
free_key(void **state)
{
	(void)state;
	ae_key_free(key);
	return 0;
}

static struct ae_request *
round_trip(struct ae_request_input *in, enum ae_request_form form)
{
	struct ae_request *r = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	in->key = key;
	in->machine = "pc1.lab.example";
	in->user = "PC1$@LAB.EXAMPLE";
	in->process = "autoenroll";
	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	assert_int_equal(ae_enroll_request_build(&w, in, &e), AE_OK);
	if (ae_request_parse(&r, form, w.p, w.len, &e) != AE_OK)
		fail_msg("%s", e.text);
	ae_wr_done(&w);
	return r;
}

static void
schema_two_is_cmc(void **state)
{
	char *ekus[] = { server_auth };
	struct ae_template t = { .cn = cn,
		.oid = oid,
		.schema_version = 2,
		.revision = 100,
		.minor_revision = 3,
		.ekus = { ekus, 1 },
		.key_usage = { ku, 2 } };
	struct ae_request_input in = { .tmpl = &t, .automatic = true };
	struct ae_request *r = round_trip(&in, AE_REQUEST_CMC);

	(void)state;
	assert_true(r->possession);
	assert_string_equal(r->csr->x.template_oid, oid);
	assert_int_equal(r->csr->x.template_major, 100);
	assert_int_equal(r->csr->x.template_minor, 3);
	assert_true(ae_strv_has(&r->csr->x.eku, server_auth));
	assert_int_equal(r->csr->x.key_usage,
	    AE_KU_DIGITAL_SIGNATURE | AE_KU_KEY_ENCIPHERMENT);
	assert_true(ae_name_is_empty(r->csr->subject));
	assert_int_equal(r->csr->client.client_id, 6);
	assert_string_equal(r->csr->client.machine, "pc1.lab.example");
	assert_string_equal(r->csr->client.process, "autoenroll");
	assert_int_equal(r->csr->x.nsans, 0);
	assert_int_equal(r->csr->sigalg.hash, AE_HASH_SHA256);
	ae_request_free(r);
}

static void
schema_one_is_pkcs10(void **state)
{
	struct ae_template t = { .cn = cn, .schema_version = 1 };
	struct ae_request_input in = { .tmpl = &t };
	struct ae_request *r = round_trip(&in, AE_REQUEST_PKCS10);

	(void)state;
	assert_true(r->possession);
	assert_string_equal(r->csr->x.template_name, "WebServer");
	assert_null(r->csr->x.template_oid);
	assert_int_equal(r->csr->client.client_id, 9);
	ae_request_free(r);
}

static void
names_by_hand(void **state)
{
	char dns1[] = "www.example.com", dns2[] = "example.com";
	char *dns[] = { dns1, dns2 };
	struct ae_template t = { .cn = cn,
		.oid = oid,
		.schema_version = 4,
		.algorithms = { .hash = (char[]){ "SHA384" } } };
	struct ae_request_input in = { .tmpl = &t,
		.names = { .subject = "CN=www.example.com,O=Example",
		    .dns = { dns, 2 } } };
	struct ae_request *r = round_trip(&in, AE_REQUEST_CMC);
	char *text = NULL;

	(void)state;
	assert_int_equal(ae_name_print(&text, r->csr->subject, NULL), AE_OK);
	assert_string_equal(text, "CN=www.example.com,O=Example");
	free(text);
	assert_int_equal(r->csr->x.nsans, 2);
	assert_string_equal(r->csr->x.sans[1].text, "example.com");
	assert_int_equal(r->csr->sigalg.hash, AE_HASH_SHA384);
	ae_request_free(r);
}

static void
names_that_cannot_be(void **state)
{
	struct ae_template t = { .cn = cn, .oid = oid, .schema_version = 2 };
	struct ae_request_input in = { .tmpl = &t,
		.key = key,
		.machine = "m",
		.user = "u",
		.process = "p",
		.names = { .subject = "not a name" } };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	assert_int_equal(ae_enroll_request_build(&w, &in, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "building the request for WebServer"));
	ae_wr_done(&w);
	ae_wr_init(&w, 10);
	in.names.subject = NULL;
	assert_int_not_equal(ae_enroll_request_build(&w, &in, &e), AE_OK);
	ae_wr_done(&w);
}

static void
attributes_name_the_template_and_no_host(void **state)
{
	struct ae_template t = { .cn = cn };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1024);
	ae_enroll_request_attributes(&w, &t);
	assert_string_equal(ae_wr_cstr(&w), "CertificateTemplate:WebServer");
	ae_wr_done(&w);
}

/* ---- renewals, agents, archival ---- */

#define NOW 1795000000
#define DAY 86400

static struct ae_key *old_key, *agent_key, *rsa_key;
static struct ae_cert *old_cert, *agent_cert, *exchange;

/* Self-signed is enough here: who issued it is for others to judge. */
static struct ae_cert *
make_cert(const struct ae_key *k, const char *subject, const char *eku)
{
	static const uint8_t serial[] = { 7 };
	char usage[64], dns[] = "www.lab.example";
	char *ekus[] = { usage };
	struct ae_san san = { .type = AE_SAN_DNS, .text = dns };
	struct ae_cert *c = NULL;
	struct ae_wr name, w;
	struct ae_tbs t;

	(void)snprintf(usage, sizeof(usage), "%s", eku);
	ae_wr_init(&name, 1024);
	ae_wr_init(&w, 8192);
	assert_int_equal(ae_name_from_text(&name, subject, NULL), AE_OK);
	t = (struct ae_tbs){ .serial = { serial, 1 },
		.sigalg = ae_key_sigalg(k, AE_HASH_SHA256),
		.issuer = { name.p, name.len },
		.subject = { name.p, name.len },
		.not_before = NOW - DAY,
		.not_after = NOW + DAY,
		.spki = ae_key_spki(k),
		.x = { .eku = { ekus, 1 }, .sans = &san, .nsans = 1 } };
	assert_int_equal(ae_tbs_sign(&w, &t, k, NULL), AE_OK);
	assert_int_equal(ae_cert_parse(&c, w.p, w.len, NULL), AE_OK);
	ae_wr_done(&name);
	ae_wr_done(&w);
	return c;
}

static int
make_others(void **state)
{
	if (make_key(state) != AE_OK ||
	    ae_key_generate(&old_key, AE_KEY_EC, 256, NULL) != AE_OK ||
	    ae_key_generate(&agent_key, AE_KEY_RSA, 2048, NULL) != AE_OK ||
	    ae_key_generate(&rsa_key, AE_KEY_RSA, 2048, NULL) != AE_OK)
		return -1;
	old_cert = make_cert(old_key, "CN=www.lab.example", server_auth);
	agent_cert = make_cert(agent_key, "CN=agent", "1.3.6.1.4.1.311.20.2.1");
	exchange = make_cert(rsa_key, "CN=Lab CA", "1.3.6.1.4.1.311.21.5");
	return 0;
}

static int
free_others(void **state)
{
	ae_key_free(old_key);
	ae_key_free(agent_key);
	ae_key_free(rsa_key);
	ae_cert_free(old_cert);
	ae_cert_free(agent_cert);
	ae_cert_free(exchange);
	return free_key(state);
}

static void
a_renewal_names_and_is_signed_by_the_old_one(void **state)
{
	struct ae_template t = { .cn = cn, .oid = oid, .schema_version = 2 };
	struct ae_request_input in = { .tmpl = &t,
		.old = { old_cert, old_key } };
	struct ae_request *r = round_trip(&in, AE_REQUEST_CMC);

	(void)state;
	assert_true(ae_der_equal(r->csr->renewal_cert, old_cert->der));
	assert_int_equal(r->nsigners, 2);
	assert_int_equal(r->signers[0].kind, AE_SIGNER_NEW_KEY);
	assert_int_equal(r->signers[1].kind, AE_SIGNER_CERT);
	assert_true(ae_der_equal(r->signers[1].cert->der, old_cert->der));
	assert_true(ae_name_is_empty(r->csr->subject)); /* AD builds it */
	ae_request_free(r);

	t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	r = round_trip(&in, AE_REQUEST_CMC);
	assert_true(ae_der_equal(r->csr->subject, old_cert->subject));
	assert_int_equal(r->csr->x.nsans, 1);
	assert_string_equal(r->csr->x.sans[0].text, "www.lab.example");
	ae_request_free(r);

	t.schema_version = 1;
	r = round_trip(&in, AE_REQUEST_CMS);
	assert_int_equal(r->nsigners, 1);
	assert_true(ae_der_equal(r->signers[0].cert->der, old_cert->der));
	ae_request_free(r);
}

static void
an_agent_signs_for_somebody(void **state)
{
	struct ae_template t = { .cn = cn, .schema_version = 1 };
	struct ae_request_input in = { .tmpl = &t,
		.agent = { agent_cert, agent_key },
		.requester = "LAB\\alice" };
	struct ae_request *r = round_trip(&in, AE_REQUEST_CMC);

	(void)state;
	assert_string_equal(
	    ae_pairs_get(r->reginfo, r->nreginfo, "requestername"),
	    "LAB\\alice");
	assert_int_equal(r->csr->client.client_id, 8);
	assert_int_equal(r->nsigners, 2);
	assert_true(ae_der_equal(r->signers[1].cert->der, agent_cert->der));
	ae_request_free(r);

	/* Both: renewed, and countersigned. */
	in.old = (struct ae_request_signer){ old_cert, old_key };
	in.requester = NULL;
	r = round_trip(&in, AE_REQUEST_CMC);
	assert_int_equal(r->nsigners, 3);
	assert_true(ae_der_equal(r->signers[1].cert->der, old_cert->der));
	assert_true(ae_der_equal(r->signers[2].cert->der, agent_cert->der));
	ae_request_free(r);
}

static void
a_certificate_of_another_key_signs_nothing(void **state)
{
	struct ae_template t = { .cn = cn, .oid = oid, .schema_version = 2 };
	struct ae_request_input in = {
		.tmpl = &t, .key = key, .old = { old_cert, agent_key }
	};
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	assert_int_equal(ae_enroll_request_build(&w, &in, &e), AE_EINVAL);
	ae_wr_done(&w);
}

static void
a_key_for_the_archive(void **state)
{
	struct ae_template t = { .cn = cn,
		.oid = oid,
		.schema_version = 2,
		.algorithms = { .hash = (char[]){ "SHA384" } } };
	struct ae_request_input in = { .tmpl = &t };
	uint8_t hash[AE_HASH_MAX];
	struct ae_request *r;
	struct ae_key *r_public = NULL;
	struct ae_wr sealed;
	size_t n;

	(void)state;
	assert_int_equal(ae_key_from_spki(&r_public, ae_key_spki(key).p,
			     ae_key_spki(key).len, NULL),
	    AE_OK);
	ae_wr_init(&sealed, AE_PKI_REQUEST_MAX);
	assert_int_equal(ae_archive_seal(&sealed, key, exchange, NULL), AE_OK);
	in.archived_key = (struct ae_der){ sealed.p, sealed.len };
	r = round_trip(&in, AE_REQUEST_CMC);
	assert_int_equal(r->signers[0].hash, AE_HASH_SHA384);
	n = ae_hash_bytes(hash, AE_HASH_SHA384, sealed.p, sealed.len);
	assert_int_equal(r->encrypted_key_hash.len, n);
	assert_memory_equal(r->encrypted_key_hash.p, hash, n);
	ae_request_free(r);
	/* A public key has nothing to archive. */
	assert_int_not_equal(
	    ae_archive_seal(&sealed, r_public, exchange, NULL), AE_OK);
	ae_key_free(r_public);
	ae_wr_done(&sealed);
}

static void
rsa_pads_as_the_template_says(void **state)
{
	struct ae_template t = { .cn = cn,
		.oid = oid,
		.schema_version = 2,
		.private_key_flag = AE_CT_REQUIRE_ALTERNATE_SIGNATURE };
	struct ae_request_input in = { .tmpl = &t };
	struct ae_key *ec = key;
	struct ae_request *r;

	(void)state;
	key = rsa_key;
	r = round_trip(&in, AE_REQUEST_CMC);
	assert_true(r->csr->sigalg.pss);
	ae_request_free(r);
	key = ec;
	r = round_trip(&in, AE_REQUEST_CMC);
	assert_false(r->csr->sigalg.pss);
	ae_request_free(r);
}

static void
pem_and_der_are_both_read(void **state)
{
	struct ae_template t = { .cn = cn, .schema_version = 1 };
	struct ae_request_input in = { .tmpl = &t, .key = key };
	struct ae_wr der, pem, back;

	(void)state;
	ae_wr_init(&der, AE_PKI_REQUEST_MAX);
	ae_wr_init(&pem, AE_PKI_REQUEST_MAX);
	ae_wr_init(&back, AE_PKI_REQUEST_MAX);
	assert_int_equal(ae_enroll_request_build(&der, &in, NULL), AE_OK);
	assert_int_equal(
	    ae_request_put_pem(&pem, (struct ae_der){ der.p, der.len }, NULL),
	    AE_OK);
	assert_int_equal(ae_request_read(&back, pem.p, pem.len, NULL), AE_OK);
	assert_int_equal(back.len, der.len);
	assert_memory_equal(back.p, der.p, der.len);
	ae_wr_reset(&back);
	assert_int_equal(ae_request_read(&back, der.p, der.len, NULL), AE_OK);
	assert_memory_equal(back.p, der.p, der.len);
	ae_wr_reset(&back);
	assert_int_equal(ae_request_read(&back, "hello\n", 6, NULL), AE_EPROTO);
	assert_int_equal(ae_request_read(&back, "", 0, NULL), AE_EPROTO);
	ae_wr_done(&der);
	ae_wr_done(&pem);
	ae_wr_done(&back);
}

/* The exchange certificate: a key goes only to the CA it is meant for. */
static void
exchange_certificates_are_judged(void **state)
{
	struct ae_der root = exchange->der;
	struct ae_exchange_trust trust = {
		.authority = "Lab CA", .roots = &root, .nroots = 1, .now = NOW
	};
	struct ae_cert *ec;

	(void)state;
	assert_int_equal(ae_exchange_check(exchange, &trust, NULL), AE_OK);
	trust.authority = "Other CA";
	assert_int_equal(ae_exchange_check(exchange, &trust, NULL), AE_ETRUST);
	trust.authority = "Lab CA";
	trust.now = NOW + 2 * DAY;
	assert_int_equal(ae_exchange_check(exchange, &trust, NULL), AE_ETRUST);
	trust.now = NOW;
	trust.nroots = 0;
	assert_int_equal(ae_exchange_check(exchange, &trust, NULL), AE_ETRUST);
	trust.nroots = 1;
	trust.authority = "agent";
	root = agent_cert->der;
	assert_int_equal(
	    ae_exchange_check(agent_cert, &trust, NULL), AE_ETRUST);
	ec = make_cert(old_key, "CN=Lab CA", "1.3.6.1.4.1.311.21.5");
	trust.authority = "Lab CA";
	root = ec->der;
	assert_int_equal(ae_exchange_check(ec, &trust, NULL), AE_ETRUST);
	ae_cert_free(ec);
}

static void
cas_are_asked_near_ones_first(void **state)
{
	char a[] = "A", b[] = "B", c[] = "C", d[] = "D";
	struct ae_enrollment_service near = { .cn = a }, any = { .cn = b },
				     far = { .cn = c }, cut = { .cn = d };
	const struct ae_ca_cost costs[] = { { &cut, AE_CA_COST_NO_WAY, "Cut" },
		{ &near, 0, "Here" }, { &far, 150, "There" } };
	const struct ae_enrollment_service *v[] = { &cut, &far, &any, &near };
	const struct ae_enrollment_service *first, *many[2];
	char p[] = "P", q[] = "Q";
	struct ae_enrollment_service one = { .cn = p }, two = { .cn = q };
	unsigned i, ones = 0;
	struct ae_sid sid;
	char text[64];

	(void)state;
	assert_true(ae_sid_parse(&sid, "S-1-5-21-1-2-3-1104"));
	ae_ca_order(v, 4, costs, 3, &sid);
	assert_ptr_equal(v[0], &near);
	assert_ptr_equal(v[1], &far);
	assert_ptr_equal(v[2], &any);
	assert_ptr_equal(v[3], &cut);
	/* One keeps to its own; together they spread. */
	for (i = 0; i < 100; i++) {
		(void)snprintf(text, sizeof(text), "S-1-5-21-1-2-3-%u", i);
		assert_true(ae_sid_parse(&sid, text));
		many[0] = &one;
		many[1] = &two;
		ae_ca_order(many, 2, NULL, 0, &sid);
		first = many[0];
		many[0] = &two;
		many[1] = &one;
		ae_ca_order(many, 2, NULL, 0, &sid);
		assert_ptr_equal(many[0], first);
		ones += first == &one;
	}
	assert_true(ones > 20 && ones < 80);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_two_is_cmc),
		cmocka_unit_test(schema_one_is_pkcs10),
		cmocka_unit_test(names_by_hand),
		cmocka_unit_test(names_that_cannot_be),
		cmocka_unit_test(attributes_name_the_template_and_no_host),
		cmocka_unit_test(a_renewal_names_and_is_signed_by_the_old_one),
		cmocka_unit_test(an_agent_signs_for_somebody),
		cmocka_unit_test(a_certificate_of_another_key_signs_nothing),
		cmocka_unit_test(a_key_for_the_archive),
		cmocka_unit_test(rsa_pads_as_the_template_says),
		cmocka_unit_test(pem_and_der_are_both_read),
		cmocka_unit_test(exchange_certificates_are_judged),
		cmocka_unit_test(cas_are_asked_near_ones_first),
	};

	return cmocka_run_group_tests(tests, make_others, free_others);
}
