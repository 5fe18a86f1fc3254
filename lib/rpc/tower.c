/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Towers: a count of floors, then for each a left and a right side with
 * their lengths.  All little endian and unaligned but for the port and the
 * address, which are in network order.
 */
#include "rpc/tower.h"

#include <string.h>

#include "base/rd.h"

/* C706 appendix I: protocol identifiers. */
enum {
	FLOOR_TCP = 0x07,
	FLOOR_IP = 0x09,
	FLOOR_NCACN = 0x0b,
	FLOOR_UUID = 0x0d,
};

#define FLOORS 5
#define FLOORS_MAX 16

/* One floor, borrowed. */
struct floor {
	uint8_t id;
	struct ae_rd lhs; /* behind the id */
	struct ae_rd rhs;
};

static void
put_uuid(struct ae_wr *w, const struct ae_rpc_syntax *s)
{
	ae_wr_u16(w, 1 + 16 + 2);
	ae_wr_u8(w, FLOOR_UUID);
	ae_guid_put(w, &s->uuid);
	ae_wr_u16(w, s->major);
	ae_wr_u16(w, 2);
	ae_wr_u16(w, s->minor);
}

static void
put_protocol(struct ae_wr *w, uint8_t id, const uint8_t *rhs, uint16_t len)
{
	ae_wr_u16(w, 1);
	ae_wr_u8(w, id);
	ae_wr_u16(w, len);
	ae_wr_bytes(w, rhs, len);
}

void
ae_rpc_tower_put(struct ae_wr *w, const struct ae_rpc_tower *t)
{
	const uint8_t port[2] = { (uint8_t)(t->port >> 8), (uint8_t)t->port };
	const uint8_t minor[2] = { 0 };

	ae_wr_u16(w, FLOORS);
	put_uuid(w, &t->iface);
	put_uuid(w, &t->transfer);
	put_protocol(w, FLOOR_NCACN, minor, sizeof(minor));
	put_protocol(w, FLOOR_TCP, port, sizeof(port));
	put_protocol(w, FLOOR_IP, t->ip, sizeof(t->ip));
}

static void
get_floor(struct ae_rd *r, struct floor *f)
{
	f->lhs = ae_rd_sub(r, ae_rd_u16(r));
	f->id = ae_rd_u8(&f->lhs);
	f->rhs = ae_rd_sub(r, ae_rd_u16(r));
	if (!ae_rd_ok(&f->lhs))
		ae_rd_fail(r);
}

static bool
get_uuid(struct floor *f, struct ae_rpc_syntax *s)
{
	s->uuid = ae_guid_get(&f->lhs);
	s->major = ae_rd_u16(&f->lhs);
	s->minor = ae_rd_u16(&f->rhs);
	return f->id == FLOOR_UUID && ae_rd_done(&f->lhs) &&
	    ae_rd_done(&f->rhs);
}

bool
ae_rpc_tower_get(struct ae_rpc_tower *t, const uint8_t *p, size_t len)
{
	struct floor f[FLOORS_MAX];
	struct ae_rd r;
	uint16_t i, n;

	if (len > AE_RPC_TOWER_MAX)
		return false;
	ae_rd_init(&r, p, len);
	n = ae_rd_u16(&r);
	if (n < 3 || n > FLOORS_MAX)
		return false;
	for (i = 0; i < n; i++)
		get_floor(&r, &f[i]);
	memset(t, 0, sizeof(*t));
	if (!ae_rd_done(&r) || !get_uuid(&f[0], &t->iface) ||
	    !get_uuid(&f[1], &t->transfer))
		return false;
	if (n != FLOORS || f[2].id != FLOOR_NCACN || f[3].id != FLOOR_TCP ||
	    f[4].id != FLOOR_IP)
		return true;
	f[3].rhs.big = true;
	t->port = ae_rd_u16(&f[3].rhs);
	ae_rd_copy(&f[4].rhs, t->ip, sizeof(t->ip));
	t->tcp = ae_rd_done(&f[3].rhs) && ae_rd_done(&f[4].rhs);
	return t->tcp;
}
