/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Every statement, once, in words that both backends share.  Parameters are
 * ?1, ?2 …; where the two differ the text has {SQLite|PostgreSQL}.
 */
#ifndef AE_DB_SQL_H
#define AE_DB_SQL_H

#include <stdbool.h>
#include <stddef.h>

enum ae_db_stmt {
	ST_ADD,
	ST_CALLER_ADD,
	ST_CALLER_GET,
	ST_CALLER_DROP,
	ST_KEY_ADD,
	ST_KEY_GET,
	ST_SERIAL_GET,
	ST_SERIAL_ADD,
	ST_STATE,
	ST_ACTIVATE,
	ST_ISSUE,
	ST_REFUSE,
	ST_SET_ATTRS,
	ST_ADD_FLAGS,
	ST_REVOKE,
	ST_REVOKED_ADD,
	ST_REVOKED_REASON,
	ST_RELEASE,
	ST_REVOKED_DROP,
	ST_RELEASED_ADD,
	ST_RELEASED_DROP,
	ST_RELEASED_PURGE,
	ST_QUOTA_GET,
	ST_QUOTA_SET,
	ST_CRL_GET,
	ST_CRL_SET,
	ST_CRL_BASE_GET,
	ST_CRL_BASE_SET,
	ST_META_GET,
	ST_META_SET,
	ST_AUDIT_ADD,
	ST_AUDIT_LAST,
	ST_GET,
	ST_BY_SERIAL,
	ST_SAME,
	ST_SAME_SINCE,
	ST_INTENTS,
	ST_LEASE_GET,
	ST_LEASE_SET,
	ST_NEWEST_GET,
	ST_NEWEST_SET,
	ST_NEWEST_NUMBER,
	ST_XCHG_ADD,
	ST_XCHG_GET,
	ST_XCHG_PURGE,
	ST_LAST_ID_SET,
	ST_LAST_ID_MAKE,
	ST_CRL_RAISE,
	ST_AUDIT_LINK,
	ST_IMPORT_ADD,
	ST_IMPORT_SET,
	ST_IMPORT_REVOKED,
	ST_KNOWN,
	ST_SIGNED,
	/* these read all there is of something, because that is their use */
	ST_CRL_ALL,
	ST_CRL_SINCE,
	ST_AUDIT_ALL,
	ST_AUDIT_OF,
	ST_VERIFY_ROWS,
	ST_LAST_ID,
	ST_CRL_NUMBERS,
	ST_COUNT
};

struct ae_db_sql {
	const char *text;
	/* NULL: it runs for a request and must not scan. */
	const char *scans; /* why it may */
};
extern const struct ae_db_sql ae_db_sql[ST_COUNT];

#define AE_DB_ROW_COLUMNS                                              \
	"id, disp, hresult, message, sid, account, template, subject," \
	" attrs, flags, csr_hash, serial, submitted, resolved,"        \
	" not_before, not_after, revoked_at, revoked_reason,"          \
	" on_behalf, request_flags, issuer, set_attrs"
#define AE_DB_ROW_BLOBS ", csr, cert"

enum ae_db_dialect { AE_DB_LITE, AE_DB_PG };

/* The text as that backend wants it; false: max is too small. */
bool ae_db_dialect(
    char *out, size_t max, const char *text, enum ae_db_dialect d);

#define AE_DB_SQL_MAX 8192

/* The steps of the schema, 1 being the first, in the same words. */
extern const char *const ae_db_steps[];
extern const int ae_db_version;

#endif
