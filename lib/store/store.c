/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Opening and listing; see store.h.  All paths are relative to a
 * directory descriptor and never followed through symlinks except the one
 * that is ours, "current".
 */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "sys/files.h"

bool
ae_store_name_ok(const char *tmpl)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ";
	size_t len = strlen(tmpl);

	return len >= 1 && len <= AE_STORE_NAME_MAX && tmpl[0] != '.' &&
	    strspn(tmpl, ok) == len;
}

int
store_dir(int at, const char *name, bool make, struct ae_err *e)
{
	int fd;

	if (make && mkdirat(at, name, 0755) != 0 && errno != EEXIST)
		return ae_fail_errno(e, errno, "make directory %s", name);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_ERRNO, ENOENT,
		    "no directory %s", name);
	if (fd < 0)
		return ae_fail_errno(e, errno, "open directory %s", name);
	return fd;
}

int
store_sync_above(const struct ae_store *s, int dirfd, struct ae_err *e)
{
	int rc = ae_file_sync_dir(s->root, e);

	return rc == AE_OK ? ae_file_sync_dir(dirfd, e) : rc;
}

unsigned
store_version_number(const char *name)
{
	size_t len = strspn(name, "0123456789");

	if (len == 0 || len > 8 || name[len] != '\0' || name[0] == '0')
		return 0;
	return (unsigned)strtoul(name, NULL, 10);
}

unsigned
store_current(int tmpl_fd)
{
	char target[16];
	ssize_t n = readlinkat(tmpl_fd, "current", target, sizeof(target) - 1);

	if (n <= 0)
		return 0;
	target[n] = '\0';
	return store_version_number(target);
}

int
store_each(int dirfd, store_each_fn *fn, void *arg, struct ae_err *e)
{
	int rc = AE_OK, fd;
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	/* A descriptor of its own, and with it a position of its own. */
	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return ae_fail_errno(e, errno, "read directory");
	}
	while (rc == AE_OK && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (++n > AE_STORE_ENTRIES_MAX)
			rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %d entries in a store directory",
			    AE_STORE_ENTRIES_MAX);
		else
			rc = fn(dirfd, d->d_name, arg, e);
	}
	(void)closedir(dir);
	return rc;
}

static int
remove_file(int at, const char *name, void *arg, struct ae_err *e)
{
	(void)arg;
	if (unlinkat(at, name, 0) != 0 && errno != ENOENT)
		return ae_fail_errno(e, errno, "remove %s", name);
	return AE_OK;
}

int
store_remove_draft(int tmpl_fd, const char *name, struct ae_err *e)
{
	int rc, fd = store_dir(tmpl_fd, name, false, e);

	if (fd < 0)
		return fd;
	rc = store_each(fd, remove_file, NULL, e);
	(void)close(fd);
	if (rc == AE_OK && unlinkat(tmpl_fd, name, AT_REMOVEDIR) != 0)
		rc = ae_fail_errno(e, errno, "remove %s", name);
	return rc;
}

static int
clean_version(int tmpl_fd, const char *name, void *arg, struct ae_err *e)
{
	(void)arg;
	if (strncmp(name, STORE_DRAFT_PREFIX, strlen(STORE_DRAFT_PREFIX)) == 0)
		return store_remove_draft(tmpl_fd, name, e);
	return AE_OK;
}

static int
clean_template(int my_fd, const char *name, void *arg, struct ae_err *e)
{
	int rc, fd;

	(void)arg;
	if (!ae_store_name_ok(name))
		return AE_OK;
	fd = store_dir(my_fd, name, false, e);
	if (fd < 0)
		return fd;
	rc = store_each(fd, clean_version, NULL, e);
	(void)close(fd);
	return rc;
}

static int
lock(struct ae_store *s, struct ae_err *e)
{
	s->lock = openat(
	    s->root, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return ae_fail_errno(e, errno, "open the store's lock");
	if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK
		    ? ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, errno,
			  "another process is working on this store")
		    : ae_fail_errno(e, errno, "lock the store");
	return AE_OK;
}

