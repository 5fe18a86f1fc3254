/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * NDR tables of ICertPassage, ICertRequestD and ICertRequestD2, each beside
 * its IDL (MS-ICPR 6, MS-WCCE 6), and the table of methods.
 */
#include <stddef.h>

#include "ndr/ndr.h"
#include "wcce/icpr.h"
#include "wcce/wire.h"

/* clang-format off */

/*
 * typedef struct _CERTTRANSBLOB {
 *	ULONG cb;
 *	[size_is(cb), unique] BYTE *pb;
 * } CERTTRANSBLOB;
 *
 * One table per ceiling: requests, ICPR's attributes, answers.
 */
#define BLOB(most)                                                           \
	AE_NDR_STRUCT("CERTTRANSBLOB", struct ae_wire_blob, 4,               \
	    AE_NDR_FIELD(struct ae_wire_blob, cb, &ae_ndr_u32),              \
	    AE_NDR_ARRAY(struct ae_wire_blob, pb, AE_NDR_UNIQUE,             \
	        AE_NDR_CONF, &ae_ndr_u8, cb, (most)))

static const struct ae_ndr_type blob_request = BLOB(AE_WCCE_BLOB_MAX);
static const struct ae_ndr_type blob_attribs = BLOB(AE_WCCE_ATTRS_MAX);
static const struct ae_ndr_type blob_reply = BLOB(AE_WCCE_REPLY_MAX);

/* [in, string, unique, range(1, 1536)] wchar_t const * */
#define STRING(T, m) \
	AE_NDR_STRING(T, m, AE_NDR_UNIQUE, AE_NDR_STR16, AE_WCCE_STRING_MAX)

/*
 * DWORD CertServerRequest(
 *	[in] handle_t h,
 *	[in] DWORD dwFlags,
 *	[in, string, unique] const wchar_t *pwszAuthority,
 *	[in, out, ref] DWORD *pdwRequestId,
 *	[out] DWORD *pdwDisposition,
 *	[in, ref] const CERTTRANSBLOB *pctbAttribs,
 *	[in, ref] const CERTTRANSBLOB *pctbRequest,
 *	[out, ref] CERTTRANSBLOB *pctbCert,
 *	[out, ref] CERTTRANSBLOB *pctbEncodedCert,
 *	[out, ref] CERTTRANSBLOB *pctbDispositionMessage);
 */
#define RQ struct ae_wire_request_in
static const struct ae_ndr_type cert_server_request_in =
    AE_NDR_PARAMS("CertServerRequest", RQ,
	AE_NDR_FIELD(RQ, flags, &ae_ndr_u32),
	STRING(RQ, authority),
	AE_NDR_FIELD(RQ, request_id, &ae_ndr_u32),
	AE_NDR_FIELD(RQ, attribs, &blob_attribs),
	AE_NDR_FIELD(RQ, request, &blob_request));

/*
 * HRESULT Request(
 *	[in] DWORD dwFlags,
 *	[in, string, unique, range(1, 1536)] wchar_t const *pwszAuthority,
 *	[in, out, ref] DWORD *pdwRequestId,
 *	[out] DWORD *pdwDisposition,
 *	[in, string, unique, range(1, 1536)] wchar_t const *pwszAttributes,
 *	[in, ref] CERTTRANSBLOB const *pctbRequest,
 *	[out, ref] CERTTRANSBLOB *pctbCertChain,
 *	[out, ref] CERTTRANSBLOB *pctbEncodedCert,
 *	[out, ref] CERTTRANSBLOB *pctbDispositionMessage);
 */
static const struct ae_ndr_type request_in =
    AE_NDR_PARAMS("Request", RQ,
	AE_NDR_FIELD(RQ, flags, &ae_ndr_u32),
	STRING(RQ, authority),
	AE_NDR_FIELD(RQ, request_id, &ae_ndr_u32),
	STRING(RQ, attributes),
	AE_NDR_FIELD(RQ, request, &blob_request));

/*
 * HRESULT Request2(
 *	[in, string, unique, range(1, 1536)] wchar_t const *pwszAuthority,
 *	[in] DWORD dwFlags,
 *	[in, string, unique, range(1, 64)] wchar_t const *pwszSerialNumber,
 *	[in, out, ref] DWORD *pdwRequestId,
 *	[out] DWORD *pdwDisposition,
 *	[in, string, unique, range(1, 1536)] wchar_t const *pwszAttributes,
 *	[in, ref] CERTTRANSBLOB const *pctbRequest,
 *	[out, ref] CERTTRANSBLOB *pctbFullResponse,
 *	[out, ref] CERTTRANSBLOB *pctbEncodedCert,
 *	[out, ref] CERTTRANSBLOB *pctbDispositionMessage);
 */
static const struct ae_ndr_type request2_in =
    AE_NDR_PARAMS("Request2", RQ,
	STRING(RQ, authority),
	AE_NDR_FIELD(RQ, flags, &ae_ndr_u32),
	AE_NDR_STRING(RQ, serial, AE_NDR_UNIQUE, AE_NDR_STR16,
	    AE_WCCE_SERIAL_MAX),
	AE_NDR_FIELD(RQ, request_id, &ae_ndr_u32),
	STRING(RQ, attributes),
	AE_NDR_FIELD(RQ, request, &blob_request));
#undef RQ

