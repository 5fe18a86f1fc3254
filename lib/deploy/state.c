/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * "<thumbprint> <number> <template>" and back; see state.h.
 */
#include "deploy/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "store/store.h"

struct ae_deployed *
ae_deployed_find(const struct ae_deployed_list *l, const char *tmpl)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i].tmpl, tmpl) == 0)
			return &l->v[i];
	return NULL;
}

int
ae_deployed_set(struct ae_deployed_list *l, const char *tmpl,
    const char *thumbprint, unsigned number, struct ae_err *e)
{
	struct ae_deployed *at = ae_deployed_find(l, tmpl), *v;

	if (!ae_store_name_ok(tmpl) || strlen(thumbprint) != 40 ||
	    strspn(thumbprint, "0123456789abcdef") != 40)
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "not a deployed certificate");
	if (at == NULL) {
		if (l->n == AE_STORE_ENTRIES_MAX)
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %d templates", AE_STORE_ENTRIES_MAX);
		v = realloc(l->v, (l->n + 1) * sizeof(*v));
		if (v == NULL)
			return ae_fail_mem(e);
		l->v = v;
		at = &v[l->n++];
	}
	(void)snprintf(at->tmpl, sizeof(at->tmpl), "%s", tmpl);
	(void)snprintf(
	    at->thumbprint, sizeof(at->thumbprint), "%s", thumbprint);
	at->number = number;
	return AE_OK;
}

void
ae_deployed_drop(struct ae_deployed_list *l, const char *tmpl)
{
	struct ae_deployed *at = ae_deployed_find(l, tmpl);

	if (at != NULL)
		*at = l->v[--l->n];
}

static int
one_line(struct ae_deployed_list *l, const char *line, struct ae_err *e)
{
	char thumbprint[41], *end;
	unsigned long number;

	if (strlen(line) < 44 || line[40] != ' ' || line[41] < '1' ||
	    line[41] > '9')
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a line that is not a deployed certificate");
	(void)snprintf(thumbprint, sizeof(thumbprint), "%.40s", line);
	number = strtoul(line + 41, &end, 10);
	if (*end != ' ' || number > 99999999)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a line without a version's number");
	return ae_deployed_set(l, end + 1, thumbprint, (unsigned)number, e);
}

int
ae_deployed_parse(struct ae_deployed_list *out, const char *text, size_t len,
    struct ae_err *e)
{
	struct ae_deployed_list l = { 0 };
	char line[256];
	size_t off = 0;
	int rc = AE_OK;

	while (rc == AE_OK && off < len) {
		const char *nl = memchr(text + off, '\n', len - off);
		size_t n = nl == NULL ? len - off : (size_t)(nl - text) - off;

		if (n >= sizeof(line) || memchr(text + off, '\0', n) != NULL) {
			rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "a line that is not a deployed certificate");
			break;
		}
		memcpy(line, text + off, n);
		line[n] = '\0';
		rc = one_line(&l, line, e);
		off += n + 1;
	}
	if (rc != AE_OK) {
		ae_deployed_done(&l);
		return rc;
	}
	*out = l;
	return AE_OK;
}

void
ae_deployed_print(struct ae_wr *w, const struct ae_deployed_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		ae_wr_printf(w, "%s %u %s\n", l->v[i].thumbprint,
		    l->v[i].number, l->v[i].tmpl);
}

void
ae_deployed_done(struct ae_deployed_list *l)
{
	free(l->v);
	l->v = NULL;
	l->n = 0;
}
