/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The handle: opening, statements, batches; the same over both ports.
 */
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#include "db/impl.h"

/* clang-format off */
static const struct {
	int disp;
	const char *name;
} disp_names[] = {
	{ AE_DB_ACTIVE, "active" }, { AE_DB_PENDING, "pending" },
	{ AE_DB_ISSUED, "issued" }, { AE_DB_REVOKED, "revoked" },
	{ AE_DB_VOID, "void" }, { AE_DB_FAILED, "failed" },
	{ AE_DB_DENIED, "denied" },
};

/* clang-format on */

const char *
ae_db_disp_name(int disp)
{
	size_t i;

	for (i = 0; i < sizeof(disp_names) / sizeof(disp_names[0]); i++)
		if (disp_names[i].disp == disp)
			return disp_names[i].name;
	return "?";
}

static int
broken(struct ae_err *e)
{
	return ae_fail(e, AE_EIO, AE_DOM_NONE, 0,
	    "the database failed before: nothing is done until a restart");
}

int
ae_db_stmt(struct ae_db *db, enum ae_db_stmt which, struct ae_db_st **out,
    struct ae_err *e)
{
	struct ae_db_st *st = &db->st[which];
	int rc;

	if (db->broken)
		return broken(e);
	if (st->impl == NULL) {
		st->db = db;
		rc = db->port->prepare(st, ae_db_sql[which].text, false, e);
		if (rc != AE_OK)
			return rc;
	}
	db->port->reset(st);
	db->port->clear(st);
	*out = st;
	return AE_OK;
}

int
ae_db_stmt_text(struct ae_db *db, struct ae_db_st *st, const char *text,
    bool stream, struct ae_err *e)
{
	*st = (struct ae_db_st){ .db = db };
	return db->broken ? broken(e) : db->port->prepare(st, text, stream, e);
}

void
ae_db_finish(struct ae_db_st *st)
{
	if (st->impl != NULL)
		st->db->port->finish(st);
	st->impl = NULL;
}

int
ae_db_step_row(struct ae_db_st *st, const char *what, struct ae_err *e)
{
	int rc = st->db->port->step(st, what, e);

	return rc != AE_ENOTFOUND ? rc
				  : ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
					"%s: there is none", what);
}

int
ae_db_step_done(struct ae_db_st *st, const char *what, struct ae_err *e)
{
	int rc = st->db->port->step(st, what, e);

	st->db->port->reset(st);
	return rc == AE_ENOTFOUND ? AE_OK : rc;
}

int
ae_db_op(struct ae_db *db, struct ae_err *e)
{
	if (db->broken)
		return broken(e);
	if (!db->in_batch)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "a database change outside a batch");
	if (db->nops++ >= AE_DB_BATCH_MAX) {
		ae_db_rollback(db);
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d changes in one batch", AE_DB_BATCH_MAX);
	}
	return AE_OK;
}

void
ae_db_text(struct ae_db_st *st, int i, const char *s)
{
	if (s != NULL)
		st->db->port->text(st, i, s);
}

void
ae_db_blob(struct ae_db_st *st, int i, const void *p, size_t len)
{
	if (len > 0)
		st->db->port->blob(st, i, p, len);
}

int
ae_db_begin(struct ae_db *db, struct ae_err *e)
{
	int rc;

	if (db->broken)
		return broken(e);
	if (db->in_batch)
		return ae_fail(
		    e, AE_EINTERNAL, AE_DOM_NONE, 0, "a batch inside a batch");
	rc = db->port->begin(db, e);
	if (rc != AE_OK)
		return rc;
	db->in_batch = true;
	db->nops = 0;
	return AE_OK;
}

int
ae_db_commit(struct ae_db *db, struct ae_err *e)
{
	int rc;

	if (!db->in_batch)
		return ae_fail(
		    e, AE_EINTERNAL, AE_DOM_NONE, 0, "no batch to commit");
	rc = db->broken ? broken(e) : db->port->commit(db, e);
	if (rc != AE_OK) {
		ae_db_rollback(db);
		return rc;
	}
	db->in_batch = false;
	db->seq_committed = db->seq;
	memcpy(db->link_committed, db->link, sizeof(db->link));
	return AE_OK;
}

void
ae_db_rollback(struct ae_db *db)
{
	if (!db->in_batch)
		return;
	db->in_batch = false;
	db->seq = db->seq_committed;
	memcpy(db->link, db->link_committed, sizeof(db->link));
	db->port->rollback(db);
}

bool
ae_db_is_server(const char *path)
{
	return strncmp(path, "postgresql:", 11) == 0 ||
	    strncmp(path, "postgres:", 9) == 0;
}

int
ae_db_open(
    struct ae_db **out, const struct ae_db_options *opt, struct ae_err *e)
{
	const bool server = ae_db_is_server(opt->path);
	struct ae_db *db;
	int rc;

	db = calloc(1, sizeof(*db));
	if (db == NULL)
		return ae_fail_mem(e);
	db->port = server ? &ae_db_port_pg : &ae_db_port_lite;
	db->opt = *opt;
	db->opt.path = db->opt.password = NULL;
	rc = db->port->open(db, opt, e);
	if (rc == AE_OK)
		rc = db->port->check(db, false, e);
	if (rc == AE_OK)
		rc = ae_db_schema(db, e);
	if (rc == AE_OK)
		rc = ae_db_audit_load(db, e);
	/* one of several nodes finds out now that it may not write */
	if (rc == AE_OK && opt->instance != 0) {
		db->opt.forgiving = true;
		rc = ae_db_begin(db, e);
		ae_db_rollback(db);
		db->opt.forgiving = opt->forgiving;
	}
	if (rc != AE_OK) {
		ae_db_free(db);
		/* a URI is not for logs */
		return ae_note(e, rc, "%s", server ? "PostgreSQL" : opt->path);
	}
	*out = db;
	return AE_OK;
}

void
ae_db_free(struct ae_db *db)
{
	size_t i;

	if (db == NULL)
		return;
	ae_db_rollback(db);
	for (i = 0; i < ST_COUNT; i++)
		ae_db_finish(&db->st[i]);
	db->port->close(db);
	free(db);
}

int
ae_db_check(struct ae_db *db, struct ae_err *e)
{
	return db->broken ? broken(e) : db->port->check(db, true, e);
}
