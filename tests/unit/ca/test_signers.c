/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests that certificates sign: renewals, enrollment agents, registration
 * authorities.  Each thing a signing certificate must be is bent once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <string.h>

#include "ca/rights.h"
#include "ad/pki.h"
#include "fixture.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/request.h"
#include "pki/tbs.h"
#include "torture.h"
#include "wcce/hresult.h"

#define POLICY "1.3.6.1.4.1.311.21.8.7.7"

static struct fx f;

/* The certificate that signs, before it is made, and its row. */
static struct {
	const char *template_oid, *template_name;
	const char *eku, *app, *policy;
	bool sid;
	struct ae_sid who;
	int64_t from, to;
	const struct ae_key *issuer;
	bool renews;	    /* the request says so */
	const char *behalf; /* requestername in RegInfo */
	struct ae_san sans[2];
	size_t nsans;
	bool known; /* it has a row */
} s;
static struct ae_key *old_key;
static struct ae_db_request row;
static struct ae_wr cert;
static struct ae_cert *signer;
static struct ae_ca_rights *rights;

static int
setup(void **state)
{
	(void)state;
	fx_reset(&f);
	f.answers.answered |= AE_CA_ASK_ROW_CERTS | AE_CA_ASK_SUBJECT;
	f.answers.subject = f.answers.requester;
	(void)ae_sid_parse(&f.answers.subject.sid, "S-1-5-21-1-2-3-2000");
	f.answers.subject.cn = "Alice";
	f.answers.subject.dns_host_name = "alice.example.com";
	memset(&s, 0, sizeof(s));
	s.template_oid = f.t.oid;
	s.eku = AE_OID_EKU_CLIENT_AUTH;
	s.sid = s.renews = s.known = true;
	s.who = f.user;
	s.from = FX_NOW - 3600;
	s.to = FX_NOW + 3600;
	s.issuer = f.ca_key;
	return 0;
}

static void
make_signer(void)
{
	static const uint8_t serial[] = { 0x1f, 1 };
	struct ae_tbs tbs = { .serial = { serial, 2 },
		.sigalg = f.cfg.sigalg,
		.issuer = f.ca_cert->subject,
		.subject = f.ca_cert->subject,
		.not_before = s.from,
		.not_after = s.to,
		.spki = ae_key_spki(old_key),
		.x = { .template_oid = s.template_oid,
		    .template_name = s.template_name,
		    .has_sid = s.sid,
		    .sid = s.who,
		    .sans = s.sans,
		    .nsans = s.nsans } };

	assert_true(s.eku == NULL || ae_strv_add(&tbs.x.eku, s.eku));
	assert_true(s.app == NULL || ae_strv_add(&tbs.x.app_policies, s.app));
	assert_true(
	    s.policy == NULL || ae_strv_add(&tbs.x.cert_policies, s.policy));
	ae_wr_done(&cert);
	ae_wr_init(&cert, 1 << 14);
	ae_cert_free(signer);
	signer = NULL;
	assert_int_equal(ae_tbs_sign(&cert, &tbs, s.issuer, &f.e), AE_OK);
	assert_int_equal(ae_cert_parse(&signer, cert.p, cert.len, &f.e), AE_OK);
	ae_strv_done(&tbs.x.eku);
	ae_strv_done(&tbs.x.app_policies);
	ae_strv_done(&tbs.x.cert_policies);
	row = (struct ae_db_request){ .id = 7,
		.disp = AE_DB_ISSUED,
		.sid = "S-1-5-21-1-2-3-1104",
		.cert = cert.p,
		.cert_len = cert.len };
	f.answers.row_certs[0] = s.known ? &row : NULL;
	f.answers.nrow_certs = 1;
}

/* A CMC signed by the new key and by that certificate. */
static void
make(void)
{
	const struct ae_pair pair = { "requestername", s.behalf };
	struct ae_request_spec q = { .key = f.key,
		.hash = AE_HASH_SHA256,
		.old_key = old_key,
		.reginfo = &pair,
		.nreginfo = s.behalf != NULL };
	struct ae_wr w;

	make_signer();
	if (s.renews)
		f.csr_spec.renewal_cert = signer->der;
	fx_csr(&f);
	q.pkcs10 = (struct ae_der){ f.csr.p, f.csr.len };
	q.old_cert = signer;
	ae_wr_init(&w, 1 << 16);
	assert_int_equal(ae_request_build_cmc(&w, &q, &f.e), AE_OK);
	ae_wr_reset(&f.csr);
	ae_wr_bytes(&f.csr, w.p, w.len);
	f.rq.csr = (struct ae_wcce_blob){ f.csr.p, f.csr.len };
	ae_wr_done(&w);
	f.csr_spec.renewal_cert = (struct ae_der){ NULL, 0 };
}

