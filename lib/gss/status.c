/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * GSS-API and krb5 status codes as errors; see status.h.
 */
#include "gss/status.h"

#include <errno.h>
#include <gssapi/gssapi_krb5.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

/* Minor codes that say more than "authentication failed". */
static const struct {
	krb5_error_code code;
	enum ae_rc rc;
} refinements[] = {
	{ ENOMEM, AE_ENOMEM },
	{ KRB5_KDC_UNREACH, AE_EUNAVAIL },
	{ KRB5_REALM_UNKNOWN, AE_EUNAVAIL },
	{ KRB5_REALM_CANT_RESOLVE, AE_EUNAVAIL },
	{ KRB5KDC_ERR_SVC_UNAVAILABLE, AE_EUNAVAIL },
};

static enum ae_rc
refine(enum ae_rc rc, krb5_error_code code)
{
	size_t i;

	for (i = 0; i < sizeof(refinements) / sizeof(refinements[0]); i++)
		if (refinements[i].code == code)
			return refinements[i].rc;
	return rc;
}

/* Append all texts of one status code to buf. */
static size_t
status_text(char *buf, size_t size, size_t used, OM_uint32 status, int type)
{
	gss_OID mech = type == GSS_C_MECH_CODE
	    ? (gss_OID)(uintptr_t)gss_mech_krb5
	    : GSS_C_NO_OID;
	OM_uint32 more = 0, minor, major;
	gss_buffer_desc b = GSS_C_EMPTY_BUFFER;
	int n;

	do {
		major =
		    gss_display_status(&minor, status, type, mech, &more, &b);
		if (GSS_ERROR(major))
			break;
		n = snprintf(buf + used, size - used, ": %.*s", (int)b.length,
		    (const char *)b.value);
		gss_release_buffer(&minor, &b);
		if (n < 0 || (size_t)n >= size - used)
			return size - 1;
		used += (size_t)n;
	} while (more != 0);
	return used;
}

int
ae_gss_fail(struct ae_err *e, enum ae_rc rc, OM_uint32 major, OM_uint32 minor,
    const char *fmt, ...)
{
	char what[AE_ERR_TEXT_MAX], why[AE_ERR_TEXT_MAX] = "";
	size_t used = 0;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	used = status_text(why, sizeof(why), used, major, GSS_C_GSS_CODE);
	if (minor != 0)
		(void)status_text(
		    why, sizeof(why), used, minor, GSS_C_MECH_CODE);
	return ae_fail(e, refine(rc, (krb5_error_code)minor), AE_DOM_GSS,
	    (int64_t)major, "%s%s", what, why);
}

int
ae_gss_fail_krb5(struct ae_err *e, enum ae_rc rc, krb5_context k,
    krb5_error_code code, const char *fmt, ...)
{
	char what[AE_ERR_TEXT_MAX];
	const char *why;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	why = krb5_get_error_message(k, code);
	ae_fail(e, refine(rc, code), AE_DOM_KRB5, code, "%s: %s", what,
	    why != NULL ? why : "unknown error");
	krb5_free_error_message(k, why);
	return refine(rc, code);
}
