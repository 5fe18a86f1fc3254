/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tokens and the access check.  A token carries a hash table of its SIDs,
 * an ACE the hash of its own, so an ACE for somebody else costs one look.
 */
#include "ad/sd.h"

#include <stdlib.h>
#include <string.h>

#include "ad/sd_int.h"

/* Windows itself stops at 1015 groups; a PAC with more is refused there. */
#define TOKEN_SIDS_MAX 4096u

#define NT_AUTHORITY 5

const struct ae_guid ae_right_enroll = { 0x0e10c968, 0x78fb, 0x11d2,
	{ 0x90, 0xd4, 0x00, 0xc0, 0x4f, 0x79, 0xdc, 0x55 } };
const struct ae_guid ae_right_autoenroll = { 0xa05b8cc2, 0x17bc, 0x4802,
	{ 0xa7, 0x10, 0xe7, 0xc1, 0x5a, 0xb8, 0x66, 0xa2 } };
const struct ae_guid ae_right_apply_group_policy = { 0xedacfd8f, 0xffb3, 0x11d1,
	{ 0xb4, 0x1d, 0x00, 0xa0, 0xc9, 0x68, 0xf9, 0x39 } };

static const struct ae_sid everyone = { 1, 1, { 0 } };
static const struct ae_sid network = { NT_AUTHORITY, 1, { 2 } };
static const struct ae_sid enterprise_dcs = { NT_AUTHORITY, 1, { 9 } };
static const struct ae_sid principal_self = { NT_AUTHORITY, 1, { 10 } };
static const struct ae_sid authenticated = { NT_AUTHORITY, 1, { 11 } };
static const struct ae_sid this_organization = { NT_AUTHORITY, 1, { 15 } };
static const struct ae_sid other_organization = { NT_AUTHORITY, 1, { 1000 } };
static const struct ae_sid owner_rights = { 3, 1, { 4 } };

struct ae_token {
	struct ae_sid *sids; /* sorted, no doubles */
	size_t n;
	uint16_t *table; /* index into sids plus one; 0: free */
	uint32_t mask;
};

static bool
has(const struct ae_token *t, const struct ae_sid *sid, uint32_t hash)
{
	uint32_t at;

	for (at = hash & t->mask; t->table[at] != 0; at = (at + 1) & t->mask)
		if (ae_sid_equal(&t->sids[t->table[at] - 1], sid))
			return true;
	return false;
}

bool
ae_token_has(const struct ae_token *t, const struct ae_sid *sid)
{
	return has(t, sid, ae_sd_hash(sid));
}

const struct ae_sid *
ae_token_sids(const struct ae_token *t, size_t *n)
{
	*n = t->n;
	return t->sids;
}

void
ae_token_free(struct ae_token *t)
{
	if (t == NULL)
		return;
	free(t->sids);
	free(t->table);
	free(t);
}

/* Sort, drop doubles, fill the table: at most a quarter full. */
static bool
finish(struct ae_token *t)
{
	size_t i, kept = 0, size = 16;
	uint32_t at;

	ae_sid_sort(t->sids, t->n);
	for (i = 0; i < t->n; i++)
		if (kept == 0 || !ae_sid_equal(&t->sids[kept - 1], &t->sids[i]))
			t->sids[kept++] = t->sids[i];
	t->n = kept;
	while (size < 4 * t->n)
		size *= 2;
	t->table = calloc(size, sizeof(*t->table));
	if (t->table == NULL)
		return false;
	t->mask = (uint32_t)(size - 1);
	for (i = 0; i < t->n; i++) {
		at = ae_sd_hash(&t->sids[i]) & t->mask;
		while (t->table[at] != 0)
			at = (at + 1) & t->mask;
		t->table[at] = (uint16_t)(i + 1);
	}
	return true;
}

/* A token with room for spare more SIDs behind the n it starts with. */
static int
start(struct ae_token **out, const struct ae_sid *sids, size_t n, size_t spare,
    struct ae_err *e)
{
	struct ae_token *t;

	if (n > TOKEN_SIDS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a token of %zu SIDs; %u are accepted", n, TOKEN_SIDS_MAX);
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ae_fail_mem(e);
	t->sids = calloc(n + spare + 1, sizeof(*t->sids));
	if (t->sids == NULL) {
		free(t);
		return ae_fail_mem(e);
	}
	if (n != 0)
		memcpy(t->sids, sids, n * sizeof(*sids));
	t->n = n;
	*out = t;
	return AE_OK;
}

int
ae_token_exact(struct ae_token **out, const struct ae_sid *sids, size_t n,
    struct ae_err *e)
{
	struct ae_token *t = NULL;
	int rc;

