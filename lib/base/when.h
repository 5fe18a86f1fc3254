/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Points in time as people type them.
 */
#ifndef AE_BASE_WHEN_H
#define AE_BASE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "now", "today", "yesterday" (their local midnight); an age before now:
 * 90s, 30m, 8h, 3d, 2w; a date or a time: 2026-11-23, 2026-11-23T08:00,
 * 2026-11-23 08:00:30 in local time, with Z or +01:00 there.  False when it
 * is none of these or no time of the calendar; *out is then untouched.
 */
bool ae_when_parse(int64_t *out, const char *s, int64_t now);

/* The local midnight at or before t, days earlier. */
int64_t ae_when_midnight(int64_t t, int days);

#endif
