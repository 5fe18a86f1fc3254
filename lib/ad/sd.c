/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Security descriptors: parsing, building, encoding.  The check itself is
 * in access.c.
 */
#include "ad/sd.h"

#include <stdlib.h>
#include <string.h>

#include "ad/sd_int.h"
#include "base/rd.h"

#define HEADER_LEN 20u
#define ACL_HEADER_LEN 8u
#define ACE_HEADER_LEN 4u
#define OBJECT_PRESENT UINT32_C(1)
#define INHERITED_OBJECT_PRESENT UINT32_C(2)

enum layout { OPAQUE, PLAIN, OBJECT };

/* MS-DTYP 2.4.4.1; a type without a row is kept, but means nothing. */
static const enum layout layouts[] = {
	[0x00] = PLAIN,
	[0x01] = PLAIN,
	[0x02] = PLAIN,
	[0x03] = PLAIN,
	[0x05] = OBJECT,
	[0x06] = OBJECT,
	[0x07] = OBJECT,
	[0x08] = OBJECT,
	[0x09] = PLAIN,
	[0x0a] = PLAIN,
	[0x0b] = OBJECT,
	[0x0c] = OBJECT,
	[0x0d] = PLAIN,
	[0x0e] = PLAIN,
	[0x0f] = OBJECT,
	[0x10] = OBJECT,
	[0x11] = PLAIN,
	[0x12] = PLAIN,
	[0x13] = PLAIN,
};

static enum layout
layout_of(uint8_t type)
{
	return type < sizeof(layouts) / sizeof(layouts[0]) ? layouts[type]
							   : OPAQUE;
}

static void
acl_done(struct ae_acl *acl)
{
	size_t i;

	for (i = 0; i < acl->n; i++)
		free(acl->v[i].body);
	free(acl->v);
	memset(acl, 0, sizeof(*acl));
}

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(
	    e, AE_EPROTO, AE_DOM_NONE, 0, "security descriptor: %s", what);
}

/* One ACE; r covers exactly its body behind the header. */
static int
get_ace(struct ae_ace *a, struct ae_rd *r, struct ae_err *e)
{
	enum layout layout = layout_of(a->type);
	uint32_t present = 0;

	if (layout != OPAQUE) {
		a->known = true;
		a->mask = ae_rd_u32(r);
		if (layout == OBJECT)
			present = ae_rd_u32(r);
		a->has_object = (present & OBJECT_PRESENT) != 0;
		if (a->has_object)
			a->object = ae_guid_get(r);
		a->has_inherited_object =
		    (present & INHERITED_OBJECT_PRESENT) != 0;
		if (a->has_inherited_object)
			a->inherited_object = ae_guid_get(r);
		a->sid = ae_sid_get(r);
		a->hash = ae_sd_hash(&a->sid);
	}
	if (!ae_rd_ok(r))
		return bad(e, "malformed ACE");
	a->body_len = ae_rd_left(r);
	if (a->body_len == 0)
		return AE_OK;
	a->body = malloc(a->body_len);
	if (a->body == NULL)
		return ae_fail_mem(e);
	ae_rd_copy(r, a->body, a->body_len);
	return AE_OK;
}

/* The ACL at an offset of the descriptor, MS-DTYP 2.4.5. */
static int
get_acl(struct ae_acl *acl, struct ae_rd *whole, uint32_t off, struct ae_err *e)
{
	struct ae_rd r, body;
	uint16_t size, count, len;
	int rc;

	if (off < HEADER_LEN)
		return bad(e, "an ACL overlaps the header");
	ae_rd_seek(whole, off);
	acl->revision = ae_rd_u8(whole);
	ae_rd_skip(whole, 1);
	size = ae_rd_u16(whole);
	count = ae_rd_u16(whole);
	ae_rd_skip(whole, 2);
	if (!ae_rd_ok(whole) || size < ACL_HEADER_LEN)
		return bad(e, "truncated ACL");
	if (acl->revision < 2 || acl->revision > 4)
		return bad(e, "unknown ACL revision");
	r = ae_rd_sub(whole, size - ACL_HEADER_LEN);
	if (!ae_rd_ok(&r))
		return bad(e, "an ACL runs past the end");
	if (count > ae_rd_left(&r) / ACE_HEADER_LEN)
		return bad(e, "an ACL counts more ACEs than it can hold");
	acl->v = calloc(count != 0 ? count : 1, sizeof(*acl->v));
	if (acl->v == NULL)
		return ae_fail_mem(e);
	while (acl->n < count) {
		struct ae_ace *a = &acl->v[acl->n];

		a->type = ae_rd_u8(&r);
		a->flags = ae_rd_u8(&r);
		len = ae_rd_u16(&r);
		/* MS-DTYP 2.4.4.1: a multiple of 4, header included. */
		if (!ae_rd_ok(&r) || len < ACE_HEADER_LEN || len % 4 != 0)
			return bad(e, "an ACE has an impossible size");
		body = ae_rd_sub(&r, len - ACE_HEADER_LEN);
		if (!ae_rd_ok(&body))
			return bad(e, "an ACE runs past its ACL");
		acl->n++;
		if ((rc = get_ace(a, &body, e)) != AE_OK)
			return rc;
	}
	return AE_OK;
}

