/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Every refusal, named after its HRESULT: one thing about a request that
 * would be granted is bent, and the verdict, the code and the reason must
 * be the right ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/pki.h"
#include "fixture.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/request.h"
#include "pki/tbs.h"
#include "wcce/hresult.h"
#include "wcce/icpr.h"

static struct fx f;

static int
setup(void **state)
{
	(void)state;
	fx_reset(&f);
	return 0;
}

/* It is refused so, for that reason, and the reply says it. */
static void
refused(enum ae_ca_verdict v, uint32_t hr, const char *check)
{
	struct ae_wcce_reply r;

	fx_decide(&f);
	if (f.d.verdict != v || f.d.hresult != hr)
		print_message(
		    "%s: %s\n", fx_stop(&f)->check, fx_stop(&f)->text);
	assert_int_equal(f.d.verdict, v);
	assert_int_equal(f.d.hresult, hr);
	assert_string_equal(fx_stop(&f)->check, check);
	assert_int_equal(fx_stop(&f)->mark, AE_CA_STOP);
	assert_null(f.d.tbs);
	ae_ca_reply(&r, &f.d, 7);
	assert_null(r.cert.p);
	assert_null(r.chain.p);
	if (v == AE_CA_REFUSE) {
		assert_int_equal(r.hresult, hr);
		return;
	}
	assert_int_equal(r.hresult, 0);
	assert_int_equal(r.disposition, hr);
	assert_non_null(r.message);
	assert_non_null(strstr(r.message, fx_stop(&f)->text));
}

static void
denied(uint32_t hr, const char *check)
{
	refused(AE_CA_DENY, hr, check);
	assert_non_null(strstr(f.d.message, "Denied by Policy Module"));
}

static void
failed(uint32_t hr, const char *check)
{
	refused(AE_CA_FAIL, hr, check);
}

static void
granted(void)
{
	fx_decide(&f);
	if (f.d.verdict != AE_CA_ISSUE)
		print_message(
		    "%s: %s\n", fx_stop(&f)->check, fx_stop(&f)->text);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
}

static void
nothing_bent_is_granted(void **state)
{
	(void)state;
	granted();
}

/* ---- the call ---- */

static void
e_invalidarg_80070057_another_ca(void **state)
{
	static const char *const names[] = { "Other CA", "", "Example  CA",
		"Example CA\n" };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		f.rq.authority = names[i];
		refused(AE_CA_REFUSE, AE_HR_E_INVALIDARG, "ca.name");
		assert_false(f.d.store);
	}
	f.rq.authority = NULL;
	refused(AE_CA_REFUSE, AE_HR_E_INVALIDARG, "ca.name");
	f.rq.authority = "EXAMPLE ca"; /* any case is right */
	granted();
}

static void
e_invalidarg_80070057_new_request_with_id(void **state)
{
	(void)state;
	f.rq.request_id = 5;
	refused(AE_CA_REFUSE, AE_HR_E_INVALIDARG, "deny.bad-request");
}

static void
enroll_denied_80094011(void **state)
{
	union {
		const struct ae_sd *c;
		struct ae_sd *v;
	} sd = { .c = f.cfg.sd };

	(void)state;
	/* the group is not in the ticket */
	f.caller.nsids = 0;
	f.sids[f.caller.nsids++] = f.user;
	denied(AE_HR_ENROLL_DENIED, "deny.ca-no-request-right");
	assert_false(f.d.store); /* strangers leave no rows */
	/* no DACL, no descriptor: never open */
	f.caller.nsids = 1;
	f.sids[0] = f.admins;
	fx_decide(&f);
	assert_true(f.d.hresult != AE_HR_ENROLL_DENIED);
	sd.v->has_dacl = false;
	denied(AE_HR_ENROLL_DENIED, "deny.ca-no-request-right");
	sd.v->has_dacl = true;
	f.cfg.sd = NULL;
	denied(AE_HR_ENROLL_DENIED, "deny.ca-no-request-right");
	f.cfg.sd = sd.c;
}

static void
e_accessdenied_80070005_delegated(void **state)
{
	(void)state;
	f.caller.delegated = true;
	denied(AE_HR_E_ACCESSDENIED, "deny.access-denied");
	f.cfg.allow_delegated = true;
	granted();
}

static void
not_supported_80070032(void **state)
{
	static const uint32_t bits[] = { AE_CR_IN_ROBO, AE_CR_IN_CT,
		AE_CR_IN_PRESIGN };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		f.rq.flags = bits[i];
		failed(AE_HR_E_NOT_SUPPORTED, "deny.bad-request");
	}
}

/* ---- inspection ---- */

static void
ask_row(uint32_t id)
{
	f.rq.csr = (struct ae_wcce_blob){ NULL, 0 };
	f.rq.request_id = id;
	f.rq.attributes = NULL;
	f.answers.row_id = &f.row;
	f.answers.row_serial = &f.row;
}

