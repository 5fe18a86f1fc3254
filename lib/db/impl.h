/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the database folder: the handle, its statements, and the port
 * through which everything reaches SQLite (lite.c) or PostgreSQL (pg.c).
 * Which one it is shows nowhere else.
 */
#ifndef AE_DB_IMPL_H
#define AE_DB_IMPL_H

#include "base/wr.h"
#include "db/db.h"
#include "db/sql.h"

struct ae_db_port;

/* A statement; what stands behind impl is the port's. */
struct ae_db_st {
	struct ae_db *db;
	void *impl; /* NULL: not prepared yet */
};

struct ae_db {
	const struct ae_db_port *port;
	void *impl; /* the port's connection */
	struct ae_db_st st[ST_COUNT];
	struct ae_db_options opt; /* path, password are not kept */
	bool in_batch;
	bool broken; /* a write or sync failed: nothing is done any more */
	unsigned nops;
	/* the audit chain's end, as of the last commit and in this batch */
	int64_t seq, seq_committed;
	uint8_t link[AE_DB_HASH_LEN], link_committed[AE_DB_HASH_LEN];
};

/*
 * What a backend does.  Parameters are numbered from 1, columns from 0.
 * Failures are the ae_rc of db.h with *e set; one inside a batch has undone
 * the batch, one that ends all use of the handle has set db->broken.
 */
struct ae_db_port {
	int (*open)(
	    struct ae_db *, const struct ae_db_options *, struct ae_err *);
	void (*close)(struct ae_db *);
	/*
	 * One more connection to the same database, which sees what is there
	 * now and nothing later.
	 */
	int (*beside)(struct ae_db *out, struct ae_db *, struct ae_err *);
	/*
	 * For who reads or writes all of it: no statement takes too long any
	 * more.  frozen: and it sees what is there now and nothing later.
	 */
	int (*patient)(struct ae_db *, bool frozen, struct ae_err *);
	/* Thorough, or what every start can afford. */
	int (*check)(struct ae_db *, bool thorough, struct ae_err *);

	/*
	 * 0: empty.  Held until unlock: nobody else changes the schema.
	 * AE_EPROTO: something else is there.
	 */
	int (*version)(struct ae_db *, int *, struct ae_err *);
	/* This step and that it was made, both or neither. */
	int (*upgrade)(
	    struct ae_db *, int to, const char *text, struct ae_err *);
	void (*unlock)(struct ae_db *);

	/* begin: alone until commit or rollback, with seq and link loaded. */
	int (*begin)(struct ae_db *, struct ae_err *);
	int (*commit)(struct ae_db *, struct ae_err *);
	void (*rollback)(struct ae_db *);

	/* stream: it may have more rows than memory; one at a time. */
	int (*prepare)(
	    struct ae_db_st *, const char *text, bool stream, struct ae_err *);
	void (*finish)(struct ae_db_st *);
	void (*reset)(struct ae_db_st *);
	void (*clear)(struct ae_db_st *); /* parameters become NULL */
	void (*num)(struct ae_db_st *, int i, int64_t v);
	/* p stays where it is until the statement was run */
	void (*text)(struct ae_db_st *, int i, const char *s);
	void (*blob)(struct ae_db_st *, int i, const void *p, size_t len);
	/* AE_OK: a row; AE_ENOTFOUND, *e untouched: no more. */
	int (*step)(struct ae_db_st *, const char *what, struct ae_err *);
	bool (*is_null)(struct ae_db_st *, int i);
	int64_t (*col_num)(struct ae_db_st *, int i);
	const char *(*col_text)(struct ae_db_st *, int i);
	const void *(*col_blob)(struct ae_db_st *, int i, size_t *len);
	/* How the planner would run it: a line for each of its steps. */
	int (*explain)(struct ae_db *, const char *text,
	    void (*line)(void *arg, const char *), void *arg, struct ae_err *);
};
extern const struct ae_db_port ae_db_port_lite, ae_db_port_pg;

/* The statement, reset and ready to be bound; AE_EIO when broken. */
int ae_db_stmt(struct ae_db *db, enum ae_db_stmt which, struct ae_db_st **out,
    struct ae_err *e) AE_MUST_CHECK;
/* The same of a text that is not in the table; ae_db_finish ends it. */
int ae_db_stmt_text(struct ae_db *db, struct ae_db_st *st, const char *text,
    bool stream, struct ae_err *e) AE_MUST_CHECK;
void ae_db_finish(struct ae_db_st *st);

/*
 * Step a statement that yields at most one row: AE_OK with a row there (read
 * it, then ae_db_reset), AE_ENOTFOUND without one.
 */
int ae_db_step_row(
    struct ae_db_st *st, const char *what, struct ae_err *e) AE_MUST_CHECK;

/* Step a statement that yields none. */
int ae_db_step_done(
    struct ae_db_st *st, const char *what, struct ae_err *e) AE_MUST_CHECK;

/* In a batch, not broken, with room for one more operation? */
int ae_db_op(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;

/* Bind one value; NULL and empty blobs become SQL NULL. */
static inline void
ae_db_num(struct ae_db_st *st, int i, int64_t v)
{
	st->db->port->num(st, i, v);
}
void ae_db_text(struct ae_db_st *st, int i, const char *s);
void ae_db_blob(struct ae_db_st *st, int i, const void *p, size_t len);

/* Columns of the row it stands on, good until the next step or reset. */
static inline int64_t
ae_db_col_num(struct ae_db_st *st, int i)
{
	return st->db->port->col_num(st, i);
}
static inline const char *
ae_db_col_text(struct ae_db_st *st, int i)
{
	return st->db->port->col_text(st, i);
}
static inline const void *
ae_db_col_blob(struct ae_db_st *st, int i, size_t *len)
{
	return st->db->port->col_blob(st, i, len);
}
static inline void
ae_db_reset(struct ae_db_st *st)
{
	st->db->port->reset(st);
}

/* Create or migrate the schema; AE_EINVAL when it is newer than we are. */
int ae_db_schema(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;

/*
 * Nobody else answers the same request: see ae_db_request.after.  What was
 * left unfinished long ago becomes void on the way.
 */
int ae_db_alone(struct ae_db *db, const struct ae_db_request *r,
    struct ae_err *e) AE_MUST_CHECK;

/* Append a link to the audit chain; who and detail may be NULL. */
int ae_db_audit_add(struct ae_db *db, const char *what, int64_t request_id,
    const char *who, const char *detail, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

#define AE_DB_SUSPENDED "suspended" /* in meta: why all nodes are */
#define AE_DB_GONE_BACK                                              \
	"the database went back: entry %lld of the audit chain was " \
	"committed, and is not there"

/* Where the audit chain ends now; AE_ETRUST: it was longer before. */
int ae_db_audit_load(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;

/* The row a statement with AE_DB_ROW_COLUMNS stands on. */
int ae_db_row(struct ae_db_request *out, struct ae_db_st *st, bool blobs,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/* The text of a page of rows, in the words of sql.h. */
const char *ae_db_list_text(struct ae_wr *w, const struct ae_db_filter *f);

#endif
