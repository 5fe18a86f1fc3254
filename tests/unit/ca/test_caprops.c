/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the CA says of itself: each property, each refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "ca/caprops.h"
#include "torture.h"
#include "wcce/caprop.h"
#include "wcce/hresult.h"
#include "wcce/icpr.h"

static const struct ae_ca_info_cert certs[] = {
	{ .cert = { (const uint8_t *)"old", 3 },
	    .state = AE_CA_STATE_EXPIRED,
	    .crl_state = AE_CA_STATE_EXPIRED,
	    .forward = { (const uint8_t *)"to new", 6 },
	    .forward_state = AE_CA_STATE_VALID,
	    .backward_state = AE_CA_STATE_ERROR,
	    .status = 0x800b0101 },
	{ .cert = { (const uint8_t *)"new", 3 },
	    .chain = { (const uint8_t *)"chain", 5 },
	    .crl = { (const uint8_t *)"crl", 3 },
	    .crl_chain = { (const uint8_t *)"both", 4 },
	    .state = AE_CA_STATE_VALID,
	    .crl_state = AE_CA_STATE_VALID,
	    .key_index = 1,
	    .forward_state = AE_CA_STATE_ERROR,
	    .backward = { (const uint8_t *)"to old", 6 },
	    .backward_state = AE_CA_STATE_EXPIRED,
	    .crl_publish_status = 5 },
};
static const struct ae_ca_info_template templates[] = {
	{ "Workstation", "1.2.3" },
	{ "Machine", NULL },
};
static const char *const urls[] = { "http://a/", "http://b/", NULL };
static struct ae_ca_info info = { .name = "Z\xc3\xbcrich CA",
	.dns_name = "ca1.example.com",
	.version = "0.1.0.0",
	.policy = "autoenroll Enterprise policy",
	.locale = "en-US",
	.root = true,
	.certs = certs,
	.ncerts = 2,
	.templates = templates,
	.ntemplates = 2,
	.cdp_urls = urls,
	.aia_urls = urls };

static struct ae_arena *a;
static struct ae_wcce_reply r;

static void
prop(int32_t id, int32_t index, int32_t type)
{
	const struct ae_wcce_request rq = { .iface = AE_WCCE_ICERTREQUESTD2,
		.call = AE_WCCE_CALL_GETPROPERTY,
		.opnum = AE_OP_GETCAPROPERTY,
		.authority = info.name,
		.prop_id = id,
		.prop_index = index,
		.prop_type = type };

	ae_arena_reset(a);
	assert_int_equal(ae_ca_property(&r, &info, &rq, a, NULL), AE_OK);
}

static void
is_text(int32_t id, const char *want)
{
	prop(id, 0, AE_PROPTYPE_STRING);
	assert_int_equal(r.hresult, 0);
	assert_string_equal(
	    ae_wcce_blob_string(a, r.value.p, r.value.len), want);
}

static void
is_blob(int32_t id, int32_t index, int32_t type, const void *p, size_t len)
{
	prop(id, index, type);
	assert_int_equal(r.hresult, 0);
	assert_int_equal(r.value.len, len);
	assert_memory_equal(r.value.p, p, len);
}

static void
strings(void **state)
{
	(void)state;
	is_text(AE_CR_PROP_CANAME, info.name);
	is_text(AE_CR_PROP_SANITIZEDCANAME, "Z!00fcrich CA");
	is_text(AE_CR_PROP_SANITIZEDCASHORTNAME, "Z!00fcrich CA");
	is_text(AE_CR_PROP_DNSNAME, "ca1.example.com");
	is_text(AE_CR_PROP_FILEVERSION, "0.1.0.0");
	is_text(AE_CR_PROP_PRODUCTVERSION, "0.1.0.0");
	is_text(AE_CR_PROP_POLICYDESCRIPTION, info.policy);
	is_text(AE_CR_PROP_LOCALENAME, "en-US");
	is_text(AE_CR_PROP_TEMPLATES, "Workstation\n1.2.3\nMachine\n\n");
	is_text(AE_CR_PROP_CERTCDPURLS, "http://a/\nhttp://b/\n");
	is_text(AE_CR_PROP_CERTAIAURLS, "http://a/\nhttp://b/\n");
	is_text(AE_CR_PROP_CERTAIAOCSPURLS, "");
	prop(AE_CR_PROP_SUBJECTTEMPLATE_OIDS, 0, AE_PROPTYPE_STRING);
	assert_int_equal(r.hresult, 0);
}

