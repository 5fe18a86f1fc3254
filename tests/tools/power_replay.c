/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The log, kept in a file, and what may be left of it; see power.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "power.h"

#define SECTOR 512

struct power_op *
power_log_add(struct power_log *log, struct power_op op)
{
	struct power_op *v = realloc(log->v, (log->n + 1) * sizeof(*v));

	if (v == NULL)
		abort();
	log->v = v;
	v[log->n] = op;
	return &v[log->n++];
}

void
power_log_done(struct power_log *log)
{
	size_t i;

	for (i = 0; i < log->n; i++) {
		free(log->v[i].name);
		free(log->v[i].name2);
		free(log->v[i].data);
	}
	free(log->v);
	*log = (struct power_log){ 0 };
}

/* The struct as it is, then what it points to: read by this same program. */
void
power_log_save(const struct power_log *log, const char *path)
{
	FILE *f = fopen(path, "we");
	size_t i;

	if (f == NULL)
		goto bad;
	(void)fwrite(log, sizeof(*log), 1, f);
	for (i = 0; i < log->n; i++) {
		const struct power_op *op = &log->v[i];

		(void)fwrite(op, sizeof(*op), 1, f);
		if (op->name != NULL)
			(void)fwrite(op->name, strlen(op->name) + 1, 1, f);
		if (op->name2 != NULL)
			(void)fwrite(op->name2, strlen(op->name2) + 1, 1, f);
		if (op->data != NULL && op->len > 0)
			(void)fwrite(op->data, op->len, 1, f);
	}
	if (ferror(f) == 0 && fclose(f) == 0)
		return;
bad:
	(void)fprintf(stderr, "power: %s: %s\n", path, strerror(errno));
	exit(3);
}

static char *
load_name(FILE *f)
{
	char *p = NULL;
	size_t cap = 0;

	if (getdelim(&p, &cap, '\0', f) < 0)
		abort();
	return p;
}

void
power_log_load(struct power_log *log, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t i, n;

	if (f == NULL || fread(log, sizeof(*log), 1, f) != 1) {
		(void)fprintf(stderr, "power: %s: no log\n", path);
		exit(3);
	}
	n = log->n;
	log->v = calloc(n, sizeof(*log->v));
	if (log->v == NULL)
		abort();
	for (i = 0; i < n; i++) {
		struct power_op *op = &log->v[i];

		if (fread(op, sizeof(*op), 1, f) != 1)
			abort();
		if (op->name != NULL)
			op->name = load_name(f);
		if (op->name2 != NULL)
			op->name2 = load_name(f);
		if (op->data == NULL)
			continue;
		op->data = malloc(op->len + 1);
		if (op->data == NULL ||
		    (op->len > 0 && fread(op->data, op->len, 1, f) != 1))
			abort();
	}
	(void)fclose(f);
}

/* Steele, Lea and Flood's SplitMix64. */
static uint64_t
dice(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* How often it is kept: never (0) to always (4). */
static bool
kept(uint64_t *s, unsigned quarters)
{
	return (dice(s) >> 32) % 4 < quarters;
}

size_t
power_cut(const struct power_log *log, uint64_t seed)
{
	size_t n = log->n - log->start, at, mark;
	unsigned how;

	seed ^= 0x5eed;
	how = (unsigned)(dice(&seed) % 16);
	at = log->start + (size_t)(dice(&seed) % (n + 1));
	if (how == 0)
		return log->n;
	for (mark = at; how < 4 && mark < log->n; mark++)
		if (log->v[mark].kind == POWER_MARK)
			return mark + 1;
	return at;
}

/* Is what op did flushed by something behind it? */
static bool
is_safe(const struct power_op *op, const bool *flushed)
{
	switch (op->kind) {
	case POWER_CREATE:
	case POWER_LINK:
	case POWER_UNLINK:
		return flushed[op->dir];
	case POWER_RENAME:
		return flushed[op->dir] && flushed[op->dir2];
	case POWER_WRITE:
	case POWER_TRUNCATE:
	case POWER_MODE:
	case POWER_OWNER:
		return flushed[op->node];
	case POWER_SYNC:
	case POWER_SYNC_ALL:
	case POWER_MARK:
		break;
	}
	return true;
}

static bool
is_name(const struct power_op *op)
{
	return op->kind == POWER_CREATE || op->kind == POWER_RENAME ||
	    op->kind == POWER_LINK || op->kind == POWER_UNLINK;
}

/* It is there, where nobody can find it. */
static void
nameless(struct power_tree *t, const struct power_log *log,
    const struct power_op *op)
{
	struct power_op lost = *op;

	lost.dir = log->nodes;
	power_tree_apply(t, &lost);
}

/* Each sector of the medium on its own; the length with the last of them, or
 * before them. */
static void
write_torn(struct power_tree *t, const struct power_op *op, unsigned quarters,
    uint64_t *seed)
{
	uint64_t off = op->off, end = op->off + op->len;
	struct power_op part = *op, whole = *op;

	while (off < end) {
		uint64_t next = (off / SECTOR + 1) * SECTOR;

		if (next > end)
			next = end;
		part.off = off;
		part.len = (size_t)(next - off);
		part.data = op->data + (off - op->off);
		if (kept(seed, quarters))
			power_tree_apply(t, &part);
		off = next;
	}
	whole.kind = POWER_TRUNCATE;
	whole.off = end;
	if (op->node < t->n && t->v[op->node].len < end && kept(seed, quarters))
		power_tree_apply(t, &whole);
}

void
power_replay(struct power_tree *out, const struct power_log *log, size_t cut,
    uint64_t seed, bool flushes)
{
	bool *flushed = calloc(log->nodes + 1, sizeof(bool));
	bool *safe = calloc(cut + 1, sizeof(bool));
	unsigned data = (unsigned)(dice(&seed) % 5);
	unsigned names = (unsigned)(dice(&seed) % 5);
	size_t i, j;

	if (flushed == NULL || safe == NULL)
		abort();
	for (i = cut; i-- > 0;) {
		const struct power_op *op = &log->v[i];

		safe[i] = i < log->start || is_safe(op, flushed);
		if (flushes && op->kind == POWER_SYNC)
			flushed[op->node] = true;
		for (j = 0;
		     flushes && op->kind == POWER_SYNC_ALL && j < log->nodes;
		     j++)
			flushed[j] = true;
	}
	for (i = 0; i < cut; i++) {
		const struct power_op *op = &log->v[i];

		if (safe[i])
			power_tree_apply(out, op);
		else if (op->kind == POWER_WRITE)
			write_torn(out, op, data, &seed);
		else if (kept(&seed, is_name(op) ? names : data))
			power_tree_apply(out, op);
		else if (op->kind == POWER_CREATE)
			nameless(out, log, op);
	}
	free(flushed);
	free(safe);
}
