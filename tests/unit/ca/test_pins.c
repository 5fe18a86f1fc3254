/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Pinned templates: written, read, and in the place of what the directory has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/changes.h"
#include "ca/pins.h"
#include "fixture.h"

static struct fx f;
static char dn[] = "CN=Workstation,CN=Certificate Templates";
static struct ae_template *t; /* f's, as the directory would send it */

static int
setup(void **state)
{
	struct ae_template from;
	struct ae_wr sd;

	(void)state;
	fx_reset(&f);
	ae_wr_init(&sd, 65536);
	assert_int_equal(ae_sd_encode(&sd, f.t.sd, &f.e), AE_OK);
	from = f.t; /* all of it borrowed */
	from.dn = dn;
	from.sd_raw.p = sd.p;
	from.sd_raw.len = sd.len;
	assert_int_equal(ae_template_dup(&t, &from, &f.e), AE_OK);
	ae_wr_done(&sd);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ae_template_free(t);
	return 0;
}

static char *
written(void)
{
	struct ae_wr w;

	ae_wr_init(&w, AE_CA_PIN_MAX);
	assert_int_equal(ae_ca_pin_put(&w, t, &f.e), AE_OK);
	ae_wr_u8(&w, 0);
	return (char *)ae_wr_take(&w, NULL);
}

static int
read_as(struct ae_template **out, const char *file, const char *text)
{
	f.e = (struct ae_err)AE_ERR_INIT;
	*out = NULL;
	return ae_ca_pin_parse(out, file, text, strlen(text), &f.e);
}

static void
file_of(char out[80])
{
	(void)snprintf(out, 80, "%s.ldif", t->cn);
}

static void
esc4_a_pin_is_what_was_pinned(void **state)
{
	struct ae_template *again;
	char *text = written(), file[80];
	struct ae_wr w;

	(void)state;
	file_of(file);
	assert_int_equal(read_as(&again, file, text), AE_OK);
	ae_wr_init(&w, 1024);
	assert_int_equal(ae_ca_template_changes(&w, t, again), 0);
	ae_wr_done(&w);
	assert_string_equal(again->cn, t->cn);
	assert_non_null(again->sd);
	ae_template_free(again);
	free(text);
}

static void
esc4_a_pin_counts(void **state)
{
	struct ae_template *pin, *out = NULL;
	char *text = written(), file[80];
	struct ae_wr w;

	(void)state;
	file_of(file);
	assert_int_equal(read_as(&pin, file, text), AE_OK);
	/* somebody makes it what he needs */
	t->name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	t->enrollment_flag = 0;
	t->validity *= 10;
	assert_true(ae_strv_add(&t->ekus, "2.5.29.37.0"));
	assert_int_equal(ae_sd_allow(t->sd, 0, AE_ACCESS_WRITE_DAC, NULL,
			     &f.computers, &f.e),
	    AE_OK);
	t->revision = 200;
	t->minor_revision = 7;
	ae_wr_init(&w, 4096);
	assert_int_equal(ae_ca_template_changes(&w, pin, t), 5);
	ae_wr_done(&w);
	assert_int_equal(ae_ca_pin_apply(&out, pin, t, &f.e), AE_OK);
	ae_wr_init(&w, 4096);
	assert_int_equal(ae_ca_template_changes(&w, pin, out), 0);
	ae_wr_done(&w);
	/* clients compare versions: those are the directory's */
	assert_int_equal(out->revision, 200);
	assert_int_equal(out->minor_revision, 7);
	ae_template_free(out);
	ae_template_free(pin);
	free(text);
}

/* The text with one piece of it replaced. */
static char *
with(const char *text, const char *was, const char *is)
{
	const char *at = strstr(text, was);
	char *out = malloc(strlen(text) + strlen(is) + 1);

	assert_non_null(at);
	assert_non_null(out);
	memcpy(out, text, (size_t)(at - text));
	strcpy(out + (at - text), is);
	strcat(out, at + strlen(was));
	return out;
}

static void
esc4_files_that_are_no_pin(void **state)
{
	struct ae_template *out;
	char *text = written(), *other, *twice, file[80];

	(void)state;
	file_of(file);
	/* another's name, no template, none, two, no permissions */
	assert_int_equal(read_as(&out, "Other.ldif", text), AE_EINVAL);
	other = with(text, "pKICertificateTemplate", "user");
	assert_int_equal(read_as(&out, file, other), AE_EINVAL);
	free(other);
	assert_int_equal(read_as(&out, file, "# empty\n"), AE_EINVAL);
	assert_true(asprintf(&twice, "%s%s", text, text) > 0);
	assert_int_equal(read_as(&out, file, twice), AE_EINVAL);
	free(twice);
	other = with(text, "nTSecurityDescriptor", "description");
	assert_int_equal(read_as(&out, file, other), AE_EINVAL);
	free(other);
	assert_int_not_equal(
	    read_as(&out, file, "dn: CN=x\ncn:< file:///x\n"), AE_OK);
	assert_null(out);
	free(text);
}

static void
esc4_what_cannot_be_pinned(void **state)
{
	static const char *const names[] = { "", ".hidden", "../x", "a\nb" };
	struct ae_wr w;
	size_t i;

	(void)state;
	ae_wr_init(&w, AE_CA_PIN_MAX);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		free(t->cn);
		t->cn = strdup(names[i]);
		assert_int_equal(ae_ca_pin_put(&w, t, &f.e), AE_EINVAL);
	}
	ae_sd_free(t->sd);
	t->sd = NULL;
	assert_int_equal(ae_ca_pin_put(&w, t, &f.e), AE_EINVAL);
	assert_int_equal(w.len, 0);
	ae_wr_done(&w);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(esc4_a_pin_is_what_was_pinned),
		T(esc4_a_pin_counts),
		T(esc4_files_that_are_no_pin),
		T(esc4_what_cannot_be_pinned),
	};
	int n;

	if (!fx_begin(&f))
		return 1;
	n = cmocka_run_group_tests(tests, NULL, NULL);
	fx_end(&f);
	return n;
}
