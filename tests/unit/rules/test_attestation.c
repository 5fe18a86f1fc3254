/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of rules/attestation.h and YubiKeyPolicies.  The chain is made here
 * in the shape of Yubico's: a root, a device, an attestation of one slot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/tbs.h"
#include "rules/attestation.h"

#define NOW INT64_C(1790000000)
#define YUBICO "1.3.6.1.4.1.41482.3."

enum who { ROOT, DEVICE, SLOT, OTHER, NKEYS };

struct world {
	struct ae_key *key[NKEYS];
	struct ae_cert *root, *other_root;
	struct ae_arena *a;
	/* bent by tests */
	enum who attested, device_signer, leaf_signer;
	const char *slot_name, *device_oid;
	uint8_t policy[2], form, firmware[3];
	bool fips, cspn, with_device;
	/* made */
	struct ae_wr leaf, device;
	struct ae_csr *csr;
	const struct ae_cert *anchors[1];
	struct ae_rules_facts f;
};

static void
make_name(struct ae_wr *w, const char *cn)
{
	const struct ae_name_part part = { "CN", cn };

	ae_wr_init(w, 1024);
	assert_int_equal(ae_name_encode(w, &part, 1, NULL), AE_OK);
}

/* A certificate of subject's key by issuer's. */
static void
make_cert(struct world *w, struct ae_wr *out, const char *subject, enum who key,
    const char *issuer, enum who by, bool ca, const struct ae_ext *raw,
    size_t nraw)
{
	static const uint8_t serial[] = { 0x11, 0x22 };
	struct ae_tbs t = { .serial = { serial, 2 },
		.not_before = NOW - 86400,
		.not_after = NOW + 86400,
		.x = { .has_basic_constraints = ca,
		    .ca = ca,
		    .path_len = -1,
		    .has_key_usage = ca,
		    .key_usage = AE_KU_KEY_CERT_SIGN,
		    .raw = raw,
		    .nraw = nraw } };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr s, i;

	make_name(&s, subject);
	make_name(&i, issuer);
	t.sigalg = ae_key_sigalg(w->key[by], AE_HASH_SHA256);
	t.subject = (struct ae_der){ s.p, s.len };
	t.issuer = (struct ae_der){ i.p, i.len };
	t.spki = ae_key_spki(w->key[key]);
	ae_wr_reset(out);
	if (ae_tbs_sign(out, &t, w->key[by], &e) != AE_OK)
		fail_msg("%s", e.text);
	ae_wr_done(&s);
	ae_wr_done(&i);
}

