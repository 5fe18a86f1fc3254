/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One typed request and one typed reply for everything that is asked of a
 * CA: ICertPassage::CertServerRequest, ICertRequestD::Request, GetCACert and
 * Ping, ICertRequestD2::Request2, GetCAProperty, GetCAPropertyInfo and
 * Ping2.  Which of them it was stays visible; the CA decides on the typed
 * form alone.  No bytes of the wire here (see icpr.h), no decision either.
 */
#ifndef AE_WCCE_REQUEST_H
#define AE_WCCE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/wr.h"

/* Interface ids, MS-WCCE 1.9, MS-ICPR 3.2.4.1; all are version 0.0. */
extern const struct ae_guid ae_iid_icertpassage;
extern const struct ae_guid ae_iid_icertrequestd;
extern const struct ae_guid ae_iid_icertrequestd2;
extern const struct ae_guid ae_clsid_ccertrequestd;

enum ae_wcce_iface {
	AE_WCCE_ICERTPASSAGE,	/* plain RPC, no ORPCTHIS */
	AE_WCCE_ICERTREQUESTD,	/* opnums 3..5 */
	AE_WCCE_ICERTREQUESTD2, /* opnums 3..9: it inherits D's */
};

/* What is asked, whichever method carried it. */
enum ae_wcce_call {
	AE_WCCE_CALL_REQUEST,	     /* submit, retrieve, inspect */
	AE_WCCE_CALL_GETCACERT,	     /* MS-WCCE 3.2.1.4.2.2 */
	AE_WCCE_CALL_PING,	     /* MS-WCCE 3.2.1.4.2.3 */
	AE_WCCE_CALL_GETPROPERTY,    /* MS-WCCE 3.2.1.4.3.2 */
	AE_WCCE_CALL_GETPROPERTYINFO /* MS-WCCE 3.2.1.4.3.3 */
};

/* dwFlags, MS-WCCE 3.2.1.4.3.1.1 and the SDK's names for its bits. */
#define AE_CR_IN_FORMATMASK 0x0000ff00u
#define AE_CR_IN_FORMATANY 0x00000000u
#define AE_CR_IN_PKCS10 0x00000100u
#define AE_CR_IN_KEYGEN 0x00000200u
#define AE_CR_IN_PKCS7 0x00000300u
#define AE_CR_IN_CMC 0x00000400u
#define AE_CR_IN_CHALLENGERESPONSE 0x00000500u
#define AE_CR_IN_SCTLIST 0x00000600u
#define AE_CR_IN_FULLRESPONSE 0x00040000u /* Y: CMC response; D2 only */
#define AE_CR_IN_CRLS 0x00080000u	  /* X: CRLs in the response */
#define AE_CR_IN_ROBO 0x00200000u	  /* Z: renewal on behalf of */
#define AE_CR_IN_CT 0x04000000u		  /* A: precertificate flow */
#define AE_CR_IN_PRESIGN 0x08000000u	  /* B: pre-sign flow */

/* *pdwDisposition, MS-WCCE 3.2.1.4.2.1; every other value is an HRESULT. */
enum ae_cr_disp {
	AE_CR_DISP_INCOMPLETE = 0,
	AE_CR_DISP_ERROR = 1,
	AE_CR_DISP_DENIED = 2,
	AE_CR_DISP_ISSUED = 3,
	AE_CR_DISP_ISSUED_OUT_OF_BAND = 4,
	AE_CR_DISP_UNDER_SUBMISSION = 5,
	AE_CR_DISP_REVOKED = 6,
};

/* "CR_DISP_ISSUED" or NULL when it is no disposition of the list above. */
const char *ae_cr_disp_name(uint32_t disp);

/* Ceilings on what is accepted from the wire, each in its natural unit. */
#define AE_WCCE_STRING_MAX 1536	    /* UTF-16 units, NUL included */
#define AE_WCCE_SERIAL_MAX 64	    /* the same, for pwszSerialNumber */
#define AE_WCCE_REQUEST_MAX 0x10000 /* bytes of a certificate request */
#define AE_WCCE_BLOB_MAX 0x40000    /* more than that is not even looked at */
#define AE_WCCE_ATTRS_MAX 0x4000    /* bytes of ICPR's attribute blob */
#define AE_WCCE_REPLY_MAX 0x400000  /* bytes of one blob in a reply */
#define AE_WCCE_ARENA_MAX 0x80000   /* enough for any request decoded */

