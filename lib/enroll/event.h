/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client's events, with Windows' sources, ids and levels, so that what
 * people know from the Application log holds here too.  This is the table
 * and the text; where an event is written is the program's business.
 */
#ifndef AE_ENROLL_EVENT_H
#define AE_ENROLL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum ae_event_source {
	AE_EVENT_AUTOENROLLMENT, /* …CertificateServicesClient-AutoEnrollment */
	AE_EVENT_CSC,		 /* …CertificateServicesClient */
	AE_EVENT_CERTENROLL,	 /* …CertificateServicesClient-CertEnroll */
	AE_EVENT_LIFECYCLE_SYSTEM, /* …-Lifecycle-System: the machine's store */
	AE_EVENT_LIFECYCLE_USER,   /* …-Lifecycle-User: a user's */
};

enum ae_event_level {
	AE_EVENT_ERROR = 2,
	AE_EVENT_WARNING = 3,
	AE_EVENT_INFORMATION = 4,
};

/* The LogLevel scale of Cryptography\AutoEnrollment; the default is 3. */
enum ae_event_log_level {
	AE_EVENT_LOG_MINIMAL = 0,
	AE_EVENT_LOG_TERSE = 1,
	AE_EVENT_LOG_ERROR = 2,
	AE_EVENT_LOG_WARNING = 3,
	AE_EVENT_LOG_VERBOSE = 4,
	AE_EVENT_LOG_EXHAUSTIVE = 5,
};

#define AE_EVENT_PARAMS_MAX 6
#define AE_EVENT_NAME_MAX 32
#define AE_EVENT_MESSAGE_ID_MAX 33

/* One row of the catalogue.  %1 … %6 in text stand for the parameters. */
struct ae_event_def {
	enum ae_event_source source;
	uint16_t id;
	enum ae_event_level level;
	const char *params; /* their names, by space: "context template" */
	const char *text;
	const char *remedy; /* what an admin can do about it; NULL: nothing */
	const char *absent; /* why this client never writes it; NULL: it does */
};

/* How many parameters an event has. */
size_t ae_event_nparams(const struct ae_event_def *def);

/* The name of parameter i (from 0); false past the last. */
bool ae_event_param(
    char out[AE_EVENT_NAME_MAX], const struct ae_event_def *def, size_t i);

/*
 * The journal's MESSAGE_ID, 32 hex digits: constant for source and id, so
 * that the message catalogue and scripts can rely on it.
 */
void ae_event_message_id(
    char out[AE_EVENT_MESSAGE_ID_MAX], const struct ae_event_def *def);

/* NULL when the catalogue has no such event. */
const struct ae_event_def *ae_event_find(
    enum ae_event_source source, unsigned id);

/* Row i of the catalogue, NULL past its end. */
const struct ae_event_def *ae_event_row(size_t i);

/*
 * Would this event be written at that LogLevel?  Errors from
 * AE_EVENT_LOG_TERSE, warnings from AE_EVENT_LOG_WARNING, information from
 * AE_EVENT_LOG_VERBOSE.  The lifecycle sources are channels of their own
 * that LogLevel does not govern: always.
 */
bool ae_event_wanted(const struct ae_event_def *def, unsigned log_level);

/* "Microsoft-Windows-CertificateServicesClient-AutoEnrollment" and so on. */
const char *ae_event_source_name(enum ae_event_source source);

/* "AutoEnrollment", "CertificateServicesClient", "CertEnroll", … */
const char *ae_event_source_short(enum ae_event_source source);

/* name is that source, in full or in short, in any case of letters. */
bool ae_event_source_is(const char *source, const char *name);

/* "Error", "Warning", "Information". */
const char *ae_event_level_name(enum ae_event_level level);

/*
 * The message with its parameters filled in; a missing parameter leaves
 * nothing in its place.  NULL when a is exhausted.
 */
char *ae_event_text(struct ae_arena *a, const struct ae_event_def *def,
    const char *const *params, size_t nparams);

#endif
