/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Label and words; see page.h.
 */
#include "diag/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 4096
#define WORD_MAX 512

/* Characters, not bytes: what follows a first byte takes no column. */
static size_t
columns(const char *s, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

static void
pad(struct ae_wr *w, size_t n)
{
	while (n-- > 0)
		ae_wr_u8(w, ' ');
}

/* One word, safe, and the columns that it takes. */
static size_t
word(struct ae_wr *w, const char *s, size_t len)
{
	char copy[WORD_MAX];
	size_t before = w->len;

	if (len >= sizeof(copy))
		len = sizeof(copy) - 1;
	memcpy(copy, s, len);
	copy[len] = '\0';
	ae_diag_put_safe(w, copy, sizeof(copy));
	return ae_wr_ok(w)
	    ? columns((const char *)w->p + before, w->len - before)
	    : 0;
}

void
ae_diag_page_title(struct ae_wr *w, const char *frame, enum ae_diag_lang lang)
{
	const struct ae_diag_arg title = { "about",
		ae_diag_frame(lang, frame) };

	ae_wr_u8(w, '\n');
	ae_diag_fill(w, ae_diag_frame(lang, "title"), &title, 1);
	ae_wr_u8(w, '\n');
}

void
ae_diag_page_cell(struct ae_wr *w, const char *s, size_t width)
{
	size_t before = w->len, n;

	ae_diag_put_safe(w, s, AE_DIAG_VALUE_MAX);
	if (!ae_wr_ok(w))
		return;
	n = columns((const char *)w->p + before, w->len - before);
	/* What is too wide does not run into its neighbour. */
	pad(w, n < width ? width - n : width > 0);
}

void
ae_diag_page(struct ae_wr *w, size_t indent, const char *label, const char *s)
{
	size_t left = indent + AE_DIAG_PAGE_LABEL, column = left, len;
	size_t label_len = columns(label, strlen(label));

	pad(w, indent);
	ae_wr_str(w, label);
	pad(w,
	    label_len < AE_DIAG_PAGE_LABEL ? AE_DIAG_PAGE_LABEL - label_len
					   : 1);
	if (label_len >= AE_DIAG_PAGE_LABEL)
		column += label_len + 1 - AE_DIAG_PAGE_LABEL;
	s += strspn(s, " ");
	while (*s != '\0' && ae_wr_ok(w)) {
		len = strcspn(s, " ");
		if (column > left) {
			if (column + 1 + columns(s, len) > AE_DIAG_PAGE_WIDTH) {
				ae_wr_u8(w, '\n');
				pad(w, left);
				column = left;
			} else if (((const char *)w->p)[w->len - 1] != ' ') {
				ae_wr_u8(w, ' ');
				column++;
			}
		}
		column += word(w, s, len);
		s += len;
		s += strspn(s, " ");
	}
	ae_wr_u8(w, '\n');
}

void
ae_diag_pagef(
    struct ae_wr *w, size_t indent, const char *label, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ae_diag_page(w, indent, label, text);
}
