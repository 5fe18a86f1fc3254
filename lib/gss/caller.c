/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The caller and its set of SIDs; see caller.h.
 */
#include "gss/caller.h"

#include <stdlib.h>
#include <string.h>

#include "gss/caller_int.h"

/* MS-DTYP 2.4.2.4 */
static const struct ae_sid well_known[] = {
	{ .authority = 1, .nsubs = 1, .sub = { 0 } },  /* Everyone */
	{ .authority = 5, .nsubs = 1, .sub = { 2 } },  /* NETWORK */
	{ .authority = 5, .nsubs = 1, .sub = { 11 } }, /* Authenticated Users */
};

int
ae_sid_list_add(struct ae_sid_list *l, const struct ae_sid *sid, uint8_t from,
    struct ae_err *e)
{
	struct ae_sid_from *v;
	size_t cap;

	if (l->n >= AE_CALLER_SIDS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d SIDs", AE_CALLER_SIDS_MAX);
	if (l->n == l->cap) {
		cap = l->cap == 0 ? 32 : l->cap * 2;
		v = realloc(l->v, cap * sizeof(*v));
		if (v == NULL)
			return ae_fail_mem(e);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n].sid = *sid;
	l->v[l->n].from = from;
	l->n++;
	return AE_OK;
}

static int
by_sid(const void *a, const void *b)
{
	const struct ae_sid_from *x = a, *y = b;

	return ae_sid_compare(&x->sid, &y->sid);
}

int
ae_sid_list_take(struct ae_sid_list *l, struct ae_caller *c, struct ae_err *e)
{
	struct ae_sid *sids;
	uint8_t *from;
	size_t i, n = 0;

	sids = calloc(l->n + 1, sizeof(*sids));
	from = calloc(l->n + 1, sizeof(*from));
	if (sids == NULL || from == NULL) {
		free(sids);
		free(from);
		return ae_fail_mem(e);
	}
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_sid);
	for (i = 0; i < l->n; i++) {
		if (n == 0 || !ae_sid_equal(&sids[n - 1], &l->v[i].sid))
			sids[n++] = l->v[i].sid;
		from[n - 1] |= l->v[i].from;
	}
	free(c->sids);
	free(c->from);
	c->sids = sids;
	c->from = from;
	c->nsids = n;
	return AE_OK;
}

void
ae_sid_list_done(struct ae_sid_list *l)
{
	free(l->v);
	*l = (struct ae_sid_list){ 0 };
}

int
ae_caller_add_well_known(struct ae_caller *c, struct ae_err *e)
{
	struct ae_sid_list l = { 0 };
	int rc = AE_OK;
	size_t i;

	for (i = 0; i < c->nsids && rc == AE_OK; i++)
		rc = ae_sid_list_add(&l, &c->sids[i], c->from[i], e);
	for (i = 0;
	     i < sizeof(well_known) / sizeof(well_known[0]) && rc == AE_OK; i++)
		rc = ae_sid_list_add(
		    &l, &well_known[i], AE_CALLER_FROM_WELL_KNOWN, e);
	if (rc == AE_OK)
		rc = ae_sid_list_take(&l, c, e);
	ae_sid_list_done(&l);
	return rc;
}

bool
ae_caller_has(const struct ae_caller *c, const struct ae_sid *sid)
{
	return ae_sid_in(c->sids, c->nsids, sid);
}

static bool
copy_text(char **out, const char *s)
{
	if (s == NULL)
		return true;
	*out = strdup(s);
	return *out != NULL;
}

struct ae_caller *
ae_caller_clone(const struct ae_caller *c)
{
	struct ae_caller *n = malloc(sizeof(*n));

	if (n == NULL)
		return NULL;
	*n = *c;
	n->account = n->netbios = n->dns_domain = n->realm = NULL;
	n->upn = n->principal = NULL;
	n->sids = calloc(c->nsids + 1, sizeof(*n->sids));
	n->from = calloc(c->nsids + 1, sizeof(*n->from));
	if (n->sids == NULL || n->from == NULL ||
	    !copy_text(&n->account, c->account) ||
	    !copy_text(&n->netbios, c->netbios) ||
	    !copy_text(&n->dns_domain, c->dns_domain) ||
	    !copy_text(&n->realm, c->realm) || !copy_text(&n->upn, c->upn) ||
	    !copy_text(&n->principal, c->principal)) {
		ae_caller_free(n);
		return NULL;
	}
	if (c->nsids > 0) {
		memcpy(n->sids, c->sids, c->nsids * sizeof(*n->sids));
		memcpy(n->from, c->from, c->nsids * sizeof(*n->from));
	}
	return n;
}

void
ae_caller_free(struct ae_caller *c)
{
	if (c == NULL)
		return;
	free(c->sids);
	free(c->from);
	free(c->account);
	free(c->netbios);
	free(c->dns_domain);
	free(c->realm);
	free(c->upn);
	free(c->principal);
	free(c);
}
