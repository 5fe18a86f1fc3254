/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of rules/judge.h: each element against a request that keeps it and
 * one that breaks it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "base/time.h"
#include "rules/judge.h"
#include "torture.h"

#define NOW INT64_C(1790000000)
#define ITEMS 8

struct world {
	struct ae_key *key;
	struct ae_arena *a;
	struct ae_rules *rules;
	struct ae_csr *csr;
	struct ae_wr subject, san_ip, cert_subject;
	struct ae_san sans[ITEMS];
	char names[ITEMS][128];
	struct ae_rules_facts f;
	struct ae_rules_object o;
	struct ae_rules_outcome out;
	struct ae_sid sid;
};

/* "CN=a;C=DE" */
static void
make_subject(struct ae_wr *w, const char *text)
{
	struct ae_name_part parts[ITEMS];
	char copy[512], *save = NULL, *p;
	size_t n = 0;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (p = strtok_r(copy, ";", &save); p != NULL;
	     p = strtok_r(NULL, ";", &save)) {
		parts[n].type = p;
		p = strchr(p, '=');
		*p = '\0';
		parts[n++].value = p + 1;
	}
	ae_wr_reset(w);
	assert_int_equal(ae_name_encode(w, parts, n, NULL), AE_OK);
}

/* "DNS:a;IP:1.2.3.4;UPN:x@y;MAIL:…;URI:…" */
static size_t
make_sans(struct world *w, const char *text)
{
	static const struct {
		const char *name;
		enum ae_san_type type;
	} types[] = { { "DNS:", AE_SAN_DNS }, { "UPN:", AE_SAN_UPN },
		{ "MAIL:", AE_SAN_EMAIL }, { "URI:", AE_SAN_URI },
		{ "IP:", AE_SAN_IP }, { "DIR:", AE_SAN_DN } };
	static struct ae_ip ip[ITEMS];
	char copy[512], *save = NULL, *p;
	size_t n = 0, i, len;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (p = strtok_r(copy, ";", &save); p != NULL;
	     p = strtok_r(NULL, ";", &save), n++)
		for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			len = strlen(types[i].name);
			if (strncmp(p, types[i].name, len) != 0)
				continue;
			(void)snprintf(
			    w->names[n], sizeof(w->names[n]), "%s", p + len);
			w->sans[n] = (struct ae_san){ .type = types[i].type,
				.text = w->names[n] };
			if (types[i].type == AE_SAN_IP) {
				assert_true(ae_ip_parse(&ip[n], p + len));
				w->sans[n].text = NULL;
				w->sans[n].der.p = ip[n].p;
				w->sans[n].der.len = ip[n].len;
			}
			if (types[i].type == AE_SAN_DN)
				w->sans[n].der =
				    (struct ae_der){ w->cert_subject.p,
					    w->cert_subject.len };
		}
	return n;
}

/* The policy that has these elements, about a request with these names. */
static void
prepare(struct world *w, const char *elements, const char *subject,
    const char *sans, const struct ae_csr_spec *more)
{
	struct ae_csr_spec spec = { .hash = AE_HASH_SHA256 };
	struct ae_err e = AE_ERR_INIT;
	char xml[4096];
	struct ae_wr csr;

	if (more != NULL)
		spec = *more;
	(void)snprintf(xml, sizeof(xml),
	    "<CertificateRequestPolicy>%s</CertificateRequestPolicy>",
	    elements);
	ae_rules_free(w->rules);
	w->rules = NULL;
	if (ae_rules_load(&w->rules, "T", xml, strlen(xml), &e) != AE_OK)
		fail_msg("%s in %s", e.text, xml);
	make_subject(&w->cert_subject, "CN=x");
	make_subject(&w->subject, subject);
	spec.subject = (struct ae_der){ w->subject.p, w->subject.len };
	spec.x.sans = w->sans;
	spec.x.nsans = make_sans(w, sans);
	ae_wr_init(&csr, 1 << 16);
	ae_csr_free(w->csr);
	w->csr = NULL;
	if (ae_csr_build(&csr, &spec, w->key, &e) != AE_OK ||
	    ae_csr_parse(&w->csr, csr.p, csr.len, &e) != AE_OK)
		fail_msg("%s", e.text);
	ae_wr_done(&csr);
	w->f.csr = w->csr;
	w->f.subject = w->csr->subject;
	w->f.sans = w->csr->x.sans;
	w->f.nsans = w->csr->x.nsans;
}

static void
judge(struct world *w)
{
	struct ae_err e = AE_ERR_INIT;

	ae_arena_reset(w->a);
	if (ae_rules_judge(&w->out, w->rules, &w->f, w->a, &e) != AE_OK)
		fail_msg("%s", e.text);
}

/* As a list: "check: text\n…". */
static const char *
violations(const struct world *w)
{
	static char out[8192];
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < w->out.n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s: %s\n",
		    w->out.violations[i].check, w->out.violations[i].text);
	return out;
}

static void
expect_good(const struct world *w, const char *what)
{
	if (w->out.n != 0)
		fail_msg("%s: %s", what, violations(w));
}

/* n violations, one of which has this code and text. */
static void
expect_bad(const struct world *w, const char *what, size_t n, uint32_t hresult,
    const char *text)
{
	size_t i;

	for (i = 0; i < w->out.n; i++)
		if (strstr(w->out.violations[i].text, text) != NULL) {
			assert_int_equal(w->out.violations[i].hresult, hresult);
			if (w->out.n == n)
				return;
		}
	fail_msg("%s: not %zu with \"%s\": %s", what, n, text, violations(w));
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->a = ae_arena_new(1 << 20);
	assert_non_null(w->a);
	assert_int_equal(ae_key_generate(&w->key, AE_KEY_EC, 256, NULL), AE_OK);
	ae_wr_init(&w->subject, 4096);
	ae_wr_init(&w->cert_subject, 4096);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	ae_rules_free(w->rules);
	ae_csr_free(w->csr);
	ae_wr_done(&w->subject);
	ae_wr_done(&w->cert_subject);
	ae_key_free(w->key);
	ae_arena_free(w->a);
	free(w);
	return 0;
}

