/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The endpoint mapper's server: a table, and three methods that read it.  A
 * lookup that has more to tell than was asked for leaves its place behind a
 * context handle.
 */
#include "rpc/epm.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/epm_ndr.h"

#define OP_LOOKUP 2
#define OP_HANDLE_FREE 4

#define STATUS_OK 0
#define STATUS_CANT_PERFORM 0x16c9a0cdU

/* What an answer may decode to, and be encoded from. */
#define ARENA_MAX (1024 * 1024)

const struct ae_rpc_iface ae_rpc_epm_iface = {
	.name = "epmapper",
	.id = { .uuid = { 0xe1af8308, 0x5d1f, 0x11c9,
		    { 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa } },
	    .major = 3 },
	.nops = 5, /* ept_insert and ept_delete fault in ae_rpc_epm_call */
	.min_level = AE_RPC_LEVEL_NONE,
};

struct ae_rpc_epm {
	struct ae_rpc_epm_entry *v;
	size_t n;
	size_t max;
};

/* MS-RPCE 2.2.1.2.4, and ept_map as one more way to ask. */
enum inquiry { ALL, BY_INTERFACE, BY_OBJECT, BY_BOTH, BY_MAP };
enum versions { VERS_ALL = 1, COMPATIBLE, EXACT, MAJOR_ONLY, UPTO };

/* What is looked for, and how far we are: the data of a handle. */
struct query {
	uint8_t inquiry;
	uint8_t versions;
	struct ae_rpc_syntax iface;
	struct ae_guid object;
	uint32_t next;
};

_Static_assert(sizeof(struct query) <= AE_RPC_HANDLE_DATA, "handle data");

struct ae_rpc_epm *
ae_rpc_epm_new(size_t max)
{
	struct ae_rpc_epm *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->max = max;
	m->v = calloc(max, sizeof(*m->v));
	if (m->v == NULL) {
		free(m);
		return NULL;
	}
	return m;
}

void
ae_rpc_epm_free(struct ae_rpc_epm *m)
{
	if (m == NULL)
		return;
	free(m->v);
	free(m);
}

int
ae_rpc_epm_add(struct ae_rpc_epm *m, const struct ae_rpc_epm_entry *entry,
    struct ae_err *e)
{
	if (m->n == m->max)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the endpoint mapper is full (%zu)", m->max);
	m->v[m->n] = *entry;
	m->v[m->n].annotation[sizeof(entry->annotation) - 1] = '\0';
	m->n++;
	return AE_OK;
}

/* ---- matching ---- */

static bool
version_fits(const struct ae_rpc_syntax *have, const struct query *q)
{
	const struct ae_rpc_syntax *want = &q->iface;

	switch (q->versions) {
	case VERS_ALL:
		return true;
	case COMPATIBLE:
		return have->major == want->major && have->minor >= want->minor;
	case EXACT:
		return have->major == want->major && have->minor == want->minor;
	case MAJOR_ONLY:
		return have->major == want->major;
	default: /* UPTO */
		return have->major < want->major ||
		    (have->major == want->major && have->minor <= want->minor);
	}
}

static bool
fits(const struct ae_rpc_epm_entry *x, const struct query *q)
{
	bool iface = ae_guid_equal(&x->id.uuid, &q->iface.uuid) &&
	    version_fits(&x->id, q);
	bool object = ae_guid_equal(&x->object, &q->object);

	switch (q->inquiry) {
	case ALL:
		return true;
	case BY_INTERFACE:
		return iface;
	case BY_OBJECT:
		return object;
	case BY_BOTH:
		return iface && object;
	default: /* BY_MAP: an endpoint without object serves any */
		return iface && (object || ae_guid_is_nil(&x->object));
	}
}

static const struct ae_rpc_epm_entry *
next(const struct ae_rpc_epm *m, struct query *q)
{
	while (q->next < m->n)
		if (fits(&m->v[q->next++], q))
			return &m->v[q->next - 1];
	return NULL;
}

/* ---- handles ---- */

/*
 * The query to go on with: that behind the handle, or *q itself when the
 * handle is nil.  NULL: no such handle.
 */
static struct query *
resume(struct ae_rpc_server *s, const struct ae_rpc_call *call,
    const struct ae_ndr_context_handle *wire, struct query *q)
{
	struct ae_rpc_handle h = { .attributes = wire->attributes,
		.uuid = wire->uuid };

	if (ae_guid_is_nil(&h.uuid))
		return q;
	return ae_rpc_handle_get(s, call, &h);
}

/*
 * Leave the place behind when as many as were asked for went out, and forget
 * it otherwise: then there is no more.  False: no room for a handle; a nil
 * one would tell the client that it has everything.
 */
