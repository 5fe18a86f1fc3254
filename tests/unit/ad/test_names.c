/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Escaping, result codes, and what is believed before authentication:
 * service records and LDAP pings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ldap.h>
#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "ad/locate.h"
#include "ad/principal.h"
#include "ad/result.h"
#include "hexfile.h"
#include "mutate.h"

static void
esc17_hosts_of_service_names(void **state)
{
	static const struct {
		const char *spn, *host;
	} rows[] = {
		{ "HTTP/www.example.com", "www.example.com" },
		{ "HTTP/www.example.com:8443", "www.example.com" },
		{ "ldap/dc1.example.com/example.com", "dc1.example.com" },
		{ "HOST/PC1", "PC1" },
		{ "HOST", "" },
		{ "HTTP/", "" },
		{ "HTTP/:80", "" },
		{ "HTTP/a.host.too.long.for.it", "" },
	};
	char host[20];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = ae_spn_host(
		    host, sizeof(host), rows[i].spn, strlen(rows[i].spn));
		assert_int_equal(n, strlen(rows[i].host));
		if (n > 0)
			assert_string_equal(host, rows[i].host);
	}
	/* nothing that a NUL cuts short */
	assert_int_equal(ae_spn_host(host, sizeof(host), "H/a\0b", 5), 0);
}

static void
injection_filter_values(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{ "pc1.lab.example", 15, "pc1.lab.example" },
		{ "*)(cn=*", 7, "\\2a\\29\\28cn=\\2a" },
		{ "a\\b", 3, "a\\5cb" },
		{ "a\0b", 3, "a\\00b" },
		{ "\xc3\xa4", 2, "\\c3\\a4" },
		{ "", 0, "" },
	};
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ae_wr_init(&w, 100);
		ae_ad_put_filter_value(&w, rows[i].in, rows[i].len);
		assert_string_equal(ae_wr_cstr(&w), rows[i].out);
		ae_wr_done(&w);
	}
}

static void
injection_dn_values(void **state)
{
	static const char *const rows[][2] = {
		{ "LAB CA", "LAB CA" },
		{ "a,b+c\"d\\e<f>g;h=i",
		    "a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h\\=i" },
		{ " x ", "\\ x\\ " },
		{ "#x#", "\\#x#" },
		{ "a\nb", "a\\0ab" },
		{ "\xc3\xa4", "\xc3\xa4" },
	};
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ae_wr_init(&w, 100);
		ae_ad_put_dn_value(&w, rows[i][0]);
		assert_string_equal(ae_wr_cstr(&w), rows[i][1]);
		ae_wr_done(&w);
	}
}

static void
dn_parts(void **state)
{
	static const char *const none[] = { "", "CN=x", "DC=", "DC=a,CN=b",
		"DC=a,CN=b,DC=c", "DC=a b", "DC=a,,DC=b", "DC=a\\,b" };
	char dns[64];
	size_t i;

	(void)state;
	assert_true(ae_ad_dn_to_dns(dns, 64, "CN=a\\,DC=x,dc=lab,DC=example"));
	assert_string_equal(dns, "lab.example");
	assert_false(ae_ad_dn_to_dns(dns, 8, "DC=lab,DC=example"));
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (ae_ad_dn_to_dns(dns, sizeof(dns), none[i]))
			fail_msg("%s", none[i]);
	assert_string_equal(ae_ad_dn_parent("CN=a\\,b,DC=c"), "DC=c");
	assert_null(ae_ad_dn_parent("DC=c"));
	assert_null(ae_ad_dn_parent("CN=a\\"));
}

