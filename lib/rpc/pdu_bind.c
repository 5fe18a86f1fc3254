/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * bind and alter_context with their answers.
 */
#include "rpc/pdu.h"

#include <string.h>

#define SYNTAX_LEN 20

/* MS-RPCE 2.2.2.14: 6cb71c2c-9812-4540-XXXX-XXXXXXXXXXXX, version 1.0. */
static const struct ae_guid btf_prefix = { 0x6cb71c2c, 0x9812, 0x4540, { 0 } };

/* ---- bind, alter_context ---- */

bool
ae_rpc_bind_decode(struct ae_rpc_bind *b, const struct ae_rpc_pdu *pdu)
{
	struct ae_rd r = ae_rpc_pdu_body(pdu), walk;
	uint8_t i, n;

	b->max_xmit = ae_rd_u16(&r);
	b->max_recv = ae_rd_u16(&r);
	b->group = ae_rd_u32(&r);
	b->nctx = ae_rd_u8(&r);
	if (b->nctx > 0) /* an empty list may lack the octets before it */
		ae_rd_skip(&r, 3);
	b->elems = r;
	walk = r;
	for (i = 0; i < b->nctx && ae_rd_ok(&walk); i++) {
		ae_rd_skip(&walk, 2);
		n = ae_rd_u8(&walk);
		ae_rd_skip(&walk, 1 + SYNTAX_LEN + (size_t)n * SYNTAX_LEN);
	}
	return ae_rd_ok(&walk);
}

void
ae_rpc_bind_next(struct ae_rpc_bind *b, struct ae_rpc_bind_elem *elem)
{
	struct ae_rd *r = &b->elems;

	elem->id = ae_rd_u16(r);
	elem->ntransfer = ae_rd_u8(r);
	ae_rd_skip(r, 1);
	elem->abstract = ae_rpc_syntax_get(r);
	elem->transfer = ae_rd_sub(r, (size_t)elem->ntransfer * SYNTAX_LEN);
}

void
ae_rpc_bind_put(struct ae_wr *w, uint16_t max_frag, uint32_t group,
    uint16_t context_id, const struct ae_rpc_syntax *abstract,
    const struct ae_rpc_syntax *transfer)
{
	ae_wr_u16(w, max_frag);
	ae_wr_u16(w, max_frag);
	ae_wr_u32(w, group);
	ae_wr_u8(w, 1);
	ae_wr_zeros(w, 3);
	ae_wr_u16(w, context_id);
	ae_wr_u8(w, 1);
	ae_wr_u8(w, 0);
	ae_rpc_syntax_put(w, abstract);
	ae_rpc_syntax_put(w, transfer);
}

bool
ae_rpc_btf_get(const struct ae_rpc_syntax *s, uint16_t *features)
{
	if (s->uuid.d1 != btf_prefix.d1 || s->uuid.d2 != btf_prefix.d2 ||
	    s->uuid.d3 != btf_prefix.d3 || s->major != 1 || s->minor != 0)
		return false;
	*features = s->uuid.d4[0];
	return true;
}

/* ---- bind_ack, alter_context_resp ---- */

bool
ae_rpc_ack_decode(struct ae_rpc_ack *a, const struct ae_rpc_pdu *pdu)
{
	struct ae_rd r = ae_rpc_pdu_body(pdu), walk;

	a->max_xmit = ae_rd_u16(&r);
	a->max_recv = ae_rd_u16(&r);
	a->group = ae_rd_u32(&r);
	ae_rd_skip(&r, ae_rd_u16(&r));
	ae_rd_align(&r, 4);
	a->nresults = ae_rd_u8(&r);
	ae_rd_skip(&r, 3);
	a->results = r;
	walk = r;
	ae_rd_skip(&walk, (size_t)a->nresults * (4 + SYNTAX_LEN));
	return ae_rd_ok(&walk);
}

void
ae_rpc_ack_next(struct ae_rpc_ack *a, struct ae_rpc_ack_result *result)
{
	result->result = ae_rd_u16(&a->results);
	result->reason = ae_rd_u16(&a->results);
	result->transfer = ae_rpc_syntax_get(&a->results);
}

void
ae_rpc_ack_put(struct ae_wr *w, size_t pdu_start, uint16_t max_frag,
    uint32_t group, const char *sec_addr,
    const struct ae_rpc_ack_result *results, size_t n)
{
	size_t i, len;

	len = sec_addr == NULL || *sec_addr == '\0' ? 0 : strlen(sec_addr) + 1;
	ae_wr_u16(w, max_frag);
	ae_wr_u16(w, max_frag);
	ae_wr_u32(w, group);
	ae_wr_u16(w, (uint16_t)len);
	ae_wr_bytes(w, sec_addr, len);
	ae_wr_zeros(w, (4 - (w->len - pdu_start) % 4) % 4);
	ae_wr_u8(w, (uint8_t)n);
	ae_wr_zeros(w, 3);
	for (i = 0; i < n; i++) {
		ae_wr_u16(w, results[i].result);
		ae_wr_u16(w, results[i].reason);
		ae_rpc_syntax_put(w, &results[i].transfer);
	}
}

/* ---- bind_nak ---- */

bool
ae_rpc_nak_decode(uint16_t *reason, const struct ae_rpc_pdu *pdu)
{
	struct ae_rd r = ae_rpc_pdu_body(pdu);

	/* Versions and extended error information are of no use to us. */
	*reason = ae_rd_u16(&r);
	return ae_rd_ok(&r);
}

void
ae_rpc_nak_put(struct ae_wr *w, enum ae_rpc_nak reason)
{
	ae_wr_u16(w, (uint16_t)reason);
	ae_wr_u8(w, 1); /* one version: 5.0 */
	ae_wr_u8(w, 5);
	ae_wr_u8(w, 0);
	ae_wr_zeros(w, 3);
}
