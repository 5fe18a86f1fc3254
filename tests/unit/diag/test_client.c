/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Checks of client and directory that no lab can make fail, on facts made by
 * hand: this one fails, and it alone; and what looks like it does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/diag.h"
#include "diag/facts.h"
#include "said.h"

#define CERT(sid, from)                                                       \
	"\"store\": {\"requests\": [], \"certs\": [{\"template\": \"M\","     \
	" \"current\": true, \"state\": \"valid\", \"key_test\": \"passed\"," \
	" \"key_error\": \"\", \"path\": \"/x/M/1\", \"thumbprint\": \"ab\"," \
	" \"not_before\": \"" from                                            \
	"\", \"not_after\": \"2030-01-01T00:00:00Z\","                        \
	" \"ca\": \"h\\\\c\", \"usages\": [\"1.3.6.1.5.5.7.3.2\"],"           \
	" \"sid\": \"" sid "\"}]}"
#define ME                                                         \
	"\"ad\": {\"me\": {\"sid\": \"S-1-5-21-1\", \"created\": " \
	"\"2025-06-01T00:00:00Z\"}}"
#define ITEM(reasons)                                                      \
	"\"plan\": {\"plan\": [{\"template\": \"M\", \"candidate\": true," \
	" \"action\": \"skip\", \"reasons\": [" reasons "]}]}"

/* A person with uid 8. */
#define SESSION(session, krb)                                            \
	"{\"host\": {\"user\": true, \"uid\": 8, \"session\": {" session \
	"}}, \"probes\": {\"krb\": {\"state\": \"done\"}},"              \
	" \"krb\": {" krb "}}"

/* Another controller shows these templates, and that a CA offers those. */
#define REPLICA(templates, offered)                                          \
	"{" ITEM("") ", \"ad\": {\"dc\": \"dc1\", \"templates\": [{\"cn\":"  \
		     " \"M\", \"flags\": 1, \"changed\": \"x\"}], \"cas\": " \
		     "[{\"name\":"                                           \
		     " \"C\", \"templates\": [\"M\"]}]}, \"replica\": [{}, " \
		     "{\"host\":"                                            \
		     " \"dc2\", \"templates\": [" templates                  \
		     "], \"cas\": [{\"name\":"                               \
		     " \"C\", \"templates\": [" offered "]}]}]}"

/* No AEPolicy, and one GPO with these facts. */
#define GPO(user, facts)                                                \
	"{\"host\": {\"user\": " user "}, \"plan\": {\"policy\": "      \
	"{\"aepolicy_set\": false}, \"policy_reasons\": [{\"check\": "  \
	"\"policy.aepolicy-absent\", \"verdict\": \"fail\", \"text\": " \
	"\"no\"}]}, \"gpo\": {\"looked\": true, \"gpos\": [{\"name\": " \
	"\"G\", \"text\": \"why\", " facts "}]}}"

/* A place for keys that failed, and a template of these kinds. */
#define PLACE(provider, code, error, kinds)                              \
	"{\"keys\": {\"places\": [{\"provider\": \"software\","          \
	" \"works\": true}, {\"provider\": \"" provider "\","            \
	" \"configured\": true, \"present\": true, \"works\": false,"    \
	" \"code\": " code ", \"hresult\": \"0x1\", \"error\": \"" error \
	"\"}]}, \"ad\": {\"templates\": [{\"cn\": \"M\","                \
	" \"providers\": [" kinds "]}]}, " ITEM("") "}"

/* A CA that a run does not trust, and what its chain is like. */
#define CHAIN(facts)                                                     \
	"{\"ad\": {\"cas\": [{\"name\": \"C\", \"templates\": [\"M\"],"  \
	" \"chain\": {\"error\": \"no\", " facts "}}]}, " ITEM(          \
	    "{\"check\": \"trust.root-missing\", \"verdict\": \"fail\"," \
	    " \"text\": \"C: no\"}") "}"
#define TRUSTED(facts)                                                  \
	"{\"ad\": {\"cas\": [{\"name\": \"C\", \"templates\": [\"M\"]," \
	" \"chain\": {\"trusted\": true, " facts "}}]}, " ITEM("") "}"

