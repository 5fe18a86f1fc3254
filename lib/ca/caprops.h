/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the CA says about itself: GetCAProperty, GetCAPropertyInfo, GetCACert
 * and Ping (MS-WCCE 3.2.1.4.2.2, 3.2.1.4.2.3, 3.2.1.4.3.2 … .4) as a pure
 * table over one struct that the program keeps up to date.
 */
#ifndef AE_CA_CAPROPS_H
#define AE_CA_CAPROPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/sid.h"
#include "wcce/request.h"

/* One published template, for CR_PROP_TEMPLATES. */
struct ae_ca_info_template {
	const char *cn;
	const char *oid; /* NULL: schema 1 without one */
};

/* State of a CA certificate or CRL, CR_PROP_CACERTSTATE and CRLSTATE. */
enum ae_ca_state {
	AE_CA_STATE_ERROR = 1,
	AE_CA_STATE_REVOKED = 2,
	AE_CA_STATE_VALID = 3,
	AE_CA_STATE_EXPIRED = 4,
};

/* One CA certificate; index 0 is the oldest, the last is in use. */
struct ae_ca_info_cert {
	struct ae_wcce_blob cert;  /* DER */
	struct ae_wcce_blob chain; /* certs-only CMS of it and its issuers */
	struct ae_wcce_blob crl;   /* newest base CRL; p NULL: none yet */
	struct ae_wcce_blob crl_chain; /* CMS of certificates and CRLs */
	enum ae_ca_state state;
	enum ae_ca_state crl_state;
	uint32_t status;    /* HRESULT of its chain's validation */
	uint16_t key_index; /* of the version, 3.2.1.4.3.2.39 */
	/* Between its key and the next's, and back; p NULL: none. */
	struct ae_wcce_blob forward, backward;
	enum ae_ca_state forward_state, backward_state;
	uint32_t crl_publish_status; /* AE_CPF_* */
	struct ae_wcce_blob delta;   /* newest delta CRL; p NULL: none */
	uint32_t delta_publish_status;
};

/* What became of a CRL's publication, CPF_* of the SDK. */
enum {
	AE_CPF_BASE = 0x1,
	AE_CPF_DELTA = 0x2,
	AE_CPF_COMPLETE = 0x4,
	AE_CPF_LDAP_ERROR = 0x100,
	AE_CPF_FILE_ERROR = 0x200,
};

/* State of a key recovery agent, CR_PROP_KRACERTSTATE. */
enum ae_kra_state {
	AE_KRA_EXPIRED = 0,
	AE_KRA_NOT_FOUND = 1,
	AE_KRA_VALID = 3,
	AE_KRA_INVALID = 5,
};

struct ae_ca_info_kra {
	struct ae_wcce_blob cert; /* p NULL: not found */
	enum ae_kra_state state;
};

struct ae_ca_info {
	const char *name;
	const char *dns_name;
	const char *parent;  /* "host\CA" or NULL for a root */
	const char *version; /* file and product version */
	const char *policy;  /* description of the policy algorithm */
	const char *locale;  /* "en-US" */
	bool root;
	bool deltas; /* it makes delta CRLs */
	const struct ae_ca_info_cert *certs;
	size_t ncerts;
	struct ae_wcce_blob xchg;	   /* exchange certificate; or absent */
	struct ae_wcce_blob xchg_chain;	   /* CMS around it, of its issuers */
	struct ae_wcce_blob xchg_crls;	   /* the same with their CRLs */
	const struct ae_ca_info_kra *kras; /* as configured */
	size_t nkras;
	const struct ae_ca_info_template *templates;
	size_t ntemplates;
	const char *const *cdp_urls; /* NULL-terminated lists */
	const char *const *aia_urls;
	const char *const *ocsp_urls;
};

/*
 * Answer GETCACERT, GETPROPERTY, GETPROPERTYINFO or PING.  Refusals are in
 * out->hresult.  Values live in a or are borrowed from info.
 */
int ae_ca_property(struct ae_wcce_reply *out, const struct ae_ca_info *info,
    const struct ae_wcce_request *rq, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

#endif
