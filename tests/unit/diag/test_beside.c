/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What lies beside the way, on facts made by hand: each row is a cause, is
 * harmless, or says nothing, and nothing else is a cause with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/diag.h"
#include "diag/facts.h"

#define ITEM(action, more)                                          \
	"\"plan\": {" more                                          \
	"\"plan\": [{\"template\": \"M\", \"candidate\": true,"     \
	" \"cas\": [\"a\\\\A\", \"b\\\\B\"], \"action\": \"" action \
	"\", \"reasons\": [{\"check\": \"template.enroll-right\","  \
	" \"verdict\": \"pass\", \"text\": \"granted\"}]}]}"
#define DOMAIN                                                               \
	"\"ad\": {\"config_nc\": \"CN=Configuration,DC=x\", \"default_nc\":" \
	" \"DC=x\", \"roots\": 1, \"aia\": 2, \"ntauth\": 1, \"templates\":" \
	" [{\"cn\": \"M\", \"oid\": \"1.2.3\", \"key\": \"RSA:4096\","       \
	" \"providers\": [\"tpm\"]}]}"
#define CHILD(foreign)                                                        \
	"{\"ad\": {\"config_nc\": \"CN=Configuration,DC=x\","                 \
	" \"default_nc\": \"DC=child,DC=x\"}, \"foreign\": {\"certmonger\": " \
	"{\"installed\": true}, \"cepces\": {\"installed\": true}, " foreign  \
	"}}"
#define ELSEWHERE(facts)                                                   \
	"{" ITEM("enroll", "") ", " DOMAIN ", \"store\": {\"elsewhere\": " \
			       "[{\"path\": \"/y\", " facts "}]}}"
#define TRUST(state, aia)                                                   \
	"{" DOMAIN ", \"store\": {\"trust\": {\"path\": \"/t\", \"state\":" \
	" \"" state "\", \"roots\": 1, \"intermediates\": " aia             \
	", \"ntauth\": 1}}}"
#define TRUSTEE(facts)                                                      \
	"{\"ad\": {\"templates\": [], \"trustees\": [{\"template\": \"M\"," \
	" \"sid\": \"S-1-5-21-1-2-3-4\", \"name\": \"G\", " facts "}]}}"
#define TPM(locked, works, code, lacks)                                       \
	"{" ITEM("enroll",                                                    \
	    "") ", " DOMAIN ", \"keys\": {\"tpm\": {\"locked\":"              \
		" " locked                                                    \
		", \"failures\": 3, \"max_failures\": 3, \"interval\": 60,"   \
		" \"lacks\": [" lacks                                         \
		"]}, \"places\": [{\"provider\": \"tpm\","                    \
		" \"configured\": true, \"present\": true, \"works\": " works \
		", \"code\": " code                                           \
		", \"hresult\": \"x\", \"error\": \"no\"}]}}"
#define GPO(set, verdict, facts)                                              \
	"{\"plan\": {\"policy\": {\"aepolicy_set\": " set "}, "               \
	"\"policy_reasons\": [{\"check\": \"policy.aepolicy-absent\","        \
	" \"verdict\": \"" verdict "\", \"text\": \"no\"}]}, \"gpo\":"        \
	" {\"looked\": true, \"gpos\": [{\"name\": \"G\", \"text\": \"why\"," \
	" " facts "}]}}"
#define START(trigger, hooks)                                                \
	"{" ITEM("enroll",                                                   \
	    "") ", \"host\": {\"task\": {\"outcome\":"                       \
		" \"deferred\", \"trigger\": \"" trigger                     \
		"\", \"last_run\": \"x\","                                   \
		" \"error\": \"nobody\"}, \"starters\": {\"enabled\": true," \
		" \"daemon\": true, \"hooks\": [" hooks "]}}}"
#define ISSUED(ca, attempts)                                          \
	"\"last\": {\"results\": [{\"template\": \"M\", \"outcome\":" \
	" \"issued\", \"ca\": \"" ca "\", \"attempts\": [" attempts "]}]}"
#define NEAR                                                             \
	"\"site\": \"S\", \"nearness\": [{\"ca\": \"a\\\\A\", \"site\":" \
	" \"S\", \"cost\": 0}, {\"ca\": \"b\\\\B\", \"site\": \"T\","    \
	" \"cost\": 100}, {\"ca\": \"c\\\\C\"}], "

