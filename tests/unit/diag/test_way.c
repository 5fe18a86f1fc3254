/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Causes by hand-made facts: those that a lab cannot make, and what tells
 * them from others with the same code.  Each row: where the way ends or what
 * was denied, and the one cause that must come of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/diag.h"
#include "diag/facts.h"
#include "diag/report_ways.h"
#include "said.h"

#define CA "ca1.x.test\\\\CA"

/* A healthy account with one template at one CA; holes for what differs. */
static const char frame[] =
    "{\"probes\": {\"krb\": {\"state\": \"done\"}},"
    " \"host\": {\"name\": \"pc1\", \"realm\": \"X.TEST\","
    "  \"now\": 1790000000},"
    " \"krb\": {\"principal\": \"PC1$@X.TEST\", \"groups\": [%s]},"
    " \"plan\": {\"policy\": {\"policy_servers\": [%s]},"
    "  \"policy_reasons\": [], \"plan\": [{\"template\": \"T\","
    "   \"action\": \"%s\", \"candidate\": true,"
    "   \"cas\": [\"" CA "\"], \"reasons\": [{"
    "    \"check\": \"template.enroll-right\", \"verdict\": \"pass\","
    "    \"text\": \"granted\"}]}]},"
    " \"ad\": {\"groups\": [], \"me\": {\"dn\": \"CN=PC1\","
    "   \"dns_host_name\": \"pc1.x.test\", \"upn\": \"u\"},"
    "  \"templates\": [{\"cn\": \"T\", \"flags\": 64,"
    "   \"name_flag\": 402653184, \"private_key_flag\": 0,"
    "   \"ra_signature\": 0, \"min_key_size\": 2048,"
    "   \"validity\": 31536000, \"overlap\": 3628800%s}],"
    "  \"cas\": [{\"config\": \"" CA "\", \"host\": \"%s\","
    "   \"name\": \"CA\", \"changed\": 1780000000,"
    "   \"enrollment_servers\": [], \"templates\": [%s],"
    "   \"spn_owners\": [\"CN=CA1\"]}]},"
    " \"dcom\": [{\"config\": \"" CA "\", \"host\": \"ca1.x.test\", %s}],"
    " \"icpr\": [{\"config\": \"" CA "\", %s}],"
    " \"integrity\": [{\"config\": \"" CA "\", %s}],"
    " \"last\": {\"finished\": \"then\", \"results\": [%s]}}";

#define GOOD                                                            \
	"\"ok\": true, \"templates\": [\"T\"], \"recovery_agents\": 0," \
	" \"policy\": \"Windows default\", \"status\": 0,"              \
	" \"not_after\": 1990000000"
#define BAD                                                              \
	"\"ok\": false, \"error\": {\"rc\": \"AE_EUNAVAIL\", \"text\": " \
	"\"no\"}"
/* A stage that failed, behind one that did not. */
#define ENDS(kind, what, rc, domain, code)                                   \
	"\"ok\": false, \"stages\": [{\"stage\": \"connect\", \"what\":"     \
	" \"192.0.2.2:135\", \"ms\": 1.0}, {\"stage\": \"" kind              \
	"\", \"what\": \"" what "\", \"ms\": 2.5, \"error\": \"it failed\"," \
	" \"rc\": \"" rc "\", \"domain\": \"" domain "\", \"code\": " code   \
	"}]"
#define AGENTS(states)                                                  \
	"\"ok\": true, \"templates\": [\"T\"], \"recovery_agents\": 2," \
	" \"status\": 0, \"recovery_states\": [" states "]"
/* What a CA says to whom does not encrypt. */
#define REFUSED \
	ENDS("call", "ICertRequestD2::GetCAProperty", "AE_EDENIED", "rpc", "5")
