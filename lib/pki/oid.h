/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The object identifiers the product speaks of, as dotted text: the form in
 * which templates, policies and logs have them.
 */
#ifndef AE_PKI_OID_H
#define AE_PKI_OID_H

/* Certificate extensions, RFC 5280 4.2 */
#define AE_OID_SKI "2.5.29.14"
#define AE_OID_KEY_USAGE "2.5.29.15"
#define AE_OID_SAN "2.5.29.17"
#define AE_OID_BASIC_CONSTRAINTS "2.5.29.19"
#define AE_OID_CRL_NUMBER "2.5.29.20"
#define AE_OID_CRL_REASON "2.5.29.21"
#define AE_OID_DELTA_CRL "2.5.29.27"
#define AE_OID_IDP "2.5.29.28"
#define AE_OID_CDP "2.5.29.31"
#define AE_OID_CERT_POLICIES "2.5.29.32"
#define AE_OID_AKI "2.5.29.35"
#define AE_OID_EKU "2.5.29.37"
#define AE_OID_FRESHEST_CRL "2.5.29.46"
#define AE_OID_AIA "1.3.6.1.5.5.7.1.1"
#define AE_OID_OCSP_BASIC "1.3.6.1.5.5.7.48.1.1"
#define AE_OID_OCSP_NONCE "1.3.6.1.5.5.7.48.1.2"
#define AE_OID_OCSP_NOCHECK "1.3.6.1.5.5.7.48.1.5"
#define AE_OID_TLS_FEATURE "1.3.6.1.5.5.7.1.24" /* RFC 7633 */
#define AE_OID_SMIME_CAPS "1.2.840.113549.1.9.15"

/* Certificate extensions, MS-WCCE 2.2.2.7.7 and Appendix B */
#define AE_OID_MS_TEMPLATE_V1 "1.3.6.1.4.1.311.20.2"
#define AE_OID_MS_TEMPLATE_V2 "1.3.6.1.4.1.311.21.7"
#define AE_OID_MS_CA_VERSION "1.3.6.1.4.1.311.21.1"
#define AE_OID_MS_PREVIOUS_CERT_HASH "1.3.6.1.4.1.311.21.2"
#define AE_OID_MS_CRL_SELF_CDP "1.3.6.1.4.1.311.21.14"
#define AE_OID_MS_CRL_NEXT_PUBLISH "1.3.6.1.4.1.311.21.4"
#define AE_OID_MS_APP_POLICIES "1.3.6.1.4.1.311.21.10"
#define AE_OID_MS_VM_CONNECTION "1.3.6.1.4.1.311.62.1.1.1"
#define AE_OID_MS_SID "1.3.6.1.4.1.311.25.2"
#define AE_OID_MS_SID_OBJECTSID "1.3.6.1.4.1.311.25.2.1"

/* otherName types in a subjectAltName */
#define AE_OID_MS_UPN "1.3.6.1.4.1.311.20.2.3"
#define AE_OID_MS_NTDS_REPLICATION "1.3.6.1.4.1.311.25.1"

/* Request attributes, MS-WCCE 2.2.2.7 */
#define AE_OID_EXTENSION_REQUEST "1.2.840.113549.1.9.14"
#define AE_OID_MS_CERT_EXTENSIONS "1.3.6.1.4.1.311.2.1.14"
#define AE_OID_MS_OS_VERSION "1.3.6.1.4.1.311.13.2.3"
#define AE_OID_MS_CSP_PROVIDER "1.3.6.1.4.1.311.13.2.2"
#define AE_OID_MS_NAME_VALUE_PAIR "1.3.6.1.4.1.311.13.2.1"
#define AE_OID_MS_RENEWAL_CERT "1.3.6.1.4.1.311.13.1"
#define AE_OID_MS_CLIENT_INFO "1.3.6.1.4.1.311.21.20"
#define AE_OID_MS_ARCHIVED_KEY "1.3.6.1.4.1.311.21.13"
#define AE_OID_MS_ENCRYPTED_KEY_HASH "1.3.6.1.4.1.311.21.21"
#define AE_OID_MS_ISSUED_CERT_HASH "1.3.6.1.4.1.311.21.17"
#define AE_OID_MS_EK_INFO "1.3.6.1.4.1.311.21.23"
#define AE_OID_MS_AIK_INFO "1.3.6.1.4.1.311.21.39"
#define AE_OID_MS_KSP_NAME "1.3.6.1.4.1.311.21.25"
/* as Windows' headers have it, and as MS-WCCE 2.2.2.7.12 does */
#define AE_OID_MS_ATTESTATION "1.3.6.1.4.1.311.21.24"
#define AE_OID_MS_ATTESTATION_WCCE "1.3.6.1.4.1.311.21.33"

/* Attributes of an attestation challenge, MS-WCCE 2.2.2.8.1 */
#define AE_OID_MS_CAXCHGCERT_HASH "1.3.6.1.4.1.311.21.27"
#define AE_OID_MS_ATTESTATION_CHALLENGE "1.3.6.1.4.1.311.21.28"
#define AE_OID_MS_ENCRYPTION_ALGORITHM "1.3.6.1.4.1.311.21.29"

/* Issuance policies of attested keys, MS-WCCE 3.2.2.6.2.1.4.5.7 */
#define AE_OID_MS_EKVERIFYKEY "1.3.6.1.4.1.311.21.30"
#define AE_OID_MS_EKVERIFYCERT "1.3.6.1.4.1.311.21.31"
#define AE_OID_MS_EKVERIFYCREDS "1.3.6.1.4.1.311.21.32"

/* CMS and CMC, RFC 5652 and RFC 2797 */
#define AE_OID_CMS_DATA "1.2.840.113549.1.7.1"
#define AE_OID_CMS_SIGNED_DATA "1.2.840.113549.1.7.2"
#define AE_OID_CMC_PKI_DATA "1.3.6.1.5.5.7.12.2"
#define AE_OID_CMC_PKI_RESPONSE "1.3.6.1.5.5.7.12.3"
#define AE_OID_CMC_STATUS_INFO "1.3.6.1.5.5.7.7.1"
#define AE_OID_CMC_REG_INFO "1.3.6.1.5.5.7.7.18"
#define AE_OID_CMC_ADD_EXTENSIONS "1.3.6.1.5.5.7.7.8"
#define AE_OID_CMC_ADD_ATTRIBUTES "1.3.6.1.4.1.311.10.10.1"
#define AE_OID_CMC_NO_SIGNATURE "1.3.6.1.5.5.7.6.2"

/* Extended key usages and application policies */
#define AE_OID_EKU_ANY "2.5.29.37.0"
#define AE_OID_EKU_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define AE_OID_EKU_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define AE_OID_EKU_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define AE_OID_EKU_KDC "1.3.6.1.5.2.3.5"
#define AE_OID_EKU_SMARTCARD_LOGON "1.3.6.1.4.1.311.20.2.2"
#define AE_OID_EKU_ENROLLMENT_AGENT "1.3.6.1.4.1.311.20.2.1"
#define AE_OID_EKU_CA_EXCHANGE "1.3.6.1.4.1.311.21.5"
#define AE_OID_EKU_KEY_RECOVERY "1.3.6.1.4.1.311.21.6"
#define AE_OID_EKU_TPM_AIK "2.23.133.8.3"
#define AE_OID_POLICY_ANY_APPLICATION "1.3.6.1.4.1.311.10.12.1"

/* Access methods in authorityInfoAccess */
#define AE_OID_AD_OCSP "1.3.6.1.5.5.7.48.1"
#define AE_OID_AD_CA_ISSUERS "1.3.6.1.5.5.7.48.2"

#endif
