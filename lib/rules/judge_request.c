/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the request itself says: by which provider and process it was made,
 * with which key, and the names it asks for.
 */
#include <inttypes.h>
#include <string.h>

#include "base/breaks.h"
#include "base/ip.h"
#include "base/str.h"
#include "base/utf16.h"
#include "rules/field.h"
#include "rules/judge_int.h"

static bool
listed(const struct ae_rules_strings *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (ae_str_eq_nocase(l->v[i], s))
			return true;
	return false;
}

/* A name that must be among some and not among others. */
static void
judge_listed(struct judging *j, const struct ae_rules_strings *allowed,
    const struct ae_rules_strings *disallowed, const char *value,
    const char *check, const char *what)
{
	if (allowed->n == 0 && disallowed->n == 0)
		return;
	if (value == NULL || value[0] == '\0') {
		judge_add(j, HR_TEMPLATE_DENIED, check,
		    "the request does not say by which %s it was made", what);
		return;
	}
	if (allowed->n > 0 && !listed(allowed, value))
		judge_add(j, HR_TEMPLATE_DENIED, check,
		    "the %s %s is not among those that are allowed", what,
		    judge_quote(j, value));
	if (listed(disallowed, value))
		judge_add(j, HR_TEMPLATE_DENIED, check,
		    "the %s %s is not allowed", what, judge_quote(j, value));
}

static const char *
key_name(enum ae_key_type t)
{
	return t == AE_KEY_EC ? "ECC" : t == AE_KEY_RSA ? "RSA" : "other";
}

static void
judge_key(struct judging *j)
{
	const struct ae_rules *r = j->r;
	const enum ae_key_type want =
	    j->f->wanted_key == 0 ? AE_KEY_RSA : j->f->wanted_key;
	const enum ae_key_type have = ae_key_type(j->f->csr->key);
	const int64_t bits = ae_key_bits(j->f->csr->key);

	if (have != want)
		judge_add(j, HR_KEY_LENGTH, "rules.key",
		    "the template is for keys of the kind %s, the request has "
		    "%s",
		    key_name(want), key_name(have));
	if (bits < r->min_key && !AE_BREAK(rules_key))
		judge_add(j, HR_KEY_LENGTH, "rules.key",
		    "a key of %" PRId64 " bits, the least is %" PRId64, bits,
		    r->min_key);
	if (r->max_key > 0 && bits > r->max_key)
		judge_add(j, HR_KEY_LENGTH, "rules.key",
		    "a key of %" PRId64 " bits, the most is %" PRId64, bits,
		    r->max_key);
}

static const struct ae_rules_subject *
rule_for(const struct ae_rules_subject *v, size_t n, const char *field)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ae_str_eq_nocase(v[i].field, field))
			return &v[i];
	return NULL;
}

static void
judge_value(struct judging *j, const struct ae_rules_subject *rule,
    const struct ae_rules_value *name, const char *check)
{
	const struct ae_rules_pattern *p;
	const size_t units = ae_utf16_units(name->value);
	const int64_t len = units > 1 << 20 ? 1 << 20 : (int64_t)units;
	const char *shown = judge_quote(j, name->value);
	size_t at = 0;

	if (rule->patterns.n == 0) {
		judge_add(j, HR_INVALID_NAME, check,
		    "the rule for %s has no patterns", name->field);
		return;
	}
	if (len < rule->min_length)
		judge_add(j, HR_INVALID_NAME, check,
		    "%s %s has less than %" PRId64 " characters", name->field,
		    shown, rule->min_length);
	if (len > rule->max_length)
		judge_add(j, HR_INVALID_NAME, check,
		    "%s %s has more than %" PRId64 " characters", name->field,
		    shown, rule->max_length);
	if (!ae_rules_allowed(&rule->patterns, name->value) &&
	    !AE_BREAK(rules_patterns))
		judge_add(j, HR_INVALID_NAME, check,
		    "%s %s matches no pattern that allows it", name->field,
		    shown);
	while ((p = ae_rules_denied(&rule->patterns, name->value, &at)) != NULL)
		judge_add(j, HR_INVALID_NAME, check,
		    "%s %s matches %s, which denies it", name->field, shown,
		    judge_quote(j, p->expression));
}

