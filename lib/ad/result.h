/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * LDAP result codes as ours and as HRESULT.  Pure.
 */
#ifndef AE_AD_RESULT_H
#define AE_AD_RESULT_H

#include <stdint.h>

#include "base/err.h"

/* What a program can do about an LDAP result (libldap's, negative: local). */
enum ae_rc ae_ad_result_rc(int code);

/*
 * MS-WCCE 3.2.2.1.7: a diagnostic message that starts with eight hex digits
 * holds a Win32 code (0: ERROR_DS_GENERIC_ERROR), otherwise the result code
 * maps by MS-ERREF 2.4; both as HRESULT_FROM_WIN32.
 */
uint32_t ae_ad_result_hresult(int code, const char *diagnostic);

#endif
