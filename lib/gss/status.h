/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * GSS-API and krb5 status codes as errors.  For lib/gss itself.
 */
#ifndef AE_GSS_STATUS_H
#define AE_GSS_STATUS_H

#include <gssapi/gssapi.h>
#include <krb5.h>

#include "base/err.h"

/*
 * "fmt: major text: minor text", code is the major status.  rc is refined
 * from the minor one: no memory, KDC unreachable.
 */
int ae_gss_fail(struct ae_err *e, enum ae_rc rc, OM_uint32 major,
    OM_uint32 minor, const char *fmt, ...) AE_PRINTF(5, 6);

/* The same for a krb5 function's result; k may be NULL. */
int ae_gss_fail_krb5(struct ae_err *e, enum ae_rc rc, krb5_context k,
    krb5_error_code code, const char *fmt, ...) AE_PRINTF(5, 6);

#endif
