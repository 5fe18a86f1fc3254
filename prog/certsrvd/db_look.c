/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Look-ups and pages of rows.
 */
#include "dbproc.h"

/* Look-ups see what this turn wrote, so their answers wait with it. */
int
on_lookup(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_ROW_ARENA);
	struct ae_err why = AE_ERR_INIT;
	struct ae_db_request row;
	uint8_t hash[AE_DB_HASH_LEN] = { 0 };
	const uint8_t *serial = NULL;
	char *sid = NULL, *attrs = NULL;
	struct ae_wr *w;
	struct ae_rd r;
	int64_t id = 0;
	size_t len = 0;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	if (m->type == MSG_DB_BY_ID)
		id = (int64_t)ae_rd_u64(&r);
	else if (m->type == MSG_DB_BY_SERIAL)
		serial = get_bytes(&r, &len);
	else {
		sid = get_str(&r, a);
		ae_rd_copy(&r, hash, sizeof(hash));
		attrs = get_str(&r, a);
	}
	if (!ae_rd_done(&r) || (m->type == MSG_DB_SAME && sid == NULL)) {
		ae_arena_free(a);
		return bad_message(&r, "a look-up", e);
	}
	if (m->type == MSG_DB_BY_ID)
		rc = ae_db_request_get(d->db, id, &row, a, &why);
	else if (m->type == MSG_DB_BY_SERIAL)
		rc = ae_db_request_by_serial(d->db, serial, len, &row, a, &why);
	else
		rc = ae_db_request_same(d->db, sid, hash, attrs, &row, a, &why);
	w = db_answer(d, ROLE_CA, m->id, MSG_DB_ROW, MSG_ROW_MAX);
	ae_wr_u32(w, (uint32_t)rc);
	if (rc == AE_OK)
		put_row(w, &row);
	else if (rc != AE_ENOTFOUND)
		log_line(d->p, AE_LOG_ERROR, "database: %s", why.text);
	ae_arena_free(a);
	return AE_OK;
}

/* ---- pages of rows ---- */

/* So many as fit; n is where their number stands. */
static bool
put_rows(struct ae_wr *w, size_t n_at, uint32_t *n, struct ae_db_request *v,
    size_t got)
{
	size_t i;

	for (i = 0; i < got && w->len < MSG_ROWS_MAX / 2; i++)
		put_row(w, &v[i]);
	*n += (uint32_t)i;
	if (ae_wr_ok(w))
		ae_wr_set_u32(w, n_at, *n);
	return i == got;
}

/* The rows of on_list and on_pick into an answer; rc says how it went. */
static void
rows_answer(struct database *d, uint32_t id, int rc, bool end,
    struct ae_db_request *v, size_t got, const struct ae_err *why)
{
	struct ae_wr *w = db_answer(d, ROLE_CA, id, MSG_DB_ROWS, MSG_ROWS_MAX);
	uint32_t n = 0;

	ae_wr_u32(w, (uint32_t)rc);
	if (rc < 0) {
		log_line(d->p, AE_LOG_ERROR, "database: %s", why->text);
		return;
	}
	ae_wr_u8(w, 0);
	ae_wr_u32(w, 0);
	if (put_rows(w, 5, &n, v, got) && end && ae_wr_ok(w))
		w->p[4] = 1;
}

int
on_list(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_arena *a = ae_arena_new(2 * MSG_ROWS_MAX);
	struct ae_db_filter f = { .blobs = false };
	struct ae_err why = AE_ERR_INIT;
	struct ae_db_request *v = NULL;
	struct ae_rd r;
	size_t got = 0;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	f.blobs = ae_rd_u8(&r) != 0;
	f.after = (int64_t)ae_rd_u64(&r);
	f.limit = ae_rd_u32(&r);
	f.newest_first = ae_rd_u8(&r) != 0;
	f.disp = (int)ae_rd_u32(&r);
	f.template = get_str(&r, a);
	f.serial = get_bytes(&r, &f.serial_len);
	f.sid = get_str(&r, a);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "DB_LIST", e);
	}
	rc = ae_db_request_list(d->db, &f, &v, &got, a, &why);
	rows_answer(d, m->id, rc, got < f.limit, v, got, &why);
	ae_arena_free(a);
	return AE_OK;
}

#define PICK_MAX 1000u

/* Rows by their numbers, in that order; what is not there is left out. */
int
on_pick(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_arena *a = ae_arena_new(2 * MSG_ROWS_MAX);
	struct ae_err why = AE_ERR_INIT;
	struct ae_db_request *v = NULL;
	uint32_t n, i;
	struct ae_rd r;
	size_t got = 0;
	bool blobs;
	int rc = AE_OK;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	blobs = ae_rd_u8(&r) != 0;
	n = ae_rd_u32(&r);
	if (n <= PICK_MAX)
		v = ae_arena_array(a, n + 1, sizeof(*v));
	if (v == NULL) {
		ae_arena_free(a);
		return bad_message(&r, "DB_PICK", e);
	}
	for (i = 0; i < n && rc == AE_OK && ae_rd_ok(&r); i++) {
		rc = ae_db_request_get(
		    d->db, (int64_t)ae_rd_u64(&r), &v[got], a, &why);
		if (rc == AE_OK && !blobs)
			v[got].csr_len = v[got].cert_len = 0;
		if (rc == AE_OK)
			v[got++].caller_len = 0;
		if (rc == AE_ENOTFOUND)
			rc = AE_OK;
	}
	if (!ae_rd_done(&r) && rc == AE_OK) {
		ae_arena_free(a);
		return bad_message(&r, "DB_PICK", e);
	}
	rows_answer(d, m->id, rc, false, v, got, &why);
	ae_arena_free(a);
	return AE_OK;
}
