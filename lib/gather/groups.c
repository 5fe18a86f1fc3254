/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Groups side by side; see groups.h.
 */
#include "gather/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
ae_group_check(const struct ae_group *g)
{
	if (!g->comparable || g->in_ticket == g->in_directory)
		return NULL;
	return g->in_directory ? "token.group-not-in-ticket"
			       : "token.group-removed-still-in-ticket";
}

size_t
ae_groups_differ(const struct ae_groups *g)
{
	size_t i, n = 0;

	for (i = 0; i < g->n; i++)
		n += ae_group_check(&g->v[i]) != NULL;
	return n;
}

/* S-1-5-21-…, but not the 0-0-0 of claims and compound identity. */
static bool
is_of_a_domain(const struct ae_sid *s)
{
	return s->authority == 5 && s->nsubs == 5 && s->sub[0] == 21 &&
	    (s->sub[1] != 0 || s->sub[2] != 0 || s->sub[3] != 0);
}

static void
take(struct ae_groups *g, const struct ae_sid *v, size_t n,
    const struct ae_sid *self, bool ticket)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct ae_group *to = &g->v[g->n];

		if (self != NULL && ae_sid_equal(&v[i], self))
			continue;
		to->sid = v[i];
		to->comparable = is_of_a_domain(&v[i]);
		to->in_ticket = ticket;
		to->in_directory = !ticket;
		g->n++;
	}
}

static int
by_sid(const void *a, const void *b)
{
	const struct ae_group *x = a, *y = b;

	return ae_sid_compare(&x->sid, &y->sid);
}

int
ae_groups_merge(struct ae_groups *out, const struct ae_sid *ticket,
    size_t nticket, const struct ae_sid *directory, size_t ndirectory,
    const struct ae_sid *self, struct ae_err *e)
{
	struct ae_groups g = { 0 };
	size_t i, n = 0;

	g.v = calloc(nticket + ndirectory + 1, sizeof(*g.v));
	if (g.v == NULL)
		return ae_fail_mem(e);
	take(&g, ticket, nticket, self, true);
	take(&g, directory, ndirectory, self, false);
	qsort(g.v, g.n, sizeof(*g.v), by_sid);
	for (i = 0; i < g.n; i++) {
		if (n > 0 && ae_sid_equal(&g.v[n - 1].sid, &g.v[i].sid)) {
			g.v[n - 1].in_ticket |= g.v[i].in_ticket;
			g.v[n - 1].in_directory |= g.v[i].in_directory;
		} else {
			g.v[n++] = g.v[i];
		}
	}
	g.n = n;
	*out = g;
	return AE_OK;
}

static int
resolve(struct ae_group *g, struct ae_ad *ad, struct ae_err *e)
{
	static const char *const attrs[] = { "sAMAccountName", "cn", NULL };
	struct ae_entries l = { 0 };
	char sid[AE_SID_STR_MAX], dn[AE_SID_STR_MAX + 8];
	const char *name = NULL;
	size_t i;
	int rc;

	(void)snprintf(dn, sizeof(dn), "<SID=%s>", ae_sid_print(sid, &g->sid));
	rc = ae_ad_read(ad, dn, attrs, &l, NULL);
	for (i = 0; rc == AE_OK && name == NULL && attrs[i] != NULL; i++)
		if (ae_entry_str(&l.v[0], attrs[i], l.arena, &name, NULL) !=
		    AE_OK)
			name = NULL;
	if (name != NULL)
		g->name = strdup(name);
	ae_entries_done(&l);
	return name != NULL && g->name == NULL ? ae_fail_mem(e) : AE_OK;
}

int
ae_groups_resolve(struct ae_groups *g, struct ae_ad *ad, struct ae_err *e)
{
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < g->n && rc == AE_OK; i++)
		rc = resolve(&g->v[i], ad, e);
	return rc;
}

void
ae_groups_done(struct ae_groups *g)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		free(g->v[i].name);
	free(g->v);
	memset(g, 0, sizeof(*g));
}