/* An object that all rules are content with. */
static int
fresh(void **state)
{
	static const struct ae_rules_value attributes[] = {
		{ "sAMAccountName", "jdoe" },
		{ "mail", "john@example.com" },
		{ "sn", "Doe" },
		{ "givenName", "John" },
		{ "department", "IT" },
		{ "c", "DE" },
		{ "displayName", "J\xc3\xb6hn Doe" },
		{ "pwdLastSet", "134344735400000000" }, /* 1790000000 - 60 s */
		{ "userPrincipalName", "john@example.com" },
		{ "info",
		    "0123456789012345678901234567890123456789"
		    "0123456789012345678901234567890123456789" },
	};
	static const char *const spns[] = { "HOST/pc1", "HOST/pc1.example.com",
		"http/www.example.com:8080", "ldap/dc1.example.com", "bad",
		"TERMSRV/a b" };
	static const char *spnv[6];
	static const uint8_t groups[] = { AE_RULES_GROUP_IN, AE_RULES_GROUP_OUT,
		AE_RULES_GROUP_OUT };
	struct world *w = *state;
	size_t i;

	for (i = 0; i < 6; i++)
		spnv[i] = spns[i];
	assert_true(ae_sid_parse(&w->sid, "S-1-5-21-1-2-3-1105"));
	w->o = (struct ae_rules_object){ .found = 1,
		.dn = "CN=John Doe,OU=People,OU=Staff,DC=example,DC=com",
		.sid = w->sid,
		.account_control = 0x200,
		.attributes = attributes,
		.nattributes = sizeof(attributes) / sizeof(attributes[0]),
		.spns = { spnv, 6 },
		.groups = groups,
		.ngroups = 3 };
	w->f = (struct ae_rules_facts){ .now = NOW,
		.supplied = true,
		.user = true,
		.wanted_key = AE_KEY_EC,
		.not_after = NOW + 365 * 86400,
		.object = &w->o };
	return 0;
}

#define RULE(field, inner) \
	"<SubjectRule><Field>" field "</Field>" inner "</SubjectRule>"
#define PATTERN(x, more) \
	"<Pattern><Expression>" x "</Expression>" more "</Pattern>"
#define ANY "<Patterns>" PATTERN("^.*$", "") "</Patterns>"
#define CN(inner) "<Subject>" RULE("commonName", inner) "</Subject>"
#define CN_LIKE(patterns) CN("<Patterns>" patterns "</Patterns>")
#define SAN(field, patterns)                   \
	CN(ANY)                                \
	"<SubjectAlternativeName>" RULE(field, \
	    "<Patterns>" patterns "</Patterns>") "</SubjectAlternativeName>"
#define DENY "<Action>Deny</Action>"
#define AS(kind) "<TreatAs>" kind "</TreatAs>"

