/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: what an address in a certificate gave.  Two bytes of length, a
 * certificate, the rest is what came.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pki/published.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_cert *c = NULL, *up = NULL;
	struct ae_published_list l;
	size_t n;

	if (len < 2)
		return 0;
	n = (size_t)p[0] << 8 | p[1];
	p += 2;
	len -= 2;
	if (n > len || ae_cert_parse(&c, p, n, NULL) != AE_OK)
		return 0;
	p += n;
	len -= n;
	if (ae_published_issuer(&up, c, p, len, NULL) == AE_OK && up == NULL)
		abort();
	if (ae_published_list(&l, c, NULL, 0, p, len, NULL) == AE_OK &&
	    (l.listed || l.verified))
		abort(); /* by nobody's word */
	if (ae_published_list(&l, c, c, 0, p, len, NULL) == AE_OK &&
	    !l.verified)
		abort();
	ae_cert_free(up);
	ae_cert_free(c);
	return 0;
}
