/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Other programs for the same purpose on this host – certmonger with cepces,
 * Samba's group policy extension, adsys –: what their files say of them.
 */
#include <stdio.h>
#include <string.h>

#include "diag/checks.h"

/* Who applies the policy for them. */
static const char *
applies(const json_t *facts)
{
	if (ae_fact_yes(facts, "foreign.samba.enrolls"))
		return "samba";
	if (ae_fact_yes(facts, "foreign.adsys.enrolls"))
		return "adsys";
	return NULL;
}

static void
not_installed(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const char *who = applies(facts);
	bool certmonger = ae_fact_yes(facts, "foreign.certmonger.installed"),
	     cepces = ae_fact_yes(facts, "foreign.cepces.installed");

	if (who != NULL && (!certmonger || !cepces))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack(
			"{s:o}", "value", ae_diag_phrase("foreign", who, NULL)),
		    !certmonger && !cepces ? "both"
			: !certmonger	   ? "certmonger"
					   : "cepces");
}

/* The newest trouble in the helper's log, by its traces. */
static void
log_says(struct ae_diag_walk *w, const char *what)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_is(facts, "foreign.cepces.trouble", what))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:s}", "path",
			ae_fact_text(facts, "foreign.cepces.log"), "error",
			ae_fact_text(facts, "foreign.cepces.line")),
		    "file-said");
}

static void
python_crypto(struct ae_diag_walk *w)
{
	log_says(w, "python-crypto");
}

static void
no_negotiate(struct ae_diag_walk *w)
{
	log_says(w, "no-negotiate");
}

static void
none_token(struct ae_diag_walk *w)
{
	log_says(w, "none-token");
}

static void
empty_cas(struct ae_diag_walk *w)
{
	log_says(w, "empty-cas");
}

/* More requests than one template, made by name of the extension. */
static void
all_templates(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *q;
	size_t i, n = 0, denied = 0;

	json_array_foreach(ae_fact(facts, "foreign.certmonger.requests"), i, q)
	{
		n += ae_fact_yes(q, "by_samba");
		denied += ae_fact_yes(q, "by_samba") &&
		    (ae_fact_is(q, "state", "CA_REJECTED") ||
			ae_fact_is(q, "state", "CA_UNREACHABLE"));
	}
	if (denied > 0 && ae_fact_yes(facts, "foreign.samba.enrolls"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:I, s:I}", "count", (json_int_t)n, "denied",
			(json_int_t)denied),
		    "");
}

static void
tracking_stuck(struct ae_diag_walk *w)
{
	static const char *const stuck[] = { "NEED_CA", "CA_UNCONFIGURED",
		"NEWLY_ADDED_NEED_KEYINFO_READ_PIN", "NEED_KEYINFO_READ_PIN",
		"NEED_KEY_GEN_PIN" };
	const json_t *facts = ae_diag_facts(w), *q;
	const char *state;
	size_t i, k;

	json_array_foreach(ae_fact(facts, "foreign.certmonger.requests"), i, q)
	{
		state = ae_fact_text(q, "state");
		for (k = 0; k < sizeof(stuck) / sizeof(stuck[0]); k++)
			if (strcmp(state, stuck[k]) == 0)
				ae_diag_say(w, AE_DIAG_FAIL, NULL,
				    json_pack("{s:s, s:s, s:s}", "value", state,
					"path", ae_fact_text(q, "file"), "cert",
					ae_fact_text(q, "cert")),
				    "");
	}
}

static void
killed(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_str(facts, "foreign.adsys.killed") != NULL)
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:s}", "path",
			ae_fact_text(facts, "foreign.adsys.log"), "error",
			ae_fact_text(facts, "foreign.adsys.killed")),
		    "file-said");
}

/* A person asks, and the only one who enrolls does not serve people. */
static void
machine_only(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_yes(facts, "host.user") &&
	    ae_fact_yes(facts, "foreign.adsys.enrolls") &&
	    json_array_size(ae_fact(facts, "store.certs")) == 0)
		ae_diag_say(w, AE_DIAG_FAIL, NULL, NULL, "");
}

/* clang-format off */
#define X(id, after, how) { id, "foreign", after, how }

const struct ae_diag_check ae_diag_foreign[] = {
	X("x.cepces-not-installed", NULL, not_installed),
	X("x.cepces-python-crypto", NULL, python_crypto),
	X("x.cepces-no-negotiate", NULL, no_negotiate),
	X("x.cepces-none-token", NULL, none_token),
	X("x.cepces-empty-cas", NULL, empty_cas),
	X("x.samba-requests-all-templates", "x.cepces-*", all_templates),
	X("renew.tracking-stuck", "x.cepces-not-installed", tracking_stuck),
	X("x.adsys-script-killed", NULL, killed),
	X("x.machine-only", "x.cepces-*", machine_only),
	{ 0 },
};
/* clang-format on */
