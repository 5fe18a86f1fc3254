/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Strings: an owned list of them, and the comparisons the field's names
 * need.  ASCII case folding only: what AD compares case-insensitively here
 * (DNS names, realms, attribute and template names) is compared so.
 */
#ifndef AE_BASE_STR_H
#define AE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

/* An owned list of owned strings; zeroed is empty. */
struct ae_strv {
	char **v;
	size_t n;
};

/* Append a copy of s.  False when out of memory, the list is unchanged. */
bool ae_strv_add(struct ae_strv *l, const char *s);
void ae_strv_done(struct ae_strv *l);
bool ae_strv_has(const struct ae_strv *l, const char *s);	 /* exact */
bool ae_strv_has_nocase(const struct ae_strv *l, const char *s); /* ASCII */

bool ae_str_eq_nocase(const char *a, const char *b);

/*
 * Copy src for showing to a person or a log: control characters, quotes,
 * backslashes and bytes outside ASCII become \xNN; cut with "..." when
 * out is too small.  out is always terminated.  Returns out.
 */
const char *ae_str_quote(char *out, size_t outlen, const char *src, size_t len);

#endif
