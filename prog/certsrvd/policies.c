/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The parent's part in policy files: it reads the directory, which only it
 * can, looks into no file, and passes them to ca – at each start of ca, when
 * a file has changed, and when somebody asks for it.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "parent_int.h"
#include "rules/rules.h"
#include "sys/files.h"

#define LOOK_MS 3000 /* how often the directory is looked at */
#define ALL_MAX (32u * 1024u * 1024u)

/* A name that ends in .xml, and no hidden one. */
static int
is_policy(const struct dirent *d)
{
	const size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 4 &&
	    strcasecmp(d->d_name + n - 4, ".xml") == 0;
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
list(struct dirent ***v, int *n, const char *path, struct ae_err *e)
{
	*v = NULL;
	*n = scandir(path, v, is_policy, alphasort);
	if (*n >= 0)
		return AE_OK;
	*n = 0;
	return errno == ENOENT ? AE_OK : ae_fail_errno(e, errno, "%s", path);
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
send_file(struct child *ca, const char *path, const char *name, size_t *sum,
    struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	uint8_t *text = NULL;
	char file[4096];
	size_t len = 0;
	struct ae_wr w;
	int rc;

	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	rc = ae_file_read(&text, &len, file, AE_RULES_FILE_MAX, &why);
	ae_wr_init(&w, MSG_POLICY_MAX);
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
		rc = ae_ipc_send(
		    ca->control, MSG_POLICY_FILE, 0, w.p, w.len, -1, e);
	ae_wr_done(&w);
	free(text);
	return rc;
}

static int
send_all(struct child *ca, const char *path, struct dirent *const *v, int n,
    struct ae_err *e)
{
	struct ae_wr w;
	size_t sum = 0;
	int rc = AE_OK, i;

	if (n > AE_RULES_SET_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s: more than %d policy files", path, AE_RULES_SET_MAX);
	for (i = 0; i < n && rc == AE_OK; i++)
		rc = send_file(ca, path, v[i]->d_name, &sum, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&w, 4);
	ae_wr_u32(&w, (uint32_t)n);
	rc = ae_wr_ok(&w)
	    ? ae_ipc_send(ca->control, MSG_POLICIES, 0, w.p, w.len, -1, e)
	    : ae_fail_mem(e);
	ae_wr_done(&w);
	return rc;
}

/* To ca, if it is there; only when they have changed, or anyhow. */
static void
pass_on(struct parent *p, bool anyhow)
{
	struct child *ca = child_find(p, ROLE_CA, 0);
	struct ae_err e = AE_ERR_INIT;
	struct dirent **v;
	uint64_t now;
	int n, rc;

	if (ca == NULL || ca->control == NULL)
		return;
	rc = list(&v, &n, p->conf.policy_dir, &e);
	now = fingerprint(p->conf.policy_dir, v, n);
	if (rc == AE_OK && (anyhow || now != p->policies_seen)) {
		rc = send_all(ca, p->conf.policy_dir, v, n, &e);
		if (rc == AE_OK)
			p->policies_seen = now;
	}
	if (rc < 0 && !p->policies_told)
		ae_log_printf(p->log, AE_LOG_ERROR, "policy files: %s", e.text);
	p->policies_told = rc < 0;
	names_free(v, n);
}

void
policies_send(struct parent *p)
{
	pass_on(p, true);
}

static void
on_timer(void *arg)
{
	struct parent *p = arg;

	if (!p->stopping)
		pass_on(p, false);
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
