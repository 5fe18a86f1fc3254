/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The life of a request row: added, promised a serial, issued, refused,
 * revoked.  Every change checks the state it starts from.
 */
#include <stdio.h>
#include <string.h>

#include "base/breaks.h"
#include "base/hex.h"
#include "base/sid.h"
#include "db/impl.h"
#include "pki/key.h"

#define DAY 86400
/* Request ids are DWORDs on the wire; leave the sign bit alone. */
#define ID_MAX INT32_MAX

struct quota {
	int64_t pending;
	int64_t refused;
	int64_t day;
};

static int
quota_get(struct ae_db *db, const char *sid, int64_t now, struct quota *q,
    struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	*q = (struct quota){ .day = now / DAY };
	rc = ae_db_stmt(db, ST_QUOTA_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, sid);
	rc = ae_db_step_row(st, "reading a quota", NULL);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc != AE_OK)
		return ae_fail(e, rc, AE_DOM_NONE, 0, "reading a quota");
	q->pending = ae_db_col_num(st, 0);
	if (ae_db_col_num(st, 2) == q->day)
		q->refused = ae_db_col_num(st, 1);
	ae_db_reset(st);
	return AE_OK;
}

static int
quota_set(
    struct ae_db *db, const char *sid, const struct quota *q, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	rc = ae_db_stmt(db, ST_QUOTA_SET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_text(st, 1, sid);
	ae_db_num(st, 2, q->pending > 0 ? q->pending : 0);
	ae_db_num(st, 3, q->refused);
	ae_db_num(st, 4, q->day);
	return ae_db_step_done(st, "writing a quota", e);
}

/* It waits no longer: one pending row less for this SID, and no caller. */
static int
unpend(struct ae_db *db, int64_t id, const char *sid, int64_t now,
    struct ae_err *e)
{
	struct ae_db_st *st;
	struct quota q;
	int rc;

	rc = quota_get(db, sid, now, &q, e);
	if (rc != AE_OK)
		return rc;
	q.pending--;
	rc = quota_set(db, sid, &q, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_CALLER_DROP, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	return ae_db_step_done(st, "forgetting a caller", e);
}

static int
key_add(struct ae_db *db, int64_t id, const struct ae_db_request *r,
    struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	if (r->archived_len == 0)
		return AE_OK;
	rc = ae_db_stmt(db, ST_KEY_ADD, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	ae_db_blob(st, 2, r->archived, r->archived_len);
	return ae_db_step_done(st, "writing an archived key", e);
}

static int
caller_add(struct ae_db *db, int64_t id, const struct ae_db_request *r,
    struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	if (r->caller_len == 0)
		return AE_OK;
	rc = ae_db_stmt(db, ST_CALLER_ADD, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	ae_db_blob(st, 2, r->caller, r->caller_len);
	return ae_db_step_done(st, "writing a caller", e);
}

/* Count a new row; AE_EDENIED when it is one too many. */
static int
quota_take(struct ae_db *db, const struct ae_db_request *r, struct ae_err *e)
{
	const unsigned max_pending = db->opt.max_pending_per_sid;
	const unsigned max_refused = db->opt.max_refused_per_sid_day;
	struct quota q;
	int rc;

	if (r->disp != AE_DB_PENDING && r->disp != AE_DB_DENIED &&
	    r->disp != AE_DB_FAILED)
		return AE_OK;
	rc = quota_get(db, r->sid, r->submitted, &q, e);
	if (rc != AE_OK)
		return rc;
	if (r->disp == AE_DB_PENDING) {
		if (max_pending > 0 && q.pending >= max_pending &&
		    !AE_BREAK(flood_pending))
			return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
			    "%s has %u pending requests already", r->sid,
			    max_pending);
		q.pending++;
	} else {
		if (max_refused > 0 && q.refused >= max_refused &&
		    !AE_BREAK(flood_refused))
			return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
			    "%s had %u requests refused today: no more of "
			    "them are stored",
			    r->sid, max_refused);
		q.refused++;
	}
	return quota_set(db, r->sid, &q, e);
}

/* AE_EINVAL when this serial was promised before. */
static int
serial_free(
    struct ae_db *db, const uint8_t *serial, size_t len, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	if (len == 0 || len > AE_DB_SERIAL_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a serial number of %zu bytes", len);
	rc = ae_db_stmt(db, ST_SERIAL_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, serial, len);
	rc = ae_db_step_row(st, "looking for a serial number", e);
	if (rc == AE_ENOTFOUND || AE_BREAK(f7_serial))
		return AE_OK;
	if (rc != AE_OK)
		return rc;
	rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
	    "that serial number belongs to request %lld",
	    (long long)ae_db_col_num(st, 0));
	ae_db_reset(st);
	return rc;
}

static int
serial_add(struct ae_db *db, const uint8_t *serial, size_t len, int64_t id,
    struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	rc = ae_db_stmt(db, ST_SERIAL_ADD, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, serial, len);
	ae_db_num(st, 2, id);
	return ae_db_step_done(st, "writing a serial number", e);
}

static int
check_new(
    const struct ae_db_request *r, const uint8_t *tbs_hash, struct ae_err *e)
{
	const bool intent = r->disp == AE_DB_ACTIVE;

	if (r->disp == AE_DB_ISSUED || r->disp == AE_DB_REVOKED ||
	    r->disp == AE_DB_VOID || ae_db_disp_name((int)r->disp)[0] == '?')
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "no row begins as %s", ae_db_disp_name((int)r->disp));
	if (r->sid == NULL || intent != (r->serial_len > 0) ||
	    intent != (tbs_hash != NULL))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a row needs a SID, and an intent (only) its serial "
		    "number and hash");
	if (r->csr_len > AE_DB_BLOB_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a request of %zu bytes", r->csr_len);
	if (r->archived_len > AE_DB_BLOB_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "an archived key of %zu bytes", r->archived_len);
	if (r->caller_len > AE_DB_CALLER_MAX ||
	    (r->caller_len > 0 && r->disp != AE_DB_PENDING))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a caller of %zu bytes with a row that is %s",
		    r->caller_len, ae_db_disp_name((int)r->disp));
	return AE_OK;
}