/* Of two CAs B does not offer M; these can serve it. */
#define TWO_CAS(can)                                                         \
	"{\"ad\": {\"cas\": [{\"name\": \"A\", \"config\": \"h\\\\A\"},"     \
	" {\"name\": \"B\", \"config\": \"h\\\\B\"}]}, \"plan\": {\"plan\":" \
	" [{\"template\": \"M\", \"candidate\": true, \"action\": \"keep\"," \
	" \"have\": \"x\", \"cas\": [" can "], \"reasons\": [{\"check\":"    \
	" \"ca.template-not-published\", \"verdict\": \"warn\", \"about\":"  \
	" \"B\", \"text\": \"B: it does not offer the template\"}]}]}}"

static const struct {
	const char *id, *facts;
} fails[] = {
	{ "ca.template-not-published", TWO_CAS("") },
	{ "trust.constraint-or-eku",
	    CHAIN("\"trusted\": false, \"x509\": 47") },
	{ "trust.constraint-or-eku",
	    CHAIN("\"trusted\": false, \"x509\": 25, \"weak\": \"sha1\"") },
	{ "trust.weak-hash-rejected",
	    CHAIN("\"trusted\": false, \"x509\": 7, \"weak\": \"sha1\"") },
	{ "trust.weak-hash-rejected",
	    CHAIN("\"trusted\": false, \"x509\": 68") },
	{ "trust.intermediate-missing",
	    CHAIN("\"trusted\": false, \"x509\": 20, \"missing\": \"CN=I\","
		  " \"orphan\": \"CN=R\", \"weak\": \"sha1\"") },
	{ "trust.root-missing",
	    CHAIN("\"trusted\": false, \"x509\": 20,"
		  " \"missing\": \"CN=I\"") },
	{ "trust.ca-cert-renewed-not-distributed",
	    TRUSTED("\"published\": true, \"held\": false,"
		    " \"other\": true") },
	{ "trust.revocation-offline",
	    "{" ITEM("{\"check\": \"trust.revocation-offline\","
		     " \"verdict\": \"warn\", \"text\": \"old\"}") "}" },
	{ "trust.local-bundle-not-updated",
	    "{\"store\": {\"certs\": [], \"anchors\": [{\"path\": \"/a\","
	    " \"bundle\": \"/b\", \"in_bundle\": true}, {\"path\":"
	    " \"/c\", \"bundle\": \"/b\", \"in_bundle\": false}]}}" },
	{ "key.tpm-lockout",
	    PLACE("tpm", "2148073520",
		"the TPM is locked out after wrong passwords", "\"tpm\"") },
	{ "key.tpm-not-ready", PLACE("tpm", "2148073520", "no", "\"tpm\"") },
	{ "key.provider-init", PLACE("tpm", "2148073502", "no", "\"tpm\"") },
	{ "key.no-reader", PLACE("pkcs11", "2148073520", "no", "\"pkcs11\"") },
	{ "key.no-reader",
	    PLACE("pkcs11", "2148073507", "full", "\"pkcs11\"") },
	{ "key.provider-init",
	    PLACE("pkcs11", "2148073523", "PIN", "\"pkcs11\"") },
	{ "use.strong-mapping-missing",
	    "{" ME ", " CERT("", "2026-01-01T00:00:00Z") "}" },
	{ "use.sid-mismatch",
	    "{" ME ", " CERT("S-1-5-21-2", "2026-01-01T00:00:00Z") "}" },
	{ "use.cert-predates-account",
	    "{" ME ", " CERT("", "2025-01-01T00:00:00Z") "}" },
	{ "x.samba-requests-all-templates",
	    "{\"foreign\": {\"samba\": {\"enrolls\": true}, \"certmonger\":"
	    " {\"installed\": true, \"requests\": [{\"by_samba\": true,"
	    " \"state\": \"CA_REJECTED\"}]}, \"cepces\": {\"installed\":"
	    " true}}}" },
	{ "x.machine-only",
	    "{\"host\": {\"user\": true}, \"store\": {\"certs\": []},"
	    " \"foreign\": {\"adsys\": {\"enrolls\": true}, \"certmonger\":"
	    " {\"installed\": true}, \"cepces\": {\"installed\": true}}}" },
	{ "ad.cross-forest-no-copy",
	    "{\"ad\": {\"templates\": [], \"cas\": [], \"roots\": 1,"
	    " \"containers\": {\"templates\": \"listed\"}}}" },
	{ "policy.stale-after-unlink",
	    "{\"plan\": {\"plan\": [], \"policy\": {\"fresh\": false,"
	    " \"not_fresh_because\": \"reading group policy: no\","
	    " \"read_at\": \"2026-01-01T00:00:00Z\"}}}" },
	{ "ad.replication-lag",
	    REPLICA("{\"cn\": \"M\", \"flags\": 2}", "\"M\"") },
	{ "ad.replication-lag", REPLICA("", "\"M\"") },
	{ "ad.replication-lag", REPLICA("{\"cn\": \"M\", \"flags\": 1}", "") },
	{ "ad.replication-lag",
	    REPLICA("{\"cn\": \"M\", \"flags\": 1}, {\"cn\": \"New\","
		    " \"may\": {\"autoenroll\": true}}",
		"\"M\"") },
	{ "env.local-account",
	    SESSION("\"name\": \"olaf\"",
		"\"cache\": \"none\", \"account_known\": false") },
	{ "env.runas-no-gpo",
	    SESSION("\"name\": \"alice\", \"sudo_uid\": 7",
		"\"cache\": \"none\", \"account_known\": true") },
	{ "env.runas-no-gpo",
	    SESSION("\"name\": \"alice\", \"login_uid\": 7",
		"\"principal\": \"bob@LAB\"") },
	{ "env.no-network-credentials",
	    SESSION("\"name\": \"alice\", \"remote\": true",
		"\"cache\": \"none\"") },
	{ "auth.no-tgt",
	    SESSION("\"name\": \"alice\", \"remote\": true, \"login_uid\": 7",
		"\"cache\": \"expired\"") },
	{ "env.temp-profile",
	    "{\"host\": {\"starters\": {}, \"home\": {\"path\": \"/h\","
	    " \"state\": \"writable\", \"memory\": true}}}" },
	{ "policy.gpo-exists-not-applied",
	    GPO("false",
		"\"verdict\": \"blocked\", \"mine\": 7, \"other\": 7") },
	{ "policy.user-only",
	    GPO("false", "\"verdict\": \"no-registry\", \"other\": 7") },
	{ "policy.machine-only",
	    GPO("true", "\"verdict\": \"applies\", \"other\": 1") },
	{ "policy.sysvol-version-lag",
	    GPO("false",
		"\"verdict\": \"applies\", \"version\": 3,"
		" \"file_version\": 2") },
	/* Not theirs: switched off there, filtered, newer, not to be read. */
	{ "policy.aepolicy-absent",
	    GPO("false", "\"verdict\": \"blocked\", \"mine\": 32769") },
	{ "policy.aepolicy-absent",
	    GPO("false", "\"verdict\": \"no-apply\", \"other\": 7") },
	{ "policy.aepolicy-absent",
	    GPO("false",
		"\"verdict\": \"applies\", \"version\": 2,"
		" \"file_version\": 3") },
	{ "policy.aepolicy-absent",
	    GPO("false", "\"verdict\": \"unreadable\", \"file\": \"denied\"") },
	{ "existing.pending-request",
	    "{" ITEM("{\"check\": \"existing.pending-request\","
		     " \"verdict\": \"fail\", \"text\": \"it waits\"}") "}" },
	{ "key.exportable-hardware",
	    "{" ITEM("{\"check\": \"key.exportable-hardware\","
		     " \"verdict\": \"fail\", \"text\": \"it may not\"}") "}" },
	{ "time.skew",
	    "{\"probes\": {\"krb\": {\"state\": \"done\"}}, \"ad\":"
	    " {\"ahead\": 4000, \"dc\": \"dc1\"}}" },
};

