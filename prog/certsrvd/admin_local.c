/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Administrators on the CA's host that are not root: their roles, their own
 * requests, and rows for those who cannot open the database.
 */
#include "admin_local.h"

#include <string.h>

#include "admin.h"

/* Rows of one answer: it is in memory here. */
#define LIST_ROWS 500u
#define LIST_BLOBS 20u

bool
local_conflict(const struct admin *a)
{
	const uint8_t r = a->at.roles & LOCAL_ANY;

	return a->ca->p->conf.role_separation &&
	    (a->at.roles & LOCAL_ROOT) == 0 && (r & (r - 1)) != 0;
}

bool
local_may(const struct admin *a, uint8_t roles)
{
	return (a->at.roles & roles) != 0 && !local_conflict(a);
}

bool
local_restricted(const struct admin *a, uint8_t roles)
{
	return roles == LOCAL_MANAGER && a->ca->officers != NULL &&
	    (a->at.roles & LOCAL_ROOT) == 0 && local_may(a, roles);
}

/* "DOMAIN\name", "name@domain" and "name": the part that is the account's. */
static void
bare(const char **p, size_t *len)
{
	const char *slash = strrchr(*p, '\\');

	if (slash != NULL)
		*p = slash + 1;
	*len = strcspn(*p, "@");
}

static bool
same_account(const char *a, const char *b)
{
	size_t la, lb;

	bare(&a, &la);
	bare(&b, &lb);
	return la == lb && la > 0 && strncasecmp(a, b, la) == 0;
}

bool
local_is_his_own(const struct job *j, const struct ae_db_request *row)
{
	uint8_t i;

	for (i = 0; i < j->at.nnames; i++)
		if ((row->account != NULL &&
			same_account(j->at.name[i], row->account)) ||
		    (row->on_behalf != NULL &&
			same_account(j->at.name[i], row->on_behalf)))
			return true;
	return false;
}

/* ---- rows ---- */

/* Taken apart and put together again: db believes us. */
static bool
list_body(struct ae_wr *w, const struct ae_ipc_msg *m, struct ae_arena *a)
{
	struct ae_db_filter f = { .blobs = false };
	struct ae_rd r;

	ae_rd_init(&r, m->body, m->len);
	f.blobs = ae_rd_u8(&r) != 0;
	f.after = (int64_t)ae_rd_u64(&r);
	f.limit = ae_rd_u32(&r);
	f.newest_first = ae_rd_u8(&r) != 0;
	f.disp = (int)ae_rd_u32(&r);
	f.template = get_str(&r, a);
	f.serial = get_bytes(&r, &f.serial_len);
	f.sid = get_str(&r, a);
	if (!ae_rd_done(&r) || f.after < 0 || f.limit == 0 ||
	    f.limit > (f.blobs ? LIST_BLOBS : LIST_ROWS) ||
	    f.serial_len > AE_DB_SERIAL_MAX)
		return false;
	ae_wr_u8(w, f.blobs);
	ae_wr_u64(w, (uint64_t)f.after);
	ae_wr_u32(w, f.limit);
	ae_wr_u8(w, f.newest_first);
	ae_wr_u32(w, (uint32_t)f.disp);
	put_str(w, f.template);
	put_bytes(w, f.serial, f.serial_len);
	put_str(w, f.sid);
	return ae_wr_ok(w);
}

static bool
start_list(struct admin *a, uint32_t id, const struct ae_wr *w)
{
	struct job *j = job_start_local(a->ca, a, id);

	if (j == NULL)
		return false;
	j->op = MSG_ADMIN_LIST;
	j->stage = STAGE_ROWS;
	if (!peer_send(peer_of(a->ca->p, ROLE_DB, 0), MSG_DB_LIST, j->id, w))
		admin_refuse(
		    j, AE_EUNAVAIL, HR_BUSY, "the database is not there");
	return true;
}

int
local_list(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct admin *a = arg;
	struct ae_arena *arena = ae_arena_new(MSG_TEXT_MAX * 2);
	struct ae_wr w;
	bool good;

	(void)ipc;
	if (arena == NULL)
		return ae_fail_mem(e);
	ae_wr_init(&w, MSG_TEXT_MAX * 2);
	good = list_body(&w, m, arena);
	if (good && !start_list(a, m->id, &w))
		admin_busy(a, m->id, 0);
	ae_wr_done(&w);
	ae_arena_free(arena);
	return good ? AE_OK
		    : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			  "a list of rows that cannot be");
}

void
local_rows(struct job *j, const void *body, size_t len)
{
	struct ae_err e = AE_ERR_INIT;

	/* who does not read it asks again */
	if (j->admin != NULL && j->admin->ipc != NULL &&
	    ae_ipc_send(
		j->admin->ipc, MSG_ADMIN_ROWS, j->call, body, len, -1, &e) < 0)
		log_line(
		    j->ca->p, AE_LOG_WARNING, "rows for %s: %s", j->by, e.text);
	job_end(j);
}
