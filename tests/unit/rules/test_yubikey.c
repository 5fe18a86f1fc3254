/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests of real YubiKeys and Yubico's own CAs, as they were published
 * (tests/vectors/yubikey-*.hex).  test_attestation.c bends what these
 * cannot: nobody but the device has their keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hexfile.h"
#include "pki/cert.h"
#include "rules/attestation.h"

#define NOW INT64_C(1790000000)

enum ca { PIV, ROOT_1, B_1, PIV_B_1, NCAS };

static struct ae_cert *cas[NCAS];
static struct ae_arena *arena;

static struct ae_csr *
request(const char *name)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_csr *csr = NULL;
	size_t len;
	uint8_t *p = ae_hexfile(AE_VECTORS, name, &len);

	if (ae_csr_parse(&csr, p, len, &e) != AE_OK)
		fail_msg("%s: %s", name, e.text);
	free(p);
	return csr;
}

static int
group_setup(void **state)
{
	static const char *const names[NCAS] = { "yubikey-root-piv.hex",
		"yubikey-root-1.hex", "yubikey-ca-b1.hex",
		"yubikey-ca-piv-b1.hex" };
	size_t i, len;
	uint8_t *p;

	(void)state;
	for (i = 0; i < NCAS; i++) {
		p = ae_hexfile(AE_VECTORS, names[i], &len);
		assert_int_equal(ae_cert_parse(&cas[i], p, len, NULL), AE_OK);
		free(p);
	}
	arena = ae_arena_new(1 << 20);
	return arena == NULL;
}

static int
group_teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NCAS; i++)
		ae_cert_free(cas[i]);
	ae_arena_free(arena);
	return 0;
}

/* What an administrator has in yubikey-roots: roots, and CAs below them. */
static struct ae_rules_trust
everything(void)
{
	static const struct ae_cert *roots[2], *others[2];

	roots[0] = cas[PIV];
	roots[1] = cas[ROOT_1];
	others[0] = cas[B_1];
	others[1] = cas[PIV_B_1];
	return (struct ae_rules_trust){ roots, 2, others, 2 };
}

static const struct device {
	const char *file;
	const char *pin, *touch, *form;
	uint8_t firmware[3];
	unsigned edition;
	uint32_t serial;
	enum ae_key_type key;
} devices[] = {
	{ "yubikey-csr-5.2.7.hex", "ONCE", "NEVER", "USB_A_KEYCHAIN",
	    { 5, 2, 7 }, AE_RULES_YK_NORMAL, 0xf27757, AE_KEY_RSA },
	{ "yubikey-csr-5.4.3.hex", "ONCE", "CACHED", "USB_A_KEYCHAIN",
	    { 5, 4, 3 }, AE_RULES_YK_NORMAL, 0x12c0377, AE_KEY_EC },
	{ "yubikey-csr-fips.hex", "ONCE", "CACHED", "USB_A_KEYCHAIN",
	    { 5, 4, 3 }, AE_RULES_YK_FIPS, 0x1ba5906, AE_KEY_RSA },
	{ "yubikey-csr-5.7.4.hex", "ONCE", "CACHED", "USB_C_KEYCHAIN",
	    { 5, 7, 4 }, AE_RULES_YK_NORMAL, 0x1f8845f, AE_KEY_EC },
};
#define NDEVICES (sizeof(devices) / sizeof(devices[0]))

static void
published_devices_are_believed(void **state)
{
	const struct ae_rules_trust trust = everything();
	struct ae_err e = AE_ERR_INIT;
	struct ae_attestation y;
	struct ae_csr *csr;
	size_t i;

	(void)state;
	for (i = 0; i < NDEVICES; i++) {
		const struct device *d = &devices[i];

		csr = request(d->file);
		ae_arena_reset(arena);
		if (ae_attestation_read(&y, csr, &trust, NOW, arena, &e) !=
		    AE_OK)
			fail_msg("%s: %s", d->file, e.text);
		assert_memory_equal(y.firmware, d->firmware, 3);
		assert_string_equal(ae_attestation_pin(y.pin), d->pin);
		assert_string_equal(ae_attestation_touch(y.touch), d->touch);
		assert_string_equal(ae_attestation_form(y.form), d->form);
		assert_string_equal(y.slot, "9a");
		assert_int_equal(y.edition, d->edition);
		assert_int_equal(y.serial, d->serial);
		assert_int_equal(ae_key_type(csr->key), d->key);
		assert_int_equal(y.ncopied, 4);
		ae_csr_free(csr);
	}
}

static int
read_with(const char *file, const struct ae_cert *root,
    const struct ae_cert *ca_1, const struct ae_cert *ca_2, int64_t now)
{
	const struct ae_cert *others[] = { ca_1, ca_2 };
	const struct ae_rules_trust trust = { .roots = &root,
		.nroots = 1,
		.others = others,
		.nothers = ca_1 == NULL ? 0
		    : ca_2 == NULL	? 1
					: 2 };
	struct ae_csr *csr = request(file);
	struct ae_err e = AE_ERR_INIT;
	struct ae_attestation y;
	int rc;

	ae_arena_reset(arena);
	rc = ae_attestation_read(&y, csr, &trust, now, arena, &e);
	ae_csr_free(csr);
	return rc;
}

