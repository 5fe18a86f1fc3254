/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A chain of blocks, bump-allocated.  Blocks double from 1 KiB to 64 KiB;
 * anything larger gets a block of its own.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 1024u
#define BLOCK_MAX 65536u
#define ALIGN _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t size;
	size_t used;
	_Alignas(max_align_t) unsigned char data[];
};

struct ae_arena {
	struct block *head;
	size_t ceiling;
	size_t used;
	size_t next_size;
	int full;
};

struct ae_arena *
ae_arena_new(size_t ceiling)
{
	struct ae_arena *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->ceiling = ceiling;
	a->next_size = BLOCK_MIN;
	return a;
}

static void
free_chain(struct block *b)
{
	struct block *next;

	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
}

void
ae_arena_free(struct ae_arena *a)
{
	if (a == NULL)
		return;
	free_chain(a->head);
	free(a);
}

void
ae_arena_reset(struct ae_arena *a)
{
	if (a->head != NULL) {
		free_chain(a->head->next);
		a->head->next = NULL;
		a->head->used = 0;
	}
	a->used = 0;
	a->full = 0;
}

static struct block *
add_block(struct ae_arena *a, size_t need)
{
	size_t size = a->next_size;
	struct block *b;

	if (size < need)
		size = need;
	else if (a->next_size < BLOCK_MAX)
		a->next_size *= 2;
	b = malloc(sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->size = size;
	b->used = 0;
	b->next = a->head;
	a->head = b;
	return b;
}

void *
ae_arena_alloc(struct ae_arena *a, size_t size)
{
	struct block *b = a->head;
	size_t need;
	void *p;

	if (size > a->ceiling || size > SIZE_MAX - ALIGN) {
		a->full = 1;
		return NULL;
	}
	need = size == 0 ? ALIGN : (size + ALIGN - 1) & ~(ALIGN - 1);
	if (need > a->ceiling - a->used) {
		a->full = 1;
		return NULL;
	}
	if (b == NULL || b->size - b->used < need)
		b = add_block(a, need);
	if (b == NULL)
		return NULL;
	p = b->data + b->used;
	b->used += need;
	a->used += need;
	memset(p, 0, need);
	return p;
}

void *
ae_arena_array(struct ae_arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		a->full = 1;
		return NULL;
	}
	return ae_arena_alloc(a, total);
}

void *
ae_arena_dup(struct ae_arena *a, const void *p, size_t len)
{
	void *q = ae_arena_alloc(a, len);

	if (q != NULL && len > 0)
		memcpy(q, p, len);
	return q;
}

char *
ae_arena_strndup(struct ae_arena *a, const char *s, size_t len)
{
	char *q;

	if (len == SIZE_MAX)
		return NULL;
	q = ae_arena_alloc(a, len + 1);
	if (q != NULL && len > 0)
		memcpy(q, s, len);
	return q;
}

char *
ae_arena_strdup(struct ae_arena *a, const char *s)
{
	return ae_arena_strndup(a, s, strlen(s));
}

char *
ae_arena_printf(struct ae_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *q;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	q = ae_arena_alloc(a, (size_t)n + 1);
	if (q == NULL)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(q, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return q;
}

int
ae_arena_full(const struct ae_arena *a)
{
	return a->full;
}

size_t
ae_arena_used(const struct ae_arena *a)
{
	return a->used;
}
