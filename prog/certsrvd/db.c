/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The only process with the database.  What arrives in one turn of the loop
 * is one commit, and no answer leaves before the commit that it rests on.
 */
#include <stdlib.h>
#include <string.h>

#include <time.h>

#include "dbconf.h"
#include "dbproc.h"
#include "pki/seal.h"
#include "sys/clock.h"
#include "sys/sandbox.h"

#define SERVER_WAIT_MS 20000
#define HRESULT_VOID 0x80094006u /* CERTSRV_E_SERVER_SUSPENDED */

static void
put_done(struct ae_wr *w, int rc, int64_t id, const char *text)
{
	ae_wr_u32(w, (uint32_t)rc);
	ae_wr_u64(w, (uint64_t)id);
	put_str(w, text);
}

static struct ae_wr *
answer_add(
    struct database *d, enum role to, uint32_t id, enum msg type, size_t max)
{
	struct answer *a = &d->answer[d->n++];

	a->to = to;
	a->id = id;
	a->type = type;
	ae_wr_init(&a->body, max);
	return &a->body;
}

/* Every answer of the batch becomes this failure. */
static void
answers_fail(struct database *d, int rc, const char *text)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		struct answer *a = &d->answer[i];

		ae_wr_reset(&a->body);
		if (a->type == MSG_DB_DONE)
			put_done(&a->body, rc, 0, text);
		else
			ae_wr_u32(&a->body, (uint32_t)rc);
	}
}

static void
answers_send(struct database *d)
{
	size_t i;

	peer_cork(peer_of(d->p, ROLE_CA, 0), true);
	for (i = 0; i < d->n; i++) {
		struct answer *a = &d->answer[i];

		(void)peer_send(
		    peer_of(d->p, a->to, 0), a->type, a->id, &a->body);
		ae_wr_done(&a->body);
	}
	peer_cork(peer_of(d->p, ROLE_CA, 0), false);
	d->n = 0;
}

/*
 * After a failed write or sync nothing is retried: the process ends and the
 * next start recovers.  A full disk or a lock is waited out by the askers.
 */
static void
batch_failed(struct database *d, int rc, const struct ae_err *e)
{
	log_line(d->p, AE_LOG_ERROR, "database: %s", e->text);
	ae_db_rollback(d->db);
	d->open = false;
	answers_fail(d, rc, e->text);
	answers_send(d);
	if (rc == AE_EIO || rc == AE_EPROTO || rc == AE_EINTERNAL)
		proc_exit(d->p, 1);
}

int
db_flush(struct database *d, struct ae_err *e)
{
	int rc;

	if (d->open) {
		rc = anchor_reserve(d, e);
		if (rc == AE_OK)
			rc = ae_db_commit(d->db, e);
		if (rc < 0) {
			batch_failed(d, rc, e);
			return rc;
		}
		d->open = false;
		d->m.v[M_DB_COMMITS]++;
		anchor_committed(d);
	}
	answers_send(d);
	return AE_OK;
}

void
db_commit(void *arg)
{
	struct ae_err e = AE_ERR_INIT;

	(void)!db_flush(arg, &e); /* was told to all who waited */
}

int
db_batch(struct database *d, struct ae_err *e)
{
	int rc;

	if (d->n == AE_DB_BATCH_MAX)
		db_commit(d);
	ae_source_later(d->commit);
	if (d->suspended[0] != '\0')
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "the database is behind what was given out: %s",
		    d->suspended);
	if (d->open)
		return AE_OK;
	rc = ae_db_begin(d->db, e);
	d->open = rc == AE_OK;
	if (rc == AE_ETRUST) {
		/* of several nodes one has seen it, and it may be this one */
		anchor_suspend(d, "%s", e->text);
		rc = AE_EUNAVAIL;
		e->rc = rc;
	}
	return rc;
}

struct ae_wr *
db_answer(
    struct database *d, enum role to, uint32_t id, enum msg type, size_t max)
{
	if (d->n == AE_DB_BATCH_MAX)
		db_commit(d);
	ae_source_later(d->commit);
	return answer_add(d, to, id, type, max);
}

/*
 * The common end of the writing handlers.  One that makes no sense (a
 * certificate for a row that our restart has made void) must not take the
 * others of the batch with it.
 */
void
db_wrote(struct database *d, uint32_t msg_id, int rc, int64_t id,
    const struct ae_err *e)
{
	d->m.v[M_DB_CHANGES]++;
	put_done(answer_add(d, ROLE_CA, msg_id, MSG_DB_DONE, MSG_TEXT_MAX), rc,
	    id, rc < 0 ? e->text : NULL);
	if (rc < 0 && !ae_db_refused_one(rc) && d->suspended[0] == '\0')
		batch_failed(d, rc, e);
}