static void
issued(void)
{
	make();
	fx_decide(&f);
	if (f.d.verdict != AE_CA_ISSUE)
		fail_msg("%s: %s", fx_stop(&f)->check, fx_stop(&f)->text);
}

static void
denied(uint32_t hr, const char *check)
{
	make();
	fx_decide(&f);
	if (f.d.verdict != AE_CA_DENY || f.d.hresult != hr)
		print_message(
		    "%s: %s\n", fx_stop(&f)->check, fx_stop(&f)->text);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, hr);
	assert_string_equal(fx_stop(&f)->check, check);
	assert_true(f.d.store);
}

/* The certificate to be, parsed; free it. */
static struct ae_cert *
made(void)
{
	struct ae_cert *c = NULL;

	assert_int_equal(
	    ae_cert_parse_tbs(&c, f.d.tbs, f.d.tbs_len, &f.e), AE_OK);
	return c;
}

/* ---- renewal ---- */

static void
a_good_renewal(void **state)
{
	(void)state;
	issued();
	assert_true(fx_has_reason(&f, "request.renewal-cert"));
	assert_int_equal(f.d.request_flags, AE_CR_FLG_RENEWAL);
	/* by row, for certificates from before SIDs were in them */
	s.sid = false;
	issued();
	/* and its first question is for the row */
	f.answers.answered &= ~(unsigned)AE_CA_ASK_ROW_CERTS;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_int_equal(f.d.ask, AE_CA_ASK_ROW_CERTS);
	assert_int_equal(f.d.nask_certs, 1);
	assert_memory_equal(f.d.ask_certs[0].p, "\x1f\x01", 2);
	f.answers.failed |= AE_CA_ASK_ROW_CERTS;
	fx_decide(&f);
	assert_int_equal(f.d.hresult, AE_HR_NO_DB_SESSIONS);
}

static void
renewal_of_what_is_not_ours_800b0109(void **state)
{
	(void)state;
	s.known = false;
	denied(AE_HR_CERT_E_UNTRUSTEDROOT, "deny.renewal-cert");
	/* signed by somebody else, with a serial number that exists */
	s.known = true;
	make();
	row.cert_len--;
	fx_decide(&f);
	assert_int_equal(f.d.hresult, AE_HR_CERT_E_UNTRUSTEDROOT);
}

static void
renewal_of_what_is_revoked_800b010c(void **state)
{
	(void)state;
	make();
	row.disp = AE_DB_REVOKED;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_DENY);
	assert_int_equal(f.d.hresult, AE_HR_CERT_E_REVOKED);
}

static void
renewal_of_what_has_expired_800b0101(void **state)
{
	(void)state;
	s.to = FX_NOW - 1;
	denied(AE_HR_CERT_E_EXPIRED, "deny.renewal-cert");
	s.to = FX_NOW + 60;
	s.from = FX_NOW + 1;
	denied(AE_HR_CERT_E_EXPIRED, "deny.renewal-cert");
}

static void
renewal_of_somebody_else_s_80094806(void **state)
{
	(void)state;
	(void)ae_sid_parse(&s.who, "S-1-5-21-1-2-3-1105");
	denied(AE_HR_BAD_RENEWAL_SUBJECT, "deny.renewal-owner");
	/* a SID in the certificate counts, not who asked for it */
	make();
	assert_string_equal(row.sid, "S-1-5-21-1-2-3-1104");
	s.sid = false;
	make();
	row.sid = "S-1-5-21-1-2-3-1105";
	fx_decide(&f);
	assert_int_equal(f.d.hresult, AE_HR_BAD_RENEWAL_SUBJECT);
}

static void
renewal_with_another_template_80094802(void **state)
{
	(void)state;
	s.template_oid = f.other.oid;
	denied(AE_HR_TEMPLATE_CONFLICT, "deny.template-conflict");
	s.template_oid = NULL;
	s.template_name = "Workstation"; /* the name is schema 1's */
	denied(AE_HR_TEMPLATE_CONFLICT, "deny.template-conflict");
	/* one that it supersedes is fine */
	s.template_oid = f.other.oid;
	s.template_name = NULL;
	assert_true(ae_strv_add(&f.t.supersedes, "other"));
	issued();
	ae_strv_done(&f.t.supersedes);
}

