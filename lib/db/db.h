/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's database: every request that could be parsed, every serial number
 * that was ever promised, every certificate, revocation, CRL number, and a
 * hash chain over all changes.  In SQLite one process opens it; there is one
 * writer.  PostgreSQL has several, of which one at a time is in a batch.
 * Durability is the point: what ae_db_commit has returned AE_OK for
 * survives loss of power (WAL, synchronous=FULL; synchronous_commit).
 *
 * After a failed write or sync (AE_EIO) the handle is broken: every later
 * call answers AE_EIO and nothing is retried; the process ends, the next
 * start recovers.  A full disk is AE_ELIMIT with the batch undone, and the
 * handle stays good.  A lock held by somebody else is AE_EUNAVAIL within
 * two seconds (ten with PostgreSQL).
 *
 * A lost connection to PostgreSQL is AE_EUNAVAIL with the batch undone; the
 * handle stays good and connects again, at once and then every 0.1 to 5 s.
 * What only reads is asked once more.  A commit whose answer was lost is
 * looked up: AE_OK when it was done, AE_EUNAVAIL when it was not, AE_EIO when
 * that cannot be found out for 20 s.  AE_ETRUST from ae_db_begin: what this
 * handle has committed is not there any more (a server that was restored, a
 * standby without the last commits), or a node has suspended all of them.
 */
#ifndef AE_DB_DB_H
#define AE_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct ae_db;

#define AE_DB_HASH_LEN 32
#define AE_DB_SERIAL_MAX 20
#define AE_DB_BLOB_MAX 0x20000	 /* one stored request or certificate */
#define AE_DB_CALLER_MAX 0x88000 /* what ae_db_request.caller may be */
#define AE_DB_PAGE_MAX 1000	 /* rows of one list call */
#define AE_DB_BATCH_MAX 4096	 /* operations of one commit */
#define AE_DB_CRL_MAX 0x800000	 /* a CRL that is kept for other nodes */
#define AE_DB_BUSY_MS 2000

#define AE_DB_REASON_HOLD 6 /* RFC 5280 5.3.1 certificateHold */

/* Request.Disposition, MS-CSRA 3.1.1.1.1 and the SDK's numbers. */
enum ae_db_disp {
	AE_DB_ACTIVE = 8, /* intent written, signature not yet stored */
	AE_DB_PENDING = 9,
	AE_DB_ISSUED = 20,
	AE_DB_REVOKED = 21,
	AE_DB_VOID = 29, /* ours: an intent that a crash left unsigned */
	AE_DB_FAILED = 30,
	AE_DB_DENIED = 31,
};
const char *ae_db_disp_name(int disp); /* "issued"; "?" when unknown */

/*
 * One row.  Strings are UTF-8 and may be NULL; hash and serial lengths are
 * as given.  From a query everything points into the query's arena.
 */
struct ae_db_request {
	int64_t id; /* 1…, the RequestId on the wire (fits 31 bits) */
	enum ae_db_disp disp;
	uint32_t hresult;
	const char *message;	/* disposition message */
	const char *sid;	/* caller, "S-1-5-…" */
	const char *account;	/* DOMAIN\name */
	const char *on_behalf;	/* of somebody else: DOMAIN\name; or NULL */
	const char *template;	/* cn */
	const char *subject;	/* text, for people */
	const char *attrs;	/* request attributes as received */
	const char *set_attrs;	/* those an officer set since */
	uint32_t flags;		/* dwFlags as received */
	uint32_t request_flags; /* MS-CSRA 3.1.1.1.2: renewal and so on */
	/*
	 * The CA certificate it is issued under, as ae_ca_cert_version has
	 * it: key index << 16 | certificate index.  Of an intent or later.
	 */
	uint32_t issuer;
	const uint8_t *csr; /* as received */
	size_t csr_len;
	uint8_t csr_hash[AE_DB_HASH_LEN]; /* SHA-256 of csr */
	uint8_t serial[AE_DB_SERIAL_MAX];
	size_t serial_len; /* 0: none */
	const uint8_t *cert;
	size_t cert_len;
	int64_t submitted; /* seconds since 1970 */
	int64_t resolved;  /* 0: not yet */
	int64_t not_before;
	int64_t not_after;
	int64_t revoked_at; /* 0: not revoked */
	int revoked_reason; /* CRLReason, RFC 5280 5.3.1 */
	/*
	 * Of a pending row: its caller, as the program encodes it, kept
	 * until it is decided.  Only ae_db_request_get returns it.
	 */
	const uint8_t *caller;
	size_t caller_len;
	/*
	 * A new row's private key, a message for the key recovery agents;
	 * never returned but by ae_db_archived_key.
	 */
	const uint8_t *archived;
	size_t archived_len;
	/*
	 * A new row that answers its request alone: refused (AE_EINVAL) when
	 * another row of the same SID, CSR and attributes with an id above
	 * this one waits, is issued, or is being answered; -1: whatever
	 * there is.  Several nodes, or a client that asks twice, are at work
	 * at the same time.  An intent that nobody has finished for
	 * AE_DB_INTENT_S becomes void instead: who had it cannot issue it.
	 */
	int64_t after;
};
#define AE_DB_INTENT_S 35 /* longer than any request is in hand */

