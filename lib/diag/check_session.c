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

	if (!ae_fact_int(&uid, facts, "host.uid") ||
	    (has_ticket(facts) ? !is_anothers(facts)
			       : !ae_fact_is(facts, "krb.cache", "none")) ||
	    (!ae_fact_int(&from, facts, "host.session.sudo_uid") &&
		!ae_fact_int(&from, facts, "host.session.login_uid")) ||
	    from == uid)
		return;
	ae_diag_fail(w, NULL, session_args(facts),
	    "This process is of %s (%" PRId64 "), whoever logged on is %" PRId64
	    "; %s%s.",
	    ae_fact_text(facts, "host.session.name"), uid, from,
	    has_ticket(facts) ? "the ticket is for "
			      : "there is no ticket here",
	    ae_fact_text(facts, "krb.principal"));
}

static void
local_account(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_no(facts, "krb.account_known"))
		ae_diag_fail(w, NULL, session_args(facts),
		    "The KDC of %s knows no %s.",
		    ae_fact_text(facts, "host.realm"),
		    ae_fact_text(facts, "host.session.name"));
}

/* Logged on from elsewhere, and the ticket stayed there. */
static void
no_credentials(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_yes(facts, "host.session.remote") && !has_ticket(facts) &&
	    ae_fact_is(facts, "krb.cache", "none"))
		ae_diag_fail(w, NULL, session_args(facts),
		    "This session came by ssh and has no ticket: %s.",
		    ae_fact_because(facts, "krb.principal"));
}

static void
temp_profile(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const char *path = ae_fact_text(facts, "host.home.path"), *why = NULL;

	if (ae_fact_is(facts, "host.home.state", "absent"))
		why = "is not there";
	else if (ae_fact_is(facts, "host.home.state", "read-only"))
		why = "is on a file system that is mounted read-only";
	else if (ae_fact_is(facts, "host.home.state", "denied"))
		why = "may not be written by its owner";
	else if (ae_fact_yes(facts, "host.home.memory"))
		why = "is in memory and gone when the host stops";
	if (why != NULL)
		ae_diag_fail(
		    w, NULL, session_args(facts), "The home %s %s.", path, why);
}

static void
no_tgt(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_str(facts, "krb.principal") != NULL)
		return;
	/* That this user may not read the keytab is as it should be. */
	if (!ae_fact_yes(facts, "host.user") &&
	    ae_fact_is(facts, "host.keytab.state", "denied"))
		ae_diag_unknown(w, NULL, "%s; root could",
		    ae_fact_text(facts, "host.keytab.error"));
	else
		ae_diag_fail(w, NULL, session_args(facts), "%s.",
		    ae_fact_because(facts, "krb.principal"));
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
