/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * All rows of one database into another, empty one: from a file to a server,
 * or back.
 */
#ifndef AE_DB_COPY_H
#define AE_DB_COPY_H

#include "db/db.h"

struct ae_db_copied {
	int64_t rows;	  /* of all tables */
	int64_t requests; /* of the one that people count */
	int64_t links;	  /* of the audit chain, verified on both sides */
};

/*
 * One batch of to, which has to be without rows (AE_EINVAL otherwise); on
 * failure nothing of it is there.  Nobody may write to from meanwhile: what
 * he writes would be missing, which is noticed (AE_EUNAVAIL) when the rows
 * are counted again.
 */
int ae_db_copy(struct ae_db *to, struct ae_db *from, struct ae_db_copied *out,
    struct ae_err *e) AE_MUST_CHECK;

#endif