struct ae_db_options {
	const char *path; /* of SQLite's file, or postgresql://… */
	/*
	 * Make it when it is not there.  For setting a CA up: a daemon that
	 * finds no database must stop, not begin a new one.
	 */
	bool create;
	bool read_only; /* for tools; no recovery, no writing */
	/*
	 * Rows of one SID beyond these are refused by ae_db_request_add
	 * with AE_EDENIED; 0: no bound.
	 */
	unsigned max_pending_per_sid;	  /* pending at one time */
	unsigned max_refused_per_sid_day; /* denied and failed, a UTC day */
	unsigned max_pages;   /* of SQLite's 4096 bytes; 0: no bound */
	const char *password; /* of PostgreSQL; NULL: none, or libpq's own */
	/*
	 * Of several nodes that serve one CA: the first byte of this one's
	 * serial numbers.  Nobody else may have it at the same time
	 * (AE_EUNAVAIL), and what was left behind by others is not touched.
	 * 0: there is one node, or this is a tool.
	 */
	uint8_t instance;
	/*
	 * Batches begin although the database went back, or all nodes are
	 * suspended: for who lets it go on (rollback.h).
	 */
	bool forgiving;
};
/* Is it a URI of PostgreSQL, or the path of a file? */
bool ae_db_is_server(const char *path);
/*
 * Does the URI say where a server is?  AE_EINVAL: it does not parse, or has
 * a password, which is for files and credentials.  *local: all by Unix
 * sockets.
 */
int ae_db_server_check(
    const char *uri, bool *local, struct ae_err *e) AE_MUST_CHECK;

/*
 * Open, check (schema; quick integrity of up to 16 MB) and, when older,
 * migrate.  AE_EINVAL: the schema is newer than this program.  AE_EPROTO:
 * damaged; e names the command that looks closer.  Never recreates anything.
 */
int ae_db_open(struct ae_db **out, const struct ae_db_options *opt,
    struct ae_err *e) AE_MUST_CHECK;
void ae_db_free(struct ae_db *db);

/*
 * Group commit: begin, any number of operations of any number of requests,
 * commit.  Operations outside a batch are AE_EINTERNAL.  One that fails with
 * AE_EDENIED, AE_ENOTFOUND or AE_EINVAL leaves the batch as it was before
 * it (ae_db_refused_one); any other failure undoes the whole batch, and the
 * caller answers all of it with an error.  Each operation adds its link to
 * the audit chain.
 */
