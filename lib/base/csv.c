/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Comma-separated values; see csv.h.
 */
#include "base/csv.h"

#include <string.h>

#include "base/utf16.h"

static void
put(struct ae_wr *w, enum ae_csv_encoding enc, char c)
{
	ae_wr_u8(w, (uint8_t)c);
	if (enc == AE_CSV_UTF16)
		ae_wr_u8(w, 0);
}

/* From the start of s to before a quote, or to the end. */
static size_t
put_run(struct ae_wr *w, enum ae_csv_encoding enc, const char *s)
{
	size_t n = strcspn(s, "\""), i = 0, part;
	char text[256];

	if (enc == AE_CSV_UTF8) {
		ae_wr_bytes(w, s, n);
		return n;
	}
	while (i < n) {
		part = n - i < sizeof(text) - 1 ? n - i : sizeof(text) - 1;
		/* Not in the middle of a character. */
		while (
		    i + part < n && ((unsigned char)s[i + part] & 0xc0) == 0x80)
			part--;
		memcpy(text, s + i, part);
		text[part] = '\0';
		(void)ae_utf16_put(w, text);
		i += part;
	}
	return n;
}

static void
put_field(struct ae_wr *w, enum ae_csv_encoding enc, const char *s)
{
	put(w, enc, '"');
	while (s != NULL && *s != '\0') {
		s += put_run(w, enc, s);
		if (*s == '"') {
			put(w, enc, '"');
			put(w, enc, *s++);
		}
	}
	put(w, enc, '"');
}

void
ae_csv_begin(struct ae_wr *w, enum ae_csv_encoding enc)
{
	if (enc == AE_CSV_UTF16)
		ae_wr_bytes(w, "\xff\xfe", 2);
}

bool
ae_csv_row(struct ae_wr *w, enum ae_csv_encoding enc, const char *const *fields,
    size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (fields[i] != NULL && !ae_utf8_valid(fields[i]))
			return false;
	for (i = 0; i < n; i++) {
		if (i > 0)
			put(w, enc, ',');
		put_field(w, enc, fields[i]);
	}
	put(w, enc, '\r');
	put(w, enc, '\n');
	return true;
}
