/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A CA looked at on its own host: why it does not start, why it does not
 * serve a template, why it denied somebody.
 *
 *   "server": { "config": { "path", "error" }, "name", "running": bool,
 *     "certificate": { "path", "error", "not_before", "not_after", "ends" },
 *     "keys": [ { "uri", "works": bool, "error" } ], "keys_error",
 *     "database": { "path", "error" },
 *     "keytab": { "path", "state", "error", "principal", "has": bool },
 *     "ports": [ { "port", "state": "free" | "used" | "denied" } ],
 *     "disk": { "path", "free" },
 *     "directory": { "error", "ahead", "offered": [ cn ],
 *                    "templates": [ cn ] },
 *     "unloaded": [ { "template", "text", "time" } ],
 *     "requests": [ { "id", "account", "template", "disp", "hresult",
 *                     "message", "check_id", "reasons", "time" } ] }
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "diag/denial.h"
#include "diag/text.h"
#include "wcce/hresult.h"

#define FREE_MIN (INT64_C(1) << 20)
#define SKEW_MAX 300

/* error: what was said; the texts of some rows call it the value. */
static json_t *
args(const json_t *facts, const char *error)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "ca",
	    ae_fact_text(facts, "server.name"), "host",
	    ae_fact_text(facts, "host.name"), "path",
	    ae_fact_text(facts, "server.keytab.path"), "value", error, "error",
	    error);
}

static void
disk(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const char *path = ae_fact_text(facts, "server.disk.path");
	int64_t bytes;

	if (ae_fact_int(&bytes, facts, "server.disk.free") && bytes < FREE_MIN)
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack(
			"{s:s, s:I}", "path", path, "bytes", (json_int_t)bytes),
		    "bytes");
}

static void
not_joined(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_is(facts, "server.keytab.state", "absent"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    args(facts, ae_fact_text(facts, "server.keytab.error")),
		    "absent");
}

