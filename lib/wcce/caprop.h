/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CA properties on the wire: their numbers (MS-WCCE 3.2.1.4.3.2), GetCACert's
 * selectors (3.2.1.4.2.2), and the encodings CAINFO (2.2.2.4) and CATRANSPROP
 * (2.2.2.3).  What a CA answers for each is in ca/.
 */
#ifndef AE_WCCE_CAPROP_H
#define AE_WCCE_CAPROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/wr.h"

enum ae_proptype {
	AE_PROPTYPE_LONG = 1,
	AE_PROPTYPE_DATE = 2,
	AE_PROPTYPE_BINARY = 3,
	AE_PROPTYPE_STRING = 4,
};

enum ae_cr_prop {
	AE_CR_PROP_FILEVERSION = 1,
	AE_CR_PROP_PRODUCTVERSION = 2,
	AE_CR_PROP_EXITCOUNT = 3,
	AE_CR_PROP_EXITDESCRIPTION = 4,
	AE_CR_PROP_POLICYDESCRIPTION = 5,
	AE_CR_PROP_CANAME = 6,
	AE_CR_PROP_SANITIZEDCANAME = 7,
	AE_CR_PROP_SHAREDFOLDER = 8,
	AE_CR_PROP_PARENTCA = 9,
	AE_CR_PROP_CATYPE = 10,
	AE_CR_PROP_CASIGCERTCOUNT = 11,
	AE_CR_PROP_CASIGCERT = 12,
	AE_CR_PROP_CASIGCERTCHAIN = 13,
	AE_CR_PROP_CAXCHGCERTCOUNT = 14,
	AE_CR_PROP_CAXCHGCERT = 15,
	AE_CR_PROP_CAXCHGCERTCHAIN = 16,
	AE_CR_PROP_BASECRL = 17,
	AE_CR_PROP_DELTACRL = 18,
	AE_CR_PROP_CACERTSTATE = 19,
	AE_CR_PROP_CRLSTATE = 20,
	AE_CR_PROP_CAPROPIDMAX = 21,
	AE_CR_PROP_DNSNAME = 22,
	AE_CR_PROP_ROLESEPARATIONENABLED = 23,
	AE_CR_PROP_KRACERTUSEDCOUNT = 24,
	AE_CR_PROP_KRACERTCOUNT = 25,
	AE_CR_PROP_KRACERT = 26,
	AE_CR_PROP_KRACERTSTATE = 27,
	AE_CR_PROP_ADVANCEDSERVER = 28,
	AE_CR_PROP_TEMPLATES = 29,
	AE_CR_PROP_BASECRLPUBLISHSTATUS = 30,
	AE_CR_PROP_DELTACRLPUBLISHSTATUS = 31,
	AE_CR_PROP_CASIGCERTCRLCHAIN = 32,
	AE_CR_PROP_CAXCHGCERTCRLCHAIN = 33,
	AE_CR_PROP_CACERTSTATUSCODE = 34,
	AE_CR_PROP_CAFORWARDCROSSCERT = 35,
	AE_CR_PROP_CABACKWARDCROSSCERT = 36,
	AE_CR_PROP_CAFORWARDCROSSCERTSTATE = 37,
	AE_CR_PROP_CABACKWARDCROSSCERTSTATE = 38,
	AE_CR_PROP_CACERTVERSION = 39,
	AE_CR_PROP_SANITIZEDCASHORTNAME = 40,
	AE_CR_PROP_CERTCDPURLS = 41,
	AE_CR_PROP_CERTAIAURLS = 42,
	AE_CR_PROP_CERTAIAOCSPURLS = 43,
	AE_CR_PROP_LOCALENAME = 44,
	AE_CR_PROP_SUBJECTTEMPLATE_OIDS = 45,
};
#define AE_CR_PROP_MAX 45

/* GetCACert's fchain, MS-WCCE 3.2.1.4.2.2. */
#define AE_GETCERT_CASIGCERT 0x00000000u
#define AE_GETCERT_CAXCHGCERT 0x00000001u
#define AE_GETCERT_CURRENTCRL 0x6363726cu
#define AE_GETCERT_FILEVERSION 0x66696c65u
#define AE_GETCERT_CAINFO 0x696e666fu
#define AE_GETCERT_CANAME 0x6e616d65u
#define AE_GETCERT_PARENTCONFIG 0x70617265u
#define AE_GETCERT_POLICYVERSION 0x706f6c69u
#define AE_GETCERT_PRODUCTVERSION 0x70726f64u
#define AE_GETCERT_SANITIZEDCANAME 0x73616e69u
#define AE_GETCERT_SHAREDFOLDER 0x73686172u
#define AE_GETCERT_CATYPE 0x74797065u
/* high half selects, low half is an index */
#define AE_GETCERT_CRLBYINDEX 0x636c0000u
#define AE_GETCERT_CACERTBYINDEX 0x63740000u
#define AE_GETCERT_EXITVERSIONBYINDEX 0x65780000u
#define AE_GETCERT_CRLSTATEBYINDEX 0x736c0000u
#define AE_GETCERT_CACERTSTATEBYINDEX 0x73740000u

enum ae_catype {
	AE_CATYPE_ENTERPRISE_ROOT = 0,
	AE_CATYPE_ENTERPRISE_SUB = 1,
	AE_CATYPE_STANDALONE_ROOT = 3,
	AE_CATYPE_STANDALONE_SUB = 4,
	AE_CATYPE_UNKNOWN = 5,
};

#define AE_CAINFO_SIZE 40

/* CAINFO without its cbSize, which is always AE_CAINFO_SIZE. */
struct ae_cainfo {
	int32_t ca_type;
	uint32_t sig_certs;
	uint32_t xchg_certs;
	uint32_t exit_algorithms;
	int32_t prop_id_max;
	int32_t role_separation;
	uint32_t kra_used;
	uint32_t kra_count;
	uint32_t advanced_server;
};

void ae_cainfo_put(struct ae_wr *w, const struct ae_cainfo *info);

/* False: not AE_CAINFO_SIZE bytes or cbSize says otherwise; *out untouched. */
bool ae_cainfo_get(struct ae_cainfo *out, const void *p, size_t len);

/* One row of GetCAPropertyInfo. */
struct ae_catransprop {
	int32_t prop_id;
	uint8_t prop_type;
	uint16_t flags;	  /* 1: indexed */
	const char *name; /* display name, UTF-8 */
};
#define AE_PROPFLAGS_INDEXED 1

/* The whole blob: rows first, names after them (MS-WCCE 2.2.2.3.1). */
void ae_catransprop_put(
    struct ae_wr *w, const struct ae_catransprop *v, size_t n);

/* The n rows of such a blob, names in a.  AE_EPROTO: it is broken. */
int ae_catransprop_get(struct ae_catransprop **out, size_t n, const void *p,
    size_t len, struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/* Display name and type of a property we know; NULL: unknown number. */
const struct ae_catransprop *ae_cr_prop_find(int32_t prop_id);

/* NUL-terminated UTF-16LE of a blob holding a string; NULL: it is not one. */
char *ae_wcce_blob_string(struct ae_arena *a, const void *p, size_t len);

/* Append s so.  False: not UTF-8. */
bool ae_wcce_blob_string_put(struct ae_wr *w, const char *s);

#endif
