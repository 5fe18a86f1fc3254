/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Rows of the database in the columns of wcce/admin_view.h.
 */
#ifndef CERTSRVD_ADMIN_ROW_H
#define CERTSRVD_ADMIN_ROW_H

#include <stdbool.h>

#include "db/db.h"
#include "pki/cert.h"
#include "wcce/admin_view.h"
#include "wcce/request.h"

struct ae_crl;

/* A row while its values are asked for; begin with db and a set. */
struct admin_row {
	const struct ae_db_request *db;
	struct ae_arena *a; /* values live here and in db */
	struct ae_cert *cert;
	bool no_cert; /* it does not parse */
};
void admin_row_done(struct admin_row *r);

/* Of AE_ADMIN_NONE when there is none. */
struct ae_admin_value admin_row_value(struct admin_row *r, uint32_t id);
/* Does the column come from the request or the certificate itself? */
bool admin_row_wants_blobs(uint32_t id);

/* The same for the CRL's columns. */
struct ae_admin_value admin_crl_value(
    const struct ae_crl *c, uint32_t row, uint32_t id);

#endif
