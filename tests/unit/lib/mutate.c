/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The deterministic mutator; see mutate.h.
 */
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

static void
run(const uint8_t *p, size_t len, ae_mutate_fn *fn, void *arg)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	if (copy == NULL)
		abort();
	memcpy(copy, p, len);
	fn(copy, len, arg);
	free(copy);
}

size_t
ae_mutate(const uint8_t *p, size_t len, ae_mutate_fn *fn, void *arg)
{
	static const uint8_t values[] = { 0x00, 0x7f, 0x80, 0xff };
	uint8_t *m = malloc(len == 0 ? 1 : len);
	size_t i, j, n = 0;

	if (m == NULL)
		abort();
	memcpy(m, p, len);
	for (i = 0; i < len; i++) {
		for (j = 0; j < 8; j++, n++) {
			m[i] = (uint8_t)(p[i] ^ 1u << j);
			run(m, len, fn, arg);
		}
		for (j = 0; j < sizeof(values); j++, n++) {
			m[i] = values[j];
			run(m, len, fn, arg);
		}
		m[i] = p[i];
	}
	for (i = 0; i < len; i++, n++)
		run(m, i, fn, arg);
	free(m);
	return n;
}