static void
dns_names(void **state)
{
	static const char *const bad[] = { "", ".", "a..b", "a.", ".a", "a b",
		"a/b", "[::1]", "a:389", "ldap://x", "\xc3\xa4" };
	char name[300];
	size_t i;

	(void)state;
	assert_true(ae_ad_dns_ok("dc1.lab.example"));
	assert_true(ae_ad_dns_ok("_x-1.Y"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ae_ad_dns_ok(bad[i]))
			fail_msg("%s", bad[i]);
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	assert_true(ae_ad_dns_ok(name));
	name[63] = 'a';
	name[64] = '\0';
	assert_false(ae_ad_dns_ok(name));
	memset(name, 'a', sizeof(name));
	for (i = 50; i < 254; i += 51)
		name[i] = '.';
	name[254] = '\0';
	assert_false(ae_ad_dns_ok(name));
}

/* MS-WCCE 3.2.2.1.7. */
static void
hresults(void **state)
{
	(void)state;
	assert_int_equal(ae_ad_result_hresult(LDAP_SUCCESS, "x"), 0);
	assert_int_equal(ae_ad_result_hresult(LDAP_NO_SUCH_OBJECT,
			     "0000208D: NameErr: DSID-0310"),
	    0x8007208d);
	assert_int_equal(
	    ae_ad_result_hresult(LDAP_OTHER, "00000000: x"), 0x80072095);
	assert_int_equal(
	    ae_ad_result_hresult(LDAP_OTHER, "80090308: LdapErr"), 0x80090308);
	assert_int_equal(
	    ae_ad_result_hresult(LDAP_INSUFFICIENT_ACCESS, "no"), 0x80070005);
	assert_int_equal(
	    ae_ad_result_hresult(LDAP_SERVER_DOWN, NULL), 0x8007003a);
	assert_int_equal(ae_ad_result_hresult(77, "0000208"), 0x80072095);
}

static void
result_codes(void **state)
{
	(void)state;
	assert_int_equal(ae_ad_result_rc(LDAP_SUCCESS), AE_OK);
	assert_int_equal(ae_ad_result_rc(LDAP_SERVER_DOWN), AE_EUNAVAIL);
	assert_int_equal(ae_ad_result_rc(LDAP_TIMEOUT), AE_ETIMEDOUT);
	assert_int_equal(ae_ad_result_rc(LDAP_NO_SUCH_OBJECT), AE_ENOTFOUND);
	assert_int_equal(ae_ad_result_rc(LDAP_INSUFFICIENT_ACCESS), AE_EDENIED);
	assert_int_equal(ae_ad_result_rc(LDAP_STRONG_AUTH_REQUIRED), AE_EAUTH);
	assert_int_equal(ae_ad_result_rc(12345), AE_EREMOTE);
}

static void
ping(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_ad_ping p;
	size_t len;
	uint8_t *b = ae_hexfile(AE_VECTORS, "ad-ldap-ping.hex", &len);

	(void)state;
	assert_int_equal(ae_ad_ping_decode(&p, b, len, &e), AE_OK);
	assert_string_equal(p.forest, "lab.example");
	assert_string_equal(p.domain, "lab.example");
	assert_string_equal(p.host, "dc1.lab.example");
	assert_string_equal(p.netbios_domain, "LAB");
	assert_string_equal(p.netbios_host, "DC1");
	assert_string_equal(p.dc_site, "Default-First-Site-Name");
	assert_string_equal(p.client_site, "Default-First-Site-Name");
	assert_true((p.flags & AE_AD_DS_PDC) != 0);
	assert_true((p.flags & AE_AD_DS_CLOSEST) != 0);
	b[0] = 24; /* netlogon is paused there */
	assert_int_equal(ae_ad_ping_decode(&p, b, len, &e), AE_EUNAVAIL);
	b[0] = 19;
	assert_int_equal(ae_ad_ping_decode(&p, b, len, &e), AE_EPROTO);
	assert_int_equal(ae_ad_ping_decode(&p, b, 10, &e), AE_EPROTO);
	free(b);
}

/* Name compression that runs in circles, forward, or out of bounds. */
static void
ping_names(void **state)
{
	static const uint8_t tails[][8] = {
		{ 0xc0, 24 },	       /* to itself */
		{ 0xc0, 26 },	       /* forward */
		{ 1, 'a', 0xc0, 24 },  /* a loop of two */
		{ 0x80, 1, 'a', 0 },   /* reserved kind */
		{ 0x40, 1, 'a', 0 },   /* reserved kind */
		{ 63, 'a', 0 },	       /* past the end */
		{ 3, 'a', 0, 'b', 0 }, /* NUL in a label */
		{ 2, 0xff, 0xfe, 0 },  /* not UTF-8 */
	};
	uint8_t b[32];
	struct ae_ad_ping p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		memset(b, 0, sizeof(b));
		b[0] = 23;
		memcpy(b + 24, tails[i], 8);
		if (ae_ad_ping_decode(&p, b, sizeof(b), NULL) != AE_EPROTO)
			fail_msg("row %zu", i);
	}
}