static void
keytab(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	json_t *a = args(facts, ae_fact_text(facts, "server.keytab.error"));

	(void)json_object_set_new(a, "principal",
	    json_string(ae_fact_text(facts, "server.keytab.principal")));
	if (ae_fact_is(facts, "server.keytab.state", "damaged"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL, json_incref(a), "damaged");
	else if (ae_fact_is(facts, "server.keytab.state", "denied"))
		ae_diag_say(
		    w, AE_DIAG_UNKNOWN, NULL, json_incref(a), "keytab-denied");
	else if (ae_fact_no(facts, "server.keytab.has"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL, json_incref(a), "no-key");
	json_decref(a);
}

static void
directory(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const char *error = ae_fact_str(facts, "server.directory.error");

	if (error != NULL)
		ae_diag_say(w, AE_DIAG_FAIL, NULL, args(facts, error), "said");
}

static void
skew(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	int64_t ahead;
	json_t *a;

	if (!ae_fact_int(&ahead, facts, "server.directory.ahead") ||
	    (ahead <= SKEW_MAX && ahead >= -SKEW_MAX))
		return;
	a = args(facts, "");
	(void)json_object_set_new(a, "seconds",
	    json_integer((json_int_t)(ahead < 0 ? -ahead : ahead)));
	ae_diag_say(w, AE_DIAG_FAIL, NULL, a,
	    ahead < 0 ? "controller-behind" : "controller-ahead");
}

static void
expired(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	int64_t until, from, now;
	json_t *a;

	if (!ae_fact_int(&until, facts, "server.certificate.not_after") ||
	    !ae_fact_int(&from, facts, "server.certificate.not_before") ||
	    !ae_fact_int(&now, facts, "host.now") ||
	    (now <= until && now >= from))
		return;
	a = args(facts, "");
	(void)json_object_set_new(a, "date",
	    json_string(ae_fact_text(facts, "server.certificate.ends")));
	ae_diag_say(w, AE_DIAG_FAIL, NULL, a, now > until ? "past" : "future");
}

/* What keeps the service from starting, in the order in which it looks. */
static const char *
hindrance(const json_t *facts)
{
	const json_t *one;
	size_t i;

	if (ae_fact_str(facts, "server.config.error") != NULL)
		return ae_fact_str(facts, "server.config.error");
	if (ae_fact_str(facts, "server.certificate.error") != NULL)
		return ae_fact_str(facts, "server.certificate.error");
	if (ae_fact_str(facts, "server.keys_error") != NULL)
		return ae_fact_str(facts, "server.keys_error");
	json_array_foreach(ae_fact(facts, "server.keys"), i, one)
	{
		if (ae_fact_no(one, "works"))
			return ae_fact_text(one, "error");
	}
	if (ae_fact_str(facts, "server.database.error") != NULL)
		return ae_fact_str(facts, "server.database.error");
	json_array_foreach(ae_fact(facts, "server.ports"), i, one)
	{
		if (!ae_fact_is(one, "state", "free"))
			return ae_fact_text(one, "text");
	}
	return NULL;
}

static void
wont_start(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const char *why = hindrance(facts);

	if (why != NULL && !ae_fact_yes(facts, "server.running"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL, args(facts, why), "said");
}

/* It runs, on keys and a database that it opened before. */
static void
breaks_next(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *one;
	json_t *a;
	size_t i;

	if (!ae_fact_yes(facts, "server.running"))
		return;
	json_array_foreach(ae_fact(facts, "server.keys"), i, one)
	{
		if (!ae_fact_no(one, "works"))
			continue;
		a = args(facts, ae_fact_text(one, "error"));
		(void)json_object_set_new(
		    a, "path", json_string(ae_fact_text(one, "uri")));
		ae_diag_say(w, AE_DIAG_FAIL, NULL, a, "file-said");
	}
}

static void
stopped(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_no(facts, "server.running"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL, args(facts, ""),
		    hindrance(facts) == NULL ? "no-reason" : "down");
}

/* ---- templates ---- */

static bool
is_asked(const json_t *facts, const char *cn)
{
	const char *only = ae_fact_str(facts, "asked.template");

	return only == NULL || ae_str_eq_nocase(only, cn);
}

static void
not_published(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const char *only = ae_fact_str(facts, "asked.template");

	if (only != NULL &&
	    !ae_diag_lists(ae_fact(facts, "server.directory.offered"), only))
		ae_diag_say(w, AE_DIAG_FAIL, only,
		    json_pack("{s:s, s:s, s:o}", "template", only, "ca",
			ae_fact_text(facts, "server.name"), "account",
			ae_diag_phrase("who", "requester", NULL)),
		    "attribute");
}

/* Event 77: it is offered, and the CA could not read or understand it. */
static void
not_loaded(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *one;
	const char *cn, *text;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "server.directory.offered"), i, one)
	{
		cn = json_string_value(one);
		if (cn == NULL || !is_asked(facts, cn) ||
		    ae_diag_lists(
			ae_fact(facts, "server.directory.templates"), cn))
			continue;
		text = "";
		json_array_foreach(ae_fact(facts, "server.unloaded"), k, one)
		{
			if (ae_str_eq_nocase(ae_fact_text(one, "template"), cn))
				text = ae_fact_text(one, "text");
		}
		ae_diag_say(w, AE_DIAG_FAIL, cn,
		    json_pack("{s:s, s:s, s:s}", "template", cn, "ca",
			ae_fact_text(facts, "server.name"), "error", text),
		    text[0] == '\0' ? "unseen" : "unloaded");
	}
}

/* ---- denials ---- */

/* The CA wrote down which rule it was; else its code has to do. */
static const char *
cause_of(const json_t *facts, const json_t *one)
{
	const char *id = ae_fact_text(one, "check_id");
	struct ae_diag_denial d = { .facts = facts,
		.tmpl = ae_fact_text(one, "template"),
		.ca = ae_fact_text(facts, "server.name"),
		.text = ae_fact_text(one, "message") };
	int64_t code = 0;

	if (strncmp(id, "rules.", 6) == 0)
		return "deny.policy-module-custom";
	if (strncmp(id, "deny.", 5) == 0 && ae_diag_text_find(id) != NULL)
		return id;
	(void)ae_fact_int(&code, one, "hresult");
	d.code = (uint32_t)code;
	return ae_diag_denial_cause(&d);
}

static void
tell_request(struct ae_diag_walk *w, const json_t *one)
{
	const json_t *facts = ae_diag_facts(w);
	const char *why = ae_fact_text(one, "reasons");
	char code[AE_HRESULT_STR_MAX], id[24];
	int64_t n = 0, hr = 0;

	(void)ae_fact_int(&n, one, "id");
	(void)ae_fact_int(&hr, one, "hresult");
	(void)snprintf(id, sizeof(id), "%" PRId64, n);
	(void)ae_hresult_print(code, (uint32_t)hr);
	why = why[0] == '\0' ? ae_fact_text(one, "message") : why;
	ae_diag_say(w, AE_DIAG_FAIL, id,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "template",
		ae_fact_text(one, "template"), "account",
		ae_fact_text(one, "account"), "ca",
		ae_fact_text(facts, "server.name"), "id", id, "code", code,
		"value", ae_fact_text(one, "message"), "time",
		ae_fact_text(one, "time"), "error", why),
	    "request");
}

