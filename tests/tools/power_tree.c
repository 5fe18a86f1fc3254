/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A file system in memory: what an operation does to it; see power.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "power.h"

static void *
grown(void *p, size_t n, size_t size)
{
	p = realloc(p, n * size);
	if (p == NULL)
		abort();
	return p;
}

static struct power_node *
node_at(struct power_tree *t, uint32_t id)
{
	while (t->n <= id) {
		t->v = grown(t->v, t->n + 1, sizeof(*t->v));
		t->v[t->n++] = (struct power_node){ .mode = S_IFDIR | 0755 };
	}
	return &t->v[id];
}

static struct power_entry *
entry_of(const struct power_tree *t, uint32_t dir, const char *name)
{
	size_t i;

	for (i = 0; dir < t->n && i < t->v[dir].n; i++)
		if (strcmp(t->v[dir].v[i].name, name) == 0)
			return &t->v[dir].v[i];
	return NULL;
}

static void
drop(struct power_tree *t, uint32_t dir, struct power_entry *en)
{
	struct power_node *d = &t->v[dir];

	free(en->name);
	*en = d->v[--d->n];
}

static void
enter(struct power_tree *t, uint32_t dir, const char *name, uint32_t node)
{
	struct power_entry *en = entry_of(t, dir, name);
	struct power_node *d;

	if (en != NULL)
		drop(t, dir, en);
	d = node_at(t, dir);
	d->v = grown(d->v, d->n + 1, sizeof(*d->v));
	d->v[d->n].name = strdup(name);
	if (d->v[d->n].name == NULL)
		abort();
	d->v[d->n++].node = node;
}

static void
resize(struct power_node *n, size_t len)
{
	if (len > n->len) {
		n->data = grown(n->data, len, 1);
		memset(n->data + n->len, 0, len - n->len);
	}
	n->len = len;
}

static void
write_to(struct power_node *n, const struct power_op *op)
{
	size_t end = (size_t)op->off + op->len;

	if (op->len == 0)
		return;
	if (end > n->len)
		resize(n, end);
	memcpy(n->data + op->off, op->data, op->len);
}

static void
create(struct power_tree *t, const struct power_op *op)
{
	struct power_node *n = node_at(t, op->node);

	n->mode = op->mode;
	n->uid = op->uid;
	n->gid = op->gid;
	if (S_ISLNK(op->mode)) {
		resize(n, op->len);
		memcpy(n->data, op->data, op->len);
	}
	enter(t, op->dir, op->name, op->node);
}

void
power_tree_apply(struct power_tree *t, const struct power_op *op)
{
	struct power_node *n = NULL;
	struct power_entry *en = NULL;

	if (op->node != POWER_NONE)
		n = node_at(t, op->node);
	if (op->kind == POWER_RENAME || op->kind == POWER_UNLINK) {
		/* Another file may have that name when one before was lost. */
		en = entry_of(t, op->dir, op->name);
		if (en == NULL || en->node != op->node)
			return;
	}
	switch (op->kind) {
	case POWER_CREATE:
		create(t, op);
		break;
	case POWER_WRITE:
		write_to(n, op);
		break;
	case POWER_TRUNCATE:
		resize(n, (size_t)op->off);
		break;
	case POWER_MODE:
		n->mode = (n->mode & S_IFMT) | (op->mode & 07777);
		break;
	case POWER_OWNER:
		n->uid = op->uid;
		n->gid = op->gid;
		break;
	case POWER_RENAME:
		drop(t, op->dir, en);
		enter(t, op->dir2, op->name2, op->node);
		break;
	case POWER_LINK:
		enter(t, op->dir, op->name, op->node);
		break;
	case POWER_UNLINK:
		drop(t, op->dir, en);
		break;
	case POWER_SYNC:
	case POWER_SYNC_ALL:
	case POWER_MARK:
		break;
	}
}

/* The recorded directory that path is in, and what is behind it. */
static uint32_t
top_of(const struct power_tree *t, const char *path, const char **rest)
{
	size_t i, len;

	for (i = 0; t->n > 0 && i < t->v[POWER_TOP].n; i++) {
		const struct power_entry *en = &t->v[POWER_TOP].v[i];

		len = strlen(en->name);
		if (strncmp(path, en->name, len) == 0 &&
		    (path[len] == '/' || path[len] == '\0')) {
			*rest = path + len + strspn(path + len, "/");
			return en->node;
		}
	}
	return POWER_NONE;
}

uint32_t
power_tree_find(const struct power_tree *t, const char *path)
{
	uint32_t at = top_of(t, path, &path);
	struct power_entry *en;
	char name[256];
	size_t n;

	while (at != POWER_NONE && *path != '\0') {
		n = strcspn(path, "/");
		if (n >= sizeof(name))
			return POWER_NONE;
		memcpy(name, path, n);
		name[n] = '\0';
		path += n + strspn(path + n, "/");
		en = entry_of(t, at, name);
		at = en == NULL ? POWER_NONE : en->node;
	}
	return at;
}

uint32_t
power_tree_parent(
    const struct power_tree *t, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	uint32_t at;

	if (slash == NULL)
		return POWER_NONE;
	dir = strndup(path, (size_t)(slash - path));
	if (dir == NULL)
		abort();
	at = power_tree_find(t, dir);
	free(dir);
	*name = slash + 1;
	return at;
}

void
power_tree_done(struct power_tree *t)
{
	size_t i, j;

	for (i = 0; i < t->n; i++) {
		for (j = 0; j < t->v[i].n; j++)
			free(t->v[i].v[j].name);
		free(t->v[i].v);
		free(t->v[i].data);
	}
	free(t->v);
	*t = (struct power_tree){ 0 };
}
