/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * B6: the parts of a CRL's road in one process, with the code that the
 * processes run: rows from the database by pages, entries, the signer's look
 * at every part, signature, file.  Without certsrvd around it: what the
 * messages between its processes cost comes on top.
 *
 *	b6_db make DATABASE ROWS REVOKED	a database to measure with, or
 *more into one that is there
 *	b6_db crl DATABASE DIRECTORY [KEY]	one JSON line: base, delta
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "db/db.h"
#include "pki/cert.h"
#include "pki/crl_parts.h"
#include "pki/signed.h"
#include "pki/tbs.h"
#include "sys/growing.h"

#define PAGE 4000u
#define NOW INT64_C(1790000000)

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/*
 * The most that was resident since peak_forget().  Not getrusage's: that
 * begins with what the parent had before exec.
 */
static long
peak_kb(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	long kb = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = atol(line + 6);
	if (f != NULL)
		(void)fclose(f);
	return kb;
}

static void
peak_forget(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "we");

	if (f == NULL || fputs("5", f) < 0 || fclose(f) != 0)
		abort();
}

static void
must(int rc, const struct ae_err *e)
{
	if (rc == AE_OK)
		return;
	(void)fprintf(stderr, "b6_db: %s\n", e->text);
	exit(1);
}

/* ---- make ---- */

static void
sql(sqlite3 *h, const char *text)
{
	char *why = NULL;

	if (sqlite3_exec(h, text, NULL, NULL, &why) == SQLITE_OK)
		return;
	(void)fprintf(stderr, "b6_db: %s\n", why);
	exit(1);
}

/*
 * Rows as issuing leaves them, without their commits: a thousandth of the
 * revoked ones after the base CRL.
 */
static void
make(const char *path, long rows, long revoked)
{
	const struct ae_db_options o = { .path = path, .create = true };
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = NULL;
	sqlite3 *h = NULL;
	char text[1024];

	must(ae_db_open(&db, &o, &e), &e);
	ae_db_free(db);
	if (sqlite3_open(path, &h) != SQLITE_OK)
		exit(1);
	sql(h, "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN");
	(void)snprintf(text, sizeof(text),
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < %ld) INSERT INTO request (disp, hresult, sid, flags,"
	    " csr_hash, serial, submitted, not_before, not_after, csr, cert)"
	    " SELECT 20, 0, 'S-1-5-21-1-2-3-' || (i %% 50000), 0,"
	    " randomblob(32), CAST(x'01' || randomblob(16) AS BLOB), %lld, "
	    "%lld, %lld,"
	    " randomblob(700), randomblob(1100) FROM n",
	    rows, (long long)NOW, (long long)NOW, (long long)NOW + 31536000);
	sql(h, text);
	sql(h,
	    "INSERT OR IGNORE INTO serial SELECT serial, id FROM request"
	    " WHERE serial IS NOT NULL");
	(void)snprintf(text, sizeof(text),
	    "INSERT OR IGNORE INTO revoked (serial, request_id, revoked_at, "
	    "reason,"
	    " not_after, changed) SELECT serial, id, %lld, id %% 6, not_after,"
	    " CASE WHEN id %% %ld < %ld AND (id / %ld) %% 1000 = 0 THEN 9 ELSE"
	    " 1 END FROM request WHERE id %% %ld = 0 AND disp = 20",
	    (long long)NOW, rows / revoked, 1L, rows / revoked, rows / revoked);
	sql(h, text);
	(void)snprintf(text, sizeof(text),
	    "UPDATE request SET disp = 21, revoked_at = %lld WHERE id %% %ld ="
	    " 0 AND disp = 20;"
	    " INSERT OR IGNORE INTO crl_base VALUES (0, 1, 5, %lld);"
	    " INSERT OR IGNORE INTO crl_number VALUES (0, 1); COMMIT",
	    (long long)NOW, rows / revoked, (long long)NOW);
	sql(h, text);
	sql(h, "PRAGMA wal_checkpoint(TRUNCATE)");
	sqlite3_close(h);
}

/* ---- crl ---- */

struct work {
	struct ae_crl_spec spec;
	struct ae_wr w;
	uint64_t size;
	struct ae_crl_parts parts;
	struct ae_key_stream *sign;
	struct ae_growing *file;
};

static int
add_size(void *arg, const struct ae_db_revoked *r, struct ae_err *e)
{
	struct work *k = arg;

	(void)e;
	k->size += ae_crl_entry_size(r->serial, r->serial_len, r->revoked_at,
	    (enum ae_crl_reason)r->reason);
	return AE_OK;
}

static int
add_entry(void *arg, const struct ae_db_revoked *r, struct ae_err *e)
{
	struct work *k = arg;

	return ae_crl_entry(&k->w, &k->spec, r->serial, r->serial_len,
	    r->revoked_at, (enum ae_crl_reason)r->reason, e);
}

static int
out(struct work *k, struct ae_err *e)
{
	int rc = ae_key_stream_add(k->sign, k->w.p, k->w.len, e);

	if (rc == AE_OK)
		rc = ae_growing_add(k->file, k->w.p, k->w.len, e);
	return rc;
}

