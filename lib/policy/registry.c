/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Carrying out Registry.pol instructions; see registry.h.
 */
#include "policy/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "base/utf16.h"

struct ae_registry {
	const char *const *prefixes;
	struct ae_registry_value *v;
	size_t n;
};

struct ae_registry *
ae_registry_new(const char *const *prefixes)
{
	struct ae_registry *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->prefixes = prefixes;
	return r;
}

static void
value_done(struct ae_registry_value *v)
{
	free(v->key);
	free(v->name);
	free(v->data);
}

void
ae_registry_free(struct ae_registry *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++)
		value_done(&r->v[i]);
	free(r->v);
	free(r);
}

/* key is prefix, or below it. */
static bool
below(const char *key, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncasecmp(key, prefix, len) == 0 &&
	    (key[len] == '\0' || key[len] == '\\');
}

static bool
wanted(const struct ae_registry *r, const char *key)
{
	size_t i;

	for (i = 0; r->prefixes[i] != NULL; i++)
		if (below(key, r->prefixes[i]))
			return true;
	return false;
}

static struct ae_registry_value *
find(const struct ae_registry *r, const char *key, const char *name)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (ae_str_eq_nocase(r->v[i].name, name) &&
		    ae_str_eq_nocase(r->v[i].key, key))
			return &r->v[i];
	return NULL;
}

const struct ae_registry_value *
ae_registry_get(const struct ae_registry *r, const char *key, const char *name)
{
	return find(r, key, name);
}

const struct ae_registry_value *
ae_registry_all(const struct ae_registry *r, size_t *n)
{
	*n = r->n;
	return r->v;
}

static void
drop(struct ae_registry *r, size_t i)
{
	value_done(&r->v[i]);
	r->n--;
	memmove(&r->v[i], &r->v[i + 1], (r->n - i) * sizeof(*r->v));
}

static void
del_value(struct ae_registry *r, const char *key, const char *name)
{
	struct ae_registry_value *v = find(r, key, name);

	if (v != NULL)
		drop(r, (size_t)(v - r->v));
}

static void
del_values(struct ae_registry *r, const char *key)
{
	size_t i = 0;

	while (i < r->n)
		if (ae_str_eq_nocase(r->v[i].key, key))
			drop(r, i);
		else
			i++;
}

/* An immediate subkey with all that is in and below it. */
static int
del_key(
    struct ae_registry *r, const char *key, const char *sub, struct ae_err *e)
{
	size_t i = 0;
	char *path;

	if (*sub == '\0' || strchr(sub, '\\') != NULL)
		return AE_OK;
	if (asprintf(&path, "%s\\%s", key, sub) < 0)
		return ae_fail_mem(e);
	while (i < r->n)
		if (below(r->v[i].key, path))
			drop(r, i);
		else
			i++;
	free(path);
	return AE_OK;
}

int
ae_registry_set(struct ae_registry *r, const char *key, const char *name,
    uint32_t type, const void *data, size_t len, size_t source,
    struct ae_err *e)
{
	struct ae_registry_value *more,
	    v = { .type = type, .len = len, .source = source };

	if (!wanted(r, key))
		return AE_OK;
	if (r->n >= AE_REGISTRY_VALUES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "policies set more than %u values", AE_REGISTRY_VALUES_MAX);
	more = realloc(r->v, (r->n + 1) * sizeof(*more));
	if (more == NULL)
		return ae_fail_mem(e);
	r->v = more;
	v.key = strdup(key);
	v.name = strdup(name);
	v.data = malloc(len != 0 ? len : 1);
	if (v.key == NULL || v.name == NULL || v.data == NULL) {
		value_done(&v);
		return ae_fail_mem(e);
	}
	if (len != 0)
		memcpy(v.data, data, len);
	del_value(r, key, name);
	r->v[r->n++] = v;
	return AE_OK;
}

