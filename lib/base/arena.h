/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Memory that is dropped whole: what one message decodes to lives in one
 * arena, and the arena has a ceiling that hostile input cannot pass.
 */
#ifndef AE_BASE_ARENA_H
#define AE_BASE_ARENA_H

#include <stddef.h>

struct ae_arena;

/*
 * A new empty arena that will never hand out more than ceiling bytes in sum
 * (alignment included).  NULL when out of memory.
 */
struct ae_arena *ae_arena_new(size_t ceiling);

/* Free the arena and everything allocated from it.  NULL is fine. */
void ae_arena_free(struct ae_arena *a);

/* Drop everything, keep the arena (and one block) for the next message. */
void ae_arena_reset(struct ae_arena *a);

/*
 * size zeroed bytes aligned for any type, or NULL: out of memory or over the
 * ceiling (ae_arena_full tells which).  A size of 0 yields a valid pointer.
 */
void *ae_arena_alloc(struct ae_arena *a, size_t size);

/* n * size bytes with the overflow check done. */
void *ae_arena_array(struct ae_arena *a, size_t n, size_t size);

/* Copies; the NUL-terminated result of strndup is len + 1 bytes. */
void *ae_arena_dup(struct ae_arena *a, const void *p, size_t len);
char *ae_arena_strndup(struct ae_arena *a, const char *s, size_t len);
char *ae_arena_strdup(struct ae_arena *a, const char *s);
char *ae_arena_printf(struct ae_arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Non-zero after an allocation was refused because of the ceiling. */
int ae_arena_full(const struct ae_arena *a);

/* Bytes handed out so far. */
size_t ae_arena_used(const struct ae_arena *a);

#endif