/* Near to one of them, and right. */
static const char *const fine[] = {
	TWO_CAS("\"h\\\\A\""),
	/* Accepted here; never held before; of nobody's need. */
	TRUSTED("\"weak\": \"sha1\", \"missing\": \"CN=I\","
		" \"orphan\": \"CN=R\""),
	TRUSTED("\"published\": true, \"held\": false, \"other\": false"),
	TRUSTED("\"published\": false, \"held\": false, \"other\": true"),
	TRUSTED("\"x509\": 47"),
	PLACE("tpm", "2148073520", "no", "\"tpm\", \"software\""),
	PLACE("tpm", "2148073520", "no", "\"software\""),
	"{" ME ", " CERT("S-1-5-21-1", "2025-01-01T00:00:00Z") "}",
	"{\"foreign\": {\"samba\": {\"enrolls\": false}, \"certmonger\":"
	" {\"installed\": true, \"requests\": [{\"by_samba\": true,"
	" \"state\": \"MONITORING\"}]}, \"cepces\": {\"installed\": false}}}",
	"{\"ad\": {\"templates\": [], \"cas\": [], \"roots\": 0,"
	" \"containers\": {\"templates\": \"listed\"}}}",
	"{\"probes\": {\"krb\": {\"state\": \"done\"}}, \"krb\": "
	"{\"principal\": \"X\"}, \"ad\":"
	" {\"ahead\": 200, \"dc\": \"dc1\"}}",
	"{\"dc\": {\"writable\": true}}",
	/* Who took a ticket of his own after su, and a domain in the name. */
	SESSION("\"name\": \"LAB\\\\alice\", \"sudo_uid\": 7,"
		" \"remote\": true",
	    "\"principal\": \"alice@LAB\""),
	/* Another time of change and another one's template. */
	REPLICA("{\"cn\": \"M\", \"flags\": 1, \"changed\": \"y\"},"
		" {\"cn\": \"Other\"}",
	    "\"O\", \"M\""),
	/* Whose eyes it is not for. */
	"{\"host\": {\"user\": false, \"uid\": 1000, \"state_dir\":"
	" {\"state\": \"denied\"}}, \"store\": {\"certs\": []}}",
	/* Facts of the wrong kind are none. */
	"{\"store\": {\"certs\": 7}, \"host\": {\"run_lock\": []},"
	" \"plan\": {\"plan\": {}, \"policy\": []}, \"ad\": {\"unseen\": 1,"
	" \"templates\": {}, \"containers\": 3}, \"foreign\": {}}",
};

