/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Points in time and spans as the product uses them: int64_t seconds since
 * 1970 in UTC.  Windows' FILETIME (100 ns since 1601, MS-DTYP 2.3.3) comes
 * in through here and nowhere else.  No function reads a clock.
 */
#ifndef AE_BASE_TIME_H
#define AE_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define AE_TIME_STR_MAX 32

/*
 * A FILETIME point as Unix seconds, rounded down.  0 and the "never" value
 * 0x7fffffffffffffff give INT64_MAX.
 */
int64_t ae_time_from_filetime(uint64_t ft);
uint64_t ae_time_to_filetime(int64_t t); /* before 1601: 0 */

/*
 * A template's period (pKIExpirationPeriod, MS-CRTD 2.11): eight little-
 * endian bytes holding a negative FILETIME span.  Seconds, or -1 when the
 * value is not a negative span.
 */
int64_t ae_span_from_period(const uint8_t period[8]);
void ae_span_to_period(uint8_t period[8], int64_t seconds);

/* "2026-11-23T13:40:28Z"; years outside 0..9999 print as "never". */
const char *ae_time_print(char out[AE_TIME_STR_MAX], int64_t t);

/* Exactly that form.  False: *t untouched. */
bool ae_time_parse(int64_t *t, const char *s);

/*
 * "Tue, 21 Nov 2000 01:06:53 GMT", RFC 2616 3.3.1, and no older form of it.
 * False: *t untouched.
 */
bool ae_time_parse_http(int64_t *t, const char *s);

/* So many months later, at the same time of the day (31 January and one
   month: 2 or 3 March). */
int64_t ae_time_add_months(int64_t t, int months);

/* "2 years", "6 weeks", "90 min": the largest unit that divides it. */
const char *ae_span_print(char out[AE_TIME_STR_MAX], int64_t seconds);

#endif
