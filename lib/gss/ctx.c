/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The handshake; see ctx.h.  What is checked before a context may be used is
 * all in check().
 */
#include "gss/ctx.h"

#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/breaks.h"
#include "gss/cred_int.h"
#include "gss/ctx_int.h"
#include "gss/status.h"
#include "gss/unframe.h"

static gss_OID_desc krb5_oid = { 9,
	(void *)(uintptr_t) "\x2a\x86\x48\x86\xf7"
			    "\x12\x01\x02\x02" };
static gss_OID_desc spnego_oid = { 6,
	(void *)(uintptr_t) "\x2b\x06\x01\x05"
			    "\x05\x02" };

static bool
known(enum ae_gss_mech mech, enum ae_gss_level level)
{
	return (mech == AE_GSS_KRB5 || mech == AE_GSS_SPNEGO) &&
	    level >= AE_GSS_CONNECT && level <= AE_GSS_PRIVACY;
}

static struct ae_gss_ctx *
ctx_new(struct ae_gss_cred *cred, enum ae_gss_mech mech,
    enum ae_gss_level level, struct ae_err *e)
{
	struct ae_gss_ctx *ctx;

	if (!known(mech, level)) {
		(void)ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "security type %d with level %d", (int)mech, (int)level);
		return NULL;
	}
	ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL) {
		(void)ae_fail_mem(e);
		return NULL;
	}
	ctx->state = AE_GSS_SHAKING;
	ctx->mech = mech;
	ctx->level = level;
	ctx->cred = cred;
	ctx->handle = GSS_C_NO_CONTEXT;
	return ctx;
}

int
ae_gss_ctx_initiate(struct ae_gss_ctx **out, struct ae_gss_cred *cred,
    const struct ae_gss_initiator *conf, struct ae_err *e)
{
	struct ae_err ours = AE_ERR_INIT;
	gss_buffer_desc text;
	struct ae_gss_ctx *ctx;
	OM_uint32 major, minor;

	e = e != NULL ? e : &ours;
	if (cred->service)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a service's credential cannot start a context");
	ctx = ctx_new(cred, conf->mech, conf->level, e);
	if (ctx == NULL)
		return e->rc;
	ctx->initiator = true;
	ctx->dce = conf->dce;
	ctx->allow_rc4 = conf->allow_rc4;
	/* A principal name, taken as it is: no DNS canonicalisation. */
	ctx->spn = ae_gss_with_realm(cred, conf->target);
	if (ctx->spn == NULL) {
		ae_gss_ctx_free(ctx);
		return ae_fail_mem(e);
	}
	text.value = ctx->spn;
	text.length = strlen(ctx->spn);
	major = gss_import_name(&minor, &text,
	    (gss_OID)(uintptr_t)GSS_KRB5_NT_PRINCIPAL_NAME, &ctx->target);
	if (major != GSS_S_COMPLETE) {
		ae_gss_ctx_free(ctx);
		return ae_gss_fail(
		    e, AE_EINVAL, major, minor, "target %s", conf->target);
	}
	*out = ctx;
	return AE_OK;
}

int
ae_gss_ctx_accept(struct ae_gss_ctx **out, struct ae_gss_cred *cred,
    const struct ae_gss_acceptor *conf, struct ae_err *e)
{
	struct ae_err ours = AE_ERR_INIT;
	struct ae_gss_ctx *ctx;
	int rc;

	e = e != NULL ? e : &ours;
	if (!cred->service)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a client's credential cannot accept a context");
	/* The account's password may have been changed. */
	if ((rc = ae_gss_cred_reload(cred, e)) != AE_OK)
		return rc;
	ctx = ctx_new(cred, conf->mech, conf->level, e);
	if (ctx == NULL)
		return e->rc;
	ctx->dce = true;
	ctx->allow_rc4 = cred->conf.allow_rc4;
	*out = ctx;
	return AE_OK;
}

