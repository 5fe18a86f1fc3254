/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What OCSP is told of certificates: issued, revoked, or none of ours.
 */
#include "dbproc.h"

/* The row of a serial number; rows that never became a certificate: none. */
static int
look(struct database *d, const uint8_t *serial, size_t len, struct ae_wr *w,
    struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(MSG_ROW_ARENA);
	struct ae_db_request row = { .id = 0 };
	uint8_t status = STATUS_NONE;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	rc = ae_db_request_by_serial(d->db, serial, len, &row, a, e);
	if (rc == AE_OK)
		status = row.disp == AE_DB_ISSUED ? STATUS_ISSUED
		    : row.disp == AE_DB_REVOKED	  ? STATUS_REVOKED
						  : STATUS_NONE;
	ae_wr_u8(w, status);
	ae_wr_u16(w, (uint16_t)(row.issuer >> 16));
	ae_wr_u64(w, (uint64_t)row.revoked_at);
	ae_wr_u8(w, (uint8_t)row.revoked_reason);
	ae_arena_free(a);
	return rc == AE_ENOTFOUND ? AE_OK : rc;
}

int
on_status(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *serial;
	struct ae_wr *w;
	struct ae_rd r;
	size_t len;
	uint8_t i, n;
	int rc = AE_OK;

	(void)ipc;
	w = db_answer(d, ROLE_OCSP, m->id, MSG_DB_STATUSES, MSG_STATUSES_MAX);
	ae_wr_u32(w, 0);
	ae_rd_init(&r, m->body, m->len);
	n = ae_rd_u8(&r);
	/* it would call good what was revoked since */
	if (d->suspended[0] != '\0') {
		ae_wr_reset(w);
		ae_wr_u32(w, (uint32_t)AE_EUNAVAIL);
		return AE_OK;
	}
	for (i = 0; i < n && rc == AE_OK && ae_rd_ok(&r); i++) {
		serial = get_bytes(&r, &len);
		if (serial != NULL)
			rc = look(d, serial, len, w, &why);
	}
	if (rc == AE_OK && (!ae_rd_done(&r) || n == 0))
		return bad_message(&r, "DB_STATUS", e);
	if (rc < 0) {
		log_line(d->p, AE_LOG_ERROR, "database: %s", why.text);
		ae_wr_reset(w);
		ae_wr_u32(w, (uint32_t)rc);
	}
	return AE_OK;
}
