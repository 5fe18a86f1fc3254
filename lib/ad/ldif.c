/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Around OpenLDAP's LDIF: what it would do too much is kept away from it.
 */
#include "ad/ldif.h"

#include <stdlib.h>
#include <string.h>

#include "ad/libldap.h"
#include "base/str.h"

/* Lines with folding undone, one value each. */
#define ARENA_MAX (8u * AE_LDIF_MAX)

static void
put_value(struct ae_wr *w, const struct ae_ad_lib *lib, const char *name,
    const struct ae_value *v)
{
	char *line = lib->ldif_put(
	    LDIF_PUT_VALUE, name, (const char *)v->p, (ber_len_t)v->len);

	if (line == NULL) {
		w->bad = true;
		return;
	}
	ae_wr_str(w, line);
	lib->ber_memfree(line);
}

void
ae_ldif_put(
    struct ae_wr *w, const char *dn, const struct ae_attr *attrs, size_t n)
{
	const struct ae_value v = { (const uint8_t *)dn, strlen(dn) };
	struct ae_ad_lib lib;
	size_t i, j;

	if (ae_ad_lib_load(&lib, NULL) != AE_OK) {
		w->bad = true;
		return;
	}
	put_value(w, &lib, "dn", &v);
	for (i = 0; i < n; i++)
		for (j = 0; j < attrs[i].n; j++)
			put_value(w, &lib, attrs[i].name, &attrs[i].v[j]);
	ae_wr_str(w, "\n");
}

/* What is being read: attributes of one entry grow in place. */
struct reader {
	struct ae_ad_lib lib;
	struct ae_entries *out;
	const char *name; /* of the file */
	unsigned long line;
	struct ae_value (*values)[AE_LDIF_VALUES_MAX];
	const char *names[AE_LDIF_VALUES_MAX]; /* whose value it is */
	size_t nvalues;
};

static int
refuse(const struct reader *r, const char *why, struct ae_err *e)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
	    "%s: entry before line %lu: %s", r->name, r->line, why);
}

static int
take_line(struct reader *r, char *line, struct ae_err *e)
{
	const char *colon = strchr(line, ':');
	struct berval type, value;
	int given = 0;
	uint8_t *copy;

	if (colon == NULL || colon == line)
		return refuse(r, "a line without an attribute", e);
	if (colon[1] == '<')
		return refuse(r, "values from elsewhere are not taken", e);
	if (r->nvalues >= AE_LDIF_VALUES_MAX)
		return refuse(r, "too many values", e);
	if (r->lib.ldif_parse_line2(line, &type, &value, &given) != 0)
		return refuse(r, "a line that is no LDIF", e);
	/* A NUL behind the value, as LDAP results have it. */
	copy = ae_arena_alloc(r->out->arena, value.bv_len + 1);
	r->names[r->nvalues] =
	    ae_arena_strndup(r->out->arena, type.bv_val, type.bv_len);
	if (copy != NULL && value.bv_len != 0)
		memcpy(copy, value.bv_val, value.bv_len);
	if (given)
		r->lib.ber_memfree(value.bv_val);
	if (copy == NULL || r->names[r->nvalues] == NULL)
		return ae_fail_mem(e);
	copy[value.bv_len] = '\0';
	(*r->values)[r->nvalues++] = (struct ae_value){ copy, value.bv_len };
	return AE_OK;
}

/* The values of one name together, in the arena. */
static int
gather(struct reader *r, struct ae_entry *entry, struct ae_err *e)
{
	struct ae_attr *attrs;
	struct ae_value *v;
	size_t i, j, n;

	attrs = ae_arena_array(r->out->arena, r->nvalues, sizeof(*attrs));
	if (attrs == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < r->nvalues; i++) {
		if (r->names[i] == NULL)
			continue;
		for (n = 0, j = i; j < r->nvalues; j++)
			n += r->names[j] != NULL &&
			    ae_str_eq_nocase(r->names[i], r->names[j]);
		v = ae_arena_array(r->out->arena, n, sizeof(*v));
		if (v == NULL)
			return ae_fail_mem(e);
		attrs[entry->n++] = (struct ae_attr){ r->names[i], v, n };
		for (n = 0, j = i; j < r->nvalues; j++) {
			if (r->names[j] == NULL ||
			    !ae_str_eq_nocase(
				attrs[entry->n - 1].name, r->names[j]))
				continue;
			v[n++] = (*r->values)[j];
			r->names[j] = NULL;
		}
	}
	entry->attrs = attrs;
	return AE_OK;
}

