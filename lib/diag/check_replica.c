/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Do the domain controllers show the same of what the account needs?  Times
 * and sequence numbers are each controller's own and say nothing.
 */
#include <string.h>

#include "base/str.h"
#include "diag/checks.h"

static const json_t *
by_name(const json_t *list, const char *member, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (ae_str_eq_nocase(ae_fact_text(one, member), name))
			return one;
	}
	return NULL;
}

/* What of a template is another there; NULL: nothing.  Lists have no order. */
static const char *
difference(const json_t *here, const json_t *there)
{
	const json_t *value, *other;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)here, key, value)
	{
		other = json_object_get(there, key);
		if (strcmp(key, "changed") != 0 && !json_is_array(value) &&
		    other != NULL && !json_equal(value, other))
			return key;
	}
	return NULL;
}

static bool
offers(const json_t *ca, const char *cn)
{
	return ae_diag_lists(json_object_get(ca, "templates"), cn);
}

/*
 * It stands in nobody's way where the certificate is there.  attribute is
 * NULL when the sentence has no use for one.
 */
static void
differs(struct ae_diag_walk *w, const json_t *item, const char *cn,
    const char *other, const char *attribute, const char *seen)
{
	const json_t *facts = ae_diag_facts(w);
	const bool kept = item != NULL && ae_fact_is(item, "action", "keep");

	ae_diag_say(w, kept ? AE_DIAG_HARMLESS : AE_DIAG_FAIL, cn,
	    json_pack("{s:s, s:s, s:s, s:s?}", "dn", cn, "dc",
		ae_fact_text(facts, "ad.dc"), "host", other, "value",
		attribute),
	    seen);
}

/* One that the account is to have, seen there alone. */
static void
seen_there_alone(struct ae_diag_walk *w, const json_t *replica)
{
	const json_t *facts = ae_diag_facts(w), *t;
	const char *only = ae_fact_str(facts, "asked.template"), *cn;
	size_t i;

	json_array_foreach(json_object_get(replica, "templates"), i, t)
	{
		cn = ae_fact_text(t, "cn");
		if (by_name(ae_fact(facts, "ad.templates"), "cn", cn) != NULL ||
		    (only != NULL ? !ae_str_eq_nocase(only, cn)
				  : !ae_fact_yes(t, "may.autoenroll")))
			continue;
		differs(w, NULL, cn, ae_fact_text(replica, "host"), NULL,
		    "first-lacks");
	}
}

static void
compare(struct ae_diag_walk *w, const json_t *item, const json_t *replica)
{
	const json_t *facts = ae_diag_facts(w), *ca, *there;
	const char *cn = ae_fact_text(item, "template"), *what,
		   *host = ae_fact_text(replica, "host");
	const json_t *here = by_name(ae_fact(facts, "ad.templates"), "cn", cn);
	size_t i;

	if (here == NULL)
		return;
	there = by_name(json_object_get(replica, "templates"), "cn", cn);
	if (there == NULL) {
		differs(w, item, cn, host, NULL, "second-lacks");
		return;
	}
	what = difference(here, there);
	if (what != NULL) {
		differs(w, item, cn, host, what,
		    strcmp(what, "may") == 0 ? "permissions" : "");
		return;
	}
	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		there = by_name(json_object_get(replica, "cas"), "name",
		    ae_fact_text(ca, "name"));
		if (offers(ca, cn) != offers(there, cn)) {
			differs(w, item, cn, host, NULL, "offered");
			return;
		}
	}
}

static void
lag(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *replica, *item;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "replica"), i, replica)
	{
		if (!json_is_array(json_object_get(replica, "templates")))
			continue;
		seen_there_alone(w, replica);
		json_array_foreach(ae_fact(facts, "plan.plan"), k, item)
		{
			if (ae_diag_is_ours(facts, item))
				compare(w, item, replica);
		}
	}
}

const struct ae_diag_check ae_diag_replica[] = {
	{ "ad.replication-lag", "replica", AFTER_TICKET " auth.no-tgt", lag },
	{ 0 },
};
