/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The PDUs of connection-oriented DCE/RPC (C706 12.6, MS-RPCE 2.2.2): what
 * is on the wire, both directions.  No state and no cryptography.  Decoders
 * borrow from the PDU's bytes; a body that does not fit its PDU is refused,
 * surplus octets before the authentication trailer are not.
 */
#ifndef AE_RPC_PDU_H
#define AE_RPC_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/guid.h"
#include "base/rd.h"
#include "base/wr.h"
#include "rpc/types.h"

#define AE_RPC_HDR_LEN 16
#define AE_RPC_REQUEST_LEN 24 /* of a response too; 16 more with an object */
#define AE_RPC_FAULT_LEN 32
#define AE_RPC_TRAILER_LEN 8
#define AE_RPC_AUTH_PAD 16 /* MS-RPCE 2.2.2.11: counted from the stub */

/*
 * Fragments: no larger ones are accepted, whatever was negotiated, and none
 * smaller than the minimum is negotiated, as Windows and Samba do.
 */
#define AE_RPC_FRAG_MAX 5840
#define AE_RPC_FRAG_MIN 2048

enum ae_rpc_ptype {
	AE_RPC_REQUEST = 0,
	AE_RPC_RESPONSE = 2,
	AE_RPC_FAULT = 3,
	AE_RPC_BIND = 11,
	AE_RPC_BIND_ACK = 12,
	AE_RPC_BIND_NAK = 13,
	AE_RPC_ALTER = 14,
	AE_RPC_ALTER_RESP = 15,
	AE_RPC_AUTH3 = 16,
	AE_RPC_SHUTDOWN = 17,
	AE_RPC_CO_CANCEL = 18,
	AE_RPC_ORPHANED = 19,
};

enum {
	AE_RPC_PFC_FIRST = 0x01,
	AE_RPC_PFC_LAST = 0x02,
	AE_RPC_PFC_PENDING_CANCEL = 0x04, /* in requests */
	AE_RPC_PFC_HEADER_SIGN = 0x04,	  /* in bind and its like */
	AE_RPC_PFC_CONC_MPX = 0x10,
	AE_RPC_PFC_DID_NOT_EXECUTE = 0x20,
	AE_RPC_PFC_MAYBE = 0x40,
	AE_RPC_PFC_OBJECT = 0x80,
};

struct ae_rpc_hdr {
	uint8_t vers, vers_minor;
	uint8_t ptype; /* enum ae_rpc_ptype, or something else */
	uint8_t flags;
	bool big; /* drep: integers are big endian */
	uint16_t frag_len;
	uint16_t auth_len;
	uint32_t call_id;
};

/* sec_trailer, MS-RPCE 2.2.2.11. */
struct ae_rpc_trailer {
	bool present;
	uint8_t type;
	uint8_t level;
	uint8_t pad;
	uint32_t id;
	size_t off; /* where it starts in the PDU */
	size_t token_len;
};

/* One whole PDU, borrowed. */
struct ae_rpc_pdu {
	struct ae_rpc_hdr hdr;
	const uint8_t *p;
	size_t len;
	struct ae_rpc_trailer trailer;
	size_t body_end; /* where the body ends: at the trailer, or at len */
};

/*
 * The 16 bytes every PDU starts with.  False: character or floating-point
 * representation other than ASCII and IEEE, or frag_len under 16.
 */
bool ae_rpc_hdr_decode(struct ae_rpc_hdr *h, const uint8_t *p);

/*
 * A PDU of exactly hdr.frag_len bytes.  False when auth_len has no place in
 * it or the padding that the trailer tells is longer than what precedes it.
 */
bool ae_rpc_pdu_decode(
    struct ae_rpc_pdu *out, const struct ae_rpc_hdr *h, const uint8_t *p);

/* A reader over the PDU, in its byte order, at the start of the body. */
struct ae_rd ae_rpc_pdu_body(const struct ae_rpc_pdu *pdu);

/*
 * Start a PDU at w's end; its lengths are set by _end from the offset that
 * _begin returned.  Little endian, version 5.0.
 */
size_t ae_rpc_pdu_begin(
    struct ae_wr *w, enum ae_rpc_ptype ptype, uint8_t flags, uint32_t call_id);
void ae_rpc_pdu_end(struct ae_wr *w, size_t start, size_t auth_len);

/* Append a sec_trailer without its token. */
void ae_rpc_trailer_put(struct ae_wr *w, const struct ae_rpc_trailer *t);

struct ae_rpc_syntax ae_rpc_syntax_get(struct ae_rd *r);
void ae_rpc_syntax_put(struct ae_wr *w, const struct ae_rpc_syntax *s);

/* ---- bind and alter_context, C706 12.6.4.3 and 12.6.4.1 ---- */

