/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Walks the audit chain of a CA's database and prints how many links it has.
 * audit_verify DATABASE
 */
#include <stdio.h>

#include "db/db.h"

int
main(int argc, char **argv)
{
	struct ae_db_options opt = { .read_only = true };
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = NULL;
	int64_t links = 0;
	int rc;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: audit_verify DATABASE\n");
		return 2;
	}
	opt.path = argv[1];
	rc = ae_db_open(&db, &opt, &e);
	if (rc == AE_OK)
		rc = ae_db_audit_verify(db, &links, &e);
	if (rc < 0)
		(void)fprintf(stderr, "audit_verify: %s\n", e.text);
	else
		(void)printf("%lld links\n", (long long)links);
	ae_db_free(db);
	return rc == AE_OK ? 0 : 1;
}
