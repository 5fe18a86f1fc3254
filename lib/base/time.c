/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Times and spans; see time.h.
 */
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TICKS INT64_C(10000000)	       /* per second */
#define EPOCH_GAP INT64_C(11644473600) /* 1601 to 1970 in seconds */

int64_t
ae_time_from_filetime(uint64_t ft)
{
	if (ft == 0 || ft >= INT64_MAX)
		return INT64_MAX;
	return (int64_t)ft / TICKS - EPOCH_GAP;
}

uint64_t
ae_time_to_filetime(int64_t t)
{
	if (t <= -EPOCH_GAP)
		return 0;
	if (t >= INT64_MAX / TICKS - EPOCH_GAP)
		return INT64_MAX;
	return (uint64_t)((t + EPOCH_GAP) * TICKS);
}

int64_t
ae_span_from_period(const uint8_t period[8])
{
	uint64_t v = 0;
	int64_t span;
	int i;

	for (i = 7; i >= 0; i--)
		v = v << 8 | period[i];
	memcpy(&span, &v, sizeof(span));
	if (span >= 0 || span == INT64_MIN)
		return -1;
	return -span / TICKS;
}

void
ae_span_to_period(uint8_t period[8], int64_t seconds)
{
	uint64_t v = (uint64_t) - (seconds * TICKS);
	int i;

	for (i = 0; i < 8; i++)
		period[i] = (uint8_t)(v >> (8 * i));
}

const char *
ae_time_print(char out[AE_TIME_STR_MAX], int64_t t)
{
	time_t tt = (time_t)t;
	struct tm tm;

	if (gmtime_r(&tt, &tm) == NULL || tm.tm_year < -1900 ||
	    tm.tm_year > 9999 - 1900)
		(void)snprintf(out, AE_TIME_STR_MAX, "never");
	else
		(void)strftime(out, AE_TIME_STR_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

bool
ae_time_parse(int64_t *t, const char *s)
{
	char again[AE_TIME_STR_MAX];
	struct tm tm = { 0 };
	const char *end;
	int64_t v;

	end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (end == NULL || *end != '\0')
		return false;
	v = (int64_t)timegm(&tm);
	/* strptime is lenient (31 February, missing zeros); printing is not. */
	if (strcmp(ae_time_print(again, v), s) != 0)
		return false;
	*t = v;
	return true;
}

bool
ae_time_parse_http(int64_t *t, const char *s)
{
	static const char form[] = "%a, %d %b %Y %H:%M:%S GMT";
	char again[AE_TIME_STR_MAX * 2];
	struct tm tm = { 0 };
	const char *end = strptime(s, form, &tm);
	time_t v;

	if (end == NULL || *end != '\0')
		return false;
	v = timegm(&tm);
	/* lenient, too, and the day of the week may be a wrong one */
	if (gmtime_r(&v, &tm) == NULL ||
	    strftime(again, sizeof(again), form, &tm) == 0 ||
	    strcmp(again, s) != 0)
		return false;
	*t = (int64_t)v;
	return true;
}

int64_t
ae_time_add_months(int64_t t, int months)
{
	const time_t tt = (time_t)t;
	struct tm tm;

	if (gmtime_r(&tt, &tm) == NULL)
		return INT64_MAX;
	tm.tm_year += months / 12;
	tm.tm_mon += months % 12;
	return (int64_t)timegm(&tm);
}

const char *
ae_span_print(char out[AE_TIME_STR_MAX], int64_t seconds)
{
	static const struct {
		int64_t len;
		const char *one;
		const char *many;
	} units[] = {
		{ 365 * 86400, "year", "years" },
		{ 7 * 86400, "week", "weeks" },
		{ 86400, "day", "days" },
		{ 3600, "hour", "hours" },
		{ 60, "min", "min" },
		{ 1, "s", "s" },
	};
	size_t i, last = sizeof(units) / sizeof(units[0]) - 1;
	int64_t n;

	for (i = 0; i < last; i++)
		if (seconds != 0 && seconds % units[i].len == 0)
			break;
	n = seconds / units[i].len;
	(void)snprintf(out, AE_TIME_STR_MAX, "%" PRId64 " %s", n,
	    n == 1 ? units[i].one : units[i].many);
	return out;
}