/* The same, or worse, of a call that was to be sealed. */
#define SEALED(kind, what, rc, domain, code)                                \
	"\"ok\": false, \"stages\": [{\"stage\": \"call\", \"what\":"       \
	" \"RemoteCreateInstance\", \"ms\": 1.0}, {\"stage\": \"bind\","    \
	" \"what\": \"192.0.2.2:49500 privacy\", \"ms\": 1.0}, {\"stage\":" \
	" \"" kind "\", \"what\": \"" what "\", \"ms\": 2.5, \"error\":"    \
	" \"no\", \"rc\": \"" rc "\", \"domain\": \"" domain                \
	"\", \"code\": " code "}]"
#define GETS "ICertRequestD2::GetCAProperty"
/* A way that came as far as calls of the CA's own. */
#define BEYOND                                                           \
	"\"ok\": false, \"stages\": [{\"stage\": \"call\", \"what\":"    \
	" \"RemoteCreateInstance\", \"ms\": 1.0}, {\"stage\": \"call\"," \
	" \"what\": \"" GETS "\", \"error\": \"no\", \"rc\": "           \
	"\"AE_EDENIED\", \"domain\": \"rpc\", \"code\": 5}]"
#define ACTIVATED(code) \
	ENDS("call", "RemoteCreateInstance", "AE_EREMOTE", "hresult", code)
#define DENIED(code, text)                                         \
	"{\"template\": \"T\", \"ca\": \"" CA "\", \"outcome\":"   \
	" \"denied\", \"hresult\": " code ", \"message\": \"" text \
	"\", \"request_id\": 7}"

struct row {
	const char *cause; /* NULL: none */
	const char *dcom, *icpr, *result, *host, *more, *groups, *offered,
	    *servers, *integrity;
};

static json_t *
facts_of(const struct row *r)
{
	char text[20000];
	json_error_t why;
	json_t *j;

	(void)snprintf(text, sizeof(text), frame,
	    r->groups == NULL ? "" : r->groups,
	    r->servers == NULL ? "" : r->servers,
	    r->result == NULL ? "keep" : "enroll",
	    r->more == NULL ? "" : r->more,
	    r->host == NULL ? "ca1.x.test" : r->host,
	    r->offered == NULL ? "\"T\"" : r->offered,
	    r->dcom == NULL ? GOOD : r->dcom,
	    r->icpr != NULL	  ? r->icpr
		: r->dcom == NULL ? "\"ok\": true"
				  : BAD,
	    r->integrity == NULL ? REFUSED : r->integrity,
	    r->result == NULL ? "" : r->result);
	j = json_loads(text, 0, &why);
	if (j == NULL)
		fail_msg("%s at %d: %s", why.text, why.position, text);
	return j;
}

static void
judge(const struct row *r)
{
	struct ae_err e = AE_ERR_INIT;
	json_t *facts = facts_of(r);
	struct ae_diag *d = NULL;
	const char *id;
	size_t i;

	assert_int_equal(ae_diag_make(&d, facts, &e), AE_OK);
	assert_string_equal(said_wrongly(d, facts), "");
	id = d->root == AE_DIAG_NOBODY ? NULL : d->v[d->root].check->id;
	if (r->cause == NULL ? id != NULL
			     : id == NULL || strcmp(id, r->cause) != 0)
		fail_msg("%s in place of %s (%s)", id == NULL ? "nothing" : id,
		    r->cause == NULL ? "nothing" : r->cause,
		    r->dcom == NULL ? "" : r->dcom);
	/* Alone: the rest are its consequences, harmless, or not seen. */
	for (i = 0; i < d->n; i++)
		if (i != d->root && d->v[i].verdict == AE_DIAG_FAIL &&
		    d->v[i].cause == AE_DIAG_NOBODY)
			fail_msg("%s beside %s", d->v[i].check->id,
			    r->cause == NULL ? "nothing" : r->cause);
	ae_diag_free(d);
	json_decref(facts);
}

