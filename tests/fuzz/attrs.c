/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Request attributes, and names to be sanitized.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wcce/attrs.h"
#include "wcce/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_wcce_attrs attrs;
	const char *brief;
	char *text = malloc(len + 1);

	if (a != NULL && text != NULL) {
		memcpy(text, p, len);
		text[len] = '\0';
		(void)!ae_wcce_attrs_parse(&attrs, text, a, NULL);
		brief = ae_wcce_sanitize_short(a, text);
		if (brief != NULL && strlen(brief) > 57)
			abort();
		(void)ae_wcce_authority_matches(text, "CA", false);
	}
	free(text);
	ae_arena_free(a);
	return 0;
}
