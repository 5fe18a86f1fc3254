/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The event log; see eventlog.h.
 */
#include "eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "sys/clock.h"
#include "sys/files.h"

/* The file is renamed to .1 when it grows beyond this; one old one is kept. */
#define EVENTS_MAX (4u * 1024u * 1024u)

unsigned
eventlog_level(const struct client *c)
{
	uint8_t *text = NULL;
	unsigned level = AE_EVENT_LOG_WARNING;
	size_t len;

	if (ae_file_read(&text, &len, c->log_level_file, 16, NULL) == AE_OK &&
	    text[0] >= '0' && text[0] <= '5')
		level = (unsigned)(text[0] - '0');
	free(text);
	return level;
}

int
eventlog_set_level(const struct client *c, int level, struct ae_err *e)
{
	char text[16];
	int rc;

	if (level < 0) {
		if (unlink(c->log_level_file) != 0 && errno != ENOENT)
			return ae_fail_errno(
			    e, errno, "remove %s", c->log_level_file);
		return AE_OK;
	}
	rc = ae_file_mkdirs(c->state_dir, 0755, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(text, sizeof(text), "%d\n", level);
	return ae_file_write(c->log_level_file, text, strlen(text), 0644, e);
}

/* Rename a full file out of the way; the caller holds its lock. */
static void
rotate(const struct client *c, int fd)
{
	char old[4096];
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size < (off_t)EVENTS_MAX)
		return;
	if ((size_t)snprintf(old, sizeof(old), "%s.1", c->events) < sizeof(old))
		(void)rename(c->events, old);
}

static int
append(const struct client *c, const char *line, struct ae_err *e)
{
	size_t len = strlen(line);
	int fd, rc = AE_OK;

	fd = open(c->events,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return ae_fail_errno(e, errno, "open %s", c->events);
	if (flock(fd, LOCK_EX) != 0 || write(fd, line, len) != (ssize_t)len)
		rc = ae_fail_errno(e, errno, "write %s", c->events);
	rotate(c, fd);
	(void)close(fd);
	return rc;
}

static json_t *
to_json(const struct ae_event_def *d, const char *text,
    const char *const *params, size_t nparams, int64_t now)
{
	char when[AE_TIME_STR_MAX];
	json_t *j, *ps = json_array();
	size_t i;

	for (i = 0; i < nparams; i++)
		(void)json_array_append_new(
		    ps, json_string(params[i] == NULL ? "" : params[i]));
	j = json_pack("{s:s, s:s, s:i, s:s, s:s, s:o}", "time",
	    ae_time_print(when, now), "source", ae_event_source_name(d->source),
	    "id", (int)d->id, "level", ae_event_level_name(d->level), "message",
	    text, "params", ps);
	return j;
}

static void
to_log(const struct client *c, const struct ae_event_def *d, const char *text)
{
	char id[16];
	struct ae_log_record r = {
		.level = d->level == AE_EVENT_ERROR ? AE_LOG_ERROR
		    : d->level == AE_EVENT_WARNING  ? AE_LOG_WARNING
						    : AE_LOG_INFO,
		.text = text,
		.field = { { "AE_EVENT_ID", id },
		    { "AE_EVENT_SOURCE", ae_event_source_name(d->source) } },
		.nfield = 2,
	};

	(void)snprintf(id, sizeof(id), "%u", d->id);
	if (c->log != NULL)
		ae_log_write(c->log, &r);
}

void
eventlog_write(const struct client *c, enum ae_event_source source, unsigned id,
    const char *const *params, size_t nparams)
{
	const struct ae_event_def *d = ae_event_find(source, id);
	struct ae_arena *a = ae_arena_new(64 * 1024);
	struct ae_err e = AE_ERR_INIT;
	char *text, *dump = NULL, *line;
	json_t *j = NULL;

	if (d == NULL || a == NULL ||
	    !ae_event_wanted(d->level, eventlog_level(c)))
		goto out;
	text = ae_event_text(a, d, params, nparams);
	if (text == NULL)
		goto out;
	to_log(c, d, text);
	j = to_json(d, text, params, nparams, ae_clock_now());
	dump = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
	line = dump == NULL ? NULL : ae_arena_printf(a, "%s\n", dump);
	if (line != NULL && append(c, line, &e) != AE_OK && c->log != NULL)
		ae_log_printf(c->log, AE_LOG_WARNING,
		    "event %u was not stored: %s", id, e.text);
out:
	free(dump);
	json_decref(j);
	ae_arena_free(a);
}

static int
read_file(json_t *out, const char *path, int64_t since, struct ae_err *e)
{
	uint8_t *text = NULL;
	char *line, *save = NULL;
	size_t len;
	int64_t t;
	int rc;

	rc = ae_file_read(&text, &len, path, 2 * EVENTS_MAX, e);
	if (rc != AE_OK)
		return rc == AE_ENOTFOUND ? AE_OK : rc;
	for (line = strtok_r((char *)text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		json_t *j = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		const char *when =
		    json_string_value(json_object_get(j, "time"));

		if (when != NULL && ae_time_parse(&t, when) && t >= since)
			(void)json_array_append(out, j);
		json_decref(j);
	}
	free(text);
	return AE_OK;
}

int
eventlog_read(
    json_t **out, const struct client *c, int64_t since, struct ae_err *e)
{
	char old[4096];
	json_t *all = json_array();
	int rc = AE_OK;

	if (all == NULL)
		return ae_fail_mem(e);
	if ((size_t)snprintf(old, sizeof(old), "%s.1", c->events) < sizeof(old))
		rc = read_file(all, old, since, e);
	if (rc == AE_OK)
		rc = read_file(all, c->events, since, e);
	if (rc != AE_OK) {
		json_decref(all);
		return rc;
	}
	*out = all;
	return AE_OK;
}
