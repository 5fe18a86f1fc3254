/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The other programs here; see others.h.  Their facts are those of the probe
 * "foreign".
 */
#include "diag/others.h"

#include <stdio.h>
#include <string.h>

#include "diag/facts.h"

#define SENTENCE_MAX 1024u
#define STATES_MAX 16u

/* A sentence of frame.txt, [seen.<what>], about one of them. */
static void
say(json_t *list, enum ae_diag_lang lang, const char *name, const char *what,
    const struct ae_diag_arg *args, size_t nargs)
{
	const struct ae_diag_seen *seen = ae_diag_seen_find("", what);
	struct ae_wr w;

	if (seen == NULL) /* tools/diag-catalog sees to it that there is one */
		return;
	ae_wr_init(&w, SENTENCE_MAX);
	ae_diag_fill(&w, seen->say[lang], args, nargs);
	(void)json_array_append_new(list,
	    json_pack("{s:s, s:s}", "name", name, "state", ae_wr_cstr(&w)));
	ae_wr_done(&w);
}

/* What a state of certmonger means for the certificate. */
static const char *
meaning(const char *state)
{
	static const struct {
		const char *state, *what;
	} known[] = {
		{ "MONITORING", "monitoring" },
		{ "CA_UNREACHABLE", "ca-unreachable" },
		{ "CA_REJECTED", "ca-rejected" },
		{ "CA_UNCONFIGURED", "needs-setting" },
		{ "NEED_CA", "needs-setting" },
		{ "NEED_GUIDANCE", "needs-setting" },
		{ "NEED_KEY_GEN_PIN", "needs-pin" },
		{ "NEED_KEYINFO_READ_PIN", "needs-pin" },
		{ "NEED_CSR_GEN_PIN", "needs-pin" },
		{ "NEED_CERTSAVE_PIN", "needs-pin" },
		{ "NEWLY_ADDED_NEED_KEYINFO_READ_PIN", "needs-pin" },
		{ "CA_WORKING", "ca-working" },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].state, state) == 0)
			return known[i].what;
	return "under-way";
}

/* How many of its requests are in each state. */
static void
certmonger(json_t *list, const json_t *facts, enum ae_diag_lang lang)
{
	const json_t *q, *all = ae_fact(facts, "foreign.certmonger.requests");
	const char *state[STATES_MAX];
	size_t count[STATES_MAX] = { 0 }, n = 0, i, k;
	char number[24];

	if (!ae_fact_yes(facts, "foreign.certmonger.installed"))
		return;
	if (json_array_size(all) == 0)
		say(list, lang, "certmonger", "certmonger-idle", NULL, 0);
	json_array_foreach(all, i, q)
	{
		const char *s = ae_fact_text(q, "state");

		for (k = 0; k < n && strcmp(state[k], s) != 0; k++)
			;
		if (k == STATES_MAX)
			continue;
		state[k] = s;
		count[k]++;
		n += k == n;
	}
	for (k = 0; k < n; k++) {
		const struct ae_diag_arg args[] = {
			{ "count", number },
			{ "state", state[k] },
		};

		(void)snprintf(number, sizeof(number), "%zu", count[k]);
		say(list, lang, "certmonger", meaning(state[k]), args, 2);
	}
}

/* Who applies the auto-enrollment policy beside us, or in our place. */
static void
appliers(json_t *list, const json_t *facts, enum ae_diag_lang lang)
{
	if (ae_fact_yes(facts, "foreign.cepces.installed"))
		say(list, lang, "cepces", "cepces", NULL, 0);
	if (ae_fact_yes(facts, "foreign.samba.enrolls"))
		say(list, lang, "Samba", "samba-enrolls", NULL, 0);
	if (ae_fact_yes(facts, "foreign.adsys.enrolls"))
		say(list, lang, "adsys", "adsys-enrolls", NULL, 0);
}

/* Enrolls for nothing; but people's tickets and often the keytab are its. */
static void
sssd(json_t *list, const json_t *facts, enum ae_diag_lang lang)
{
	const json_t *d, *all = ae_fact(facts, "foreign.sssd.domains");
	const char *what;
	size_t i;

	if (!ae_fact_yes(facts, "foreign.sssd.installed"))
		return;
	if (ae_fact_no(facts, "foreign.sssd.readable"))
		say(list, lang, "SSSD", "sssd-unreadable", NULL, 0);
	else if (json_array_size(all) == 0)
		say(list, lang, "SSSD", "sssd-no-domain", NULL, 0);
	json_array_foreach(all, i, d)
	{
		const struct ae_diag_arg args[] = {
			{ "domain", ae_fact_text(d, "name") },
			{ "provider", ae_fact_text(d, "provider") },
		};

		what = ae_fact_yes(d, "online") ? "sssd-online"
		    : ae_fact_no(d, "online")	? "sssd-offline"
						: "sssd-unknown";
		say(list, lang, "SSSD", what, args, 2);
		if (ae_fact_yes(d, "renews_password"))
			say(list, lang, "SSSD", "sssd-renews", args, 2);
	}
}

json_t *
ae_diag_others(const json_t *facts, enum ae_diag_lang lang)
{
	json_t *list = json_array();

	certmonger(list, facts, lang);
	appliers(list, facts, lang);
	sssd(list, facts, lang);
	return list;
}
