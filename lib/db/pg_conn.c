/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The connection to PostgreSQL: made, lost, made again; and what becomes of
 * the server's errors.  Nothing here waits without an end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/pg.h"
#include "sys/clock.h"
#include "sys/sock.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000

/* clang-format off */
/*
 * A node that stands still in a batch would stop all others: the server ends
 * its session after three seconds, and with it the batch.  Who waits for
 * another's batch waits longer than that.
 */
static const char session[] =
    "SET client_encoding = 'UTF8';"
    "SET bytea_output = 'hex';"
    "SET idle_in_transaction_session_timeout = '3s';"
    "SET lock_timeout = '10s';"
    "SET statement_timeout = '25s';"
    "SET default_transaction_isolation = 'read committed';"
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit')"
    " IN ('off', 'local', 'remote_write');"
    "SELECT current_setting('server_encoding')";

/* SQLSTATE, or its first two characters. */
static const struct {
	const char *state;
	int rc;
	bool breaks;
} states[] = {
	{ "08", AE_EUNAVAIL, false }, /* connection */
	{ "25006", AE_EUNAVAIL, false }, /* read-only: a standby */
	{ "25P03", AE_EUNAVAIL, false }, /* idle in a batch for too long */
	{ "28", AE_EAUTH, false },
	{ "3D000", AE_ENOTFOUND, false }, /* no such database */
	{ "40", AE_EUNAVAIL, false }, /* deadlock, serialization */
	{ "42501", AE_EAUTH, false }, /* privileges */
	{ "53100", AE_ELIMIT, false }, /* disk full */
	{ "53200", AE_ELIMIT, false }, /* its memory */
	{ "53300", AE_EUNAVAIL, false }, /* too many connections */
	{ "53", AE_ELIMIT, false },
	{ "55P03", AE_EUNAVAIL, false }, /* lock_timeout */
	{ "57", AE_EUNAVAIL, false }, /* shutdown, statement_timeout */
	{ "58", AE_EIO, true },
	{ "XX001", AE_EPROTO, true }, /* damaged */
	{ "XX002", AE_EPROTO, true },
};
/* clang-format on */

static int64_t
state_number(const char *s)
{
	return strtoll(s, NULL, 36);
}

/* libpq's text without its line breaks. */
static void
one_line(char *out, size_t max, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < max; text++)
		out[n++] = *text == '\n' || *text == '\t' ? ' ' : *text;
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static int
gone(struct ae_db *db, const char *what, struct ae_err *e)
{
	char text[300];

	one_line(text, sizeof(text), PQerrorMessage(pg_of(db)->c));
	pg_lost(db);
	return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
	    "%s: the connection to PostgreSQL was lost%s%s", what,
	    text[0] == '\0' ? "" : ": ", text);
}

void
pg_lost(struct ae_db *db)
{
	struct pg *p = pg_of(db);

	PQfinish(p->c);
	p->c = NULL;
	p->claimed = false;
}

int
pg_refused(struct ae_db *db, PGresult *res, const char *what, struct ae_err *e)
{
	const char *s = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	char text[300], state[6] = "00000";
	int rc = AE_EINTERNAL;
	bool breaks = true;
	size_t i;

	if (s != NULL)
		(void)snprintf(state, sizeof(state), "%s", s);
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strncmp(state, states[i].state, strlen(states[i].state)) ==
		    0) {
			rc = states[i].rc;
			breaks = states[i].breaks;
			break;
		}
	s = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	one_line(text, sizeof(text), s != NULL ? s : "no reason given");
	PQclear(res);
	db->broken = db->broken || breaks;
	if (db->in_batch)
		ae_db_rollback(db);
	return ae_fail(e, rc, AE_DOM_PG, state_number(state),
	    "%s: PostgreSQL: %s (%s)", what, text, state);
}

/* Until the answer is there, or cannot be expected any more. */
static int
arrive(struct ae_db *db, struct ae_err *e)
{
	struct pg *p = pg_of(db);
	const int64_t until = ae_clock_mono_ms() + p->answer_ms;
	int flushed, fd = PQsocket(p->c);

	do {
		flushed = PQflush(p->c);
		if (flushed < 0 || fd < 0)
			return gone(db, "asking", e);
		if (flushed == 0 && !PQisBusy(p->c))
			return AE_OK;
		if (!ae_sock_wait(
			fd, flushed > 0, until - ae_clock_mono_ms())) {
			pg_lost(db);
			return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
			    "PostgreSQL did not answer within %lld s",
			    (long long)p->answer_ms / 1000);
		}
	} while (PQconsumeInput(p->c) == 1);
	return gone(db, "waiting for an answer", e);
}

int
pg_wait_one(struct ae_db *db, PGresult **res, struct ae_err *e)
{
	struct pg *p = pg_of(db);
	ExecStatusType s;
	int rc;

	*res = NULL;
	rc = arrive(db, e);
	if (rc != AE_OK)
		return rc;
	*res = PQgetResult(p->c);
	if (*res == NULL)
		return AE_OK;
	s = PQresultStatus(*res);
	if (s == PGRES_FATAL_ERROR && PQstatus(p->c) != CONNECTION_OK) {
		PQclear(*res);
		*res = NULL;
		return gone(db, "an answer", e);
	}
	return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK ||
		s == PGRES_SINGLE_TUPLE
	    ? AE_OK
	    : AE_EREMOTE;
}