/* An archived key leaves with the audit entry that says who has it. */
static int
on_recover(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_ROW_ARENA);
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *blob = NULL;
	struct ae_wr *w;
	struct ae_rd r;
	size_t len = 0;
	int64_t id;
	char *by;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	id = (int64_t)ae_rd_u64(&r);
	by = get_str(&r, a);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "DB_RECOVER", e);
	}
	rc = db_batch(d, &why);
	if (rc == AE_OK)
		rc = ae_db_archived_key(
		    d->db, id, by, ae_clock_now(), &blob, &len, a, &why);
	w = answer_add(d, ROLE_CA, m->id, MSG_DB_KEY, MSG_ROW_MAX);
	ae_wr_u32(w, (uint32_t)rc);
	if (rc == AE_OK)
		put_bytes(w, blob, len);
	else if (!ae_db_refused_one(rc) && d->suspended[0] == '\0')
		batch_failed(d, rc, &why);
	ae_arena_free(a);
	return AE_OK;
}

/* ---- start ---- */

/*
 * An intent that no commit finished: its certificate, if it was signed at
 * all, never left ca, which answers only after the commit.  So it is void.
 */
static int
resolve_intents(struct database *d, struct ae_err *e)
{
	size_t n = 0;
	int rc;

	rc = ae_db_void_intents(d->db, HRESULT_VOID,
	    "the CA was interrupted before signing", ae_clock_now(), &n, e);
	if (rc == AE_OK && n > 0)
		log_line(d->p, AE_LOG_WARNING,
		    "%zu request(s) interrupted by the last stop are void", n);
	return rc;
}

/*
 * A server instead of a file: the sockets are what the way to it takes.  Its
 * password is read while root still can.
 */
static int
open_server(struct proc *p, struct database *d, struct ae_err *e)
{
	bool local = false;
	int rc;

	rc = ae_db_server_check(p->conf.database, &local, e);
	if (rc == AE_OK)
		rc = dbconf_password(&p->conf, &d->password, e);
	if (rc != AE_OK)
		return rc;
	p->may = AE_MAY_READ_FILES | AE_MAY_WRITE_FILES | AE_MAY_CONNECT;
	if (local)
		return AE_OK;
	/* names, and the certificates of TLS */
	p->may |= AE_MAY_RESOLVE;
	return proc_allow_read(p, "/etc") && proc_allow_read(p, "/usr/lib") &&
		proc_allow_read(p, "/lib") && proc_allow_read(p, "/usr/share")
	    ? AE_OK
	    : ae_fail_mem(e);
}

/* What lies beside the file, too: its log, the next one of its name. */
static bool
allow_dir_of(struct proc *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir =
	    slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path));
	bool ok = dir != NULL && proc_allow_write(p, dir);

	free(dir);
	return ok;
}

static int
db_open(struct proc *p, struct ae_err *e)
{
	struct database *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return ae_fail_mem(e);
	d->p = p;
	p->state = d;
	d->shared = conf_shared(&p->conf);
	d->dir = conf_path(&p->conf, STATE_DIR "/db");
	if (d->dir == NULL || !proc_allow_write(p, d->dir) ||
	    !allow_dir_of(p, p->conf.anchor))
		return ae_fail_mem(e);
	if (d->shared)
		return open_server(p, d, e);
	return allow_dir_of(p, p->conf.database) ? AE_OK : ae_fail_mem(e);
}

static void
on_figures(void *arg)
{
	struct database *d = arg;

	figures_send(d->p, &d->m);
	ae_source_set_timer(d->figures, ae_clock_mono_ms() + FIGURES_MS);
}

/* A server may be starting beside us: it is waited for, and told of once. */
static int
open_database(struct database *d, struct ae_err *e)
{
	const struct conf *c = &d->p->conf;
	const int64_t until = ae_clock_mono_ms() + SERVER_WAIT_MS;
	const struct timespec pause = { .tv_nsec = 250000000 };
	struct ae_db_options opt = { .path = c->database,
		.password = dbconf_text(&d->password),
		.instance = d->shared ? (uint8_t)c->serial_instance : 0,
		.max_pending_per_sid = c->max_pending_per_sid,
		.max_refused_per_sid_day = c->max_refused_per_sid_day };
	bool told = false;
	int rc;

	for (;;) {
		rc = ae_db_open(&d->db, &opt, e);
		if (rc != AE_EUNAVAIL || !d->shared ||
		    ae_clock_mono_ms() > until)
			return rc;
		if (!told)
			log_line(
			    d->p, AE_LOG_WARNING, "waiting for %s", e->text);
		told = true;
		(void)nanosleep(&pause, NULL);
		*e = (struct ae_err)AE_ERR_INIT;
	}
}

