/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the files of the process that has the database.
 */
#ifndef CERTSRVD_DBPROC_H
#define CERTSRVD_DBPROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "db/anchor.h"
#include "db/db.h"
#include "metrics.h"
#include "role.h"

/* An answer that waits for the commit. */
struct answer {
	uint32_t id;
	enum msg type;
	enum role to;
	struct ae_wr body;
};

struct database {
	struct proc *p;
	struct ae_db *db;
	bool shared; /* a server, with other nodes */
	struct ae_secret password;
	bool open; /* a batch is */
	struct ae_source *commit, *figures;
	struct answer answer[AE_DB_BATCH_MAX];
	size_t n;
	char *dir;		     /* its own, for files without a name */
	struct ae_db_crl_rows *rows; /* of the CRL that is being made */
	bool delta;
	int64_t epoch;	 /* of this node's lead, where there are several */
	int64_t lead_at; /* monotonic ms */
	struct metrics m;
	struct ae_anchor anchor; /* as it was last written */
	struct ae_source *anchor_timer;
	int64_t last_id;   /* the highest that was given in this life */
	bool anchor_due;   /* something was committed since */
	bool anchor_timed; /* and the timer runs for that */
	bool anchor_told;  /* that it could not be written */
	char suspended[MSG_TEXT_MAX / 2]; /* why nothing is written; or "" */
	struct signed_state *signed_of;	  /* db_signed.c */
};

/* ---- db.c ---- */

/*
 * Commit what is open, send what waits for that.  A failure was told to all
 * who waited, and may end the process.
 */
int db_flush(struct database *d, struct ae_err *e) AE_MUST_CHECK;
void db_commit(void *arg); /* the same, when all that came is dealt with */
/* A batch is open after this, and room for one more answer. */
int db_batch(struct database *d, struct ae_err *e) AE_MUST_CHECK;
/* An answer for after the commit; look-ups see what this turn wrote. */
struct ae_wr *db_answer(
    struct database *d, enum role to, uint32_t id, enum msg type, size_t max);
/* The answer MSG_DB_DONE of a handler that wrote, or failed to. */
void db_wrote(struct database *d, uint32_t msg_id, int rc, int64_t id,
    const struct ae_err *e);

/* ---- db_change.c, db_look.c ---- */

ae_ipc_handler on_change, on_lookup, on_list, on_pick;

/* ---- db_crl.c ---- */

/* No CRL is being made any more. */
void crl_rows_close(struct database *d);
ae_ipc_handler on_crl_open, on_crl_size, on_crl_page, on_crl_done;
ae_ipc_handler on_crl_keep, on_crl_look;

/* ---- db_anchor.c ---- */

/*
 * Read the anchor and judge the database by it.  A database that was put
 * back is no error: d->suspended says so, and nothing is written to it.
 */
int anchor_start(struct database *d, struct ae_err *e) AE_MUST_CHECK;
/* Before a commit: no id is given that the anchor does not know of. */
int anchor_reserve(struct database *d, struct ae_err *e) AE_MUST_CHECK;
void anchor_committed(struct database *d); /* after one */
void anchor_stop(struct database *d);
/* Nothing more is written from here on. */
void anchor_suspend(struct database *d, const char *fmt, ...) AE_PRINTF(2, 3);
void anchor_tell(struct database *d); /* ca: d->suspended */
ae_ipc_handler on_seen, on_backup;

/* ---- db_signed.c ---- */

int signed_start(struct database *d, struct ae_err *e) AE_MUST_CHECK;
/* A row promises what has this hash: it may be signed. */
void signed_promise(struct database *d, const uint8_t hash[AE_DB_HASH_LEN]);
void signed_tell(struct database *d); /* ca: those without a row */
ae_ipc_handler on_note, on_revoke_unrecorded;

/* ---- db_xchg.c ---- */

ae_ipc_handler on_xchg_keep, on_xchg_get;

/* ---- db_status.c ---- */

ae_ipc_handler on_status;

#endif