int
ae_store_open(
    struct ae_store **out, const char *dir, bool write, struct ae_err *e)
{
	struct ae_store *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	s->root = s->my = s->request = s->trust = s->lock = -1;
	s->write = write;
	if (write && (rc = ae_file_mkdir(dir, 0755, e)) != AE_OK)
		goto out;
	rc = s->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc < 0) {
		rc = errno == ENOENT ? ae_fail(e, AE_ENOTFOUND, AE_DOM_ERRNO,
					   ENOENT, "there is no store %s", dir)
				     : ae_fail_errno(e, errno, "open %s", dir);
		goto out;
	}
	if (write && (rc = lock(s, e)) != AE_OK)
		goto out;
	rc = s->my = store_dir(s->root, "my", write, e);
	if (rc >= 0)
		rc = s->trust = store_dir(s->root, "trust", write, e);
	if (rc >= 0)
		rc = s->request = store_dir(s->root, "request", write, e);
	if (rc >= 0 && write)
		rc = store_each(s->my, clean_template, NULL, e);
	if (rc >= 0 && write)
		rc = store_each(s->request, clean_template, NULL, e);
	/* A reader may come before anything was ever stored. */
	if (!write && rc == AE_ENOTFOUND)
		rc = AE_OK;
out:
	if (rc < 0) {
		ae_store_free(s);
		return ae_note(e, rc, "store %s", dir);
	}
	*out = s;
	return AE_OK;
}

void
ae_store_free(struct ae_store *s)
{
	if (s == NULL)
		return;
	if (s->request >= 0)
		(void)close(s->request);
	if (s->trust >= 0)
		(void)close(s->trust);
	if (s->my >= 0)
		(void)close(s->my);
	if (s->lock >= 0)
		(void)close(s->lock);
	if (s->root >= 0)
		(void)close(s->root);
	free(s);
}

/* State of one walk over the store. */
struct lister {
	struct ae_store_list *out;
	const char *tmpl;
	unsigned current;
};

static int
list_version(int tmpl_fd, const char *name, void *arg, struct ae_err *e)
{
	struct lister *l = arg;
	struct ae_store_entry *v, *en;
	unsigned number = store_version_number(name);
	int rc, fd;

	if (number == 0)
		return AE_OK;
	if (l->out->n >= AE_STORE_ENTRIES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d certificates", AE_STORE_ENTRIES_MAX);
	v = realloc(l->out->v, (l->out->n + 1) * sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	l->out->v = v;
	en = &v[l->out->n];
	memset(en, 0, sizeof(*en));
	(void)snprintf(en->tmpl, sizeof(en->tmpl), "%s", l->tmpl);
	en->number = number;
	en->current = number == l->current;
	fd = store_dir(tmpl_fd, name, false, e);
	if (fd < 0)
		return fd;
	rc = store_read_entry(fd, en, e);
	(void)close(fd);
	if (rc == AE_OK)
		l->out->n++;
	return rc == AE_ENOTFOUND ? AE_OK : rc; /* without cert.pem: nothing */
}

static int
list_template(int my_fd, const char *name, void *arg, struct ae_err *e)
{
	struct lister *l = arg;
	int rc, fd;

	if (!ae_store_name_ok(name))
		return AE_OK;
	fd = store_dir(my_fd, name, false, e);
	if (fd < 0)
		return fd;
	l->tmpl = name;
	l->current = store_current(fd);
	rc = store_each(fd, list_version, l, e);
	(void)close(fd);
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "template %s", name);
}

static int
by_name(const void *a, const void *b)
{
	const struct ae_store_entry *x = a, *y = b;
	int c = strcmp(x->tmpl, y->tmpl);

	if (c != 0)
		return c;
	return (x->number > y->number) - (x->number < y->number);
}

int
ae_store_list(struct ae_store *s, struct ae_store_list *out, struct ae_err *e)
{
	struct ae_store_list list = { 0 };
	struct lister l = { .out = &list };
	int rc = AE_OK;

	if (s->my >= 0)
		rc = store_each(s->my, list_template, &l, e);
	if (rc != AE_OK) {
		ae_store_list_done(&list);
		return rc;
	}
	if (list.n > 1)
		qsort(list.v, list.n, sizeof(*list.v), by_name);
	*out = list;
	return AE_OK;
}

void
ae_store_list_done(struct ae_store_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].cert_pem);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}
