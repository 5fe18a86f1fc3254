/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * LDAP results; see result.h.
 */
#include "ad/result.h"

#include <ldap.h>
#include <stdlib.h>
#include <string.h>

#define DS_GENERIC_ERROR 0x2095u

/* clang-format off */
static const struct row {
	int code;
	enum ae_rc rc;
	uint16_t win32; /* MS-ERREF 2.4; 0 where that table has a dash */
} rows[] = {
	{ LDAP_SUCCESS,                    AE_OK,        0 },
	{ LDAP_OPERATIONS_ERROR,           AE_EREMOTE,   0x006e },
	{ LDAP_PROTOCOL_ERROR,             AE_EPROTO,    0x007c },
	{ LDAP_TIMELIMIT_EXCEEDED,         AE_ETIMEDOUT, 0x05b4 },
	{ LDAP_SIZELIMIT_EXCEEDED,         AE_ELIMIT,    0x00ea },
	{ LDAP_AUTH_METHOD_NOT_SUPPORTED,  AE_EAUTH,     0x0005 },
	{ LDAP_STRONG_AUTH_REQUIRED,       AE_EAUTH,     0x0005 },
	{ LDAP_REFERRAL,                   AE_ENOTFOUND, 0 },
	{ LDAP_ADMINLIMIT_EXCEEDED,        AE_ELIMIT,    0x0718 },
	{ LDAP_UNAVAILABLE_CRITICAL_EXTENSION, AE_EREMOTE, 0x03eb },
	{ LDAP_CONFIDENTIALITY_REQUIRED,   AE_EAUTH,     0 },
	{ LDAP_NO_SUCH_ATTRIBUTE,          AE_ENOTFOUND, 0x0057 },
	{ LDAP_INAPPROPRIATE_MATCHING,     AE_EREMOTE,   0x0057 },
	{ LDAP_CONSTRAINT_VIOLATION,       AE_EREMOTE,   0x0057 },
	{ LDAP_TYPE_OR_VALUE_EXISTS,       AE_EREMOTE,   0x00b7 },
	{ LDAP_INVALID_SYNTAX,             AE_EINVAL,    0x007b },
	{ LDAP_NO_SUCH_OBJECT,             AE_ENOTFOUND, 0x0002 },
	{ LDAP_INVALID_DN_SYNTAX,          AE_EINVAL,    0x0057 },
	{ LDAP_INAPPROPRIATE_AUTH,         AE_EAUTH,     0x0005 },
	{ LDAP_INVALID_CREDENTIALS,        AE_EAUTH,     0x052e },
	{ LDAP_INSUFFICIENT_ACCESS,        AE_EDENIED,   0x0005 },
	{ LDAP_BUSY,                       AE_EUNAVAIL,  0x00aa },
	{ LDAP_UNAVAILABLE,                AE_EUNAVAIL,  0x0037 },
	{ LDAP_UNWILLING_TO_PERFORM,       AE_EREMOTE,   0x03eb },
	{ LDAP_NAMING_VIOLATION,           AE_EREMOTE,   0x0057 },
	{ LDAP_OBJECT_CLASS_VIOLATION,     AE_EREMOTE,   0x0057 },
	{ LDAP_NOT_ALLOWED_ON_NONLEAF,     AE_EREMOTE,   0x03eb },
	{ LDAP_NOT_ALLOWED_ON_RDN,         AE_EREMOTE,   0x0005 },
	{ LDAP_ALREADY_EXISTS,             AE_EREMOTE,   0x00b7 },
	{ LDAP_NO_OBJECT_CLASS_MODS,       AE_EREMOTE,   0x0005 },
	{ LDAP_RESULTS_TOO_LARGE,          AE_ELIMIT,    0x007a },
	{ LDAP_AFFECTS_MULTIPLE_DSAS,      AE_EREMOTE,   0x03eb },
	{ LDAP_SERVER_DOWN,                AE_EUNAVAIL,  0x003a },
	/* What libldap makes of a failure inside GSSAPI. */
	{ LDAP_LOCAL_ERROR,                AE_EAUTH,     DS_GENERIC_ERROR },
	{ LDAP_ENCODING_ERROR,             AE_EINTERNAL, 0x003b },
	{ LDAP_DECODING_ERROR,             AE_EPROTO,    0x003b },
	{ LDAP_TIMEOUT,                    AE_ETIMEDOUT, 0x041d },
	{ LDAP_AUTH_UNKNOWN,               AE_EAUTH,     0x052b },
	{ LDAP_FILTER_ERROR,               AE_EINVAL,    0x0057 },
	{ LDAP_USER_CANCELLED,             AE_EINTERNAL, 0x04c7 },
	{ LDAP_PARAM_ERROR,                AE_EINTERNAL, 0x0057 },
	{ LDAP_NO_MEMORY,                  AE_ENOMEM,    0x0008 },
	{ LDAP_CONNECT_ERROR,              AE_EUNAVAIL,  0x04c9 },
};
/* clang-format on */

static const struct row *
find(int code)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

enum ae_rc
ae_ad_result_rc(int code)
{
	const struct row *r = find(code);

	return r != NULL ? r->rc : AE_EREMOTE;
}

uint32_t
ae_ad_result_hresult(int code, const char *diagnostic)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	const struct row *r = find(code);
	uint32_t win32 = 0;
	char digits[9];

	if (code == LDAP_SUCCESS)
		return 0;
	if (diagnostic != NULL && strspn(diagnostic, hex) >= 8) {
		memcpy(digits, diagnostic, 8);
		digits[8] = '\0';
		win32 = (uint32_t)strtoul(digits, NULL, 16);
	} else if (r != NULL) {
		win32 = r->win32;
	}
	if (win32 == 0)
		win32 = DS_GENERIC_ERROR;
	/* HRESULT_FROM_WIN32, MS-ERREF 2.1.2: a code that is one already. */
	if ((win32 & UINT32_C(0x80000000)) != 0)
		return win32;
	return UINT32_C(0x80070000) | (win32 & 0xffff);
}
