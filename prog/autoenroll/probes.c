/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Starts the probes, collects what they tell, and ends those that hang; see
 * probe.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/wr.h"
#include "diag/facts.h"
#include "probe.h"
#include "sys/clock.h"
#include "sys/loop.h"

#define TOLD_MAX (16u << 20) /* bytes that one probe may tell in all */
#define EACH_MAX 16u
#define RUNNING_MAX 96u
#define GRAVE_KDC INT64_C(-1765328384) /* the first krb5 protocol error */

/* clang-format off */
const struct probe_row probe_rows[] = {
	{ "host",  NULL,                    NULL,     4000,  probe_host },
	{ "store", NULL,                    NULL,     6000,  probe_store },
	{ "keys",  "store",                 NULL,     8000,  probe_keys },
	{ "dc",    "host.realm",            NULL,     9000,  probe_dc },
	{ "krb",   "host.realm",            NULL,     12000, probe_krb },
	{ "ad",    "krb.principal dc.host", NULL,     9000,  probe_ad },
	{ "plan",  "krb.principal dc.host", NULL,     12000, probe_plan },
	{ "gpo",   "plan.policy.gpos",      NULL,     8000,  probe_gpo },
	{ "replica", "ad.templates krb.principal", "dc.srv", 6000, probe_replica },
	{ "dcom",  "ad.cas krb.principal",  "ad.cas", 10000, probe_dcom },
	{ "icpr",  "ad.cas krb.principal",  "ad.cas", 10000, probe_icpr },
	{ "integrity", "ad.cas krb.principal", "ad.cas", 10000, probe_integrity },
	{ "last",  NULL,                    NULL,     4000,  probe_last },
	{ "live",  "plan.plan",             NULL,     26000, probe_live },
	{ "foreign", NULL,                  NULL,     4000,  probe_foreign },
	{ "links", "ad.cas store.certs",    NULL,     4000,  probe_links },
	{ "fetched", "links.servers",       "links.servers", 8000, probe_fetch },
	{ "denials", NULL,                  NULL,     4000,  probe_denials },
	{ "served", "store.certs",          NULL,     7000,  probe_served },
	{ "pending", "store.requests krb.principal", "store.requests", 9000, probe_pending },
	{ 0 },
};
/* clang-format on */

struct running {
	struct probes *all;
	const struct probe_row *row;
	size_t index; /* with each */
	pid_t pid;
	struct ae_source *out, *child, *timer;
	int fd;
	int64_t start_us;
	struct ae_wr told;
	bool ended, late, used;
};

struct probes {
	struct probe *p;
	struct ae_loop *loop;
	json_t *facts;
	struct running v[RUNNING_MAX];
	bool started[RUNNING_MAX]; /* by row */
	unsigned under_way;
	int64_t until; /* ae_loop_now() */
};

int64_t
probe_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

double
probe_ms(int64_t start_us)
{
	return (double)(probe_now_us() - start_us) / 1000.0;
}

/* ---- in the probe ---- */

static void
tell(struct probe *p)
{
	char *text = json_dumps(p->mine, JSON_COMPACT | JSON_ENSURE_ASCII);
	size_t at = 0, len;
	ssize_t n;

	if (text == NULL)
		return;
	len = strlen(text);
	text[len++] = '\n'; /* in place of the NUL */
	for (; at < len; at += (size_t)n) {
		n = write(p->out, text + at, len - at);
		if (n <= 0)
			break; /* nobody listens any more */
	}
	free(text);
}

void
probe_doing(struct probe *p, const char *what, const char *about)
{
	(void)json_object_set_new(p->mine, "doing",
	    json_pack("{s:s, s:o}", "what", what, "about",
		client_text(about == NULL ? "" : about)));
	tell(p);
}

void
probe_set(struct probe *p, const char *name, json_t *j)
{
	(void)json_object_set_new(p->mine, name, j);
}

void
probe_asked(struct probe *p, const char *kind, unsigned int n)
{
	json_t *asked = json_object_get(p->mine, "asked");
	int64_t before = 0;

	if (asked == NULL) {
		asked = json_object();
		probe_set(p, "asked", asked);
	}
	(void)ae_fact_int(&before, asked, kind);
	(void)json_object_set_new(asked, kind, json_integer(before + n));
}

json_t *
probe_error(const struct ae_err *e)
{
	json_t *j = json_pack("{s:s, s:s, s:I}", "rc", ae_rc_name(e->rc),
	    "domain", ae_dom_name(e->dom), "code", (json_int_t)e->code);

	(void)json_object_set_new(j, "text", client_text(e->text));
	if (e->dom == AE_DOM_KRB5 && e->code >= GRAVE_KDC &&
	    e->code < GRAVE_KDC + 128)
		(void)json_object_set_new(
		    j, "kdc_error", json_integer(e->code - GRAVE_KDC));
	return j;
}