static void
blobs_and_indexes(void **state)
{
	static const int32_t binary[] = { AE_CR_PROP_CASIGCERT,
		AE_CR_PROP_CASIGCERTCHAIN, AE_CR_PROP_BASECRL,
		AE_CR_PROP_CASIGCERTCRLCHAIN };
	const int32_t B = AE_PROPTYPE_BINARY, L = AE_PROPTYPE_LONG;
	size_t i;

	(void)state;
	is_blob(AE_CR_PROP_CASIGCERT, 0, B, "old", 3);
	is_blob(AE_CR_PROP_CASIGCERT, 1, B, "new", 3);
	is_blob(AE_CR_PROP_CASIGCERT, -1, B, "new", 3);
	is_blob(AE_CR_PROP_CASIGCERTCHAIN, -1, B, "chain", 5);
	is_blob(AE_CR_PROP_BASECRL, -1, B, "crl", 3);
	is_blob(AE_CR_PROP_CASIGCERTCRLCHAIN, 1, B, "both", 4);
	is_blob(AE_CR_PROP_CACERTSTATE, 0, L, "\x04\x03", 2);
	is_blob(AE_CR_PROP_CRLSTATE, 1, L, "\x04\x03", 2);
	is_blob(AE_CR_PROP_CACERTVERSION, 0, L, "\0\0\0\0\1\0\1\0", 8);
	is_blob(AE_CR_PROP_BASECRLPUBLISHSTATUS, -1, L, "\5\0\0\0", 4);
	is_blob(AE_CR_PROP_CACERTSTATUSCODE, 0, L, "\1\1\x0b\x80", 4);
	is_blob(AE_CR_PROP_CAFORWARDCROSSCERT, 0, B, "to new", 6);
	is_blob(AE_CR_PROP_CABACKWARDCROSSCERT, 1, B, "to old", 6);
	is_blob(AE_CR_PROP_CAFORWARDCROSSCERTSTATE, 0, L, "\x03\x01", 2);
	is_blob(AE_CR_PROP_CABACKWARDCROSSCERTSTATE, 0, L, "\x01\x04", 2);
	/* the last has no successor, the first no predecessor */
	prop(AE_CR_PROP_CAFORWARDCROSSCERT, 1, B);
	assert_int_equal(r.hresult, AE_HR_PROPERTY_EMPTY);
	prop(AE_CR_PROP_CABACKWARDCROSSCERT, 0, B);
	assert_int_equal(r.hresult, AE_HR_PROPERTY_EMPTY);
	/* not there (yet): empty, not an error of the caller */
	prop(AE_CR_PROP_BASECRL, 0, B);
	assert_int_equal(r.hresult, AE_HR_PROPERTY_EMPTY);
	for (i = 0; i < 4; i++) {
		prop(binary[i], 2, B);
		assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
		prop(binary[i], -2, B);
		assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
	}
	/* the newest certificate's key began with an older one: its CRL */
	{
		struct ae_ca_info_cert same[2] = { certs[1], certs[1] };

		same[0].key_index = same[1].key_index = 0;
		same[1].crl.p = NULL;
		info.certs = same;
		is_blob(AE_CR_PROP_BASECRL, -1, B, "crl", 3);
		prop(AE_CR_PROP_BASECRL, 1, B);
		assert_int_equal(r.hresult, AE_HR_PROPERTY_EMPTY);
		info.certs = certs;
	}
	/* -1 is not for those */
	prop(AE_CR_PROP_CACERTSTATE, -1, L);
	assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
}

