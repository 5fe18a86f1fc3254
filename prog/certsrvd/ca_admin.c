/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What an administrator wants of one request: approve, deny, revoke,
 * release.  Each is a job: the row is read, judged, changed, told as an
 * event; an approval is decided anew, with today's template and the groups
 * that the requester had when he asked.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "ca_metrics.h"
#include "sys/clock.h"
#include "wcce/hresult.h"

/* The numbers Windows gives, MS-CSRA 3.1.4.1. */
#define HR_NO_REQUEST 0x80094002u
#define HR_BAD_STATUS 0x80094003u

/* ---- answers ---- */

static void
answer_with(struct admin *a, uint32_t msg, int rc, uint32_t hresult, int64_t id,
    const char *text, const uint8_t *p, size_t len)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	if (a == NULL || a->ipc == NULL)
		return;
	ae_wr_init(&w, MSG_ROW_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	ae_wr_u32(&w, hresult);
	ae_wr_u64(&w, (uint64_t)id);
	put_str(&w, text);
	put_bytes(&w, p, len);
	/* One that does not read loses the answer: it is in the database. */
	if (ae_wr_ok(&w))
		(void)!ae_ipc_send(
		    a->ipc, MSG_ADMIN_DONE, msg, w.p, w.len, -1, &e);
	ae_wr_done(&w);
}

static void
answer(struct admin *a, uint32_t msg, int rc, uint32_t hresult, int64_t id,
    const char *text)
{
	answer_with(a, msg, rc, hresult, id, text, NULL, 0);
}

static void
reply(struct job *j, int rc, uint32_t hresult, const char *text)
{
	if (j->manager != NULL)
		manage_end(j, rc, hresult, NULL, 0);
	else
		answer(j->admin, j->call, rc, hresult, j->row, text);
}

void
admin_fail(struct job *j, uint32_t hresult, const char *why)
{
	reply(j, AE_EUNAVAIL, hresult, why);
}

/* An approval has come to its end: issued, or decided against. */
void
admin_reply(struct job *j, const struct ae_wcce_reply *p)
{
	uint32_t hresult = p->hresult != 0 ? p->hresult : p->disposition;

	if (p->hresult == 0 && p->disposition == AE_CR_DISP_ISSUED) {
		reply(j, AE_OK, 0, "issued");
		return;
	}
	log_line(j->ca->p, AE_LOG_NOTICE,
	    "request %lld, approved by %s, goes on waiting: %s",
	    (long long)j->row, j->by, p->message != NULL ? p->message : "");
	reply(j, AE_EDENIED, hresult, p->message);
}

void
admin_refuse(struct job *j, int rc, uint32_t hresult, const char *text)
{
	if (j->manager != NULL)
		log_line(j->ca->p, AE_LOG_NOTICE,
		    "request %lld, wanted by %s: %s", (long long)j->row, j->by,
		    text);
	reply(j, rc, hresult, text);
	job_end(j);
}

void
admin_refused(struct job *j, int rc, const char *text)
{
	if (ae_db_refused_one(rc)) /* it changed while we looked */
		admin_refuse(j, AE_EDENIED, HR_BAD_STATUS, text);
	else
		admin_refuse(j, rc, HR_BUSY, text);
}

void
admin_busy(struct admin *a, uint32_t msg, int64_t id)
{
	answer(a, msg, AE_EUNAVAIL, HR_BUSY, id,
	    "not now: too many requests at once");
}

/* ---- the row is there ---- */

bool
admin_to_db(struct job *j, enum msg type, const struct ae_wr *w)
{
	j->stage = STAGE_ADMIN;
	if (peer_send(peer_of(j->ca->p, ROLE_DB, 0), type, j->id, w))
		return true;
	admin_refuse(j, AE_EUNAVAIL, HR_BUSY, "the database is not there");
	return false;
}

static void
wrong_state(struct job *j, const char *needed)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "request %lld is %s, not %s",
	    (long long)j->row, ae_db_disp_name((int)j->stored->disp), needed);
	admin_refuse(j, AE_EDENIED, HR_BAD_STATUS, text);
}

