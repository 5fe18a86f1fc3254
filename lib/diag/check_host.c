/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The host, its join, the clock, DNS and the domain controllers.
 */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "diag/checks.h"

/* RFC 4120 7.5.9 */
#define KDC_C_PRINCIPAL_UNKNOWN 6
#define KDC_ETYPE_NOSUPP 14
#define KDC_CLIENT_REVOKED 18
#define KDC_KEY_EXPIRED 23
#define KDC_PREAUTH_FAILED 24
#define KRB_AP_SKEW 37

#define UAC_DISABLED 0x2
#define SKEW_MAX 300
#define FREE_MIN (INT64_C(1) << 20)

/* What the KDC answered to the keytab (or the user's own ticket). */
static bool
kdc_says(const json_t *facts, int64_t number)
{
	int64_t n;

	return (ae_fact_int(&n, facts, "krb.fresh.error.kdc_error") &&
		   n == number) ||
	    (ae_fact_int(&n, facts, "krb.failure.kdc_error") && n == number);
}

static const char *
kdc_text(const json_t *facts)
{
	const char *s = ae_fact_str(facts, "krb.fresh.error.text");

	return s != NULL ? s : ae_fact_text(facts, "krb.failure.text");
}

static json_t *
host_args(const json_t *facts)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "host",
	    ae_fact_text(facts, "host.name"), "domain",
	    ae_fact_text(facts, "host.realm"), "principal",
	    ae_fact_text(facts, "host.principal"), "path",
	    ae_fact_text(facts, "host.keytab.path"));
}

/* The same, and what was said. */
static json_t *
said_args(const json_t *facts, const char *error)
{
	json_t *args = host_args(facts);

	(void)json_object_set_new(args, "error", json_string(error));
	return args;
}

static void
by_kdc(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	ae_diag_say(
	    w, AE_DIAG_FAIL, NULL, said_args(facts, kdc_text(facts)), "said");
}

static void
state_dir(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const char *path = ae_fact_text(facts, "host.state_dir.path");

	if (ae_fact_is(facts, "host.state_dir.state", "read-only"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s}", "path", path), "");
}

static void
disk_full(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const char *path = ae_fact_text(facts, "host.state_dir.path");
	int64_t bytes = 0, inodes = 1, all = 0;

	(void)ae_fact_int(&bytes, facts, "host.state_dir.free");
	(void)ae_fact_int(&inodes, facts, "host.state_dir.inodes_free");
	(void)ae_fact_int(&all, facts, "host.state_dir.inodes");
	if (bytes < FREE_MIN || (all > 0 && inodes == 0))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:I, s:I}", "path", path, "bytes",
			(json_int_t)bytes, "inodes", (json_int_t)inodes),
		    "");
}

static void
not_joined(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_yes(facts, "host.user"))
		return;
	if (ae_fact_is(facts, "host.keytab.state", "absent"))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    said_args(facts, ae_fact_text(facts, "host.keytab.error")),
		    "absent");
	else if (ae_fact_str(facts, "host.realm") == NULL)
		ae_diag_say(
		    w, AE_DIAG_FAIL, NULL, host_args(facts), "no-realm");
}

/* Has the keytab keys of the machine account, of a kind that AD takes? */
static void
keytab_principal(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *key;
	const char *want = ae_fact_text(facts, "host.principal"), *have,
		   *error = ae_fact_text(facts, "host.keytab.error");
	size_t i, named = 0, len = strcspn(want, "@");
	json_t *args;

	if (ae_fact_yes(facts, "host.user") ||
	    ae_fact_is(facts, "host.keytab.state", "absent"))
		return;
	if (ae_fact_is(facts, "host.keytab.state", "damaged")) {
		ae_diag_say(
		    w, AE_DIAG_FAIL, NULL, said_args(facts, error), "damaged");
		return;
	}
	if (ae_fact_is(facts, "host.keytab.state", "denied")) {
		ae_diag_say(w, AE_DIAG_UNKNOWN, NULL, said_args(facts, error),
		    "keytab-denied");
		return;
	}
	json_array_foreach(ae_fact(facts, "host.keytab.keys"), i, key)
	{
		have = ae_fact_text(key, "principal");
		named +=
		    strcspn(have, "@") == len && strncmp(have, want, len) == 0;
	}
	if (named == 0) {
		args = host_args(facts);
		(void)json_object_set_new(
		    args, "count", json_integer((json_int_t)i));
		ae_diag_say(w, AE_DIAG_FAIL, NULL, args, "none");
	} else if (kdc_says(facts, KDC_ETYPE_NOSUPP)) {
		by_kdc(w);
	}
}

