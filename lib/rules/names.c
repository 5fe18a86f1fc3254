/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Subjects and alternative names as rules see them: field and text.
 */
#include <string.h>

#include "base/ip.h"
#include "base/str.h"
#include "rules/field.h"
#include "rules/judge_int.h"

static bool
names_subject(struct names *out, struct ae_der name, struct ae_arena *a)
{
	struct ae_name_part *parts = NULL;
	size_t i, n = 0;

	if (ae_name_list(&parts, &n, name, a, NULL) != AE_OK)
		return false;
	out->v = ae_arena_array(a, n, sizeof(*out->v));
	if (out->v == NULL)
		return false;
	for (i = 0; i < n; i++) {
		out->v[i].field = ae_rules_rdn_name(a, parts[i].type);
		out->v[i].value = parts[i].value;
		if (out->v[i].field == NULL)
			return false;
	}
	out->n = n;
	return true;
}

static bool
names_sans(
    struct names *out, const struct ae_san *v, size_t n, struct ae_arena *a)
{
	size_t i;

	out->v = ae_arena_array(a, n, sizeof(*out->v));
	if (out->v == NULL)
		return false;
	for (i = 0; i < n; i++) {
		out->v[i].field = ae_rules_san_name(v[i].type);
		out->v[i].value = ae_rules_san_text(a, &v[i]);
		if (out->v[i].value == NULL)
			return false;
	}
	out->n = n;
	return true;
}

bool
names_asked(struct names *subject, struct names *sans,
    const struct ae_rules_facts *f, struct ae_arena *a)
{
	const struct ae_csr *csr = f->csr;

	if (f->supplied)
		return names_subject(subject, f->subject, a) &&
		    names_sans(sans, f->sans, f->nsans, a);
	return names_subject(subject, csr->subject, a) &&
	    names_sans(sans, csr->x.sans, csr->x.nsans, a);
}

const char *
names_get(const struct names *l, const char *field)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (ae_str_eq_nocase(l->v[i].field, field))
			return l->v[i].value;
	return NULL;
}

/* Printable ASCII without a space. */
static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static bool
is_dns(const char *s)
{
	return ae_rules_is_host(strncmp(s, "*.", 2) == 0 ? s + 2 : s);
}

bool
judge_san_value(struct ae_san *out, const char *field, const char *value,
    struct ae_arena *a)
{
	const char *at = strchr(value, '@');
	struct ae_ip ip;

	*out =
	    (struct ae_san){ .type = ae_rules_san_type(field), .text = value };
	if (value[0] == '\0' || strlen(value) > 1024)
		return false;
	switch (out->type) {
	case AE_SAN_DNS:
		return is_dns(value);
	case AE_SAN_EMAIL:
		return is_ascii(value) && at != NULL && at != value &&
		    at[1] != '\0' && strchr(at + 1, '@') == NULL;
	case AE_SAN_URI:
		return is_ascii(value) && strchr(value, ':') != NULL;
	case AE_SAN_UPN:
		return true;
	case AE_SAN_IP:
		out->text = NULL;
		if (!ae_ip_parse(&ip, value))
			return false;
		out->der.p = ae_arena_dup(a, ip.p, ip.len);
		out->der.len = ip.len;
		return out->der.p != NULL;
	default:
		return false;
	}
}
