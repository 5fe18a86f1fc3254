/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * UTF-16LE, as the wire has it, to and from UTF-8, as we have it.  Lone
 * surrogates, overlong forms and code points above U+10FFFF are refused; a
 * string is never cut short silently.
 */
#ifndef AE_BASE_UTF16_H
#define AE_BASE_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/wr.h"

/*
 * units UTF-16LE code units at p as a NUL-terminated UTF-8 string from a.
 * NULL when malformed, when it holds U+0000, or when a is exhausted (tell
 * them apart with ae_arena_full or by ae_utf16_valid).
 */
char *ae_utf16_to_utf8(struct ae_arena *a, const uint8_t *p, size_t units);

/* Well-formed and free of U+0000. */
bool ae_utf16_valid(const uint8_t *p, size_t units);

/*
 * Append s as UTF-16LE without a terminator.  False, and nothing appended,
 * when s is not valid UTF-8.  (w's own failure shows in ae_wr_ok.)
 */
bool ae_utf16_put(struct ae_wr *w, const char *s);

/* Code units s needs, without terminator; SIZE_MAX when not valid UTF-8. */
size_t ae_utf16_units(const char *s);

/* s is valid UTF-8. */
bool ae_utf8_valid(const char *s);

/*
 * Length of the character at p, of which left bytes are there; 0 when it is
 * better shown by its bytes: it is no UTF-8, or a terminal or a reader of
 * right-to-left text obeys it (control characters, separators of lines,
 * marks and overrides of direction).
 */
size_t ae_utf8_shown(const char *p, size_t left);

#endif
