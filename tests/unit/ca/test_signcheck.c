/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the signer signs, and all it does not; and when CRLs are due.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "ca/crlplan.h"
#include "ca/signcheck.h"
#include "fixture.h"
#include "mutate.h"
#include "pki/crl.h"
#include "pki/oid.h"
#include "pki/response.h"
#include "pki/tbs.h"
#include "torture.h"

static struct fx f;
static struct ae_ca_sign_config cfg;
static struct ae_cert *good; /* what decide would have signed */
static struct ae_tbs tbs;
static struct ae_wr w;

static int
setup(void **state)
{
	(void)state;
	cfg = (struct ae_ca_sign_config){ .issuer = f.ca_cert->subject,
		.keyid = f.ca_cert->x.ski,
		.sigalg = f.cfg.sigalg,
		.ca_not_before = f.ca_cert->not_before,
		.ca_not_after = f.ca_cert->not_after,
		.max_lifetime = 2 * 365 * 86400,
		.max_crl_lifetime = 30 * 86400,
		.max_backdate = 600,
		.serial_instance = 0x1f,
		.rsa_bits_min = 2048,
		.rsa_bits_max = 4096 };
	tbs = (struct ae_tbs){ .serial = good->serial,
		.sigalg = good->sigalg,
		.issuer = good->issuer,
		.subject = good->subject,
		.not_before = good->not_before,
		.not_after = good->not_after,
		.spki = good->spki,
		.x = good->x };
	tbs.x.raw = NULL;
	tbs.x.nraw = 0;
	return 0;
}

static int
check(struct ae_err *e)
{
	int rc;

	ae_wr_reset(&w);
	assert_int_equal(ae_tbs_encode(&w, &tbs, e), AE_OK);
	rc = ae_ca_sign_check(&cfg, w.p, w.len, FX_NOW, e);
	return rc;
}

static void
refused(const char *why)
{
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(check(&e), AE_EDENIED);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", e.text, why);
	(void)setup(NULL);
	assert_int_equal(check(&e), AE_OK);
}

static void
what_was_decided_is_signed(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(check(&e), AE_OK);
	assert_int_equal(
	    ae_ca_sign_check(&cfg, w.p, w.len, FX_NOW + 250, &e), AE_OK);
}

static void
esc2_no_ca_certificates(void **state)
{
	(void)state;
	tbs.x.has_basic_constraints = tbs.x.ca = true;
	tbs.x.path_len = -1;
	refused("CA certificate");
	tbs.x.has_key_usage = true;
	tbs.x.key_usage = AE_KU_KEY_CERT_SIGN;
	refused("sign certificates");
	tbs.x.key_usage = AE_KU_CRL_SIGN;
	refused("sign certificates");
	tbs.x.has_ca_version = true;
	refused("CA version");
}

static void
esc15_no_extension_that_is_not_ours(void **state)
{
	static const char *const oids[] = { "2.5.29.30", "2.5.29.36",
		"1.3.6.1.4.1.11129.2.4.3", "1.2.3.4" };
	struct ae_ext raw = { .value = { (const uint8_t *)"\x05\x00", 2 } };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		raw.oid = oids[i];
		tbs.x.raw = &raw;
		tbs.x.nraw = 1;
		refused(oids[i]);
	}
	tbs.x.ski = (struct ae_der){ NULL, 0 };
	refused("key identifier");
	tbs.x.aki = (struct ae_der){ NULL, 0 };
	refused("another key of the issuer");
	/* nor under a certificate of the CA with another key */
	tbs.x.aki = good->x.ski;
	refused("another key of the issuer");
}

static void
only_this_issuer_and_algorithm(void **state)
{
	(void)state;
	tbs.issuer = tbs.subject;
	refused("another issuer");
	tbs.sigalg.hash = AE_HASH_SHA384;
	refused("another signature algorithm");
	tbs.sigalg.hash = AE_HASH_SHA1;
	refused("another signature algorithm");
}

static void
f24_only_serials_of_this_instance(void **state)
{
	uint8_t serial[20];

	(void)state;
	memcpy(serial, good->serial.p, 17);
	serial[0] = 0x1e;
	tbs.serial = (struct ae_der){ serial, 17 };
	refused("serial");
	serial[0] = 0x1f;
	tbs.serial = (struct ae_der){ serial, 16 };
	refused("serial");
	memset(serial, 0x1f, sizeof(serial));
	tbs.serial = (struct ae_der){ serial, 18 };
	refused("serial");
}

