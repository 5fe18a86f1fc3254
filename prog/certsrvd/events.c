/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Events as JSON lines.
 */
#include "events.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

static const char *const level_names[] = {
	[AE_LOG_ERROR] = "error",
	[AE_LOG_WARNING] = "warning",
	[AE_LOG_NOTICE] = "notice",
	[AE_LOG_INFO] = "information",
	[AE_LOG_DEBUG] = "debug",
};

static void
set(json_t *o, const char *key, const char *value)
{
	/* Bytes that are not UTF-8 are dropped, never the event. */
	json_t *s = json_string(value);

	(void)json_object_set_new(
	    o, key, s != NULL ? s : json_string("(not UTF-8)"));
}

static json_t *
to_json(const struct ae_log_record *r, int64_t now)
{
	json_t *o = json_object();
	char when[AE_TIME_STR_MAX], key[65];
	size_t i, k;

	if (o == NULL)
		return NULL;
	set(o, "time", ae_time_print(when, now));
	set(o, "level", level_names[r->level]);
	for (i = 0; i < r->nfield; i++) {
		const char *from = r->field[i].key;

		if (strncmp(from, "AE_", 3) == 0)
			from += 3;
		for (k = 0; k < sizeof(key) - 1 && from[k] != '\0'; k++)
			key[k] = (char)tolower((unsigned char)from[k]);
		key[k] = '\0';
		set(o, key, r->field[i].value);
	}
	set(o, "text", r->text);
	return o;
}

int
events_append(const char *path, const struct ae_log_record *r, int64_t now,
    struct ae_err *e)
{
	json_t *o = to_json(r, now);
	char *line = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	size_t len;
	int fd, rc = AE_OK;

	json_decref(o);
	if (line == NULL)
		return ae_fail_mem(e);
	len = strlen(line);
	line[len] = '\n'; /* in place of the NUL: one write is one line */
	fd = open(
	    path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0) {
		rc = ae_fail_errno(e, errno, "%s", path);
	} else {
		if (write(fd, line, len + 1) != (ssize_t)(len + 1))
			rc = ae_fail_errno(e, errno, "writing %s", path);
		(void)close(fd);
	}
	free(line);
	return rc;
}