static int
insert(struct ae_db *db, const struct ae_db_request *r, const uint8_t *tbs_hash,
    int64_t *id, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	rc = ae_db_stmt(db, ST_ADD, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, (int)r->disp);
	ae_db_num(st, 2, r->hresult);
	ae_db_text(st, 3, r->message);
	ae_db_text(st, 4, r->sid);
	ae_db_text(st, 5, r->account);
	ae_db_text(st, 6, r->template);
	ae_db_text(st, 7, r->subject);
	ae_db_text(st, 8, r->attrs);
	ae_db_num(st, 9, r->flags);
	ae_db_blob(st, 10, r->csr_hash, sizeof(r->csr_hash));
	ae_db_blob(st, 11, r->serial, r->serial_len);
	ae_db_blob(st, 12, tbs_hash, tbs_hash == NULL ? 0 : AE_DB_HASH_LEN);
	ae_db_num(st, 13, r->submitted);
	ae_db_num(st, 14, r->resolved);
	ae_db_num(st, 15, r->not_before);
	ae_db_num(st, 16, r->not_after);
	ae_db_blob(st, 17, r->csr, r->csr_len);
	ae_db_text(st, 18, r->on_behalf);
	ae_db_num(st, 19, r->request_flags);
	ae_db_num(st, 20, r->issuer);
	rc = ae_db_step_row(st, "writing a request", e);
	if (rc != AE_OK)
		return rc;
	*id = ae_db_col_num(st, 0);
	ae_db_reset(st);
	if (*id > ID_MAX) {
		ae_db_rollback(db);
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "all request ids are used up");
	}
	return rc;
}

