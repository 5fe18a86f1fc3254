/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The catalogue of weaknesses: each seeded and found, with who and what to do;
 * the same objects in administrators' hands say nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ad/template_settings.h"
#include "ca/config.h"
#include "ca/escaudit.h"
#include "torture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ADMINS "S-1-5-21-1-2-3-512"
#define USERS "S-1-5-21-1-2-3-513"
#define SOMEBODY "S-1-5-21-1-2-3-1105"

static struct ae_sid
sid(const char *s)
{
	struct ae_sid out;

	assert_true(ae_sid_parse(&out, s));
	return out;
}

/* Owned by administrators; who may do the right, on the object or all of it. */
static struct ae_sd *
sd_for(const char *who, uint32_t mask, const struct ae_guid *object)
{
	struct ae_sid owner = sid(ADMINS), s = sid(who);
	struct ae_sd *sd = ae_sd_new();

	assert_non_null(sd);
	ae_sd_set_owner(sd, &owner);
	assert_int_equal(
	    ae_sd_allow(sd, 0, AE_ACCESS_FULL, NULL, &owner, NULL), AE_OK);
	assert_int_equal(ae_sd_allow(sd, 0, mask, object, &s, NULL), AE_OK);
	return sd;
}

static struct ae_template *
template_of(const char *const *settings, const char *who, unsigned schema)
{
	static const struct ae_value cn = { (const uint8_t *)"T", 1 };
	static const struct ae_attr attrs[] = { { "cn", &cn, 1 } };
	const struct ae_entry entry = { "CN=T", attrs, 1 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_template *t = NULL;

	assert_int_equal(ae_template_decode(&t, &entry, &e), AE_OK);
	t->schema_version = schema;
	for (; *settings != NULL; settings++)
		if (ae_template_set(t, *settings, &e) != AE_OK)
			fail_msg("%s", e.text);
	t->sd = sd_for(who, AE_ACCESS_CONTROL, &ae_right_enroll);
	return t;
}

static char name_t[] = "T";
static char *list_t[] = { name_t };
static const struct ae_strv offered = { list_t, 1 };

static struct ae_enrollment_service service = { .dn = (char[]){ "CN=CA" },
	.cn = (char[]){ "CA" } };
static struct ae_enrollment_service *const services[] = { &service };

/* Which ESC numbers one template has, "ESC1 ESC17 ". */
static const char *
judged(struct ae_template *t, const struct ae_esc_link *link)
{
	static char out[128];
	struct ae_template *const v[] = { t };
	struct ae_esc_in in = { .templates = v,
		.ntemplates = 1,
		.services = services,
		.nservices = 1,
		.links = link,
		.nlinks = link != NULL };
	struct ae_esc_findings f = { 0 };
	struct ae_sid users = sid(USERS);
	size_t i;

	out[0] = '\0';
	assert_int_equal(ae_esc_templates(&f, &in, NULL), AE_OK);
	for (i = 0; i < f.n; i++) {
		(void)strcat(out, f.v[i].esc);
		(void)strcat(out, " ");
		assert_true(f.v[i].has_who);
		assert_true(ae_sid_equal(&f.v[i].who, &users));
		assert_true(strlen(f.v[i].what) > 10);
		assert_non_null(strstr(f.v[i].fix, "T"));
		assert_null(strstr(f.v[i].fix, "NAME"));
	}
	ae_esc_findings_done(&f);
	return out;
}

/* clang-format off */
static const struct {
	const char *settings[4];
	unsigned schema;
	const char *want;
} seeds[] = {
	{ { "subject=supplied", "eku=client-auth" }, 2, "ESC1 " },
	{ { "san=supplied", "eku=smartcard-logon" }, 2, "ESC1 " },
	{ { "subject=dns" }, 2, "ESC2 " },
	{ { "subject=dns", "eku=any-purpose" }, 2, "ESC2 " },
	{ { "subject=dns", "eku=enrollment-agent" }, 2, "ESC3 " },
	{ { "subject=dns", "eku=client-auth", "sid-extension=no" }, 2, "ESC9 " },
	{ { "subject=supplied", "eku=server-auth" }, 1, "ESC15 ESC17 " },
	{ { "subject=supplied", "eku=server-auth" }, 2, "ESC17 " },
	{ { "subject=supplied", "eku=client-auth,server-auth" }, 2, "ESC1 ESC17 " },
	{ { "subject=dns", "eku=client-auth,server-auth" }, 2, "" },
	{ { "subject=supplied", "eku=code-signing" }, 2, "" },
	{ { "subject=dns", "eku=server-auth", "sid-extension=no" }, 2, "" },
};
/* clang-format on */

static void
esc1_to_17_each_template(void **state)
{
	struct ae_template *t;
	size_t i;

	(void)state;
	service.templates = offered;
	for (i = 0; i < COUNT(seeds); i++) {
		t = template_of(seeds[i].settings, USERS, seeds[i].schema);
		assert_string_equal(judged(t, NULL), seeds[i].want);
		/* with approval, or a signature, somebody looks first */
		t->enrollment_flag |= AE_CT_PEND_ALL_REQUESTS;
		assert_string_equal(judged(t, NULL), "");
		t->enrollment_flag &= ~AE_CT_PEND_ALL_REQUESTS;
		t->ra_signature = 1;
		assert_string_equal(judged(t, NULL), "");
		ae_template_free(t);
		/* in administrators' hands */
		t = template_of(seeds[i].settings, ADMINS, seeds[i].schema);
		assert_string_equal(judged(t, NULL), "");
		ae_template_free(t);
	}
}

/* What no CA offers nobody can ask for. */
static void
only_what_is_offered(void **state)
{
	struct ae_template *t = template_of(seeds[0].settings, USERS, 2);

	(void)state;
	service.templates = (struct ae_strv){ NULL, 0 };
	assert_string_equal(judged(t, NULL), "");
	service.templates = offered;
	assert_string_equal(judged(t, NULL), "ESC1 ");
	ae_template_free(t);
}

static void
esc13_policies_that_are_groups(void **state)
{
	static const char *const settings[] = { "subject=dns",
		"eku=client-auth", "issuance-policies=1.2.3.4", NULL };
	const struct ae_esc_link link = { "1.2.3.4", "CN=Admins" },
				 other = { "1.2.3.5", "CN=Admins" };
	struct ae_template *t = template_of(settings, USERS, 2);

	(void)state;
	assert_string_equal(judged(t, &link), "ESC13 ");
	assert_string_equal(judged(t, &other), "");
	ae_template_free(t);
}

/* Findings of one object's descriptor; its own trustee counts as powerful. */
static size_t
object_findings(const struct ae_sd *sd, const struct ae_sid *own)
{
	const struct ae_esc_object o = { "CN=NTAuth", "NTAuthCertificates", sd,
		own };
	struct ae_esc_in in = { .objects = &o, .nobjects = 1 };
	struct ae_esc_findings f = { 0 };
	size_t n;

	assert_int_equal(ae_esc_permissions(&f, &in, NULL), AE_OK);
	n = f.n;
	if (n != 0)
		assert_string_equal(f.v[0].esc, "ESC5");
	ae_esc_findings_done(&f);
	return n;
}

static void
esc5_who_may_change_objects(void **state)
{
	static const uint32_t bad[] = { AE_ACCESS_WRITE_PROP,
		AE_ACCESS_WRITE_DAC, AE_ACCESS_WRITE_OWNER, AE_ACCESS_DELETE,
		AE_ACCESS_FULL };
	struct ae_sid somebody = sid(SOMEBODY);
	struct ae_sd *sd;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		sd = sd_for(SOMEBODY, bad[i], NULL);
		assert_int_equal(object_findings(sd, NULL), 1);
		assert_int_equal(object_findings(sd, &somebody), 0);
		ae_sd_free(sd);
		sd = sd_for("S-1-5-18", bad[i], NULL);
		assert_int_equal(object_findings(sd, NULL), 0);
		ae_sd_free(sd);
	}
	/* one property is enough, reading is not */
	sd = sd_for(SOMEBODY, AE_ACCESS_WRITE_PROP, &ae_right_enroll);
	assert_int_equal(object_findings(sd, NULL), 1);
	ae_sd_free(sd);
	sd = sd_for(SOMEBODY, AE_ACCESS_READ, NULL);
	assert_int_equal(object_findings(sd, NULL), 0);
	/* an owner rewrites the permissions */
	ae_sd_set_owner(sd, &somebody);
	assert_int_equal(object_findings(sd, NULL), 1);
	ae_sd_free(sd);
}

