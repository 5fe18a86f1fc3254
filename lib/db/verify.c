/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See verify.h.
 */
#include "db/verify.h"

#include <string.h>

#include "base/breaks.h"
#include "base/hex.h"
#include "db/impl.h"
#include "pki/key.h"

enum { ID, WANT, CERT, CSR, CSR_HASH, DISP, OWN_SERIAL, IN_REVOKED };

static bool
is_hash_of(const void *hash, size_t hash_len, const void *p, size_t len)
{
	uint8_t is[AE_HASH_MAX];

	return hash_len == AE_DB_HASH_LEN &&
	    ae_hash_bytes(is, AE_HASH_SHA256, p == NULL ? "" : p, len) ==
	    AE_DB_HASH_LEN &&
	    memcmp(is, hash, AE_DB_HASH_LEN) == 0;
}

static bool
is_certificate(struct ae_db_st *st)
{
	const char *hex = ae_db_col_text(st, WANT);
	uint8_t want[AE_DB_HASH_LEN];
	size_t len;
	const void *cert = ae_db_col_blob(st, CERT, &len);

	return hex != NULL && strlen(hex) == 2 * sizeof(want) &&
	    ae_hex_decode(want, sizeof(want), hex) &&
	    is_hash_of(want, sizeof(want), cert, len);
}

static bool
is_request(struct ae_db_st *st)
{
	size_t len, hash_len;
	const void *csr = ae_db_col_blob(st, CSR, &len);
	const void *hash = ae_db_col_blob(st, CSR_HASH, &hash_len);

	/* what the CA makes for itself was asked for by nobody */
	return len == 0 || is_hash_of(hash, hash_len, csr, len);
}

static int
row(struct ae_db_st *st, struct ae_err *e)
{
	const int64_t disp = ae_db_col_num(st, DISP);
	const char *what = NULL;

	if (AE_BREAK(f6_rows))
		return AE_OK;
	if (!is_certificate(st))
		what = "has not the certificate that was issued";
	else if (!is_request(st))
		what = "has not the request that was made";
	else if (disp != AE_DB_ISSUED && disp != AE_DB_REVOKED)
		what = "is not issued";
	else if (ae_db_col_num(st, OWN_SERIAL) != 1)
		what = "has another serial number";
	else if ((disp == AE_DB_REVOKED) !=
	    (ae_db_col_num(st, IN_REVOKED) == 1))
		what = "is revoked in one place and not in the other";
	if (what == NULL)
		return AE_OK;
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
	    "request %lld %s, by the audit chain",
	    (long long)ae_db_col_num(st, ID), what);
}

int
ae_db_verify_rows(struct ae_db *db, int64_t *rows, struct ae_err *e)
{
	struct ae_db_st st;
	int rc;

	*rows = 0;
	rc = ae_db_stmt_text(db, &st, ae_db_sql[ST_VERIFY_ROWS].text, true, e);
	while (rc == AE_OK) {
		rc = db->port->step(
		    &st, "holding rows against the audit chain", e);
		if (rc == AE_OK)
			rc = row(&st, e);
		if (rc == AE_OK)
			(*rows)++;
	}
	ae_db_finish(&st);
	return rc == AE_ENOTFOUND ? AE_OK : rc;
}