static void
mutated_ping(const uint8_t *p, size_t len, void *arg)
{
	struct ae_ad_ping out;

	(void)arg;
	if (ae_ad_ping_decode(&out, p, len, NULL) == AE_OK)
		assert_true(strlen(out.host) < sizeof(out.host));
}

static void
mutated_srv(const uint8_t *p, size_t len, void *arg)
{
	struct ae_ad_srv v[4];
	size_t n = ae_ad_srv_decode(v, 4, p, len);

	(void)arg;
	while (n-- > 0)
		assert_true(ae_ad_dns_ok(v[n].host));
}

static void
every_mutation(void **state)
{
	size_t len;
	uint8_t *b = ae_hexfile(AE_VECTORS, "ad-ldap-ping.hex", &len);

	(void)state;
	assert_true(ae_mutate(b, len, mutated_ping, NULL) > len);
	free(b);
	b = ae_hexfile(AE_VECTORS, "ad-srv.hex", &len);
	assert_true(ae_mutate(b, len, mutated_srv, NULL) > len);
	free(b);
}

static void
service_records(void **state)
{
	struct ae_ad_srv v[4];
	size_t len;
	uint8_t *b = ae_hexfile(AE_VECTORS, "ad-srv.hex", &len);

	(void)state;
	assert_int_equal(ae_ad_srv_decode(v, 4, b, len), 1);
	assert_string_equal(v[0].host, "dc1.lab.example");
	assert_int_equal(v[0].port, 389);
	assert_int_equal(v[0].weight, 100);
	assert_int_equal(ae_ad_srv_decode(v, 0, b, len), 0);
	assert_int_equal(ae_ad_srv_decode(v, 4, b, 5), 0);
	free(b);
}

static void
record_order(void **state)
{
	struct ae_ad_srv v[4];
	size_t i, heavy = 0, light = 0;
	uint64_t seed = 42;

	(void)state;
	for (i = 0; i < 1000; i++) {
		memset(v, 0, sizeof(v));
		v[0] = (struct ae_ad_srv){ "c", 389, 10, 1 };
		v[1] = (struct ae_ad_srv){ "b", 389, 1, 90 };
		v[2] = (struct ae_ad_srv){ "a", 389, 1, 10 };
		v[3] = (struct ae_ad_srv){ "z", 389, 1, 0 };
		ae_ad_srv_order(v, 4, &seed);
		assert_string_equal(v[3].host, "c"); /* lower priority last */
		heavy += v[0].host[0] == 'b';
		light += v[0].host[0] == 'z';
	}
	assert_in_range(heavy, 850, 950);
	assert_in_range(light, 0, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(esc17_hosts_of_service_names),
		cmocka_unit_test(injection_filter_values),
		cmocka_unit_test(injection_dn_values),
		cmocka_unit_test(dn_parts),
		cmocka_unit_test(dns_names),
		cmocka_unit_test(hresults),
		cmocka_unit_test(result_codes),
		cmocka_unit_test(ping),
		cmocka_unit_test(ping_names),
		cmocka_unit_test(every_mutation),
		cmocka_unit_test(service_records),
		cmocka_unit_test(record_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
