/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The event log; see eventlog.h.
 */
#include "eventlog.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "base/utf16.h"
#include "sys/clock.h"
#include "sys/files.h"

#define PARAM_MAX 2048

static bool
read_level(unsigned *level, const char *path)
{
	uint8_t *text = NULL;
	bool found;
	size_t len;

	found = ae_file_read(&text, &len, path, 16, NULL) == AE_OK &&
	    text[0] >= '0' && text[0] <= '5';
	if (found)
		*level = (unsigned)(text[0] - '0');
	free(text);
	return found;
}

unsigned
eventlog_level(const struct client *c, enum eventlog_from *from)
{
	enum eventlog_from who = EVENTLOG_LOCAL;
	unsigned level = AE_EVENT_LOG_WARNING;

	if (!read_level(&level, c->log_level_file) &&
	    !read_level(&level, c->machine_level_file)) {
		who = EVENTLOG_POLICY;
		if (!read_level(&level, c->policy_level_file))
			who = EVENTLOG_DEFAULT;
	}
	if (from != NULL)
		*from = who;
	return level;
}

static int
set_level(const struct client *c, const char *path, int level, struct ae_err *e)
{
	char text[16];
	int rc;

	if (level < 0) {
		if (unlink(path) != 0 && errno != ENOENT)
			return ae_fail_errno(e, errno, "remove %s", path);
		return AE_OK;
	}
	rc = ae_file_mkdirs(c->state_dir, c->user ? 0700 : 0755, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(text, sizeof(text), "%d\n", level);
	return ae_file_write(path, text, strlen(text), 0644, e);
}

int
eventlog_set_level(const struct client *c, int level, struct ae_err *e)
{
	return set_level(c, c->log_level_file, level, e);
}

void
eventlog_set_policy_level(const struct client *c, int level)
{
	struct ae_err e = AE_ERR_INIT;
	unsigned was;

	if (c->user) /* the machine's holds for both */
		return;
	if (read_level(&was, c->policy_level_file) ? level == (int)was
						   : level < 0)
		return;
	if (set_level(c, c->policy_level_file, level, &e) != AE_OK &&
	    c->log != NULL)
		ae_log_printf(c->log, AE_LOG_WARNING,
		    "the LogLevel of policy was not kept: %s", e.text);
}

struct ae_lines
eventlog_file(const struct client *c)
{
	return (struct ae_lines){ .path = c->events,
		.max_size = c->events_max_size,
		.keep = c->events_keep,
		.mode = c->user ? 0600 : 0644 };
}

/* Bounded, valid UTF-8; what is not is shown byte by byte. */
static const char *
clean(struct ae_arena *a, const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);
	char *out;

	if (n > 0 && !ae_utf8_valid(s)) {
		out = ae_arena_alloc(a, PARAM_MAX);
		return out == NULL ? "" : ae_str_quote(out, PARAM_MAX, s, n);
	}
	if (n <= PARAM_MAX)
		return s == NULL ? "" : s;
	for (n = PARAM_MAX; ((unsigned char)s[n] & 0xc0) == 0x80; n--)
		;
	out = ae_arena_strndup(a, s, n);
	return out == NULL ? "" : out;
}

/* An event on its way to file and journal. */
struct happening {
	const struct ae_event_def *def;
	const char *text;
	const char *params[AE_EVENT_PARAMS_MAX];
	char names[AE_EVENT_PARAMS_MAX][AE_EVENT_NAME_MAX];
	size_t n;
};

static json_t *
to_json(const struct happening *h)
{
	char when[AE_TIME_STR_MAX];
	json_t *params = json_array(), *fields = json_object();
	size_t i;

	for (i = 0; i < h->n; i++) {
		(void)json_array_append_new(params, client_text(h->params[i]));
		(void)json_object_set_new(
		    fields, h->names[i], client_text(h->params[i]));
	}
	return json_pack("{s:s, s:s, s:i, s:s, s:o, s:o, s:o}", "time",
	    ae_time_print(when, ae_clock_now()), "source",
	    ae_event_source_name(h->def->source), "id", (int)h->def->id,
	    "level", ae_event_level_name(h->def->level), "message",
	    client_text(h->text), "params", params, "fields", fields);
}

