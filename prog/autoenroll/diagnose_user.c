/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Root looks at a user's certificates as that user; see diagnose.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnose.h"

#define ENVIRON_MAX 65536u
#define CCACHE "KRB5CCNAME="

/* The value of KRB5CCNAME in a process's environment; static. */
static const char *
ccache_in(int proc, const char *pid)
{
	static char text[ENVIRON_MAX + 1];
	char path[300];
	ssize_t n;
	size_t at;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/environ", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, ENVIRON_MAX);
	(void)close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	for (at = 0; at < (size_t)n; at += strlen(text + at) + 1)
		if (strncmp(text + at, CCACHE, strlen(CCACHE)) == 0)
			return text + at + strlen(CCACHE);
	return NULL;
}

/*
 * Where a session's ticket is, its own processes know.  Nobody has any:
 * krb5.conf's default holds.
 */
static void
find_ccache(uid_t uid)
{
	struct dirent *d;
	struct stat st;
	const char *name;
	DIR *proc = opendir("/proc");

	(void)unsetenv("KRB5CCNAME");
	while (proc != NULL && (d = readdir(proc)) != NULL) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9' ||
		    fstatat(dirfd(proc), d->d_name, &st, 0) != 0 ||
		    st.st_uid != uid)
			continue;
		name = ccache_in(dirfd(proc), d->d_name);
		if (name == NULL)
			continue;
		(void)setenv("KRB5CCNAME", name, 1);
		break;
	}
	if (proc != NULL)
		(void)closedir(proc);
}

static void
set_dirs(const struct passwd *pw)
{
	char run[64];

	(void)snprintf(run, sizeof(run), "/run/user/%u", pw->pw_uid);
	(void)setenv("HOME", pw->pw_dir, 1);
	(void)setenv("USER", pw->pw_name, 1);
	(void)setenv("LOGNAME", pw->pw_name, 1);
	(void)setenv("XDG_RUNTIME_DIR", run, 1);
	(void)unsetenv("XDG_DATA_HOME");
	(void)unsetenv("XDG_CONFIG_HOME");
	if (chdir("/") != 0)
		return; /* where it is does not matter */
}

int
diagnose_become(const char *name, struct ae_err *e)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "this machine knows no user '%s' (getent passwd)", name);
	if (pw->pw_uid == geteuid())
		return AE_OK;
	if (geteuid() != 0)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "only root may look at the certificates of %s; --user "
		    "without a name looks at your own",
		    name);
	find_ccache(pw->pw_uid);
	set_dirs(pw);
	if (initgroups(pw->pw_name, pw->pw_gid) != 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return ae_fail_errno(e, errno, "become %s", name);
	return AE_OK;
}
