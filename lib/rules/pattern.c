/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Patterns; see pattern.h.  The expressions are written for .NET: what PCRE2
 * would take for something else is refused (doc/differences.md).
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define EXPRESSION_MAX 4096
#define REGEX_OPTIONS \
	(PCRE2_UTF | PCRE2_UCP | PCRE2_ALT_BSUX | PCRE2_NEVER_BACKSLASH_C)

/*
 * [a-z-[aeiou]] subtracts in .NET; here it would be a class and some text.
 * Returns the offset of such a thing, or -1.
 */
static long
find_subtraction(const char *s)
{
	bool in_class = false;
	size_t i;

	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] == '\\' && s[i + 1] != '\0')
			i++;
		else if (!in_class && s[i] == '[') {
			in_class = true;
			if (s[i + 1] == '^')
				i++;
			if (s[i + 1] == ']')
				i++;
		} else if (in_class && s[i] == ']')
			in_class = false;
		else if (in_class && s[i] == '-' && s[i + 1] == '[')
			return (long)i;
	}
	return -1;
}

int
ae_regex_compile(struct ae_regex **out, const char *expression,
    enum ae_rules_treat as, struct ae_err *e)
{
	static const uint32_t options[] = {
		[AE_RULES_REGEX] = REGEX_OPTIONS,
		[AE_RULES_REGEX_NOCASE] = REGEX_OPTIONS | PCRE2_CASELESS,
		[AE_RULES_CIDR] = 0,
		[AE_RULES_EXACT] = 0,
		[AE_RULES_EXACT_NOCASE] = PCRE2_UTF | PCRE2_LITERAL |
		    PCRE2_CASELESS | PCRE2_ANCHORED | PCRE2_ENDANCHORED,
	};
	const long at =
	    as == AE_RULES_EXACT_NOCASE ? -1 : find_subtraction(expression);
	struct ae_regex *r;
	PCRE2_SIZE where = 0;
	PCRE2_UCHAR text[120];
	int err = 0;

	if (strlen(expression) > EXPRESSION_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "an expression of more than %d bytes", EXPRESSION_MAX);
	if (at >= 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "character %ld of the expression: class subtraction is not "
		    "supported",
		    at + 1);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ae_fail_mem(e);
	r->code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED,
	    options[as], &err, &where, NULL);
	if (r->code == NULL) {
		free(r);
		if (err == PCRE2_ERROR_HEAP_FAILED)
			return ae_fail_mem(e);
		(void)pcre2_get_error_message(err, text, sizeof(text));
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "character %zu of the expression: %s", (size_t)where + 1,
		    (const char *)text);
	}
	*out = r;
	return AE_OK;
}

void
ae_regex_free(struct ae_regex *list)
{
	struct ae_regex *next;

	for (; list != NULL; list = next) {
		next = list->next;
		pcre2_code_free(list->code);
		free(list);
	}
}

static enum ae_match
match_regex(const struct ae_regex *r, const char *value)
{
	pcre2_match_context *ctx = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	const size_t len = strlen(value);
	int rc = PCRE2_ERROR_NOMEMORY;

	if (ctx != NULL && data != NULL && len <= AE_REGEX_SUBJECT_MAX) {
		(void)pcre2_set_match_limit(ctx, AE_REGEX_STEPS);
		(void)pcre2_set_depth_limit(ctx, AE_REGEX_DEPTH);
		(void)pcre2_set_heap_limit(ctx, AE_REGEX_HEAP);
		rc = pcre2_match(
		    r->code, (PCRE2_SPTR)value, len, 0, 0, data, ctx);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(ctx);
	if (rc == PCRE2_ERROR_NOMATCH)
		return AE_MATCH_NO;
	return rc >= 0 ? AE_MATCH_YES : AE_MATCH_ERROR;
}

static enum ae_match
match_net(const struct ae_rules_pattern *p, const char *value)
{
	struct ae_ip ip;

	if (!p->has_net || !ae_ip_parse(&ip, value))
		return AE_MATCH_ERROR;
	return ae_ip_in_net(&ip, &p->net) ? AE_MATCH_YES : AE_MATCH_NO;
}

enum ae_match
ae_rules_match(const struct ae_rules_pattern *p, const char *value)
{
	switch (p->treat_as) {
	case AE_RULES_REGEX:
	case AE_RULES_REGEX_NOCASE:
	case AE_RULES_EXACT_NOCASE:
		return match_regex(p->regex, value);
	case AE_RULES_CIDR:
		return match_net(p, value);
	case AE_RULES_EXACT:
		return strcmp(p->expression, value) == 0 ? AE_MATCH_YES
							 : AE_MATCH_NO;
	}
	return AE_MATCH_ERROR;
}

bool
ae_rules_allowed(const struct ae_rules_patterns *l, const char *value)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].action == AE_RULES_ALLOW &&
		    ae_rules_match(&l->v[i], value) == AE_MATCH_YES)
			return true;
	return false;
}

const struct ae_rules_pattern *
ae_rules_denied(const struct ae_rules_patterns *l, const char *value, size_t *i)
{
	const struct ae_rules_pattern *p;

	while (*i < l->n) {
		p = &l->v[(*i)++];
		if (p->action == AE_RULES_DENY &&
		    ae_rules_match(p, value) != AE_MATCH_NO)
			return p;
	}
	return NULL;
}
