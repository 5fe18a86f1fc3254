/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Judging in order; and what all parts of it share.
 */
#include "rules/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/breaks.h"
#include "base/str.h"
#include "rules/field.h"
#include "rules/judge_int.h"

#define TEXT_MAX 400

void
judge_add(struct judging *j, uint32_t hresult, const char *check,
    const char *fmt, ...)
{
	struct ae_rules_outcome *out = j->out;
	char text[TEXT_MAX];
	va_list ap;

	if (out->n == AE_RULES_VIOLATIONS_MAX) {
		out->more = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out->violations[out->n].hresult = hresult;
	out->violations[out->n].check = check;
	out->violations[out->n].text = ae_arena_strdup(j->a, text);
	if (out->violations[out->n].text == NULL)
		j->oom = true;
	else
		out->n++;
}

const char *
judge_quote(struct judging *j, const char *s)
{
	char out[128];
	const char *q = ae_arena_printf(
	    j->a, "\"%s\"", ae_str_quote(out, sizeof(out), s, strlen(s)));

	if (q == NULL)
		j->oom = true;
	return q == NULL ? "?" : q;
}

void
judge_host(struct judging *j, const char *name)
{
	struct ae_rules_outcome *out = j->out;
	size_t i;

	for (i = 0; i < out->nhosts; i++)
		if (ae_str_eq_nocase(out->hosts[i], name))
			return;
	if (out->nhosts < AE_RULES_SANS_MAX)
		out->hosts[out->nhosts++] = name;
	else
		judge_add(j, HR_TEMPLATE_DENIED, "rules.outbound",
		    "more than %d host names from the directory",
		    AE_RULES_SANS_MAX);
}

static bool
same_san(const struct ae_san *a, const struct ae_san *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == AE_SAN_IP)
		return ae_der_equal(a->der, b->der);
	return a->text != NULL && b->text != NULL &&
	    (a->type == AE_SAN_DNS ? ae_str_eq_nocase(a->text, b->text)
				   : strcmp(a->text, b->text) == 0);
}

void
judge_add_san(struct judging *j, const char *field, const char *value,
    bool mandatory, const char *check)
{
	struct ae_rules_outcome *out = j->out;
	struct ae_san san;
	size_t i;

	if (!judge_san_value(&san, field, value, j->a)) {
		if (mandatory)
			judge_add(j, HR_TEMPLATE_DENIED, check,
			    "%s cannot be an alternative name of type %s",
			    judge_quote(j, value), field);
		return;
	}
	for (i = 0; i < out->nsans; i++)
		if (same_san(&out->sans[i], &san))
			return;
	if (out->nsans == AE_RULES_SANS_MAX) {
		judge_add(j, HR_TEMPLATE_DENIED, check,
		    "more than %d alternative names", AE_RULES_SANS_MAX);
		return;
	}
	out->sans[out->nsans++] = san;
	out->new_sans = true;
}

/* Fixed date: after the usual end it changes nothing, in the past all ends. */
void
judge_not_after(struct judging *j)
{
	if (j->r->not_after <= j->f->now)
		judge_add(j, HR_INVALID_TIME, "rules.not-after",
		    "certificates of this template had to end by a date that "
		    "has passed");
	else if (j->r->not_after < j->f->not_after) {
		j->out->new_not_after = true;
		j->out->not_after = j->r->not_after;
	}
}

/* Somebody must be named: by a common name or any alternative name. */
static void
judge_identity(struct judging *j)
{
	size_t i;

	for (i = 0; i < j->nparts; i++)
		if (strcmp(j->parts[i].type, AE_RULES_OID_CN) == 0)
			return;
	if (!j->r->permit_empty && j->out->nsans == 0 &&
	    !AE_BREAK(rules_identity))
		judge_add(j, HR_INVALID_NAME, "rules.identity",
		    "the certificate would have neither a commonName nor an "
		    "alternative name");
}

/* The certificate's names as they are, for the rules to change. */
static bool
begin(struct judging *j)
{
	struct ae_rules_outcome *out = j->out;
	const struct ae_rules_facts *f = j->f;

	out->violations = ae_arena_array(
	    j->a, AE_RULES_VIOLATIONS_MAX, sizeof(*out->violations));
	out->sans = ae_arena_array(j->a, AE_RULES_SANS_MAX, sizeof(*out->sans));
	out->hosts =
	    ae_arena_array(j->a, AE_RULES_SANS_MAX, sizeof(*out->hosts));
	if (out->violations == NULL || out->sans == NULL ||
	    out->hosts == NULL || f->nsans > AE_RULES_SANS_MAX)
		return false;
	if (f->nsans > 0)
		memcpy(out->sans, f->sans, f->nsans * sizeof(*out->sans));
	out->nsans = f->nsans;
	return names_asked(&j->subject, &j->sans, f, j->a) &&
	    ae_name_list(&j->parts, &j->nparts, f->subject, j->a, NULL) ==
	    AE_OK;
}

int
ae_rules_judge(struct ae_rules_outcome *out, const struct ae_rules *r,
    const struct ae_rules_facts *f, struct ae_arena *a, struct ae_err *e)
{
	struct judging j = { .r = r, .f = f, .out = out, .a = a };

	memset(out, 0, sizeof(*out));
	if (!begin(&j))
		return ae_arena_full(a) || f->nsans > AE_RULES_SANS_MAX
		    ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			  "the names of a request are too many")
		    : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			  "the names of a request cannot be read");
	judge_request(&j);
	judge_not_after(&j);
	judge_object(&j);
	judge_yubikey(&j);
	judge_outbound(&j);
	judge_identity(&j);
	out->subject = j.parts;
	out->nsubject = j.nparts;
	if (j.oom)
		return ae_arena_full(a) ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
					      "judging does not fit its arena")
					: ae_fail_mem(e);
	return AE_OK;
}
