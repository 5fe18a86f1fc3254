/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Request attributes: splitting, folding and knowing them by name.
 */
#include "wcce/attrs.h"

#include <string.h>

#include "base/str.h"

#define NEVER_NAMES "names and identity are never taken from request attributes"
#define NEVER_HOSTS "no host named in a request is ever contacted"
#define NOT_VALIDITY "the template alone says how long a certificate is good"

/* clang-format off */
static const struct known {
	const char *key;
	enum ae_wcce_attr_use use;
	const char *why;
} known[] = {
	{ "certificatetemplate", AE_WCCE_ATTR_USED, NULL },
	{ "san", AE_WCCE_ATTR_IGNORED, NEVER_NAMES },
	{ "requestername", AE_WCCE_ATTR_IGNORED, NEVER_NAMES },
	{ "cdc", AE_WCCE_ATTR_IGNORED, NEVER_HOSTS },
	{ "rmd", AE_WCCE_ATTR_IGNORED, NEVER_HOSTS },
	{ "ccm", AE_WCCE_ATTR_IGNORED, "the client's name for itself" },
	{ "cbm", AE_WCCE_ATTR_IGNORED, "the client's name for itself" },
	{ "certificateusage", AE_WCCE_ATTR_IGNORED,
	  "usages come from the template" },
	{ "validityperiod", AE_WCCE_ATTR_DATE, NOT_VALIDITY },
	{ "validityperiodunits", AE_WCCE_ATTR_DATE, NOT_VALIDITY },
	{ "startdate", AE_WCCE_ATTR_DATE, NOT_VALIDITY },
	{ "expirationdate", AE_WCCE_ATTR_DATE, NOT_VALIDITY },
	{ "certfile", AE_WCCE_ATTR_IGNORED, "no file is written on request" },
	{ "certtype", AE_WCCE_ATTR_IGNORED, "KEYGEN requests are not taken" },
	{ "challenge", AE_WCCE_ATTR_IGNORED, "KEYGEN requests are not taken" },
	{ "requestid", AE_WCCE_ATTR_IGNORED,
	  "it belongs to the answer to a challenge" },
	{ "crlpartitionindex", AE_WCCE_ATTR_IGNORED,
	  "the CRL is not partitioned" },
	{ NULL, AE_WCCE_ATTR_UNKNOWN, NULL },
};
/* clang-format on */

/* Blanks are what the specification has removed: spaces and tabs. */
static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
trim(const char **p, size_t *len)
{
	while (*len > 0 && is_blank(**p)) {
		(*p)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*p)[*len - 1]))
		(*len)--;
}

/* Lower case, no blanks, no minus signs; NULL when out of memory. */
static char *
fold(struct ae_arena *a, const char *p, size_t len)
{
	size_t i, n = 0;
	char *key, c;

	key = ae_arena_alloc(a, len + 1);
	if (key == NULL)
		return NULL;
	for (i = 0; i < len; i++) {
		c = p[i];
		if (is_blank(c) || c == '-')
			continue;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		key[n++] = c;
	}
	return key;
}

static const struct known *
known_find(const char *key)
{
	const struct known *k;

	for (k = known; k->key != NULL; k++)
		if (strcmp(k->key, key) == 0)
			break;
	return k;
}

/* One name and value; what makes no sense only counts as a bad line. */
static int
add(struct ae_wcce_attrs *out, const char *name, size_t namelen,
    const char *value, size_t valuelen, struct ae_arena *a, struct ae_err *e)
{
	struct ae_wcce_attr *at;
	const struct known *k;
	char *key;

	trim(&name, &namelen);
	trim(&value, &valuelen);
	key = fold(a, name, namelen);
	if (key == NULL)
		return ae_fail_mem(e);
	if (key[0] == '\0' || valuelen == 0 ||
	    out->n == AE_WCCE_ATTRS_COUNT_MAX) {
		out->bad_lines++;
		return AE_OK;
	}
	if (out->v == NULL) {
		out->v =
		    ae_arena_array(a, AE_WCCE_ATTRS_COUNT_MAX, sizeof(*out->v));
		if (out->v == NULL)
			return ae_fail_mem(e);
	}
	at = &out->v[out->n];
	k = known_find(key);
	at->key = key;
	at->name = ae_arena_strndup(a, name, namelen);
	at->value = ae_arena_strndup(a, value, valuelen);
	at->use = k->use;
	at->why = k->why;
	if (at->name == NULL || at->value == NULL)
		return ae_fail_mem(e);
	out->n++;
	return AE_OK;
}

int
ae_wcce_attrs_parse(struct ae_wcce_attrs *out, const char *text,
    struct ae_arena *a, struct ae_err *e)
{
	const char *line, *end, *colon;
	size_t len;
	int rc;

	*out = (struct ae_wcce_attrs){ 0 };
	for (line = text; line != NULL && *line != '\0'; line = end) {
		len = strcspn(line, "\n");
		end = line + len + (line[len] == '\n');
		if (len > 0 && line[len - 1] == '\r')
			len--;
		colon = memchr(line, ':', len);
		if (colon == NULL) {
			while (len > 0 && is_blank(line[len - 1]))
				len--;
			out->bad_lines += len > 0; /* blank ones are nothing */
			continue;
		}
		rc = add(out, line, (size_t)(colon - line), colon + 1,
		    len - (size_t)(colon - line) - 1, a, e);
		if (rc != AE_OK)
			return rc;
	}
	return AE_OK;
}

int
ae_wcce_attrs_add(struct ae_wcce_attrs *out, const char *name,
    const char *value, struct ae_arena *a, struct ae_err *e)
{
	return add(out, name, strlen(name), value, strlen(value), a, e);
}

const char *
ae_wcce_attrs_get(const struct ae_wcce_attrs *attrs, const char *key)
{
	size_t i;

	for (i = 0; i < attrs->n; i++)
		if (strcmp(attrs->v[i].key, key) == 0)
			return attrs->v[i].value;
	return NULL;
}
