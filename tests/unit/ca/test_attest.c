/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Key attestation as it is decided: what a template may want, whose TPM
 * counts, what is refused and with what, and what goes in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/attest.h"
#include "faketpm.h"
#include "fixture.h"
#include "pki/oid.h"
#include "pki/tbs.h"
#include "wcce/hresult.h"

static struct fx f;
static struct faketpm tpm;
static struct ae_ca_trust trust;
static struct ae_wr statement, ek_info, ek_cert;
static uint8_t keys[1][AE_CA_EK_HASH];
static const uint8_t envelope[] = { 0x30, 0x00 };

/* The manufacturer, who is the fixture's CA, certifies that key. */
static void
certify_ek(const struct ae_key *k)
{
	static const uint8_t serial[] = { 7 };
	struct ae_tbs tbs = { .serial = { serial, 1 },
		.sigalg = ae_key_sigalg(f.ca_key, AE_HASH_SHA256),
		.issuer = f.ca_cert->subject,
		.subject = f.ca_cert->subject,
		.not_before = FX_NOW - 60,
		.not_after = FX_NOW + 60,
		.spki = ae_key_spki(k) };

	ae_wr_reset(&ek_cert);
	assert_int_equal(ae_tbs_sign(&ek_cert, &tbs, f.ca_key, NULL), AE_OK);
}

static void
send_ek(const struct ae_key *k, bool with_cert)
{
	const struct ae_der cert = { with_cert ? ek_cert.p : NULL,
		ek_cert.len };

	ae_wr_reset(&ek_info);
	assert_int_equal(ae_ek_info_put(&ek_info, k, cert, NULL), AE_OK);
	f.answers.ek = (struct ae_wcce_blob){ ek_info.p, ek_info.len };
}

/* A statement about that key, in a request of the fixture's. */
static void
attest_key(const struct ae_key *k)
{
	ae_wr_reset(&statement);
	assert_true(faketpm_attest(&tpm, &statement, k));
	f.csr_spec.attestation = (struct ae_der){ statement.p, statement.len };
	fx_csr(&f);
}

static int
reset(void **state)
{
	(void)state;
	fx_reset(&f);
	tpm.aik_attributes |= 0x10000;
	tpm.key_attributes |= 0x12;
	f.cfg.attest = &trust;
	trust = (struct ae_ca_trust){
		.roots = &f.ca_cert, .nroots = 1, .keys = keys, .nkeys = 0
	};
	f.t.private_key_flag = AE_CT_ATTEST_REQUIRED | AE_CT_EK_TRUST_ON_USE;
	f.csr_spec.ek_info = (struct ae_der){ envelope, sizeof(envelope) };
	f.csr_spec.ksp_name = AE_TPM_KSP_NAME;
	f.answers.answered |= AE_CA_ASK_EK;
	certify_ek(tpm.ek);
	send_ek(tpm.ek, true);
	attest_key(f.key);
	return 0;
}

static void
denied(uint32_t hr)
{
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, hr);
	assert_string_equal(fx_stop(&f)->check, "deny.attestation");
	assert_null(f.d.tbs);
}

static void
asked(uint32_t flags)
{
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
	assert_string_equal(fx_stop(&f)->check, "pending.attestation");
	assert_non_null(f.d.challenge);
	assert_null(f.d.tbs);
	assert_int_equal(f.d.request_flags, AE_CR_FLG_CHALLENGEPENDING | flags);
}

/* It has answered; policies: those that are in the certificate. */
static void
issued(uint32_t flags, const char *policy)
{
	struct ae_cert *c = NULL;
	struct ae_wr w;

	f.in.answered = true;
	f.in.row_flags =
	    flags | AE_CR_FLG_CHALLENGEPENDING | AE_CR_FLG_CHALLENGESATISFIED;
	f.answers.answered &= ~(unsigned)AE_CA_ASK_EK;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	assert_int_equal(f.d.request_flags, f.in.row_flags);
	ae_wr_init(&w, 8192);
	assert_int_equal(
	    ae_cert_parse_tbs(&c, f.d.tbs, f.d.tbs_len, NULL), AE_OK);
	assert_int_equal(c->x.cert_policies.n, policy != NULL);
	if (policy != NULL)
		assert_string_equal(c->x.cert_policies.v[0], policy);
	ae_cert_free(c);
	ae_wr_done(&w);
}

static void
trusted_on_use(void **state)
{
	(void)state;
	asked(AE_CR_FLG_TRUSTONUSE);
	issued(AE_CR_FLG_TRUSTONUSE, AE_OID_MS_EKVERIFYCREDS);
	f.t.private_key_flag |= AE_CT_ATTESTATION_WITHOUT_POLICY;
	issued(AE_CR_FLG_TRUSTONUSE, NULL);
}

static void
no_way_named_is_trust_on_use(void **state)
{
	(void)state;
	f.t.private_key_flag = AE_CT_ATTEST_REQUIRED;
	asked(AE_CR_FLG_TRUSTONUSE);
}

