/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Explanations: everything that the catalogue has can be explained, in both
 * languages, and nothing that is not known is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf16.h"
#include "diag/code.h"
#include "diag/explain.h"
#include "diag/page.h"
#include "wcce/hresult.h"

static struct ae_wr out;

/* The text, and whether it is known. */
static const char *
explained(const char *what, enum ae_diag_lang lang, bool *known)
{
	json_t *j = ae_diag_explain(what, strlen(what), lang);

	assert_non_null(j);
	*known = json_is_true(json_object_get(j, "known"));
	ae_wr_reset(&out);
	ae_diag_explain_text(&out, j, lang);
	json_decref(j);
	assert_true(ae_wr_ok(&out));
	return ae_wr_cstr(&out);
}

static void
says(const char *what, const char *want)
{
	bool known;
	const char *s = explained(what, AE_DIAG_EN, &known);

	if (!known || strstr(s, want) == NULL)
		print_message("%s:\n%s\n", what, s);
	assert_true(known);
	assert_non_null(strstr(s, want));
}

static void
test_asked(void **state)
{
	(void)state;
	says("0x80094012", "token.group-not-in-ticket");
	says("-2146877422", "CERTSRV_E_TEMPLATE_DENIED");
	says("2148089874", "CERTSRV_E_TEMPLATE_DENIED");
	says("1722", "RPC_S_SERVER_UNAVAILABLE");
	says("CE 13", "<template>");
	says("53", "CA 53");
	says("event 53", "CE 53");
	says("AutoEnrollment 15", "dc.unreachable");
	says("template.no-enroll-right", "expected");
	says("KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN", "auth.spn-missing");
	says("Der RPC-Server ist nicht verf\xc3\xbcgbar.",
	    "recognised by its words");
	says("Failed. 0x8009480f (-2146875377 CERTSRV_E_SUBJECT_DNS_REQUIRED)",
	    "join.dnshostname-empty");
	says("nothing-happens: CE 64", "policy");
	says("CA 26", "has started");
	says("LastTaskResult 0x41303", "trigger.never-fired");
}

/* Each has a category, causes and a command to go on with. */
static void
test_json(void **state)
{
	json_t *j = ae_diag_explain("0x800706ba", 10, AE_DIAG_FR), *item;
	json_t *first;

	(void)state;
	assert_string_equal(
	    json_string_value(json_object_get(j, "lang")), "fr");
	item = json_array_get(json_object_get(j, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "symbol")),
	    "RPC_S_SERVER_UNAVAILABLE");
	assert_int_equal(
	    json_integer_value(json_object_get(item, "win32")), 1722);
	first = json_array_get(json_object_get(item, "causes"), 0);
	assert_string_equal(
	    json_string_value(json_object_get(first, "check_id")),
	    "dns.ca-name-unresolvable");
	assert_non_null(json_object_get(first, "question"));
	assert_true(json_array_size(json_object_get(item, "run")) > 1);
	json_decref(j);
}

static void
test_unknown(void **state)
{
	bool known;

	(void)state;
	assert_non_null(
	    strstr(explained("CERTSRV_E_TEMPLATE_DENIE", AE_DIAG_EN, &known),
		"CERTSRV_E_TEMPLATE_DENIED"));
	assert_false(known);
	assert_non_null(
	    strstr(explained("template.no-enrol-right", AE_DIAG_EN, &known),
		"template.no-enroll-right"));
	assert_false(known);
	assert_non_null(strstr(
	    explained("0x80094099", AE_DIAG_EN, &known), "not known here"));
	assert_false(known);
	(void)explained("CE 9999", AE_DIAG_EN, &known);
	assert_false(known);
	(void)explained("hello world", AE_DIAG_FR, &known);
	assert_false(known);
	(void)explained("", AE_DIAG_EN, &known);
	assert_false(known);
}

/* Everything there is, in both languages, fits and is text. */
static void
test_everything(void **state)
{
	const struct ae_event_def *def;
	char key[AE_DIAG_KEY_MAX];
	bool known;
	size_t i;
	unsigned lang;

	(void)state;
	for (lang = 0; lang < AE_DIAG_LANGS; lang++) {
		for (i = 0; i < ae_diag_ntexts; i++) {
			assert_true(ae_utf8_valid(explained(ae_diag_texts[i].id,
			    (enum ae_diag_lang)lang, &known)));
			assert_true(known);
		}
		for (i = 2; i < ae_hresult_count; i++) {
			(void)snprintf(key, sizeof(key), "0x%08x",
			    ae_hresult_table[i].value);
			(void)explained(key, (enum ae_diag_lang)lang, &known);
			assert_true(known);
		}
		for (i = 0; (def = ae_event_row(i)) != NULL &&
		     def->source <= AE_EVENT_CERTENROLL;
		     i++) {
			(void)snprintf(key, sizeof(key), "%s %u",
			    ae_event_source_short(def->source), def->id);
			(void)explained(key, (enum ae_diag_lang)lang, &known);
			assert_true(known);
		}
	}
}

/* Commands that are named exist: the first word is one of two programs. */
static void
test_commands(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ae_diag_ntexts; i++) {
		const char *s = ae_diag_command(ae_diag_texts[i].id);

		assert_true(strncmp(s, "autoenroll ", 11) == 0 ||
		    strncmp(s, "certsrv ", 8) == 0);
	}
}

static void
test_page(void **state)
{
	const char *line, *end;

	(void)state;
	ae_wr_reset(&out);
	ae_diag_page(&out, 2, "label",
	    "eins zwei drei vier f\xc3\xbcnf sechs sieben acht neun zehn elf "
	    "zw\xc3\xb6lf dreizehn vierzehn \x1b[2J Ende gut");
	for (line = ae_wr_cstr(&out); *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(end - line <= AE_DIAG_PAGE_WIDTH + 4);
	}
	assert_non_null(strstr(ae_wr_cstr(&out), "\\x1b[2J"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_page),
	};
	int rc;

	ae_wr_init(&out, 1u << 20);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	ae_wr_done(&out);
	return rc;
}
