/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The frames between a program and its sysvol helper; see sysvol_proto.h.
 */
#include "policy/sysvol_proto.h"

#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "base/rd.h"
#include "base/utf16.h"

#define MAGIC_REQUEST UINT32_C(0x31515341) /* "ASQ1" */
#define MAGIC_REPLY UINT32_C(0x31525341)   /* "ASR1" */
#define STRING_MAX 1024u
#define PATH_COMPONENTS_MAX 5
#define PATH_MAX_LEN 256u

static bool
component_ok(const char *p, size_t len)
{
	size_t i;

	if (len == 0 || p[0] == '.' || p[len - 1] == '.' || p[len - 1] == ' ')
		return false;
	for (i = 0; i < len; i++)
		if ((uint8_t)p[i] < 0x20 || (uint8_t)p[i] >= 0x7f ||
		    strchr("/:*?\"<>|%", p[i]) != NULL)
			return false;
	return true;
}

bool
ae_sysvol_path_ok(const char *path)
{
	char first[AE_GUID_STR_MAX];
	struct ae_guid g;
	const char *end;
	size_t n = 0, len;

	if (strlen(path) > PATH_MAX_LEN)
		return false;
	for (;; path = end + 1) {
		end = strchrnul(path, '\\');
		len = (size_t)(end - path);
		if (!component_ok(path, len) || ++n > PATH_COMPONENTS_MAX)
			return false;
		if (n == 1) {
			if (len != 38 || path[0] != '{' || path[37] != '}')
				return false;
			memcpy(first, path, len);
			first[len] = '\0';
			if (!ae_guid_parse(&g, first))
				return false;
		}
		if (*end == '\0')
			return true;
	}
}

static void
put_blob(struct ae_wr *w, const void *p, size_t len)
{
	ae_wr_u32(w, (uint32_t)len);
	ae_wr_bytes(w, p, len);
}

static size_t
frame_begin(struct ae_wr *w, uint32_t magic)
{
	size_t start = w->len;

	ae_wr_u32(w, magic);
	ae_wr_u32(w, 0);
	return start;
}

static void
frame_end(struct ae_wr *w, size_t start)
{
	if (ae_wr_ok(w))
		ae_wr_set_u32(w, start + 4,
		    (uint32_t)(w->len - start - AE_SYSVOL_FRAME_HEADER));
}

void
ae_sysvol_request_put(struct ae_wr *w, const struct ae_sysvol_request *q)
{
	size_t i, start = frame_begin(w, MAGIC_REQUEST);

	ae_wr_u32(w, q->op);
	put_blob(w, q->server, strlen(q->server));
	put_blob(w, q->domain, strlen(q->domain));
	put_blob(w, q->sd, q->sd_len);
	ae_wr_u32(w, (uint32_t)q->n);
	for (i = 0; i < q->n; i++) {
		put_blob(w, q->files[i].path, strlen(q->files[i].path));
		if (q->op == AE_SYSVOL_WRITE)
			put_blob(w, q->files[i].data, q->files[i].len);
	}
	frame_end(w, start);
}

void
ae_sysvol_reply_put(struct ae_wr *w, const struct ae_sysvol_reply *r)
{
	size_t i, start = frame_begin(w, MAGIC_REPLY);

	ae_wr_u32(w, (uint32_t)r->n);
	for (i = 0; i < r->n; i++) {
		ae_wr_u32(w, r->files[i].status);
		ae_wr_u32(w, r->files[i].error);
		put_blob(w, r->files[i].data, r->files[i].len);
	}
	frame_end(w, start);
}

size_t
ae_sysvol_frame_len(const uint8_t header[AE_SYSVOL_FRAME_HEADER], bool reply)
{
	size_t max = reply ? AE_SYSVOL_REPLY_MAX : AE_SYSVOL_REQUEST_MAX;
	uint32_t magic, len;
	struct ae_rd r;

	ae_rd_init(&r, header, AE_SYSVOL_FRAME_HEADER);
	magic = ae_rd_u32(&r);
	len = ae_rd_u32(&r);
	if (magic != (reply ? MAGIC_REPLY : MAGIC_REQUEST) ||
	    len > max - AE_SYSVOL_FRAME_HEADER)
		return 0;
	return len + AE_SYSVOL_FRAME_HEADER;
}

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "sysvol helper: %s", what);
}

static int
get_string(char **out, struct ae_rd *r, struct ae_err *e)
{
	uint32_t len = ae_rd_u32(r);
	const uint8_t *p;

	if (!ae_rd_ok(r) || len > STRING_MAX ||
	    (p = ae_rd_take(r, len)) == NULL || memchr(p, '\0', len) != NULL)
		return bad(e, "malformed string");
	*out = calloc(1, (size_t)len + 1);
	if (*out == NULL)
		return ae_fail_mem(e);
	memcpy(*out, p, len);
	return ae_utf8_valid(*out) ? AE_OK : bad(e, "malformed string");
}

static int
get_data(uint8_t **out, size_t *out_len, struct ae_rd *r, struct ae_err *e)
{
	uint32_t len = ae_rd_u32(r);

	if (!ae_rd_ok(r) || len > AE_SYSVOL_FILE_MAX || len > ae_rd_left(r))
		return bad(e, "impossible length");
	if (len == 0)
		return AE_OK;
	*out = malloc(len);
	if (*out == NULL)
		return ae_fail_mem(e);
	*out_len = len;
	ae_rd_copy(r, *out, len);
	return AE_OK;
}

