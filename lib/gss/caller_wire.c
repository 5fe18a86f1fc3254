/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A caller on its way between processes; see caller.h.  Little endian:
 *
 *	u32 magic, u8 version, u8 bits, u32 uac, u64 auth_time, u64 logon_time
 *	SID user
 *	u16 count, count * (u8 from, SID), ascending
 *	account, netbios, dns_domain, realm, principal, [upn]: u16 length, bytes
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "gss/caller.h"

#define CALLER_MAGIC 0x4c434541u /* "AECL" */
#define CALLER_VERSION 1

#define BIT_DELEGATED 0x01
#define BIT_UPN 0x02

#define FROM_ALL                                           \
	(AE_CALLER_FROM_USER | AE_CALLER_FROM_PRIMARY |    \
	    AE_CALLER_FROM_GROUPS | AE_CALLER_FROM_EXTRA | \
	    AE_CALLER_FROM_RESOURCE | AE_CALLER_FROM_WELL_KNOWN)
#define SID_WIRE_MIN 8

static void
put_text(struct ae_wr *w, const char *s)
{
	size_t len = strlen(s);

	if (len > AE_CALLER_NAME_MAX) {
		w->bad = true;
		return;
	}
	ae_wr_u16(w, (uint16_t)len);
	ae_wr_bytes(w, s, len);
}

void
ae_caller_encode(struct ae_wr *w, const struct ae_caller *c)
{
	size_t i;

	if (c->nsids > AE_CALLER_SIDS_MAX) {
		w->bad = true;
		return;
	}
	ae_wr_u32(w, CALLER_MAGIC);
	ae_wr_u8(w, CALLER_VERSION);
	ae_wr_u8(w,
	    (uint8_t)((c->delegated ? BIT_DELEGATED : 0) |
		(c->upn != NULL ? BIT_UPN : 0)));
	ae_wr_u32(w, c->uac);
	ae_wr_u64(w, (uint64_t)c->auth_time);
	ae_wr_u64(w, (uint64_t)c->logon_time);
	ae_sid_put(w, &c->user);
	ae_wr_u16(w, (uint16_t)c->nsids);
	for (i = 0; i < c->nsids; i++) {
		ae_wr_u8(w, c->from[i]);
		ae_sid_put(w, &c->sids[i]);
	}
	put_text(w, c->account);
	put_text(w, c->netbios);
	put_text(w, c->dns_domain);
	put_text(w, c->realm);
	put_text(w, c->principal);
	if (c->upn != NULL)
		put_text(w, c->upn);
}

/* NULL when out of memory; malformed text makes r bad. */
static char *
get_text(struct ae_rd *r)
{
	uint16_t len = ae_rd_u16(r);
	const uint8_t *p;
	char *s;

	if (len == 0 || len > AE_CALLER_NAME_MAX)
		ae_rd_fail(r);
	p = ae_rd_take(r, len);
	if (p == NULL || memchr(p, 0, len) != NULL) {
		ae_rd_fail(r);
		return NULL;
	}
	s = malloc((size_t)len + 1);
	if (s == NULL)
		return NULL;
	memcpy(s, p, len);
	s[len] = '\0';
	if (!ae_utf8_valid(s))
		ae_rd_fail(r);
	return s;
}

/* The set must come sorted and contain the user as such. */
static bool
get_sids(struct ae_rd *r, struct ae_caller *c)
{
	bool has_user = false;
	size_t i, n = ae_rd_u16(r);

	if (n > AE_CALLER_SIDS_MAX || n * (SID_WIRE_MIN + 1) > ae_rd_left(r)) {
		ae_rd_fail(r);
		return true;
	}
	c->sids = calloc(n + 1, sizeof(*c->sids));
	c->from = calloc(n + 1, sizeof(*c->from));
	if (c->sids == NULL || c->from == NULL)
		return false;
	for (i = 0; i < n; i++) {
		c->from[i] = ae_rd_u8(r);
		c->sids[i] = ae_sid_get(r);
		if (c->from[i] == 0 || (c->from[i] & ~FROM_ALL) != 0 ||
		    (i > 0 &&
			ae_sid_compare(&c->sids[i - 1], &c->sids[i]) >= 0))
			ae_rd_fail(r);
		if ((c->from[i] & AE_CALLER_FROM_USER) != 0) {
			if (has_user || !ae_sid_equal(&c->sids[i], &c->user))
				ae_rd_fail(r);
			has_user = true;
		}
	}
	c->nsids = n;
	if (!has_user)
		ae_rd_fail(r);
	return true;
}

static void
get_domain(struct ae_rd *r, struct ae_caller *c)
{
	if (c->user.nsubs < 2) {
		ae_rd_fail(r);
		return;
	}
	c->domain_sid = c->user;
	c->domain_sid.nsubs--;
	c->domain_sid.sub[c->domain_sid.nsubs] = 0;
}

/* False: out of memory. */
static bool
get_all(struct ae_rd *r, struct ae_caller *c)
{
	char **names[] = { &c->account, &c->netbios, &c->dns_domain, &c->realm,
		&c->principal, &c->upn };
	uint32_t magic = ae_rd_u32(r);
	uint8_t version = ae_rd_u8(r), bits = ae_rd_u8(r);
	size_t i, n;

	if (magic != CALLER_MAGIC || version != CALLER_VERSION ||
	    (bits & ~(BIT_DELEGATED | BIT_UPN)) != 0)
		ae_rd_fail(r);
	c->delegated = (bits & BIT_DELEGATED) != 0;
	c->uac = ae_rd_u32(r);
	c->auth_time = (int64_t)ae_rd_u64(r);
	c->logon_time = (int64_t)ae_rd_u64(r);
	c->user = ae_sid_get(r);
	get_domain(r, c);
	if (!ae_rd_ok(r))
		return true;
	if (!get_sids(r, c))
		return false;
	n = sizeof(names) / sizeof(names[0]) - ((bits & BIT_UPN) != 0 ? 0 : 1);
	for (i = 0; i < n && ae_rd_ok(r); i++) {
		*names[i] = get_text(r);
		if (*names[i] == NULL && ae_rd_ok(r))
			return false;
	}
	return true;
}

int
ae_caller_decode(struct ae_caller **out, struct ae_rd *r, struct ae_err *e)
{
	struct ae_caller *c = calloc(1, sizeof(*c));
	int rc = AE_OK;

	if (c == NULL || !get_all(r, c))
		rc = ae_fail_mem(e);
	else if (!ae_rd_ok(r))
		rc = ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "malformed caller record");
	if (rc == AE_OK)
		*out = c;
	else
		ae_caller_free(c);
	return rc;
}
