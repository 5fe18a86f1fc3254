/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Bytes to characters to fields to rows; see csv_read.h.
 */
#include "diag/csv_read.h"

#include <stdlib.h>
#include <string.h>

#define ROW_MAX 65536 /* bytes of a row that are kept */

enum encoding { UNKNOWN, UTF8, UTF16LE, UTF16BE };

struct ae_diag_csv {
	ae_diag_csv_fn *fn;
	void *arg;
	/* bytes */
	enum encoding encoding;
	uint8_t pending[4];
	size_t npending;
	uint32_t high; /* the first half of a surrogate pair; 0: none */
	/* characters */
	char delimiter; /* 0: not seen yet */
	bool quoted;	/* inside quotes */
	bool quote;	/* a quote inside quotes: the end, or one of two */
	bool begun;	/* the field has a character */
	bool any;	/* the row has one */
	bool cr;	/* the last was CR: LF belongs to it */
	size_t line, quote_line, field_len;
	/* the row */
	struct ae_diag_csv_row row;
	size_t start[AE_DIAG_CSV_FIELDS_MAX];
	size_t len, field_kept;
	char buf[ROW_MAX];
};

struct ae_diag_csv *
ae_diag_csv_new(ae_diag_csv_fn *fn, void *arg)
{
	struct ae_diag_csv *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->fn = fn;
	c->arg = arg;
	c->line = 1;
	c->row.line = 1;
	return c;
}

void
ae_diag_csv_free(struct ae_diag_csv *c)
{
	free(c);
}

/* ---- rows ---- */

static void
keep(struct ae_diag_csv *c, const char *p, size_t n)
{
	if (c->row.n >= AE_DIAG_CSV_FIELDS_MAX ||
	    c->field_kept + n > AE_DIAG_CSV_KEEP_MAX ||
	    c->len + n >= sizeof(c->buf)) {
		c->row.cut = true;
		return;
	}
	memcpy(c->buf + c->len, p, n);
	c->len += n;
	c->field_kept += n;
}

static void
end_field(struct ae_diag_csv *c)
{
	if (c->row.n < AE_DIAG_CSV_FIELDS_MAX && c->len + 1 < sizeof(c->buf)) {
		c->buf[c->len++] = '\0';
		c->row.n++;
		if (c->row.n < AE_DIAG_CSV_FIELDS_MAX)
			c->start[c->row.n] = c->len;
	} else {
		c->row.cut = true;
	}
	c->field_kept = 0;
	c->field_len = 0;
	c->begun = false;
	c->quoted = false;
	c->quote = false;
}

static int
end_row(struct ae_diag_csv *c, struct ae_err *e)
{
	int rc = AE_OK;
	size_t i;

	if (c->any) {
		end_field(c);
		for (i = 0; i < c->row.n; i++)
			c->row.field[i] = c->buf + c->start[i];
		rc = c->fn(c->arg, &c->row, e);
	}
	c->row.n = 0;
	c->row.cut = false;
	c->len = 0;
	c->start[0] = 0;
	c->field_kept = 0;
	c->field_len = 0;
	c->begun = false;
	c->any = false;
	return rc;
}

static int
unclosed(struct ae_diag_csv *c, struct ae_err *e)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
	    "line %zu: a quote is opened and never closed: the file is "
	    "damaged or cut off there",
	    c->quote_line);
}

/* ---- characters ---- */

