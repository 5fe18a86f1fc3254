/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The object a policy file is about; see mapped.h.
 */
#include "ad/mapped.h"

#include <stdio.h>
#include <string.h>

#include "ad/escape.h"
#include "base/utf16.h"
#include "base/wr.h"

#define FILTER_MAX 8192u
#define SPNS_MAX 256u

/* Text of one value, or NULL: it is none. */
static const char *
text(const struct ae_value *v, struct ae_arena *a)
{
	char *s;

	if (v->len > 4096 || memchr(v->p, 0, v->len) != NULL)
		return NULL;
	s = ae_arena_strndup(a, (const char *)v->p, v->len);
	return s != NULL && ae_utf8_valid(s) ? s : NULL;
}

static int
decode_attributes(struct ae_ad_mapped *out, const struct ae_entry *entry,
    const struct ae_ad_mapping *q, struct ae_arena *a, struct ae_err *e)
{
	const struct ae_attr *at;
	const char *s;
	size_t i;

	out->names = ae_arena_array(a, q->nattributes, sizeof(*out->names));
	out->values = ae_arena_array(a, q->nattributes, sizeof(*out->values));
	if (out->names == NULL || out->values == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < q->nattributes; i++) {
		at = ae_entry_get(entry, q->attributes[i]);
		s = at == NULL || at->n != 1 ? NULL : text(&at->v[0], a);
		if (s == NULL)
			continue;
		out->names[out->n] = ae_arena_strdup(a, q->attributes[i]);
		out->values[out->n] = s;
		if (out->names[out->n++] == NULL)
			return ae_fail_mem(e);
	}
	return AE_OK;
}

static int
decode_spns(struct ae_ad_mapped *out, const struct ae_entry *entry,
    struct ae_arena *a, struct ae_err *e)
{
	const struct ae_attr *at = ae_entry_get(entry, "servicePrincipalName");
	const char *s;
	size_t i;

	if (at == NULL)
		return AE_OK;
	out->spns = ae_arena_array(a, at->n, sizeof(*out->spns));
	if (out->spns == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < at->n && i < SPNS_MAX; i++)
		if ((s = text(&at->v[i], a)) != NULL)
			out->spns[out->nspns++] = s;
	return AE_OK;
}

int
ae_ad_mapped_decode(struct ae_ad_mapped *out, const struct ae_entry *entry,
    const struct ae_ad_mapping *q, struct ae_arena *a, struct ae_err *e)
{
	int rc;

	memset(out, 0, sizeof(*out));
	out->found = 1;
	rc = ae_entry_sid(entry, "objectSid", &out->sid, e);
	if (rc == AE_ENOTFOUND)
		rc = ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "%s: no SID", entry->dn);
	if (rc != AE_OK)
		return rc;
	rc =
	    ae_entry_u32(entry, "userAccountControl", &out->account_control, e);
	if (rc == AE_ENOTFOUND)
		rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "%s: userAccountControl cannot be read", entry->dn);
	if (rc != AE_OK)
		return rc;
	out->dn = ae_arena_strdup(a, entry->dn);
	if (out->dn == NULL)
		return ae_fail_mem(e);
	rc = decode_attributes(out, entry, q, a, e);
	if (rc == AE_OK && q->spns)
		rc = decode_spns(out, entry, a, e);
	return rc;
}

/* By the attribute: accounts of the kind that is asked for. */
static void
put_filter(struct ae_wr *w, const struct ae_ad_mapping *q)
{
	ae_wr_printf(
	    w, "(&(objectClass=%s)", q->computer ? "computer" : "user");
	if (!q->computer)
		ae_wr_str(w, "(!(objectClass=computer))");
	ae_wr_printf(w, "(%s=", q->attribute);
	ae_ad_put_filter_value(w, q->value, strlen(q->value));
	ae_wr_str(w, "))");
}