static void
e_invalidarg_80070057_inspection(void **state)
{
	(void)state;
	ask_row(0);
	refused(AE_CA_REFUSE, AE_HR_E_INVALIDARG, "deny.bad-request");
	/* Request2: id or serial, not both, not none */
	f.rq.iface = AE_WCCE_ICERTREQUESTD2;
	f.rq.opnum = AE_OP_REQUEST2;
	refused(AE_CA_REFUSE, AE_HR_E_INVALIDARG, "deny.bad-request");
	f.rq.request_id = 42;
	f.rq.serial = "1f00";
	refused(AE_CA_REFUSE, AE_HR_E_INVALIDARG, "deny.bad-request");
	f.rq.request_id = 0;
	f.rq.serial = "1f0";
	refused(AE_CA_REFUSE, AE_HR_E_INVALIDARG, "deny.bad-request");
	f.rq.serial = "xx";
	refused(AE_CA_REFUSE, AE_HR_E_INVALIDARG, "deny.bad-request");
	f.rq.serial = "";
	refused(AE_CA_REFUSE, AE_HR_E_INVALIDARG, "deny.bad-request");
}

static void
property_empty_80094004_not_there_or_not_yours(void **state)
{
	(void)state;
	ask_row(42);
	f.answers.row_id = NULL;
	refused(AE_CA_REFUSE, AE_HR_PROPERTY_EMPTY, "ca.no-such-request");
	f.answers.row_id = &f.row;
	f.row.sid = "S-1-5-21-1-2-3-1105";
	refused(AE_CA_REFUSE, AE_HR_PROPERTY_EMPTY, "ca.no-such-request");
	/* an officer may see it */
	f.sids[0] = f.admins;
	ae_sid_sort(f.sids, f.caller.nsids);
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_STORED);
}

static void
inspection_tells_the_state(void **state)
{
	static const struct {
		enum ae_db_disp disp;
		uint32_t disposition, hresult;
	} v[] = { { AE_DB_ISSUED, 3, 0 }, { AE_DB_PENDING, 5, 0 },
		{ AE_DB_ACTIVE, 5, 0 }, { AE_DB_REVOKED, 6, 0 },
		{ AE_DB_DENIED, 2, AE_HR_ADMIN_DENIED_REQUEST },
		{ AE_DB_FAILED, 0x80090006, 0 },
		{ AE_DB_VOID, 0x8000ffff, 0 } };
	struct ae_wcce_reply r;
	size_t i;

	(void)state;
	ask_row(42);
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		f.row.disp = v[i].disp;
		f.row.hresult = v[i].disp == AE_DB_FAILED ? 0x80090006 : 0;
		fx_decide(&f);
		assert_int_equal(f.d.verdict, AE_CA_STORED);
		ae_ca_reply(&r, &f.d, 0);
		assert_int_equal(r.disposition, v[i].disposition);
		assert_int_equal(r.hresult, v[i].hresult);
		assert_int_equal(r.request_id, 42);
		assert_int_equal(r.cert.p != NULL, v[i].disp == AE_DB_ISSUED);
	}
}

static void
inspection_by_serial(void **state)
{
	static const uint8_t serial[] = { 0x1f, 0xab };

	(void)state;
	ask_row(0);
	f.rq.iface = AE_WCCE_ICERTREQUESTD2;
	f.rq.opnum = AE_OP_REQUEST2;
	f.rq.serial = "001fAB"; /* one zero in front, any case */
	f.answers.answered = 0;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_int_equal(f.d.ask, AE_CA_ASK_ROW_SERIAL);
	assert_int_equal(f.d.ask_serial_len, 2);
	assert_memory_equal(f.d.ask_serial, serial, 2);
	f.answers.answered = AE_CA_ASK_ROW_SERIAL;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_STORED);
	/* ICPR has the serial number in the attributes */
	f.rq.iface = AE_WCCE_ICERTPASSAGE;
	f.rq.opnum = 0;
	f.rq.serial = NULL;
	f.rq.attributes = "1fab";
	f.rq.request_id = 42;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_STORED);
	assert_ptr_equal(f.d.row, &f.row);
}

/* ---- the bytes ---- */

static void
invalid_msg_type_80091004(void **state)
{
	static const uint32_t formats[] = { AE_CR_IN_KEYGEN,
		AE_CR_IN_CHALLENGERESPONSE, AE_CR_IN_SCTLIST, 0x700 };
	static const uint32_t other[] = { AE_CR_IN_PKCS7, AE_CR_IN_CMC };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		f.rq.flags = formats[i];
		failed(AE_HR_CRYPT_E_INVALID_MSG_TYPE, "deny.bad-request");
		assert_false(f.d.store);
	}
	for (i = 0; i < 2; i++) {
		f.rq.flags = other[i]; /* it is a PKCS#10 */
		failed(AE_HR_CRYPT_E_INVALID_MSG_TYPE, "deny.bad-request");
	}
	f.rq.flags = AE_CR_IN_PKCS10 | 0x02; /* low byte: ignored */
	granted();
}