static void
esc4_templates_the_ca_and_the_web(void **state)
{
	static const char *const settings[] = { "subject=dns", NULL };
	struct ae_template *t = template_of(settings, ADMINS, 2);
	struct ae_sid somebody = sid(SOMEBODY);
	struct ae_template *const v[] = { t };
	struct ae_esc_in in = { .templates = v,
		.ntemplates = 1,
		.services = services,
		.nservices = 1 };
	struct ae_esc_findings f = { 0 };
	struct ae_sd *ca = sd_for(SOMEBODY,
	    AE_CA_RIGHT_ADMIN | AE_CA_RIGHT_OFFICER | AE_CA_RIGHT_ENROLL, NULL);

	(void)state;
	assert_int_equal(ae_esc_permissions(&f, &in, NULL), AE_OK);
	assert_int_equal(f.n, 0);
	assert_int_equal(
	    ae_sd_allow(t->sd, 0, AE_ACCESS_WRITE_DAC, NULL, &somebody, NULL),
	    AE_OK);
	in.ca_sd = ca;
	service.enrollment_servers = offered;
	assert_int_equal(ae_esc_permissions(&f, &in, NULL), AE_OK);
	assert_int_equal(f.n, 4);
	assert_string_equal(f.v[0].esc, "ESC4");
	assert_string_equal(f.v[1].esc, "ESC7");
	assert_non_null(strstr(f.v[1].fix, "manage-ca"));
	assert_string_equal(f.v[2].esc, "ESC7");
	assert_non_null(strstr(f.v[2].fix, "manage-certificates"));
	assert_string_equal(f.v[3].esc, "ESC8");
	ae_esc_findings_done(&f);
	/* whom the administrator trusts */
	in.trusted = &somebody;
	in.ntrusted = 1;
	assert_int_equal(ae_esc_permissions(&f, &in, NULL), AE_OK);
	assert_int_equal(f.n, 1);
	ae_esc_findings_done(&f);
	service.enrollment_servers = (struct ae_strv){ NULL, 0 };
	ae_sd_free(ca);
	ae_template_free(t);
}

