/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Has the database gone back in time?  The anchor, a file outside of it, says
 * how far it was, and CRLs that are published say what their numbers were.  A
 * database that is behind one of them is not written to, until somebody who
 * knows has run certsrv restore acknowledge.
 *
 * Of several nodes each has an anchor of its own, which says what this node
 * saw.  A database that has more is as it should be: others wrote it.  The
 * first node that finds less suspends all of them.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "anchorfile.h"
#include "db/backup.h"
#include "dbproc.h"
#include "sys/clock.h"

#define LATER_MS 1000 /* from a commit to the anchor that knows of it */

/* In meta: there is an anchor.  Each of several nodes says so for itself. */
static const char *
anchored(const struct database *d, char key[32])
{
	if (d->shared)
		(void)snprintf(key, 32, "anchored-%u",
		    (unsigned)d->p->conf.serial_instance);
	else
		(void)snprintf(key, 32, "anchored");
	return key;
}

static int
write_anchor(struct database *d, struct ae_err *e)
{
	return anchorfile_write(
	    d->p->conf.anchor, &d->anchor, (uid_t)-1, (gid_t)-1, e);
}

/* What was committed, and ids ahead of it. */
static int
advance(struct database *d, int64_t need, struct ae_err *e)
{
	const struct ae_anchor was = d->anchor;
	int64_t ids;
	int rc = ae_db_state(d->db, &d->anchor.at, e);

	ids = d->anchor.at.last_id > need ? d->anchor.at.last_id : need;
	/* ids are given ahead, so that few commits wait for this file */
	if (ids + AE_DB_BATCH_MAX > was.at.last_id)
		ids += AE_ANCHOR_IDS;
	d->anchor.at.last_id = ids > was.at.last_id ? ids : was.at.last_id;
	if (rc == AE_OK)
		rc = write_anchor(d, e);
	if (rc < 0)
		d->anchor = was;
	if (rc == AE_ETRUST)
		anchor_suspend(d, "%s", e->text);
	return rc;
}

static void
on_later(void *arg)
{
	struct database *d = arg;
	struct ae_err e = AE_ERR_INIT;
	int rc;

	d->anchor_timed = false;
	if (!d->anchor_due || d->suspended[0] != '\0' || d->open)
		return;
	rc = advance(d, d->last_id, &e);
	d->anchor_due = rc < 0;
	if (rc < 0 && rc != AE_ETRUST && !d->anchor_told)
		log_line(d->p, AE_LOG_ERROR,
		    "%s: until it can be written again, a database that is "
		    "put back may go unnoticed",
		    e.text);
	else if (rc == AE_OK && d->anchor_told)
		log_line(d->p, AE_LOG_NOTICE, "the anchor is written again");
	d->anchor_told = rc < 0;
}

void
anchor_committed(struct database *d)
{
	d->anchor_due = true;
	if (d->anchor_timed)
		return;
	d->anchor_timed = true;
	ae_source_set_timer(d->anchor_timer, ae_clock_mono_ms() + LATER_MS);
}

int
anchor_reserve(struct database *d, struct ae_err *e)
{
	struct ae_anchor was = d->anchor;
	int rc;

	if (d->last_id <= d->anchor.at.last_id)
		return AE_OK;
	/* the chain's end is not committed yet: only the ids go ahead */
	d->anchor.at.last_id = d->last_id + AE_ANCHOR_IDS;
	rc = write_anchor(d, e);
	if (rc == AE_OK)
		return rc;
	d->anchor = was;
	/* as a full disk: what waits is told, and the process goes on */
	e->rc = AE_ELIMIT;
	return AE_ELIMIT;
}

void
anchor_stop(struct database *d)
{
	struct ae_err e = AE_ERR_INIT;

	if (d->db == NULL || d->suspended[0] != '\0' || !d->anchor_due)
		return;
	if (advance(d, d->last_id, &e) < 0)
		log_line(d->p, AE_LOG_ERROR, "%s", e.text);
}

void
anchor_tell(struct database *d)
{
	struct ae_wr w;

	ae_wr_init(&w, MSG_TEXT_MAX);
	put_str(&w, d->suspended);
	(void)peer_send(peer_of(d->p, ROLE_CA, 0), MSG_DB_STATE, 0, &w);
	ae_wr_done(&w);
}

/* All nodes stand still, not this one alone. */
static void
tell_others(struct database *d)
{
	char why[sizeof(d->suspended) + 32];
	struct ae_err e = AE_ERR_INIT;

	(void)snprintf(why, sizeof(why), "found by node %u: %s",
	    (unsigned)d->p->conf.serial_instance, d->suspended);
	if (ae_db_suspend(d->db, why, ae_clock_now(), &e) < 0)
		log_line(d->p, AE_LOG_ERROR,
		    "the other nodes could not be told to stand still: %s",
		    e.text);
}

static void
suspend(struct database *d, bool others, const char *why)
{
	if (d->suspended[0] != '\0')
		return;
	db_commit(d); /* what came before is as good as it was */
	(void)snprintf(d->suspended, sizeof(d->suspended), "%s", why);
	crl_rows_close(d);
	if (d->shared && others)
		tell_others(d);
	anchor_tell(d);
}

