/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of ca/ocspsign.h: the certificate for OCSP, which the signer takes
 * for one of ours, and what its key signs and does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/ocspsign.h"
#include "ca/signcheck.h"
#include "fixture.h"
#include "pki/ocsp.h"

static struct fx f;

static void
the_certificate(void **state)
{
	struct ae_ca_sign_config sign = { .issuer = f.ca_cert->subject,
		.keyid = f.ca_cert->x.ski,
		.sigalg = f.cfg.sigalg,
		.ca_not_before = f.ca_cert->not_before,
		.ca_not_after = f.ca_cert->not_after,
		.max_lifetime = 30 * 86400,
		.max_backdate = f.cfg.clock_skew,
		.serial_instance = f.cfg.serial_instance,
		.rsa_bits_min = 2048,
		.rsa_bits_max = 4096 };
	struct ae_der spki = ae_key_spki(f.key);
	uint8_t serial[AE_CA_SERIAL_LEN];
	struct ae_err e = AE_ERR_INIT;
	struct ae_cert *c = NULL;
	int64_t end = 0;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_CA_TBS_MAX);
	assert_int_equal(ae_ca_ocsp_tbs(&w, serial, &end, &f.cfg, spki.p,
			     spki.len, FX_NOW, f.random, &e),
	    AE_OK);
	if (ae_ca_sign_check(&sign, w.p, w.len, FX_NOW, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(ae_cert_parse_tbs(&c, w.p, w.len, &e), AE_OK);
	assert_true(ae_cert_allows(c, AE_OID_EKU_OCSP_SIGNING));
	assert_int_equal(c->x.eku.n, 1);
	assert_true(c->x.ocsp_nocheck);
	assert_int_equal(c->x.key_usage, AE_KU_DIGITAL_SIGNATURE);
	assert_int_equal(c->x.cdp.n, 0); /* nobody has to look it up */
	assert_int_equal(c->not_after, end);
	assert_int_equal(end, FX_NOW + AE_CA_OCSP_DAYS * 86400);
	ae_cert_free(c);
	ae_wr_done(&w);
}

static uint8_t keyid[AE_KEY_ID_LEN];
static struct ae_ocsp_single one;

static int
judge(int64_t produced, struct ae_err *e)
{
	static const uint8_t id[] = { 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b,
		0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x08, 1, 2, 3, 4, 5,
		6, 7, 8, 0x04, 0x07, 1, 2, 3, 4, 5, 6, 7, 0x02, 0x01, 0x07 };
	struct ae_wr w;
	int rc;

	one.id = (struct ae_der){ id, sizeof(id) };
	ae_wr_init(&w, AE_OCSP_DATA_MAX);
	assert_int_equal(ae_ocsp_data_put(&w, keyid, produced, &one, 1,
			     (struct ae_der){ NULL, 0 }, e),
	    AE_OK);
	rc = ae_ca_sign_check_ocsp(w.p, w.len,
	    (const uint8_t *)"aaaaaaaaaaaaaaaaaaaa", 3600, FX_NOW, e);
	ae_wr_done(&w);
	return rc;
}

static void
good(void)
{
	memset(keyid, 'a', sizeof(keyid));
	memset(&one, 0, sizeof(one));
	one.this_update = FX_NOW - 60;
	one.next_update = FX_NOW + 3600;
}

static void
refused(const char *why)
{
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(judge(FX_NOW, &e), AE_EDENIED);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s, not %s", e.text, why);
	good();
}

static void
what_its_key_signs(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	good();
	if (judge(FX_NOW, &e) != AE_OK)
		fail_msg("%s", e.text);
	keyid[19] = 'b';
	refused("another key");
	one.this_update = FX_NOW + 301;
	refused("this time");
	one.this_update = FX_NOW - 601;
	refused("this time");
	one.next_update = FX_NOW;
	refused("has ended");
	one.next_update = FX_NOW + 3600 + 301;
	refused("too late");
	assert_int_equal(judge(FX_NOW - 301, &e), AE_EDENIED);
	assert_int_equal(judge(FX_NOW + 301, &e), AE_EDENIED);
	/* nothing but response data: not even the CA's own certificate */
	assert_int_equal(ae_ca_sign_check_ocsp(f.ca_cert->tbs.p,
			     f.ca_cert->tbs.len, keyid, 3600, FX_NOW, &e),
	    AE_EPROTO);
}

static int
setup(void **state)
{
	(void)state;
	if (!fx_begin(&f))
		return -1;
	fx_reset(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fx_end(&f);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_certificate),
		cmocka_unit_test(what_its_key_signs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
