/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Whose session this is, and whether it can prove it: su and sudo, accounts
 * of this host alone, homes that do not last, tickets.
 */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "diag/checks.h"

static json_t *
session_args(const json_t *facts)
{
	const char *name = ae_fact_str(facts, "host.session.name");

	return json_pack("{s:s, s:s?}", "account",
	    name != NULL ? name : ae_fact_text(facts, "host.principal"), "path",
	    ae_fact_str(facts, "host.home.path"));
}

static bool
has_ticket(const json_t *facts)
{
	return ae_fact_str(facts, "krb.principal") != NULL;
}

/* "alice" out of "alice@LAB" and "LAB\\alice". */
static size_t
bare(const char **name)
{
	const char *at = strpbrk(*name, "\\/");

	if (at != NULL)
		*name = at + 1;
	return strcspn(*name, "@");
}

/* The ticket at hand is somebody else's. */
static bool
is_anothers(const json_t *facts)
{
	const char *a = ae_fact_text(facts, "krb.principal"),
		   *b = ae_fact_text(facts, "host.session.name");
	size_t na, nb;

	if (*a == '\0' || *b == '\0')
		return false;
	na = bare(&a);
	nb = bare(&b);
	return na != nb || strncasecmp(a, b, na) != 0;
}

/*
 * su and sudo leave a ticket behind, or bring another's along.  Whoever got
 * one of his own since lacks nothing.
 */
static void
runas(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	int64_t uid, from;
	json_t *args;

	if (!ae_fact_int(&uid, facts, "host.uid") ||
	    (has_ticket(facts) ? !is_anothers(facts)
			       : !ae_fact_is(facts, "krb.cache", "none")) ||
	    (!ae_fact_int(&from, facts, "host.session.sudo_uid") &&
		!ae_fact_int(&from, facts, "host.session.login_uid")) ||
	    from == uid)
		return;
	args = session_args(facts);
	(void)json_object_set_new(args, "uid", json_integer(uid));
	(void)json_object_set_new(args, "login", json_integer(from));
	(void)json_object_set_new(
	    args, "ticket", json_string(ae_fact_text(facts, "krb.principal")));
	ae_diag_say(
	    w, AE_DIAG_FAIL, NULL, args, has_ticket(facts) ? "of-another" : "");
}

static void
local_account(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_no(facts, "krb.account_known"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:s}", "account",
			ae_fact_text(facts, "host.session.name"), "realm",
			ae_fact_text(facts, "host.realm")),
		    "");
}

/* Logged on from elsewhere, and the ticket stayed there. */
static void
no_credentials(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	json_t *args;

	if (!ae_fact_yes(facts, "host.session.remote") || has_ticket(facts) ||
	    !ae_fact_is(facts, "krb.cache", "none"))
		return;
	args = session_args(facts);
	(void)json_object_set_new(args, "error",
	    json_string(ae_fact_text(facts, "krb.failure.text")));
	ae_diag_say(w, AE_DIAG_FAIL, NULL, args, "");
}

static void
temp_profile(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	static const char *const bad[] = { "absent", "read-only", "denied" };
	const char *why = NULL;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ae_fact_is(facts, "host.home.state", bad[i]))
			why = bad[i];
	if (why == NULL && ae_fact_yes(facts, "host.home.memory"))
		why = "memory";
	if (why != NULL)
		ae_diag_say(w, AE_DIAG_FAIL, NULL, session_args(facts), why);
}

static void
no_tgt(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	json_t *args;

	if (ae_fact_str(facts, "krb.principal") != NULL)
		return;
	args = session_args(facts);
	/* That this user may not read the keytab is as it should be. */
	if (!ae_fact_yes(facts, "host.user") &&
	    ae_fact_is(facts, "host.keytab.state", "denied")) {
		(void)json_object_set_new(args, "error",
		    json_string(ae_fact_text(facts, "host.keytab.error")));
		ae_diag_say(w, AE_DIAG_UNKNOWN, NULL, args, "keytab-denied");
	} else {
		ae_diag_say_why(w, AE_DIAG_FAIL, args, "krb.principal");
	}
}

/* clang-format off */
const struct ae_diag_check ae_diag_session[] = {
	{ "env.temp-profile", "host.starters", NULL, temp_profile },
	{ "env.local-account", "probes.krb", AFTER_TICKET, local_account },
	{ "env.runas-no-gpo", "probes.krb", AFTER_TICKET " env.local-account", runas },
	{ "env.no-network-credentials", "probes.krb",
	  AFTER_TICKET " env.local-account env.runas-no-gpo", no_credentials },
	{ "auth.no-tgt", "probes.krb",
	  AFTER_TICKET " env.local-account env.runas-no-gpo env.no-network-credentials", no_tgt },
	{ 0 },
};
/* clang-format on */
