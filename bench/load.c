/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Load for a CA: N clients, each a process of its own, each enrolling in a
 * closed loop; every certificate is checked against its request and the CA's
 * key.  Prints one line of JSON.  README.md says what is measured with it.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "arrivals.h"
#include "base/hex.h"
#include "load.h"

#define SAMPLES_MAX 200000u /* of one client */
#define CLIENTS_MAX 64u
#define READY_MAX 30 /* seconds for the first enrollments */

struct run {
	struct load_options o;
	const char *pool_path, *ca_path, *save;
	const char *until; /* a file that ends it when it is there */
	unsigned clients;
	double warmup, seconds, rate;
	double poisson; /* an open loop of that rate; 0: a closed one */
	size_t offset;
	bool one;   /* the first success is all that is wanted */
	bool again; /* a request that failed is put again until answered */
	bool all;   /* no window: until every request of the pool is answered */
	unsigned accounts; /* client i is <principal><i % accounts>$ */
	struct pool pool;
	struct arrivals *arrivals;
	struct ae_key *ca_key;
};

/*
 * When the window is.  It begins after every client has had an enrollment,
 * so that nobody's tickets are fetched in it.
 */
struct window {
	atomic_uint ready;	   /* clients */
	_Atomic double begin, end; /* seconds of CLOCK_MONOTONIC; 0: not yet */
};

/* Shared with the parent. */
struct tally {
	size_t n;	/* samples in the window */
	size_t all;	/* enrollments, warm-up included */
	size_t tries;	/* the same, with those that failed */
	size_t next;	/* of its requests, the first not used */
	size_t errors;	/* in the window */
	double max_gap; /* longest time without success, seconds */
	struct ae_err first;
	uint32_t us[SAMPLES_MAX];
};

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
sleep_until(double t)
{
	double left = t - now();
	struct timespec ts;

	if (left <= 0)
		return;
	ts.tv_sec = (time_t)left;
	ts.tv_nsec = (long)((left - (double)ts.tv_sec) * 1e9);
	(void)nanosleep(&ts, NULL);
}

/* The certificate is for this key and signed by this CA. */
static int
check(const struct ae_cert *cert, const struct ae_key *key,
    const struct ae_key *ca_key, struct ae_err *e)
{
	if (!ae_cert_has_key(cert, key))
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "a certificate for another key");
	return ae_cert_verify(cert, ca_key, e);
}

/* One line for each certificate: request, row, serial, fingerprint. */
static void
save(FILE *f, size_t number, const struct load_answer *a)
{
	char serial[2 * 32 + 1], sum[2 * 32 + 1];
	uint8_t hash[32];

	if (f == NULL || a->cert->serial.len > 32)
		return;
	ae_cert_sha256(hash, a->cert);
	ae_hex_encode(sum, hash, sizeof(hash));
	ae_hex_encode(serial, a->cert->serial.p, a->cert->serial.len);
	(void)fprintf(f, "%zu %u %s %s\n", number, a->request_id, serial, sum);
	(void)fflush(f);
}

struct client {
	const struct run *r;
	const struct load_kind *kind;
	struct load_client *c;
	struct tally *t;
	FILE *log;
	struct window *w;
	bool ready;
	double good; /* the last success */
};

static void
count(struct client *k, double t0, double t1, int rc, const struct ae_err *e)
{
	struct tally *t = k->t;

	t->tries++;
	if (rc == AE_OK) {
		if (t1 - k->good > t->max_gap)
			t->max_gap = t1 - k->good;
		k->good = t1;
		t->all++;
	} else if (t->first.rc == AE_OK) {
		t->first = *e;
	}
	if (rc == AE_OK && !k->ready) {
		k->ready = true;
		atomic_fetch_add(&k->w->ready, 1);
	}
	/* An open loop ends with the last that arrived in time. */
	if (k->w->begin == 0 || t0 < k->w->begin ||
	    (k->r->arrivals != NULL ? t0 : t1) >= k->w->end)
		return;
	if (rc < 0)
		t->errors++;
	else if (t->n < SAMPLES_MAX)
		t->us[t->n++] = (uint32_t)((t1 - t0) * 1e6);
}

