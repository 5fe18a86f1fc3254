/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Signing and sealing of RPC PDUs; see ctx.h.  Always the buffer-list calls:
 * plain gss_wrap does not interoperate in DCE style.  Any result but exactly
 * GSS_S_COMPLETE ends the context: a replayed or skipped message is reported
 * in supplementary bits that GSS_ERROR() does not see, with the data already
 * decrypted.
 */
#include <gssapi/gssapi_ext.h>
#include <krb5.h>
#include <string.h>

#include "base/breaks.h"
#include "gss/ctx_int.h"
#include "gss/status.h"

#define IOV_MAX_ROWS 4

struct iovs {
	gss_iov_buffer_desc v[IOV_MAX_ROWS];
	int n;
};

static void
add(struct iovs *l, OM_uint32 type, const void *p, size_t len)
{
	l->v[l->n].type = type;
	l->v[l->n].buffer.value = (void *)(uintptr_t)p;
	l->v[l->n].buffer.length = len;
	l->n++;
}

/*
 * The signed parts in the order of the wire, after the token.  Sealing or
 * signing is told apart by the token's type alone.
 */
static struct iovs
lay_out(const struct ae_gss_pdu *pdu, OM_uint32 token_type)
{
	struct iovs l = { .n = 0 };

	add(&l, token_type, pdu->token, pdu->tokenlen);
	if (pdu->header_sign)
		add(&l, GSS_IOV_BUFFER_TYPE_SIGN_ONLY, pdu->hdr, pdu->hdrlen);
	add(&l, GSS_IOV_BUFFER_TYPE_DATA, pdu->data, pdu->datalen);
	if (pdu->header_sign)
		add(&l, GSS_IOV_BUFFER_TYPE_SIGN_ONLY, pdu->trailer,
		    pdu->trailerlen);
	return l;
}

/* The library must neither move nor resize what we gave it. */
static bool
untouched(const struct iovs *l, const struct ae_gss_pdu *pdu)
{
	const gss_iov_buffer_desc *data = &l->v[pdu->header_sign ? 2 : 1];

	return l->v[0].buffer.value == pdu->token &&
	    l->v[0].buffer.length == pdu->tokenlen &&
	    data->buffer.value == pdu->data &&
	    data->buffer.length == pdu->datalen;
}

int
ae_gss_measure(struct ae_gss_ctx *ctx, struct ae_err *e)
{
	uint8_t sample[16] = { 0 };
	struct ae_gss_pdu pdu = { .data = sample, .datalen = sizeof(sample) };
	bool seal = ctx->level == AE_GSS_PRIVACY;
	struct iovs l = lay_out(&pdu,
	    seal ? GSS_IOV_BUFFER_TYPE_HEADER : GSS_IOV_BUFFER_TYPE_MIC_TOKEN);
	OM_uint32 major, minor;
	int conf = 0;

	ctx->sig_len = 0;
	if (ctx->level == AE_GSS_CONNECT)
		return AE_OK;
	if (seal)
		major = gss_wrap_iov_length(
		    &minor, ctx->handle, 1, GSS_C_QOP_DEFAULT, &conf, l.v, l.n);
	else
		major = gss_get_mic_iov_length(
		    &minor, ctx->handle, GSS_C_QOP_DEFAULT, l.v, l.n);
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(
		    e, AE_EAUTH, major, minor, "asking for the token's size");
	ctx->sig_len = l.v[0].buffer.length;
	/* krb5 1.20 counts a confounder that RC4's MIC does not have. */
	if (!seal && ctx->enctype == ENCTYPE_ARCFOUR_HMAC)
		ctx->sig_len -= 8;
	if (ctx->sig_len == 0 || ctx->sig_len > AE_GSS_SIG_MAX)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_GSS, 0,
		    "token size of %zu bytes", ctx->sig_len);
	return AE_OK;
}

size_t
ae_gss_sig_len(const struct ae_gss_ctx *ctx)
{
	return ctx->sig_len;
}

static int
usable(const struct ae_gss_ctx *ctx, struct ae_err *e)
{
	if (ctx->state != AE_GSS_READY || !ctx->dce)
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "the security context cannot protect messages");
	return AE_OK;
}

/* Nothing goes out or is believed under this context any more. */
static int
broken(struct ae_gss_ctx *ctx, OM_uint32 major, OM_uint32 minor,
    const char *what, struct ae_err *e)
{
	ctx->state = AE_GSS_BROKEN;
	return ae_gss_fail(e, AE_EAUTH, major, minor, "%s", what);
}

