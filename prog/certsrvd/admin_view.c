/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Views (MS-CSRA 3.1.4.1.12 to 3.1.4.1.14): an administrator's restrictions
 * and columns, kept with his security context, and the place in the table
 * where his next page begins.  db is asked for pages by number, with what of
 * the restrictions it has an index for; every restriction is applied here.
 * No call holds db longer than one page takes, and none takes longer than
 * VIEW_MS: then it answers with what it has.
 *
 * Another order than that of the numbers needs all rows that satisfy the
 * restrictions first; there may be SORTED_MAX of them.
 */
#include "admin_view.h"
#include "admin_local.h"

#include <stdlib.h>
#include <string.h>

#include "admin_query.h"
#include "pki/crl.h"
#include "sys/clock.h"
#include "wcce/hresult.h"

#define PAGE_ROWS 500u	/* of db at a time */
#define PAGE_BLOBS 16u	/* when they come with request and certificate */
#define CALL_ROWS 1000u /* of one call */
#define CALL_BYTES (2u * 1024u * 1024u) /* no further row after so many */
#define SORTED_MAX 5000u
#define VIEW_ARENA (4u * 1024u * 1024u)
#define VIEW_MS 10000

#define HR_INVALID_HANDLE 0x80070006u /* MS-CSRA 2.2.5 */
#define HR_UNEXPECTED 0x8000ffffu

/* A row in its place of an order. */
struct sorted {
	int64_t id;
	struct ae_admin_value key;
};

struct admin_view {
	struct ae_arena *a; /* of the query, and keys of the order */
	struct admin_query q;

	uint32_t base;	/* how the client calls the first row: 0 or 1 */
	int64_t next;	/* the row after cursor is this one of all */
	int64_t cursor; /* number of the last row that was looked at */
	bool collected; /* sorted is complete */
	struct sorted *sorted;
	size_t nsorted;

	/* the call under way */
	uint32_t job; /* its id; what has ended is none */
	int64_t until;
	uint32_t want, got, skip;
	bool opening;
	struct ae_wr w;
};

void
admin_view_free(struct admin_view *v)
{
	if (v == NULL)
		return;
	free(v->sorted);
	ae_arena_free(v->a);
	ae_wr_done(&v->w);
	free(v);
}

static void
view_close(struct known *k)
{
	admin_view_free(k->view);
	k->view = NULL;
}

/* ---- rows ---- */

static void
emit(struct admin_view *v, struct admin_row *r)
{
	struct ae_admin_value values[AE_ADMIN_COLUMNS_MAX];
	size_t i;

	for (i = 0; i < v->q.ncolumns; i++)
		values[i] = admin_row_value(r, v->q.columns[i]);
	ae_admin_put_row(
	    &v->w, (uint32_t)r->db->id, v->q.columns, values, v->q.ncolumns);
	v->got++;
}

static bool
full(const struct admin_view *v)
{
	return v->got >= v->want || v->w.len >= CALL_BYTES;
}

/* The answer to the call; total: how many there are, where it ended. */
static void
answer(struct job *j, struct admin_view *v, uint32_t hresult, bool end)
{
	struct ae_admin_reply p = { .hresult = hresult, .n = v->got };

	if (hresult == 0 && end)
		ae_admin_put_end(&v->w, (uint32_t)v->next);
	if (hresult == 0 && !ae_wr_ok(&v->w))
		p.hresult = HR_INTERNAL;
	if (p.hresult == 0)
		p.blob = (struct ae_admin_blob){ .len = (uint32_t)v->w.len,
			.p = v->w.p };
	else
		p.n = 0;
	manage_reply(j, &p);
	ae_wr_done(&v->w);
	ae_wr_init(&v->w, AE_ADMIN_REPLY_MAX);
	if (p.hresult != 0 && v->opening)
		view_close(j->manager); /* it never was open */
	else
		v->opening = false;
	job_end(j);
}

