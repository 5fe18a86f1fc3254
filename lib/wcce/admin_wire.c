/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * NDR tables of ICertAdminD and ICertAdminD2 beside their IDL (MS-CSRA 6),
 * and who may call what (MS-CSRA 3.1.1.7).
 */
#include "ndr/ndr.h"
#include "wcce/admin.h"
#include "wcce/admin_wire.h"
#include "wcce/request.h"

/* clang-format off */

const struct ae_guid ae_iid_icertadmind = { 0xd99e6e71, 0xfc88, 0x11d0,
	{ 0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3 } };
const struct ae_guid ae_iid_icertadmind2 = { 0x7fe0d935, 0xdda6, 0x443f,
	{ 0x85, 0xd0, 0x1c, 0xfb, 0x58, 0xfe, 0x41, 0xdd } };
const struct ae_guid ae_clsid_ccertadmind = { 0xd99e6e73, 0xfc88, 0x11d0,
	{ 0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3 } };

#define RQ struct ae_admin_request
#define RP struct ae_admin_reply

/* [in, string, unique] wchar_t const *; MS-CSRA sets no range */
#define TEXT(m, max) AE_NDR_STRING(RQ, m, AE_NDR_UNIQUE, AE_NDR_STR16, max)
#define NUM(m) AE_NDR_FIELD(RQ, m, &ae_ndr_u32)
#define TIME AE_NDR_FIELD(RQ, time, &filetime)
#define IN(label, ...) \
	AE_NDR_PARAMS(label, RQ, TEXT(authority, AE_WCCE_STRING_MAX), __VA_ARGS__)

/* MS-DTYP 2.3.3 */
static const struct ae_ndr_type filetime =
    AE_NDR_STRUCT("FILETIME", struct ae_admin_time, 4,
	AE_NDR_FIELD(struct ae_admin_time, lo, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_admin_time, hi, &ae_ndr_u32));

/*
 * typedef struct _CERTVIEWRESTRICTION {
 *	DWORD ColumnIndex;
 *	LONG SeekOperator;
 *	LONG SortOrder;
 *	[size_is(cbValue), unique] BYTE *pbValue;
 *	DWORD cbValue;
 * } CERTVIEWRESTRICTION;
 */
#define VR struct ae_admin_restriction
static const struct ae_ndr_type restriction =
    AE_NDR_STRUCT("CERTVIEWRESTRICTION", VR, 4,
	AE_NDR_FIELD(VR, column, &ae_ndr_u32),
	AE_NDR_FIELD(VR, seek, &ae_ndr_u32),
	AE_NDR_FIELD(VR, sort, &ae_ndr_u32),
	AE_NDR_ARRAY(VR, value, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, len,
	    AE_ADMIN_VALUE_MAX),
	AE_NDR_FIELD(VR, len, &ae_ndr_u32));
#undef VR

/* CERTTRANSBLOB, MS-CSRA 2.2.1.4, on its way out */
#define BL struct ae_admin_blob
static const struct ae_ndr_type blob =
    AE_NDR_STRUCT("CERTTRANSBLOB", BL, 4,
	AE_NDR_FIELD(BL, len, &ae_ndr_u32),
	AE_NDR_ARRAY(BL, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, len,
	    AE_ADMIN_REPLY_MAX));
#undef BL

/*
 * typedef struct _FLAGGED_WORD_BLOB {
 *	unsigned long cBytes;
 *	unsigned long clSize;
 *	[size_is(clSize)] unsigned short asData[];
 * } FLAGGED_WORD_BLOB;
 */
#define WO struct ae_admin_words
static const struct ae_ndr_type words =
    AE_NDR_STRUCT("FLAGGED_WORD_BLOB", WO, 4,
	AE_NDR_FIELD(WO, bytes, &ae_ndr_u32),
	AE_NDR_FIELD(WO, n, &ae_ndr_u32),
	AE_NDR_ARRAY(WO, v, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u16, n,
	    AE_ADMIN_WORDS_MAX));
#undef WO

/*
 * typedef struct _wireVARIANT {
 *	DWORD clSize;
 *	DWORD rpcReserved;
 *	USHORT vt;
 *	USHORT wReserved1;
 *	USHORT wReserved2;
 *	USHORT wReserved3;
 *	[switch_type(ULONG), switch_is(vt)] union {
 *		[case(VT_I8)] LONGLONG llVal;
 *		[case(VT_I4)] LONG lVal;
 *		[case(VT_BSTR)] BSTR bstrVal;
 *		[case(VT_EMPTY)] ;
 *		...
 *	} _varUnion;
 * } wireVARIANTStr;
 */