static void
cainfo(void **state)
{
	static const int32_t ids[] = { AE_CR_PROP_EXITCOUNT, AE_CR_PROP_CATYPE,
		AE_CR_PROP_CASIGCERTCOUNT, AE_CR_PROP_CAXCHGCERTCOUNT,
		AE_CR_PROP_CAPROPIDMAX, AE_CR_PROP_ROLESEPARATIONENABLED,
		AE_CR_PROP_KRACERTUSEDCOUNT, AE_CR_PROP_KRACERTCOUNT,
		AE_CR_PROP_ADVANCEDSERVER };
	struct ae_cainfo c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		prop(ids[i], 0, AE_PROPTYPE_LONG);
		assert_int_equal(r.hresult, 0);
		assert_true(ae_cainfo_get(&c, r.value.p, r.value.len));
		assert_int_equal(c.ca_type, AE_CATYPE_ENTERPRISE_ROOT);
		assert_int_equal(c.sig_certs, 2);
		assert_int_equal(c.prop_id_max, AE_CR_PROP_MAX);
		assert_int_equal(c.advanced_server, 1);
	}
}

static void
refusals(void **state)
{
	static const int32_t none[] = { AE_CR_PROP_CAXCHGCERT,
		AE_CR_PROP_CAXCHGCERTCHAIN, AE_CR_PROP_DELTACRL,
		AE_CR_PROP_DELTACRLPUBLISHSTATUS,
		AE_CR_PROP_CAXCHGCERTCRLCHAIN };
	int32_t id, type;
	size_t i;

	(void)state;
	/* unknown numbers; wrong types; wrong indexes */
	prop(0, 0, 1);
	assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
	prop(46, 0, 1);
	assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
	prop(-1, 0, 1);
	assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
	for (id = 1; id <= AE_CR_PROP_MAX; id++)
		for (type = 0; type <= 5; type++) {
			prop(id, 0, type);
			if (type != ae_cr_prop_find(id)->prop_type)
				assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
		}
	prop(AE_CR_PROP_CANAME, 1, AE_PROPTYPE_STRING);
	assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
	/* known, but this CA has none */
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		prop(none[i], 0, ae_cr_prop_find(none[i])->prop_type);
		assert_int_equal(r.hresult, AE_HR_PROPERTY_EMPTY);
		assert_null(r.value.p);
	}
	prop(AE_CR_PROP_SHAREDFOLDER, 0, AE_PROPTYPE_STRING);
	assert_int_equal(r.hresult, AE_HR_E_FILE_NOT_FOUND);
	prop(AE_CR_PROP_PARENTCA, 0, AE_PROPTYPE_STRING); /* a root */
	assert_int_equal(r.hresult, AE_HR_E_FILE_NOT_FOUND);
}

/*
 * Every property of MS-WCCE 3.2.1.4.3.2, with its type and what its indexes
 * -2, -1, 0, 1 and 2 answer at a root CA with two certificates, one recovery
 * agent and an exchange certificate: 0 a value, e CERTSRV_E_PROPERTY_EMPTY,
 * f ERROR_FILE_NOT_FOUND, i E_INVALIDARG.
 */
