/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See template_admin.h.
 */
#include "gather/template_admin.h"

#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "ad/template_settings.h"
#include "gather/setup_int.h"

#define ARENA_MAX (1u * 1024u * 1024u)
#define ATTRS_MAX 48u

/* Is there an object with this attribute value below CN=base? */
static int
taken(bool *yes, struct ae_setup_run *r, const char *container,
    const char *attr, const char *value, struct ae_err *e)
{
	static const char *const attrs[] = { "cn", NULL };
	struct ae_ad_query q = { .scope = AE_AD_ONE, .attrs = attrs, .max = 8 };
	struct ae_entries l = { 0 };
	struct ae_wr w;
	int rc;

	q.base = ae_setup_dn(r, "CN", container, ae_ad_pks_dn(r->ad));
	ae_wr_init(&w, 8192);
	ae_wr_printf(&w, "(%s=", attr);
	ae_ad_put_filter_value(&w, value, strlen(value));
	ae_wr_str(&w, ")");
	q.filter = ae_wr_cstr(&w);
	rc = q.base == NULL || q.filter == NULL
	    ? ae_fail_mem(e)
	    : ae_ad_search(r->ad, &q, &l, e);
	ae_wr_done(&w);
	*yes = rc == AE_OK && l.n != 0;
	ae_entries_done(&l);
	return rc;
}

static int
choose_oid(struct ae_setup_run *r, struct ae_template *t,
    const uint32_t numbers[2], struct ae_err *e)
{
	const char *base = NULL, *oid;
	int rc;

	if (t->oid != NULL)
		return AE_OK;
	if ((rc = ae_setup_base_oid(r, &base, e)) != AE_OK)
		return rc;
	/* Eight digits at most, as everybody's are. */
	oid = ae_arena_printf(r->arena, "%s.%u.%u", base,
	    numbers[0] % 100000000u, numbers[1] % 100000000u);
	if (oid == NULL || (t->oid = strdup(oid)) == NULL)
		return ae_fail_mem(e);
	return AE_OK;
}

static int
must_be_new(
    struct ae_setup_run *r, const struct ae_template *t, struct ae_err *e)
{
	static const char *const in = "Certificate Templates";
	bool name = false, oid = false;
	int rc;

	if ((rc = taken(&name, r, in, "cn", t->cn, e)) != AE_OK ||
	    (rc = taken(&oid, r, in, "msPKI-Cert-Template-OID", t->oid, e)) !=
		AE_OK)
		return rc;
	if (name)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "there is a template \"%s\" already", t->cn);
	if (oid)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a template has the OID %s already", t->oid);
	return AE_OK;
}

static int
add(struct ae_setup_run *r, const struct ae_template *t, const struct ae_sd *sd,
    struct ae_err *e)
{
	static const struct ae_value class = {
		(const uint8_t *)"pKICertificateTemplate", 22
	};
	struct ae_attr attrs[ATTRS_MAX], *v = NULL;
	struct ae_value sd_value = { 0 };
	const char *dn;
	struct ae_wr w;
	size_t n = 0;
	int rc;

	dn = ae_setup_dn(r, "CN", "Certificate Templates", ae_ad_pks_dn(r->ad));
	if (dn == NULL || (dn = ae_setup_dn(r, "CN", t->cn, dn)) == NULL)
		return ae_fail_mem(e);
	if ((rc = ae_template_encode(&v, &n, t, r->arena, e)) != AE_OK)
		return rc;
	if (n + 2 > ATTRS_MAX)
		return ae_fail(
		    e, AE_EINTERNAL, AE_DOM_NONE, 0, "%zu attributes", n);
	memcpy(attrs, v, n * sizeof(*v));
	attrs[n++] = (struct ae_attr){ "objectClass", &class, 1 };
	ae_wr_init(&w, AE_SD_BYTES_MAX);
	if (sd != NULL && (rc = ae_sd_encode(&w, sd, e)) == AE_OK) {
		sd_value = (struct ae_value){ w.p, w.len };
		attrs[n++] =
		    (struct ae_attr){ "nTSecurityDescriptor", &sd_value, 1 };
	}
	if (rc == AE_OK)
		rc = ae_ad_add(r->ad, dn, attrs, n, e);
	ae_wr_done(&w);
	return rc;
}

/* setup's helpers want a run; its report is nobody's here. */
static int
begin(struct ae_setup_run *r, struct ae_setup *conf,
    struct ae_setup_report *report, struct ae_ad *ad, struct ae_err *e)
{
	memset(conf, 0, sizeof(*conf));
	memset(report, 0, sizeof(*report));
	memset(r, 0, sizeof(*r));
	conf->ad = ad;
	r->conf = conf;
	r->ad = ad;
	r->report = report;
	r->arena = ae_arena_new(ARENA_MAX);
	return r->arena != NULL ? AE_OK : ae_fail_mem(e);
}

static void
end(struct ae_setup_run *r)
{
	ae_setup_report_done(r->report);
	ae_arena_free(r->arena);
}

