/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The parent's part in policy files and pinned templates: it reads their
 * directories, which only it can, looks into no file, and passes them to ca –
 * at each start of ca, when a file has changed, and when somebody asks for it.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ca/pins.h"
#include "parent_int.h"
#include "rules/rules.h"
#include "sys/files.h"

#define LOOK_MS 3000 /* how often the directories are looked at */
#define ALL_MAX (32u * 1024u * 1024u)

struct kind {
	const char *what;   /* for the log */
	const char *suffix; /* of the files that count */
	size_t dir;	    /* in struct conf */
	enum msg one, all;
	size_t bytes, message; /* of a file, and with its name */
	int count;
};

/* clang-format off */
static const struct kind kinds[WATCHED_COUNT] = {
	[WATCHED_POLICIES] = { "policy files", ".xml", offsetof(struct conf, policy_dir), MSG_POLICY_FILE, MSG_POLICIES, AE_RULES_FILE_MAX, MSG_POLICY_MAX, AE_RULES_SET_MAX },
	[WATCHED_PINS] = { "pinned templates", AE_CA_PIN_SUFFIX, offsetof(struct conf, pins), MSG_PIN_FILE, MSG_PINS, AE_CA_PIN_MAX, MSG_PIN_MAX, AE_CA_PINS_MAX },
};
/* clang-format on */

static const char *
dir_of(const struct parent *p, const struct kind *k)
{
	return *(char *const *)(const void *)((const char *)&p->conf + k->dir);
}

/* A name that ends so, and no hidden one. */
static bool
is_one(const char *name, const char *suffix)
{
	const size_t n = strlen(name), k = strlen(suffix);

	return name[0] != '.' && n > k && strcasecmp(name + n - k, suffix) == 0;
}

static void
names_free(struct dirent **v, int n)
{
	while (n > 0)
		free(v[--n]);
	free(v);
}

/* In order; none when there is no such directory. */
static int
list(struct dirent ***v, int *n, const char *path, const char *suffix,
    struct ae_err *e)
{
	int all, i;

	*v = NULL;
	*n = 0;
	all = scandir(path, v, NULL, alphasort);
	if (all < 0)
		return errno == ENOENT ? AE_OK
				       : ae_fail_errno(e, errno, "%s", path);
	for (i = 0; i < all; i++)
		if (is_one((*v)[i]->d_name, suffix))
			(*v)[(*n)++] = (*v)[i];
		else
			free((*v)[i]);
	return AE_OK;
}

static uint64_t
mix(uint64_t h, const void *p, size_t len)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ b[i]) * UINT64_C(1099511628211);
	return h;
}

/* What the directory looks like: names, and each file's times and size. */
static uint64_t
fingerprint(const char *path, struct dirent *const *v, int n)
{
	uint64_t h = UINT64_C(14695981039346656037);
	char file[4096];
	struct stat st;
	int i;

	for (i = 0; i < n; i++) {
		h = mix(h, v[i]->d_name, strlen(v[i]->d_name) + 1);
		(void)snprintf(file, sizeof(file), "%s/%s", path, v[i]->d_name);
		if (stat(file, &st) < 0)
			continue;
		h = mix(h, &st.st_mtim, sizeof(st.st_mtim));
		h = mix(h, &st.st_ctim, sizeof(st.st_ctim));
		h = mix(h, &st.st_size, sizeof(st.st_size));
		h = mix(h, &st.st_ino, sizeof(st.st_ino));
	}
	return h;
}

