/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Denials by their code; see denial.h.
 */
#include "diag/denial.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "wcce/hresult.h"

/* ---- which there are ---- */

static size_t
take(struct ae_diag_denial *v, size_t n, const json_t *facts, const char *from,
    bool live)
{
	char path[64];
	const json_t *one, *item;
	int64_t code;
	size_t i;

	(void)snprintf(path, sizeof(path), "%s.results", from);
	json_array_foreach(ae_fact(facts, path), i, one)
	{
		if (n == AE_DIAG_DENIALS_MAX ||
		    !ae_fact_is(one, "outcome", "denied") ||
		    !ae_fact_int(&code, one, "hresult"))
			continue;
		item = ae_diag_item_of(facts, ae_fact_text(one, "template"));
		/* What is there now came after it. */
		if (!live &&
		    (item == NULL || ae_fact_is(item, "action", "keep") ||
			!ae_diag_is_ours(facts, item)))
			continue;
		(void)snprintf(path, sizeof(path), "%s.finished", from);
		v[n] = (struct ae_diag_denial){ .facts = facts,
			.tmpl = ae_fact_text(one, "template"),
			.ca = ae_fact_text(one, "ca"),
			.text = ae_fact_text(one, "message"),
			.when = ae_fact_text(facts, path),
			.code = (uint32_t)code,
			.live = live };
		(void)ae_fact_int(&v[n++].request_id, one, "request_id");
	}
	return n;
}

size_t
ae_diag_denials(
    struct ae_diag_denial v[AE_DIAG_DENIALS_MAX], const json_t *facts)
{
	size_t n = take(v, 0, facts, "live", true);

	/* Asked just now: what was before counts no more. */
	return ae_fact(facts, "live.results") != NULL
	    ? n
	    : take(v, n, facts, "last", false);
}

/* ---- whose they are ---- */

static const json_t *
way_of(const struct ae_diag_denial *d)
{
	return ae_diag_way_to(d->facts, "dcom", d->ca);
}

bool
ae_diag_custom_policy(const json_t *facts, const char *config)
{
	static const char *const usual[] = { "Windows default",
		"autoenroll Enterprise policy" };
	const char *s =
	    ae_fact_str(ae_diag_way_to(facts, "dcom", config), "policy");
	size_t i;

	for (i = 0; s != NULL && i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strcmp(s, usual[i]) == 0)
			return false;
	return s != NULL;
}

/* The code is the CA's own, and so are the rights: a module hides behind it. */
static bool
is_custom(const struct ae_diag_denial *d)
{
	/* "Denied by Policy Module" is said by the usual one, too. */
	return strstr(d->text, "policy file") != NULL ||
	    ae_diag_custom_policy(d->facts, d->ca);
}

static bool
reason_passes(const struct ae_diag_denial *d, const char *check)
{
	const json_t *item = ae_diag_item_of(d->facts, d->tmpl);

	return item != NULL && ae_diag_reason_is(item, check, "pass");
}

/* The copy in the directory lets us; the CA's own permissions do not. */
static bool
is_not_synced(const struct ae_diag_denial *d)
{
	const json_t *item = ae_diag_item_of(d->facts, d->tmpl);

	return item != NULL &&
	    !ae_diag_reason_is(item, "ca.no-enroll-right", "fail");
}

static bool
is_module_denial(const struct ae_diag_denial *d)
{
	return is_custom(d) && reason_passes(d, "template.enroll-right");
}

static bool
is_not_loaded(const struct ae_diag_denial *d)
{
	const json_t *list = json_object_get(way_of(d), "templates");

	return list != NULL && !ae_diag_lists(list, d->tmpl);
}

static bool
is_renewed(const struct ae_diag_denial *d)
{
	const json_t *item = ae_diag_item_of(d->facts, d->tmpl);

	return ae_fact_is(item, "action", "renew");
}

static bool
says_construct(const struct ae_diag_denial *d)
{
	return strstr(d->text, "Constructing") != NULL;
}

static bool
says_san(const struct ae_diag_denial *d)
{
	return strstr(d->text, "san:") != NULL;
}

static bool
is_algorithm(const struct ae_diag_denial *d)
{
	return strstr(d->text, "lgorithm") != NULL;
}