static struct ae_diag *
walk(const char *text, json_t **facts)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d = NULL;

	*facts = json_loads(text, 0, NULL);
	assert_non_null(*facts);
	assert_int_equal(ae_diag_make(&d, *facts, &e), AE_OK);
	return d;
}

static void
test_each_fails_alone(void **state)
{
	struct ae_diag *d;
	json_t *facts;
	size_t i, k, roots;

	(void)state;
	for (i = 0; i < sizeof(fails) / sizeof(fails[0]); i++) {
		d = walk(fails[i].facts, &facts);
		if (d->root == AE_DIAG_NOBODY)
			fail_msg("%s is not seen", fails[i].id);
		assert_string_equal(said_wrongly(d, facts), "");
		assert_string_equal(d->v[d->root].check->id, fails[i].id);
		for (roots = 0, k = 0; k < d->n; k++)
			roots += d->v[k].verdict == AE_DIAG_FAIL &&
			    d->v[k].cause == AE_DIAG_NOBODY;
		assert_int_equal(roots, 1);
		ae_diag_free(d);
		json_decref(facts);
	}
}

static void
test_what_is_fine_is_not_accused(void **state)
{
	struct ae_diag *d;
	json_t *facts;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		d = walk(fine[i], &facts);
		if (d->root != AE_DIAG_NOBODY)
			fail_msg("%s: %s", fine[i], d->v[d->root].check->id);
		ae_diag_free(d);
		json_decref(facts);
	}
}

static void
test_read_only_controllers_alone_are_harmless(void **state)
{
	json_t *facts;
	struct ae_diag *d =
	    walk("{\"dc\": {\"writable\": false, \"host\": \"dc9\"}}", &facts);
	size_t i, seen = 0;

	(void)state;
	assert_int_equal(d->root, AE_DIAG_NOBODY);
	for (i = 0; i < d->n; i++)
		seen += d->v[i].verdict == AE_DIAG_HARMLESS &&
		    strcmp(d->v[i].check->id, "dc.rodc-only") == 0;
	assert_int_equal(seen, 1);
	ae_diag_free(d);
	json_decref(facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_fails_alone),
		cmocka_unit_test(test_what_is_fine_is_not_accused),
		cmocka_unit_test(test_read_only_controllers_alone_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
