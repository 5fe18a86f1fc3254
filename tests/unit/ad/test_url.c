/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of ad/url.h: addresses as CAs write them into certificates, and what
 * a stranger might.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ad/url.h"

static void
what_cas_write(void **state)
{
	static const struct {
		const char *url, *host, *dn, *attr;
	} rows[] = {
		{ "ldap:///CN=Lab%20CA,CN=AIA,CN=Public%20Key%20Services,"
		  "CN=Services,CN=Configuration,DC=lab,DC=example"
		  "?cACertificate?base?objectClass=certificationAuthority",
		    "",
		    "CN=Lab CA,CN=AIA,CN=Public Key Services,CN=Services,"
		    "CN=Configuration,DC=lab,DC=example",
		    "cACertificate" },
		{ "LDAP://dc1.lab.example:389/CN=x,DC=y"
		  "?certificateRevocationList;binary",
		    "dc1.lab.example", "CN=x,DC=y",
		    "certificateRevocationList" },
		{ "ldap:///CN=%C3%A4?a-1?BASE?", "", "CN=\xc3\xa4", "a-1" },
		{ "ldap:///CN=a%3Fb?c?base?(x=y)", "", "CN=a?b", "c" },
	};
	struct ae_ad_url u;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ae_ad_url_parse(&u, rows[i].url, NULL), AE_OK);
		assert_string_equal(u.host, rows[i].host);
		assert_string_equal(u.dn, rows[i].dn);
		assert_string_equal(u.attr, rows[i].attr);
	}
}

static void
what_a_stranger_might(void **state)
{
	static const char *const bad[] = { "", "ldap:", "ldap://",
		"ldaps:///CN=a?b", "http://a/b", "ldap:///CN=a", "ldap:///?b",
		"ldap:///CN=a?", "ldap:///CN=a?b,c", "ldap:///CN=a?*",
		"ldap:///CN=a?;binary", "ldap:///CN=a?b?sub",
		"ldap:///CN=a?b?one?", "ldap:///CN=a?b?base?f?!x",
		"ldap:///CN=a%0?b", "ldap:///CN=a%?b", "ldap:///CN=a%zz?b",
		"ldap:///CN=a%00?b", "ldap:///CN=a\nb?c", "ldap:///CN=a%0ab?c",
		"ldap://a b/CN=a?b", "ldap://[::1]/CN=a?b",
		"ldap://u@h/CN=a?b" };
	struct ae_ad_url u = { "kept" };
	char longer[AE_AD_URL_MAX + 64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ae_ad_url_parse(&u, bad[i], NULL) != AE_EPROTO)
			fail_msg("%s", bad[i]);
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longer, "ldap:///CN=", 11);
	assert_int_equal(ae_ad_url_parse(&u, longer, NULL), AE_EPROTO);
	longer[1500] = '\0'; /* a URL, but no name that we keep */
	assert_int_equal(ae_ad_url_parse(&u, longer, NULL), AE_EPROTO);
	assert_string_equal(u.host, "kept");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cas_write),
		cmocka_unit_test(what_a_stranger_might),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
