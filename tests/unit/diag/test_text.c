/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The catalogue of sentences: nothing is missing in any language, and what
 * is filled in cannot do harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf16.h"
#include "diag/text.h"

#define OUT_MAX 65536

static const char *
filled(struct ae_wr *w, const char *s, const struct ae_diag_arg *args, size_t n)
{
	ae_wr_reset(w);
	ae_diag_fill(w, s, args, n);
	return ae_wr_cstr(w);
}

/* Every sentence is there, is text, and is no other check's by mistake. */
static void
test_complete(void **state)
{
	const struct ae_diag_text *t;
	size_t i, k;
	unsigned lang, say;

	(void)state;
	assert_true(ae_diag_ntexts > 0);
	for (i = 0; i < ae_diag_ntexts; i++) {
		t = &ae_diag_texts[i];
		assert_ptr_equal(ae_diag_text_find(t->id), t);
		assert_int_equal(ae_diag_text_order(t), i);
		assert_non_null(strchr(t->id, '.'));
		assert_non_null(strchr("NTDPIRHX", t->category[0]));
		assert_true(t->who != 0);
		for (lang = 0; lang < AE_DIAG_LANGS; lang++) {
			for (say = 0; say < AE_DIAG_SAYS; say++) {
				assert_true(strlen(t->say[lang][say]) > 3);
				assert_true(ae_utf8_valid(t->say[lang][say]));
			}
			for (k = 0; k < i; k++)
				assert_string_not_equal(
				    t->say[lang][AE_DIAG_CAUSE],
				    ae_diag_texts[k].say[lang][AE_DIAG_CAUSE]);
		}
	}
	assert_null(ae_diag_text_find("template"));
	assert_null(ae_diag_text_find(""));
}

/* Without values, no brackets are left; the languages name the same things. */
static void
test_render_all(void **state)
{
	static const struct ae_diag_arg args[] = { { "template", "Werk'zeug" },
		{ "account", "EX\\pc1$" }, { "host", NULL } };
	struct ae_wr w;
	size_t i, n;
	unsigned lang, say;

	(void)state;
	ae_wr_init(&w, OUT_MAX);
	for (i = 0; i < ae_diag_ntexts; i++) {
		for (n = 0; n < 6; n++) {
			lang = (unsigned)(n / 3);
			say = (unsigned)(n % 3);
			ae_wr_reset(&w);
			ae_diag_text_render(&w, &ae_diag_texts[i],
			    (enum ae_diag_lang)lang, (enum ae_diag_say)say,
			    args, 3);
			assert_true(ae_wr_ok(&w));
			assert_null(strpbrk(ae_wr_cstr(&w), "{}[]"));
			assert_null(strstr(ae_wr_cstr(&w), "  "));
		}
	}
	ae_wr_done(&w);
}

static void
test_fill(void **state)
{
	static const struct ae_diag_arg args[] = { { "template", "Web" },
		{ "ca", "a\x1b[2J\xff\xc2\x9b\xe2\x80\xae" },
		{ "host", NULL } };
	char big[AE_DIAG_VALUE_MAX * 2];
	const struct ae_diag_arg huge = { "dn", big };
	struct ae_wr w;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	ae_wr_init(&w, OUT_MAX);
	assert_string_equal(filled(&w, "the template[ {template}].", args, 3),
	    "the template Web.");
	assert_string_equal(
	    filled(&w, "the host[ {host}].", args, 3), "the host.");
	assert_string_equal(filled(&w, "at {host}: {nothing}", args, 3),
	    "at <host>: <nothing>");
	assert_string_equal(filled(&w, "{ca}", args, 3),
	    "a\\x1b[2J\\xff\\xc2\\x9b\\xe2\\x80\\xae");
	assert_string_equal(filled(&w, "[{ca}", NULL, 0), "[<ca>");
	assert_string_equal(filled(&w, "{template", args, 3), "{template");
	assert_int_equal(strlen(filled(&w, "{dn}", &huge, 1)),
	    AE_DIAG_VALUE_MAX + strlen("…"));
	/* In a command it is one word, whatever is in it. */
	{
		const struct ae_diag_arg evil = { "dn", "x'; rm -rf `y` #" };

		assert_string_equal(
		    filled(&w, "`a {dn}` {dn} `b {template}`", &evil, 1),
		    "`a 'x'\\''; rm -rf `y` #'` x'; rm -rf `y` # `b "
		    "<template>`");
		assert_string_equal(
		    filled(&w, "`a {template}`", args, 3), "`a Web`");
	}
	/* A value is no sentence: its braces are not looked at. */
	{
		const struct ae_diag_arg evil = { "dn", "{template}[ {x}]" };

		assert_string_equal(
		    filled(&w, "{dn}", &evil, 1), "{template}[ {x}]");
	}
	ae_wr_done(&w);
}