#define VU union ae_admin_variant_value
static const struct ae_ndr_type variant_value =
    AE_NDR_UNION("_varUnion", VU, 8, 4,
	AE_NDR_FIELD(VU, wide, &ae_ndr_u64, .tag = 20),
	AE_NDR_FIELD(VU, number, &ae_ndr_u32, .tag = AE_ADMIN_VT_I4),
	AE_NDR_PTR(VU, text, AE_NDR_UNIQUE, &words, .tag = AE_ADMIN_VT_BSTR),
	{ .name = "empty", .tag = AE_ADMIN_VT_NONE });
#undef VU
#define VA struct ae_admin_variant
static const struct ae_ndr_type variant =
    AE_NDR_STRUCT("wireVARIANT", VA, 8,
	AE_NDR_FIELD(VA, size, &ae_ndr_u32),
	AE_NDR_FIELD(VA, reserved, &ae_ndr_u32),
	AE_NDR_FIELD(VA, vt, &ae_ndr_u16),
	AE_NDR_FIELD(VA, reserved1, &ae_ndr_u16),
	AE_NDR_FIELD(VA, reserved2, &ae_ndr_u16),
	AE_NDR_FIELD(VA, reserved3, &ae_ndr_u16),
	AE_NDR_SWITCH(VA, u, &variant_value, vt));
#undef VA

/*
 * HRESULT SetAttributes([in, string, unique] wchar_t const *pwszAuthority,
 *	[in] DWORD dwRequestId,
 *	[in, string, unique] wchar_t const *pwszAttributes);
 */
static const struct ae_ndr_type set_attributes_in =
    IN("SetAttributes", NUM(id), TEXT(text, AE_WCCE_STRING_MAX));

/*
 * HRESULT ResubmitRequest(pwszAuthority, [in] DWORD dwRequestId,
 *	[out] DWORD *pdwDisposition);
 * HRESULT DenyRequest(pwszAuthority, [in] DWORD dwRequestId);
 * HRESULT GetArchivedKey(pwszAuthority, [in] DWORD dwRequestId,
 *	[out, ref] CERTTRANSBLOB *pctbArchivedKey);
 */
static const struct ae_ndr_type request_id_in =
    IN("ResubmitRequest", NUM(id));

/*
 * HRESULT IsValidCertificate(pwszAuthority,
 *	[in, string, unique] wchar_t const *pSerialNumber,
 *	[out] LONG *pRevocationReason,
 *	[out] LONG *pDisposition);
 */
static const struct ae_ndr_type is_valid_in =
    IN("IsValidCertificate", TEXT(text, AE_WCCE_SERIAL_MAX));

/* HRESULT PublishCRL(pwszAuthority, [in] FILETIME FileTime); */
static const struct ae_ndr_type publish_crl_in = IN("PublishCRL", TIME);

/*
 * HRESULT RevokeCertificate(pwszAuthority,
 *	[in, string, unique] wchar_t const *pwszSerialNumber,
 *	[in] DWORD Reason,
 *	[in] FILETIME FileTime);
 */
static const struct ae_ndr_type revoke_in = IN("RevokeCertificate",
	TEXT(text, AE_WCCE_SERIAL_MAX), NUM(flags), TIME);

/*
 * HRESULT EnumViewColumn(pwszAuthority,
 *	[in] DWORD iColumn,
 *	[in] DWORD cColumn,
 *	[out] DWORD *pcColumn,
 *	[out, ref] CERTTRANSBLOB *pctbColumnInfo);
 * HRESULT EnumView(pwszAuthority,
 *	[in] DWORD ielt,
 *	[in] DWORD celt,
 *	[out] DWORD *pceltFetched,
 *	[out, ref] CERTTRANSBLOB *pctbResultRows);
 */
static const struct ae_ndr_type from_count_in =
    IN("EnumViewColumn", NUM(from), NUM(count));

/*
 * HRESULT GetViewDefaultColumnSet(pwszAuthority,
 *	[in] DWORD iColumnSetDefault,
 *	[out] DWORD *pcColumn,
 *	[out, ref] CERTTRANSBLOB *pctbColumnInfo);
 */
static const struct ae_ndr_type default_columns_in =
    IN("GetViewDefaultColumnSet", NUM(flags));

/*
 * HRESULT EnumAttributesOrExtensions(pwszAuthority,
 *	[in] DWORD RowId,
 *	[in] DWORD Flags,
 *	[in, string, unique] wchar_t const *pwszLast,
 *	[in] DWORD celt,
 *	[out] DWORD *pceltFetched,
 *	[out, ref] CERTTRANSBLOB *pctbOut);
 */
