/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Making and checking the verification trailer.
 */
#include "rpc/vt.h"

#include <string.h>

#include "base/rd.h"
#include "rpc/pdu.h"

static const uint8_t signature[8] = { 0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36,
	0x71 };

enum {
	CMD_BITMASK_1 = 0x0001,
	CMD_PCONTEXT = 0x0002,
	CMD_HEADER2 = 0x0003,
	CMD_TYPE = 0x3fff,
	CMD_END = 0x4000,
	CMD_MUST = 0x8000,
};

#define CLIENT_SUPPORT_HEADER_SIGNING 0x00000001U

/* The whole trailer is at most this long, and padding at most that. */
#define VT_MAX 256
#define VT_PAD_MAX 16

void
ae_rpc_vt_put(struct ae_wr *w, const struct ae_rpc_vt *v)
{
	ae_wr_align(w, 4);
	ae_wr_bytes(w, signature, sizeof(signature));
	ae_wr_u16(w, CMD_BITMASK_1);
	ae_wr_u16(w, 4);
	ae_wr_u32(
	    w, v->offered_header_sign ? CLIENT_SUPPORT_HEADER_SIGNING : 0);
	ae_wr_u16(w, CMD_PCONTEXT);
	ae_wr_u16(w, 40);
	ae_rpc_syntax_put(w, &v->abstract);
	ae_rpc_syntax_put(w, &v->transfer);
	ae_wr_u16(w, CMD_HEADER2 | CMD_END);
	ae_wr_u16(w, 16);
	ae_wr_u8(w, AE_RPC_REQUEST);
	ae_wr_zeros(w, 3);
	ae_wr_u8(w, v->big_endian ? 0x00 : 0x10);
	ae_wr_zeros(w, 3);
	ae_wr_u32(w, v->call_id);
	ae_wr_u16(w, v->context_id);
	ae_wr_u16(w, v->opnum);
}

/* MS-RPCE 2.2.2.13.2: a promise that the bind's flag was not stripped. */
static bool
check_bitmask(const struct ae_rpc_vt *v, struct ae_rd *r)
{
	uint32_t bits = ae_rd_u32(r);

	return ae_rd_done(r) &&
	    (!(bits & CLIENT_SUPPORT_HEADER_SIGNING) || v->offered_header_sign);
}

static bool
check_pcontext(const struct ae_rpc_vt *v, struct ae_rd *r)
{
	struct ae_rpc_syntax abstract = ae_rpc_syntax_get(r);
	struct ae_rpc_syntax transfer = ae_rpc_syntax_get(r);

	return ae_rd_done(r) && ae_rpc_syntax_equal(&abstract, &v->abstract) &&
	    ae_rpc_syntax_equal(&transfer, &v->transfer);
}

static bool
check_header2(const struct ae_rpc_vt *v, struct ae_rd *r)
{
	bool same = true;

	same &= ae_rd_u8(r) == AE_RPC_REQUEST;
	ae_rd_skip(r, 3);
	same &= ae_rd_u8(r) == (v->big_endian ? 0x00 : 0x10);
	ae_rd_skip(r, 3);
	same &= ae_rd_u32(r) == v->call_id;
	same &= ae_rd_u16(r) == v->context_id;
	same &= ae_rd_u16(r) == v->opnum;
	return ae_rd_done(r) && same;
}

static bool
check_command(const struct ae_rpc_vt *v, uint16_t cmd, struct ae_rd *body)
{
	switch (cmd & CMD_TYPE) {
	case CMD_BITMASK_1:
		return check_bitmask(v, body);
	case CMD_PCONTEXT:
		return check_pcontext(v, body);
	case CMD_HEADER2:
		return check_header2(v, body);
	default:
		return !(cmd & CMD_MUST);
	}
}

/*
 * Walk the commands after a signature.  *verdict: did all agree?  False: this
 * is no trailer, as it does not end where the stub does.
 */
static bool
walk(const struct ae_rpc_vt *v, const uint8_t *p, size_t len, bool *verdict)
{
	struct ae_rd r, body;
	uint16_t cmd, n;
	bool ok = true;

	ae_rd_init(&r, p, len);
	do {
		cmd = ae_rd_u16(&r);
		n = ae_rd_u16(&r);
		body = ae_rd_sub(&r, n);
		if (n % 4 != 0 || !ae_rd_ok(&r))
			return false;
		ok &= check_command(v, cmd, &body);
	} while (!(cmd & CMD_END));
	*verdict = ok;
	return ae_rd_left(&r) < VT_PAD_MAX;
}

bool
ae_rpc_vt_check(const struct ae_rpc_vt *v, const uint8_t *stub, size_t *len)
{
	size_t off, first, n = *len;
	bool verdict;

	if (n < sizeof(signature))
		return true;
	first = n > VT_MAX ? (n - VT_MAX + 3) & ~(size_t)3 : 0;
	/*
	 * From the end: were a signature part of the data, the trailer
	 * behind it is the one that counts.
	 */
	for (off = (n - sizeof(signature)) & ~(size_t)3;; off -= 4) {
		if (off < first)
			return true;
		if (memcmp(stub + off, signature, sizeof(signature)) == 0 &&
		    walk(v, stub + off + sizeof(signature),
			n - off - sizeof(signature), &verdict)) {
			*len = off;
			return verdict;
		}
		if (off == 0)
			return true;
	}
}
