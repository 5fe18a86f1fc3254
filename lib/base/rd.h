/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A bounded reader with a sticky verdict.  A read past the end sets bad and
 * yields zero; a parser runs straight through and asks once, at the end,
 * with ae_rd_done() or ae_rd_ok().  Offsets count from the reader's start.
 */
#ifndef AE_BASE_RD_H
#define AE_BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ae_rd {
	const uint8_t *p;
	size_t len;
	size_t off;
	bool bad;
	bool big; /* u16/u32/u64 are big endian */
};

/* Borrow len bytes at p, little endian.  p may be NULL when len is 0. */
void ae_rd_init(struct ae_rd *r, const void *p, size_t len);

/* Everything was within bounds so far. */
bool ae_rd_ok(const struct ae_rd *r);

/* Everything was within bounds and nothing is left over. */
bool ae_rd_done(const struct ae_rd *r);

/* Bytes not yet read; 0 once bad. */
size_t ae_rd_left(const struct ae_rd *r);

/* Declare the input bad: a value was read but makes no sense. */
void ae_rd_fail(struct ae_rd *r);

uint8_t ae_rd_u8(struct ae_rd *r);
uint16_t ae_rd_u16(struct ae_rd *r);
uint32_t ae_rd_u32(struct ae_rd *r);
uint64_t ae_rd_u64(struct ae_rd *r);

/* Copy len bytes to out; out is zeroed when they are not there. */
void ae_rd_copy(struct ae_rd *r, void *out, size_t len);

/* Borrow the next len bytes of the input; NULL when they are not there. */
const uint8_t *ae_rd_take(struct ae_rd *r, size_t len);

/* Step over len bytes. */
void ae_rd_skip(struct ae_rd *r, size_t len);

/* Step to the next offset that is a multiple of n (a power of two). */
void ae_rd_align(struct ae_rd *r, size_t n);

/* Go to an offset of the input, forward or back. */
void ae_rd_seek(struct ae_rd *r, size_t off);

/*
 * A reader over exactly the next len bytes, with the same byte order; this
 * one steps over them.  When they are not there both readers are bad.
 */
struct ae_rd ae_rd_sub(struct ae_rd *r, size_t len);

#endif
