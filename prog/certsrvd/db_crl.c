/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Rows for CRLs, a page at a time as ca asks for them, between the batches
 * of everybody else: the rows stay what they were when the number was given.
 */
#include "dbproc.h"
#include "pki/crl.h"
#include "sys/clock.h"

void
crl_rows_close(struct database *d)
{
	ae_db_crl_rows_free(d->rows);
	d->rows = NULL;
}

static void
say(struct database *d, uint32_t id, enum msg type, struct ae_wr *w)
{
	(void)peer_send(peer_of(d->p, ROLE_CA, 0), type, id, w);
	ae_wr_done(w);
}

#define LEAD_S 60 /* for one CRL, and as often again as it takes */
#define LEAD_ON_MS 20000

/* Where there are several nodes one of them makes CRLs at a time. */
static int
lead(struct database *d, uint16_t key, bool delta, uint64_t have,
    struct ae_err *e)
{
	if (!d->shared)
		return AE_OK;
	d->lead_at = ae_clock_mono_ms();
	return ae_db_crl_lead(
	    d->db, key, delta, (int64_t)have, LEAD_S, &d->epoch, e);
}

static int
lead_on(struct database *d, struct ae_err *e)
{
	int rc;

	if (!d->shared || ae_clock_mono_ms() - d->lead_at < LEAD_ON_MS)
		return AE_OK;
	rc = db_batch(d, e);
	if (rc == AE_OK)
		rc = ae_db_crl_lead_on(d->db, d->epoch, LEAD_S, e);
	d->lead_at = ae_clock_mono_ms();
	return rc;
}

/* The base is what a delta refers to, and says what may be left out. */
static int
open_rows(struct database *d, uint16_t key, bool delta, uint64_t seen,
    uint64_t have, int64_t *number, struct ae_db_crl_base *base,
    struct ae_err *e)
{
	struct ae_db_crl_query q = {
		.dir = d->dir, .key_index = key, .since = -1
	};
	int64_t now = ae_clock_now();
	int rc;

	crl_rows_close(d);
	rc = ae_db_crl_base(d->db, key, base, e);
	if (rc == AE_OK && delta && base->number == 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no base CRL that a delta could refer to");
	if (rc == AE_OK)
		rc = db_batch(d, e);
	if (rc == AE_OK)
		rc = lead(d, key, delta, have, e);
	if (rc == AE_OK)
		rc =
		    ae_db_crl_number(d->db, key, (int64_t)seen, now, number, e);
	if (rc < 0)
		return rc;
	/* The number is durable before anybody hears it. */
	rc = db_flush(d, e);
	if (rc < 0)
		return rc;
	/* RFC 5280 3.3: once more after it has expired. */
	q.not_after = base->at < now ? base->at : now;
	if (delta)
		q.since = base->changed;
	d->delta = delta;
	return ae_db_crl_rows_new(&d->rows, d->db, &q, e);
}

int
on_crl_open(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_db_crl_base base;
	int64_t number = 0;
	struct ae_rd r;
	struct ae_wr w;
	uint16_t key;
	uint64_t seen, have;
	bool delta;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	key = ae_rd_u16(&r);
	delta = ae_rd_u8(&r) != 0;
	seen = ae_rd_u64(&r);
	have = ae_rd_u64(&r);
	if (!ae_rd_done(&r) || seen > INT64_MAX / 2 || have > INT64_MAX / 2)
		return bad_message(&r, "DB_CRL_OPEN", e);
	rc = open_rows(d, key, delta, seen, have, &number, &base, &why);
	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	ae_wr_u64(&w, (uint64_t)number);
	ae_wr_u64(&w, (uint64_t)base.number);
	/* a base is told how far it reaches */
	ae_wr_u64(
	    &w, rc == AE_OK ? (uint64_t)ae_db_crl_rows_changed(d->rows) : 0);
	put_str(&w, rc < 0 ? why.text : NULL);
	say(d, m->id, MSG_DB_CRL_OPENED, &w);
	return AE_OK;
}

static int
add_size(void *arg, const struct ae_db_revoked *r, struct ae_err *e)
{
	uint64_t *sum = arg;
	size_t n = ae_crl_entry_size(r->serial, r->serial_len, r->revoked_at,
	    (enum ae_crl_reason)r->reason);

	*sum += n;
	return n > 0 ? AE_OK
		     : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			   "a serial number of %zu bytes", r->serial_len);
}

