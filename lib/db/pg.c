/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The port to PostgreSQL: statements, the schema, opening.  A statement
 * outside a batch only reads, so it may be asked again on a new connection;
 * one inside a batch is lost with it.
 */
#include "db/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "sys/clock.h"

#define PARAMS_MAX 25

struct param {
	const char *p; /* NULL: SQL NULL */
	size_t len;
	bool blob;
	char num[24];
	char *clean; /* a text that was no UTF-8 */
};

struct pg_st {
	char *text;
	char name[16]; /* empty: not kept by the server */
	unsigned generation;
	int nparams;
	bool stream, running;
	struct param v[PARAMS_MAX];
	PGresult *res;
	int row;
};

static struct pg_st *
of(const struct ae_db_st *st)
{
	return st->impl;
}

/* ---- parameters ---- */

/* The highest $n. */
static int
count_params(const char *text)
{
	int n, most = 0;

	for (; *text != '\0'; text++) {
		n = *text == '$' ? atoi(text + 1) : 0;
		if (n > most)
			most = n;
	}
	return most;
}

static void
clear_param(struct param *v)
{
	free(v->clean);
	v->clean = NULL;
	v->p = NULL;
}

static void
pg_clear(struct ae_db_st *st)
{
	int i;

	for (i = 0; i < PARAMS_MAX; i++)
		clear_param(&of(st)->v[i]);
}

static void
set(struct ae_db_st *st, int i, const void *p, size_t len, bool blob)
{
	struct param *v;

	/* some are run with more than they have: rows of a table of them */
	if (i < 1 || i > of(st)->nparams)
		return;
	v = &of(st)->v[i - 1];
	clear_param(v);
	v->p = p;
	v->len = len;
	v->blob = blob;
}

static void
pg_num(struct ae_db_st *st, int i, int64_t n)
{
	if (i < 1 || i > of(st)->nparams)
		return;
	(void)snprintf(of(st)->v[i - 1].num, sizeof(of(st)->v[i - 1].num),
	    "%lld", (long long)n);
	set(st, i, of(st)->v[i - 1].num, 0, false);
}

static void
pg_text(struct ae_db_st *st, int i, const char *s)
{
	char *clean, *c;

	set(st, i, s, 0, false);
	if (i < 1 || i > of(st)->nparams || ae_utf8_valid(s))
		return;
	/* cut in the middle of a character, say: the server takes none of it
	   otherwise */
	clean = strdup(s);
	for (c = clean; c != NULL && *c != '\0'; c++)
		if ((*c & 0x80) != 0)
			*c = '?';
	of(st)->v[i - 1].clean = clean;
	of(st)->v[i - 1].p = clean == NULL ? "?" : clean;
}

static void
pg_blob(struct ae_db_st *st, int i, const void *p, size_t len)
{
	set(st, i, p, len, true);
}

/* ---- running ---- */

static void
drop_result(struct ae_db_st *st)
{
	PQclear(of(st)->res);
	of(st)->res = NULL;
	of(st)->row = -1;
}

/* Rows that nobody wants any more are not waited for. */
static void
pg_reset(struct ae_db_st *st)
{
	struct pg_st *s = of(st);

	drop_result(st);
	if (s->running)
		pg_lost(st->db);
	s->running = false;
}

static int
send(struct ae_db_st *st, struct ae_err *e)
{
	struct pg *p = pg_of(st->db);
	struct pg_st *s = of(st);
	const char *values[PARAMS_MAX];
	int i, lengths[PARAMS_MAX], formats[PARAMS_MAX], ok;
	PGresult *r = NULL;
	int rc = AE_OK;

	for (i = 0; i < s->nparams; i++) {
		values[i] = s->v[i].p;
		lengths[i] = (int)s->v[i].len;
		formats[i] = s->v[i].blob;
	}
	if (s->name[0] == '\0') {
		ok = PQsendQueryParams(p->c, s->text, s->nparams, NULL, values,
		    lengths, formats, 1);
	} else {
		ok = 1;
		if (s->generation != p->generation) {
			ok = PQsendPrepare(p->c, s->name, s->text, 0, NULL);
			rc = ok == 1 ? pg_wait(st->db, &r, e) : AE_OK;
			if (rc == AE_EREMOTE)
				return pg_refused(
				    st->db, r, "preparing a statement", e);
			PQclear(r);
			if (rc != AE_OK)
				return rc;
			if (ok == 1)
				s->generation = p->generation;
		}
		ok = ok == 1 &&
		    PQsendQueryPrepared(p->c, s->name, s->nparams, values,
			lengths, formats, 1) == 1;
	}
	if (ok == 1 && s->stream)
		ok = PQsetSingleRowMode(p->c);
	if (ok == 1)
		return AE_OK;
	pg_lost(st->db);
	return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
	    "the connection to PostgreSQL was lost");
}