static bool
suspend(struct ae_rpc_server *s, const struct ae_rpc_call *call,
    const struct query *at, bool more, struct ae_ndr_context_handle *wire)
{
	struct ae_rpc_handle h = { .attributes = wire->attributes,
		.uuid = wire->uuid };
	struct query *kept;

	if (!more) {
		if (!ae_guid_is_nil(&h.uuid))
			(void)ae_rpc_handle_close(s, call, &h);
		*wire = (struct ae_ndr_context_handle){ .attributes = 0 };
		return true;
	}
	if (!ae_guid_is_nil(&h.uuid))
		return true;
	kept = ae_rpc_handle_new(s, call, &h);
	if (kept == NULL)
		return false;
	*kept = *at;
	wire->uuid = h.uuid;
	return true;
}

/* ---- answers ---- */

static struct epm_twr *
make_tower(const struct ae_rpc_epm_entry *x, const uint8_t local[4],
    struct ae_arena *a)
{
	struct ae_rpc_tower t = { .iface = x->id,
		.transfer = ae_rpc_ndr20,
		.tcp = true,
		.port = x->port };
	static const uint8_t any[4];
	struct epm_twr *twr = ae_arena_alloc(a, sizeof(*twr));
	struct ae_wr w;

	memcpy(t.ip, memcmp(x->ip, any, sizeof(any)) == 0 ? local : x->ip,
	    sizeof(t.ip));
	ae_wr_init(&w, AE_RPC_TOWER_MAX);
	ae_rpc_tower_put(&w, &t);
	if (twr != NULL && ae_wr_ok(&w)) {
		twr->len = (uint32_t)w.len;
		twr->octets = ae_arena_dup(a, w.p, w.len);
		if (twr->octets == NULL)
			twr = NULL;
	}
	if (!ae_wr_ok(&w))
		twr = NULL;
	ae_wr_done(&w);
	return twr;
}

static uint32_t
lookup(struct ae_rpc_epm *m, struct ae_rpc_server *s,
    const struct ae_rpc_call *call, const uint8_t local[4], struct ae_arena *a,
    struct ae_wr *out)
{
	const struct ae_rpc_epm_entry *x;
	struct query q = { .next = 0 }, *at;
	struct epm_lookup_out o = { .n = 0 };
	struct epm_lookup_in i;
	struct epm_entry *row;
	uint32_t most;
	size_t used;

	if (ae_ndr_decode(&epm_lookup_in_ndr, &i, call->stub, call->stub_len,
		call->big_endian, a, &used, NULL) != AE_OK)
		return AE_RPC_FAULT_BAD_STUB_DATA;
	q.inquiry = (uint8_t)i.inquiry_type;
	q.versions = (uint8_t)i.vers_option;
	if (i.iface != NULL)
		q.iface = (struct ae_rpc_syntax){ .uuid = i.iface->uuid,
			.major = i.iface->major,
			.minor = i.iface->minor };
	if (i.object != NULL)
		q.object = *i.object;
	o.handle = i.handle;
	o.max = i.max;
	at = resume(s, call, &i.handle, &q);
	if (at == NULL)
		return AE_RPC_FAULT_CONTEXT_MISMATCH;
	most = i.max < EPM_ENTRIES_MAX ? i.max : EPM_ENTRIES_MAX;
	o.entries = ae_arena_array(a, most, sizeof(*o.entries));
	if (o.entries == NULL)
		return AE_RPC_FAULT_NO_RESOURCES;
	if (i.inquiry_type > BY_BOTH ||
	    (i.inquiry_type % 2 == 1 &&
		(i.vers_option < VERS_ALL || i.vers_option > UPTO))) {
		o.status = STATUS_CANT_PERFORM;
		most = 0;
	}
	while (o.n < most && (x = next(m, at)) != NULL) {
		row = &o.entries[o.n++];
		row->object = x->object;
		row->tower = make_tower(x, local, a);
		row->annotation_len = (uint32_t)strlen(x->annotation) + 1;
		row->annotation =
		    ae_arena_dup(a, x->annotation, row->annotation_len);
		if (row->tower == NULL || row->annotation == NULL)
			return AE_RPC_FAULT_NO_RESOURCES;
	}
	if (o.n == 0 && o.status == STATUS_OK)
		o.status = AE_RPC_EPM_NOT_REGISTERED;
	if (!suspend(s, call, at, o.n > 0 && o.n == most, &o.handle))
		return AE_RPC_FAULT_NO_RESOURCES;
	return ae_ndr_encode(&epm_lookup_out_ndr, &o, out, NULL) == AE_OK
	    ? 0
	    : AE_RPC_FAULT_NO_RESOURCES;
}

