/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Takes the GSS framing off an AP-REQ, bare or inside a NegTokenInit (RFC
 * 4178 4.2.1).  A handful of DER headers, walked with the bounded reader:
 * anything unexpected means "leave it to the library".
 */
#include "gss/unframe.h"

#include <stdint.h>
#include <string.h>

#include "base/rd.h"

enum {
	TAG_OCTETS = 0x04,
	TAG_OID = 0x06,
	TAG_SEQUENCE = 0x30,
	TAG_FRAMING = 0x60, /* [APPLICATION 0], RFC 2743 3.1 */
	TAG_AP_REQ = 0x6e,  /* [APPLICATION 14] */
	TAG_INIT = 0xa0,    /* NegotiationToken: negTokenInit */
	TAG_MECH_TOKEN = 0xa2,
};

static const uint8_t spnego_oid[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02 };
static const uint8_t krb5_oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01,
	0x02, 0x02 };

/* Step over one value; body is what is in it.  Definite lengths only. */
static uint8_t
next(struct ae_rd *r, struct ae_rd *body)
{
	uint8_t tag = ae_rd_u8(r), n = ae_rd_u8(r);
	size_t len = n;

	if (n & 0x80) {
		if ((n & 0x7f) == 0 || (n & 0x7f) > 3)
			ae_rd_fail(r);
		for (len = 0; n > 0x80 && ae_rd_ok(r); n--)
			len = len << 8 | ae_rd_u8(r);
	}
	*body = ae_rd_sub(r, len);
	return ae_rd_ok(r) ? tag : 0;
}

static void
put_header(struct ae_wr *w, uint8_t tag, size_t len)
{
	ae_wr_u8(w, tag);
	if (len >= 0x10000) {
		ae_wr_u8(w, 0x83);
		ae_wr_u8(w, (uint8_t)(len >> 16));
		ae_wr_u8(w, (uint8_t)(len >> 8));
	} else if (len >= 0x100) {
		ae_wr_u8(w, 0x82);
		ae_wr_u8(w, (uint8_t)(len >> 8));
	} else if (len >= 0x80) {
		ae_wr_u8(w, 0x81);
	}
	ae_wr_u8(w, (uint8_t)len);
}

/* How long put_header() makes it. */
static size_t
header_len(size_t len)
{
	return len >= 0x10000 ? 5 : len >= 0x100 ? 4 : len >= 0x80 ? 3 : 2;
}

/* Inside a frame: is it of this mechanism?  Steps behind the OID. */
static bool
is_mech(struct ae_rd *frame, const uint8_t *oid, size_t len)
{
	struct ae_rd body;
	const uint8_t *p;

	if (next(frame, &body) != TAG_OID || ae_rd_left(&body) != len)
		return false;
	p = ae_rd_take(&body, len);
	return p != NULL && memcmp(p, oid, len) == 0;
}

/* The AP-REQ in a framed token; NULL: it is none. */
static const uint8_t *
ap_req(struct ae_rd token, size_t *len)
{
	struct ae_rd frame;

	if (next(&token, &frame) != TAG_FRAMING || ae_rd_left(&token) != 0 ||
	    !is_mech(&frame, krb5_oid, sizeof(krb5_oid)))
		return NULL;
	if (ae_rd_u8(&frame) != 0x01 || ae_rd_u8(&frame) != 0x00)
		return NULL; /* TOK_ID of an AP-REQ */
	*len = ae_rd_left(&frame);
	if (*len == 0 || frame.p[frame.off] != TAG_AP_REQ)
		return NULL;
	return ae_rd_take(&frame, *len);
}

/* What a NegTokenInit is cut into. */
struct init {
	const uint8_t *before; /* fields before the mechToken */
	size_t before_len;
	const uint8_t *req; /* the AP-REQ in it */
	size_t req_len;
	const uint8_t *after;
	size_t after_len;
};

static bool
cut(struct ae_rd fields, struct init *t)
{
	struct ae_rd body, octets;
	size_t start;

	*t = (struct init){ .before = fields.p };
	for (;;) {
		start = fields.off;
		switch (next(&fields, &body)) {
		case 0:
			return false;
		case TAG_MECH_TOKEN:
			t->before_len = start;
			t->after = fields.p + fields.off;
			t->after_len = ae_rd_left(&fields);
			if (next(&body, &octets) != TAG_OCTETS)
				return false;
			t->req = ap_req(octets, &t->req_len);
			return t->req != NULL;
		default:
			break;
		}
	}
}

static void
put_init(struct ae_wr *w, const struct init *t)
{
	size_t octets = header_len(t->req_len) + t->req_len;
	size_t seq = t->before_len + header_len(octets) + octets + t->after_len;
	size_t init = header_len(seq) + seq;
	size_t oid = header_len(sizeof(spnego_oid)) + sizeof(spnego_oid);

	put_header(w, TAG_FRAMING, oid + header_len(init) + init);
	put_header(w, TAG_OID, sizeof(spnego_oid));
	ae_wr_bytes(w, spnego_oid, sizeof(spnego_oid));
	put_header(w, TAG_INIT, init);
	put_header(w, TAG_SEQUENCE, seq);
	ae_wr_bytes(w, t->before, t->before_len);
	put_header(w, TAG_MECH_TOKEN, octets);
	put_header(w, TAG_OCTETS, t->req_len);
	ae_wr_bytes(w, t->req, t->req_len);
	ae_wr_bytes(w, t->after, t->after_len);
}

bool
ae_gss_unframe(struct ae_wr *out, const void *token, size_t len)
{
	struct ae_rd r, frame, init, fields;
	const uint8_t *req;
	struct init t;

	ae_rd_init(&r, token, len);
	req = ap_req(r, &len);
	if (req != NULL) {
		ae_wr_bytes(out, req, len);
		return true;
	}
	if (next(&r, &frame) != TAG_FRAMING || ae_rd_left(&r) != 0 ||
	    !is_mech(&frame, spnego_oid, sizeof(spnego_oid)) ||
	    next(&frame, &init) != TAG_INIT ||
	    next(&init, &fields) != TAG_SEQUENCE || !cut(fields, &t))
		return false;
	put_init(out, &t);
	return true;
}