bool
ae_registry_u32(const struct ae_registry_value *v, uint32_t *out)
{
	const uint8_t *p;

	if (v == NULL || v->len != 4 ||
	    (v->type != AE_REG_DWORD && v->type != AE_REG_DWORD_BE))
		return false;
	p = v->data;
	*out = v->type == AE_REG_DWORD ? (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		(uint32_t)p[2] << 16 | (uint32_t)p[3] << 24
				       : (uint32_t)p[3] | (uint32_t)p[2] << 8 |
		(uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
	return true;
}

/* UTF-16LE up to a NUL or the end, as UTF-8 on the heap. */
static char *
text(const uint8_t *p, size_t len)
{
	struct ae_arena *a;
	char *s, *out = NULL;
	size_t units;

	for (units = 0; units + 1 <= len / 2; units++)
		if (p[2 * units] == 0 && p[2 * units + 1] == 0)
			break;
	a = ae_arena_new(4 * units + 64);
	if (a == NULL)
		return NULL;
	s = ae_utf16_to_utf8(a, p, units);
	if (s != NULL)
		out = strdup(s);
	ae_arena_free(a);
	return out;
}

char *
ae_registry_text(const struct ae_registry_value *v)
{
	if (v == NULL || (v->type != AE_REG_SZ && v->type != AE_REG_EXPAND_SZ))
		return NULL;
	return text(v->data, v->len);
}

enum special { LIST_VALUES, ONE_VALUE, ALL_VALUES, KEYS, SOFT, SECURE };

/* MS-GPREG 3.2.5.1.2; prefix: what follows the name is an operand. */
static const struct {
	const char *name;
	bool prefix;
	enum special what;
} specials[] = {
	{ "**DeleteValues", false, LIST_VALUES },
	{ "**DelVals.", false, ALL_VALUES },
	{ "**DelVals", false, ALL_VALUES }, /* as some editors write it */
	{ "**DeleteKeys", false, KEYS },
	{ "**SecureKey", false, SECURE },
	{ "**Del.", true, ONE_VALUE },
	{ "**soft.", true, SOFT },
};

/* For each of the names between semicolons. */
static int
each(struct ae_registry *r, const struct ae_pol_instruction *i, bool keys,
    struct ae_err *e)
{
	char *list = text(i->data, i->len), *rest = list, *name;
	int rc = AE_OK;

	/* Not UTF-16: it names nothing that could be there. */
	if (list == NULL)
		return AE_OK;
	while (rc == AE_OK && (name = strsep(&rest, ";")) != NULL)
		if (keys)
			rc = del_key(r, i->key, name, e);
		else
			del_value(r, i->key, name);
	free(list);
	return rc;
}

static int
carry_out(struct ae_registry *r, const struct ae_pol_instruction *i,
    size_t source, struct ae_err *e)
{
	size_t k, len;

	for (k = 0; k < sizeof(specials) / sizeof(specials[0]); k++) {
		len = strlen(specials[k].name);
		if (strncasecmp(i->value, specials[k].name, len) != 0 ||
		    (!specials[k].prefix && i->value[len] != '\0'))
			continue;
		switch (specials[k].what) {
		case LIST_VALUES:
			return each(r, i, false, e);
		case KEYS:
			return each(r, i, true, e);
		case ALL_VALUES:
			del_values(r, i->key);
			return AE_OK;
		case ONE_VALUE:
			del_value(r, i->key, i->value + len);
			return AE_OK;
		case SOFT:
			if (find(r, i->key, i->value + len) != NULL)
				return AE_OK;
			return ae_registry_set(r, i->key, i->value + len,
			    i->type, i->data, i->len, source, e);
		case SECURE:
			return AE_OK;
		}
	}
	return ae_registry_set(
	    r, i->key, i->value, i->type, i->data, i->len, source, e);
}

int
ae_registry_apply(struct ae_registry *r, const struct ae_pol *pol,
    size_t source, struct ae_err *e)
{
	size_t i;
	int rc;

	for (i = 0; i < pol->n; i++)
		if ((rc = carry_out(r, &pol->v[i], source, e)) != AE_OK)
			return rc;
	return AE_OK;
}
