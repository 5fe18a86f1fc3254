/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Registry.pol, both ways; see registry_pol.h.
 */
#include "policy/registry_pol.h"

#include <string.h>

#include "base/rd.h"
#include "base/utf16.h"

#define SIGNATURE UINT32_C(0x67655250) /* "PReg" */
#define VERSION 1u
/* "**soft." and the like stand before the name. */
#define VALUE_UNITS_MAX (AE_POL_VALUE_MAX + 16u)
/* Strings grow from two bytes a unit to at most three. */
#define ARENA_MAX (AE_POL_FILE_MAX * 2u)

static int
bad(struct ae_err *e, const struct ae_rd *r, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
	    "Registry.pol: %s near byte %zu", what, r->off);
}

static int
punctuation(struct ae_rd *r, uint16_t want, struct ae_err *e)
{
	if (ae_rd_u16(r) != want || !ae_rd_ok(r))
		return bad(e, r, "malformed instruction");
	return AE_OK;
}

/* A NUL-terminated UTF-16LE string of at most max units. */
static int
string(const char **out, struct ae_rd *r, size_t max, struct ae_arena *a,
    struct ae_err *e)
{
	size_t units = 0, start = r->off;
	const uint8_t *p;

	while (ae_rd_u16(r) != 0)
		if (++units > max)
			return bad(e, r, "name too long");
	if (!ae_rd_ok(r))
		return bad(e, r, "name without end");
	p = r->p + start;
	if (!ae_utf16_valid(p, units))
		return bad(e, r, "name is not UTF-16");
	*out = ae_utf16_to_utf8(a, p, units);
	return *out != NULL ? AE_OK : ae_fail_mem(e);
}

static int
instruction(struct ae_pol_instruction *i, struct ae_rd *r, struct ae_arena *a,
    struct ae_err *e)
{
	const uint8_t *p;
	uint32_t len;
	int rc;

	if ((rc = punctuation(r, '[', e)) != AE_OK ||
	    (rc = string(&i->key, r, AE_POL_KEY_MAX, a, e)) != AE_OK ||
	    (rc = punctuation(r, ';', e)) != AE_OK ||
	    (rc = string(&i->value, r, VALUE_UNITS_MAX, a, e)) != AE_OK ||
	    (rc = punctuation(r, ';', e)) != AE_OK)
		return rc;
	i->type = ae_rd_u32(r);
	if ((rc = punctuation(r, ';', e)) != AE_OK)
		return rc;
	len = ae_rd_u32(r);
	if ((rc = punctuation(r, ';', e)) != AE_OK)
		return rc;
	if (len > AE_POL_DATA_MAX)
		return bad(e, r, "data too long");
	p = ae_rd_take(r, len);
	if (!ae_rd_ok(r))
		return bad(e, r, "data runs past the end");
	if ((rc = punctuation(r, ']', e)) != AE_OK)
		return rc;
	i->len = len;
	i->data = ae_arena_dup(a, p != NULL ? p : (const void *)"", len);
	return i->data != NULL ? AE_OK : ae_fail_mem(e);
}

/* How many instructions there may be, from the size of the smallest one. */
static size_t
capacity(const struct ae_rd *r)
{
	/* [ NUL ; NUL ; type ; size ; ] */
	size_t n = ae_rd_left(r) / (2 * 7 + 2 * 4) + 1;

	return n < AE_POL_INSTRUCTIONS_MAX ? n : AE_POL_INSTRUCTIONS_MAX;
}

static int
parse(struct ae_pol *pol, struct ae_rd *r, struct ae_err *e)
{
	size_t max;
	int rc;

	if (ae_rd_u32(r) != SIGNATURE || ae_rd_u32(r) != VERSION ||
	    !ae_rd_ok(r))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "Registry.pol: wrong signature or version");
	max = capacity(r);
	pol->v = ae_arena_array(pol->arena, max, sizeof(*pol->v));
	if (pol->v == NULL)
		return ae_fail_mem(e);
	while (ae_rd_left(r) > 0) {
		if (pol->n == max)
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "Registry.pol: more than %u instructions",
			    AE_POL_INSTRUCTIONS_MAX);
		rc = instruction(&pol->v[pol->n], r, pol->arena, e);
		if (rc != AE_OK)
			return rc;
		pol->n++;
	}
	return AE_OK;
}

int
ae_pol_parse(struct ae_pol *out, const void *p, size_t len, struct ae_err *e)
{
	struct ae_pol pol = { 0 };
	struct ae_rd r;
	int rc;

	if (len > AE_POL_FILE_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "Registry.pol: %zu bytes", len);
	pol.arena = ae_arena_new(ARENA_MAX);
	if (pol.arena == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, p, len);
	if ((rc = parse(&pol, &r, e)) != AE_OK) {
		ae_arena_free(pol.arena);
		return rc;
	}
	*out = pol;
	return AE_OK;
}

void
ae_pol_done(struct ae_pol *pol)
{
	ae_arena_free(pol->arena);
	memset(pol, 0, sizeof(*pol));
}

int
ae_pol_encode(struct ae_wr *w, const struct ae_pol_instruction *v, size_t n,
    struct ae_err *e)
{
	size_t i;

	ae_wr_u32(w, SIGNATURE);
	ae_wr_u32(w, VERSION);
	for (i = 0; i < n; i++) {
		/* Not UTF-8 counts as longer than anything. */
		if (ae_utf16_units(v[i].key) > AE_POL_KEY_MAX ||
		    ae_utf16_units(v[i].value) > VALUE_UNITS_MAX ||
		    v[i].len > AE_POL_DATA_MAX)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "Registry.pol: instruction %zu is too long", i);
		ae_wr_u16(w, '[');
		(void)ae_utf16_put(w, v[i].key);
		ae_wr_u16(w, 0);
		ae_wr_u16(w, ';');
		(void)ae_utf16_put(w, v[i].value);
		ae_wr_u16(w, 0);
		ae_wr_u16(w, ';');
		ae_wr_u32(w, v[i].type);
		ae_wr_u16(w, ';');
		ae_wr_u32(w, (uint32_t)v[i].len);
		ae_wr_u16(w, ';');
		ae_wr_bytes(w, v[i].data, v[i].len);
		ae_wr_u16(w, ']');
	}
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}