static void
renewal_with_the_same_key_80094816(void **state)
{
	(void)state;
	f.t.private_key_flag = AE_CT_REQUIRE_SAME_KEY_RENEWAL;
	denied(AE_HR_RENEWAL_BAD_PUBLIC_KEY, "deny.renewal-same-key");
}

/* ---- the approval that was given once ---- */

static void
what_was_approved_is_renewed_without_approval(void **state)
{
	(void)state;
	f.t.enrollment_flag = AE_CT_PEND_ALL_REQUESTS |
	    AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT;
	f.t.ra_signature = 1;
	/* no name in it: another approval */
	make();
	fx_decide(&f);
	assert_int_equal(f.d.hresult, AE_HR_SIGNATURE_POLICY_REQUIRED);
	s.nsans = 1;
	s.sans[0] =
	    (struct ae_san){ .type = AE_SAN_DNS, .text = "PC1.example.com" };
	issued();
	assert_true(fx_has_reason(&f, "template.reenroll"));
	/* a name of another, a UPN that has changed, a mail too */
	s.sans[0].text = "pc2.example.com";
	denied(AE_HR_SIGNATURE_POLICY_REQUIRED, "deny.ra-policy");
	s.sans[0].text = "pc1.example.com";
	s.nsans = 2;
	s.sans[1] =
	    (struct ae_san){ .type = AE_SAN_UPN, .text = "old@example.com" };
	denied(AE_HR_SIGNATURE_POLICY_REQUIRED, "deny.ra-policy");
	s.sans[1].text = f.answers.requester.upn;
	issued();
	/* a person's host name says nothing */
	f.t.flags = 0;
	f.t.name_flag = AE_CT_SUBJECT_COMMON_NAME;
	s.nsans = 1;
	denied(AE_HR_SIGNATURE_POLICY_REQUIRED, "deny.ra-policy");
	/* the template that superseded wants its own approval */
	f.t.flags = AE_CT_MACHINE_TYPE;
	f.t.ra_signature = 0;
	s.template_oid = f.other.oid;
	assert_true(ae_strv_add(&f.t.supersedes, "Other"));
	make();
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
	ae_strv_done(&f.t.supersedes);
	/* without the flag nothing is skipped */
	s.template_oid = f.t.oid;
	f.t.enrollment_flag = AE_CT_PEND_ALL_REQUESTS;
	make();
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
}

static void
the_old_names_are_kept(void **state)
{
	struct ae_cert *c;
	struct ae_wr other;
	const struct ae_name_part part = { "CN", "administrator" };

	(void)state;
	f.cfg.allow_supplied_auth_subject = true;
	f.t.name_flag =
	    AE_CT_ENROLLEE_SUPPLIES_SUBJECT | AE_CT_OLD_CERT_SUPPLIES_SUBJECT;
	s.nsans = 1;
	s.sans[0] =
	    (struct ae_san){ .type = AE_SAN_DNS, .text = "web.example.com" };
	ae_wr_init(&other, 256);
	assert_int_equal(ae_name_encode(&other, &part, 1, &f.e), AE_OK);
	f.csr_spec.subject = (struct ae_der){ other.p, other.len };
	issued();
	c = made();
	assert_true(ae_der_equal(c->subject, signer->subject));
	assert_int_equal(c->x.nsans, 1);
	assert_string_equal(c->x.sans[0].text, "web.example.com");
	ae_cert_free(c);
	/* not with a new request, which chooses */
	s.renews = false;
	issued();
	c = made();
	assert_true(ae_der_equal(c->subject, f.csr_spec.subject));
	ae_cert_free(c);
	/* nor is a chosen name approved by an old certificate of another */
	s.renews = true;
	f.t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	f.t.enrollment_flag = AE_CT_PEND_ALL_REQUESTS |
	    AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT;
	make();
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_PEND);
	ae_wr_done(&other);
}

/* ---- enrollment agents (ESC3) and registration authorities ---- */

/* An agent asks for alice; the template demands an agent's signature. */
static void
agent(void)
{
	s.renews = false;
	s.behalf = "EXAMPLE\\alice";
	s.eku = s.app = AE_OID_EKU_ENROLLMENT_AGENT;
	f.t.ra_signature = 1;
	if (f.t.ra_application_policies.n == 0)
		assert_true(ae_strv_add(
		    &f.t.ra_application_policies, AE_OID_EKU_ENROLLMENT_AGENT));
}

static int
no_policies(void **state)
{
	(void)state;
	ae_strv_done(&f.t.ra_application_policies);
	ae_strv_done(&f.t.ra_policies);
	return 0;
}

