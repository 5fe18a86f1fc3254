/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificate templates from directory entries (MS-CRTD 2).
 */
#include "ad/template.h"

#include <stdlib.h>
#include <string.h>

#include "ad/template_int.h"
#include "ad/value.h"

const char *const ae_template_attrs[] = {
	"cn",
	"displayName",
	"msPKI-Cert-Template-OID",
	"msPKI-Template-Schema-Version",
	"revision",
	"msPKI-Template-Minor-Revision",
	"flags",
	"msPKI-Enrollment-Flag",
	"msPKI-Private-Key-Flag",
	"msPKI-Certificate-Name-Flag",
	"msPKI-RA-Signature",
	"msPKI-Minimal-Key-Size",
	"pKIDefaultKeySpec",
	"pKIMaxIssuingDepth",
	"pKIExpirationPeriod",
	"pKIOverlapPeriod",
	"pKIKeyUsage",
	"pKIExtendedKeyUsage",
	"msPKI-Certificate-Application-Policy",
	"msPKI-Certificate-Policy",
	"pKICriticalExtensions",
	"pKIDefaultCSPs",
	"msPKI-Supersede-Templates",
	"msPKI-RA-Policies",
	"msPKI-RA-Application-Policies",
	"nTSecurityDescriptor",
	"whenChanged",
	"uSNChanged",
	NULL,
};

#define AT(field) offsetof(struct ae_template, field)

/* clang-format off */
const struct ae_field ae_template_fields[] = {
	{ "dn",                                   AE_FIELD_STR,    AT(dn), true },
	{ "cn",                                   AE_FIELD_STR,    AT(cn) },
	{ "displayName",                          AE_FIELD_STR,    AT(display_name) },
	{ "msPKI-Cert-Template-OID",              AE_FIELD_OID,    AT(oid) },
	{ "msPKI-Template-Schema-Version",        AE_FIELD_U32,    AT(schema_version) },
	{ "revision",                             AE_FIELD_U32,    AT(revision) },
	{ "msPKI-Template-Minor-Revision",        AE_FIELD_U32,    AT(minor_revision) },
	{ "flags",                                AE_FIELD_U32,    AT(flags) },
	{ "msPKI-Enrollment-Flag",                AE_FIELD_U32,    AT(enrollment_flag) },
	{ "msPKI-Private-Key-Flag",               AE_FIELD_U32,    AT(private_key_flag) },
	{ "msPKI-Certificate-Name-Flag",          AE_FIELD_U32,    AT(name_flag) },
	{ "msPKI-RA-Signature",                   AE_FIELD_U32,    AT(ra_signature) },
	{ "msPKI-Minimal-Key-Size",               AE_FIELD_U32,    AT(min_key_size) },
	{ "pKIDefaultKeySpec",                    AE_FIELD_U32,    AT(key_spec) },
	{ "pKIMaxIssuingDepth",                   AE_FIELD_U32,    AT(max_issuing_depth) },
	{ "pKIExpirationPeriod",                  AE_FIELD_PERIOD, AT(validity) },
	{ "pKIOverlapPeriod",                     AE_FIELD_PERIOD, AT(overlap) },
	{ "pKIKeyUsage",                          AE_FIELD_OCTETS, AT(key_usage) },
	{ "pKIExtendedKeyUsage",                  AE_FIELD_OIDV,   AT(ekus) },
	{ "msPKI-Certificate-Application-Policy", AE_FIELD_OIDV,   AT(application_policies) },
	{ "msPKI-Certificate-Policy",             AE_FIELD_OIDV,   AT(certificate_policies) },
	{ "pKICriticalExtensions",                AE_FIELD_OIDV,   AT(critical_extensions) },
	{ "pKIDefaultCSPs",                       AE_FIELD_STRV,   AT(csps), true },
	{ "msPKI-Supersede-Templates",            AE_FIELD_STRV,   AT(supersedes) },
	{ "msPKI-RA-Policies",                    AE_FIELD_OIDV,   AT(ra_policies) },
	{ "msPKI-RA-Application-Policies",        AE_FIELD_OIDV,   AT(ra_application_policies), true },
	{ "msPKI-Asymmetric-Algorithm",           AE_FIELD_STR,    AT(algorithms.asymmetric), true },
	{ "msPKI-Hash-Algorithm",                 AE_FIELD_STR,    AT(algorithms.hash), true },
	{ "msPKI-Symmetric-Algorithm",            AE_FIELD_STR,    AT(algorithms.symmetric), true },
	{ "msPKI-Key-Security-Descriptor",        AE_FIELD_STR,    AT(algorithms.key_sd), true },
	{ "msPKI-Symmetric-Key-Length",           AE_FIELD_U32,    AT(algorithms.symmetric_bits), true },
	{ "msPKI-Key-Usage",                      AE_FIELD_U32,    AT(algorithms.key_usage), true },
	{ "nTSecurityDescriptor",                 AE_FIELD_OCTETS, AT(sd_raw) },
	{ "whenChanged",                          AE_FIELD_TIME,   AT(when_changed) },
	{ "uSNChanged",                           AE_FIELD_U64,    AT(usn_changed) },
	{ NULL },
};
/* clang-format on */

