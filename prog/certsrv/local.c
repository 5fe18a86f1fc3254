/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Rows of the database, over the control socket.
 */
#include "local.h"

#include "control.h"

#define PAGE 500u /* what one answer has at most */

struct page {
	struct ae_arena *a;
	struct ae_db_request *v;
	size_t n, room;
	bool end;
};

static int
take(void *arg, struct ae_rd *r, struct ae_err *e)
{
	struct page *p = arg;
	const int rc = (int)ae_rd_u32(r);
	uint32_t n, i;

	if (rc != AE_OK)
		return ae_fail(e, rc < 0 ? (enum ae_rc)rc : AE_EPROTO,
		    AE_DOM_NONE, 0, "the database refused");
	p->end = ae_rd_u8(r) != 0;
	n = ae_rd_u32(r);
	for (i = 0; i < n && p->n < p->room && ae_rd_ok(r); i++)
		get_row(r, &p->v[p->n++], p->a);
	return ae_rd_done(r) ? AE_OK : bad_message(r, "rows of certsrvd", e);
}

static int
one_page(const struct cli *cli, const struct ae_db_filter *f, struct page *p,
    struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u8(&w, f->blobs);
	ae_wr_u64(&w, (uint64_t)f->after);
	ae_wr_u32(&w, f->limit < PAGE ? f->limit : PAGE);
	ae_wr_u8(&w, f->newest_first);
	ae_wr_u32(&w, (uint32_t)f->disp);
	put_str(&w, f->template);
	put_bytes(&w, f->serial, f->serial_len);
	put_str(&w, f->sid);
	rc = ae_wr_ok(&w) ? control_ask_for(cli, MSG_ADMIN_LIST, &w,
				MSG_ADMIN_ROWS, take, p, e)
			  : ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
				"that is too long to ask for");
	ae_wr_done(&w);
	return rc;
}

int
local_list(const struct cli *cli, const struct ae_db_filter *f,
    struct ae_db_request **out, size_t *n, struct ae_arena *a, struct ae_err *e)
{
	struct page p = { .a = a, .room = f->limit };
	struct ae_db_filter next = *f;
	size_t before;
	int rc = AE_OK;

	p.v = ae_arena_array(a, f->limit + 1, sizeof(*p.v));
	if (p.v == NULL)
		return ae_fail_mem(e);
	while (rc == AE_OK && !p.end && p.n < f->limit) {
		before = p.n;
		next.limit = f->limit - (unsigned)p.n;
		rc = one_page(cli, &next, &p, e);
		if (p.n == before)
			break;
		next.after = p.v[p.n - 1].id;
	}
	*out = p.v;
	*n = p.n;
	return rc;
}

int
local_get(const struct cli *cli, int64_t id, struct ae_db_request *out,
    struct ae_arena *a, struct ae_err *e)
{
	const struct ae_db_filter f = {
		.after = id - 1, .limit = 1, .blobs = true
	};
	struct ae_db_request *v;
	size_t n;
	int rc = local_list(cli, &f, &v, &n, a, e);

	if (rc == AE_OK && (n == 0 || v[0].id != id))
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0, "there is none");
	if (rc == AE_OK)
		*out = v[0];
	return rc;
}