static size_t
crl(struct ae_db *db, const char *dir, struct ae_key *key,
    const struct ae_cert *cert, bool delta, struct ae_err *e)
{
	const struct ae_db_crl_query q = {
		.dir = dir, .not_after = NOW, .since = delta ? 5 : -1
	};
	struct ae_db_crl_rows *rows = NULL;
	struct work k = { .size = 0 };
	struct ae_crl *seen = NULL;
	struct ae_wr sig, head, tail;
	size_t total, n;
	bool done = false;

	k.spec = (struct ae_crl_spec){
		.sigalg = ae_key_sigalg(key, AE_HASH_SHA256),
		.issuer = cert->subject,
		.this_update = NOW,
		.next_update = NOW + 7 * 86400,
		.number = 2,
		.aki = cert->x.ski,
		.delta = delta,
		.base_number = 1,
	};
	ae_wr_init(&k.w, 1 << 20);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(&head, 64);
	ae_wr_init(&tail, AE_SIG_MAX + 64);
	must(ae_db_crl_rows_new(&rows, db, &q, e), e);
	while (!done)
		must(
		    ae_db_crl_rows_next(rows, 5 * PAGE, add_size, &k, &done, e),
		    e);
	must(ae_key_stream_new(&k.sign, key, &k.spec.sigalg, e), e);
	must(ae_crl_head(&k.w, &total, &k.spec, (size_t)k.size, e), e);
	ae_signed_head(&head, total, &k.spec.sigalg, ae_key_sig_size(key));
	must(ae_growing_new(
		 &k.file, dir, delta ? "b6+.crl" : "b6.crl", 0644, head.len, e),
	    e);
	must(ae_crl_parts_head(&k.parts, k.w.p, k.w.len, 1u << 30, e), e);
	must(out(&k, e), e);
	for (done = false; !done;) {
		ae_wr_reset(&k.w);
		must(ae_db_crl_rows_next(rows, PAGE, add_entry, &k, &done, e),
		    e);
		if (k.w.len > 0) {
			must(ae_crl_parts_list(&k.parts, k.w.p, k.w.len, e), e);
			must(out(&k, e), e);
		}
	}
	ae_db_crl_rows_free(rows);
	ae_wr_reset(&k.w);
	must(ae_crl_tail(&k.w, &k.spec, e), e);
	must(ae_crl_parts_tail(&k.parts, k.w.p, k.w.len, &seen, e), e);
	n = seen->entries;
	must(out(&k, e), e);
	must(ae_key_stream_sign(k.sign, &sig, e), e);
	ae_signed_tail(&tail, &k.spec.sigalg, sig.p, sig.len);
	must(ae_growing_add(k.file, tail.p, tail.len, e), e);
	must(ae_growing_done(k.file, head.p, head.len, e), e);
	ae_crl_free(seen);
	ae_growing_free(k.file);
	ae_key_stream_free(k.sign);
	ae_crl_parts_done(&k.parts);
	ae_wr_done(&k.w);
	ae_wr_done(&sig);
	ae_wr_done(&head);
	ae_wr_done(&tail);
	return n;
}

static void
measure(const char *path, const char *dir, const char *uri)
{
	const struct ae_db_options o = { .path = path };
	struct ae_err e = AE_ERR_INIT;
	uint8_t id[AE_KEY_ID_LEN],
	    serial[1] = { 7 },
	    name[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55,
		    0x04, 0x03, 0x0c, 2, 'B', '6' };
	struct ae_key *key = NULL;
	struct ae_cert *cert = NULL;
	struct ae_db *db = NULL;
	struct ae_tbs t;
	struct ae_wr w;
	long before;
	int i;

	if (uri != NULL)
		must(ae_key_open(&key, uri, NULL, &e), &e);
	else
		must(ae_key_generate(&key, AE_KEY_RSA, 3072, &e), &e);
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	must(ae_tbs_root(&t, key, AE_HASH_SHA256,
		 (struct ae_der){ name, sizeof(name) },
		 (struct ae_der){ serial, 1 }, NOW - 86400, NOW + 864000000, id,
		 &e),
	    &e);
	must(ae_tbs_sign(&w, &t, key, &e), &e);
	must(ae_cert_parse(&cert, w.p, w.len, &e), &e);
	must(ae_db_open(&db, &o, &e), &e);
	for (i = 0; i < 2; i++) {
		double begun = now();
		clock_t cpu = clock();
		size_t n;

		peak_forget();
		before = peak_kb();
		n = crl(db, dir, key, cert, i == 1, &e);
		(void)printf("{\"bench\": \"B6\", \"impl\": \"certsrvd, one "
			     "process\", \"list\": \"%s\", \"entries\": %zu, "
			     "\"seconds\": %.3f, \"cpu_seconds\": "
			     "%.3f, \"rss_delta_kb\": %ld}\n",
		    i == 1 ? "delta" : "base", n, now() - begun,
		    (double)(clock() - cpu) / CLOCKS_PER_SEC,
		    peak_kb() - before);
	}
	ae_db_free(db);
	ae_cert_free(cert);
	ae_key_free(key);
	ae_wr_done(&w);
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "make") == 0)
		make(argv[2], atol(argv[3]), atol(argv[4]));
	else if (argc >= 4 && strcmp(argv[1], "crl") == 0)
		measure(argv[2], argv[3], argc > 4 ? argv[4] : NULL);
	else
		return 2;
	return 0;
}
