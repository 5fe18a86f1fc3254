/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * When an object of a policy file is complete: what its members mean
 * together, and whether that makes sense.
 */
#include <string.h>

#include "base/str.h"
#include "pki/oid.h"
#include "rules/field.h"
#include "rules/load_int.h"
#include "rules/token.h"

#define bad(l, ...) ae_fail((l)->e, AE_EINVAL, AE_DOM_NONE, 0, __VA_ARGS__)

int
ae_rules_finish_pattern(struct ae_rules_loading *l, void *object)
{
	struct ae_rules_pattern *p = object;
	struct ae_regex *r = NULL;
	int rc;

	if (p->expression == NULL)
		return bad(l, "a Pattern without Expression");
	if (p->treat_as == AE_RULES_CIDR) {
		p->has_net = ae_ip_net_parse(&p->net, p->expression);
		return p->has_net ? AE_OK
				  : bad(l,
					"\"%s\" is no network like "
					"10.0.0.0/8 or fd00::/8",
					p->expression);
	}
	if (p->treat_as == AE_RULES_EXACT)
		return AE_OK;
	rc = ae_regex_compile(&r, p->expression, p->treat_as, l->e);
	if (rc != AE_OK)
		return rc;
	r->next = l->rules->regexes;
	l->rules->regexes = r;
	p->regex = r;
	return AE_OK;
}

int
ae_rules_finish_subject(struct ae_rules_loading *l, void *object)
{
	const struct ae_rules_subject *r = object;

	if (r->field == NULL || r->field[0] == '\0')
		return bad(l, "a SubjectRule without Field");
	if (r->min_length > r->max_length)
		return bad(l, "MinLength is larger than MaxLength");
	return AE_OK;
}

int
ae_rules_finish_attribute(struct ae_rules_loading *l, void *object)
{
	const struct ae_rules_attribute *r = object;

	return r->attribute[0] != '\0'
	    ? AE_OK
	    : bad(l, "a DirectoryObjectRule without an attribute");
}

int
ae_rules_finish_outbound(struct ae_rules_loading *l, void *object)
{
	struct ae_rules_outbound *r = object;

	if (r->field == NULL || r->field[0] == '\0')
		return bad(l, "an OutboundSubjectRule without Field");
	if (r->value == NULL)
		r->value = "";
	return AE_OK;
}

/* Six bits of base64, or -1. */
static int
sextet(char c)
{
	static const char v[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == '\0' ? NULL : strchr(v, c);

	return at == NULL ? -1 : (int)(at - v);
}

static bool
decode_base64(uint8_t *out, size_t *len, const char *s)
{
	const size_t n = strlen(s);
	uint32_t acc = 0;
	size_t i, pad = 0;

	*len = 0;
	if (n % 4 != 0)
		return false;
	for (i = 0; i < n; i++) {
		pad += s[i] == '=';
		if (s[i] == '=' ? i + 2 < n : pad > 0 || sextet(s[i]) < 0)
			return false;
		acc = acc << 6 | (s[i] == '=' ? 0 : (uint32_t)sextet(s[i]));
		if (i % 4 != 3)
			continue;
		out[(*len)++] = (uint8_t)(acc >> 16);
		out[(*len)++] = (uint8_t)(acc >> 8);
		out[(*len)++] = (uint8_t)acc;
	}
	*len -= pad;
	return true;
}

/* What the CA writes itself, or by other elements. */
static bool
is_the_cas(const char *oid)
{
	static const char *const v[] = { AE_OID_SKI, AE_OID_AKI,
		AE_OID_KEY_USAGE, AE_OID_EKU, AE_OID_SAN,
		AE_OID_BASIC_CONSTRAINTS, AE_OID_CDP, AE_OID_AIA,
		AE_OID_CERT_POLICIES, AE_OID_SMIME_CAPS, AE_OID_MS_TEMPLATE_V1,
		AE_OID_MS_TEMPLATE_V2, AE_OID_MS_APP_POLICIES, AE_OID_MS_SID };
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (strcmp(v[i], oid) == 0)
			return true;
	return false;
}

int
ae_rules_finish_extension(struct ae_rules_loading *l, void *object)
{
	struct ae_rules_extension *x = object;
	uint8_t *p;

	if (x->oid == NULL || !ae_rules_is_oid(x->oid))
		return bad(l,
		    "a CustomCertificateExtension without an object "
		    "identifier as Oid");
	if (is_the_cas(x->oid))
		return bad(l, "the CA itself writes the extension %s", x->oid);
	if (x->text == NULL)
		x->text = "";
	p = ae_arena_alloc(l->a, strlen(x->text) + 3);
	if (p == NULL)
		return ae_fail_mem(l->e);
	if (!decode_base64(p, &x->len, x->text))
		return bad(
		    l, "the Value of extension %s is not base64", x->oid);
	x->value = p;
	return AE_OK;
}

/* One of a few words, ASCII case aside. */
static bool
one_of(const char *s, const char *const *v)
{
	for (; *v != NULL; v++)
		if (ae_str_eq_nocase(*v, s))
			return true;
	return false;
}

int
ae_rules_finish_directory(struct ae_rules_loading *l, void *object)
{
	static const char *const attributes[] = { "cn", "name",
		"sAMAccountName", "userPrincipalName", "dNSHostName", NULL };
	static const char *const categories[] = { "user", "computer", NULL };
	struct ae_rules_directory *d = object;

	if (d->search_root != NULL && d->search_root[0] == '\0')
		d->search_root = NULL;
	if (!one_of(d->directory_attribute, attributes))
		return bad(l,
		    "DirectoryServicesAttribute may be cn, name, "
		    "sAMAccountName, userPrincipalName or "
		    "dNSHostName");
	if (!one_of(d->object_category, categories))
		return bad(l, "ObjectCategory may be user or computer");
	if (!ae_rules_rdn_known(d->certificate_attribute) &&
	    ae_rules_san_known(d->certificate_attribute) == NULL)
		return bad(l,
		    "\"%s\" in CertificateAttribute is the name of "
		    "no field",
		    d->certificate_attribute);
	return AE_OK;
}

/* ---- the whole ---- */

static int
check_fields(struct ae_rules_loading *l, const struct ae_rules_subject *v,
    size_t n, bool san)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		if (san ? ae_rules_san_known(v[i].field) == NULL
			: !ae_rules_rdn_known(v[i].field))
			return bad(l, "\"%s\" is the name of no field of %s",
			    v[i].field,
			    san ? "an alternative name" : "a subject");
		for (j = 0; j < i; j++)
			if (ae_str_eq_nocase(v[i].field, v[j].field))
				return bad(l, "two rules for %s", v[i].field);
	}
	return AE_OK;
}

