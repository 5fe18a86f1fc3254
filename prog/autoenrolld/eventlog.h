/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Where the client's events are written and read: the journal, and a bounded
 * file of JSON lines (sys/lines.h) that "autoenroll events" reads, so that it
 * works wherever there is no journal, too.
 */
#ifndef AE_CLIENT_EVENTLOG_H
#define AE_CLIENT_EVENTLOG_H

#include <jansson.h>

#include "client.h"
#include "enroll/event.h"
#include "sys/lines.h"

/* Who set the LogLevel in force; the first of them wins. */
enum eventlog_from {
	EVENTLOG_LOCAL,	 /* autoenroll log level */
	EVENTLOG_POLICY, /* policy.conf, then group policy: at the last run */
	EVENTLOG_DEFAULT,
};

/* LogLevel in force, read anew each time; from may be NULL. */
unsigned eventlog_level(const struct client *c, enum eventlog_from *from);

/* Set it at once for every later event; level < 0 takes it back. */
int eventlog_set_level(
    const struct client *c, int level, struct ae_err *e) AE_MUST_CHECK;

/*
 * The same for what a run learned from policy; level < 0: policy says
 * nothing.  Writes only what changed; a failure goes to the log.
 */
void eventlog_set_policy_level(const struct client *c, int level);

/*
 * Write one event if the level lets it through.  nparams parameters, in the
 * order of the catalogue.  Never fails towards the caller: an event that
 * cannot be stored goes to the log as such.
 */
void eventlog_write(const struct client *c, enum ae_event_source source,
    unsigned id, const char *const *params, size_t nparams);

/* The same in the history of the store: Lifecycle-System or -User. */
void eventlog_lifecycle(const struct client *c, unsigned id,
    const char *const *params, size_t nparams);

/* The file of the events, for sys/lines.h. */
struct ae_lines eventlog_file(const struct client *c);

/*
 * A line of that file: a JSON object {time, source, id, level, message,
 * params, fields}, *when its time.  New reference; NULL when damaged.
 */
json_t *eventlog_parse(const char *line, size_t len, int64_t *when);

#endif