static int
refuse(const char *attr, const char *what, struct ae_err *e)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "%s: %s", attr, what);
}

/* One value as heap string within the limits. */
static int
text(char **out, const char *attr, const struct ae_value *v, struct ae_err *e)
{
	bool oom;

	*out = ae_value_strdup(v, AE_TEMPLATE_STR_MAX, &oom);
	if (*out == NULL)
		return oom ? ae_fail_mem(e)
			   : refuse(attr, "not a string, or too long", e);
	return AE_OK;
}

/* How far "N," reaches and N; false when s does not begin so. */
static bool
csp_rank(const char *s, unsigned long *rank, const char **name)
{
	char *end;

	if (*s < '0' || *s > '9' || strnlen(s, 10) == 0)
		return false;
	*rank = strtoul(s, &end, 10);
	if (*end != ',' || end - s > 9)
		return false;
	*name = end + 1;
	return **name != '\0';
}

/*
 * pKIDefaultCSPs, MS-CRTD 2.8: "N,name", the lowest N preferred.  LDAP
 * values have no order of their own.
 */
static int
decode_csps(struct ae_template *t, const struct ae_attr *a, struct ae_err *e)
{
	unsigned long ranks[AE_TEMPLATE_VALUES_MAX], rank;
	const char *name;
	char *raw, *last;
	size_t i, j;
	int rc;

	if (a->n > AE_TEMPLATE_VALUES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "pKIDefaultCSPs: %zu values", a->n);
	for (i = 0; i < a->n; i++) {
		if ((rc = text(&raw, "pKIDefaultCSPs", &a->v[i], e)) != AE_OK)
			return rc;
		if (!csp_rank(raw, &rank, &name)) {
			free(raw);
			return refuse("pKIDefaultCSPs", "not \"N,name\"", e);
		}
		if (!ae_strv_add(&t->csps, name)) {
			free(raw);
			return ae_fail_mem(e);
		}
		free(raw);
		last = t->csps.v[i];
		for (j = i; j > 0 && ranks[j - 1] > rank; j--) {
			ranks[j] = ranks[j - 1];
			t->csps.v[j] = t->csps.v[j - 1];
		}
		ranks[j] = rank;
		t->csps.v[j] = last;
	}
	return AE_OK;
}

static int
add_oid(struct ae_template *t, const char *oid, struct ae_err *e)
{
	if (!ae_value_is_oid(oid))
		return refuse("msPKI-RA-Application-Policies",
		    "not an object identifier", e);
	if (t->ra_application_policies.n >= AE_TEMPLATE_VALUES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "msPKI-RA-Application-Policies: too many OIDs");
	return ae_strv_add(&t->ra_application_policies, oid) ? AE_OK
							     : ae_fail_mem(e);
}

static int
add_oid_list(struct ae_template *t, char *list, struct ae_err *e)
{
	char *oid, *rest = list;
	int rc;

	while ((oid = strsep(&rest, ",")) != NULL) {
		if (*oid == '\0')
			continue;
		if ((rc = add_oid(t, oid, e)) != AE_OK)
			return rc;
	}
	return AE_OK;
}

/* One Name`Type`Value` triplet, MS-CRTD 2.23.2. */
static int
triplet(struct ae_template *t, const char *name, const char *type, char *value,
    struct ae_err *e)
{
	const struct ae_field *f;
	struct ae_value number;
	char **str;

	if (strcmp(name, "msPKI-RA-Application-Policies") == 0)
		return add_oid_list(t, value, e);
	for (f = ae_template_fields; f->name != NULL; f++)
		if (f->derived && strcmp(f->name, name) == 0 &&
		    f->offset >= AT(algorithms) && f->offset < AT(sd_raw))
			break;
	/* A property this product does not know changes nothing it does. */
	if (f->name == NULL)
		return AE_OK;
	if (f->kind == AE_FIELD_U32) {
		number.p = (const uint8_t *)value;
		number.len = strlen(value);
		if (strcmp(type, "DWORD") != 0 ||
		    !ae_value_u32(
			&number, (uint32_t *)(void *)((char *)t + f->offset)))
			return refuse(name, "not a number", e);
		return AE_OK;
	}
	str = (char **)(void *)((char *)t + f->offset);
	if (strcmp(type, "PZPWSTR") != 0 || *str != NULL)
		return refuse(name, "given twice or not a string", e);
	*str = strdup(value);
	return *str != NULL ? AE_OK : ae_fail_mem(e);
}

