/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests that could not be made, certificates that could not be installed or
 * are of no use, and what stands at the addresses in them, on facts made by
 * hand: this check fails, and it alone; and what looks like it does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/diag.h"
#include "diag/facts.h"
#include "said.h"

/* A template of ours that has no certificate yet. */
#define PLAN                                                            \
	"\"plan\": {\"plan\": [{\"template\": \"M\", \"candidate\":"    \
	" true, \"action\": \"enroll\", \"reasons\": []}]}, \"host\": " \
	"{\"starters\": {\"daemon\": true}}"

/* The last run failed with it. */
#define RUN(stage, why)                                                       \
	PLAN ", \"last\": {\"started\": \"2026-01-01T00:00:00Z\","            \
	     " \"finished\": \"2026-01-01T00:01:00Z\", \"results\": "         \
	     "[{\"template\": \"M\", \"outcome\": \"failed\","                \
	     " \"message\": \"no\", \"stage\": \"" stage "\", \"why\": {" why \
	     "}}]}"
#define ERRNO(n) "\"rc\": \"AE_EIO\", \"domain\": \"errno\", \"code\": " n
#define DENIED(enforces, logs, list)                                     \
	"\"denials\": {\"enforces\": \"" enforces "\", \"logs\": [" logs \
	"], \"list\": [" list "]}"
#define REFUSAL(when)                                             \
	"{\"when\": \"" when "\", \"by\": \"selinux\", \"path\":" \
	" \"my\", \"process\": \"autoenrolld\", \"what\": \"write\"}"

/* A CA that a run does not trust, for want of I; its own certificate is ab. */
#define CHAIN(facts)                                                       \
	"\"ad\": {\"cas\": [{\"name\": \"C\", \"templates\": [\"M\"],"     \
	" \"chain\": {\"trusted\": false, \"error\": \"no\", \"x509\": 20" \
	", \"missing\": \"CN=I\", \"last\": \"ab\"" facts                  \
	"}}]}, \"plan\": {\"plan\": [{\"template\": \"M\", \"candidate\":" \
	" true, \"action\": \"skip\", \"reasons\": [{\"check\":"           \
	" \"trust.root-missing\", \"verdict\": \"fail\", \"text\":"        \
	" \"C: no\"}]}]}"
#define FETCHED(answers) "\"fetched\": [{\"answers\": [" answers "]}]"
#define ANSWER(use, state, more)                                      \
	"{\"url\": \"http://c/" use state "\", \"use\": \"" use       \
	"\", \"thumbprint\": \"ab\", \"state\": \"" state "\", \"why" \
	"\": \"404\", \"ca\": \"C\", \"template\": \"\", \"own\":"    \
	" false" more "}"

#define CERT(tmpl, more)                                                 \
	"{\"template\": \"" tmpl "\", \"current\": true, \"state\":"     \
	" \"valid\", \"key_test\": \"passed\", \"key_error\": \"\","     \
	" \"path\": \"/x\", \"thumbprint\": \"cd\", \"subject\": \"s\"," \
	" \"issuer\": \"i\", \"dns\": \"d\", \"upn\": \"\", \"sid\":"    \
	" \"S-1\", \"installed\": \"2026-01-01T00:00:00Z\"" more "}"
#define CLIENT ", \"usages\": [\"1.3.6.1.5.5.7.3.2\"], \"key\": \"rsa2048\""
#define MAIL ", \"usages\": [\"1.3.6.1.5.5.7.3.4\"], \"key\": \"rsa2048\""
#define STORE(certs) "\"store\": {\"requests\": [], \"certs\": [" certs "]}"
/* Published are these; the template wants it since then. */
#define PUBLISHED(thumbs, flags, changed, now)                     \
	"\"host\": {\"now\": " now "}, \"ad\": {\"me\": {\"dn\": " \
	"\"CN=m\", \"published\": [" thumbs "]}, \"templates\": "  \
	"[{\"cn\": \"M\", \"enrollment_flag\": " flags             \
	", \"changed\": \"" changed "\"}]}"
#define LATER "1800000000"
#define SERVED(more)                                             \
	"\"served\": {\"listeners\": [{\"port\": 443, \"process" \
	"\": \"nginx\", \"unit\": \"nginx.service\", \"template" \
	"\": \"M\"" more "}]}"

