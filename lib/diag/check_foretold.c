/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Denials foretold: what a CA would say no to is written in the directory and
 * in what the CA says of itself, before anything is sent.  The same row tells
 * of a denial for that reason.
 */
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "diag/denial.h"
#include "wcce/hresult.h"

/* MS-CRTD 2.28, 2.27, 2.4 */
#define NAME_SUPPLIED 0x1u
#define NAME_DOMAIN_DNS 0x00400000u
#define NAME_UPN 0x02000000u
#define NAME_SAN_EMAIL 0x04000000u
#define NAME_SAN_DNS 0x08000000u
#define NAME_DNS_AS_CN 0x10000000u
#define NAME_EMAIL 0x20000000u
#define NAME_CN 0x40000000u
#define KEY_ARCHIVED 0x1u
#define MACHINE_TYPE 0x40u

#define CN_MAX 64u
#define CRYPT_E_REVOCATION_OFFLINE 0x80092013u
#define CRYPT_E_NO_REVOCATION_CHECK 0x80092012u

struct template
{
	const json_t *facts, *item, *t;
	const char *cn;
	int64_t name_flag, flags, key_flag, validity, overlap, signatures;
};

static bool
has(const struct template *x, int64_t bits)
{
	return (x->name_flag & bits) != 0;
}

static bool
is_machine(const struct template *x)
{
	return (x->flags & MACHINE_TYPE) != 0;
}

static bool
lacks(const struct template *x, const char *path)
{
	return ae_fact(x->facts, "ad.me") != NULL &&
	    ae_fact_text(x->facts, path)[0] == '\0';
}

/* "{attribute} of {dn} is empty." */
static json_t *
empty(const struct template *x, const char *attribute)
{
	return json_pack("{s:s, s:s}", "attribute", attribute, "dn",
	    ae_fact_text(x->facts, "ad.me.dn"));
}

static json_t *
no_dns(const struct template *x)
{
	const bool wants = has(x, NAME_SAN_DNS) ||
	    (is_machine(x) && has(x, NAME_DNS_AS_CN | NAME_CN));

	return wants && lacks(x, "ad.me.dns_host_name")
	    ? empty(x, "dNSHostName")
	    : NULL;
}

static json_t *
no_upn(const struct template *x)
{
	return has(x, NAME_UPN) && lacks(x, "ad.me.upn")
	    ? empty(x, "userPrincipalName")
	    : NULL;
}

static json_t *
no_mail(const struct template *x)
{
	return has(x, NAME_EMAIL | NAME_SAN_EMAIL) && lacks(x, "ad.me.mail")
	    ? empty(x, "mail")
	    : NULL;
}

static json_t *
long_name(const struct template *x)
{
	const char *name = ae_fact_text(x->facts, "ad.me.dns_host_name");

	if (!is_machine(x) || !has(x, NAME_DNS_AS_CN | NAME_CN) ||
	    strlen(name) <= CN_MAX)
		return NULL;
	return json_pack(
	    "{s:s, s:I}", "name", name, "count", (json_int_t)strlen(name));
}

static json_t *
no_agents(const struct template *x)
{
	const json_t *config =
	    json_array_get(json_object_get(x->item, "cas"), 0);
	const json_t *way = json_is_string(config)
	    ? ae_diag_way_to(x->facts, "dcom", json_string_value(config))
	    : NULL;
	int64_t n = -1;

	(void)ae_fact_int(&n, way, "recovery_agents");
	return (x->key_flag & KEY_ARCHIVED) != 0 && n == 0 ? json_object()
							   : NULL;
}

/* It has agents, and says that it can use none of them. */
static json_t *
no_good_agent(const struct template *x)
{
	const json_t *config =
	    json_array_get(json_object_get(x->item, "cas"), 0);
	const json_t *way = json_is_string(config)
	    ? ae_diag_way_to(x->facts, "dcom", json_string_value(config))
	    : NULL;
	const json_t *states = json_object_get(way, "recovery_states");

	if ((x->key_flag & KEY_ARCHIVED) == 0 || json_array_size(states) == 0 ||
	    ae_diag_lists(states, "valid"))
		return NULL;
	return json_pack("{s:I, s:o}", "count",
	    (json_int_t)json_array_size(states), "states",
	    ae_diag_names(states, NULL));
}