static const struct ae_ndr_type enum_attributes_in =
    IN("EnumAttributesOrExtensions", NUM(id), NUM(flags),
	TEXT(text, AE_WCCE_STRING_MAX), NUM(count));

/*
 * HRESULT OpenView(pwszAuthority,
 *	[in] DWORD ccvr,
 *	[in, size_is(ccvr)] CERTVIEWRESTRICTION const *acvr,
 *	[in] DWORD ccolOut,
 *	[in, size_is(ccolOut)] DWORD const *acolOut,
 *	[in] DWORD ielt,
 *	[in] DWORD celt,
 *	[out] DWORD *pceltFetched,
 *	[out, ref] CERTTRANSBLOB *pctbResultRows);
 */
static const struct ae_ndr_type open_view_in = IN("OpenView",
	NUM(nrestrictions),
	AE_NDR_ARRAY(RQ, restrictions, AE_NDR_VAL, AE_NDR_CONF, &restriction,
	    nrestrictions, AE_ADMIN_RESTRICTIONS_MAX),
	NUM(ncolumns),
	AE_NDR_ARRAY(RQ, columns, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u32,
	    ncolumns, AE_ADMIN_COLUMNS_MAX),
	NUM(from), NUM(count));

/*
 * HRESULT GetCRL(pwszAuthority, [out, ref] CERTTRANSBLOB *pctbCRL);
 * HRESULT CloseView(pwszAuthority);
 * HRESULT Ping(pwszAuthority);
 * HRESULT GetServerState(pwszAuthority, [out] DWORD *pdwState);
 * HRESULT GetCAPropertyInfo(pwszAuthority, [out] LONG *pcProperty,
 *	[out, ref] CERTTRANSBLOB *pctbPropInfo);
 * HRESULT GetCASecurity(pwszAuthority, [out, ref] CERTTRANSBLOB *pctbSD);
 * HRESULT Ping2(pwszAuthority);
 * HRESULT GetAuditFilter(pwszAuthority, [out] DWORD *pdwFilter);
 * HRESULT GetOfficerRights(pwszAuthority, [out] BOOL *pfEnabled,
 *	[out, ref] CERTTRANSBLOB *pctbSD);
 * HRESULT GetMyRoles(pwszAuthority, [out] LONG *pdwRoles);
 */
static const struct ae_ndr_type authority_in =
    AE_NDR_PARAMS("Ping", RQ, TEXT(authority, AE_WCCE_STRING_MAX));

/*
 * HRESULT PublishCRLs(pwszAuthority,
 *	[in] FILETIME FileTime,
 *	[in] DWORD Flags);
 */
static const struct ae_ndr_type publish_crls_in =
    IN("PublishCRLs", TIME, NUM(flags));

/*
 * HRESULT GetCAProperty(pwszAuthority,
 *	[in] LONG PropId,
 *	[in] LONG PropIndex,
 *	[in] LONG PropType,
 *	[out, ref] CERTTRANSBLOB *pctbPropertyValue);
 */
static const struct ae_ndr_type get_property_in =
    IN("GetCAProperty", NUM(prop_id), NUM(prop_index), NUM(prop_type));

/*
 * HRESULT EnumViewColumnTable(pwszAuthority,
 *	[in] DWORD iTable,
 *	[in] DWORD iColumn,
 *	[in] DWORD cColumn,
 *	[out] DWORD *pcColumn,
 *	[out, ref] CERTTRANSBLOB *pctbColumnInfo);
 */
static const struct ae_ndr_type column_table_in =
    IN("EnumViewColumnTable", NUM(table), NUM(from), NUM(count));

/*
 * HRESULT GetConfigEntry(pwszAuthority,
 *	[in, string, unique] wchar_t const *pwszNodePath,
 *	[in, string, ref] wchar_t const *pwszEntry,
 *	[out, ref] VARIANT *pVariant);
 */
static const struct ae_ndr_type config_entry_in = IN("GetConfigEntry",
	TEXT(text, AE_WCCE_STRING_MAX),
	AE_NDR_STRING(RQ, entry, AE_NDR_REF, AE_NDR_STR16, AE_WCCE_STRING_MAX));

/* The six shapes of what comes back. */
#define ON(m) AE_NDR_FIELD(RP, m, &ae_ndr_u32)
static const struct ae_ndr_type result_out =
    AE_NDR_PARAMS("HRESULT", RP, ON(hresult));
static const struct ae_ndr_type number_out =
    AE_NDR_PARAMS("DWORD, HRESULT", RP, ON(n), ON(hresult));