static void
esc3_a_good_agent(void **state)
{
	struct ae_cert *c;

	(void)state;
	agent();
	issued();
	assert_string_equal(f.d.on_behalf, "EXAMPLE\\alice");
	assert_string_equal(f.d.requester, "EXAMPLE\\PC1$");
	assert_int_equal(f.d.request_flags, AE_CR_FLG_ENROLLONBEHALFOF);
	c = made();
	assert_true(ae_sid_equal(&c->x.sid, &f.answers.subject.sid));
	assert_string_equal(c->x.sans[0].text, "alice.example.com");
	ae_cert_free(c);
	/* the name may be the subject's alone, not the agent's */
	assert_true(ae_sid_equal(f.d.ask_sid, &f.answers.subject.sid));
	f.answers.answered &= ~(unsigned)AE_CA_ASK_SUBJECT;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_string_equal(f.d.ask_subject, "EXAMPLE\\alice");
}

/* The groups that count are those of whom the certificate is for. */
static void
esc13_an_agent_s_groups_are_not_the_other_s(void **state)
{
	static char oid[] = "1.2.3.4", dn[] = "CN=Vault,DC=example,DC=com";
	static char vault[] = "S-1-5-21-1-2-3-1200";
	struct ae_pki_oid link = {
		.oid = oid, .group = dn, .group_sid = vault
	};
	struct ae_sid sids[2];

	(void)state;
	agent();
	assert_true(ae_strv_add(&f.t.certificate_policies, oid));
	f.set.oids = &link;
	f.set.noids = 1;
	sids[0] = f.answers.subject.sid;
	f.answers.subject.sids = sids;
	f.answers.subject.nsids = 1;
	assert_true(ae_sid_parse(&f.sids[0], vault)); /* the agent's */
	ae_sid_sort(f.sids, f.caller.nsids);
	denied(AE_HR_TEMPLATE_DENIED, "template.policy-group");
	assert_true(ae_sid_parse(&sids[1], vault));
	f.answers.subject.nsids = 2;
	issued();
}

static void
esc3_not_an_agent(void **state)
{
	(void)state;
	agent();
	s.eku = AE_OID_EKU_CLIENT_AUTH;
	s.app = NULL;
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	/* only the application policy says so, CVE-2024-49019 */
	s.app = AE_OID_EKU_ENROLLMENT_AGENT;
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	/* any purpose is not this one */
	s.eku = AE_OID_EKU_ANY;
	s.app = NULL;
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
}

static void
esc3_an_agent_that_does_not_count(void **state)
{
	(void)state;
	agent();
	s.known = false;
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	s.known = true;
	s.to = FX_NOW - 1;
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	s.to = FX_NOW + 60;
	make();
	row.disp = AE_DB_REVOKED;
	fx_decide(&f);
	assert_int_equal(f.d.hresult, AE_HR_RESTRICTEDOFFICER);
	/* replayed by somebody else */
	(void)ae_sid_parse(&s.who, "S-1-5-21-1-2-3-1105");
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
}

static void
esc3_names_that_are_none(void **state)
{
	static const char *const names[] = { "alice", "\\alice", "EXAMPLE\\",
		"EXAMPLE\\alice\\x", "" };
	size_t i;

	(void)state;
	agent();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		s.behalf = names[i];
		denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	}
	s.behalf = "EXAMPLE\\"
		   "0123456789012345678901234567890123456789012345678901234567"
		   "0123456789012345678901234567890123456789012345678901234567"
		   "0123456789012345678901234567890123456789012345678901234567"
		   "0123456789012345678901234567890123456789012345678901234567"
		   "0123456789012345678901234567890123456789";
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	s.behalf = "EXAMPLE\\nobody";
	f.answers.subject.found = false;
	denied(AE_HR_NO_SUCH_USER, "deny.requester-lookup");
}

static void
esc3_a_template_that_wants_no_agent(void **state)
{
	(void)state;
	agent();
	f.t.ra_signature = 0;
	denied(AE_HR_BAD_RENEWAL_SUBJECT, "deny.restricted-ea");
	f.t.ra_signature = 1;
	ae_strv_done(&f.t.ra_application_policies);
	denied(AE_HR_BAD_RENEWAL_SUBJECT, "deny.restricted-ea");
	/* schema 1 cannot say it */
	f.t.schema_version = 1;
	f.t.ra_signature = 0;
	issued();
	/* and it is a right like any other */
	ae_sd_free(f.t.sd);
	f.t.sd = ae_sd_new();
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
}

