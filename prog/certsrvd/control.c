/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The local door for whoever administers the CA: a socket that only root can
 * open.  The parent says who came, by what the kernel says, and hands the
 * connection to ca, unread.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent_int.h"
#include "sys/files.h"

#define NO_LOGIN 4294967295UL

/*
 * "root", and as whom he logged in when the kernel knows: the audit entry
 * then names the person and not only the account.
 */
static void
describe(char *out, size_t size, const struct ucred *c)
{
	char path[64];
	uint8_t *text = NULL;
	unsigned long login = NO_LOGIN;
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)c->pid);
	if (ae_file_read(&text, &len, path, 32, NULL) == AE_OK && len > 0)
		login = strtoul((const char *)text, NULL, 10);
	free(text);
	if (login == NO_LOGIN || login == 0)
		(void)snprintf(out, size, "root");
	else
		(void)snprintf(out, size, "root (uid %lu)", login);
}

static int
hand_over(struct parent *p, int take_fd, struct ae_err *e)
{
	struct child *ca = child_find(p, ROLE_CA, 0);
	struct ucred c = { .pid = 0 };
	socklen_t n = sizeof(c);
	char who[64];
	struct ae_wr w;
	int rc;

	if (getsockopt(take_fd, SOL_SOCKET, SO_PEERCRED, &c, &n) != 0)
		rc = ae_fail_errno(e, errno, "who connected");
	else if (c.uid != 0)
		rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "uid %lu is not root", (unsigned long)c.uid);
	else if (ca == NULL || ca->control == NULL || !ca->ready)
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0, "ca does not run");
	else
		rc = AE_OK;
	if (rc < 0) {
		(void)close(take_fd);
		return rc;
	}
	describe(who, sizeof(who), &c);
	ae_wr_init(&w, 256);
	put_str(&w, who);
	rc = ae_ipc_send(ca->control, MSG_ADMIN, 0, w.p, w.len, take_fd, e);
	ae_wr_done(&w);
	return rc;
}

static void
on_connection(void *arg, int fd, unsigned events)
{
	struct parent *p = arg;
	struct ae_err e = AE_ERR_INIT;
	int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (conn < 0)
		return;
	if (hand_over(p, conn, &e) < 0)
		ae_log_printf(
		    p->log, AE_LOG_WARNING, "the control socket: %s", e.text);
}

int
control_open(struct parent *p, struct ae_err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char *path = conf_path(&p->conf, CONTROL_PATH);
	int rc = AE_OK;

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
		    chmod(path, 0600) != 0 || listen(p->control_fd, 8) != 0)
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
