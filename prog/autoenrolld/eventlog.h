/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Where the client's events are written and read: the journal, and a file of
 * JSON lines that "autoenroll events" reads wherever there is no journal.
 */
#ifndef AE_CLIENT_EVENTLOG_H
#define AE_CLIENT_EVENTLOG_H

#include <jansson.h>

#include "client.h"
#include "enroll/event.h"

/* LogLevel in force: the file's, or 3 (warning). */
unsigned eventlog_level(const struct client *c);

/* Set it at once for every later event; level < 0 goes back to the default. */
int eventlog_set_level(
    const struct client *c, int level, struct ae_err *e) AE_MUST_CHECK;

/*
 * Write one event if the level lets it through.  nparams parameters, the
 * first is the context ("Local system").  Never fails towards the caller:
 * an event that cannot be written goes to the log as such.
 */
void eventlog_write(const struct client *c, enum ae_event_source source,
    unsigned id, const char *const *params, size_t nparams);

/*
 * Events of the file since a point in time, oldest first, as a JSON array of
 * {time, source, id, level, message, params}.  Lines that are damaged are
 * passed over.  New reference.
 */
int eventlog_read(json_t **out, const struct client *c, int64_t since,
    struct ae_err *e) AE_MUST_CHECK;

#endif
