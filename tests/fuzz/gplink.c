/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: gPLink, and GPT.INI since both are text of strangers.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_gplinks l, again = { 0 };
	uint32_t version;
	struct ae_wr w;
	char *s;

	(void)ae_gpt_ini_version(&version, p, len);
	s = calloc(1, len + 1);
	if (s != NULL && len > 0)
		memcpy(s, p, len);
	if (len == 0 || s == NULL || ae_gplink_parse(&l, s, NULL) != AE_OK) {
		free(s);
		return 0;
	}
	ae_wr_init(&w, 2 * AE_GPLINK_TEXT_MAX);
	ae_gplink_put(&w, &l);
	if (ae_wr_cstr(&w) != NULL &&
	    (ae_gplink_parse(&again, ae_wr_cstr(&w), NULL) != AE_OK ||
		again.n != l.n))
		abort();
	ae_gplinks_done(&again);
	ae_gplinks_done(&l);
	ae_wr_done(&w);
	free(s);
	return 0;
}
