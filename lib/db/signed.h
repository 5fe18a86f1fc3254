/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the signers say that they signed, held against the rows.  An intent is
 * durable before anything is signed, so a signature without a row was made
 * behind the CA's back: by somebody who has the deciding process, or a copy
 * of it beside the key.  It is kept until it is revoked.
 */
#ifndef AE_DB_SIGNED_H
#define AE_DB_SIGNED_H

#include "db/db.h"

/* Of the audit chain. */
#define AE_DB_UNRECORDED "signature-without-row"
/* Of these that are known one by one; the chain has all. */
#define AE_DB_UNRECORDED_MAX 64

/* A certificate, as its signer saw it. */
struct ae_db_signed {
	uint8_t serial[AE_DB_SERIAL_MAX];
	size_t serial_len;
	uint8_t tbs_hash[AE_DB_HASH_LEN];
	unsigned key_index;
	int64_t not_after;
	int64_t at; /* when it was noticed */
};

/* Has a row promised exactly these bytes under this serial number? */
int ae_db_signed_known(struct ae_db *db, const struct ae_db_signed *s,
    bool *known, struct ae_err *e) AE_MUST_CHECK;

/*
 * In a batch: it has no row.  One that is listed already changes nothing.
 * who is the node.
 */
int ae_db_signed_unrecorded(struct ae_db *db, const struct ae_db_signed *s,
    const char *who, int64_t now, struct ae_err *e) AE_MUST_CHECK;

/* Those that nobody has revoked yet; *n at most AE_DB_UNRECORDED_MAX. */
int ae_db_signed_list(struct ae_db *db,
    struct ae_db_signed out[AE_DB_UNRECORDED_MAX], size_t *n,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * In a batch: it gets a row that is revoked, so that CRLs have it, and leaves
 * the list.  AE_ENOTFOUND: it is not on it.
 */
int ae_db_signed_revoke(struct ae_db *db, const uint8_t *serial, size_t len,
    int reason, const char *by, int64_t now, struct ae_err *e) AE_MUST_CHECK;

/*
 * The same by the audit chain, which nobody can take an entry out of: each
 * that has no row today.
 */
typedef int ae_db_signed_fn(
    void *arg, int64_t at, const char *detail, struct ae_err *e);
int ae_db_signed_audit(struct ae_db *db, ae_db_signed_fn *fn, void *arg,
    struct ae_err *e) AE_MUST_CHECK;

#endif
