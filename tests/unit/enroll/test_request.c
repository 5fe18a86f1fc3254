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

#include <stdlib.h>
#include <string.h>

#include "enroll/request.h"
#include "pki/name.h"
#include "pki/request.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_two_is_cmc),
		cmocka_unit_test(schema_one_is_pkcs10),
		cmocka_unit_test(names_by_hand),
		cmocka_unit_test(names_that_cannot_be),
		cmocka_unit_test(attributes_name_the_template_and_no_host),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