static int
get_sid(struct ae_sid *sid, struct ae_rd *whole, uint32_t off, struct ae_err *e)
{
	if (off < HEADER_LEN)
		return bad(e, "a SID overlaps the header");
	ae_rd_seek(whole, off);
	*sid = ae_sid_get(whole);
	if (!ae_rd_ok(whole))
		return bad(e, "malformed owner or group");
	return AE_OK;
}

static int
parse(struct ae_sd *sd, struct ae_rd *r, struct ae_err *e)
{
	uint32_t owner, group, sacl, dacl;
	int rc;

	if (ae_rd_u8(r) != 1)
		return bad(e, "unknown revision");
	ae_rd_skip(r, 1);
	sd->control = ae_rd_u16(r);
	owner = ae_rd_u32(r);
	group = ae_rd_u32(r);
	sacl = ae_rd_u32(r);
	dacl = ae_rd_u32(r);
	if (!ae_rd_ok(r))
		return bad(e, "truncated header");
	if ((sd->control & AE_SD_SELF_RELATIVE) == 0)
		return bad(e, "not self-relative");
	sd->has_owner = owner != 0;
	sd->has_group = group != 0;
	sd->has_sacl = (sd->control & AE_SD_SACL_PRESENT) != 0 && sacl != 0;
	sd->has_dacl = (sd->control & AE_SD_DACL_PRESENT) != 0 && dacl != 0;
	if (sd->has_owner && (rc = get_sid(&sd->owner, r, owner, e)) != AE_OK)
		return rc;
	if (sd->has_group && (rc = get_sid(&sd->group, r, group, e)) != AE_OK)
		return rc;
	if (sd->has_sacl && (rc = get_acl(&sd->sacl, r, sacl, e)) != AE_OK)
		return rc;
	if (sd->has_dacl && (rc = get_acl(&sd->dacl, r, dacl, e)) != AE_OK)
		return rc;
	return AE_OK;
}

int
ae_sd_parse(struct ae_sd **out, const void *p, size_t len, struct ae_err *e)
{
	struct ae_sd *sd;
	struct ae_rd r;
	int rc;

	if (len > AE_SD_BYTES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "security descriptor: %zu bytes", len);
	sd = ae_sd_new();
	if (sd == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, p, len);
	rc = parse(sd, &r, e);
	if (rc != AE_OK) {
		ae_sd_free(sd);
		return rc;
	}
	*out = sd;
	return AE_OK;
}

struct ae_sd *
ae_sd_new(void)
{
	struct ae_sd *sd = calloc(1, sizeof(*sd));

	if (sd != NULL)
		sd->control = AE_SD_SELF_RELATIVE;
	return sd;
}

void
ae_sd_free(struct ae_sd *sd)
{
	if (sd == NULL)
		return;
	acl_done(&sd->dacl);
	acl_done(&sd->sacl);
	free(sd);
}

static bool
acl_dup(struct ae_acl *to, const struct ae_acl *from)
{
	to->revision = from->revision;
	if (from->n == 0)
		return true;
	to->v = calloc(from->n, sizeof(*to->v));
	if (to->v == NULL)
		return false;
	for (; to->n < from->n; to->n++) {
		struct ae_ace *a = &to->v[to->n];

		*a = from->v[to->n];
		if (a->body_len == 0)
			continue;
		a->body = malloc(a->body_len);
		if (a->body == NULL)
			return false;
		memcpy(a->body, from->v[to->n].body, a->body_len);
	}
	return true;
}

