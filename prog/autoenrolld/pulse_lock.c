/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One run at a time, and none that is not needed: whoever waited while
 * another run began and ended takes its result.  See pulse_run.h.
 */
#include "pulse_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/files.h"

#define WAIT_MS (15 * 60 * 1000)
#define PAUSE_US 50000

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
	json_t *last, *report = NULL;
	uint8_t *text = NULL;
	char path[4096];
	size_t len;

	if (path_of(path, sizeof(path), c, "last-run.json", NULL) != AE_OK ||
	    ae_file_read(&text, &len, path, ROLE_BODY_MAX, NULL) != AE_OK)
		return NULL;
	last =
	    json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	if (json_integer_value(json_object_get(last, "begun_ms")) >= since &&
	    json_is_object(json_object_get(last, "report")))
		report = json_incref(json_object_get(last, "report"));
	json_decref(last);
	free(text);
	return report;
}

int
pulse_lock(int *fd, json_t **joined, struct client *c,
    const struct pulse_options *o, struct ae_err *e)
{
	int64_t called = ae_clock_mono_ms();
	char path[4096];
	int rc;

	*joined = NULL;
	rc = ae_file_mkdirs(c->run_dir, c->user ? 0700 : 0755, e);
	if (rc == AE_OK)
		rc = path_of(path, sizeof(path), c, "run.lock", e);
	if (rc != AE_OK)
		return rc;
	rc = ae_file_lock(fd, path, false, e);
	while (rc == AE_EUNAVAIL && ae_clock_mono_ms() - called < WAIT_MS) {
		(void)usleep(PAUSE_US);
		rc = ae_file_lock(fd, path, false, e);
	}
	if (rc != AE_OK)
		return ae_note(e, rc, "waiting for another run to end");
	if (e != NULL)
		e->rc = AE_OK;
	if (is_plain(o))
		*joined = last_run(c, called);
	return AE_OK;
}

void
pulse_unlock(int fd, struct client *c, const struct pulse_options *o,
    int64_t begun, const json_t *report)
{
	char path[4096];
	json_t *last;
	char *text;

	if (report != NULL && is_plain(o) &&
	    path_of(path, sizeof(path), c, "last-run.json", NULL) == AE_OK) {
		last = json_pack("{s:I, s:O}", "begun_ms", (json_int_t)begun,
		    "report", report);
		text = json_dumps(last, JSON_COMPACT);
		/* Without it the next run does its own work, that is all. */
		if (text != NULL &&
		    ae_file_write(path, text, strlen(text), 0600, NULL) !=
			AE_OK)
			(void)unlink(path);
		free(text);
		json_decref(last);
	}
	(void)close(fd);
}
