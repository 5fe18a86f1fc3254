/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading single values of a directory entry as types.
 */
#include "ad/entry.h"

#include <string.h>

#include "ad/value.h"
#include "base/rd.h"
#include "base/str.h"

void
ae_entries_done(struct ae_entries *l)
{
	ae_arena_free(l->arena);
	memset(l, 0, sizeof(*l));
}

const struct ae_attr *
ae_entry_get(const struct ae_entry *entry, const char *name)
{
	size_t i;

	for (i = 0; i < entry->n; i++)
		if (ae_str_eq_nocase(entry->attrs[i].name, name))
			return entry->attrs[i].n != 0 ? &entry->attrs[i] : NULL;
	return NULL;
}

/* The one value; AE_ENOTFOUND: none, AE_EPROTO: several. */
static int
single(const struct ae_entry *entry, const char *name,
    const struct ae_value **out, struct ae_err *e)
{
	const struct ae_attr *a = ae_entry_get(entry, name);

	if (a == NULL)
		return AE_ENOTFOUND;
	if (a->n != 1)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%s: %zu values where one is allowed", name, a->n);
	*out = &a->v[0];
	return AE_OK;
}

static int
malformed(const char *name, const char *what, struct ae_err *e)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "%s: not %s", name, what);
}

int
ae_entry_str(const struct ae_entry *entry, const char *name, struct ae_arena *a,
    const char **out, struct ae_err *e)
{
	const struct ae_value *v = NULL;
	char *s;
	int rc;

	if ((rc = single(entry, name, &v, e)) != AE_OK)
		return rc;
	s = ae_arena_strndup(a, v->p != NULL ? (const char *)v->p : "", v->len);
	if (s == NULL)
		return ae_fail_mem(e);
	if (!ae_value_is_text(s, v->len))
		return malformed(name, "a string", e);
	*out = s;
	return AE_OK;
}

int
ae_entry_u32(const struct ae_entry *entry, const char *name, uint32_t *out,
    struct ae_err *e)
{
	const struct ae_value *v = NULL;
	int rc;

	if ((rc = single(entry, name, &v, e)) != AE_OK)
		return rc;
	return ae_value_u32(v, out) ? AE_OK
				    : malformed(name, "a 32-bit number", e);
}

int
ae_entry_u64(const struct ae_entry *entry, const char *name, uint64_t *out,
    struct ae_err *e)
{
	const struct ae_value *v = NULL;
	int rc;

	if ((rc = single(entry, name, &v, e)) != AE_OK)
		return rc;
	return ae_value_u64(v, out) ? AE_OK : malformed(name, "a number", e);
}

int
ae_entry_time(const struct ae_entry *entry, const char *name, int64_t *out,
    struct ae_err *e)
{
	const struct ae_value *v = NULL;
	int rc;

	if ((rc = single(entry, name, &v, e)) != AE_OK)
		return rc;
	return ae_value_time(v, out) ? AE_OK
				     : malformed(name, "a GeneralizedTime", e);
}

int
ae_entry_sid(const struct ae_entry *entry, const char *name, struct ae_sid *out,
    struct ae_err *e)
{
	const struct ae_value *v = NULL;
	int rc;

	if ((rc = single(entry, name, &v, e)) != AE_OK)
		return rc;
	return ae_value_sid(v, out) ? AE_OK : malformed(name, "a SID", e);
}

int
ae_entry_guid(const struct ae_entry *entry, const char *name,
    struct ae_guid *out, struct ae_err *e)
{
	const struct ae_value *v = NULL;
	struct ae_guid g;
	struct ae_rd r;
	int rc;

	if ((rc = single(entry, name, &v, e)) != AE_OK)
		return rc;
	ae_rd_init(&r, v->p, v->len);
	g = ae_guid_get(&r);
	if (!ae_rd_done(&r))
		return malformed(name, "a GUID", e);
	*out = g;
	return AE_OK;
}
