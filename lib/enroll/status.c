/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Health of certificates and runs; see status.h.
 */
#include "enroll/status.h"

#include <stdlib.h>
#include <string.h>

#define EXIT_PENDING 9 /* doc/cli.md: a request waits for approval */

bool
ae_status_warn_parse(struct ae_status_warn *out, const char *s)
{
	struct ae_status_warn w = { 0 };
	char *end;
	long n;

	if (*s < '0' || *s > '9')
		return false;
	n = strtol(s, &end, 10);
	if (strcmp(end, "%") == 0 && n >= 1 && n <= 100)
		w.percent = (unsigned)n;
	else if ((*end == '\0' || strcmp(end, "d") == 0) && n >= 1 &&
	    n <= 36500)
		w.days = (unsigned)n;
	else
		return false;
	*out = w;
	return true;
}

enum ae_health
ae_status_cert(const char **why, const struct ae_status_cert *c,
    const struct ae_status_warn *warn, int64_t now)
{
	int64_t left = c->not_after - now, all = c->not_after - c->not_before;

	if (left <= 0) {
		*why = "has expired";
		return AE_HEALTH_CRITICAL;
	}
	if (strcmp(c->state, "valid") != 0) {
		*why = c->state;
		return strcmp(c->state, "not yet valid") == 0
		    ? AE_HEALTH_WARNING
		    : AE_HEALTH_CRITICAL;
	}
	if (left <= (int64_t)warn->days * 86400 ||
	    (warn->percent > 0 && all > 0 &&
		left / ((all + 99) / 100) < (int64_t)warn->percent)) {
		*why = "is about to expire";
		return AE_HEALTH_WARNING;
	}
	*why = "is valid";
	return AE_HEALTH_OK;
}

enum ae_health
ae_status_task(const char **why, const struct ae_status_task *t, int64_t now)
{
	if (t->known && !t->enabled) {
		*why = "is disabled";
		return AE_HEALTH_WARNING;
	}
	if (!t->known || t->last_end == 0) {
		*why = "has never run";
		return t->running ? AE_HEALTH_OK : AE_HEALTH_WARNING;
	}
	/* Not at all for two intervals: whoever starts runs is gone. */
	if (!t->running && now - t->last_end > 2 * t->interval) {
		*why = "has not run for a long time";
		return AE_HEALTH_CRITICAL;
	}
	if (t->exit == EXIT_PENDING) {
		*why = "waits for an approval";
		return AE_HEALTH_OK;
	}
	if (t->exit != 0) {
		*why = "failed the last time";
		return AE_HEALTH_CRITICAL;
	}
	*why = "did well the last time";
	return AE_HEALTH_OK;
}

const char *
ae_health_name(enum ae_health h)
{
	static const char *const names[] = { [AE_HEALTH_OK] = "ok",
		[AE_HEALTH_WARNING] = "warning",
		[AE_HEALTH_CRITICAL] = "critical" };

	return names[h];
}
