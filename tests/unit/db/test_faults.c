/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What happens when the disk is full, when writing or syncing fails, when
 * somebody else holds the file, when the file is damaged or too new, and
 * when the process is killed.  Failures are made by a shim around SQLite's
 * own file layer.
 */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

#include "dbtest.h"
#include "db/verify.h"
#include "pki/key.h"

/* The shim: which call fails, after how many, and with what. */
static struct {
	int write_rc, sync_rc;
	int after; /* calls that still succeed */
	int syncs;
} fault;

struct shim_file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_vfs shim_vfs;
static sqlite3_vfs *real_vfs;

static sqlite3_file *
real(sqlite3_file *f)
{
	return ((struct shim_file *)f)->real;
}

static int
hit(int rc)
{
	if (rc == SQLITE_OK)
		return SQLITE_OK;
	if (fault.after > 0) {
		fault.after--;
		return SQLITE_OK;
	}
	return rc;
}

static int
f_close(sqlite3_file *f)
{
	return real(f)->pMethods->xClose(real(f));
}

static int
f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off)
{
	return real(f)->pMethods->xRead(real(f), p, n, off);
}

static int
f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	int rc = hit(fault.write_rc);

	return rc != SQLITE_OK ? rc
			       : real(f)->pMethods->xWrite(real(f), p, n, off);
}

static int
f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return real(f)->pMethods->xTruncate(real(f), size);
}

static int
f_sync(sqlite3_file *f, int flags)
{
	int rc = hit(fault.sync_rc);

	fault.syncs++;
	return rc != SQLITE_OK ? rc : real(f)->pMethods->xSync(real(f), flags);
}

static int
f_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return real(f)->pMethods->xFileSize(real(f), size);
}

static int
f_lock(sqlite3_file *f, int l)
{
	return real(f)->pMethods->xLock(real(f), l);
}

static int
f_unlock(sqlite3_file *f, int l)
{
	return real(f)->pMethods->xUnlock(real(f), l);
}

static int
f_reserved(sqlite3_file *f, int *out)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int
f_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int
f_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}

static int
f_device(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int
f_shm_map(sqlite3_file *f, int i, int size, int grow, void volatile **pp)
{
	return real(f)->pMethods->xShmMap(real(f), i, size, grow, pp);
}

static int
f_shm_lock(sqlite3_file *f, int off, int n, int flags)
{
	return real(f)->pMethods->xShmLock(real(f), off, n, flags);
}

static void
f_shm_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}

static int
f_shm_unmap(sqlite3_file *f, int del)
{
	return real(f)->pMethods->xShmUnmap(real(f), del);
}

static const sqlite3_io_methods shim_methods = { .iVersion = 2,
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_size,
	.xLock = f_lock,
	.xUnlock = f_unlock,
	.xCheckReservedLock = f_reserved,
	.xFileControl = f_control,
	.xSectorSize = f_sector,
	.xDeviceCharacteristics = f_device,
	.xShmMap = f_shm_map,
	.xShmLock = f_shm_lock,
	.xShmBarrier = f_shm_barrier,
	.xShmUnmap = f_shm_unmap };

static int
v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct shim_file *s = (struct shim_file *)f;
	int rc;

	(void)v;
	s->real = (sqlite3_file *)(s + 1);
	rc = real_vfs->xOpen(real_vfs, name, s->real, flags, out);
	f->pMethods = s->real->pMethods == NULL ? NULL : &shim_methods;
	return rc;
}

static int
shim_setup(void **state)
{
	real_vfs = sqlite3_vfs_find(NULL);
	shim_vfs = *real_vfs;
	shim_vfs.zName = "shim";
	shim_vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
	shim_vfs.xOpen = v_open;
	shim_vfs.pNext = NULL;
	memset(&fault, 0, sizeof(fault));
	if (sqlite3_vfs_register(&shim_vfs, 1) != SQLITE_OK)
		return -1;
	return dbtest_setup(state);
}

static int
shim_teardown(void **state)
{
	memset(&fault, 0, sizeof(fault));
	sqlite3_vfs_unregister(&shim_vfs);
	sqlite3_vfs_register(real_vfs, 1);
	return dbtest_teardown(state);
}

static int
try_add(struct ae_db *db, unsigned n, struct ae_err *e)
{
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, n);
	int64_t id;
	int rc;

	rc = ae_db_begin(db, e);
	if (rc == AE_OK)
		rc = ae_db_request_add(db, &r, dbtest_hash, &id, e);
	if (rc == AE_OK)
		rc = ae_db_commit(db, e);
	if (rc != AE_OK)
		ae_db_rollback(db);
	return rc;
}