	if ((rc = start(&t, sids, n, 0, e)) != AE_OK)
		return rc;
	if (!finish(t)) {
		ae_token_free(t);
		return ae_fail_mem(e);
	}
	*out = t;
	return AE_OK;
}

int
ae_token_new(struct ae_token **out, const struct ae_sid *user,
    const struct ae_sid *groups, size_t n, unsigned int flags, struct ae_err *e)
{
	struct ae_token *t = NULL;
	bool foreign = false;
	size_t i;
	int rc;

	if ((rc = start(&t, groups, n, 6, e)) != AE_OK)
		return rc;
	for (i = 0; i < n; i++)
		foreign =
		    foreign || ae_sid_equal(&groups[i], &other_organization);
	if (user != NULL)
		t->sids[t->n++] = *user;
	t->sids[t->n++] = everyone;
	t->sids[t->n++] = authenticated;
	if (!foreign)
		t->sids[t->n++] = this_organization;
	if ((flags & AE_TOKEN_DC) != 0)
		t->sids[t->n++] = enterprise_dcs;
	if ((flags & AE_TOKEN_NETWORK) != 0)
		t->sids[t->n++] = network;
	if (!finish(t)) {
		ae_token_free(t);
		return ae_fail_mem(e);
	}
	*out = t;
	return AE_OK;
}

uint32_t
ae_access_map_generic(uint32_t mask)
{
	static const struct {
		uint32_t generic;
		uint32_t specific;
	} map[] = {
		{ AE_ACCESS_GENERIC_ALL, AE_ACCESS_FULL },
		{ AE_ACCESS_GENERIC_READ,
		    AE_ACCESS_READ | AE_ACCESS_LIST_OBJECT },
		{ AE_ACCESS_GENERIC_WRITE,
		    AE_ACCESS_READ_CONTROL | AE_ACCESS_WRITE_PROP |
			AE_ACCESS_SELF },
		{ AE_ACCESS_GENERIC_EXECUTE,
		    AE_ACCESS_READ_CONTROL | AE_ACCESS_LIST },
	};
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if ((mask & map[i].generic) != 0)
			mask = (mask & ~map[i].generic) | map[i].specific;
	return mask;
}

enum effect { NOTHING, ALLOW, DENY };

/* What an ACE does when its SID is in the token, for the object asked. */
static enum effect
effect_of(const struct ae_ace *a, const struct ae_guid *object)
{
	switch (a->type) {
	case AE_ACE_ALLOWED:
		return ALLOW;
	case AE_ACE_DENIED:
	case AE_ACE_DENIED_CALLBACK:
		return DENY;
	case AE_ACE_ALLOWED_OBJECT:
	case AE_ACE_DENIED_OBJECT:
	case AE_ACE_DENIED_CALLBACK_OBJECT:
		if (a->has_object &&
		    (object == NULL || !ae_guid_equal(&a->object, object)))
			return NOTHING;
		return a->type == AE_ACE_ALLOWED_OBJECT ? ALLOW : DENY;
	default:
		return NOTHING;
	}
}

struct check {
	const struct ae_token *token;
	const struct ae_sid *self;
	bool owner; /* the token holds the owner's SID */
};

static bool
concerns(const struct check *c, const struct ae_ace *a)
{
	if (a->sid.nsubs == 1 && ae_sid_equal(&a->sid, &principal_self))
		return c->self != NULL && ae_token_has(c->token, c->self);
	if (a->sid.nsubs == 1 && ae_sid_equal(&a->sid, &owner_rights))
		return c->owner;
	return has(c->token, &a->sid, a->hash);
}

static bool
limits_owner(const struct ae_sd *sd)
{
	size_t i;

	for (i = 0; i < sd->dacl.n; i++)
		if ((sd->dacl.v[i].flags & AE_ACE_INHERIT_ONLY) == 0 &&
		    sd->dacl.v[i].known &&
		    ae_sid_equal(&sd->dacl.v[i].sid, &owner_rights))
			return true;
	return false;
}

bool
ae_sd_access_check(const struct ae_sd *sd, const struct ae_token *t,
    uint32_t desired, const struct ae_guid *object, const struct ae_sid *self,
    uint32_t *granted)
{
	struct check c = { .token = t, .self = self };
	uint32_t want = ae_access_map_generic(desired);
	bool all = (want & AE_ACCESS_MAXIMUM_ALLOWED) != 0;
	uint32_t allowed = 0, denied = 0;
	enum effect effect;
	size_t i;

	want &= ~AE_ACCESS_MAXIMUM_ALLOWED;
	if (granted != NULL)
		*granted = 0;
	/* Privileges do not travel here, so nobody has SeSecurityPrivilege. */
	if ((want & AE_ACCESS_SYSTEM_SECURITY) != 0)
		return false;
	if (!sd->has_dacl) {
		if (granted != NULL)
			*granted = all ? want | AE_ACCESS_FULL : want;
		return true;
	}
	c.owner = sd->has_owner && ae_token_has(t, &sd->owner);
	if (c.owner && !limits_owner(sd))
		allowed = AE_ACCESS_READ_CONTROL | AE_ACCESS_WRITE_DAC;
	/* A bit is decided by the first ACE that mentions it. */
	for (i = 0; i < sd->dacl.n && (all || (want & ~allowed) != 0); i++) {
		const struct ae_ace *a = &sd->dacl.v[i];

		if ((a->flags & AE_ACE_INHERIT_ONLY) != 0 || !a->known)
			continue;
		effect = effect_of(a, object);
		if (effect == NOTHING || !concerns(&c, a))
			continue;
		if (effect == ALLOW)
			allowed |= a->mask & ~denied;
		else
			denied |= ae_access_map_generic(a->mask) & ~allowed;
		if ((want & denied) != 0)
			return false;
	}
	if ((want & ~allowed) != 0 || (all && allowed == 0))
		return false;
	if (granted != NULL)
		*granted = all ? allowed : want;
	return true;
}

bool
ae_sd_has_right(const struct ae_sd *sd, const struct ae_token *t,
    const struct ae_guid *right)
{
	return sd != NULL && sd->has_dacl &&
	    ae_sd_access_check(sd, t, AE_ACCESS_CONTROL, right, NULL, NULL);
}

bool
ae_sd_can_enroll(const struct ae_sd *sd, const struct ae_token *t)
{
	return ae_sd_has_right(sd, t, &ae_right_enroll);
}

bool
ae_sd_can_autoenroll(const struct ae_sd *sd, const struct ae_token *t)
{
	return ae_sd_has_right(sd, t, &ae_right_autoenroll);
}

bool
ae_sd_can_read(const struct ae_sd *sd, const struct ae_token *t)
{
	return sd != NULL && sd->has_dacl &&
	    ae_sd_access_check(sd, t, AE_ACCESS_READ, NULL, NULL, NULL);
}
