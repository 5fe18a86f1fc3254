/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client's side of ept_map: where is this interface over TCP?
 */
#include <string.h>

#include "rpc/epm.h"
#include "rpc/epm_ndr.h"

#define TOWERS_WANTED 4
#define ARENA_MAX (256 * 1024)

int
ae_rpc_epm_map_request(
    struct ae_wr *out, const struct ae_rpc_syntax *id, struct ae_err *e)
{
	struct ae_rpc_tower t = { .iface = *id,
		.transfer = ae_rpc_ndr20,
		.tcp = true,
		.port = AE_RPC_EPM_PORT };
	struct ae_guid none = { .d1 = 0 };
	struct epm_map_in i = { .object = &none, .max = TOWERS_WANTED };
	struct epm_twr twr = { .len = 0 };
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_RPC_TOWER_MAX);
	ae_rpc_tower_put(&w, &t);
	if (!ae_wr_ok(&w)) {
		ae_wr_done(&w);
		return ae_fail_mem(e);
	}
	twr.octets = w.p;
	twr.len = (uint32_t)w.len;
	i.tower = &twr;
	rc = ae_ndr_encode(&epm_map_in_ndr, &i, out, e);
	ae_wr_done(&w);
	return rc;
}

static int
pick(struct ae_rpc_epm_entry *out, const struct epm_map_out *o,
    const struct ae_rpc_syntax *id, struct ae_err *e)
{
	struct ae_rpc_tower t;
	uint32_t i;

	if (o->status != 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_RPC, o->status,
		    "the endpoint mapper knows no such interface (0x%08x)",
		    o->status);
	for (i = 0; i < o->n; i++) {
		if (o->towers[i] == NULL ||
		    !ae_rpc_tower_get(
			&t, o->towers[i]->octets, o->towers[i]->len) ||
		    !t.tcp || t.port == 0 ||
		    !ae_guid_equal(&t.iface.uuid, &id->uuid) ||
		    t.iface.major != id->major)
			continue;
		*out =
		    (struct ae_rpc_epm_entry){ .id = t.iface, .port = t.port };
		memcpy(out->ip, t.ip, sizeof(out->ip));
		return AE_OK;
	}
	return ae_fail(e, AE_ENOTFOUND, AE_DOM_RPC, AE_RPC_EPM_NOT_REGISTERED,
	    "the endpoint mapper told no TCP endpoint");
}

int
ae_rpc_epm_map_reply(struct ae_rpc_epm_entry *out, const uint8_t *stub,
    size_t len, bool big_endian, const struct ae_rpc_syntax *id,
    struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(ARENA_MAX);
	struct epm_map_out o;
	size_t used;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	rc = ae_ndr_decode(
	    &epm_map_out_ndr, &o, stub, len, big_endian, a, &used, e);
	rc = rc != AE_OK ? ae_note(e, rc, "the endpoint mapper's answer")
			 : pick(out, &o, id, e);
	ae_arena_free(a);
	return rc;
}
