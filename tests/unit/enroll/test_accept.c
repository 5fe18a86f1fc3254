/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of enroll/accept.h: one good answer, and everything a CA that lies
 * or errs could send instead.  Nothing but the good one is accepted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "enroll/accept.h"
#include "pki/name.h"
#include "pki/tbs.h"

#define NOW 1795000000
#define DAY 86400

static char cn[] = "Workstation", oid[] = "1.3.6.1.4.1.311.21.8.1.2";
static char client_auth[] = "1.3.6.1.5.5.7.3.2";

struct world {
	struct ae_key *ca, *rogue, *mine, *other;
	struct ae_wr root, rogue_root, name, subject;
	struct ae_template t;
	struct ae_sid sid, not_sid;
	char *ekus[1];
	/* what a test bends before it issues */
	struct ae_tbs leaf;
	const struct ae_key *signer;
	bool root_in_answer;
	bool twice;			  /* a second certificate for the key */
	void (*bytes)(struct ae_wr *cms); /* done to the finished answer */
};

static struct world *w;

static void
make_root(struct ae_wr *out, const struct ae_key *k)
{
	static const uint8_t serial[] = { 1 };
	uint8_t keyid[AE_KEY_ID_LEN];
	struct ae_tbs t;

	ae_wr_init(out, 8192);
	assert_int_equal(ae_tbs_root(&t, k, AE_HASH_SHA256,
			     (struct ae_der){ w->name.p, w->name.len },
			     (struct ae_der){ serial, 1 }, NOW - DAY,
			     NOW + 1000 * DAY, keyid, NULL),
	    AE_OK);
	assert_int_equal(ae_tbs_sign(out, &t, k, NULL), AE_OK);
}

static int
group_setup(void **state)
{
	(void)state;
	w = calloc(1, sizeof(*w));
	assert_non_null(w);
	assert_int_equal(ae_key_generate(&w->ca, AE_KEY_EC, 256, NULL), AE_OK);
	assert_int_equal(
	    ae_key_generate(&w->rogue, AE_KEY_EC, 256, NULL), AE_OK);
	assert_int_equal(
	    ae_key_generate(&w->mine, AE_KEY_EC, 256, NULL), AE_OK);
	assert_int_equal(
	    ae_key_generate(&w->other, AE_KEY_EC, 256, NULL), AE_OK);
	ae_wr_init(&w->name, 1024);
	ae_wr_init(&w->subject, 1024);
	assert_int_equal(ae_name_from_text(&w->name, "CN=Lab CA", NULL), AE_OK);
	assert_int_equal(
	    ae_name_from_text(&w->subject, "CN=pc1.lab.example", NULL), AE_OK);
	make_root(&w->root, w->ca);
	make_root(&w->rogue_root, w->rogue);
	assert_true(ae_sid_parse(&w->sid, "S-1-5-21-1-2-3-1104"));
	assert_true(ae_sid_parse(&w->not_sid, "S-1-5-21-1-2-3-500"));
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	ae_key_free(w->ca);
	ae_key_free(w->rogue);
	ae_key_free(w->mine);
	ae_key_free(w->other);
	ae_wr_done(&w->root);
	ae_wr_done(&w->rogue_root);
	ae_wr_done(&w->name);
	ae_wr_done(&w->subject);
	free(w);
	return 0;
}

/* Back to the good certificate. */
static int
setup(void **state)
{
	static const struct ae_san ours[] = { { .type = AE_SAN_DNS,
	    .text = "PC1.lab.example" } };
	static const uint8_t serial[] = { 0x11, 0x22 };

	(void)state;
	w->ekus[0] = client_auth;
	w->t = (struct ae_template){ .cn = cn,
		.oid = oid,
		.schema_version = 2,
		.name_flag = AE_CT_SAN_DNS,
		.ekus = { w->ekus, 1 } };
	w->leaf = (struct ae_tbs){ .serial = { serial, 2 },
		.sigalg = ae_key_sigalg(w->ca, AE_HASH_SHA256),
		.issuer = { w->name.p, w->name.len },
		.subject = { w->subject.p, w->subject.len },
		.not_before = NOW - 600,
		.not_after = NOW + 300 * DAY,
		.spki = ae_key_spki(w->mine),
		.x = { .template_oid = oid,
		    .has_template_major = true,
		    .template_major = 100,
		    .eku = { w->ekus, 1 },
		    .sans = ours,
		    .nsans = 1,
		    .has_sid = true,
		    .sid = w->sid } };
	w->signer = w->ca;
	w->root_in_answer = true;
	w->twice = false;
	w->bytes = NULL;
	return 0;
}