void
ae_gss_ctx_free(struct ae_gss_ctx *ctx)
{
	OM_uint32 minor;

	if (ctx == NULL)
		return;
	if (ctx->handle != GSS_C_NO_CONTEXT)
		(void)gss_delete_sec_context(
		    &minor, &ctx->handle, GSS_C_NO_BUFFER);
	if (ctx->target != GSS_C_NO_NAME)
		(void)gss_release_name(&minor, &ctx->target);
	if (ctx->peer != GSS_C_NO_NAME)
		(void)gss_release_name(&minor, &ctx->peer);
	free(ctx->spn);
	free(ctx->peer_text);
	free(ctx);
}

static OM_uint32
wanted_flags(const struct ae_gss_ctx *ctx)
{
	OM_uint32 flags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG |
	    GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG;

	if (ctx->dce)
		flags |= GSS_C_DCE_STYLE;
	if (ctx->level == AE_GSS_PRIVACY)
		flags |= GSS_C_CONF_FLAG;
	return flags;
}

/*
 * The flags that a context of this side and level must have in the end.  An
 * acceptor does not insist on integrity for signing: the flag only repeats
 * what the client asked its library for, signatures are verified regardless.
 */
static OM_uint32
required_flags(const struct ae_gss_ctx *ctx)
{
	OM_uint32 flags = GSS_C_MUTUAL_FLAG;

	if (ctx->dce)
		flags |= GSS_C_DCE_STYLE;
	if (ctx->level > AE_GSS_CONNECT)
		flags |= GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
	if (ctx->level > AE_GSS_CONNECT && ctx->initiator)
		flags |= GSS_C_INTEG_FLAG;
	if (ctx->level == AE_GSS_PRIVACY)
		flags |= GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
	return flags;
}

/* The last arc of the OID that tells the key's enctype. */
static int
oid_last_arc(const gss_buffer_desc *oid)
{
	const uint8_t *p = oid->value;
	uint32_t arc = 0;
	size_t i;

	for (i = 0; i < oid->length; i++) {
		if ((p[i] & 0x80) == 0 && i + 1 < oid->length) {
			arc = 0;
			continue;
		}
		if (arc > 0xffff)
			return 0;
		arc = arc << 7 | (p[i] & 0x7fU);
	}
	return (int)arc;
}

static int
find_enctype(struct ae_gss_ctx *ctx, struct ae_err *e)
{
	gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
	OM_uint32 major, minor;

	major = gss_inquire_sec_context_by_oid(&minor, ctx->handle,
	    (gss_OID)(uintptr_t)GSS_C_INQ_SSPI_SESSION_KEY, &set);
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(
		    e, AE_EINTERNAL, major, minor, "asking for the key type");
	if (set->count >= 2)
		ctx->enctype = oid_last_arc(&set->elements[1]);
	/* The set holds the session key itself. */
	if (set->count >= 1)
		explicit_bzero(set->elements[0].value, set->elements[0].length);
	(void)gss_release_buffer_set(&minor, &set);
	if (ctx->enctype == 0)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_GSS, 0,
		    "the context does not tell its key type");
	return AE_OK;
}

static int
name_text(char **out, gss_name_t name, struct ae_err *e)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;
	char *copy;

	major = gss_display_name(&minor, name, &text, NULL);
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(
		    e, AE_EAUTH, major, minor, "the peer's name");
	/* A name with a NUL in it would be read two ways. */
	if (memchr(text.value, '\0', text.length) != NULL) {
		(void)gss_release_buffer(&minor, &text);
		return ae_fail(
		    e, AE_EAUTH, AE_DOM_NONE, 0, "the peer's name holds a NUL");
	}
	copy = strndup(text.value, text.length);
	(void)gss_release_buffer(&minor, &text);
	if (copy == NULL)
		return ae_fail_mem(e);
	*out = copy;
	return AE_OK;
}

/*
 * What the last leg told is not asked for again: each question about a name
 * costs the library contexts of its own.
 */
