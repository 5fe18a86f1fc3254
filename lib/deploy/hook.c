/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Starting them, and what they printed; see hook.h.
 */
#include "deploy/hook.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf16.h"
#include "sys/exec.h"
#include "sys/files.h"
#include "sys/safe.h"

#define WORDS_MAX 32
#define HOOKS_MAX 64
#define VARS_MAX 32
#define RELOAD_MS 120000

/* Of a user's session, so that a hook can reach it.  The machine's hooks have
 * the same environment whoever began the run. */
static const char *const session[] = { "HOME", "USER", "LOGNAME", "LANG",
	"XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME",
	"DBUS_SESSION_BUS_ADDRESS", NULL };

/* What a program printed: text, its lines kept, controls made visible. */
static const char *
printed(const struct ae_wr *out, struct ae_arena *a)
{
	char *s = ae_arena_strndup(a, (const char *)out->p, out->len);
	size_t n = s == NULL ? 0 : strlen(s), i;

	while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == ' '))
		s[--n] = '\0';
	for (i = 0; i < n; i++)
		if (((unsigned char)s[i] < 0x20 && s[i] != '\n') ||
		    s[i] == 0x7f)
			s[i] = '?';
	return n > 0 && ae_utf8_valid(s) ? s : NULL;
}

/* Run it; a code other than 0 is a failure. */
static int
start(struct ae_exec *x, const struct ae_deploy *d, struct ae_arena *a,
    const char **output, struct ae_err *e)
{
	struct ae_wr out;
	int status = 0, rc;

	ae_wr_init(&out, AE_HOOK_OUTPUT_MAX);
	x->output = &out;
	x->with_stderr = true;
	x->keep_env = d->user ? session : NULL;
	rc = ae_exec_run(x, &status, e);
	if (rc == AE_OK && status != 0)
		rc = ae_fail(e, AE_EIO, AE_DOM_NONE, status, "%s: exit %d",
		    x->path, status);
	if (out.len > 0)
		*output = printed(&out, a);
	x->output = NULL;
	ae_wr_done(&out);
	return rc;
}

int
ae_hook_run(const struct ae_deploy *d, const char *line,
    const struct ae_strv *env, int64_t timeout, struct ae_arena *a,
    const char **output, struct ae_err *e)
{
	const char *argv[WORDS_MAX + 1] = { NULL },
				     *vars[VARS_MAX + 1] = { NULL };
	struct ae_exec x = {
		.argv = argv, .env = vars, .timeout_ms = timeout * 1000
	};
	char *copy = strdup(line), *rest = copy, *word, *path = NULL;
	size_t n = 0, i;
	int rc = AE_OK;

	for (i = 0; i < env->n && i < VARS_MAX; i++)
		vars[i] = env->v[i];
	while (copy != NULL && (word = strtok_r(rest, " \t", &rest)) != NULL &&
	    n < WORDS_MAX)
		argv[n++] = word;
	if (n > 0)
		path = ae_path_root(d->root, argv[0]);
	if (path == NULL)
		rc = ae_fail_mem(e);
	x.path = path;
	if (rc == AE_OK)
		rc = ae_safe_check(path, AE_SAFE_PROGRAM, e);
	if (rc == AE_OK)
		rc = start(&x, d, a, output, e);
	free(path);
	free(copy);
	return rc;
}

static bool
name_ok(const char *name)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return name[strspn(name, ok)] == '\0';
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
ae_hook_list(struct ae_strv *out, const struct ae_deploy *d, struct ae_err *e)
{
	DIR *dir = d->hooks_dir == NULL ? NULL : opendir(d->hooks_dir);
	struct dirent *de;
	char path[4096];
	int rc = AE_OK;

	if (dir == NULL)
		return d->hooks_dir == NULL || errno == ENOENT
		    ? AE_OK
		    : ae_fail_errno(e, errno, "read %s", d->hooks_dir);
	while (rc == AE_OK && (de = readdir(dir)) != NULL) {
		if (!name_ok(de->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s",
		    d->hooks_dir + strlen(d->root), de->d_name);
		if (out->n == HOOKS_MAX)
			rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %d hooks in %s", HOOKS_MAX,
			    d->hooks_dir);
		else if (!ae_strv_add(out, path))
			rc = ae_fail_mem(e);
	}
	(void)closedir(dir);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	return rc;
}

int
ae_hook_reload(const struct ae_deploy *d, const char *service,
    struct ae_arena *a, const char **output, struct ae_err *e)
{
	char *running = ae_path_root(d->root, "/run/systemd/system");
	const char *systemd[] = { "systemctl", "--no-ask-password",
		d->user ? "--user" : "--system", "try-reload-or-restart",
		service, NULL };
	char name[256];
	const char *sysv[] = { "service", name, "reload", NULL };
	bool with_systemd = running != NULL && access(running, F_OK) == 0;
	char *path = ae_path_root(
	    d->root, with_systemd ? "/usr/bin/systemctl" : "/usr/sbin/service");
	struct ae_exec x = { .path = path,
		.argv = with_systemd ? systemd : sysv,
		.timeout_ms = RELOAD_MS };
	size_t len = strlen(service), tail = strlen(".service");
	int rc;

	if (len > tail && strcmp(service + len - tail, ".service") == 0)
		len -= tail;
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, service);
	rc = path == NULL || running == NULL ? ae_fail_mem(e)
					     : start(&x, d, a, output, e);
	free(running);
	free(path);
	return rc;
}
