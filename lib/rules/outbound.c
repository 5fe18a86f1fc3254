/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the rules write into the certificate: names from variables, URLs,
 * extensions.
 */
#include <string.h>

#include "base/str.h"
#include "base/utf16.h"
#include "base/wr.h"
#include "rules/field.h"
#include "rules/judge_int.h"
#include "rules/token.h"

#define CHECK "rules.outbound"
#define VALUE_MAX 4096

/* ---- variables ---- */

static const char *
of_object(const struct judging *j, const char *name)
{
	const struct ae_rules_object *o = j->object;
	size_t i;

	for (i = 0; o != NULL && i < o->nattributes; i++)
		if (ae_str_eq_nocase(o->attributes[i].field, name))
			return o->attributes[i].value;
	return NULL;
}

static const char *
of_yubikey(struct judging *j, const char *name)
{
	const struct ae_attestation *y = &j->yubikey;
	const struct {
		const char *name;
		const char *value;
	} v[] = { { "FormFactor", ae_attestation_form(y->form) },
		{ "FirmwareVersion",
		    ae_arena_printf(j->a, "%u.%u.%u", y->firmware[0],
			y->firmware[1], y->firmware[2]) },
		{ "PinPolicy", ae_attestation_pin(y->pin) },
		{ "TouchPolicy", ae_attestation_touch(y->touch) },
		{ "Slot", y->slot },
		{ "SerialNumber", ae_arena_printf(j->a, "%u", y->serial) } };
	size_t i;

	for (i = 0; j->has_yubikey && i < sizeof(v) / sizeof(v[0]); i++)
		if (ae_str_eq_nocase(v[i].name, name))
			return v[i].value;
	return NULL;
}

static const char *
variable(struct judging *j, const struct ae_rules_token *t)
{
	const char *name = ae_arena_strndup(j->a, t->name, t->name_len);

	if (name == NULL) {
		j->oom = true;
		return NULL;
	}
	switch (t->source) {
	case AE_RULES_AD:
		return of_object(j, name);
	case AE_RULES_YK:
		return of_yubikey(j, name);
	case AE_RULES_SDN:
		return names_get(&j->subject, name);
	case AE_RULES_SAN:
		return names_get(&j->sans, name);
	}
	return NULL;
}

/*
 * The value with its variables put in; what is put in is not looked at
 * again.  NULL: one of them has no value (with a violation when the rule is
 * mandatory).
 */
static const char *
expand(struct judging *j, const struct ae_rules_outbound *rule)
{
	const char *s = rule->value, *v, *out = NULL;
	struct ae_rules_token t;
	struct ae_wr w;

	ae_wr_init(&w, VALUE_MAX);
	for (; ae_rules_token_next(&t, s); s = t.start + t.len) {
		ae_wr_bytes(&w, s, (size_t)(t.start - s));
		v = variable(j, &t);
		if (v == NULL || v[0] == '\0') {
			if (rule->mandatory)
				judge_add(j, HR_TEMPLATE_DENIED, CHECK,
				    "%s is made of {%s:%.*s}, which has no "
				    "value",
				    rule->field, t.source_name, (int)t.name_len,
				    t.name);
			goto out;
		}
		ae_wr_str(&w, v);
	}
	ae_wr_str(&w, s);
	if (ae_wr_full(&w)) {
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "%s would have more than %d bytes", rule->field, VALUE_MAX);
		goto out;
	}
	out = ae_wr_cstr(&w);
	out = out == NULL ? NULL : ae_arena_strdup(j->a, out);
	if (out == NULL)
		j->oom = true;
out:
	ae_wr_done(&w);
	return out;
}

/* Is something of the directory in it? */
static bool
is_directory_s(const struct ae_rules_outbound *rule)
{
	const char *s = rule->value;
	struct ae_rules_token t;

	for (; ae_rules_token_next(&t, s); s = t.start + t.len)
		if (t.source == AE_RULES_AD)
			return true;
	return false;
}

/* ---- the subject ---- */

static bool
has_part(const struct judging *j, const char *oid)
{
	size_t i;

	for (i = 0; i < j->nparts; i++)
		if (strcmp(j->parts[i].type, oid) == 0)
			return true;
	return false;
}

/*
 * Take the field out of the subject, and put one value in (NULL: none): where
 * the first was, or where it belongs in a name.
 */