static size_t
utf8(char out[4], uint32_t ch)
{
	if (ch < 0x80) {
		out[0] = (char)ch;
		return 1;
	}
	if (ch < 0x800) {
		out[0] = (char)(0xc0 | ch >> 6);
		out[1] = (char)(0x80 | (ch & 0x3f));
		return 2;
	}
	if (ch < 0x10000) {
		out[0] = (char)(0xe0 | ch >> 12);
		out[1] = (char)(0x80 | (ch >> 6 & 0x3f));
		out[2] = (char)(0x80 | (ch & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | ch >> 18);
	out[1] = (char)(0x80 | (ch >> 12 & 0x3f));
	out[2] = (char)(0x80 | (ch >> 6 & 0x3f));
	out[3] = (char)(0x80 | (ch & 0x3f));
	return 4;
}

static bool
is_delimiter(struct ae_diag_csv *c, uint32_t ch)
{
	if (c->delimiter == 0 && (ch == ',' || ch == ';' || ch == '\t'))
		c->delimiter = (char)ch;
	return c->delimiter != 0 && ch == (unsigned char)c->delimiter;
}

static void
put(struct ae_diag_csv *c, uint32_t ch)
{
	char out[4] = { 0 };
	size_t n = utf8(out, ch);

	c->begun = true;
	c->any = true;
	c->field_len++;
	if (ch != 0) /* a field is a C string */
		keep(c, out, n);
}

static int
inside(struct ae_diag_csv *c, uint32_t ch, struct ae_err *e)
{
	if (ch == '"') {
		c->quote = true;
		return AE_OK;
	}
	put(c, ch);
	if (c->field_len > AE_DIAG_CSV_FIELD_MAX)
		return unclosed(c, e);
	return AE_OK;
}

static int
character(struct ae_diag_csv *c, uint32_t ch, struct ae_err *e)
{
	bool after_cr = c->cr;

	c->cr = ch == '\r';
	if (ch == '\n' && !after_cr)
		c->line++;
	if (ch == '\r')
		c->line++;
	if (c->quoted && c->quote && ch == '"') {
		c->quote = false;
		put(c, '"');
		return AE_OK;
	}
	if (c->quoted && !c->quote)
		return inside(c, ch, e);
	c->quoted = false;
	c->quote = false;
	if (ch == '\n' && after_cr)
		return AE_OK;
	if (ch == '\n' || ch == '\r') {
		int rc = end_row(c, e);

		c->row.line = c->line;
		return rc;
	}
	if (is_delimiter(c, ch)) {
		c->any = true;
		end_field(c);
		return AE_OK;
	}
	if (ch == '"' && !c->begun) {
		c->quoted = true;
		c->begun = true;
		c->any = true;
		c->quote_line = c->line;
		return AE_OK;
	}
	put(c, ch);
	if (c->field_len > AE_DIAG_CSV_FIELD_MAX)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "line %zu: a line of more than %u characters: this is no "
		    "export of events",
		    c->row.line, AE_DIAG_CSV_FIELD_MAX);
	return AE_OK;
}

/* ---- bytes ---- */

static int
unit16(struct ae_diag_csv *c, uint32_t u, struct ae_err *e)
{
	if (c->high != 0 && u >= 0xdc00 && u < 0xe000) {
		u = 0x10000 + ((c->high - 0xd800) << 10) + (u - 0xdc00);
		c->high = 0;
		return character(c, u, e);
	}
	c->high = u >= 0xd800 && u < 0xdc00 ? u : 0;
	if (c->high != 0)
		return AE_OK;
	return character(c, u >= 0xdc00 && u < 0xe000 ? 0xfffd : u, e);
}

static size_t
need_of(uint8_t lead)
{
	return lead < 0x80 ? 1
	    : lead < 0xc2  ? 0
	    : lead < 0xe0  ? 2
	    : lead < 0xf0  ? 3
	    : lead < 0xf5  ? 4
			   : 0;
}

/* What is pending is no character: its first byte as Latin 1. */
static int
latin1(struct ae_diag_csv *c, struct ae_err *e)
{
	uint8_t first = c->pending[0];

	c->npending--;
	memmove(c->pending, c->pending + 1, c->npending);
	return character(c, first, e);
}

static uint32_t
value_of(const uint8_t *p, size_t n)
{
	static const uint8_t mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t v = p[0] & mask[n];
	size_t i;

	for (i = 1; i < n; i++)
		v = v << 6 | (p[i] & 0x3f);
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return UINT32_MAX;
	return v;
}

static int
bytes8(struct ae_diag_csv *c, bool last, struct ae_err *e)
{
	int rc = AE_OK;

	while (c->npending > 0 && rc == AE_OK) {
		size_t need = need_of(c->pending[0]), i;
		uint32_t v;

		for (i = 1; i < need && i < c->npending; i++)
			if ((c->pending[i] & 0xc0) != 0x80)
				need = 0;
		if (need > c->npending && !last)
			return AE_OK;
		v = need == 0 || need > c->npending
		    ? UINT32_MAX
		    : value_of(c->pending, need);
		if (v == UINT32_MAX) {
			rc = latin1(c, e);
			continue;
		}
		c->npending -= need;
		memmove(c->pending, c->pending + need, c->npending);
		rc = character(c, v, e);
	}
	return rc;
}

/* From the first bytes; how many of them are a mark. */
static size_t
detect(struct ae_diag_csv *c)
{
	const uint8_t *p = c->pending;

	c->encoding = UTF8;
	if (c->npending >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		return 3;
	if (c->npending < 2)
		return 0;
	if (p[0] == 0xff && p[1] == 0xfe)
		c->encoding = UTF16LE;
	else if (p[0] == 0xfe && p[1] == 0xff)
		c->encoding = UTF16BE;
	if (c->encoding != UTF8)
		return 2;
	if (p[0] != 0 && p[1] == 0)
		c->encoding = UTF16LE;
	else if (p[0] == 0 && p[1] != 0)
		c->encoding = UTF16BE;
	return 0;
}

static int
drain(struct ae_diag_csv *c, bool last, struct ae_err *e)
{
	int rc = AE_OK;

	if (c->encoding == UTF8)
		return bytes8(c, last, e);
	while (c->npending >= 2 && rc == AE_OK) {
		uint32_t u = c->encoding == UTF16LE
		    ? (uint32_t)(c->pending[0] | c->pending[1] << 8)
		    : (uint32_t)(c->pending[0] << 8 | c->pending[1]);

		c->npending -= 2;
		memmove(c->pending, c->pending + 2, c->npending);
		rc = unit16(c, u, e);
	}
	return rc;
}

static int
begin(struct ae_diag_csv *c, bool last, struct ae_err *e)
{
	size_t mark = detect(c);

	c->npending -= mark;
	memmove(c->pending, c->pending + mark, c->npending);
	return drain(c, last, e);
}

/* What is plain needs no waiting for the rest of a character. */
static size_t
plain(struct ae_diag_csv *c, const uint8_t *b, size_t len, int *rc,
    struct ae_err *e)
{
	size_t i = 0;

	if (c->npending > 0)
		return 0;
	if (c->encoding == UTF8)
		for (; i < len && b[i] < 0x80 && *rc == AE_OK; i++)
			*rc = character(c, b[i], e);
	else if (c->encoding == UTF16LE)
		for (; i + 1 < len && *rc == AE_OK; i += 2)
			*rc = unit16(c, (uint32_t)(b[i] | b[i + 1] << 8), e);
	return i;
}

int
ae_diag_csv_feed(
    struct ae_diag_csv *c, const void *p, size_t len, struct ae_err *e)
{
	const uint8_t *b = p;
	int rc = AE_OK;
	size_t i = 0;

	while (i < len && rc == AE_OK) {
		i += plain(c, b + i, len - i, &rc, e);
		if (i == len || rc != AE_OK)
			break;
		c->pending[c->npending++] = b[i++];
		if (c->encoding != UNKNOWN)
			rc = drain(c, false, e);
		else if (c->npending == sizeof(c->pending))
			rc = begin(c, false, e);
	}
	return rc;
}

int
ae_diag_csv_end(struct ae_diag_csv *c, struct ae_err *e)
{
	int rc = c->encoding == UNKNOWN ? begin(c, true, e) : drain(c, true, e);

	if (rc == AE_OK && c->quoted && !c->quote)
		return unclosed(c, e);
	return rc == AE_OK ? end_row(c, e) : rc;
}
