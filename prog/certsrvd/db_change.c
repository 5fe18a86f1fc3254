/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Messages that change a row: each is decoded whole, carried out in the batch
 * of this turn, and answered with MSG_DB_DONE after its commit.  A row of the
 * table is a message: what is in it, and what is done.
 */
#include "dbproc.h"
#include "sys/clock.h"

/* What messages have in them; each uses some of it. */
struct change {
	struct database *d;
	struct ae_arena *a;
	int64_t id; /* of the row; a new one's is put here */
	struct ae_db_request row;
	const uint8_t *serial, *cert;
	size_t serial_len, cert_len;
	uint8_t hash[AE_DB_HASH_LEN];
	uint32_t issuer, state, hresult, flags;
	int64_t from, until;
	int reason;
	char *message, *attrs, *by;
};

struct change_row {
	enum msg type;
	const char *name;
	size_t arena;
	void (*get)(struct change *c, struct ae_rd *r);
	int (*make)(struct change *c, int64_t now, struct ae_err *e);
};

static void
get_add(struct change *c, struct ae_rd *r)
{
	get_row(r, &c->row, c->a);
	ae_rd_copy(r, c->hash, sizeof(c->hash));
	c->row.after = (int64_t)ae_rd_u64(r);
}

static int
make_add(struct change *c, int64_t now, struct ae_err *e)
{
	struct database *d = c->d;
	const bool intent = c->row.serial_len > 0;
	int rc;

	(void)now;
	rc = ae_db_request_add(
	    d->db, &c->row, intent ? c->hash : NULL, &c->id, e);
	if (rc == AE_OK && c->id > d->last_id)
		d->last_id = c->id;
	if (rc == AE_OK && intent)
		signed_promise(d, c->hash);
	return rc;
}

static void
get_issue(struct change *c, struct ae_rd *r)
{
	c->id = (int64_t)ae_rd_u64(r);
	c->cert = get_bytes(r, &c->cert_len);
	c->from = (int64_t)ae_rd_u64(r);
	c->until = (int64_t)ae_rd_u64(r);
	c->message = get_str(r, c->a);
}

static int
make_issue(struct change *c, int64_t now, struct ae_err *e)
{
	return ae_db_request_issue(c->d->db, c->id, c->cert, c->cert_len,
	    c->from, c->until, now, c->message, e);
}

static void
get_activate(struct change *c, struct ae_rd *r)
{
	c->id = (int64_t)ae_rd_u64(r);
	c->serial = get_bytes(r, &c->serial_len);
	ae_rd_copy(r, c->hash, sizeof(c->hash));
	c->issuer = ae_rd_u32(r);
	c->by = get_str(r, c->a);
}

static int
make_activate(struct change *c, int64_t now, struct ae_err *e)
{
	int rc = ae_db_request_activate(c->d->db, c->id, c->serial,
	    c->serial_len, c->hash, c->issuer, c->by, now, e);

	if (rc == AE_OK)
		signed_promise(c->d, c->hash);
	return rc;
}

static void
get_revoke(struct change *c, struct ae_rd *r)
{
	c->serial = get_bytes(r, &c->serial_len);
	c->reason = ae_rd_u8(r);
	c->by = get_str(r, c->a);
}

static int
make_revoke(struct change *c, int64_t now, struct ae_err *e)
{
	return ae_db_revoke(
	    c->d->db, c->serial, c->serial_len, c->reason, now, c->by, e);
}

/* A certificate is no longer on hold. */
static void
get_release(struct change *c, struct ae_rd *r)
{
	c->serial = get_bytes(r, &c->serial_len);
	c->by = get_str(r, c->a);
}

static int
make_release(struct change *c, int64_t now, struct ae_err *e)
{
	return ae_db_release(c->d->db, c->serial, c->serial_len, now, c->by, e);
}

static void
get_refuse(struct change *c, struct ae_rd *r)
{
	c->id = (int64_t)ae_rd_u64(r);
	c->state = ae_rd_u32(r);
	c->hresult = ae_rd_u32(r);
	c->message = get_str(r, c->a);
	c->by = get_str(r, c->a);
}

static int
make_refuse(struct change *c, int64_t now, struct ae_err *e)
{
	return ae_db_request_refuse(c->d->db, c->id, (enum ae_db_disp)c->state,
	    c->hresult, c->message, c->by, now, e);
}

static void
get_set_attrs(struct change *c, struct ae_rd *r)
{
	c->id = (int64_t)ae_rd_u64(r);
	c->attrs = get_str(r, c->a);
	c->by = get_str(r, c->a);
}

static int
make_set_attrs(struct change *c, int64_t now, struct ae_err *e)
{
	return ae_db_request_set_attrs(
	    c->d->db, c->id, c->attrs, c->by, now, e);
}

/* The TPM has answered its challenge. */
static void
get_attested(struct change *c, struct ae_rd *r)
{
	c->id = (int64_t)ae_rd_u64(r);
	c->flags = ae_rd_u32(r);
}

static int
make_attested(struct change *c, int64_t now, struct ae_err *e)
{
	return ae_db_request_add_flags(
	    c->d->db, c->id, c->flags, "attested", now, e);
}

/* clang-format off */
static const struct change_row rows[] = {
	{ MSG_DB_ADD, "DB_ADD", MSG_ROW_ARENA, get_add, make_add },
	{ MSG_DB_ISSUE, "DB_ISSUE", MSG_ROW_ARENA, get_issue, make_issue },
	{ MSG_DB_ACTIVATE, "DB_ACTIVATE", MSG_TEXT_MAX,
	    get_activate, make_activate },
	{ MSG_DB_REFUSE, "DB_REFUSE", MSG_ROW_ARENA, get_refuse, make_refuse },
	{ MSG_DB_REVOKE, "DB_REVOKE", MSG_TEXT_MAX, get_revoke, make_revoke },
	{ MSG_DB_RELEASE, "DB_RELEASE", MSG_TEXT_MAX,
	    get_release, make_release },
	{ MSG_DB_SET_ATTRS, "DB_SET_ATTRS", 2 * MSG_ATTRS_MAX,
	    get_set_attrs, make_set_attrs },
	{ MSG_DB_ATTESTED, "DB_ATTESTED", MSG_TEXT_MAX,
	    get_attested, make_attested },
};
/* clang-format on */

int
on_change(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct change c = { .d = peer->p->state };
	struct ae_err why = AE_ERR_INIT;
	const struct change_row *row = rows;
	struct ae_rd r;
	int rc;

	(void)ipc;
	while (row->type != m->type)
		row++; /* the receiver's table has no other */
	c.a = ae_arena_new(row->arena);
	if (c.a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	row->get(&c, &r);
	if (!ae_rd_done(&r)) {
		ae_arena_free(c.a);
		return bad_message(&r, row->name, e);
	}
	rc = db_batch(c.d, &why);
	if (rc == AE_OK)
		rc = row->make(&c, ae_clock_now(), &why);
	db_wrote(c.d, m->id, rc, c.id, &why);
	ae_arena_free(c.a);
	return AE_OK;
}