static json_t *
two_signatures(const struct template *x)
{
	return x->signatures > 1
	    ? json_pack("{s:I}", "count", (json_int_t)x->signatures)
	    : NULL;
}

static json_t *
long_overlap(const struct template *x)
{
	if (x->validity <= 0 || x->overlap < x->validity)
		return NULL;
	return json_pack("{s:o, s:o}", "validity", ae_diag_span(x->validity),
	    "overlap", ae_diag_span(x->overlap));
}

/* What a row asks of each of our templates: values to tell of it, or NULL. */
static const struct {
	const char *id;
	json_t *(*ask)(const struct template *x);
	const char *seen;
} questions[] = {
	{ "deny.subject-dns", no_dns, "empty" },
	{ "deny.subject-upn", no_upn, "empty" },
	{ "deny.subject-email", no_mail, "empty" },
	{ "deny.bad-subject", long_name, "long" },
	{ "deny.archive-not-configured", no_agents, "none" },
	{ "deny.archive-not-configured", no_good_agent, "invalid" },
	{ "deny.too-many-signatures", two_signatures, "two" },
	{ "deny.overlap", long_overlap, "long" },
};

static bool
read_template(struct template *x, const json_t *facts, const json_t *item)
{
	*x = (struct template){ .facts = facts, .item = item };
	x->cn = ae_fact_text(item, "template");
	x->t = ae_diag_template_of(facts, x->cn);
	(void)ae_fact_int(&x->name_flag, x->t, "name_flag");
	(void)ae_fact_int(&x->flags, x->t, "flags");
	(void)ae_fact_int(&x->key_flag, x->t, "private_key_flag");
	(void)ae_fact_int(&x->validity, x->t, "validity");
	(void)ae_fact_int(&x->overlap, x->t, "overlap");
	(void)ae_fact_int(&x->signatures, x->t, "ra_signature");
	return x->t != NULL && ae_diag_is_ours(facts, item);
}

static json_t *
args_of(const struct template *x)
{
	const json_t *config =
	    json_array_get(json_object_get(x->item, "cas"), 0);
	json_t *args = json_pack("{s:s, s:s, s:s}", "template", x->cn,
	    "account", ae_fact_text(x->facts, "krb.principal"), "dn",
	    ae_fact_text(x->facts, "ad.me.dn"));

	if (json_is_string(config))
		(void)json_object_set_new(
		    args, "ca", json_string(json_string_value(config)));
	if (ae_fact_is(x->item, "action", "keep"))
		(void)json_object_set_new(args, "category", json_string("R"));
	return args;
}

static void
foretell(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item;
	const char *id = ae_diag_row(w)->id;
	struct template x;
	json_t *args, *values;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		if (!read_template(&x, facts, item) ||
		    (x.name_flag & NAME_SUPPLIED) != 0)
			continue;
		for (k = 0; k < sizeof(questions) / sizeof(questions[0]); k++) {
			if (strcmp(questions[k].id, id) != 0 ||
			    (values = questions[k].ask(&x)) == NULL)
				continue;
			args = args_of(&x);
			(void)json_object_update_new(args, values);
			ae_diag_say(
			    w, AE_DIAG_FAIL, x.cn, args, questions[k].seen);
		}
	}
	if (!ae_diag_failed(w, id, NULL))
		ae_diag_judge_denial(w);
}

/* ---- what the CA says of itself ---- */

