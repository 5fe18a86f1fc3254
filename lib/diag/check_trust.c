/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Why a CA is not trusted, beyond a root that is missing; and what others on
 * this host or elsewhere will not trust, though a run does.
 */
#include <string.h>

#include "base/str.h"
#include "diag/check_links.h"

/* Of X.509 verification, openssl/x509_vfy.h: what a certificate above
 * excludes, and what is too weak. */
static const int64_t constraints[] = { 24, 25, 26, 32, 42, 43, 47, 48, 79 };
static const int64_t weak[] = { 66, 67, 68 };

static bool
is_one_of(const json_t *chain, const int64_t *v, size_t n)
{
	int64_t code = 0;
	size_t i;

	if (!ae_fact_int(&code, chain, "x509"))
		return false;
	for (i = 0; i < n; i++)
		if (v[i] == code)
			return true;
	return false;
}
#define IS_ONE_OF(chain, v) is_one_of(chain, v, sizeof(v) / sizeof((v)[0]))

static bool
offers(const json_t *ca, const char *cn)
{
	return ae_diag_lists(json_object_get(ca, "templates"), cn);
}

/* Has a template of ours no certificate, or no next one, because of it? */
static bool
stands_in_the_way(const json_t *facts, const json_t *ca)
{
	const json_t *item, *r;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		r = ae_diag_reason(item, "trust.root-missing");
		if (r != NULL && !ae_fact_is(r, "verdict", "pass") &&
		    (ae_fact_is(r, "verdict", "fail") ||
			ae_fact_is(item, "action", "keep")) &&
		    ae_diag_is_ours(facts, item) &&
		    offers(ca, ae_fact_text(item, "template")))
			return true;
	}
	return false;
}

static json_t *
args_of(const json_t *ca, const char *value)
{
	return json_pack("{s:s, s:s?, s:s?, s:s, s:s, s:s}", "ca",
	    ae_fact_text(ca, "name"), "value", value, "dn",
	    ae_fact_str(ca, "chain.missing"), "thumbprint",
	    ae_fact_text(ca, "chain.thumbprint"), "error",
	    ae_fact_text(ca, "chain.error"), "orphan",
	    ae_fact_text(ca, "chain.orphan"));
}

static void
weak_hash(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca;
	const char *what;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		what = ae_fact_str(ca, "chain.weak");
		if (ae_fact_no(ca, "chain.trusted") &&
		    ae_fact_str(ca, "chain.missing") == NULL &&
		    (what != NULL || IS_ONE_OF(ae_fact(ca, "chain"), weak)) &&
		    !IS_ONE_OF(ae_fact(ca, "chain"), constraints) &&
		    stands_in_the_way(facts, ca))
			ae_diag_say(
			    w, AE_DIAG_FAIL, NULL, args_of(ca, what), "chain");
		else if (what != NULL && ae_fact_yes(ca, "chain.trusted"))
			ae_diag_say(w, AE_DIAG_HARMLESS, NULL,
			    args_of(ca, what), "elsewhere");
	}
}

static void
constrained(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		if (IS_ONE_OF(ae_fact(ca, "chain"), constraints) &&
		    stands_in_the_way(facts, ca))
			ae_diag_say(w, AE_DIAG_FAIL, NULL,
			    args_of(ca, ae_fact_str(ca, "chain.error")),
			    "constraint");
	}
}

/*
 * What is missing is no root: the directory has one from which nothing leads
 * down to the CA, or the address that the certificate names gave it.
 */
static bool
lacks_intermediate(const json_t *facts, const json_t *ca)
{
	struct ae_diag_links l =
	    ae_diag_links_of(facts, ae_fact_text(ca, "chain.last"), "aia");

	if (ae_fact_str(ca, "chain.missing") == NULL ||
	    !stands_in_the_way(facts, ca))
		return false;
	return l.good != NULL ? ae_fact_no(l.good, "root")
			      : ae_fact_str(ca, "chain.orphan") != NULL;
}

bool
ae_diag_trust_waits_for(const json_t *facts, const char *thumbprint)
{
	const json_t *ca;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		if (ae_fact_is(ca, "chain.last", thumbprint) &&
		    lacks_intermediate(facts, ca) &&
		    ae_diag_links_of(facts, thumbprint, "aia").good == NULL)
			return true;
	}
	return false;
}

static void
no_intermediate(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca;
	struct ae_diag_links l;
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		if (!lacks_intermediate(facts, ca))
			continue;
		l = ae_diag_links_of(
		    facts, ae_fact_text(ca, "chain.last"), "aia");
		args = args_of(ca, NULL);
		(void)json_object_set_new(
		    args, "url", json_string(ae_fact_text(l.good, "url")));
		ae_diag_say(w, AE_DIAG_FAIL, NULL, args,
		    l.good != NULL ? "elsewhere" : "");
	}
}

/* The directory has it, and what is here is an older one. */
static void
renewed(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		if (ae_fact_yes(ca, "chain.published") &&
		    ae_fact_no(ca, "chain.held") &&
		    ae_fact_yes(ca, "chain.other"))
			ae_diag_say(
			    w, AE_DIAG_FAIL, NULL, args_of(ca, NULL), "");
	}
}

static const char *
ca_of_cert(const json_t *facts, const char *tmpl)
{
	const json_t *c;
	const char *config, *slash;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.certs"), i, c)
	{
		if (!ae_fact_yes(c, "current") ||
		    !ae_str_eq_nocase(ae_fact_text(c, "template"), tmpl))
			continue;
		config = ae_fact_text(c, "ca");
		slash = strchr(config, '\\');
		return slash == NULL ? config : slash + 1;
	}
	return NULL;
}

/* Whoever is shown the certificate cannot know whether it is revoked. */
static void
list_is_stale(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *r;
	const char *tmpl;
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		r = ae_diag_reason(item, ae_diag_row(w)->id);
		if (r == NULL || ae_fact_is(r, "verdict", "pass") ||
		    !ae_diag_is_ours(facts, item))
			continue;
		tmpl = ae_fact_text(item, "template");
		args =
		    ae_diag_template_args(facts, item, ca_of_cert(facts, tmpl));
		(void)json_object_update_new(args,
		    json_pack("{s:s, s:s}", "category", "I", "about",
			ae_fact_text(r, "about")));
		ae_diag_say(w, AE_DIAG_FAIL, tmpl, args, "");
	}
	ae_diag_links_lists(w);
	ae_diag_judge_publishing(w);
}

/* What we put into the system's trust must be where programs look. */
static void
bundle_is_old(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *f;
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.anchors"), i, f)
	{
		if (!ae_fact_no(f, "in_bundle"))
			continue;
		args = json_pack("{s:s, s:s}", "path", ae_fact_text(f, "path"),
		    "bundle", ae_fact_text(f, "bundle"));
		ae_diag_say(w, AE_DIAG_FAIL, NULL, args, "");
	}
}

/* clang-format off */
#define CHAIN(id, after, how) { id, "ad.cas", AFTER_DIRECTORY after, how }

const struct ae_diag_check ae_diag_trust[] = {
	CHAIN("trust.constraint-or-eku", "", constrained),
	CHAIN("trust.weak-hash-rejected", "", weak_hash),
	CHAIN("trust.intermediate-missing", " trust.aia-unreachable", no_intermediate),
	CHAIN("trust.ca-cert-renewed-not-distributed", "", renewed),
	{ "trust.revocation-offline", "plan.plan", AFTER_DIRECTORY, list_is_stale },
	{ "trust.local-bundle-not-updated", "store.certs", NULL, bundle_is_old },
	{ 0 },
};
/* clang-format on */
