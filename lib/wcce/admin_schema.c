/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tables and columns of the database as ICertAdminD tells them: numbers,
 * names and sizes are those of MS-CSRA note 4 (Windows Server 2012 and
 * later), default column sets those of notes 49 to 55.  A column is told to
 * be indexed where our database has an index for it.
 */
#include <strings.h>

#include "wcce/admin_view.h"

/* clang-format off */
#define L AE_ADMIN_LONG
#define D AE_ADMIN_DATE
#define B AE_ADMIN_BINARY
#define S AE_ADMIN_STRING
#define I AE_ADMIN_INDEXED

static const struct ae_admin_column request_columns[] = {
	{ 0x1000, L | I, 4, "Request.RequestID", "Request ID" },
	{ 0x1001, B, 65536, "Request.RawRequest", "Binary Request" },
	{ 0x1002, B, 65536, "Request.RawArchivedKey", "Archived Key" },
	{ 0x1003, S, 8192, "Request.KeyRecoveryHashes", "Key Recovery Agent Hashes" },
	{ 0x1004, B, 16384, "Request.RawOldCertificate", "Old Certificate" },
	{ 0x1005, S, 32768, "Request.RequestAttributes", "Request Attributes" },
	{ 0x1006, L, 4, "Request.RequestType", "Request Type" },
	{ 0x1007, L, 4, "Request.RequestFlags", "Request Flags" },
	{ 0x1008, L, 4, "Request.StatusCode", "Request Status Code" },
	{ 0x1009, L | I, 4, "Request.Disposition", "Request Disposition" },
	{ 0x100a, S, 8192, "Request.DispositionMessage", "Request Disposition Message" },
	{ 0x100b, D, 8, "Request.SubmittedWhen", "Request Submission Date" },
	{ 0x100c, D, 8, "Request.ResolvedWhen", "Request Resolution Date" },
	{ 0x100d, D, 8, "Request.RevokedWhen", "Revocation Date" },
	{ 0x100e, D, 8, "Request.RevokedEffectiveWhen", "Effective Revocation Date" },
	{ 0x100f, L, 4, "Request.RevokedReason", "Revocation Reason" },
	{ 0x1010, S, 2048, "Request.RequesterName", "Requester Name" },
	{ 0x1011, S, 2048, "Request.CallerName", "Caller Name" },
	{ 0x1012, S, 8192, "Request.SignerPolicies", "Signer Policies" },
	{ 0x1013, S, 8192, "Request.SignerApplicationPolicies", "Signer Application Policies" },
	{ 0x1014, L, 4, "Request.Officer", "Officer" },
	{ 0x1015, S, 8192, "Request.DistinguishedName", "Request Distinguished Name" },
	{ 0x1016, B, 4096, "Request.RawName", "Request Binary Name" },
	{ 0x1017, S, 8192, "Request.Country", "Request Country/Region" },
	{ 0x1018, S, 8192, "Request.Organization", "Request Organization" },
	{ 0x1019, S, 8192, "Request.OrgUnit", "Request Organization Unit" },
	{ 0x101a, S, 8192, "Request.CommonName", "Request Common Name" },
	{ 0x101b, S, 8192, "Request.Locality", "Request City" },
	{ 0x101c, S, 8192, "Request.State", "Request State" },
	{ 0x101d, S, 8192, "Request.Title", "Request Title" },
	{ 0x101e, S, 8192, "Request.GivenName", "Request First Name" },
	{ 0x101f, S, 8192, "Request.Initials", "Request Initials" },
	{ 0x1020, S, 8192, "Request.SurName", "Request Last Name" },
	{ 0x1021, S, 8192, "Request.DomainComponent", "Request Domain Component" },
	{ 0x1022, S, 8192, "Request.EMail", "Request Email Address" },
	{ 0x1023, S, 8192, "Request.StreetAddress", "Request Street Address" },
	{ 0x1024, S, 8192, "Request.UnstructuredName", "Request Unstructured Name" },
	{ 0x1025, S, 8192, "Request.UnstructuredAddress", "Request Unstructured Address" },
	{ 0x1026, S, 8192, "Request.DeviceSerialNumber", "Request Device Serial Number" },
	{ 0x1027, B, 4096, "Request.AttestationChallenge", "Attestation Challenge" },
	{ 0x1028, S, 144, "Request.EndorsementKeyHash", "Endorsement Key Hash" },
	{ 0x1029, S, 144, "Request.EndorsementCertificateHash", "Endorsement Certificate Hash" },
	{ 0x102a, B, 16384, "Request.RawPrecertificate", "Binary Precertificate" },
	{ 0x102b, L, 4, "Request.CRLPartitionIndex", "CRL Partition Index" },
	{ 0x102c, B, 16384, "Request.LinterCertificate", "Binary Linter Certificate" },
	{ 0x2000, L | I, 4, "RequestID", "Issued Request ID" },
	{ 0x2001, B, 16384, "RawCertificate", "Binary Certificate" },
	{ 0x2002, S, 128, "CertificateHash", "Certificate Hash" },
	{ 0x2003, S | I, 254, "CertificateTemplate", "Certificate Template" },
	{ 0x2004, L, 4, "EnrollmentFlags", "Template Enrollment Flags" },
	{ 0x2005, L, 4, "GeneralFlags", "Template General Flags" },
	{ 0x2006, L, 4, "PrivateKeyFlags", "Private Key Flags" },
	{ 0x2007, S | I, 128, "SerialNumber", "Serial Number" },
	{ 0x2008, L, 4, "IssuerNameId", "Issuer Name ID" },
	{ 0x2009, D, 8, "NotBefore", "Certificate Effective Date" },
	{ 0x200a, D, 8, "NotAfter", "Certificate Expiration Date" },
	{ 0x200b, S, 128, "SubjectKeyIdentifier", "Issued Subject Key Identifier" },
	{ 0x200c, B, 4096, "RawPublicKey", "Binary Public Key" },
	{ 0x200d, L, 4, "PublicKeyLength", "Public Key Length" },
	{ 0x200e, S, 254, "PublicKeyAlgorithm", "Public Key Algorithm" },
	{ 0x200f, B, 4096, "RawPublicKeyAlgorithmParameters", "Public Key Algorithm Parameters" },
	{ 0x2010, L, 4, "PublishExpiredCertInCRL", "Publish Expired Certificate in CRL" },
	{ 0x2011, S, 2048, "UPN", "User Principal Name" },
	{ 0x2012, S, 8192, "DistinguishedName", "Issued Distinguished Name" },
	{ 0x2013, B, 4096, "RawName", "Issued Binary Name" },
	{ 0x2014, S, 8192, "Country", "Issued Country/Region" },
	{ 0x2015, S, 8192, "Organization", "Issued Organization" },
	{ 0x2016, S, 8192, "OrgUnit", "Issued Organization Unit" },
	{ 0x2017, S, 8192, "CommonName", "Issued Common Name" },
	{ 0x2018, S, 8192, "Locality", "Issued City" },
	{ 0x2019, S, 8192, "State", "Issued State" },
	{ 0x201a, S, 8192, "Title", "Issued Title" },
	{ 0x201b, S, 8192, "GivenName", "Issued First Name" },
	{ 0x201c, S, 8192, "Initials", "Issued Initials" },
	{ 0x201d, S, 8192, "SurName", "Issued Last Name" },
	{ 0x201e, S, 8192, "DomainComponent", "Issued Domain Component" },
	{ 0x201f, S, 8192, "EMail", "Issued Email address" },
	{ 0x2020, S, 8192, "StreetAddress", "Issued Street Address" },
	{ 0x2021, S, 8192, "UnstructuredName", "Issued Unstructured Name" },
	{ 0x2022, S, 8192, "UnstructuredAddress", "Issued Unstructured Address" },
	{ 0x2023, S, 8192, "DeviceSerialNumber", "Issued Device Serial Number" },
};