const char *
probe_ccache(const struct probe *p)
{
	static char name[4096];

	(void)snprintf(name, sizeof(name), "FILE:%s/krb5cc", p->dir);
	return name;
}

static void
be_probe(struct probe *p, const struct probe_row *row)
{
	struct ae_err e = AE_ERR_INIT;
	int rc;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	p->mine = json_object();
	rc = row->run(p, &e);
	(void)json_object_del(p->mine, "doing");
	if (rc != AE_OK)
		probe_set(p, "failure", probe_error(&e));
	tell(p);
	_exit(0);
}

/* ---- in the parent ---- */

/* How it went; more (NULL: nothing) is taken: see diag/facts.h. */
static void
how(struct probes *a, const char *name, const char *state, double ms,
    json_t *more)
{
	json_t *j = json_pack("{s:s, s:f}", "state", state, "ms", ms);

	if (more != NULL)
		(void)json_object_update_new(j, more);
	(void)json_object_set_new(json_object_get(a->facts, "probes"), name, j);
}

/* The last whole line that was told. */
static json_t *
last_told(struct running *r)
{
	const char *p = (const char *)r->told.p, *end, *from;

	if (!ae_wr_ok(&r->told) || p == NULL || r->told.len == 0)
		return NULL;
	end = memrchr(p, '\n', r->told.len);
	if (end == NULL)
		return NULL;
	from = memrchr(p, '\n', (size_t)(end - p));
	from = from == NULL ? p : from + 1;
	return json_loadb(
	    from, (size_t)(end - from), JSON_REJECT_DUPLICATES, NULL);
}

static void
put_facts(struct probes *a, const struct running *r, json_t *seen)
{
	json_t *list;

	if (r->row->each == NULL) {
		(void)json_object_set_new(a->facts, r->row->name, seen);
		return;
	}
	list = json_object_get(a->facts, r->row->name);
	(void)json_array_set_new(list, r->index, seen);
}

static void
settle(struct running *r)
{
	struct probes *a = r->all;
	json_t *seen = last_told(r);
	const char *failure, *state = "done";
	json_t *doing, *more = NULL;

	if (seen == NULL)
		seen = json_object();
	doing = json_object_get(seen, "doing");
	failure = ae_fact_str(seen, "failure.text");
	if (r->late) {
		state = "late";
		more = json_pack("{s:I, s:O?}", "seconds",
		    (json_int_t)(probe_ms(r->start_us) / 1e3 + 0.5), "doing",
		    doing);
	} else if (failure != NULL) {
		state = "failed";
		more = json_pack("{s:o}", "error", client_text(failure));
	} else if (doing != NULL) {
		state = "failed";
		more = json_pack("{s:O}", "doing", doing);
	}
	how(a, r->row->name, state, probe_ms(r->start_us), more);
	if (r->row->each != NULL)
		(void)json_object_set_new(seen, "state", json_string(state));
	put_facts(a, r, seen);
	ae_source_free(r->out);
	ae_source_free(r->child);
	ae_source_free(r->timer);
	(void)close(r->fd);
	ae_wr_done(&r->told);
	r->used = false;
	a->under_way--;
}

static void
on_readable(void *arg, int fd, unsigned events)
{
	struct running *r = arg;
	uint8_t buf[65536];
	ssize_t n;

	(void)events;
	n = read(fd, buf, sizeof(buf));
	if (n > 0)
		ae_wr_bytes(&r->told, buf, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		ae_source_set_events(r->out, 0);
}

static void
on_exit_of(void *arg, pid_t pid, int status)
{
	struct running *r = arg;
	uint8_t buf[65536];
	ssize_t n;

	(void)pid;
	(void)status;
	while ((n = read(r->fd, buf, sizeof(buf))) > 0)
		ae_wr_bytes(&r->told, buf, (size_t)n);
	r->ended = true;
}

static void
on_late(void *arg)
{
	struct running *r = arg;

	r->late = true;
	(void)kill(r->pid, SIGKILL);
}

static struct running *
free_place(struct probes *a)
{
	size_t i;

	for (i = 0; i < RUNNING_MAX; i++)
		if (!a->v[i].used)
			return &a->v[i];
	return NULL;
}

static int
watch(struct running *r, struct ae_err *e)
{
	struct probes *a = r->all;
	int64_t at = ae_loop_now(a->loop) + r->row->ms;
	int rc;

	rc = ae_loop_fd(&r->out, a->loop, r->fd, AE_LOOP_IN, on_readable, r, e);
	if (rc == AE_OK)
		rc =
		    ae_loop_child(&r->child, a->loop, r->pid, on_exit_of, r, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&r->timer, a->loop, on_late, r, e);
	if (rc == AE_OK)
		ae_source_set_timer(r->timer, at < a->until ? at : a->until);
	return rc;
}

static int
start(struct probes *a, const struct probe_row *row, size_t index,
    struct ae_err *e)
{
	struct running *r = free_place(a);
	int pipe[2];

	if (r == NULL)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0, "too many probes");
	if (pipe2(pipe, O_CLOEXEC) != 0)
		return ae_fail_errno(e, errno, "pipe");
	memset(r, 0, sizeof(*r));
	r->all = a;
	r->row = row;
	r->index = index;
	r->start_us = probe_now_us();
	(void)fflush(NULL);
	r->pid = fork();
	if (r->pid == 0) {
		sigset_t none;

		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		a->p->out = pipe[1];
		a->p->facts = a->facts;
		a->p->about = row->each == NULL
		    ? NULL
		    : json_array_get(ae_fact(a->facts, row->each), index);
		be_probe(a->p, row);
	}
	(void)close(pipe[1]);
	if (r->pid < 0) {
		(void)close(pipe[0]);
		return ae_fail_errno(e, errno, "fork");
	}
	r->used = true;
	a->under_way++;
	r->fd = pipe[0];
	(void)fcntl(r->fd, F_SETFL, O_NONBLOCK);
	ae_wr_init(&r->told, TOLD_MAX);
	return watch(r, e);
}

