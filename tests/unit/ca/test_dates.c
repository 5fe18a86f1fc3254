/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Dates that a request's attributes ask for: StartDate, ExpirationDate,
 * ValidityPeriod with ValidityPeriodUnits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "ca/signcheck.h"
#include "fixture.h"

#define HOUR 3600
#define LIFE (30 * 86400) /* the template's */

static struct fx f;

static int
setup(void **state)
{
	(void)state;
	return fx_begin(&f) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	fx_end(&f);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	fx_reset(&f);
	f.cfg.request_dates = true;
	f.t.validity = LIFE;
	return 0;
}

/* RFC 2616 3.3.1 */
static const char *
date(int64_t t)
{
	static char out[64];
	const time_t tt = (time_t)t;
	struct tm tm;

	assert_non_null(gmtime_r(&tt, &tm));
	(void)strftime(out, sizeof(out), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return out;
}

static void
decide(const char *attributes, const char *value)
{
	static char text[512];

	(void)snprintf(text, sizeof(text), "CertificateTemplate:%s\n%s%s",
	    f.t.cn, attributes, value);
	f.rq.attributes = text;
	fx_decide(&f);
}

static void
issued(int64_t from, int64_t to)
{
	if (f.d.verdict != AE_CA_ISSUE)
		fail_msg("%s", f.d.message);
	assert_int_equal(f.d.not_before, from);
	assert_int_equal(f.d.not_after, to);
}

static void
refused(const char *text)
{
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, 0x8007076d);
	assert_string_equal(fx_stop(&f)->check, "request.dates");
	if (strstr(f.d.message, text) == NULL)
		fail_msg("%s", f.d.message);
}

#define FROM (FX_NOW - 600)
#define TO (FROM + LIFE)

static void
without_the_setting_they_are_ignored(void **state)
{
	(void)state;
	f.cfg.request_dates = false;
	decide("StartDate:", date(FX_NOW + HOUR));
	issued(FROM, TO);
	assert_true(fx_has_reason(&f, "request.attribute-ignored"));
	decide("ExpirationDate:", "nonsense");
	issued(FROM, TO);
	decide("ValidityPeriod:Days\nValidityPeriodUnits:", "1");
	issued(FROM, TO);
}

static void
beginnings(void **state)
{
	(void)state;
	decide("StartDate:", date(FX_NOW + HOUR));
	issued(FX_NOW + HOUR, TO);
	assert_true(fx_has_reason(&f, "request.dates"));
	assert_false(fx_has_reason(&f, "request.attribute-ignored"));
	decide("StartDate:", date(FX_NOW));
	issued(FX_NOW, TO);
	decide("StartDate:", date(FX_NOW - 1));
	refused("it has passed");
	decide("StartDate:", date(TO - 1));
	issued(TO - 1, TO);
	decide("StartDate:", date(TO));
	refused("would have ended by then");
	decide("StartDate:", "2026-11-18T11:06:40Z");
	refused("no date of RFC 2616");
}

static void
ends(void **state)
{
	(void)state;
	decide("ExpirationDate:", date(FX_NOW + HOUR));
	issued(FROM, FX_NOW + HOUR);
	decide("ExpirationDate:", date(FX_NOW));
	refused("nothing would be left");
	/* never later than the template has it, nor than the CA's own end */
	decide("ExpirationDate:", date(TO + HOUR));
	issued(FROM, TO);
	decide("ExpirationDate:", "Tue, 31 Feb 2040 01:06:53 GMT");
	refused("no date of RFC 2616");
	/* the date goes before the period (3.2.1.4.2.1.2) */
	decide("ValidityPeriod:Hours\nValidityPeriodUnits:1\nExpirationDate:",
	    date(FX_NOW + 2 * HOUR));
	issued(FROM, FX_NOW + 2 * HOUR);
	/* both together */
	decide("ValidityPeriod:Hours\nValidityPeriodUnits:1\nStartDate:",
	    date(FX_NOW + HOUR));
	issued(FX_NOW + HOUR, FX_NOW + 2 * HOUR);
}

static void
periods(void **state)
{
	static const struct {
		const char *unit, *count;
		int64_t seconds; /* 0: refused; -1: the template's own */
	} v[] = {
		{ "Seconds", "700", 700 }, { "minutes", "20", 1200 },
		{ "Hours", "5", 5 * HOUR }, { "Days", "2", 2 * 86400 },
		{ "WEEKS", "3", 21 * 86400 }, { "Months", "12", -1 },
		{ "Years", "1", -1 }, { "Years", "100000", -1 },
		{ "Years", "100001", 0 }, { "Fortnights", "1", 0 },
		{ "Days", "0", 0 }, { "Days", "-1", 0 }, { "Days", "1x", 0 },
		{ "Days", "99999999999999999999", 0 },
		{ "Seconds", "5", 0 }, /* over before it is there */
	};
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "ValidityPeriod:%s\nValidityPeriodUnits:%s", v[i].unit,
		    v[i].count);
		decide(text, "");
		if (v[i].seconds == 0)
			refused("ValidityPeriod");
		else
			issued(
			    FROM, v[i].seconds < 0 ? TO : FROM + v[i].seconds);
	}
	/* half of it */
	decide("ValidityPeriod:Days", "");
	refused("ValidityPeriod");
	decide("ValidityPeriodUnits:3", "");
	refused("ValidityPeriod");
}

/* The signer knows, too, whether a beginning may be in the future. */
static void
the_signer_allows_what_is_configured(void **state)
{
	struct ae_ca_sign_config sign = { .issuer = f.ca_cert->subject,
		.sigalg = f.cfg.sigalg,
		.ca_not_before = f.ca_cert->not_before,
		.ca_not_after = f.ca_cert->not_after,
		.max_backdate = 600,
		.serial_instance = 0x1f,
		.rsa_bits_min = 2048,
		.rsa_bits_max = 4096 };
	struct ae_cert *c = NULL;

	(void)state;
	decide("StartDate:", date(FX_NOW + HOUR));
	issued(FX_NOW + HOUR, TO);
	assert_int_equal(
	    ae_cert_parse_tbs(&c, f.d.tbs, f.d.tbs_len, &f.e), AE_OK);
	sign.keyid = c->x.aki;
	assert_int_equal(
	    ae_ca_sign_check(&sign, f.d.tbs, f.d.tbs_len, FX_NOW, &f.e),
	    AE_EDENIED);
	assert_non_null(strstr(f.e.text, "begins in the future"));
	sign.max_postdate = HOUR;
	assert_int_equal(
	    ae_ca_sign_check(&sign, f.d.tbs, f.d.tbs_len, FX_NOW, &f.e), AE_OK);
	ae_cert_free(c);
}

#define T(t) cmocka_unit_test_setup(t, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_the_setting_they_are_ignored),
		T(beginnings),
		T(ends),
		T(periods),
		T(the_signer_allows_what_is_configured),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
