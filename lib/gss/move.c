/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Moving a finished context to another process; see ctx.h.  What was found
 * out about it when it was finished goes before the library's token, so that
 * the importer need not ask the library again: that costs it a fresh reading
 * of Kerberos' configuration each time.
 */
#include <gssapi/gssapi.h>
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "base/wr.h"
#include "gss/ctx_int.h"
#include "gss/status.h"

#define MOVE_MAGIC 0x41474358u /* "AGCX" */
#define MOVE_VERSION 2
#define PEER_MAX 4096

#define MOVE_INITIATOR 0x01
#define MOVE_DCE 0x02
#define MOVE_RC4 0x04

static void
put_header(struct ae_wr *w, const struct ae_gss_ctx *ctx)
{
	size_t len = strlen(ctx->peer_text);

	ae_wr_u32(w, MOVE_MAGIC);
	ae_wr_u8(w, MOVE_VERSION);
	ae_wr_u8(w, (uint8_t)ctx->mech);
	ae_wr_u8(w, (uint8_t)ctx->level);
	ae_wr_u8(w,
	    (uint8_t)((ctx->initiator ? MOVE_INITIATOR : 0) |
		(ctx->dce ? MOVE_DCE : 0) | (ctx->allow_rc4 ? MOVE_RC4 : 0)));
	ae_wr_u32(w, ctx->flags);
	ae_wr_u32(w, (uint32_t)ctx->enctype);
	ae_wr_u64(w, (uint64_t)ctx->expires);
	ae_wr_u32(w, (uint32_t)ctx->sig_len);
	ae_wr_u32(w, (uint32_t)len);
	ae_wr_bytes(w, ctx->peer_text, len);
}

int
ae_gss_export(struct ae_gss_ctx *ctx, struct ae_secret *out, struct ae_err *e)
{
	gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;
	int rc = AE_OK;
	struct ae_wr w;

	if (ctx->state != AE_GSS_READY)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "only a finished security context can be moved");
	major = gss_export_sec_context(&minor, &ctx->handle, &token);
	/* Whatever happened: two users of one sequence are never allowed. */
	ctx->state = AE_GSS_BROKEN;
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(e, AE_EINTERNAL, major, minor,
		    "exporting a security context");
	ae_wr_init(&w, AE_GSS_EXPORT_MAX);
	put_header(&w, ctx);
	ae_wr_bytes(&w, token.value, token.length);
	if (ae_wr_full(&w))
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "exported security context of %zu bytes", token.length);
	else if (!ae_wr_ok(&w))
		rc = ae_fail_mem(e);
	if (rc == AE_OK) {
		ae_secret_done(out);
		out->p = ae_wr_take(&w, &out->len);
	}
	ae_wr_wipe(&w);
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
	const uint8_t *peer;
	size_t len;

	ctx->flags = ae_rd_u32(r);
	ctx->enctype = (int)ae_rd_u32(r);
	ctx->expires = (int64_t)ae_rd_u64(r);
	ctx->sig_len = ae_rd_u32(r);
	len = ae_rd_u32(r);
	if (len > PEER_MAX)
		ae_rd_fail(r);
	peer = ae_rd_take(r, len);
	if (!ae_rd_ok(r) || magic != MOVE_MAGIC || version != MOVE_VERSION ||
	    (mech != AE_GSS_KRB5 && mech != AE_GSS_SPNEGO) ||
	    level < AE_GSS_CONNECT || level > AE_GSS_PRIVACY ||
	    (bits & ~(MOVE_INITIATOR | MOVE_DCE | MOVE_RC4)) != 0 ||
	    ctx->sig_len > AE_GSS_SIG_MAX || memchr(peer, 0, len) != NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "not an exported security context of this version");
	ctx->mech = mech;
	ctx->level = level;
	ctx->initiator = (bits & MOVE_INITIATOR) != 0;
	ctx->dce = (bits & MOVE_DCE) != 0;
	ctx->allow_rc4 = (bits & MOVE_RC4) != 0;
	ctx->peer_text = strndup((const char *)peer, len);
	return ctx->peer_text == NULL ? ae_fail_mem(e) : AE_OK;
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
out:
	if (rc == AE_OK)
		*out = ctx;
	else
		ae_gss_ctx_free(ctx);
	return rc;
}
