/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The local door for whoever administers the CA.  The parent says who came, by
 * what the kernel says of him, and which roles that gives him by [admin] of
 * the configuration; it hands the connection to ca, unread.  Without such
 * roles the socket is root's alone.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent_int.h"
#include "sys/clock.h"
#include "sys/files.h"

#define NO_LOGIN 4294967295UL
#define GROUPS_MAX 1024

/* As whom he logged in, when the kernel knows; NO_LOGIN. */
static unsigned long
login_of(pid_t pid)
{
	char path[64];
	uint8_t *text = NULL;
	unsigned long login = NO_LOGIN;
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)pid);
	if (ae_file_read(&text, &len, path, 32, NULL) == AE_OK && len > 0)
		login = strtoul((const char *)text, NULL, 10);
	free(text);
	return login == 0 ? NO_LOGIN : login;
}

/* One more account that he may be in the domain. */
static void
add_name(struct local_who *l, const char *name)
{
	if (name == NULL || l->nnames == LOCAL_NAMES_MAX ||
	    strlen(name) >= LOCAL_NAME_MAX)
		return;
	(void)snprintf(l->name[l->nnames++], LOCAL_NAME_MAX, "%s", name);
}

static const char *
name_of(unsigned long uid)
{
	const struct passwd *pw = getpwuid((uid_t)uid);

	return pw == NULL ? NULL : pw->pw_name;
}

/*
 * "root", and as whom he logged in: the audit entry then names the person
 * and not only the account.
 */
static void
describe(struct local_who *l, const struct ucred *c)
{
	const unsigned long login = login_of(c->pid);
	const char *name;

	if (c->uid != 0) {
		name = name_of(c->uid);
		add_name(l, name);
		if (name == NULL)
			(void)snprintf(l->who, sizeof(l->who), "uid %lu",
			    (unsigned long)c->uid);
		else
			(void)snprintf(
			    l->who, sizeof(l->who), "local %.50s", name);
	} else if (login == NO_LOGIN) {
		(void)snprintf(l->who, sizeof(l->who), "root");
	} else {
		(void)snprintf(l->who, sizeof(l->who), "root (uid %lu)", login);
	}
	if (login != NO_LOGIN && login != c->uid)
		add_name(l, name_of(login));
}

/* ---- roles ---- */

static bool
number(const char *s, unsigned long *out)
{
	char *end;

	*out = strtoul(s, &end, 10);
	return *s >= '0' && *s <= '9' && *end == '\0';
}

/* A user's name or number, or a group's behind '@': is he that, or in it? */
static bool
is_named(const char *entry, const struct ucred *c, const gid_t *gids, size_t n)
{
	const struct passwd *pw;
	const struct group *gr;
	unsigned long id;
	size_t i;

	if (entry[0] != '@') {
		if (!number(entry, &id)) {
			pw = getpwnam(entry);
			if (pw == NULL)
				return false;
			id = pw->pw_uid;
		}
		return c->uid == id;
	}
	if (!number(entry + 1, &id)) {
		gr = getgrnam(entry + 1);
		if (gr == NULL)
			return false;
		id = gr->gr_gid;
	}
	for (i = 0; i < n; i++)
		if (gids[i] == id)
			return true;
	return c->gid == id;
}

static uint8_t
roles_of(const struct conf *conf, int fd, const struct ucred *c)
{
	const struct {
		uint8_t role;
		const struct ae_strv *who;
	} rows[] = {
		{ LOCAL_ADMINISTRATOR, &conf->local_admins },
		{ LOCAL_MANAGER, &conf->local_managers },
		{ LOCAL_AUDITOR, &conf->local_auditors },
	};
	gid_t gids[GROUPS_MAX];
	socklen_t len = sizeof(gids);
	uint8_t roles = 0;
	size_t i, k;

	if (c->uid == 0)
		return LOCAL_ROOT | LOCAL_ADMINISTRATOR | LOCAL_MANAGER |
		    LOCAL_AUDITOR;
	/* groups as the kernel has them, not as some file says now */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &len) != 0)
		len = 0;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (k = 0; k < rows[i].who->n; k++)
			if (is_named(rows[i].who->v[k], c, gids,
				len / sizeof(gids[0])))
				roles |= rows[i].role;
	return roles;
}

/* Is there anybody but root who may come? */
static bool
others_may(const struct conf *c)
{
	return c->local_admins.n + c->local_managers.n + c->local_auditors.n >
	    0;
}

static int
hand_over(struct parent *p, int take_fd, struct ae_err *e)
{
	struct child *ca = child_find(p, ROLE_CA, 0);
	struct local_who l = { .nnames = 0 };
	struct ucred c = { .pid = 0 };
	socklen_t n = sizeof(c);
	struct ae_wr w;
	int rc = AE_OK;

	if (getsockopt(take_fd, SOL_SOCKET, SO_PEERCRED, &c, &n) != 0)
		rc = ae_fail_errno(e, errno, "who connected");
	else if ((l.roles = roles_of(&p->conf, take_fd, &c)) == 0)
		rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "uid %lu has no role", (unsigned long)c.uid);
	else if (ca == NULL || ca->control == NULL || !ca->ready)
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0, "ca does not run");
	if (rc < 0) {
		(void)close(take_fd);
		return rc;
	}
	describe(&l, &c);
	ae_wr_init(&w, 1024);
	put_local_who(&w, &l);
	rc = ae_ipc_send(ca->control, MSG_ADMIN, 0, w.p, w.len, take_fd, e);
	ae_wr_done(&w);
	return rc;
}

static void
on_connection(void *arg, int fd, unsigned events)
{
	struct parent *p = arg;
	struct ae_err e = AE_ERR_INIT;
	unsigned dropped;
	int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (conn < 0)
		return;
	/* anybody on this host can make such a line */
	if (hand_over(p, conn, &e) < 0 &&
	    ae_log_rate_ok(&p->door, ae_clock_mono_ms(), &dropped))
		ae_log_printf(
		    p->log, AE_LOG_WARNING, "the control socket: %s", e.text);
}

int
control_open(struct parent *p, struct ae_err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char *path = conf_path(&p->conf, CONTROL_PATH);
	int rc = AE_OK;

	p->door = (struct ae_log_rate){ .burst = 20, .interval_ms = 10000 };
	if (path == NULL)
		return ae_fail_mem(e);
	if (strlen(path) >= sizeof(sa.sun_path)) {
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is too long for a socket", path);
		goto out;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	/* ours alone: the pid file is locked by now */
	if (unlink(path) != 0 && errno != ENOENT)
		rc = ae_fail_errno(e, errno, "removing %s", path);
	if (rc == AE_OK) {
		p->control_fd = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		/* its directory is root's, so nobody is quicker than chmod */
		if (p->control_fd < 0 ||
		    bind(p->control_fd, (const struct sockaddr *)&sa,
			sizeof(sa)) != 0 ||
		    chmod(path, others_may(&p->conf) ? 0666 : 0600) != 0 ||
		    listen(p->control_fd, 8) != 0)
			rc = ae_fail_errno(e, errno, "%s", path);
	}
	if (rc == AE_OK)
		rc = ae_loop_fd(&p->control, p->loop, p->control_fd, AE_LOOP_IN,
		    on_connection, p, e);
out:
	free(path);
	return rc;
}

void
control_close(struct parent *p)
{
	ae_source_free(p->control);
	p->control = NULL;
	if (p->control_fd >= 0)
		(void)close(p->control_fd);
	p->control_fd = -1;
}