static void
f2_a_commit_syncs(void **state)
{
	struct ae_db *db = dbtest_open(NULL);

	(void)state;
	(void)dbtest_add(db, AE_DB_ACTIVE, 1);
	fault.syncs = 0;
	(void)dbtest_add(db, AE_DB_ACTIVE, 2);
	assert_true(fault.syncs >= 1);
	ae_db_free(db);
}

static void
f4_disk_full_is_survived(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_err e = AE_ERR_INIT;
	int64_t links;
	int i;

	(void)state;
	(void)dbtest_add(db, AE_DB_ACTIVE, 1);
	fault.write_rc = SQLITE_FULL;
	for (i = 0; i < 3; i++)
		assert_int_equal(try_add(db, 2, &e), AE_ELIMIT);
	assert_non_null(strstr(e.text, "no room"));
	/* space again: it goes on without a restart, the serial is free */
	fault.write_rc = SQLITE_OK;
	assert_int_equal(try_add(db, 2, NULL), AE_OK);
	assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
	assert_int_equal(links, 2);
	ae_db_free(db);
}

static void
f4_page_limit_is_a_full_disk(void **state)
{
	const struct ae_db_options o = { .max_pages = 30 };
	struct ae_db *db = dbtest_open(&o);
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db_request r;
	int64_t links;
	unsigned i;
	int rc = AE_OK;

	(void)state;
	for (i = 1; rc == AE_OK && i < 1000; i++)
		rc = try_add(db, i, NULL);
	assert_int_equal(rc, AE_ELIMIT);
	/* everything before is there, and reading works */
	assert_int_equal(ae_db_request_get(db, 1, &r, a, NULL), AE_OK);
	assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
	assert_int_equal(links, i - 2);
	ae_db_free(db);
	ae_arena_free(a);
}

/* The n-th write or sync fails: never an answer after it. */
static void
fail_nth(int write_rc, int sync_rc)
{
	const char *most = getenv("FAULTS"); /* 25, or so many */
	const int count = most == NULL ? 25 : atoi(most);
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db;
	int64_t links;
	int n, i, done, rc;

	for (n = 0; n < count; n++) {
		db = dbtest_open(NULL);
		fault.write_rc = write_rc;
		fault.sync_rc = sync_rc;
		fault.after = n;
		rc = AE_OK;
		for (done = 0; rc == AE_OK && done < count + 35; done++)
			rc = try_add(db, (unsigned)(n * 100 + done), &e);
		assert_int_equal(rc, AE_EIO);
		/* the fault goes away; the handle does not come back */
		memset(&fault, 0, sizeof(fault));
		for (i = 0; i < 3; i++)
			assert_int_equal(try_add(db, 99999, &e), AE_EIO);
		assert_non_null(strstr(e.text, "restart"));
		ae_db_free(db);
		/* a restart recovers all that was acknowledged */
		db = dbtest_open(NULL);
		assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
		assert_true(links >= done - 1);
		assert_int_equal(ae_db_check(db, NULL), AE_OK);
		ae_db_free(db);
		assert_int_equal(unlink(dbtest_path), 0);
	}
}

static void
f3_eio_on_sync_ends_it(void **state)
{
	(void)state;
	fail_nth(SQLITE_OK, SQLITE_IOERR_FSYNC);
}

static void
f3_eio_on_write_ends_it(void **state)
{
	(void)state;
	fail_nth(SQLITE_IOERR_WRITE, SQLITE_OK);
}

