/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a CA says of itself beside what the directory says of it.
 */
#include <stdio.h>
#include <string.h>

#include "diag/checks.h"

/* A CA reads the directory now and then; until then it may differ. */
#define LAG 900
/* Of Windows Server 2019, which calls itself 10.0 as 2016 does. */
#define WS2019_BUILD 17763

static void
not_loaded(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *ca, *said;
	const char *cn, *config;
	json_t *args;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		json_array_foreach(ae_fact(facts, "ad.cas"), k, ca)
		{
			config = ae_fact_text(ca, "config");
			said = json_object_get(
			    ae_diag_way_to(facts, "dcom", config), "templates");
			if (said == NULL || ae_diag_lists(said, cn) ||
			    !ae_diag_lists(
				json_object_get(ca, "templates"), cn) ||
			    !ae_diag_is_ours(facts, item))
				continue;
			args = json_pack("{s:s, s:s, s:I}", "template", cn,
			    "ca", config, "count",
			    (json_int_t)json_array_size(said));
			if (ae_fact_is(item, "action", "keep"))
				(void)json_object_set_new(
				    args, "category", json_string("R"));
			ae_diag_say(w, AE_DIAG_FAIL, cn, args, "");
		}
	}
}

/* Changed in AD a moment ago it is only not read yet. */
static void
not_in_ad(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *ca, *said;
	const char *cn, *config;
	int64_t now = 0, changed = 0;
	json_t *args;
	size_t i, k;

	(void)ae_fact_int(&now, facts, "host.now");
	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		json_array_foreach(ae_fact(facts, "ad.cas"), k, ca)
		{
			config = ae_fact_text(ca, "config");
			said = json_object_get(
			    ae_diag_way_to(facts, "dcom", config), "templates");
			if (!ae_diag_lists(said, cn) ||
			    ae_diag_lists(
				json_object_get(ca, "templates"), cn) ||
			    !ae_diag_is_ours(facts, item))
				continue;
			args = json_pack(
			    "{s:s, s:s}", "template", cn, "ca", config);
			if (ae_fact_int(&changed, ca, "changed") &&
			    now - changed > LAG)
				ae_diag_say(w, AE_DIAG_FAIL, cn, args, "");
			else
				ae_diag_say(
				    w, AE_DIAG_HARMLESS, cn, args, "yet");
		}
	}
}

/* MS-CRTD 2.27, by the version of Windows; 0: nobody knows. */
static int
level_of(const char *version)
{
	static const struct {
		int major, minor, level;
	} rows[] = { { 5, 2, 1 }, { 6, 0, 2 }, { 6, 1, 3 }, { 6, 2, 4 },
		{ 6, 3, 5 }, { 10, 0, 6 } };
	int major = 0, minor = 0, build = 0;
	size_t i;

	/* Ours takes what is for Windows Server 2016. */
	if (strncmp(version, "autoenroll ", 11) == 0)
		return 6;
	if (sscanf(version, "%9d.%9d%*[.:]%9d", &major, &minor, &build) < 2)
		return 0;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].major == major && rows[i].minor == minor)
			return build >= WS2019_BUILD ? 0 : rows[i].level;
	return 0;
}

/* MS-CSRA 3.1.1.4.1, CRL_Publish_Flags: store, address, signature, LDAP, file,
 * FTP, HTTP. */
#define CPF_ERRORS (0x10 | 0x20 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800)

void
ae_diag_judge_publishing(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *way;
	char text[AE_DIAG_FLAGS_MAX];
	int64_t flags;
	size_t i;

	json_array_foreach(ae_fact(facts, "dcom"), i, way)
	{
		if (ae_fact_int(&flags, way, "crl_published") &&
		    (flags & CPF_ERRORS) != 0)
			ae_diag_say(w, AE_DIAG_HARMLESS,
			    ae_fact_text(way, "config"),
			    json_pack("{s:s, s:s}", "ca",
				ae_fact_text(way, "config"), "flags",
				ae_diag_flags(text, flags)),
			    "published");
	}
}

/* MS-WCCE 3.2.2.6.2.1.4.5.7: such a CA does not issue by it. */
static void
too_old(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *ca, *way;
	const char *cn, *config;
	json_t *args;
	int64_t flags = 0;
	size_t i, k;
	int wants, has;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		if (!ae_diag_is_ours(facts, item) ||
		    !ae_fact_int(&flags, ae_diag_template_of(facts, cn),
			"private_key_flag"))
			continue;
		wants = (int)(((uint32_t)flags >> 16) & 0xf);
		json_array_foreach(ae_fact(facts, "ad.cas"), k, ca)
		{
			config = ae_fact_text(ca, "config");
			way = ae_diag_way_to(facts, "dcom", config);
			has = level_of(ae_fact_text(way, "version"));
			if (has == 0 || wants <= has ||
			    !ae_diag_lists(
				json_object_get(ca, "templates"), cn))
				continue;
			args = json_pack("{s:s, s:s, s:I, s:I, s:s}",
			    "template", cn, "ca", config, "value",
			    (json_int_t)wants, "level", (json_int_t)has,
			    "version", ae_fact_text(way, "version"));
			if (ae_fact_is(item, "action", "keep"))
				(void)json_object_set_new(
				    args, "category", json_string("R"));
			ae_diag_say(w, AE_DIAG_FAIL, cn, args, "");
		}
	}
}

/* clang-format off */
const struct ae_diag_check ae_diag_said[] = {
	{ "template.ca-too-old", "plan.plan", AFTER_DIRECTORY, too_old },
	{ "ca.published-ad-not-loaded", "plan.plan",
	    AFTER_DIRECTORY " ca.cert-missing-in-object trust.ca-cert-expired"
	    " trust.constraint-or-eku trust.weak-hash-rejected trust.intermediate-missing trust.aia-unreachable trust.ca-cert-revoked", not_loaded },
	{ "ca.published-loaded-not-ad", "plan.plan", AFTER_DIRECTORY, not_in_ad },
	{ 0 },
};
/* clang-format on */
