/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * B4: what the database's operations cost as it grows, with the code that the
 * db process runs.  One connection, one row a commit, durable commits.
 *
 *	b4_db DATABASE N		one JSON line for each operation
 *	b4_db fill DATABASE ROWS	rows, a thousand a commit; makes it
 *
 * N: how often each is done.  The database is a file, as "b6_db make" leaves
 * one faster, or the URI of one of PostgreSQL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "db/db.h"

#define N_MAX 100000
#define ARENA_MAX (1u << 20)

static struct ae_db *db;
static struct ae_arena *arena;
static const char *path;
static long n, rows;
static double us[N_MAX];
static uint8_t csr[900], cert[1500];

/* Of the rows that are there, so many to ask for. */
static struct ae_db_request some[256];
static size_t nsome;

static double
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
must(int rc, const struct ae_err *e)
{
	if (rc == AE_OK)
		return;
	(void)fprintf(stderr, "b4_db: %s\n", e->text);
	exit(1);
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
report(const char *what, long count)
{
	qsort(us, (size_t)count, sizeof(us[0]), by_value);
	(void)printf("{\"bench\": \"B4\", \"impl\": \"autoenroll\", \"what\": "
		     "\"%s\", \"rows\": %ld, \"n\": %ld, \"p50_us\": %.1f, "
		     "\"p99_us\": %.1f, \"max_us\": %.1f}\n",
	    what, rows, count, us[count / 2], us[(count * 99) / 100],
	    us[count - 1]);
}

static void
random_bytes(uint8_t *p, size_t len)
{
	FILE *f = fopen("/dev/urandom", "re");

	if (f == NULL || fread(p, 1, len, f) != len)
		abort();
	(void)fclose(f);
}

static const struct ae_db_request usual = {
	.disp = AE_DB_ACTIVE,
	.message = "Issued",
	.sid = "S-1-5-21-1-2-3-4711",
	.account = "LAB\\pc1$",
	.template = "BenchMachine",
	.subject = "CN=pc1.lab.example.com",
	.attrs = "CertificateTemplate:BenchMachine",
	.csr = csr,
	.csr_len = sizeof(csr),
	.serial_len = 17,
	.submitted = 1790000000,
	.not_before = 1790000000,
	.not_after = 1821536000,
};

static void
fresh(struct ae_db_request *r)
{
	random_bytes(r->serial, 17);
	random_bytes(r->csr_hash, sizeof(r->csr_hash));
}

static void
add(const struct ae_db_request *r, int64_t *id)
{
	uint8_t hash[AE_DB_HASH_LEN] = { 1 };
	struct ae_err e = AE_ERR_INIT;

	must(ae_db_request_add(db, r, hash, id, &e), &e);
}

static void
issue(const struct ae_db_request *r, int64_t id)
{
	struct ae_err e = AE_ERR_INIT;

	must(ae_db_request_issue(db, id, cert, sizeof(cert), r->not_before,
		 r->not_after, r->submitted, "Issued", &e),
	    &e);
}

/* The serial durable, then the certificate: two commits an enrollment. */
static void
enrollments(void)
{
	struct ae_db_request r = usual;
	struct ae_err e = AE_ERR_INIT;
	int64_t id = 0;

	for (long i = 0; i < n; i++) {
		double t;

		fresh(&r);
		t = now_us();
		must(ae_db_begin(db, &e), &e);
		add(&r, &id);
		must(ae_db_commit(db, &e), &e);
		must(ae_db_begin(db, &e), &e);
		issue(&r, id);
		must(ae_db_commit(db, &e), &e);
		us[i] = now_us() - t;
	}
	report("enrollment", n);
}

/* For databases that have no faster way: through the interface. */
static int
fill(const char *to, long count)
{
	const struct ae_db_options o = { .path = to, .create = true };
	struct ae_db_request r = usual;
	struct ae_err e = AE_ERR_INIT;
	int64_t id = 0;
	char sid[64];

	must(ae_db_open(&db, &o, &e), &e);
	r.sid = sid;
	for (long i = 0; i < count; i++) {
		if (i % 1000 == 0)
			must(ae_db_begin(db, &e), &e);
		(void)snprintf(
		    sid, sizeof(sid), "S-1-5-21-1-2-3-%ld", i % 50000);
		fresh(&r);
		add(&r, &id);
		issue(&r, id);
		if (i % 1000 == 999 || i + 1 == count)
			must(ae_db_commit(db, &e), &e);
	}
	ae_db_free(db);
	return 0;
}

/* Rows from everywhere in the table. */
static void
choose(struct ae_arena *keep)
{
	struct ae_err e = AE_ERR_INIT;

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		int64_t id = 1 + (int64_t)((double)rows * drand48());

		if (ae_db_request_get(db, id, &some[nsome], keep, &e) ==
			AE_OK &&
		    some[nsome].serial_len > 0 && some[nsome].sid != NULL)
			nsome++;
	}
	if (nsome == 0) {
		(void)fprintf(stderr, "b4_db: no rows with serials\n");
		exit(1);
	}
}

