/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * From the buffers of a PAC to a caller; see pac.h.
 */
#include "gss/pac.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/breaks.h"
#include "base/time.h"
#include "base/utf16.h"
#include "gss/caller_int.h"

/* MS-PAC 2.10 UPN_DNS_INFO flags */
#define UPN_NONE 0x1	 /* U: the account has no userPrincipalName */
#define UPN_EXTENDED 0x2 /* S: SAM name and SID follow */

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "PAC: %s", what);
}

static int
contradiction(struct ae_err *e, const char *what)
{
	return ae_fail(
	    e, AE_EAUTH, AE_DOM_NONE, 0, "PAC contradicts itself: %s", what);
}

static int64_t
unix_time(struct ae_pac_filetime t)
{
	return ae_time_from_filetime((uint64_t)t.hi << 32 | t.lo);
}

/* A copy of s in *out; an empty or absent name is refused. */
static int
take_name(char **out, const char *s, const char *what, struct ae_err *e)
{
	if (s == NULL || s[0] == '\0')
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0, "PAC: no %s", what);
	if (strlen(s) > AE_CALLER_NAME_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "PAC: %s of %zu bytes", what, strlen(s));
	free(*out);
	*out = strdup(s);
	return *out == NULL ? ae_fail_mem(e) : AE_OK;
}

static int
add_groups(struct ae_sid_list *l, const struct ae_sid *domain,
    const struct ae_pac_group *g, size_t n, uint8_t from, struct ae_err *e)
{
	struct ae_sid sid;
	size_t i;
	int rc;

	if (n > 0 && (domain == NULL || g == NULL))
		return bad(e, "groups without a domain");
	for (i = 0; i < n; i++) {
		if ((g[i].attributes & AE_PAC_SE_GROUP_ENABLED) == 0 &&
		    !AE_BREAK(pac_groups))
			continue;
		if (!ae_sid_append(&sid, domain, g[i].rid))
			return bad(e, "domain SID is full");
		if ((rc = ae_sid_list_add(l, &sid, from, e)) != AE_OK)
			return rc;
	}
	return AE_OK;
}

static int
add_extra(struct ae_sid_list *l, const struct ae_pac_validation_info *v,
    struct ae_err *e)
{
	uint32_t i;
	int rc;

	if (v->sid_count > 0 && v->extra_sids == NULL)
		return bad(e, "extra SIDs announced but absent");
	for (i = 0; i < v->sid_count; i++) {
		if (v->extra_sids[i].sid == NULL)
			return bad(e, "extra SID is NULL");
		if ((v->extra_sids[i].attributes & AE_PAC_SE_GROUP_ENABLED) ==
		    0)
			continue;
		rc = ae_sid_list_add(
		    l, v->extra_sids[i].sid, AE_CALLER_FROM_EXTRA, e);
		if (rc != AE_OK)
			return rc;
	}
	return AE_OK;
}

/*
 * Who it is.  UserId 0 would mean "the first extra SID is the account"
 * (MS-PAC 2.5), which is for trusted non-AD realms: nobody here.
 */
static int
take_user(struct ae_caller *c, const struct ae_pac_validation_info *v,
    struct ae_err *e)
{
	if (v->logon_domain_id == NULL || v->logon_domain_id->nsubs == 0)
		return bad(e, "no domain SID");
	if (v->user_id == 0)
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "PAC: the account has no RID in its domain");
	c->domain_sid = *v->logon_domain_id;
	if (!ae_sid_append(&c->user, v->logon_domain_id, v->user_id))
		return bad(e, "domain SID is full");
	return AE_OK;
}

static int
take_sids(struct ae_caller *c, const struct ae_pac_validation_info *v,
    struct ae_err *e)
{
	/* The primary group stands without attributes: it is enabled. */
	const struct ae_pac_group primary = { v->primary_group_id,
		AE_PAC_SE_GROUP_ENABLED };
	struct ae_sid_list l = { 0 };
	int rc;

	rc = ae_sid_list_add(&l, &c->user, AE_CALLER_FROM_USER, e);
	if (rc == AE_OK && primary.rid != 0)
		rc = add_groups(&l, v->logon_domain_id, &primary, 1,
		    AE_CALLER_FROM_PRIMARY, e);
	if (rc == AE_OK)
		rc = add_groups(&l, v->logon_domain_id, v->groups,
		    v->group_count, AE_CALLER_FROM_GROUPS, e);
	if (rc == AE_OK)
		rc = add_extra(&l, v, e);
	if (rc == AE_OK)
		rc =
		    add_groups(&l, v->resource_group_domain, v->resource_groups,
			v->resource_group_count, AE_CALLER_FROM_RESOURCE, e);
	if (rc == AE_OK)
		rc = ae_sid_list_take(&l, c, e);
	ae_sid_list_done(&l);
	return rc;
}

static int
take_logon_info(struct ae_caller *c, const struct ae_pac_buf *b,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_pac_logon_info li = { 0 };
	const struct ae_pac_validation_info *v;
	int rc;

	rc = ae_ndr_unpickle(
	    &ae_ndr_pac_logon_info, &li, b->p, b->len, a, NULL, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "PAC logon information");
	v = li.info;
	if (v == NULL)
		return bad(e, "logon information is NULL");
	c->uac = v->user_account_control;
	c->logon_time = unix_time(v->logon_time);
	rc = take_user(c, v, e);
	if (rc == AE_OK)
		rc = take_name(&c->account, v->effective_name, "account", e);
	if (rc == AE_OK)
		rc = take_name(&c->netbios, v->logon_domain_name, "domain", e);
	return rc == AE_OK ? take_sids(c, v, e) : rc;
}