int ae_db_begin(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;
int ae_db_commit(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;
void ae_db_rollback(struct ae_db *db);
static inline bool
ae_db_refused_one(int rc)
{
	return rc == AE_EDENIED || rc == AE_ENOTFOUND || rc == AE_EINVAL;
}

/*
 * A new row in any state but ISSUED; *id is its number.  r->id is ignored.
 * A row with a serial is an intent (state ACTIVE): the serial is taken from
 * this commit on, whatever happens later.  AE_EINVAL: that serial exists.
 */
int ae_db_request_add(struct ae_db *db, const struct ae_db_request *r,
    const uint8_t tbs_hash[AE_DB_HASH_LEN], int64_t *id,
    struct ae_err *e) AE_MUST_CHECK;

/* A pending or denied row approved by that person becomes an intent. */
int ae_db_request_activate(struct ae_db *db, int64_t id, const uint8_t *serial,
    size_t serial_len, const uint8_t tbs_hash[AE_DB_HASH_LEN], uint32_t issuer,
    const char *by, int64_t now, struct ae_err *e) AE_MUST_CHECK;

/* The signature is there: ACTIVE becomes ISSUED with this certificate. */
int ae_db_request_issue(struct ae_db *db, int64_t id, const void *cert,
    size_t cert_len, int64_t not_before, int64_t not_after, int64_t now,
    const char *message, struct ae_err *e) AE_MUST_CHECK;

/*
 * PENDING becomes DENIED, ACTIVE or PENDING becomes FAILED or VOID.  by is
 * who says so, for the audit chain; NULL: the CA itself.
 */
int ae_db_request_refuse(struct ae_db *db, int64_t id, enum ae_db_disp disp,
    uint32_t hresult, const char *message, const char *by, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The attributes of a PENDING row that were set since it came: they replace
 * those of an earlier call, never those that came with the request.
 */
int ae_db_request_set_attrs(struct ae_db *db, int64_t id, const char *attrs,
    const char *by, int64_t now, struct ae_err *e) AE_MUST_CHECK;

/*
 * Request flags of a PENDING row that come to those it has; what is what the
 * audit chain calls it.
 */
int ae_db_request_add_flags(struct ae_db *db, int64_t id, uint32_t flags,
    const char *what, int64_t now, struct ae_err *e) AE_MUST_CHECK;

/*
 * ISSUED becomes REVOKED; reason is a CRLReason, at its time.  What is only
 * on hold may be revoked for another reason.
 */
int ae_db_revoke(struct ae_db *db, const uint8_t *serial, size_t serial_len,
    int reason, int64_t at, const char *by, struct ae_err *e) AE_MUST_CHECK;

/* A certificate on hold (reason 6) is ISSUED again. */
int ae_db_release(struct ae_db *db, const uint8_t *serial, size_t serial_len,
    int64_t at, const char *by, struct ae_err *e) AE_MUST_CHECK;

/*
 * The next CRL number for this CA key, durable with the batch: never the
 * same one twice, also when publishing fails, and above at_least, which is
 * what was seen published: a database restored from a backup does not go back.
 */
int ae_db_crl_number(struct ae_db *db, unsigned key_index, int64_t at_least,
    int64_t now, int64_t *number, struct ae_err *e) AE_MUST_CHECK;

/* The base CRL that is published: what delta CRLs of that key refer to. */
struct ae_db_crl_base {
	int64_t number;	 /* 0: there is none yet */
	int64_t changed; /* changes up to this one are in it */
	int64_t at;	 /* its thisUpdate */
};
int ae_db_crl_base(struct ae_db *db, unsigned key_index,
    struct ae_db_crl_base *out, struct ae_err *e) AE_MUST_CHECK;
/* A newer one is published; AE_EINVAL when its number is not higher. */
int ae_db_crl_published(struct ae_db *db, unsigned key_index,
    const struct ae_db_crl_base *base, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * CRLs of several nodes: one of them makes one at a time.  lead: for so many
 * seconds by the database's clock, or until the CRL is kept, this node does;
 * AE_EDENIED: another one does; AE_EINVAL: one above the number have is kept
 * already.  The epoch tells this time from others.  In a batch.
 */
int ae_db_crl_lead(struct ae_db *db, unsigned key_index, bool delta,
    int64_t have, int64_t seconds, int64_t *epoch,
    struct ae_err *e) AE_MUST_CHECK;
/* Some more time; AE_EDENIED: it is over, another node may have begun. */
int ae_db_crl_lead_on(struct ae_db *db, int64_t epoch, int64_t seconds,
    struct ae_err *e) AE_MUST_CHECK;

/* The newest CRL of a key, for the nodes that did not make it. */
struct ae_db_crl_newest {
	unsigned key_index;
	bool delta;
	int64_t number;
	int64_t this_update, next_update, next_publish;
	const uint8_t *der; /* NULL: longer than AE_DB_CRL_MAX */
	size_t der_len;
};
/*
 * This one is published: from the commit on it is the newest.  AE_EDENIED,
 * and nothing of it may be seen by anybody: the epoch is over; AE_EINVAL: a
 * higher number was given out since.
 */
int ae_db_crl_keep(struct ae_db *db, const struct ae_db_crl_newest *n,
    int64_t epoch, struct ae_err *e) AE_MUST_CHECK;
/* AE_ENOTFOUND: none above the number have. */
int ae_db_crl_newest(struct ae_db *db, unsigned key_index, bool delta,
    int64_t have, struct ae_db_crl_newest *out, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * An exchange key of one node, sealed so that only nodes of this CA can open
 * it (pki/seal.h), under the serial number of its certificate: any node can
 * read what a client has encrypted to any other.  In a batch; those whose
 * time has passed leave.
 */
int ae_db_exchange_keep(struct ae_db *db, const uint8_t *serial,
    size_t serial_len, const void *sealed, size_t len, int64_t until,
    int64_t now, struct ae_err *e) AE_MUST_CHECK;
/* AE_ENOTFOUND: none.  It lives in a. */
int ae_db_exchange_get(struct ae_db *db, const uint8_t *serial,
    size_t serial_len, const uint8_t **sealed, size_t *len, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The archived key of a request, and an entry in the audit chain that this
 * person has it.  AE_ENOTFOUND: there is none.
 */
int ae_db_archived_key(struct ae_db *db, int64_t id, const char *by,
    int64_t now, const uint8_t **blob, size_t *len, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* Any other thing the audit chain should tell: "crl-published" and so on. */
int ae_db_audit(struct ae_db *db, const char *what, int64_t request_id,
    const char *who, const char *detail, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

/* Look-ups.  AE_ENOTFOUND without a row; rows live in a. */
int ae_db_request_get(struct ae_db *db, int64_t id, struct ae_db_request *out,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;
int ae_db_request_by_serial(struct ae_db *db, const uint8_t *serial,
    size_t serial_len, struct ae_db_request *out, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;
/*
 * The newest row of this SID with this CSR hash and these attributes (NULL
 * and empty are the same) that is pending or issued.
 */
int ae_db_request_same(struct ae_db *db, const char *sid,
    const uint8_t csr_hash[AE_DB_HASH_LEN], const char *attrs,
    struct ae_db_request *out, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* A page of rows with id > after (or < after when newest_first). */
struct ae_db_filter {
	int64_t after;	/* 0: from the start (the end when newest_first) */
	unsigned limit; /* 1..AE_DB_PAGE_MAX */
	bool newest_first;
	int disp;	      /* 0: any */
	const char *sid;      /* NULL: any */
	const char *template; /* NULL: any */
	/* the certificate with this serial number; len 0: any */
	const uint8_t *serial;
	size_t serial_len;
	bool blobs; /* csr and cert too */
};
int ae_db_request_list(struct ae_db *db, const struct ae_db_filter *f,
    struct ae_db_request **out, size_t *n, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Revoked certificates as they are now, for one CRL.  They are read page by
 * page, on a connection of their own, and stay what they were when it began
 * whatever is written meanwhile.  Since a number of ae_db_crl_base.changed:
 * only what changed after it, certificates released from hold among them
 * (reason 8).  After the last page the next one is the first again, out of a
 * file without a name: the database is read once, and let go then.  AE_ELIMIT:
 * that file's disk is full.
 */
struct ae_db_crl_query {
	const char *dir; /* for that file */
	unsigned key_index;
	int64_t not_after; /* only certificates valid until then */
	int64_t since;	   /* -1: all */
};
struct ae_db_revoked {
	const uint8_t *serial;
	size_t serial_len;
	int64_t revoked_at;
	int reason;
};
/* A return other than AE_OK stops and is returned. */
typedef int ae_db_revoked_fn(
    void *arg, const struct ae_db_revoked *r, struct ae_err *e);
struct ae_db_crl_rows;
int ae_db_crl_rows_new(struct ae_db_crl_rows **out, struct ae_db *db,
    const struct ae_db_crl_query *q, struct ae_err *e) AE_MUST_CHECK;
int64_t ae_db_crl_rows_changed(const struct ae_db_crl_rows *l);
int ae_db_crl_rows_next(struct ae_db_crl_rows *l, unsigned max,
    ae_db_revoked_fn *fn, void *arg, bool *done,
    struct ae_err *e) AE_MUST_CHECK;
void ae_db_crl_rows_free(struct ae_db_crl_rows *l);

/*
 * Recovery: intents that were written and neither issued nor void.  For each
 * the caller says whether a signature for it is known (signers keep the
 * last ones) and finishes it with ae_db_request_issue, or makes it VOID
 * with ae_db_request_refuse.
 */
struct ae_db_intent {
	int64_t id;
	uint8_t serial[AE_DB_SERIAL_MAX];
	size_t serial_len;
	uint8_t tbs_hash[AE_DB_HASH_LEN];
};
int ae_db_intents(struct ae_db *db, struct ae_db_intent **out, size_t *n,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;
/*
 * Every intent becomes VOID, in as many batches as that takes; *n is how
 * many.  For the start, when nobody can be signing.
 */
int ae_db_void_intents(struct ae_db *db, uint32_t hresult, const char *message,
    int64_t now, size_t *n, struct ae_err *e) AE_MUST_CHECK;

/* Walk the whole audit chain.  AE_EPROTO names the first broken link. */
int ae_db_audit_verify(
    struct ae_db *db, int64_t *links, struct ae_err *e) AE_MUST_CHECK;

/*
 * SQLite's full integrity check; in PostgreSQL, which looks after its files,
 * whether the tables agree.  AE_EPROTO with the first finding.
 */
int ae_db_check(struct ae_db *db, struct ae_err *e) AE_MUST_CHECK;

/* Small facts that must survive: "ca-key-id" and so on.  NULL: not set. */
int ae_db_meta_get(struct ae_db *db, const char *key, char **value,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;
int ae_db_meta_set(struct ae_db *db, const char *key, const char *value,
    struct ae_err *e) AE_MUST_CHECK;

#endif
