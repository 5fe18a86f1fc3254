/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Vector files; see hexfile.h.
 */
#include "hexfile.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"

uint8_t *
ae_hexfile(const char *dir, const char *name, size_t *len)
{
	char path[512], pair[3] = "";
	size_t n = 0, have = 0, cap = 65536;
	uint8_t *out = malloc(cap);
	FILE *f;
	int c;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (f == NULL || out == NULL) {
		(void)fprintf(stderr, "cannot read %s\n", path);
		abort();
	}
	while ((c = getc(f)) != EOF) {
		if (c == '#')
			while (c != '\n' && c != EOF)
				c = getc(f);
		if (c == EOF || c == ' ' || c == '\n' || c == '\t')
			continue;
		pair[have++] = (char)c;
		if (have < 2)
			continue;
		have = 0;
		if (n == cap || !ae_hex_decode(out + n, 1, pair)) {
			(void)fprintf(
			    stderr, "%s: bad hex or too long\n", path);
			abort();
		}
		n++;
	}
	(void)fclose(f);
	*len = n;
	return out;
}