static void
names_of_a_request(void **state)
{
	static const struct {
		const char *policy, *subject, *sans;
		size_t n; /* violations */
		const char *text;
	} v[] = {
		/* no rule, no name */
		{ CN(ANY), "CN=a", "", 0, NULL },
		{ "", "CN=a", "", 1, "commonName \"a\" is not allowed" },
		{ CN(ANY), "C=DE;CN=a", "", 1, "countryName \"DE\" is not" },
		{ CN(ANY), "CN=a;1.2.3.4=b", "", 1, "OID.1.2.3.4 \"b\"" },
		{ "<Subject>" RULE("commonName", ANY)
			RULE("OID.1.2.3.4", ANY) "</Subject>",
		    "CN=a;1.2.3.4=b", "", 0, NULL },
		{ CN(ANY), "CN=a", "DNS:b", 1, "dNSName \"b\" is not allowed" },
		{ CN(ANY), "CN=a", "DIR:x", 1, "directoryName" },
		/* Field, whatever its case */
		{ "<Subject>" RULE("CommonName", ANY) "</Subject>", "CN=a", "",
		    0, NULL },
		/* Mandatory */
		{ CN("<Mandatory>true</Mandatory>" ANY), "CN=a", "", 0, NULL },
		{ "<Subject>" RULE("commonName", ANY) RULE(
		      "title", "<Mandatory>true</Mandatory>" ANY) "</Subject>",
		    "CN=a", "", 1, "has no title" },
		/* MaxOccurrences */
		{ CN("<MaxOccurrences>2</MaxOccurrences>" ANY), "CN=a;CN=b", "",
		    0, NULL },
		{ CN(ANY), "CN=a;CN=b", "", 1, "there 2 times, the most is 1" },
		{ CN("<MaxOccurrences>9</MaxOccurrences>" ANY), "CN=a;CN=a", "",
		    1, "is there twice" },
		/* MinLength, MaxLength: in UTF-16 units */
		{ CN("<MinLength>3</MinLength>" ANY), "CN=abc", "", 0, NULL },
		{ CN("<MinLength>3</MinLength>" ANY), "CN=\xc3\xa4\xc3\xb6", "",
		    1, "less than 3 characters" },
		{ CN("<MaxLength>2</MaxLength>" ANY), "CN=\xc3\xa4\xc3\xb6", "",
		    0, NULL },
		{ CN("<MaxLength>2</MaxLength>" ANY), "CN=abc", "", 1,
		    "more than 2 characters" },
		/* Patterns */
		{ CN(""), "CN=a", "", 1, "the rule for commonName has no" },
		{ CN_LIKE(PATTERN("^[a-z]+$", "")), "CN=abc", "", 0, NULL },
		{ CN_LIKE(PATTERN("^[a-z]+$", "")), "CN=ABC", "", 1,
		    "matches no pattern that allows it" },
		{ CN_LIKE(PATTERN("b", "")), "CN=abc", "", 0, NULL },
		{ CN_LIKE(PATTERN("^\\w+\\u0064$", "")),
		    "CN=\xc3\xa4"
		    "d",
		    "", 0, NULL },
		{ CN_LIKE(PATTERN("a", "") PATTERN("b", DENY)), "CN=ab", "", 1,
		    "matches \"b\", which denies it" },
		{ CN_LIKE(PATTERN("a", DENY)), "CN=b", "", 1, "no pattern" },
		{ CN_LIKE(PATTERN("A", AS("RegExIgnoreCase"))), "CN=a", "", 0,
		    NULL },
		{ CN_LIKE(PATTERN("a.c", AS("ExactMatch"))), "CN=a.c", "", 0,
		    NULL },
		{ CN_LIKE(PATTERN("a.c", AS("ExactMatch"))), "CN=abc", "", 1,
		    "no pattern" },
		{ CN_LIKE(PATTERN("a.c", AS("ExactMatch"))), "CN=A.C", "", 1,
		    "no pattern" },
		{ CN_LIKE(PATTERN("\xc3\x84.c", AS("ExactMatchIgnoreCase"))),
		    "CN=\xc3\xa4.C", "", 0, NULL },
		{ CN_LIKE(PATTERN("a.c", AS("ExactMatchIgnoreCase"))),
		    "CN=xa.c", "", 1, "no pattern" },
		/* all of it, not only the first */
		{ CN("<MinLength>9</MinLength><Patterns>" PATTERN("x", "")
			  PATTERN("a", DENY) PATTERN("b", DENY) "</Patterns>"),
		    "C=DE;CN=ab", "DNS:c", 6, "which denies it" },
		/* alternative names */
		{ SAN("dNSName", PATTERN("^a\\.", "")), "CN=x", "DNS:a.b", 0,
		    NULL },
		{ SAN("dNSName", PATTERN("^a\\.", "")), "CN=x", "DNS:b.b", 1,
		    "dNSName \"b.b\" matches no pattern" },
		{ SAN("dNSName", PATTERN("^a\\.", "")), "CN=x",
		    "DNS:a.b;DNS:a.c", 1, "there 2 times" },
		{ SAN("rfc822Name", PATTERN("@b$", "")), "CN=x", "MAIL:a@b", 0,
		    NULL },
		{ SAN("userPrincipalName", PATTERN("@b$", "")), "CN=x",
		    "UPN:a@c", 1, "userPrincipalName" },
		{ SAN("uniformResourceIdentifier", PATTERN("^https:", "")),
		    "CN=x", "URI:https://a/", 0, NULL },
		{ SAN("iPAddress", PATTERN("10.0.0.0/8", AS("Cidr"))), "CN=x",
		    "IP:10.1.2.3", 0, NULL },
		{ SAN("iPAddress", PATTERN("10.0.0.0/8", AS("Cidr"))), "CN=x",
		    "IP:11.1.2.3", 1, "iPAddress \"11.1.2.3\" matches no" },
		{ SAN("iPAddress",
		      PATTERN("10.0.0.0/8", AS("Cidr"))
			  PATTERN("10.9.0.0/16", AS("Cidr") DENY)),
		    "CN=x", "IP:10.9.2.3", 1, "\"10.9.0.0/16\", which denies" },
		{ SAN("iPAddress", PATTERN("fd00::/8", AS("Cidr"))), "CN=x",
		    "IP:fd00::1", 0, NULL },
		/* no address where one is expected: neither allowed … */
		{ CN_LIKE(PATTERN("0.0.0.0/0", AS("Cidr"))), "CN=x", "", 1,
		    "no pattern that allows" },
		/* … nor let through */
		{ CN_LIKE(
		      PATTERN("x", "") PATTERN("10.0.0.0/8", AS("Cidr") DENY)),
		    "CN=x", "", 1, "which denies it" },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		prepare(w, v[i].policy, v[i].subject, v[i].sans, NULL);
		judge(w);
		if (v[i].n == 0)
			expect_good(w, v[i].policy);
		else
			expect_bad(
			    w, v[i].policy, v[i].n, 0x800b0114, v[i].text);
	}
}

/* The same request where the directory supplies the names. */
static void
rules_of_names_are_for_requested_names(void **state)
{
	struct world *w = *state;

	prepare(w, "", "CN=a", "DNS:b", NULL);
	w->f.supplied = false;
	judge(w);
	expect_good(w, "names from the directory");
}

/* An expression that takes for ever ends, and decides against the request. */
static void
costly_expressions_end(void **state)
{
	struct world *w = *state;

	prepare(w, CN_LIKE(PATTERN("^(a+)+$", "")),
	    "CN=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "",
	    NULL);
	judge(w);
	expect_bad(w, "allow", 1, 0x800b0114, "no pattern that allows");
	prepare(w, CN_LIKE(PATTERN("a", "") PATTERN("^(a+)+$", DENY)),
	    "CN=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "",
	    NULL);
	judge(w);
	expect_bad(w, "deny", 1, 0x800b0114, "which denies");
}

#define LIST(tag, s) "<" tag "><string>" s "</string></" tag ">"