/*
 * Whoever knows what AD demands sends no shorter key, and a run does: then
 * it is not the template that demands more.
 */
static bool
is_obeyed(const struct ae_diag_denial *d)
{
	int64_t bits;

	return !is_algorithm(d) &&
	    ae_fact_int(
		&bits, ae_diag_template_of(d->facts, d->tmpl), "min_key_size");
}

/*
 * In this order: the first row with the code whose question says yes; a row
 * without a question is what is left.
 */
/* clang-format off */
static const struct {
	uint32_t code;
	const char *id;
	bool (*is)(const struct ae_diag_denial *d);
} causes[] = {
	{ 0x80094011u, "ca.acl-not-synced", is_not_synced },
	{ 0x80094011u, "deny.ca-no-request-right", NULL },
	{ 0x80094012u, "deny.policy-module-custom", is_module_denial },
	{ 0x80094012u, "deny.template-no-enroll", NULL },
	{ 0x80094800u, "ca.published-ad-not-loaded", is_not_loaded },
	{ 0x80094800u, "deny.policy-module-custom", is_custom },
	{ 0x80094800u, "deny.template-not-supported", NULL },
	{ 0x80094801u, "deny.no-template-info", NULL },
	{ 0x80094802u, "deny.template-conflict", NULL },
	{ 0x80094807u, "deny.template-version", NULL },
	{ 0x80094813u, "deny.unknown-template-config", NULL },
	{ 0x8009480fu, "deny.policy-module-custom", is_custom },
	{ 0x8009480fu, "deny.subject-dns", NULL },
	{ 0x8009480du, "deny.subject-upn", NULL },
	{ 0x8009480eu, "deny.subject-guid", NULL },
	{ 0x80094812u, "deny.subject-email", NULL },
	{ 0x80094001u, "deny.bad-subject", NULL },
	{ 0x80094803u, "deny.san-required", NULL },
	{ 0x80094805u, "deny.smime-required", NULL },
	{ 0x80094804u, "deny.archived-required", NULL },
	{ 0x8009400au, "deny.archive-not-configured", NULL },
	{ 0x8009400bu, "deny.archive-not-configured", NULL },
	{ 0x80094810u, "deny.archive-unexpected", NULL },
	{ 0x8009400cu, "deny.archive-unexpected", NULL },
	{ 0x80094811u, "deny.policy-module-custom", is_custom },
	{ 0x80094811u, "deny.policy-module-custom", is_obeyed },
	{ 0x80094811u, "deny.key-algorithm", is_algorithm },
	{ 0x80094811u, "deny.key-length", NULL },
	{ 0x80090008u, "deny.key-algorithm", NULL },
	{ 0x80094809u, "deny.ra-policy", NULL },
	{ 0x80094808u, "deny.ra-policy", NULL },
	{ 0x8009480au, "deny.ra-count", NULL },
	{ 0x8009480bu, "deny.ra-rejected", NULL },
	{ 0x8009480cu, "deny.ra-issuance", NULL },
	{ 0x80094815u, "deny.too-many-signatures", NULL },
	{ 0x80094009u, "deny.restricted-ea", NULL },
	{ 0x8009400eu, "deny.renewal-attr", NULL },
	{ 0x80094806u, "deny.renewal-subject", NULL },
	{ 0x80094816u, "deny.renewal-same-key", NULL },
	{ 0x80094814u, "deny.overlap", NULL },
	{ 0x80094817u, "deny.attestation", NULL },
	{ 0x80094818u, "deny.attestation", NULL },
	{ 0x80094819u, "deny.attestation", NULL },
	{ 0x8009481au, "deny.attestation", NULL },
	{ 0x8009481bu, "deny.attestation", NULL },
	{ 0x8009481cu, "deny.attestation", NULL },
	{ 0x8009481du, "deny.attestation", NULL },
	{ 0x8009481eu, "deny.attestation", NULL },
	{ 0x80070525u, "deny.requester-lookup", NULL },
	{ 0x8007052eu, "deny.requester-lookup", NULL },
	{ 0x80072030u, "deny.requester-lookup", NULL },
	{ 0x8007200fu, "deny.requester-lookup", NULL },
	{ 0x80072095u, "deny.requester-lookup", NULL },
	{ 0x80094013u, "deny.dc-signing", NULL },
	{ 0x80070005u, "deny.access-denied", NULL },
	{ 0x80092013u, "deny.revocation-offline", NULL },
	{ 0x80092012u, "deny.revocation-offline", NULL },
	{ 0x800b0109u, "deny.untrusted-signer", NULL },
	{ 0x800b010au, "deny.untrusted-signer", NULL },
	{ 0x800b0112u, "deny.untrusted-signer", NULL },
	{ 0x80090020u, "deny.sign-failure", says_construct },
	{ 0x80090020u, "deny.san-attribute-blocked", says_san },
	{ 0x80090020u, "deny.policy-module-custom", NULL },
	{ 0x800b0114u, "deny.policy-module-custom", NULL },
	{ 0x8007076du, "deny.policy-module-custom", NULL },
	{ 0x80090023u, "deny.sign-failure", NULL },
	{ 0x80090006u, "deny.sign-failure", says_construct },
	{ 0x80090006u, "deny.bad-signature", NULL },
	{ 0x80091007u, "deny.bad-signature", NULL },
	{ 0x80070070u, "deny.db-io", NULL },
	{ 0x8009400fu, "deny.db-io", NULL },
	{ 0x80094007u, "deny.encoding-length", NULL },
	{ 0x80070057u, "deny.request-too-large", NULL },
	{ 0x800706f7u, "deny.request-too-large", NULL },
	{ 0x8007000du, "deny.policy-module-custom", is_custom },
	{ 0x8007000du, "deny.bad-request", NULL },
	{ 0x80091004u, "deny.bad-request", NULL },
	{ 0x8009200eu, "deny.bad-request", NULL },
	{ 0x80093102u, "deny.bad-request", NULL },
	{ 0x80093103u, "deny.bad-request", NULL },
	{ 0x8009310bu, "deny.bad-request", NULL },
	{ 0x80092002u, "deny.bad-request", NULL },
	{ 0x80094016u, "deny.weak-signature", NULL },
	{ 0x80094014u, "deny.manager", NULL },
	{ 0x80094003u, "deny.bad-status", NULL },
};
/* clang-format on */

