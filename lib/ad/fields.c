/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The walker over field tables; see fields.h.  Four functions a kind: from
 * a directory value, to our own encoding, from it, and release.
 */
#include "ad/fields.h"

#include <stdlib.h>
#include <string.h>

#include "ad/enrollment_service.h"
#include "ad/value.h"
#include "base/str.h"
#include "base/time.h"

/* Certificates and descriptors; the text limits are in template.h. */
#define OCTETS_MAX (256u * 1024u)
#define OCTETS_VALUES_MAX 4096u

static int
refuse(const struct ae_field *f, const char *what, struct ae_err *e)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "%s: %s", f->name, what);
}

static bool
is_list(enum ae_field_kind kind)
{
	return kind == AE_FIELD_STRV || kind == AE_FIELD_OIDV ||
	    kind == AE_FIELD_OCTETSV;
}

static int
take_text(char **out, const struct ae_field *f, const struct ae_value *v,
    struct ae_err *e)
{
	bool oid = f->kind == AE_FIELD_OID || f->kind == AE_FIELD_OIDV;
	bool oom;
	char *s;

	if (v->len > AE_TEMPLATE_STR_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s: %zu bytes in one string", f->name, v->len);
	s = ae_value_strdup(v, AE_TEMPLATE_STR_MAX, &oom);
	if (s == NULL)
		return oom ? ae_fail_mem(e) : refuse(f, "not a string", e);
	if (oid && !ae_value_is_oid(s)) {
		free(s);
		return refuse(f, "not an object identifier", e);
	}
	*out = s;
	return AE_OK;
}

static int
take_octets(struct ae_octets *out, const struct ae_field *f,
    const struct ae_value *v, struct ae_err *e)
{
	struct ae_octets o = { NULL, v->len };

	if (v->len > OCTETS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s: %zu bytes in one value", f->name, v->len);
	if (v->len != 0) {
		o.p = malloc(v->len);
		if (o.p == NULL)
			return ae_fail_mem(e);
		memcpy(o.p, v->p, v->len);
	}
	*out = o;
	return AE_OK;
}

static int
take_strv(struct ae_strv *l, const struct ae_field *f, const struct ae_value *v,
    struct ae_err *e)
{
	char *s = NULL;
	int rc;

	if ((rc = take_text(&s, f, v, e)) != AE_OK)
		return rc;
	if (!ae_strv_add(l, s))
		rc = ae_fail_mem(e);
	free(s);
	return rc;
}

static int
take_octetsv(struct ae_octetsv *l, const struct ae_field *f,
    const struct ae_value *v, struct ae_err *e)
{
	struct ae_octets *more;
	int rc;

	more = realloc(l->v, (l->n + 1) * sizeof(*more));
	if (more == NULL)
		return ae_fail_mem(e);
	l->v = more;
	if ((rc = take_octets(&l->v[l->n], f, v, e)) == AE_OK)
		l->n++;
	return rc;
}

/* Eight bytes; all zero is no period, anything else a negative span. */
static int
take_period(int64_t *out, const struct ae_field *f, const struct ae_value *v,
    struct ae_err *e)
{
	static const uint8_t none[8];
	int64_t span = 0;

	if (v->len != sizeof(none))
		return refuse(f, "not eight bytes", e);
	if (memcmp(v->p, none, sizeof(none)) != 0)
		span = ae_span_from_period(v->p);
	if (span < 0)
		return refuse(f, "not a period", e);
	*out = span;
	return AE_OK;
}

/* One value of the attribute of row f into its place. */
static int
take(void *at, const struct ae_field *f, const struct ae_value *v,
    struct ae_err *e)
{
	switch (f->kind) {
	case AE_FIELD_STR:
	case AE_FIELD_OID:
		return take_text(at, f, v, e);
	case AE_FIELD_U32:
		return ae_value_u32(v, at) ? AE_OK
					   : refuse(f, "not a number", e);
	case AE_FIELD_U64:
		return ae_value_u64(v, at) ? AE_OK
					   : refuse(f, "not a number", e);
	case AE_FIELD_TIME:
		return ae_value_time(v, at) ? AE_OK
					    : refuse(f, "not a time", e);
	case AE_FIELD_PERIOD:
		return take_period(at, f, v, e);
	case AE_FIELD_OCTETS:
		return take_octets(at, f, v, e);
	case AE_FIELD_STRV:
	case AE_FIELD_OIDV:
		return take_strv(at, f, v, e);
	case AE_FIELD_OCTETSV:
		return take_octetsv(at, f, v, e);
	}
	return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0, "%s: kind", f->name);
}

int
ae_fields_decode(void *object, const struct ae_field *f,
    const struct ae_entry *entry, struct ae_err *e)
{
	const struct ae_attr *a;
	size_t i;
	int rc;

	for (; f->name != NULL; f++) {
		if (f->derived || (a = ae_entry_get(entry, f->name)) == NULL)
			continue;
		if (a->n > 1 && !is_list(f->kind))
			return refuse(f, "several values", e);
		if (a->n > AE_TEMPLATE_VALUES_MAX)
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "%s: %zu values", f->name, a->n);
		for (i = 0; i < a->n; i++) {
			rc = take((char *)object + f->offset, f, &a->v[i], e);
			if (rc != AE_OK)
				return rc;
		}
	}
	return AE_OK;
}

