/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Moving a finished context to another process; see ctx.h.  The library's
 * token does not know our level and mechanism, so they go before it.
 */
#include <gssapi/gssapi.h>
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "gss/ctx_int.h"
#include "gss/status.h"

#define MOVE_MAGIC 0x41474358u /* "AGCX" */
#define MOVE_VERSION 1
#define MOVE_HEADER 12

#define MOVE_INITIATOR 0x01
#define MOVE_DCE 0x02
#define MOVE_RC4 0x04

static void
put_header(uint8_t h[MOVE_HEADER], const struct ae_gss_ctx *ctx)
{
	memset(h, 0, MOVE_HEADER);
	h[0] = MOVE_MAGIC & 0xff;
	h[1] = MOVE_MAGIC >> 8 & 0xff;
	h[2] = MOVE_MAGIC >> 16 & 0xff;
	h[3] = MOVE_MAGIC >> 24;
	h[4] = MOVE_VERSION;
	h[5] = (uint8_t)ctx->mech;
	h[6] = (uint8_t)ctx->level;
	h[7] = (uint8_t)((ctx->initiator ? MOVE_INITIATOR : 0) |
	    (ctx->dce ? MOVE_DCE : 0) | (ctx->allow_rc4 ? MOVE_RC4 : 0));
}

int
ae_gss_export(struct ae_gss_ctx *ctx, struct ae_secret *out, struct ae_err *e)
{
	gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
	struct ae_secret s = { 0 };
	OM_uint32 major, minor;
	int rc = AE_OK;

	if (ctx->state != AE_GSS_READY)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "only a finished security context can be moved");
	major = gss_export_sec_context(&minor, &ctx->handle, &token);
	/* Whatever happened: two users of one sequence are never allowed. */
	ctx->state = AE_GSS_BROKEN;
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(e, AE_EINTERNAL, major, minor,
		    "exporting a security context");
	if (token.length > AE_GSS_EXPORT_MAX - MOVE_HEADER)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "exported security context of %zu bytes", token.length);
	else if (ae_secret_set(&s, NULL, MOVE_HEADER + token.length) != 0)
		rc = ae_fail_mem(e);
	if (rc == AE_OK) {
		put_header(s.p, ctx);
		memcpy(s.p + MOVE_HEADER, token.value, token.length);
		ae_secret_done(out);
		*out = s;
	}
	explicit_bzero(token.value, token.length);
	(void)gss_release_buffer(&minor, &token);
	return rc;
}

static int
get_header(struct ae_gss_ctx *ctx, struct ae_rd *r, struct ae_err *e)
{
	uint32_t magic = ae_rd_u32(r);
	uint8_t version = ae_rd_u8(r);
	uint8_t mech = ae_rd_u8(r);
	uint8_t level = ae_rd_u8(r);
	uint8_t bits = ae_rd_u8(r);

	ae_rd_skip(r, 4);
	if (!ae_rd_ok(r) || magic != MOVE_MAGIC || version != MOVE_VERSION ||
	    (mech != AE_GSS_KRB5 && mech != AE_GSS_SPNEGO) ||
	    level < AE_GSS_CONNECT || level > AE_GSS_PRIVACY ||
	    (bits & ~(MOVE_INITIATOR | MOVE_DCE | MOVE_RC4)) != 0)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "not an exported security context of this version");
	ctx->mech = mech;
	ctx->level = level;
	ctx->initiator = (bits & MOVE_INITIATOR) != 0;
	ctx->dce = (bits & MOVE_DCE) != 0;
	ctx->allow_rc4 = (bits & MOVE_RC4) != 0;
	return AE_OK;
}

int
ae_gss_import(
    struct ae_gss_ctx **out, const void *p, size_t len, struct ae_err *e)
{
	gss_buffer_desc token;
	struct ae_gss_ctx *ctx;
	OM_uint32 major, minor;
	struct ae_rd r;
	int rc;

	if (len > AE_GSS_EXPORT_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "exported security context of %zu bytes", len);
	ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL)
		return ae_fail_mem(e);
	ctx->handle = GSS_C_NO_CONTEXT;
	ae_rd_init(&r, p, len);
	rc = get_header(ctx, &r, e);
	if (rc != AE_OK)
		goto out;
	token.length = ae_rd_left(&r);
	token.value = (void *)(uintptr_t)ae_rd_take(&r, token.length);
	major = gss_import_sec_context(&minor, &token, &ctx->handle);
	if (major != GSS_S_COMPLETE) {
		rc = ae_gss_fail(e, AE_EINTERNAL, major, minor,
		    "importing a security context");
		goto out;
	}
	ctx->state = AE_GSS_READY;
	rc = ae_gss_ctx_settle(ctx, e);
out:
	if (rc == AE_OK)
		*out = ctx;
	else
		ae_gss_ctx_free(ctx);
	return rc;
}