int
ae_template_create(struct ae_ad *ad, struct ae_template *t,
    const struct ae_sd *sd, const uint32_t numbers[2], struct ae_err *e)
{
	struct ae_setup_report report;
	struct ae_setup_run r;
	struct ae_setup conf;
	int rc;

	if ((rc = ae_template_check(t, e)) == AE_OK)
		rc = begin(&r, &conf, &report, ad, e);
	if (rc != AE_OK)
		return rc;
	if ((rc = choose_oid(&r, t, numbers, e)) == AE_OK &&
	    (rc = must_be_new(&r, t, e)) == AE_OK &&
	    (rc = ae_setup_oid(&r, t->oid,
		 t->display_name != NULL ? t->display_name : t->cn, e)) ==
		AE_OK)
		rc = add(&r, t, sd, e);
	end(&r);
	return rc == AE_OK ? AE_OK
			   : ae_note(e, rc, "making the template %s", t->cn);
}

static bool
same_values(const struct ae_attr *a, const struct ae_attr *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->v[i].len != b->v[i].len ||
		    memcmp(a->v[i].p, b->v[i].p, a->v[i].len) != 0)
			return false;
	return true;
}

static const struct ae_attr *
find(const struct ae_attr *v, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

/* What makes b of a; mods has room for all of both. */
static size_t
differences(struct ae_ad_mod *mods, const struct ae_attr *a, size_t na,
    const struct ae_attr *b, size_t nb)
{
	const struct ae_attr *other;
	size_t i, n = 0;

	for (i = 0; i < nb; i++) {
		other = find(a, na, b[i].name);
		if (other == NULL || !same_values(other, &b[i]))
			mods[n++] = (struct ae_ad_mod){ AE_AD_REPLACE, b[i] };
	}
	for (i = 0; i < na; i++)
		if (find(b, nb, a[i].name) == NULL)
			mods[n++] = (struct ae_ad_mod){ AE_AD_REPLACE,
				{ a[i].name, NULL, 0 } };
	return n;
}

static int
compare(struct ae_ad_mod *mods, size_t *n, const struct ae_template *from,
    const struct ae_template *to, struct ae_arena *a, struct ae_err *e)
{
	struct ae_attr *x = NULL, *y = NULL;
	size_t nx = 0, ny = 0;
	int rc;

	if ((rc = ae_template_encode(&x, &nx, from, a, e)) != AE_OK ||
	    (rc = ae_template_encode(&y, &ny, to, a, e)) != AE_OK)
		return rc;
	*n = differences(mods, x, nx, y, ny);
	return AE_OK;
}

int
ae_template_change(struct ae_ad *ad, const struct ae_template *from,
    struct ae_template *to, bool reenroll, size_t *n, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(ARENA_MAX);
	struct ae_ad_mod mods[2 * ATTRS_MAX];
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	rc = compare(mods, n, from, to, a, e);
	if (rc == AE_OK && (*n != 0 || reenroll)) {
		to->flags |= AE_CT_IS_MODIFIED;
		to->flags &= ~AE_CT_IS_DEFAULT;
		if (reenroll) {
			to->revision = from->revision + 1;
			to->minor_revision = 0;
		} else
			to->minor_revision = from->minor_revision + 1;
		if ((rc = ae_template_check(to, e)) == AE_OK &&
		    (rc = compare(mods, n, from, to, a, e)) == AE_OK)
			rc = ae_ad_modify(ad, to->dn, mods, *n, e);
	}
	ae_arena_free(a);
	return rc == AE_OK ? AE_OK
			   : ae_note(e, rc, "changing the template %s", to->cn);
}

static int
delete_oid(struct ae_setup_run *r, const char *oid, struct ae_err *e)
{
	static const char *const attrs[] = { "cn", NULL };
	struct ae_ad_query q = { .scope = AE_AD_ONE, .attrs = attrs, .max = 8 };
	struct ae_entries l = { 0 };
	size_t i;
	int rc;

	q.base = ae_setup_dn(r, "CN", "OID", ae_ad_pks_dn(r->ad));
	q.filter =
	    ae_arena_printf(r->arena, "(msPKI-Cert-Template-OID=%s)", oid);
	if (q.base == NULL || q.filter == NULL)
		return ae_fail_mem(e);
	rc = ae_ad_search(r->ad, &q, &l, e);
	for (i = 0; rc == AE_OK && i < l.n; i++)
		rc = ae_ad_delete(r->ad, l.v[i].dn, e);
	ae_entries_done(&l);
	return rc;
}

int
ae_template_delete(
    struct ae_ad *ad, const struct ae_template *t, struct ae_err *e)
{
	struct ae_setup_report report;
	struct ae_setup_run r;
	struct ae_setup conf;
	int rc;

	if ((rc = begin(&r, &conf, &report, ad, e)) != AE_OK)
		return rc;
	rc = ae_ad_delete(ad, t->dn, e);
	if (rc == AE_OK && t->oid != NULL)
		rc = delete_oid(&r, t->oid, e);
	end(&r);
	return rc == AE_OK ? AE_OK
			   : ae_note(e, rc, "deleting the template %s", t->cn);
}
