/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Questions as bytes; see ahead.h.
 */
#include "ad/ahead.h"

#include <stdlib.h>
#include <string.h>

#include "ad/ldap_int.h"
#include "base/utf16.h"

#define TEXT_MAX 65536u
#define ATTRS_MAX 128u
#define NO_TEXT UINT32_MAX
#define LIST_MAX (512u * 1024u)

struct ae_ad_ahead {
	uint8_t *list;
	size_t n;
	struct {
		const uint8_t *p; /* in list; NULL: taken */
		size_t len;
		int id;
	} v[AE_AD_AHEAD_MAX];
};

static void
put_text(struct ae_wr *w, const char *s)
{
	ae_wr_u32(w, s == NULL ? NO_TEXT : (uint32_t)strlen(s));
	if (s != NULL)
		ae_wr_str(w, s);
}

void
ae_ad_question_put(struct ae_wr *w, const struct ae_ad_query *q)
{
	size_t at = w->len, n = 0, i;

	ae_wr_u32(w, 0);
	ae_wr_u8(w, (uint8_t)q->scope);
	put_text(w, q->base);
	put_text(w, q->filter);
	while (q->attrs != NULL && q->attrs[n] != NULL)
		n++;
	ae_wr_u32(w, q->attrs == NULL ? NO_TEXT : (uint32_t)n);
	for (i = 0; i < n; i++)
		put_text(w, q->attrs[i]);
	if (ae_wr_ok(w))
		ae_wr_set_u32(w, at, (uint32_t)(w->len - at - 4));
}

static const char *
get_text(struct ae_arena *a, struct ae_rd *r, bool needed)
{
	uint32_t len = ae_rd_u32(r);
	const uint8_t *p;
	char *s;

	if (len == NO_TEXT && !needed)
		return NULL;
	p = len <= TEXT_MAX ? ae_rd_take(r, len) : NULL;
	if (p == NULL || (len > 0 && memchr(p, '\0', len) != NULL)) {
		ae_rd_fail(r);
		return NULL;
	}
	s = ae_arena_strndup(a, (const char *)p, len);
	if (s == NULL || !ae_utf8_valid(s))
		ae_rd_fail(r);
	return s;
}

static const char *const *
get_attrs(struct ae_arena *a, struct ae_rd *r)
{
	uint32_t n = ae_rd_u32(r), i;
	const char **v;

	if (n == NO_TEXT)
		return NULL;
	v = n > ATTRS_MAX ? NULL : ae_arena_array(a, n + 1, sizeof(*v));
	if (v == NULL) {
		ae_rd_fail(r);
		return NULL;
	}
	for (i = 0; i < n && ae_rd_ok(r); i++)
		v[i] = get_text(a, r, true);
	v[i] = NULL;
	return v;
}

bool
ae_ad_question_get(struct ae_ad_query *q, const uint8_t **bytes, size_t *len,
    struct ae_arena *a, struct ae_rd *r)
{
	struct ae_ad_query got = { 0 };
	struct ae_rd one;
	uint8_t scope;

	if (ae_rd_left(r) == 0)
		return false;
	*len = ae_rd_u32(r);
	*bytes = ae_rd_take(r, *len);
	if (*bytes == NULL) {
		ae_rd_fail(r);
		return false;
	}
	ae_rd_init(&one, *bytes, *len);
	scope = ae_rd_u8(&one);
	got.base = get_text(a, &one, true);
	got.filter = get_text(a, &one, false);
	got.attrs = get_attrs(a, &one);
	if (!ae_rd_done(&one) || scope > AE_AD_SUB) {
		ae_rd_fail(r);
		return false;
	}
	got.scope = (enum ae_ad_scope)scope;
	*q = got;
	return true;
}

void
ae_ad_ahead_start(struct ae_ad *ad, const void *list, size_t len)
{
	struct ae_ad_ahead *ah = calloc(1, sizeof(*ah));
	struct ae_arena *a = ae_arena_new(2u * LIST_MAX);
	struct ae_ad_query q;
	struct ae_rd r;

	if (ah != NULL && len > 0 && len <= LIST_MAX)
		ah->list = malloc(len);
	if (ah == NULL || a == NULL || ah->list == NULL)
		goto out;
	memcpy(ah->list, list, len);
	ae_rd_init(&r, ah->list, len);
	while (ah->n < AE_AD_AHEAD_MAX &&
	    ae_ad_question_get(&q, &ah->v[ah->n].p, &ah->v[ah->n].len, a, &r) &&
	    ae_ad_search_send(ad, &q, NULL, &ah->v[ah->n].id, NULL) == AE_OK)
		ah->n++;
	ad->ahead = ah;
	ah = NULL;
out:
	if (ah != NULL)
		free(ah->list);
	free(ah);
	ae_arena_free(a);
}

int
ae_ad_ahead_take(struct ae_ad *ad, const struct ae_ad_query *q)
{
	struct ae_ad_ahead *ah = ad->ahead;
	struct ae_wr w;
	int id = -1;
	size_t i;

	if (ah == NULL || q->fresh)
		return -1;
	ae_wr_init(&w, LIST_MAX);
	ae_ad_question_put(&w, q);
	for (i = 0; id < 0 && ae_wr_ok(&w) && i < ah->n; i++)
		if (ah->v[i].p != NULL && ah->v[i].len == w.len - 4 &&
		    memcmp(ah->v[i].p, w.p + 4, ah->v[i].len) == 0) {
			id = ah->v[i].id;
			ah->v[i].p = NULL;
		}
	ae_wr_done(&w);
	return id;
}

void
ae_ad_ahead_note(struct ae_ad *ad, const struct ae_ad_query *q)
{
	if (!q->fresh && ad->nasked < AE_AD_AHEAD_MAX) {
		ae_ad_question_put(&ad->asked, q);
		ad->nasked++;
	}
}

void
ae_ad_ahead_done(struct ae_ad *ad)
{
	struct ae_ad_ahead *ah = ad->ahead;
	size_t i;

	if (ah == NULL)
		return;
	for (i = 0; i < ah->n; i++)
		if (ah->v[i].p != NULL)
			(void)ad->lib.ldap_abandon_ext(
			    ad->ld, ah->v[i].id, NULL, NULL);
	free(ah->list);
	free(ah);
	ad->ahead = NULL;
}

const void *
ae_ad_asked(const struct ae_ad *ad, size_t *len)
{
	*len = ae_wr_ok(&ad->asked) ? ad->asked.len : 0;
	return ad->asked.p;
}
