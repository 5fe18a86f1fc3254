/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The anchor's text and what is concluded from it.
 */
#include "db/anchor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "pki/key.h"

#define HEAD "certsrv-anchor 1"
#define HEX_LEN (2 * AE_DB_HASH_LEN)

static bool
sum_of(char hex[HEX_LEN + 1], const void *p, size_t len)
{
	uint8_t hash[AE_HASH_MAX];

	if (ae_hash_bytes(hash, AE_HASH_SHA256, p, len) == 0)
		return false;
	ae_hex_encode(hex, hash, AE_DB_HASH_LEN);
	return true;
}

void
ae_anchor_put(struct ae_wr *w, const struct ae_anchor *a)
{
	char hex[HEX_LEN + 1];
	size_t i;

	ae_hex_encode(hex, a->at.link, sizeof(a->at.link));
	ae_wr_printf(w, HEAD "\nseq %" PRId64 "\nlink %s\nids %" PRId64 "\n",
	    a->at.seq, hex, a->at.last_id);
	for (i = 0; i < a->at.ncrl; i++)
		ae_wr_printf(w, "crl %u %" PRId64 "\n", a->at.crl[i].key,
		    a->at.crl[i].number);
	if (a->restored)
		ae_wr_str(w, "restored\n");
	if (!ae_wr_ok(w))
		return;
	if (sum_of(hex, w->p, w->len))
		ae_wr_printf(w, "sum %s\n", hex);
	else
		w->bad = true;
}

/* A number of at most 18 digits; *s is behind it. */
static bool
number(const char **s, int64_t *out)
{
	size_t n = strspn(*s, "0123456789");

	if (n == 0 || n > 18)
		return false;
	*out = strtoll(*s, NULL, 10);
	*s += n;
	return true;
}

static bool
parse_line(struct ae_anchor *a, const char *s)
{
	int64_t v, key;

	if (strcmp(s, "restored") == 0) {
		a->restored = true;
		return true;
	}
	if (strncmp(s, "link ", 5) == 0)
		return ae_hex_decode(a->at.link, sizeof(a->at.link), s + 5);
	if (strncmp(s, "seq ", 4) == 0) {
		s += 4;
		return number(&s, &a->at.seq) && *s == '\0';
	}
	if (strncmp(s, "ids ", 4) == 0) {
		s += 4;
		return number(&s, &a->at.last_id) && *s == '\0';
	}
	if (strncmp(s, "crl ", 4) != 0)
		return false;
	s += 4;
	if (!number(&s, &key) || key > INT32_MAX || *s++ != ' ' ||
	    !number(&s, &v) || *s != '\0')
		return false;
	return ae_db_state_crl_raise(&a->at, (unsigned)key, v);
}

/* The lines behind the first one; text is ours to cut. */
static bool
parse_lines(struct ae_anchor *a, char *text)
{
	char *line, *rest = text;

	line = strsep(&rest, "\n");
	if (line == NULL || strcmp(line, HEAD) != 0)
		return false;
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL)
		if (!parse_line(a, line))
			return false;
	return true;
}

int
ae_anchor_parse(
    struct ae_anchor *out, const void *p, size_t len, struct ae_err *e)
{
	/* "sum ", its digits, a newline */
	const size_t tail = 4 + HEX_LEN + 1;
	struct ae_anchor a = { .restored = false };
	char hex[HEX_LEN + 1], *text;
	bool good;

	if (len <= tail || len > AE_ANCHOR_MAX || memchr(p, '\0', len) != NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the anchor is damaged: %zu bytes", len);
	text = strndup(p, len);
	if (text == NULL)
		return ae_fail_mem(e);
	good = text[len - tail - 1] == '\n' &&
	    strncmp(text + len - tail, "sum ", 4) == 0 &&
	    text[len - 1] == '\n' && sum_of(hex, text, len - tail) &&
	    memcmp(text + len - HEX_LEN - 1, hex, HEX_LEN) == 0;
	if (good) {
		text[len - tail] = '\0';
		good = parse_lines(&a, text);
	}
	free(text);
	if (!good)
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "the anchor is damaged");
	*out = a;
	return AE_OK;
}

static int
judge_chain(const struct ae_anchor *a, const struct ae_db_state *s,
    struct ae_db *db, struct ae_err *e)
{
	uint8_t link[AE_DB_HASH_LEN];
	int rc;

	if (s->seq < a->at.seq)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the audit chain ends at entry %" PRId64
		    ", but was at %" PRId64,
		    s->seq, a->at.seq);
	if (a->at.seq == 0)
		return AE_OK;
	rc = ae_db_audit_link(db, a->at.seq, link, e);
	if (rc == AE_OK && memcmp(link, a->at.link, sizeof(link)) != 0)
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "audit entry %" PRId64 " is another one than it was",
		    a->at.seq);
	return rc;
}

int
ae_anchor_judge(const struct ae_anchor *a, struct ae_db *db, struct ae_err *e)
{
	struct ae_db_state s;
	size_t i;
	int rc;

	if (a->restored)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "it was restored from a backup");
	rc = ae_db_state(db, &s, e);
	if (rc == AE_OK)
		rc = judge_chain(a, &s, db, e);
	for (i = 0; i < a->at.ncrl && rc == AE_OK; i++)
		if (ae_db_state_crl(&s, a->at.crl[i].key) < a->at.crl[i].number)
			rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
			    "CRL %" PRId64 " of key %u was made, the database "
			    "knows %" PRId64,
			    a->at.crl[i].number, a->at.crl[i].key,
			    ae_db_state_crl(&s, a->at.crl[i].key));
	return rc;
}

void
ae_anchor_merge(struct ae_anchor *into, const struct ae_anchor *other)
{
	size_t i;

	if (other->at.seq > into->at.seq) {
		into->at.seq = other->at.seq;
		memcpy(into->at.link, other->at.link, sizeof(into->at.link));
	}
	if (other->at.last_id > into->at.last_id)
		into->at.last_id = other->at.last_id;
	for (i = 0; i < other->at.ncrl; i++)
		(void)ae_db_state_crl_raise(
		    &into->at, other->at.crl[i].key, other->at.crl[i].number);
	into->restored = into->restored || other->restored;
}