static int
need_attribute(struct ae_rules_loading *l, const char *name)
{
	struct ae_rules_strings *s = &l->rules->attributes;
	const struct ae_rules_directory *d = l->rules->directory;
	size_t i;
	bool known = ae_rules_attribute_known(name);

	if (name[strspn(name,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] != '\0')
		return bad(l, "\"%s\" is no name of an attribute", name);
	for (i = 0; d != NULL && i < d->custom.n; i++)
		known = known || ae_str_eq_nocase(d->custom.v[i], name);
	if (!known)
		return AE_OK; /* it is as if no object had it */
	for (i = 0; i < s->n; i++)
		if (ae_str_eq_nocase(s->v[i], name))
			return AE_OK;
	if (s->n == AE_RULES_ATTRS_MAX)
		return bad(l, "more than %d attributes of the directory",
		    AE_RULES_ATTRS_MAX);
	if (s->v == NULL) {
		s->v = ae_arena_array(l->a, AE_RULES_ATTRS_MAX, sizeof(*s->v));
		if (s->v == NULL)
			return ae_fail_mem(l->e);
	}
	s->v[s->n++] = name;
	return AE_OK;
}

/* Fields that can be written, and what their values take from where. */
static int
check_outbound(struct ae_rules_loading *l, const struct ae_rules_outbound *v,
    size_t n, bool san)
{
	const struct ae_rules_rdn *rdn;
	struct ae_rules_token t;
	const char *s, *name;
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		rdn = ae_rules_rdn(v[i].field);
		if (san ? ae_rules_san_known(v[i].field) == NULL
			: rdn == NULL || rdn->max == 0)
			return bad(l, "%s cannot be written into %s",
			    v[i].field,
			    san ? "alternative names" : "a subject");
		for (s = v[i].value; ae_rules_token_next(&t, s);
		     s = t.start + t.len) {
			if (t.source != AE_RULES_AD)
				continue;
			name = ae_arena_strndup(l->a, t.name, t.name_len);
			if (name == NULL)
				return ae_fail_mem(l->e);
			if ((rc = need_attribute(l, name)) != AE_OK)
				return rc;
		}
	}
	return AE_OK;
}

static int
check_directory(struct ae_rules_loading *l)
{
	const struct ae_rules_directory *d = l->rules->directory;
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < d->rules.n && rc == AE_OK; i++)
		rc = need_attribute(l, d->rules.v[i].attribute);
	if (rc == AE_OK && d->password_age > 0)
		rc = need_attribute(l, "pwdLastSet");
	return rc;
}

int
ae_rules_finish_policy(struct ae_rules_loading *l, void *object)
{
	struct ae_rules *r = object;
	size_t i, j;
	int rc;

	rc = check_fields(l, r->subject.v, r->subject.n, false);
	if (rc == AE_OK)
		rc = check_fields(l, r->san.v, r->san.n, true);
	if (rc == AE_OK)
		rc = check_outbound(
		    l, r->out_subject.v, r->out_subject.n, false);
	if (rc == AE_OK)
		rc = check_outbound(l, r->out_san.v, r->out_san.n, true);
	if (rc == AE_OK && r->directory != NULL)
		rc = check_directory(l);
	if (rc != AE_OK)
		return rc;
	if (r->max_key > 0 && r->min_key > r->max_key)
		return bad(
		    l, "MinimumKeyLength is larger than MaximumKeyLength");
	for (i = 0; i < r->extensions.n; i++)
		for (j = 0; j < i; j++)
			if (strcmp(r->extensions.v[i].oid,
				r->extensions.v[j].oid) == 0)
				return bad(l, "extension %s twice",
				    r->extensions.v[i].oid);
	return AE_OK;
}