static void
only_within_time(void **state)
{
	(void)state;
	tbs.not_before = cfg.ca_not_before - 1;
	refused("outside");
	tbs.not_after = cfg.ca_not_after + 1;
	refused("outside");
	tbs.not_before = FX_NOW + 301;
	refused("future");
	tbs.not_before = FX_NOW - 901;
	refused("past");
	tbs.not_before = FX_NOW - 700;
	tbs.not_after = FX_NOW - 300;
	refused("ended");
	tbs.not_after = tbs.not_before + cfg.max_lifetime + 1;
	refused("longer");
	/* no bound of its own: the CA's */
	cfg.max_lifetime = 0;
	tbs.not_after = cfg.ca_not_after;
	assert_int_equal(check(NULL), AE_OK);
	/* as old as the CA itself may be */
	tbs.not_before = cfg.ca_not_before;
	assert_int_equal(check(NULL), AE_OK);
}

static void
only_sound_keys(void **state)
{
	struct ae_key *rsa = NULL;

	(void)state;
	assert_int_equal(ae_key_generate(&rsa, AE_KEY_RSA, 2048, &f.e), AE_OK);
	tbs.spki = ae_key_spki(rsa);
	assert_int_equal(check(NULL), AE_OK);
	cfg.rsa_bits_min = 3072;
	refused("key");
	tbs.spki = ae_key_spki(rsa);
	cfg.rsa_bits_min = cfg.rsa_bits_max = 0;
	refused("key");
	ae_key_free(rsa);
}

static void
not_a_certificate(void **state)
{
	static const char *const v[] = { "", "x", "0\x03\x02\x01\x05" };
	uint8_t *big = calloc(1, AE_CA_TBS_MAX + 1);
	size_t i;

	(void)state;
	assert_non_null(big);
	for (i = 0; i < 3; i++)
		assert_int_equal(
		    ae_ca_sign_check(&cfg, v[i], strlen(v[i]), FX_NOW, NULL),
		    AE_EPROTO);
	/* a whole certificate, its TBS with bytes behind it */
	assert_int_equal(ae_ca_sign_check(&cfg, f.ca_cert->der.p,
			     f.ca_cert->der.len, FX_NOW, NULL),
	    AE_EPROTO);
	assert_int_equal(check(NULL), AE_OK);
	ae_wr_u8(&w, 0);
	assert_int_equal(
	    ae_ca_sign_check(&cfg, w.p, w.len, FX_NOW, NULL), AE_EPROTO);
	assert_int_equal(
	    ae_ca_sign_check(&cfg, big, AE_CA_TBS_MAX + 1, FX_NOW, NULL),
	    AE_EDENIED);
	free(big);
}

static void
mutated(const uint8_t *p, size_t len, void *arg)
{
	struct ae_cert *c = NULL;

	(void)arg;
	if (ae_ca_sign_check(&cfg, p, len, FX_NOW, NULL) != AE_OK)
		return;
	/* what passes keeps every rule, whatever was flipped */
	assert_int_equal(ae_cert_parse_tbs(&c, p, len, NULL), AE_OK);
	assert_false(c->x.ca);
	assert_true(ae_der_equal(c->issuer, cfg.issuer));
	assert_int_equal(c->serial.p[0], cfg.serial_instance);
	assert_true(c->not_after <= cfg.ca_not_after);
	assert_true(c->not_after - c->not_before <= cfg.max_lifetime);
	ae_cert_free(c);
}

static void
mutations(void **state)
{
	(void)state;
	assert_int_equal(check(NULL), AE_OK);
	assert_true(ae_mutate(w.p, w.len, mutated, NULL) > 5000);
}

/* ---- CRLs ---- */

static struct ae_crl_spec crl;

static int
crl_setup(void **state)
{
	(void)setup(state);
	crl = (struct ae_crl_spec){ .sigalg = cfg.sigalg,
		.issuer = cfg.issuer,
		.this_update = FX_NOW - 600,
		.next_update = FX_NOW + 8 * 86400,
		.number = 7,
		.aki = f.ca_cert->x.ski,
		.next_publish = FX_NOW + 7 * 86400 };
	return 0;
}

/* Head, one entry, tail: as they come to the signer. */
static int
check_crl_as(enum ae_crl_reason reason, int64_t revoked, struct ae_err *e)
{
	struct ae_crl_parts parts = { 0 };
	size_t size = ae_crl_entry_size("\x1f\x01", 2, revoked, reason), total;
	struct ae_crl_spec any = crl;
	int rc;

	any.delta = true; /* the writer would not write what we test */
	ae_wr_reset(&w);
	assert_int_equal(ae_crl_head(&w, &total, &crl, size, e), AE_OK);
	rc = ae_crl_parts_head(&parts, w.p, w.len, AE_CA_TBSCRL_MAX, e);
	assert_int_equal(rc, AE_OK);
	total -= w.len;
	ae_wr_reset(&w);
	assert_int_equal(
	    ae_crl_entry(&w, &any, "\x1f\x01", 2, revoked, reason, e), AE_OK);
	assert_int_equal(w.len, size);
	rc = ae_crl_parts_list(&parts, w.p, w.len, e);
	assert_int_equal(rc, AE_OK);
	total -= w.len;
	ae_wr_reset(&w);
	assert_int_equal(ae_crl_tail(&w, &crl, e), AE_OK);
	assert_int_equal(total, w.len);
	rc = ae_ca_sign_check_crl(&cfg, &parts, w.p, w.len, FX_NOW, e);
	ae_crl_parts_done(&parts);
	return rc;
}