static void
signature_count_8009480a(void **state)
{
	(void)state;
	agent();
	s.behalf = NULL;
	f.t.ra_signature = 2;
	denied(AE_HR_SIGNATURE_COUNT, "deny.ra-policy");
	f.t.ra_signature = 1;
	issued();
	/* the certificate being renewed is not an authority's signature */
	s.renews = true;
	denied(AE_HR_SIGNATURE_POLICY_REQUIRED, "deny.ra-policy");
}

static void
signature_rejected_8009480b(void **state)
{
	(void)state;
	agent();
	s.behalf = NULL;
	s.eku = s.app = AE_OID_EKU_CLIENT_AUTH;
	denied(AE_HR_SIGNATURE_REJECTED, "deny.ra-policy");
	s.eku = s.app = AE_OID_EKU_ENROLLMENT_AGENT;
	s.known = false;
	denied(AE_HR_SIGNATURE_REJECTED, "deny.untrusted-signer");
	s.known = true;
	assert_true(ae_strv_add(&f.t.ra_policies, POLICY));
	denied(AE_HR_SIGNATURE_REJECTED, "deny.ra-policy");
	s.policy = POLICY;
	issued();
}

/*
 * The twelve of the catalogue: one agent that counts and eleven that do not.
 * Each bends one thing before the request is made, or the request itself.
 */
static struct ae_ca_right twelve_right;

static void list(const struct ae_ca_right *v, size_t n);

static void
bend_expired(void)
{
	s.to = FX_NOW - 1;
}

static void
bend_usage(void)
{
	s.eku = AE_OID_EKU_CLIENT_AUTH;
	s.app = NULL;
}

static void
bend_other_ca(void)
{
	s.issuer = f.key; /* of the same name, and its row is ours */
	s.known = false;
}

static void
bend_self_signed(void)
{
	s.issuer = old_key;
	s.known = false;
}

static void
bend_target(void)
{
	twelve_right.targets = &f.computers;
	list(&twelve_right, 1);
}

static void
bend_template(void)
{
	twelve_right.template = "Other";
	list(&twelve_right, 1);
}

static void
bend_count(void)
{
	f.t.ra_signature = 2;
}

static void
bend_replayed(void)
{
	(void)ae_sid_parse(&s.who, "S-1-5-21-1-2-3-1105");
}

/* After it was made. */
static void
spoil_unsigned(void)
{
	fx_csr(&f);
	f.rq.attributes = "CertificateTemplate:Workstation\n"
			  "requestername:EXAMPLE\\alice";
}

static void
spoil_revoked(void)
{
	row.disp = AE_DB_REVOKED;
}

static void
spoil_name(void)
{
	uint8_t *at = memmem(f.csr.p, f.csr.len, "alice", 5);

	assert_non_null(at);
	at[0] = 'A'; /* what was signed is not what is there */
}

static void
esc3_twelve_requests(void **state)
{
	static const struct {
		const char *what;
		void (*bend)(void), (*spoil)(void);
	} rows[] = {
		{ "no signature", NULL, spoil_unsigned },
		{ "an expired agent", bend_expired, NULL },
		{ "a revoked agent", NULL, spoil_revoked },
		{ "another usage", bend_usage, NULL },
		{ "another CA", bend_other_ca, NULL },
		{ "a target not allowed", bend_target, NULL },
		{ "a template not allowed", bend_template, NULL },
		{ "one signature of two", bend_count, NULL },
		{ "self-signed", bend_self_signed, NULL },
		{ "a name that was not signed", NULL, spoil_name },
		{ "replayed by another requester", bend_replayed, NULL },
		{ "a good one", NULL, NULL },
	};
	struct ae_sid alice;
	size_t i, granted = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		no_policies(state);
		setup(state);
		agent();
		alice = f.answers.subject.sid;
		f.answers.subject.sids = &alice;
		f.answers.subject.nsids = 1;
		twelve_right = (struct ae_ca_right){ .allow = true,
			.who = f.user,
			.targets = &alice,
			.ntargets = 1 };
		list(&twelve_right, 1);
		if (rows[i].bend != NULL)
			rows[i].bend();
		make();
		if (rows[i].spoil != NULL)
			rows[i].spoil();
		f.rq.csr = (struct ae_wcce_blob){ f.csr.p, f.csr.len };
		fx_decide(&f);
		granted += f.d.verdict == AE_CA_ISSUE;
		if ((f.d.verdict == AE_CA_ISSUE) !=
		    (rows[i].spoil == NULL && rows[i].bend == NULL))
			fail_msg("%s: verdict %d", rows[i].what, f.d.verdict);
		if (f.d.verdict != AE_CA_ISSUE) {
			assert_int_not_equal(f.d.hresult, 0);
			assert_int_equal(f.d.tbs_len, 0);
		}
	}
	assert_int_equal(granted, 1);
}

