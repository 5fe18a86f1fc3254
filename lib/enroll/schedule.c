/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Points in time; see schedule.h.
 */
#include "enroll/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

#define DAY 86400

int64_t
ae_spread(const char *id, int64_t day, int64_t window)
{
	uint64_t h;

	if (window <= 0)
		return 0;
	h = ae_hash(AE_HASH_INIT, id, strlen(id));
	h = ae_hash_finish(ae_hash(h, &day, sizeof(day)));
	return (int64_t)(h % (uint64_t)window);
}

int64_t
ae_day(int64_t t)
{
	return t >= 0 ? t / DAY : -((-(t + 1)) / DAY) - 1;
}

int64_t
ae_backoff(unsigned n, int64_t first, int64_t most, uint64_t random)
{
	int64_t top = first;

	for (; n > 1 && top < most; n--)
		top *= 2;
	if (top > most)
		top = most;
	return top <= 0 ? 0 : (int64_t)(random % (uint64_t)(top + 1));
}

uint32_t
ae_missed(int64_t elapsed, int64_t interval, int64_t spread)
{
	int64_t n;

	if (interval <= 0 || elapsed < spread)
		return 0;
	n = (elapsed - spread) / interval;
	return n > AE_MISSED_MAX ? AE_MISSED_MAX : (uint32_t)n;
}

/* The longest divisor of a day that is not longer; a minute at least. */
static int64_t
dividing(int64_t interval)
{
	int64_t minutes = interval / 60;

	if (minutes < 1)
		minutes = 1;
	if (minutes > 24 * 60)
		minutes = 24 * 60;
	/* Below an hour of the hour, above it of whole hours of the day. */
	if (minutes >= 60)
		minutes -= minutes % 60;
	while ((minutes < 60 && 60 % minutes != 0) ||
	    (minutes >= 60 && (24 * 60) % minutes != 0))
		minutes -= minutes > 60 ? 60 : 1;
	return minutes;
}

static int
list(char *out, size_t len, int64_t first, int64_t step, int64_t end)
{
	int64_t i;
	int n = 0;

	for (i = first; i < end; i += step)
		n += snprintf(n < (int)len ? out + n : NULL,
		    n < (int)len ? len - (size_t)n : 0, "%s%" PRId64,
		    i == first ? "" : ",", i);
	return n;
}

int
ae_cron_lines(char *out, size_t len, const char *id, int64_t interval,
    int64_t start_spread, const char *person, const char *command)
{
	int64_t step = dividing(interval);
	int64_t at = ae_spread(id, 0, step);
	char minutes[256], hours[128];

	if (step >= 60) {
		(void)list(minutes, sizeof(minutes), at % 60, 60, 60);
		(void)list(hours, sizeof(hours), at / 60, step / 60, 24);
	} else {
		(void)list(minutes, sizeof(minutes), at, step, 60);
		(void)snprintf(hours, sizeof(hours), "*");
	}
	return snprintf(out, len,
	    "@reboot %s%ssleep %" PRId64 "; %s --trigger start\n"
	    "%s %s * * * %s%s%s --trigger schedule\n",
	    person == NULL ? "" : person, person == NULL ? "" : " ",
	    ae_spread(id, 0, start_spread), command, minutes, hours,
	    person == NULL ? "" : person, person == NULL ? "" : " ", command);
}