static void
process_and_provider(void **state)
{
	static const struct ae_csr_spec made = { .hash = AE_HASH_SHA256,
		.csp_name = "Microsoft Platform Crypto Provider",
		.client = { .client_id = 6,
		    .machine = "pc1",
		    .user = "u",
		    .process = "TaskHostW.exe" } };
	static const struct ae_pair pair = { "RequestCSPProvider", "Mine" };
	static const struct ae_csr_spec by_pair = {
		.hash = AE_HASH_SHA256, .pairs = &pair, .npairs = 1
	};
	static const struct {
		const char *policy;
		const struct ae_csr_spec *spec;
		const char *text;
	} v[] = {
		{ LIST("AllowedProcesses", "taskhostw.exe"), &made, NULL },
		{ LIST("AllowedProcesses", "certreq.exe"), &made,
		    "process \"TaskHostW.exe\" is not among" },
		{ LIST("AllowedProcesses", "taskhostw.exe"), NULL,
		    "does not say by which process" },
		{ LIST("DisallowedProcesses", "mmc.exe"), &made, NULL },
		{ LIST("DisallowedProcesses", "taskhostw.exe"), &made,
		    "process \"TaskHostW.exe\" is not allowed" },
		{ LIST("DisallowedProcesses", "mmc.exe"), NULL,
		    "does not say by which process" },
		{ LIST("AllowedCryptoProviders",
		      "microsoft platform crypto provider"),
		    &made, NULL },
		{ LIST("AllowedCryptoProviders", "Mine"), &by_pair, NULL },
		{ LIST("AllowedCryptoProviders", "Other"), &made,
		    "is not among those" },
		{ LIST("DisallowedCryptoProviders",
		      "Microsoft Platform Crypto Provider"),
		    &made, "is not allowed" },
		{ LIST("DisallowedCryptoProviders", "Other"), NULL,
		    "does not say by which provider" },
	};
	struct world *w = *state;
	size_t i;
	int online;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (online = 0; online < 2; online++) {
			char policy[512];

			(void)snprintf(
			    policy, sizeof(policy), "%s" CN(ANY), v[i].policy);
			prepare(w, policy, "CN=a", "", v[i].spec);
			w->f.supplied = online == 0;
			judge(w);
			if (v[i].text == NULL)
				expect_good(w, policy);
			else
				expect_bad(w, policy, 1, 0x80094012, v[i].text);
		}
}

static void
keys(void **state)
{
	struct world *w = *state;

	prepare(w,
	    CN(ANY) "<MinimumKeyLength>256</MinimumKeyLength>"
		    "<MaximumKeyLength>256</MaximumKeyLength>",
	    "CN=a", "", NULL);
	judge(w);
	expect_good(w, "256");
	prepare(w, CN(ANY) "<MinimumKeyLength>384</MinimumKeyLength>", "CN=a",
	    "", NULL);
	judge(w);
	expect_bad(w, "min", 1, 0x80094811, "256 bits, the least is 384");
	prepare(w, CN(ANY) "<MaximumKeyLength>255</MaximumKeyLength>", "CN=a",
	    "", NULL);
	judge(w);
	expect_bad(w, "max", 1, 0x80094811, "256 bits, the most is 255");
	/* the kind is the template's; one that does not say is for RSA */
	prepare(w, CN(ANY), "CN=a", "", NULL);
	w->f.wanted_key = AE_KEY_RSA;
	judge(w);
	expect_bad(w, "kind", 1, 0x80094811, "the kind RSA, the request has E");
	w->f.wanted_key = 0;
	judge(w);
	expect_bad(w, "no kind", 1, 0x80094811, "the kind RSA");
}

static void
fixed_date(void **state)
{
	struct world *w = *state;

	/* NOW is 2026-09-21T14:13:20Z */
	prepare(w,
	    CN(ANY) "<NotAfter>2026-12-31T00:00:00.0000000+00:00"
		    "</NotAfter>",
	    "CN=a", "", NULL);
	judge(w);
	expect_good(w, "before the usual end");
	assert_true(w->out.new_not_after);
	assert_int_equal(w->out.not_after, 1798675200);
	w->f.not_after = NOW + 86400;
	judge(w);
	assert_false(w->out.new_not_after);
	prepare(w, CN(ANY) "<NotAfter>2026-09-21T14:13:20Z</NotAfter>", "CN=a",
	    "", NULL);
	judge(w);
	expect_bad(w, "passed", 1, 0x8007076d, "a date that has passed");
	prepare(w, CN(ANY) "<NotAfter></NotAfter>", "CN=a", "", NULL);
	judge(w);
	expect_good(w, "none");
}

#define SID_MODE(m) \
	"<SecurityIdentifierExtension>" m "</SecurityIdentifierExtension>"

static void
sid_extension(void **state)
{
	struct ae_csr_spec spec = { .hash = AE_HASH_SHA256 };
	struct world *w = *state;
	struct ae_sid asked;

	assert_true(ae_sid_parse(&asked, "S-1-5-21-1-2-3-500"));
	spec.x.has_sid = true;
	spec.x.sid = asked;
	prepare(w, CN(ANY), "CN=a", "", &spec);
	judge(w);
	expect_bad(w, "default", 1, 0x80094012, "1.3.6.1.4.1.311.25.2");
	prepare(w, CN(ANY) SID_MODE("Deny"), "CN=a", "", NULL);
	judge(w);
	expect_good(w, "deny, and none there");
	assert_false(w->out.new_sid);
	prepare(w, CN(ANY) SID_MODE("Allow"), "CN=a", "", &spec);
	judge(w);
	expect_good(w, "allow");
	assert_true(w->out.new_sid && ae_sid_equal(&w->out.sid, &asked));
	prepare(w, CN(ANY) SID_MODE("Remove"), "CN=a", "", &spec);
	judge(w);
	expect_good(w, "remove");
	assert_false(w->out.new_sid);
	prepare(w,
	    CN(ANY) SID_MODE(
		"Add") "<DirectoryServicesMapping>"
		       "<CertificateAttribute>commonName</CertificateAttribute>"
		       "</DirectoryServicesMapping>",
	    "CN=a", "", &spec);
	judge(w);
	expect_good(w, "add");
	assert_true(w->out.new_sid && ae_sid_equal(&w->out.sid, &w->sid));
	/* Add without anybody who is mapped adds nobody */
	prepare(w, CN(ANY) SID_MODE("Add"), "CN=a", "", &spec);
	judge(w);
	assert_false(w->out.new_sid);
}

