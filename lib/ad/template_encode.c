/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificate templates into directory attributes (MS-CRTD 2): the way back
 * from template.c.
 */
#include <string.h>

#include "ad/template_int.h"

#define ATTRS_MAX 40u
#define PACKED_MAX (16u * 1024u)

/* "1,name", most preferred first (MS-CRTD 2.8). */
static int
put_csps(struct ae_attr *out, size_t *n, const struct ae_template *t,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_value *v = ae_arena_array(a, t->csps.n, sizeof(*v));
	size_t i;
	char *s;

	if (v == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < t->csps.n; i++) {
		s = ae_arena_printf(a, "%zu,%s", i + 1, t->csps.v[i]);
		if (s == NULL)
			return ae_fail_mem(e);
		v[i] = (struct ae_value){ (const uint8_t *)s, strlen(s) };
	}
	out[(*n)++] = (struct ae_attr){ "pKIDefaultCSPs", v, t->csps.n };
	return AE_OK;
}

static void
put_text(struct ae_wr *w, const char *name, const char *value)
{
	if (value != NULL)
		ae_wr_printf(w, "%s`PZPWSTR`%s`", name, value);
}

static void
put_number(struct ae_wr *w, const char *name, uint32_t value)
{
	if (value != 0)
		ae_wr_printf(w, "%s`DWORD`%u`", name, value);
}

/* All in one value of Name`Type`Value` triplets, MS-CRTD 2.23.2. */
static int
put_packed(struct ae_attr *out, size_t *n, const struct ae_template *t,
    struct ae_arena *a, struct ae_err *e)
{
	const struct ae_template_algorithms *g = &t->algorithms;
	struct ae_value *v = ae_arena_alloc(a, sizeof(*v));
	struct ae_wr w;
	size_t i;
	char *s = NULL;

	ae_wr_init(&w, PACKED_MAX);
	put_text(&w, "msPKI-Asymmetric-Algorithm", g->asymmetric);
	put_text(&w, "msPKI-Hash-Algorithm", g->hash);
	put_text(&w, "msPKI-Key-Security-Descriptor", g->key_sd);
	put_number(&w, "msPKI-Key-Usage", g->key_usage);
	if (t->ra_application_policies.n != 0)
		ae_wr_str(&w, "msPKI-RA-Application-Policies`PZPWSTR`");
	for (i = 0; i < t->ra_application_policies.n; i++)
		ae_wr_printf(&w, "%s%s", i == 0 ? "" : ",",
		    t->ra_application_policies.v[i]);
	if (i != 0)
		ae_wr_str(&w, "`");
	put_text(&w, "msPKI-Symmetric-Algorithm", g->symmetric);
	put_number(&w, "msPKI-Symmetric-Key-Length", g->symmetric_bits);
	if (ae_wr_cstr(&w) != NULL)
		s = ae_arena_strdup(a, ae_wr_cstr(&w));
	ae_wr_done(&w);
	if (s == NULL || v == NULL)
		return ae_fail_mem(e);
	*v = (struct ae_value){ (const uint8_t *)s, strlen(s) };
	if (v->len != 0)
		out[(*n)++] =
		    (struct ae_attr){ "msPKI-RA-Application-Policies", v, 1 };
	return AE_OK;
}

static int
put_oids(struct ae_attr *out, size_t *n, const struct ae_template *t,
    struct ae_arena *a, struct ae_err *e)
{
	const struct ae_strv *l = &t->ra_application_policies;
	struct ae_value *v = ae_arena_array(a, l->n, sizeof(*v));
	size_t i;

	if (v == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < l->n; i++)
		v[i] = (struct ae_value){ (const uint8_t *)l->v[i],
			strlen(l->v[i]) };
	out[(*n)++] =
	    (struct ae_attr){ "msPKI-RA-Application-Policies", v, l->n };
	return AE_OK;
}

static bool
has_algorithms(const struct ae_template_algorithms *g)
{
	return g->asymmetric != NULL || g->hash != NULL ||
	    g->symmetric != NULL || g->key_sd != NULL ||
	    g->symmetric_bits != 0 || g->key_usage != 0;
}

/* Neither the entry's own names nor its descriptor. */
static bool
kept_apart(const char *name)
{
	return strcmp(name, "cn") == 0 ||
	    strcmp(name, "nTSecurityDescriptor") == 0;
}

int
ae_template_encode(struct ae_attr **out, size_t *n, const struct ae_template *t,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_attr *v = ae_arena_array(a, ATTRS_MAX, sizeof(*v));
	size_t i, count = 0, kept = 0;
	int rc;

	if (v == NULL)
		return ae_fail_mem(e);
	if (!ae_template_packs(t) && has_algorithms(&t->algorithms))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "algorithms need schema version 3 or 4, and no legacy "
		    "provider; this template has version %u",
		    t->schema_version);
	rc = ae_fields_encode(
	    v, &count, ATTRS_MAX - 2, t, ae_template_fields, a, e);
	if (rc == AE_OK && t->csps.n != 0)
		rc = put_csps(v, &count, t, a, e);
	if (rc == AE_OK && ae_template_packs(t))
		rc = put_packed(v, &count, t, a, e);
	else if (rc == AE_OK && t->ra_application_policies.n != 0)
		rc = put_oids(v, &count, t, a, e);
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < count; i++)
		if (!kept_apart(v[i].name))
			v[kept++] = v[i];
	*out = v;
	*n = kept;
	return AE_OK;
}

int
ae_template_dup(
    struct ae_template **out, const struct ae_template *t, struct ae_err *e)
{
	struct ae_wr w;
	struct ae_rd r;
	int rc;

	ae_wr_init(&w, AE_TEMPLATE_ENCODED_MAX);
	ae_template_put(&w, t);
	if (!ae_wr_ok(&w)) {
		ae_wr_done(&w);
		return ae_fail_mem(e);
	}
	ae_rd_init(&r, w.p, w.len);
	rc = ae_template_get(out, &r, e);
	ae_wr_done(&w);
	return rc;
}
