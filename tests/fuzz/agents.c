/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: the list of enrollment agents' rights.  What parses must encode,
 * parse again to as many entries, and be checkable.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ad/template.h"
#include "base/wr.h"
#include "ca/rights.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct ae_sid who = { 1, 1, { 0 } };
	static char cn[] = "User", oid[] = "1.2.3";
	const struct ae_template t = { .cn = cn, .oid = oid };
	struct ae_ca_rights *r = NULL, *again = NULL;
	const struct ae_ca_right *by;
	struct ae_token *token = NULL;
	struct ae_wr w;

	if (ae_ca_rights_parse(&r, p, len, NULL) != AE_OK)
		return 0;
	ae_wr_init(&w, AE_SD_BYTES_MAX);
	if (ae_ca_rights_encode(&w, r->v, r->n, NULL) == AE_OK &&
	    (ae_ca_rights_parse(&again, w.p, w.len, NULL) != AE_OK ||
		again->n != r->n))
		abort();
	if (ae_token_exact(&token, &who, 1, NULL) == AE_OK)
		(void)ae_ca_rights_allow(r, token, &t, &who, 1, &by);
	ae_token_free(token);
	ae_ca_rights_free(again);
	ae_ca_rights_free(r);
	ae_wr_done(&w);
	return 0;
}
