/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Ways and measures; see report_ways.h.
 */
#include "diag/report_ways.h"

#include <stdio.h>
#include <string.h>

#include "diag/page.h"
#include "diag/way.h"

static const char *const transports[] = { "dcom", "integrity", "icpr" };
#define NTRANSPORTS (sizeof(transports) / sizeof(transports[0]))

/* ---- collecting ---- */

static const char *
result_of(const json_t *facts, const json_t *way, const char *config)
{
	if (ae_fact_yes(way, "ok"))
		return "answered";
	return ae_diag_is_unsealed_refused(facts, config) &&
		way == ae_diag_way_to(facts, "integrity", config)
	    ? "refused"
	    : "ended";
}

/* What the CA said, without how it was reached. */
static json_t *
said_of(const json_t *way)
{
	static const char *const names[] = { "name", "version", "policy",
		"templates", "ends", "status", "certificates", "crls",
		"crl_published", "advanced", "recovery_agents",
		"recovery_states", "subject_oids", "hint" };
	json_t *said = json_object(), *value;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = json_object_get(way, names[i]);
		if (value != NULL)
			(void)json_object_set(said, names[i], value);
	}
	return said;
}

json_t *
ae_diag_ways(const json_t *facts)
{
	json_t *list = json_array(), *j;
	const json_t *ca, *way;
	const char *config;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		config = ae_fact_text(ca, "config");
		for (k = 0; k < NTRANSPORTS; k++) {
			way = ae_diag_way_to(facts, transports[k], config);
			if (way == NULL)
				continue;
			j = json_pack("{s:s, s:s, s:s, s:O?, s:O?}", "ca",
			    config, "way", transports[k], "result",
			    result_of(facts, way, config), "ms",
			    json_object_get(way, "ms"), "stages",
			    json_object_get(way, "stages"));
			if (k == 0)
				(void)json_object_set_new(
				    j, "said", said_of(way));
			(void)json_array_append_new(list, j);
		}
	}
	return list;
}

static void
add(json_t *to, const char *kind, int64_t n)
{
	int64_t before = 0;

	(void)ae_fact_int(&before, to, kind);
	(void)json_object_set_new(to, kind, json_integer(before + n));
}

/* One probe's, or one of its list's. */
static void
count(json_t *all, json_t *probe, const json_t *seen)
{
	static const char *const kinds[] = { "ldap", "rpc" };
	const json_t *asked = json_object_get(seen, "asked");
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!ae_fact_int(&n, asked, kinds[i]))
			continue;
		add(probe, kinds[i], n);
		add(all, kinds[i], n);
	}
}

json_t *
ae_diag_measured(const json_t *facts)
{
	json_t *all = json_pack("{s:i, s:i}", "ldap", 0, "rpc", 0),
	       *probes = json_object(), *one;
	const json_t *seen, *element;
	const char *name;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)facts, name, seen)
	{
		one = json_object();
		count(all, one, seen);
		json_array_foreach(seen, i, element)
		{
			count(all, one, element);
		}
		if (json_object_size(one) > 0)
			(void)json_object_set(probes, name, one);
		json_decref(one);
	}
	if (ae_fact(facts, "asked.ms") != NULL)
		(void)json_object_set(all, "ms",
		    json_object_get(json_object_get(facts, "asked"), "ms"));
	(void)json_object_set_new(all, "probes", probes);
	return all;
}

/* ---- showing ---- */

static void
put_stages(struct ae_wr *w, const json_t *way)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(way, "stages"), i, s)
	{
		ae_wr_printf(w, "    %8.1f ms  ",
		    json_real_value(json_object_get(s, "ms")));
		ae_diag_put_safe(
		    w, ae_fact_text(s, "stage"), AE_DIAG_VALUE_MAX);
		ae_wr_u8(w, ' ');
		ae_diag_put_safe(w, ae_fact_text(s, "what"), AE_DIAG_VALUE_MAX);
		if (ae_fact_str(s, "error") != NULL) {
			ae_wr_str(w, ": ");
			ae_diag_put_safe(
			    w, ae_fact_text(s, "error"), AE_DIAG_VALUE_MAX);
		}
		ae_wr_u8(w, '\n');
	}
}

/* Lists of words, in one line; the rest as it is. */
static void
put_said(struct ae_wr *w, const json_t *said)
{
	const json_t *value, *one;
	const char *name;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)said, name, value)
	{
		ae_wr_printf(w, "    %-16s ", name);
		if (json_is_integer(value))
			ae_wr_printf(
			    w, "%lld", (long long)json_integer_value(value));
		else if (json_is_boolean(value))
			ae_wr_str(w, json_is_true(value) ? "yes" : "no");
		else if (json_is_string(value))
			ae_diag_put_safe(
			    w, json_string_value(value), AE_DIAG_VALUE_MAX);
		json_array_foreach(value, i, one)
		{
			ae_wr_str(w, i == 0 ? "" : ", ");
			ae_diag_put_safe(w,
			    json_is_string(one) ? json_string_value(one) : "",
			    AE_DIAG_VALUE_MAX);
		}
		ae_wr_u8(w, '\n');
	}
}

void
ae_diag_put_ways(struct ae_wr *w, const json_t *r, enum ae_diag_lang lang)
{
	const json_t *way;
	int64_t ldap = 0, rpc = 0;
	char key[64];
	size_t i;

	json_array_foreach(json_object_get(r, "ways"), i, way)
	{
		if (i == 0)
			ae_wr_printf(w, "\n%s:\n", ae_diag_frame(lang, "ways"));
		(void)snprintf(
		    key, sizeof(key), "way.%s", ae_fact_text(way, "result"));
		ae_wr_str(w, "  ");
		ae_diag_put_safe(w, ae_fact_text(way, "ca"), AE_DIAG_VALUE_MAX);
		ae_wr_printf(w, ", %s: %s, %.1f ms\n", ae_fact_text(way, "way"),
		    ae_diag_frame(lang, key),
		    json_real_value(json_object_get(way, "ms")));
		put_stages(w, way);
		put_said(w, json_object_get(way, "said"));
	}
	if (ae_fact_int(&ldap, r, "measured.ldap") &&
	    ae_fact_int(&rpc, r, "measured.rpc"))
		ae_wr_printf(w, "\n%s: LDAP %lld, RPC %lld\n",
		    ae_diag_frame(lang, "round-trips"), (long long)ldap,
		    (long long)rpc);
}