/* clang-format off */
static const struct {
	int32_t id;
	int32_t type;
	const char *answers;
} all[] = {
	{ AE_CR_PROP_FILEVERSION, AE_PROPTYPE_STRING, "ii0ii" },
	{ AE_CR_PROP_PRODUCTVERSION, AE_PROPTYPE_STRING, "ii0ii" },
	{ AE_CR_PROP_EXITCOUNT, AE_PROPTYPE_LONG, "ii0ii" },
	{ AE_CR_PROP_EXITDESCRIPTION, AE_PROPTYPE_STRING, "fffff" },
	{ AE_CR_PROP_POLICYDESCRIPTION, AE_PROPTYPE_STRING, "ii0ii" },
	{ AE_CR_PROP_CANAME, AE_PROPTYPE_STRING, "ii0ii" },
	{ AE_CR_PROP_SANITIZEDCANAME, AE_PROPTYPE_STRING, "ii0ii" },
	{ AE_CR_PROP_SHAREDFOLDER, AE_PROPTYPE_STRING, "iifii" },
	{ AE_CR_PROP_PARENTCA, AE_PROPTYPE_STRING, "iifii" },
	{ AE_CR_PROP_CATYPE, AE_PROPTYPE_LONG, "ii0ii" },
	{ AE_CR_PROP_CASIGCERTCOUNT, AE_PROPTYPE_LONG, "ii0ii" },
	{ AE_CR_PROP_CASIGCERT, AE_PROPTYPE_BINARY, "i000i" },
	{ AE_CR_PROP_CASIGCERTCHAIN, AE_PROPTYPE_BINARY, "i0e0i" },
	{ AE_CR_PROP_CAXCHGCERTCOUNT, AE_PROPTYPE_LONG, "ii0ii" },
	{ AE_CR_PROP_CAXCHGCERT, AE_PROPTYPE_BINARY, "i00ii" },
	{ AE_CR_PROP_CAXCHGCERTCHAIN, AE_PROPTYPE_BINARY, "i00ii" },
	{ AE_CR_PROP_BASECRL, AE_PROPTYPE_BINARY, "i0e0i" },
	{ AE_CR_PROP_DELTACRL, AE_PROPTYPE_BINARY, "eeeee" },
	{ AE_CR_PROP_CACERTSTATE, AE_PROPTYPE_LONG, "ii00i" },
	{ AE_CR_PROP_CRLSTATE, AE_PROPTYPE_LONG, "ii00i" },
	{ AE_CR_PROP_CAPROPIDMAX, AE_PROPTYPE_LONG, "ii0ii" },
	{ AE_CR_PROP_DNSNAME, AE_PROPTYPE_STRING, "ii0ii" },
	{ AE_CR_PROP_ROLESEPARATIONENABLED, AE_PROPTYPE_LONG, "ii0ii" },
	{ AE_CR_PROP_KRACERTUSEDCOUNT, AE_PROPTYPE_LONG, "ii0ii" },
	{ AE_CR_PROP_KRACERTCOUNT, AE_PROPTYPE_LONG, "ii0ii" },
	{ AE_CR_PROP_KRACERT, AE_PROPTYPE_BINARY, "ff0ff" },
	{ AE_CR_PROP_KRACERTSTATE, AE_PROPTYPE_LONG, "ff0ff" },
	{ AE_CR_PROP_ADVANCEDSERVER, AE_PROPTYPE_LONG, "ii0ii" },
	{ AE_CR_PROP_TEMPLATES, AE_PROPTYPE_STRING, "ii0ii" },
	{ AE_CR_PROP_BASECRLPUBLISHSTATUS, AE_PROPTYPE_LONG, "i000i" },
	{ AE_CR_PROP_DELTACRLPUBLISHSTATUS, AE_PROPTYPE_LONG, "eeeee" },
	{ AE_CR_PROP_CASIGCERTCRLCHAIN, AE_PROPTYPE_BINARY, "i0e0i" },
	{ AE_CR_PROP_CAXCHGCERTCRLCHAIN, AE_PROPTYPE_BINARY, "i00ii" },
	{ AE_CR_PROP_CACERTSTATUSCODE, AE_PROPTYPE_LONG, "i000i" },
	{ AE_CR_PROP_CAFORWARDCROSSCERT, AE_PROPTYPE_BINARY, "ii0ei" },
	{ AE_CR_PROP_CABACKWARDCROSSCERT, AE_PROPTYPE_BINARY, "iie0i" },
	{ AE_CR_PROP_CAFORWARDCROSSCERTSTATE, AE_PROPTYPE_LONG, "ii00i" },
	{ AE_CR_PROP_CABACKWARDCROSSCERTSTATE, AE_PROPTYPE_LONG, "ii00i" },
	{ AE_CR_PROP_CACERTVERSION, AE_PROPTYPE_LONG, "ii00i" },
	{ AE_CR_PROP_SANITIZEDCASHORTNAME, AE_PROPTYPE_STRING, "ii0ii" },
	{ AE_CR_PROP_CERTCDPURLS, AE_PROPTYPE_STRING, "i000i" },
	{ AE_CR_PROP_CERTAIAURLS, AE_PROPTYPE_STRING, "i000i" },
	{ AE_CR_PROP_CERTAIAOCSPURLS, AE_PROPTYPE_STRING, "i000i" },
	{ AE_CR_PROP_LOCALENAME, AE_PROPTYPE_STRING, "ii0ii" },
	{ AE_CR_PROP_SUBJECTTEMPLATE_OIDS, AE_PROPTYPE_STRING, "ii0ii" },
};
/* clang-format on */