/* The answer as the CA would send it. */
static void
answer_bytes(struct ae_wr *cms)
{
	static const uint8_t other_serial[] = { 0x33 };
	struct ae_der root = { w->root.p, w->root.len }, certs[3];
	struct ae_wr leaf, second;
	size_t n = 0;

	ae_wr_init(&leaf, 8192);
	ae_wr_init(&second, 8192);
	assert_int_equal(ae_tbs_sign(&leaf, &w->leaf, w->signer, NULL), AE_OK);
	certs[n++] = (struct ae_der){ leaf.p, leaf.len };
	if (w->root_in_answer)
		certs[n++] = w->signer == w->ca
		    ? root
		    : (struct ae_der){ w->rogue_root.p, w->rogue_root.len };
	if (w->twice) {
		w->leaf.serial = (struct ae_der){ other_serial, 1 };
		assert_int_equal(
		    ae_tbs_sign(&second, &w->leaf, w->signer, NULL), AE_OK);
		certs[n++] = (struct ae_der){ second.p, second.len };
	}
	assert_int_equal(ae_chain_build(cms, certs, n, NULL, 0, NULL), AE_OK);
	ae_wr_done(&leaf);
	ae_wr_done(&second);
	if (w->bytes != NULL)
		w->bytes(cms);
}

/* Issue, wrap in an answer, judge. */
static int
judge(struct ae_err *e)
{
	struct ae_der root = { w->root.p, w->root.len };
	struct ae_accept a = { .tmpl = &w->t,
		.key = w->mine,
		.sid = &w->sid,
		.dns = "pc1.lab.example",
		.upn = "pc1$@LAB.EXAMPLE",
		.roots = &root,
		.nroots = 1,
		.now = NOW };
	const struct ae_cert *cert = NULL;
	struct ae_answer *answer = NULL;
	struct ae_wr cms;
	int rc;

	ae_wr_init(&cms, 32768);
	answer_bytes(&cms);
	rc = ae_answer_parse(&answer, cms.p, cms.len, e);
	if (rc == AE_OK)
		rc = ae_accept_check(&cert, answer, &a, e);
	assert_true((rc == AE_OK) == (cert != NULL));
	ae_answer_free(answer);
	ae_wr_done(&cms);
	return rc;
}

static void
refused(const char *because)
{
	struct ae_err e = AE_ERR_INIT;

	assert_int_not_equal(judge(&e), AE_OK);
	if (strstr(e.text, because) == NULL)
		fail_msg("'%s' lacks '%s'", e.text, because);
}

static void
good_answer_is_accepted(void **state)
{
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(judge(&e), AE_OK);
	w->root_in_answer = false;
	assert_int_equal(judge(&e), AE_OK);
	/* a clock a little behind the CA's */
	w->leaf.not_before = NOW + 300;
	assert_int_equal(judge(&e), AE_OK);
}

static void
somebody_elses_key(void **state)
{
	(void)state;
	w->leaf.spki = ae_key_spki(w->other);
	refused("refused");
}

static void
rogue_ca_of_the_same_name(void **state)
{
	(void)state;
	w->signer = w->rogue;
	refused("refused"); /* although its root is in the answer */
	w->root_in_answer = false;
	refused("refused");
}

static void
wrong_times(void **state)
{
	(void)state;
	w->leaf.not_before = NOW + 3600;
	refused("not valid yet");
	(void)setup(NULL);
	w->leaf.not_after = NOW;
	refused("expired");
}

