/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the "host" probe sees of a user's session and home.
 *
 *   "host": { "session": { "name", "local": bool (/etc/passwd has it),
 *             "other": bool (root looks for somebody),
 *             "login_uid", "sudo_uid": absent: none, "remote": bool },
 *             "home": { "path", "state": "writable" | "absent" | "read-only" |
 *             "denied", "memory": bool (it is gone when the host stops) } }
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "probe.h"
#include "sys/files.h"

#define TMPFS 0x01021994
#define RAMFS 0x858458f6
#define NO_LOGIN 4294967295u

/* Which logon this process comes from, as the kernel wrote it down. */
static void
login_uid(json_t *j)
{
	uint8_t *text = NULL;
	unsigned long uid;
	size_t len;

	if (ae_file_read(&text, &len, "/proc/self/loginuid", 32, NULL) ==
		AE_OK &&
	    len > 0 && sscanf((const char *)text, "%lu", &uid) == 1 &&
	    uid != NO_LOGIN)
		(void)json_object_set_new(
		    j, "login_uid", json_integer((json_int_t)uid));
	free(text);
}

/* Names of a domain come from elsewhere. */
static bool
is_in_passwd(const char *name)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;
	bool found = false;

	while (f != NULL && !found && (pw = fgetpwent(f)) != NULL)
		found = strcmp(pw->pw_name, name) == 0;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static void
session(struct probe *p)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *sudo = getenv("SUDO_UID");
	char name[256];
	json_t *j = json_pack("{s:b, s:b}", "other", p->other, "remote",
	    !p->other && getenv("SSH_CONNECTION") != NULL);

	if (pw != NULL) {
		(void)snprintf(name, sizeof(name), "%s", pw->pw_name);
		(void)json_object_set_new(j, "name", client_text(name));
		(void)json_object_set_new(
		    j, "local", json_boolean(is_in_passwd(name)));
	}
	if (!p->other)
		login_uid(j);
	if (!p->other && sudo != NULL && sudo[0] >= '0' && sudo[0] <= '9')
		(void)json_object_set_new(
		    j, "sudo_uid", json_integer(strtoll(sudo, NULL, 10)));
	probe_set(p, "session", j);
}

static bool
is_memory(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 &&
	    ((unsigned long)fs.f_type == TMPFS ||
		(unsigned long)fs.f_type == RAMFS);
}

/* A whole system in memory is not what this is about. */
static void
home(struct probe *p)
{
	const char *path = getenv("HOME"), *state = "writable";

	if (path == NULL || path[0] != '/')
		return;
	if (access(path, W_OK | X_OK) != 0)
		state = errno == ENOENT ? "absent"
		    : errno == EROFS	? "read-only"
					: "denied";
	probe_set(p, "home",
	    json_pack("{s:o, s:s, s:b}", "path", client_text(path), "state",
		state, "memory", is_memory(path) && !is_memory("/")));
}

void
probe_session(struct probe *p)
{
	if (!p->cli->c.user)
		return;
	session(p);
	home(p);
}