static uint32_t
meant(char c)
{
	switch (c) {
	case '0':
		return 0;
	case 'e':
		return AE_HR_PROPERTY_EMPTY;
	case 'f':
		return AE_HR_E_FILE_NOT_FOUND;
	default:
		return AE_HR_E_INVALIDARG;
	}
}

static void
types_and_indexes_of_all(void **state)
{
	static const struct ae_ca_info_kra kra = {
		{ (const uint8_t *)"kra", 3 }, AE_KRA_VALID
	};
	static const struct ae_wcce_blob xchg = { (const uint8_t *)"xchg", 4 };
	const struct ae_ca_info before = info;
	const size_t n = sizeof(all) / sizeof(all[0]);
	int32_t type, index;
	size_t i;

	(void)state;
	info.kras = &kra;
	info.nkras = 1;
	info.xchg = info.xchg_chain = info.xchg_crls = xchg;
	assert_int_equal(n, AE_CR_PROP_MAX);
	for (i = 0; i < n; i++) {
		assert_int_equal(all[i].id, i + 1);
		for (type = 0; type <= 5; type++) {
			prop(all[i].id, 0, type);
			if (type != all[i].type)
				assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
		}
		for (index = -2; index <= 2; index++) {
			prop(all[i].id, index, all[i].type);
			if (r.hresult != meant(all[i].answers[index + 2]))
				fail_msg("property %d, index %d: 0x%08x",
				    all[i].id, index, r.hresult);
			/* a refusal has no value, an answer has one */
			assert_int_equal(r.hresult != 0, r.value.p == NULL);
		}
	}
	info = before;
}

static void
key_archival(void **state)
{
	static const struct ae_ca_info_kra kras[] = {
		{ { (const uint8_t *)"kra", 3 }, AE_KRA_VALID },
		{ { NULL, 0 }, AE_KRA_NOT_FOUND },
	};
	const struct ae_ca_info before = info;

	(void)state;
	/* out of range, MS-WCCE 3.2.1.4.3.2.26 */
	prop(AE_CR_PROP_KRACERT, 0, AE_PROPTYPE_BINARY);
	assert_int_equal(r.hresult, AE_HR_E_FILE_NOT_FOUND);
	prop(AE_CR_PROP_KRACERTSTATE, 0, AE_PROPTYPE_LONG);
	assert_int_equal(r.hresult, AE_HR_E_FILE_NOT_FOUND);
	info.xchg = (struct ae_wcce_blob){ (const uint8_t *)"xchg", 4 };
	info.kras = kras;
	info.nkras = 2;
	prop(AE_CR_PROP_CAXCHGCERT, 0, AE_PROPTYPE_BINARY);
	assert_int_equal(r.hresult, 0);
	assert_memory_equal(r.value.p, "xchg", 4);
	prop(AE_CR_PROP_CAXCHGCERT, -1, AE_PROPTYPE_BINARY);
	assert_int_equal(r.hresult, 0);
	prop(AE_CR_PROP_CAXCHGCERT, 1, AE_PROPTYPE_BINARY);
	assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
	prop(AE_CR_PROP_KRACERT, 0, AE_PROPTYPE_BINARY);
	assert_int_equal(r.hresult, 0);
	assert_memory_equal(r.value.p, "kra", 3);
	prop(AE_CR_PROP_KRACERT, 1, AE_PROPTYPE_BINARY);
	assert_int_equal(r.hresult, AE_HR_E_FILE_NOT_FOUND);
	prop(AE_CR_PROP_KRACERTSTATE, 1, AE_PROPTYPE_LONG);
	assert_int_equal(r.value.len, 2);
	assert_memory_equal(r.value.p, "\x03\x01", 2);
	info = before;
}

