/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * lib/gss behind the interface that connections use.  A context of lib/gss
 * knows its level; asking it for another one fails.
 */
#include "rpc/sec.h"

#include <assert.h>

#include "gss/ctx.h"

static int
gss_step(void *ctx, const uint8_t *in, size_t len, struct ae_wr *out,
    bool *done, struct ae_err *e)
{
	return ae_gss_step(ctx, in, len, out, done, e);
}

static size_t
gss_token_len(void *ctx, enum ae_rpc_level level)
{
	if ((int)ae_gss_ctx_level(ctx) != (int)level)
		return 0;
	return ae_gss_sig_len(ctx);
}

static struct ae_gss_pdu
gss_pdu(const struct ae_rpc_sec_buf *b, bool sign_header)
{
	return (struct ae_gss_pdu){
		.hdr = b->header,
		.hdrlen = b->header_len,
		.data = b->body,
		.datalen = b->body_len,
		.trailer = b->trailer,
		.trailerlen = b->trailer_len,
		.token = b->token,
		.tokenlen = b->token_len,
		.header_sign = sign_header,
	};
}

static int
gss_protect(void *ctx, enum ae_rpc_level level, bool sign_header,
    const struct ae_rpc_sec_buf *b, struct ae_err *e)
{
	struct ae_gss_pdu pdu = gss_pdu(b, sign_header);

	assert((int)ae_gss_ctx_level(ctx) == (int)level);
	return ae_gss_protect(ctx, &pdu, e);
}

static int
gss_unprotect(void *ctx, enum ae_rpc_level level, bool sign_header,
    const struct ae_rpc_sec_buf *b, struct ae_err *e)
{
	struct ae_gss_pdu pdu = gss_pdu(b, sign_header);

	if ((int)ae_gss_ctx_level(ctx) != (int)level)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the security context is for level %s",
		    ae_rpc_level_name(
			(enum ae_rpc_level)ae_gss_ctx_level(ctx)));
	return ae_gss_unprotect(ctx, &pdu, e);
}

static void
gss_free(void *ctx)
{
	ae_gss_ctx_free(ctx);
}

static const struct ae_rpc_sec_ops gss_ops = {
	.step = gss_step,
	.token_len = gss_token_len,
	.protect = gss_protect,
	.unprotect = gss_unprotect,
	.free = gss_free,
};

struct ae_rpc_sec
ae_rpc_sec_gss(struct ae_gss_ctx *take_ctx)
{
	return (struct ae_rpc_sec){ .ops = &gss_ops, .ctx = take_ctx };
}
