/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Kerberos and DCOM authorization on the way to each CA: what the KDC says
 * about the service, and how the CA's host refuses whom it knows.
 */
#include <string.h>

#include "diag/way.h"

/*
 * Beside the ends of ways: a CA that answers without encryption.  It stands in
 * nobody's way, but whoever relays a logon can request there.
 */
static void
privacy(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca;
	const char *config;
	size_t i;

	ae_diag_judge_way(w);
	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		config = ae_fact_text(ca, "config");
		if (ae_fact_yes(ae_diag_way_to(facts, "dcom", config), "ok") &&
		    ae_fact_yes(
			ae_diag_way_to(facts, "integrity", config), "ok"))
			ae_diag_say(w, AE_DIAG_HARMLESS, config,
			    json_pack("{s:s}", "ca", config), "signed");
	}
}

#define INTEGRITY 5

/* What the activation hints at is what the CA's host is configured for. */
static void
hint(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *way;
	int64_t level;
	size_t i;

	json_array_foreach(ae_fact(facts, "dcom"), i, way)
	{
		if (!ae_fact_int(&level, way, "hint") || level < 1 ||
		    level >= INTEGRITY)
			continue;
		ae_diag_say(w, AE_DIAG_HARMLESS, ae_fact_text(way, "config"),
		    json_pack("{s:s, s:I}", "host", ae_fact_text(way, "host"),
			"level", (json_int_t)level),
		    "");
	}
}

/* clang-format off */
#define AFTER_NET AFTER_DIRECTORY " dns.* net.*"
#define WAY(id, after) { id, "dcom", after, ae_diag_judge_way }

const struct ae_diag_check ae_diag_auth[] = {
	WAY("auth.ntlm-only-blocked", AFTER_NET),
	WAY("auth.spn-duplicate", AFTER_NET),
	WAY("auth.spn-missing", AFTER_NET),
	WAY("auth.enctype", AFTER_NET),
	WAY("auth.selective-authentication", AFTER_NET),
	WAY("auth.protected-users", AFTER_NET),
	WAY("auth.silo", AFTER_NET),
	WAY("dcom.restrict-unauth-gpo", AFTER_NET),
	WAY("auth.network-logon-denied", AFTER_NET),
	WAY("dcom.access-group-empty", AFTER_NET " auth.*"),
	WAY("dcom.limits", AFTER_NET " auth.*"),
	WAY("dcom.disabled", AFTER_NET " auth.*"),
	WAY("dcom.integrity-required", AFTER_NET " auth.*"),
	{ "rpc.privacy-required", "dcom", AFTER_NET " auth.*", privacy },
	WAY("rpc.sec-pkg-error", AFTER_NET " auth.*"),
	WAY("rpc.invalid-checksum", AFTER_NET " auth.*"),
	WAY("ca.interface-flags", AFTER_NET " auth.*"),
	{ "ca.authn-level-config", "dcom", AFTER_NET " auth.*", hint },
	{ 0 },
};
/* clang-format on */
