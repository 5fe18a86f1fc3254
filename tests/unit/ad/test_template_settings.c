/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Templates as settings and as attributes to write: what is written must
 * decode to the same, and every setting must take what it prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ad/template.h"
#include "ad/template_settings.h"
#include "torture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct ae_template *
bare(void)
{
	static const struct ae_value cn = { (const uint8_t *)"T", 1 };
	static const struct ae_attr attrs[] = { { "cn", &cn, 1 } };
	const struct ae_entry entry = { "CN=T", attrs, 1 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_template *t = NULL;

	if (ae_template_decode(&t, &entry, &e) != AE_OK)
		fail_msg("%s", e.text);
	t->schema_version = 2;
	return t;
}

static void
set(struct ae_template *t, const char *s)
{
	struct ae_err e = AE_ERR_INIT;

	if (ae_template_set(t, s, &e) != AE_OK)
		fail_msg("%s: %s", s, e.text);
}

static const char *
shown(const struct ae_template *t, const char *name)
{
	static char text[512];
	const struct ae_template_setting *s;
	struct ae_wr w;
	size_t i;

	for (i = 0; (s = ae_template_setting(i)) != NULL; i++)
		if (strcmp(s->name, name) == 0)
			break;
	assert_non_null(s);
	ae_wr_init(&w, sizeof(text) - 1);
	ae_template_setting_put(&w, t, i);
	(void)snprintf(text, sizeof(text), "%s", ae_wr_cstr(&w));
	ae_wr_done(&w);
	return text;
}

static const struct {
	const char *set, *name, *shown;
} good[] = {
	{ "display-name=Ein Name", "display-name", "Ein Name" },
	{ "validity=730d", "validity", "2y" },
	{ "validity=36h", "validity", "36h" },
	{ "renewal=6w", "renewal", "6w" },
	{ "subject=dns,email", "subject", "dns,email" },
	{ "san=dns,upn", "san", "dns,upn" },
	{ "eku=client-auth,1.2.3.4", "eku", "client-auth,1.2.3.4" },
	{ "issuance-policies=1.2.3", "issuance-policies", "1.2.3" },
	{ "key-usage=digital-signature,decipher-only", "key-usage",
	    "digital-signature,decipher-only" },
	{ "critical=key-usage", "critical", "key-usage" },
	{ "machine=yes", "machine", "yes" },
	{ "min-key-size=3072", "min-key-size", "3072" },
	{ "key-algorithm=ECDSA_P256", "key-algorithm", "ECDSA_P256" },
	{ "hash=SHA384", "hash", "SHA384" },
	{ "key-spec=signature", "key-spec", "signature" },
	{ "providers=One,Two", "providers", "One,Two" },
	{ "approval=yes", "approval", "yes" },
	{ "revocation-info=no", "revocation-info", "no" },
	{ "sid-extension=no", "sid-extension", "no" },
	{ "signatures=1", "signatures", "1" },
	{ "signature-purposes=enrollment-agent", "signature-purposes",
	    "enrollment-agent" },
	{ "supersedes=User,Machine", "supersedes", "User,Machine" },
};

static void
each_is_set_and_shown(void **state)
{
	struct ae_template *t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		t = bare();
		set(t, good[i].set);
		assert_string_equal(shown(t, good[i].name), good[i].shown);
		ae_template_free(t);
	}
}

/* What a setting shows it takes, and stays what it was. */
static void
each_takes_what_it_shows(void **state)
{
	const struct ae_template_setting *s;
	struct ae_template *t = bare();
	char before[512], assignment[600];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		set(t, good[i].set);
	for (i = 0; (s = ae_template_setting(i)) != NULL; i++) {
		(void)snprintf(before, sizeof(before), "%s", shown(t, s->name));
		(void)snprintf(
		    assignment, sizeof(assignment), "%s=%s", s->name, before);
		if (strcmp(before, "") != 0)
			set(t, assignment);
		assert_string_equal(shown(t, s->name), before);
	}
	ae_template_free(t);
}

static void
lists_grow_and_shrink(void **state)
{
	struct ae_template *t = bare();

	(void)state;
	set(t, "eku=client-auth");
	set(t, "eku+=server-auth,client-auth");
	assert_string_equal(shown(t, "eku"), "client-auth,server-auth");
	assert_int_equal(t->application_policies.n, 2);
	set(t, "eku-=1.3.6.1.5.5.7.3.2");
	assert_string_equal(shown(t, "eku"), "server-auth");
	set(t, "san=dns,upn");
	set(t, "san-=dns");
	assert_string_equal(shown(t, "san"), "upn");
	/* the other words of the same flags stay */
	set(t, "subject=dns");
	set(t, "san=");
	assert_string_equal(shown(t, "subject"), "dns");
	assert_string_equal(shown(t, "san"), "");
	ae_template_free(t);
}

