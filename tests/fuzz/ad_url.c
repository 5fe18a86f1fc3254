/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: LDAP URLs out of certificates.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ad/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_ad_url u;
	char *s = calloc(1, len + 1);
	size_t i;

	if (s == NULL)
		return 0;
	if (len > 0)
		memcpy(s, p, len);
	if (ae_ad_url_parse(&u, s, NULL) == AE_OK) {
		if (u.dn[0] == '\0' || u.attr[0] == '\0')
			abort();
		/* It is shown, and asked for. */
		for (i = 0; u.dn[i] != '\0'; i++)
			if ((unsigned char)u.dn[i] < 0x20)
				abort();
	}
	free(s);
	return 0;
}