static int
check_crl(struct ae_err *e)
{
	return check_crl_as(AE_CRL_SUPERSEDED, FX_NOW - 5, e);
}

static void
refused_crl(const char *why)
{
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(check_crl(&e), AE_EDENIED);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", e.text, why);
	(void)crl_setup(NULL);
}

static void
crls(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(check_crl(&e), AE_OK);
	crl.issuer = good->subject;
	refused_crl("another issuer");
	crl.aki = good->x.ski;
	refused_crl("another key of the issuer");
	crl.sigalg.hash = AE_HASH_SHA512;
	refused_crl("another signature algorithm");
	crl.this_update = FX_NOW + 301;
	refused_crl("of this time");
	crl.this_update = FX_NOW - 901;
	refused_crl("of this time");
	crl.this_update = FX_NOW - 800;
	crl.next_update = FX_NOW;
	refused_crl("ended");
	crl.next_update = FX_NOW + 31 * 86400;
	refused_crl("longer");
	cfg.max_crl_lifetime = 0;
	crl.next_update = cfg.ca_not_after + 1;
	refused_crl("outlives");
	/* deltas: only where there are any, of a base before them */
	crl.delta = true;
	crl.base_number = 3;
	refused_crl("delta of none");
	cfg.max_delta_lifetime = 3 * 86400;
	crl.delta = true;
	crl.base_number = crl.number;
	refused_crl("delta of none");
	cfg.max_delta_lifetime = 3 * 86400;
	crl.delta = true;
	crl.base_number = crl.number - 1;
	crl.next_update = crl.this_update + 4 * 86400;
	refused_crl("longer");
	cfg.max_delta_lifetime = 9 * 86400;
	crl.delta = true;
	crl.base_number = crl.number - 1;
	assert_int_equal(check_crl_as(AE_CRL_REMOVE, FX_NOW, &e), AE_OK);
	(void)crl_setup(NULL);
	assert_int_equal(check_crl_as(AE_CRL_REMOVE, FX_NOW, &e), AE_EDENIED);
	assert_int_equal(
	    check_crl_as(AE_CRL_HOLD, FX_NOW + 301, &e), AE_EDENIED);
	assert_non_null(strstr(e.text, "of the future"));
	(void)crl_setup(NULL);
	assert_int_equal(check_crl(NULL), AE_OK);
	assert_int_equal(
	    ae_ca_sign_check(&cfg, w.p, w.len, FX_NOW, NULL), AE_EPROTO);
}

static void
crl_times(void **state)
{
	const struct ae_ca_crl_config c = { .cert = f.ca_cert,
		.period = 7 * 86400,
		.overlap = 3600,
		.clock_skew = 600 };
	struct ae_ca_crl_config d = c;
	struct ae_ca_crl_plan p;
	const char *why;

	(void)state;
	ae_ca_crl_times(&p, &c, FX_NOW);
	assert_int_equal(p.this_update, FX_NOW - 600);
	assert_int_equal(p.next_publish, FX_NOW + 7 * 86400);
	assert_int_equal(p.next_update, FX_NOW + 7 * 86400 + 3600);
	assert_true(ae_ca_crl_due(&c, NULL, false, FX_NOW, &why));
	assert_string_equal(why, "there is no CRL yet");
	assert_false(ae_ca_crl_due(&c, &p, false, FX_NOW, &why));
	assert_null(why);
	assert_false(ae_ca_crl_due(&c, &p, false, p.next_publish - 1, NULL));
	assert_true(ae_ca_crl_due(&c, &p, false, p.next_publish, &why));
	assert_true(ae_ca_crl_due(&c, &p, true, FX_NOW, &why));
	assert_string_equal(why, "a certificate was revoked");
	/* the clock went back a year */
	assert_true(ae_ca_crl_due(&c, &p, false, FX_NOW - 31536000, &why));
	assert_string_equal(why, "the last CRL is from the future");
	/* the admin wants them daily from now on */
	d.period = 86400;
	assert_true(ae_ca_crl_due(&d, &p, false, FX_NOW + 86400, &why));
	assert_string_equal(why, "the period has become shorter");
	/* defaults, and the CA certificate's end */
	d = (struct ae_ca_crl_config){ .cert = f.ca_cert };
	ae_ca_crl_times(&p, &d, f.ca_cert->not_after - 86400);
	assert_int_equal(p.next_update, f.ca_cert->not_after);
	assert_int_equal(p.next_publish, f.ca_cert->not_after);
	ae_ca_crl_times(&p, &c, f.ca_cert->not_before + 1);
	assert_int_equal(p.this_update, f.ca_cert->not_before);
}