static void
approve(struct job *j)
{
	const struct ae_db_request *row = j->stored;
	struct ae_err e = AE_ERR_INIT;
	struct ae_rd r;

	if (row->disp != AE_DB_PENDING) {
		wrong_state(j, "pending");
		return;
	}
	if (row->caller_len == 0) {
		admin_refuse(j, AE_EDENIED, HR_BAD_STATUS,
		    "it was stored by an older certsrvd, which did not keep "
		    "who asked: deny it, and it can be asked for again");
		return;
	}
	ae_rd_init(&r, row->caller, row->caller_len);
	if (!job_adopt(j, &r, &e)) {
		admin_refuse(j, AE_EUNAVAIL, HR_BUSY, e.text);
		return;
	}
	j->q = (struct ae_wcce_request){ .iface = AE_WCCE_ICERTREQUESTD,
		.call = AE_WCCE_CALL_REQUEST,
		.authority = j->ca->config.name,
		.flags = row->flags,
		.request_id = (uint32_t)row->id,
		.attributes = row->attrs,
		.csr = { row->csr, row->csr_len } };
	job_advance(j);
}

static void
deny(struct job *j)
{
	char text[96];
	struct ae_wr w;

	if (j->stored->disp != AE_DB_PENDING) {
		wrong_state(j, "pending");
		return;
	}
	/* the words of Windows' CA, MS-WCCE note 90 */
	(void)snprintf(text, sizeof(text), "Denied by %s", j->by);
	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u64(&w, (uint64_t)j->row);
	ae_wr_u32(&w, AE_DB_DENIED);
	ae_wr_u32(&w, AE_HR_ADMIN_DENIED_REQUEST);
	put_str(&w, text);
	put_str(&w, j->by);
	(void)admin_to_db(j, MSG_DB_REFUSE, &w);
	ae_wr_done(&w);
}

static void
revoke_or_release(struct job *j)
{
	const struct ae_db_request *row = j->stored;
	const bool release = j->op == MSG_ADMIN_RELEASE;
	const bool held = row->disp == AE_DB_REVOKED &&
	    row->revoked_reason == AE_DB_REASON_HOLD;
	struct ae_wr w;

	if (!held && (release || row->disp != AE_DB_ISSUED)) {
		wrong_state(j, release ? "on hold" : "issued");
		return;
	}
	ae_wr_init(&w, MSG_TEXT_MAX);
	put_bytes(&w, row->serial, row->serial_len);
	if (!release)
		ae_wr_u8(&w, j->reason);
	put_str(&w, j->by);
	(void)admin_to_db(j, release ? MSG_DB_RELEASE : MSG_DB_REVOKE, &w);
	ae_wr_done(&w);
}

/* An archived key: db says who has it in the audit chain first. */
static void
recover(struct job *j)
{
	struct ae_wr w;

	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u64(&w, (uint64_t)j->row);
	put_str(&w, j->by);
	(void)admin_to_db(j, MSG_DB_RECOVER, &w);
	ae_wr_done(&w);
}

void
admin_key(struct job *j, const uint8_t *blob, size_t len)
{
	if (blob == NULL) {
		admin_refuse(j, AE_ENOTFOUND, AE_HR_PROPERTY_EMPTY,
		    "no key was archived with this request");
		return;
	}
	log_line(j->ca->p, AE_LOG_NOTICE,
	    "the archived key of request %lld was given to %s",
	    (long long)j->row, j->by);
	if (j->manager != NULL)
		manage_end(j, AE_OK, 0, blob, len);
	else
		answer_with(j->admin, j->call, AE_OK, 0, j->row, "recovered",
		    blob, len);
	job_end(j);
}

void
admin_loaded(struct job *j, struct ae_db_request *row)
{
	if (row == NULL) {
		admin_refuse(
		    j, AE_ENOTFOUND, HR_NO_REQUEST, "there is no such request");
		return;
	}
	j->stored = row;
	j->row = row->id;
	if (j->manager != NULL)
		manage_judge(j);
	else
		admin_go(j);
}

void
admin_go(struct job *j)
{
	if (j->op == MSG_MANAGE)
		manage_loaded(j, j->stored);
	else if (j->op == MSG_ADMIN_APPROVE)
		approve(j);
	else if (j->op == MSG_ADMIN_DENY)
		deny(j);
	else if (j->op == MSG_ADMIN_RECOVER)
		recover(j);
	else if (j->op == MSG_ADMIN_EXPLAIN)
		explain_loaded(j);
	else
		revoke_or_release(j);
}

