/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of enroll/event.h: the catalogue is consistent and the texts fill.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "enroll/event.h"

static void
quiet_run_ids_exist(void **state)
{
	static const struct {
		enum ae_event_source source;
		unsigned id;
	} quiet[] = {
		{ AE_EVENT_AUTOENROLLMENT, 2 },
		{ AE_EVENT_AUTOENROLLMENT, 4 },
		{ AE_EVENT_CSC, 1 },
		{ AE_EVENT_CSC, 3 },
		{ AE_EVENT_CERTENROLL, 65 },
		{ AE_EVENT_CERTENROLL, 64 },
		{ AE_EVENT_AUTOENROLLMENT, 5 },
		{ AE_EVENT_AUTOENROLLMENT, 3 },
		{ AE_EVENT_CSC, 2 },
	};
	const struct ae_event_def *d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
		d = ae_event_find(quiet[i].source, quiet[i].id);
		assert_non_null(d);
		assert_int_equal(d->level, AE_EVENT_INFORMATION);
	}
	assert_null(ae_event_find(AE_EVENT_CSC, 4711));
}

/* The highest %n of a text is the number of parameters the row names. */
static void
rows_are_consistent(void **state)
{
	char name[AE_EVENT_NAME_MAX];
	const struct ae_event_def *d;
	const char *p;
	size_t i, j;

	(void)state;
	for (i = 0; (d = ae_event_row(i)) != NULL; i++) {
		unsigned max = 0;

		assert_ptr_equal(ae_event_find(d->source, d->id), d);
		for (p = d->text; (p = strchr(p, '%')) != NULL; p++) {
			unsigned n = (unsigned)(p[1] - '0');

			assert_in_range(n, 1, AE_EVENT_PARAMS_MAX);
			max = n > max ? n : max;
		}
		assert_int_equal(max, ae_event_nparams(d));
		for (j = 0; j < max; j++) {
			assert_true(ae_event_param(name, d, j));
			assert_int_equal(
			    strspn(name, "abcdefghijklmnopqrstuvwxyz_"),
			    strlen(name));
		}
		assert_false(ae_event_param(name, d, max));
		for (j = 0; d->text[j] != '\0'; j++)
			assert_in_range(d->text[j], 0x20, 0x7e);
		/* Whoever is warned can do something about it. */
		if (d->level != AE_EVENT_INFORMATION)
			assert_non_null(d->remedy);
		if (d->source != AE_EVENT_CSC)
			assert_memory_equal(d->params, "context", 7);
	}
	assert_true(i > 100);
}

static void
message_ids_differ(void **state)
{
	char a[AE_EVENT_MESSAGE_ID_MAX], b[AE_EVENT_MESSAGE_ID_MAX];
	const struct ae_event_def *d, *d2;
	size_t i, j;

	(void)state;
	ae_event_message_id(a, ae_event_find(AE_EVENT_CERTENROLL, 64));
	assert_string_equal(a, "6f0c1d97b3e84a52c9d1000300000040");
	for (i = 0; (d = ae_event_row(i)) != NULL; i++) {
		ae_event_message_id(a, d);
		assert_int_equal(strspn(a, "0123456789abcdef"), 32);
		for (j = i + 1; (d2 = ae_event_row(j)) != NULL; j++) {
			ae_event_message_id(b, d2);
			assert_string_not_equal(a, b);
		}
	}
}

static void
sources_have_short_names(void **state)
{
	const char *ce = ae_event_source_name(AE_EVENT_CERTENROLL);

	(void)state;
	assert_true(ae_event_source_is(ce, "certenroll"));
	assert_true(ae_event_source_is(ce, ce));
	assert_false(ae_event_source_is(ce, "CertificateServicesClient"));
	assert_true(ae_event_source_is(
	    ae_event_source_name(AE_EVENT_CSC), "CertificateServicesClient"));
	assert_true(ae_event_source_is(
	    ae_event_source_name(AE_EVENT_LIFECYCLE_USER), "Lifecycle-User"));
	assert_false(ae_event_source_is(ce, ""));
	assert_false(ae_event_source_is("", "CertEnroll"));
}

static void
text_fills_in(void **state)
{
	const char *params[] = { "Local system", "WebServer" };
	const struct ae_event_def *d = ae_event_find(AE_EVENT_CERTENROLL, 6);
	struct ae_arena *a = ae_arena_new(4096), *tiny = ae_arena_new(16);

	(void)state;
	assert_string_equal(ae_event_text(a, d, params, 2),
	    "Local system: there is no certificate template named WebServer.");
	assert_string_equal(ae_event_text(a, d, params, 1),
	    "Local system: there is no certificate template named .");
	params[1] = "100%2 %";
	assert_string_equal(ae_event_text(a, d, params, 2),
	    "Local system: there is no certificate template named 100%2 %.");
	assert_null(ae_event_text(tiny, d, params, 2));
	ae_arena_free(a);
	ae_arena_free(tiny);
}

static void
levels(void **state)
{
	const struct ae_event_def *error, *warning, *info, *life;

	(void)state;
	error = ae_event_find(AE_EVENT_CERTENROLL, 13);
	warning = ae_event_find(AE_EVENT_CERTENROLL, 46);
	info = ae_event_find(AE_EVENT_CERTENROLL, 19);
	life = ae_event_find(AE_EVENT_LIFECYCLE_SYSTEM, 1006);
	assert_false(ae_event_wanted(error, AE_EVENT_LOG_MINIMAL));
	assert_true(ae_event_wanted(error, AE_EVENT_LOG_TERSE));
	assert_false(ae_event_wanted(warning, AE_EVENT_LOG_ERROR));
	assert_true(ae_event_wanted(warning, AE_EVENT_LOG_WARNING));
	assert_false(ae_event_wanted(info, AE_EVENT_LOG_WARNING));
	assert_true(ae_event_wanted(info, AE_EVENT_LOG_VERBOSE));
	assert_true(ae_event_wanted(life, AE_EVENT_LOG_MINIMAL));
	assert_string_equal(ae_event_level_name(AE_EVENT_WARNING), "Warning");
	assert_string_equal(
	    ae_event_source_short(AE_EVENT_CERTENROLL), "CertEnroll");
	assert_string_equal(ae_event_source_name(AE_EVENT_CSC),
	    "Microsoft-Windows-CertificateServicesClient");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_run_ids_exist),
		cmocka_unit_test(rows_are_consistent),
		cmocka_unit_test(message_ids_differ),
		cmocka_unit_test(sources_have_short_names),
		cmocka_unit_test(text_fills_in),
		cmocka_unit_test(levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
