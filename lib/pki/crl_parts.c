/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A TBSCertList in parts.  The frame is measured here; what is in it is
 * parsed by the templates of crl.c, and entries are compared with the one
 * form they are written in.
 */
#include "pki/crl_parts.h"

#include <string.h>

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "CRL in parts: %s", what);
}

void
ae_crl_parts_done(struct ae_crl_parts *p)
{
	ae_wr_done(&p->rest);
	memset(p, 0, sizeof(*p));
}

/* Tag and length of the shortest form; the contents may not be here yet. */
static bool
header(const uint8_t **p, const uint8_t *end, uint8_t tag, uint64_t *len)
{
	const uint8_t *q = *p;
	uint64_t n = 0;
	unsigned i, extra;

	if (end - q < 2 || q[0] != tag)
		return false;
	if (q[1] < 0x80) {
		*len = q[1];
		*p = q + 2;
		return true;
	}
	extra = q[1] & 0x7fu;
	if (extra < 1 || extra > 5 || end - q < 2 + (long)extra || q[2] == 0)
		return false;
	for (i = 0; i < extra; i++)
		n = n << 8 | q[2 + i];
	*len = n;
	*p = q + 2 + extra;
	return n >= 0x80;
}

/* An element that is here as a whole. */
static bool
element(const uint8_t **p, const uint8_t *end, uint8_t tag)
{
	uint64_t len;

	if (!header(p, end, tag, &len) || len > (uint64_t)(end - *p))
		return false;
	*p += len;
	return true;
}

static bool
time_element(const uint8_t **p, const uint8_t *end)
{
	return element(p, end, AE_DER_UTCTIME) ||
	    element(p, end, AE_DER_GENTIME);
}

int
ae_crl_parts_head(struct ae_crl_parts *p, const void *der, size_t len,
    uint64_t max, struct ae_err *e)
{
	const uint8_t *at = der, *end = at + len, *first;

	ae_crl_parts_done(p);
	ae_wr_init(&p->rest, 2 * (size_t)AE_CRL_HEAD_MAX);
	if (!header(&at, end, AE_DER_SEQUENCE, &p->left) || p->left > max)
		return bad(e, "not the beginning of one, or too large");
	first = at;
	if (p->left < (uint64_t)(end - at) ||
	    !element(&at, end, AE_DER_INTEGER) ||
	    !element(&at, end, AE_DER_SEQUENCE) ||
	    !element(&at, end, AE_DER_SEQUENCE) || !time_element(&at, end) ||
	    !time_element(&at, end))
		return bad(e, "not all that stands before the list");
	ae_wr_bytes(&p->rest, first, (size_t)(at - first));
	if (at < end &&
	    (!header(&at, end, AE_DER_SEQUENCE, &p->list_left) ||
		p->list_left == 0))
		return bad(e, "not the beginning of the list");
	p->left -= (uint64_t)(end - first);
	if (at != end || p->list_left > p->left)
		return bad(e, "a list longer than all");
	if (!ae_wr_ok(&p->rest))
		return ae_fail_mem(e);
	p->begun = true;
	return AE_OK;
}

/* YYYYMMDDHHMMSS of a time element; its digits are not judged further. */
static bool
take_time(const uint8_t **p, const uint8_t *end, char out[15])
{
	const uint8_t *q = *p;
	size_t i, n;

	if (end - q < 2)
		return false;
	n = q[0] == AE_DER_UTCTIME ? 12 : q[0] == AE_DER_GENTIME ? 14 : 0;
	if (n == 0 || q[1] != n + 1 || (size_t)(end - q) < n + 3 ||
	    q[2 + n] != 'Z')
		return false;
	for (i = 0; i < n; i++)
		if (q[2 + i] < '0' || q[2 + i] > '9')
			return false;
	if (n == 12)
		memcpy(out, q[2] < '5' ? "20" : "19", 2);
	memcpy(out + 14 - n, q + 2, n);
	out[14] = '\0';
	*p = q + n + 3;
	/* RFC 5280 5.1.2.6: which form is not a matter of taste */
	return n == 12 || memcmp(out, "2050", 4) >= 0;
}

/* An extension reasonCode and nothing else, or nothing at all. */
static bool
take_reason(const uint8_t *p, const uint8_t *end, uint8_t *reason)
{
	static const uint8_t head[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03,
		0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01 };

	*reason = 0;
	if (p == end)
		return true;
	if ((size_t)(end - p) != sizeof(head) + 1 ||
	    memcmp(p, head, sizeof(head)) != 0)
		return false;
	*reason = p[sizeof(head)];
	return *reason >= 1 && *reason <= 10 && *reason != 7;
}

static bool
take_serial(const uint8_t **p, const uint8_t *end)
{
	const uint8_t *q = *p;

	if (end - q < 3 || q[0] != AE_DER_INTEGER || q[1] < 1 || q[1] > 20 ||
	    end - q < 2 + q[1] || (q[2] & 0x80) != 0 ||
	    (q[2] == 0 && (q[1] == 1 || (q[3] & 0x80) == 0)))
		return false;
	*p = q + 2 + q[1];
	return true;
}

static bool
take_entry(struct ae_crl_parts *p, const uint8_t **at, const uint8_t *end)
{
	const uint8_t *in, *out;
	uint64_t len;
	char when[15];
	uint8_t reason;

	if (!header(at, end, AE_DER_SEQUENCE, &len) ||
	    len > (uint64_t)(end - *at))
		return false;
	in = *at;
	*at = out = in + len;
	if (!take_serial(&in, out) || !take_time(&in, out, when) ||
	    !take_reason(in, out, &reason))
		return false;
	if (strcmp(when, p->newest) > 0)
		memcpy(p->newest, when, sizeof(when));
	p->removes = p->removes || reason == AE_CRL_REMOVE;
	p->entries++;
	return true;
}

int
ae_crl_parts_list(
    struct ae_crl_parts *p, const void *der, size_t len, struct ae_err *e)
{
	const uint8_t *at = der, *end = at + len;

	if (!p->begun || len == 0 || len > p->list_left)
		return bad(e, "entries where none belong");
	while (at < end)
		if (!take_entry(p, &at, end))
			return bad(e, "an entry of another form");
	p->left -= len;
	p->list_left -= len;
	return AE_OK;
}

int
ae_crl_parts_tail(struct ae_crl_parts *p, const void *der, size_t len,
    struct ae_crl **out, struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	if (!p->begun || p->list_left > 0 || len != p->left)
		return bad(e, "an end before the end, or behind it");
	p->begun = false;
	ae_wr_bytes(&p->rest, der, len);
	ae_wr_init(&w, 2 * (size_t)AE_CRL_HEAD_MAX + 16);
	ae_der_put(&w, AE_DER_SEQUENCE, p->rest.p, p->rest.len);
	rc = ae_wr_ok(&p->rest) && ae_wr_ok(&w)
	    ? ae_crl_parse(out, w.p, w.len, w.len, true, e)
	    : ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		  "CRL in parts: too much beside the list");
	ae_wr_done(&w);
	if (rc != AE_OK)
		return rc;
	/* all that is left: in its place a second list would be, too */
	if ((*out)->entries > 0) {
		ae_crl_free(*out);
		*out = NULL;
		return bad(e, "a list behind the list");
	}
	(*out)->entries = p->entries;
	return AE_OK;
}