static void
get_ca_cert(void **state)
{
	static const struct {
		uint32_t fchain, hresult;
		const char *value;
		size_t len;
	} v[] = {
		{ AE_GETCERT_CASIGCERT, 0, "new", 3 },
		{ AE_GETCERT_CAXCHGCERT, AE_HR_PROPERTY_EMPTY, NULL, 0 },
		{ AE_GETCERT_CURRENTCRL, 0, "crl", 3 },
		{ AE_GETCERT_CATYPE, 0, "\0\0\0\0", 4 },
		{ AE_GETCERT_CACERTBYINDEX, 0, "old", 3 },
		{ AE_GETCERT_CACERTBYINDEX | 1, 0, "new", 3 },
		{ AE_GETCERT_CACERTBYINDEX | 2, AE_HR_E_INVALIDARG, NULL, 0 },
		{ AE_GETCERT_CRLBYINDEX | 1, 0, "crl", 3 },
		{ AE_GETCERT_CRLSTATEBYINDEX, 0, "\x04\x03", 2 },
		{ AE_GETCERT_CACERTSTATEBYINDEX | 1, 0, "\x04\x03", 2 },
		{ AE_GETCERT_EXITVERSIONBYINDEX, AE_HR_E_FILE_NOT_FOUND, NULL,
		    0 },
		{ AE_GETCERT_SHAREDFOLDER, AE_HR_E_FILE_NOT_FOUND, NULL, 0 },
		{ AE_GETCERT_PARENTCONFIG, AE_HR_E_FILE_NOT_FOUND, NULL, 0 },
		{ 2, AE_HR_E_INVALIDARG, NULL, 0 },
		{ 0xffffffff, AE_HR_E_INVALIDARG, NULL, 0 },
		{ 0x636b0000, AE_HR_E_INVALIDARG, NULL, 0 },
	};
	struct ae_wcce_request rq = { .iface = AE_WCCE_ICERTREQUESTD,
		.call = AE_WCCE_CALL_GETCACERT,
		.opnum = AE_OP_GETCACERT,
		.authority = info.name };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rq.fchain = v[i].fchain;
		assert_int_equal(
		    ae_ca_property(&r, &info, &rq, a, NULL), AE_OK);
		assert_int_equal(r.hresult, v[i].hresult);
		assert_int_equal(r.value.len, v[i].len);
		if (v[i].len > 0)
			assert_memory_equal(r.value.p, v[i].value, v[i].len);
	}
	/* the name may be asked without knowing it */
	rq.authority = NULL;
	rq.fchain = AE_GETCERT_CANAME;
	assert_int_equal(ae_ca_property(&r, &info, &rq, a, NULL), AE_OK);
	assert_string_equal(
	    ae_wcce_blob_string(a, r.value.p, r.value.len), info.name);
	rq.fchain = AE_GETCERT_SANITIZEDCANAME;
	assert_int_equal(ae_ca_property(&r, &info, &rq, a, NULL), AE_OK);
	assert_int_equal(r.hresult, 0);
	rq.fchain = AE_GETCERT_CASIGCERT;
	assert_int_equal(ae_ca_property(&r, &info, &rq, a, NULL), AE_OK);
	assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
}