int
ae_db_request_add(struct ae_db *db, const struct ae_db_request *r,
    const uint8_t tbs_hash[AE_DB_HASH_LEN], int64_t *id, struct ae_err *e)
{
	char detail[192], hash[2 * AE_DB_HASH_LEN + 1];
	char serial[2 * AE_DB_SERIAL_MAX + 1];
	int64_t new_id = 0;
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = check_new(r, tbs_hash, e);
	if (rc == AE_OK)
		rc = ae_db_alone(db, r, e);
	if (rc == AE_OK && r->serial_len > 0)
		rc = serial_free(db, r->serial, r->serial_len, e);
	if (rc == AE_OK)
		rc = quota_take(db, r, e);
	if (rc == AE_OK)
		rc = insert(db, r, tbs_hash, &new_id, e);
	if (rc == AE_OK && r->serial_len > 0)
		rc = serial_add(db, r->serial, r->serial_len, new_id, e);
	if (rc == AE_OK)
		rc = caller_add(db, new_id, r, e);
	if (rc == AE_OK)
		rc = key_add(db, new_id, r, e);
	if (rc != AE_OK)
		return rc;
	ae_hex_encode(hash, r->csr_hash, sizeof(r->csr_hash));
	ae_hex_encode(serial, r->serial, r->serial_len);
	snprintf(detail, sizeof(detail), "%s 0x%08x csr %s serial %s",
	    ae_db_disp_name((int)r->disp), r->hresult, hash,
	    r->serial_len == 0 ? "-" : serial);
	rc = ae_db_audit_add(
	    db, "request", new_id, r->sid, detail, r->submitted, e);
	if (rc == AE_OK)
		*id = new_id;
	return rc;
}

/* State and owner of a row; AE_EINVAL unless it is one of a and b. */
static int
expect(struct ae_db *db, int64_t id, int a, int b, int *disp,
    char sid[AE_SID_STR_MAX], struct ae_err *e)
{
	struct ae_db_st *st;
	const char *s;
	int rc;

	rc = ae_db_stmt(db, ST_STATE, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	rc = ae_db_step_row(st, "looking for a request", e);
	if (rc != AE_OK)
		return rc;
	*disp = (int)ae_db_col_num(st, 0);
	s = ae_db_col_text(st, 1);
	snprintf(sid, AE_SID_STR_MAX, "%s", s == NULL ? "" : s);
	ae_db_reset(st);
	if (*disp == a || *disp == b || AE_BREAK(row_states))
		return AE_OK;
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "request %lld is %s",
	    (long long)id, ae_db_disp_name(*disp));
}

int
ae_db_request_activate(struct ae_db *db, int64_t id, const uint8_t *serial,
    size_t serial_len, const uint8_t tbs_hash[AE_DB_HASH_LEN], uint32_t issuer,
    const char *by, int64_t now, struct ae_err *e)
{
	char sid[AE_SID_STR_MAX], hex[2 * AE_DB_SERIAL_MAX + 1];
	struct ae_db_st *st;
	int disp = 0, rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = expect(db, id, AE_DB_PENDING, AE_DB_DENIED, &disp, sid, e);
	if (rc == AE_OK)
		rc = serial_free(db, serial, serial_len, e);
	if (rc == AE_OK)
		rc = serial_add(db, serial, serial_len, id, e);
	if (rc == AE_OK && disp == AE_DB_PENDING)
		rc = unpend(db, id, sid, now, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_ACTIVATE, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	ae_db_blob(st, 2, serial, serial_len);
	ae_db_blob(st, 3, tbs_hash, AE_DB_HASH_LEN);
	ae_db_num(st, 4, issuer);
	rc = ae_db_step_done(st, "writing an intent", e);
	if (rc != AE_OK)
		return rc;
	ae_hex_encode(hex, serial, serial_len);
	return ae_db_audit_add(db, "approved", id, by, hex, now, e);
}

int
ae_db_request_issue(struct ae_db *db, int64_t id, const void *cert,
    size_t cert_len, int64_t not_before, int64_t not_after, int64_t now,
    const char *message, struct ae_err *e)
{
	uint8_t hash[AE_HASH_MAX];
	char sid[AE_SID_STR_MAX], hex[2 * AE_DB_HASH_LEN + 1];
	struct ae_db_st *st;
	int disp, rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK && (cert_len == 0 || cert_len > AE_DB_BLOB_MAX))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a certificate of %zu bytes", cert_len);
	if (rc == AE_OK)
		rc = expect(db, id, AE_DB_ACTIVE, AE_DB_ACTIVE, &disp, sid, e);
	if (rc == AE_OK &&
	    ae_hash_bytes(hash, AE_HASH_SHA256, cert, cert_len) == 0) {
		ae_db_rollback(db);
		rc = ae_fail_mem(e);
	}
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_ISSUE, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	ae_db_blob(st, 2, cert, cert_len);
	ae_db_num(st, 3, not_before);
	ae_db_num(st, 4, not_after);
	ae_db_num(st, 5, now);
	ae_db_text(st, 6, message);
	rc = ae_db_step_done(st, "writing a certificate", e);
	if (rc != AE_OK)
		return rc;
	ae_hex_encode(hex, hash, AE_DB_HASH_LEN);
	return ae_db_audit_add(db, "issued", id, sid, hex, now, e);
}