/* A command that can be carried out as it stands, or none. */
static void
test_commands(void **state)
{
	static const struct ae_diag_command publish = { "ca", NULL,
		"publish {template}" },
					    pulse = { "account", "computer",
						    "pulse[ {user}] --wait" };
	static const struct ae_diag_arg plain[] = { { "template", "Web" },
		{ "user", "--user" } };
	static const char *const bad[] = { "", "-rf", "a\x1b[2J", "a\nb",
		"\xff" };
	struct ae_diag_arg one = { "template", "it's" };
	char big[AE_DIAG_VALUE_MAX * 2];
	struct ae_wr w;
	size_t i;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	ae_wr_init(&w, OUT_MAX);
	assert_true(ae_diag_command_render(&w, &publish, plain, 2));
	assert_string_equal(ae_wr_cstr(&w), "publish Web");
	ae_wr_reset(&w);
	assert_true(ae_diag_command_render(&w, &publish, &one, 1));
	assert_string_equal(ae_wr_cstr(&w), "publish 'it'\\''s'");
	ae_wr_reset(&w);
	for (i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		one.value = i < sizeof(bad) / sizeof(bad[0]) ? bad[i] : big;
		assert_false(ae_diag_command_render(&w, &publish, &one, 1));
	}
	assert_false(ae_diag_command_render(&w, &publish, NULL, 0));
	assert_string_equal(ae_wr_cstr(&w), "");
	assert_true(ae_diag_command_render(&w, &pulse, plain, 2));
	assert_string_equal(ae_wr_cstr(&w), "pulse --user --wait");
	ae_wr_reset(&w);
	assert_true(ae_diag_command_render(&w, &pulse, plain, 1));
	assert_string_equal(ae_wr_cstr(&w), "pulse --wait");
	ae_wr_done(&w);
	assert_false(ae_diag_command_fits(&pulse, plain, 2));
	one.name = "computer";
	assert_true(ae_diag_command_fits(&pulse, &one, 1));
	assert_true(ae_diag_command_fits(&publish, NULL, 0));
}

static void
test_who(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, OUT_MAX);
	ae_diag_who_render(&w, AE_DIAG_EN, AE_DIAG_USER | AE_DIAG_CA);
	assert_string_equal(
	    ae_wr_cstr(&w), "the user, an administrator of the CA");
	ae_wr_done(&w);
}

static void
test_frames(void **state)
{
	static const char *const keys[] = { "category.N", "category.T",
		"category.D", "category.P", "category.I", "category.R",
		"category.H", "category.X", "category.ok", "seen", "expected",
		"fix", "who", "not-the-cause", "unknown-because" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_string_not_equal(
		    ae_diag_frame(AE_DIAG_FR, keys[i]), keys[i]);
	assert_string_equal(ae_diag_frame(AE_DIAG_EN, "no such"), "no such");
}

static void
test_lang(void **state)
{
	enum ae_diag_lang l = AE_DIAG_EN;

	(void)state;
	assert_true(ae_diag_lang_find(&l, "fr_CH.UTF-8"));
	assert_int_equal(l, AE_DIAG_FR);
	assert_true(ae_diag_lang_find(&l, "EN"));
	assert_int_equal(l, AE_DIAG_EN);
	assert_false(ae_diag_lang_find(&l, "french"));
	assert_false(ae_diag_lang_find(&l, "de"));
	assert_false(ae_diag_lang_find(&l, ""));
	assert_int_equal(
	    ae_diag_lang_pick(NULL, "", "fr_FR.UTF-8"), AE_DIAG_FR);
	assert_int_equal(ae_diag_lang_pick("C", "fr_FR", "fr_FR"), AE_DIAG_EN);
	assert_int_equal(ae_diag_lang_pick(NULL, "fr", "de"), AE_DIAG_FR);
	assert_int_equal(ae_diag_lang_pick(NULL, NULL, NULL), AE_DIAG_EN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_render_all),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_lang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