static uint32_t
map(struct ae_rpc_epm *m, struct ae_rpc_server *s,
    const struct ae_rpc_call *call, const uint8_t local[4], struct ae_arena *a,
    struct ae_wr *out)
{
	struct query q = { .inquiry = BY_MAP, .versions = COMPATIBLE }, *at;
	const struct ae_rpc_epm_entry *x;
	struct epm_map_out o = { .n = 0 };
	struct epm_map_in i;
	struct ae_rpc_tower t = { .tcp = false };
	uint32_t most;
	size_t used;

	if (ae_ndr_decode(&epm_map_in_ndr, &i, call->stub, call->stub_len,
		call->big_endian, a, &used, NULL) != AE_OK)
		return AE_RPC_FAULT_BAD_STUB_DATA;
	if (i.object != NULL)
		q.object = *i.object;
	o.handle = i.handle;
	o.max = i.max;
	at = resume(s, call, &i.handle, &q);
	if (at == NULL)
		return AE_RPC_FAULT_CONTEXT_MISMATCH;
	most = i.max < EPM_ENTRIES_MAX ? i.max : EPM_ENTRIES_MAX;
	o.towers = ae_arena_array(a, most, sizeof(struct epm_twr *));
	if (o.towers == NULL)
		return AE_RPC_FAULT_NO_RESOURCES;
	/* What is neither NDR20 nor TCP is not registered here. */
	if (i.tower == NULL ||
	    !ae_rpc_tower_get(&t, i.tower->octets, i.tower->len) || !t.tcp ||
	    !ae_rpc_syntax_equal(&t.transfer, &ae_rpc_ndr20))
		most = 0;
	q.iface = t.iface;
	while (o.n < most && (x = next(m, at)) != NULL) {
		o.towers[o.n] = make_tower(x, local, a);
		if (o.towers[o.n++] == NULL)
			return AE_RPC_FAULT_NO_RESOURCES;
	}
	if (o.n == 0)
		o.status = AE_RPC_EPM_NOT_REGISTERED;
	if (!suspend(s, call, at, o.n > 0 && o.n == most, &o.handle))
		return AE_RPC_FAULT_NO_RESOURCES;
	return ae_ndr_encode(&epm_map_out_ndr, &o, out, NULL) == AE_OK
	    ? 0
	    : AE_RPC_FAULT_NO_RESOURCES;
}

static uint32_t
handle_free(struct ae_rpc_epm *m, struct ae_rpc_server *s,
    const struct ae_rpc_call *call, const uint8_t local[4], struct ae_arena *a,
    struct ae_wr *out)
{
	struct epm_free_out o = { .status = STATUS_OK };
	struct ae_rpc_handle h;
	struct epm_free_in i;
	size_t used;

	(void)m;
	(void)local;
	if (ae_ndr_decode(&epm_free_in_ndr, &i, call->stub, call->stub_len,
		call->big_endian, a, &used, NULL) != AE_OK)
		return AE_RPC_FAULT_BAD_STUB_DATA;
	h = (struct ae_rpc_handle){ .uuid = i.handle.uuid };
	if (!ae_rpc_handle_close(s, call, &h))
		return AE_RPC_FAULT_CONTEXT_MISMATCH;
	return ae_ndr_encode(&epm_free_out_ndr, &o, out, NULL) == AE_OK
	    ? 0
	    : AE_RPC_FAULT_NO_RESOURCES;
}

/* clang-format off */
static const struct {
	uint16_t opnum;
	uint32_t (*fn)(struct ae_rpc_epm *m, struct ae_rpc_server *s,
	    const struct ae_rpc_call *call, const uint8_t local[4],
	    struct ae_arena *a, struct ae_wr *out);
} methods[] = {
	{ OP_LOOKUP,           lookup },
	{ AE_RPC_EPM_OP_MAP,   map },
	{ OP_HANDLE_FREE,      handle_free },
};
/* clang-format on */

uint32_t
ae_rpc_epm_call(struct ae_rpc_epm *m, struct ae_rpc_server *s,
    const struct ae_rpc_call *call, const uint8_t local[4], struct ae_wr *out)
{
	struct ae_arena *a;
	uint32_t fault;
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].opnum == call->opnum)
			break;
	if (i == sizeof(methods) / sizeof(methods[0]))
		return AE_RPC_FAULT_OP_RNG_ERROR;
	a = ae_arena_new(ARENA_MAX);
	if (a == NULL)
		return AE_RPC_FAULT_NO_RESOURCES;
	fault = methods[i].fn(m, s, call, local, a, out);
	ae_arena_free(a);
	return fault;
}
