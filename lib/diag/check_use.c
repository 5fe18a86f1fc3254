/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates that are there, valid and no good: two that nobody can tell
 * apart, one that others do not find, one that its service does not use.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "diag/checks.h"

#define OID_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define OID_EMAIL "1.3.6.1.5.5.7.3.4"
#define OID_EFS "1.3.6.1.4.1.311.10.3.4"
#define PUBLISH_TO_DS 0x8
/* A domain controller of the same site has it by then. */
#define REPLICATION 20

static bool
is_in_use(const json_t *facts, const json_t *c)
{
	const char *only = ae_fact_str(facts, "asked.template");

	return ae_fact_yes(c, "current") && ae_fact_is(c, "state", "valid") &&
	    (only == NULL ||
		ae_str_eq_nocase(only, ae_fact_text(c, "template")));
}

static bool
has_usage(const json_t *c, const char *oid)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(c, "usages"), i, one)
	{
		if (json_is_string(one) &&
		    strcmp(json_string_value(one), oid) == 0)
			return true;
	}
	return false;
}

/* ---- two for the same purpose ---- */

/* An RSA and an EC certificate side by side are meant: a server chooses. */
static bool
is_same_kind_of_key(const json_t *a, const json_t *b)
{
	return (strncmp(ae_fact_text(a, "key"), "rsa", 3) == 0) ==
	    (strncmp(ae_fact_text(b, "key"), "rsa", 3) == 0);
}

/* Nothing that an application could be told to look at is different. */
static bool
is_like(const json_t *a, const json_t *b)
{
	static const char *const names[] = { "subject", "issuer", "dns", "upn",
		"usages" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!json_equal(json_object_get(a, names[i]),
			json_object_get(b, names[i])))
			return false;
	return is_same_kind_of_key(a, b) &&
	    !ae_str_eq_nocase(
		ae_fact_text(a, "template"), ae_fact_text(b, "template"));
}

static void
alike(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *a, *b;
	const json_t *certs = ae_fact(facts, "store.certs");
	char both[160];
	json_t *args;
	size_t i, k;

	json_array_foreach(certs, i, a)
	{
		if (!is_in_use(facts, a) || !has_usage(a, OID_CLIENT_AUTH))
			continue;
		for (k = i + 1; k < json_array_size(certs); k++) {
			b = json_array_get(certs, k);
			if (!is_in_use(facts, b) || !is_like(a, b))
				continue;
			(void)snprintf(both, sizeof(both), "%.64s, %.64s",
			    ae_fact_text(a, "template"),
			    ae_fact_text(b, "template"));
			args = json_pack("{s:s, s:s, s:s, s:s, s:s}", "value",
			    both, "template", ae_fact_text(b, "template"),
			    "expected", ae_fact_text(a, "template"), "first",
			    ae_fact_text(a, "path"), "second",
			    ae_fact_text(b, "path"));
			ae_diag_say(w, AE_DIAG_FAIL,
			    ae_fact_text(b, "template"), args, "");
			break; /* once for each */
		}
	}
}

/* ---- in the directory, for others ---- */

static const json_t *
template_of(const json_t *facts, const json_t *c)
{
	const json_t *t;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.templates"), i, t)
	{
		if (ae_str_eq_nocase(
			ae_fact_text(t, "cn"), ae_fact_text(c, "template")))
			return t;
	}
	return NULL;
}

static bool
is_published(const json_t *facts, const json_t *c)
{
	const json_t *one;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.me.published"), i, one)
	{
		if (json_is_string(one) &&
		    ae_str_eq_nocase(
			json_string_value(one), ae_fact_text(c, "thumbprint")))
			return true;
	}
	return false;
}

/* The template wanted it when the certificate was made, and that is a while
 * ago; times are of one form and compare. */
static bool
should_be_published(const json_t *facts, const json_t *c)
{
	const json_t *t = template_of(facts, c);
	char then[AE_TIME_STR_MAX];
	int64_t flags = 0, now = 0;

	if (!ae_fact_int(&flags, t, "enrollment_flag") ||
	    (flags & PUBLISH_TO_DS) == 0 ||
	    !ae_fact_int(&now, facts, "host.now"))
		return false;
	(void)ae_time_print(then, now - REPLICATION);
	return strcmp(ae_fact_text(c, "installed"), then) < 0 &&
	    strcmp(ae_fact_text(t, "changed"), ae_fact_text(c, "installed")) <
	    0;
}

/* Who wants to encipher for the account looks there; others do not. */
static void
unpublished(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *c;
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.certs"), i, c)
	{
		if (!is_in_use(facts, c) || is_published(facts, c) ||
		    !should_be_published(facts, c))
			continue;
		args = json_pack("{s:s, s:s, s:s, s:s, s:s}", "template",
		    ae_fact_text(c, "template"), "ca", ae_fact_text(c, "ca"),
		    "account", ae_fact_text(facts, "krb.principal"), "path",
		    ae_fact_text(c, "path"), "dn",
		    ae_fact_text(facts, "ad.me.dn"));
		(void)json_object_set_new(args, "category", json_string("I"));
		ae_diag_say(w,
		    has_usage(c, OID_EMAIL) || has_usage(c, OID_EFS)
			? AE_DIAG_FAIL
			: AE_DIAG_HARMLESS,
		    ae_fact_text(c, "template"), args, "");
	}
}

/* ---- a service that still has the old one ---- */

static void
not_reloaded(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *l;
	char who[160];
	json_t *args;
	int64_t port = 0;
	size_t i;

	/* A run that is under way may be about to. */
	if (ae_fact_is(facts, "host.run_lock.state", "held"))
		return;
	json_array_foreach(ae_fact(facts, "served.listeners"), i, l)
	{
		if (!ae_fact_no(l, "current") || !ae_fact_int(&port, l, "port"))
			continue;
		(void)snprintf(who, sizeof(who), "%.100s, port %d",
		    ae_fact_text(l, "process"), (int)port);
		args = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "value", who,
		    "template", ae_fact_text(l, "template"), "provider",
		    ae_fact_text(l, "unit"), "thumbprint",
		    ae_fact_text(l, "thumbprint"), "expected",
		    ae_fact_text(l, "newest"), "date",
		    ae_fact_text(l, "installed"));
		ae_diag_say(
		    w, AE_DIAG_FAIL, ae_fact_text(l, "template"), args, "");
	}
}

/* clang-format off */
const struct ae_diag_check ae_diag_use[] = {
	{ "install.service-not-reloaded", "served.listeners", NULL, not_reloaded },
	{ "publish.ds-failed", "ad.me.published", AFTER_DIRECTORY, unpublished },
	{ "use.multiple-candidates", "store.certs", NULL, alike },
	{ 0 },
};
/* clang-format on */