#define RS struct ae_wire_request_out
static const struct ae_ndr_type request_out =
    AE_NDR_PARAMS("Request", RS,
	AE_NDR_FIELD(RS, request_id, &ae_ndr_u32),
	AE_NDR_FIELD(RS, disposition, &ae_ndr_u32),
	AE_NDR_FIELD(RS, chain, &blob_reply),
	AE_NDR_FIELD(RS, cert, &blob_reply),
	AE_NDR_FIELD(RS, message, &blob_reply),
	AE_NDR_FIELD(RS, result, &ae_ndr_u32));
#undef RS

/*
 * HRESULT GetCACert(
 *	[in] DWORD fchain,
 *	[in, string, unique, range(1, 1536)] wchar_t const *pwszAuthority,
 *	[out, ref] CERTTRANSBLOB *pctbOut);
 */
#define GC struct ae_wire_getcacert_in
static const struct ae_ndr_type getcacert_in =
    AE_NDR_PARAMS("GetCACert", GC,
	AE_NDR_FIELD(GC, fchain, &ae_ndr_u32),
	STRING(GC, authority));
#undef GC

#define VO struct ae_wire_value_out
static const struct ae_ndr_type value_out =
    AE_NDR_PARAMS("GetCAProperty", VO,
	AE_NDR_FIELD(VO, value, &blob_reply),
	AE_NDR_FIELD(VO, result, &ae_ndr_u32));
#undef VO

/*
 * HRESULT Ping(
 *	[in, string, unique, range(1, 1536)] wchar_t const *pwszAuthority);
 * HRESULT Ping2(
 *	[in, string, unique, range(1, 1536)] wchar_t const *pwszAuthority);
 * HRESULT GetCAPropertyInfo(
 *	[in, string, unique, range(1, 1536)] wchar_t const *pwszAuthority,
 *	[out] long *pcProperty,
 *	[out, ref] CERTTRANSBLOB *pctbPropInfo);
 */
#define AU struct ae_wire_authority_in
static const struct ae_ndr_type authority_in =
    AE_NDR_PARAMS("Ping", AU, STRING(AU, authority));
#undef AU

#define RO struct ae_wire_result_out
static const struct ae_ndr_type result_out =
    AE_NDR_PARAMS("Ping", RO, AE_NDR_FIELD(RO, result, &ae_ndr_u32));
#undef RO

#define PO struct ae_wire_propertyinfo_out
static const struct ae_ndr_type propertyinfo_out =
    AE_NDR_PARAMS("GetCAPropertyInfo", PO,
	AE_NDR_FIELD(PO, count, &ae_ndr_u32),
	AE_NDR_FIELD(PO, value, &blob_reply),
	AE_NDR_FIELD(PO, result, &ae_ndr_u32));
#undef PO

/*
 * HRESULT GetCAProperty(
 *	[in, string, unique, range(1, 1536)] wchar_t const *pwszAuthority,
 *	[in] long PropID,
 *	[in] long PropIndex,
 *	[in] long PropType,
 *	[out, ref] CERTTRANSBLOB *pctbPropertyValue);
 */
#define PI struct ae_wire_property_in
static const struct ae_ndr_type property_in =
    AE_NDR_PARAMS("GetCAProperty", PI,
	STRING(PI, authority),
	AE_NDR_FIELD(PI, prop_id, &ae_ndr_u32),
	AE_NDR_FIELD(PI, prop_index, &ae_ndr_u32),
	AE_NDR_FIELD(PI, prop_type, &ae_ndr_u32));
#undef PI

#define P AE_WCCE_ICERTPASSAGE
#define D AE_WCCE_ICERTREQUESTD
#define D2 AE_WCCE_ICERTREQUESTD2
const struct ae_wcce_method ae_wcce_methods[] = {
	{ P, AE_OP_CERTSERVERREQUEST, AE_WCCE_CALL_REQUEST,
	  "ICertPassage::CertServerRequest",
	  &cert_server_request_in, &request_out },
	{ D, AE_OP_REQUEST, AE_WCCE_CALL_REQUEST,
	  "ICertRequestD::Request", &request_in, &request_out },
	{ D, AE_OP_GETCACERT, AE_WCCE_CALL_GETCACERT,
	  "ICertRequestD::GetCACert", &getcacert_in, &value_out },
	{ D, AE_OP_PING, AE_WCCE_CALL_PING,
	  "ICertRequestD::Ping", &authority_in, &result_out },
	{ D2, AE_OP_REQUEST2, AE_WCCE_CALL_REQUEST,
	  "ICertRequestD2::Request2", &request2_in, &request_out },
	{ D2, AE_OP_GETCAPROPERTY, AE_WCCE_CALL_GETPROPERTY,
	  "ICertRequestD2::GetCAProperty", &property_in, &value_out },
	{ D2, AE_OP_GETCAPROPERTYINFO, AE_WCCE_CALL_GETPROPERTYINFO,
	  "ICertRequestD2::GetCAPropertyInfo", &authority_in,
	  &propertyinfo_out },
	{ D2, AE_OP_PING2, AE_WCCE_CALL_PING,
	  "ICertRequestD2::Ping2", &authority_in, &result_out },
	{ .name = NULL },
};
#undef P
#undef D
#undef D2
/* clang-format on */

const struct ae_wcce_method *
ae_wcce_method_find(enum ae_wcce_iface iface, uint16_t opnum)
{
	const struct ae_wcce_method *m;

	for (m = ae_wcce_methods; m->name != NULL; m++) {
		if (m->opnum != opnum)
			continue;
		if (m->iface == iface)
			return m;
		if (m->iface == AE_WCCE_ICERTREQUESTD &&
		    iface == AE_WCCE_ICERTREQUESTD2)
			return m;
	}
	return NULL;
}