static const struct ae_ndr_type numbers_out =
    AE_NDR_PARAMS("LONG, LONG, HRESULT", RP, ON(n), ON(m), ON(hresult));
static const struct ae_ndr_type blob_out =
    AE_NDR_PARAMS("CERTTRANSBLOB, HRESULT", RP,
	AE_NDR_FIELD(RP, blob, &blob), ON(hresult));
static const struct ae_ndr_type number_blob_out =
    AE_NDR_PARAMS("DWORD, CERTTRANSBLOB, HRESULT", RP,
	ON(n), AE_NDR_FIELD(RP, blob, &blob), ON(hresult));

static const struct ae_ndr_type variant_out =
    AE_NDR_PARAMS("VARIANT, HRESULT", RP,
	AE_NDR_PTR(RP, variant, AE_NDR_UNIQUE, &variant), ON(hresult));

/*
 * MS-CSRA 3.1.1.7.  Two rows differ from it: an auditor may read what a
 * reader may (there his right would be a privilege of Windows), and the
 * state of the server, which there needs no permission, is told to readers.
 */
#define ADMIN AE_ADMIN_ROLE_ADMIN
#define OFFICER AE_ADMIN_ROLE_OFFICER
#define READER AE_ADMIN_ROLE_READ
#define NOBODY 0

const struct ae_admin_method ae_admin_methods[] = {
	{ 3, "SetExtension", NOBODY, NULL, &result_out },
	{ 4, "SetAttributes", OFFICER, &set_attributes_in, &result_out },
	{ 5, "ResubmitRequest", OFFICER, &request_id_in, &number_out },
	{ 6, "DenyRequest", OFFICER, &request_id_in, &result_out },
	{ 7, "IsValidCertificate", READER, &is_valid_in, &numbers_out },
	{ 8, "PublishCRL", ADMIN, &publish_crl_in, &result_out },
	{ 9, "GetCRL", READER, &authority_in, &blob_out },
	{ 10, "RevokeCertificate", OFFICER, &revoke_in, &result_out },
	{ 11, "EnumViewColumn", READER, &from_count_in, &number_blob_out },
	{ 12, "GetViewDefaultColumnSet", READER, &default_columns_in, &number_blob_out },
	{ 13, "EnumAttributesOrExtensions", READER, &enum_attributes_in, &number_blob_out },
	{ 14, "OpenView", READER, &open_view_in, &number_blob_out },
	{ 15, "EnumView", READER, &from_count_in, &number_blob_out },
	{ 16, "CloseView", READER, &authority_in, &result_out },
	{ 17, "ServerControl", NOBODY, NULL, &blob_out },
	{ 18, "Ping", ADMIN, &authority_in, &result_out },
	{ 19, "GetServerState", READER, &authority_in, &number_out },
	{ 28, "ImportCertificate", NOBODY, NULL, &number_out },
	{ 31, "PublishCRLs", ADMIN, &publish_crls_in, &result_out },
	{ 32, "GetCAProperty", READER, &get_property_in, &blob_out },
	{ 33, "SetCAProperty", NOBODY, NULL, &result_out },
	{ 34, "GetCAPropertyInfo", READER, &authority_in, &number_blob_out },
	{ 35, "EnumViewColumnTable", READER, &column_table_in, &number_blob_out },
	{ 36, "GetCASecurity", READER, &authority_in, &blob_out },
	{ 37, "SetCASecurity", NOBODY, NULL, &result_out },
	{ 38, "Ping2", ADMIN, &authority_in, &result_out },
	{ 39, "GetArchivedKey", OFFICER, &request_id_in, &blob_out },
	{ 40, "GetAuditFilter", READER, &authority_in, &number_out },
	{ 41, "SetAuditFilter", NOBODY, NULL, &result_out },
	{ 42, "GetOfficerRights", READER, &authority_in, &number_blob_out },
	{ 43, "SetOfficerRights", NOBODY, NULL, &result_out },
	{ 44, "GetConfigEntry", READER, &config_entry_in, &variant_out },
	{ 45, "SetConfigEntry", NOBODY, NULL, &result_out },
	{ 46, "ImportKey", NOBODY, NULL, &result_out },
	{ 47, "GetMyRoles", READER, &authority_in, &number_out },
	{ 48, "DeleteRow", NOBODY, NULL, &number_out },
	{ .name = NULL },
};
/* clang-format on */

const struct ae_admin_method *
ae_admin_method_find(uint16_t opnum)
{
	const struct ae_admin_method *m;

	for (m = ae_admin_methods; m->name != NULL; m++)
		if (m->opnum == opnum)
			return m;
	return NULL;
}