/* In the sandbox already: the files belong to our own user from the start. */
static int
db_start(struct proc *p, struct ae_err *e)
{
	struct database *d = p->state;
	int rc = open_database(d, e);

	/* Never a new one: that would forget serials and revocations. */
	if (rc == AE_ENOTFOUND)
		return ae_note(e, rc,
		    "no database (certsrv setup makes that of a new CA; a "
		    "lost one is restored from a backup)");
	if (rc == AE_OK)
		rc = anchor_start(d, e);
	/* of a database that was put back they may have been signed */
	if (rc == AE_OK && d->suspended[0] == '\0')
		rc = resolve_intents(d, e);
	if (rc == AE_OK)
		rc = ae_loop_later(&d->commit, p->loop, db_commit, d, e);
	if (rc == AE_OK)
		rc = signed_start(d, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&d->figures, p->loop, on_figures, d, e);
	if (rc == AE_OK)
		on_figures(d);
	return rc;
}

/* Before anything else it hears whether it may count on us. */
static void
peer_up(struct proc *p, struct peer *peer)
{
	if (peer->role == ROLE_CA) {
		anchor_tell(p->state);
		signed_tell(p->state);
	}
}

/* One is gone: the writes are committed, whoever waits for the answers. */
static void
peer_down(struct proc *p, struct peer *peer)
{
	db_commit(p->state);
	if (peer->role == ROLE_CA)
		crl_rows_close(p->state);
}

static void
stop(struct proc *p)
{
	struct database *d = p->state;

	db_commit(d);
	crl_rows_close(d);
	anchor_stop(d);
	ae_db_free(d->db);
	d->db = NULL;
	proc_exit(p, 0);
}

static const struct ae_ipc_row ca_rows[] = {
	{ MSG_DB_ADD, MSG_ROW_MAX, 1, false, on_change },
	{ MSG_DB_ISSUE, MSG_ROW_MAX, 1, false, on_change },
	{ MSG_DB_ACTIVATE, MSG_TEXT_MAX, 1, false, on_change },
	{ MSG_DB_REFUSE, MSG_TEXT_MAX, 1, false, on_change },
	{ MSG_DB_REVOKE, MSG_TEXT_MAX, 1, false, on_change },
	{ MSG_DB_RELEASE, MSG_TEXT_MAX, 1, false, on_change },
	{ MSG_DB_RECOVER, MSG_TEXT_MAX, 1, false, on_recover },
	{ MSG_DB_SET_ATTRS, MSG_ATTRS_MAX, 1, false, on_change },
	{ MSG_DB_ATTESTED, 12, 1, false, on_change },
	{ MSG_DB_BY_ID, 8, 1, false, on_lookup },
	{ MSG_DB_BY_SERIAL, 64, 1, false, on_lookup },
	{ MSG_DB_SAME, MSG_ATTRS_MAX + 256, 1, false, on_lookup },
	{ MSG_DB_LIST, MSG_TEXT_MAX * 2, 1, false, on_list },
	{ MSG_DB_PICK, MSG_TEXT_MAX * 2, 1, false, on_pick },
	{ MSG_DB_CRL_OPEN, 19, 1, false, on_crl_open },
	{ MSG_DB_CRL_SIZE, 0, 1, false, on_crl_size },
	{ MSG_DB_CRL_PAGE, 0, 1, false, on_crl_page },
	{ MSG_DB_CRL_DONE, 26, 1, false, on_crl_done },
	{ MSG_DB_CRL_KEEP, 64 + MSG_CRL_MAX, 1, false, on_crl_keep },
	{ MSG_DB_CRL_LOOK, 11, 1, false, on_crl_look },
	{ MSG_DB_SEEN, 11, 1, false, on_seen },
	{ MSG_DB_BACKUP, MSG_TEXT_MAX, 1, false, on_backup },
	{ MSG_DB_REVOKE_UNRECORDED, MSG_TEXT_MAX, 1, false,
	    on_revoke_unrecorded },
	{ MSG_DB_XCHG_KEEP, AE_SEALED_MAX + 64, 1, false, on_xchg_keep },
	{ MSG_DB_XCHG_GET, 64, 1, false, on_xchg_get },
	{ .handle = NULL },
};

static const struct ae_ipc_row ocsp_rows[] = {
	{ MSG_DB_STATUS, MSG_STATUSES_MAX, 1, false, on_status },
	{ .handle = NULL },
};

static const struct ae_ipc_row sign_rows[] = {
	{ MSG_NOTE, 128, 1, false, on_note },
	{ .handle = NULL },
};

static const struct role_link links[] = {
	{ ROLE_CA, ca_rows },
	{ ROLE_OCSP, ocsp_rows },
	{ ROLE_SIGN, sign_rows },
	{ .rows = NULL },
};

const struct role_def role_db = {
	.role = ROLE_DB,
	.user = "_certsrv-db",
	.may = AE_MAY_READ_FILES | AE_MAY_WRITE_FILES,
	.max_memory = 4096ULL * 1024 * 1024,
	.links = links,
	.open = db_open,
	.start = db_start,
	.peer_up = peer_up,
	.peer_down = peer_down,
	.stop = stop,
};