/* t0: when it was due. */
static int
enroll(struct client *k, size_t number, double t0)
{
	const uint8_t *csr = k->r->pool.at[number];
	size_t len = k->r->pool.len[number];
	struct load_answer a = { .cert = NULL };
	struct ae_err e = AE_ERR_INIT;
	int rc;

	rc = k->kind->enroll(k->c, csr, len, &a, &e);
	if (rc == AE_OK)
		rc = check(a.cert, k->r->pool.key[number % k->r->pool.nkeys],
		    k->r->ca_key, &e);
	count(k, t0, now(), rc, &e);
	if (rc == AE_OK)
		save(k->log, number, &a);
	ae_cert_free(a.cert);
	k->kind->leave(k->c);
	return rc;
}

static bool
worth_again(int rc)
{
	return rc == AE_EUNAVAIL || rc == AE_ETIMEDOUT || rc == AE_EREMOTE ||
	    rc == AE_EAUTH || rc == AE_EIO || rc == AE_EPROTO ||
	    rc == AE_EDENIED;
}

/* Seconds to wait after failure number n: as a client backs off, full jitter.
 */
static double
back_off(const struct run *r, unsigned n)
{
	double most = 0.25 * (double)(1u << (n < 7 ? n : 7));

	return r->all ? most * drand48() : 0.02;
}

static bool
over(const struct client *k)
{
	return (k->w->end != 0 && now() >= k->w->end) ||
	    (k->r->until != NULL && access(k->r->until, F_OK) == 0);
}

static void
loop(struct client *k, unsigned index)
{
	const struct run *r = k->r;
	double start = now(), pace = 0;
	size_t i = 0;

	if (r->rate > 0)
		pace = (double)r->clients / r->rate;
	k->good = start;
	for (;; i++) {
		size_t number = r->offset + index + i * r->clients;
		unsigned failed = 0;
		int rc;

		k->t->next = number;
		if (number >= r->pool.n || over(k))
			break;
		if (pace > 0)
			sleep_until(start +
			    ((double)i + (double)index / r->clients) * pace);
		rc = enroll(k, number, now());
		while (rc < 0 && r->again && worth_again(rc) && !over(k)) {
			sleep_until(now() + back_off(r, failed++));
			rc = enroll(k, number, now());
		}
		if (rc == AE_OK && r->one)
			break;
		if (rc < 0 && !r->again)
			sleep_until(now() + 0.02);
	}
}

/*
 * One request to have its tickets, then what arrives.  The first of the pool
 * are those of the clients, the others those of the arrivals.
 */
static void
open_loop(struct client *k, unsigned index)
{
	const struct run *r = k->r;
	size_t number, first = r->offset + r->clients;
	double due;

	k->good = now();
	for (unsigned tries = 0; tries < 20; tries++)
		if (enroll(k, r->offset + index, now()) == AE_OK)
			break;
	while (r->arrivals->start == 0)
		sleep_until(now() + 0.005);
	k->good = r->arrivals->start;
	for (;;) {
		due = arrivals_take(r->arrivals, &number);
		if (due == HUGE_VAL || first + number >= r->pool.n)
			break;
		k->t->next = first + number + 1;
		sleep_until(due);
		(void)enroll(k, first + number, due);
	}
}

static int
client(const struct run *r, unsigned index, struct tally *t, struct window *w)
{
	struct client k = { .r = r,
		.t = t,
		.w = w,
		.kind =
		    strcmp(r->o.way, "cfssl") == 0 ? &load_cfssl : &load_ca };
	struct ae_err e = AE_ERR_INIT;
	struct load_options o = r->o;
	char path[512], account[64];
	unsigned failed = 0;
	int rc;

	srand48((long)index);
	if (r->accounts > 0) {
		(void)snprintf(account, sizeof(account), "%s%u$",
		    r->o.principal, index % r->accounts);
		o.principal = account;
	}
	if (r->save != NULL) {
		(void)snprintf(path, sizeof(path), "%s.%u", r->save, index);
		k.log = fopen(path, "ae");
	}
	rc = k.kind->open(&k.c, &o, &e);
	while (rc < 0 && r->all && worth_again(rc)) { /* the KDC is busy, too */
		t->tries++;
		sleep_until(now() + back_off(r, failed++));
		rc = k.kind->open(&k.c, &o, &e);
	}
	if (rc < 0) {
		t->first = e;
		t->errors = 1;
		atomic_fetch_add(&w->ready, 1);
		return 1;
	}
	if (r->arrivals != NULL)
		open_loop(&k, index);
	else
		loop(&k, index);
	if (k.log != NULL)
		(void)fclose(k.log);
	return 0;
}

static int
by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint32_t
quantile(const uint32_t *v, size_t n, double q)
{
	return n == 0 ? 0 : v[(size_t)((double)(n - 1) * q)];
}

