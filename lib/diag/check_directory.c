/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The directory: does it let us in, and does it show what it must?
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "diag/checks.h"

/* The controller answers pings, there is a ticket, and yet it does not let
 * us in. */
static void
bind_failed(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_str(facts, "ad.dc") != NULL &&
	    ae_fact_str(facts, "ad.config_nc") == NULL &&
	    ae_fact_str(facts, "ad.failure.text") != NULL)
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:s, s:s}", "host",
			ae_fact_text(facts, "ad.dc"), "value",
			ae_fact_text(facts, "ad.failure.text"), "error",
			ae_fact_text(facts, "ad.failure.text")),
		    "said");
}

static void
container(struct ae_diag_walk *w, const char *path, const char *cn)
{
	const json_t *facts = ae_diag_facts(w);
	char dn[512];

	if (!ae_fact_is(facts, path, "unreadable") &&
	    !ae_fact_is(facts, path, "absent"))
		return;
	(void)snprintf(dn, sizeof(dn),
	    "CN=%s,CN=Public Key Services,CN=Services,%s", cn,
	    ae_fact_text(facts, "ad.config_nc"));
	ae_diag_say(w, AE_DIAG_FAIL, NULL,
	    json_pack("{s:s, s:s}", "dn", dn, "account",
		ae_fact_text(facts, "krb.principal")),
	    ae_fact_is(facts, path, "absent") ? "not-shown" : "nothing-inside");
}

static void
templates(struct ae_diag_walk *w)
{
	container(w, "ad.containers.templates", "Certificate Templates");
}

static void
services(struct ae_diag_walk *w)
{
	container(w, "ad.containers.services", "Enrollment Services");
}

/* Neither a CA nor a template: the objects are in another forest. */
static void
no_copy(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	int64_t roots = 0;

	if (json_array_size(ae_fact(facts, "ad.templates")) == 0 &&
	    json_array_size(ae_fact(facts, "ad.cas")) == 0 &&
	    ae_fact_is(facts, "ad.containers.templates", "listed") &&
	    ae_fact_int(&roots, facts, "ad.roots") && roots > 0)
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:I}", "roots", (json_int_t)roots), "");
}

/* clang-format off */
const struct ae_diag_check ae_diag_directory[] = {
	{ "ad.bind-failed", "ad.dc", AFTER_TICKET " auth.no-tgt", bind_failed },
	{ "ad.templates-unreadable", "ad.containers.templates",
	  AFTER_TICKET " auth.no-tgt ad.bind-failed", templates },
	{ "ad.enrollment-services-unreadable", "ad.containers.services",
	  AFTER_TICKET " auth.no-tgt ad.bind-failed", services },
	{ "ad.cross-forest-no-copy", "ad.templates",
	  AFTER_TICKET " auth.no-tgt ad.bind-failed", no_copy },
	{ 0 },
};
/* clang-format on */