static OM_uint32
seal(struct ae_gss_ctx *ctx, const struct ae_gss_pdu *pdu, OM_uint32 *minor)
{
	struct iovs l = lay_out(pdu, GSS_IOV_BUFFER_TYPE_HEADER);
	OM_uint32 major;
	int conf = 0;

	major = gss_wrap_iov(
	    minor, ctx->handle, 1, GSS_C_QOP_DEFAULT, &conf, l.v, l.n);
	if (major == GSS_S_COMPLETE && (conf == 0 || !untouched(&l, pdu)))
		return GSS_S_FAILURE;
	return major;
}

static OM_uint32
sign(struct ae_gss_ctx *ctx, const struct ae_gss_pdu *pdu, OM_uint32 *minor)
{
	struct iovs l = lay_out(pdu, GSS_IOV_BUFFER_TYPE_MIC_TOKEN);
	OM_uint32 major;

	major =
	    gss_get_mic_iov(minor, ctx->handle, GSS_C_QOP_DEFAULT, l.v, l.n);
	if (major == GSS_S_COMPLETE && !untouched(&l, pdu))
		return GSS_S_FAILURE;
	return major;
}

int
ae_gss_protect(
    struct ae_gss_ctx *ctx, const struct ae_gss_pdu *pdu, struct ae_err *e)
{
	OM_uint32 major, minor = 0;
	int rc;

	rc = usable(ctx, e);
	if (rc != AE_OK)
		return rc;
	if (pdu->tokenlen != ctx->sig_len)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "room of %zu bytes for a token of %zu", pdu->tokenlen,
		    ctx->sig_len);
	if (ctx->level == AE_GSS_CONNECT)
		return AE_OK;
	major = ctx->level == AE_GSS_PRIVACY ? seal(ctx, pdu, &minor)
					     : sign(ctx, pdu, &minor);
	if (major != GSS_S_COMPLETE)
		return broken(ctx, major, minor, "protecting a message", e);
	return AE_OK;
}

/*
 * Lengths a peer's token can have.  AES sealing carries "extra count" filler
 * of its sender's choice, 16 bytes from us and Windows, none from others;
 * the rest is fixed.  Checked here because the library was found to read
 * past short tokens (CVE-2024-37370, CVE-2024-37371).
 */
static bool
plausible(const struct ae_gss_ctx *ctx, size_t tokenlen)
{
	if (ctx->level == AE_GSS_PRIVACY &&
	    ctx->enctype != ENCTYPE_ARCFOUR_HMAC)
		return tokenlen <= ctx->sig_len &&
		    tokenlen + 16 >= ctx->sig_len;
	return tokenlen == ctx->sig_len;
}

static OM_uint32
unseal(struct ae_gss_ctx *ctx, const struct ae_gss_pdu *pdu, OM_uint32 *minor)
{
	struct iovs l = lay_out(pdu, GSS_IOV_BUFFER_TYPE_HEADER);
	gss_qop_t qop = 0;
	OM_uint32 major;
	int conf = 0;

	major = gss_unwrap_iov(minor, ctx->handle, &conf, &qop, l.v, l.n);
	/* A message that was only signed is not one at this level. */
	if (major == GSS_S_COMPLETE &&
	    (conf == 0 || qop != 0 || !untouched(&l, pdu)))
		return GSS_S_BAD_SIG;
	return major;
}

static OM_uint32
verify(struct ae_gss_ctx *ctx, const struct ae_gss_pdu *pdu, OM_uint32 *minor)
{
	struct iovs l = lay_out(pdu, GSS_IOV_BUFFER_TYPE_MIC_TOKEN);
	gss_qop_t qop = 0;
	OM_uint32 major;

	major = gss_verify_mic_iov(minor, ctx->handle, &qop, l.v, l.n);
	if (major == GSS_S_COMPLETE && qop != 0)
		return GSS_S_BAD_SIG;
	return major;
}

int
ae_gss_unprotect(
    struct ae_gss_ctx *ctx, const struct ae_gss_pdu *pdu, struct ae_err *e)
{
	OM_uint32 major, minor = 0;
	int rc;

	rc = usable(ctx, e);
	if (rc != AE_OK || ctx->level == AE_GSS_CONNECT)
		return rc;
	if (!plausible(ctx, pdu->tokenlen)) {
		ctx->state = AE_GSS_BROKEN;
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "message token of %zu bytes, expected %zu", pdu->tokenlen,
		    ctx->sig_len);
	}
	major = ctx->level == AE_GSS_PRIVACY ? unseal(ctx, pdu, &minor)
					     : verify(ctx, pdu, &minor);
	if (major != GSS_S_COMPLETE && !AE_BREAK(unseal_verify))
		return broken(ctx, major, minor, "verifying a message", e);
	return AE_OK;
}
