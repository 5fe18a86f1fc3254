/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Comparing sentences of several languages; see code.h.
 */
#include "diag/code.h"

#include <stdint.h>
#include <string.h>

#define GAP_MAX 200

/* U+00C0 to U+00FF as letters without accents; ' ' keeps what it is. */
static const char latin1[] = "aaaaaa ceeeeiiii nooooo  uuuuy  "
			     "aaaaaa ceeeeiiii nooooo  uuuuy y";

/*
 * One character of s into out (at most 2 bytes): *used are the bytes it had,
 * the result those it has now.
 */
static size_t
fold_one(char out[2], size_t *used, const unsigned char *s, size_t left)
{
	*used = 1;
	out[0] = (char)s[0];
	if (s[0] >= 'A' && s[0] <= 'Z')
		out[0] = (char)(s[0] - 'A' + 'a');
	if (s[0] <= 0x20 || s[0] == 0x7f)
		out[0] = ' ';
	if (s[0] >= 0xc0 && latin1[s[0] - 0xc0] != ' ' &&
	    (left < 2 || (s[1] & 0xc0) != 0x80)) {
		out[0] = latin1[s[0] - 0xc0]; /* no UTF-8: ANSI as it was */
		return 1;
	}
	if (s[0] < 0x80 || left < 2)
		return 1;
	if (s[0] == 0xc2 && s[1] == 0xa0) { /* no-break space */
		*used = 2;
		out[0] = ' ';
		return 1;
	}
	if ((s[0] == 0xcc && s[1] >= 0x80) ||
	    (s[0] == 0xcd && s[1] <= 0xaf)) { /* combining accents */
		*used = 2;
		return 0;
	}
	if (s[0] == 0xc3 && s[1] == 0x9f) { /* sharp s */
		*used = 2;
		memcpy(out, "ss", 2);
		return 2;
	}
	if (s[0] == 0xc3 && s[1] >= 0x80 && s[1] < 0xc0 &&
	    latin1[s[1] - 0x80] != ' ') {
		*used = 2;
		out[0] = latin1[s[1] - 0x80];
		return 1;
	}
	if (left >= 3 && s[0] == 0xe2 && s[1] == 0x80 &&
	    (s[2] == 0x99 || s[2] == 0xaf)) { /* apostrophe, narrow space */
		*used = 3;
		out[0] = s[2] == 0x99 ? '\'' : ' ';
		return 1;
	}
	return 1;
}

size_t
ae_diag_fold(char *out, size_t outlen, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i = 0, n = 0, used, got, k;
	char one[2];

	while (i < len && n + 2 < outlen) {
		got = fold_one(one, &used, p + i, len - i);
		i += used;
		for (k = 0; k < got; k++)
			if (one[k] != ' ' || n == 0 || out[n - 1] != ' ')
				out[n++] = one[k];
	}
	out[n] = '\0';
	return n;
}

bool
ae_diag_phrase_in(const char *folded, const char *phrase)
{
	const char *star = strchr(phrase, '*'), *at, *rest, *p;
	char head[128];
	size_t len;

	if (star == NULL)
		return strstr(folded, phrase) != NULL;
	len = (size_t)(star - phrase);
	if (len >= sizeof(head))
		return false;
	memcpy(head, phrase, len);
	head[len] = '\0';
	rest = star + 1 + strspn(star + 1, " ");
	/* The last place decides as well as the first: gaps are short. */
	for (at = strstr(folded, head); at != NULL; at = strstr(at + 1, head)) {
		char window[GAP_MAX + 128];
		size_t n = strnlen(at + len, sizeof(window) - 1);

		memcpy(window, at + len, n);
		window[n] = '\0';
		p = strchr(rest, '*');
		if (p == NULL ? strstr(window, rest) != NULL
			      : ae_diag_phrase_in(window, rest))
			return true;
	}
	return false;
}
