/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What was found at the addresses that certificates name: whether an issuer
 * that is missing can be had there, whether a CA is revoked, and whether who
 * is shown a certificate can know.
 */
#include "diag/check_links.h"

#include <string.h>

#include "base/str.h"

typedef bool each_answer(void *arg, const json_t *answer);

/* Every answer; fn says true: that was the one. */
static const json_t *
each(const json_t *facts, each_answer *fn, void *arg)
{
	const json_t *server, *answer;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "fetched"), i, server)
	{
		json_array_foreach(
		    json_object_get(server, "answers"), k, answer)
		{
			if (fn(arg, answer))
				return answer;
		}
	}
	return NULL;
}

/* Those about one certificate and one use of its addresses. */
struct about {
	const char *thumbprint, *use;
	struct ae_diag_links *out;
};

static bool
count(void *arg, const json_t *answer)
{
	struct about *a = arg;
	struct ae_diag_links *l = a->out;

	if (!ae_fact_is(answer, "thumbprint", a->thumbprint) ||
	    !ae_fact_is(answer, "use", a->use) ||
	    ae_fact_is(answer, "state", "left out"))
		return false;
	if (ae_fact_is(answer, "state", "fits"))
		l->good = answer;
	else
		l->bad = answer;
	return false;
}

struct ae_diag_links
ae_diag_links_of(const json_t *facts, const char *thumbprint, const char *use)
{
	struct ae_diag_links l = { NULL, NULL };
	struct about a = { thumbprint, use, &l };

	(void)each(facts, count, &a);
	return l;
}

/* ---- the issuer's certificate ---- */

static json_t *
args_of(const json_t *answer)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "url",
	    ae_fact_text(answer, "url"), "code", ae_fact_text(answer, "why"),
	    "ca", ae_fact_text(answer, "ca"), "template",
	    ae_fact_text(answer, "template"), "thumbprint",
	    ae_fact_text(answer, "thumbprint"), "dn",
	    ae_fact_text(answer, "subject"), "date",
	    ae_fact_text(answer, "next_update"));
}

static bool
is_dead_issuer(void *arg, const json_t *answer)
{
	struct ae_diag_walk *w = arg;
	const char *thumb = ae_fact_text(answer, "thumbprint");

	if (ae_fact_is(answer, "use", "aia") &&
	    !ae_fact_is(answer, "state", "fits") &&
	    !ae_fact_is(answer, "state", "left out"))
		ae_diag_say(w,
		    ae_diag_trust_waits_for(ae_diag_facts(w), thumb)
			? AE_DIAG_FAIL
			: AE_DIAG_HARMLESS,
		    NULL, args_of(answer), "");
	return false;
}

/* Where nothing else leads to the issuer it is the cause. */
static void
dead_issuers(struct ae_diag_walk *w)
{
	(void)each(ae_diag_facts(w), is_dead_issuer, w);
}

/* ---- revocation ---- */

/* The same certificate may be on the list at each of its addresses. */
struct revoked {
	struct ae_diag_walk *w;
	const char *told;
};

static bool
has_current(const json_t *facts)
{
	const json_t *c;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.certs"), i, c)
	{
		if (ae_fact_yes(c, "current"))
			return true;
	}
	return false;
}

static bool
is_revoked_ca(void *arg, const json_t *answer)
{
	struct revoked *r = arg;
	const char *thumb = ae_fact_text(answer, "thumbprint");
	json_t *args;

	if (!ae_fact_no(answer, "own") ||
	    ae_fact_str(answer, "revoked") == NULL ||
	    (r->told != NULL && strcmp(r->told, thumb) == 0))
		return false;
	r->told = thumb;
	args = args_of(answer);
	(void)json_object_set_new(
	    args, "date", json_string(ae_fact_text(answer, "revoked")));
	if (has_current(ae_diag_facts(r->w)))
		(void)json_object_set_new(args, "category", json_string("I"));
	ae_diag_say(r->w, AE_DIAG_FAIL, NULL, args, "");
	return false;
}

static void
revoked_cas(struct ae_diag_walk *w)
{
	struct revoked r = { w, NULL };

	(void)each(ae_diag_facts(w), is_revoked_ca, &r);
}

/*
 * A certificate of ours, or one above it, whose list is at none of its
 * addresses.  One that works is enough.
 */
static bool
is_without_list(void *arg, const json_t *answer)
{
	struct ae_diag_walk *w = arg;
	const json_t *facts = ae_diag_facts(w);
	const char *tmpl = ae_fact_text(answer, "template");
	struct ae_diag_links l =
	    ae_diag_links_of(facts, ae_fact_text(answer, "thumbprint"), "cdp");
	const char *seen =
	    ae_fact_is(answer, "state", "stale") ? "fetched-old" : "fetched";
	json_t *args;

	if (l.good != NULL || l.bad != answer || !has_current(facts) ||
	    ae_diag_failed(
		w, ae_diag_row(w)->id, tmpl[0] == '\0' ? NULL : tmpl))
		return false;
	args = args_of(answer);
	(void)json_object_set_new(args, "category", json_string("I"));
	ae_diag_say(w, AE_DIAG_FAIL, tmpl[0] == '\0' ? NULL : tmpl, args, seen);
	return false;
}

void
ae_diag_links_lists(struct ae_diag_walk *w)
{
	(void)each(ae_diag_facts(w), is_without_list, w);
}

/* clang-format off */
const struct ae_diag_check ae_diag_published[] = {
	{ "trust.ca-cert-revoked", "fetched", AFTER_DIRECTORY, revoked_cas },
	{ "trust.aia-unreachable", "fetched", AFTER_DIRECTORY, dead_issuers },
	{ 0 },
};
/* clang-format on */
