/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See pins.h.
 */
#include "ca/pins.h"

#include <stdio.h>
#include <string.h>

#include "ad/ldif.h"
#include "base/breaks.h"
#include "base/str.h"
#include "ca/changes.h"

#define ARENA_MAX (4u * 1024u * 1024u)
#define CLASS "pKICertificateTemplate"

/* A name that is one file of a directory, and not hidden. */
static bool
is_file_name(const char *cn)
{
	const char *p;

	for (p = cn; *p != '\0'; p++)
		if (*p == '/' || (unsigned char)*p < ' ')
			return false;
	return cn[0] != '\0' && cn[0] != '.' && (size_t)(p - cn) <= 64;
}

static int
put_entry(struct ae_wr *w, const struct ae_template *t, struct ae_arena *a,
    struct ae_err *e)
{
	static const struct ae_value class = { (const uint8_t *)CLASS,
		sizeof(CLASS) - 1 };
	const struct ae_value cn = { (const uint8_t *)t->cn, strlen(t->cn) };
	const struct ae_value sd = { t->sd_raw.p, t->sd_raw.len };
	const struct ae_attr more[] = { { "objectClass", &class, 1 },
		{ "cn", &cn, 1 }, { "nTSecurityDescriptor", &sd, 1 } };
	const size_t k = sizeof(more) / sizeof(more[0]);
	struct ae_attr *attrs = NULL, *all;
	size_t n = 0;
	int rc = ae_template_encode(&attrs, &n, t, a, e);

	if (rc != AE_OK)
		return rc;
	all = ae_arena_array(a, n + k, sizeof(*all));
	if (all == NULL)
		return ae_fail_mem(e);
	memcpy(all, more, sizeof(more));
	if (n > 0)
		memcpy(all + k, attrs, n * sizeof(*attrs));
	ae_ldif_put(w, t->dn, all, n + k);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

/* What was written says what t says: nothing was lost on the way. */
static int
same_again(const struct ae_wr *w, size_t from, const struct ae_template *t,
    struct ae_err *e)
{
	struct ae_template *again = NULL;
	struct ae_wr text;
	char file[80];
	size_t n;
	int rc;

	(void)snprintf(file, sizeof(file), "%s" AE_CA_PIN_SUFFIX, t->cn);
	rc = ae_ca_pin_parse(&again, file, w->p + from, w->len - from, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&text, 512);
	n = ae_ca_template_changes(&text, t, again);
	if (n > 0)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "template %s cannot be written as a pin: %s", t->cn,
		    ae_wr_cstr(&text) != NULL ? ae_wr_cstr(&text) : "much");
	ae_wr_done(&text);
	ae_template_free(again);
	return rc;
}

int
ae_ca_pin_put(struct ae_wr *w, const struct ae_template *t, struct ae_err *e)
{
	struct ae_arena *a;
	size_t from = w->len;
	int rc;

	if (!is_file_name(t->cn))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a template of that name cannot be pinned: no file can be "
		    "called so");
	if (t->sd == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the permissions of template %s cannot be read", t->cn);
	a = ae_arena_new(ARENA_MAX);
	if (a == NULL)
		return ae_fail_mem(e);
	rc = put_entry(w, t, a, e);
	ae_arena_free(a);
	return rc == AE_OK ? same_again(w, from, t, e) : rc;
}

/* ---- reading ---- */

static bool
is_template(const struct ae_entry *entry)
{
	const struct ae_attr *class = ae_entry_get(entry, "objectClass");
	size_t i;

	for (i = 0; class != NULL && i < class->n; i++)
		if (class->v[i].len == sizeof(CLASS) - 1 &&
		    memcmp(class->v[i].p, CLASS, sizeof(CLASS) - 1) == 0)
			return true;
	return false;
}

/* The file "Web.ldif" is that of Web. */
static bool
is_named(const char *file, const char *cn)
{
	const size_t n = strlen(cn);

	return strlen(file) == n + sizeof(AE_CA_PIN_SUFFIX) - 1 &&
	    strncasecmp(file, cn, n) == 0;
}

static int
take(struct ae_template **out, const struct ae_entries *l, const char *file,
    struct ae_err *e)
{
	struct ae_template *t = NULL;
	int rc;

	if (l->n != 1 || !is_template(&l->v[0]))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is not one certificate template", file);
	rc = ae_template_decode(&t, &l->v[0], e);
	if (rc == AE_OK && !is_named(file, t->cn))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s has the template %s", file, t->cn);
	if (rc == AE_OK && t->sd == NULL)
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s has no permissions", file);
	if (rc != AE_OK) {
		ae_template_free(t);
		return rc;
	}
	*out = t;
	return AE_OK;
}

int
ae_ca_pin_parse(struct ae_template **out, const char *file, const void *text,
    size_t len, struct ae_err *e)
{
	struct ae_entries l = { 0 };
	int rc = len > AE_CA_PIN_MAX
	    ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0, "%s has more than %u bytes",
		  file, AE_CA_PIN_MAX)
	    : ae_ldif_parse(&l, file, text, len, e);

	if (rc == AE_OK)
		rc = take(out, &l, file, e);
	ae_entries_done(&l);
	return rc;
}

int
ae_ca_pin_apply(struct ae_template **out, const struct ae_template *pin,
    const struct ae_template *now, struct ae_err *e)
{
	int rc = ae_template_dup(out, AE_BREAK(esc4_pin) ? now : pin, e);

	if (rc != AE_OK)
		return rc;
	(*out)->revision = now->revision;
	(*out)->minor_revision = now->minor_revision;
	(*out)->when_changed = now->when_changed;
	(*out)->usn_changed = now->usn_changed;
	return AE_OK;
}
