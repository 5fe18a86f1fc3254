/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See signed.h.  The list is one small value of meta, which is looked at
 * often; the audit chain has the same for good.
 */
#include "db/signed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/breaks.h"
#include "base/hex.h"
#include "db/impl.h"
#include "db/rollback.h"

#define LIST "signatures-without-row"
#define LINE_MAX 160u
#define ARENA_MAX (4u * LINE_MAX * AE_DB_UNRECORDED_MAX)

int
ae_db_signed_known(struct ae_db *db, const struct ae_db_signed *s, bool *known,
    struct ae_err *e)
{
	struct ae_db_st *st;
	const void *hash;
	size_t len;
	int rc = ae_db_stmt(db, ST_SIGNED, &st, e);

	*known = false;
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, s->serial, s->serial_len);
	rc = ae_db_step_row(st, "looking for what was signed", e);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc != AE_OK)
		return rc;
	hash = ae_db_col_blob(st, 0, &len);
	*known = len == AE_DB_HASH_LEN &&
	    memcmp(hash, s->tbs_hash, AE_DB_HASH_LEN) == 0;
	ae_db_reset(st);
	return AE_OK;
}

/* ---- the list ---- */

static void
put_line(struct ae_wr *w, const struct ae_db_signed *s)
{
	char serial[2 * AE_DB_SERIAL_MAX + 1], hash[2 * AE_DB_HASH_LEN + 1];

	ae_hex_encode(serial, s->serial, s->serial_len);
	ae_hex_encode(hash, s->tbs_hash, AE_DB_HASH_LEN);
	ae_wr_printf(w, "%s %s %u %" PRId64 " %" PRId64 "\n", serial, hash,
	    s->key_index, s->not_after, s->at);
}

static bool
get_line(struct ae_db_signed *s, const char *line)
{
	char serial[2 * AE_DB_SERIAL_MAX + 1], hash[2 * AE_DB_HASH_LEN + 1];

	memset(s, 0, sizeof(*s));
	if (sscanf(line, "%40s %64s %u %" SCNd64 " %" SCNd64, serial, hash,
		&s->key_index, &s->not_after, &s->at) != 5)
		return false;
	s->serial_len = strlen(serial) / 2;
	return s->serial_len > 0 &&
	    ae_hex_decode(s->serial, s->serial_len, serial) &&
	    ae_hex_decode(s->tbs_hash, AE_DB_HASH_LEN, hash);
}

int
ae_db_signed_list(struct ae_db *db,
    struct ae_db_signed out[AE_DB_UNRECORDED_MAX], size_t *n, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(ARENA_MAX);
	char *text = NULL, *line;
	int rc =
	    a == NULL ? ae_fail_mem(e) : ae_db_meta_get(db, LIST, &text, a, e);

	*n = 0;
	while (rc == AE_OK && text != NULL && *text != '\0' &&
	    *n < AE_DB_UNRECORDED_MAX) {
		line = strsep(&text, "\n");
		if (!get_line(&out[*n], line))
			rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "the list of signatures without a row is damaged");
		else
			(*n)++;
	}
	ae_arena_free(a);
	return rc;
}

static int
write_list(
    struct ae_db *db, const struct ae_db_signed *v, size_t n, struct ae_err *e)
{
	struct ae_wr w;
	size_t i;
	int rc;

	ae_wr_init(&w, LINE_MAX * (AE_DB_UNRECORDED_MAX + 1));
	for (i = 0; i < n; i++)
		put_line(&w, &v[i]);
	rc = n > 0 && ae_wr_cstr(&w) == NULL
	    ? ae_fail_mem(e)
	    : ae_db_meta_set(db, LIST, n == 0 ? "" : ae_wr_cstr(&w), e);
	ae_wr_done(&w);
	return rc;
}

static struct ae_db_signed *
find(struct ae_db_signed *v, size_t n, const uint8_t *serial, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (v[i].serial_len == len &&
		    memcmp(v[i].serial, serial, len) == 0)
			return &v[i];
	return NULL;
}

