/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Times typed by people; see when.h.
 */
#include "base/when.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

int64_t
ae_when_midnight(int64_t t, int days)
{
	time_t when = (time_t)t;
	struct tm tm;

	if (localtime_r(&when, &tm) == NULL)
		return t;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday -= days;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

/* Exactly n digits; the cursor moves past them. */
static bool
digits(int *out, const char **s, int n)
{
	int v = 0;

	for (; n > 0; n--, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return false;
		v = v * 10 + (**s - '0');
	}
	*out = v;
	return true;
}

static bool
skip(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool
clock_time(struct tm *tm, const char **s)
{
	if (!digits(&tm->tm_hour, s, 2) || !skip(s, ':') ||
	    !digits(&tm->tm_min, s, 2))
		return false;
	if (skip(s, ':') && !digits(&tm->tm_sec, s, 2))
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

/* "Z", "+01:00", or nothing: local time.  *offset is east of Greenwich. */
static bool
zone(bool *local, int *offset, const char *s)
{
	int sign, h, m = 0;

	*local = *s == '\0';
	*offset = 0;
	if (*local || strcmp(s, "Z") == 0)
		return true;
	if (*s != '+' && *s != '-')
		return false;
	sign = *s++ == '-' ? -1 : 1;
	if (!digits(&h, &s, 2))
		return false;
	(void)skip(&s, ':');
	if (*s != '\0' && !digits(&m, &s, 2))
		return false;
	*offset = sign * (h * 3600 + m * 60);
	return *s == '\0' && h < 24 && m < 60;
}

static bool
calendar(int64_t *out, const char *s)
{
	struct tm tm = { .tm_isdst = -1 }, back;
	bool local = true;
	int offset = 0;
	time_t t;

	if (!digits(&tm.tm_year, &s, 4) || !skip(&s, '-') ||
	    !digits(&tm.tm_mon, &s, 2) || !skip(&s, '-') ||
	    !digits(&tm.tm_mday, &s, 2))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (*s != '\0') {
		if (!skip(&s, 'T') && !skip(&s, ' '))
			return false;
		if (!clock_time(&tm, &s) || !zone(&local, &offset, s))
			return false;
	}
	back = tm;
	t = local ? mktime(&back) : timegm(&back);
	/* 30 February, say, would come back as another day. */
	if (back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon ||
	    back.tm_year != tm.tm_year)
		return false;
	*out = (int64_t)t - offset;
	return true;
}

static bool
age(int64_t *out, const char *s, int64_t now)
{
	static const struct {
		char unit;
		int64_t len;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 7 * 86400 } };
	int64_t n = 0;
	size_t i;

	if (!isdigit((unsigned char)*s))
		return false;
	for (; isdigit((unsigned char)*s) && n < 1000000000; s++)
		n = n * 10 + (*s - '0');
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (s[0] == units[i].unit && s[1] == '\0') {
			*out = now - n * units[i].len;
			return true;
		}
	}
	return false;
}

bool
ae_when_parse(int64_t *out, const char *s, int64_t now)
{
	if (strcmp(s, "now") == 0)
		*out = now;
	else if (strcmp(s, "today") == 0)
		*out = ae_when_midnight(now, 0);
	else if (strcmp(s, "yesterday") == 0)
		*out = ae_when_midnight(now, 1);
	else
		return age(out, s, now) || calendar(out, s);
	return true;
}