/* clang-format off */
static const struct row ways[] = {
	{ .cause = NULL },
	{ "net.epm-unreachable", .dcom = ENDS("connect", "192.0.2.2:135", "AE_ETIMEDOUT", "errno", "110") },
	{ "net.epm-unreachable", .dcom = ENDS("connect", "192.0.2.2:135", "AE_EUNAVAIL", "errno", "111")
	  ", \"beside\": [{\"port\": 49500, \"state\": \"open\"}]" },
	{ "net.ca-service-stopped", .dcom = ENDS("connect", "192.0.2.2:135", "AE_EUNAVAIL", "errno", "111")
	  ", \"beside\": [{\"port\": 49500, \"state\": \"refused\"}]" },
	{ "net.ca-service-stopped", .dcom = ACTIVATED("2147746132") }, /* REGDB_E_CLASSNOTREG */
	{ "net.ca-service-stopped", .dcom = ACTIVATED("2148007941") }, /* CO_E_SERVER_EXEC_FAILURE */
	{ "auth.selective-authentication", .host = "ca1.other.test",
	  .dcom = ENDS("ticket", "RPCSS/ca1.other.test", "AE_EAUTH", "krb5", "-1765328372") },
	{ "auth.protected-users", .groups = "\"S-1-5-21-1-2-3-525\"",
	  .dcom = ENDS("ticket", "RPCSS/ca1.x.test", "AE_EAUTH", "krb5", "-1765328372") },
	{ "auth.silo", .dcom = ENDS("ticket", "RPCSS/ca1.x.test", "AE_EAUTH", "krb5", "-1765328372") },
	{ "auth.network-logon-denied", .dcom = ENDS("call", "RemoteCreateInstance", "AE_EDENIED", "rpc", "5") },
	{ "dcom.access-group-empty", .dcom = ACTIVATED("2147942405") },
	{ "dcom.limits", .dcom = ACTIVATED("2147549467") },
	{ "dcom.disabled", .dcom = ACTIVATED("2147549468") },
	{ "dcom.integrity-required", .dcom = ACTIVATED("2147549464") },
	{ "dcom.restrict-unauth-gpo", .dcom = ENDS("call", "ServerAlive2", "AE_EDENIED", "rpc", "5") },
	{ "rpc.privacy-required", .dcom = ENDS("call", "ICertRequestD2::GetCAProperty", "AE_EDENIED", "rpc", "5") },
	/* Sealed all the same, it is not for want of that. */
	{ "dcom.access-group-empty", .dcom = SEALED("call", GETS, "AE_EDENIED", "rpc", "5") },
	/* Two levels, the other way round: activated at privacy it gets on. */
	{ "dcom.integrity-required", .integrity = BEYOND,
	  .dcom = ENDS("call", "RemoteCreateInstance", "AE_EDENIED", "rpc", "5") },
	{ "dcom.integrity-required", .integrity = BEYOND, .dcom = ACTIVATED("2147942405") },
	/* What is signed passes, what is sealed does not. */
	{ "net.proxy-inspection", .integrity = "\"ok\": true",
	  .dcom = SEALED("call", GETS, "AE_EDENIED", "rpc", "5") },
	{ "net.proxy-inspection", .integrity = "\"ok\": true",
	  .dcom = SEALED("call", GETS, "AE_ETIMEDOUT", "none", "0") },
	{ "net.mtu-fragment", .integrity = SEALED("call", GETS, "AE_ETIMEDOUT", "none", "0"),
	  .dcom = SEALED("call", GETS, "AE_ETIMEDOUT", "none", "0") },
	{ "net.proxy-inspection", .integrity = "\"ok\": true",
	  .dcom = SEALED("bind", "192.0.2.2:49500 privacy", "AE_EUNAVAIL", "errno", "104") },
	{ "rpc.sec-pkg-error", .integrity = "\"ok\": true",
	  .dcom = SEALED("call", GETS, "AE_EREMOTE", "rpc", "1825") },
	{ "ca.interface-flags", .dcom = SEALED("call", GETS, "AE_EREMOTE", "hresult", "2148089873") },
	/* Neither a CA that does not insist, nor a low hint, is a cause. */
	{ NULL, .integrity = "\"ok\": true" },
	{ NULL, .dcom = GOOD ", \"hint\": 2", .icpr = "\"ok\": true" },
	{ "template.ca-too-old", .more = ", \"private_key_flag\": 393216",
	  .dcom = GOOD ", \"version\": \"6.3.9600.17415\"" , .icpr = "\"ok\": true" },
	{ NULL, .more = ", \"private_key_flag\": 327680",
	  .dcom = GOOD ", \"version\": \"6.3.9600.17415\"", .icpr = "\"ok\": true" },
	{ NULL, .more = ", \"private_key_flag\": 458752",
	  .dcom = GOOD ", \"version\": \"10.0:20348.1\"", .icpr = "\"ok\": true" },
	{ "template.ca-too-old", .more = ", \"private_key_flag\": 458752",
	  .dcom = GOOD ", \"version\": \"10.0.14393.0\"", .icpr = "\"ok\": true" },
	{ NULL, .more = ", \"private_key_flag\": 458752",
	  .dcom = GOOD ", \"version\": \"something\"", .icpr = "\"ok\": true" },
	{ "rpc.sec-pkg-error", .dcom = ENDS("call", "RemoteCreateInstance", "AE_EREMOTE", "rpc", "1825") },
	{ "rpc.invalid-checksum", .dcom = ENDS("bind", "192.0.2.2:135 integrity", "AE_EAUTH", "rpc", "8") },
	{ "ca.interface-flags", .dcom = "\"ok\": false, \"error\": {\"rc\": \"AE_EREMOTE\", \"domain\": \"hresult\","
	  " \"code\": 2148089873, \"text\": \"no\"}" },
	{ "ca.suspended", .dcom = ENDS("call", "ICertRequestD2::GetCAProperty", "AE_EREMOTE", "hresult", "2148089862") },
	{ "ca.busy", .dcom = ENDS("call", "ICertRequestD2::GetCAProperty", "AE_EREMOTE", "hresult", "2148089871") },
	/* Plain RPC works: whatever becomes of DCOM, certificates come. */
	{ NULL, .dcom = ACTIVATED("2147942405"), .icpr = "\"ok\": true" },
	/* And the other way round. */
	{ NULL, .icpr = ENDS("call", "ept_map", "AE_ENOTFOUND", "rpc", "1753") },
	{ NULL, .icpr = ENDS("call", "ept_map", "AE_EDENIED", "rpc", "5") },
	/* No row knows it: not guessed at. */
	{ NULL, .dcom = ACTIVATED("2147500037") },
	{ "ca.published-ad-not-loaded", .dcom = "\"ok\": true, \"templates\": [\"U\"]" },
	{ "ca.published-loaded-not-ad", .offered = "\"U\"" },
	{ "deny.revocation-offline", .dcom = "\"ok\": true, \"status\": 2148081683" },
	{ "deny.ca-expires-soon", .dcom = "\"ok\": true, \"not_after\": 1800000000" },
	{ "deny.archive-not-configured", .more = ", \"private_key_flag\": 1" },
	{ "deny.archive-not-configured", .more = ", \"private_key_flag\": 1", .icpr = "\"ok\": true",
	  .dcom = AGENTS("\"expired\", \"untrusted\"") },
	{ NULL, .more = ", \"private_key_flag\": 1", .icpr = "\"ok\": true",
	  .dcom = AGENTS("\"expired\", \"valid\"") },
	{ "deny.overlap", .more = ", \"overlap\": 31536000" },
	{ "deny.too-many-signatures", .more = ", \"ra_signature\": 2" },
	{ "ces.not-in-ad", .servers = "{\"url\": \"https://cep.x.test/\"}" },
};

