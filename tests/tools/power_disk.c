/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between disk and memory: the tree as it stands, and as it is made; see
 * power.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "power.h"

bool
power_is_memory(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && strcmp(name + len - 4, "-shm") == 0;
}

static _Noreturn void
die(const char *path)
{
	(void)fprintf(stderr, "power: %s: %s\n", path, strerror(errno));
	exit(3);
}

static char *
join(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	return path;
}

/* A file's bytes or a symlink's target. */
static uint8_t *
content(const char *path, const struct stat *st)
{
	size_t len = (size_t)st->st_size, at = 0;
	uint8_t *p = malloc(len + 1);
	ssize_t n = 0;
	int fd;

	if (p == NULL)
		abort();
	if (S_ISLNK(st->st_mode)) {
		if (readlink(path, (char *)p, len) != (ssize_t)len)
			die(path);
		return p;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		die(path);
	while (at < len && (n = read(fd, p + at, len - at)) > 0)
		at += (size_t)n;
	if (at != len)
		die(path);
	(void)close(fd);
	return p;
}

static void
get(struct power_tree *t, struct power_log *log, const char *path, uint32_t dir,
    const char *name)
{
	struct power_op op = { .kind = POWER_CREATE, .dir = dir };
	uint32_t node = log->nodes++;
	struct dirent *d;
	struct stat st;
	char *below;
	DIR *list;

	if (lstat(path, &st) != 0)
		die(path);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
	    !S_ISLNK(st.st_mode))
		return; /* sockets are no state */
	op.node = node;
	op.name = strdup(name);
	op.mode = st.st_mode;
	op.uid = st.st_uid;
	op.gid = st.st_gid;
	if (S_ISLNK(st.st_mode)) {
		op.data = content(path, &st);
		op.len = (size_t)st.st_size;
	}
	power_tree_apply(t, power_log_add(log, op));
	if (S_ISREG(st.st_mode))
		power_tree_apply(t,
		    power_log_add(log,
			(struct power_op){ .kind = POWER_WRITE,
			    .node = node,
			    .data = content(path, &st),
			    .len = (size_t)st.st_size }));
	if (!S_ISDIR(st.st_mode))
		return;
	list = opendir(path);
	if (list == NULL)
		die(path);
	while ((d = readdir(list)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0 || power_is_memory(d->d_name))
			continue;
		below = join(path, d->d_name);
		get(t, log, below, node, d->d_name);
		free(below);
	}
	(void)closedir(list);
}

void
power_tree_get(struct power_tree *t, struct power_log *log, const char *root)
{
	if (log->nodes == 0)
		log->nodes = POWER_TOP + 1;
	get(t, log, root, POWER_TOP, root);
	log->start = log->n;
}

static int
rm(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	if (at->level > 0 && remove(path) != 0)
		die(path);
	return kind == FTW_NS ? -1 : 0;
}

static void
put(const struct power_tree *t, const char *path, uint32_t node, bool top)
{
	const struct power_node *n = &t->v[node];
	char *target, *below;
	size_t i, at;
	ssize_t got;
	int fd;

	if (S_ISLNK(n->mode)) {
		if (asprintf(&target, "%.*s", (int)n->len, (char *)n->data) < 0)
			abort();
		if (symlink(target, path) != 0)
			die(path);
		free(target);
		return;
	}
	if (S_ISREG(n->mode)) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		for (at = 0; fd >= 0 && at < n->len; at += (size_t)got) {
			got = write(fd, n->data + at, n->len - at);
			if (got < 0)
				die(path);
		}
		if (fd < 0 || close(fd) != 0)
			die(path);
	} else if (!top && mkdir(path, 0700) != 0) {
		die(path);
	}
	for (i = 0; i < n->n; i++) {
		below = join(path, n->v[i].name);
		put(t, below, n->v[i].node, false);
		free(below);
	}
	if (chown(path, n->uid, n->gid) != 0 ||
	    chmod(path, n->mode & 07777) != 0)
		die(path);
}

void
power_tree_put(const struct power_tree *t)
{
	const struct power_node *top = &t->v[POWER_TOP];
	size_t i;

	for (i = 0; i < top->n; i++) {
		if (nftw(top->v[i].name, rm, 16, FTW_PHYS | FTW_DEPTH) != 0)
			die(top->v[i].name);
		put(t, top->v[i].name, top->v[i].node, true);
	}
}

static char *
differs(const struct power_tree *t, const char *path, uint32_t node)
{
	const struct power_node *n = &t->v[node];
	uint8_t *bytes = NULL;
	struct stat st;
	char *below, *found = NULL;
	size_t i, entries = 0;
	struct dirent *d;
	DIR *list;

	if (lstat(path, &st) != 0 ||
	    (st.st_mode & S_IFMT) != (n->mode & S_IFMT))
		return strdup(path);
	if (!S_ISDIR(st.st_mode)) {
		if ((size_t)st.st_size == n->len)
			bytes = content(path, &st);
		if (bytes == NULL ||
		    (n->len > 0 && memcmp(bytes, n->data, n->len) != 0) ||
		    (S_ISREG(st.st_mode) &&
			(st.st_mode != n->mode || st.st_uid != n->uid)))
			found = strdup(path);
		free(bytes);
		return found;
	}
	for (i = 0; found == NULL && i < n->n; i++) {
		below = join(path, n->v[i].name);
		found = differs(t, below, n->v[i].node);
		free(below);
	}
	list = opendir(path);
	while (list != NULL && (d = readdir(list)) != NULL)
		entries += d->d_type != DT_SOCK && d->d_type != DT_FIFO &&
		    !power_is_memory(d->d_name);
	if (list != NULL)
		(void)closedir(list);
	if (found == NULL && entries != n->n + 2)
		found = strdup(path);
	return found;
}

char *
power_tree_differs(const struct power_tree *t)
{
	const struct power_node *top = &t->v[POWER_TOP];
	char *found = NULL;
	size_t i;

	for (i = 0; found == NULL && i < top->n; i++)
		found = differs(t, top->v[i].name, top->v[i].node);
	return found;
}
