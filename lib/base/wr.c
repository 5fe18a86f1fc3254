/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The bounded writer; see wr.h.
 */
#include "base/wr.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
ae_wr_init(struct ae_wr *w, size_t max)
{
	*w = (struct ae_wr){ .max = max };
}

void
ae_wr_done(struct ae_wr *w)
{
	free(w->p);
	w->p = NULL;
	w->len = w->cap = 0;
}

void
ae_wr_wipe(struct ae_wr *w)
{
	if (w->p != NULL)
		explicit_bzero(w->p, w->cap);
	ae_wr_done(w);
}

void
ae_wr_reset(struct ae_wr *w)
{
	w->len = 0;
	w->bad = w->full = false;
}

bool
ae_wr_ok(const struct ae_wr *w)
{
	return !w->bad;
}

bool
ae_wr_full(const struct ae_wr *w)
{
	return w->full;
}

uint8_t *
ae_wr_take(struct ae_wr *w, size_t *len)
{
	uint8_t *p = w->p;

	if (w->bad)
		return NULL;
	if (p == NULL && (p = malloc(1)) == NULL)
		return NULL;
	if (len != NULL)
		*len = w->len;
	w->p = NULL;
	w->len = w->cap = 0;
	return p;
}

/* Make room for n more bytes and one spare for ae_wr_cstr's NUL. */
static bool
grow(struct ae_wr *w, size_t n)
{
	size_t cap = w->cap == 0 ? 64 : w->cap;
	uint8_t *p;

	if (w->bad)
		return false;
	if (n > w->max - w->len) {
		w->bad = w->full = true;
		return false;
	}
	if (w->len + n < w->cap)
		return true;
	while (cap <= w->len + n)
		cap *= 2;
	p = realloc(w->p, cap);
	if (p == NULL) {
		w->bad = true;
		return false;
	}
	w->p = p;
	w->cap = cap;
	return true;
}

uint8_t *
ae_wr_room(struct ae_wr *w, size_t len)
{
	uint8_t *p;

	if (!grow(w, len))
		return NULL;
	p = w->p + w->len;
	memset(p, 0, len);
	w->len += len;
	return p;
}

void
ae_wr_bytes(struct ae_wr *w, const void *p, size_t len)
{
	if (len > 0 && grow(w, len)) {
		memcpy(w->p + w->len, p, len);
		w->len += len;
	}
}

void
ae_wr_zeros(struct ae_wr *w, size_t len)
{
	(void)ae_wr_room(w, len);
}

void
ae_wr_str(struct ae_wr *w, const char *s)
{
	ae_wr_bytes(w, s, strlen(s));
}

void
ae_wr_printf(struct ae_wr *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		w->bad = true;
	if (n < 0 || !grow(w, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf((char *)w->p + w->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	w->len += (size_t)n;
}

static void
put(const struct ae_wr *w, uint8_t *p, uint64_t v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[w->big ? n - 1 - i : i] = (uint8_t)(v >> (8 * i));
}

static void
add(struct ae_wr *w, uint64_t v, size_t n)
{
	if (!grow(w, n))
		return;
	put(w, w->p + w->len, v, n);
	w->len += n;
}

void
ae_wr_u8(struct ae_wr *w, uint8_t v)
{
	add(w, v, 1);
}

void
ae_wr_u16(struct ae_wr *w, uint16_t v)
{
	add(w, v, 2);
}

void
ae_wr_u32(struct ae_wr *w, uint32_t v)
{
	add(w, v, 4);
}

void
ae_wr_u64(struct ae_wr *w, uint64_t v)
{
	add(w, v, 8);
}

void
ae_wr_align(struct ae_wr *w, size_t n)
{
	ae_wr_zeros(w, (n - (w->len & (n - 1))) & (n - 1));
}

static void
set(struct ae_wr *w, size_t off, uint64_t v, size_t n)
{
	if (w->bad)
		return;
	assert(off <= w->len && n <= w->len - off);
	put(w, w->p + off, v, n);
}

void
ae_wr_set_u16(struct ae_wr *w, size_t off, uint16_t v)
{
	set(w, off, v, 2);
}

void
ae_wr_set_u32(struct ae_wr *w, size_t off, uint32_t v)
{
	set(w, off, v, 4);
}

const char *
ae_wr_cstr(struct ae_wr *w)
{
	if (!grow(w, 0))
		return NULL;
	w->p[w->len] = '\0';
	return (const char *)w->p;
}