/* The request as the world now has it. */
static void
make_request(struct world *w)
{
	static const uint8_t serial[] = { 0x02, 0x04, 0x00, 0xbc, 0x61, 0x4e };
	struct ae_ext leaf[] = { { .oid = YUBICO "3",
				     .value = { w->firmware, 3 } },
		{ .oid = YUBICO "7", .value = { serial, sizeof(serial) } },
		{ .oid = YUBICO "8", .value = { w->policy, 2 } },
		{ .oid = YUBICO "9", .value = { &w->form, 1 } } };
	struct ae_ext device[] = { { .oid = w->fips ? YUBICO "10"
		: w->cspn			    ? YUBICO "11"
						    : "1.2.3.4",
	    .value = { serial, sizeof(serial) } } };
	struct ae_ext asked[2];
	struct ae_csr_spec spec = { .hash = AE_HASH_SHA256 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr csr, name;

	make_cert(w, &w->device, "Yubico PIV Attestation", DEVICE,
	    "Yubico PIV Root CA", w->device_signer, true, device, 1);
	make_cert(w, &w->leaf, w->slot_name, w->attested,
	    "Yubico PIV Attestation", w->leaf_signer, false, leaf, 4);
	asked[0] = (struct ae_ext){ .oid = w->device_oid,
		.value = { w->leaf.p, w->leaf.len } };
	asked[1] = (struct ae_ext){ .oid = YUBICO "2",
		.value = { w->device.p, w->device.len } };
	make_name(&name, "alice");
	spec.subject = (struct ae_der){ name.p, name.len };
	spec.x.raw = asked;
	spec.x.nraw = w->with_device ? 2 : 1;
	ae_wr_init(&csr, 1 << 16);
	ae_csr_free(w->csr);
	w->csr = NULL;
	if (ae_csr_build(&csr, &spec, w->key[SLOT], &e) != AE_OK ||
	    ae_csr_parse(&w->csr, csr.p, csr.len, &e) != AE_OK)
		fail_msg("%s", e.text);
	ae_wr_done(&csr);
	ae_wr_done(&name);
	w->f.csr = w->csr;
	w->f.subject = w->csr->subject;
}

static int
fresh(void **state)
{
	struct world *w = *state;

	w->attested = SLOT;
	w->device_signer = ROOT;
	w->leaf_signer = DEVICE;
	w->slot_name = "YubiKey PIV Attestation 9a";
	w->device_oid = YUBICO "11";
	w->policy[0] = 2; /* once */
	w->policy[1] = 3; /* cached */
	w->form = 0x84;	  /* C, nano, the FIPS bit set */
	w->firmware[0] = 5;
	w->firmware[1] = 7;
	w->firmware[2] = 4;
	w->fips = w->cspn = false;
	w->with_device = true;
	w->anchors[0] = w->root;
	w->f = (struct ae_rules_facts){ .now = NOW,
		.supplied = true,
		.wanted_key = AE_KEY_EC,
		.not_after = NOW + 86400,
		.trust = { .roots = w->anchors, .nroots = 1 } };
	return 0;
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ae_wr root;
	int i;

	assert_non_null(w);
	for (i = 0; i < NKEYS; i++)
		assert_int_equal(
		    ae_key_generate(&w->key[i], AE_KEY_EC, 256, NULL), AE_OK);
	ae_wr_init(&w->leaf, 8192);
	ae_wr_init(&w->device, 8192);
	ae_wr_init(&root, 8192);
	make_cert(w, &root, "Yubico PIV Root CA", ROOT, "Yubico PIV Root CA",
	    ROOT, true, NULL, 0);
	assert_int_equal(
	    ae_cert_parse(&w->root, root.p, root.len, NULL), AE_OK);
	make_cert(w, &root, "Yubico PIV Root CA", OTHER, "Yubico PIV Root CA",
	    OTHER, true, NULL, 0);
	assert_int_equal(
	    ae_cert_parse(&w->other_root, root.p, root.len, NULL), AE_OK);
	ae_wr_done(&root);
	w->a = ae_arena_new(1 << 20);
	*state = w;
	return w->a == NULL;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	int i;

	for (i = 0; i < NKEYS; i++)
		ae_key_free(w->key[i]);
	ae_cert_free(w->root);
	ae_cert_free(w->other_root);
	ae_csr_free(w->csr);
	ae_wr_done(&w->leaf);
	ae_wr_done(&w->device);
	ae_arena_free(w->a);
	free(w);
	return 0;
}

static int
read_it(struct world *w, struct ae_attestation *y, struct ae_err *e)
{
	make_request(w);
	ae_arena_reset(w->a);
	return ae_attestation_read(y, w->csr, &w->f.trust, NOW, w->a, e);
}

static void
an_attestation_is_read(void **state)
{
	struct world *w = *state;
	struct ae_attestation y;
	struct ae_err e = AE_ERR_INIT;

	if (read_it(w, &y, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_string_equal(y.slot, "9a");
	assert_string_equal(ae_attestation_pin(y.pin), "ONCE");
	assert_string_equal(ae_attestation_touch(y.touch), "CACHED");
	assert_string_equal(ae_attestation_form(y.form), "USB_C_NANO");
	assert_int_equal(y.firmware[0], 5);
	assert_int_equal(y.firmware[2], 4);
	assert_int_equal(y.serial, 12345678);
	assert_int_equal(y.edition, AE_RULES_YK_NORMAL);
	assert_int_equal(y.ncopied, 4);
	assert_string_equal(y.copied[1].oid, YUBICO "7");
	/* the place where other tools put it, and another slot */
	w->device_oid = YUBICO "1";
	w->slot_name = "YubiKey PIV Attestation 9c";
	w->fips = true;
	assert_int_equal(read_it(w, &y, &e), AE_OK);
	assert_string_equal(y.slot, "9c");
	assert_int_equal(y.edition, AE_RULES_YK_FIPS);
	w->fips = false;
	w->cspn = true;
	w->slot_name = "something else";
	w->policy[0] = 77;
	assert_int_equal(read_it(w, &y, &e), AE_OK);
	assert_string_equal(y.slot, "");
	assert_int_equal(y.edition, AE_RULES_YK_CSPN);
	assert_string_equal(ae_attestation_pin(y.pin), "UNKNOWN");
}

static void
what_is_not_good_is_not_believed(void **state)
{
	struct world *w = *state;
	struct ae_attestation y;
	struct ae_err e = AE_ERR_INIT;

	/* half of it */
	w->with_device = false;
	assert_int_equal(read_it(w, &y, &e), AE_ENOTFOUND);
	/* of another key: somebody else's attestation in one's own request */
	assert_int_equal(fresh(state), 0);
	w->attested = OTHER;
	assert_int_equal(read_it(w, &y, &e), AE_ETRUST);
	assert_non_null(strstr(e.text, "another key"));
	/* by another than the device */
	assert_int_equal(fresh(state), 0);
	w->leaf_signer = OTHER;
	assert_int_equal(read_it(w, &y, &e), AE_ETRUST);
	/* of a device that Yubico does not know */
	assert_int_equal(fresh(state), 0);
	w->device_signer = OTHER;
	assert_int_equal(read_it(w, &y, &e), AE_ETRUST);
	/* with another root, and with none */
	assert_int_equal(fresh(state), 0);
	w->anchors[0] = w->other_root;
	assert_int_equal(read_it(w, &y, &e), AE_ETRUST);
	w->f.trust.nroots = 0;
	assert_int_equal(read_it(w, &y, &e), AE_ETRUST);
}

static void
judge(struct world *w, const char *policies, struct ae_rules_outcome *out)
{
	char xml[2048];
	struct ae_rules *r = NULL;
	struct ae_err e = AE_ERR_INIT;

	(void)snprintf(xml, sizeof(xml),
	    "<CertificateRequestPolicy><Subject><SubjectRule><Field>commonName"
	    "</Field><Patterns><Pattern><Expression>.</Expression></Pattern>"
	    "</Patterns></SubjectRule></Subject><YubiKeyPolicies>%s"
	    "</YubiKeyPolicies><OutboundSubject><OutboundSubjectRule>"
	    "<Field>commonName</Field><Value>{yk:Slot} {yk:serialnumber} "
	    "{yk:FirmwareVersion} {yk:PinPolicy} {yk:TouchPolicy} "
	    "{yk:FormFactor}</Value><Force>true</Force></OutboundSubjectRule>"
	    "</OutboundSubject></CertificateRequestPolicy>",
	    policies);
	if (ae_rules_load(&r, "T", xml, strlen(xml), &e) != AE_OK)
		fail_msg("%s", e.text);
	make_request(w);
	ae_arena_reset(w->a);
	assert_int_equal(ae_rules_judge(out, r, &w->f, w->a, &e), AE_OK);
	ae_rules_free(r);
}

#define POLICY(inner) "<YubiKeyPolicy>" inner "</YubiKeyPolicy>"
#define DENY(inner) POLICY("<Action>Deny</Action>" inner)
#define ONE(tag, s) "<" tag "><string>" s "</string></" tag ">"
#define TAG(tag, s) "<" tag ">" s "</" tag ">"

static void
policies_match_what_they_say(void **state)
{
	static const struct {
		const char *policies, *text; /* NULL: allowed */
	} v[] = {
		{ POLICY(""), NULL },
		{ POLICY(ONE("PinPolicy", "Once")), NULL },
		{ POLICY(ONE("PinPolicy", "Always")), "allowed by no" },
		{ POLICY("<PinPolicy><string>Always</string><string>Once"
			 "</string></PinPolicy>"),
		    NULL },
		{ POLICY(ONE("TouchPolicy", "Cached")), NULL },
		{ POLICY(ONE("TouchPolicy", "Never")), "allowed by no" },
		{ POLICY(ONE("FormFactor", "UsbCNano")), NULL },
		{ POLICY(ONE("FormFactor", "UsbANano")), "allowed by no" },
		{ POLICY(ONE("Edition", "Normal")), NULL },
		{ POLICY(ONE("Edition", "FIPS")), "allowed by no" },
		{ POLICY(ONE("Slot", "9A")), NULL },
		{ POLICY(ONE("Slot", "0x9a")), NULL },
		{ POLICY(ONE("Slot", "9c")), "slot 9a" },
		{ POLICY(ONE("KeyAlgorithm", "ECC")), NULL },
		{ POLICY(ONE("KeyAlgorithm", "RSA")), "allowed by no" },
		{ POLICY(TAG("MinimumFirmwareVersion", "5.7.4")), NULL },
		{ POLICY(TAG("MinimumFirmwareVersion", "5.7.5")), "5.7.4" },
		{ POLICY(TAG("MaximumFirmwareVersion", "5.7.4")), NULL },
		{ POLICY(TAG("MaximumFirmwareVersion", "5.7.3")), "5.7.4" },
		{ POLICY(TAG("MaximumFirmwareVersion", "5.7")), "5.7.4" },
		/* denying alone allows the rest */
		{ DENY(ONE("Slot", "9c")), NULL },
		{ DENY(ONE("Slot", "9a")), "denied by YubiKeyPolicy 1" },
		/* denying wins, wherever it stands */
		{ POLICY("") DENY(ONE("Slot", "9a")), "denied by YubiKeyPol" },
		{ DENY(ONE("Slot", "9a")) POLICY(""), "denied by YubiKeyPol" },
		{ POLICY("") DENY(ONE("Slot", "9c")), NULL },
		{ DENY(ONE("Slot", "9c")) POLICY(ONE("Slot", "9d")),
		    "allowed by no" },
	};
	struct world *w = *state;
	struct ae_rules_outcome out;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		judge(w, v[i].policies, &out);
		if (v[i].text == NULL && out.n != 0)
			fail_msg(
			    "%s: %s", v[i].policies, out.violations[0].text);
		if (v[i].text == NULL)
			continue;
		if (out.n != 1 ||
		    strstr(out.violations[0].text, v[i].text) == NULL)
			fail_msg("%s: %zu: %s", v[i].policies, out.n,
			    out.n > 0 ? out.violations[0].text : "");
		assert_int_equal(out.violations[0].hresult, 0x80094012);
	}
}

static void
it_is_written_into_the_certificate(void **state)
{
	struct world *w = *state;
	struct ae_rules_outcome out;

	judge(w, POLICY(""), &out);
	assert_int_equal(out.n, 0);
	assert_int_equal(out.nsubject, 1);
	assert_string_equal(
	    out.subject[0].value, "9a 12345678 5.7.4 ONCE CACHED USB_C_NANO");
	assert_int_equal(out.nextensions, 4);
	assert_true(ae_rules_is_yubico(out.extensions[3].oid));
	assert_false(ae_rules_is_yubico(YUBICO "2"));
	/* one that is not good leaves nothing behind */
	w->device_signer = OTHER;
	judge(w, POLICY(""), &out);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.violations[0].hresult, 0x80090020);
	assert_int_equal(out.nextensions, 0);
	assert_string_equal(out.subject[0].value, "alice");
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_attestation_is_read),
		T(what_is_not_good_is_not_believed),
		T(policies_match_what_they_say),
		T(it_is_written_into_the_certificate),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
