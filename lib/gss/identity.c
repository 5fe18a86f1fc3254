/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The PAC of a finished context, believed only as far as the library checked
 * its server signature (with client name and authentication time against
 * the ticket).  A PAC with a wrong signature still has its attributes
 * listed: only a get that succeeds and says "authenticated" counts.
 */
#include <gssapi/gssapi_ext.h>
#include <string.h>

#include "gss/caller.h"
#include "gss/ctx_int.h"
#include "gss/pac.h"
#include "gss/status.h"

enum { LOGON, CLIENT, DELEGATED, UPN_DNS, REQUESTER, NATTRS };

static const struct {
	const char *name;
	size_t view; /* where its bytes belong in struct ae_pac */
} attrs[NATTRS] = {
	[LOGON] = { "urn:mspac:logon-info", offsetof(struct ae_pac, logon) },
	[CLIENT] = { "urn:mspac:client-info", offsetof(struct ae_pac, client) },
	[DELEGATED] = { "urn:mspac:delegation-info",
	    offsetof(struct ae_pac, delegated) },
	[UPN_DNS] = { "urn:mspac:upn-dns-info",
	    offsetof(struct ae_pac, upn_dns) },
	[REQUESTER] = { "urn:mspac:18", offsetof(struct ae_pac, requester) },
};

static bool
listed(gss_buffer_set_t set, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; set != GSS_C_NO_BUFFER_SET && i < set->count; i++)
		if (set->elements[i].length == len &&
		    memcmp(set->elements[i].value, name, len) == 0)
			return true;
	return false;
}

static int
get_verified(
    gss_buffer_t value, gss_name_t name, const char *attr, struct ae_err *e)
{
	gss_buffer_desc attr_name = { strlen(attr), (void *)(uintptr_t)attr };
	gss_buffer_desc display = GSS_C_EMPTY_BUFFER;
	int authenticated = 0, complete = 0, more = -1;
	OM_uint32 major, minor, ignored;

	major = gss_get_name_attribute(&minor, name, &attr_name, &authenticated,
	    &complete, value, &display, &more);
	(void)gss_release_buffer(&ignored, &display);
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(
		    e, AE_EAUTH, major, minor, "PAC: reading %s", attr);
	if (authenticated == 0 || complete == 0 || more != 0)
		return ae_fail(e, AE_EAUTH, AE_DOM_GSS, 0,
		    "PAC: %s is not verified", attr);
	return AE_OK;
}

static int
collect(struct ae_pac *pac, gss_buffer_desc values[NATTRS], gss_name_t name,
    struct ae_err *e)
{
	gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
	struct ae_pac_buf *view;
	OM_uint32 major, minor;
	int i, is_mn, rc = AE_OK;

	major = gss_inquire_name(&minor, name, &is_mn, NULL, &set);
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(
		    e, AE_EAUTH, major, minor, "asking for the PAC");
	for (i = 0; i < NATTRS && rc == AE_OK; i++) {
		if (!listed(set, attrs[i].name))
			continue;
		rc = get_verified(&values[i], name, attrs[i].name, e);
		view =
		    (struct ae_pac_buf *)(void *)((char *)pac + attrs[i].view);
		view->p = values[i].value;
		view->len = values[i].length;
	}
	(void)gss_release_buffer_set(&minor, &set);
	return rc;
}

int
ae_caller_get(struct ae_caller **out, struct ae_gss_ctx *ctx, struct ae_err *e)
{
	gss_buffer_desc values[NATTRS] = { 0 };
	struct ae_caller *c = NULL;
	struct ae_pac pac = { 0 };
	OM_uint32 minor;
	int i, rc;

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
	for (i = 0; i < NATTRS; i++) {
		/* Logon information holds a session key. */
		if (values[i].value != NULL)
			explicit_bzero(values[i].value, values[i].length);
		(void)gss_release_buffer(&minor, &values[i]);
	}
	if (rc != AE_OK) {
		ae_caller_free(c);
		return ae_note(e, rc, "%s", ctx->peer_text);
	}
	*out = c;
	return AE_OK;
}