static void
by_serial(const struct ae_db_request *r, struct ae_err *e)
{
	struct ae_db_request out;

	must(ae_db_request_by_serial(
		 db, r->serial, r->serial_len, &out, arena, e),
	    e);
}

static void
by_id(const struct ae_db_request *r, struct ae_err *e)
{
	struct ae_db_request out;

	must(ae_db_request_get(db, r->id, &out, arena, e), e);
}

/* Asked of every request that comes: has it been asked before? */
static void
same(const struct ae_db_request *r, struct ae_err *e)
{
	struct ae_db_request out;
	int rc = ae_db_request_same(
	    db, r->sid, r->csr_hash, r->attrs, &out, arena, e);

	if (rc != AE_ENOTFOUND)
		must(rc, e);
}

static void
list(const struct ae_db_filter *f, struct ae_err *e)
{
	struct ae_db_request *v = NULL;
	size_t got = 0;

	must(ae_db_request_list(db, f, &v, &got, arena, e), e);
}

static void
of_requester(const struct ae_db_request *r, struct ae_err *e)
{
	const struct ae_db_filter f = {
		.sid = r->sid, .newest_first = true, .limit = 10
	};

	list(&f, e);
}

static void
newest(const struct ae_db_request *r, struct ae_err *e)
{
	const struct ae_db_filter f = { .newest_first = true, .limit = 100 };

	(void)r;
	list(&f, e);
}

static void
waiting(const struct ae_db_request *r, struct ae_err *e)
{
	const struct ae_db_filter f = { .disp = AE_DB_PENDING, .limit = 100 };

	(void)r;
	list(&f, e);
}

static const struct {
	const char *what;
	void (*ask)(const struct ae_db_request *r, struct ae_err *e);
} lookups[] = {
	{ "by serial (renewal)", by_serial },
	{ "by request id", by_id },
	{ "same request before", same },
	{ "last 10 of a requester", of_requester },
	{ "newest 100", newest },
	{ "pending", waiting },
};

static void
ask(size_t k)
{
	struct ae_err e = AE_ERR_INIT;

	for (long i = 0; i < n; i++) {
		const struct ae_db_request *r =
		    &some[(size_t)(drand48() * (double)nsome)];
		double t = now_us();

		lookups[k].ask(r, &e);
		us[i] = now_us() - t;
		ae_arena_reset(arena);
	}
	report(lookups[k].what, n);
}

/* As a server that starts does: open, and look for what was interrupted. */
static void
starts(void)
{
	const struct ae_db_options o = { .path = path };
	const struct ae_db_filter last = { .newest_first = true, .limit = 1 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_db_request *v = NULL;
	size_t got = 0;
	long i;

	for (i = 0; i < 5; i++) {
		double t = now_us();
		size_t voided = 0;

		must(ae_db_open(&db, &o, &e), &e);
		must(ae_db_void_intents(
			 db, 0x80004004, "", 1790000000, &voided, &e),
		    &e);
		us[i] = now_us() - t;
		if (i < 4)
			ae_db_free(db);
	}
	must(ae_db_request_list(db, &last, &v, &got, arena, &e), &e);
	rows = got > 0 ? (long)v[0].id : 0;
	report("start", i);
}

int
main(int argc, char **argv)
{
	struct ae_arena *keep = ae_arena_new(16 * ARENA_MAX);

	arena = ae_arena_new(ARENA_MAX);
	random_bytes(csr, sizeof(csr));
	random_bytes(cert, sizeof(cert));
	if (argc == 4 && strcmp(argv[1], "fill") == 0)
		return fill(argv[2], atol(argv[3]));
	if (argc != 3 || keep == NULL || arena == NULL)
		return 2;
	path = argv[1];
	n = atol(argv[2]);
	if (n < 100 || n > N_MAX)
		return 2;
	starts();
	choose(keep);
	for (size_t k = 0; k < sizeof(lookups) / sizeof(lookups[0]); k++)
		ask(k);
	enrollments();
	ae_db_free(db);
	ae_arena_free(arena);
	ae_arena_free(keep);
	return 0;
}
