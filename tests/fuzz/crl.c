/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Fuzz door: revocation lists.
 */
#include <stddef.h>
#include <stdint.h>

#include "pki/crl_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

/* Its first two bytes say where a list is cut into parts. */
static void
in_parts(const uint8_t *p, size_t len)
{
	struct ae_crl_parts parts = { 0 };
	struct ae_crl *c = NULL;
	size_t a, b;

	if (len < 2)
		return;
	a = p[0] % (len - 1);
	b = p[1] % (len - 1 - a);
	p += 2;
	len -= 2;
	if (a + b <= len &&
	    ae_crl_parts_head(&parts, p, a, len, NULL) == AE_OK &&
	    (b == 0 || ae_crl_parts_list(&parts, p + a, b, NULL) == AE_OK) &&
	    ae_crl_parts_tail(&parts, p + a + b, len - a - b, &c, NULL) ==
		AE_OK)
		ae_crl_free(c);
	ae_crl_parts_done(&parts);
}

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
	in_parts(p, len);
	return 0;
}
