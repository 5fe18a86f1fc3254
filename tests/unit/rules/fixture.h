/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A policy, a request, an object of the directory, and what comes of them: for
 * the tests of rules/judge.h.
 */
#ifndef AE_TEST_RULES_FIXTURE_H
#define AE_TEST_RULES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules/judge.h"

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

/* The policy that has these elements, about a request with these names. */
void rx_prepare(struct world *w, const char *elements, const char *subject,
    const char *sans, const struct ae_csr_spec *more);
void rx_judge(struct world *w);
/* As a list: "check: text\n…". */
const char *rx_violations(const struct world *w);
void rx_good(const struct world *w, const char *what);
/* n violations, one of which has this code and text. */
void rx_bad(const struct world *w, const char *what, size_t n, uint32_t hresult,
    const char *text);
bool rx_has_san(const struct world *w, const char *text);

/* Of the group; and of each test: an object that all rules are content with. */
int rx_setup(void **state);
int rx_teardown(void **state);
int rx_fresh(void **state);

/* Elements of a policy file. */
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
#define LIST(tag, s) "<" tag "><string>" s "</string></" tag ">"
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

#define T(f) cmocka_unit_test_setup(f, rx_fresh)

#endif