int
ae_db_request_refuse(struct ae_db *db, int64_t id, enum ae_db_disp disp,
    uint32_t hresult, const char *message, const char *by, int64_t now,
    struct ae_err *e)
{
	char sid[AE_SID_STR_MAX], detail[32];
	struct ae_db_st *st;
	int old, rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK && disp != AE_DB_DENIED && disp != AE_DB_FAILED &&
	    disp != AE_DB_VOID)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is no way to refuse", ae_db_disp_name((int)disp));
	if (rc == AE_OK)
		rc = expect(db, id, AE_DB_PENDING,
		    disp == AE_DB_DENIED ? AE_DB_PENDING : AE_DB_ACTIVE, &old,
		    sid, e);
	if (rc == AE_OK && old == AE_DB_PENDING)
		rc = unpend(db, id, sid, now, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_REFUSE, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	ae_db_num(st, 2, (int)disp);
	ae_db_num(st, 3, hresult);
	ae_db_text(st, 4, message);
	ae_db_num(st, 5, now);
	rc = ae_db_step_done(st, "refusing a request", e);
	if (rc != AE_OK)
		return rc;
	snprintf(detail, sizeof(detail), "0x%08x", hresult);
	return ae_db_audit_add(db, ae_db_disp_name((int)disp), id,
	    by != NULL ? by : sid, detail, now, e);
}

/* The request a serial number belongs to. */
static int
serial_owner(struct ae_db *db, const uint8_t *serial, size_t len, int64_t *id,
    struct ae_err *e)
{
	struct ae_db_st *st;
	int rc;

