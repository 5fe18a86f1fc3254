/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Places for keys, as a throw-away key found them.  One that does not work is
 * a cause where a template of ours has no other that does.
 */
#include <string.h>

#include "diag/checks.h"
#include "pki/nte.h"

/* What is wrong with a place that does not work, as a row's id. */
static const char *
id_of(const json_t *place)
{
	const char *error = ae_fact_text(place, "error");
	int64_t code = 0;

	(void)ae_fact_int(&code, place, "code");
	if (ae_fact_is(place, "provider", "tpm") && code == NTE_NOT_SUPPORTED)
		return "key.tpm-alg-unsupported";
	if (ae_fact_is(place, "provider", "tpm") &&
	    code != NTE_PROV_DLL_NOT_FOUND)
		return strstr(error, "locked out") != NULL
		    ? "key.tpm-lockout"
		    : "key.tpm-not-ready";
	if (ae_fact_is(place, "provider", "pkcs11") &&
	    (code == NTE_DEVICE_NOT_READY || code == NTE_DEVICE_NOT_FOUND ||
		code == NTE_TOKEN_KEYSET_STORAGE_FULL))
		return "key.no-reader";
	/* A library that is not there: key.provider-missing, by plan. */
	return ae_fact_no(place, "present") ? "" : "key.provider-init";
}

static bool
works(const json_t *facts, const char *provider)
{
	const json_t *p;
	size_t i;

	json_array_foreach(ae_fact(facts, "keys.places"), i, p)
	{
		if (ae_fact_is(p, "provider", provider))
			return ae_fact_yes(p, "works");
	}
	return false;
}

static const json_t *
template_of(const json_t *facts, const json_t *item)
{
	return ae_diag_template_of(facts, ae_fact_text(item, "template"));
}

/* The kinds of provider that its template's list comes down to. */
static const json_t *
list_of(const json_t *facts, const json_t *item)
{
	return json_object_get(template_of(facts, item), "providers");
}

/* Is it in the list; other: and another one of it works. */
static bool
names(
    const json_t *facts, const json_t *list, const char *provider, bool *other)
{
	const char *s;
	bool found = false;
	size_t i;

	*other = false;
	for (i = 0; i < json_array_size(list); i++) {
		s = json_string_value(json_array_get(list, i));
		if (s == NULL)
			continue;
		if (strcmp(s, provider) == 0)
			found = true;
		else
			*other |= works(facts, s);
	}
	return found;
}

static json_t *
args_of(const json_t *place, const char *tmpl)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s?}", "provider",
	    ae_fact_text(place, "provider"), "code",
	    ae_fact_text(place, "hresult"), "value",
	    ae_fact_text(place, "error"), "error", ae_fact_text(place, "error"),
	    "template", tmpl);
}

/* Who needs it has no certificate by it; harmless where there is another. */
static void
broken(struct ae_diag_walk *w, const json_t *place)
{
	const json_t *facts = ae_diag_facts(w), *item;
	const char *provider = ae_fact_text(place, "provider"), *tmpl;
	bool other, wanted = false;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		if (!ae_diag_is_ours(facts, item) ||
		    !names(facts, list_of(facts, item), provider, &other))
			continue;
		wanted = true;
		tmpl = ae_fact_text(item, "template");
		if (other)
			ae_diag_say(w, AE_DIAG_HARMLESS, tmpl,
			    args_of(place, tmpl), "place-other");
		else
			ae_diag_say(w, AE_DIAG_FAIL, tmpl, args_of(place, tmpl),
			    "place");
	}
	if (!wanted && ae_fact_yes(place, "configured"))
		ae_diag_say(w, AE_DIAG_HARMLESS, NULL, args_of(place, NULL),
		    "place-unused");
}

static void
by_place(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *p;
	size_t i;

	json_array_foreach(ae_fact(facts, "keys.places"), i, p)
	{
		if (ae_fact_str(p, "because") != NULL &&
		    strcmp(ae_diag_row(w)->id, "key.provider-init") == 0)
			ae_diag_say(w, AE_DIAG_UNKNOWN, NULL, NULL, "not-root");
		if (ae_fact_no(p, "works") &&
		    strcmp(id_of(p), ae_diag_row(w)->id) == 0)
			broken(w, p);
	}
}

static const json_t *
place_of(const json_t *facts, const char *provider)
{
	const json_t *p;
	size_t i;

	json_array_foreach(ae_fact(facts, "keys.places"), i, p)
	{
		if (ae_fact_is(p, "provider", provider))
			return p;
	}
	return NULL;
}

/* Keys without protection against guessing work all the same. */
static void
locked(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	int64_t failures = 0, max = 0, interval = 0;

	by_place(w);
	if (!ae_fact_yes(facts, "keys.tpm.locked") ||
	    !ae_fact_yes(place_of(facts, "tpm"), "works"))
		return;
	(void)ae_fact_int(&failures, facts, "keys.tpm.failures");
	(void)ae_fact_int(&max, facts, "keys.tpm.max_failures");
	(void)ae_fact_int(&interval, facts, "keys.tpm.interval");
	ae_diag_say(w, AE_DIAG_HARMLESS, NULL,
	    json_pack("{s:I, s:I, s:I}", "failures", (json_int_t)failures,
		"max", (json_int_t)max, "interval", (json_int_t)interval),
	    "works");
}

static bool
has(const json_t *list, const char *what)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) &&
		    strcmp(json_string_value(one), what) == 0)
			return true;
	}
	return false;
}

/* As the TPM says itself, for each template that would have its key there. */
static void
tpm_lacks(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *t;
	const char *kind, *cn;
	json_t *args;
	bool other;
	size_t i;

	by_place(w);
	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		t = template_of(facts, item);
		kind = ae_fact_text(t, "key");
		if (!ae_diag_is_ours(facts, item) ||
		    !names(facts, json_object_get(t, "providers"), "tpm",
			&other) ||
		    !has(ae_fact(facts, "keys.tpm.lacks"), kind))
			continue;
		args = json_pack("{s:s, s:s}", "template", cn, "value", kind);
		if (ae_fact_is(item, "action", "keep"))
			(void)json_object_set_new(
			    args, "category", json_string("R"));
		ae_diag_say(w, other ? AE_DIAG_HARMLESS : AE_DIAG_FAIL, cn,
		    args, other ? "other" : "");
	}
}

/* clang-format off */
#define PLACE(id) { id, "keys.places", "env.*", by_place }

const struct ae_diag_check ae_diag_keys[] = {
	{ "key.tpm-lockout", "keys.places", "env.*", locked },
	{ "key.tpm-alg-unsupported", "keys.places", "env.* key.tpm-not-ready", tpm_lacks },
	PLACE("key.tpm-not-ready"),
	PLACE("key.no-reader"),
	PLACE("key.provider-init"),
	{ 0 },
};
/* clang-format on */
