/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A certificate template (MS-CRTD 2) decoded whole into one plain struct
 * that owns everything in it.  What the bits mean for a request is the
 * business of enroll and ca; here they are only read.
 */
#ifndef AE_AD_TEMPLATE_H
#define AE_AD_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/entry.h"
#include "ad/sd.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/str.h"
#include "base/wr.h"

/* Limits of one template; a directory that exceeds them is refused. */
#define AE_TEMPLATE_STR_MAX 2048u   /* bytes of one string value */
#define AE_TEMPLATE_VALUES_MAX 256u /* values of one attribute */
#define AE_TEMPLATE_ENCODED_MAX (512u * 1024u)

/* flags, MS-CRTD 2.4 */
#define AE_CT_MACHINE_TYPE UINT32_C(0x00000040)
#define AE_CT_IS_CA UINT32_C(0x00000080)
#define AE_CT_ADD_TEMPLATE_NAME UINT32_C(0x00000200)
#define AE_CT_IS_CROSS_CA UINT32_C(0x00000800)
#define AE_CT_DONOTPERSISTINDB UINT32_C(0x00001000)
#define AE_CT_IS_DEFAULT UINT32_C(0x00010000)
#define AE_CT_IS_MODIFIED UINT32_C(0x00020000)

/* msPKI-Enrollment-Flag, MS-CRTD 2.26 */
#define AE_CT_INCLUDE_SYMMETRIC_ALGORITHMS UINT32_C(0x00000001)
#define AE_CT_PEND_ALL_REQUESTS UINT32_C(0x00000002)
#define AE_CT_PUBLISH_TO_KRA_CONTAINER UINT32_C(0x00000004)
#define AE_CT_PUBLISH_TO_DS UINT32_C(0x00000008)
#define AE_CT_CHECK_USER_DS_CERTIFICATE UINT32_C(0x00000010)
#define AE_CT_AUTO_ENROLLMENT UINT32_C(0x00000020)
#define AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT UINT32_C(0x00000040)
#define AE_CT_USER_INTERACTION_REQUIRED UINT32_C(0x00000100)
#define AE_CT_REMOVE_INVALID_CERTIFICATE UINT32_C(0x00000400)
#define AE_CT_ALLOW_ENROLL_ON_BEHALF_OF UINT32_C(0x00000800)
#define AE_CT_ADD_OCSP_NOCHECK UINT32_C(0x00001000)
#define AE_CT_KEY_REUSE_ON_FULL_TOKEN UINT32_C(0x00002000)
#define AE_CT_NOREVOCATIONINFO UINT32_C(0x00004000)
#define AE_CT_INCLUDE_BASIC_CONSTRAINTS_FOR_EE UINT32_C(0x00008000)
#define AE_CT_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL UINT32_C(0x00010000)
#define AE_CT_ISSUANCE_POLICIES_FROM_REQUEST UINT32_C(0x00020000)
#define AE_CT_SKIP_AUTO_RENEWAL UINT32_C(0x00040000)
#define AE_CT_NO_SECURITY_EXTENSION UINT32_C(0x00080000)

/* msPKI-Private-Key-Flag, MS-CRTD 2.27 */
#define AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL UINT32_C(0x00000001)
#define AE_CT_EXPORTABLE_KEY UINT32_C(0x00000010)
#define AE_CT_STRONG_KEY_PROTECTION UINT32_C(0x00000020)
#define AE_CT_REQUIRE_ALTERNATE_SIGNATURE UINT32_C(0x00000040)
#define AE_CT_REQUIRE_SAME_KEY_RENEWAL UINT32_C(0x00000080)
#define AE_CT_USE_LEGACY_PROVIDER UINT32_C(0x00000100)
#define AE_CT_EK_TRUST_ON_USE UINT32_C(0x00000200)
#define AE_CT_EK_VALIDATE_CERT UINT32_C(0x00000400)
#define AE_CT_EK_VALIDATE_KEY UINT32_C(0x00000800)
#define AE_CT_ATTEST_PREFERRED UINT32_C(0x00001000)
#define AE_CT_ATTEST_REQUIRED UINT32_C(0x00002000)
#define AE_CT_ATTESTATION_WITHOUT_POLICY UINT32_C(0x00004000)
#define AE_CT_HELLO_LOGON_KEY UINT32_C(0x00200000)
/* Minimum CA and client version: two fields of the same word. */
#define AE_CT_SERVER_VERSION(f) (((f) >> 16) & 0x0fu)
#define AE_CT_CLIENT_VERSION(f) (((f) >> 24) & 0x0fu)

