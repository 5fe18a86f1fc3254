/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Objects as they should be: look, compare, change what differs, say so.
 */
#include "gather/setup_int.h"

#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "base/str.h"

#define ATTRS_MAX 40u

int
ae_setup_note(struct ae_setup_run *r, enum ae_setup_action action,
    const char *what, const char *detail, struct ae_err *e)
{
	struct ae_setup_report *p = r->report;
	struct ae_setup_step *v;

	v = reallocarray(p->v, p->n + 1, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	p->v = v;
	v += p->n;
	v->action = action;
	v->what = strdup(what);
	v->detail = detail != NULL ? strdup(detail) : NULL;
	p->n++;
	if (v->what == NULL || (detail != NULL && v->detail == NULL))
		return ae_fail_mem(e);
	if (action == AE_SETUP_CREATE || action == AE_SETUP_CHANGE)
		p->changes++;
	return AE_OK;
}

struct ae_value *
ae_setup_text(struct ae_setup_run *r, const char *s)
{
	struct ae_value *v = ae_arena_alloc(r->arena, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->len = strlen(s);
	v->p = (const uint8_t *)ae_arena_strdup(r->arena, s);
	return v->p != NULL ? v : NULL;
}

const char *
ae_setup_dn(struct ae_setup_run *r, const char *rdn_type, const char *rdn_value,
    const char *parent)
{
	const char *dn = NULL, *s;
	struct ae_wr w;

	ae_wr_init(&w, 4096);
	ae_wr_printf(&w, "%s=", rdn_type);
	ae_ad_put_dn_value(&w, rdn_value);
	ae_wr_printf(&w, ",%s", parent);
	if ((s = ae_wr_cstr(&w)) != NULL)
		dn = ae_arena_strdup(r->arena, s);
	ae_wr_done(&w);
	return dn;
}

static bool
same(const struct ae_value *a, const struct ae_value *b)
{
	return a->len == b->len &&
	    (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

static bool
among(const struct ae_attr *have, const struct ae_value *v)
{
	size_t i;

	for (i = 0; have != NULL && i < have->n; i++)
		if (same(&have->v[i], v))
			return true;
	return false;
}

/* What has to be done to have so that it follows want; 0 values: nothing. */
static int
difference(struct ae_ad_mod *mod, const struct ae_setup_attr *want,
    const struct ae_attr *have, struct ae_arena *a, struct ae_err *e)
{
	struct ae_value *missing;
	size_t i, n = 0;

	missing = ae_arena_array(a, want->n + 1, sizeof(*missing));
	if (missing == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < want->n; i++)
		if (!among(have, &want->v[i]))
			missing[n++] = want->v[i];
	mod->attr.name = want->name;
	mod->attr.v = missing;
	mod->attr.n = n;
	mod->change = AE_AD_ADD;
	if (want->rule == AE_SETUP_SET &&
	    (n != 0 || (have != NULL && have->n != want->n))) {
		mod->change = AE_AD_REPLACE;
		mod->attr.v = want->v;
		mod->attr.n = want->n;
	}
	return AE_OK;
}

static int
change(struct ae_setup_run *r, const char *dn,
    const struct ae_setup_attr *attrs, size_t n, const struct ae_entry *have,
    struct ae_err *e)
{
	struct ae_ad_mod mods[ATTRS_MAX];
	struct ae_wr names;
	size_t i, nmods = 0;
	int rc = AE_OK;

	ae_wr_init(&names, 4096);
	for (i = 0; i < n && rc == AE_OK; i++) {
		if (attrs[i].rule == AE_SETUP_ONLY_NEW)
			continue;
		rc = difference(&mods[nmods], &attrs[i],
		    ae_entry_get(have, attrs[i].name), r->arena, e);
		if (rc != AE_OK || mods[nmods].attr.n == 0)
			continue;
		ae_wr_printf(
		    &names, "%s%s", nmods != 0 ? ", " : "", attrs[i].name);
		nmods++;
	}
	if (rc == AE_OK && nmods == 0)
		rc = ae_setup_note(r, AE_SETUP_KEEP, dn, NULL, e);
	else if (rc == AE_OK) {
		if (!r->conf->dry_run)
			rc = ae_ad_modify(r->ad, dn, mods, nmods, e);
		if (rc == AE_OK)
			rc = ae_setup_note(
			    r, AE_SETUP_CHANGE, dn, ae_wr_cstr(&names), e);
	}
	ae_wr_done(&names);
	return rc;
}

static int
create(struct ae_setup_run *r, const char *dn, const char *class,
    const struct ae_setup_attr *attrs, size_t n, const struct ae_sd *sd,
    struct ae_err *e)
{
	struct ae_attr list[ATTRS_MAX + 2];
	struct ae_value sd_value;
	size_t i, nlist = 0;
	struct ae_wr w;
	int rc = AE_OK;

	ae_wr_init(&w, AE_SD_BYTES_MAX);
	list[nlist].name = "objectClass";
	list[nlist].v = ae_setup_text(r, class);
	list[nlist].n = 1;
	if (list[nlist++].v == NULL)
		rc = ae_fail_mem(e);
	for (i = 0; i < n; i++) {
		if (attrs[i].n == 0)
			continue;
		list[nlist].name = attrs[i].name;
		list[nlist].v = attrs[i].v;
		list[nlist++].n = attrs[i].n;
	}
	if (rc == AE_OK && sd != NULL &&
	    (rc = ae_sd_encode(&w, sd, e)) == AE_OK) {
		sd_value.p = w.p;
		sd_value.len = w.len;
		list[nlist].name = "nTSecurityDescriptor";
		list[nlist].v = &sd_value;
		list[nlist++].n = 1;
	}
	if (rc == AE_OK && !r->conf->dry_run)
		rc = ae_ad_add(r->ad, dn, list, nlist, e);
	if (rc == AE_OK)
		rc = ae_setup_note(r, AE_SETUP_CREATE, dn, NULL, e);
	ae_wr_done(&w);
	return rc;
}

int
ae_setup_ensure(struct ae_setup_run *r, const char *dn, const char *class,
    const struct ae_setup_attr *attrs, size_t n, const struct ae_sd *sd,
    struct ae_err *e)
{
	const char *names[ATTRS_MAX + 2] = { "objectClass" };
	struct ae_entries l = { 0 };
	size_t i;
	int rc;

	if (dn == NULL)
		return ae_fail_mem(e);
	if (n > ATTRS_MAX)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "%s: %zu attributes", dn, n);
	for (i = 0; i < n; i++)
		names[i + 1] = attrs[i].name;
	names[n + 1] = NULL;
	rc = ae_ad_read(r->ad, dn, names, &l, e);
	if (rc == AE_ENOTFOUND)
		return create(r, dn, class, attrs, n, sd, e);
	if (rc != AE_OK)
		return rc;
	rc = change(r, dn, attrs, n, &l.v[0], e);
	ae_entries_done(&l);
	return rc;
}

const char *
ae_setup_action_name(enum ae_setup_action a)
{
	static const char *const names[] = { [AE_SETUP_CREATE] = "create",
		[AE_SETUP_CHANGE] = "change",
		[AE_SETUP_KEEP] = "keep",
		[AE_SETUP_LEAVE] = "leave" };

	return (size_t)a < sizeof(names) / sizeof(names[0]) ? names[a] : "?";
}

void
ae_setup_report_done(struct ae_setup_report *report)
{
	size_t i;

	for (i = 0; i < report->n; i++) {
		free(report->v[i].what);
		free(report->v[i].detail);
	}
	free(report->v);
	memset(report, 0, sizeof(*report));
}
