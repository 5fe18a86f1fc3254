/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Parsing and writing gPLink; see gplink.h.
 */
#include "policy/gplink.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
ae_gplinks_done(struct ae_gplinks *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].dn);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

/* Decimal up to 32 bits that ends at a bracket. */
static bool
options(const char **p, uint32_t *out)
{
	uint64_t v = 0;
	const char *s = *p;

	for (; *s >= '0' && *s <= '9' && s - *p < 11; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	if (s == *p || *s != ']' || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	*p = s + 1;
	return true;
}

static int
one(struct ae_gplinks *l, const char **p, struct ae_err *e)
{
	const char *s = *p, *end, *semicolon = NULL;
	struct ae_gplink *more, link = { 0 };

	/* A DN may hold semicolons: the last one before ']' counts. */
	if (strncasecmp(s, "[LDAP://", 8) != 0)
		return AE_EPROTO;
	s += 8;
	for (end = s; *end != '\0' && *end != ']'; end++)
		if (*end == ';')
			semicolon = end;
	if (*end == '\0' || semicolon == NULL || semicolon == s)
		return AE_EPROTO;
	*p = semicolon + 1;
	if (!options(p, &link.options))
		return AE_EPROTO;
	more = realloc(l->v, (l->n + 1) * sizeof(*more));
	if (more == NULL)
		return ae_fail_mem(e);
	l->v = more;
	link.dn = strndup(s, (size_t)(semicolon - s));
	if (link.dn == NULL)
		return ae_fail_mem(e);
	l->v[l->n++] = link;
	return AE_OK;
}

int
ae_gplink_parse(struct ae_gplinks *out, const char *text, struct ae_err *e)
{
	struct ae_gplinks l = { 0 };
	int rc = AE_OK;

	while (*text == ' ')
		text++;
	if (strlen(text) > AE_GPLINK_TEXT_MAX)
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "gPLink: too long");
	while (rc == AE_OK && *text != '\0') {
		if (l.n == AE_GPLINK_MAX)
			rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "gPLink: more than %u links", AE_GPLINK_MAX);
		else
			rc = one(&l, &text, e);
		while (rc == AE_OK && *text == ' ')
			text++;
	}
	if (rc == AE_EPROTO)
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "gPLink: link %zu is malformed", l.n + 1);
	if (rc != AE_OK) {
		ae_gplinks_done(&l);
		return rc;
	}
	*out = l;
	return AE_OK;
}

void
ae_gplink_put(struct ae_wr *w, const struct ae_gplinks *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		ae_wr_printf(w, "[LDAP://%s;%u]", l->v[i].dn,
		    (unsigned int)l->v[i].options);
}
