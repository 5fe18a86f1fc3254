/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The remote management interface, C706 appendix Q, with its NDR tables.
 */
#include "rpc/mgmt.h"

#include <string.h>

#include "ndr/ndr.h"

#define IFACES_MAX 64
#define NSTATS 4
#define PRINC_NAME_MAX 1024
#define ARENA_MAX (64 * 1024)

#define STATUS_ACCESS_DENIED 5U
#define STATUS_UNKNOWN_AUTHN 1747U /* RPC_S_UNKNOWN_AUTHN_SERVICE */

const struct ae_rpc_iface ae_rpc_mgmt_iface = {
	.name = "mgmt",
	.id = { .uuid = { 0xafa8bd80, 0x7d8a, 0x11c9,
		    { 0xbe, 0xf4, 0x08, 0x00, 0x2b, 0x10, 0x29, 0x89 } },
	    .major = 1 },
	.nops = 5,
	.min_level = AE_RPC_LEVEL_NONE,
};

struct if_id {
	struct ae_guid uuid;
	uint16_t major;
	uint16_t minor;
};

struct if_id_vector {
	uint32_t n;
	struct if_id **ids;
};

struct if_ids_out {
	struct if_id_vector *vector;
	uint32_t status;
};

struct stats_in {
	uint32_t n;
};

struct stats_out {
	uint32_t n;
	uint32_t *v;
	uint32_t status;
};

struct listening_out {
	uint32_t status;
	uint32_t result;
};

struct status_out {
	uint32_t status;
};

struct princ_in {
	uint32_t authn;
	uint32_t size;
};

struct princ_out {
	uint32_t size; /* of the request; not on the wire as itself */
	uint32_t n;
	uint8_t *name;
	uint32_t status;
};

/* clang-format off */

static const struct ae_ndr_type if_id_ndr = AE_NDR_STRUCT("rpc_if_id_t", struct if_id, 4,
	AE_NDR_FIELD(struct if_id, uuid, &ae_ndr_guid),
	AE_NDR_FIELD(struct if_id, major, &ae_ndr_u16),
	AE_NDR_FIELD(struct if_id, minor, &ae_ndr_u16));

static const struct ae_ndr_type if_id_p_ndr = { .name = "rpc_if_id_p_t", .op = AE_NDR_OP_PTR, .align = 4,
	.size = sizeof(void *), .rows = AE_NDR_ROWS({ .name = "if_id", .type = &if_id_ndr,
	.size = sizeof(void *), .ptr = AE_NDR_UNIQUE }) };

/* typedef struct { unsigned32 count; [size_is(count)] rpc_if_id_p_t if_id[]; } rpc_if_id_vector_t; */
static const struct ae_ndr_type if_id_vector_ndr = AE_NDR_STRUCT("rpc_if_id_vector_t", struct if_id_vector, 4,
	AE_NDR_FIELD(struct if_id_vector, n, &ae_ndr_u32),
	AE_NDR_ARRAY(struct if_id_vector, ids, AE_NDR_VAL, AE_NDR_CONF, &if_id_p_ndr, n, IFACES_MAX));

/* rpc__mgmt_inq_if_ids, opnum 0 */
static const struct ae_ndr_type mgmt_if_ids_ndr = AE_NDR_PARAMS("inq_if_ids", struct if_ids_out,
	AE_NDR_PTR(struct if_ids_out, vector, AE_NDR_UNIQUE, &if_id_vector_ndr),
	AE_NDR_FIELD(struct if_ids_out, status, &ae_ndr_u32));

/* rpc__mgmt_inq_stats, opnum 1 */
static const struct ae_ndr_type mgmt_stats_in_ndr = AE_NDR_PARAMS("inq_stats", struct stats_in,
	AE_NDR_FIELD(struct stats_in, n, &ae_ndr_u32));

static const struct ae_ndr_type mgmt_stats_ndr = AE_NDR_PARAMS("inq_stats", struct stats_out,
	AE_NDR_FIELD(struct stats_out, n, &ae_ndr_u32),
	AE_NDR_ARRAY(struct stats_out, v, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u32, n, NSTATS),
	AE_NDR_FIELD(struct stats_out, status, &ae_ndr_u32));

/* rpc__mgmt_is_server_listening, opnum 2 */
static const struct ae_ndr_type mgmt_listening_ndr = AE_NDR_PARAMS("is_server_listening", struct listening_out,
	AE_NDR_FIELD(struct listening_out, status, &ae_ndr_u32),
	AE_NDR_FIELD(struct listening_out, result, &ae_ndr_u32));

/* rpc__mgmt_stop_server_listening, opnum 3 */
static const struct ae_ndr_type mgmt_stop_ndr = AE_NDR_PARAMS("stop_server_listening", struct status_out,
	AE_NDR_FIELD(struct status_out, status, &ae_ndr_u32));

/* rpc__mgmt_inq_princ_name, opnum 4 */
static const struct ae_ndr_type mgmt_princ_in_ndr = AE_NDR_PARAMS("inq_princ_name", struct princ_in,
	AE_NDR_FIELD(struct princ_in, authn, &ae_ndr_u32),
	AE_NDR_FIELD(struct princ_in, size, &ae_ndr_u32));

