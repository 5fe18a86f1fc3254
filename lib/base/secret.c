/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Secrets; see secret.h.
 */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

int
ae_secret_set(struct ae_secret *s, const void *p, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	if (copy == NULL)
		return -1;
	if (p != NULL)
		memcpy(copy, p, len);
	else
		memset(copy, 0, len);
	ae_secret_done(s);
	s->p = copy;
	s->len = len;
	return 0;
}

void
ae_secret_done(struct ae_secret *s)
{
	if (s == NULL || s->p == NULL)
		return;
	explicit_bzero(s->p, s->len);
	free(s->p);
	s->p = NULL;
	s->len = 0;
}