static const struct {
	const char *id, *facts;
} fails[] = {
	{ "request.build-failed", "{" RUN("request", ERRNO("1")) "}" },
	{ "request.build-failed",
	    "{" RUN("request",
		"\"rc\": \"AE_EREMOTE\", \"domain\": \"hresult\", \"code\":"
		" 2148073494") "}" },
	{ "install.store-denied", "{" RUN("install", ERRNO("13")) "}" },
	{ "install.store-denied", "{" RUN("install", ERRNO("30")) "}" },
	{ "install.store-denied",
	    "{" RUN("install", ERRNO("13")) ", " DENIED("selinux",
		"\"/var/log/audit/audit.log\"",
		REFUSAL("2025-12-31T23:59:59Z")) "}" },
	{ "install.chain-untrusted",
	    "{" RUN("install", "\"domain\": \"x509\", \"code\": 20") "}" },
	{ "install.selinux",
	    "{" RUN("install", ERRNO("13")) ", " DENIED("selinux",
		"\"/var/log/audit/audit.log\"",
		REFUSAL("2025-12-31T23:59:59Z") ", " REFUSAL(
		    "2026-01-01T00:00:30Z")) "}" },
	{ "install.selinux",
	    "{\"last\": {\"started\": \"2026-01-01T00:00:00Z\", \"deploy\":"
	    " [{\"outcome\": \"failed\"}]}, " DENIED("apparmor",
		"\"/dev/kmsg\"", REFUSAL("2026-01-01T00:00:30Z")) "}" },
	{ "install.service-not-reloaded",
	    "{" SERVED(", \"thumbprint\": \"ab\", \"current\": false,"
		       " \"newest\": \"cd\"") "}" },
	{ "publish.ds-failed",
	    "{" STORE(CERT("M", MAIL)) ", " PUBLISHED(
		"\"ff\"", "8", "2025-01-01T00:00:00Z", LATER) "}" },
	{ "use.multiple-candidates",
	    "{" STORE(CERT("M", CLIENT) ", " CERT("N", CLIENT)) "}" },
	{ "trust.aia-unreachable",
	    "{" CHAIN(", \"orphan\": \"CN=R\"") ", " FETCHED(
		ANSWER("aia", "dead", "")) "}" },
	{ "trust.aia-unreachable",
	    "{" CHAIN(", \"orphan\": \"CN=R\"") ", " FETCHED(
		ANSWER("aia", "foreign", "")) "}" },
	/* It can be had; it would be a root; nobody asked. */
	{ "trust.intermediate-missing",
	    "{" CHAIN("") ", " FETCHED(ANSWER("aia", "dead", "") ", " ANSWER(
		"aia", "fits", ", \"root\": false")) "}" },
	{ "trust.root-missing",
	    "{" CHAIN(", \"orphan\": \"CN=R\"") ", " FETCHED(
		ANSWER("aia", "fits", ", \"root\": true")) "}" },
	{ "trust.intermediate-missing",
	    "{" CHAIN(", \"orphan\": \"CN=R\"") ", " FETCHED(
		ANSWER("aia", "left out", "")) "}" },
	{ "trust.ca-cert-revoked",
	    "{" FETCHED(ANSWER("cdp", "fits",
		", \"revoked\": \"2026-01-01T00:00:00Z\"") ", " ANSWER("cdp",
		"stale", ", \"revoked\": \"2026-01-01T00:00:00Z\"")) "}" },
	{ "trust.revocation-offline",
	    "{" STORE(CERT("M", CLIENT)) ", \"plan\": {\"plan\": []}, " FETCHED(
		ANSWER("cdp", "dead", "")) "}" },
	{ "trust.revocation-offline",
	    "{" STORE(CERT("M", CLIENT)) ", \"plan\": {\"plan\": []}, " FETCHED(
		ANSWER("cdp", "left out", "") ", " ANSWER("cdp", "stale",
		    ", \"next_update\": \"2026-01-01T00:00:00Z\"")) "}" },
};

