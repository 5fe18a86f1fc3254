/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A security context as a connection sees it: something that makes tokens,
 * and protects and checks one PDU at a time.  The real one wraps a context
 * of lib/gss (ae_rpc_sec_gss); tests have their own.  Where
 * what is signed lies in a PDU is frag.c's.
 */
#ifndef AE_RPC_SEC_H
#define AE_RPC_SEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "rpc/types.h"

struct ae_gss_ctx;

/* No per-message token is longer; a client's handshake token neither. */
#define AE_RPC_SEC_TOKEN_MAX 512
#define AE_RPC_TOKEN_OUT_MAX (48 * 1024)

/* One PDU in the order it is on the wire; body is changed in place. */
struct ae_rpc_sec_buf {
	const uint8_t *header; /* PDU header up to the stub */
	size_t header_len;
	uint8_t *body; /* stub, verification trailer and padding */
	size_t body_len;
	const uint8_t *trailer; /* the 8 bytes of the sec_trailer */
	size_t trailer_len;
	uint8_t *token;
	size_t token_len;
};

struct ae_rpc_sec_ops {
	/*
	 * Initiator only: take the peer's token (empty at first), append ours
	 * to out, say in *done when the context stands.
	 */
	int (*step)(void *ctx, const uint8_t *in, size_t len, struct ae_wr *out,
	    bool *done, struct ae_err *e);
	/* Size of the token that protect will make at this level; 0: cannot. */
	size_t (*token_len)(void *ctx, enum ae_rpc_level level);
	/*
	 * Sign (PKT, INTEGRITY) or seal (PRIVACY); with sign_header header and
	 * trailer are covered too (MS-RPCE 3.3.1.5.2.2).  Writes exactly
	 * b->token_len bytes of token.
	 */
	int (*protect)(void *ctx, enum ae_rpc_level level, bool sign_header,
	    const struct ae_rpc_sec_buf *b, struct ae_err *e);
	/* The reverse; anything but a perfect check is AE_ETRUST. */
	int (*unprotect)(void *ctx, enum ae_rpc_level level, bool sign_header,
	    const struct ae_rpc_sec_buf *b, struct ae_err *e);
	void (*free)(void *ctx);
};

/* By value; owned by whoever holds it, released with ae_rpc_sec_done. */
struct ae_rpc_sec {
	const struct ae_rpc_sec_ops *ops; /* NULL: none */
	void *ctx;
};

/* Wrap a context of lib/gss; it is taken. */
struct ae_rpc_sec ae_rpc_sec_gss(struct ae_gss_ctx *take_ctx);

/* Release; *s is none afterwards. */
void ae_rpc_sec_done(struct ae_rpc_sec *s);

#endif