/* One string of UPN_DNS_INFO, which names its place in the buffer. */
static char *
text_at(
    const struct ae_rd *whole, uint16_t len, uint16_t off, struct ae_arena *a)
{
	struct ae_rd r = *whole;
	const uint8_t *p;

	ae_rd_seek(&r, off);
	p = ae_rd_take(&r, len);
	if (p == NULL || len % 2 != 0)
		return NULL;
	return ae_utf16_to_utf8(a, p, len / 2);
}

static int
check_sid_at(const struct ae_rd *whole, uint16_t len, uint16_t off,
    const struct ae_caller *c, struct ae_err *e)
{
	struct ae_rd r = *whole, sub;
	struct ae_sid sid;

	ae_rd_seek(&r, off);
	sub = ae_rd_sub(&r, len);
	sid = ae_sid_get(&sub);
	if (!ae_rd_done(&sub))
		return bad(e, "UPN_DNS_INFO: SID");
	if (!ae_sid_equal(&sid, &c->user))
		return contradiction(e, "UPN_DNS_INFO has another SID");
	return AE_OK;
}

/* MS-PAC 2.10 */
static int
take_upn_dns(struct ae_caller *c, const struct ae_pac_buf *b,
    struct ae_arena *a, struct ae_err *e)
{
	uint16_t upn_len, upn_off, dns_len, dns_off, sid_len, sid_off;
	const char *upn, *dns;
	uint32_t flags;
	struct ae_rd r;
	int rc;

	ae_rd_init(&r, b->p, b->len);
	upn_len = ae_rd_u16(&r);
	upn_off = ae_rd_u16(&r);
	dns_len = ae_rd_u16(&r);
	dns_off = ae_rd_u16(&r);
	flags = ae_rd_u32(&r);
	if (!ae_rd_ok(&r))
		return bad(e, "UPN_DNS_INFO is short");
	upn = text_at(&r, upn_len, upn_off, a);
	dns = text_at(&r, dns_len, dns_off, a);
	if (upn == NULL || dns == NULL)
		return bad(e, "UPN_DNS_INFO: names");
	if ((flags & UPN_EXTENDED) != 0) {
		ae_rd_skip(&r, 4); /* SAM name: logon information has it */
		sid_len = ae_rd_u16(&r);
		sid_off = ae_rd_u16(&r);
		if (!ae_rd_ok(&r))
			return bad(e, "UPN_DNS_INFO is short");
		rc = check_sid_at(&r, sid_len, sid_off, c, e);
		if (rc != AE_OK)
			return rc;
	}
	if ((flags & UPN_NONE) == 0 && upn[0] != '\0') {
		rc = take_name(&c->upn, upn, "UPN", e);
		if (rc != AE_OK)
			return rc;
	}
	if (dns[0] == '\0')
		return AE_OK;
	return take_name(&c->dns_domain, dns, "DNS domain", e);
}

/* MS-PAC 2.7: what is left of it is the time; the library compared the rest. */
static int
take_client_info(
    struct ae_caller *c, const struct ae_pac_buf *b, struct ae_err *e)
{
	struct ae_rd r;
	uint64_t ft;

	ae_rd_init(&r, b->p, b->len);
	ft = ae_rd_u64(&r);
	if (!ae_rd_ok(&r))
		return bad(e, "client information is short");
	c->auth_time = ae_time_from_filetime(ft);
	return AE_OK;
}

/* MS-PAC 2.15: the SID that the ticket was asked for. */
static int
check_requester(
    const struct ae_caller *c, const struct ae_pac_buf *b, struct ae_err *e)
{
	struct ae_sid sid;
	struct ae_rd r;

	ae_rd_init(&r, b->p, b->len);
	sid = ae_sid_get(&r);
	if (!ae_rd_ok(&r))
		return bad(e, "requester SID");
	if (!ae_sid_equal(&sid, &c->user) && !AE_BREAK(pac_requester))
		return contradiction(e, "the requester is another account");
	return AE_OK;
}

/* The realm as a default for the DNS name, which AD keeps equal. */
static int
take_principal(struct ae_caller *c, const char *principal, struct ae_err *e)
{
	const char *at = strrchr(principal, '@');
	int rc;

	rc = take_name(&c->principal, principal, "principal", e);
	if (rc == AE_OK)
		rc = take_name(
		    &c->realm, at != NULL ? at + 1 : NULL, "realm", e);
	if (rc == AE_OK)
		rc = take_name(&c->dns_domain, c->realm, "realm", e);
	return rc;
}

int
ae_pac_caller(
    struct ae_caller **out, const struct ae_pac *pac, struct ae_err *e)
{
	struct ae_arena *a = NULL;
	struct ae_caller *c;
	char *p;
	int rc;

	c = calloc(1, sizeof(*c));
	a = ae_arena_new(AE_PAC_ARENA_MAX);
	if (c == NULL || a == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	if (pac->logon.p == NULL || pac->client.p == NULL) {
		rc = ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "PAC without logon and client information");
		goto out;
	}
	c->delegated = pac->delegated.p != NULL;
	rc = take_principal(c, pac->principal, e);
	if (rc == AE_OK)
		rc = take_client_info(c, &pac->client, e);
	if (rc == AE_OK)
		rc = take_logon_info(c, &pac->logon, a, e);
	if (rc == AE_OK && pac->upn_dns.p != NULL)
		rc = take_upn_dns(c, &pac->upn_dns, a, e);
	if (rc == AE_OK && pac->requester.p != NULL)
		rc = check_requester(c, &pac->requester, e);
	/* KDCs write the domain in capitals; everybody else does not. */
	for (p = c->dns_domain; rc == AE_OK && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
out:
	ae_arena_free(a);
	if (rc == AE_OK)
		*out = c;
	else
		ae_caller_free(c);
	return rc;
}