static void
by_certificate(void **state)
{
	struct ae_key *other = NULL;

	(void)state;
	f.t.private_key_flag = AE_CT_ATTEST_REQUIRED | AE_CT_EK_VALIDATE_CERT;
	asked(AE_CR_FLG_TRUSTEKCERT);
	issued(AE_CR_FLG_TRUSTEKCERT, AE_OID_MS_EKVERIFYCERT);
	reset(NULL);
	f.t.private_key_flag = AE_CT_ATTEST_REQUIRED | AE_CT_EK_VALIDATE_CERT;
	trust.nroots = 0;
	denied(AE_HR_INVALID_EK);
	trust.nroots = 1;
	send_ek(tpm.ek, false);
	denied(AE_HR_INVALID_EK);
	/* a good certificate, of another TPM */
	assert_int_equal(
	    ae_key_generate(&other, AE_KEY_RSA, 2048, NULL), AE_OK);
	certify_ek(other);
	send_ek(tpm.ek, true);
	denied(AE_HR_INVALID_EK);
	ae_key_free(other);
	certify_ek(tpm.ek);
	send_ek(tpm.ek, true);
	f.in.now = FX_NOW + 3600; /* it has ended */
	denied(AE_HR_INVALID_EK);
}

static void
by_key(void **state)
{
	struct ae_ek_info i;

	(void)state;
	f.t.private_key_flag = AE_CT_ATTEST_REQUIRED | AE_CT_EK_VALIDATE_KEY;
	denied(AE_HR_INVALID_EK);
	assert_int_equal(
	    ae_ek_info_parse(&i, ek_info.p, ek_info.len, NULL), AE_OK);
	trust.nkeys = 1;
	memcpy(keys[0], i.hash, sizeof(keys[0]));
	asked(AE_CR_FLG_TRUSTEKKEY);
	memcpy(keys[0], i.spki_hash, sizeof(keys[0]));
	asked(AE_CR_FLG_TRUSTEKKEY);
	ae_ek_info_done(&i);
	issued(AE_CR_FLG_TRUSTEKKEY, AE_OID_MS_EKVERIFYKEY);
}

/* Each way that is named must hold. */
static void
by_both(void **state)
{
	(void)state;
	f.t.private_key_flag = AE_CT_ATTEST_REQUIRED | AE_CT_EK_VALIDATE_CERT |
	    AE_CT_EK_VALIDATE_KEY;
	denied(AE_HR_INVALID_EK);
}

static void
preferred_goes_without(void **state)
{
	(void)state;
	f.t.private_key_flag = AE_CT_ATTEST_PREFERRED | AE_CT_EK_VALIDATE_KEY;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	assert_int_equal(f.d.request_flags, 0);
	f.csr_spec.attestation.p = NULL;
	fx_csr(&f);
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	f.cfg.attest = NULL;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	assert_true(fx_has_reason(&f, "request.attestation"));
}

static void
required_does_not(void **state)
{
	(void)state;
	f.csr_spec.attestation.p = NULL;
	fx_csr(&f);
	denied(AE_HR_KEY_ATTESTATION);
	f.cfg.attest = NULL;
	denied(AE_HR_KEY_ATTESTATION);
}

static void
a_template_without_it(void **state)
{
	(void)state;
	f.t.private_key_flag = 0;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	assert_int_equal(f.d.request_flags, 0);
}

/* What is not true is refused, preferred or required. */
static void
a_lie(uint32_t hr)
{
	denied(hr);
	f.t.private_key_flag = AE_CT_ATTEST_PREFERRED | AE_CT_EK_TRUST_ON_USE;
	denied(hr);
}

static void
attest_another_key(void **state)
{
	(void)state;
	attest_key(f.ca_key);
	a_lie(AE_HR_INVALID_ATTESTATION);
}

static void
attest_key_of_software(void **state)
{
	(void)state;
	tpm.aik_attributes &= ~0x10000u;
	attest_key(f.key);
	a_lie(AE_HR_INVALID_IDBINDING);
}

static void
attest_key_that_may_leave(void **state)
{
	(void)state;
	tpm.key_attributes &= ~0x12u;
	attest_key(f.key);
	a_lie(AE_HR_INVALID_ATTESTATION);
}

static void
a_forged_signature(void **state)
{
	(void)state;
	statement.p[28 + 4] ^= 1; /* in the attestation key's own area */
	fx_csr(&f);
	a_lie(AE_HR_INVALID_IDBINDING);
}

/* What the attestation key did not sign. */
static void
attest_forged_statement(void **state)
{
	(void)state;
	/* firmwareVersion in what is said about the key */
	statement.p[statement.len - 140 - 64 - 36 - 36 - 4] ^= 1;
	fx_csr(&f);
	a_lie(AE_HR_INVALID_ATTESTATION);
}

static void
what_is_no_statement(void **state)
{
	(void)state;
	statement.p[0] ^= 1;
	fx_csr(&f);
	a_lie(AE_HR_CORRUPT_KEY_ATTESTATION);
}

