/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Other programs on the host: what their facts come to in words, and what is
 * read out of SSSD's settings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/others.h"
#include "diag/sssd_conf.h"

#define MONGER(requests)                                        \
	"{\"foreign\": {\"certmonger\": {\"installed\": true, " \
	"\"requests\": [" requests "]}}}"
#define SSSD(domain)                                                          \
	"{\"foreign\": {\"sssd\": {\"installed\": true, \"readable\": true, " \
	"\"domains\": [{\"name\": \"lab.example\", \"provider\": "            \
	"\"ad\"" domain "}]}}}"

static json_t *
others(const char *facts, enum ae_diag_lang lang)
{
	json_t *f = json_loads(facts, 0, NULL), *list;

	assert_non_null(f);
	list = ae_diag_others(f, lang);
	json_decref(f);
	assert_non_null(list);
	return list;
}

/* The only line is of this program and has these words. */
static void
assert_one(const char *facts, const char *name, const char *words)
{
	json_t *list = others(facts, AE_DIAG_EN), *o;

	assert_int_equal(json_array_size(list), 1);
	o = json_array_get(list, 0);
	assert_string_equal(
	    json_string_value(json_object_get(o, "name")), name);
	assert_non_null(
	    strstr(json_string_value(json_object_get(o, "state")), words));
	json_decref(list);
}

static void
nothing_is_said_of_what_is_not_there(void **state)
{
	static const char *const none[] = { "{}", "{\"foreign\": {}}",
		"{\"foreign\": {\"certmonger\": {\"installed\": false, "
		"\"requests\": [{\"state\": \"MONITORING\"}]}, \"sssd\": "
		"{\"installed\": false}}}",
		"{\"foreign\": {\"certmonger\": 7, \"sssd\": []}}" };
	json_t *list;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		list = others(none[i], AE_DIAG_EN);
		assert_int_equal(json_array_size(list), 0);
		json_decref(list);
	}
}

static void
states_are_counted_and_explained(void **state)
{
	json_t *list = others(MONGER("{\"state\": \"MONITORING\"}, "
				     "{\"state\": \"CA_UNREACHABLE\"}, "
				     "{\"state\": \"MONITORING\"}, "
				     "{\"state\": \"SUBMITTING\"}"),
	    AE_DIAG_EN);
	static const char *const begin[] = { "2 in state MONITORING: the ",
		"1 in state CA_UNREACHABLE: its helper",
		"1 in state SUBMITTING: a step" };
	const char *s;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(list), 3);
	for (i = 0; i < 3; i++) {
		s = json_string_value(
		    json_object_get(json_array_get(list, i), "state"));
		assert_memory_equal(s, begin[i], strlen(begin[i]));
	}
	json_decref(list);
	assert_one(MONGER(""), "certmonger", "looks after no certificate");
	/* A file may say anything. */
	assert_one(MONGER("{\"state\": \"\\u001b[2J\"}"), "certmonger",
	    "1 in state \\x1b[2J: a step");
	assert_one(MONGER("7"), "certmonger", "1 in state : a step");
}

static void
more_states_than_anybody_has_are_cut(void **state)
{
	char facts[4096], *p = facts;
	json_t *list;
	int i;

	(void)state;
	p += sprintf(p,
	    "{\"foreign\": {\"certmonger\": {\"installed\": true,"
	    " \"requests\": [");
	for (i = 0; i < 40; i++)
		p +=
		    sprintf(p, "%s{\"state\": \"S%d\"}", i == 0 ? "" : ", ", i);
	(void)sprintf(p, "]}}}");
	list = others(facts, AE_DIAG_EN);
	assert_int_equal(json_array_size(list), 16);
	json_decref(list);
}