/* msPKI-Certificate-Name-Flag, MS-CRTD 2.28 */
#define AE_CT_ENROLLEE_SUPPLIES_SUBJECT UINT32_C(0x00000001)
#define AE_CT_OLD_CERT_SUPPLIES_SUBJECT UINT32_C(0x00000008)
#define AE_CT_ENROLLEE_SUPPLIES_SAN UINT32_C(0x00010000)
#define AE_CT_SAN_DOMAIN_DNS UINT32_C(0x00400000)
#define AE_CT_SAN_SPN UINT32_C(0x00800000)
#define AE_CT_SAN_DIRECTORY_GUID UINT32_C(0x01000000)
#define AE_CT_SAN_UPN UINT32_C(0x02000000)
#define AE_CT_SAN_EMAIL UINT32_C(0x04000000)
#define AE_CT_SAN_DNS UINT32_C(0x08000000)
#define AE_CT_SUBJECT_DNS_AS_CN UINT32_C(0x10000000)
#define AE_CT_SUBJECT_EMAIL UINT32_C(0x20000000)
#define AE_CT_SUBJECT_COMMON_NAME UINT32_C(0x40000000)
#define AE_CT_SUBJECT_DIRECTORY_PATH UINT32_C(0x80000000)

/* pKIDefaultKeySpec */
#define AE_CT_AT_KEYEXCHANGE 1u
#define AE_CT_AT_SIGNATURE 2u

/* Octets that the struct around them owns; p NULL when len is 0. */
struct ae_octets {
	uint8_t *p;
	size_t len;
};

/*
 * The triplets of msPKI-RA-Application-Policies, MS-CRTD 2.23.2 (schema 3,
 * and 4 without USE_LEGACY_PROVIDER).  Strings are NULL and numbers 0 when
 * not given.
 */
struct ae_template_algorithms {
	char *asymmetric; /* "RSA", "ECDSA_P256", "ECDH_P384", ... */
	char *hash;	  /* "SHA256" */
	char *symmetric;  /* "AES" */
	char *key_sd;	  /* SDDL, not interpreted */
	uint32_t symmetric_bits;
	uint32_t key_usage; /* 1 decrypt, 2 sign, 4 agree, 0xffffff all */
};

struct ae_template {
	char *dn;
	char *cn;	    /* name in requests; compared without case */
	char *display_name; /* NULL: none */
	char *oid;	    /* msPKI-Cert-Template-OID; NULL: none (schema 1) */
	uint32_t schema_version; /* absent: 1 */
	uint32_t revision;	 /* major version */
	uint32_t minor_revision;
	uint32_t flags;
	uint32_t enrollment_flag;
	uint32_t private_key_flag;
	uint32_t name_flag;
	uint32_t ra_signature;	    /* authorized signatures a request needs */
	uint32_t min_key_size;	    /* bits */
	uint32_t key_spec;	    /* AE_CT_AT_*; 0: absent */
	int32_t max_issuing_depth;  /* -1: no pathLenConstraint */
	int64_t validity;	    /* seconds; 0: absent */
	int64_t overlap;	    /* renewal window in seconds; 0: absent */
	struct ae_octets key_usage; /* KeyUsage bits as in the extension */
	struct ae_strv ekus;
	struct ae_strv application_policies;
	struct ae_strv certificate_policies;
	struct ae_strv critical_extensions;
	struct ae_strv csps;	   /* provider names, most preferred first */
	struct ae_strv supersedes; /* CNs */
	struct ae_strv ra_policies;
	struct ae_strv ra_application_policies; /* OIDs, whichever the syntax */
	struct ae_template_algorithms algorithms;
	struct ae_octets sd_raw; /* as the directory sent it; may be empty */
	struct ae_sd *sd;	 /* parsed; NULL when none was readable */
	int64_t when_changed;	 /* INT64_MAX: unknown */
	uint64_t usn_changed;	 /* of the DC that was asked; 0: unknown */
};

/* The attributes to ask for; ends with NULL. */
extern const char *const ae_template_attrs[];

/*
 * Decode an entry.  Only cn is indispensable.  A value that is malformed,
 * doubled where one is allowed, or over the limits refuses the template as
 * a whole (AE_EPROTO, AE_ELIMIT; e names the attribute): never half of one.
 */
int ae_template_decode(struct ae_template **out, const struct ae_entry *entry,
    struct ae_err *e) AE_MUST_CHECK;
void ae_template_free(struct ae_template *t);

/*
 * The attributes that decode to t, in the arena: what to write into the
 * directory.  Not among them: dn and cn, the descriptor, and what the server
 * keeps.  AE_EINVAL: t says what its schema version cannot.
 */
int ae_template_encode(struct ae_attr **out, size_t *n,
    const struct ae_template *t, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* A copy that owns everything in it. */
int ae_template_dup(struct ae_template **out, const struct ae_template *t,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * A form for our own processes to pass on; get is as strict as decode.
 * The form is not stable across versions of the product.
 */
void ae_template_put(struct ae_wr *w, const struct ae_template *t);
int ae_template_get(
    struct ae_template **out, struct ae_rd *r, struct ae_err *e) AE_MUST_CHECK;

/*
 * The template with this cn (no case) or OID among n; NULL: none.  Requests
 * name templates both ways, MS-WCCE 3.2.2.6.2.1.2.1.
 */
const struct ae_template *ae_template_find(
    struct ae_template *const *v, size_t n, const char *name);

#endif
