/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A PAC's buffers to a caller: u16 length and bytes of KERB_VALIDATION_INFO,
 * the same of UPN_DNS_INFO, the rest is PAC_REQUESTOR_SID; empty ones are
 * absent.  A caller that comes out must survive its own encoding.
 */
#include <stdint.h>
#include <stdlib.h>

#include "gss/pac.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static struct ae_pac_buf
part(struct ae_rd *r, size_t len)
{
	struct ae_pac_buf b;

	b.len = len;
	b.p = len == 0 ? NULL : ae_rd_take(r, len);
	return b;
}

static void
there_and_back(struct ae_caller *c)
{
	struct ae_caller *again = NULL;
	struct ae_wr w;
	struct ae_rd r;

	ae_wr_init(&w, AE_CALLER_WIRE_MAX);
	ae_caller_encode(&w, c);
	ae_rd_init(&r, w.p, w.len);
	if (!ae_wr_ok(&w) || ae_caller_decode(&again, &r, NULL) != AE_OK)
		abort();
	ae_caller_free(again);
	ae_wr_done(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const uint8_t client[10] = { 0 };
	struct ae_pac pac = { .client = { client, sizeof(client) },
		.principal = "PC1$@EXAMPLE.COM" };
	struct ae_caller *c = NULL;
	struct ae_rd r;

	ae_rd_init(&r, p, len);
	pac.logon = part(&r, ae_rd_u16(&r));
	pac.upn_dns = part(&r, ae_rd_u16(&r));
	pac.requester = part(&r, ae_rd_left(&r));
	if (!ae_rd_ok(&r) || ae_pac_caller(&c, &pac, NULL) != AE_OK)
		return 0;
	there_and_back(c);
	ae_caller_free(c);
	return 0;
}
