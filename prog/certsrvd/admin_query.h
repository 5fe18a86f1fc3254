/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What an administrator asks a view for: columns, restrictions, an order;
 * and what of it the database has an index for.
 */
#ifndef CERTSRVD_ADMIN_QUERY_H
#define CERTSRVD_ADMIN_QUERY_H

#include "admin.h"
#include "admin_row.h"

struct admin_query {
	struct ae_admin_filter filter[AE_ADMIN_RESTRICTIONS_MAX];
	size_t nfilters;
	const struct ae_admin_filter *order; /* NULL: by the number */
	uint32_t columns[AE_ADMIN_COLUMNS_MAX];
	size_t ncolumns;
	bool crl;   /* of the CRL's table, not the request's */
	bool blobs; /* requests or certificates are wanted */
	bool down;

	/* what db is asked of the restrictions */
	int disp;
	const char *template;
	uint8_t serial[AE_DB_SERIAL_MAX];
	size_t serial_len;
	int64_t low, high; /* numbers */
};

/*
 * From m->q.  False: columns of two tables or of none, a restriction that
 * makes no sense, two orders.  q is not to be moved afterwards; what it
 * points to is in a.
 */
bool admin_query_take(
    struct admin_query *q, const struct manage *m, struct ae_arena *a);

/* Does a row of the request table satisfy all restrictions? */
bool admin_query_match(const struct admin_query *q, struct admin_row *r);

#endif
