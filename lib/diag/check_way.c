/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The network's part of the way to each CA, plain RPC beside DCOM, and what a
 * CA answers that is there but cannot serve.
 */
#include <string.h>

#include "diag/way.h"

#define RPC_ACCESS_DENIED 5

/* By plain RPC alone: DCOM comes first, and so this is never the cause. */
static void
icpr(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca;
	const char *config, *id;
	struct ae_diag_end x;
	bool refused;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		config = ae_fact_text(ca, "config");
		if (!ae_fact_yes(ae_diag_way_to(facts, "dcom", config), "ok") ||
		    !ae_diag_end_read(
			&x, facts, ca, ae_diag_way_to(facts, "icpr", config)))
			continue;
		refused = x.code == RPC_ACCESS_DENIED &&
		    strcmp(x.domain, "rpc") == 0 &&
		    (strcmp(x.what, "ept_map") == 0 ||
			strstr(x.what, "anonymous") != NULL);
		id = refused ? "net.restrict-remote-clients"
			     : "net.icpr-not-exposed";
		if (strcmp(id, ae_diag_row(w)->id) != 0)
			continue;
		ae_diag_say(w, AE_DIAG_HARMLESS, config,
		    json_pack("{s:s, s:s, s:s}", "ca", config, "host",
			ae_fact_text(ca, "host"), "error",
			ae_fact_text(x.stage == NULL ? x.way : x.stage,
			    x.stage == NULL ? "error.text" : "error")),
		    "no-icpr");
	}
}

/* Asked only where the way ended: people take it for the cause. */
static void
smb(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *way, *one;
	int64_t port;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "dcom"), i, way)
	{
		json_array_foreach(json_object_get(way, "beside"), k, one)
		{
			if (!ae_fact_int(&port, one, "port") || port != 445 ||
			    ae_fact_is(one, "state", "open"))
				continue;
			ae_diag_say(w, AE_DIAG_HARMLESS,
			    ae_fact_text(way, "config"),
			    json_pack("{s:s, s:o}", "host",
				ae_fact_text(way, "host"), "value",
				ae_diag_phrase(
				    "port", ae_fact_text(one, "state"), NULL)),
			    "");
		}
	}
}

static void
cut_or_not_known(struct ae_diag_walk *w)
{
	ae_diag_judge_way(w);
	ae_diag_judge_rest(w);
}

/* clang-format off */
#define AFTER_NET AFTER_DIRECTORY " dns.*"
#define WAY(id, after) { id, "dcom", after, ae_diag_judge_way }

const struct ae_diag_check ae_diag_way[] = {
	WAY("dns.ca-name-unresolvable", AFTER_DIRECTORY),
	WAY("dns.ca-name-wrong-ip", AFTER_DIRECTORY),
	WAY("dns.alias", AFTER_DIRECTORY),
	WAY("net.epm-unreachable", AFTER_NET),
	WAY("net.ca-service-stopped", AFTER_NET),
	WAY("net.nat-oxid-binding", AFTER_NET),
	WAY("net.fixed-port-mismatch", AFTER_NET),
	WAY("net.dynamic-ports-blocked", AFTER_NET),
	WAY("net.mtu-fragment", AFTER_NET),
	{ "net.proxy-inspection", "dcom", AFTER_NET, cut_or_not_known },
	WAY("ca.name-mismatch", AFTER_NET),
	WAY("ca.suspended", AFTER_NET),
	WAY("ca.busy", AFTER_NET),
	{ "net.smb445-red-herring", "dcom", NULL, smb },
	{ "net.restrict-remote-clients", "icpr", AFTER_NET, icpr },
	{ "net.icpr-not-exposed", "icpr", AFTER_NET, icpr },
	{ 0 },
};
/* clang-format on */