/* ---- what the CA's list says of agents ---- */

/* The list of n entries, encoded and read back. */
static void
list(const struct ae_ca_right *v, size_t n)
{
	struct ae_wr w;

	ae_ca_rights_free(rights);
	rights = NULL;
	ae_wr_init(&w, 1 << 16);
	assert_int_equal(ae_ca_rights_encode(&w, v, n, &f.e), AE_OK);
	assert_int_equal(ae_ca_rights_parse(&rights, w.p, w.len, &f.e), AE_OK);
	ae_wr_done(&w);
	assert_int_equal(rights->n, n);
	f.cfg.agent_rights = rights;
}

static void
esc3_agents_by_target_and_template_80094009(void **state)
{
	struct ae_sid alice = f.answers.subject.sid, everyone, staff, sids[2];
	struct ae_ca_right one = {
		.allow = true, .who = f.user, .targets = &alice, .ntargets = 1
	};
	struct ae_ca_right two[2];

	(void)state;
	assert_true(ae_sid_parse(&everyone, "S-1-1-0"));
	assert_true(ae_sid_parse(&staff, "S-1-5-21-1-2-3-3000"));
	sids[0] = alice;
	sids[1] = staff;
	f.answers.subject.sids = sids;
	f.answers.subject.nsids = 2;
	agent();
	/* nobody is in an empty list */
	list(NULL, 0);
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	/* this agent, alice, every template */
	list(&one, 1);
	issued();
	assert_true(fx_has_reason(&f, "request.agent-rights"));
	/* this template: by its name, by its OID; and another */
	one.template = "workSTATION";
	list(&one, 1);
	issued();
	one.template = f.t.oid;
	list(&one, 1);
	issued();
	one.template = "Other";
	list(&one, 1);
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	/* by groups: the agent's of his ticket, alice's of the directory */
	one.template = NULL;
	one.who = f.computers;
	one.targets = &staff;
	list(&one, 1);
	issued();
	one.who = f.admins;
	list(&one, 1);
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	/* others' names do not help */
	one.who = f.user;
	one.targets = &everyone;
	list(&one, 1);
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	/* a denial comes first, wherever it stood */
	two[0] = (struct ae_ca_right){
		.allow = true, .who = f.user, .targets = &staff, .ntargets = 1
	};
	two[1] = (struct ae_ca_right){ .allow = false,
		.who = f.user,
		.targets = &alice,
		.ntargets = 1,
		.template = "Workstation" };
	list(two, 2);
	assert_false(rights->v[0].allow);
	denied(AE_HR_RESTRICTEDOFFICER, "deny.restricted-ea");
	/* one's own requests are none of the list's business */
	list(NULL, 0);
	s.behalf = NULL;
	f.t.ra_signature = 0;
	issued();
}

/* Bytes that are no list give no list. */
static void
esc3_lists_that_are_none(void **state)
{
	struct ae_ca_right one = { .allow = true,
		.who = f.user,
		.targets = &f.user,
		.ntargets = 1,
		.template = "Workstation" };
	struct ae_ca_rights *r = NULL;
	struct ae_sd *sd;
	struct ae_wr w;
	size_t i;

	(void)state;
	ae_wr_init(&w, 1 << 16);
	assert_int_equal(ae_ca_rights_encode(&w, &one, 1, &f.e), AE_OK);
	for (i = 0; i < w.len; i++) {
		assert_true(ae_ca_rights_parse(&r, w.p, i, &f.e) < 0);
		assert_null(r);
	}
	/* an ACE without the condition, one that counts for nothing */
	sd = ae_sd_new();
	assert_int_equal(
	    ae_sd_allow(sd, 0, AE_CA_RIGHTS_MASK, NULL, &f.user, &f.e), AE_OK);
	ae_wr_reset(&w);
	assert_int_equal(ae_sd_encode(&w, sd, &f.e), AE_OK);
	assert_int_equal(ae_ca_rights_parse(&r, w.p, w.len, &f.e), AE_EPROTO);
	ae_sd_remove(sd, 0);
	assert_int_equal(ae_sd_add_callback(sd, true, AE_CA_RIGHTS_MASK,
			     &f.user, "\xff\xff\xff\xff", 4, &f.e),
	    AE_OK);
	ae_wr_reset(&w);
	assert_int_equal(ae_sd_encode(&w, sd, &f.e), AE_OK);
	assert_int_equal(ae_ca_rights_parse(&r, w.p, w.len, &f.e), AE_EPROTO);
	ae_sd_free(sd);
	/* no DACL at all */
	sd = ae_sd_new();
	ae_wr_reset(&w);
	assert_int_equal(ae_sd_encode(&w, sd, &f.e), AE_OK);
	assert_int_equal(ae_ca_rights_parse(&r, w.p, w.len, &f.e), AE_EPROTO);
	ae_sd_free(sd);
	ae_wr_done(&w);
}

