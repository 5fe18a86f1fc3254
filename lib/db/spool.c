/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Records of one length in a file that was removed when it was made.
 */
#include "db/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS 2048u /* of one read or write */

struct record {
	int64_t revoked_at;
	uint8_t reason, serial_len;
	uint8_t serial[AE_DB_SERIAL_MAX];
};

struct ae_db_spool {
	int fd;
	off_t size;   /* of what was written */
	off_t read;   /* how far it was read */
	bool whole;   /* no row is added any more */
	size_t n, at; /* records that are held, and the next one of them */
	struct record v[RECORDS];
};

int
ae_db_spool_new(struct ae_db_spool **out, const char *dir, struct ae_err *e)
{
	struct ae_db_spool *s = calloc(1, sizeof(*s));
	char *path = NULL;
	int rc = AE_OK;

	if (s == NULL)
		return ae_fail_mem(e);
	s->fd = -1;
	if (asprintf(&path, "%s/.rows-XXXXXX", dir) < 0) {
		free(s);
		return ae_fail_mem(e);
	}
	s->fd = mkostemp(path, O_CLOEXEC);
	if (s->fd < 0 || unlink(path) != 0)
		rc = ae_fail_errno(e, errno, "%s", path);
	free(path);
	if (rc == AE_OK)
		*out = s;
	else
		ae_db_spool_free(s);
	return rc;
}

void
ae_db_spool_free(struct ae_db_spool *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s);
}

static int
failed(struct ae_err *e, int err, const char *what)
{
	if (err == ENOSPC || err == EDQUOT || err == EFBIG)
		return ae_fail(e, AE_ELIMIT, AE_DOM_ERRNO, err,
		    "%s the rows of a CRL: the disk is full", what);
	return ae_fail_errno(e, err, "%s the rows of a CRL", what);
}

/* What is held, into the file. */
static int
put(struct ae_db_spool *s, struct ae_err *e)
{
	const uint8_t *p = (const uint8_t *)s->v;
	size_t left = s->n * sizeof(s->v[0]);
	ssize_t n;

	while (left > 0) {
		n = pwrite(s->fd, p, left, s->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(e, n == 0 ? ENOSPC : errno, "keeping");
		p += n;
		left -= (size_t)n;
		s->size += n;
	}
	s->n = 0;
	return AE_OK;
}

int
ae_db_spool_add(
    struct ae_db_spool *s, const struct ae_db_revoked *r, struct ae_err *e)
{
	struct record *v;

	if (r->serial_len > AE_DB_SERIAL_MAX || r->reason < 0 ||
	    r->reason > UINT8_MAX)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a revocation with a serial number of %zu bytes and "
		    "reason %d",
		    r->serial_len, r->reason);
	v = &s->v[s->n++];
	memset(v, 0, sizeof(*v));
	v->revoked_at = r->revoked_at;
	v->reason = (uint8_t)r->reason;
	v->serial_len = (uint8_t)r->serial_len;
	if (r->serial_len > 0)
		memcpy(v->serial, r->serial, r->serial_len);
	return s->n < RECORDS ? AE_OK : put(s, e);
}

int
ae_db_spool_rewind(struct ae_db_spool *s, struct ae_err *e)
{
	/* of few rows the file never sees any, and they stay where they are */
	int rc = s->size > 0 && !s->whole ? put(s, e) : AE_OK;

	s->whole = true;
	s->at = 0;
	if (s->size > 0)
		s->n = 0;
	s->read = 0;
	return rc;
}

/* The next records of the file. */
static int
get(struct ae_db_spool *s, struct ae_err *e)
{
	uint8_t *p = (uint8_t *)s->v;
	size_t have = 0, want = sizeof(s->v);
	ssize_t n;

	if (s->size - s->read < (off_t)want)
		want = (size_t)(s->size - s->read);
	while (have < want) {
		n = pread(s->fd, p + have, want - have, s->read);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(e, n == 0 ? EIO : errno, "reading");
		have += (size_t)n;
		s->read += n;
	}
	s->n = have / sizeof(s->v[0]);
	s->at = 0;
	return AE_OK;
}

int
ae_db_spool_next(
    struct ae_db_spool *s, struct ae_db_revoked *r, struct ae_err *e)
{
	const struct record *v;
	int rc;

	if (s->at == s->n) {
		if (s->read == s->size)
			return AE_ENOTFOUND;
		rc = get(s, e);
		if (rc != AE_OK)
			return rc;
	}
	v = &s->v[s->at++];
	r->serial = v->serial;
	r->serial_len = v->serial_len;
	r->revoked_at = v->revoked_at;
	r->reason = v->reason;
	return AE_OK;
}