struct ae_rpc_bind {
	uint16_t max_xmit;
	uint16_t max_recv;
	uint32_t group;
	uint8_t nctx;
	struct ae_rd elems; /* for ae_rpc_bind_next */
};

struct ae_rpc_bind_elem {
	uint16_t id;
	uint8_t ntransfer;
	struct ae_rpc_syntax abstract;
	struct ae_rd transfer; /* ntransfer times ae_rpc_syntax_get */
};

/* The whole list was walked: ae_rpc_bind_next cannot fail afterwards. */
bool ae_rpc_bind_decode(struct ae_rpc_bind *b, const struct ae_rpc_pdu *pdu);
void ae_rpc_bind_next(struct ae_rpc_bind *b, struct ae_rpc_bind_elem *elem);

/* One element with one transfer syntax each. */
void ae_rpc_bind_put(struct ae_wr *w, uint16_t max_frag, uint32_t group,
    uint16_t context_id, const struct ae_rpc_syntax *abstract,
    const struct ae_rpc_syntax *transfer);

/*
 * Bind time feature negotiation, MS-RPCE 2.2.2.14: is this syntax one, and
 * if so what is asked for.
 */
#define AE_RPC_BTF_MULTIPLEX 0x01
#define AE_RPC_BTF_KEEP_ON_ORPHAN 0x02
bool ae_rpc_btf_get(const struct ae_rpc_syntax *s, uint16_t *features);

/* ---- bind_ack and alter_context_resp, C706 12.6.4.4 ---- */

enum ae_rpc_result {
	AE_RPC_ACCEPTANCE = 0,
	AE_RPC_USER_REJECTION = 1,
	AE_RPC_PROVIDER_REJECTION = 2,
	AE_RPC_NEGOTIATE_ACK = 3,
};

enum ae_rpc_reason {
	AE_RPC_REASON_NONE = 0,
	AE_RPC_REASON_ABSTRACT = 1,
	AE_RPC_REASON_TRANSFER = 2,
	AE_RPC_REASON_LIMIT = 3,
};

struct ae_rpc_ack_result {
	uint16_t result;
	uint16_t reason; /* NEGOTIATE_ACK: the features granted */
	struct ae_rpc_syntax transfer;
};

struct ae_rpc_ack {
	uint16_t max_xmit;
	uint16_t max_recv;
	uint32_t group;
	uint8_t nresults;
	struct ae_rd results; /* for ae_rpc_ack_next */
};

bool ae_rpc_ack_decode(struct ae_rpc_ack *a, const struct ae_rpc_pdu *pdu);
void ae_rpc_ack_next(struct ae_rpc_ack *a, struct ae_rpc_ack_result *result);

/*
 * The body of an ack; pdu_start is what ae_rpc_pdu_begin gave.  sec_addr
 * NULL or "": a length of 0.
 */
void ae_rpc_ack_put(struct ae_wr *w, size_t pdu_start, uint16_t max_frag,
    uint32_t group, const char *sec_addr,
    const struct ae_rpc_ack_result *results, size_t n);

/* ---- bind_nak, MS-RPCE 2.2.2.5 and 2.2.2.9 ---- */

enum ae_rpc_nak {
	AE_RPC_NAK_NONE = 0,
	AE_RPC_NAK_CONGESTION = 1,
	AE_RPC_NAK_LIMIT = 2,
	AE_RPC_NAK_VERSION = 4, /* protocol error */
	AE_RPC_NAK_AUTH_TYPE = 8,
	AE_RPC_NAK_CHECKSUM = 9, /* authentication failed */
};

bool ae_rpc_nak_decode(uint16_t *reason, const struct ae_rpc_pdu *pdu);
void ae_rpc_nak_put(struct ae_wr *w, enum ae_rpc_nak reason);

/* ---- request, response and fault, C706 12.6.4.9, .10 and .7 ---- */

struct ae_rpc_request {
	uint32_t alloc_hint;
	uint16_t context_id;
	uint16_t opnum;
	bool has_object;
	struct ae_guid object;
	size_t
	    stub_off; /* the body from here to body_end is stub and padding */
};

bool ae_rpc_request_decode(
    struct ae_rpc_request *r, const struct ae_rpc_pdu *pdu);

struct ae_rpc_response {
	uint32_t alloc_hint;
	uint16_t context_id;
	uint8_t cancel_count;
	size_t stub_off;
};

bool ae_rpc_response_decode(
    struct ae_rpc_response *r, const struct ae_rpc_pdu *pdu);

struct ae_rpc_fault {
	uint16_t context_id;
	uint8_t cancel_count;
	uint32_t status;
};

bool ae_rpc_fault_decode(struct ae_rpc_fault *f, const struct ae_rpc_pdu *pdu);
void ae_rpc_fault_put(struct ae_wr *w, uint16_t context_id, uint32_t status);

#endif
