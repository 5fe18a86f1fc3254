/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Accounts that nobody brought a ticket of: whom an agent enrolls, whose
 * certificate other hands renew, whom certsrv explain asks about.  Their
 * groups are those that the directory counts them into (tokenGroups), which
 * a ticket may differ from until it is renewed.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ca_job.h"

#define GROUPS_MAX 4096u

/*
 * BUILTIN groups are those of the DC that was asked; tickets have none of
 * them.
 */
static bool
is_builtin(const struct ae_sid *s)
{
	return s->authority == 5 && s->nsubs == 2 && s->sub[0] == 32;
}

/* Itself, its groups and those of every network logon, sorted, each once. */
static bool
keep_sids(struct ae_ca_requester *o, const struct ae_sid *groups, size_t n,
    struct ae_arena *a)
{
	struct ae_caller c = { .nsids = 0 };
	bool ok;
	size_t i;

	c.sids = calloc(n + 1, sizeof(*c.sids));
	c.from = calloc(n + 1, sizeof(*c.from));
	ok = c.sids != NULL && c.from != NULL;
	if (ok)
		c.sids[c.nsids++] = o->sid;
	for (i = 0; ok && i < n; i++)
		if (!is_builtin(&groups[i]))
			c.sids[c.nsids++] = groups[i];
	ok = ok && ae_caller_add_well_known(&c, NULL) == AE_OK;
	if (ok) {
		o->sids = ae_arena_dup(a, c.sids, c.nsids * sizeof(*c.sids));
		o->nsids = c.nsids;
		ok = o->sids != NULL;
	}
	free(c.sids);
	free(c.from);
	return ok;
}

void
account_get(struct ae_rd *r, struct ae_ca_requester *o, struct ae_arena *a)
{
	struct ae_sid *groups;
	uint32_t n, i;

	o->account = get_str(r, a);
	o->disabled = ae_rd_u8(r) != 0;
	n = ae_rd_u32(r);
	if (n > GROUPS_MAX || n > ae_rd_left(r) / 8) {
		ae_rd_fail(r);
		return;
	}
	groups = calloc(n + 1, sizeof(*groups));
	if (groups == NULL) {
		ae_rd_fail(r);
		return;
	}
	for (i = 0; i < n; i++)
		groups[i] = ae_sid_get(r);
	if (!ae_rd_ok(r) || !keep_sids(o, groups, n, a))
		ae_rd_fail(r);
	free(groups);
}

static struct ae_sid
domain_of(struct ae_sid s)
{
	if (s.nsubs > 0)
		s.sub[--s.nsubs] = 0;
	return s;
}

int
account_caller(
    struct ae_wr *w, const struct ae_ca_requester *o, struct ae_err *e)
{
	struct ae_caller c = { .user = o->sid,
		.domain_sid = domain_of(o->sid),
		.nsids = o->nsids };
	struct ae_arena *a = ae_arena_new(2 << 20);
	size_t i;
	char *p;
	int rc = AE_OK;

	if (a == NULL)
		return ae_fail_mem(e);
	c.sids = ae_arena_dup(a, o->sids, o->nsids * sizeof(*c.sids));
	c.from = ae_arena_alloc(a, o->nsids + 1);
	c.account = ae_arena_strdup(a, o->account == NULL ? "" : o->account);
	c.netbios = ae_arena_strdup(
	    a, o->domain_netbios == NULL ? "" : o->domain_netbios);
	c.dns_domain =
	    ae_arena_strdup(a, o->domain_dns == NULL ? "" : o->domain_dns);
	c.realm = ae_arena_strdup(a, c.dns_domain == NULL ? "" : c.dns_domain);
	if (o->upn != NULL)
		c.upn = ae_arena_strdup(a, o->upn);
	for (p = c.realm; p != NULL && *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	if (c.account != NULL && c.realm != NULL)
		c.principal = ae_arena_printf(a, "%s@%s", c.account, c.realm);
	if (ae_arena_full(a) || c.sids == NULL || c.from == NULL ||
	    c.netbios == NULL || c.principal == NULL) {
		rc = ae_fail_mem(e);
	} else {
		for (i = 0; i < c.nsids; i++)
			c.from[i] = ae_sid_equal(&c.sids[i], &c.user)
			    ? AE_CALLER_FROM_USER
			    : AE_CALLER_FROM_GROUPS;
		ae_caller_encode(w, &c);
		if (!ae_wr_ok(w))
			rc = ae_fail_mem(e);
	}
	ae_arena_free(a);
	return rc;
}
