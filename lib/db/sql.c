/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The statements and the two dialects.
 */
#include "db/sql.h"

#include <string.h>

/* Seconds since 1970 by the database's clock, which nodes share. */
#define DB_NOW                                     \
	"{CAST(strftime('%s', 'now') AS INTEGER)|" \
	"CAST(extract(epoch FROM clock_timestamp()) AS BIGINT)}"

#define IMPORTED "revoked by a CRL that was published"
#define ONE_ROW "a sequence is one row"

/* clang-format off */
const struct ae_db_sql ae_db_sql[ST_COUNT] = {
	[ST_ADD] = {
	    "INSERT INTO request (disp, hresult, message, sid, account,"
	    " template, subject, attrs, flags, csr_hash, serial, tbs_hash,"
	    " submitted, resolved, not_before, not_after, csr, on_behalf,"
	    " request_flags, issuer)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
	    " ?14, ?15, ?16, ?17, ?18, ?19, ?20) RETURNING id", NULL },
	[ST_CALLER_ADD] = {
	    "INSERT INTO pending (request_id, caller) VALUES (?1, ?2)", NULL },
	[ST_CALLER_GET] = {
	    "SELECT caller FROM pending WHERE request_id = ?1", NULL },
	[ST_CALLER_DROP] = {
	    "DELETE FROM pending WHERE request_id = ?1", NULL },
	[ST_KEY_ADD] = {
	    "INSERT INTO archived_key (request_id, blob) VALUES (?1, ?2)",
	    NULL },
	[ST_KEY_GET] = {
	    "SELECT blob FROM archived_key WHERE request_id = ?1", NULL },
	[ST_SERIAL_GET] = {
	    "SELECT request_id FROM serial WHERE serial = ?1", NULL },
	[ST_SERIAL_ADD] = {
	    "INSERT INTO serial (serial, request_id) VALUES (?1, ?2)", NULL },
	[ST_STATE] = { "SELECT disp, sid FROM request WHERE id = ?1", NULL },
	[ST_ACTIVATE] = {
	    "UPDATE request SET disp = 8, serial = ?2, tbs_hash = ?3,"
	    " issuer = ?4 WHERE id = ?1", NULL },
	[ST_ISSUE] = {
	    "UPDATE request SET disp = 20, hresult = 0, cert = ?2,"
	    " not_before = ?3, not_after = ?4, resolved = ?5, message = ?6"
	    " WHERE id = ?1", NULL },
	[ST_REFUSE] = {
	    "UPDATE request SET disp = ?2, hresult = ?3, message = ?4,"
	    " resolved = ?5 WHERE id = ?1", NULL },
	[ST_SET_ATTRS] = {
	    "UPDATE request SET set_attrs = ?2 WHERE id = ?1", NULL },
	[ST_ADD_FLAGS] = {
	    "UPDATE request SET request_flags = request_flags | ?2"
	    " WHERE id = ?1", NULL },
	[ST_REVOKE] = {
	    "UPDATE request SET disp = 21, revoked_at = ?2,"
	    " revoked_reason = ?3 WHERE id = ?1", NULL },
	[ST_REVOKED_ADD] = {
	    "INSERT INTO revoked (serial, request_id, revoked_at,"
	    " reason, not_after, key_index, changed)"
	    " SELECT serial, id, ?2, ?3, not_after, issuer >> 16, ?4"
	    " FROM request WHERE id = ?1"
	    " ON CONFLICT (serial) DO UPDATE SET"
	    " request_id = excluded.request_id,"
	    " revoked_at = excluded.revoked_at, reason = excluded.reason,"
	    " not_after = excluded.not_after, key_index = excluded.key_index,"
	    " changed = excluded.changed", NULL },
	[ST_RELEASED_ADD] = {
	    "INSERT INTO released (serial, request_id, key_index,"
	    " released_at, changed, not_after)"
	    " SELECT serial, request_id, key_index, ?2, ?3, not_after"
	    " FROM revoked WHERE serial ="
	    " (SELECT serial FROM request WHERE id = ?1)"
	    " ON CONFLICT (serial) DO UPDATE SET"
	    " request_id = excluded.request_id,"
	    " key_index = excluded.key_index,"
	    " released_at = excluded.released_at,"
	    " changed = excluded.changed, not_after = excluded.not_after",
	    NULL },
	[ST_RELEASED_DROP] = {
	    "DELETE FROM released WHERE serial ="
	    " (SELECT serial FROM request WHERE id = ?1)", NULL },
	[ST_RELEASED_PURGE] = {
	    "DELETE FROM released WHERE key_index = ?1 AND changed <= ?2",
	    NULL },
	[ST_REVOKED_REASON] = {
	    "SELECT revoked_reason FROM request WHERE id = ?1", NULL },
	[ST_RELEASE] = {
	    "UPDATE request SET disp = 20, revoked_at = 0,"
	    " revoked_reason = 0 WHERE id = ?1", NULL },
	[ST_REVOKED_DROP] = {
	    "DELETE FROM revoked WHERE serial ="
	    " (SELECT serial FROM request WHERE id = ?1)", NULL },
	[ST_QUOTA_GET] = {
	    "SELECT pending, refused, day FROM quota WHERE sid = ?1", NULL },
	[ST_QUOTA_SET] = {
	    "INSERT INTO quota (sid, pending, refused, day)"
	    " VALUES (?1, ?2, ?3, ?4)"
	    " ON CONFLICT (sid) DO UPDATE SET pending = excluded.pending,"
	    " refused = excluded.refused, day = excluded.day", NULL },
	[ST_CRL_GET] = {
	    "SELECT number FROM crl_number WHERE key_index = ?1", NULL },
	[ST_CRL_SET] = {
	    "INSERT INTO crl_number (key_index, number) VALUES (?1, ?2)"
	    " ON CONFLICT (key_index) DO UPDATE SET number = excluded.number",
	    NULL },
	[ST_CRL_BASE_GET] = {
	    "SELECT number, changed, at FROM crl_base WHERE key_index = ?1",
	    NULL },
	[ST_CRL_BASE_SET] = {
	    "INSERT INTO crl_base (key_index, number, changed, at)"
	    " VALUES (?1, ?2, ?3, ?4)"
	    " ON CONFLICT (key_index) DO UPDATE SET number = excluded.number,"
	    " changed = excluded.changed, at = excluded.at", NULL },
	[ST_META_GET] = { "SELECT value FROM meta WHERE key = ?1", NULL },
	[ST_META_SET] = {
	    "INSERT INTO meta (key, value) VALUES (?1, ?2)"
	    " ON CONFLICT (key) DO UPDATE SET value = excluded.value", NULL },
	[ST_AUDIT_ADD] = {
	    "INSERT INTO audit (seq, at, what, request_id, who, detail, link)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", NULL },
	[ST_AUDIT_LAST] = {
	    "SELECT seq, link FROM audit"
	    " WHERE seq = (SELECT max(seq) FROM audit)", NULL },
	[ST_GET] = { "SELECT " AE_DB_ROW_COLUMNS AE_DB_ROW_BLOBS
	    " FROM request WHERE id = ?1", NULL },
	[ST_BY_SERIAL] = { "SELECT " AE_DB_ROW_COLUMNS AE_DB_ROW_BLOBS
	    " FROM request WHERE id ="
	    " (SELECT request_id FROM serial WHERE serial = ?1)", NULL },
	/* the IN is the index's own condition, word for word */
	[ST_SAME] = { "SELECT " AE_DB_ROW_COLUMNS AE_DB_ROW_BLOBS
	    " FROM request {INDEXED BY request_known|}"
	    " WHERE csr_hash = ?2 AND sid = ?1 AND disp IN (8, 9, 20)"
	    " AND disp <> 8 AND coalesce(attrs, '') = coalesce(?3, '')"
	    " ORDER BY id DESC LIMIT 1", NULL },
	[ST_SAME_SINCE] = {
	    "SELECT id, disp, submitted FROM request"
	    " {INDEXED BY request_known|}"
	    " WHERE csr_hash = ?2 AND sid = ?1 AND disp IN (8, 9, 20)"
	    " AND id > ?4 AND coalesce(attrs, '') = coalesce(?3, '')"
	    " ORDER BY id DESC LIMIT 1", NULL },
	[ST_INTENTS] = {
	    "SELECT id, serial, tbs_hash FROM request WHERE disp = 8"
	    " AND (substr(serial, 1, 1) = ?1 OR ?1 IS NULL)"
	    " ORDER BY id LIMIT 1024", NULL },
	[ST_LEASE_GET] = {
	    "SELECT holder, epoch, until - " DB_NOW
	    " FROM lease WHERE name = ?1", NULL },
	[ST_LEASE_SET] = {
	    "INSERT INTO lease (name, holder, epoch, until)"
	    " VALUES (?1, ?2, ?3, ?4 + " DB_NOW ")"
	    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder,"
	    " epoch = excluded.epoch, until = excluded.until", NULL },
	[ST_NEWEST_NUMBER] = {
	    "SELECT number FROM crl_newest"
	    " WHERE key_index = ?1 AND delta = ?2", NULL },
	[ST_NEWEST_GET] = {
	    "SELECT number, this_update, next_update, next_publish, der"
	    " FROM crl_newest WHERE key_index = ?1 AND delta = ?2", NULL },
	[ST_NEWEST_SET] = {
	    "INSERT INTO crl_newest (key_index, delta, number, this_update,"
	    " next_update, next_publish, der)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
	    " ON CONFLICT (key_index, delta) DO UPDATE SET"
	    " number = excluded.number, this_update = excluded.this_update,"
	    " next_update = excluded.next_update,"
	    " next_publish = excluded.next_publish, der = excluded.der",
	    NULL },
	[ST_XCHG_ADD] = {
	    "INSERT INTO exchange_key (serial, sealed, until)"
	    " VALUES (?1, ?2, ?3)", NULL },
	[ST_XCHG_GET] = {
	    "SELECT sealed FROM exchange_key WHERE serial = ?1", NULL },
	[ST_XCHG_PURGE] = {
	    "DELETE FROM exchange_key WHERE until < ?1",
	    "it has a few rows for each node" },

	/* how a database that was put back goes on: rollback.c */
	[ST_LAST_ID_SET] = {
	    "{UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'request'"
	    " AND seq < ?1|SELECT setval('request_id_seq',"
	    " greatest(?1, last_value)) FROM request_id_seq}", ONE_ROW },
	[ST_LAST_ID_MAKE] = {
	    "{INSERT INTO sqlite_sequence (name, seq) SELECT 'request', ?1"
	    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence"
	    " WHERE name = 'request')|SELECT ?1::bigint}", ONE_ROW },
	[ST_CRL_RAISE] = {
	    "INSERT INTO crl_number (key_index, number) VALUES (?1, ?2)"
	    " ON CONFLICT (key_index) DO UPDATE SET number ="
	    " {max|greatest}(crl_number.number, excluded.number)", NULL },
	[ST_AUDIT_LINK] = { "SELECT link FROM audit WHERE seq = ?1", NULL },
	[ST_IMPORT_ADD] = {
	    "INSERT INTO request (disp, hresult, message, sid, flags,"
	    " csr_hash, serial, submitted, resolved, not_after,"
	    " revoked_at, revoked_reason, issuer)"
	    " VALUES (21, 0, '" IMPORTED "', '', 0,"
	    " {zeroblob(32)|decode(repeat('00', 32), 'hex')}, ?1, ?2,"
	    " ?2, ?3, ?4, ?5, ?6 << 16) RETURNING id", NULL },
	[ST_IMPORT_SET] = {
	    "UPDATE request SET disp = 21, message = '" IMPORTED "',"
	    " resolved = ?2, not_after = {max|greatest}(not_after, ?3),"
	    " revoked_at = ?4, revoked_reason = ?5, issuer = ?6 << 16"
	    " WHERE id = (SELECT request_id FROM serial WHERE serial = ?1)",
	    NULL },
	[ST_IMPORT_REVOKED] = {
	    "INSERT INTO revoked (serial, request_id,"
	    " revoked_at, reason, not_after, key_index, changed)"
	    " SELECT serial, request_id, ?4, ?5, ?3, ?6, ?2 FROM serial"
	    " WHERE serial = ?1"
	    " ON CONFLICT (serial) DO UPDATE SET"
	    " request_id = excluded.request_id,"
	    " revoked_at = excluded.revoked_at, reason = excluded.reason,"
	    " not_after = excluded.not_after, key_index = excluded.key_index,"
	    " changed = excluded.changed", NULL },
	[ST_KNOWN] = {
	    "SELECT disp, revoked_reason FROM request WHERE id ="
	    " (SELECT request_id FROM serial WHERE serial = ?1)", NULL },
	[ST_SIGNED] = {
	    "SELECT tbs_hash FROM request WHERE id ="
	    " (SELECT request_id FROM serial WHERE serial = ?1)", NULL },

	/*
	 * In the order the table has them: by an index each row would be
	 * looked for once more.
	 */
	[ST_CRL_ALL] = {
	    "SELECT serial, revoked_at, reason FROM revoked {NOT INDEXED|}"
	    " WHERE key_index = ?1 AND not_after >= ?2 ORDER BY serial",
	    "a CRL is all revoked rows" },
	[ST_CRL_SINCE] = {
	    "SELECT serial, revoked_at, reason FROM revoked"
	    " WHERE key_index = ?1 AND not_after >= ?2 AND changed > ?3"
	    " UNION ALL "
	    "SELECT serial, released_at, 8 FROM released"
	    " WHERE key_index = ?1 AND not_after >= ?2 AND changed > ?3",
	    NULL },
	[ST_AUDIT_ALL] = {
	    "SELECT seq, at, what, request_id, who, detail, link FROM audit"
	    " ORDER BY seq", "the whole chain is verified" },
	[ST_AUDIT_OF] = {
	    "SELECT seq, at, what, request_id, who, detail FROM audit"
	    " WHERE what = ?1 ORDER BY seq",
	    "an auditor asks for the entries of one kind" },
	[ST_VERIFY_ROWS] = {
	    "SELECT a.request_id, a.detail, r.cert, r.csr, r.csr_hash,"
	    " coalesce(r.disp, 0),"
	    " CASE WHEN EXISTS (SELECT 1 FROM serial s"
	    " WHERE s.serial = r.serial AND s.request_id = r.id)"
	    " THEN 1 ELSE 0 END,"
	    " CASE WHEN EXISTS (SELECT 1 FROM revoked v"
	    " WHERE v.serial = r.serial) THEN 1 ELSE 0 END"
	    " FROM audit a LEFT JOIN request r ON r.id = a.request_id"
	    " WHERE a.what = 'issued'",
	    "the whole chain is held against the rows" },
	[ST_LAST_ID] = {
	    "{SELECT max(ifnull((SELECT seq FROM sqlite_sequence"
	    " WHERE name = 'request'), 0),"
	    " ifnull((SELECT max(id) FROM request), 0))|"
	    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END"
	    " FROM request_id_seq}", ONE_ROW },
	[ST_CRL_NUMBERS] = {
	    "SELECT key_index, number FROM crl_number ORDER BY 1",
	    "it has a row for each key of the CA" },
};
/* clang-format on */

bool
ae_db_dialect(char *out, size_t max, const char *text, enum ae_db_dialect d)
{
	bool in = false, second = false;
	size_t n = 0;
	char c;

	for (; (c = *text) != '\0'; text++) {
		if (c == '{') {
			in = true;
			second = false;
			continue;
		}
		if (in && c == '|') {
			second = true;
			continue;
		}
		if (in && c == '}') {
			in = false;
			continue;
		}
		if (in && second != (d == AE_DB_PG))
			continue;
		if (n + 1 >= max)
			return false;
		out[n++] = c == '?' && d == AE_DB_PG ? '$' : c;
	}
	out[n] = '\0';
	return true;
}