static void
put_octets(struct ae_wr *w, const void *p, size_t len)
{
	ae_wr_u32(w, (uint32_t)len);
	ae_wr_bytes(w, p, len);
}

/* A string or list row: count, then length and bytes of each. */
static void
put_values(struct ae_wr *w, const void *at, const struct ae_field *f)
{
	const struct ae_octetsv *octetsv = at;
	const struct ae_octets *octets = at;
	const struct ae_strv *strv = at;
	const char *const *str = at;
	size_t i;

	switch (f->kind) {
	case AE_FIELD_OCTETS:
		ae_wr_u32(w, 1);
		put_octets(w, octets->p, octets->len);
		break;
	case AE_FIELD_STRV:
	case AE_FIELD_OIDV:
		ae_wr_u32(w, (uint32_t)strv->n);
		for (i = 0; i < strv->n; i++)
			put_octets(w, strv->v[i], strlen(strv->v[i]));
		break;
	case AE_FIELD_OCTETSV:
		ae_wr_u32(w, (uint32_t)octetsv->n);
		for (i = 0; i < octetsv->n; i++)
			put_octets(w, octetsv->v[i].p, octetsv->v[i].len);
		break;
	default:
		ae_wr_u32(w, *str != NULL);
		if (*str != NULL)
			put_octets(w, *str, strlen(*str));
		break;
	}
}

void
ae_fields_put(struct ae_wr *w, const void *object, const struct ae_field *f)
{
	const char *at;
	uint64_t u64;
	uint32_t u32;

	for (; f->name != NULL; f++) {
		at = (const char *)object + f->offset;
		switch (f->kind) {
		case AE_FIELD_U32:
			memcpy(&u32, at, sizeof(u32));
			ae_wr_u32(w, u32);
			break;
		case AE_FIELD_U64:
		case AE_FIELD_TIME:
		case AE_FIELD_PERIOD:
			memcpy(&u64, at, sizeof(u64));
			ae_wr_u64(w, u64);
			break;
		default:
			put_values(w, at, f);
			break;
		}
	}
}

static int
get_values(
    void *at, const struct ae_field *f, struct ae_rd *r, struct ae_err *e)
{
	uint32_t i, n = ae_rd_u32(r);
	struct ae_value v;
	int rc;

	if (!ae_rd_ok(r) ||
	    n > (f->kind == AE_FIELD_OCTETSV ? OCTETS_VALUES_MAX
			: is_list(f->kind)   ? AE_TEMPLATE_VALUES_MAX
					     : 1u))
		return refuse(f, "impossible count", e);
	for (i = 0; i < n; i++) {
		v.len = ae_rd_u32(r);
		v.p = ae_rd_take(r, v.len);
		if (!ae_rd_ok(r))
			return refuse(f, "truncated", e);
		if ((rc = take(at, f, &v, e)) != AE_OK)
			return rc;
	}
	return AE_OK;
}

int
ae_fields_get(
    void *object, const struct ae_field *f, struct ae_rd *r, struct ae_err *e)
{
	uint64_t u64;
	uint32_t u32;
	char *at;
	int rc;

	for (; f->name != NULL; f++) {
		at = (char *)object + f->offset;
		switch (f->kind) {
		case AE_FIELD_U32:
			u32 = ae_rd_u32(r);
			memcpy(at, &u32, sizeof(u32));
			break;
		case AE_FIELD_U64:
		case AE_FIELD_TIME:
		case AE_FIELD_PERIOD:
			u64 = ae_rd_u64(r);
			if (f->kind == AE_FIELD_PERIOD && u64 > INT64_MAX)
				return refuse(f, "not a period", e);
			memcpy(at, &u64, sizeof(u64));
			break;
		default:
			if ((rc = get_values(at, f, r, e)) != AE_OK)
				return rc;
			break;
		}
	}
	return ae_rd_ok(r) ? AE_OK
			   : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "truncated");
}