static void
another_provider(void **state)
{
	(void)state;
	f.csr_spec.ksp_name = "Microsoft Software Key Storage Provider";
	fx_csr(&f);
	denied(AE_HR_INVALID_ATTESTATION);
}

static void
what_the_signer_found(void **state)
{
	(void)state;
	f.answers.ek_hresult = AE_HR_CORRUPT_KEY_ATTESTATION;
	f.answers.ek_text = "not for this exchange certificate";
	denied(AE_HR_CORRUPT_KEY_ATTESTATION);
	f.answers.ek_hresult = 0;
	f.answers.ek.len--;
	denied(AE_HR_INVALID_EK);
	f.answers.answered &= ~(unsigned)AE_CA_ASK_EK;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_int_equal(f.d.ask, AE_CA_ASK_EK);
}

/* An officer's approval proves nothing about a TPM. */
static void
attest_approval_is_no_answer(void **state)
{
	(void)state;
	f.in.approved = true;
	f.in.row_flags = AE_CR_FLG_CHALLENGEPENDING | AE_CR_FLG_TRUSTONUSE;
	denied(AE_HR_KEY_ATTESTATION);
	f.in.row_flags |= AE_CR_FLG_CHALLENGESATISFIED;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ISSUE);
	/* and today's template wants more than the one of then */
	f.t.private_key_flag |= AE_CT_EK_VALIDATE_CERT;
	denied(AE_HR_KEY_ATTESTATION);
}

static void
approval_comes_after_the_challenge(void **state)
{
	(void)state;
	f.t.enrollment_flag |= AE_CT_PEND_ALL_REQUESTS;
	asked(AE_CR_FLG_TRUSTONUSE);
	f.in.answered = true;
	f.in.row_flags = AE_CR_FLG_ATTESTATION;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
	assert_null(f.d.challenge);
	assert_string_equal(fx_stop(&f)->check, "pending.awaiting-approval");
}

/* The same bytes, whose challenge is lost: another one. */
static void
asked_again(void **state)
{
	(void)state;
	f.row.disp = AE_DB_PENDING;
	f.row.request_flags = AE_CR_FLG_CHALLENGEPENDING | AE_CR_FLG_TRUSTONUSE;
	f.answers.row_same = &f.row;
	asked(AE_CR_FLG_TRUSTONUSE);
	f.row.request_flags |= AE_CR_FLG_CHALLENGESATISFIED;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_STORED);
}

static void
lists_of_keys(void **state)
{
	static const char good[] =
	    "# ours\n"
	    "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
	    " pc1\r\n\n"
	    "  "
	    "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
	static const char a[] = "0011", b[] = "zz", /* too short, no hex */
	    c[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccdd"
		  "eeff00", /* too long */
	    d[] =
		"\n00112233445566778899aabbccddeeff0011223344556677-899aabbccd"
		"deef";
	static const char *const bad[] = { a, b, c, d };
	const struct ae_ca_trust_text none = { NULL, 0 };
	struct ae_ca_trust_text text = { (const uint8_t *)good,
		sizeof(good) - 1 };
	struct ae_ca_trust *t = NULL;
	size_t i;

	(void)state;
	assert_int_equal(ae_ca_trust_parse(&t, none, none, text, NULL), AE_OK);
	assert_int_equal(t->nkeys, 2);
	assert_int_equal(t->keys[0][0], 0x00);
	assert_int_equal(t->keys[1][0], 0xff);
	ae_ca_trust_free(t);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text.p = (const uint8_t *)bad[i];
		text.len = strlen(bad[i]);
		assert_int_equal(
		    ae_ca_trust_parse(&t, none, none, text, NULL), AE_EPROTO);
	}
}

#define T(name) cmocka_unit_test_setup(name, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(trusted_on_use),
		T(no_way_named_is_trust_on_use),
		T(by_certificate),
		T(by_key),
		T(by_both),
		T(preferred_goes_without),
		T(required_does_not),
		T(a_template_without_it),
		T(attest_another_key),
		T(attest_key_of_software),
		T(attest_key_that_may_leave),
		T(a_forged_signature),
		T(attest_forged_statement),
		T(what_is_no_statement),
		T(another_provider),
		T(what_the_signer_found),
		T(attest_approval_is_no_answer),
		T(approval_comes_after_the_challenge),
		T(asked_again),
		T(lists_of_keys),
	};
	int failed;

	ae_wr_init(&statement, AE_ATTESTATION_MAX);
	ae_wr_init(&ek_info, AE_EK_INFO_MAX);
	ae_wr_init(&ek_cert, AE_EK_INFO_MAX);
	if (!fx_begin(&f) || !faketpm_begin(&tpm))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	faketpm_end(&tpm);
	fx_end(&f);
	ae_wr_done(&statement);
	ae_wr_done(&ek_info);
	ae_wr_done(&ek_cert);
	return failed;
}