static const struct ae_ndr_type mgmt_princ_ndr = AE_NDR_PARAMS("inq_princ_name", struct princ_out,
	AE_NDR_ARRAY(struct princ_out, name, AE_NDR_VAL, AE_NDR_CONFVAR, &ae_ndr_u8, n, PRINC_NAME_MAX,
	    .sets = true, .cap = offsetof(struct princ_out, size), .cap_size = 4),
	AE_NDR_FIELD(struct princ_out, status, &ae_ndr_u32));

/* clang-format on */

struct ctx {
	struct ae_rpc_server *s;
	const struct ae_rpc_call *call;
	const char *princ_name;
	struct ae_arena *a;
	struct ae_wr *out;
};

static uint32_t
reply(const struct ctx *c, const struct ae_ndr_type *t, const void *v)
{
	return ae_ndr_encode(t, v, c->out, NULL) == AE_OK
	    ? 0
	    : AE_RPC_FAULT_NO_RESOURCES;
}

/* Methods without input ignore what is sent, as Windows and Samba do. */
static bool
read_in(const struct ctx *c, const struct ae_ndr_type *t, void *in)
{
	size_t used;

	return ae_ndr_decode(t, in, c->call->stub, c->call->stub_len,
		   c->call->big_endian, c->a, &used, NULL) == AE_OK;
}

static uint32_t
inq_if_ids(const struct ctx *c)
{
	struct if_id_vector v = { .n = 0 };
	struct if_ids_out o = { .vector = &v };
	const struct ae_rpc_iface *i;
	struct if_id *id;

	v.ids = ae_arena_array(c->a, IFACES_MAX, sizeof(struct if_id *));
	if (v.ids == NULL)
		return AE_RPC_FAULT_NO_RESOURCES;
	while (
	    v.n < IFACES_MAX && (i = ae_rpc_server_iface(c->s, v.n)) != NULL) {
		id = ae_arena_alloc(c->a, sizeof(*id));
		if (id == NULL)
			return AE_RPC_FAULT_NO_RESOURCES;
		*id = (struct if_id){ .uuid = i->id.uuid,
			.major = i->id.major,
			.minor = i->id.minor };
		v.ids[v.n++] = id;
	}
	return reply(c, &mgmt_if_ids_ndr, &o);
}

static uint32_t
inq_stats(const struct ctx *c)
{
	struct ae_rpc_stats s;
	uint32_t v[NSTATS];
	struct stats_out o = { .v = v };
	struct stats_in i;

	if (!read_in(c, &mgmt_stats_in_ndr, &i))
		return AE_RPC_FAULT_BAD_STUB_DATA;
	ae_rpc_server_stats(c->s, &s);
	v[0] = s.calls_in;
	v[1] = s.calls_out;
	v[2] = s.pdus_in;
	v[3] = s.pdus_out;
	o.n = i.n < NSTATS ? i.n : NSTATS;
	return reply(c, &mgmt_stats_ndr, &o);
}

static uint32_t
is_server_listening(const struct ctx *c)
{
	struct listening_out o = { .result = 1 };

	return reply(c, &mgmt_listening_ndr, &o);
}

static uint32_t
stop_server_listening(const struct ctx *c)
{
	struct status_out o = { .status = STATUS_ACCESS_DENIED };

	return reply(c, &mgmt_stop_ndr, &o);
}

static uint32_t
inq_princ_name(const struct ctx *c)
{
	const char *name = c->princ_name == NULL ? "" : c->princ_name;
	struct princ_out o = { .status = 0 };
	struct princ_in i;
	size_t len = strlen(name) + 1;

	if (!read_in(c, &mgmt_princ_in_ndr, &i))
		return AE_RPC_FAULT_BAD_STUB_DATA;
	if (i.size == 0)
		return AE_RPC_FAULT_BAD_STUB_DATA;
	if (*name == '\0' ||
	    (i.authn != AE_RPC_AUTH_SPNEGO && i.authn != AE_RPC_AUTH_KRB5) ||
	    len > i.size || len > PRINC_NAME_MAX) {
		o.status = STATUS_UNKNOWN_AUTHN;
		name = "";
		len = 1;
	}
	o.size = i.size;
	o.n = (uint32_t)len;
	o.name = ae_arena_dup(c->a, name, len);
	if (o.name == NULL)
		return AE_RPC_FAULT_NO_RESOURCES;
	return reply(c, &mgmt_princ_ndr, &o);
}

static uint32_t (*const methods[])(const struct ctx *c) = {
	inq_if_ids,
	inq_stats,
	is_server_listening,
	stop_server_listening,
	inq_princ_name,
};

uint32_t
ae_rpc_mgmt_call(struct ae_rpc_server *s, const struct ae_rpc_call *call,
    const char *princ_name, struct ae_wr *out)
{
	struct ctx c = {
		.s = s, .call = call, .princ_name = princ_name, .out = out
	};
	uint32_t fault;

	if (call->opnum >= sizeof(methods) / sizeof(methods[0]))
		return AE_RPC_FAULT_OP_RNG_ERROR;
	c.a = ae_arena_new(ARENA_MAX);
	if (c.a == NULL)
		return AE_RPC_FAULT_NO_RESOURCES;
	fault = methods[call->opnum](&c);
	ae_arena_free(c.a);
	return fault;
}
