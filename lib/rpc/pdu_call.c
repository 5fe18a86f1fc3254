/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * request, response and fault.  Fragments of the first two are written by
 * frag.c, which also protects them.
 */
#include "rpc/pdu.h"

bool
ae_rpc_request_decode(struct ae_rpc_request *r, const struct ae_rpc_pdu *pdu)
{
	struct ae_rd rd = ae_rpc_pdu_body(pdu);

	*r = (struct ae_rpc_request){ .alloc_hint = ae_rd_u32(&rd) };
	r->context_id = ae_rd_u16(&rd);
	r->opnum = ae_rd_u16(&rd);
	if (pdu->hdr.flags & AE_RPC_PFC_OBJECT) {
		r->has_object = true;
		r->object = ae_guid_get(&rd);
	}
	r->stub_off = rd.off;
	return ae_rd_ok(&rd) &&
	    (size_t)pdu->trailer.pad <= pdu->body_end - r->stub_off;
}

bool
ae_rpc_response_decode(struct ae_rpc_response *r, const struct ae_rpc_pdu *pdu)
{
	struct ae_rd rd = ae_rpc_pdu_body(pdu);

	r->alloc_hint = ae_rd_u32(&rd);
	r->context_id = ae_rd_u16(&rd);
	r->cancel_count = ae_rd_u8(&rd);
	ae_rd_skip(&rd, 1);
	r->stub_off = rd.off;
	return ae_rd_ok(&rd) &&
	    (size_t)pdu->trailer.pad <= pdu->body_end - r->stub_off;
}

bool
ae_rpc_fault_decode(struct ae_rpc_fault *f, const struct ae_rpc_pdu *pdu)
{
	struct ae_rd rd = ae_rpc_pdu_body(pdu);

	ae_rd_skip(&rd, 4);
	f->context_id = ae_rd_u16(&rd);
	f->cancel_count = ae_rd_u8(&rd);
	ae_rd_skip(&rd, 1);
	f->status = ae_rd_u32(&rd);
	return ae_rd_ok(&rd);
}

void
ae_rpc_fault_put(struct ae_wr *w, uint16_t context_id, uint32_t status)
{
	/* MS-RPCE 2.2.2.8: 32 says that no error information follows. */
	ae_wr_u32(w, AE_RPC_FAULT_LEN);
	ae_wr_u16(w, context_id);
	ae_wr_u8(w, 0);
	ae_wr_u8(w, 0);
	ae_wr_u32(w, status);
	ae_wr_u32(w, 0);
}
