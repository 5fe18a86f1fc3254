/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Bodies of messages between certsrvd's processes: the first byte chooses
 * which.  What decodes must encode to the same again.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "explain.h"
#include "proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
body(uint8_t kind, struct ae_rd *r, struct ae_wr *w, struct ae_arena *a)
{
	struct ae_wcce_request q;
	struct ae_wcce_reply rep;
	struct ae_db_request row;
	struct ae_admin_request admin;
	struct ae_admin_reply managed;
	struct explained x;

	if (kind == 0) {
		get_request(r, &q, a);
		put_request(w, &q);
	} else if (kind == 1) {
		get_reply(r, &rep, a);
		put_reply(w, &rep);
	} else if (kind == 3) {
		get_explained(r, &x, a);
		put_explained(w, &x);
	} else if (kind == 4) {
		get_manage(r, &admin, a);
		put_manage(w, &admin);
	} else if (kind == 5) {
		get_managed(r, &managed, a);
		put_managed(w, &managed);
	} else {
		get_row(r, &row, a);
		put_row(w, &row);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_wr once, twice;
	struct ae_rd r;

	if (len == 0 || a == NULL)
		goto out;
	ae_wr_init(&once, 1 << 20);
	ae_wr_init(&twice, 1 << 20);
	ae_rd_init(&r, p + 1, len - 1);
	body(p[0] % 6, &r, &once, a);
	if (ae_rd_done(&r) && ae_wr_ok(&once)) {
		ae_rd_init(&r, once.p, once.len);
		body(p[0] % 6, &r, &twice, a);
		if (!ae_rd_done(&r) || once.len != twice.len ||
		    memcmp(once.p, twice.p, once.len) != 0)
			__builtin_trap();
	}
	ae_wr_done(&once);
	ae_wr_done(&twice);
out:
	ae_arena_free(a);
	return 0;
}
