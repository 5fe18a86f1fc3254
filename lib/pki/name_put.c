/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Making distinguished names: from parts, and from the text AD has them in.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf16.h"
#include "pki/name.h"

enum form {
	DIRECTORY, /* PrintableString where possible, else UTF8String */
	PRINTABLE,
	IA5,
};

/* clang-format off */
static const struct attr {
	const char *name;
	const char *oid;
	enum form form;
} attrs[] = {
	{ "CN",                  "2.5.4.3",  DIRECTORY },
	{ "DC",                  "0.9.2342.19200300.100.1.25", IA5 },
	{ "OU",                  "2.5.4.11", DIRECTORY },
	{ "O",                   "2.5.4.10", DIRECTORY },
	{ "E",                   "1.2.840.113549.1.9.1", IA5 },
	{ "emailAddress",        "1.2.840.113549.1.9.1", IA5 },
	{ "L",                   "2.5.4.7",  DIRECTORY },
	{ "S",                   "2.5.4.8",  DIRECTORY },
	{ "ST",                  "2.5.4.8",  DIRECTORY },
	{ "STREET",              "2.5.4.9",  DIRECTORY },
	{ "C",                   "2.5.4.6",  PRINTABLE },
	{ "T",                   "2.5.4.12", DIRECTORY },
	{ "title",               "2.5.4.12", DIRECTORY },
	{ "SN",                  "2.5.4.4",  DIRECTORY },
	{ "G",                   "2.5.4.42", DIRECTORY },
	{ "GN",                  "2.5.4.42", DIRECTORY },
	{ "I",                   "2.5.4.43", DIRECTORY },
	{ "initials",            "2.5.4.43", DIRECTORY },
	{ "SERIALNUMBER",        "2.5.4.5",  PRINTABLE },
	{ "UID",                 "0.9.2342.19200300.100.1.1", DIRECTORY },
};
/* clang-format on */

const char *
ae_name_type_oid(const char *type)
{
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++)
		if (ae_str_eq_nocase(attrs[i].name, type))
			return attrs[i].oid;
	return type[0] >= '0' && type[0] <= '2' ? type : NULL;
}

static enum form
form_of(const char *oid)
{
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++)
		if (strcmp(attrs[i].oid, oid) == 0)
			return attrs[i].form;
	return DIRECTORY;
}

/* X.680 41.4 */
static bool
is_printable(const char *s)
{
	return s[strspn(s,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		   "0123456789 '()+,-./:=?")] == '\0';
}

static bool
is_ia5(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return false;
	return true;
}

/* The string type for a value, or 0 when it does not fit the attribute. */
static uint8_t
tag_for(enum form form, const char *value)
{
	if (!ae_utf8_valid(value) || value[0] == '\0')
		return 0;
	switch (form) {
	case PRINTABLE:
		return is_printable(value) ? AE_DER_PRINTABLE : 0;
	case IA5:
		return is_ia5(value) ? AE_DER_IA5 : 0;
	case DIRECTORY:
		break;
	}
	return is_printable(value) ? AE_DER_PRINTABLE : AE_DER_UTF8;
}

static int
put_part(struct ae_wr *w, const struct ae_name_part *part, struct ae_err *e)
{
	const char *oid = ae_name_type_oid(part->type);
	size_t set, seq;
	uint8_t tag;

	tag = oid == NULL ? 0 : tag_for(form_of(oid), part->value);
	if (tag == 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "cannot be part of a name: %.32s=%.64s", part->type,
		    part->value);
	set = ae_der_open(w, AE_DER_SET);
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	if (!ae_der_oid(w, oid))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "not an object identifier: %.64s", oid);
	ae_der_put(w, tag, part->value, strlen(part->value));
	ae_der_close(w, seq);
	ae_der_close(w, set);
	return AE_OK;
}

/* Put back what a failed writing left behind. */
static int
undo(struct ae_wr *w, size_t len, int rc)
{
	if (ae_wr_ok(w))
		w->len = len;
	return rc;
}

int
ae_name_encode(struct ae_wr *w, const struct ae_name_part *parts, size_t n,
    struct ae_err *e)
{
	size_t start = w->len, mark;
	int rc;

	if (n > AE_NAME_PARTS_MAX)
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "a name of %zu parts", n);
	mark = ae_der_open(w, AE_DER_SEQUENCE);
	for (size_t i = 0; i < n; i++) {
		rc = put_part(w, &parts[i], e);
		if (rc != AE_OK)
			return undo(w, start, rc);
	}
	ae_der_close(w, mark);
	if (!ae_wr_ok(w))
		return ae_fail_mem(e);
	if (w->len - start > AE_PKI_NAME_MAX)
		return undo(w, start,
		    ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0, "a name of %zu bytes",
			w->len - start));
	return AE_OK;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 4514 2.4: a backslash and one character, or two hex digits. */
static bool
unescape(const char **s, char **out)
{
	const char *p = *s + 1;

	if (hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0) {
		*(*out)++ = (char)(hex_digit(p[0]) << 4 | hex_digit(p[1]));
		p += 2;
	} else if (p[0] != '\0' && strchr("\\,+\"<>;=# ", p[0]) != NULL) {
		*(*out)++ = *p++;
	} else {
		return false;
	}
	*s = p;
	return (*out)[-1] != '\0';
}

/*
 * One "type=value" up to a bare comma or the end, written to *out as two
 * strings.  Spaces around the type, and unescaped ones around the value, do
 * not count.
 */
static bool
get_part(const char **s, char **out, struct ae_name_part *part)
{
	const char *p = *s;
	char *o = *out, *keep;

	while (*p == ' ')
		p++;
	part->type = o;
	while (*p != '=' && *p != '\0' && strchr(",+\\\"<>;#", *p) == NULL)
		*o++ = *p++;
	while (o > part->type && o[-1] == ' ')
		o--;
	if (*p++ != '=' || o == part->type)
		return false;
	*o++ = '\0';
	while (*p == ' ')
		p++;
	if (*p == '#')
		return false;
	part->value = keep = o;
	while (*p != ',' && *p != '\0') {
		if (*p == '\\') {
			if (!unescape(&p, &o))
				return false;
			keep = o;
		} else if (strchr("+\"<>;", *p) != NULL) {
			return false;
		} else {
			if (*p != ' ')
				keep = o + 1;
			*o++ = *p++;
		}
	}
	o = keep;
	*o++ = '\0';
	if (*p == ',' && p[1] == '\0')
		return false;
	*s = *p == ',' ? p + 1 : p;
	*out = o;
	return true;
}

int
ae_name_from_text(struct ae_wr *w, const char *dn, struct ae_err *e)
{
	struct ae_name_part parts[AE_NAME_PARTS_MAX];
	size_t n = AE_NAME_PARTS_MAX;
	char *buf, *o;
	int rc;

	if (strlen(dn) > AE_PKI_NAME_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a name of %zu characters", strlen(dn));
	o = buf = malloc(strlen(dn) + 2);
	if (buf == NULL)
		return ae_fail_mem(e);
	/* The text runs from the end of the name to its front. */
	while (*dn != '\0') {
		if (n == 0 || !get_part(&dn, &o, &parts[n - 1])) {
			rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "not a distinguished name at \"%.64s\"", dn);
			goto out;
		}
		n--;
	}
	rc = ae_name_encode(w, parts + n, AE_NAME_PARTS_MAX - n, e);
out:
	free(buf);
	return rc;
}
