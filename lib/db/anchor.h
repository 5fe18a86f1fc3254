/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The anchor: where the database was, kept in a file outside of it.  A
 * database that is behind its anchor, or has other entries where the anchor
 * saw some, is not the one that was in use last: it was restored, or rolled
 * back with its disk.  Text and judgement only; who keeps the file is the
 * process that has the database.
 */
#ifndef AE_DB_ANCHOR_H
#define AE_DB_ANCHOR_H

#include "base/wr.h"
#include "db/rollback.h"

#define AE_ANCHOR_MAX 8192u /* bytes of the file */
/* Request ids that a running CA may give before it writes the anchor again. */
#define AE_ANCHOR_IDS 20000

struct ae_anchor {
	struct ae_db_state at; /* last_id: no higher id was ever given */
	bool restored; /* from a backup, and nobody has said yet that it may
			  go on */
};

/* The file's text. */
void ae_anchor_put(struct ae_wr *w, const struct ae_anchor *a);
/* AE_EPROTO: damaged, with *out untouched. */
int ae_anchor_parse(struct ae_anchor *out, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * AE_OK: the database goes on from where the anchor was.  AE_ETRUST: it does
 * not, and e says what is missing.
 */
int ae_anchor_judge(const struct ae_anchor *a, struct ae_db *db,
    struct ae_err *e) AE_MUST_CHECK;

/* The higher of both in everything; the chain's end of whose chain is longer.
 */
void ae_anchor_merge(struct ae_anchor *into, const struct ae_anchor *other);

#endif