static const struct row denials[] = {
	{ "ca.acl-not-synced", .result = DENIED("2148089873", "no") },
	{ "deny.template-no-enroll", .result = DENIED("2148089874", "Denied by Policy Module") },
	{ "deny.policy-module-custom", .result = DENIED("2148089874", "no"),
	  .dcom = "\"ok\": true, \"policy\": \"TameMyCerts\"" },
	{ "deny.policy-module-custom", .result = DENIED("2148073504", "Denied by Policy Module") },
	{ "deny.sign-failure", .result = DENIED("2148073504", "Error Constructing or Publishing Certificate") },
	{ "deny.san-attribute-blocked", .result = DENIED("2148073504", "the san: attribute") },
	{ "deny.template-not-supported", .result = DENIED("2148091904", "no") },
	{ "ca.published-ad-not-loaded", .result = DENIED("2148091904", "no"),
	  .dcom = "\"ok\": true, \"templates\": []" },
	{ "deny.no-template-info", .result = DENIED("2148091905", "no") },
	{ "deny.template-conflict", .result = DENIED("2148091906", "no") },
	{ "deny.template-version", .result = DENIED("2148091911", "no") },
	{ "deny.subject-upn", .result = DENIED("2148091917", "no") },
	{ "deny.subject-guid", .result = DENIED("2148091918", "no") },
	{ "deny.subject-dns", .result = DENIED("2148091919", "no") },
	{ "deny.bad-subject", .result = DENIED("2148089857", "no") },
	{ "deny.san-required", .result = DENIED("2148091907", "no") },
	{ "deny.archived-required", .result = DENIED("2148091908", "no") },
	{ "deny.smime-required", .result = DENIED("2148091909", "no") },
	{ "deny.renewal-subject", .result = DENIED("2148091910", "no") },
	{ "deny.ra-policy", .result = DENIED("2148091913", "no") },
	{ "deny.ra-count", .result = DENIED("2148091914", "no") },
	{ "deny.ra-rejected", .result = DENIED("2148091915", "no") },
	{ "deny.ra-issuance", .result = DENIED("2148091916", "no") },
	{ "deny.restricted-ea", .result = DENIED("2148089865", "no") },
	{ "deny.renewal-attr", .result = DENIED("2148089870", "no") },
	{ "deny.renewal-same-key", .result = DENIED("2148091926", "no") },
	{ "deny.archive-unexpected", .result = DENIED("2148091920", "no") },
	{ "deny.key-algorithm", .result = DENIED("2148073480", "no") },
	{ "deny.attestation", .result = DENIED("2148091930", "no") },
	{ "deny.requester-lookup", .result = DENIED("2147943717", "no") },
	{ "deny.dc-signing", .result = DENIED("2148089875", "no") },
	{ "deny.access-denied", .result = DENIED("2147942405", "no") },
	{ "deny.untrusted-signer", .result = DENIED("2148204809", "no") },
	{ "deny.db-io", .result = DENIED("2147942512", "no") },
	{ "deny.encoding-length", .result = DENIED("2148089863", "no") },
	{ "deny.request-too-large", .result = DENIED("2147942487", "no") },
	{ "deny.bad-request", .result = DENIED("2147942413", "no") },
	{ "deny.bad-signature", .result = DENIED("2148073478", "no") },
	{ "deny.manager", .result = DENIED("2148089876", "no") },
	{ "deny.bad-status", .result = DENIED("2148089859", "no") },
	/* A code that no row knows is told as it is. */
	{ "deny.access-denied", .result = DENIED("2147500037", "no") },
};
/* clang-format on */

