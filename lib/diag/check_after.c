/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What is there already: certificates and their keys, requests under way,
 * and whether what was issued is of any use.
 */
#include <string.h>

#include "base/str.h"
#include "diag/checks.h"

#define OID_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define OID_SMARTCARD_LOGON "1.3.6.1.4.1.311.20.2.2"
#define NO_SECURITY_EXTENSION 0x80000

static json_t *
cert_args(const json_t *facts, const json_t *c)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "template",
	    ae_fact_text(c, "template"), "thumbprint",
	    ae_fact_text(c, "thumbprint"), "path", ae_fact_text(c, "path"),
	    "date", ae_fact_text(c, "not_after"), "account",
	    ae_fact_text(facts, "krb.principal"), "ca", ae_fact_text(c, "ca"),
	    "error", ae_fact_text(c, "key_error"));
}

static bool
is_of_interest(const json_t *facts, const json_t *c)
{
	const char *only = ae_fact_str(facts, "asked.template");

	return ae_fact_yes(c, "current") &&
	    (only == NULL ||
		ae_str_eq_nocase(only, ae_fact_text(c, "template")));
}

/* Each current certificate whose state is this one. */
static void
by_state(struct ae_diag_walk *w, const char *state, const char *seen)
{
	const json_t *facts = ae_diag_facts(w), *c;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.certs"), i, c)
	{
		if (!is_of_interest(facts, c) || !ae_fact_is(c, "state", state))
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, ae_fact_text(c, "template"),
		    cert_args(facts, c), seen);
	}
}

static void
key_missing(struct ae_diag_walk *w)
{
	by_state(w, "key missing", "no-key");
}

static void
key_foreign(struct ae_diag_walk *w)
{
	by_state(w, "key does not fit", "");
}

static void
key_fails(struct ae_diag_walk *w)
{
	by_state(w, "key fails", "");
}

/* The file that could not be read, where it is one. */
static json_t *
key_args(const json_t *facts, const json_t *c)
{
	json_t *args = cert_args(facts, c);
	const char *why = ae_fact_text(c, "key_error");
	size_t len = strcspn(why, ":");

	if (why[0] == '/')
		(void)json_object_set_new(args, "path", json_stringn(why, len));
	return args;
}

/* It may not be read by whose it is. */
static void
key_access(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *c;
	int64_t uid = 0;
	size_t i;

	/* Whose eyes these are not for accuses nobody. */
	(void)ae_fact_int(&uid, facts, "host.uid");
	if (uid != 0 && !ae_fact_yes(facts, "host.user")) {
		ae_diag_say(w, AE_DIAG_UNKNOWN, NULL, NULL, "only-root");
		return;
	}
	if (ae_fact_is(facts, "host.state_dir.state", "denied"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:s}", "path",
			ae_fact_text(facts, "host.state_dir.path"), "account",
			ae_fact_text(facts, "krb.principal")),
		    "dir");
	json_array_foreach(ae_fact(facts, "store.certs"), i, c)
	{
		if (is_of_interest(facts, c) &&
		    ae_fact_is(c, "key_test", "not made") &&
		    ae_fact_text(c, "key_error")[0] != '\0')
			ae_diag_say(w, AE_DIAG_FAIL,
			    ae_fact_text(c, "template"), key_args(facts, c),
			    "said");
	}
}

static bool
has_usage(const json_t *c, const char *oid)
{
	return ae_diag_lists(json_object_get(c, "usages"), oid);
}

static bool
is_for_logon(const json_t *c)
{
	return has_usage(c, OID_CLIENT_AUTH) ||
	    has_usage(c, OID_SMARTCARD_LOGON);
}

static bool
leaves_sid_out(const json_t *facts, const char *cn)
{
	int64_t flags = 0;

	(void)ae_fact_int(
	    &flags, ae_diag_template_of(facts, cn), "enrollment_flag");
	return (flags & NO_SECURITY_EXTENSION) != 0;
}

/* KB5014754: a domain controller asks for it. */
static void
no_sid(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *c;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.certs"), i, c)
	{
		if (!is_of_interest(facts, c) || !is_for_logon(c) ||
		    !ae_fact_is(c, "sid", ""))
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, ae_fact_text(c, "template"),
		    cert_args(facts, c),
		    leaves_sid_out(facts, ae_fact_text(c, "template"))
			? "left-out"
			: "");
	}
}

/* Weakly mapped, and older than whom it is for: KDC event 40. */
static void
predates(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *c;
	const char *born = ae_fact_text(facts, "ad.me.created");
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.certs"), i, c)
	{
		if (!is_of_interest(facts, c) || !is_for_logon(c) ||
		    !ae_fact_is(c, "sid", "") ||
		    strcmp(ae_fact_text(c, "not_before"), born) >= 0)
			continue;
		args = cert_args(facts, c);
		(void)json_object_update_new(args,
		    json_pack("{s:s, s:s}", "from",
			ae_fact_text(c, "not_before"), "created", born));
		ae_diag_say(
		    w, AE_DIAG_FAIL, ae_fact_text(c, "template"), args, "");
	}
}