/* Near to one of them, and right. */
static const char *const fine[] = {
	/* Nobody answered: the way has rows of its own. */
	"{" RUN("exchange", "\"rc\": \"AE_EUNAVAIL\", \"domain\": \"rpc\"") "}",
	/* What is there now came after it. */
	"{\"plan\": {\"plan\": [{\"template\": \"M\", \"candidate\": true,"
	" \"action\": \"keep\", \"reasons\": []}]}, \"last\": {\"results\":"
	" [{\"template\": \"M\", \"outcome\": \"failed\", \"stage\":"
	" \"install\", \"why\": {" ERRNO("13") "}}]}}",
	/* Refused before, or to a run that went well. */
	"{" PLAN
	", " DENIED("selinux", "\"a\"", REFUSAL("2026-01-01T00:00:30Z")) "}",
	/* Its own, and the one that a run may be about to change. */
	"{" SERVED(", \"current\": true") "}",
	"{" SERVED(", \"error\": \"no TLS\"") "}",
	"{\"host\": {\"run_lock\": {\"state\": \"held\", \"age\": 1}}, " SERVED(
	    ", \"current\": false") "}",
	/* Published; not wanted; wanted since; not yet; for no one's mail. */
	"{" STORE(CERT("M", MAIL)) ", " PUBLISHED(
	    "\"CD\"", "8", "2025-01-01T00:00:00Z", LATER) "}",
	"{" STORE(CERT("M", MAIL)) ", " PUBLISHED(
	    "", "0", "2025-01-01T00:00:00Z", LATER) "}",
	"{" STORE(CERT("M", MAIL)) ", " PUBLISHED(
	    "", "8", "2026-02-01T00:00:00Z", LATER) "}",
	"{" STORE(CERT("M", MAIL)) ", " PUBLISHED(
	    "", "8", "2025-01-01T00:00:00Z", "1767225610") "}",
	"{" STORE(CERT(
	    "M", ", \"usages\": [\"1.3.6.1.5.5.7.3.1\"]")) ", " PUBLISHED("",
	    "8", "2025-01-01T00:00:00Z", LATER) "}",
	/* Another issuer, another purpose, an EC key beside an RSA one. */
	"{" STORE(CERT("M", CLIENT) ", " CERT("N",
	    CLIENT ", \"serial\": 1, \"x\": 2")) ", \"asked\": {\"template\":"
						 " \"M\"}}",
	"{" STORE(CERT("M", CLIENT) ", " CERT("N",
	    ", \"usages\":"
	    " [\"1.3.6.1.5.5.7.3.2\"], \"key\": \"P256\"")) "}",
	"{" STORE(CERT("M", MAIL) ", " CERT("N", MAIL)) "}",
	/* One address that works is enough; without certificates nobody is
	 * shown one. */
	"{" STORE(CERT("M", CLIENT)) ", \"plan\": {\"plan\": []}, " FETCHED(
	    ANSWER("cdp", "dead", "") ", " ANSWER("cdp", "fits", "")) "}",
	"{" STORE("") ", \"plan\": {\"plan\": []}, " FETCHED(
	    ANSWER("cdp", "dead", "")) "}",
	"{" FETCHED(ANSWER("aia", "dead", "")) "}",
	/* Another template has taken its place, and nobody asked for it. */
	"{\"plan\": {\"plan\": [{\"template\": \"M\", \"candidate\": true,"
	" \"action\": \"skip\", \"reasons\": [{\"check\":"
	" \"template.superseded\", \"verdict\": \"fail\", \"about\": \"N\"}]},"
	" {\"template\": \"N\", \"candidate\": true, \"action\": \"keep\","
	" \"have\": \"cd\", \"reasons\": []}]}}",
	/* Facts of the wrong kind are none. */
	"{\"fetched\": [1, {\"answers\": 2}, {\"answers\": [3, []]}],"
	" \"denials\": {\"enforces\": \"selinux\", \"list\": 4, \"logs\": 5},"
	" \"served\": {\"listeners\": [6, {\"current\": false}]},"
	" \"last\": {\"results\": [7], \"deploy\": 8}, " PLAN "}",
};

static struct ae_diag *
walk(const char *text, json_t **facts)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d = NULL;

	*facts = json_loads(text, 0, NULL);
	if (*facts == NULL)
		fail_msg("no JSON: %s", text);
	assert_int_equal(ae_diag_make(&d, *facts, &e), AE_OK);
	return d;
}

/* Rows of the plan's own consequences apart: "a run would enroll now". */
static bool
is_other(const struct ae_diag_finding *f)
{
	return strncmp(f->check->id, "trigger.", 8) == 0;
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
			fail_msg("%zu: %s is not seen", i, fails[i].id);
		if (strcmp(d->v[d->root].check->id, fails[i].id) != 0)
			fail_msg("%zu: %s is %s", i, fails[i].id,
			    d->v[d->root].check->id);
		for (roots = 0, k = 0; k < d->n; k++)
			roots += d->v[k].verdict == AE_DIAG_FAIL &&
			    d->v[k].cause == AE_DIAG_NOBODY;
		assert_int_equal(roots, 1);
		assert_string_equal(said_wrongly(d, facts), "");
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
		if (d->root != AE_DIAG_NOBODY && !is_other(&d->v[d->root]))
			fail_msg("%s: %s", fine[i], d->v[d->root].check->id);
		ae_diag_free(d);
		json_decref(facts);
	}
}

/* How often this row says so. */
static size_t
says(const char *text, const char *id, enum ae_diag_verdict verdict)
{
	json_t *facts;
	struct ae_diag *d = walk(text, &facts);
	size_t i, n = 0;

	for (i = 0; i < d->n; i++)
		n += d->v[i].verdict == verdict &&
		    strcmp(d->v[i].check->id, id) == 0;
	ae_diag_free(d);
	json_decref(facts);
	return n;
}

static void
test_what_harms_nobody_here(void **state)
{
	(void)state;
	assert_int_equal(says("{" FETCHED(ANSWER("aia", "dead", "")) "}",
			     "trust.aia-unreachable", AE_DIAG_HARMLESS),
	    1);
	assert_int_equal(says("{" STORE(CERT("M", CLIENT)) ", " PUBLISHED(
				  "", "8", "2025-01-01T00:00:00Z", LATER) "}",
			     "publish.ds-failed", AE_DIAG_HARMLESS),
	    1);
}

/* It may have been SELinux, and who asks may not read where it would say. */
static void
test_no_log_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(says("{" RUN("install", ERRNO("13")) ", " DENIED(
				  "selinux", "", "") "}",
			     "install.selinux", AE_DIAG_UNKNOWN),
	    1);
	assert_int_equal(says("{" PLAN ", " DENIED("selinux", "", "") "}",
			     "install.selinux", AE_DIAG_UNKNOWN),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_fails_alone),
		cmocka_unit_test(test_what_is_fine_is_not_accused),
		cmocka_unit_test(test_what_harms_nobody_here),
		cmocka_unit_test(test_no_log_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