static int
report(const struct run *r, struct tally *t, double seconds)
{
	struct rusage ru;
	size_t n = 0, all = 0, tries = 0, errors = 0, next = 0, i;
	double gap = 0;
	const char *text = "";
	uint32_t *v;

	for (i = 0; i < r->clients; i++)
		n += t[i].n;
	v = calloc(n + 1, sizeof(*v));
	if (v == NULL)
		abort();
	for (n = 0, i = 0; i < r->clients; i++) {
		memcpy(v + n, t[i].us, t[i].n * sizeof(*v));
		n += t[i].n;
		all += t[i].all;
		tries += t[i].tries;
		errors += t[i].errors;
		next = t[i].next > next ? t[i].next : next;
		gap = t[i].max_gap > gap ? t[i].max_gap : gap;
		if (t[i].first.rc != AE_OK)
			text = t[i].first.text;
	}
	qsort(v, n, sizeof(*v), by_value);
	(void)getrusage(RUSAGE_CHILDREN, &ru);
	(void)json_dumpf(
	    json_pack("{s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f,"
		      " s:f, s:f, s:f, s:s}",
		"way", r->o.way, "seconds", seconds, "rate",
		(double)n / seconds, "n", (json_int_t)n, "all", (json_int_t)all,
		"tries", (json_int_t)tries, "errors", (json_int_t)errors,
		"next", (json_int_t)next, "p50_ms", quantile(v, n, 0.5) / 1e3,
		"p99_ms", quantile(v, n, 0.99) / 1e3, "p999_ms",
		quantile(v, n, 0.999) / 1e3, "max_ms", quantile(v, n, 1) / 1e3,
		"client_cpu_s",
		(double)ru.ru_utime.tv_sec + (double)ru.ru_stime.tv_sec +
		    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6,
		"longest_gap_s", gap, "first_error", text),
	    stdout, JSON_COMPACT);
	(void)putchar('\n');
	free(v);
	return n > 0 ? 0 : 1;
}

static void *
shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("load");
		exit(1);
	}
	return p;
}

static int
start(struct run *r)
{
	struct tally *t = shared(r->clients * sizeof(*t));
	struct window *w = shared(sizeof(*w));
	double give_up = now() + READY_MAX;
	pid_t pid[CLIENTS_MAX];
	double begin = now();
	unsigned i;

	if (r->poisson > 0)
		r->arrivals = arrivals_new(r->poisson, r->warmup + r->seconds);
	if (r->all) {
		w->begin = begin;
		w->end = HUGE_VAL;
	}

	for (i = 0; i < r->clients; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(client(r, i, &t[i], w));
	}
	while (!r->all && w->ready < r->clients && now() < give_up)
		sleep_until(now() + 0.005);
	if (!r->all) {
		double go = now() + (r->arrivals != NULL ? 0.05 : 0);

		w->end = go + r->warmup + r->seconds;
		w->begin = w->end - r->seconds;
		if (r->arrivals != NULL)
			r->arrivals->start = go;
	}
	for (i = 0; i < r->clients; i++)
		if (pid[i] > 0)
			(void)waitpid(pid[i], NULL, 0);
	return report(r, t, r->all ? now() - begin : r->seconds);
}

static void
usage(void)
{
	(void)fprintf(stderr,
	    "usage: load --make-pool FILE --count N [--keys N]\n"
	    "       load --way dcom|icpr|cfssl --host HOST --pool FILE "
	    "--ca-cert PEM\n"
	    "            [--authority NAME] [--keytab FILE --principal NAME]\n"
	    "            [--attributes TEXT] [--port N] [--clients N]\n"
	    "            [--seconds S] [--warmup S] [--offset N] [--rate R]\n"
	    "            [--save FILE] [--again] [--one] [--keep]\n"
	    "            [--until FILE] [--all] [--accounts N]\n"
	    "            [--poisson RATE]\n");
	exit(2);
}

enum {
	MAKE_POOL = 1,
	COUNT,
	KEYS,
	WAY,
	HOST,
	POOL,
	CA_CERT,
	AUTHORITY,
	KEYTAB,
	PRINCIPAL,
	ATTRIBUTES,
	PORT,
	CLIENTS,
	SECONDS,
	WARMUP,
	OFFSET,
	RATE,
	SAVE,
	AGAIN,
	KEEP,
	ONE,
	UNTIL,
	ALL,
	ACCOUNTS,
	POISSON
};