static void
other_sid(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *c;
	const char *mine = ae_fact_text(facts, "ad.me.sid"), *sid;
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.certs"), i, c)
	{
		sid = ae_fact_text(c, "sid");
		if (!is_of_interest(facts, c) || sid[0] == '\0' ||
		    mine[0] == '\0' || strcmp(sid, mine) == 0)
			continue;
		args = cert_args(facts, c);
		(void)json_object_set_new(args, "value", json_string(sid));
		(void)json_object_set_new(args, "expected", json_string(mine));
		ae_diag_say(
		    w, AE_DIAG_FAIL, ae_fact_text(c, "template"), args, "");
	}
}

/* ---- requests under way ---- */

/* Is it at a CA that the directory has? */
static bool
is_at_known_ca(const json_t *facts, const json_t *q)
{
	return ae_diag_ca_of(facts, ae_fact_text(q, "ca")) != NULL;
}

static json_t *
request_args(const json_t *q)
{
	int64_t n = 0;

	(void)ae_fact_int(&n, q, "request_id");
	return json_pack("{s:s, s:s, s:I, s:s, s:s}", "template",
	    ae_fact_text(q, "template"), "ca", ae_fact_text(q, "ca"), "id",
	    (json_int_t)n, "date", ae_fact_text(q, "asked"), "made",
	    ae_fact_text(q, "made"));
}

/* What the CA says of request i: its element of "pending"; NULL: nothing. */
static const json_t *
answer(const json_t *facts, size_t i)
{
	return json_array_get(ae_fact(facts, "pending"), i);
}

static void
by_answer(struct ae_diag_walk *w, const char *state)
{
	const json_t *facts = ae_diag_facts(w), *q;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.requests"), i, q)
	{
		if (!ae_fact_is(q, "state", "pending") ||
		    !is_at_known_ca(facts, q) ||
		    !ae_fact_is(answer(facts, i), "answer", state))
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, ae_fact_text(q, "template"),
		    request_args(q), "");
	}
}

static void
awaiting(struct ae_diag_walk *w)
{
	by_answer(w, "pending");
}

static void
approved(struct ae_diag_walk *w)
{
	by_answer(w, "issued");
}

static void
id_lost(struct ae_diag_walk *w)
{
	by_answer(w, "unknown");
}

/* Another request of the template waits at a CA that is there. */
static bool
is_replaced(const json_t *facts, const json_t *old)
{
	const json_t *q;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.requests"), i, q)
	{
		if (ae_fact_is(q, "state", "pending") &&
		    strcmp(ae_fact_text(q, "template"),
			ae_fact_text(old, "template")) == 0 &&
		    is_at_known_ca(facts, q))
			return true;
	}
	return false;
}

static void
ca_gone(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *q;
	size_t i;

	json_array_foreach(ae_fact(facts, "store.requests"), i, q)
	{
		if (!ae_fact_is(q, "state", "pending") ||
		    ae_fact(facts, "ad.cas") == NULL ||
		    ae_fact_str(facts, "asked.ca") != NULL ||
		    is_at_known_ca(facts, q) || is_replaced(facts, q))
			continue;
		ae_diag_say(w, AE_DIAG_FAIL, ae_fact_text(q, "template"),
		    request_args(q), "");
	}
}

/* clang-format off */
#define STORE(id, after, how) { id, "store.certs", after, how }
#define ASKED(id, how) { id, "store.requests", AFTER_DIRECTORY " net.* dns.* auth.* dcom.*", how }

/* Its keys and certificates, which need nobody else. */
const struct ae_diag_check ae_diag_existing[] = {
	STORE("key.container-access", "env.*", key_access),
	STORE("existing.key-missing", NULL, key_missing),
	STORE("install.no-matching-key", NULL, key_foreign),
	STORE("renew.key-unavailable",
	  "key.container-access key.no-reader key.provider-init key.tpm-*", key_fails),
	{ 0 },
};

const struct ae_diag_check ae_diag_after[] = {
	ASKED("pending.ca-gone", ca_gone),
	ASKED("pending.id-lost", id_lost),
	ASKED("pending.awaiting-approval", awaiting),
	ASKED("pending.polled-too-early", approved),
	{ "existing.pending-request", "plan.plan",
	  AFTER_DIRECTORY " pending.* net.* dns.* auth.* dcom.*", ae_diag_by_plan },
	STORE("use.cert-predates-account", AFTER_DIRECTORY, predates),
	STORE("use.strong-mapping-missing", AFTER_DIRECTORY " use.cert-predates-account", no_sid),
	{ "use.sid-mismatch", "ad.me.sid", AFTER_DIRECTORY, other_sid },
	{ 0 },
};
/* clang-format on */