void
admin_done(struct job *j)
{
	if (j->op == MSG_MANAGE) { /* attributes were set */
		reply(j, AE_OK, 0, "set");
		job_end(j);
		return;
	}
	event_admin(j);
	if (j->op == MSG_ADMIN_REVOKE || j->op == MSG_ADMIN_RELEASE) {
		metrics_revoked(j->ca, j->op == MSG_ADMIN_RELEASE);
		ocsp_changed(j->ca, j->stored->serial, j->stored->serial_len);
		crl_changed(j->ca);
	}
	reply(j, AE_OK, 0,
	    j->op == MSG_ADMIN_DENY	    ? "denied"
		: j->op == MSG_ADMIN_REVOKE ? "revoked"
					    : "released");
	job_end(j);
}

/* ---- the connection ---- */

void
admin_load(struct job *j, int64_t id, const uint8_t *serial, size_t len)
{
	struct ae_wr w;

	j->stage = STAGE_LOAD;
	j->row = id;
	ae_wr_init(&w, 64);
	if (id != 0)
		ae_wr_u64(&w, (uint64_t)id);
	else
		put_bytes(&w, serial, len);
	if (!peer_send(peer_of(j->ca->p, ROLE_DB, 0),
		id != 0 ? MSG_DB_BY_ID : MSG_DB_BY_SERIAL, j->id, &w))
		admin_refuse(
		    j, AE_EUNAVAIL, HR_BUSY, "the database is not there");
	ae_wr_done(&w);
}

static int
on_admin(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct admin *a = arg;
	const uint8_t *serial = NULL;
	uint8_t reason = 0;
	struct ae_rd r;
	struct job *j;
	size_t len = 0;
	int64_t id;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	id = (int64_t)ae_rd_u64(&r);
	if (m->type == MSG_ADMIN_REVOKE || m->type == MSG_ADMIN_RELEASE)
		serial = get_bytes(&r, &len);
	if (m->type == MSG_ADMIN_REVOKE)
		reason = ae_rd_u8(&r);
	if (!ae_rd_done(&r) || id < 0 || (id == 0) != (len > 0) ||
	    len > AE_DB_SERIAL_MAX || reason > AE_DB_REASON_HOLD)
		return bad_message(&r, "an administrator's wish", e);
	j = job_start_local(a->ca, a, m->id);
	if (j == NULL) {
		admin_busy(a, m->id, id);
		return AE_OK;
	}
	j->op = (enum msg)m->type;
	j->reason = reason;
	admin_load(j, id, serial, len);
	return AE_OK;
}

static const struct ae_ipc_row admin_rows[] = {
	{ MSG_ADMIN_APPROVE, 8, 1, false, on_admin },
	{ MSG_ADMIN_DENY, 8, 1, false, on_admin },
	{ MSG_ADMIN_REVOKE, 64, 1, false, on_admin },
	{ MSG_ADMIN_RELEASE, 64, 1, false, on_admin },
	{ MSG_ADMIN_RECOVER, 8, 1, false, on_admin },
	{ MSG_ADMIN_EXPLAIN, MSG_EXPLAIN_MAX, 1, false, on_explain },
	{ .handle = NULL },
};

static void
on_closed(void *arg, struct ae_ipc *ipc, const struct ae_err *why)
{
	struct admin *a = arg;

	if (why->rc != AE_EUNAVAIL && why->rc != AE_EIO)
		log_line(a->ca->p, AE_LOG_WARNING, "the channel of %s: %s",
		    a->who, why->text);
	ae_ipc_free(ipc);
	a->ipc = NULL;
	job_admin_gone(a->ca, a);
}

int
admin_open(struct proc *p, int take_fd, const char *who, struct ae_err *e)
{
	struct ca *ca = p->state;
	struct admin *a = NULL;
	size_t i;

	for (i = 0; i < ADMINS_MAX && a == NULL; i++)
		if (ca->admin[i].ipc == NULL)
			a = &ca->admin[i];
	if (a == NULL) {
		(void)close(take_fd);
		log_line(p, AE_LOG_WARNING,
		    "%s: more than %u administrators at one time", who,
		    ADMINS_MAX);
		return AE_OK;
	}
	a->ca = ca;
	(void)snprintf(a->who, sizeof(a->who), "%s", who);
	return ae_ipc_new(
	    &a->ipc, p->loop, take_fd, admin_rows, on_closed, a, e);
}
