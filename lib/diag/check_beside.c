/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What lies beside the way: certificates in other stores, copies of the
 * directory's certificates that could not be made, a tool that looks in the
 * wrong place of the directory, and which of several CAs served.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "diag/checks.h"

/* ---- another store ---- */

static bool
is_of(const json_t *facts, const json_t *cert, const char *cn)
{
	const char *oid = ae_fact_str(ae_diag_template_of(facts, cn), "oid");

	return ae_str_eq_nocase(ae_fact_text(cert, "template"), cn) ||
	    (oid != NULL && ae_fact_is(cert, "template_oid", oid));
}

/* Somebody put it there and wonders why another is requested, or none is. */
static void
wrong_store(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *c;
	const char *cn;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		if (!ae_diag_is_ours(facts, item) ||
		    ae_fact_str(item, "have") != NULL)
			continue;
		json_array_foreach(ae_fact(facts, "store.elsewhere"), k, c)
		{
			if (!is_of(facts, c, cn))
				continue;
			ae_diag_say(w, AE_DIAG_FAIL, cn,
			    json_pack("{s:s, s:s, s:s}", "template", cn, "path",
				ae_fact_text(c, "path"), "category", "N"),
			    "");
			break;
		}
	}
}

const struct ae_diag_check ae_diag_stores[] = {
	{ "existing.wrong-store", "store.elsewhere", AFTER_DIRECTORY " env.*",
	    wrong_store },
	{ 0 },
};

/* ---- the directory's certificates ---- */

static void
not_copied(struct ae_diag_walk *w)
{
	/* Of the directory, the container's name there, and ours. */
	static const struct {
		const char *ad, *container, *store;
	} rows[] = {
		{ "ad.roots", "CN=Certification Authorities",
		    "store.trust.roots" },
		{ "ad.aia", "CN=AIA", "store.trust.intermediates" },
		{ "ad.ntauth", "CN=NTAuthCertificates", "store.trust.ntauth" },
	};
	const json_t *facts = ae_diag_facts(w);
	const char *state = ae_fact_text(facts, "store.trust.state");
	int64_t there, here;
	size_t i;

	if (strcmp(state, "writable") == 0 || strcmp(state, "absent") == 0)
		return;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!ae_fact_int(&there, facts, rows[i].ad) ||
		    !ae_fact_int(&here, facts, rows[i].store) || here >= there)
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:o, s:s, s:I, s:I}", "dn",
			rows[i].container, "code",
			ae_diag_phrase("copy", state, NULL), "path",
			ae_fact_text(facts, "store.trust.path"), "there",
			(json_int_t)there, "here", (json_int_t)here),
		    "");
		return;
	}
}

/* ---- the configuration ---- */

/* Samba's extension and its copy in adsys begin at the domain's own name. */
static void
config_nc(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const char *nc = ae_fact_text(facts, "ad.config_nc"),
		   *own = ae_fact_text(facts, "ad.default_nc");
	bool samba = ae_fact_yes(facts, "foreign.samba.enrolls");
	char wrong[512];

	if (nc[0] == '\0' || own[0] == '\0' ||
	    (!samba && !ae_fact_yes(facts, "foreign.adsys.enrolls")))
		return;
	(void)snprintf(wrong, sizeof(wrong), "CN=Configuration,%s", own);
	if (ae_str_eq_nocase(wrong, nc))
		return;
	ae_diag_say(w, AE_DIAG_FAIL, NULL,
	    json_pack("{s:s, s:s, s:s}", "value", wrong, "expected", nc, "tool",
		samba ? "Samba" : "adsys"),
	    "");
}

const struct ae_diag_check ae_diag_copies[] = {
	{ "ad.config-nc-wrong", "ad.config_nc", AFTER_TICKET " auth.no-tgt",
	    config_nc },
	{ "ad.store-download-failed", "store.trust",
	    AFTER_TICKET " auth.no-tgt env.readonly-state env.disk-full",
	    not_copied },
	{ 0 },
};

/* ---- which CA served ---- */

/* What the last run asked before it was served: another CA, and an error. */
static void
fallback(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *res, *a;
	const char *ca, *served;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "last.results"), i, res)
	{
		served = ae_fact_text(res, "ca");
		if (!ae_fact_is(res, "outcome", "issued") &&
		    !ae_fact_is(res, "outcome", "pending"))
			continue;
		json_array_foreach(json_object_get(res, "attempts"), k, a)
		{
			ca = ae_fact_text(a, "ca");
			if (ae_fact_str(a, "error") == NULL ||
			    strcmp(ca, served) == 0 || ca[0] == '\0')
				continue;
			ae_diag_say(w, AE_DIAG_HARMLESS, ca,
			    json_pack("{s:s, s:s, s:s, s:s, s:s}", "ca", ca,
				"served", served, "template",
				ae_fact_text(res, "template"), "code",
				ae_fact_text(a, "error"), "error",
				ae_fact_text(a, "error")),
			    "");
			break;
		}
	}
}

static const json_t *
nearness_of(const json_t *facts, const char *config)
{
	const json_t *one;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.nearness"), i, one)
	{
		if (ae_fact_is(one, "ca", config))
			return one;
	}
	return NULL;
}

/* Is there one of the item's CAs whose way is cheaper than this one's? */
static const json_t *
nearer(const json_t *facts, const json_t *item, const json_t *used)
{
	const json_t *config, *other;
	int64_t cost = INT64_MAX, c;
	size_t i;

	/* One of which nothing is known is farther than any that is. */
	(void)ae_fact_int(&cost, used, "cost");
	json_array_foreach(json_object_get(item, "cas"), i, config)
	{
		other = nearness_of(facts,
		    json_is_string(config) ? json_string_value(config) : "");
		if (ae_fact_int(&c, other, "cost") && c < cost)
			return other;
	}
	return NULL;
}

/* The last run was served by a CA that others are nearer than. */
static void
site_cost(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *res, *near, *used;
	const char *ca;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		json_array_foreach(ae_fact(facts, "last.results"), k, res)
		{
			ca = ae_fact_text(res, "ca");
			used = nearness_of(facts, ca);
			if (!ae_fact_is(res, "template",
				ae_fact_text(item, "template")) ||
			    used == NULL || !ae_diag_is_ours(facts, item))
				continue;
			near = nearer(facts, item, used);
			if (near == NULL)
				continue;
			ae_diag_say(w, AE_DIAG_HARMLESS,
			    ae_fact_text(item, "template"),
			    json_pack("{s:s, s:s, s:s, s:s, s:s}", "template",
				ae_fact_text(item, "template"), "ca",
				ae_fact_text(near, "ca"), "asked", ca, "site",
				ae_fact_text(facts, "plan.site"), "value",
				ae_fact_text(near, "site")),
			    "");
		}
	}
}

const struct ae_diag_check ae_diag_choice[] = {
	{ "ca.only-fallback-used", "last", NULL, fallback },
	{ "ca.site-cost", "plan.plan", AFTER_DIRECTORY, site_cost },
	{ 0 },
};