struct ae_sd *
ae_sd_dup(const struct ae_sd *sd)
{
	struct ae_sd *copy = ae_sd_new();

	if (copy == NULL)
		return NULL;
	*copy = *sd;
	memset(&copy->dacl, 0, sizeof(copy->dacl));
	memset(&copy->sacl, 0, sizeof(copy->sacl));
	if (!acl_dup(&copy->dacl, &sd->dacl) ||
	    !acl_dup(&copy->sacl, &sd->sacl)) {
		ae_sd_free(copy);
		return NULL;
	}
	return copy;
}

void
ae_sd_set_owner(struct ae_sd *sd, const struct ae_sid *owner)
{
	sd->owner = *owner;
	sd->has_owner = true;
}

void
ae_sd_set_group(struct ae_sd *sd, const struct ae_sid *group)
{
	sd->group = *group;
	sd->has_group = true;
}

static int
add(struct ae_sd *sd, uint8_t type, uint8_t flags, uint32_t mask,
    const struct ae_guid *object, const struct ae_sid *sid, struct ae_err *e)
{
	struct ae_ace *a, *v;

	v = realloc(sd->dacl.v, (sd->dacl.n + 1) * sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	sd->dacl.v = v;
	a = &v[sd->dacl.n];
	memset(a, 0, sizeof(*a));
	a->type = type;
	a->flags = flags;
	a->known = true;
	a->mask = mask;
	a->sid = *sid;
	a->hash = ae_sd_hash(sid);
	if (object != NULL) {
		a->has_object = true;
		a->object = *object;
	}
	sd->dacl.n++;
	/* MS-DTYP 2.4.5: object ACEs need the DS revision. */
	if (object != NULL)
		sd->dacl.revision = 4;
	else if (sd->dacl.revision == 0)
		sd->dacl.revision = 2;
	sd->has_dacl = true;
	sd->control |= AE_SD_DACL_PRESENT;
	return AE_OK;
}

int
ae_sd_allow(struct ae_sd *sd, uint8_t flags, uint32_t mask,
    const struct ae_guid *object, const struct ae_sid *sid, struct ae_err *e)
{
	return add(sd, object != NULL ? AE_ACE_ALLOWED_OBJECT : AE_ACE_ALLOWED,
	    flags, mask, object, sid, e);
}

int
ae_sd_deny(struct ae_sd *sd, uint8_t flags, uint32_t mask,
    const struct ae_guid *object, const struct ae_sid *sid, struct ae_err *e)
{
	return add(sd, object != NULL ? AE_ACE_DENIED_OBJECT : AE_ACE_DENIED,
	    flags, mask, object, sid, e);
}

int
ae_sd_add_callback(struct ae_sd *sd, bool allow, uint32_t mask,
    const struct ae_sid *sid, const void *body, size_t len, struct ae_err *e)
{
	uint8_t *copy = malloc(len + 1);
	int rc;

	if (copy == NULL)
		return ae_fail_mem(e);
	memcpy(copy, body, len);
	rc = add(sd, allow ? AE_ACE_ALLOWED_CALLBACK : AE_ACE_DENIED_CALLBACK,
	    0, mask, NULL, sid, e);
	if (rc < 0) {
		free(copy);
		return rc;
	}
	sd->dacl.v[sd->dacl.n - 1].body = copy;
	sd->dacl.v[sd->dacl.n - 1].body_len = len;
	return AE_OK;
}

void
ae_sd_remove(struct ae_sd *sd, size_t i)
{
	if (i >= sd->dacl.n)
		return;
	free(sd->dacl.v[i].body);
	sd->dacl.n--;
	memmove(&sd->dacl.v[i], &sd->dacl.v[i + 1],
	    (sd->dacl.n - i) * sizeof(*sd->dacl.v));
}

/* 0 explicit deny, 1 explicit allow and the rest, 2 inherited. */
static int
ace_class(const struct ae_ace *a)
{
	if ((a->flags & AE_ACE_INHERITED) != 0)
		return 2;
	return a->type == AE_ACE_DENIED || a->type == AE_ACE_DENIED_OBJECT ||
		a->type == AE_ACE_DENIED_CALLBACK ||
		a->type == AE_ACE_DENIED_CALLBACK_OBJECT
	    ? 0
	    : 1;
}

void
ae_sd_canonicalize(struct ae_sd *sd)
{
	struct ae_ace keep;
	size_t i, j;

	/* Insertion sort: stable, and DACLs are short. */
	for (i = 1; i < sd->dacl.n; i++) {
		keep = sd->dacl.v[i];
		for (j = i;
		     j > 0 && ace_class(&sd->dacl.v[j - 1]) > ace_class(&keep);
		     j--)
			sd->dacl.v[j] = sd->dacl.v[j - 1];
		sd->dacl.v[j] = keep;
	}
}

static void
put_ace(struct ae_wr *w, const struct ae_ace *a)
{
	size_t start = w->len;

	ae_wr_u8(w, a->type);
	ae_wr_u8(w, a->flags);
	ae_wr_u16(w, 0);
	if (a->known) {
		ae_wr_u32(w, a->mask);
		if (layout_of(a->type) == OBJECT)
			ae_wr_u32(w,
			    (a->has_object ? OBJECT_PRESENT : 0) |
				(a->has_inherited_object
					? INHERITED_OBJECT_PRESENT
					: 0));
		if (a->has_object)
			ae_guid_put(w, &a->object);
		if (a->has_inherited_object)
			ae_guid_put(w, &a->inherited_object);
		ae_sid_put(w, &a->sid);
	}
	ae_wr_bytes(w, a->body, a->body_len);
	if (ae_wr_ok(w) && w->len - start <= UINT16_MAX)
		ae_wr_set_u16(w, start + 2, (uint16_t)(w->len - start));
}

/* False when the ACL is larger than its own size field can say. */
static bool
put_acl(struct ae_wr *w, const struct ae_acl *acl)
{
	size_t i, start = w->len;

	ae_wr_u8(w, acl->revision != 0 ? acl->revision : 2);
	ae_wr_u8(w, 0);
	ae_wr_u16(w, 0);
	ae_wr_u16(w, (uint16_t)acl->n);
	ae_wr_u16(w, 0);
	for (i = 0; i < acl->n; i++)
		put_ace(w, &acl->v[i]);
	if (w->len - start > UINT16_MAX)
		return false;
	if (ae_wr_ok(w))
		ae_wr_set_u16(w, start + 2, (uint16_t)(w->len - start));
	return true;
}

int
ae_sd_encode(struct ae_wr *w, const struct ae_sd *sd, struct ae_err *e)
{
	uint32_t off[4] = { 0 };
	size_t i, start = w->len;

	ae_wr_u8(w, 1);
	ae_wr_u8(w, 0);
	ae_wr_u16(w, sd->control | AE_SD_SELF_RELATIVE);
	ae_wr_zeros(w, sizeof(off));
	if (sd->has_sacl) {
		off[2] = (uint32_t)(w->len - start);
		if (!put_acl(w, &sd->sacl))
			goto too_big;
	}
	if (sd->has_dacl) {
		off[3] = (uint32_t)(w->len - start);
		if (!put_acl(w, &sd->dacl))
			goto too_big;
	}
	if (sd->has_owner) {
		off[0] = (uint32_t)(w->len - start);
		ae_sid_put(w, &sd->owner);
	}
	if (sd->has_group) {
		off[1] = (uint32_t)(w->len - start);
		ae_sid_put(w, &sd->group);
	}
	if (!ae_wr_ok(w)) {
		if (!ae_wr_full(w))
			return ae_fail_mem(e);
		goto too_big;
	}
	for (i = 0; i < 4; i++)
		ae_wr_set_u32(w, start + 4 + 4 * i, off[i]);
	return AE_OK;
too_big:
	return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
	    "security descriptor: an ACL does not fit its size field");
}

static bool
ace_equal(const struct ae_ace *a, const struct ae_ace *b)
{
	return a->type == b->type && a->flags == b->flags &&
	    a->mask == b->mask && a->has_object == b->has_object &&
	    a->has_inherited_object == b->has_inherited_object &&
	    ae_sid_equal(&a->sid, &b->sid) &&
	    ae_guid_equal(&a->object, &b->object) &&
	    ae_guid_equal(&a->inherited_object, &b->inherited_object) &&
	    a->body_len == b->body_len &&
	    (a->body_len == 0 || memcmp(a->body, b->body, a->body_len) == 0);
}

bool
ae_sd_equal(const struct ae_sd *a, const struct ae_sd *b)
{
	size_t i;

	if (a->has_owner != b->has_owner || a->has_group != b->has_group ||
	    a->has_dacl != b->has_dacl || a->dacl.n != b->dacl.n)
		return false;
	if (a->has_owner && !ae_sid_equal(&a->owner, &b->owner))
		return false;
	if (a->has_group && !ae_sid_equal(&a->group, &b->group))
		return false;
	for (i = 0; i < a->dacl.n; i++)
		if (!ace_equal(&a->dacl.v[i], &b->dacl.v[i]))
			return false;
	return true;
}