static void
esc14_mappings(void **state)
{
	static const char *const strong[] = { "Kerberos:x@Y",
		"X509:<I>DC=y,CN=CA<SR>1200000000AC11",
		"X509:<SKI>123456789abcdef", "X509:<SHA1-PUKEY>123456",
		"x509:<SKI>12" };
	static const char *const weak[] = { "X509:<I>CN=CA<S>CN=user",
		"X509:<S>CN=user", "X509:<RFC822>user@y", "X509:<SR>12",
		"x509:<S>CN=user" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(strong); i++)
		assert_true(ae_esc_mapping_is_strong(strong[i]));
	for (i = 0; i < COUNT(weak); i++)
		assert_false(ae_esc_mapping_is_strong(weak[i]));
}

/* What a CA cannot have, or cannot see, is said and not passed over. */
static void
esc10_what_is_not_judged_is_said(void **state)
{
	static const char *const want[] = { "ESC6", "ESC10", "ESC11", "ESC12",
		"ESC16" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(want); i++) {
		assert_non_null(ae_esc_absent[i].esc);
		assert_string_equal(ae_esc_absent[i].esc, want[i]);
		assert_true(strlen(ae_esc_absent[i].why) > 20);
	}
	assert_null(ae_esc_absent[i].esc);
	assert_non_null(strstr(
	    ae_esc_absent[1].why, "StrongCertificateBindingEnforcement"));
}

/* What the commands on templates warn of: the same judgement, one line. */
static void
one_warning_for_a_template(void **state)
{
	static const struct {
		const char *settings[4];
		const char *want; /* NULL: nothing */
	} v[] = {
		{ { "subject=supplied", "eku=client-auth" }, "(ESC1)" },
		{ { "subject=supplied", "eku=any-purpose" }, "(ESC1)" },
		{ { "subject=supplied" }, "(ESC2)" },
		{ { "subject=dns" }, "(ESC2)" },
		{ { "subject=dns", "eku=client-auth", "sid-extension=no" },
		    "(ESC9)" },
		/* who may have these decides */
		{ { "subject=supplied", "eku=server-auth" },
		    "requesters choose the subject" },
		{ { "subject=dns", "eku=enrollment-agent" }, NULL },
		{ { "subject=dns", "eku=client-auth" }, NULL },
	};
	struct ae_template *t;
	const char *d;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		t = template_of(v[i].settings, USERS, 2);
		d = ae_esc_template_danger(t);
		if (v[i].want == NULL)
			assert_null(d);
		else if (d == NULL || strstr(d, v[i].want) == NULL)
			fail_msg("%zu: %s", i, d == NULL ? "nothing" : d);
		ae_template_free(t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(esc1_to_17_each_template),
		cmocka_unit_test(only_what_is_offered),
		cmocka_unit_test(esc13_policies_that_are_groups),
		cmocka_unit_test(esc5_who_may_change_objects),
		cmocka_unit_test(esc4_templates_the_ca_and_the_web),
		cmocka_unit_test(esc14_mappings),
		cmocka_unit_test(one_warning_for_a_template),
		cmocka_unit_test(esc10_what_is_not_judged_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
