/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The way to each CA.  0x800706ba is one code for many causes: the stage at
 * which the way ends, how fast it ended and what the KDC said tell them
 * apart (doc/diagnose.md has the order of questions).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "diag/checks.h"

/* RFC 4120 7.5.9 */
#define KDC_S_PRINCIPAL_UNKNOWN 7
#define KDC_PRINCIPAL_NOT_UNIQUE 8
#define KDC_ETYPE_NOSUPP 14
#define KRB_AP_SKEW 37
#define KRB_AP_MODIFIED 41
#define KRB5_FIRST INT64_C(-1765328384)

/* MS-ERREF, and EPM's own status */
#define E_ACCESSDENIED 0x80070005u
#define REGDB_E_CLASSNOTREG 0x80040154u
#define CO_E_SERVER_EXEC_FAILURE 0x80080005u
#define E_INVALIDARG 0x80070057u
#define CERTSRV_E_SERVER_SUSPENDED 0x80094006u
#define CERTSRV_E_ENROLL_DENIED 0x80094011u
#define RPC_ACCESS_DENIED 5
#define EPT_NOT_REGISTERED 0x6d9u

const json_t *
ae_diag_way_to(const json_t *facts, const char *transport, const char *config)
{
	const json_t *way;
	size_t i;

	json_array_foreach(ae_fact(facts, transport), i, way)
	{
		if (ae_fact_is(way, "config", config))
			return way;
	}
	return NULL;
}

static bool
answers(const json_t *facts, const char *config)
{
	const json_t *dcom = ae_diag_way_to(facts, "dcom", config),
		     *icpr = ae_diag_way_to(facts, "icpr", config);

	return ae_fact_yes(dcom, "ok") || ae_fact_yes(icpr, "ok");
}

static bool
offers(const json_t *ca, const char *cn)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(ca, "templates"), i, one)
	{
		if (ae_str_eq_nocase(json_string_value(one), cn))
			return true;
	}
	return false;
}

bool
ae_diag_needs_ca(const json_t *facts, const json_t *ca)
{
	const json_t *item, *other;
	const char *cn;
	size_t i, k;
	bool spare;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		if (!ae_diag_is_ours(facts, item) || !offers(ca, cn))
			continue;
		spare = false;
		json_array_foreach(ae_fact(facts, "ad.cas"), k, other)
		{
			spare |= offers(other, cn) &&
			    answers(facts, ae_fact_text(other, "config"));
		}
		if (!spare)
			return true;
	}
	return ae_fact(facts, "plan.plan") == NULL;
}

/* ---- where a way ends ---- */

/* The stage that failed; NULL: none did. */
static const json_t *
end_of(const json_t *way)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(way, "stages"), i, s)
	{
		if (ae_fact_str(s, "error") != NULL)
			return s;
	}
	return NULL;
}

static bool
ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n >= t && strcmp(s + n - t, tail) == 0;
}

struct end {
	const json_t *facts, *ca, *way, *stage;
	const char *kind, *what, *rc;
	int64_t code; /* as the failure has it */
	int64_t krb;  /* of a KDC or service; -1: none */
};

static bool
read_end(
    struct end *x, const json_t *facts, const json_t *ca, const json_t *way)
{
	*x = (struct end){ .facts = facts, .ca = ca, .way = way, .krb = -1 };
	x->stage = end_of(way);
	x->kind = ae_fact_text(x->stage, "stage");
	x->what = ae_fact_text(x->stage, "what");
	x->rc = ae_fact_text(x->stage, "rc");
	if (!ae_fact_int(&x->code, x->stage, "code"))
		(void)ae_fact_int(&x->code, way, "error.code");
	if (x->code >= KRB5_FIRST && x->code < KRB5_FIRST + 128)
		x->krb = x->code - KRB5_FIRST;
	return x->stage != NULL || ae_fact(way, "error") != NULL;
}

static size_t
owners(const struct end *x)
{
	return json_array_size(json_object_get(x->ca, "spn_owners"));
}

static bool
is_name(const struct end *x)
{
	return strcmp(x->kind, "name") == 0;
}

static bool
is_epm(const struct end *x)
{
	return strcmp(x->kind, "connect") == 0 && ends_with(x->what, ":135");
}

static bool
is_port(const struct end *x)
{
	return strcmp(x->kind, "connect") == 0 && !ends_with(x->what, ":135");
}

static bool
is_spn_missing(const struct end *x)
{
	return x->krb == KDC_S_PRINCIPAL_UNKNOWN && owners(x) < 2;
}

static bool
is_spn_duplicate(const struct end *x)
{
	return owners(x) > 1 &&
	    (x->krb == KDC_PRINCIPAL_NOT_UNIQUE ||
		x->krb == KDC_S_PRINCIPAL_UNKNOWN ||
		x->krb == KRB_AP_MODIFIED || strcmp(x->rc, "AE_EAUTH") == 0);
}

static bool
is_enctype(const struct end *x)
{
	return x->krb == KDC_ETYPE_NOSUPP;
}

static bool
is_alias(const struct end *x)
{
	return x->krb == KRB_AP_MODIFIED && owners(x) < 2;
}

static bool
is_call(const struct end *x, uint32_t code)
{
	return strcmp(x->kind, "call") == 0 && (uint32_t)x->code == code;
}

static bool
is_stopped(const struct end *x)
{
	return is_call(x, REGDB_E_CLASSNOTREG) ||
	    is_call(x, CO_E_SERVER_EXEC_FAILURE) ||
	    is_call(x, EPT_NOT_REGISTERED);
}