static void
broken_bytes_leave_no_row(void **state)
{
	static const char *const v[] = { "", "x", "\x30\x80",
		"\x30\x03\x02\x01\x00" };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		f.rq.csr = (struct ae_wcce_blob){ (const uint8_t *)v[i],
			i == 0 ? 0 : strlen(v[i]) + (i == 3) };
		fx_decide(&f);
		assert_int_equal(f.d.verdict, AE_CA_FAIL);
		assert_true(f.d.hresult & 0x80000000);
		assert_false(f.d.store);
		assert_non_null(strstr(f.d.message, "Error Parsing Request"));
	}
}

static void
nte_bad_signature_80090006(void **state)
{
	(void)state;
	f.csr.p[f.csr.len - 1] ^= 1;
	failed(AE_HR_NTE_BAD_SIGNATURE, "deny.bad-signature");
	assert_true(f.d.store);
	assert_non_null(strstr(f.d.message,
	    "Error Verifying Request Signature or Signing Certificate"));
}

static void
weak_signature_80094016_sha1(void **state)
{
	(void)state;
	f.csr_spec.hash = AE_HASH_SHA1;
	fx_csr(&f);
	refused(AE_CA_DENY, AE_HR_WEAK_SIGNATURE_OR_KEY, "deny.weak-signature");
	f.cfg.allow_sha1_csr = true;
	granted();
}

static void
bad_renewal_cert_attribute_8009400e(void **state)
{
	(void)state;
	/* the certificate is there, but nothing is signed with it */
	f.csr_spec.renewal_cert = f.ca_cert->der;
	fx_csr(&f);
	failed(AE_HR_BAD_RENEWAL_CERT_ATTRIBUTE, "deny.renewal-attr");
}

/* A CMC around the PKCS#10 with that pair in its RegInfo. */
static void
use_cmc(const char *name, const char *value)
{
	const struct ae_pair pair = { name, value };
	static struct ae_wr w;
	struct ae_request_spec s = { .key = f.key,
		.hash = AE_HASH_SHA256,
		.reginfo = &pair,
		.nreginfo = name == NULL ? 0 : 1 };

	fx_csr(&f);
	s.pkcs10 = (struct ae_der){ f.csr.p, f.csr.len };
	ae_wr_done(&w);
	ae_wr_init(&w, 1 << 16);
	assert_int_equal(ae_request_build_cmc(&w, &s, &f.e), AE_OK);
	ae_wr_reset(&f.csr);
	ae_wr_bytes(&f.csr, w.p, w.len);
	f.rq.csr = (struct ae_wcce_blob){ f.csr.p, f.csr.len };
	f.rq.flags = AE_CR_IN_CMC;
	ae_wr_done(&w);
}

static void
cmc_is_taken(void **state)
{
	(void)state;
	f.rq.attributes = NULL;
	use_cmc("CertificateTemplate", "workstation");
	granted();
}

static void
restrictedofficer_80094009(void **state)
{
	(void)state;
	use_cmc("RequesterName", "EXAMPLE\\administrator");
	refused(AE_CA_DENY, AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
}

/* ---- which template ---- */

static void
no_cert_type_80094801(void **state)
{
	(void)state;
	f.rq.attributes = NULL;
	denied(AE_HR_NO_CERT_TYPE, "deny.no-template-info");
	f.rq.attributes = "ccm:pc1";
	denied(AE_HR_NO_CERT_TYPE, "deny.no-template-info");
	assert_true(f.d.store);
}

static void
unsupported_cert_type_80094800_unknown(void **state)
{
	static const char *const names[] = { "CertificateTemplate:Nope",
		"CertificateTemplate:1.2.3.4",
		"CertificateTemplate:*)(objectClass=*" };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		f.rq.attributes = names[i];
		denied(
		    AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
	}
}

static void
unsupported_cert_type_80094800_not_offered(void **state)
{
	(void)state;
	ae_strv_done(&f.published);
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
}

static void
unsupported_cert_type_80094800_unusable(void **state)
{
	(void)state;
	f.t.schema_version = 5;
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
	f.t.schema_version = 2;
	f.t.validity = 0;
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
	f.t.validity = 300; /* shorter than the clock skew */
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
	f.t.validity = 86400;
	f.t.private_key_flag = 7 << 16;
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
	f.t.private_key_flag = 6 << 16;
	granted();
}

static void
unsupported_cert_type_80094800_ca(void **state)
{
	(void)state;
	f.t.flags |= AE_CT_IS_CA;
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
	f.t.flags = AE_CT_MACHINE_TYPE | AE_CT_IS_CROSS_CA;
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
	f.t.flags = AE_CT_MACHINE_TYPE;
	f.t.key_usage.p[0] = AE_KU_KEY_CERT_SIGN;
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
	f.t.key_usage.p[0] = AE_KU_DIGITAL_SIGNATURE;
	free(f.t.cn);
	f.t.cn = strdup("subca");
	assert_true(ae_strv_add(&f.published, "SubCA"));
	f.rq.attributes = "CertificateTemplate:SubCA";
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "deny.template-not-supported");
}

