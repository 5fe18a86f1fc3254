/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificate extensions as data: one struct says what a certificate, or a
 * request for one, is to contain.  It is written straight to DER, in the
 * order Windows CAs emit, and parsed back into the same struct.
 */
#ifndef AE_PKI_EXT_H
#define AE_PKI_EXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"
#include "base/sid.h"
#include "base/str.h"
#include "base/wr.h"
#include "pki/der.h"
#include "pki/key.h"
#include "pki/oid.h"

/* RFC 5280 4.2.1.3; also the bytes of pKIKeyUsage: byte 0 | byte 1 << 8. */
enum {
	AE_KU_DIGITAL_SIGNATURE = 0x0080,
	AE_KU_NON_REPUDIATION = 0x0040,
	AE_KU_KEY_ENCIPHERMENT = 0x0020,
	AE_KU_DATA_ENCIPHERMENT = 0x0010,
	AE_KU_KEY_AGREEMENT = 0x0008,
	AE_KU_KEY_CERT_SIGN = 0x0004,
	AE_KU_CRL_SIGN = 0x0002,
	AE_KU_ENCIPHER_ONLY = 0x0001,
	AE_KU_DECIPHER_ONLY = 0x8000,
};

enum ae_san_type {
	AE_SAN_DNS = 1, /* text */
	AE_SAN_EMAIL,	/* text */
	AE_SAN_URI,	/* text */
	AE_SAN_UPN,	/* text; otherName 1.3.6.1.4.1.311.20.2.3 */
	AE_SAN_GUID,	/* guid; otherName 1.3.6.1.4.1.311.25.1 */
	AE_SAN_IP,	/* der: 4 or 16 address bytes */
	AE_SAN_DN,	/* der: a Name */
	AE_SAN_OTHER,	/* text: type OID, der: the value element */
	AE_SAN_RAW,	/* der: a whole GeneralName of another kind */
};

struct ae_san {
	enum ae_san_type type;
	const char *text; /* DNS, EMAIL, URI: ASCII; UPN: UTF-8 */
	struct ae_guid guid;
	struct ae_der der;
};

/* One extension as found, or one to be copied in unchanged. */
struct ae_ext {
	const char *oid;
	bool critical;
	struct ae_der value; /* contents of the extnValue OCTET STRING */
};

#define AE_EXTS_MAX 64	    /* extensions in one object */
#define AE_EXT_LIST_MAX 256 /* names, OIDs or URLs in one extension */

/*
 * What is in an object, or is to be.  All zero: no extension at all.
 * Everything is borrowed: by the writer from its caller, in a parsed object
 * from that object.  Booleans named has_x guard values where zero means
 * something.
 */
struct ae_exts {
	/* 1.3.6.1.4.1.311.20.2 MS-WCCE 2.2.2.7.7.1; written as BMPString */
	const char *template_name;
	/* 1.3.6.1.4.1.311.21.7 MS-WCCE 2.2.2.7.7.2 */
	const char *template_oid;
	bool has_template_major, has_template_minor;
	uint32_t template_major, template_minor;
	/* 1.3.6.1.4.1.311.21.1: key index << 16 | certificate index */
	bool has_ca_version;
	uint32_t ca_version;
	/* 1.3.6.1.4.1.311.21.2: SHA-1 of the CA certificate before this */
	struct ae_der previous_cert_hash;

	struct ae_strv eku; /* OIDs */
	bool has_key_usage;
	uint16_t key_usage;	      /* AE_KU_* */
	struct ae_strv app_policies;  /* OIDs, 1.3.6.1.4.1.311.21.10 */
	struct ae_strv cert_policies; /* OIDs */
	bool has_basic_constraints, ca;
	int path_len; /* -1: none; only with ca */
	bool ocsp_nocheck;
	struct ae_der smime_caps; /* a whole SMIMECapabilities */

	struct ae_der ski;		      /* key identifier */
	struct ae_der aki;		      /* key identifier */
	struct ae_strv cdp;		      /* URLs, one DistributionPoint */
	struct ae_strv aia_issuers, aia_ocsp; /* URLs */
	const struct ae_san *sans;
	size_t nsans;
	/* 1.3.6.1.4.1.311.25.2, MS-WCCE 2.2.2.7.7.4 */
	bool has_sid;
	struct ae_sid sid;

	/*
	 * Writer: extensions to add as they are, after all others; one whose
	 * OID was written already is AE_EINVAL.  Parser: every extension in
	 * the object in its order, the ones decoded above included.
	 */
	const struct ae_ext *raw;
	size_t nraw;
	/*
	 * Writer: OIDs to be marked critical (pKICriticalExtensions); basic
	 * constraints of a CA are critical always.  Parser: left empty, see
	 * raw.
	 */
	struct ae_strv critical;
};

/*
 * Append the SEQUENCE OF Extension, or nothing at all when x holds none.
 * AE_EINVAL with the culprit for an OID, URL or name that cannot be written.
 */
int ae_exts_encode(
    struct ae_wr *w, const struct ae_exts *x, struct ae_err *e) AE_MUST_CHECK;

/* The extension of this OID in x->raw (of a parsed object), or NULL. */
const struct ae_ext *ae_exts_find(const struct ae_exts *x, const char *oid);

/* First name of the type, or NULL. */
const struct ae_san *ae_exts_san(
    const struct ae_exts *x, enum ae_san_type type);

/*
 * The value alone of three extensions, for those who compare or place them:
 * the template (v1: BMPString; v2), and the SID extension.
 */
void ae_ext_put_sid(struct ae_wr *w, const struct ae_sid *sid);
int ae_ext_put_template(struct ae_wr *w, const char *oid, uint32_t major,
    uint32_t minor, struct ae_err *e) AE_MUST_CHECK;
int ae_ext_put_template_name(
    struct ae_wr *w, const char *name, struct ae_err *e) AE_MUST_CHECK;

#endif
