/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * ICertAdminD: the first byte chooses the method, byte order, and whether
 * the rest is its arguments, a restriction's value (column in the next four
 * bytes) or a blob of rows.  Arguments that decode must encode again, and
 * their restrictions are read.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/rd.h"
#include "wcce/admin.h"
#include "wcce/admin_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
restriction(const struct ae_admin_restriction *r, struct ae_arena *a)
{
	struct ae_admin_filter f;

	if (ae_admin_filter_parse(&f, r, a, NULL) == AE_OK &&
	    f.seek == AE_ADMIN_SEEK_EQ && !ae_admin_filter_match(&f, &f.value))
		abort(); /* a value equals itself */
}

static void
arguments(
    uint16_t opnum, const uint8_t *p, size_t len, bool big, struct ae_arena *a)
{
	struct ae_admin_request q;
	struct ae_wr w;
	uint32_t i;

	if (ae_admin_request_decode(&q, opnum, p, len, big, a, NULL) != AE_OK)
		return;
	ae_wr_init(&w, 1 << 20);
	if (ae_admin_request_encode(&w, &q, NULL) != AE_OK && !ae_wr_full(&w))
		abort();
	ae_wr_done(&w);
	for (i = 0; i < q.nrestrictions; i++)
		restriction(&q.restrictions[i], a);
}

static void
value(const uint8_t *p, size_t len, struct ae_arena *a)
{
	struct ae_admin_restriction r = { .seek = AE_ADMIN_SEEK_EQ };
	struct ae_rd rd;

	ae_rd_init(&rd, p, len);
	r.column = ae_rd_u32(&rd);
	r.len = (uint32_t)ae_rd_left(&rd);
	r.value = ae_rd_take(&rd, r.len);
	restriction(&r, a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_arena *a = ae_arena_new(AE_ADMIN_ARENA_MAX);
	struct ae_admin_column *c;
	struct ae_admin_reply reply;
	struct ae_admin_row *rows;
	int64_t total;

	if (a == NULL || len < 1) {
		ae_arena_free(a);
		return 0;
	}
	switch (p[0] >> 6) {
	case 0:
	case 1:
		arguments(p[0] & 0x3f, p + 1, len - 1, (p[0] & 0x40) != 0, a);
		break;
	case 2:
		if ((p[0] & 0x3f) == 0)
			value(p + 1, len - 1, a);
		else
			(void)!ae_admin_reply_decode(&reply, p[0] & 0x3f, p + 1,
			    len - 1, false, a, NULL);
		break;
	default:
		(void)!ae_admin_get_rows(
		    &rows, p[0] & 0x1f, &total, p + 1, len - 1, a, NULL);
		(void)!ae_admin_get_columns(
		    &c, p[0] & 0x1f, p + 1, len - 1, a, NULL);
	}
	ae_arena_free(a);
	return 0;
}
