/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See admin_query.h.
 */
#include "admin_query.h"

#include <string.h>

#include "base/hex.h"
#include "base/str.h"

static bool
columns_fit(const struct admin_query *q, uint32_t id)
{
	return q->crl ? ae_admin_column_is_crl(id)
		      : ae_admin_column_is_request(id);
}

/* Numbers that can satisfy it. */
static void
bound_ids(struct admin_query *q, const struct ae_admin_filter *f)
{
	const int64_t n = (int32_t)f->value.number;
	int64_t low = INT64_MIN, high = INT64_MAX;

	if (f->seek == AE_ADMIN_SEEK_EQ || f->seek == AE_ADMIN_SEEK_GE)
		low = n;
	if (f->seek == AE_ADMIN_SEEK_GT)
		low = n + 1;
	if (f->seek == AE_ADMIN_SEEK_EQ || f->seek == AE_ADMIN_SEEK_LE)
		high = n;
	if (f->seek == AE_ADMIN_SEEK_LT)
		high = n - 1;
	if (low > q->low)
		q->low = low;
	if (high < q->high)
		q->high = high;
}

/* A template by its name in any case, or by its OID: its name as stored. */
static void
find_template(const struct ca *ca, struct admin_query *q,
    struct ae_admin_filter *f, struct ae_arena *a)
{
	const struct snapshot *s = ca->snapshot;
	const char *cn;
	size_t i;

	for (i = 0; s != NULL && i < s->pki->ntemplates; i++) {
		const struct ae_template *t = s->pki->templates[i];

		if (!ae_str_eq_nocase(t->cn, f->value.text) &&
		    (t->oid == NULL || strcmp(t->oid, f->value.text) != 0))
			continue;
		cn = ae_arena_strdup(a, t->cn);
		if (cn != NULL)
			q->template = f->value.text = cn;
		return;
	}
}

static void
use_index(const struct ca *ca, struct admin_query *q, struct ae_admin_filter *f,
    struct ae_arena *a)
{
	const bool eq = f->seek == AE_ADMIN_SEEK_EQ;
	const char *s = f->value.text;

	if (f->column == AE_ADMIN_COL_REQUESTID ||
	    f->column == AE_ADMIN_COL_ISSUEDID) {
		bound_ids(q, f);
	} else if (eq && f->column == AE_ADMIN_COL_DISPOSITION) {
		q->disp = (int)f->value.number;
	} else if (eq && f->column == AE_ADMIN_COL_TEMPLATE) {
		find_template(ca, q, f, a);
	} else if (eq && f->column == AE_ADMIN_COL_SERIAL &&
	    strlen(s) % 2 == 0 && strlen(s) / 2 <= sizeof(q->serial) &&
	    ae_hex_decode(q->serial, strlen(s) / 2, s)) {
		q->serial_len = strlen(s) / 2;
	}
}

/* The order that is the table's own, or its reverse. */
static bool
by_number(uint32_t column)
{
	return column == AE_ADMIN_COL_REQUESTID ||
	    column == AE_ADMIN_COL_ISSUEDID || column == AE_ADMIN_COL_SUBMITTED;
}

static bool
take_filters(struct admin_query *q, const struct manage *m, struct ae_arena *a)
{
	bool ordered = false;
	uint32_t i;

	for (i = 0; i < m->q.nrestrictions; i++) {
		struct ae_admin_filter *f = &q->filter[i];

		if (ae_admin_filter_parse(f, &m->q.restrictions[i], a, NULL) !=
			AE_OK ||
		    !columns_fit(q, f->column) ||
		    (ordered && f->sort != AE_ADMIN_SORT_NONE))
			return false;
		q->nfilters++;
		q->blobs = q->blobs || admin_row_wants_blobs(f->column);
		if (!q->crl)
			use_index(m->ca, q, f, a);
		if (f->sort == AE_ADMIN_SORT_NONE)
			continue;
		ordered = true;
		q->down = f->sort == AE_ADMIN_SORT_DESC;
		q->order = by_number(f->column) ? NULL : f;
	}
	return true;
}

bool
admin_query_take(
    struct admin_query *q, const struct manage *m, struct ae_arena *a)
{
	uint32_t i;

	*q = (struct admin_query){ .low = INT64_MIN, .high = INT64_MAX };
	if (m->q.ncolumns == 0)
		return false;
	q->crl = ae_admin_column_is_crl(m->q.columns[0]);
	for (i = 0; i < m->q.ncolumns; i++) {
		if (!columns_fit(q, m->q.columns[i]))
			return false;
		q->columns[q->ncolumns++] = m->q.columns[i];
		q->blobs = q->blobs || admin_row_wants_blobs(m->q.columns[i]);
	}
	return take_filters(q, m, a);
}

bool
admin_query_match(const struct admin_query *q, struct admin_row *r)
{
	size_t i;

	for (i = 0; i < q->nfilters; i++) {
		const struct ae_admin_value have =
		    admin_row_value(r, q->filter[i].column);

		if (!ae_admin_filter_match(&q->filter[i], &have))
			return false;
	}
	return true;
}
