/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: JSON that is passed on unread, and walked through without building
 * it.  What jansson takes for one object on one line, we do too.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
walk(const char *p, size_t len, unsigned depth)
{
	struct ae_json_walk w;
	struct ae_json_part part;

	if (depth == 0 || !ae_json_walk(&w, p, len))
		return;
	while (ae_json_step(&w, &part)) {
		if (part.p < p || part.p + part.len > p + len)
			abort();
		walk(part.p, part.len, depth - 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const char *text = (const char *)p;
	bool deep = false;
	unsigned depth = 0;
	json_t *j;
	size_t i;

	walk(text, len, 4);
	for (i = 0; i < len; i++) {
		depth += text[i] == '{' || text[i] == '[';
		deep = deep || p[i] < 0x20 || depth > 32;
	}
	if (len == 0 || deep || text[0] != '{' || text[len - 1] != '}')
		return 0;
	j = json_loadb(text, len, 0, NULL);
	if (j != NULL && !ae_json_is_line(text, len))
		abort();
	json_decref(j);
	return 0;
}