static void
test_ways(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		judge(&ways[i]);
}

static void
test_denials(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(denials) / sizeof(denials[0]); i++)
		judge(&denials[i]);
}

/* What a valid certificate came after is over. */
static void
test_what_was_denied_and_issued_since(void **state)
{
	const struct row r = { .result = DENIED("2148089874", "no") };
	json_t *facts = facts_of(&r);
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d = NULL;

	(void)state;
	(void)json_object_set_new(
	    json_array_get(
		json_object_get(json_object_get(facts, "plan"), "plan"), 0),
	    "action", json_string("keep"));
	assert_int_equal(ae_diag_make(&d, facts, &e), AE_OK);
	assert_string_equal(said_wrongly(d, facts), "");
	assert_int_equal(d->root, AE_DIAG_NOBODY);
	ae_diag_free(d);
	json_decref(facts);
}

/* A probe that nobody heard of again is neither a cause nor in order. */
static void
test_a_way_that_nobody_came_back_from(void **state)
{
	const struct row r = { .dcom = "\"state\": \"late\", \"doing\":"
				       " {\"what\": \"dcom\", \"about\":"
				       " \"ca1.x.test\"}" };
	json_t *facts = facts_of(&r);
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d = NULL;
	size_t i, unknown = 0;

	(void)state;
	assert_int_equal(ae_diag_make(&d, facts, &e), AE_OK);
	assert_string_equal(said_wrongly(d, facts), "");
	for (i = 0; i < d->n; i++)
		unknown += d->v[i].verdict == AE_DIAG_UNKNOWN &&
		    strcmp(d->v[i].seen->name, "broke-off") == 0;
	assert_int_equal(unknown, 1);
	ae_diag_free(d);
	json_decref(facts);
}