int
ae_ad_mapped(struct ae_ad_mapped *out, struct ae_ad *ad,
    const struct ae_ad_mapping *q, struct ae_arena *a, struct ae_err *e)
{
	const char *attrs[AE_AD_MAPPED_ATTRS_MAX + 5] = { "objectSid",
		"userAccountControl", "servicePrincipalName" };
	struct ae_ad_query search = {
		.base = q->root, .scope = AE_AD_SUB, .attrs = attrs, .max = 2
	};
	char s[AE_SID_STR_MAX], base[AE_SID_STR_MAX + 8];
	struct ae_entries l = { 0 };
	struct ae_wr filter;
	size_t i;
	int rc;

	memset(out, 0, sizeof(*out));
	if (q->nattributes > AE_AD_MAPPED_ATTRS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%zu attributes of one object", q->nattributes);
	for (i = 0; i < q->nattributes; i++)
		attrs[3 + i] = q->attributes[i];
	ae_wr_init(&filter, FILTER_MAX);
	if (q->sid != NULL) {
		(void)snprintf(
		    base, sizeof(base), "<SID=%s>", ae_sid_print(s, q->sid));
		search.base = base;
		search.scope = AE_AD_BASE;
	} else {
		put_filter(&filter, q);
		search.filter = ae_wr_cstr(&filter);
		if (search.base == NULL)
			search.base = ae_ad_root(ad)->default_nc;
	}
	rc = q->sid == NULL && search.filter == NULL
	    ? ae_fail_mem(e)
	    : ae_ad_search(ad, &search, &l, e);
	if (rc == AE_ENOTFOUND)
		rc = AE_OK; /* nor is what the search begins at */
	else if (rc == AE_ELIMIT || (rc == AE_OK && l.n > 1)) {
		out->found = 2;
		rc = AE_OK;
	} else if (rc == AE_OK && l.n == 1)
		rc = ae_ad_mapped_decode(out, &l.v[0], q, a, e);
	if (rc == AE_OK && q->sid != NULL && out->found == 1 &&
	    !ae_sid_equal(&out->sid, q->sid))
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "asked for %s, got another object", s);
	ae_entries_done(&l);
	ae_wr_done(&filter);
	return rc;
}

int
ae_ad_group_sid(
    struct ae_sid *out, struct ae_ad *ad, const char *dn, struct ae_err *e)
{
	static const char *const want[] = { "objectSid", NULL };
	struct ae_entries l = { 0 };
	int rc = ae_ad_read(ad, dn, want, &l, e);

	if (rc == AE_OK)
		rc = ae_entry_sid(&l.v[0], want[0], out, e);
	ae_entries_done(&l);
	return rc;
}

#define GROUP_UNIVERSAL 0x00000008u /* MS-ADTS 2.2.12 */
#define GROUP_SECURITY 0x80000000u

int
ae_ad_group_flaws(
    unsigned *out, struct ae_ad *ad, const char *dn, struct ae_err *e)
{
	static const char *const want[] = { "groupType", NULL };
	/* not the members themselves: there may be very many */
	const struct ae_ad_query with_members = { .base = dn,
		.scope = AE_AD_BASE,
		.filter = "(member=*)",
		.attrs = want,
		.max = 1 };
	const uint32_t both = GROUP_UNIVERSAL | GROUP_SECURITY;
	struct ae_entries l = { 0 };
	uint32_t type = 0;
	int rc = ae_ad_read(ad, dn, want, &l, e);

	*out = 0;
	if (rc == AE_OK)
		rc = ae_entry_u32(&l.v[0], want[0], &type, e);
	ae_entries_done(&l);
	if (rc != AE_OK)
		return rc;
	if ((type & both) != both)
		*out |= AE_AD_GROUP_NOT_UNIVERSAL;
	rc = ae_ad_search(ad, &with_members, &l, e);
	if (rc == AE_OK && l.n > 0)
		*out |= AE_AD_GROUP_HAS_MEMBERS;
	ae_entries_done(&l);
	return rc;
}