static bool
set_part(struct judging *j, const char *oid, const char *value)
{
	struct ae_name_part *v =
	    ae_arena_array(j->a, j->nparts + 1, sizeof(*v));
	const bool there = has_part(j, oid);
	const int rank = ae_rules_rank(oid);
	bool done = value == NULL;
	size_t i, n = 0;

	if (v == NULL)
		return false;
	for (i = 0; i < j->nparts; i++) {
		const bool same = strcmp(j->parts[i].type, oid) == 0;

		if (!done &&
		    (there ? same : ae_rules_rank(j->parts[i].type) > rank)) {
			v[n].type = oid;
			v[n++].value = value;
			done = true;
		}
		if (!same)
			v[n++] = j->parts[i];
	}
	if (!done) {
		v[n].type = oid;
		v[n++].value = value;
	}
	j->parts = v;
	j->nparts = n;
	j->out->new_subject = true;
	return true;
}

static void
write_subject(struct judging *j, const struct ae_rules_outbound *rule)
{
	const struct ae_rules_rdn *rdn = ae_rules_rdn(rule->field);
	const char *value;

	if (!rule->force && has_part(j, rdn->oid))
		return;
	if (rule->value[0] == '\0') {
		if (!set_part(j, rdn->oid, NULL))
			j->oom = true;
		return;
	}
	value = expand(j, rule);
	if (value == NULL)
		return;
	if (ae_utf16_units(value) > rdn->max)
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "%s would be %s, which has more than %zu characters",
		    rdn->field, judge_quote(j, value), rdn->max);
	else if (!set_part(j, rdn->oid, value))
		j->oom = true;
	else if (!j->f->user && strcmp(rdn->oid, AE_RULES_OID_CN) == 0 &&
	    is_directory_s(rule))
		judge_host(j, value);
}

/* ---- the alternative names ---- */

static bool
has_san(const struct judging *j, enum ae_san_type type)
{
	size_t i;

	for (i = 0; i < j->out->nsans; i++)
		if (j->out->sans[i].type == type)
			return true;
	return false;
}

static void
remove_sans(struct judging *j, enum ae_san_type type)
{
	struct ae_rules_outcome *out = j->out;
	size_t i, n = 0;

	for (i = 0; i < out->nsans; i++)
		if (out->sans[i].type != type)
			out->sans[n++] = out->sans[i];
	out->new_sans = out->new_sans || n != out->nsans;
	out->nsans = n;
}

static void
write_san(struct judging *j, const struct ae_rules_outbound *rule)
{
	const char *field = ae_rules_san_known(rule->field), *value;

	if (rule->value[0] == '\0') {
		remove_sans(j, ae_rules_san_type(field));
		return;
	}
	if (!rule->force && has_san(j, ae_rules_san_type(field)))
		return;
	value = expand(j, rule);
	if (value == NULL)
		return;
	judge_add_san(j, field, value, rule->mandatory, CHECK);
	if (ae_rules_san_type(field) == AE_SAN_DNS && is_directory_s(rule))
		judge_host(j, value);
}

/* ---- extensions ---- */

static void
write_extensions(struct judging *j)
{
	const struct ae_rules *r = j->r;
	const size_t ny = j->has_yubikey ? j->yubikey.ncopied : 0;
	struct ae_ext *v =
	    ae_arena_array(j->a, r->extensions.n + ny, sizeof(*v));
	size_t i, n = 0;

	if (v == NULL) {
		j->oom = true;
		return;
	}
	if (ny > 0)
		memcpy(v, j->yubikey.copied, ny * sizeof(*v));
	n = ny;
	for (i = 0; i < r->extensions.n; i++) {
		const struct ae_rules_extension *x = &r->extensions.v[i];
		size_t k;

		for (k = 0; k < ny && strcmp(v[k].oid, x->oid) != 0; k++)
			;
		if (k < ny)
			continue;
		if (strcmp(x->oid, AE_OID_OCSP_NOCHECK) == 0) {
			j->out->ocsp_nocheck = true; /* RFC 6960: a NULL */
			continue;
		}
		v[n].oid = x->oid;
		v[n++].value = (struct ae_der){ x->value, x->len };
	}
	j->out->extensions = v;
	j->out->nextensions = n;
}

void
judge_outbound(struct judging *j)
{
	const struct ae_rules *r = j->r;
	size_t i;

	j->out->cdp = r->cdp;
	j->out->aia = r->aia;
	j->out->ocsp = r->ocsp;
	for (i = 0; i < r->out_subject.n; i++)
		write_subject(j, &r->out_subject.v[i]);
	for (i = 0; i < r->out_san.n; i++)
		write_san(j, &r->out_san.v[i]);
	write_extensions(j);
}
