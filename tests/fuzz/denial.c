/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: lines of the kernel about refusals, with names of files in them.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/denial.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_denial d;
	char *s = calloc(1, len + 1);

	if (s == NULL)
		return 0;
	if (len > 0)
		memcpy(s, p, len);
	if (ae_denial_parse(&d, s) &&
	    (memchr(d.path, '\0', sizeof(d.path)) == NULL ||
		memchr(d.process, '\0', sizeof(d.process)) == NULL ||
		memchr(d.profile, '\0', sizeof(d.profile)) == NULL ||
		memchr(d.what, '\0', sizeof(d.what)) == NULL || d.when < 0))
		abort();
	free(s);
	return 0;
}