static void
denied(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *one;
	const char *id = ae_diag_row(w)->id, *cause;
	size_t i;

	json_array_foreach(ae_fact(facts, "server.requests"), i, one)
	{
		if (!ae_fact_is(one, "disp", "denied") &&
		    !ae_fact_is(one, "disp", "failed"))
			continue;
		cause = cause_of(facts, one);
		/* What no row knows is told by the last. */
		if (cause == NULL)
			cause = "deny.access-denied";
		if (strcmp(cause, id) == 0)
			tell_request(w, one);
	}
}

static void
waits(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *one;
	size_t i;

	json_array_foreach(ae_fact(facts, "server.requests"), i, one)
	{
		if (ae_fact_is(one, "disp", "pending"))
			tell_request(w, one);
	}
}

/* clang-format off */
#define AFTER_CONFIG "ca.service-wont-start"
#define AFTER_HOST "env.disk-full join.not-joined"
#define DENIED(id) { id, "server.requests", NULL, denied }

static const struct ae_diag_check host_rows[] = {
	{ "env.disk-full", "server.config", NULL, disk },
	{ "join.not-joined", "server.keytab", NULL, not_joined },
	{ "join.keytab-missing-principal", "server.keytab", "join.not-joined", keytab },
	{ "dc.unreachable", "server.directory", "join.*", directory },
	{ "time.skew", "server.directory", "dc.unreachable", skew },
	{ 0 },
};

static const struct ae_diag_check start_rows[] = {
	{ "trust.ca-cert-expired", "server.certificate", NULL, expired },
	{ "ca.service-wont-start", "server.config", AFTER_HOST " trust.ca-cert-expired", wont_start },
	{ "deny.sign-failure", "server.keys", NULL, breaks_next },
	{ "net.ca-service-stopped", "server.config",
	  AFTER_HOST " trust.ca-cert-expired join.* ca.service-wont-start", stopped },
	{ 0 },
};

static const struct ae_diag_check template_rows[] = {
	{ "ca.template-not-published", "server.directory.offered", "dc.unreachable join.*", not_published },
	{ "ca.published-ad-not-loaded", "server.directory.templates", "dc.unreachable join.*", not_loaded },
	{ 0 },
};

static const struct ae_diag_check denied_rows[] = {
	DENIED("deny.ca-no-request-right"), DENIED("deny.template-no-enroll"),
	DENIED("deny.policy-module-custom"), DENIED("deny.template-not-supported"),
	DENIED("deny.no-template-info"), DENIED("deny.template-conflict"),
	DENIED("deny.template-version"), DENIED("deny.unknown-template-config"),
	DENIED("deny.subject-dns"), DENIED("deny.subject-upn"), DENIED("deny.subject-guid"),
	DENIED("deny.subject-email"), DENIED("deny.bad-subject"), DENIED("deny.san-required"),
	DENIED("deny.smime-required"), DENIED("deny.archived-required"),
	DENIED("deny.archive-not-configured"), DENIED("deny.archive-unexpected"),
	DENIED("deny.key-length"), DENIED("deny.key-algorithm"), DENIED("deny.ra-policy"),
	DENIED("deny.ra-count"), DENIED("deny.ra-rejected"), DENIED("deny.ra-issuance"),
	DENIED("deny.too-many-signatures"), DENIED("deny.restricted-ea"),
	DENIED("deny.renewal-attr"), DENIED("deny.renewal-subject"),
	DENIED("deny.renewal-same-key"), DENIED("deny.overlap"), DENIED("deny.attestation"),
	DENIED("deny.requester-lookup"), DENIED("deny.dc-signing"),
	DENIED("deny.revocation-offline"), DENIED("deny.untrusted-signer"),
	DENIED("deny.sign-failure"), DENIED("deny.db-io"), DENIED("deny.encoding-length"),
	DENIED("deny.request-too-large"), DENIED("deny.bad-request"),
	DENIED("deny.bad-signature"), DENIED("deny.weak-signature"), DENIED("deny.manager"),
	DENIED("deny.san-attribute-blocked"), DENIED("deny.bad-status"),
	DENIED("deny.access-denied"),
	{ "pending.awaiting-approval", "server.requests", NULL, waits },
	{ 0 },
};

const struct ae_diag_stage ae_diag_server_stages[] = {
	{ "host", host_rows },
	{ "start", start_rows },
	{ "templates", template_rows },
	{ "requests", denied_rows },
	{ NULL, NULL },
};
/* clang-format on */