static bool
is_version(const struct reader *r)
{
	return r->nvalues != 0 && ae_str_eq_nocase(r->names[0], "version");
}

/* dn first, then perhaps "changetype: add", then attributes. */
static int
take_entry(struct reader *r, struct ae_err *e)
{
	struct ae_entry *entry;
	size_t skip = is_version(r) ? 1 : 0;

	if (r->nvalues == skip)
		return AE_OK;
	if (!ae_str_eq_nocase(r->names[skip], "dn"))
		return refuse(r, "it does not begin with its dn", e);
	if (r->out->n >= AE_LDIF_ENTRIES_MAX)
		return refuse(r, "too many entries", e);
	entry = &r->out->v[r->out->n];
	entry->dn = (const char *)(*r->values)[skip++].p;
	if (r->nvalues > skip &&
	    ae_str_eq_nocase(r->names[skip], "changetype")) {
		if (!ae_str_eq_nocase(
			(const char *)(*r->values)[skip].p, "add"))
			return refuse(r, "only whole entries are taken", e);
		skip++;
	}
	memmove(r->names, r->names + skip,
	    (r->nvalues - skip) * sizeof(r->names[0]));
	memmove(*r->values, *r->values + skip,
	    (r->nvalues - skip) * sizeof((*r->values)[0]));
	r->nvalues -= skip;
	r->out->n++;
	return gather(r, entry, e);
}

static int
take_record(struct reader *r, char *record, struct ae_err *e)
{
	char *next = record, *line;
	int rc;

	r->nvalues = 0;
	while ((line = r->lib.ldif_getline(&next)) != NULL) {
		if (*line == '\0' || *line == '#')
			continue;
		if ((rc = take_line(r, line, e)) != AE_OK)
			return rc;
	}
	return take_entry(r, e);
}

/*
 * Where the record at text ends: behind an empty line.  OpenLDAP's own
 * reader of records would follow "include:" into other files.
 */
static char *
cut_record(char *text, unsigned long *lines)
{
	char *end;

	for (; *text != '\0'; text = end) {
		end = text + strcspn(text, "\n");
		++*lines;
		if (*end != '\0')
			end++;
		if (text[strspn(text, "\r")] == '\n') {
			*text = '\0';
			return end;
		}
	}
	return text;
}

static int
read_all(struct reader *r, char *text, struct ae_err *e)
{
	char *next;
	int rc = AE_OK;

	for (; rc == AE_OK && *text != '\0'; text = next) {
		next = cut_record(text, &r->line);
		rc = take_record(r, text, e);
	}
	return rc;
}

int
ae_ldif_parse(struct ae_entries *out, const char *name, const void *text,
    size_t len, struct ae_err *e)
{
	struct reader *r;
	char *copy;
	int rc = AE_OK;

	memset(out, 0, sizeof(*out));
	if (len > AE_LDIF_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s: more than %u bytes", name, AE_LDIF_MAX);
	if (memchr(text, '\0', len) != NULL)
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "%s: no text", name);
	r = calloc(1, sizeof(*r));
	copy = malloc(len + 1);
	out->arena = ae_arena_new(ARENA_MAX);
	if (r == NULL || copy == NULL || out->arena == NULL)
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_ad_lib_load(&r->lib, e);
	if (rc == AE_OK) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		r->out = out;
		r->name = name;
		r->values = malloc(sizeof(*r->values));
		out->v = ae_arena_array(
		    out->arena, AE_LDIF_ENTRIES_MAX, sizeof(*out->v));
		rc = r->values == NULL || out->v == NULL ? ae_fail_mem(e)
							 : read_all(r, copy, e);
	}
	if (r != NULL)
		free(r->values);
	free(r);
	free(copy);
	if (rc != AE_OK)
		ae_entries_done(out);
	return rc;
}