/* A page of the table from the cursor on, or of the order. */
static void
ask(struct job *j, struct admin_view *v)
{
	struct ae_wr w;
	bool ok;
	int64_t i;

	ae_wr_init(&w, MSG_TEXT_MAX * 2);
	if (v->collected) {
		const int64_t most = v->q.blobs ? PAGE_BLOBS : PAGE_ROWS;
		int64_t n = (int64_t)v->nsorted - v->next;

		if (n > (int64_t)(v->want - v->got))
			n = (int64_t)(v->want - v->got);
		if (n > most)
			n = most;
		ae_wr_u8(&w, v->q.blobs);
		ae_wr_u32(&w, (uint32_t)n);
		for (i = 0; i < n; i++)
			ae_wr_u64(&w, (uint64_t)v->sorted[v->next + i].id);
		ok = peer_send(
		    peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_PICK, j->id, &w);
	} else {
		ae_wr_u8(&w, v->q.blobs);
		ae_wr_u64(&w, (uint64_t)v->cursor);
		ae_wr_u32(&w, v->q.blobs ? PAGE_BLOBS : PAGE_ROWS);
		ae_wr_u8(&w, v->q.down && v->q.order == NULL);
		ae_wr_u32(&w, (uint32_t)v->q.disp);
		put_str(&w, v->q.template);
		put_bytes(&w, v->q.serial, v->q.serial_len);
		put_str(&w, NULL);
		ok = peer_send(
		    peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_LIST, j->id, &w);
	}
	ae_wr_done(&w);
	if (!ok)
		answer(j, v, HR_BUSY, false);
}

/* Before the first row in the order of numbers. */
static void
rewind_view(struct admin_view *v)
{
	const bool down = v->q.down && v->q.order == NULL;

	v->next = 0;
	v->cursor = down ? (v->q.high == INT64_MAX ? 0 : v->q.high + 1)
			 : (v->q.low <= 0 ? 0 : v->q.low - 1);
	if (down && v->cursor < 0)
		v->cursor = 1; /* nothing is before it */
}

/* The value outlives the page it is of; false: no room. */
static bool
keep_key(struct admin_view *v, struct ae_admin_value *key)
{
	if (key->type == AE_ADMIN_STRING)
		key->text = ae_arena_strdup(v->a, key->text);
	if (key->type == AE_ADMIN_BINARY)
		key->p = ae_arena_dup(v->a, key->p, key->len);
	return (key->type != AE_ADMIN_STRING || key->text != NULL) &&
	    (key->type != AE_ADMIN_BINARY || key->p != NULL);
}

/* A row that db sent; false: there are no more that can be meant. */
static bool
row(struct admin_view *v, struct admin_row *r)
{
	struct sorted *s;

	if (r->db->id > v->q.high || r->db->id < v->q.low)
		return false;
	v->cursor = r->db->id;
	if (!admin_query_match(&v->q, r))
		return true;
	if (v->q.order != NULL) { /* kept until all are there */
		s = &v->sorted[v->nsorted++];
		s->id = r->db->id;
		s->key = admin_row_value(r, v->q.order->column);
		if (!keep_key(v, &s->key)) /* as if there were too many */
			v->nsorted = SORTED_MAX + 1;
		return true;
	}
	v->next++;
	if (v->skip > 0)
		v->skip--;
	else
		emit(v, r);
	return true;
}

/* qsort has no argument: the column and the direction are in the value. */
struct ordering {
	struct sorted s;
	uint32_t column;
	bool down;
};

static int
compare(const void *x, const void *y)
{
	const struct ordering *a = x, *b = y;
	int c = ae_admin_value_compare(a->column, &a->s.key, &b->s.key);

	if (c == 0)
		c = (a->s.id > b->s.id) - (a->s.id < b->s.id);
	return a->down ? -c : c;
}

static bool
sort(struct admin_view *v)
{
	struct ordering *o = calloc(v->nsorted + 1, sizeof(*o));
	size_t i;

	if (o == NULL)
		return false;
	for (i = 0; i < v->nsorted; i++)
		o[i] = (struct ordering){ v->sorted[i], v->q.order->column,
			v->q.down };
	qsort(o, v->nsorted, sizeof(*o), compare);
	for (i = 0; i < v->nsorted; i++)
		v->sorted[i] = o[i].s;
	free(o);
	v->collected = true;
	return true;
}

