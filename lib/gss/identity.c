/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The PAC of a finished context, believed only as far as the library checked
 * its server signature (with client name and authentication time against
 * the ticket).  A PAC with a wrong signature still has its attributes
 * listed: only what the library hands out as verified counts.
 */
#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <krb5.h>
#include <stdlib.h>
#include <string.h>

#include "gss/caller.h"
#include "gss/ctx_int.h"
#include "gss/pac.h"
#include "gss/status.h"

/* Its parts: MS-PAC 2.4, ulType. */
static const struct {
	krb5_ui_4 type;
	size_t view; /* where its bytes belong in struct ae_pac */
} parts[] = {
	{ 1, offsetof(struct ae_pac, logon) },
	{ 10, offsetof(struct ae_pac, client) },
	{ 11, offsetof(struct ae_pac, delegated) },
	{ 12, offsetof(struct ae_pac, upn_dns) },
	{ 18, offsetof(struct ae_pac, requester) },
};
#define NPARTS (sizeof(parts) / sizeof(parts[0]))

static int
get_parts(struct ae_pac *pac, krb5_data values[NPARTS], krb5_context k,
    krb5_pac whole, struct ae_err *e)
{
	struct ae_pac_buf *view;
	krb5_error_code code;
	size_t i;

	for (i = 0; i < NPARTS; i++) {
		code = krb5_pac_get_buffer(k, whole, parts[i].type, &values[i]);
		if (code == ENOENT)
			continue;
		if (code != 0)
			return ae_gss_fail_krb5(e, AE_EAUTH, k, code,
			    "PAC: reading its part %u",
			    (unsigned)parts[i].type);
		view =
		    (struct ae_pac_buf *)(void *)((char *)pac + parts[i].view);
		view->p = (const uint8_t *)values[i].data;
		view->len = values[i].length;
	}
	return AE_OK;
}

/*
 * The whole PAC in one question, which the library answers only when it has
 * verified it: each attribute (gss_get_name_attribute) is one more krb5
 * context made, configured and freed.
 */
static int
collect(struct ae_pac *pac, krb5_data values[NPARTS], gss_name_t name,
    struct ae_err *e)
{
	gss_buffer_desc module = { 5, (void *)(uintptr_t) "mspac" };
	krb5_context k = NULL;
	gss_any_t any = NULL;
	OM_uint32 major, minor;
	krb5_error_code code;
	int rc;

	major = gss_map_name_to_any(&minor, name, 1, &module, &any);
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(e, AE_EAUTH, major, minor,
		    "no PAC that is verified in the ticket");
	code = krb5_init_context(&k);
	if (code != 0)
		rc = ae_gss_fail_krb5(
		    e, AE_EIO, NULL, code, "reading krb5.conf");
	else
		rc = get_parts(pac, values, k, (krb5_pac)(void *)any, e);
	krb5_free_context(k);
	(void)gss_release_any_name_mapping(&minor, name, &module, &any);
	return rc;
}

int
ae_caller_get(struct ae_caller **out, struct ae_gss_ctx *ctx, struct ae_err *e)
{
	krb5_data values[NPARTS] = { 0 };
	struct ae_caller *c = NULL;
	struct ae_pac pac = { 0 };
	size_t i;
	int rc;

	if (ctx->state != AE_GSS_READY || ctx->initiator ||
	    ctx->peer == GSS_C_NO_NAME)
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "only a security context accepted here has a caller");
	pac.principal = ctx->peer_text;
	rc = collect(&pac, values, ctx->peer, e);
	if (rc == AE_OK && pac.logon.p == NULL)
		rc = ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "no PAC with logon information in the ticket");
	if (rc == AE_OK)
		rc = ae_pac_caller(&c, &pac, e);
	if (rc == AE_OK)
		rc = ae_caller_add_well_known(c, e);
	for (i = 0; i < NPARTS; i++) {
		/* Logon information holds a session key. */
		if (values[i].data != NULL)
			explicit_bzero(values[i].data, values[i].length);
		free(values[i].data);
	}
	if (rc != AE_OK) {
		ae_caller_free(c);
		return ae_note(e, rc, "%s", ctx->peer_text);
	}
	*out = c;
	return AE_OK;
}