static void
template_conflict_80094802_two_templates(void **state)
{
	const struct ae_pair pair = { "certificatetemplate", "Other" };

	(void)state;
	f.csr_spec.x.template_oid = f.other.oid;
	fx_csr(&f);
	denied(AE_HR_TEMPLATE_CONFLICT, "deny.template-conflict");
	f.csr_spec.x.template_oid = NULL;
	f.csr_spec.x.template_name = "Other";
	fx_csr(&f);
	denied(AE_HR_TEMPLATE_CONFLICT, "deny.template-conflict");
	f.csr_spec.x.template_name = NULL;
	f.csr_spec.pairs = &pair;
	f.csr_spec.npairs = 1;
	fx_csr(&f);
	denied(AE_HR_TEMPLATE_CONFLICT, "deny.template-conflict");
	/* the same one twice is none */
	f.csr_spec.npairs = 0;
	f.csr_spec.x.template_oid = f.t.oid;
	f.csr_spec.x.template_name = "WORKSTATION";
	fx_csr(&f);
	granted();
	use_cmc("CertificateTemplate", "Other");
	denied(AE_HR_TEMPLATE_CONFLICT, "deny.template-conflict");
}

static void
template_conflict_80094802_policies(void **state)
{
	(void)state;
	f.t.enrollment_flag |= AE_CT_ISSUANCE_POLICIES_FROM_REQUEST;
	assert_true(ae_strv_add(&f.csr_spec.x.cert_policies, "1.2.3.4"));
	fx_csr(&f);
	denied(AE_HR_TEMPLATE_CONFLICT, "deny.template-conflict");
	ae_strv_done(&f.csr_spec.x.cert_policies);
}

static void
bad_template_version_80094807(void **state)
{
	static const struct {
		uint32_t major, minor;
		bool good;
	} v[] = { { 100, 3, true }, { 100, 2, true }, { 99, 7, true },
		{ 100, 4, false }, { 101, 0, false }, { 0xffffffff, 0, false },
		{ 0, 0, true } };
	size_t i;

	(void)state;
	f.csr_spec.x.template_oid = f.t.oid;
	f.csr_spec.x.has_template_major = true;
	f.csr_spec.x.has_template_minor = true;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		f.csr_spec.x.template_major = v[i].major;
		f.csr_spec.x.template_minor = v[i].minor;
		fx_csr(&f);
		if (v[i].good)
			granted();
		else
			denied(AE_HR_BAD_TEMPLATE_VERSION,
			    "deny.template-version");
	}
}

static void
template_denied_80094012_group_not_in_the_ticket(void **state)
{
	struct ae_sid group;

	(void)state;
	/*
	 * The right is a group's.  The directory knows the computer as a
	 * member, its ticket is older and does not: the ticket decides.
	 */
	assert_true(ae_sid_parse(&group, "S-1-5-21-1-2-3-2001"));
	while (f.t.sd->dacl.n > 0)
		ae_sd_remove(f.t.sd, 0);
	assert_int_equal(ae_sd_allow(f.t.sd, 0, AE_ACCESS_CONTROL,
			     &ae_right_enroll, &group, NULL),
	    AE_OK);
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
	assert_string_equal(fx_stop(&f)->section, "MS-WCCE 3.2.2.6.2.1.4.3");
	assert_non_null(strstr(fx_stop(&f)->text, "EXAMPLE"));
	/* with the next ticket it is granted */
	f.sids[f.caller.nsids++] = group;
	ae_sid_sort(f.sids, f.caller.nsids);
	granted();
}

static void
template_denied_80094012_by_descriptor(void **state)
{
	struct ae_sd *sd = f.t.sd;

	(void)state;
	/* a deny entry in front */
	assert_int_equal(ae_sd_deny(sd, 0, AE_ACCESS_CONTROL, &ae_right_enroll,
			     &f.user, NULL),
	    AE_OK);
	ae_sd_canonicalize(sd);
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
	/* another right only: auto-enrollment is not enrollment */
	while (sd->dacl.n > 0)
		ae_sd_remove(sd, 0);
	assert_int_equal(ae_sd_allow(sd, 0, AE_ACCESS_CONTROL,
			     &ae_right_autoenroll, &f.computers, NULL),
	    AE_OK);
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
	/* none at all */
	f.t.sd = NULL;
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
	f.t.sd = sd;
}

/* ---- what the template demands ---- */

static void
key_attestation_8009481a(void **state)
{
	(void)state;
	f.t.private_key_flag = AE_CT_ATTEST_REQUIRED;
	denied(AE_HR_KEY_ATTESTATION, "deny.attestation");
}

static void
signature_policy_required_80094809(void **state)
{
	(void)state;
	f.t.ra_signature = 1;
	denied(AE_HR_SIGNATURE_POLICY_REQUIRED, "deny.ra-policy");
	/* a CMC's own new-key signature is not an authority's */
	use_cmc(NULL, NULL);
	denied(AE_HR_SIGNATURE_POLICY_REQUIRED, "deny.ra-policy");
}