/* The list of files; each takes at least smallest bytes. */
static int
get_count(struct ae_sysvol_file **files, uint32_t *n, size_t smallest,
    struct ae_rd *r, struct ae_err *e)
{
	*n = ae_rd_u32(r);
	if (!ae_rd_ok(r) || *n > AE_SYSVOL_FILES_MAX ||
	    *n > ae_rd_left(r) / smallest)
		return bad(e, "impossible count");
	*files = calloc(*n != 0 ? *n : 1, sizeof(**files));
	return *files != NULL ? AE_OK : ae_fail_mem(e);
}

static int
start(struct ae_rd *r, const void *p, size_t len, bool reply, struct ae_err *e)
{
	ae_rd_init(r, p, len);
	if (len < AE_SYSVOL_FRAME_HEADER ||
	    ae_sysvol_frame_len(p, reply) != len)
		return bad(e, "not a frame");
	ae_rd_skip(r, AE_SYSVOL_FRAME_HEADER);
	return AE_OK;
}

static int
request_get(struct ae_sysvol_request *q, struct ae_rd *r, struct ae_err *e)
{
	uint32_t n;
	int rc;

	q->op = ae_rd_u32(r);
	if (q->op != AE_SYSVOL_READ && q->op != AE_SYSVOL_WRITE)
		return bad(e, "unknown operation");
	if ((rc = get_string(&q->server, r, e)) != AE_OK ||
	    (rc = get_string(&q->domain, r, e)) != AE_OK ||
	    (rc = get_data(&q->sd, &q->sd_len, r, e)) != AE_OK ||
	    (rc = get_count(&q->files, &n, 4, r, e)) != AE_OK)
		return rc;
	while (q->n < n) {
		q->n++;
		rc = get_string(&q->files[q->n - 1].path, r, e);
		if (rc == AE_OK && q->op == AE_SYSVOL_WRITE)
			rc = get_data(&q->files[q->n - 1].data,
			    &q->files[q->n - 1].len, r, e);
		if (rc != AE_OK)
			return rc;
	}
	return ae_rd_done(r) ? AE_OK : bad(e, "bytes left over");
}

int
ae_sysvol_request_get(
    struct ae_sysvol_request *out, const void *p, size_t len, struct ae_err *e)
{
	struct ae_sysvol_request q = { 0 };
	struct ae_rd r;
	int rc;

	if ((rc = start(&r, p, len, false, e)) == AE_OK)
		rc = request_get(&q, &r, e);
	if (rc != AE_OK) {
		ae_sysvol_request_done(&q);
		return rc;
	}
	*out = q;
	return AE_OK;
}

static int
reply_get(
    struct ae_sysvol_reply *a, struct ae_rd *r, size_t expect, struct ae_err *e)
{
	struct ae_sysvol_file *f;
	uint32_t n;
	int rc;

	if ((rc = get_count(&a->files, &n, 12, r, e)) != AE_OK)
		return rc;
	if (n != expect)
		return bad(e, "another number of files than asked for");
	while (a->n < n) {
		f = &a->files[a->n++];
		f->status = ae_rd_u32(r);
		f->error = ae_rd_u32(r);
		if ((rc = get_data(&f->data, &f->len, r, e)) != AE_OK)
			return rc;
		if (f->status > AE_SYSVOL_FAILED ||
		    (f->status != AE_SYSVOL_OK && f->len != 0))
			return bad(e, "impossible status");
	}
	return ae_rd_done(r) ? AE_OK : bad(e, "bytes left over");
}

int
ae_sysvol_reply_get(struct ae_sysvol_reply *out, const void *p, size_t len,
    size_t expect, struct ae_err *e)
{
	struct ae_sysvol_reply a = { 0 };
	struct ae_rd r;
	int rc;

	if ((rc = start(&r, p, len, true, e)) == AE_OK)
		rc = reply_get(&a, &r, expect, e);
	if (rc != AE_OK) {
		ae_sysvol_reply_done(&a);
		return rc;
	}
	*out = a;
	return AE_OK;
}

static void
files_done(struct ae_sysvol_file *files, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(files[i].path);
		free(files[i].data);
	}
	free(files);
}

void
ae_sysvol_request_done(struct ae_sysvol_request *q)
{
	free(q->server);
	free(q->domain);
	free(q->sd);
	files_done(q->files, q->n);
	memset(q, 0, sizeof(*q));
}

void
ae_sysvol_reply_done(struct ae_sysvol_reply *r)
{
	files_done(r->files, r->n);
	memset(r, 0, sizeof(*r));
}

const char *
ae_sysvol_status_text(uint32_t status)
{
	static const char *const texts[] = {
		[AE_SYSVOL_OK] = "ok",
		[AE_SYSVOL_NOT_FOUND] = "not found",
		[AE_SYSVOL_DENIED] = "permission denied",
		[AE_SYSVOL_UNAVAILABLE] = "not reachable",
		[AE_SYSVOL_TOO_LARGE] = "too large",
		[AE_SYSVOL_REFUSED] = "not a group policy file",
		[AE_SYSVOL_FAILED] = "failed",
	};

	return status < sizeof(texts) / sizeof(texts[0]) ? texts[status]
							 : "unknown";
}