static const struct ae_admin_column attribute_columns[] = {
	{ 0x3000, L | I, 4, "AttributeRequestId", "Attribute Request Id" },
	{ 0x3001, S, 254, "AttributeName", "Attribute Name" },
	{ 0x3002, S, 8192, "AttributeValue", "Attribute Value" },
};

static const struct ae_admin_column extension_columns[] = {
	{ 0x4000, L | I, 4, "ExtensionRequestId", "Extension Request Id" },
	{ 0x4001, S, 254, "ExtensionName", "Extension Name" },
	{ 0x4002, L, 4, "ExtensionFlags", "Extension Flags" },
	{ 0x4003, B, 4096, "ExtensionRawValue", "Extension Raw Value" },
};

static const struct ae_admin_column crl_columns[] = {
	{ 0x5000, L | I, 4, "CRLRowId", "CRL Row ID" },
	{ 0x5001, L, 4, "CRLNumber", "CRL Number" },
	{ 0x5002, L, 4, "CRLMinBase", "CRL Minimum Base" },
	{ 0x5003, L, 4, "CRLNameId", "CRL Name ID" },
	{ 0x5004, L, 4, "CRLCount", "CRL Count" },
	{ 0x5005, D, 8, "CRLThisUpdate", "CRL This Update" },
	{ 0x5006, D, 8, "CRLNextUpdate", "CRL Next Update" },
	{ 0x5007, D, 8, "CRLThisPublish", "CRL This Publish" },
	{ 0x5008, D, 8, "CRLNextPublish", "CRL Next Publish" },
	{ 0x5009, D, 8, "CRLEffective", "CRL Effective" },
	{ 0x500a, D, 8, "CRLPropagationComplete", "CRL Propagation Complete" },
	{ 0x500b, D, 8, "CRLLastPublish", "CRL Last Published" },
	{ 0x500c, L, 4, "CRLPublishAttempts", "CRL Publish Attempts" },
	{ 0x500d, L, 4, "CRLPublishFlags", "CRL Publish Flags" },
	{ 0x500e, L, 4, "CRLPublishStatusCode", "CRL Publish Status Code" },
	{ 0x500f, S, 8192, "CRLPublishError", "CRL Publish Error Information" },
	{ 0x5010, B, 536870912, "CRLRawCRL", "CRL Raw CRL" },
	{ 0x5011, L, 4, "CRLPartitionIndex", "CRL Partition Index" },
};

