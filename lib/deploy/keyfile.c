/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One pass over the lines; see keyfile.h.
 */
#include "deploy/keyfile.h"

#include <string.h>

#define ROWS_MAX 32

struct pass {
	struct ae_wr *out;
	const struct ae_keyfile_row *rows;
	size_t nrows;
	bool done[ROWS_MAX];
	const char *section; /* borrowed from the text */
	size_t section_len;
	size_t blanks; /* empty lines held back: additions come before them */
	bool in_section;
};

static bool
same(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

/* GKeyFile: a leading space, backslash and line ends are escaped. */
static void
put_value(struct ae_wr *w, const char *v)
{
	if (*v == ' ') {
		ae_wr_str(w, "\\s");
		v++;
	}
	for (; *v != '\0'; v++) {
		if (*v == '\\')
			ae_wr_str(w, "\\\\");
		else if (*v == '\n')
			ae_wr_str(w, "\\n");
		else if (*v == '\r')
			ae_wr_str(w, "\\r");
		else if (*v == '\t')
			ae_wr_str(w, "\\t");
		else
			ae_wr_u8(w, (uint8_t)*v);
	}
}

static void
put_row(struct pass *p, size_t i)
{
	const struct ae_keyfile_row *r = &p->rows[i];

	p->done[i] = true;
	if (r->value == NULL)
		return;
	ae_wr_str(p->out, r->key);
	ae_wr_str(p->out, "=");
	put_value(p->out, r->value);
	ae_wr_str(p->out, "\n");
}

static void
put_blanks(struct pass *p)
{
	for (; p->blanks > 0; p->blanks--)
		ae_wr_str(p->out, "\n");
}

/* What the section lacks, before the empty lines that end it. */
static void
end_section(struct pass *p)
{
	size_t i;

	for (i = 0; p->in_section && i < p->nrows; i++)
		if (!p->done[i] &&
		    same(p->section, p->section_len, p->rows[i].section))
			put_row(p, i);
	put_blanks(p);
}

static int
heading(struct pass *p, const char *line, size_t len, struct ae_err *e)
{
	if (len < 3 || line[len - 1] != ']')
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a section heading that is none");
	end_section(p);
	p->section = line + 1;
	p->section_len = len - 2;
	p->in_section = true;
	ae_wr_bytes(p->out, line, len);
	ae_wr_str(p->out, "\n");
	return AE_OK;
}

static int
setting(struct pass *p, const char *line, size_t len, struct ae_err *e)
{
	const char *eq = memchr(line, '=', len);
	size_t klen, i;

	if (eq == NULL || !p->in_section)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a line that is neither heading, comment nor key=value");
	for (klen = (size_t)(eq - line); klen > 0 && line[klen - 1] == ' ';)
		klen--;
	put_blanks(p);
	for (i = 0; i < p->nrows; i++) {
		const struct ae_keyfile_row *r = &p->rows[i];

		if (!same(line, klen, r->key) ||
		    !same(p->section, p->section_len, r->section))
			continue;
		if (p->done[i])
			return AE_OK; /* said twice: ours stands already */
		if (!r->keep) {
			put_row(p, i);
			return AE_OK;
		}
		p->done[i] = true;
		break;
	}
	ae_wr_bytes(p->out, line, len);
	ae_wr_str(p->out, "\n");
	return AE_OK;
}

static int
one_line(struct pass *p, const char *line, size_t len, struct ae_err *e)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (memchr(line, '\0', len) != NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "a NUL byte");
	if (len == 0) {
		p->blanks++;
		return AE_OK;
	}
	if (line[0] == '[')
		return heading(p, line, len, e);
	if (line[0] != '#')
		return setting(p, line, len, e);
	put_blanks(p);
	ae_wr_bytes(p->out, line, len);
	ae_wr_str(p->out, "\n");
	return AE_OK;
}

/* Sections that the file does not have, each in the order of the rows. */
static void
add_sections(struct pass *p)
{
	size_t i, j;

	for (i = 0; i < p->nrows; i++) {
		if (p->done[i] || p->rows[i].value == NULL)
			continue;
		if (p->out->len > 0)
			ae_wr_str(p->out, "\n");
		ae_wr_printf(p->out, "[%s]\n", p->rows[i].section);
		for (j = i; j < p->nrows; j++)
			if (!p->done[j] &&
			    strcmp(p->rows[j].section, p->rows[i].section) == 0)
				put_row(p, j);
	}
}

int
ae_keyfile_update(struct ae_wr *out, const char *text, size_t len,
    const struct ae_keyfile_row *rows, size_t nrows, struct ae_err *e)
{
	struct pass p = { .out = out, .rows = rows, .nrows = nrows };
	size_t off = 0;
	int rc = AE_OK;

	if (len > AE_KEYFILE_MAX || nrows > ROWS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a keyfile of %zu bytes", len);
	while (off < len && rc == AE_OK) {
		const char *nl = memchr(text + off, '\n', len - off);
		size_t n = nl == NULL ? len - off : (size_t)(nl - text) - off;

		rc = one_line(&p, text + off, n, e);
		off += n + 1;
	}
	if (rc != AE_OK)
		return rc;
	end_section(&p);
	add_sections(&p);
	return ae_wr_ok(out) ? AE_OK : ae_fail_mem(e);
}
