/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * When runs are due: every interval, each machine at its own moment, and
 * after a failure later and later.  Pure: clocks and randomness come in.
 */
#ifndef AE_ENROLL_SCHEDULE_H
#define AE_ENROLL_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * This principal's place, 0 … window - 1, on that day (days since 1970): the
 * same whenever it is asked, another one the next day, and those of many
 * principals evenly spread.  id is the SID, or what stands for it until that
 * is known.  A window of 0 or less is no spread: 0.
 */
int64_t ae_spread(const char *id, int64_t day, int64_t window);

/* The day a point in time is in; for any clock, also one before 1970. */
int64_t ae_day(int64_t t);

/*
 * How long to wait after the nth failure in a row (1, 2, …): a random part,
 * from nothing to all, of first doubled n - 1 times, which most bounds.
 */
int64_t ae_backoff(unsigned n, int64_t first, int64_t most, uint64_t random);

#define AE_MISSED_MAX 1000u /* "or more": clocks jump by years */

/*
 * How many points of a schedule of this interval passed in the elapsed
 * time, each with its spread.  A negative time passes none.
 */
uint32_t ae_missed(int64_t elapsed, int64_t interval, int64_t spread);

/*
 * The lines for crontab(5) that do what the daemon does: one at boot, one
 * for every interval.  All of a day is used for the spread, because cron
 * knows the hour only.  An interval that does not divide a day is made
 * shorter until it does.  person is the field of /etc/cron.d between time
 * and command, NULL for a user's own crontab; command is how to start a run.
 * Returns what snprintf would.
 */
int ae_cron_lines(char *out, size_t len, const char *id, int64_t interval,
    int64_t start_spread, const char *person, const char *command);

#endif