static void
wrong_template(void **state)
{
	(void)state;
	w->leaf.x.template_oid = "1.3.6.1.4.1.311.21.8.1.99";
	refused("is for template");
	w->leaf.x.template_oid = NULL;
	w->leaf.x.has_template_major = false;
	refused("names no template");
	w->t.schema_version = 1;
	refused("names no template");
	w->leaf.x.template_name = "Other";
	refused("another template");
	w->leaf.x.template_name = "workstation";
	assert_int_equal(judge(NULL), AE_OK);
}

static void
wrong_usage(void **state)
{
	char code[] = "1.3.6.1.5.5.7.3.3";
	char *other[] = { code };

	(void)state;
	w->leaf.x.eku = (struct ae_strv){ other, 1 };
	refused("lacks the key usage");
	(void)setup(NULL);
	w->leaf.x.has_basic_constraints = true;
	w->leaf.x.ca = true;
	w->leaf.x.path_len = -1;
	refused("refused");
}

static void
wrong_sid(void **state)
{
	(void)state;
	w->leaf.x.sid = w->not_sid;
	refused("carries the SID");
	w->leaf.x.has_sid = false;
	refused("carries no SID");
	w->t.enrollment_flag = AE_CT_NO_SECURITY_EXTENSION;
	assert_int_equal(judge(NULL), AE_OK);
	w->leaf.x.has_sid = true; /* a wrong one is never right */
	refused("carries the SID");
	(void)setup(NULL);
	w->t.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	w->leaf.x.has_sid = false;
	assert_int_equal(judge(NULL), AE_OK);
}

static void
wrong_names(void **state)
{
	static const struct ae_san both[] = { { .type = AE_SAN_DNS,
						  .text = "pc1.lab.example" },
		{ .type = AE_SAN_UPN, .text = "PC1$@lab.example" } };

	(void)state;
	w->leaf.x.nsans = 0;
	refused("not for the host pc1.lab.example");
	w->t.name_flag = AE_CT_SAN_DNS | AE_CT_SAN_UPN;
	w->leaf.x.sans = both;
	w->leaf.x.nsans = 1;
	refused("not for pc1$@LAB.EXAMPLE");
	w->leaf.x.nsans = 2;
	assert_int_equal(judge(NULL), AE_OK);
	/* what the request asked for, the CA's policy decides */
	w->leaf.x.nsans = 0;
	w->t.name_flag = AE_CT_SAN_DNS | AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	assert_int_equal(judge(NULL), AE_OK);
}

/* ---- twenty wrong certificates, none accepted ---- */

static char foreign_eku[] = "1.3.6.1.5.5.7.3.3";
static char *foreign_ekus[] = { foreign_eku };

static void
bend_key(void)
{
	w->leaf.spki = ae_key_spki(w->other);
}

static void
bend_template(void)
{
	w->leaf.x.template_oid = "1.3.6.1.4.1.311.21.8.1.3";
}

static void
bend_no_template(void)
{
	w->leaf.x.template_oid = NULL;
	w->leaf.x.has_template_major = false;
}

static void
bend_old_template(void)
{
	bend_no_template();
	w->leaf.x.template_name = cn;
}

static void
bend_sid(void)
{
	w->leaf.x.sid = w->not_sid;
}

static void
bend_no_sid(void)
{
	w->leaf.x.has_sid = false;
}

static void
bend_name(void)
{
	static const struct ae_san not_ours[] = { { .type = AE_SAN_DNS,
	    .text = "dc1.lab.example" } };

	w->leaf.x.sans = not_ours;
	w->leaf.x.nsans = 1;
}

static void
bend_no_name(void)
{
	w->leaf.x.nsans = 0;
}

static void
bend_ca(void)
{
	w->leaf.x.has_basic_constraints = true;
	w->leaf.x.ca = true;
	w->leaf.x.path_len = -1;
}

static void
bend_expired(void)
{
	w->leaf.not_before = NOW - 2 * DAY;
	w->leaf.not_after = NOW - 1;
}

static void
bend_future(void)
{
	w->leaf.not_before = NOW + DAY;
}

static void
bend_eku(void)
{
	w->leaf.x.eku = (struct ae_strv){ foreign_ekus, 1 };
}