/* Bytes and their number; p is NULL for "none given" (pb NULL on the wire). */
struct ae_wcce_blob {
	const uint8_t *p;
	size_t len;
};

/* Everything it points to lives in the arena it was decoded into. */
struct ae_wcce_request {
	enum ae_wcce_iface iface;
	enum ae_wcce_call call;
	uint16_t opnum;

	const char *authority; /* UTF-8; NULL when absent */

	/* AE_WCCE_CALL_REQUEST */
	uint32_t flags;		 /* dwFlags */
	uint32_t request_id;	 /* 0 for a new request */
	const char *serial;	 /* UTF-8; only Request2 has one; or NULL */
	const char *attributes;	 /* UTF-8, lines; NULL when absent */
	struct ae_wcce_blob csr; /* p NULL: inspection or retrieval */

	uint32_t fchain; /* AE_WCCE_CALL_GETCACERT */

	/* AE_WCCE_CALL_GETPROPERTY */
	int32_t prop_id;
	int32_t prop_index;
	int32_t prop_type;
};

/*
 * What goes back.  Unused members are zero; p NULL in a blob is an empty
 * CERTTRANSBLOB.  message is UTF-8 and becomes NUL-terminated UTF-16LE.
 */
struct ae_wcce_reply {
	uint32_t hresult; /* the method's return value */

	/* AE_WCCE_CALL_REQUEST */
	uint32_t request_id;
	uint32_t disposition;	   /* enum ae_cr_disp or an HRESULT */
	struct ae_wcce_blob chain; /* CMS or CMC response */
	struct ae_wcce_blob cert;  /* DER */
	const char *message;	   /* NULL: none */

	/* GETCACERT, GETPROPERTY, GETPROPERTYINFO */
	struct ae_wcce_blob value;
	int32_t nprops; /* GETPROPERTYINFO */
};

/* The method's name, "ICertRequestD2::Request2"; NULL for an unknown opnum. */
const char *ae_wcce_method_name(enum ae_wcce_iface iface, uint16_t opnum);

/* The interface whose id this is.  False: none of ours. */
bool ae_wcce_iface_find(enum ae_wcce_iface *out, const struct ae_guid *iid);

/*
 * Server: the stub of one call (for DCOM what follows ORPCTHIS) as a typed
 * request; big: its data representation says big endian.  Up to 15 bytes of
 * padding behind the arguments are passed over.
 *
 * AE_ENOTFOUND: no such opnum on this interface (fault
 * nca_s_op_rng_error).  AE_EPROTO, AE_ELIMIT: NDR broken or over a ceiling
 * (fault rpc_x_bad_stub_data).  *out is untouched then.  AE_OK with
 * *refuse != 0: it decoded, but is answered with that HRESULT as the
 * method's return value: a request of more than AE_WCCE_REQUEST_MAX bytes,
 * an ICPR attribute blob that is no string (MS-ICPR 3.2.4.1.1).
 */
int ae_wcce_request_decode(struct ae_wcce_request *out, uint32_t *refuse,
    enum ae_wcce_iface iface, uint16_t opnum, const void *stub, size_t len,
    bool big, struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/* Server: the stub that answers (for DCOM what follows ORPCTHAT). */
int ae_wcce_reply_encode(struct ae_wr *out, const struct ae_wcce_request *rq,
    const struct ae_wcce_reply *reply, struct ae_err *e) AE_MUST_CHECK;

/*
 * Client: the stub of the call rq->iface and rq->opnum name.  Members that
 * method does not carry must be zero; csr longer than AE_WCCE_REQUEST_MAX or
 * a string over its range is AE_ELIMIT.
 */
int ae_wcce_request_encode(struct ae_wr *out, const struct ae_wcce_request *rq,
    struct ae_err *e) AE_MUST_CHECK;

/* Client: the answer to rq.  Blobs and message point into a or are NULL. */
int ae_wcce_reply_decode(struct ae_wcce_reply *out,
    const struct ae_wcce_request *rq, const void *stub, size_t len, bool big,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

#endif