	rc = ae_db_stmt(db, ST_SERIAL_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_blob(st, 1, serial, len);
	rc = ae_db_step_row(st, "looking for a serial number", e);
	if (rc != AE_OK)
		return rc;
	*id = ae_db_col_num(st, 0);
	ae_db_reset(st);
	return AE_OK;
}

int
ae_db_request_set_attrs(struct ae_db *db, int64_t id, const char *attrs,
    const char *by, int64_t now, struct ae_err *e)
{
	char sid[AE_SID_STR_MAX];
	struct ae_db_st *st;
	int old, rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = expect(db, id, AE_DB_PENDING, AE_DB_PENDING, &old, sid, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_SET_ATTRS, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	ae_db_text(st, 2, attrs);
	rc = ae_db_step_done(st, "setting attributes", e);
	return rc == AE_OK
	    ? ae_db_audit_add(db, "attributes", id, by, attrs, now, e)
	    : rc;
}

int
ae_db_request_add_flags(struct ae_db *db, int64_t id, uint32_t flags,
    const char *what, int64_t now, struct ae_err *e)
{
	char sid[AE_SID_STR_MAX], text[16];
	struct ae_db_st *st;
	int old, rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = expect(db, id, AE_DB_PENDING, AE_DB_PENDING, &old, sid, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_ADD_FLAGS, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	ae_db_num(st, 2, flags);
	rc = ae_db_step_done(st, "adding to a request's flags", e);
	if (rc != AE_OK)
		return rc;
	snprintf(text, sizeof(text), "0x%08x", flags);
	return ae_db_audit_add(db, what, id, NULL, text, now, e);
}

/* AE_EINVAL unless this revoked row is on hold. */
static int
expect_hold(struct ae_db *db, int64_t id, struct ae_err *e)
{
	struct ae_db_st *st;
	int rc, reason;

	rc = ae_db_stmt(db, ST_REVOKED_REASON, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	rc = ae_db_step_row(st, "looking for a revocation", e);
	if (rc != AE_OK)
		return rc;
	reason = (int)ae_db_col_num(st, 0);
	ae_db_reset(st);
	return reason == AE_DB_REASON_HOLD
	    ? AE_OK
	    : ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		  "request %lld is revoked for good (reason %d)", (long long)id,
		  reason);
}

int
ae_db_revoke(struct ae_db *db, const uint8_t *serial, size_t serial_len,
    int reason, int64_t at, const char *by, struct ae_err *e)
{
	static const enum ae_db_stmt all[] = { ST_REVOKE, ST_REVOKED_ADD,
		ST_RELEASED_DROP };
	char sid[AE_SID_STR_MAX], detail[32];
	struct ae_db_st *st;
	int64_t id = 0;
	int disp, rc;
	size_t i;

	rc = ae_db_op(db, e);
	if (rc == AE_OK && (reason < 0 || reason > 10 || reason == 7))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%d is no revocation reason", reason);
	if (rc == AE_OK)
		rc = serial_owner(db, serial, serial_len, &id, e);
	if (rc == AE_OK)
		rc = expect(db, id, AE_DB_ISSUED, AE_DB_REVOKED, &disp, sid, e);
	if (rc == AE_OK && disp == AE_DB_REVOKED)
		rc = expect_hold(db, id, e);
	for (i = 0; rc == AE_OK && i < sizeof(all) / sizeof(all[0]); i++) {
		rc = ae_db_stmt(db, all[i], &st, e);
		if (rc != AE_OK)
			break;
		ae_db_num(st, 1, id);
		ae_db_num(st, 2, at);
		ae_db_num(st, 3, reason);
		ae_db_num(st, 4, db->seq + 1);
		rc = ae_db_step_done(st, "revoking a certificate", e);
	}
	if (rc != AE_OK)
		return rc;
	snprintf(detail, sizeof(detail), "reason %d", reason);
	return ae_db_audit_add(db, "revoked", id, by, detail, at, e);
}

int
ae_db_release(struct ae_db *db, const uint8_t *serial, size_t serial_len,
    int64_t at, const char *by, struct ae_err *e)
{
	static const enum ae_db_stmt all[] = { ST_RELEASED_ADD, ST_REVOKED_DROP,
		ST_RELEASE };
	char sid[AE_SID_STR_MAX];
	struct ae_db_st *st;
	int64_t id = 0;
	int disp, rc;
	size_t i;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = serial_owner(db, serial, serial_len, &id, e);
	if (rc == AE_OK)
		rc =
		    expect(db, id, AE_DB_REVOKED, AE_DB_REVOKED, &disp, sid, e);
	if (rc == AE_OK)
		rc = expect_hold(db, id, e);
	for (i = 0; rc == AE_OK && i < sizeof(all) / sizeof(all[0]); i++) {
		rc = ae_db_stmt(db, all[i], &st, e);
		if (rc != AE_OK)
			break;
		ae_db_num(st, 1, id);
		ae_db_num(st, 2, at);
		ae_db_num(st, 3, db->seq + 1);
		rc = ae_db_step_done(st, "releasing a certificate", e);
	}
	if (rc != AE_OK)
		return rc;
	return ae_db_audit_add(db, "released", id, by, NULL, at, e);
}

int
ae_db_archived_key(struct ae_db *db, int64_t id, const char *by, int64_t now,
    const uint8_t **blob, size_t *len, struct ae_arena *a, struct ae_err *e)
{
	struct ae_db_st *st;
	const void *p;
	int rc;

	rc = ae_db_op(db, e);
	if (rc == AE_OK)
		rc = ae_db_stmt(db, ST_KEY_GET, &st, e);
	if (rc != AE_OK)
		return rc;
	ae_db_num(st, 1, id);
	rc = ae_db_step_row(st, "looking for an archived key", e);
	if (rc != AE_OK)
		return rc;
	p = ae_db_col_blob(st, 0, len);
	*blob = p == NULL ? NULL : ae_arena_dup(a, p, *len);
	ae_db_reset(st);
	if (*blob == NULL) {
		ae_db_rollback(db);
		return ae_fail_mem(e);
	}
	return ae_db_audit_add(db, "key-retrieved", id, by, NULL, now, e);
}