#define MAP(inner)                                                          \
	CN(ANY)                                                             \
	"<DirectoryServicesMapping><CertificateAttribute>commonName"        \
	"</CertificateAttribute><DirectoryServicesAttribute>sAMAccountName" \
	"</DirectoryServicesAttribute>" inner "</DirectoryServicesMapping>"
#define ATTRIBUTE(name, inner)                        \
	"<DirectoryObjectRules><DirectoryObjectRule>" \
	"<DirectoryServicesAttribute>" name           \
	"</DirectoryServicesAttribute>" inner         \
	"</DirectoryObjectRule></DirectoryObjectRules>"

static void
what_is_asked(void **state)
{
	struct ae_rules_question q;
	struct world *w = *state;

	prepare(w,
	    MAP("<SearchRoot>OU=x,DC=y</SearchRoot>"
		"<AllowedSecurityGroups><string>CN=a</string>"
		"</AllowedSecurityGroups><DisallowedSecurityGroups>"
		"<string>CN=b</string></DisallowedSecurityGroups>"
		"<SupplementServicePrincipalNames>true"
		"</SupplementServicePrincipalNames>" ATTRIBUTE(
		    "department", "")),
	    "CN=jdoe", "", NULL);
	assert_true(ae_rules_ask(&q, w->rules, &w->f, w->a));
	assert_false(q.own);
	assert_string_equal(q.attribute, "sAMAccountName");
	assert_string_equal(q.value, "jdoe");
	assert_string_equal(q.category, "user");
	assert_string_equal(q.search_root, "OU=x,DC=y");
	assert_int_equal(q.attributes.n, 1);
	assert_int_equal(q.groups.n, 2);
	assert_string_equal(q.groups.v[1], "CN=b");
	assert_true(q.spns);
	/* where the directory supplies the names it is the requester's own */
	w->f.supplied = false;
	w->f.user = false;
	assert_true(ae_rules_ask(&q, w->rules, &w->f, w->a));
	assert_true(q.own);
	assert_null(q.value);
	assert_string_equal(q.category, "computer");
	w->f.supplied = true;
	prepare(w, MAP(""), "O=x", "", NULL);
	assert_false(ae_rules_ask(&q, w->rules, &w->f, w->a));
	prepare(w, CN(ANY), "CN=jdoe", "", NULL);
	assert_false(ae_rules_ask(&q, w->rules, &w->f, w->a));
}

static void
mapped_objects(void **state)
{
	static const struct {
		const char *policy;
		unsigned found;
		const char *text;
	} v[] = {
		{ MAP(""), 1, NULL },
		{ MAP(""), 0, "has no user with sAMAccountName \"jdoe\"" },
		{ MAP(""), 2, "more than one user" },
		{ MAP("<Action>Deny</Action>"), 1, "there must be none" },
		{ MAP("<Action>Deny</Action>"), 0, NULL },
		{ MAP("<Action>Continue</Action>"), 1, NULL },
		{ MAP("<Action>Continue</Action>"), 0, NULL },
		{ MAP("<Action>Continue</Action>"), 2, "more than one user" },
		/* units */
		{ MAP(LIST("AllowedOrganizationalUnits",
		      "OU=Staff,DC=example,DC=com")),
		    1, NULL },
		{ MAP(LIST("AllowedOrganizationalUnits",
		      "ou=people,OU=Staff,DC=example,DC=com")),
		    1, NULL },
		{ MAP(LIST("AllowedOrganizationalUnits",
		      "OU=Guests,DC=example,DC=com")),
		    1, "in no organizational unit that is allowed" },
		/* the tail of another unit's name is not that unit */
		{ MAP(LIST("AllowedOrganizationalUnits",
		      "eople,OU=Staff,DC=example,DC=com")),
		    1, "in no organizational unit" },
		{ MAP(LIST("DisallowedOrganizationalUnits",
		      "OU=Guests,DC=example,DC=com")),
		    1, NULL },
		{ MAP(LIST("DisallowedOrganizationalUnits",
		      "OU=Staff,DC=example,DC=com")),
		    1, "which is not allowed" },
		/* groups: the first that is asked for he is in */
		{ MAP(LIST("AllowedSecurityGroups", "CN=in")), 1, NULL },
		{ MAP("<AllowedSecurityGroups><string>CN=in</string><string>"
		      "CN=out</string></AllowedSecurityGroups>"),
		    1, NULL },
		{ MAP(LIST("DisallowedSecurityGroups", "CN=in")), 1,
		    "in the group \"CN=in\", which is not allowed" },
		{ MAP(LIST("AllowedSecurityGroups", "CN=in")
			  LIST("DisallowedSecurityGroups", "CN=out")),
		    1, NULL },
		{ MAP("<AllowedSecurityGroups><string>CN=in</string>"
		      "</AllowedSecurityGroups><DisallowedSecurityGroups>"
		      "<string>1</string><string>2</string><string>CN=none"
		      "</string></DisallowedSecurityGroups>"),
		    1, "there is no group \"CN=none\"" },
		/* attributes */
		{ MAP(ATTRIBUTE("department",
		      "<Patterns>" PATTERN("^IT$", "") "</Patterns>")),
		    1, NULL },
		{ MAP(ATTRIBUTE("department",
		      "<Patterns>" PATTERN("^HR$", "") "</Patterns>")),
		    1, "department, \"IT\", matches no pattern" },
		{ MAP(ATTRIBUTE("department",
		      "<Patterns>" PATTERN("IT", DENY) "</Patterns>")),
		    1, "which denies it" },
		{ MAP(ATTRIBUTE("department",
		      "<Patterns>" PATTERN("HR", DENY) "</Patterns>")),
		    1, NULL },
		{ MAP(ATTRIBUTE(
		      "company", "<Patterns>" PATTERN("x", "") "</Patterns>")),
		    1, NULL },
		{ MAP(ATTRIBUTE("company", "<Mandatory>true</Mandatory>")), 1,
		    "has no attribute company" },
		/* the password, of a minute ago */
		{ MAP("<MaximumPasswordAge>2</MaximumPasswordAge>"), 1, NULL },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		prepare(w, v[i].policy, "CN=jdoe", "", NULL);
		w->o.found = v[i].found;
		judge(w);
		if (v[i].text == NULL)
			expect_good(w, v[i].policy);
		else
			expect_bad(w, v[i].policy, 1, 0x80094012, v[i].text);
	}
}