static int
settle(struct ae_gss_ctx *ctx, struct ae_err *e)
{
	gss_name_t peer = ctx->initiator ? ctx->target : ctx->peer;
	int rc;

	if (peer == GSS_C_NO_NAME)
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "the exchange did not tell who the peer is");
	ctx->expires = ctx->lifetime == GSS_C_INDEFINITE
	    ? INT64_MAX
	    : time(NULL) + ctx->lifetime;
	rc = name_text(&ctx->peer_text, peer, e);
	if (rc == AE_OK)
		rc = find_enctype(ctx, e);
	if (rc == AE_OK && ctx->dce)
		rc = ae_gss_measure(ctx, e);
	return rc;
}

static bool
enctype_allowed(const struct ae_gss_ctx *ctx)
{
	switch (ctx->enctype) {
	case ENCTYPE_AES128_CTS_HMAC_SHA1_96:
	case ENCTYPE_AES256_CTS_HMAC_SHA1_96:
	case ENCTYPE_AES128_CTS_HMAC_SHA256_128:
	case ENCTYPE_AES256_CTS_HMAC_SHA384_192:
		return true;
	case ENCTYPE_ARCFOUR_HMAC:
		return ctx->allow_rc4;
	default:
		return false;
	}
}

/* All that must hold before anybody is told that the context is done. */
static int
check(struct ae_gss_ctx *ctx, struct ae_err *e)
{
	OM_uint32 need = required_flags(ctx);
	int rc;

	rc = settle(ctx, e);
	if (rc != AE_OK)
		return rc;
	if ((ctx->flags & GSS_C_ANON_FLAG) != 0)
		return ae_fail(
		    e, AE_EAUTH, AE_DOM_NONE, 0, "anonymous Kerberos");
	if ((ctx->flags & need) != need && !AE_BREAK(context_flags))
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "%s: context flags 0x%x, level %d needs 0x%x",
		    ctx->peer_text, ctx->flags, (int)ctx->level, need);
	if (!enctype_allowed(ctx))
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "%s: message keys of encryption type %d are not allowed",
		    ctx->peer_text, ctx->enctype);
	return AE_OK;
}

static OM_uint32
leg(struct ae_gss_ctx *ctx, gss_buffer_t in, gss_buffer_t out, gss_OID *mech,
    OM_uint32 *minor)
{
	gss_cred_id_t cred = ae_gss_cred_handle(ctx->cred, ctx->mech);
	gss_OID want = ctx->mech == AE_GSS_SPNEGO ? &spnego_oid : &krb5_oid;

	OM_uint32 ignored;

	if (ctx->initiator)
		return gss_init_sec_context(minor, cred, &ctx->handle,
		    ctx->target, want, wanted_flags(ctx), 0,
		    GSS_C_NO_CHANNEL_BINDINGS, in, mech, out, &ctx->flags,
		    &ctx->lifetime);
	/* Of the legs that name the client the last one counts. */
	if (ctx->peer != GSS_C_NO_NAME)
		(void)gss_release_name(&ignored, &ctx->peer);
	return gss_accept_sec_context(minor, &ctx->handle, cred, in,
	    GSS_C_NO_CHANNEL_BINDINGS, &ctx->peer, mech, out, &ctx->flags,
	    &ctx->lifetime, NULL);
}

static bool
same_oid(gss_OID a, const gss_OID_desc *b)
{
	return a != GSS_C_NO_OID && a->length == b->length &&
	    memcmp(a->elements, b->elements, a->length) == 0;
}

