/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Keeping krb5.conf in memory: the library shares one parsed file among all
 * its contexts for as long as one of them lives, and asks only whether the
 * file has changed.
 */
#include <gssapi/gssapi.h>
#include <krb5.h>
#include <stdlib.h>

#include "gss/cred_int.h"
#include "gss/status.h"

int
ae_gss_warm_new(struct ae_gss_warm **out, struct ae_err *e)
{
	struct ae_gss_warm *w = calloc(1, sizeof(*w));
	gss_OID_set mechs = GSS_C_NO_OID_SET;
	OM_uint32 major, minor;
	krb5_error_code code;
	char *realm = NULL;

	if (w == NULL)
		return ae_fail_mem(e);
	code = krb5_init_context(&w->k);
	if (code != 0) {
		free(w);
		return ae_gss_fail_krb5(
		    e, AE_EIO, NULL, code, "reading krb5.conf");
	}
	/* What is parsed is parsed on the first question. */
	if (krb5_get_default_realm(w->k, &realm) == 0)
		krb5_free_default_realm(w->k, realm);
	major = gss_indicate_mechs(&minor, &mechs);
	if (major != GSS_S_COMPLETE) {
		ae_gss_warm_free(w);
		return ae_gss_fail(
		    e, AE_EINTERNAL, major, minor, "listing mechanisms");
	}
	(void)gss_release_oid_set(&minor, &mechs);
	*out = w;
	return AE_OK;
}

void
ae_gss_warm_free(struct ae_gss_warm *w)
{
	if (w == NULL)
		return;
	krb5_free_context(w->k);
	free(w);
}