static void
accounts_and_passwords(void **state)
{
	struct world *w = *state;

	prepare(w, MAP(""), "CN=jdoe", "", NULL);
	w->o.account_control = 0x202;
	judge(w);
	expect_bad(w, "disabled", 1, 0x80094012, "is disabled");
	prepare(w, MAP("<PermitDisabledAccounts>true</PermitDisabledAccounts>"),
	    "CN=jdoe", "", NULL);
	judge(w);
	expect_good(w, "disabled, and permitted");
	w->o.account_control = 0x200;
	prepare(w, MAP("<MaximumPasswordAge>2</MaximumPasswordAge>"), "CN=jdoe",
	    "", NULL);
	w->f.now = NOW + 3 * 60;
	w->f.not_after = w->f.now + 86400;
	judge(w);
	expect_bad(w, "old", 1, 0x80094012, "older than 2 minutes");
	w->o.nattributes = 0;
	judge(w);
	expect_bad(w, "unknown", 1, 0x80094012, "it is not known when");
	prepare(w, MAP(""), "O=jdoe", "", NULL);
	judge(w);
	expect_bad(w, "nobody named", 3, 0x80094012,
	    "no commonName to find somebody by");
	/* the requester's own, elsewhere than the search begins */
	prepare(w, MAP("<SearchRoot>OU=Guests,DC=example,DC=com</SearchRoot>"),
	    "CN=jdoe", "", NULL);
	w->f.supplied = false;
	judge(w);
	expect_bad(w, "elsewhere", 1, 0x80094012, "below OU=Guests");
	prepare(w, MAP("<SearchRoot>OU=Staff,DC=example,DC=com</SearchRoot>"),
	    "CN=jdoe", "", NULL);
	judge(w);
	expect_good(w, "below it");
}

/* ---- what is written ---- */

static bool
has_san(const struct world *w, const char *text)
{
	char ip[AE_IP_STR_MAX];
	size_t i;

	for (i = 0; i < w->out.nsans; i++) {
		const struct ae_san *s = &w->out.sans[i];

		if (s->type == AE_SAN_IP
			? strcmp(ae_ip_print(ip, s->der.p, s->der.len), text) ==
			    0
			: s->text != NULL && strcmp(s->text, text) == 0)
			return true;
	}
	return false;
}