static void
key_length_80094811(void **state)
{
	(void)state;
	f.t.min_key_size = 257;
	denied(AE_HR_KEY_LENGTH, "deny.key-length");
	f.t.min_key_size = 2048; /* an EC key is no RSA key */
	denied(AE_HR_KEY_LENGTH, "deny.key-length");
}

static void
nte_bad_algid_80090008(void **state)
{
	(void)state;
	f.t.algorithms.asymmetric = strdup("RSA");
	denied(AE_HR_NTE_BAD_ALGID, "deny.key-algorithm");
	free(f.t.algorithms.asymmetric);
	f.t.algorithms.asymmetric = strdup("ECDSA_P256");
	granted();
}

static void
weak_key_80094016(void **state)
{
	struct ae_key *rsa = NULL;

	(void)state;
	assert_int_equal(ae_key_generate(&rsa, AE_KEY_RSA, 2048, &f.e), AE_OK);
	fx_csr_with(&f, rsa);
	granted();
	f.cfg.rsa_bits_min = 3072;
	denied(AE_HR_WEAK_SIGNATURE_OR_KEY, "deny.weak-key");
	f.t.min_key_size = 3072; /* the template's word comes first */
	denied(AE_HR_KEY_LENGTH, "deny.key-length");
	ae_key_free(rsa);
}

static void
archived_key_required_80094804(void **state)
{
	(void)state;
	f.t.private_key_flag = AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL;
	denied(AE_HR_ARCHIVED_KEY_REQUIRED, "deny.archive-required");
	f.t.schema_version = 1; /* has no such flag */
	granted();
}

static void
esc1_bad_requestsubject_80094001(void **state)
{
	(void)state;
	f.t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	denied(AE_HR_BAD_REQUESTSUBJECT, "template.supplied-auth-subject");
	/* application policies bind those alone who look at them */
	ae_strv_done(&f.t.ekus);
	ae_strv_done(&f.t.application_policies);
	assert_true(
	    ae_strv_add(&f.t.application_policies, AE_OID_EKU_SERVER_AUTH));
	denied(AE_HR_BAD_REQUESTSUBJECT, "template.supplied-auth-subject");
}

static void
esc2_unsupported_cert_type_80094800_any_purpose(void **state)
{
	(void)state;
	ae_strv_done(&f.t.ekus);
	ae_strv_done(&f.t.application_policies);
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "template.any-purpose");
	f.cfg.allow_any_purpose = true;
	granted();
	/* said in so many words (ESC2) */
	f.cfg.allow_any_purpose = false;
	assert_true(ae_strv_add(&f.t.ekus, AE_OID_EKU_ANY));
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "template.any-purpose");
	ae_strv_done(&f.t.ekus);
	assert_true(ae_strv_add(&f.t.ekus, AE_OID_EKU_SERVER_AUTH));
	assert_true(ae_strv_add(
	    &f.t.application_policies, AE_OID_POLICY_ANY_APPLICATION));
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "template.any-purpose");
	/* of schema 1 the policies do not get into the certificate */
	ae_strv_done(&f.t.ekus);
	ae_strv_done(&f.t.application_policies);
	assert_true(
	    ae_strv_add(&f.t.application_policies, AE_OID_EKU_SERVER_AUTH));
	f.t.schema_version = 1;
	denied(AE_HR_UNSUPPORTED_CERT_TYPE, "template.any-purpose");
}

static void
esc13_template_denied_80094012_a_group_of_others(void **state)
{
	static char oid[] = "1.3.6.1.4.1.311.21.8.9.1.400", upper[] = "1.2.3";
	static char group[] = "CN=Vault,CN=Users,DC=example,DC=com";
	static char other[] = "S-1-5-21-1-2-3-1200";
	char own[AE_SID_STR_MAX];
	struct ae_pki_oid links[] = {
		{ .oid = upper },
		{ .oid = oid, .flags = 2, .group = group, .group_sid = other }
	};

	(void)state;
	f.set.oids = links;
	f.set.noids = 2;
	granted(); /* a link that the template has nothing to do with */
	assert_true(ae_strv_add(&f.t.certificate_policies, upper));
	granted(); /* a policy without one */
	assert_true(ae_strv_add(&f.t.certificate_policies, oid));
	denied(AE_HR_TEMPLATE_DENIED, "template.policy-group");
	assert_non_null(strstr(fx_stop(&f)->text, group));
	links[1].group_sid = NULL; /* gone, or of a domain that is away */
	denied(AE_HR_TEMPLATE_DENIED, "template.policy-group");
	/* members get it, and others where the administrator says so */
	ae_sid_print(own, &f.computers);
	links[1].group_sid = own;
	granted();
	links[1].group_sid = other;
	f.cfg.allow_group_policies = true;
	granted();
	assert_true(fx_has_reason(&f, "template.policy-group"));
	/* what does not go into the certificate makes nobody a member */
	f.cfg.allow_group_policies = false;
	f.t.enrollment_flag |= AE_CT_ISSUANCE_POLICIES_FROM_REQUEST;
	granted();
}