static void
bend_no_eku(void)
{
	w->leaf.x.eku = (struct ae_strv){ 0 };
}

static void
bend_rogue(void)
{
	w->signer = w->rogue;
}

static void
bend_rogue_alone(void)
{
	w->signer = w->rogue;
	w->root_in_answer = false;
}

static void
bend_self_signed(void)
{
	w->signer = w->mine;
	w->leaf.issuer = w->leaf.subject;
	w->root_in_answer = false;
}

static void
bend_issuer(void)
{
	w->leaf.issuer = w->leaf.subject; /* signed by the CA all the same */
}

static void
bend_twice(void)
{
	w->twice = true;
}

static void
cut_short(struct ae_wr *cms)
{
	cms->len -= 1;
}

static void
add_bytes(struct ae_wr *cms)
{
	ae_wr_u32(cms, 0);
}

static void
make_garbage(struct ae_wr *cms)
{
	memset(cms->p, 0x5a, cms->len);
}

static void
make_empty(struct ae_wr *cms)
{
	cms->len = 0;
}

/* In the signature of the first certificate: everything parses. */
static void
flip_signature(struct ae_wr *cms)
{
	struct ae_answer *answer = NULL;
	size_t at;

	assert_int_equal(
	    ae_answer_parse(&answer, cms->p, cms->len, NULL), AE_OK);
	for (at = 0; memcmp(cms->p + at, answer->certs[0]->der.p,
			 answer->certs[0]->der.len) != 0;
	     at++)
		assert_true(at + answer->certs[0]->der.len < cms->len);
	cms->p[at + answer->certs[0]->der.len - 1] ^= 1;
	ae_answer_free(answer);
}

static const struct {
	const char *what;
	void (*bend)(void);
	void (*bytes)(struct ae_wr *cms);
} hostile[] = {
	{ "another key", bend_key, NULL },
	{ "another template", bend_template, NULL },
	{ "no template", bend_no_template, NULL },
	{ "the template in the old form alone", bend_old_template, NULL },
	{ "another SID", bend_sid, NULL },
	{ "no SID", bend_no_sid, NULL },
	{ "another name", bend_name, NULL },
	{ "no name", bend_no_name, NULL },
	{ "a CA certificate", bend_ca, NULL },
	{ "expired", bend_expired, NULL },
	{ "not valid yet", bend_future, NULL },
	{ "another key usage", bend_eku, NULL },
	{ "no key usage", bend_no_eku, NULL },
	{ "a foreign root that came along", bend_rogue, NULL },
	{ "a foreign root that did not", bend_rogue_alone, NULL },
	{ "self-signed", bend_self_signed, NULL },
	{ "another issuer's name", bend_issuer, NULL },
	{ "two for the same key", bend_twice, NULL },
	{ "a bit of the signature", NULL, flip_signature },
	{ "cut short", NULL, cut_short },
	{ "bytes behind it", NULL, add_bytes },
	{ "garbage", NULL, make_garbage },
	{ "nothing", NULL, make_empty },
};

static void
rogue_ca_twenty_wrong_answers(void **state)
{
	struct ae_err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		(void)setup(NULL);
		e = (struct ae_err)AE_ERR_INIT;
		assert_int_equal(judge(&e), AE_OK);
		if (hostile[i].bend != NULL)
			hostile[i].bend();
		w->bytes = hostile[i].bytes;
		if (judge(&e) == AE_OK || e.text[0] == '\0')
			fail_msg("accepted: %s", hostile[i].what);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(good_answer_is_accepted, setup),
		cmocka_unit_test_setup(somebody_elses_key, setup),
		cmocka_unit_test_setup(rogue_ca_of_the_same_name, setup),
		cmocka_unit_test_setup(wrong_times, setup),
		cmocka_unit_test_setup(wrong_template, setup),
		cmocka_unit_test_setup(wrong_usage, setup),
		cmocka_unit_test_setup(wrong_sid, setup),
		cmocka_unit_test_setup(wrong_names, setup),
		cmocka_unit_test_setup(rogue_ca_twenty_wrong_answers, setup),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