/* Each root for its own; firmware 5.7.4 needs both CAs between. */
static void
only_with_its_own_root(void **state)
{
	(void)state;
	assert_int_equal(
	    read_with(devices[0].file, cas[PIV], NULL, NULL, NOW), AE_OK);
	assert_int_equal(read_with(devices[0].file, cas[ROOT_1], cas[B_1],
			     cas[PIV_B_1], NOW),
	    AE_ETRUST);
	assert_int_equal(read_with(devices[3].file, cas[ROOT_1], cas[PIV_B_1],
			     cas[B_1], NOW),
	    AE_OK);
	assert_int_equal(
	    read_with(devices[3].file, cas[ROOT_1], cas[B_1], NULL, NOW),
	    AE_ETRUST);
	assert_int_equal(
	    read_with(devices[3].file, cas[ROOT_1], NULL, NULL, NOW),
	    AE_ETRUST);
	assert_int_equal(
	    read_with(devices[3].file, cas[PIV], cas[B_1], cas[PIV_B_1], NOW),
	    AE_ETRUST);
	/* before they were made: 14 March 2016 */
	assert_int_equal(
	    read_with(devices[0].file, cas[PIV], NULL, NULL, 1400000000),
	    AE_ETRUST);
}

/* The bytes of its extension ".3.<tail>", inside the parsed request. */
static uint8_t *
extension(struct ae_csr *csr, const char *oid, size_t *len)
{
	const struct ae_ext *x = ae_exts_find(&csr->x, oid);

	assert_non_null(x);
	*len = x->value.len;
	return (uint8_t *)(uintptr_t)x->value.p;
}

/* Each byte changed, of what the slot and what the device says. */
static void
no_byte_can_be_changed(void **state)
{
	static const char *const parts[] = { "1.3.6.1.4.1.41482.3.11",
		"1.3.6.1.4.1.41482.3.2" };
	const struct ae_rules_trust trust = everything();
	struct ae_csr *csr = request(devices[0].file);
	struct ae_attestation y;
	size_t i, n, len;
	uint8_t *p;

	(void)state;
	for (n = 0; n < 2; n++) {
		p = extension(csr, parts[n], &len);
		for (i = 0; i < len; i++) {
			struct ae_err e = AE_ERR_INIT;

			p[i] ^= 0x10;
			ae_arena_reset(arena);
			if (ae_attestation_read(
				&y, csr, &trust, NOW, arena, &e) == AE_OK)
				fail_msg("%s: byte %zu", parts[n], i);
			p[i] ^= 0x10;
		}
	}
	ae_csr_free(csr);
}

/* Somebody else's attestation, copied into one's own request. */
static void
another_s_attestation_is_worth_nothing(void **state)
{
	const struct ae_rules_trust trust = everything();
	struct ae_csr *own = request(devices[2].file);
	struct ae_csr *other = request(devices[0].file);
	const struct ae_der spki = own->spki;
	struct ae_err e = AE_ERR_INIT;
	struct ae_attestation y;

	(void)state;
	own->spki = other->spki;
	assert_int_equal(
	    ae_attestation_read(&y, own, &trust, NOW, arena, &e), AE_ETRUST);
	assert_non_null(strstr(e.text, "another key"));
	own->spki = spki;
	ae_csr_free(own);
	ae_csr_free(other);
}

/* TameMyCerts' example against YSA-2024-03: no ECC before firmware 5.7. */
static void
ecc_before_5_7_is_denied(void **state)
{
	static const char xml[] =
	    "<CertificateRequestPolicy><YubiKeyPolicies><YubiKeyPolicy>"
	    "<MaximumFirmwareVersion>5.6.9</MaximumFirmwareVersion>"
	    "<KeyAlgorithm><string>ECC</string></KeyAlgorithm>"
	    "<Action>Deny</Action></YubiKeyPolicy></YubiKeyPolicies>"
	    "<PermitEmptyIdentities>true</PermitEmptyIdentities>"
	    "</CertificateRequestPolicy>";
	struct ae_err e = AE_ERR_INIT;
	struct ae_rules_outcome out;
	struct ae_rules *r = NULL;
	struct ae_csr *csr;
	size_t i;

	(void)state;
	if (ae_rules_load(&r, "T", xml, strlen(xml), &e) != AE_OK)
		fail_msg("%s", e.text);
	for (i = 0; i < NDEVICES; i++) {
		struct ae_rules_facts f = { .now = NOW,
			.not_after = NOW + 86400,
			.trust = everything() };

		csr = request(devices[i].file);
		f.csr = csr;
		f.subject = csr->subject;
		f.wanted_key = devices[i].key;
		ae_arena_reset(arena);
		assert_int_equal(ae_rules_judge(&out, r, &f, arena, &e), AE_OK);
		if (devices[i].key == AE_KEY_EC && devices[i].firmware[1] < 7) {
			assert_int_equal(out.n, 1);
			assert_int_equal(out.violations[0].hresult, 0x80094012);
			assert_non_null(strstr(out.violations[0].text,
			    "denied by YubiKeyPolicy 1"));
		} else if (out.n != 0) {
			fail_msg(
			    "%s: %s", devices[i].file, out.violations[0].text);
		} else {
			assert_int_equal(out.nextensions, 4);
		}
		ae_csr_free(csr);
	}
	ae_rules_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_devices_are_believed),
		cmocka_unit_test(only_with_its_own_root),
		cmocka_unit_test(no_byte_can_be_changed),
		cmocka_unit_test(another_s_attestation_is_worth_nothing),
		cmocka_unit_test(ecc_before_5_7_is_denied),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