const char *
ae_diag_denial_cause(const struct ae_diag_denial *d)
{
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].code == d->code &&
		    (causes[i].is == NULL || causes[i].is(d)))
			return causes[i].id;
	return NULL;
}

json_t *
ae_diag_denial_args(const struct ae_diag_denial *d)
{
	char code[AE_HRESULT_STR_MAX], id[24] = "";

	(void)ae_hresult_print(code, d->code);
	if (d->request_id > 0)
		(void)snprintf(id, sizeof(id), "%" PRId64, d->request_id);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "template",
	    d->tmpl, "ca", d->ca, "code", code, "id", id, "value", d->text,
	    "error", d->text, "when", d->when);
}

static void
tell(struct ae_diag_walk *w, const struct ae_diag_denial *d)
{
	json_t *args = ae_diag_denial_args(d);

	if (is_renewed(d))
		(void)json_object_set_new(args, "category", json_string("R"));
	ae_diag_say(
	    w, AE_DIAG_FAIL, d->tmpl, args, d->live ? "denied-now" : "denied");
}

bool
ae_diag_live_is_open(const json_t *facts)
{
	return ae_fact_str(facts, "live.template") != NULL &&
	    ae_fact(facts, "live.results") == NULL;
}

void
ae_diag_judge_denial(struct ae_diag_walk *w)
{
	struct ae_diag_denial v[AE_DIAG_DENIALS_MAX];
	size_t n = ae_diag_denials(v, ae_diag_facts(w)), i;
	const char *id;

	if (ae_diag_live_is_open(ae_diag_facts(w)))
		ae_diag_say_why(w, AE_DIAG_UNKNOWN, NULL, "live.results");
	for (i = 0; i < n; i++) {
		id = ae_diag_denial_cause(&v[i]);
		if (id != NULL && strcmp(id, ae_diag_row(w)->id) == 0)
			tell(w, &v[i]);
	}
}
