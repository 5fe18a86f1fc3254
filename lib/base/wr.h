/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A growing byte string that was born with its maximum.  Writes after a
 * failure do nothing; ask once with ae_wr_ok().  Lengths known later are
 * patched with ae_wr_set_u16/u32 at a remembered offset.
 */
#ifndef AE_BASE_WR_H
#define AE_BASE_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ae_wr {
	uint8_t *p;
	size_t len;
	size_t cap;
	size_t max;
	bool bad; /* out of memory or over max; ae_wr_full tells which */
	bool full;
	bool big; /* u16/u32/u64 are written big endian */
};

/* An empty writer that will hold at most max bytes.  Allocates nothing yet. */
void ae_wr_init(struct ae_wr *w, size_t max);

/* Free the bytes; the writer may be initialised again. */
void ae_wr_done(struct ae_wr *w);

/* As ae_wr_done, wiping the bytes first: for keys and tickets. */
void ae_wr_wipe(struct ae_wr *w);

/* Forget the bytes, keep the memory and the maximum; clears bad. */
void ae_wr_reset(struct ae_wr *w);

bool ae_wr_ok(const struct ae_wr *w);
bool ae_wr_full(const struct ae_wr *w);

/*
 * Yours now: the bytes, to be released with free(); *len may be NULL.  NULL
 * when the writer is bad.  An empty writer yields a valid pointer, length 0.
 */
uint8_t *ae_wr_take(struct ae_wr *w, size_t *len);

void ae_wr_u8(struct ae_wr *w, uint8_t v);
void ae_wr_u16(struct ae_wr *w, uint16_t v);
void ae_wr_u32(struct ae_wr *w, uint32_t v);
void ae_wr_u64(struct ae_wr *w, uint64_t v);
void ae_wr_bytes(struct ae_wr *w, const void *p, size_t len);
void ae_wr_zeros(struct ae_wr *w, size_t len);
void ae_wr_str(struct ae_wr *w, const char *s); /* without its NUL */
void ae_wr_printf(struct ae_wr *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Zeros up to the next offset that is a multiple of n (a power of two). */
void ae_wr_align(struct ae_wr *w, size_t n);

/*
 * Room for len bytes at the end, already counted in w->len and zeroed; the
 * pointer is good until the next write.  NULL when bad.
 */
uint8_t *ae_wr_room(struct ae_wr *w, size_t len);

/* Overwrite at an offset written before; asserts that it was. */
void ae_wr_set_u16(struct ae_wr *w, size_t off, uint16_t v);
void ae_wr_set_u32(struct ae_wr *w, size_t off, uint32_t v);

/* The bytes as a C string: appends a NUL that len does not count. NULL if bad.
 */
const char *ae_wr_cstr(struct ae_wr *w);

#endif
