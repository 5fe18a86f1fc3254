/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Denials: foretold by what the directory and the ticket say, and explained
 * when there was one.
 */
#include <stdio.h>
#include <string.h>

#include "diag/checks.h"

/* The client decides by the directory, the CA by the ticket. */
static void
groups(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *g;
	const char *check;
	char names[512] = "";
	size_t i, n = 0;

	json_array_foreach(ae_fact(facts, "ad.groups"), i, g)
	{
		check = ae_fact_text(g, "check");
		if (strcmp(check, ae_diag_row(w)->id) != 0)
			continue;
		if (n++ < 4)
			(void)snprintf(names + strlen(names),
			    sizeof(names) - strlen(names), "%s%s",
			    n == 1 ? "" : ", ",
			    ae_fact_str(g, "name") != NULL
				? ae_fact_text(g, "name")
				: ae_fact_text(g, "sid"));
	}
	if (n > 0)
		ae_diag_fail(w, NULL,
		    json_pack("{s:s, s:s}", "group", names, "account",
			ae_fact_text(facts, "krb.principal")),
		    "The ticket of %s is of %s; since then %zu group%s "
		    "changed: "
		    "%s.",
		    ae_fact_text(facts, "krb.principal"),
		    ae_fact_text(facts, "krb.auth_time"), n, n == 1 ? "" : "s",
		    names);
}

const struct ae_diag_check ae_diag_deny[] = {
	{ "token.group-not-in-ticket", "ad.groups", AFTER_DIRECTORY, groups },
	{ "token.group-removed-still-in-ticket", "ad.groups", AFTER_DIRECTORY,
	    groups },
	{ 0 },
};
