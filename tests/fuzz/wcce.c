/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Every enrollment method, both directions.  The first byte chooses method,
 * direction and byte order.  A request that decodes also has its attributes
 * parsed, and must encode again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "wcce/attrs.h"
#include "wcce/caprop.h"
#include "wcce/icpr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
reply(const struct ae_wcce_method *m, const uint8_t *p, size_t len, bool big,
    struct ae_arena *a)
{
	const struct ae_wcce_request rq = {
		.iface = m->iface, .call = m->call, .opnum = m->opnum
	};
	struct ae_catransprop *rows;
	struct ae_wcce_reply r;
	struct ae_cainfo info;

	if (ae_wcce_reply_decode(&r, &rq, p, len, big, a, NULL) != AE_OK)
		return;
	(void)ae_cainfo_get(&info, r.value.p, r.value.len);
	if (r.nprops >= 0)
		(void)!ae_catransprop_get(
		    &rows, (size_t)r.nprops, r.value.p, r.value.len, a, NULL);
}

static void
request(const struct ae_wcce_method *m, const uint8_t *p, size_t len, bool big,
    struct ae_arena *a)
{
	struct ae_wcce_attrs attrs;
	struct ae_wcce_request rq;
	struct ae_wr w;
	uint32_t refuse;

	if (ae_wcce_request_decode(&rq, &refuse, m->iface, m->opnum, p, len,
		big, a, NULL) != AE_OK ||
	    refuse != 0)
		return;
	(void)!ae_wcce_attrs_parse(&attrs, rq.attributes, a, NULL);
	ae_wr_init(&w, 1 << 20);
	if (ae_wcce_request_encode(&w, &rq, NULL) != AE_OK && !ae_wr_full(&w))
		abort();
	ae_wr_done(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_arena *a;
	size_t n = 0;

	while (ae_wcce_methods[n].name != NULL)
		n++;
	a = ae_arena_new(AE_WCCE_ARENA_MAX);
	if (a == NULL || len < 1) {
		ae_arena_free(a);
		return 0;
	}
	if (p[0] & 0x40)
		reply(&ae_wcce_methods[(p[0] & 0x3f) % n], p + 1, len - 1,
		    p[0] & 0x80, a);
	else
		request(&ae_wcce_methods[(p[0] & 0x3f) % n], p + 1, len - 1,
		    p[0] & 0x80, a);
	ae_arena_free(a);
	return 0;
}