/* ---- names ---- */

static void
subject_dns_required_8009480f(void **state)
{
	(void)state;
	f.answers.requester.dns_host_name = NULL;
	denied(AE_HR_SUBJECT_DNS_REQUIRED, "deny.subject-dns");
	f.answers.requester.dns_host_name = "";
	denied(AE_HR_SUBJECT_DNS_REQUIRED, "deny.subject-dns");
	f.answers.requester.found = false;
	denied(AE_HR_SUBJECT_DNS_REQUIRED, "deny.subject-dns");
	/* a template for users that wants it all the same */
	fx_reset(&f);
	f.t.flags = 0;
	f.t.name_flag = AE_CT_SAN_DNS;
	f.answers.requester.dns_host_name = NULL;
	denied(AE_HR_SUBJECT_DNS_REQUIRED, "deny.subject-dns");
}

static void
cve_2022_26923_subject_dns_required_8009480f_borne_by_others(void **state)
{
	(void)state;
	f.answers.requester.dns_host_name = "dc1.example.com";
	f.answers.dns_other_owners = 1;
	denied(AE_HR_SUBJECT_DNS_REQUIRED, "deny.duplicate-name");
	assert_non_null(strstr(fx_stop(&f)->text, "dc1.example.com"));
}

static void
subject_dns_required_8009480f_domain(void **state)
{
	(void)state;
	f.t.name_flag |= AE_CT_SAN_DOMAIN_DNS;
	granted();
	f.answers.requester.domain_dns = NULL;
	denied(AE_HR_SUBJECT_DNS_REQUIRED, "deny.subject-dns");
}

static void
subject_upn_required_8009480d(void **state)
{
	static const uint32_t flags[] = { AE_CT_SAN_UPN, AE_CT_SAN_SPN };
	size_t i;

	(void)state;
	f.answers.requester.upn = NULL;
	for (i = 0; i < 2; i++) {
		f.t.name_flag = flags[i];
		denied(AE_HR_SUBJECT_UPN_REQUIRED, "deny.subject-upn");
	}
}

static void
subject_directory_guid_required_8009480e(void **state)
{
	(void)state;
	f.t.name_flag = AE_CT_SAN_DIRECTORY_GUID;
	granted();
	f.answers.requester.guid = (struct ae_guid){ 0 };
	denied(AE_HR_SUBJECT_DIRECTORY_GUID_REQUIRED, "deny.subject-guid");
}

static void
subject_email_required_80094812(void **state)
{
	static const uint32_t flags[] = { AE_CT_SAN_EMAIL, AE_CT_SUBJECT_EMAIL,
		AE_CT_SUBJECT_EMAIL | AE_CT_SUBJECT_DIRECTORY_PATH };
	size_t i;

	(void)state;
	f.answers.requester.mail = NULL;
	for (i = 0; i < 3; i++) {
		f.t.name_flag = flags[i];
		denied(AE_HR_SUBJECT_EMAIL_REQUIRED, "deny.subject-email");
	}
}