static void
nonsense_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = { "validity", "validity=", "=1",
		"validity=0y", "validity=1", "validity=1x", "validity=-1y",
		"validity=101y", "validity=99999999999999999999y", "nothing=1",
		"min-key-size=many", "min-key-size=-1", "min-key-size=99999",
		"machine=perhaps", "subject=upn", "eku=not an oid",
		"eku=client-auth,1", "key-algorithm=DSA", "hash=MD5",
		"machine+=yes", "validity-=1y", "key-usage=all",
		"display-name=\xff", "valid=1y" };
	struct ae_template *t = bare(), *same = bare();
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr a, b;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		if (ae_template_set(t, bad[i], &e) != AE_EINVAL)
			fail_msg("%s was taken", bad[i]);
	ae_wr_init(&a, AE_TEMPLATE_ENCODED_MAX);
	ae_wr_init(&b, AE_TEMPLATE_ENCODED_MAX);
	ae_template_put(&a, t);
	ae_template_put(&b, same);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.p, b.p, a.len);
	ae_wr_done(&a);
	ae_wr_done(&b);
	ae_template_free(t);
	ae_template_free(same);
}

/* Algorithms are nothing that schema 2 could say. */
static void
algorithms_raise_the_schema(void **state)
{
	struct ae_template *t = bare();

	(void)state;
	set(t, "providers=Microsoft RSA SChannel Cryptographic Provider");
	set(t, "hash=");
	assert_int_equal(t->schema_version, 2);
	set(t, "key-algorithm=ECDSA_P384");
	assert_int_equal(t->schema_version, 3);
	assert_string_equal(
	    shown(t, "providers"), "Microsoft Software Key Storage Provider");
	set(t, "providers=Microsoft Platform Crypto Provider");
	set(t, "hash=SHA384");
	assert_string_equal(
	    shown(t, "providers"), "Microsoft Platform Crypto Provider");
	ae_template_free(t);
}

static void
contradictions(void **state)
{
	static const struct {
		const char *set[4], *why;
	} cases[] = {
		{ { "renewal=1y", "validity=1y" }, "renewal" },
		{ { "subject=supplied,dns" }, "subject" },
		{ { "subject=dns,common-name" }, "subject" },
		{ { "subject=email" }, "subject" },
		{ { "subject=old-certificate" }, "subject" },
		{ { "signature-purposes=enrollment-agent" }, "signatures" },
		{ { "auto-enroll=yes", "signatures=2" }, "auto-enroll" },
		{ { "key-based-renewal=yes" }, "key-based-renewal" },
		{ { "archive-key=yes", "key-spec=signature" }, "archive-key" },
	};
	struct ae_err e = AE_ERR_INIT;
	struct ae_template *t;
	size_t i, j;

	(void)state;
	t = bare();
	assert_int_equal(ae_template_check(t, &e), AE_EINVAL);
	set(t, "validity=1y");
	assert_int_equal(ae_template_check(t, &e), AE_OK);
	ae_template_free(t);
	for (i = 0; i < COUNT(cases); i++) {
		t = bare();
		set(t, "validity=2y");
		for (j = 0; j < 4 && cases[i].set[j] != NULL; j++)
			set(t, cases[i].set[j]);
		assert_int_equal(ae_template_check(t, &e), AE_EINVAL);
		if (strncmp(e.text, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("%s: %s", cases[i].why, e.text);
		ae_template_free(t);
	}
}

/* Written and read again it is the same; dn and cn are the entry's. */
static void
written_is_what_was_meant(void **state)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_template *t = bare(), *again = NULL, *copy = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_attr *attrs = NULL, *whole;
	static const struct ae_value cn = { (const uint8_t *)"T", 1 };
	struct ae_entry entry = { "CN=T", NULL, 0 };
	struct ae_wr x, y;
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		set(t, good[i].set);
	t->flags |= AE_CT_IS_MODIFIED | UINT32_C(0x80000000);
	t->max_issuing_depth = -1;
	t->algorithms.symmetric_bits = 168;
	assert_int_equal(ae_template_encode(&attrs, &n, t, a, &e), AE_OK);
	whole = ae_arena_array(a, n + 1, sizeof(*whole));
	assert_non_null(whole);
	memcpy(whole, attrs, n * sizeof(*whole));
	whole[n] = (struct ae_attr){ "cn", &cn, 1 };
	for (i = 0; i < n; i++) {
		assert_string_not_equal(attrs[i].name, "cn");
		assert_string_not_equal(attrs[i].name, "uSNChanged");
	}
	entry.attrs = whole;
	entry.n = n + 1;
	assert_int_equal(ae_template_decode(&again, &entry, &e), AE_OK);
	assert_int_equal(ae_template_dup(&copy, t, &e), AE_OK);
	ae_wr_init(&x, AE_TEMPLATE_ENCODED_MAX);
	ae_wr_init(&y, AE_TEMPLATE_ENCODED_MAX);
	ae_template_put(&x, t);
	ae_template_put(&y, again);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.p, y.p, x.len);
	ae_wr_reset(&y);
	ae_template_put(&y, copy);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.p, y.p, x.len);
	/* schema 2 has no place for the algorithms */
	t->schema_version = 2;
	assert_int_equal(ae_template_encode(&attrs, &n, t, a, &e), AE_EINVAL);
	ae_wr_done(&x);
	ae_wr_done(&y);
	ae_template_free(t);
	ae_template_free(again);
	ae_template_free(copy);
	ae_arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_set_and_shown),
		cmocka_unit_test(each_takes_what_it_shows),
		cmocka_unit_test(lists_grow_and_shrink),
		cmocka_unit_test(nonsense_is_refused_and_changes_nothing),
		cmocka_unit_test(algorithms_raise_the_schema),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(written_is_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