/* Is what the row needs there?  lacks: the first that will never be. */
static bool
is_ready(struct probes *a, const struct probe_row *row, char *lacks, size_t len)
{
	const char *at = row->needs;
	char path[AE_FACT_PATH_MAX], probe[AE_FACT_PATH_MAX];
	size_t n;

	lacks[0] = '\0';
	for (; at != NULL && *at != '\0'; at += n) {
		at += strspn(at, " ");
		n = strcspn(at, " ");
		(void)snprintf(path, sizeof(path), "%.*s", (int)n, at);
		(void)snprintf(probe, sizeof(probe), "%.*s",
		    (int)strcspn(path, "."), path);
		if (json_object_get(
			json_object_get(a->facts, "probes"), probe) == NULL)
			return false; /* still under way */
		if (ae_fact(a->facts, path) == NULL && lacks[0] == '\0')
			(void)snprintf(lacks, len, "%s", path);
	}
	return true;
}

static int
start_row(struct probes *a, const struct probe_row *row, struct ae_err *e)
{
	size_t i, n;
	int rc = AE_OK;

	if (row->each == NULL)
		return start(a, row, 0, e);
	n = json_array_size(ae_fact(a->facts, row->each));
	n = n < EACH_MAX ? n : EACH_MAX;
	(void)json_object_set_new(a->facts, row->name, json_array());
	for (i = 0; i < n && rc == AE_OK; i++) {
		(void)json_array_append_new(
		    json_object_get(a->facts, row->name), json_object());
		rc = start(a, row, i, e);
	}
	if (n == 0)
		how(a, row->name, "left out", 0, NULL);
	return rc;
}

static int
start_ready(struct probes *a, struct ae_err *e)
{
	char lacks[AE_FACT_PATH_MAX];
	size_t i;
	int rc;

	for (i = 0; probe_rows[i].name != NULL; i++) {
		const struct probe_row *row = &probe_rows[i];

		if (a->started[i] || !is_ready(a, row, lacks, sizeof(lacks)))
			continue;
		a->started[i] = true;
		if (lacks[0] != '\0') {
			how(a, row->name, "left out", 0,
			    json_pack("{s:s}", "lacks", lacks));
			continue;
		}
		rc = start_row(a, row, e);
		if (rc != AE_OK)
			return rc;
	}
	return AE_OK;
}

static bool
all_started(const struct probes *a)
{
	size_t i;

	for (i = 0; probe_rows[i].name != NULL; i++)
		if (!a->started[i])
			return false;
	return true;
}

int
probe_all(json_t **facts, struct probe *p, struct ae_err *e)
{
	struct probes a = { .p = p };
	size_t i;
	int rc;

	a.facts = json_pack("{s:{}}", "probes");
	rc = ae_loop_new(&a.loop, e);
	if (rc == AE_OK)
		a.until = ae_loop_now(a.loop) + PROBE_ALL_MS;
	while (rc == AE_OK && (rc = start_ready(&a, e)) == AE_OK &&
	    (a.under_way > 0 || !all_started(&a))) {
		rc = ae_loop_turn(a.loop, -1, e);
		for (i = 0; i < RUNNING_MAX; i++)
			if (a.v[i].used && a.v[i].ended)
				settle(&a.v[i]);
	}
	for (i = 0; i < RUNNING_MAX; i++) {
		if (!a.v[i].used)
			continue;
		(void)kill(a.v[i].pid, SIGKILL);
		(void)waitpid(a.v[i].pid, NULL, 0);
		settle(&a.v[i]);
	}
	ae_loop_free(a.loop);
	*facts = a.facts;
	return rc;
}
