/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Is all well?  What a monitoring system is told about the certificates of a
 * store and the runs that keep them.  Pure: told everything, the time too.
 */
#ifndef AE_ENROLL_STATUS_H
#define AE_ENROLL_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of how grave they are. */
enum ae_health {
	AE_HEALTH_OK,
	AE_HEALTH_WARNING,  /* will be broken unless somebody looks */
	AE_HEALTH_CRITICAL, /* is broken */
};

/*
 * When a certificate is about to expire: fewer days are left than days, or
 * less of its lifetime than percent of 100.  0: that one is not asked.
 */
struct ae_status_warn {
	unsigned days;
	unsigned percent;
};

/* "30" or "30d" days, "10%" percent.  False: *out is untouched. */
bool ae_status_warn_parse(struct ae_status_warn *out, const char *s);

struct ae_status_cert {
	int64_t not_before, not_after;
	const char *state; /* as store list has it */
};

/* *why is a sentence without its subject, never NULL. */
enum ae_health ae_status_cert(const char **why, const struct ae_status_cert *c,
    const struct ae_status_warn *warn, int64_t now);

struct ae_status_task {
	bool known;   /* there is a record of runs */
	bool enabled; /* "Disabled" otherwise */
	bool running;
	int64_t last_end; /* 0: never */
	int exit;	  /* of the last run */
	int64_t next;	  /* 0: not known */
	int64_t interval; /* seconds between runs */
};

enum ae_health ae_status_task(
    const char **why, const struct ae_status_task *t, int64_t now);

/* "ok", "warning", "critical" */
const char *ae_health_name(enum ae_health h);

#endif