/*
 * To the journal: MESSAGE_ID for the catalogue, and every parameter as a
 * field of its own.  Where the log goes to standard error, there, too.
 */
static void
to_log(const struct client *c, const struct happening *h)
{
	char id[16], message_id[AE_EVENT_MESSAGE_ID_MAX];
	char keys[AE_EVENT_PARAMS_MAX][AE_EVENT_NAME_MAX + 3];
	struct ae_log_record r = {
		.level = h->def->level == AE_EVENT_ERROR ? AE_LOG_ERROR
		    : h->def->level == AE_EVENT_WARNING	 ? AE_LOG_WARNING
							 : AE_LOG_INFO,
		.text = h->text,
		.field = { { "AE_EVENT_ID", id },
		    { "AE_EVENT_SOURCE", ae_event_source_name(h->def->source) },
		    { "MESSAGE_ID", message_id } },
		.nfield = 3,
	};
	size_t i, j;

	(void)snprintf(id, sizeof(id), "%u", h->def->id);
	ae_event_message_id(message_id, h->def);
	for (i = 0; i < h->n; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "AE_%s", h->names[i]);
		for (j = 0; keys[i][j] != '\0'; j++)
			keys[i][j] = (char)toupper((unsigned char)keys[i][j]);
		r.field[r.nfield++] =
		    (struct ae_log_field){ keys[i], h->params[i] };
	}
	if (c->log == NULL)
		return;
	(void)ae_log_journal(c->log, &r);
	r.nfield = 2; /* as much as is of use in a line */
	if (!ae_log_is_journal(c->log))
		ae_log_write(c->log, &r);
}

static void
store(const struct client *c, const struct happening *h)
{
	struct ae_lines f = eventlog_file(c);
	struct ae_err e = AE_ERR_INIT;
	json_t *j = to_json(h);
	char *line = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
	int rc;

	json_decref(j);
	rc = line == NULL
	    ? ae_fail_mem(&e)
	    : ae_file_mkdirs(c->state_dir, c->user ? 0700 : 0755, &e);
	if (rc == AE_OK)
		rc = ae_lines_append(&f, line, strlen(line), &e);
	free(line);
	if (rc != AE_OK && c->log != NULL)
		ae_log_printf(c->log, AE_LOG_WARNING,
		    "event %u of %s was not stored: %s", h->def->id,
		    ae_event_source_short(h->def->source), e.text);
}

void
eventlog_write(const struct client *c, enum ae_event_source source, unsigned id,
    const char *const *params, size_t nparams)
{
	struct happening h = { .def = ae_event_find(source, id) };
	struct ae_arena *a = ae_arena_new(64 * 1024);

	if (h.def == NULL || a == NULL ||
	    !ae_event_wanted(h.def, eventlog_level(c, NULL)))
		goto out;
	for (; h.n < nparams && h.n < AE_EVENT_PARAMS_MAX &&
	     ae_event_param(h.names[h.n], h.def, h.n);
	     h.n++)
		h.params[h.n] = clean(a, params[h.n]);
	h.text = ae_event_text(a, h.def, h.params, h.n);
	if (h.text == NULL)
		goto out;
	to_log(c, &h);
	store(c, &h);
out:
	ae_arena_free(a);
}

void
eventlog_lifecycle(const struct client *c, unsigned id,
    const char *const *params, size_t nparams)
{
	eventlog_write(c,
	    c->user ? AE_EVENT_LIFECYCLE_USER : AE_EVENT_LIFECYCLE_SYSTEM, id,
	    params, nparams);
}

json_t *
eventlog_parse(const char *line, size_t len, int64_t *when)
{
	json_t *j = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *time, *source, *level, *message;
	int id;

	if (json_unpack(j, "{s:s, s:s, s:i, s:s, s:s}", "time", &time, "source",
		&source, "id", &id, "level", &level, "message",
		&message) == 0 &&
	    ae_time_parse(when, time))
		return j;
	json_decref(j);
	return NULL;
}