void
ae_fields_done(void *object, const struct ae_field *f)
{
	struct ae_octetsv *octetsv;
	size_t i;
	void *at;

	for (; f->name != NULL; f++) {
		at = (char *)object + f->offset;
		switch (f->kind) {
		case AE_FIELD_STR:
		case AE_FIELD_OID:
			free(*(char **)at);
			break;
		case AE_FIELD_OCTETS:
			free(((struct ae_octets *)at)->p);
			break;
		case AE_FIELD_STRV:
		case AE_FIELD_OIDV:
			ae_strv_done(at);
			break;
		case AE_FIELD_OCTETSV:
			octetsv = at;
			for (i = 0; i < octetsv->n; i++)
				free(octetsv->v[i].p);
			free(octetsv->v);
			break;
		default:
			break;
		}
	}
}

static int
write_value(struct ae_value *v, const void *at, const struct ae_field *f,
    struct ae_arena *a, struct ae_err *e)
{
	const struct ae_octets *octets = at;
	int64_t span;
	uint32_t u32;
	char *s;

	switch (f->kind) {
	case AE_FIELD_U32:
		/* LDAP integers are signed. */
		memcpy(&u32, at, sizeof(u32));
		s = ae_arena_printf(a, "%d", (int)u32);
		break;
	case AE_FIELD_PERIOD:
		memcpy(&span, at, sizeof(span));
		if ((s = ae_arena_alloc(a, 8)) == NULL)
			break;
		ae_span_to_period((uint8_t *)s, span);
		*v = (struct ae_value){ (const uint8_t *)s, 8 };
		return AE_OK;
	case AE_FIELD_OCTETS:
		*v = (struct ae_value){ octets->p, octets->len };
		return AE_OK;
	default:
		s = *(char *const *)at;
		break;
	}
	if (s == NULL)
		return ae_fail_mem(e);
	*v = (struct ae_value){ (const uint8_t *)s, strlen(s) };
	return AE_OK;
}

static void
write_list(
    struct ae_value *v, const void *at, const struct ae_field *f, size_t n)
{
	const struct ae_octetsv *octetsv = at;
	const struct ae_strv *strv = at;
	size_t i;

	for (i = 0; i < n; i++)
		v[i] = f->kind == AE_FIELD_OCTETSV
		    ? (struct ae_value){ octetsv->v[i].p, octetsv->v[i].len }
		    : (struct ae_value){ (const uint8_t *)strv->v[i],
			      strlen(strv->v[i]) };
}

/* How many values the row has to be written; 0: none. */
static size_t
values(const void *at, const struct ae_field *f)
{
	int64_t span;

	switch (f->kind) {
	case AE_FIELD_U32:
		return 1;
	case AE_FIELD_PERIOD:
		memcpy(&span, at, sizeof(span));
		return span != 0;
	case AE_FIELD_OCTETS:
		return ((const struct ae_octets *)at)->len != 0;
	case AE_FIELD_STRV:
	case AE_FIELD_OIDV:
		return ((const struct ae_strv *)at)->n;
	case AE_FIELD_OCTETSV:
		return ((const struct ae_octetsv *)at)->n;
	case AE_FIELD_U64:
	case AE_FIELD_TIME:
		return 0;
	default:
		return *(char *const *)at != NULL;
	}
}

int
ae_fields_encode(struct ae_attr *out, size_t *n, size_t max, const void *object,
    const struct ae_field *f, struct ae_arena *a, struct ae_err *e)
{
	struct ae_value *v;
	const char *at;
	size_t count;
	int rc;

	for (; f->name != NULL; f++) {
		at = (const char *)object + f->offset;
		if (f->derived || (count = values(at, f)) == 0)
			continue;
		if (*n >= max)
			return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
			    "%s: no room", f->name);
		if ((v = ae_arena_array(a, count, sizeof(*v))) == NULL)
			return ae_fail_mem(e);
		if (is_list(f->kind))
			write_list(v, at, f, count);
		else if ((rc = write_value(v, at, f, a, e)) != AE_OK)
			return rc;
		out[(*n)++] = (struct ae_attr){ f->name, v, count };
	}
	return AE_OK;
}
