/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Patterns: regular expressions (PCRE2, bounded), networks, plain texts.
 */
#ifndef AE_RULES_PATTERN_H
#define AE_RULES_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

/* What one match may cost: backtracking steps, their depth, KiB of heap. */
#define AE_REGEX_STEPS 200000u
#define AE_REGEX_DEPTH 2000u
#define AE_REGEX_HEAP 4096u
#define AE_REGEX_SUBJECT_MAX 16384u /* bytes that are looked at */

/* PolicyAction; ADD and REMOVE are for the SID extension alone. */
enum ae_rules_action {
	AE_RULES_DENY,
	AE_RULES_ALLOW,
	AE_RULES_ADD,
	AE_RULES_REMOVE,
};

enum ae_rules_treat {
	AE_RULES_REGEX,
	AE_RULES_REGEX_NOCASE,
	AE_RULES_CIDR,
	AE_RULES_EXACT,
	AE_RULES_EXACT_NOCASE,
};

struct ae_regex {
	struct ae_regex *next;
	void *code;
};

struct ae_rules_pattern {
	const char *expression;
	enum ae_rules_treat treat_as;
	enum ae_rules_action action;
	const struct ae_regex *regex;
	bool has_net; /* false with CIDR: it can match nothing */
	struct ae_ip_net net;
};

struct ae_rules_patterns {
	struct ae_rules_pattern *v;
	size_t n;
};

/*
 * Compile an expression of a kind that needs it (REGEX…, EXACT_NOCASE); *out
 * is new, to be freed with ae_regex_free.  AE_EINVAL says what is wrong and
 * where in the expression.
 */
int ae_regex_compile(struct ae_regex **out, const char *expression,
    enum ae_rules_treat as, struct ae_err *e) AE_MUST_CHECK;
void ae_regex_free(struct ae_regex *list); /* with all behind it */

enum ae_match {
	AE_MATCH_NO,
	AE_MATCH_YES,
	/* cannot be told: over a limit, or no address where one is expected */
	AE_MATCH_ERROR,
};
enum ae_match ae_rules_match(
    const struct ae_rules_pattern *p, const char *value);

/*
 * A value must match one pattern that allows and none that denies; what
 * cannot be told does not allow and does deny.
 */
bool ae_rules_allowed(const struct ae_rules_patterns *l, const char *value);
/* The first pattern from *i on that denies the value, or NULL. */
const struct ae_rules_pattern *ae_rules_denied(
    const struct ae_rules_patterns *l, const char *value, size_t *i);

#endif