int
pg_wait(struct ae_db *db, PGresult **res, struct ae_err *e)
{
	PGresult *r = NULL;
	int rc, all = AE_OK;

	*res = NULL;
	do {
		rc = pg_wait_one(db, &r, e);
		if (rc == AE_EUNAVAIL) {
			PQclear(*res);
			*res = NULL;
			return rc;
		}
		if (r == NULL)
			break;
		/* of several, the first that failed is the one that counts */
		if (all == AE_OK) {
			PQclear(*res);
			*res = r;
			all = rc;
		} else {
			PQclear(r);
		}
	} while (true);
	return *res == NULL ? ae_fail_mem(e) : all;
}

int
pg_query(struct ae_db *db, const char *sql, PGresult **res, struct ae_err *e)
{
	PGresult *r = NULL;
	int rc;

	if (PQsendQuery(pg_of(db)->c, sql) != 1)
		return gone(db, "asking", e);
	rc = pg_wait(db, &r, e);
	if (rc == AE_EREMOTE)
		return pg_refused(db, r, "asking", e);
	if (res != NULL && rc == AE_OK)
		*res = r;
	else
		PQclear(r);
	return rc;
}

/* ---- connecting ---- */

static int
settle(struct ae_db *db, struct ae_err *e)
{
	struct pg *p = pg_of(db);
	PGresult *r = NULL;
	const char *enc;
	int rc;

	if (PQsetnonblocking(p->c, 1) != 0)
		return ae_fail_mem(e);
	rc = pg_query(db, session, &r, e);
	if (rc != AE_OK)
		return rc;
	enc = PQgetvalue(r, 0, 0);
	if (strcmp(enc, "UTF8") != 0)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the database is encoded in %.40s: make it with "
		    "ENCODING 'UTF8'",
		    enc);
	PQclear(r);
	if (rc == AE_OK && db->opt.read_only)
		rc = pg_query(
		    db, "SET default_transaction_read_only = on", NULL, e);
	return rc;
}

static int
connect_now(struct ae_db *db, struct ae_err *e)
{
	struct pg *p = pg_of(db);
	/* what stands before dbname the URI may change, what stands behind
	   not */
	const char *const keys[] = { "connect_timeout", "gssencmode",
		"tcp_user_timeout", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "fallback_application_name",
		"target_session_attrs", "dbname", "password", NULL };
	const char *const values[] = { "5", "disable", "15000", "10", "5", "3",
		"certsrvd", db->opt.read_only ? "any" : "read-write", p->uri,
		p->password, NULL };
	char text[300];

	p->c = PQconnectdbParams(keys, values, 1);
	if (p->c == NULL)
		return ae_fail_mem(e);
	p->generation++;
	if (PQstatus(p->c) == CONNECTION_OK)
		return settle(db, e);
	one_line(text, sizeof(text), PQerrorMessage(p->c));
	return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0, "connecting: %s", text);
}

int
pg_ready(struct ae_db *db, struct ae_err *e)
{
	struct pg *p = pg_of(db);
	const int64_t now = ae_clock_mono_ms();
	int rc;

	if (p->c != NULL)
		return AE_OK;
	if (p->once && p->generation > 0)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "the connection with its rows was lost");
	if (now < p->retry_at)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "PostgreSQL could not be reached just now: next try in "
		    "%lld ms",
		    (long long)(p->retry_at - now));
	rc = connect_now(db, e);
	if (rc == AE_OK) {
		p->backoff = 0;
		p->retry_at = 0;
		return AE_OK;
	}
	pg_lost(db);
	p->backoff = p->backoff == 0 ? BACKOFF_MIN_MS : 2 * p->backoff;
	if (p->backoff > BACKOFF_MAX_MS)
		p->backoff = BACKOFF_MAX_MS;
	p->retry_at = ae_clock_mono_ms() + p->backoff;
	return rc;
}

int
pg_like(struct ae_db *out, const struct pg *like, struct ae_err *e)
{
	struct pg *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ae_fail_mem(e);
	out->impl = p;
	p->answer_ms = PG_ANSWER_MS;
	p->uri = strdup(like->uri);
	if (p->uri == NULL)
		return ae_fail_mem(e);
	if (like->password != NULL &&
	    (p->password = strdup(like->password)) == NULL)
		return ae_fail_mem(e);
	return AE_OK;
}

int
ae_db_server_check(const char *uri, bool *local, struct ae_err *e)
{
	char *why = NULL, text[300] = "it does not parse";
	const char *host = NULL, *password = NULL;
	PQconninfoOption *all, *o;

	all = PQconninfoParse(uri, &why);
	if (all == NULL) {
		if (why != NULL)
			one_line(text, sizeof(text), why);
		PQfreemem(why);
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the database's server: %s", text);
	}
	for (o = all; o->keyword != NULL; o++) {
		if (strcmp(o->keyword, "host") == 0)
			host = o->val;
		if (strcmp(o->keyword, "password") == 0)
			password = o->val;
		if (strcmp(o->keyword, "hostaddr") == 0 && o->val != NULL)
			host = o->val;
	}
	/* none: the directory that libpq was made with */
	*local = host == NULL || host[0] == '\0' ||
	    (host[0] == '/' && strchr(host, ',') == NULL);
	PQconninfoFree(all);
	return password == NULL
	    ? AE_OK
	    : ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		  "the database's server: a password in the URI can be read by "
		  "others: put it into password-file");
}
