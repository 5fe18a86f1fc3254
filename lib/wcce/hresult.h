/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * HRESULTs of certificate enrollment: value, symbol as Microsoft spells it,
 * and a sentence (our own words).  MS-ERREF 2.1, 2.2 and the SDK's names for
 * those it lacks.  One table for the CA's answers and the client's messages.
 */
#ifndef AE_WCCE_HRESULT_H
#define AE_WCCE_HRESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AE_HR_OK 0x00000000u
#define AE_HR_E_NOTIMPL 0x80004001u
#define AE_HR_E_FAIL 0x80004005u
#define AE_HR_E_UNEXPECTED 0x8000ffffu
#define AE_HR_E_FILE_NOT_FOUND 0x80070002u
#define AE_HR_E_ACCESSDENIED 0x80070005u
#define AE_HR_E_INVALID_DATA 0x8007000du
#define AE_HR_E_OUTOFMEMORY 0x8007000eu
#define AE_HR_E_NOT_SUPPORTED 0x80070032u
#define AE_HR_E_INVALIDARG 0x80070057u
#define AE_HR_E_DISK_FULL 0x80070070u
#define AE_HR_E_BUSY 0x800700aau
#define AE_HR_E_MORE_DATA 0x800700eau
#define AE_HR_E_NO_SUCH_DOMAIN 0x8007054bu
#define AE_HR_RPC_S_SERVER_UNAVAILABLE 0x800706bau
#define AE_HR_NTE_BAD_SIGNATURE 0x80090006u
#define AE_HR_NTE_BAD_ALGID 0x80090008u
#define AE_HR_NTE_FAIL 0x80090020u
#define AE_HR_E_INVALID_TIME 0x8007076du
#define AE_HR_CERT_E_INVALID_NAME 0x800b0114u
#define AE_HR_DS_UNAVAILABLE 0x8007200fu
#define AE_HR_NO_SUCH_USER 0x80070525u
#define AE_HR_CRYPT_E_INVALID_MSG_TYPE 0x80091004u
#define AE_HR_CRYPT_E_BAD_ENCODE 0x80092002u
#define AE_HR_CRYPT_E_NO_SIGNER 0x8009200eu
#define AE_HR_ASN1_BADTAG 0x8009310bu
#define AE_HR_BAD_REQUESTSUBJECT 0x80094001u
#define AE_HR_NO_REQUEST 0x80094002u
#define AE_HR_BAD_REQUESTSTATUS 0x80094003u
#define AE_HR_PROPERTY_EMPTY 0x80094004u
#define AE_HR_INVALID_CA_CERTIFICATE 0x80094005u
#define AE_HR_SERVER_SUSPENDED 0x80094006u
#define AE_HR_ROLECONFLICT 0x80094008u
#define AE_HR_RESTRICTEDOFFICER 0x80094009u
#define AE_HR_KEY_ARCHIVAL_NOT_CONFIGURED 0x8009400au
#define AE_HR_NO_VALID_KRA 0x8009400bu
#define AE_HR_BAD_REQUEST_KEY_ARCHIVAL 0x8009400cu
#define AE_HR_BAD_RENEWAL_CERT_ATTRIBUTE 0x8009400eu
#define AE_HR_NO_DB_SESSIONS 0x8009400fu
#define AE_HR_ENROLL_DENIED 0x80094011u
#define AE_HR_TEMPLATE_DENIED 0x80094012u
#define AE_HR_DOWNLEVEL_DC 0x80094013u
#define AE_HR_ADMIN_DENIED_REQUEST 0x80094014u
#define AE_HR_WEAK_SIGNATURE_OR_KEY 0x80094016u
#define AE_HR_KEY_ATTESTATION_NOT_SUPPORTED 0x80094017u
#define AE_HR_UNSUPPORTED_CERT_TYPE 0x80094800u
#define AE_HR_NO_CERT_TYPE 0x80094801u
#define AE_HR_TEMPLATE_CONFLICT 0x80094802u
#define AE_HR_SUBJECT_ALT_NAME_REQUIRED 0x80094803u
#define AE_HR_ARCHIVED_KEY_REQUIRED 0x80094804u
#define AE_HR_BAD_RENEWAL_SUBJECT 0x80094806u
#define AE_HR_BAD_TEMPLATE_VERSION 0x80094807u
#define AE_HR_SIGNATURE_POLICY_REQUIRED 0x80094809u
#define AE_HR_SIGNATURE_COUNT 0x8009480au
#define AE_HR_SIGNATURE_REJECTED 0x8009480bu
#define AE_HR_SUBJECT_UPN_REQUIRED 0x8009480du
#define AE_HR_SUBJECT_DIRECTORY_GUID_REQUIRED 0x8009480eu
#define AE_HR_SUBJECT_DNS_REQUIRED 0x8009480fu
#define AE_HR_ARCHIVED_KEY_UNEXPECTED 0x80094810u
#define AE_HR_KEY_LENGTH 0x80094811u
#define AE_HR_SUBJECT_EMAIL_REQUIRED 0x80094812u
#define AE_HR_RENEWAL_BAD_PUBLIC_KEY 0x80094816u
#define AE_HR_INVALID_EK 0x80094817u
#define AE_HR_INVALID_IDBINDING 0x80094818u
#define AE_HR_INVALID_ATTESTATION 0x80094819u
#define AE_HR_KEY_ATTESTATION 0x8009481au
#define AE_HR_CORRUPT_KEY_ATTESTATION 0x8009481bu
#define AE_HR_EXPIRED_CHALLENGE 0x8009481cu
#define AE_HR_INVALID_RESPONSE 0x8009481du
#define AE_HR_INVALID_REQUESTID 0x8009481eu
#define AE_HR_CERT_E_EXPIRED 0x800b0101u
#define AE_HR_CERT_E_UNTRUSTEDROOT 0x800b0109u
#define AE_HR_CERT_E_REVOKED 0x800b010cu
#define AE_HR_SEC_EXT_DIRECTORY_SID_REQUIRED 0x80094821u

struct ae_hresult {
	uint32_t value;
	const char *symbol; /* "CERTSRV_E_TEMPLATE_DENIED" */
	const char *text;   /* a sentence without its full stop */
};

/* The table, sorted by value. */
extern const struct ae_hresult ae_hresult_table[];
extern const size_t ae_hresult_count;

/* NULL when the table has no such value. */
const struct ae_hresult *ae_hresult_find(uint32_t value);

/* By symbol, any case.  NULL: none. */
const struct ae_hresult *ae_hresult_find_symbol(const char *symbol);

#define AE_HRESULT_STR_MAX 256

/*
 * "The permissions … do not allow it. 0x80094012 (-2146877422
 * CERTSRV_E_TEMPLATE_DENIED)", the shape Windows' own messages have; only
 * numbers when the value is unknown.  Returns out.
 */
const char *ae_hresult_print(char out[AE_HRESULT_STR_MAX], uint32_t value);

/* "CERTSRV_E_TEMPLATE_DENIED", or "0x8009ffff" written into out. */
const char *ae_hresult_symbol(char out[16], uint32_t value);

#endif