/* The place is known: ask for what is there, or end. */
static void
go_on(struct job *j, struct admin_view *v)
{
	if (v->collected) {
		v->next = v->next + v->skip;
		v->skip = 0;
		if (v->next > (int64_t)v->nsorted)
			v->next = (int64_t)v->nsorted;
		if (v->next == (int64_t)v->nsorted || v->want == 0) {
			answer(j, v, 0, v->next == (int64_t)v->nsorted);
			return;
		}
	}
	ask(j, v);
}

/* All rows of the page were looked at. */
static void
page_done(struct job *j, struct admin_view *v, bool end)
{
	if (v->q.order != NULL && !v->collected) {
		if (v->nsorted > SORTED_MAX)
			answer(j, v, HR_QUOTA, false);
		else if (!end && ae_clock_mono_ms() < v->until)
			ask(j, v);
		else if (!end || !sort(v))
			answer(j, v, HR_BUSY, false);
		else {
			v->next = 0;
			go_on(j, v);
		}
		return;
	}
	if (v->collected)
		end = v->next == (int64_t)v->nsorted;
	if (end || full(v) || (v->got > 0 && ae_clock_mono_ms() > v->until))
		answer(j, v, 0, end);
	else
		ask(j, v);
}

/* The rows of one message; *end: it stopped where the table ends. */
static bool
page(struct admin_view *v, struct ae_rd *r, bool *end, struct ae_arena *a)
{
	uint32_t n = ae_rd_u32(r), i;
	struct ae_db_request one;
	bool more = true;

	if (n == 0 && v->collected) /* what it was asked for is not there */
		v->next = (int64_t)v->nsorted;

	for (i = 0; i < n && ae_rd_ok(r); i++) {
		struct admin_row ar = { .db = &one, .a = a };

		get_row(r, &one, a);
		if (!ae_rd_ok(r) || !more || (v->q.order == NULL && full(v))) {
			*end = *end && !more;
			continue;
		}
		if (v->collected) {
			v->next++;
			emit(v, &ar);
		} else if (v->nsorted <= SORTED_MAX) {
			more = row(v, &ar);
		}
		admin_row_done(&ar);
		if (!more)
			*end = true;
	}
	return ae_rd_done(r);
}

int
on_db_rows(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct job *j = job_find(peer->p->state, m->id);
	struct ae_arena *a;
	struct admin_view *v;
	struct ae_rd r;
	bool end, ok;
	int rc;

	(void)ipc;
	if (j == NULL || j->stage != STAGE_ROWS)
		return AE_OK;
	if (j->op == MSG_ADMIN_LIST) {
		local_rows(j, m->body, m->len);
		return AE_OK;
	}
	v = j->manager->view;
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	if (rc != AE_OK) {
		answer(j, v, HR_BUSY, false);
		return AE_OK;
	}
	end = ae_rd_u8(&r) != 0;
	a = ae_arena_new(MSG_ROWS_MAX * 2);
	if (a == NULL)
		return ae_fail_mem(e);
	ok = page(v, &r, &end, a);
	ae_arena_free(a);
	if (!ok)
		return bad_message(&r, "DB_ROWS", e);
	page_done(j, v, end);
	return AE_OK;
}

/* ---- the CRL's table: one row for each key's newest ---- */