static void
ends_soon(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *item, *config, *way;
	struct template x;
	int64_t until, now;
	json_t *args;
	size_t i;

	if (!ae_fact_int(&now, facts, "host.now"))
		return;
	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		config = json_array_get(json_object_get(item, "cas"), 0);
		if (!read_template(&x, facts, item) || !json_is_string(config))
			continue;
		way = ae_diag_way_to(facts, "dcom", json_string_value(config));
		if (!ae_fact_int(&until, way, "not_after") ||
		    until - now >= x.validity)
			continue;
		args = args_of(&x);
		(void)json_object_update_new(args,
		    json_pack("{s:s, s:o, s:o}", "date",
			ae_fact_text(way, "ends"), "left",
			ae_diag_span(until - now), "validity",
			ae_diag_span(x.validity)));
		ae_diag_say(w, AE_DIAG_FAIL, x.cn, args, "");
	}
}

/* One of our templates would be asked for there. */
static bool
serves_us(const json_t *facts, const char *config)
{
	const json_t *item, *one;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		json_array_foreach(json_object_get(item, "cas"), k, one)
		{
			if (json_is_string(one) &&
			    strcmp(json_string_value(one), config) == 0 &&
			    ae_diag_is_ours(facts, item))
				return true;
		}
	}
	return false;
}

static void
offline(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca, *way;
	const char *config;
	char text[AE_HRESULT_STR_MAX];
	int64_t code;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		config = ae_fact_text(ca, "config");
		way = ae_diag_way_to(facts, "dcom", config);
		if (!ae_fact_int(&code, way, "status") ||
		    ((uint32_t)code != CRYPT_E_REVOCATION_OFFLINE &&
			(uint32_t)code != CRYPT_E_NO_REVOCATION_CHECK) ||
		    !serves_us(facts, config))
			continue;
		(void)ae_hresult_print(text, (uint32_t)code);
		ae_diag_say(w, AE_DIAG_FAIL, config,
		    json_pack("{s:s, s:s}", "ca", config, "code", text),
		    "status");
	}
	if (!ae_diag_failed(w, ae_diag_row(w)->id, NULL))
		ae_diag_judge_denial(w);
}

/* A name on offer that no template has. */
static void
ghosts(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca, *name;
	const char *only = ae_fact_str(facts, "asked.template"), *cn, *config;
	bool asked;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		config = ae_fact_text(ca, "config");
		json_array_foreach(json_object_get(ca, "templates"), k, name)
		{
			cn = json_string_value(name);
			if (cn == NULL ||
			    ae_diag_template_of(facts, cn) != NULL)
				continue;
			asked = only != NULL && ae_str_eq_nocase(only, cn);
			ae_diag_say(w, asked ? AE_DIAG_FAIL : AE_DIAG_HARMLESS,
			    cn,
			    json_pack(
				"{s:s, s:s}", "template", cn, "ca", config),
			    "ghost");
		}
	}
	if (!ae_diag_failed(w, ae_diag_row(w)->id, NULL))
		ae_diag_judge_denial(w);
}

/* clang-format off */
#define TOLD(id, after) { id, "ad.templates", AFTER_DIRECTORY " " after, foretell }

const struct ae_diag_check ae_diag_foretold[] = {
	TOLD("deny.subject-dns", "join.dnshostname-empty template.supplies-subject context.*"),
	TOLD("deny.subject-upn", "template.supplies-subject"),
	TOLD("deny.subject-email", "template.supplies-subject"),
	TOLD("deny.bad-subject", "join.* existing.dns-mismatch"),
	TOLD("deny.archive-not-configured", "ca.template-not-published"),
	TOLD("deny.too-many-signatures", "template.ra-signature"),
	TOLD("deny.overlap", "template.overlap-too-long template.validity-too-short"),
	{ "deny.unknown-template-config", "ad.cas",
	  AFTER_DIRECTORY " template.missing template.no-read-right", ghosts },
	{ "deny.ca-expires-soon", "plan.plan", AFTER_DIRECTORY " trust.ca-cert-expired", ends_soon },
	{ "deny.revocation-offline", "dcom", AFTER_DIRECTORY " trust.*", offline },
	{ 0 },
};
/* clang-format on */