/* Without memory there is no list either, and nothing leaks. */
static bool
read_back(void *arg)
{
	const struct ae_wr *w = arg;
	struct ae_ca_rights *r = NULL;
	struct ae_wr again;
	bool ok;

	if (ae_ca_rights_parse(&r, w->p, w->len, NULL) != AE_OK)
		return false;
	ae_wr_init(&again, 1 << 16);
	ok = ae_ca_rights_encode(&again, r->v, r->n, NULL) == AE_OK &&
	    ae_wr_ok(&again) && again.len == w->len &&
	    memcmp(again.p, w->p, w->len) == 0;
	ae_wr_done(&again);
	ae_ca_rights_free(r);
	return ok;
}

static void
lists_without_memory(void **state)
{
	struct ae_ca_right two[2] = {
		{ .who = f.user, .targets = &f.user, .ntargets = 1 },
		{ .allow = true,
		    .who = f.computers,
		    .targets = f.sids,
		    .ntargets = 5,
		    .template = "Workstation" }
	};
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 1 << 16);
	assert_int_equal(ae_ca_rights_encode(&w, two, 2, &f.e), AE_OK);
	assert_true(ae_torture(read_back, &w, 200, true) > 5);
	ae_wr_done(&w);
}

/* ---- renewals by other hands ---- */

/* The machine's certificate in the hands of a service; its groups by AD. */
static void
by_a_service(void)
{
	static struct ae_sid owner[FX_SIDS];

	memcpy(owner, f.sids, sizeof(owner));
	f.answers.subject = f.answers.requester;
	f.answers.subject.account = "PC1$";
	f.answers.subject.sids = owner;
	f.answers.subject.nsids = f.caller.nsids;
	f.answers.answered &= ~(unsigned)AE_CA_ASK_REQUESTER;
	f.cfg.allow_renew_on_behalf = true;
	f.rq.flags = AE_CR_IN_ROBO;
	/* the service: another account, which may not enroll for it */
	assert_true(ae_sid_parse(&f.caller.user, "S-1-5-21-1-2-3-7777"));
	f.sids[0] = f.caller.user;
	assert_true(ae_sid_parse(&f.sids[1], "S-1-5-21-1-2-3-512"));
	f.caller.nsids = 2;
	ae_sid_sort(f.sids, 2);
	memcpy(f.account, "CES1$", 6);
}

static void
renewed_by_other_hands(void **state)
{
	struct ae_cert *c;

	(void)state;
	/* not unless the CA says so; by then it says so before all else */
	by_a_service();
	f.cfg.allow_renew_on_behalf = false;
	make();
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_FAIL);
	assert_int_equal(f.d.hresult, AE_HR_E_NOT_SUPPORTED);
	f.cfg.allow_renew_on_behalf = true;
	issued();
	assert_true(fx_has_reason(&f, "request.renew-on-behalf"));
	assert_string_equal(f.d.requester, "EXAMPLE\\CES1$");
	assert_string_equal(f.d.on_behalf, "EXAMPLE\\PC1$");
	assert_int_equal(f.d.request_flags, AE_CR_FLG_RENEWAL);
	c = made();
	assert_true(ae_sid_equal(&c->x.sid, &f.user));
	ae_cert_free(c);
	/* without the flag it is the service's to renew nothing */
	f.rq.flags = 0;
	denied(AE_HR_BAD_RENEWAL_SUBJECT, "deny.renewal-owner");
	f.rq.flags = AE_CR_IN_ROBO;
	/* a certificate of before there were SIDs: its row's */
	s.sid = false;
	issued();
	/* but an agent's row does not say whose it is */
	make();
	row.on_behalf = "EXAMPLE\\bob";
	fx_decide(&f);
	assert_int_equal(f.d.hresult, AE_HR_NO_SUCH_USER);
	s.sid = true;
	/* the question that it puts */
	make();
	f.answers.answered &= ~(unsigned)AE_CA_ASK_SUBJECT;
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_ASK);
	assert_string_equal(f.d.ask_subject, "S-1-5-21-1-2-3-1104");
	f.answers.answered |= AE_CA_ASK_SUBJECT;
	/* a request that renews nothing */
	s.renews = false;
	make();
	fx_decide(&f);
	assert_int_equal(f.d.verdict, AE_CA_FAIL);
	assert_int_equal(f.d.hresult, AE_HR_BAD_RENEWAL_CERT_ATTRIBUTE);
}

