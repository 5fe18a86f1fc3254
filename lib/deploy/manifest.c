/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Its text form and its rows; see manifest.h.
 */
#include "deploy/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "autoenroll-trust 1"
#define PREFIX "autoenroll-"
#define SUFFIX ".crt"
#define HEX "0123456789abcdef"

static const char *const words[] = {
	[AE_BY_NOBODY] = "nobody",
	[AE_BY_CONFIG] = "config",
	[AE_BY_COMMAND] = "command",
};

bool
ae_manifest_name_ok(const char *name)
{
	size_t plen = strlen(PREFIX), n;

	if (strncmp(name, PREFIX, plen) != 0)
		return false;
	n = strspn(name + plen, HEX);
	return n >= 16 && plen + n + strlen(SUFFIX) < AE_MANIFEST_NAME_MAX &&
	    strcmp(name + plen + n, SUFFIX) == 0;
}

static bool
hash_ok(const char *s)
{
	return strlen(s) == 64 && strspn(s, HEX) == 64;
}

const struct ae_manifest_file *
ae_manifest_find(const struct ae_manifest *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (strcmp(m->v[i].name, name) == 0)
			return &m->v[i];
	return NULL;
}

int
ae_manifest_add(struct ae_manifest *m, const char *name, const char *sha256,
    struct ae_err *e)
{
	struct ae_manifest_file *v;
	size_t i;

	if (!ae_manifest_name_ok(name) || !hash_ok(sha256))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "a file that cannot be ours");
	for (i = 0; i < m->n; i++) {
		if (strcmp(m->v[i].name, name) == 0) {
			memcpy(m->v[i].sha256, sha256, 65);
			return AE_OK;
		}
	}
	if (m->n == AE_MANIFEST_FILES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d files", AE_MANIFEST_FILES_MAX);
	v = realloc(m->v, (m->n + 1) * sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	m->v = v;
	(void)snprintf(v[m->n].name, sizeof(v[0].name), "%s", name);
	memcpy(v[m->n].sha256, sha256, 65);
	m->n++;
	return AE_OK;
}

static int
bad(struct ae_err *e, unsigned line)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
	    "line %u of the trust manifest is not ours", line);
}

static int
one_line(struct ae_manifest *m, char *line, unsigned number, struct ae_err *e)
{
	size_t i;

	if (number == 1)
		return strcmp(line, HEADER) == 0 ? AE_OK : bad(e, number);
	if (strncmp(line, "by ", 3) == 0) {
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strcmp(line + 3, words[i]) == 0) {
				m->by = (enum ae_manifest_by)i;
				return AE_OK;
			}
		return bad(e, number);
	}
	if (strncmp(line, "method ", 7) == 0) {
		if (strlen(line + 7) >= sizeof(m->method) || line[7] == '\0')
			return bad(e, number);
		(void)snprintf(m->method, sizeof(m->method), "%s", line + 7);
		return AE_OK;
	}
	if (strcmp(line, "pending") == 0) {
		m->pending = true;
		return AE_OK;
	}
	if (strlen(line) < 66 || line[64] != ' ')
		return bad(e, number);
	line[64] = '\0';
	return ae_manifest_add(m, line + 65, line, e) == AE_OK
	    ? AE_OK
	    : ae_note(e, e == NULL ? AE_EPROTO : e->rc, "line %u", number);
}

int
ae_manifest_parse(
    struct ae_manifest *out, const char *text, size_t len, struct ae_err *e)
{
	struct ae_manifest m = { 0 };
	unsigned number = 0;
	char line[160];
	size_t off = 0;
	int rc = AE_OK;

	if (len > AE_MANIFEST_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a trust manifest of %zu bytes", len);
	while (rc == AE_OK && off < len) {
		const char *nl = memchr(text + off, '\n', len - off);
		size_t n = nl == NULL ? len - off : (size_t)(nl - text) - off;

		number++;
		if (nl == NULL || n >= sizeof(line) ||
		    memchr(text + off, '\0', n) != NULL) {
			rc = bad(e, number);
			break;
		}
		memcpy(line, text + off, n);
		line[n] = '\0';
		rc = one_line(&m, line, number, e);
		off += n + 1;
	}
	if (rc == AE_OK && (number == 0 || m.method[0] == '\0'))
		rc = bad(e, number);
	if (rc != AE_OK) {
		ae_manifest_done(&m);
		return rc;
	}
	*out = m;
	return AE_OK;
}

void
ae_manifest_print(struct ae_wr *w, const struct ae_manifest *m)
{
	size_t i;

	ae_wr_printf(w, HEADER "\nby %s\nmethod %s\n%s", words[m->by],
	    m->method, m->pending ? "pending\n" : "");
	for (i = 0; i < m->n; i++)
		ae_wr_printf(w, "%s %s\n", m->v[i].sha256, m->v[i].name);
}

void
ae_manifest_done(struct ae_manifest *m)
{
	free(m->v);
	m->v = NULL;
	m->n = 0;
}
