/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Policy servers and enrollment web services: recognised by what group policy
 * and the directory say of them.  They are not asked: this client does not
 * speak their language yet, and so the rest of what can be wrong with them is
 * unknown where they are in use.
 */
#include <strings.h>

#include "diag/checks.h"

/* The first policy server by HTTPS that applies; NULL: none. */
static const char *
web_server(const json_t *facts)
{
	const json_t *one;
	const char *url;
	size_t i;

	json_array_foreach(ae_fact(facts, "plan.policy.policy_servers"), i, one)
	{
		url = ae_fact_text(one, "url");
		if (strncasecmp(url, "https:", 6) == 0)
			return url;
	}
	return NULL;
}

static void
not_asked(struct ae_diag_walk *w)
{
	const char *url = web_server(ae_diag_facts(w));

	if (url != NULL)
		ae_diag_say(w, AE_DIAG_UNKNOWN, NULL,
		    json_pack("{s:s}", "url", url), "web-not-asked");
}

static void
not_in_ad(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *ca;
	const char *url = web_server(facts), *config;
	size_t i;

	json_array_foreach(ae_fact(facts, "ad.cas"), i, ca)
	{
		if (url == NULL ||
		    json_array_size(json_object_get(ca, "enrollment_servers")) >
			0)
			continue;
		config = ae_fact_text(ca, "config");
		ae_diag_say(w, AE_DIAG_FAIL, config,
		    json_pack("{s:s, s:s}", "ca", config, "url", url), "");
	}
}

/* clang-format off */
#define WEB(id) { id, "plan.policy", AFTER_DIRECTORY, not_asked }

const struct ae_diag_check ae_diag_web[] = {
	WEB("cep.unreachable"),
	WEB("cep.tls-hostname-mismatch"),
	WEB("cep.tls-untrusted"),
	WEB("cep.auth-failed"),
	WEB("cep.policy-empty"),
	WEB("cep.cache-stale"),
	WEB("cep.autoenroll-off"),
	{ "ces.not-in-ad", "plan.policy", AFTER_DIRECTORY " policy.*", not_in_ad },
	WEB("ces.unreachable"),
	WEB("ces.backend-rpc"),
	WEB("ces.delegation"),
	WEB("ces.multi-binding"),
	WEB("ces.renewal-only"),
	{ 0 },
};
/* clang-format on */