/* The first token of an acceptor may have to be put into MIT's form. */
static OM_uint32
bare_leg(struct ae_gss_ctx *ctx, gss_buffer_t in, gss_buffer_t reply,
    gss_OID *mech, OM_uint32 *minor)
{
	gss_buffer_desc bare;
	OM_uint32 major;
	struct ae_wr w;

	ae_wr_init(&w, AE_GSS_TOKEN_MAX);
	if (!ctx->initiator && ctx->handle == GSS_C_NO_CONTEXT &&
	    ae_gss_unframe(&w, in->value, in->length)) {
		bare.value = w.p;
		bare.length = w.len;
		*minor = ENOMEM;
		major = ae_wr_ok(&w) ? leg(ctx, &bare, reply, mech, minor)
				     : GSS_S_FAILURE;
	} else {
		major = leg(ctx, in, reply, mech, minor);
	}
	ae_wr_done(&w);
	return major;
}

static int
run_leg(struct ae_gss_ctx *ctx, gss_buffer_t in, gss_buffer_t reply,
    struct ae_err *e)
{
	OM_uint32 major, minor = 0;
	gss_OID mech = GSS_C_NO_OID;
	int rc;

	if (ctx->initiator && ctx->handle == GSS_C_NO_CONTEXT &&
	    (rc = ae_gss_cred_ticket(ctx->cred, ctx->spn, e)) != AE_OK)
		return rc;
	major = bare_leg(ctx, in, reply, &mech, &minor);
	if (major == GSS_S_CONTINUE_NEEDED)
		return AE_OK;
	/* Supplementary bits (old, duplicate) are refusals too. */
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(e, AE_EAUTH, major, minor, "%s",
		    ctx->initiator ? "initiating security context"
				   : "accepting security context");
	/* The library tells the mechanism that was negotiated inside. */
	if (!same_oid(mech, &krb5_oid) &&
	    !(ctx->mech == AE_GSS_SPNEGO && same_oid(mech, &spnego_oid)))
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "negotiated a mechanism other than Kerberos");
	ctx->state = AE_GSS_READY;
	return check(ctx, e);
}

int
ae_gss_step(struct ae_gss_ctx *ctx, const void *in, size_t inlen,
    struct ae_wr *out, bool *done, struct ae_err *e)
{
	gss_buffer_desc token = { inlen, (void *)(uintptr_t)in };
	gss_buffer_desc reply = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	int rc;

	if (ctx->state != AE_GSS_SHAKING)
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "a token for a security context that takes none");
	if (inlen > AE_GSS_TOKEN_MAX)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "security token of %zu bytes", inlen);
	else if (inlen == 0 &&
	    !(ctx->initiator && ctx->handle == GSS_C_NO_CONTEXT))
		rc = ae_fail(
		    e, AE_EAUTH, AE_DOM_NONE, 0, "empty security token");
	else
		rc = run_leg(ctx, &token, &reply, e);
	if (rc == AE_OK) {
		ae_wr_bytes(out, reply.value, reply.length);
		if (!ae_wr_ok(out))
			rc = ae_wr_full(out)
			    ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
				  "our security token has %zu bytes",
				  reply.length)
			    : ae_fail_mem(e);
	}
	(void)gss_release_buffer(&minor, &reply);
	if (rc != AE_OK) {
		ctx->state = AE_GSS_BROKEN;
		return rc;
	}
	if (ctx->state == AE_GSS_READY)
		ctx->cred = NULL;
	*done = ctx->state == AE_GSS_READY;
	return AE_OK;
}

bool
ae_gss_ctx_done(const struct ae_gss_ctx *ctx)
{
	return ctx->state == AE_GSS_READY;
}

enum ae_gss_level
ae_gss_ctx_level(const struct ae_gss_ctx *ctx)
{
	return ctx->level;
}

enum ae_gss_mech
ae_gss_ctx_mech(const struct ae_gss_ctx *ctx)
{
	return ctx->mech;
}

const char *
ae_gss_ctx_peer(const struct ae_gss_ctx *ctx)
{
	return ctx->peer_text;
}

int
ae_gss_ctx_enctype(const struct ae_gss_ctx *ctx)
{
	return ctx->enctype;
}

int64_t
ae_gss_ctx_expires(const struct ae_gss_ctx *ctx)
{
	return ctx->expires;
}