void
anchor_suspend(struct database *d, const char *fmt, ...)
{
	char why[sizeof(d->suspended)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	suspend(d, true, why);
}

/* ---- the beginning ---- */

/* Does the database say that it has one? */
static int
had_anchor(struct database *d, bool *had, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(4096);
	char *value = NULL, key[32];
	int rc = a == NULL
	    ? ae_fail_mem(e)
	    : ae_db_meta_get(d->db, anchored(d, key), &value, a, e);

	*had = value != NULL;
	ae_arena_free(a);
	return rc;
}

static int
remember_anchor(struct database *d, struct ae_err *e)
{
	char key[32];
	bool had;
	int rc = had_anchor(d, &had, e);

	if (rc < 0 || had)
		return rc;
	rc = ae_db_begin(d->db, e);
	if (rc == AE_OK)
		rc = ae_db_meta_set(d->db, anchored(d, key), "1", e);
	return rc == AE_OK ? ae_db_commit(d->db, e) : rc;
}

/*
 * No anchor: of a database that never had one it is made; one that had it
 * was carried here without it.
 */
static int
begin_anchor(struct database *d, struct ae_err *e)
{
	char why[sizeof(d->suspended)];
	bool had;
	int rc = had_anchor(d, &had, e);

	if (rc == AE_OK && had) {
		/* of several nodes: the others' anchors speak for themselves */
		(void)snprintf(why, sizeof(why), "its anchor %s is not there",
		    d->p->conf.anchor);
		suspend(d, false, why);
		return AE_OK;
	}
	if (rc == AE_OK)
		rc = advance(d, 0, e);
	return rc == AE_OK ? remember_anchor(d, e) : rc;
}

/* Another node has found something. */
static int
suspended_by_others(struct database *d, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(4096);
	char *why = NULL;
	int rc =
	    a == NULL ? ae_fail_mem(e) : ae_db_suspended(d->db, &why, a, e);

	if (rc == AE_OK && why != NULL)
		suspend(d, false, why);
	ae_arena_free(a);
	return rc;
}

int
anchor_start(struct database *d, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	struct ae_db_state s;
	int rc;

	rc = ae_loop_timer(&d->anchor_timer, d->p->loop, on_later, d, e);
	if (rc == AE_OK && d->shared)
		rc = suspended_by_others(d, e);
	if (rc < 0 || d->suspended[0] != '\0')
		return rc;
	rc = anchorfile_read(&d->anchor, d->p->conf.anchor, &why);
	if (rc == AE_ENOTFOUND)
		return begin_anchor(d, e);
	if (rc == AE_OK)
		rc = ae_anchor_judge(&d->anchor, d->db, &why);
	if (rc == AE_OK)
		rc = ae_db_state(d->db, &s, &why);
	if (rc == AE_OK) {
		d->last_id = s.last_id;
		return remember_anchor(d, e);
	}
	if (rc != AE_ETRUST && rc != AE_EPROTO) {
		*e = why;
		return rc;
	}
	anchor_suspend(d, "%s", why.text);
	return AE_OK;
}

/* ---- what is published ---- */

/*
 * The number of a CRL that this CA signed and somebody can read.  A number
 * is durable here before the CRL is signed, so a higher one was given by a
 * later state than ours.  The anchor keeps that for the next start.
 */
int
on_seen(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_db_state s;
	struct ae_rd r;
	uint64_t number;
	uint16_t key;
	bool directory;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	key = ae_rd_u16(&r);
	number = ae_rd_u64(&r);
	directory = ae_rd_u8(&r) != 0;
	if (!ae_rd_done(&r) || number > INT64_MAX / 4)
		return bad_message(&r, "DB_SEEN", e);
	db_commit(d);
	if (d->suspended[0] != '\0' || ae_db_state(d->db, &s, &why) != AE_OK ||
	    ae_db_state_crl(&s, key) >= (int64_t)number)
		return AE_OK;
	anchor_suspend(d,
	    "CRL %" PRIu64 " of key %u is published in %s, the database "
	    "knows %" PRId64,
	    number, key, directory ? "the directory" : "a file",
	    ae_db_state_crl(&s, key));
	if (!ae_db_state_crl_raise(&d->anchor.at, key, (int64_t)number) ||
	    write_anchor(d, &why) < 0)
		log_line(d->p, AE_LOG_ERROR, "%s", why.text);
	return AE_OK;
}

int
on_backup(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	struct ae_err why = AE_ERR_INIT;
	int64_t generation = 0;
	struct ae_rd r;
	char *by;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	by = get_str(&r, a);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "DB_BACKUP", e);
	}
	rc = db_batch(d, &why);
	if (rc == AE_OK)
		rc = ae_db_backup_begin(
		    d->db, by, ae_clock_now(), &generation, &why);
	db_wrote(d, m->id, rc, generation, &why);
	ae_arena_free(a);
	return AE_OK;
}
