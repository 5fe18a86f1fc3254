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
#include "admin_local.h"
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
	    "request %lld, approved by %s, %s: %s", (long long)j->row, j->by,
	    j->stored != NULL && j->stored->disp == AE_DB_DENIED
		? "stays denied"
		: "goes on waiting",
	    p->message != NULL ? p->message : "");
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

/* Decided anew, as a request of that caller. */
static void
decide_anew(struct job *j, struct ae_rd *r)
{
	const struct ae_db_request *row = j->stored;
	struct ae_err e = AE_ERR_INIT;

	if (!job_adopt(j, r, &e)) {
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

void
approve_who(struct job *j, const struct ae_ca_requester *o, bool ok)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_rd r;
	struct ae_wr w;

	j->as_directory = false;
	if (!ok) {
		admin_refuse(j, AE_EUNAVAIL, AE_HR_DS_UNAVAILABLE,
		    "the directory did not answer");
		return;
	}
	if (!o->found || o->disabled) {
		admin_refuse(j, AE_EDENIED, AE_HR_NO_SUCH_USER,
		    "the requester's account is gone or disabled");
		return;
	}
	ae_wr_init(&w, AE_DB_CALLER_MAX);
	if (account_caller(&w, o, &e) < 0) {
		admin_refuse(j, AE_ELIMIT, HR_INTERNAL, e.text);
	} else {
		ae_rd_init(&r, w.p, w.len);
		decide_anew(j, &r);
	}
	ae_wr_done(&w);
}

/*
 * One that was denied, MS-CSRA 3.1.4.1.3: for the CA's administrator to try
 * again.  Its requester's groups are not kept; the directory has those of
 * now.
 */
static void
approve_denied(struct job *j)
{
	const bool administrator = j->manager != NULL
	    ? (j->roles & AE_ADMIN_ROLE_ADMIN) != 0
	    : (j->at.roles & LOCAL_ADMINISTRATOR) != 0;

	if (!administrator) {
		admin_refuse(j, AE_EDENIED, HR_BAD_STATUS,
		    "it was denied: only who administers the CA may have it "
		    "decided again");
		return;
	}
	j->as_directory = true;
	j->stage = STAGE_WHO;
	if (j->stored->sid == NULL || !job_ask_account(j, j->stored->sid))
		admin_refuse(
		    j, AE_EUNAVAIL, HR_BUSY, "the directory is not there");
}

static void
approve(struct job *j)
{
	const struct ae_db_request *row = j->stored;
	struct ae_rd r;

	if (row->disp == AE_DB_DENIED) {
		approve_denied(j);
		return;
	}
	if (row->disp != AE_DB_PENDING) {
		wrong_state(j, "pending or denied");
		return;
	}
	if (row->caller_len == 0) {
		admin_refuse(j, AE_EDENIED, HR_BAD_STATUS,
		    "it was stored by an older certsrvd, which did not keep "
		    "who asked: deny it, and it can be asked for again");
		return;
	}
	ae_rd_init(&r, row->caller, row->caller_len);
	decide_anew(j, &r);
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

/*
 * A certificate that a signer signed and no row knows of: it gets one that is
 * revoked.
 */
static void
revoke_unrecorded(struct job *j)
{
	struct ae_wr w;

	ae_wr_init(&w, MSG_TEXT_MAX);
	put_bytes(&w, j->named, j->named_len);
	ae_wr_u8(&w, j->reason);
	put_str(&w, j->by);
	(void)admin_to_db(j, MSG_DB_REVOKE_UNRECORDED, &w);
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
	if (j->manager != NULL) {
		job_sign_archived(j, blob, len);
		return;
	}
	answer_with(
	    j->admin, j->call, AE_OK, 0, j->row, "recovered", blob, len);
	job_end(j);
}

void
admin_loaded(struct job *j, struct ae_db_request *row)
{
	if (row == NULL && j->op == MSG_ADMIN_REVOKE &&
	    j->reason != AE_DB_REASON_HOLD &&
	    signed_unrecorded(j->ca, j->named, j->named_len)) {
		revoke_unrecorded(j);
		return;
	}
	if (row == NULL) {
		admin_refuse(
		    j, AE_ENOTFOUND, HR_NO_REQUEST, "there is no such request");
		return;
	}
	j->stored = row;
	j->row = row->id;
	if (j->manager != NULL)
		manage_judge(j);
	else if (j->op == MSG_ADMIN_APPROVE && local_is_his_own(j, row))
		admin_refuse(j, AE_EDENIED, AE_HR_E_ACCESSDENIED,
		    "nobody approves a request of his own");
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
	if (j->op == MSG_ADMIN_BACKUP) {
		event_own(j->ca, AE_LOG_INFO, 3, "%s makes backup %lld", j->by,
		    (long long)j->row);
		reply(j, AE_OK, 0, "begun");
		job_end(j);
		return;
	}
	if (j->stored == NULL) { /* revoke_unrecorded() */
		event_own(j->ca, AE_LOG_NOTICE, 8,
		    "%s has revoked a certificate that no request had", j->by);
		crl_changed(j->ca);
		reply(j, AE_OK, 0, "revoked");
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

static ae_ipc_handler on_wish;

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
	if (len > 0)
		memcpy(j->named, serial, len);
	j->named_len = len;
	admin_load(j, id, serial, len);
	return AE_OK;
}

/* As "certsrv crl publish" of an administrator wants it. */
static int
on_publish(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct admin *a = arg;

	(void)ipc;
	(void)e;
	log_line(a->ca->p, AE_LOG_NOTICE, "%s wants a CRL", a->at.who);
	crl_publish(a->ca->p);
	answer(a, m->id, AE_OK, 0, 0, "asked for");
	return AE_OK;
}

/* One more backup: the database says so first, and the copy has that, too. */
static int
on_backup(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct admin *a = arg;
	struct job *j = job_start_local(a->ca, a, m->id);
	struct ae_wr w;

	(void)ipc;
	(void)e;
	if (j == NULL) {
		admin_busy(a, m->id, 0);
		return AE_OK;
	}
	j->op = MSG_ADMIN_BACKUP;
	ae_wr_init(&w, MSG_TEXT_MAX);
	put_str(&w, j->by);
	(void)admin_to_db(j, MSG_DB_BACKUP, &w);
	ae_wr_done(&w);
	return AE_OK;
}

/* clang-format off */
static const struct ae_ipc_row admin_rows[] = {
	{ MSG_ADMIN_APPROVE, 8, 1, false, on_wish },
	{ MSG_ADMIN_DENY, 8, 1, false, on_wish },
	{ MSG_ADMIN_REVOKE, 64, 1, false, on_wish },
	{ MSG_ADMIN_RELEASE, 64, 1, false, on_wish },
	{ MSG_ADMIN_RECOVER, 8, 1, false, on_wish },
	{ MSG_ADMIN_EXPLAIN, MSG_EXPLAIN_MAX, 1, false, on_wish },
	{ MSG_ADMIN_BACKUP, 0, 1, false, on_wish },
	{ MSG_ADMIN_PUBLISH, 0, 1, false, on_wish },
	{ MSG_ADMIN_LIST, MSG_TEXT_MAX, 1, false, on_wish },
	{ MSG_ADMIN_STATUS, 0, 1, false, on_wish },
	{ .handle = NULL },
};

/* Which of these roles may want it; what certsrv says in its --help. */
static const struct {
	enum msg type;
	uint8_t roles;
	ae_ipc_handler *handle;
} wishes[] = {
	{ MSG_ADMIN_APPROVE, LOCAL_MANAGER, on_admin },
	{ MSG_ADMIN_DENY, LOCAL_MANAGER, on_admin },
	{ MSG_ADMIN_REVOKE, LOCAL_MANAGER, on_admin },
	{ MSG_ADMIN_RELEASE, LOCAL_MANAGER, on_admin },
	{ MSG_ADMIN_RECOVER, LOCAL_MANAGER, on_admin },
	{ MSG_ADMIN_EXPLAIN, LOCAL_ANY, on_explain },
	{ MSG_ADMIN_BACKUP, LOCAL_ROOT, on_backup },
	{ MSG_ADMIN_PUBLISH, LOCAL_ADMINISTRATOR, on_publish },
	{ MSG_ADMIN_LIST, LOCAL_ANY, local_list },
	{ MSG_ADMIN_STATUS, LOCAL_ANY, local_status },
};
/* clang-format on */

static int
on_wish(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct admin *a = arg;
	size_t i;

	for (i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		if (wishes[i].type != (enum msg)m->type)
			continue;
		if (local_restricted(a, wishes[i].roles)) {
			answer(a, m->id, AE_EDENIED, AE_HR_RESTRICTEDOFFICER, 0,
			    "there is a list of officers: it knows who you "
			    "are over the network (--ca)");
			return AE_OK;
		}
		if (local_may(a, wishes[i].roles))
			return wishes[i].handle(arg, ipc, m, e);
		log_line(a->ca->p, AE_LOG_WARNING,
		    "%s wanted what his role does not let him", a->at.who);
		if (local_conflict(a))
			answer(a, m->id, AE_EDENIED, AE_HR_ROLECONFLICT, 0,
			    "who has two roles may do nothing here "
			    "([admin] role-separation)");
		else
			answer(a, m->id, AE_EDENIED, AE_HR_E_ACCESSDENIED, 0,
			    "the role for that is another one");
		return AE_OK;
	}
	return ae_fail(
	    e, AE_EPROTO, AE_DOM_NONE, 0, "message %u", (unsigned)m->type);
}

static void
on_closed(void *arg, struct ae_ipc *ipc, const struct ae_err *why)
{
	struct admin *a = arg;

	if (why->rc != AE_EUNAVAIL && why->rc != AE_EIO)
		log_line(a->ca->p, AE_LOG_WARNING, "the channel of %s: %s",
		    a->at.who, why->text);
	ae_ipc_free(ipc);
	a->ipc = NULL;
	job_admin_gone(a->ca, a);
}

int
admin_open(
    struct proc *p, int take_fd, const struct local_who *who, struct ae_err *e)
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
		    "%s: more than %u administrators at one time", who->who,
		    ADMINS_MAX);
		return AE_OK;
	}
	a->ca = ca;
	a->at = *who;
	return ae_ipc_new(
	    &a->ipc, p->loop, take_fd, admin_rows, on_closed, a, e);
}