/* All rows, or of a stream the first. */
static int
run(struct ae_db_st *st, const char *what, struct ae_err *e)
{
	struct pg_st *s = of(st);
	PGresult *r = NULL;
	int rc;

	rc = pg_ready(st->db, e);
	if (rc == AE_OK)
		rc = send(st, e);
	if (rc != AE_OK)
		return rc;
	rc = s->stream ? pg_wait_one(st->db, &r, e) : pg_wait(st->db, &r, e);
	if (rc == AE_EREMOTE)
		return pg_refused(st->db, r, what, e);
	if (rc != AE_OK)
		return rc;
	s->res = r;
	s->row = 0;
	s->running = s->stream;
	return AE_OK;
}

static int
first(struct ae_db_st *st, const char *what, struct ae_err *e)
{
	struct ae_db *db = st->db;
	struct pg *p = pg_of(db);
	struct ae_err why = AE_ERR_INIT;
	const bool had = p->c != NULL;
	int rc;

	if (db->in_batch && (p->c == NULL || p->batch != p->generation)) {
		ae_db_rollback(db);
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "%s: the connection to PostgreSQL was lost in a batch",
		    what);
	}
	rc = run(st, what, &why);
	if (rc == AE_EUNAVAIL && p->c == NULL && had && !db->in_batch &&
	    !p->once)
		rc = run(st, what, &why); /* it only reads */
	if (rc == AE_OK)
		return AE_OK;
	if (db->in_batch)
		ae_db_rollback(db);
	if (e != NULL)
		*e = why;
	return rc;
}

static int
pg_step(struct ae_db_st *st, const char *what, struct ae_err *e)
{
	struct pg_st *s = of(st);
	PGresult *r = NULL;
	int rc = AE_OK;

	if (s->res == NULL)
		rc = first(st, what, e);
	else if (s->stream) {
		drop_result(st);
		rc = pg_wait_one(st->db, &r, e);
		if (rc == AE_EREMOTE) {
			s->running = false;
			return pg_refused(st->db, r, what, e);
		}
		s->res = r;
		s->row = 0;
	} else {
		s->row++;
	}
	if (rc != AE_OK) {
		s->running = false;
		return rc;
	}
	if (s->res != NULL && s->row < PQntuples(s->res))
		return AE_OK;
	/* the end of a stream is a result without rows, and then none */
	while (s->running && s->res != NULL) {
		drop_result(st);
		rc = pg_wait_one(st->db, &s->res, e);
		if (rc != AE_OK) {
			s->running = false;
			return rc;
		}
	}
	s->running = false;
	drop_result(st);
	return AE_ENOTFOUND;
}

/* ---- columns, in binary ---- */

static bool
pg_is_null(struct ae_db_st *st, int i)
{
	return PQgetisnull(of(st)->res, of(st)->row, i) == 1;
}

static int64_t
pg_col_num(struct ae_db_st *st, int i)
{
	const uint8_t *p =
	    (const uint8_t *)PQgetvalue(of(st)->res, of(st)->row, i);
	int k, len = PQgetlength(of(st)->res, of(st)->row, i);
	uint64_t v = 0;

	for (k = 0; k < len && k < 8; k++)
		v = v << 8 | p[k];
	return len == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
}

static const char *
pg_col_text(struct ae_db_st *st, int i)
{
	return pg_is_null(st, i) ? NULL
				 : PQgetvalue(of(st)->res, of(st)->row, i);
}

static const void *
pg_col_blob(struct ae_db_st *st, int i, size_t *len)
{
	*len = (size_t)PQgetlength(of(st)->res, of(st)->row, i);
	return pg_is_null(st, i) ? NULL
				 : PQgetvalue(of(st)->res, of(st)->row, i);
}

/* ---- preparing ---- */

static void
pg_finish(struct ae_db_st *st)
{
	if (of(st) == NULL)
		return;
	pg_reset(st);
	pg_clear(st);
	free(of(st)->text);
	free(of(st));
	st->impl = NULL;
}

/* The server is told when it is run first. */
static int
pg_prepare(struct ae_db_st *st, const char *text, bool stream, struct ae_err *e)
{
	struct ae_db *db = st->db;
	char own[AE_DB_SQL_MAX];
	struct pg_st *s;

	if (!ae_db_dialect(own, sizeof(own), text, AE_DB_PG) ||
	    count_params(own) > PARAMS_MAX)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "a statement of more than %d bytes or %d parameters",
		    AE_DB_SQL_MAX, PARAMS_MAX);
	s = calloc(1, sizeof(*s));
	if (s == NULL || (s->text = strdup(own)) == NULL) {
		free(s);
		return ae_fail_mem(e);
	}
	s->nparams = count_params(own);
	s->stream = stream;
	if (st >= db->st && st < db->st + ST_COUNT)
		(void)snprintf(
		    s->name, sizeof(s->name), "ca%u", (unsigned)(st - db->st));
	st->impl = s;
	return AE_OK;
}