static void
owners_that_may_not(void **state)
{
	struct ae_ca_requester *o = &f.answers.subject;
	struct ae_sid owner[FX_SIDS];

	(void)state;
	by_a_service();
	o->disabled = true;
	denied(AE_HR_E_ACCESSDENIED, "deny.access-denied");
	o->disabled = false;
	o->found = false;
	denied(AE_HR_NO_SUCH_USER, "deny.requester-lookup");
	o->found = true;
	/* somebody else's object */
	o->sid.sub[4]++;
	make();
	fx_decide(&f);
	assert_int_equal(f.d.hresult, AE_HR_E_UNEXPECTED);
	o->sid.sub[4]--;
	/* his groups let him neither at the CA nor at the template; those of
	   the service, which are good, do not count */
	memcpy(owner, o->sids, sizeof(owner));
	o->sids = owner;
	o->nsids = 1;
	owner[0] = f.user;
	denied(AE_HR_ENROLL_DENIED, "deny.ca-no-request-right");
}

static void
renewed_by_its_key_without_enroll(void **state)
{
	const struct ae_name_part part = { "CN", "other" };
	struct ae_wr other;

	(void)state;
	f.t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	f.t.enrollment_flag = AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT |
	    AE_CT_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL;
	f.cfg.allow_supplied_auth_subject = true;
	f.csr_spec.subject = f.ca_cert->subject; /* as signers have it */
	/* nobody may enroll */
	while (f.t.sd->dacl.n > 0)
		ae_sd_remove(f.t.sd, 0);
	issued();
	assert_true(fx_has_reason(&f, "template.key-based-renewal"));
	/* only for the same names */
	ae_wr_init(&other, 256);
	assert_int_equal(ae_name_encode(&other, &part, 1, &f.e), AE_OK);
	f.csr_spec.subject = (struct ae_der){ other.p, other.len };
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
	f.csr_spec.subject = f.ca_cert->subject;
	/* only a renewal */
	s.renews = false;
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
	s.renews = true;
	/* all three flags, and schema 2 */
	f.t.enrollment_flag = AE_CT_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL;
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
	f.t.enrollment_flag = AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT;
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
	f.t.enrollment_flag |= AE_CT_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL;
	f.t.name_flag = AE_CT_SAN_DNS;
	denied(AE_HR_TEMPLATE_DENIED, "deny.template-no-enroll");
	ae_wr_done(&other);
	f.csr_spec.subject = (struct ae_der){ NULL, 0 };
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, no_policies)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_good_renewal),
		T(renewal_of_what_is_not_ours_800b0109),
		T(renewal_of_what_is_revoked_800b010c),
		T(renewal_of_what_has_expired_800b0101),
		T(renewal_of_somebody_else_s_80094806),
		T(renewal_with_another_template_80094802),
		T(renewal_with_the_same_key_80094816),
		T(what_was_approved_is_renewed_without_approval),
		T(the_old_names_are_kept),
		T(esc3_a_good_agent),
		T(esc3_not_an_agent),
		T(esc13_an_agent_s_groups_are_not_the_other_s),
		T(esc3_an_agent_that_does_not_count),
		T(esc3_names_that_are_none),
		T(esc3_a_template_that_wants_no_agent),
		T(signature_count_8009480a),
		T(signature_rejected_8009480b),
		T(esc3_agents_by_target_and_template_80094009),
		T(esc3_twelve_requests),
		T(esc3_lists_that_are_none),
		T(lists_without_memory),
		T(renewed_by_other_hands),
		T(owners_that_may_not),
		T(renewed_by_its_key_without_enroll),
	};
	int n;

	if (!fx_begin(&f) ||
	    ae_key_generate(&old_key, AE_KEY_EC, 256, &f.e) != AE_OK)
		return 1;
	n = cmocka_run_group_tests(tests, NULL, NULL);
	ae_ca_rights_free(rights);
	ae_cert_free(signer);
	ae_wr_done(&cert);
	ae_key_free(old_key);
	fx_end(&f);
	return n;
}
