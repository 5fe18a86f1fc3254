/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Has the database gone back in time?  Where it stands, told from its own
 * rows; and how it is made to go on behind everything that was ever given
 * out, when somebody has said that it may.
 */
#ifndef AE_DB_ROLLBACK_H
#define AE_DB_ROLLBACK_H

#include "db/db.h"

#define AE_DB_CRL_KEYS_MAX 64

/* Where a database stands: nothing in it ever goes down. */
struct ae_db_state {
	int64_t seq; /* the last entry of the audit chain, */
	uint8_t link[AE_DB_HASH_LEN];
	int64_t last_id; /* the highest request id that was given */
	size_t ncrl;
	struct ae_db_crl_last {
		unsigned key;
		int64_t number;
	} crl[AE_DB_CRL_KEYS_MAX];
};

/* As of the last commit (a batch must not be open). */
int ae_db_state(
    struct ae_db *db, struct ae_db_state *out, struct ae_err *e) AE_MUST_CHECK;

/* The last number of a key's CRLs; 0: none. */
int64_t ae_db_state_crl(const struct ae_db_state *s, unsigned key);
/* At least that one; false: no room for one more key. */
bool ae_db_state_crl_raise(struct ae_db_state *s, unsigned key, int64_t number);

/* A link of the audit chain; AE_ENOTFOUND: the chain has no such entry. */
int ae_db_audit_link(struct ae_db *db, int64_t seq,
    uint8_t link[AE_DB_HASH_LEN], struct ae_err *e) AE_MUST_CHECK;

/*
 * In a batch: ids and CRL numbers go on behind those of to (which may be
 * lower: they never go down), and an entry AE_DB_GAP of the audit chain says
 * who has said so and why.
 */
#define AE_DB_GAP "rollback-acknowledged"
int ae_db_go_past(struct ae_db *db, const struct ae_db_state *to,
    const char *by, const char *detail, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Nothing is written by any node any more: their batches do not begin, until
 * ae_db_go_past.  The first reason stays, and is in the audit chain.  Of
 * several nodes the one that finds the database behind its anchor is not the
 * only one that must stop.
 */
int ae_db_suspend(struct ae_db *db, const char *why, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;
/* Why they are; NULL: they are not.  It lives in a. */
int ae_db_suspended(struct ae_db *db, char **why, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * In a batch: this certificate of the CA is revoked, as a CRL said that was
 * published.  One that the database issued is revoked as if by an officer;
 * one that it does not know gets a row of its own, revoked, without a
 * requester.  *was_new: something was changed.
 */
int ae_db_revoked_import(struct ae_db *db, const struct ae_db_revoked *r,
    unsigned key_index, int64_t not_after, const char *by, int64_t now,
    bool *was_new, struct ae_err *e) AE_MUST_CHECK;

/* One entry of the audit chain; fn's strings are borrowed. */
struct ae_db_audit_entry {
	int64_t seq, at, request_id;
	const char *what, *who, *detail;
};
typedef int ae_db_audit_fn(
    void *arg, const struct ae_db_audit_entry *n, struct ae_err *e);
/* Every entry of that kind, oldest first. */
int ae_db_audit_each(struct ae_db *db, const char *what, ae_db_audit_fn *fn,
    void *arg, struct ae_err *e) AE_MUST_CHECK;

#endif
