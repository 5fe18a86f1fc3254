/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: what is read before anything is authenticated: the answer to an
 * LDAP ping and a DNS answer with service records.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ad/locate.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_ad_srv v[8];
	struct ae_ad_ping pong;
	uint64_t seed = 1;
	size_t n;

	if (ae_ad_ping_decode(&pong, p, len, NULL) == AE_OK &&
	    memchr(pong.host, 0, sizeof(pong.host)) == NULL)
		abort();
	n = ae_ad_srv_decode(v, 8, p, len);
	ae_ad_srv_order(v, n, &seed);
	return 0;
}
