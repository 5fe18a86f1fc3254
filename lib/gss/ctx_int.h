/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a context is made of.  For lib/gss itself.
 */
#ifndef AE_GSS_CTX_INT_H
#define AE_GSS_CTX_INT_H

#include <gssapi/gssapi.h>

#include "gss/ctx.h"

enum ae_gss_state {
	AE_GSS_SHAKING, /* legs outstanding */
	AE_GSS_READY,	/* complete and checked */
	AE_GSS_BROKEN,	/* failed or exported: can only be freed */
};

struct ae_gss_ctx {
	enum ae_gss_state state;
	bool initiator;
	bool dce;
	bool allow_rc4;
	enum ae_gss_mech mech;
	enum ae_gss_level level;
	struct ae_gss_cred *cred; /* borrowed, until READY */
	gss_ctx_id_t handle;
	char *spn;	   /* initiator */
	gss_name_t target; /* the same as a name */
	gss_name_t peer;   /* acceptor, READY: the client, with the PAC; not
			      of an imported context */
	char *peer_text;
	OM_uint32 flags, lifetime; /* as the last leg told them */
	int enctype;
	int64_t expires;
	size_t sig_len;
};

/* Compute sig_len from handle, level and enctype. */
int ae_gss_measure(struct ae_gss_ctx *ctx, struct ae_err *e) AE_MUST_CHECK;

#endif
