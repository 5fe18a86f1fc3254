/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What all PDUs share: common header, authentication trailer, syntaxes.
 */
#include "rpc/pdu.h"

/* C706 14.2.5: octet 0 integers and characters, octet 1 floating point. */
#define DREP_BIG 0x00
#define DREP_LITTLE 0x10

bool
ae_rpc_hdr_decode(struct ae_rpc_hdr *h, const uint8_t *p)
{
	struct ae_rd r;
	uint8_t drep;

	ae_rd_init(&r, p, AE_RPC_HDR_LEN);
	h->vers = ae_rd_u8(&r);
	h->vers_minor = ae_rd_u8(&r);
	h->ptype = ae_rd_u8(&r);
	h->flags = ae_rd_u8(&r);
	drep = ae_rd_u8(&r);
	h->big = drep == DREP_BIG;
	if (drep != DREP_BIG && drep != DREP_LITTLE)
		ae_rd_fail(&r);
	if (ae_rd_u8(&r) != 0) /* IEEE */
		ae_rd_fail(&r);
	ae_rd_skip(&r, 2);
	r.big = h->big;
	h->frag_len = ae_rd_u16(&r);
	h->auth_len = ae_rd_u16(&r);
	h->call_id = ae_rd_u32(&r);
	return ae_rd_done(&r) && h->frag_len >= AE_RPC_HDR_LEN;
}

bool
ae_rpc_pdu_decode(
    struct ae_rpc_pdu *out, const struct ae_rpc_hdr *h, const uint8_t *p)
{
	struct ae_rpc_trailer *t = &out->trailer;
	struct ae_rd r;
	size_t room;

	*out = (struct ae_rpc_pdu){
		.hdr = *h,
		.p = p,
		.len = h->frag_len,
		.body_end = h->frag_len,
	};
	if (h->auth_len == 0)
		return true;
	if (h->frag_len <
	    AE_RPC_HDR_LEN + AE_RPC_TRAILER_LEN + (size_t)h->auth_len)
		return false;
	/* Found from the end: what precedes it may be longer than parsed. */
	t->off = (size_t)h->frag_len - h->auth_len - AE_RPC_TRAILER_LEN;
	ae_rd_init(&r, p, h->frag_len);
	r.big = h->big;
	ae_rd_seek(&r, t->off);
	t->present = true;
	t->type = ae_rd_u8(&r);
	t->level = ae_rd_u8(&r);
	t->pad = ae_rd_u8(&r);
	ae_rd_skip(&r, 1);
	t->id = ae_rd_u32(&r);
	t->token_len = h->auth_len;
	out->body_end = t->off;
	/* All bodies with a variable part have 24 bytes before it. */
	room = t->off > AE_RPC_REQUEST_LEN ? t->off - AE_RPC_REQUEST_LEN : 0;
	return ae_rd_ok(&r) && t->pad <= room;
}

struct ae_rd
ae_rpc_pdu_body(const struct ae_rpc_pdu *pdu)
{
	struct ae_rd r;

	ae_rd_init(&r, pdu->p, pdu->body_end);
	r.big = pdu->hdr.big;
	ae_rd_skip(&r, AE_RPC_HDR_LEN);
	return r;
}

size_t
ae_rpc_pdu_begin(
    struct ae_wr *w, enum ae_rpc_ptype ptype, uint8_t flags, uint32_t call_id)
{
	size_t start = w->len;

	ae_wr_u8(w, 5);
	ae_wr_u8(w, 0);
	ae_wr_u8(w, (uint8_t)ptype);
	ae_wr_u8(w, flags);
	ae_wr_u8(w, DREP_LITTLE);
	ae_wr_zeros(w, 3);
	ae_wr_u16(w, 0);
	ae_wr_u16(w, 0);
	ae_wr_u32(w, call_id);
	return start;
}

void
ae_rpc_pdu_end(struct ae_wr *w, size_t start, size_t auth_len)
{
	if (!ae_wr_ok(w))
		return;
	ae_wr_set_u16(w, start + 8, (uint16_t)(w->len - start));
	ae_wr_set_u16(w, start + 10, (uint16_t)auth_len);
}

void
ae_rpc_trailer_put(struct ae_wr *w, const struct ae_rpc_trailer *t)
{
	ae_wr_u8(w, t->type);
	ae_wr_u8(w, t->level);
	ae_wr_u8(w, t->pad);
	ae_wr_u8(w, 0);
	ae_wr_u32(w, t->id);
}

struct ae_rpc_syntax
ae_rpc_syntax_get(struct ae_rd *r)
{
	struct ae_rpc_syntax s;
	uint32_t v;

	s.uuid = ae_guid_get(r);
	v = ae_rd_u32(r);
	s.major = (uint16_t)(v & 0xffff);
	s.minor = (uint16_t)(v >> 16);
	return s;
}

void
ae_rpc_syntax_put(struct ae_wr *w, const struct ae_rpc_syntax *s)
{
	ae_guid_put(w, &s->uuid);
	ae_wr_u32(w, (uint32_t)s->minor << 16 | s->major);
}
