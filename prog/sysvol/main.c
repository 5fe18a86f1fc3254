/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copyright the autoenroll authors. */
/*
 * sysvol: reads group policy files from a domain controller, and writes
 * them for `certsrv setup`.  One request on standard input, one reply on
 * standard output (policy/sysvol_proto.h), Kerberos with KRB5CCNAME, then
 * it is gone.  It is a program of its own, under its own licence, because
 * libsmbclient is GPL; it decides nothing.
 *
 *	sysvol [--write] [CCACHE]
 *
 * Without --write a request to write is refused; CCACHE stands for
 * KRB5CCNAME.
 */
#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "policy/sysvol_proto.h"
#include "share.h"

#define DEADLINE 120 /* seconds for everything */

static int
complain(const char *what)
{
	(void)fprintf(stderr, "sysvol: %s\n", what);
	return 1;
}

static bool
read_all(void *p, size_t len)
{
	ssize_t n;
	size_t got;

	for (got = 0; got < len; got += (size_t)n) {
		n = read(STDIN_FILENO, (char *)p + got, len - got);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

static bool
write_all(const void *p, size_t len)
{
	ssize_t n;
	size_t put;

	for (put = 0; put < len; put += (size_t)n) {
		n = write(STDOUT_FILENO, (const char *)p + put, len - put);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

static int
read_request(struct ae_sysvol_request *q)
{
	uint8_t header[AE_SYSVOL_FRAME_HEADER], *frame;
	struct ae_err e = AE_ERR_INIT;
	size_t len;
	int rc;

	if (!read_all(header, sizeof(header)) ||
	    (len = ae_sysvol_frame_len(header, false)) == 0)
		return complain("standard input holds no request");
	frame = malloc(len);
	if (frame == NULL)
		return complain("out of memory");
	memcpy(frame, header, sizeof(header));
	if (!read_all(frame + sizeof(header), len - sizeof(header))) {
		free(frame);
		return complain("the request ends early");
	}
	rc = ae_sysvol_request_get(q, frame, len, &e);
	free(frame);
	return rc == AE_OK ? 0 : complain(e.text);
}

static int
send_reply(const struct ae_sysvol_reply *r)
{
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, AE_SYSVOL_REPLY_MAX);
	ae_sysvol_reply_put(&w, r);
	ok = ae_wr_ok(&w) && write_all(w.p, w.len);
	ae_wr_done(&w);
	return ok ? 0 : complain("cannot send the reply");
}

static int
serve(const struct ae_sysvol_request *q)
{
	struct ae_sysvol_reply r = { 0 };
	int rc;

	r.files = calloc(q->n + 1, sizeof(*r.files));
	if (r.files == NULL)
		return complain("out of memory");
	r.n = q->n;
	share_do(q, &r);
	rc = send_reply(&r);
	ae_sysvol_reply_done(&r);
	return rc;
}

/*
 * Be who the tickets belong to: Heimdal inside libsmbclient refuses a cache
 * of somebody else's, and nothing here needs root.
 */
static bool
become_owner(const char *ccache)
{
	const char *path = ccache == NULL ? getenv("KRB5CCNAME") : ccache;
	struct stat st;

	if (path == NULL || strncmp(path, "FILE:", 5) != 0 ||
	    stat(path + 5, &st) != 0 || geteuid() != 0 || st.st_uid == 0)
		return true;
	return setgroups(0, NULL) == 0 &&
	    setresgid(st.st_gid, st.st_gid, st.st_gid) == 0 &&
	    setresuid(st.st_uid, st.st_uid, st.st_uid) == 0;
}

int
main(int argc, char **argv)
{
	const struct rlimit none = { 0, 0 };
	struct ae_sysvol_request q = { 0 };
	bool may_write = argc > 1 && strcmp(argv[1], "--write") == 0;
	const char *ccache = argv[may_write ? 2 : 1];
	int rc;

	if (argc > 3 || (ccache != NULL && ccache[0] == '-')) {
		(void)fprintf(stderr, "usage: sysvol [--write] [CCACHE]\n");
		return 2;
	}
	if (!become_owner(ccache) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0 ||
	    (ccache != NULL && setenv("KRB5CCNAME", ccache, 1) != 0))
		return complain(strerror(errno));
	(void)alarm(DEADLINE);
	if ((rc = read_request(&q)) == 0) {
		if (q.op == AE_SYSVOL_WRITE && !may_write)
			rc = complain("writing was not allowed");
		else
			rc = serve(&q);
	}
	ae_sysvol_request_done(&q);
	return rc;
}
