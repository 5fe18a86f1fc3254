/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the database tests share: a scratch directory or a database of a
 * server, rows to add.  A program is run once for SQLite and once, with the
 * argument "postgresql", for PostgreSQL.
 */
#ifndef AE_TEST_DBTEST_H
#define AE_TEST_DBTEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "pgcluster.h"

#define NOW INT64_C(1790000000)
#define SID "S-1-5-21-1-2-3-1104"

static char dbtest_dir[64];
static char dbtest_path[128];
static struct pgcluster *dbtest_pg; /* NULL: with SQLite */

/* A fresh directory or database; dbtest_path names it. */
static inline int
dbtest_setup(void **state)
{
	(void)state;
	if (dbtest_pg != NULL) {
		const char *uri = pgcluster_database(dbtest_pg);

		snprintf(dbtest_path, sizeof(dbtest_path), "%s",
		    uri == NULL ? "" : uri);
		return uri == NULL ? -1 : 0;
	}
	snprintf(dbtest_dir, sizeof(dbtest_dir), "/tmp/ae-db-XXXXXX");
	if (mkdtemp(dbtest_dir) == NULL)
		return -1;
	snprintf(dbtest_path, sizeof(dbtest_path), "%s/ca.db", dbtest_dir);
	return 0;
}

static inline int
dbtest_teardown(void **state)
{
	struct dirent *d;
	DIR *dir;

	(void)state;
	if (dbtest_pg != NULL)
		return 0;
	dir = opendir(dbtest_dir);
	while (dir != NULL && (d = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), d->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	return rmdir(dbtest_dir);
}

/* What main does first: with the argument "postgresql" a server is made. */
static inline void
dbtest_begin(int argc)
{
	if (argc < 2)
		return;
	dbtest_pg = pgcluster_new();
	if (dbtest_pg == NULL)
		exit(1);
}
static inline int
dbtest_end(int failed)
{
	pgcluster_free(dbtest_pg);
	return failed;
}

static inline struct ae_db *
dbtest_open(const struct ae_db_options *with)
{
	struct ae_db_options o =
	    with == NULL ? (struct ae_db_options){ 0 } : *with;
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = NULL;

	o.path = dbtest_path;
	o.create = !o.read_only;
	if (ae_db_open(&db, &o, &e) != AE_OK)
		fail_msg("%s", e.text);
	return db;
}

/* Where rows of CRLs wait: of a server's database not beside it. */
static inline const char *
dbtest_spool(void)
{
	return dbtest_pg != NULL ? "/tmp" : dbtest_dir;
}

/* A row; n makes its hash and serial distinct. */
static inline struct ae_db_request
dbtest_row(enum ae_db_disp disp, unsigned n)
{
	struct ae_db_request r = { .disp = disp,
		.sid = SID,
		.account = "EXAMPLE\\PC1$",
		.template = "Workstation",
		.subject = "CN=pc1.example.com",
		.attrs = "CertificateTemplate:Workstation",
		.flags = 0x100,
		.csr = (const uint8_t *)"not really a request",
		.csr_len = 20,
		.submitted = NOW,
		.after = -1 };

	memcpy(r.csr_hash, &n, sizeof(n));
	if (disp == AE_DB_ACTIVE) {
		r.serial[0] = 0x1f;
		memcpy(r.serial + 1, &n, sizeof(n));
		r.serial_len = 17;
	}
	if (disp == AE_DB_DENIED || disp == AE_DB_FAILED) {
		r.hresult = 0x80094012;
		r.message = "Denied by Policy Module";
		r.resolved = NOW;
	}
	return r;
}

static const uint8_t dbtest_hash[AE_DB_HASH_LEN] = { 1, 2, 3 };

/* Add one row in a batch of its own. */
static inline int64_t
dbtest_add(struct ae_db *db, enum ae_db_disp disp, unsigned n)
{
	struct ae_db_request r = dbtest_row(disp, n);
	int64_t id = 0;

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_add(
		db, &r, disp == AE_DB_ACTIVE ? dbtest_hash : NULL, &id, NULL),
	    AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	return id;
}

/* The same up to an issued certificate. */
static inline int64_t
dbtest_issue(struct ae_db *db, unsigned n)
{
	int64_t id = dbtest_add(db, AE_DB_ACTIVE, n);

	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(ae_db_request_issue(db, id, "certificate", 11, NOW,
			     NOW + 86400, NOW + 1, "Issued", NULL),
	    AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	return id;
}

/* All rows of one CRL; AE_OK or what fn said. */
static inline int
dbtest_crl_rows(struct ae_db *db, const struct ae_db_crl_query *q,
    unsigned page, ae_db_revoked_fn *fn, void *arg)
{
	struct ae_db_crl_rows *l = NULL;
	struct ae_err e = AE_ERR_INIT;
	bool done = false;
	int rc = ae_db_crl_rows_new(&l, db, q, &e);

	while (rc == AE_OK && !done)
		rc = ae_db_crl_rows_next(l, page, fn, arg, &done, &e);
	ae_db_crl_rows_free(l);
	return rc;
}

static inline int
dbtest_revoked(
    struct ae_db *db, int64_t not_after, ae_db_revoked_fn *fn, void *arg)
{
	const struct ae_db_crl_query q = {
		.dir = dbtest_spool(), .not_after = not_after, .since = -1
	};

	return dbtest_crl_rows(db, &q, 3, fn, arg);
}

#endif