static void
crl_row(struct admin_view *v, const struct ca_crl *k, uint32_t id)
{
	struct ae_admin_value values[AE_ADMIN_COLUMNS_MAX];
	struct ae_crl *c = NULL;
	bool match = k->made;
	size_t i;

	if (match &&
	    ae_crl_parse(&c, k->crl.p, k->crl.len, MSG_CRL_MAX, false, NULL) !=
		AE_OK)
		match = false;
	for (i = 0; match && i < v->q.nfilters; i++) {
		values[0] = admin_crl_value(c, id, v->q.filter[i].column);
		match = ae_admin_filter_match(&v->q.filter[i], &values[0]);
	}
	if (match && v->skip > 0) {
		v->skip--;
	} else if (match && !full(v)) {
		for (i = 0; i < v->q.ncolumns; i++)
			values[i] = admin_crl_value(c, id, v->q.columns[i]);
		ae_admin_put_row(
		    &v->w, id, v->q.columns, values, v->q.ncolumns);
		v->got++;
	}
	v->next += match;
	ae_crl_free(c);
}

static void
crl_rows(struct job *j, struct admin_view *v)
{
	const uint32_t first = v->skip;
	size_t i;

	v->next = 0;
	for (i = 0; i < j->ca->file.list.nkeys; i++)
		crl_row(v, &j->ca->crl[i], (uint32_t)i + 1);
	answer(j, v, 0, first + v->got >= v->next);
}

/* ---- the calls ---- */

/* Rows from this one of all on; a job answers. */
static void
fetch(struct manage *m, struct admin_view *v)
{
	const uint32_t first = m->q.from < v->base ? 0 : m->q.from - v->base;
	struct job *j = manage_start(m, MSG_MANAGE);

	if (j == NULL)
		return;
	j->stage = STAGE_ROWS;
	v->job = j->id;
	v->until = ae_clock_mono_ms() + VIEW_MS;
	v->want = m->q.count < CALL_ROWS ? m->q.count : CALL_ROWS;
	v->got = 0;
	ae_wr_reset(&v->w);
	if (first < v->next) {
		if (v->collected)
			v->next = 0;
		else
			rewind_view(v);
	}
	if (v->q.crl)
		v->next = 0;
	v->skip = first - (uint32_t)v->next;
	if (v->q.crl)
		crl_rows(j, v);
	else if (v->q.order != NULL && !v->collected)
		ask(j, v);
	else if (v->want == 0)
		answer(j, v, 0, false);
	else
		go_on(j, v);
}

void
admin_open_view(struct manage *m)
{
	struct admin_view *v;

	if (m->who->view != NULL) {
		m->reply.hresult = HR_UNEXPECTED;
		return;
	}
	v = calloc(1, sizeof(*v));
	if (v != NULL)
		v->a = ae_arena_new(VIEW_ARENA);
	if (v == NULL || v->a == NULL) {
		admin_view_free(v);
		m->reply.hresult = HR_BUSY;
		return;
	}
	ae_wr_init(&v->w, AE_ADMIN_REPLY_MAX);
	v->base = m->q.from > 0 ? 1 : 0;
	v->opening = true;
	if (!admin_query_take(&v->q, m, v->a)) {
		admin_view_free(v);
		m->reply.hresult = AE_HR_E_INVALIDARG;
		return;
	}
	if (v->q.order != NULL)
		v->sorted = calloc(SORTED_MAX + 1, sizeof(*v->sorted));
	if (v->q.order != NULL && v->sorted == NULL) {
		admin_view_free(v);
		m->reply.hresult = HR_BUSY;
		return;
	}
	m->who->view = v;
	rewind_view(v);
	fetch(m, v);
	if (!m->later) /* there was no place for a job */
		view_close(m->who);
}

void
admin_view_failed(struct known *k)
{
	if (k->view != NULL && k->view->opening)
		view_close(k);
}

/* The view, when nothing is fetched for it just now. */
static struct admin_view *
idle_view(struct manage *m)
{
	struct admin_view *v = m->who->view;

	if (v == NULL)
		m->reply.hresult = HR_INVALID_HANDLE;
	else if (job_find(m->ca, v->job) != NULL)
		m->reply.hresult = HR_BUSY;
	return m->reply.hresult == 0 ? v : NULL;
}

void
admin_enum_view(struct manage *m)
{
	struct admin_view *v = idle_view(m);

	if (v != NULL)
		fetch(m, v);
}

void
admin_close_view(struct manage *m)
{
	if (idle_view(m) != NULL)
		view_close(m->who);
}