/* Every rule against all names, then every name against its rule. */
static void
judge_names(struct judging *j, const struct names *l,
    const struct ae_rules_subject *rules, size_t n, const char *check)
{
	const struct ae_rules_subject *rule;
	int64_t count;
	size_t i, k;

	for (i = 0; i < n; i++) {
		count = 0;
		for (k = 0; k < l->n; k++)
			count +=
			    ae_str_eq_nocase(l->v[k].field, rules[i].field);
		if (count == 0 && rules[i].mandatory &&
		    !AE_BREAK(rules_mandatory))
			judge_add(j, HR_INVALID_NAME, check,
			    "the request has no %s, which it must have",
			    rules[i].field);
		if (count > rules[i].max_occurrences)
			judge_add(j, HR_INVALID_NAME, check,
			    "%s is there %" PRId64 " times, the most is "
			    "%" PRId64,
			    rules[i].field, count, rules[i].max_occurrences);
	}
	for (k = 0; k < l->n; k++) {
		rule = rule_for(rules, n, l->v[k].field);
		if (rule == NULL)
			judge_add(j, HR_INVALID_NAME, check,
			    "%s %s is not allowed: there is no rule for it",
			    l->v[k].field, judge_quote(j, l->v[k].value));
		else
			judge_value(j, rule, &l->v[k], check);
	}
}

static void
judge_repeated(struct judging *j)
{
	const struct names *l = &j->subject;
	size_t i, k;

	for (i = 0; i < l->n; i++)
		for (k = 0; k < i; k++)
			if (strcmp(l->v[i].field, l->v[k].field) == 0 &&
			    strcmp(l->v[i].value, l->v[k].value) == 0) {
				judge_add(j, HR_INVALID_NAME, "rules.subject",
				    "%s %s is there twice", l->v[i].field,
				    judge_quote(j, l->v[i].value));
				break;
			}
}

static void
judge_sid(struct judging *j)
{
	const struct ae_exts *x = &j->f->csr->x;

	if (!x->has_sid)
		return;
	switch (j->r->sid) {
	case AE_RULES_DENY:
		judge_add(j, HR_TEMPLATE_DENIED, "rules.sid",
		    "the request has the extension %s (SID), which is not "
		    "allowed",
		    AE_OID_MS_SID);
		break;
	case AE_RULES_ALLOW:
		j->out->new_sid = true;
		j->out->sid = x->sid;
		break;
	case AE_RULES_ADD: /* the mapped object's, judge_object.c */
	case AE_RULES_REMOVE:
		break;
	}
}

/* Hosts and addresses in common names become alternative names. */
static void
supplement(struct judging *j)
{
	const struct names *l = &j->subject;
	struct ae_ip ip;
	const char *s;
	size_t i;

	for (i = 0; i < l->n; i++) {
		s = l->v[i].value;
		if (strcmp(l->v[i].field, "commonName") != 0)
			continue;
		if (ae_ip_parse(&ip, s))
			judge_add_san(j, "iPAddress", s, false, "rules.san");
		else if (ae_rules_is_host(s) &&
		    (j->r->supplement_unqualified || strchr(s, '.') != NULL))
			judge_add_san(j, "dNSName", s, false, "rules.san");
	}
}

static const char *
provider(const struct ae_csr *csr)
{
	return csr->csp_name != NULL
	    ? csr->csp_name
	    : ae_pairs_get(csr->pairs, csr->npairs, "RequestCSPProvider");
}

void
judge_request(struct judging *j)
{
	const struct ae_rules *r = j->r;
	const struct ae_csr *csr = j->f->csr;

	judge_listed(j, &r->allowed_providers, &r->disallowed_providers,
	    provider(csr), "rules.provider", "provider");
	judge_listed(j, &r->allowed_processes, &r->disallowed_processes,
	    csr->client.machine == NULL ? NULL : csr->client.process,
	    "rules.process", "process");
	judge_key(j);
	if (!j->f->supplied)
		return;
	judge_names(
	    j, &j->subject, r->subject.v, r->subject.n, "rules.subject");
	judge_repeated(j);
	judge_names(j, &j->sans, r->san.v, r->san.n, "rules.san");
	judge_sid(j);
	if (r->supplement_dns)
		supplement(j);
}