static int
triplets(struct ae_template *t, char *s, struct ae_err *e)
{
	char *name, *type, *value, *rest = s;
	int rc;

	while (*rest != '\0') {
		name = strsep(&rest, "`");
		type = rest != NULL ? strsep(&rest, "`") : NULL;
		value = rest != NULL ? strsep(&rest, "`") : NULL;
		/* Each field ends with a grave accent, the last one too. */
		if (value == NULL || rest == NULL)
			return refuse("msPKI-RA-Application-Policies",
			    "an incomplete property", e);
		if ((rc = triplet(t, name, type, value, e)) != AE_OK)
			return rc;
	}
	return AE_OK;
}

bool
ae_template_packs(const struct ae_template *t)
{
	return t->schema_version == 3 ||
	    (t->schema_version >= 4 &&
		(t->private_key_flag & AE_CT_USE_LEGACY_PROVIDER) == 0);
}

static int
decode_ra_application_policies(
    struct ae_template *t, const struct ae_attr *a, struct ae_err *e)
{
	bool packed = ae_template_packs(t);
	char *s;
	size_t i;
	int rc;

	if (a->n > AE_TEMPLATE_VALUES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "msPKI-RA-Application-Policies: %zu values", a->n);
	for (i = 0; i < a->n; i++) {
		rc = text(&s, "msPKI-RA-Application-Policies", &a->v[i], e);
		if (rc != AE_OK)
			return rc;
		/* A bare OID is a requirement in either schema. */
		if (packed && strchr(s, '`') != NULL)
			rc = triplets(t, s, e);
		else
			rc = add_oid(t, s, e);
		free(s);
		if (rc != AE_OK)
			return rc;
	}
	return AE_OK;
}

static struct ae_template *
template_new(void)
{
	struct ae_template *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->schema_version = 1;
	t->when_changed = INT64_MAX;
	return t;
}

void
ae_template_free(struct ae_template *t)
{
	if (t == NULL)
		return;
	ae_fields_done(t, ae_template_fields);
	ae_sd_free(t->sd);
	free(t);
}

/* What holds however the template came here. */
static int
complete(struct ae_template *t, struct ae_err *e)
{
	if (t->cn == NULL || t->cn[0] == '\0' || t->dn == NULL)
		return refuse("cn", "missing", e);
	if (t->key_usage.len > 16)
		return refuse("pKIKeyUsage", "too long", e);
	if (t->sd_raw.len == 0)
		return AE_OK;
	return ae_sd_parse(&t->sd, t->sd_raw.p, t->sd_raw.len, e);
}

static int
decode(struct ae_template *t, const struct ae_entry *entry, struct ae_err *e)
{
	const struct ae_attr *a;
	struct ae_value dn = { (const uint8_t *)"", 0 };
	int rc;

	if (entry->dn != NULL) {
		dn.p = (const uint8_t *)entry->dn;
		dn.len = strlen(entry->dn);
	}
	if ((rc = text(&t->dn, "distinguished name", &dn, e)) != AE_OK ||
	    (rc = ae_fields_decode(t, ae_template_fields, entry, e)) != AE_OK)
		return rc;
	a = ae_entry_get(entry, "pKIDefaultCSPs");
	if (a != NULL && (rc = decode_csps(t, a, e)) != AE_OK)
		return rc;
	a = ae_entry_get(entry, "msPKI-RA-Application-Policies");
	if (a != NULL &&
	    (rc = decode_ra_application_policies(t, a, e)) != AE_OK)
		return rc;
	return complete(t, e);
}

int
ae_template_decode(
    struct ae_template **out, const struct ae_entry *entry, struct ae_err *e)
{
	struct ae_template *t = template_new();
	char name[128];
	int rc;

	if (t == NULL)
		return ae_fail_mem(e);
	if ((rc = decode(t, entry, e)) != AE_OK) {
		ae_template_free(t);
		return ae_note(e, rc, "template %s",
		    ae_str_quote(name, sizeof(name),
			entry->dn != NULL ? entry->dn : "",
			entry->dn != NULL ? strlen(entry->dn) : 0));
	}
	*out = t;
	return AE_OK;
}

void
ae_template_put(struct ae_wr *w, const struct ae_template *t)
{
	ae_fields_put(w, t, ae_template_fields);
}

int
ae_template_get(struct ae_template **out, struct ae_rd *r, struct ae_err *e)
{
	struct ae_template *t = template_new();
	int rc;

	if (t == NULL)
		return ae_fail_mem(e);
	if ((rc = ae_fields_get(t, ae_template_fields, r, e)) != AE_OK ||
	    (rc = complete(t, e)) != AE_OK) {
		ae_template_free(t);
		return ae_note(e, rc, "template");
	}
	*out = t;
	return AE_OK;
}

const struct ae_template *
ae_template_find(struct ae_template *const *v, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ae_str_eq_nocase(v[i]->cn, name) ||
		    (v[i]->oid != NULL && strcmp(v[i]->oid, name) == 0))
			return v[i];
	return NULL;
}