static void
test_many_groups(void **state)
{
	const struct row r = { .cause = "token.sid-limit" };
	json_t *facts = facts_of(&r), *list = json_array();
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < 1011; i++)
		(void)json_array_append_new(list, json_string("S-1-1"));
	(void)json_object_set_new(
	    json_object_get(facts, "krb"), "groups", list);
	assert_int_equal(ae_diag_make(&d, facts, &e), AE_OK);
	assert_string_equal(said_wrongly(d, facts), "");
	assert_true(d->root != AE_DIAG_NOBODY);
	assert_string_equal(d->v[d->root].check->id, r.cause);
	ae_diag_free(d);
	json_decref(facts);
}

/* Harmless findings are no causes, and are told, one of each. */
static void
test_levels_are_told(void **state)
{
	static const struct {
		const char *id;
		struct row row;
	} v[] = {
		{ "rpc.privacy-required", { .integrity = "\"ok\": true" } },
		{ "trust.revocation-offline",
		    { .dcom = GOOD ", \"crl_published\": 261",
			.icpr = "\"ok\": true" } },
		{ "ca.authn-level-config",
		    { .dcom = GOOD ", \"hint\": 4", .icpr = "\"ok\": true" } },
	};
	struct ae_err e = AE_ERR_INIT;
	size_t i, k, n;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		json_t *facts = facts_of(&v[i].row);
		struct ae_diag *d = NULL;

		assert_int_equal(ae_diag_make(&d, facts, &e), AE_OK);
		for (k = n = 0; k < d->n; k++)
			n += d->v[k].verdict == AE_DIAG_HARMLESS &&
			    strcmp(d->v[k].check->id, v[i].id) == 0;
		assert_int_equal(n, 1);
		ae_diag_free(d);
		json_decref(facts);
	}
}

/* Round trips are added up, by probe and in all. */
static void
test_measured(void **state)
{
	json_t *facts = json_loads("{\"ad\": {\"asked\": {\"ldap\": 7}},"
				   " \"dcom\": [{\"asked\": {\"rpc\": 3}},"
				   " {\"asked\": {\"rpc\": 4, \"ldap\": 1}}],"
				   " \"gpo\": {\"asked\": \"no\"},"
				   " \"asked\": {\"ms\": 12.5}}",
	    0, NULL);
	json_t *m = ae_diag_measured(facts);
	int64_t n;

	(void)state;
	assert_true(ae_fact_int(&n, m, "ldap") && n == 8);
	assert_true(ae_fact_int(&n, m, "rpc") && n == 7);
	assert_true(ae_fact_int(&n, m, "probes.dcom.rpc") && n == 7);
	assert_true(ae_fact_int(&n, m, "probes.ad.ldap") && n == 7);
	assert_null(ae_fact(m, "probes.gpo"));
	assert_true(json_real_value(json_object_get(m, "ms")) == 12.5);
	json_decref(m);
	json_decref(facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_denials),
		cmocka_unit_test(test_what_was_denied_and_issued_since),
		cmocka_unit_test(test_a_way_that_nobody_came_back_from),
		cmocka_unit_test(test_many_groups),
		cmocka_unit_test(test_levels_are_told),
		cmocka_unit_test(test_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