static int
pg_explain(struct ae_db *db, const char *text,
    void (*line)(void *, const char *), void *arg, struct ae_err *e)
{
	char own[AE_DB_SQL_MAX], sql[AE_DB_SQL_MAX + 512], nulls[128] = "";
	PGresult *r = NULL;
	int i, n, rc;

	if (!ae_db_dialect(own, sizeof(own), text, AE_DB_PG))
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0, "too long");
	n = count_params(own);
	for (i = 0; i < n; i++)
		(void)snprintf(nulls + 5 * i, sizeof(nulls) - 5 * (size_t)i,
		    "%sNULL", i == 0 ? "(" : ",");
	(void)snprintf(sql, sizeof(sql),
	    "SET enable_seqscan = off; SET plan_cache_mode ="
	    " force_generic_plan; PREPARE ae_plan AS %s;"
	    "EXPLAIN EXECUTE ae_plan%s%s",
	    own, nulls, n > 0 ? ")" : "");
	rc = pg_ready(db, e);
	if (rc == AE_OK)
		rc = pg_query(db, sql, &r, e);
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < PQntuples(r); i++)
		line(arg, PQgetvalue(r, i, 0));
	PQclear(r);
	return pg_query(db,
	    "DEALLOCATE ae_plan; RESET enable_seqscan; RESET plan_cache_mode",
	    NULL, e);
}

/* ---- the schema ---- */

#define SCHEMA_LOCK "(16709, hashtext(coalesce(current_schema(), '')))"

static int
pg_version(struct ae_db *db, int *version, struct ae_err *e)
{
	PGresult *r = NULL;
	int rc;

	if (!db->opt.read_only) {
		pg_of(db)->answer_ms = PG_MIGRATE_MS;
		rc = pg_query(db,
		    "SET statement_timeout = 0; SET lock_timeout = 0;"
		    "SELECT pg_advisory_lock" SCHEMA_LOCK,
		    NULL, e);
		if (rc != AE_OK)
			return rc;
	}
	rc = pg_query(db,
	    "SELECT to_regclass('ca_schema') IS NOT NULL,"
	    " to_regclass('request') IS NOT NULL",
	    &r, e);
	if (rc != AE_OK)
		return rc;
	*version = PQgetvalue(r, 0, 0)[0] == 't';
	if (*version == 0 && PQgetvalue(r, 0, 1)[0] == 't')
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the schema has a table \"request\" that is not a CA's: "
		    "give the CA a database of its own");
	else if (*version == 0 && !db->opt.create)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no CA in that database");
	PQclear(r);
	if (rc != AE_OK || *version == 0)
		return rc;
	rc = pg_query(db, "SELECT max(version) FROM ca_schema", &r, e);
	if (rc != AE_OK)
		return rc;
	*version = atoi(PQgetvalue(r, 0, 0));
	PQclear(r);
	return AE_OK;
}

static int
pg_upgrade(struct ae_db *db, int to, const char *text, struct ae_err *e)
{
	char sql[AE_DB_SQL_MAX + 256], own[AE_DB_SQL_MAX];
	int rc;

	if (!ae_db_dialect(own, sizeof(own), text, AE_DB_PG))
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, to,
		    "a step of more than %d bytes", AE_DB_SQL_MAX);
	(void)snprintf(sql, sizeof(sql),
	    "BEGIN; SET LOCAL client_min_messages = warning; %s %s"
	    " INSERT INTO ca_schema (version) VALUES (%d); COMMIT",
	    to == 1 ? "CREATE TABLE ca_schema (version BIGINT PRIMARY KEY);"
		    : "",
	    own, to);
	rc = pg_query(db, sql, NULL, e);
	if (rc != AE_OK)
		pg_rollback(db);
	return rc == AE_OK ? rc : ae_note(e, rc, "migrating the schema");
}

static void
pg_unlock(struct ae_db *db)
{
	struct ae_err ignored = AE_ERR_INIT;
	struct pg *p = pg_of(db);

	p->answer_ms = PG_ANSWER_MS;
	if (p->c == NULL || db->opt.read_only)
		return;
	if (pg_query(db,
		"SELECT pg_advisory_unlock" SCHEMA_LOCK
		"; SET lock_timeout = '10s'; SET statement_timeout = '25s'",
		NULL, &ignored) != AE_OK)
		pg_lost(db); /* and with it the lock */
}

/* ---- opening ---- */