static void
f5_a_lock_is_waited_for_but_not_long(void **state)
{
	struct ae_db *db = dbtest_open(NULL);
	struct ae_err e = AE_ERR_INIT;
	struct timespec t0, t1;
	sqlite3 *other;
	int64_t ms;

	(void)state;
	assert_int_equal(sqlite3_open(dbtest_path, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	assert_int_equal(try_add(db, 1, &e), AE_EUNAVAIL);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	ms = (t1.tv_sec - t0.tv_sec) * 1000 +
	    (t1.tv_nsec - t0.tv_nsec) / 1000000;
	assert_true(ms >= AE_DB_BUSY_MS / 2 && ms < AE_DB_BUSY_MS + 2000);
	assert_int_equal(
	    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(try_add(db, 1, NULL), AE_OK);
	sqlite3_close(other);
	ae_db_free(db);
}

static void
run_sql(const char *sql)
{
	sqlite3 *h;

	assert_int_equal(sqlite3_open(dbtest_path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
}

static int
open_rc(bool create, bool read_only, struct ae_err *e)
{
	const struct ae_db_options o = {
		.path = dbtest_path, .create = create, .read_only = read_only
	};
	struct ae_db *db = NULL;
	int rc = ae_db_open(&db, &o, e);

	ae_db_free(db);
	return rc;
}

static void
f25_a_newer_schema_is_refused(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	ae_db_free(dbtest_open(NULL));
	run_sql("PRAGMA user_version = 99");
	assert_int_equal(open_rc(true, false, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "newer"));
	assert_int_equal(open_rc(false, true, &e), AE_EINVAL);
}

static void
f6_another_file_is_refused(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	FILE *f;

	(void)state;
	/* none: only create makes one */
	assert_int_equal(open_rc(false, false, &e), AE_ENOTFOUND);
	assert_int_equal(access(dbtest_path, F_OK), -1);
	/* some other SQLite database */
	run_sql("CREATE TABLE t (x); PRAGMA user_version = 1");
	assert_int_equal(open_rc(true, false, &e), AE_EPROTO);
	/* no database at all */
	f = fopen(dbtest_path, "w");
	assert_non_null(f);
	(void)fputs("this is a text file, rather longer than the header of a "
		    "database, which has one hundred bytes, not less at all",
	    f);
	fclose(f);
	assert_int_equal(open_rc(true, false, &e), AE_EPROTO);
	assert_non_null(strstr(e.text, "certsrv db check"));
	/* an empty one without create: a lost database is not begun anew */
	assert_int_equal(truncate(dbtest_path, 0), 0);
	assert_int_equal(open_rc(false, false, &e), AE_EPROTO);
}

static void
f6_damage_is_noticed(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	uint8_t junk[64];
	struct ae_db *db = dbtest_open(NULL);
	off_t off;
	unsigned i;
	int fd, seen = 0, n = 0;

	(void)state;
	for (i = 1; i < 60; i++)
		(void)dbtest_issue(db, i);
	ae_db_free(db); /* checkpoints and removes the log */
	fd = open(dbtest_path, O_RDWR);
	assert_true(fd >= 0);
	/* the beginning of each page: its header and cell pointers */
	for (off = 4096; off < lseek(fd, 0, SEEK_END); off += 4096, n++) {
		uint8_t keep[64];

		memset(junk, 0xa5, sizeof(junk));
		assert_int_equal(pread(fd, keep, 64, off), 64);
		assert_int_equal(pwrite(fd, junk, 64, off), 64);
		if (open_rc(false, false, &e) == AE_EPROTO)
			seen++;
		assert_int_equal(pwrite(fd, keep, 64, off), 64);
	}
	close(fd);
	assert_true(n > 10);
	assert_int_equal(seen, n);
	assert_int_equal(open_rc(false, false, &e), AE_OK);
}

/* What a start, "certsrv audit verify" and "certsrv db check" say. */
static int
looked_at(void)
{
	struct ae_db_options o = { .path = dbtest_path };
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = NULL;
	int64_t rows, links;
	int rc = ae_db_open(&db, &o, &e);

	if (rc == AE_OK)
		rc = ae_db_audit_verify(db, &links, &e);
	if (rc == AE_OK)
		rc = ae_db_verify_rows(db, &rows, &e);
	if (rc == AE_OK)
		rc = ae_db_check(db, &e);
	ae_db_free(db);
	return rc;
}

/* As dbtest_issue, and its hash is that of the request. */
static void
issue_whole(struct ae_db *db, unsigned n)
{
	struct ae_db_request r = dbtest_row(AE_DB_ACTIVE, n);
	uint8_t hash[AE_HASH_MAX];
	int64_t id = 0;

	assert_int_equal(ae_hash_bytes(hash, AE_HASH_SHA256, r.csr, r.csr_len),
	    AE_DB_HASH_LEN);
	memcpy(r.csr_hash, hash, AE_DB_HASH_LEN);
	assert_int_equal(ae_db_begin(db, NULL), AE_OK);
	assert_int_equal(
	    ae_db_request_add(db, &r, dbtest_hash, &id, NULL), AE_OK);
	assert_int_equal(ae_db_request_issue(db, id, "certificate", 11, NOW,
			     NOW + 86400, NOW + 1, "Issued", NULL),
	    AE_OK);
	assert_int_equal(ae_db_commit(db, NULL), AE_OK);
}

/* Single bytes of certificates, requests and serial numbers. */
static void
f6_single_bytes_are_noticed(void **state)
{
	static const char *const needles[] = { "certificate",
		"not really a request", "\x1f\x07\x00\x00\x00" };
	struct ae_db *db = dbtest_open(NULL);
	struct ae_err e = AE_ERR_INIT;
	unsigned long flips = 0, seen = 0;
	int64_t rows = 0;
	uint8_t *file, *p;
	size_t len, i, k;
	off_t at;
	int fd;

	(void)state;
	for (i = 1; i < 20; i++)
		issue_whole(db, (unsigned)i);
	assert_int_equal(ae_db_verify_rows(db, &rows, &e), AE_OK);
	assert_int_equal(rows, 19);
	ae_db_free(db);
	fd = open(dbtest_path, O_RDWR);
	len = (size_t)lseek(fd, 0, SEEK_END);
	file = malloc(len);
	assert_non_null(file);
	assert_int_equal(pread(fd, file, len, 0), (ssize_t)len);
	for (k = 0; k < sizeof(needles) / sizeof(needles[0]); k++) {
		const size_t n = k < 2 ? strlen(needles[k]) : 5;

		for (p = file; (p = memmem(p, len - (size_t)(p - file),
				    needles[k], n)) != NULL;
		     p++)
			for (i = 0; i < n; i += 3) {
				const uint8_t bad =
				    p[i] ^ (uint8_t)(1u << i % 8);

				at = (off_t)(p - file) + (off_t)i;
				assert_int_equal(pwrite(fd, &bad, 1, at), 1);
				flips++;
				seen += looked_at() == AE_EPROTO;
				assert_int_equal(pwrite(fd, &p[i], 1, at), 1);
			}
	}
	free(file);
	close(fd);
	assert_true(flips > 100);
	assert_int_equal(seen, flips);
}

/*
 * A large one is not walked through at each start: that would take longer the
 * more there is in it.  Whoever reads the place, or asks, learns of it.
 */
static void
f6_damage_of_a_large_one(void **state)
{
	static const char fill[] =
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 5) INSERT INTO archived_key (request_id, blob)"
	    " SELECT i, zeroblob(4000000) FROM n";
	struct ae_db *db = dbtest_open(NULL);
	struct ae_err e = AE_ERR_INIT;
	uint8_t junk[64];
	sqlite3 *h;
	off_t end;
	int fd;

	(void)state;
	(void)dbtest_issue(db, 1);
	ae_db_free(db);
	assert_int_equal(sqlite3_open(dbtest_path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, fill, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
	fd = open(dbtest_path, O_RDWR);
	assert_true(fd >= 0);
	end = lseek(fd, 0, SEEK_END);
	assert_true(end > 4096 * 4096);
	/* the pointer to the next page of one in the middle of a key */
	memset(junk, 0xa5, sizeof(junk));
	assert_int_equal(pwrite(fd, junk, 64, end / 2 / 4096 * 4096), 64);
	close(fd);
	db = dbtest_open(NULL);
	assert_int_equal(ae_db_check(db, &e), AE_EPROTO);
	ae_db_free(db);
}

static void
f6_a_changed_audit_entry_is_noticed(void **state)
{
	static const char *const edits[] = {
		"UPDATE audit SET detail = 'x' WHERE seq = 2",
		"UPDATE audit SET at = at + 1 WHERE seq = 1",
		"UPDATE audit SET who = 'S-1-5-18' WHERE seq = 3",
		"UPDATE audit SET request_id = 9 WHERE seq = 3",
		"UPDATE audit SET what = 'request2' WHERE seq = 1",
		"DELETE FROM audit WHERE seq = 2",
		"DELETE FROM audit WHERE seq = 1",
		"UPDATE audit SET link = x'00' WHERE seq = 2",
	};
	char keep[128], sql[256];
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db;
	int64_t links;
	size_t i;

	(void)state;
	db = dbtest_open(NULL);
	(void)dbtest_add(db, AE_DB_DENIED, 1);
	(void)dbtest_add(db, AE_DB_ACTIVE, 2);
	(void)dbtest_add(db, AE_DB_PENDING, 3);
	assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
	assert_int_equal(links, 3);
	ae_db_free(db);
	snprintf(keep, sizeof(keep), "%s/keep", dbtest_dir);
	snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", keep);
	run_sql(sql);
	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		run_sql(edits[i]);
		db = dbtest_open(NULL);
		assert_int_equal(ae_db_audit_verify(db, &links, &e), AE_EPROTO);
		ae_db_free(db);
		run_sql("DELETE FROM audit");
		snprintf(sql, sizeof(sql),
		    "ATTACH '%s' AS k; INSERT INTO audit SELECT * FROM k.audit",
		    keep);
		run_sql(sql);
	}
}

static void
read_only_reads(void **state)
{
	const struct ae_db_options o = { .read_only = true };
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_db *db = dbtest_open(NULL), *ro;
	struct ae_db_request r;

	(void)state;
	(void)dbtest_add(db, AE_DB_DENIED, 1);
	ro = dbtest_open(&o); /* while the writer has it open */
	assert_int_equal(ae_db_request_get(ro, 1, &r, a, NULL), AE_OK);
	assert_true(try_add(ro, 2, NULL) != AE_OK);
	(void)dbtest_add(db, AE_DB_DENIED, 2);
	ae_db_free(ro);
	ae_db_free(db);
	ae_arena_free(a);
}

/* Adds intents as fast as it can, telling each committed id on fd. */
static void
writer(int fd)
{
	const struct ae_db_options o = { .path = dbtest_path };
	struct ae_db_request r;
	struct ae_db *db;
	int64_t id;
	unsigned n = (unsigned)getpid() << 12;

	if (ae_db_open(&db, &o, NULL) != AE_OK)
		_exit(1);
	for (;; n++) {
		r = dbtest_row(AE_DB_ACTIVE, n);
		if (ae_db_begin(db, NULL) != AE_OK ||
		    ae_db_request_add(db, &r, dbtest_hash, &id, NULL) !=
			AE_OK ||
		    ae_db_commit(db, NULL) != AE_OK ||
		    write(fd, &id, sizeof(id)) != sizeof(id))
			_exit(1);
	}
}

/* One kill: ids the writer had told of must be there. */
static void
kill_once(useconds_t after)
{
	struct ae_arena *a = ae_arena_new(1 << 24);
	struct ae_db_intent *v;
	struct ae_db *db;
	int64_t id, last = 0, links;
	int p[2], status;
	pid_t pid;
	size_t n;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(p[0]);
		writer(p[1]);
	}
	close(p[1]);
	(void)usleep(after);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(p[0], &id, sizeof(id)) == sizeof(id))
		last = id;
	close(p[0]);

	db = dbtest_open(NULL);
	assert_int_equal(ae_db_audit_verify(db, &links, NULL), AE_OK);
	assert_int_equal(ae_db_check(db, NULL), AE_OK);
	assert_true(links >= last);
	/* resolve what was left, as a start does */
	do {
		assert_int_equal(ae_db_intents(db, &v, &n, a, NULL), AE_OK);
		assert_int_equal(ae_db_begin(db, NULL), AE_OK);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(
			    ae_db_request_refuse(db, v[i].id, AE_DB_VOID, 0,
				NULL, NULL, NOW, NULL),
			    AE_OK);
		assert_int_equal(ae_db_commit(db, NULL), AE_OK);
	} while (n > 0);
	ae_db_free(db);
	ae_arena_free(a);
}

static void
f1_kills_lose_nothing_acknowledged(void **state)
{
	useconds_t i;

	(void)state;
	ae_db_free(dbtest_open(NULL));
	for (i = 0; i < 12; i++)
		kill_once(20000 + 3171 * i);
}

#define T(f) cmocka_unit_test_setup_teardown(f, dbtest_setup, dbtest_teardown)
#define S(f) cmocka_unit_test_setup_teardown(f, shim_setup, shim_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		S(f2_a_commit_syncs),
		S(f4_disk_full_is_survived),
		T(f4_page_limit_is_a_full_disk),
		S(f3_eio_on_sync_ends_it),
		S(f3_eio_on_write_ends_it),
		T(f5_a_lock_is_waited_for_but_not_long),
		T(f25_a_newer_schema_is_refused),
		T(f6_another_file_is_refused),
		T(f6_damage_is_noticed),
		T(f6_single_bytes_are_noticed),
		T(f6_damage_of_a_large_one),
		T(f6_a_changed_audit_entry_is_noticed),
		T(read_only_reads),
		T(f1_kills_lose_nothing_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