static int
add_row(void *arg, const struct ae_db_revoked *r, struct ae_err *e)
{
	struct ae_wr *w = arg;

	ae_wr_u8(w, (uint8_t)r->serial_len);
	ae_wr_bytes(w, r->serial, r->serial_len);
	ae_wr_u64(w, (uint64_t)r->revoked_at);
	ae_wr_u8(w, (uint8_t)r->reason);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

/* The next rows by this function; what begins the answer. */
static int
next(struct database *d, unsigned max, ae_db_revoked_fn *fn, void *arg,
    bool *last, struct ae_err *e)
{
	if (d->rows == NULL)
		return ae_fail(
		    e, AE_EUNAVAIL, AE_DOM_NONE, 0, "no CRL is being made");
	return ae_db_crl_rows_next(d->rows, max, fn, arg, last, e);
}

int
on_crl_size(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	uint64_t sum = 0;
	bool last = false;
	struct ae_wr w;
	int rc;

	(void)ipc;
	(void)e;
	rc = next(d, CRL_SIZE_ROWS, add_size, &sum, &last, &why);
	if (rc < 0)
		log_line(d->p, AE_LOG_ERROR, "rows of a CRL: %s", why.text);
	ae_wr_init(&w, 16);
	ae_wr_u32(&w, (uint32_t)rc);
	ae_wr_u8(&w, last);
	ae_wr_u64(&w, sum);
	say(d, m->id, MSG_DB_CRL_SIZED, &w);
	return AE_OK;
}

int
on_crl_page(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	bool last = false;
	struct ae_wr w;
	int rc;

	(void)ipc;
	(void)e;
	ae_wr_init(&w, MSG_CRL_PART_MAX);
	ae_wr_u32(&w, 0);
	ae_wr_u8(&w, 0);
	rc = lead_on(d, &why);
	if (rc == AE_OK)
		rc = next(d, CRL_PAGE_ROWS, add_row, &w, &last, &why);
	if (rc < 0) {
		log_line(d->p, AE_LOG_ERROR, "rows of a CRL: %s", why.text);
		ae_wr_reset(&w);
		ae_wr_u32(&w, (uint32_t)rc);
		ae_wr_u8(&w, 0);
	} else if (ae_wr_ok(&w)) {
		w.p[4] = last;
	}
	if (rc < 0 || last)
		crl_rows_close(d);
	say(d, m->id, MSG_DB_CRL_ROWS, &w);
	return AE_OK;
}

/* A base CRL is where people look for it. */
int
on_crl_done(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_db_crl_base base;
	struct ae_rd r;
	uint16_t key;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	key = ae_rd_u16(&r);
	base.number = (int64_t)ae_rd_u64(&r);
	base.changed = (int64_t)ae_rd_u64(&r);
	base.at = (int64_t)ae_rd_u64(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "DB_CRL_DONE", e);
	rc = db_batch(d, &why);
	if (rc == AE_OK)
		rc = ae_db_crl_published(
		    d->db, key, &base, ae_clock_now(), &why);
	db_wrote(d, m->id, rc, 0, &why);
	return AE_OK;
}

/* ---- for other nodes ---- */

/* It is made: from this commit on it is the newest one, for all of them. */
int
on_crl_keep(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_db_crl_newest n = { .der = NULL };
	struct ae_err why = AE_ERR_INIT;
	struct ae_rd r;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	n.key_index = ae_rd_u16(&r);
	n.delta = ae_rd_u8(&r) != 0;
	n.number = (int64_t)ae_rd_u64(&r);
	n.this_update = (int64_t)ae_rd_u64(&r);
	n.next_update = (int64_t)ae_rd_u64(&r);
	n.next_publish = (int64_t)ae_rd_u64(&r);
	n.der_len = ae_rd_left(&r);
	n.der = ae_rd_take(&r, n.der_len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "DB_CRL_KEEP", e);
	rc = db_batch(d, &why);
	if (rc == AE_OK)
		rc = ae_db_crl_keep(d->db, &n, d->epoch, &why);
	db_wrote(d, m->id, rc, 0, &why);
	return AE_OK;
}

/* Has another node published a newer one? */
int
on_crl_look(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_CRL_MAX + 4096);
	struct ae_db_crl_newest n = { .der = NULL };
	struct ae_err why = AE_ERR_INIT;
	struct ae_rd r;
	struct ae_wr w;
	uint16_t key;
	uint64_t have;
	bool delta;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	key = ae_rd_u16(&r);
	delta = ae_rd_u8(&r) != 0;
	have = ae_rd_u64(&r);
	if (!ae_rd_done(&r) || have > INT64_MAX / 2) {
		ae_arena_free(a);
		return bad_message(&r, "DB_CRL_LOOK", e);
	}
	rc = ae_db_crl_newest(d->db, key, delta, (int64_t)have, &n, a, &why);
	ae_wr_init(&w, 64 + MSG_CRL_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	ae_wr_u64(&w, (uint64_t)n.number);
	ae_wr_u64(&w, (uint64_t)n.this_update);
	ae_wr_u64(&w, (uint64_t)n.next_update);
	ae_wr_u64(&w, (uint64_t)n.next_publish);
	if (n.der != NULL)
		ae_wr_bytes(&w, n.der, n.der_len);
	say(d, m->id, MSG_DB_CRL_NEWEST, &w);
	ae_arena_free(a);
	return AE_OK;
}