static int
pg_check(struct ae_db *db, bool thorough, struct ae_err *e)
{
	/* clang-format off */
	static const struct {
		const char *sql, *what;
	} all[] = {
		{ "SELECT r.id FROM request r LEFT JOIN serial s"
		  " ON s.serial = r.serial AND s.request_id = r.id"
		  " WHERE r.serial IS NOT NULL AND s.serial IS NULL LIMIT 1",
		  "its serial number is not among those promised" },
		{ "SELECT r.id FROM request r LEFT JOIN revoked v"
		  " ON v.serial = r.serial"
		  " WHERE r.disp = 21 AND v.serial IS NULL LIMIT 1",
		  "it is revoked and on no list" },
		{ "SELECT v.request_id FROM revoked v LEFT JOIN request r"
		  " ON r.id = v.request_id"
		  " WHERE r.disp IS DISTINCT FROM 21 LIMIT 1",
		  "it is on the list and not revoked" },
		{ "SELECT id FROM request WHERE disp = 20 AND cert IS NULL"
		  " LIMIT 1", "it is issued without a certificate" },
	};
	/* clang-format on */
	PGresult *r = NULL;
	size_t i;
	int rc = AE_OK;

	if (!thorough)
		return AE_OK; /* the server looks after its files */
	rc = pg_ready(db, e);
	if (rc == AE_OK)
		rc = pg_query(db, "SET statement_timeout = 0", NULL, e);
	pg_of(db)->answer_ms = PG_MIGRATE_MS;
	for (i = 0; i < sizeof(all) / sizeof(all[0]) && rc == AE_OK; i++) {
		rc = pg_query(db, all[i].sql, &r, e);
		if (rc != AE_OK)
			break;
		if (PQntuples(r) > 0)
			rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "request %s: %s", PQgetvalue(r, 0, 0), all[i].what);
		PQclear(r);
	}
	pg_of(db)->answer_ms = PG_ANSWER_MS;
	if (pg_of(db)->c != NULL && rc == AE_OK)
		rc = pg_query(db, "SET statement_timeout = '25s'", NULL, e);
	return rc;
}

static int
pg_open(struct ae_db *db, const struct ae_db_options *opt, struct ae_err *e)
{
	char *uri = strdup(opt->path), *password = NULL;
	struct pg like;
	int rc;

	if (opt->password != NULL)
		password = strdup(opt->password);
	if (uri == NULL || (opt->password != NULL && password == NULL)) {
		free(uri);
		free(password);
		return ae_fail_mem(e);
	}
	like = (struct pg){ .uri = uri, .password = password };
	rc = pg_like(db, &like, e);
	free(uri);
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	free(password);
	return rc == AE_OK ? pg_ready(db, e) : rc;
}

static void
pg_close(struct ae_db *db)
{
	struct pg *p = pg_of(db);

	if (p == NULL)
		return;
	pg_lost(db);
	if (p->password != NULL)
		explicit_bzero(p->password, strlen(p->password));
	free(p->password);
	free(p->uri);
	free(p);
	db->impl = NULL;
}

#define PATIENT                                              \
	"SET idle_in_transaction_session_timeout = '10min';" \
	"SET statement_timeout = 0;"
#define FROZEN "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

static int
pg_beside(struct ae_db *out, struct ae_db *db, struct ae_err *e)
{
	int rc = pg_like(out, pg_of(db), e);

	out->opt.read_only = true;
	if (rc == AE_OK)
		rc = pg_ready(out, e);
	if (rc != AE_OK)
		return rc;
	pg_of(out)->once = true;
	/* the longest CRL's readers take their time */
	return pg_query(out, PATIENT FROZEN, NULL, e);
}

static int
pg_patient(struct ae_db *db, bool frozen, struct ae_err *e)
{
	int rc = pg_ready(db, e);

	if (rc != AE_OK)
		return rc;
	pg_of(db)->answer_ms = PG_MIGRATE_MS;
	if (frozen) /* never to be seen over another connection */
		pg_of(db)->once = true;
	return pg_query(db, frozen ? PATIENT FROZEN : PATIENT, NULL, e);
}

const struct ae_db_port ae_db_port_pg = {
	.open = pg_open,
	.close = pg_close,
	.beside = pg_beside,
	.patient = pg_patient,
	.check = pg_check,
	.version = pg_version,
	.upgrade = pg_upgrade,
	.unlock = pg_unlock,
	.begin = pg_begin,
	.commit = pg_commit,
	.rollback = pg_rollback,
	.prepare = pg_prepare,
	.finish = pg_finish,
	.reset = pg_reset,
	.clear = pg_clear,
	.num = pg_num,
	.text = pg_text,
	.blob = pg_blob,
	.step = pg_step,
	.is_null = pg_is_null,
	.col_num = pg_col_num,
	.col_text = pg_col_text,
	.col_blob = pg_col_blob,
	.explain = pg_explain,
};
