/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Bytes that must not outlive their use: wiped on free, never printed.
 */
#ifndef AE_BASE_SECRET_H
#define AE_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

/* Caller's storage; zeroed is empty. */
struct ae_secret {
	uint8_t *p;
	size_t len;
};

/*
 * Become a copy of len bytes (p NULL: len zero bytes).  Returns 0, or -1
 * when out of memory with *s untouched.  What *s held before is wiped.
 */
int ae_secret_set(struct ae_secret *s, const void *p, size_t len);

/* Wipe and free; *s is empty afterwards.  NULL and empty are fine. */
void ae_secret_done(struct ae_secret *s);

#endif
