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

/* One row of the catalogue.  %1 … %6 in text stand for the parameters. */
struct ae_event_def {
	enum ae_event_source source;
	uint16_t id;
	enum ae_event_level level;
	uint8_t nparams;
	const char *text;
	const char *remedy; /* what an admin can do about it; NULL: nothing */
};

/* NULL when the catalogue has no such event. */
const struct ae_event_def *ae_event_find(
    enum ae_event_source source, unsigned id);

/* Row i of the catalogue, NULL past its end. */
const struct ae_event_def *ae_event_row(size_t i);

/*
 * Would an event of this level be written at that LogLevel?  Errors from
 * AE_EVENT_LOG_TERSE, warnings from AE_EVENT_LOG_WARNING, information from
 * AE_EVENT_LOG_VERBOSE.
 */
bool ae_event_wanted(enum ae_event_level level, unsigned log_level);

/* "Microsoft-Windows-CertificateServicesClient-AutoEnrollment" and so on. */
const char *ae_event_source_name(enum ae_event_source source);

/* "AutoEnrollment", "CertificateServicesClient", "CertEnroll". */
const char *ae_event_source_short(enum ae_event_source source);

/* "Error", "Warning", "Information". */
const char *ae_event_level_name(enum ae_event_level level);

/*
 * The message with its parameters filled in; a missing parameter leaves
 * nothing in its place.  NULL when a is exhausted.
 */
char *ae_event_text(struct ae_arena *a, const struct ae_event_def *def,
    const char *const *params, size_t nparams);

#endif
