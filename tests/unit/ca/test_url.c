/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The variables of URLs, with the lists that a Windows CA begins with.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "ca/url.h"

static struct ae_ca_url_vars vars;

static int
setup(void **state)
{
	(void)state;
	vars = (struct ae_ca_url_vars){ .dns_name = "ca1.example.com",
		.ca_name = "Example Issuing CA!0028West!0029",
		.ca_short = "Example Issuing CA",
		.config_dn = "CN=Configuration,DC=example,DC=com" };
	return 0;
}

static void
becomes(const char *url, const char *want)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_strv out = { NULL, 0 };

	assert_int_equal(ae_ca_url_expand(&out, &vars, url, &e), AE_OK);
	assert_int_equal(out.n, 1);
	assert_string_equal(out.v[0], want);
	ae_strv_done(&out);
}

static void
those_of_a_windows_ca(void **state)
{
	(void)state;
	becomes("ldap:///CN=%7%8,CN=%2,CN=CDP,CN=Public Key Services,"
		"CN=Services,%6%10",
	    "ldap:///"
	    "CN=Example%20Issuing%20CA%8,CN=ca1,CN=CDP,CN=Public%20Key%20"
	    "Services,CN=Services,CN=Configuration,DC=example,DC=com"
	    "?certificateRevocationList?base?objectClass=cRLDistributionPoint");
	becomes("ldap:///CN=%7,CN=AIA,%6%11",
	    "ldap:///CN=Example%20Issuing%20CA,CN=AIA,CN=Configuration,"
	    "DC=example,DC=com?cACertificate?base?"
	    "objectClass=certificationAuthority");
	becomes("http://%1/CertEnroll/%3%8%9.crl",
	    "http://ca1.example.com/CertEnroll/"
	    "Example%20Issuing%20CA!0028West!0029%8.crl");
	becomes("http://%1/CertEnroll/%1_%3%4.crt",
	    "http://ca1.example.com/CertEnroll/ca1.example.com_"
	    "Example%20Issuing%20CA!0028West!0029%4.crt");
}

static void
what_is_no_variable_stays(void **state)
{
	static const char *const v[] = { "http://p/a.crl",
		"http://p/Example%20CA.crl", "http://p/%2F%3a%7E", "%", "%%",
		"http://p/%5%0%12", "", "%4%8" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		becomes(v[i], v[i]);
	becomes("%1%", "ca1.example.com%");
}

static void
names_are_encoded(void **state)
{
	(void)state;
	vars.ca_short = "50% \"off\"?#<\xc3\xbc>";
	becomes(
	    "ldap:///CN=%7", "ldap:///CN=50%25%20%22off%22%3F%23%3C%C3%BC%3E");
	vars.dns_name = "standalone";
	becomes("%2", "standalone");
}

static void
without_a_directory(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_strv out = { NULL, 0 };

	(void)state;
	vars.config_dn = NULL;
	assert_int_equal(
	    ae_ca_url_expand(&out, &vars, "ldap:///%6%10", &e), AE_EUNAVAIL);
	assert_int_equal(out.n, 0);
	becomes("http://%1/", "http://ca1.example.com/");
}

static void
too_long(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_strv out = { NULL, 0 };
	char url[4200];

	(void)state;
	memset(url, 'x', sizeof(url) - 1);
	url[sizeof(url) - 1] = '\0';
	assert_int_equal(ae_ca_url_expand(&out, &vars, url, &e), AE_ELIMIT);
	assert_int_equal(out.n, 0);
	ae_strv_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(those_of_a_windows_ca, setup),
		cmocka_unit_test_setup(what_is_no_variable_stays, setup),
		cmocka_unit_test_setup(names_are_encoded, setup),
		cmocka_unit_test_setup(without_a_directory, setup),
		cmocka_unit_test_setup(too_long, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
