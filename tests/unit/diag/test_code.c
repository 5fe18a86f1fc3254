/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Codes, events and sentences picked out of messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/code.h"
#include "wcce/hresult.h"

static struct ae_diag_mention got[AE_DIAG_MENTIONS_MAX];

static size_t
scan(const char *s)
{
	return ae_diag_scan(got, s, strlen(s));
}

/* Exactly this code is found. */
static void
one_code(const char *s, enum ae_diag_space space, uint32_t value)
{
	size_t n = scan(s);

	if (n != 1 || got[0].code.value != value)
		print_message("%s: %zu, 0x%08x\n", s, n, got[0].code.value);
	assert_int_equal(n, 1);
	assert_int_equal(got[0].kind, AE_DIAG_A_CODE);
	assert_int_equal(got[0].code.space, space);
	assert_int_equal(got[0].code.value, value);
}

static void
test_numbers(void **state)
{
	static const char *const same[] = { "0x800706ba", "0x800706BA", "0X6BA",
		"800706ba", "-2147023174", "2147944122",
		"RPC_S_SERVER_UNAVAILABLE", "rpc_s_server_unavailable",
		"(WIN32: 1722 RPC_S_SERVER_UNAVAILABLE)",
		"The RPC server is unavailable. 0x800706ba (WIN32: 1722)",
		"code=-2147023174.", "error 0x800706ba: done" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		one_code(same[i], AE_DIAG_HRESULT, 0x800706ba);
	one_code("80094012", AE_DIAG_HRESULT, 0x80094012);
	one_code("0xC000015B", AE_DIAG_HRESULT, 0xc000015b);
	one_code("KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN", AE_DIAG_KRB, 7);
	one_code("KRB_AP_ERR_MODIFIED", AE_DIAG_KRB, 41);
	one_code("krb 0x29", AE_DIAG_KRB, 41);
	one_code("LDAP 49", AE_DIAG_LDAP, 49);
	one_code("invalidCredentials", AE_DIAG_LDAP, 49);
}

static void
test_none(void **state)
{
	static const char *const none[] = { "", "0x", "0x123456789", "hello",
		"2026-11-28", "request 17 from ca1.example.com", "0xzz",
		"99999999999999", "-", "...", "_", "a\xff\xfe", "CERTSRV_E_",
		"192.168.16.20:49500", "1234567890" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (scan(none[i]) != 0)
			print_message("%s\n", none[i]);
		assert_int_equal(scan(none[i]), 0);
	}
}

static void
event(const char *s, const char *source, unsigned id)
{
	assert_int_equal(scan(s), 1);
	assert_int_equal(got[0].kind, AE_DIAG_AN_EVENT);
	assert_int_equal(got[0].event.id, id);
	if (source == NULL)
		assert_null(got[0].event.source);
	else
		assert_string_equal(got[0].event.source, source);
}

static void
test_events(void **state)
{
	(void)state;
	event("CE 13", "CE", 13);
	event("certenroll 57", "CE", 57);
	event("AutoEnrollment 15", "AE", 15);
	event("event 53", NULL, 53);
	event("Event ID: 13", NULL, 13);
	event("Ereignis-ID 64", NULL, 64);
	event(
	    "ID de l\xe2\x80\x99\xc3\xa9v\xc3\xa9nement\xc2\xa0: 64", NULL, 64);
	event("Source: Microsoft-Windows-CertificateServicesClient-CertEnroll"
	      " Event ID: 13",
	    "CE", 13);
	assert_int_equal(ae_diag_scan_word(got, "13", 2), 2);
	assert_int_equal(got[0].event.id, 13);
	assert_int_equal(got[1].code.value, 0x8007000d);
	assert_int_equal(ae_diag_scan_word(got, "13 x", 4), 0);
}

static void
test_checks(void **state)
{
	(void)state;
	assert_int_equal(scan("see Template.No-Enroll-Right."), 1);
	assert_int_equal(got[0].kind, AE_DIAG_A_CHECK);
	assert_string_equal(got[0].check->id, "template.no-enroll-right");
}

/* The same said in three languages. */
static void
test_words(void **state)
{
	static const struct {
		const char *s;
		uint32_t code;
	} rows[] = {
		{ "Fehler: Der RPC-Server ist nicht verf\xc3\xbcgbar.",
		    0x800706ba },
		{ "Le serveur RPC n\xe2\x80\x99"
		  "est pas disponible.",
		    0x800706ba },
		{ "The  RPC\r\nserver is unavailable", 0x800706ba },
		{ "Der RPC-Server ist nicht verf\xfcgbar.", 0x800706ba },
		{ "Zugriff verweigert", 0x80070005 },
		{ "Acc\xc3\xa8s refus\xc3\xa9.", 0x80070005 },
		{ "The permissions on the certificate template do not allow "
		  "the "
		  "current user to enroll for this type of certificate.",
		    0x80094012 },
		{ "Die Berechtigungen f\xc3\xbcr die Zertifikatvorlage lassen "
		  "nicht zu, dass",
		    0x80094012 },
		{ "Die angegebene Dom\xc3\xa4ne ist nicht vorhanden oder es "
		  "konnte keine Verbindung",
		    0x8007054b },
		{ "Le domaine sp\xc3\xa9"
		  "cifi\xc3\xa9 n'existe pas ou n'a pas "
		  "pu \xc3\xaatre contact\xc3\xa9.",
		    0x8007054b },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one_code(rows[i].s, AE_DIAG_HRESULT, rows[i].code);
		assert_true(got[0].words);
	}
	one_code("kinit: Clock skew too great while getting", AE_DIAG_KRB, 37);
	one_code("ldap_sasl_interactive_bind_s: Can't contact LDAP server (-1)",
	    AE_DIAG_LDAP, 81);
	one_code("ldap_bind: Invalid credentials (49)", AE_DIAG_LDAP, 49);
	assert_int_equal(
	    scan("error 20 at 0 depth lookup: unable to get local issuer "
		 "certificate"),
	    1);
	assert_string_equal(got[0].check->id, "trust.intermediate-missing");
}

/* The script folds phrases as we fold messages, and none is in two rows. */
static void
test_phrases(void **state)
{
	char folded[256];
	size_t i, k, j, n;

	(void)state;
	for (i = 0; i < ae_diag_nmeanings; i++) {
		const struct ae_diag_meaning *m = &ae_diag_meanings[i];

		for (k = 0; k < m->nphrases; k++) {
			n = ae_diag_fold(folded, sizeof(folded), m->phrases[k],
			    strlen(m->phrases[k]));
			assert_int_equal(n, strlen(folded));
			assert_string_equal(folded, m->phrases[k]);
			assert_true(n > 8);
		}
		for (j = 0; j < i; j++)
			assert_string_not_equal(
			    m->key, ae_diag_meanings[j].key);
		for (k = 0; k < m->nasks; k++)
			assert_non_null(ae_diag_text_find(m->asks[k].id));
	}
}

/* Every code and event of the catalogue leads back to its check. */
static void
test_back(void **state)
{
	const struct ae_diag_text *out[64];
	const struct ae_diag_text *t;
	size_t i, k, n, in;

	(void)state;
	for (i = 0; i < ae_diag_ntexts; i++) {
		t = &ae_diag_texts[i];
		for (k = 0; k < t->ncodes; k++) {
			assert_true(
			    ae_diag_code_checks(out, 64, &t->codes[k]) > 0);
			if (t->codes[k].space == AE_DIAG_HRESULT &&
			    (t->codes[k].value >> 16) == 0x8009)
				assert_non_null(
				    ae_diag_code_symbol(&t->codes[k]));
		}
		for (k = 0; k < t->nevents; k++) {
			n = ae_diag_event_checks(out, 64, &t->events[k]);
			for (in = 0; in < n && out[in] != t; in++)
				;
			assert_true(n > 0);
		}
	}
	t = ae_diag_text_find("time.skew");
	assert_int_equal(ae_diag_code_checks(out, 1, &t->codes[0]), 1);
}

static void
test_sources(void **state)
{
	struct ae_diag_event ev = { "CE", 47 };

	(void)state;
	assert_string_equal(ae_diag_source_find("certenroll", 10), "CE");
	assert_null(ae_diag_source_find("x", 1));
	assert_string_equal(ae_diag_source_name("CA"),
	    "Microsoft-Windows-CertificationAuthority");
	assert_non_null(ae_diag_event_def(&ev));
	ev.source = "CA";
	assert_null(ae_diag_event_def(&ev));
}

/* However long or strange, it ends within its bounds. */
static void
test_hostile(void **state)
{
	size_t size = 300000, i;
	char *s = malloc(size);

	(void)state;
	assert_non_null(s);
	for (i = 0; i < size; i++)
		s[i] = (char)(i * 7 + i / 256);
	assert_true(ae_diag_scan(got, s, size) <= AE_DIAG_MENTIONS_MAX);
	for (i = 0; i + 12 < size; i += 12)
		(void)memcpy(s + i, "0x8009401\0\0 ", 12);
	for (i = 0; i < 3000; i++)
		s[i * 12 + 9] = (char)('0' + i % 10);
	assert_true(ae_diag_scan(got, s, size) <= AE_DIAG_MENTIONS_MAX);
	memset(s, 'a', size);
	assert_int_equal(ae_diag_scan(got, s, size), 0);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_phrases),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