static const struct row {
	const char *id, *facts;
	enum ae_diag_verdict verdict; /* of the row; FINE: it says nothing */
} rows[] = {
	{ "existing.wrong-store", ELSEWHERE("\"template\": \"m\""),
	    AE_DIAG_FAIL },
	{ "existing.wrong-store", ELSEWHERE("\"template_oid\": \"1.2.3\""),
	    AE_DIAG_FAIL },
	{ "existing.wrong-store", ELSEWHERE("\"template_oid\": \"1.2\""),
	    AE_DIAG_FINE },
	{ "ad.config-nc-wrong", CHILD("\"samba\": {\"enrolls\": true}"),
	    AE_DIAG_FAIL },
	{ "ad.config-nc-wrong", CHILD("\"adsys\": {\"enrolls\": true}"),
	    AE_DIAG_FAIL },
	{ "ad.config-nc-wrong", CHILD("\"samba\": {\"enrolls\": false}"),
	    AE_DIAG_FINE },
	{ "ad.store-download-failed", TRUST("read-only", "1"), AE_DIAG_FAIL },
	/* What is there already need not be written. */
	{ "ad.store-download-failed", TRUST("denied", "2"), AE_DIAG_FINE },
	{ "ad.store-download-failed", TRUST("writable", "0"), AE_DIAG_FINE },
	{ "ad.store-download-failed", TRUST("absent", "0"), AE_DIAG_FINE },
	{ "template.group-scope",
	    TRUSTEE("\"domain\": \"y.test\", \"scope\": \"domain-local\","
		    " \"member\": true"),
	    AE_DIAG_FAIL },
	{ "template.group-scope",
	    TRUSTEE("\"domain\": \"y.test\", \"scope\": \"domain-local\","
		    " \"member\": false"),
	    AE_DIAG_FINE },
	{ "template.group-scope",
	    TRUSTEE("\"domain\": \"y.test\", \"scope\": \"universal\","
		    " \"member\": true"),
	    AE_DIAG_FINE },
	{ "template.group-scope",
	    TRUSTEE("\"domain\": \"y.test\", \"error\": \"away\""),
	    AE_DIAG_FINE },
	{ "template.group-nested-fsp",
	    TRUSTEE("\"scope\": \"global\", \"member\": false,"
		    " \"foreign_member\": true"),
	    AE_DIAG_FAIL },
	{ "template.group-nested-fsp", TRUSTEE("\"foreign_member\": false"),
	    AE_DIAG_FINE },
	{ "key.tpm-alg-unsupported",
	    TPM("false", "true", "0", "\"RSA:4096\", \"P521\""), AE_DIAG_FAIL },
	{ "key.tpm-alg-unsupported", TPM("false", "true", "0", "\"P521\""),
	    AE_DIAG_FINE },
	{ "key.tpm-lockout", TPM("true", "true", "0", ""), AE_DIAG_HARMLESS },
	{ "key.tpm-lockout", TPM("false", "true", "0", ""), AE_DIAG_FINE },
	{ "policy.local-hive-instead",
	    GPO("false", "fail", "\"verdict\": \"applies\", \"elsewhere\": 7"),
	    AE_DIAG_FAIL },
	{ "policy.local-hive-instead",
	    GPO("true", "pass", "\"verdict\": \"applies\", \"elsewhere\": 7"),
	    AE_DIAG_HARMLESS },
	{ "policy.local-hive-instead",
	    GPO("true", "pass",
		"\"verdict\": \"applies\", \"elsewhere\": 32768"),
	    AE_DIAG_FINE },
	{ "policy.local-hive-instead",
	    GPO("true", "pass", "\"verdict\": \"filtered\", \"elsewhere\": 7"),
	    AE_DIAG_FINE },
	{ "trigger.network-event-missed", START("start", ""), AE_DIAG_FAIL },
	{ "trigger.vpn-late", START("start", "\"/etc/hook\""), AE_DIAG_FAIL },
	{ "trigger.vpn-late", START("logon", ""), AE_DIAG_FAIL },
	{ "ca.only-fallback-used",
	    "{" ISSUED("b\\\\B",
		"{\"ca\": \"a\\\\A\", \"error\": \"away\"},"
		" {\"ca\": \"b\\\\B\"}") "}",
	    AE_DIAG_HARMLESS },
	/* Another transport of the same CA is no other CA. */
	{ "ca.only-fallback-used",
	    "{" ISSUED("b\\\\B",
		"{\"ca\": \"b\\\\B\", \"error\": \"away\"},"
		" {\"ca\": \"b\\\\B\"}") "}",
	    AE_DIAG_FINE },
	{ "ca.site-cost", "{" ITEM("renew", NEAR) ", " ISSUED("b\\\\B", "") "}",
	    AE_DIAG_HARMLESS },
	{ "ca.site-cost", "{" ITEM("renew", NEAR) ", " ISSUED("c\\\\C", "") "}",
	    AE_DIAG_HARMLESS },
	{ "ca.site-cost", "{" ITEM("renew", NEAR) ", " ISSUED("a\\\\A", "") "}",
	    AE_DIAG_FINE },
};

static void
judge(const struct row *r)
{
	json_error_t why;
	json_t *facts = json_loads(r->facts, 0, &why);
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d = NULL;
	enum ae_diag_verdict verdict = AE_DIAG_FINE;
	const char *id;
	size_t i;

	if (facts == NULL)
		fail_msg("%s: %s", why.text, r->facts);
	assert_int_equal(ae_diag_make(&d, facts, &e), AE_OK);
	for (i = 0; i < d->n; i++) {
		id = d->v[i].check->id;
		if (strcmp(id, r->id) == 0)
			verdict = d->v[i].verdict;
		else if (d->v[i].verdict == AE_DIAG_FAIL &&
		    d->v[i].cause == AE_DIAG_NOBODY &&
		    r->verdict == AE_DIAG_FAIL)
			fail_msg("%s beside %s", id, r->id);
	}
	if (verdict != r->verdict)
		fail_msg("%s is %s: %s", r->id, ae_diag_verdict_name(verdict),
		    r->facts);
	ae_diag_free(d);
	json_decref(facts);
}

static void
test_rows(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		judge(&rows[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