static int
send_file(struct child *ca, const struct kind *k, const char *path,
    const char *name, size_t *sum, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	uint8_t *text = NULL;
	char file[4096];
	size_t len = 0;
	struct ae_wr w;
	int rc;

	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	rc = ae_file_read(&text, &len, file, k->bytes, &why);
	ae_wr_init(&w, k->message);
	put_str(&w, name);
	put_str(&w, rc < 0 ? why.text : NULL);
	put_bytes(&w, text, rc < 0 ? 0 : len);
	*sum += w.len;
	if (!ae_wr_ok(&w))
		rc = ae_fail_mem(e);
	else if (*sum > ALL_MAX)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s: more than %u bytes in all", path, ALL_MAX);
	else
		rc = ae_ipc_send(ca->control, k->one, 0, w.p, w.len, -1, e);
	ae_wr_done(&w);
	free(text);
	return rc;
}

static int
send_all(struct child *ca, const struct kind *k, const char *path,
    struct dirent *const *v, int n, struct ae_err *e)
{
	struct ae_wr w;
	size_t sum = 0;
	int rc = AE_OK, i;

	if (n > k->count)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s: more than %d %s", path, k->count, k->what);
	for (i = 0; i < n && rc == AE_OK; i++)
		rc = send_file(ca, k, path, v[i]->d_name, &sum, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&w, 4);
	ae_wr_u32(&w, (uint32_t)n);
	rc = ae_wr_ok(&w)
	    ? ae_ipc_send(ca->control, k->all, 0, w.p, w.len, -1, e)
	    : ae_fail_mem(e);
	ae_wr_done(&w);
	return rc;
}

/* To ca, if it is there; only when they have changed, or anyhow. */
static void
pass_on_kind(struct parent *p, unsigned which, bool anyhow)
{
	const struct kind *k = &kinds[which];
	struct child *ca = child_find(p, ROLE_CA, 0);
	struct ae_err e = AE_ERR_INIT;
	struct dirent **v;
	uint64_t now;
	int n, rc;

	if (ca == NULL || ca->control == NULL)
		return;
	rc = list(&v, &n, dir_of(p, k), k->suffix, &e);
	now = fingerprint(dir_of(p, k), v, n);
	if (rc == AE_OK && (anyhow || now != p->watched[which].seen)) {
		rc = send_all(ca, k, dir_of(p, k), v, n, &e);
		if (rc == AE_OK)
			p->watched[which].seen = now;
	}
	if (rc < 0 && !p->watched[which].told)
		ae_log_printf(p->log, AE_LOG_ERROR, "%s: %s", k->what, e.text);
	p->watched[which].told = rc < 0;
	names_free(v, n);
}

static void
pass_on(struct parent *p, bool anyhow)
{
	unsigned i;

	for (i = 0; i < WATCHED_COUNT; i++)
		pass_on_kind(p, i, anyhow);
}

void
policies_send(struct parent *p)
{
	ektrust_send(p);
	pass_on(p, true);
}

/* ca shows how many lines the log did not take: the log itself cannot. */
static void
tell_lost(struct parent *p)
{
	struct child *ca = child_find(p, ROLE_CA, 0);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	if (ca == NULL || ca->control == NULL || ae_log_lost(p->log) == 0)
		return;
	ae_wr_init(&w, 8);
	ae_wr_u64(&w, ae_log_lost(p->log));
	if (ae_wr_ok(&w) &&
	    ae_ipc_send(ca->control, MSG_LOST, 0, w.p, w.len, -1, &e) < 0)
		ae_log_printf(p->log, AE_LOG_WARNING, "telling ca: %s", e.text);
	ae_wr_done(&w);
}

static void
on_timer(void *arg)
{
	struct parent *p = arg;

	if (!p->stopping) {
		ektrust_look(p);
		pass_on(p, false);
		tell_lost(p);
	}
	ae_source_set_timer(p->policies_timer, ae_loop_now(p->loop) + LOOK_MS);
}

int
policies_watch(struct parent *p, struct ae_err *e)
{
	int rc = ae_loop_timer(&p->policies_timer, p->loop, on_timer, p, e);

	if (rc == AE_OK)
		ae_source_set_timer(
		    p->policies_timer, ae_loop_now(p->loop) + LOOK_MS);
	return rc;
}