static void
sssd_is_online_offline_or_nobody_knows(void **state)
{
	(void)state;
	assert_one(SSSD(", \"online\": true"), "SSSD", "is online (ad)");
	assert_one(SSSD(", \"online\": false"), "SSSD", "get no ticket");
	assert_one(SSSD(""), "SSSD", "`sssctl domain-status lab.example`");
	assert_one("{\"foreign\": {\"sssd\": {\"installed\": true, "
		   "\"readable\": false}}}",
	    "SSSD", "by root alone");
	assert_one("{\"foreign\": {\"sssd\": {\"installed\": true, "
		   "\"readable\": true}}}",
	    "SSSD", "no domain");
}

static void
each_language_has_words_of_its_own(void **state)
{
	static const char facts[] =
	    "{\"foreign\": {\"certmonger\": {\"installed\": true}, "
	    "\"cepces\": {\"installed\": true}, \"samba\": {\"enrolls\": "
	    "true}, \"adsys\": {\"enrolls\": true}, \"sssd\": "
	    "{\"installed\": true, \"readable\": true, \"domains\": [{"
	    "\"name\": \"d\", \"renews_password\": true}]}}}";
	json_t *en = others(facts, AE_DIAG_EN), *fr = others(facts, AE_DIAG_FR);
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(en), 6);
	assert_int_equal(json_array_size(fr), 6);
	for (i = 0; i < 6; i++)
		assert_false(
		    json_equal(json_array_get(en, i), json_array_get(fr, i)));
	json_decref(en);
	json_decref(fr);
}

static void
settings_of_sssd_are_read(void **state)
{
	static const char text[] =
	    "# comment\n"
	    "[sssd]\n"
	    "domains = lab.example , Sub.example\n"
	    "[domain/lab.example]\n"
	    "id_provider = ad\r\n"
	    ";id_provider = ldap\n"
	    "[domain/old.example]\n"
	    "id_provider = ad\n"
	    "[domain/sub.example]\n"
	    " id_provider=ad\n"
	    "ad_maximum_machine_account_password_age = 0\n"
	    "[nss]\n"
	    "domains = x\n";
	struct ae_sssd_domain v[AE_SSSD_DOMAINS_MAX];

	(void)state;
	assert_int_equal(ae_sssd_domains(v, text), 2);
	assert_string_equal(v[0].name, "lab.example");
	assert_string_equal(v[0].provider, "ad");
	assert_true(v[0].renews_password);
	assert_string_equal(v[1].name, "sub.example");
	assert_false(v[1].renews_password);
	/* Nobody chose: all of them.  Only AD has such a password. */
	assert_int_equal(
	    ae_sssd_domains(v, "[domain/a]\nid_provider=ldap\n[domain/b]"), 2);
	assert_false(v[0].renews_password);
	assert_string_equal(v[1].provider, "");
}

static void
damaged_settings_are_no_harm(void **state)
{
	struct ae_sssd_domain v[AE_SSSD_DOMAINS_MAX];
	char text[20000];
	size_t i;

	(void)state;
	assert_int_equal(ae_sssd_domains(v, ""), 0);
	assert_int_equal(ae_sssd_domains(v, "[domain/"), 1);
	assert_int_equal(ae_sssd_domains(v, "=\n[\n]\n=["), 0);
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "[domain/", 8);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(ae_sssd_domains(v, text), 1);
	assert_int_equal(strlen(v[0].name), AE_SSSD_NAME_MAX - 1);
	for (i = 0; i + 11 < sizeof(text); i += 11)
		memcpy(text + i, "[domain/x]\n", 11);
	text[i] = '\0';
	assert_int_equal(ae_sssd_domains(v, text), AE_SSSD_DOMAINS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_of_what_is_not_there),
		cmocka_unit_test(states_are_counted_and_explained),
		cmocka_unit_test(more_states_than_anybody_has_are_cut),
		cmocka_unit_test(sssd_is_online_offline_or_nobody_knows),
		cmocka_unit_test(each_language_has_words_of_its_own),
		cmocka_unit_test(settings_of_sssd_are_read),
		cmocka_unit_test(damaged_settings_are_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