static bool
is_access(const struct end *x)
{
	return is_call(x, E_ACCESSDENIED) || is_call(x, RPC_ACCESS_DENIED);
}

static bool
is_name_mismatch(const struct end *x)
{
	return (uint32_t)x->code == E_INVALIDARG;
}

static bool
is_suspended(const struct end *x)
{
	return (uint32_t)x->code == CERTSRV_E_SERVER_SUSPENDED;
}

/* In this order: the first that fits is the cause. */
static const struct {
	const char *id;
	bool (*is)(const struct end *x);
} causes[] = {
	{ "dns.ca-name-unresolvable", is_name },
	{ "net.epm-unreachable", is_epm },
	{ "net.dynamic-ports-blocked", is_port },
	{ "auth.spn-duplicate", is_spn_duplicate },
	{ "auth.spn-missing", is_spn_missing },
	{ "auth.enctype", is_enctype },
	{ "dns.alias", is_alias },
	{ "net.ca-service-stopped", is_stopped },
	{ "dcom.access-group-empty", is_access },
	{ "ca.name-mismatch", is_name_mismatch },
	{ "ca.suspended", is_suspended },
};

static const char *
cause_of(const struct end *x)
{
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].is(x))
			return causes[i].id;
	return NULL;
}

static void
describe(char *out, size_t len, const struct end *x)
{
	double ms = json_real_value(json_object_get(x->stage, "ms"));

	if (x->stage == NULL)
		(void)snprintf(
		    out, len, "%s", ae_fact_text(x->way, "error.text"));
	else
		(void)snprintf(out, len,
		    "The way ends at '%s %s' after %.0f ms%s: %s", x->kind,
		    x->what, ms,
		    strcmp(x->rc, "AE_ETIMEDOUT") == 0
			? " (no answer: dropped on the way)"
			: "",
		    ae_fact_text(x->stage, "error"));
}

static void
tell(struct ae_diag_walk *w, const struct end *x)
{
	const char *config = ae_fact_text(x->ca, "config");
	char seen[1024];
	json_t *args = json_pack("{s:s, s:s, s:s}", "ca", config, "host",
	    ae_fact_text(x->ca, "host"), "spn", x->what);
	const char *port = strrchr(x->what, ':');

	if (strcmp(x->kind, "connect") == 0 && port != NULL)
		(void)json_object_set_new(args, "port", json_string(port + 1));
	describe(seen, sizeof(seen), x);
	if (answers(x->facts, config))
		ae_diag_harmless(w, config, args,
		    "%s. Plain RPC (ICPR) works, and is used instead.", seen);
	else if (!ae_diag_needs_ca(x->facts, x->ca))
		ae_diag_harmless(w, config, args,
		    "%s. No certificate of ours depends on this CA.", seen);
	else
		ae_diag_fail(w, config, args, "%s.", seen);
}

/* Each CA whose way by DCOM ends for the reason of this row. */
static void
judge_way(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca, *way;
	const char *cause;
	struct end x;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		way = ae_diag_way_to(facts, "dcom", ae_fact_text(ca, "config"));
		if (way == NULL || ae_fact_yes(way, "ok") ||
		    !read_end(&x, facts, ca, way))
			continue;
		cause = cause_of(&x);
		if (cause != NULL && strcmp(cause, ae_diag_row(w)->id) == 0)
			tell(w, &x);
	}
}

/* It ended, and no row knows why: the raw facts are better than nothing. */
static void
judge_other(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca, *way;
	struct end x;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		way = ae_diag_way_to(facts, "dcom", ae_fact_text(ca, "config"));
		if (way != NULL && !ae_fact_yes(way, "ok") &&
		    read_end(&x, facts, ca, way) && cause_of(&x) == NULL)
			tell(w, &x);
	}
}

static void
icpr(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca, *way;
	struct end x;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		const char *config = ae_fact_text(ca, "config");

		way = ae_diag_way_to(facts, "icpr", config);
		if (way == NULL || ae_fact_yes(way, "ok") ||
		    !ae_fact_yes(ae_diag_way_to(facts, "dcom", config), "ok") ||
		    !read_end(&x, facts, ca, way))
			continue;
		ae_diag_harmless(w, config, json_pack("{s:s}", "ca", config),
		    "Plain RPC is not answered (%s); DCOM is, and comes first.",
		    ae_fact_text(x.stage == NULL ? way : x.stage,
			x.stage == NULL ? "error.text" : "error"));
	}
}

/* clang-format off */
#define AFTER_NET AFTER_DIRECTORY " dns.*"
#define WAY(id, after) { id, "dcom", after, judge_way }

const struct ae_diag_check ae_diag_way[] = {
	WAY("dns.ca-name-unresolvable", AFTER_DIRECTORY),
	WAY("dns.alias", AFTER_DIRECTORY),
	WAY("net.epm-unreachable", AFTER_NET),
	WAY("net.dynamic-ports-blocked", AFTER_NET),
	WAY("net.ca-service-stopped", AFTER_NET),
	WAY("auth.spn-duplicate", AFTER_NET),
	WAY("auth.spn-missing", AFTER_NET),
	WAY("auth.enctype", AFTER_NET),
	WAY("dcom.access-group-empty", AFTER_NET " auth.*"),
	WAY("ca.name-mismatch", AFTER_NET),
	WAY("ca.suspended", AFTER_NET),
	{ "net.proxy-inspection", "dcom", AFTER_NET " auth.* dcom.* ca.*", judge_other },
	{ "net.icpr-not-exposed", "icpr", AFTER_NET, icpr },
	{ 0 },
};
/* clang-format on */
