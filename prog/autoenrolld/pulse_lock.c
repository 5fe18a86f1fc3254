/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One run at a time, and none that is not needed: whoever waited while
 * another run began and ended takes its result.  See pulse_run.h.
 */
#include "pulse_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/files.h"

#define WAIT_MS (15 * 60 * 1000)
#define PAUSE_US 50000
#define ANCESTORS_MAX 64
#define BEGUN "{\"begun_ms\":%" PRId64

/* A run without wishes of its own: what another such run did will do. */
static bool
is_plain(const struct pulse_options *o)
{
	return !o->dry_run && !o->refresh && o->only == NULL &&
	    o->show == NULL && o->ca == NULL && o->install == NULL;
}

static int
path_of(char *out, size_t len, const struct client *c, const char *name,
    struct ae_err *e)
{
	if ((size_t)snprintf(out, len, "%s/%s", c->run_dir, name) >= len)
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "%s is too long", c->run_dir);
	return AE_OK;
}

/* The result of the last run when that began at or after since. */
static json_t *
last_run(const struct client *c, int64_t since)
{
	json_t *last = NULL, *report = NULL;
	uint8_t *text = NULL;
	char path[4096];
	int64_t begun;
	size_t len;

	if (path_of(path, sizeof(path), c, "last-run.json", NULL) != AE_OK ||
	    ae_file_read(&text, &len, path, ROLE_BODY_MAX, NULL) != AE_OK)
		return NULL;
	/* It is long, and nearly always too old. */
	if (sscanf((const char *)text, BEGUN, &begun) == 1 && begun >= since)
		last = json_loadb((const char *)text, len, 0, NULL);
	if (json_is_object(json_object_get(last, "report")))
		report = json_incref(json_object_get(last, "report"));
	json_decref(last);
	free(text);
	return report;
}

/* The parent of a process; 0: there is none, or it cannot be told. */
static pid_t
parent_of(pid_t pid)
{
	char path[64], line[512] = "";
	const char *end;
	int parent = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	/* "12 (a name) S 1 …"; the name may have any character in it. */
	if (fgets(line, sizeof(line), f) == NULL ||
	    (end = strrchr(line, ')')) == NULL ||
	    sscanf(end, ") %*c %d", &parent) != 1)
		parent = 0;
	(void)fclose(f);
	return parent;
}

static bool
is_ancestor(pid_t pid)
{
	pid_t up = getpid();
	unsigned i;

	for (i = 0; i < ANCESTORS_MAX && up > 1; i++) {
		up = parent_of(up);
		if (up == pid)
			return true;
	}
	return false;
}

/* Who has the lock writes its name there; the lock itself says whether it
 * still has it. */
static void
sign_lock(int fd)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return; /* a hook that waits for us ends by its own deadline */
}

bool
pulse_is_within_run(const struct client *c)
{
	uint8_t *text = NULL;
	char path[4096];
	bool within;
	size_t len;
	int fd = -1;
	long pid;

	if (path_of(path, sizeof(path), c, "run.lock", NULL) != AE_OK ||
	    ae_file_read(&text, &len, path, 64, NULL) != AE_OK)
		return false;
	pid = strtol((const char *)text, NULL, 10);
	free(text);
	if (pid <= 1 || !is_ancestor((pid_t)pid))
		return false;
	within = ae_file_lock(&fd, path, false, NULL) == AE_EUNAVAIL;
	if (fd >= 0)
		(void)close(fd);
	return within;
}

int
pulse_fail_within(struct ae_err *e)
{
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
	    "this was started by a hook of the run that it would wait for: "
	    "let the hook end first ('autoenroll pulse' without --wait asks "
	    "autoenrolld for another run after this one)");
}

int
pulse_lock(int *fd, json_t **joined, struct client *c,
    const struct pulse_options *o, struct ae_err *e)
{
	int64_t called = ae_clock_mono_ms();
	char path[4096];
	int rc;

	*joined = NULL;
	rc = ae_file_put_dirs(c->run_dir, c->user ? 0700 : 0755, e);
	if (rc == AE_OK)
		rc = path_of(path, sizeof(path), c, "run.lock", e);
	if (rc != AE_OK)
		return rc;
	rc = ae_file_lock(fd, path, false, e);
	if (rc == AE_EUNAVAIL && pulse_is_within_run(c))
		return pulse_fail_within(e);
	while (rc == AE_EUNAVAIL && ae_clock_mono_ms() - called < WAIT_MS) {
		(void)usleep(PAUSE_US);
		rc = ae_file_lock(fd, path, false, e);
	}
	if (rc != AE_OK)
		return ae_note(e, rc, "waiting for another run to end");
	if (e != NULL)
		e->rc = AE_OK;
	sign_lock(*fd);
	if (is_plain(o))
		*joined = last_run(c, called);
	return AE_OK;
}

void
pulse_unlock(int fd, struct client *c, const struct pulse_options *o,
    int64_t begun, const char *report)
{
	struct ae_wr w;
	char path[4096];

	if (report != NULL && is_plain(o) &&
	    path_of(path, sizeof(path), c, "last-run.json", NULL) == AE_OK) {
		ae_wr_init(&w, ROLE_BODY_MAX);
		ae_wr_printf(&w, BEGUN ",\"report\":", begun);
		ae_wr_str(&w, report);
		ae_wr_u8(&w, '}');
		/* Without it the next run does its own work, that is all. */
		if (!ae_wr_ok(&w) ||
		    ae_file_put(path, w.p, w.len, 0600, NULL) != AE_OK)
			(void)unlink(path);
		ae_wr_done(&w);
	}
	(void)close(fd);
}