/* clang-format off */
static const struct option options[] = {
	{ "make-pool", required_argument, NULL, MAKE_POOL },
	{ "count", required_argument, NULL, COUNT },
	{ "keys", required_argument, NULL, KEYS },
	{ "way", required_argument, NULL, WAY },
	{ "host", required_argument, NULL, HOST },
	{ "pool", required_argument, NULL, POOL },
	{ "ca-cert", required_argument, NULL, CA_CERT },
	{ "authority", required_argument, NULL, AUTHORITY },
	{ "keytab", required_argument, NULL, KEYTAB },
	{ "principal", required_argument, NULL, PRINCIPAL },
	{ "attributes", required_argument, NULL, ATTRIBUTES },
	{ "port", required_argument, NULL, PORT },
	{ "clients", required_argument, NULL, CLIENTS },
	{ "seconds", required_argument, NULL, SECONDS },
	{ "warmup", required_argument, NULL, WARMUP },
	{ "offset", required_argument, NULL, OFFSET },
	{ "rate", required_argument, NULL, RATE },
	{ "save", required_argument, NULL, SAVE },
	{ "again", no_argument, NULL, AGAIN },
	{ "keep", no_argument, NULL, KEEP },
	{ "one", no_argument, NULL, ONE },
	{ "until", required_argument, NULL, UNTIL },
	{ "all", no_argument, NULL, ALL },
	{ "accounts", required_argument, NULL, ACCOUNTS },
	{ "poisson", required_argument, NULL, POISSON },
	{ NULL, 0, NULL, 0 },
};
/* clang-format on */

struct words {
	const char *make_pool;
	size_t count;
	unsigned keys;
};

/* False: no such option. */
static bool
set(struct run *r, struct words *w, int c, const char *v)
{
	const char **text[POISSON + 1] = { [MAKE_POOL] = &w->make_pool,
		[WAY] = &r->o.way,
		[HOST] = &r->o.host,
		[POOL] = &r->pool_path,
		[CA_CERT] = &r->ca_path,
		[AUTHORITY] = &r->o.authority,
		[KEYTAB] = &r->o.keytab,
		[PRINCIPAL] = &r->o.principal,
		[ATTRIBUTES] = &r->o.attributes,
		[SAVE] = &r->save,
		[UNTIL] = &r->until };

	if (c < MAKE_POOL || c > POISSON)
		return false;
	if (text[c] != NULL)
		*text[c] = v;
	else if (c == COUNT)
		w->count = strtoul(v, NULL, 10);
	else if (c == KEYS)
		w->keys = (unsigned)strtoul(v, NULL, 10);
	else if (c == PORT)
		r->o.port = (uint16_t)strtoul(v, NULL, 10);
	else if (c == CLIENTS)
		r->clients = (unsigned)strtoul(v, NULL, 10);
	else if (c == SECONDS)
		r->seconds = atof(v);
	else if (c == WARMUP)
		r->warmup = atof(v);
	else if (c == OFFSET)
		r->offset = strtoul(v, NULL, 10);
	else if (c == RATE)
		r->rate = atof(v);
	else if (c == POISSON)
		r->poisson = atof(v);
	else if (c == ACCOUNTS)
		r->accounts = (unsigned)strtoul(v, NULL, 10);
	else if (c == ALL)
		r->all = r->again = true;
	else if (c == AGAIN)
		r->again = true;
	else if (c == ONE)
		r->one = r->again = true;
	else
		r->o.keep = true;
	return true;
}

int
main(int argc, char **argv)
{
	struct run r = { .clients = 16, .warmup = 1, .seconds = 5 };
	struct words w = { .keys = 16 };
	struct ae_err e = AE_ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!set(&r, &w, c, optarg))
			usage();
	if (w.make_pool != NULL && w.count > 0 && w.keys > 0) {
		rc = pool_make(w.make_pool, w.count, w.keys, &e);
	} else {
		if (r.o.way == NULL || r.o.host == NULL ||
		    r.pool_path == NULL || r.ca_path == NULL ||
		    r.clients == 0 || r.clients > CLIENTS_MAX)
			usage();
		rc = pool_open(&r.pool, r.pool_path, &e);
		if (rc == AE_OK)
			rc = ca_key_read(&r.ca_key, r.ca_path, &e);
		if (rc == AE_OK)
			return start(&r);
	}
	if (rc < 0)
		(void)fprintf(stderr, "load: %s\n", e.text);
	return rc < 0 ? 1 : 0;
}