static void
bad_requestsubject_80094001(void **state)
{
	static char label[70];

	(void)state;
	/* nothing at all */
	f.t.name_flag = 0;
	denied(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
	/* too long for a common name */
	memset(label, 'a', 65);
	f.t.name_flag = AE_CT_SUBJECT_DNS_AS_CN;
	f.answers.requester.dns_host_name = label;
	denied(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
	label[64] = '\0';
	granted();
	/* what no certificate can hold */
	f.t.name_flag = AE_CT_SAN_DNS;
	f.answers.requester.dns_host_name = "pc1.ex\xc3\xa4mple.com";
	failed(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
	/* a user without cn, a path that is none */
	f.t.flags = 0;
	f.t.name_flag = AE_CT_SUBJECT_COMMON_NAME;
	f.answers.requester.cn = NULL;
	denied(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
	f.t.name_flag = AE_CT_SUBJECT_DIRECTORY_PATH;
	f.answers.requester.dn = NULL;
	denied(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
	f.answers.requester.dn = "no path";
	denied(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
}

static void
supply(const char *cn, const struct ae_san *sans, size_t n)
{
	const struct ae_name_part part = { "CN", cn };
	static struct ae_wr name;

	ae_strv_done(&f.t.ekus);
	ae_strv_done(&f.t.application_policies);
	assert_true(ae_strv_add(&f.t.ekus, AE_OID_EKU_SERVER_AUTH));
	f.t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	ae_wr_done(&name);
	ae_wr_init(&name, 1024);
	assert_int_equal(
	    ae_name_encode(&name, &part, cn == NULL ? 0 : 1, &f.e), AE_OK);
	f.csr_spec.subject = (struct ae_der){ name.p, name.len };
	f.csr_spec.x.sans = sans;
	f.csr_spec.x.nsans = n;
	fx_csr(&f);
	f.csr_spec.subject = (struct ae_der){ NULL, 0 };
	f.csr_spec.x.nsans = 0;
	ae_wr_done(&name);
}

static void
bad_requestsubject_80094001_supplied(void **state)
{
	const struct ae_san dns = { .type = AE_SAN_DNS, .text = "www" };
	const struct ae_san guid = { .type = AE_SAN_GUID };

	(void)state;
	supply(NULL, &dns, 1);
	denied(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
	supply("www", &guid, 1);
	denied(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
	supply("www", &dns, 1);
	granted();
	assert_true(fx_has_reason(&f, "template.supplied-subject"));
}

/* A request for a server's certificate of these names; "" leaves one out. */
static void
ask_host(const char *cn, const char *dns)
{
	const struct ae_san san = { .type = AE_SAN_DNS, .text = dns };

	supply(cn, &san, dns[0] != '\0');
}

static void
esc17_bad_requestsubject_80094001_a_server_s_name(void **state)
{
	static const char check[] = "template.supplied-host-name";
	static const char *const hosts[] = { "PC1", "www.example.com" };
	static const struct {
		const char *cn, *dns;
		bool own;
	} v[] = {
		{ "pc1.example.com", "", true },
		{ "PC1.example.com", "pc1.EXAMPLE.com", true },
		{ "Web server of sales", "www.example.com", true },
		{ "pc1", "pc1.example.com", true },
		{ "wsus.example.com", "", false },
		{ "wsus", "", false },
		{ "*.example.com", "", false },
		{ "192.0.2.1", "", false },
		{ "Update server", "wsus.example.com", false },
		{ "Update server", "pc1.example.com.", false },
		{ "pc1.example.com", "wsus.example.com", false },
	};
	size_t i;

	(void)state;
	ae_strv_done(&f.cfg.any_host_names);
	f.answers.requester.hosts = hosts;
	f.answers.requester.nhosts = 2;
	f.answers.answered |= AE_CA_ASK_NAMES;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		ask_host(v[i].cn, v[i].dns);
		f.answers.nnames =
		    v[i].dns[0] != '\0' && strchr(v[i].cn, ' ') == NULL ? 2 : 1;
		if (v[i].own)
			granted();
		else
			denied(AE_HR_BAD_REQUESTSUBJECT, check);
	}
	/* by the template, or for all */
	assert_true(ae_strv_add(&f.cfg.any_host_names, "Other"));
	denied(AE_HR_BAD_REQUESTSUBJECT, check);
	assert_true(ae_strv_add(&f.cfg.any_host_names, "workstation"));
	granted();
	ae_strv_done(&f.cfg.any_host_names);
	/* the usage may be said in application policies alone */
	ae_strv_done(&f.t.ekus);
	assert_true(ae_strv_add(&f.t.ekus, "1.3.6.1.5.5.7.3.8"));
	granted();
	assert_true(
	    ae_strv_add(&f.t.application_policies, AE_OID_EKU_SERVER_AUTH));
	denied(AE_HR_BAD_REQUESTSUBJECT, check);
	/* an officer sees the names, or an authority signed them */
	f.t.enrollment_flag |= AE_CT_PEND_ALL_REQUESTS;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
}

static void
esc17_names_that_others_bear(void **state)
{
	static const uint8_t ip[] = { 192, 0, 2, 1 };
	const struct ae_san san = { .type = AE_SAN_IP, .der = { ip, 4 } };

	(void)state;
	ae_strv_done(&f.cfg.any_host_names);
	ask_host("pc1.example.com", "");
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_int_equal(f.d.ask, AE_CA_ASK_NAMES);
	assert_int_equal(f.d.nask_names, 1);
	assert_string_equal(f.d.ask_names[0], "pc1.example.com");
	f.answers.answered |= AE_CA_ASK_NAMES;
	f.answers.nnames = 1;
	f.answers.name_other_owners = 2;
	denied(AE_HR_SUBJECT_DNS_REQUIRED, "deny.duplicate-name");
	f.answers.name_other_owners = 0;
	granted();
	f.answers.failed = AE_CA_ASK_NAMES;
	denied(AE_HR_DS_UNAVAILABLE, "deny.requester-lookup");
	f.answers.failed = 0;
	f.answers.requester.found = false;
	denied(AE_HR_NO_SUCH_USER, "deny.requester-lookup");
	f.answers.requester.found = true;
	supply("Update server", &san, 1); /* an address is nobody's */
	denied(AE_HR_BAD_REQUESTSUBJECT, "template.supplied-host-name");
}

/* The tag URI of strong mapping is a SID, and a SID nobody chooses. */
static void
bad_requestsubject_80094001_sid_in_uri(void **state)
{
	static const char *const bad[] = {
		"tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500",
		"TAG:Microsoft.com,2022-09-14:SID:S-1-5-21-1-2-3-500",
		"tag:microsoft.com,2022-09-14:sid:",
		"tag:microsoft.com,2030-01-01:sid:S-1-5-21-1-2-3-500",
	};
	struct ae_san san = { .type = AE_SAN_URI };
	char own[AE_SID_STR_MAX], uri[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		san.text = bad[i];
		supply("www", &san, 1);
		denied(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
	}
	san.text = uri;
	(void)snprintf(uri, sizeof(uri), "tag:microsoft.com,2022-09-14:sid:%s",
	    ae_sid_print(own, &f.user));
	supply("www", &san, 1);
	granted();
	strcat(uri, "0");
	supply("www", &san, 1);
	denied(AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject");
	san.text = "https://www.example.com/";
	supply("www", &san, 1);
	granted();
}

static void
no_such_user_80070525(void **state)
{
	(void)state;
	f.t.flags = 0;
	f.answers.requester.found = false;
	denied(AE_HR_NO_SUCH_USER, "deny.requester-lookup");
}

static void
e_unexpected_8000ffff_somebody_else(void **state)
{
	(void)state;
	f.answers.requester.sid = f.admins;
	failed(AE_HR_E_UNEXPECTED, "deny.requester-lookup");
}

static void
ds_unavailable_8007200f(void **state)
{
	static const unsigned asked[] = { AE_CA_ASK_REQUESTER,
		AE_CA_ASK_DNS_OWNERS };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		f.answers.failed = asked[i];
		denied(AE_HR_DS_UNAVAILABLE, "deny.requester-lookup");
	}
}

static void
no_db_sessions_8009400f(void **state)
{
	(void)state;
	f.answers.failed = AE_CA_ASK_ROW_SAME;
	refused(AE_CA_DENY, AE_HR_NO_DB_SESSIONS, "deny.requester-lookup");
}

/* ---- the CA itself ---- */

static void
invalid_ca_certificate_80094005(void **state)
{
	(void)state;
	f.in.now = f.ca_cert->not_after;
	denied(AE_HR_INVALID_CA_CERTIFICATE, "deny.ca-expired");
	f.in.now = f.ca_cert->not_before - 1;
	denied(AE_HR_INVALID_CA_CERTIFICATE, "deny.ca-expired");
}

static void
admin_denied_request_80094014(void **state)
{
	(void)state;
	f.cfg.request_disposition = AE_REQDISP_DENY;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, AE_HR_ADMIN_DENIED_REQUEST);
}

#define T(x) cmocka_unit_test_setup(x, setup)

static int
begin(void **state)
{
	(void)state;
	return fx_begin(&f) ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	fx_end(&f);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_bent_is_granted),
		T(e_invalidarg_80070057_another_ca),
		T(e_invalidarg_80070057_new_request_with_id),
		T(enroll_denied_80094011),
		T(e_accessdenied_80070005_delegated),
		T(not_supported_80070032),
		T(e_invalidarg_80070057_inspection),
		T(property_empty_80094004_not_there_or_not_yours),
		T(inspection_tells_the_state),
		T(inspection_by_serial),
		T(invalid_msg_type_80091004),
		T(broken_bytes_leave_no_row),
		T(nte_bad_signature_80090006),
		T(weak_signature_80094016_sha1),
		T(bad_renewal_cert_attribute_8009400e),
		T(cmc_is_taken),
		T(restrictedofficer_80094009),
		T(no_cert_type_80094801),
		T(unsupported_cert_type_80094800_unknown),
		T(unsupported_cert_type_80094800_not_offered),
		T(unsupported_cert_type_80094800_unusable),
		T(unsupported_cert_type_80094800_ca),
		T(template_conflict_80094802_two_templates),
		T(template_conflict_80094802_policies),
		T(bad_template_version_80094807),
		T(template_denied_80094012_group_not_in_the_ticket),
		T(template_denied_80094012_by_descriptor),
		T(key_attestation_8009481a),
		T(signature_policy_required_80094809),
		T(key_length_80094811),
		T(nte_bad_algid_80090008),
		T(weak_key_80094016),
		T(archived_key_required_80094804),
		T(esc1_bad_requestsubject_80094001),
		T(esc2_unsupported_cert_type_80094800_any_purpose),
		T(esc17_bad_requestsubject_80094001_a_server_s_name),
		T(esc17_names_that_others_bear),
		T(esc13_template_denied_80094012_a_group_of_others),
		T(subject_dns_required_8009480f),
		T(cve_2022_26923_subject_dns_required_8009480f_borne_by_others),
		T(subject_dns_required_8009480f_domain),
		T(subject_upn_required_8009480d),
		T(subject_directory_guid_required_8009480e),
		T(subject_email_required_80094812),
		T(bad_requestsubject_80094001),
		T(bad_requestsubject_80094001_supplied),
		T(bad_requestsubject_80094001_sid_in_uri),
		T(no_such_user_80070525),
		T(e_unexpected_8000ffff_somebody_else),
		T(ds_unavailable_8007200f),
		T(no_db_sessions_8009400f),
		T(invalid_ca_certificate_80094005),
		T(admin_denied_request_80094014),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
