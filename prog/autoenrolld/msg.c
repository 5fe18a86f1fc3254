/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How strings, byte runs and failures look inside messages; see role.h.
 */
#include <string.h>

#include "base/utf16.h"
#include "role.h"

#define ABSENT UINT32_MAX

void
msg_put_str(struct ae_wr *w, const char *s)
{
	if (s == NULL)
		ae_wr_u32(w, ABSENT);
	else
		msg_put_bytes(w, s, strlen(s));
}

void
msg_put_bytes(struct ae_wr *w, const void *p, size_t len)
{
	ae_wr_u32(w, (uint32_t)len);
	ae_wr_bytes(w, p, len);
}

const uint8_t *
msg_get_bytes(struct ae_rd *r, size_t max, size_t *len)
{
	uint32_t n = ae_rd_u32(r);

	*len = 0;
	if (n > max) {
		ae_rd_fail(r);
		return NULL;
	}
	*len = ae_rd_left(r) < n ? 0 : n;
	return ae_rd_take(r, n);
}

char *
msg_get_str(struct ae_arena *a, struct ae_rd *r, size_t max)
{
	struct ae_rd peek = *r;
	const uint8_t *p;
	size_t len;
	char *s;

	if (ae_rd_u32(&peek) == ABSENT) {
		(void)ae_rd_u32(r);
		return NULL;
	}
	p = msg_get_bytes(r, max, &len);
	if (p == NULL)
		return NULL;
	s = memchr(p, '\0', len) != NULL
	    ? NULL
	    : ae_arena_strndup(a, (const char *)p, len);
	if (s == NULL || !ae_utf8_valid(s)) {
		ae_rd_fail(r);
		return NULL;
	}
	return s;
}

void
msg_put_err(struct ae_wr *w, const struct ae_err *e)
{
	ae_wr_u32(w, (uint32_t)-e->rc);
	ae_wr_u32(w, (uint32_t)e->dom);
	ae_wr_u64(w, (uint64_t)e->code);
	msg_put_bytes(w, e->text, strnlen(e->text, sizeof(e->text)));
}

void
msg_get_err(struct ae_rd *r, struct ae_err *e)
{
	uint32_t rc = ae_rd_u32(r), dom = ae_rd_u32(r);
	uint64_t code = ae_rd_u64(r);
	const uint8_t *text;
	char shown[AE_ERR_TEXT_MAX];
	size_t len;

	text = msg_get_bytes(r, AE_ERR_TEXT_MAX, &len);
	if (!ae_rd_done(r) || rc == 0 || rc > (uint32_t)-AE_EINTERNAL ||
	    dom > AE_DOM_SQLITE) {
		(void)ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "a process of ours answered nonsense");
		return;
	}
	/* The text may hold what a network peer chose: UTF-8 or quoted. */
	memcpy(shown, text, len);
	shown[len < sizeof(shown) ? len : sizeof(shown) - 1] = '\0';
	(void)ae_fail(e, (enum ae_rc) - (int)rc, (enum ae_dom)dom,
	    (int64_t)code, "%s", shown);
}