static int
add_to_chain(struct ae_db *db, const struct ae_db_signed *s, const char *who,
    int64_t now, struct ae_err *e)
{
	char serial[2 * AE_DB_SERIAL_MAX + 1], hash[2 * AE_DB_HASH_LEN + 1];
	char detail[256];

	ae_hex_encode(serial, s->serial, s->serial_len);
	ae_hex_encode(hash, s->tbs_hash, AE_DB_HASH_LEN);
	(void)snprintf(detail, sizeof(detail), "serial %s key %u tbs-sha256 %s",
	    serial, s->key_index, hash);
	return ae_db_audit(db, AE_DB_UNRECORDED, 0, who, detail, now, e);
}

int
ae_db_signed_unrecorded(struct ae_db *db, const struct ae_db_signed *s,
    const char *who, int64_t now, struct ae_err *e)
{
	struct ae_db_signed v[AE_DB_UNRECORDED_MAX];
	size_t n = 0;
	int rc = ae_db_signed_list(db, v, &n, e);

	if (rc != AE_OK || AE_BREAK(golden_list))
		return rc;
	if (find(v, n, s->serial, s->serial_len) != NULL)
		return AE_OK;
	rc = add_to_chain(db, s, who, now, e);
	if (rc != AE_OK || n == AE_DB_UNRECORDED_MAX)
		return rc;
	v[n] = *s;
	v[n].at = now;
	return write_list(db, v, n + 1, e);
}

int
ae_db_signed_revoke(struct ae_db *db, const uint8_t *serial, size_t len,
    int reason, const char *by, int64_t now, struct ae_err *e)
{
	struct ae_db_revoked r = { .revoked_at = now, .reason = reason };
	struct ae_db_signed v[AE_DB_UNRECORDED_MAX], *s, gone;
	bool was_new;
	size_t n = 0;
	int rc = ae_db_signed_list(db, v, &n, e);

	if (rc != AE_OK)
		return rc;
	s = find(v, n, serial, len);
	if (s == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no such request");
	gone = *s;
	r.serial = gone.serial;
	r.serial_len = gone.serial_len;
	rc = ae_db_revoked_import(
	    db, &r, gone.key_index, gone.not_after, by, now, &was_new, e);
	if (rc != AE_OK)
		return rc;
	*s = v[n - 1];
	return write_list(db, v, n - 1, e);
}

/* ---- by the chain ---- */

/* Is there a row for this serial number, whoever made it? */
static int
has_row(struct ae_db *db, const char *detail, bool *has, struct ae_err *e)
{
	char hex[2 * AE_DB_SERIAL_MAX + 1];
	uint8_t serial[AE_DB_SERIAL_MAX];
	struct ae_db_st *st;
	int rc;

	*has = false;
	if (sscanf(detail, "serial %40[0-9a-f]", hex) != 1 ||
	    !ae_hex_decode(serial, strlen(hex) / 2, hex))
		return AE_OK;
	rc = ae_db_stmt(db, ST_SERIAL_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, serial, strlen(hex) / 2);
	rc = ae_db_step_row(st, "looking for a serial number", e);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc != AE_OK)
		return rc;
	*has = true;
	ae_db_reset(st);
	return AE_OK;
}

/* Two statements on one connection: the rows wait until the walk is over. */
struct found {
	int64_t at;
	char detail[256];
};

struct collected {
	struct found *v;
	size_t n;
};

static int
collect(void *arg, const struct ae_db_audit_entry *n, struct ae_err *e)
{
	struct collected *c = arg;
	struct found *v = realloc(c->v, (c->n + 1) * sizeof(*v));

	if (v == NULL)
		return ae_fail_mem(e);
	c->v = v;
	v[c->n].at = n->at;
	(void)snprintf(v[c->n].detail, sizeof(v[c->n].detail), "%s", n->detail);
	c->n++;
	return AE_OK;
}

int
ae_db_signed_audit(
    struct ae_db *db, ae_db_signed_fn *fn, void *arg, struct ae_err *e)
{
	struct collected c = { .n = 0 };
	size_t i;
	bool has;
	int rc = ae_db_audit_each(db, AE_DB_UNRECORDED, collect, &c, e);

	for (i = 0; rc == AE_OK && i < c.n; i++) {
		rc = has_row(db, c.v[i].detail, &has, e);
		if (rc == AE_OK && !has)
			rc = fn(arg, c.v[i].at, c.v[i].detail, e);
	}
	free(c.v);
	return rc;
}