#undef L
#undef D
#undef B
#undef S
#undef I

static const uint32_t pending_set[] = { 0x1000, 0x1010, 0x100b, 0x1008, 0x100a,
	0x2003, 0x101a, 0x1022, 0x1019, 0x1018, 0x101b, 0x101c, 0x1017, 0x1001 };
static const uint32_t issued_set[] = { 0x1000, 0x1010, 0x2007, 0x2009, 0x200a,
	0x2003, 0x2017, 0x201f, 0x2016, 0x2015, 0x2018, 0x2019, 0x2014, 0x2001 };
static const uint32_t revoked_set[] = { 0x1000, 0x1010, 0x2007, 0x2009, 0x200a,
	0x2003, 0x2017, 0x201f, 0x2016, 0x2015, 0x2018, 0x2019, 0x2014, 0x2001,
	0x100d, 0x100e, 0x100f };
static const uint32_t extension_set[] = { 0x4000, 0x4001, 0x4002, 0x4003 };
static const uint32_t attribute_set[] = { 0x3000, 0x3001, 0x3002 };
static const uint32_t crl_set[] = { 0x5000, 0x5001, 0x5002, 0x5003, 0x5004,
	0x5005, 0x5006, 0x5007, 0x5008, 0x5009, 0x500a, 0x500b, 0x500c, 0x500d,
	0x500e, 0x500f, 0x5010 };

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define SET(number, v) { (number), (v), COUNT(v) }
static const struct {
	uint32_t number;
	const uint32_t *v;
	size_t n;
} sets[] = {
	SET(0xffffffff, pending_set), SET(0xfffffffe, issued_set),
	SET(0xfffffffd, pending_set), SET(0xfffffffc, extension_set),
	SET(0xfffffffb, attribute_set), SET(0xfffffffa, crl_set),
	SET(0xfffffff9, revoked_set),
};

#define TABLE(number, v) { (number), (v), COUNT(v) }
static const struct {
	uint32_t number;
	const struct ae_admin_column *v;
	size_t n;
} tables[] = {
	TABLE(AE_ADMIN_TABLE_REQUEST, request_columns),
	TABLE(AE_ADMIN_TABLE_EXTENSION, extension_columns),
	TABLE(AE_ADMIN_TABLE_ATTRIBUTE, attribute_columns),
	TABLE(AE_ADMIN_TABLE_CRL, crl_columns),
};
/* clang-format on */

const struct ae_admin_column *
ae_admin_columns(uint32_t table, size_t *n)
{
	size_t i;

	for (i = 0; i < COUNT(tables); i++)
		if (tables[i].number == table) {
			*n = tables[i].n;
			return tables[i].v;
		}
	return NULL;
}

const struct ae_admin_column *
ae_admin_column_find(uint32_t id)
{
	size_t i, k;

	for (i = 0; i < COUNT(tables); i++)
		for (k = 0; k < tables[i].n; k++)
			if (tables[i].v[k].id == id)
				return &tables[i].v[k];
	return NULL;
}

const struct ae_admin_column *
ae_admin_column_named(const char *name)
{
	size_t i, k;

	for (i = 0; i < COUNT(tables); i++)
		for (k = 0; k < tables[i].n; k++)
			if (strcasecmp(tables[i].v[k].name, name) == 0)
				return &tables[i].v[k];
	return NULL;
}

bool
ae_admin_column_is_request(uint32_t id)
{
	return ae_admin_column_find(id) != NULL && id < 0x3000;
}

bool
ae_admin_column_is_crl(uint32_t id)
{
	return ae_admin_column_find(id) != NULL && id >= 0x5000;
}

const uint32_t *
ae_admin_default_columns(uint32_t set, size_t *n)
{
	size_t i;

	for (i = 0; i < COUNT(sets); i++)
		if (sets[i].number == set) {
			*n = sets[i].n;
			return sets[i].v;
		}
	return NULL;
}