static void
names_are_supplemented(void **state)
{
	struct world *w = *state;

#define SUPPLEMENT                                   \
	CN("<MaxOccurrences>4</MaxOccurrences>" ANY) \
	"<SupplementDnsNames>true</SupplementDnsNames>"
	prepare(w, SUPPLEMENT, "CN=www.example.com;CN=10.1.2.3;CN=Hello World",
	    "", NULL);
	judge(w);
	expect_good(w, "supplement");
	assert_int_equal(w->out.nsans, 2);
	assert_true(has_san(w, "www.example.com") && has_san(w, "10.1.2.3"));
	prepare(w, SUPPLEMENT, "CN=www", "", NULL);
	judge(w);
	assert_true(w->out.new_sans && has_san(w, "www"));
	prepare(w,
	    SUPPLEMENT "<SupplementUnqualifiedNames>false"
		       "</SupplementUnqualifiedNames>",
	    "CN=www", "", NULL);
	judge(w);
	assert_false(w->out.new_sans);
	prepare(w, CN(ANY), "CN=www.example.com", "", NULL);
	judge(w);
	assert_false(w->out.new_sans);
	/* services of the mapped object */
	prepare(w,
	    MAP("<SupplementServicePrincipalNames>true"
		"</SupplementServicePrincipalNames>"),
	    "CN=jdoe", "", NULL);
	judge(w);
	expect_good(w, "spns");
	assert_int_equal(w->out.nsans, 3);
	assert_true(has_san(w, "pc1") && has_san(w, "pc1.example.com") &&
	    has_san(w, "www.example.com"));
	prepare(w,
	    MAP("<AddSidUniformResourceIdentifier>true"
		"</AddSidUniformResourceIdentifier>"),
	    "CN=jdoe", "", NULL);
	judge(w);
	assert_true(
	    has_san(w, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1105"));
}

#define OUT(field, value, more)                               \
	"<OutboundSubject><OutboundSubjectRule><Field>" field \
	"</Field><Value>" value "</Value>" more               \
	"</OutboundSubjectRule></OutboundSubject>"
#define OUTSAN(field, value, more)                                           \
	"<OutboundSubjectAlternativeName><OutboundSubjectRule><Field>" field \
	"</Field><Value>" value "</Value>" more                              \
	"</OutboundSubjectRule></OutboundSubjectAlternativeName>"
#define MUST "<Mandatory>true</Mandatory>"
#define FORCE "<Force>true</Force>"
#define ALL(names)                                                  \
	"<Subject>" RULE(                                           \
	    "commonName", "<MaxOccurrences>3</MaxOccurrences>" ANY) \
	    RULE("stateOrProvinceName", ANY)                        \
		RULE("domainComponent", ANY) "</Subject>" names

static const char *
subject_text(const struct world *w)
{
	static char *text;
	struct ae_wr der;

	free(text);
	text = NULL;
	ae_wr_init(&der, 4096);
	assert_int_equal(
	    ae_name_encode(&der, w->out.subject, w->out.nsubject, NULL), AE_OK);
	assert_int_equal(
	    ae_name_print(&text, (struct ae_der){ der.p, der.len }, NULL),
	    AE_OK);
	ae_wr_done(&der);
	return text;
}

static void
subjects_are_written(void **state)
{
	static const struct {
		const char *rule, *subject, *out, *text;
	} v[] = {
		/* put where it belongs in a name, the common name last */
		{ OUT("organizationName", "ACME", ""), "CN=a", "CN=a,O=ACME",
		    NULL },
		{ OUT("countryName", "{ad:c}", ""), "DC=x;CN=a",
		    "CN=a,DC=x,"
		    "C=DE",
		    NULL },
		{ OUT("emailAddress", "{ad:mail}", ""), "CN=a",
		    "emailAddress=john@example.com,CN=a", NULL },
		/* Force */
		{ OUT("commonName", "b", ""), "CN=a", "CN=a", NULL },
		{ OUT("commonName", "b", FORCE), "CN=a", "CN=b", NULL },
		{ OUT("commonName", "b", FORCE), "DC=x;CN=a;CN=c", "CN=b,DC=x",
		    NULL },
		/* variables */
		{ OUT("commonName", "{ad:sn}, {ad:GIVENNAME}!", FORCE), "CN=a",
		    "CN=Doe\\, John!", NULL },
		{ OUT("commonName", "{ad:displayName}", FORCE), "CN=a",
		    "CN=J\xc3\xb6hn Doe", NULL },
		{ OUT("organizationName", "{sdn:commonName} {x} {ad:}x", ""),
		    "CN=a", "CN=a", NULL },
		{ OUT("organizationName", "{sdn:commonName} {x}", ""), "CN=a",
		    "CN=a,O=a {x}", NULL },
		{ OUT("organizationName", "{sdn:commonName}", ""), "CN={ad:sn}",
		    "CN={ad:sn},O={ad:sn}", NULL },
		/* one without a value */
		{ OUT("title", "{ad:title}", ""), "CN=a", "CN=a", NULL },
		{ OUT("title", "{ad:title}", MUST), "CN=a", "CN=a",
		    "title is made of {ad:title}, which has no value" },
		{ OUT("title", "{yk:Slot}", MUST), "CN=a", "CN=a",
		    "{yk:Slot}, which has no value" },
		/* taken away, or moved */
		{ OUT("stateOrProvinceName", "", FORCE), "ST=x;CN=a", "CN=a",
		    NULL },
		{ OUT("stateOrProvinceName", "", ""), "ST=x;CN=a", "CN=a,ST=x",
		    NULL },
		{ "<OutboundSubject><OutboundSubjectRule><Field>"
		  "stateOrProvinceName</Field><Value></Value>" FORCE
		  "</OutboundSubjectRule><OutboundSubjectRule><Field>"
		  "serialNumber</Field><Value>{sdn:stateOrProvinceName}"
		  "</Value></OutboundSubjectRule></OutboundSubject>",
		    "ST=x;CN=a", "CN=a,serialNumber=x", NULL },
		/* too long is never written */
		{ OUT("commonName", "{ad:info}", FORCE), "CN=a", "CN=a",
		    "more than 64 characters" },
		{ OUT("countryName", "DEU", ""), "CN=a", "CN=a",
		    "more than 2 characters" },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char policy[2048];

		(void)snprintf(policy, sizeof(policy),
		    ALL("%s") "<DirectoryServicesMapping>"
			      "<CertificateAttribute>commonName</"
			      "CertificateAttribute>"
			      "</DirectoryServicesMapping>",
		    v[i].rule);
		prepare(w, policy, v[i].subject, "", NULL);
		judge(w);
		if (v[i].text == NULL)
			expect_good(w, v[i].rule);
		else
			expect_bad(w, v[i].rule, 1, 0x80094012, v[i].text);
		if (strcmp(subject_text(w), v[i].out) != 0)
			fail_msg("%s: %s, not %s", v[i].rule, subject_text(w),
			    v[i].out);
	}
	/* without a mapping there is nothing to take from the directory */
	prepare(w, ALL(OUT("title", "{ad:mail}", MUST)), "CN=a", "", NULL);
	judge(w);
	expect_bad(w, "no mapping", 1, 0x80094012, "which has no value");
	free(NULL);
}

#define ANYSAN                                                   \
	"<SubjectAlternativeName>" RULE(                         \
	    "dNSName", "<MaxOccurrences>3</MaxOccurrences>" ANY) \
	    RULE("userPrincipalName", ANY) "</SubjectAlternativeName>"

static void
alternative_names_are_written(void **state)
{
	static const struct {
		const char *rule, *sans;
		size_t n;
		const char *has, *text;
	} v[] = {
		{ OUTSAN("userPrincipalName", "{ad:userPrincipalName}", MUST),
		    "", 1, "john@example.com", NULL },
		{ OUTSAN("dnsName", "{sdn:commonName}.x", MUST), "", 1, "a.x",
		    NULL },
		{ OUTSAN("rfc822Name", "{ad:mail}", ""), "", 1,
		    "john@example.com", NULL },
		{ OUTSAN("iPAddress", "fd00::1", ""), "", 1, "fd00::1", NULL },
		{ OUTSAN("uniformResourceIdentifier", "urn:x", ""), "", 1,
		    "urn:x", NULL },
		/* Force adds one more; the same twice is one */
		{ OUTSAN("dNSName", "b", ""), "DNS:c", 1, "c", NULL },
		{ OUTSAN("dNSName", "b", FORCE), "DNS:c", 2, "b", NULL },
		{ OUTSAN("dNSName", "C", FORCE), "DNS:c", 1, "c", NULL },
		/* nothing takes all of the kind away */
		{ OUTSAN("dNSName", "", MUST FORCE), "DNS:c;DNS:d;UPN:e", 1,
		    "e", NULL },
		/* what is no such name */
		{ OUTSAN("dNSName", "a b", ""), "DNS:c", 1, "c", NULL },
		{ OUTSAN("dNSName", "a b", MUST FORCE), "DNS:c", 1, "c",
		    "\"a b\" cannot be an alternative name of type dNSName" },
		{ OUTSAN("iPAddress", "1.2.3", MUST), "DNS:c", 1, "c",
		    "cannot be" },
		{ OUTSAN("rfc822Name", "x", MUST), "DNS:c", 1, "c",
		    "cannot be" },
		{ OUTSAN("dNSName", "{ad:title}", MUST), "", 0, NULL,
		    "no value" },
		{ OUTSAN("dNSName", "{san:userPrincipalName}x", ""), "UPN:e", 2,
		    "ex", NULL },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char policy[2048];

		(void)snprintf(
		    policy, sizeof(policy), MAP("") ANYSAN "%s", v[i].rule);
		prepare(w, policy, "CN=a", v[i].sans, NULL);
		judge(w);
		if (v[i].text == NULL)
			expect_good(w, v[i].rule);
		else
			expect_bad(w, v[i].rule, 1, 0x80094012, v[i].text);
		if (w->out.nsans != v[i].n ||
		    (v[i].has != NULL && !has_san(w, v[i].has)))
			fail_msg("%s: %zu names", v[i].rule, w->out.nsans);
	}
}

static void
an_identity_there_must_be(void **state)
{
	struct world *w = *state;
	const char *rules =
	    "<Subject>" RULE("organizationName", ANY) "</Subject>";
	char policy[512];

	prepare(w, rules, "O=a", "", NULL);
	judge(w);
	expect_bad(w, "nobody", 1, 0x800b0114, "neither a commonName");
	(void)snprintf(policy, sizeof(policy),
	    "%s<PermitEmptyIdentities>true</PermitEmptyIdentities>", rules);
	prepare(w, policy, "O=a", "", NULL);
	judge(w);
	expect_good(w, "permitted");
	(void)snprintf(
	    policy, sizeof(policy), "%s" OUT("commonName", "b", ""), rules);
	prepare(w, policy, "O=a", "", NULL);
	judge(w);
	expect_good(w, "written");
}

static void
urls_and_extensions(void **state)
{
	struct world *w = *state;

	prepare(w,
	    CN(ANY) LIST("CrlDistributionPoints", "http://%1/%3%8%9.crl")
		LIST("AuthorityInformationAccess", "http://%2/%7%4.crt")
		    LIST("OnlineCertificateStatusProtocol",
			"http://o/?x=1") "<CustomCertificateExtensions><"
					 "CustomCertificateExtension>"
					 "<Oid>1.3.6.1.5.5.7.1.24</"
					 "Oid><Value>MAMCAQU=</Value>"
					 "</"
					 "CustomCertificateExtension><"
					 "CustomCertificateExtension>"
					 "<Oid>1.3.6.1.5.5.7.48.1.5</Oid></"
					 "CustomCertificateExtension>"
					 "</CustomCertificateExtensions>",
	    "CN=a", "", NULL);
	judge(w);
	expect_good(w, "urls");
	/* their variables are the CA's to put in */
	assert_string_equal(w->out.cdp.v[0], "http://%1/%3%8%9.crl");
	assert_string_equal(w->out.aia.v[0], "http://%2/%7%4.crt");
	assert_string_equal(w->out.ocsp.v[0], "http://o/?x=1");
	assert_int_equal(w->out.nextensions, 1);
	assert_string_equal(w->out.extensions[0].oid, "1.3.6.1.5.5.7.1.24");
	assert_int_equal(w->out.extensions[0].value.len, 5);
	assert_true(w->out.ocsp_nocheck);
	prepare(w, CN(ANY), "CN=a", "", NULL);
	judge(w);
	assert_int_equal(w->out.cdp.n + w->out.aia.n + w->out.ocsp.n, 0);
}

static void
no_attestation(void **state)
{
	struct world *w = *state;

	prepare(w,
	    CN(ANY) "<YubiKeyPolicies><YubiKeyPolicy/>"
		    "</YubiKeyPolicies>",
	    "CN=a", "", NULL);
	judge(w);
	expect_bad(w, "none", 1, 0x80094012, "no attestation of a YubiKey");
}

/* Everything at once, and without memory for it. */
static bool
judge_all(void *arg)
{
	struct world *w = arg;
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_rules_outcome out;
	bool ok;

	if (a == NULL)
		return false;
	ok = ae_rules_judge(&out, w->rules, &w->f, a, NULL) == AE_OK;
	ae_arena_free(a);
	return ok;
}

static void
without_memory_nothing_is_decided(void **state)
{
	struct world *w = *state;

	prepare(w,
	    MAP("<SupplementServicePrincipalNames>true"
		"</SupplementServicePrincipalNames>")
		ANYSAN OUT("organizationName", "{ad:mail}", MUST)
		    OUTSAN("dNSName", "b.{ad:sn}", FORCE)
			LIST("CrlDistributionPoints", "http://%1/"),
	    "CN=a", "UPN:x", NULL);
	judge(w);
	expect_good(w, "all");
	assert_true(ae_torture(judge_all, w, 4000, false) > 3);
	/* nor with an arena that is too small */
	{
		struct ae_arena *a = ae_arena_new(2048);
		struct ae_rules_outcome out;

		assert_int_equal(
		    ae_rules_judge(&out, w->rules, &w->f, a, NULL), AE_ELIMIT);
		ae_arena_free(a);
	}
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(names_of_a_request),
		T(rules_of_names_are_for_requested_names),
		T(costly_expressions_end),
		T(process_and_provider),
		T(keys),
		T(fixed_date),
		T(sid_extension),
		T(what_is_asked),
		T(mapped_objects),
		T(accounts_and_passwords),
		T(names_are_supplemented),
		T(subjects_are_written),
		T(alternative_names_are_written),
		T(an_identity_there_must_be),
		T(urls_and_extensions),
		T(no_attestation),
		T(without_memory_nothing_is_decided),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
