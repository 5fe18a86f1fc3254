/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Fuzz door: revocation lists.
 */
#include <stddef.h>
#include <stdint.h>

#include "pki/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const uint8_t serial[] = { 7 };
	enum ae_crl_reason why;
	struct ae_crl *c = NULL;
	bool listed;
	int64_t at;

	if (ae_crl_parse(&c, p, len, len, false, NULL) == AE_OK &&
	    ae_crl_find(c, (struct ae_der){ serial, sizeof(serial) }, &listed,
		&at, &why, NULL) != AE_OK)
		(void)len;
	ae_crl_free(c);
	return 0;
}
