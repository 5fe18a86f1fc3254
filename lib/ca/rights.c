/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See rights.h.
 */
#include "ca/rights.h"

#include <stdlib.h>
#include <string.h>

#include "ad/template.h"
#include "base/arena.h"
#include "base/rd.h"
#include "base/str.h"
#include "base/utf16.h"
#include "base/wr.h"

#define ARENA_MAX (4u << 20)
#define BODY_MAX 0xffffu

/* SIDCount, SIDs, the template's name; up to three bytes fill the ACE up. */
static int
get_body(struct ae_ca_right *out, const struct ae_ace *ace, struct ae_arena *a,
    struct ae_err *e)
{
	const uint8_t *name;
	struct ae_sid *v;
	struct ae_rd r;
	uint32_t n, i;
	size_t units = 0;

	ae_rd_init(&r, ace->body, ace->body_len);
	n = ae_rd_u32(&r);
	if (!ae_rd_ok(&r) || n > AE_CA_RIGHTS_TARGETS_MAX ||
	    n > ae_rd_left(&r) / 8)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "an entry of %u SIDs in %zu bytes", n, ace->body_len);
	v = ae_arena_array(a, n + 1, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++)
		v[i] = ae_sid_get(&r);
	out->targets = v;
	out->ntargets = n;
	name = r.p + r.off;
	while (ae_rd_left(&r) >= 2 && ae_rd_u16(&r) != 0)
		units++;
	if (!ae_rd_ok(&r) || ae_rd_left(&r) > 3 ||
	    (units + 1) * 2 > (size_t)(r.p + r.off - name))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "an entry whose template's name does not end");
	if (units == 0)
		return AE_OK;
	out->template = ae_utf16_to_utf8(a, name, units);
	if (out->template != NULL)
		return AE_OK;
	return ae_arena_full(a) ? ae_fail_mem(e)
				: ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
				      "a template's name that is no UTF-16");
}

static int
get_all(struct ae_ca_rights *r, const struct ae_sd *sd, struct ae_err *e)
{
	size_t i;
	int rc = AE_OK;

	r->v = ae_arena_array(r->arena, sd->dacl.n + 1, sizeof(*r->v));
	if (r->v == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < sd->dacl.n && rc == AE_OK; i++) {
		const struct ae_ace *ace = &sd->dacl.v[i];
		struct ae_ca_right *to = &r->v[r->n++];

		if ((ace->type != AE_ACE_ALLOWED_CALLBACK &&
			ace->type != AE_ACE_DENIED_CALLBACK) ||
		    ace->mask != AE_CA_RIGHTS_MASK ||
		    (ace->flags & AE_ACE_INHERIT_ONLY) != 0)
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "entry %zu is of type %u with mask 0x%08x", i + 1,
			    ace->type, ace->mask);
		to->allow = ace->type == AE_ACE_ALLOWED_CALLBACK;
		to->who = ace->sid;
		rc = get_body(to, ace, r->arena, e);
	}
	return rc;
}

int
ae_ca_rights_parse(
    struct ae_ca_rights **out, const void *p, size_t len, struct ae_err *e)
{
	struct ae_ca_rights *r = calloc(1, sizeof(*r));
	struct ae_sd *sd = NULL;
	int rc;

	if (r == NULL || (r->arena = ae_arena_new(ARENA_MAX)) == NULL) {
		ae_ca_rights_free(r);
		return ae_fail_mem(e);
	}
	rc = ae_sd_parse(&sd, p, len, e);
	if (rc == AE_OK && !sd->has_dacl)
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a descriptor without entries of rights");
	if (rc == AE_OK)
		rc = get_all(r, sd, e);
	ae_sd_free(sd);
	if (rc == AE_OK)
		*out = r;
	else
		ae_ca_rights_free(r);
	return rc;
}

void
ae_ca_rights_free(struct ae_ca_rights *r)
{
	if (r == NULL)
		return;
	ae_arena_free(r->arena);
	free(r);
}

static int
put_one(struct ae_sd *sd, const struct ae_ca_right *one, struct ae_err *e)
{
	struct ae_wr body;
	size_t i;
	int rc;

	ae_wr_init(&body, BODY_MAX);
	ae_wr_u32(&body, (uint32_t)one->ntargets);
	for (i = 0; i < one->ntargets; i++)
		ae_sid_put(&body, &one->targets[i]);
	if (one->template != NULL && !ae_utf16_put(&body, one->template))
		body.bad = true;
	ae_wr_u16(&body, 0);
	while (body.len % 4 != 0)
		ae_wr_u8(&body, 0);
	if (one->ntargets > AE_CA_RIGHTS_TARGETS_MAX || !ae_wr_ok(&body))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "an entry that is too large, or whose template's name is "
		    "no UTF-8");
	else
		rc = ae_sd_add_callback(sd, one->allow, AE_CA_RIGHTS_MASK,
		    &one->who, body.p, body.len, e);
	ae_wr_done(&body);
	return rc;
}

int
ae_ca_rights_encode(
    struct ae_wr *w, const struct ae_ca_right *v, size_t n, struct ae_err *e)
{
	static const struct ae_sid administrators = {
		.authority = 5, .nsubs = 2, .sub = { 32, 544 }
	};
	struct ae_sd *sd = ae_sd_new();
	int rc = sd == NULL ? ae_fail_mem(e) : AE_OK;
	size_t i;

	if (rc == AE_OK) { /* a DACL, also of no entries */
		ae_sd_set_owner(sd, &administrators);
		rc = ae_sd_allow(sd, 0, 0, NULL, &administrators, e);
		ae_sd_remove(sd, 0);
	}
	for (i = 0; rc == AE_OK && i < n; i++)
		rc = put_one(sd, &v[i], e);
	if (rc == AE_OK) {
		ae_sd_canonicalize(sd);
		rc = ae_sd_encode(w, sd, e);
	}
	ae_sd_free(sd);
	return rc;
}

static bool
is_target(const struct ae_ca_right *one, const struct ae_sid *sids, size_t n)
{
	size_t i;

	for (i = 0; i < one->ntargets; i++)
		if (ae_sid_in(sids, n, &one->targets[i]))
			return true;
	return false;
}

bool
ae_ca_rights_allow(const struct ae_ca_rights *r, const struct ae_token *token,
    const struct ae_template *t, const struct ae_sid *sids, size_t n,
    const struct ae_ca_right **by)
{
	size_t i;

	*by = NULL;
	for (i = 0; i < r->n; i++) {
		const struct ae_ca_right *one = &r->v[i];

		if (!ae_token_has(token, &one->who) || !is_target(one, sids, n))
			continue;
		if (one->template != NULL &&
		    !ae_str_eq_nocase(one->template, t->cn) &&
		    (t->oid == NULL || strcmp(one->template, t->oid) != 0))
			continue;
		*by = one;
		return one->allow;
	}
	return false;
}