static void
secure_channel(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *key;
	int64_t kvno, newest = -1, ad = -1;
	json_t *args;
	size_t i;

	json_array_foreach(ae_fact(facts, "host.keytab.keys"), i, key)
	{
		if (ae_fact_int(&kvno, key, "kvno") && kvno > newest)
			newest = kvno;
	}
	(void)ae_fact_int(&ad, facts, "ad.me.kvno");
	if (!kdc_says(facts, KDC_PREAUTH_FAILED))
		return;
	args = said_args(facts, kdc_text(facts));
	(void)json_object_set_new(
	    args, "kvno", json_integer((json_int_t)newest));
	if (ad >= 0 && ad != newest)
		(void)json_object_set_new(
		    args, "ad_kvno", json_integer((json_int_t)ad));
	ae_diag_say(w, AE_DIAG_FAIL, NULL, args, "");
}

static void
account_disabled(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	char value[AE_DIAG_FLAGS_MAX];
	int64_t uac;

	if (kdc_says(facts, KDC_CLIENT_REVOKED) ||
	    kdc_says(facts, KDC_KEY_EXPIRED))
		by_kdc(w);
	else if (ae_fact_int(&uac, facts, "ad.me.account_control") &&
	    (uac & UAC_DISABLED) != 0)
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:s}", "dn",
			ae_fact_text(facts, "ad.me.dn"), "uac",
			ae_diag_flags(value, uac)),
		    "flag");
}

static void
account_gone(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (kdc_says(facts, KDC_C_PRINCIPAL_UNKNOWN))
		by_kdc(w);
}

static void
skew(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	int64_t ahead = 0;

	if (ae_fact_int(&ahead, facts, "ad.ahead") &&
	    (ahead > SKEW_MAX || ahead < -SKEW_MAX))
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:I}", "dc", ae_fact_text(facts, "ad.dc"),
			"seconds", (json_int_t)(ahead < 0 ? -ahead : ahead)),
		    ahead < 0 ? "behind" : "ahead");
	else if (kdc_says(facts, KRB_AP_SKEW))
		by_kdc(w);
}

static void
resolver(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *list;

	if (ae_fact(facts, "dc.srv_error") == NULL)
		return;
	list = ae_fact(facts, "dc.resolvers");
	ae_diag_say(w, AE_DIAG_FAIL, NULL,
	    json_pack("{s:s, s:o, s:s}", "domain",
		ae_fact_text(facts, "dc.domain"), "resolvers",
		ae_diag_names(list, NULL), "error",
		ae_fact_text(facts, "dc.srv_error.text")),
	    json_array_size(list) == 0 ? "none" : "");
}

static void
unreachable(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);
	const json_t *first = json_array_get(ae_fact(facts, "dc.dcs"), 0);
	size_t named = json_array_size(ae_fact(facts, "dc.srv"));

	if (named == 0 || ae_fact_str(facts, "dc.host") != NULL)
		return;
	ae_diag_say(w, AE_DIAG_FAIL, NULL,
	    json_pack("{s:s, s:s, s:I, s:s}", "domain",
		ae_fact_text(facts, "dc.domain"), "host",
		ae_fact_text(first, "host"), "count", (json_int_t)named,
		"error", ae_fact_text(first, "error.text")),
	    "");
}

/* Nothing a Linux client needs is only at a writable one; what is written
 * for others is. */
static void
rodc_only(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w);

	if (ae_fact_no(facts, "dc.writable"))
		ae_diag_say(w, AE_DIAG_HARMLESS, NULL,
		    json_pack("{s:s}", "host", ae_fact_text(facts, "dc.host")),
		    "");
}

/* Nobody is asked. */
#define AFTER_KDC "join.not-joined dns.resolver-wrong dc.unreachable"

const struct ae_diag_check ae_diag_host[] = {
	{ "env.readonly-state", "host.state_dir", "env.temp-profile",
	    state_dir },
	{ "env.disk-full", "host.state_dir.free", "env.readonly-state",
	    disk_full },
	{ "join.not-joined", "host.keytab", NULL, not_joined },
	{ "join.keytab-missing-principal", "host.keytab", "join.not-joined",
	    keytab_principal },
	{ "time.skew", "probes.krb", AFTER_KDC, skew },
	{ "dns.resolver-wrong", "dc.domain", "join.not-joined", resolver },
	{ "dc.unreachable", "dc.srv", "join.not-joined dns.resolver-wrong",
	    unreachable },
	{ "dc.rodc-only", "dc.writable", AFTER_TICKET, rodc_only },
	{ "join.account-disabled", "probes.krb", AFTER_KDC, account_disabled },
	{ "join.account-missing", "probes.krb", AFTER_KDC, account_gone },
	{ "join.secure-channel-broken", "probes.krb",
	    AFTER_KDC " join.account-disabled time.skew", secure_channel },
	{ 0 },
};