/* ---- responses ---- */

static void
responses(void **state)
{
	struct ae_response_spec s = { .status = AE_CMC_PENDING,
		.request_id = 5,
		.pend_time = FX_NOW,
		.chain = &f.ca_cert->der,
		.nchain = 1,
		.ca = f.ca_cert,
		.hash = AE_HASH_SHA256 };
	struct ae_response *r = NULL;
	struct ae_der attrs;
	uint8_t *copy;
	size_t i;

	(void)state;
	assert_int_equal(ae_response_begin(&r, &attrs, &s, &f.e), AE_OK);
	if (ae_ca_sign_check_response(&cfg, attrs.p, attrs.len, &f.e) != AE_OK)
		fail_msg("%s", f.e.text);
	copy = malloc(attrs.len);
	assert_non_null(copy);
	/* any other byte before the digest is another thing */
	for (i = 0; i < attrs.len; i++) {
		memcpy(copy, attrs.p, attrs.len);
		copy[i] ^= 1;
		assert_int_equal(
		    ae_ca_sign_check_response(&cfg, copy, attrs.len, NULL),
		    i < attrs.len - 32 ? AE_EDENIED : AE_OK);
		assert_int_equal(
		    ae_ca_sign_check_response(&cfg, attrs.p, i, NULL),
		    AE_EDENIED);
	}
	cfg.sigalg.hash = AE_HASH_SHA384;
	assert_int_equal(
	    ae_ca_sign_check_response(&cfg, attrs.p, attrs.len, NULL),
	    AE_EDENIED);
	cfg.sigalg.hash = AE_HASH_SHA1;
	assert_int_equal(
	    ae_ca_sign_check_response(&cfg, attrs.p, attrs.len, NULL),
	    AE_EDENIED);
	/* and it is neither a certificate nor a CRL */
	(void)setup(NULL);
	assert_int_equal(
	    ae_ca_sign_check(&cfg, attrs.p, attrs.len, FX_NOW, NULL),
	    AE_EPROTO);
	free(copy);
	ae_response_free(r);
}

static bool
tortured(void *arg)
{
	(void)arg;
	return ae_ca_sign_check(&cfg, w.p, w.len, FX_NOW, NULL) == AE_OK;
}

static void
torture(void **state)
{
	(void)state;
	assert_int_equal(check(NULL), AE_OK);
	assert_true(ae_torture(tortured, NULL, 300, true) > 3);
}

#define T(x) cmocka_unit_test_setup(x, setup)

static int
begin(void **state)
{
	(void)state;
	if (!fx_begin(&f))
		return -1;
	ae_wr_init(&w, 1 << 17);
	fx_decide(&f);
	return f.d.verdict == AE_CA_ISSUE &&
		ae_cert_parse_tbs(&good, f.d.tbs, f.d.tbs_len, &f.e) == AE_OK
	    ? 0
	    : -1;
}

static int
end(void **state)
{
	(void)state;
	ae_cert_free(good);
	ae_wr_done(&w);
	fx_end(&f);
	return 0;
}

/* f19: half of the time between "replace it" and "it ends". */
static void
f19_a_late_crl_is_told_of(void **state)
{
	const struct ae_ca_crl_config c = { .cert = f.ca_cert,
		.period = 86400,
		.overlap = 7200,
		.clock_skew = 600 };
	struct ae_ca_crl_plan p;

	(void)state;
	ae_ca_crl_times(&p, &c, FX_NOW);
	assert_false(ae_ca_crl_alarm(&p, FX_NOW));
	assert_false(ae_ca_crl_alarm(&p, FX_NOW + 86400));
	assert_false(ae_ca_crl_alarm(&p, FX_NOW + 86400 + 3599));
	assert_true(ae_ca_crl_alarm(&p, FX_NOW + 86400 + 3600));
	assert_true(p.next_update > FX_NOW + 86400 + 3600); /* in time */
	assert_true(ae_ca_crl_alarm(&p, p.next_update + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_decided_is_signed),
		T(esc2_no_ca_certificates),
		T(esc15_no_extension_that_is_not_ours),
		T(only_this_issuer_and_algorithm),
		T(f24_only_serials_of_this_instance),
		T(only_within_time),
		T(only_sound_keys),
		T(not_a_certificate),
		T(mutations),
		cmocka_unit_test_setup(crls, crl_setup),
		T(crl_times),
		T(f19_a_late_crl_is_told_of),
		T(responses),
		T(torture),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
