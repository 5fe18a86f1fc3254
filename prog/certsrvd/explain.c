/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See explain.h.
 */
#include "explain.h"

#define MARK_MAX AE_CA_STOP
#define VERDICT_MAX AE_CA_REFUSE
#define REASONS_MAX 4096u /* more than any decision has */
#define RULES_MAX 256u

static void
put_reason(struct ae_wr *w, const struct ae_ca_reason *o)
{
	ae_wr_u8(w, (uint8_t)o->mark);
	put_str(w, o->check);
	put_str(w, o->section);
	put_str(w, o->text);
}

static void
put_ruling(struct ae_wr *w, const struct ae_ca_ruling *o)
{
	put_str(w, o->rule.id);
	put_str(w, o->rule.section);
	put_str(w, o->rule.what);
	ae_wr_u8(w, (uint8_t)o->outcome);
	ae_wr_u32(w, (uint32_t)o->first);
	ae_wr_u32(w, (uint32_t)o->n);
}

void
put_explained(struct ae_wr *w, const struct explained *x)
{
	const struct ae_decision *d = &x->d;
	size_t i;

	ae_wr_u8(w, (uint8_t)d->verdict);
	ae_wr_u32(w, d->hresult);
	put_str(w, d->message);
	put_str(w, d->requester);
	put_str(w, d->on_behalf);
	put_str(w, d->subject);
	ae_wr_u32(w, d->request_flags);
	ae_wr_u64(w, (uint64_t)d->not_before);
	ae_wr_u64(w, (uint64_t)d->not_after);
	put_bytes(w, d->tbs, d->tbs_len);
	put_str(w, x->template);
	put_str(w, x->sid);
	ae_wr_u64(w, (uint64_t)x->row);
	ae_wr_u8(w, x->by_directory);
	ae_wr_u32(w, x->nsids);
	ae_wr_u8(w, x->disabled);
	ae_wr_u32(w, (uint32_t)d->nreasons);
	for (i = 0; i < d->nreasons; i++)
		put_reason(w, &d->reasons[i]);
	ae_wr_u32(w, (uint32_t)d->nrulings);
	for (i = 0; i < d->nrulings; i++)
		put_ruling(w, &d->rulings[i]);
}

/* A text that must be there. */
static const char *
need(struct ae_rd *r, struct ae_arena *a)
{
	const char *s = get_str(r, a);

	if (s == NULL) {
		ae_rd_fail(r);
		return "";
	}
	return s;
}

/* A count, and room for so many things of that size; 0 when it is bad. */
static size_t
count(struct ae_rd *r, uint32_t max, size_t size, void **v, struct ae_arena *a)
{
	uint32_t n = ae_rd_u32(r);

	*v = NULL;
	if (n > max || n > ae_rd_left(r)) {
		ae_rd_fail(r);
		return 0;
	}
	*v = ae_arena_array(a, (size_t)n + 1, size);
	if (*v == NULL) {
		ae_rd_fail(r);
		return 0;
	}
	return n;
}

static void
get_lists(struct ae_rd *r, struct ae_decision *d, struct ae_arena *a)
{
	struct ae_ca_reason *reason;
	struct ae_ca_ruling *ruling;
	void *v;
	size_t i;

	d->nreasons = count(r, REASONS_MAX, sizeof(*reason), &v, a);
	d->reasons = reason = v;
	for (i = 0; i < d->nreasons; i++, reason++) {
		uint8_t mark = ae_rd_u8(r);

		reason->mark =
		    mark > MARK_MAX ? AE_CA_STOP : (enum ae_ca_mark)mark;
		reason->check = need(r, a);
		reason->section = need(r, a);
		reason->text = need(r, a);
	}
	d->nrulings = count(r, RULES_MAX, sizeof(*ruling), &v, a);
	d->rulings = ruling = v;
	for (i = 0; i < d->nrulings; i++, ruling++) {
		uint8_t outcome;

		ruling->rule.id = need(r, a);
		ruling->rule.section = need(r, a);
		ruling->rule.what = need(r, a);
		outcome = ae_rd_u8(r);
		ruling->first = ae_rd_u32(r);
		ruling->n = ae_rd_u32(r);
		if (outcome > AE_CA_DECIDED || ruling->first > d->nreasons ||
		    ruling->n > d->nreasons - ruling->first)
			ae_rd_fail(r);
		ruling->outcome = (enum ae_ca_outcome)outcome;
	}
}

void
get_explained(struct ae_rd *r, struct explained *x, struct ae_arena *a)
{
	struct ae_decision *d = &x->d;
	uint8_t verdict = ae_rd_u8(r);
	const uint8_t *tbs;

	*x = (struct explained){ .row = 0 };
	if (verdict > VERDICT_MAX)
		ae_rd_fail(r);
	d->verdict = (enum ae_ca_verdict)verdict;
	d->hresult = ae_rd_u32(r);
	d->message = get_str(r, a);
	d->requester = get_str(r, a);
	d->on_behalf = get_str(r, a);
	d->subject = get_str(r, a);
	d->request_flags = ae_rd_u32(r);
	d->not_before = (int64_t)ae_rd_u64(r);
	d->not_after = (int64_t)ae_rd_u64(r);
	tbs = get_bytes(r, &d->tbs_len);
	if (d->tbs_len > 0) {
		d->tbs = ae_arena_dup(a, tbs, d->tbs_len);
		if (d->tbs == NULL)
			ae_rd_fail(r);
	}
	x->template = get_str(r, a);
	x->sid = get_str(r, a);
	x->row = (int64_t)ae_rd_u64(r);
	x->by_directory = ae_rd_u8(r) != 0;
	x->nsids = ae_rd_u32(r);
	x->disabled = ae_rd_u8(r) != 0;
	get_lists(r, d, a);
	if (!ae_rd_ok(r))
		d->nreasons = d->nrulings = d->tbs_len = 0;
}