static void
property_info(void **state)
{
	struct ae_wcce_request rq = { .iface = AE_WCCE_ICERTREQUESTD2,
		.call = AE_WCCE_CALL_GETPROPERTYINFO,
		.opnum = AE_OP_GETCAPROPERTYINFO,
		.authority = info.name };
	struct ae_catransprop *v;
	int32_t i;

	(void)state;
	assert_int_equal(ae_ca_property(&r, &info, &rq, a, NULL), AE_OK);
	assert_int_equal(r.hresult, 0);
	assert_true(r.nprops > 30);
	assert_int_equal(ae_catransprop_get(&v, (size_t)r.nprops, r.value.p,
			     r.value.len, a, NULL),
	    AE_OK);
	/* whatever is listed can be asked */
	for (i = 0; i < r.nprops; i++)
		assert_int_equal(
		    v[i].prop_type, ae_cr_prop_find(v[i].prop_id)->prop_type);
	rq.authority = "other";
	assert_int_equal(ae_ca_property(&r, &info, &rq, a, NULL), AE_OK);
	assert_int_equal(r.hresult, AE_HR_E_INVALIDARG);
	assert_null(r.value.p);
}

static void
ping(void **state)
{
	static const struct {
		const char *authority;
		uint32_t hresult;
	} v[] = { { NULL, 0 }, { "", 0 }, { "Z\xc3\xbcrich CA", 0 },
		{ "Z!00fcrich CA", 0 }, { "x", AE_HR_E_INVALIDARG } };
	struct ae_wcce_request rq = { .iface = AE_WCCE_ICERTREQUESTD2,
		.call = AE_WCCE_CALL_PING,
		.opnum = AE_OP_PING2 };
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		rq.authority = v[i].authority;
		assert_int_equal(
		    ae_ca_property(&r, &info, &rq, a, NULL), AE_OK);
		assert_int_equal(r.hresult, v[i].hresult);
	}
}

static bool
tortured(void *arg)
{
	const struct ae_wcce_request rq = { .iface = AE_WCCE_ICERTREQUESTD2,
		.call = AE_WCCE_CALL_GETPROPERTY,
		.opnum = AE_OP_GETCAPROPERTY,
		.authority = info.name,
		.prop_id = *(const int32_t *)arg,
		.prop_type = AE_PROPTYPE_STRING };
	struct ae_arena *m = ae_arena_new(1 << 16);
	struct ae_wcce_reply out;
	bool ok;

	if (m == NULL)
		return false;
	ok = ae_ca_property(&out, &info, &rq, m, NULL) == AE_OK &&
	    out.hresult == 0 && out.value.len > 2;
	ae_arena_free(m);
	return ok;
}

static void
torture(void **state)
{
	int32_t ids[] = { AE_CR_PROP_CANAME, AE_CR_PROP_SANITIZEDCANAME,
		AE_CR_PROP_TEMPLATES, AE_CR_PROP_CERTCDPURLS };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_true(ae_torture(tortured, &ids[i], 100, true) > 2);
}

static int
begin(void **state)
{
	(void)state;
	a = ae_arena_new(1 << 20);
	return a == NULL ? -1 : 0;
}

static int
end(void **state)
{
	(void)state;
	ae_arena_free(a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(blobs_and_indexes),
		cmocka_unit_test(cainfo),
		cmocka_unit_test(refusals),
		cmocka_unit_test(types_and_indexes_of_all),
		cmocka_unit_test(key_archival),
		cmocka_unit_test(get_ca_cert),
		cmocka_unit_test(property_info),
		cmocka_unit_test(ping),
		cmocka_unit_test(torture),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
