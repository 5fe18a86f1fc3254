/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Exchange keys of all nodes, sealed: kept by the one that made it, found by
 * any other that gets what was encrypted to it.
 */
#include "dbproc.h"
#include "pki/seal.h"
#include "sys/clock.h"

int
on_xchg_keep(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *serial, *sealed;
	size_t serial_len, len;
	struct ae_rd r;
	int64_t until;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	serial = get_bytes(&r, &serial_len);
	sealed = get_bytes(&r, &len);
	until = (int64_t)ae_rd_u64(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "DB_XCHG_KEEP", e);
	rc = db_batch(d, &why);
	if (rc == AE_OK)
		rc = ae_db_exchange_keep(d->db, serial, serial_len, sealed, len,
		    until, ae_clock_now(), &why);
	db_wrote(d, m->id, rc, 0, &why);
	return AE_OK;
}

/* With the certificate, which says whose it is. */
int
on_xchg_get(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_ROW_ARENA);
	struct ae_err why = AE_ERR_INIT;
	struct ae_db_request row;
	const uint8_t *serial, *sealed = NULL;
	size_t serial_len, len = 0;
	struct ae_wr *w;
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	serial = get_bytes(&r, &serial_len);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "DB_XCHG_GET", e);
	}
	rc = ae_db_exchange_get(
	    d->db, serial, serial_len, &sealed, &len, a, &why);
	if (rc == AE_OK)
		rc = ae_db_request_by_serial(
		    d->db, serial, serial_len, &row, a, &why);
	w = db_answer(d, ROLE_CA, m->id, MSG_DB_XCHG, MSG_ROW_MAX);
	ae_wr_u32(w, (uint32_t)rc);
	put_bytes(w, sealed, rc == AE_OK ? len : 0);
	put_bytes(
	    w, rc == AE_OK ? row.cert : NULL, rc == AE_OK ? row.cert_len : 0);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		log_line(d->p, AE_LOG_ERROR, "database: %s", why.text);
	ae_arena_free(a);
	return AE_OK;
}
