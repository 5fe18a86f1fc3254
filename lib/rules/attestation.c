/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading attestations, and the rules about them.  The numbers are Yubico's
 * (PIV attestation, 1.3.6.1.4.1.41482.3).
 */
#include "rules/attestation.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "pki/verify.h"
#include "rules/judge_int.h"

#define YUBICO "1.3.6.1.4.1.41482.3."
/* in requests */
#define OID_DEVICE_A YUBICO "11" /* yubico-piv-tool */
#define OID_DEVICE_B YUBICO "1"
#define OID_INTERMEDIATE YUBICO "2"
/* in attestations */
#define OID_FIRMWARE YUBICO "3"
#define OID_SERIAL YUBICO "7"
#define OID_POLICY YUBICO "8"
#define OID_FORM YUBICO "9"
#define OID_FIPS YUBICO "10"
#define OID_CSPN YUBICO "11"

#define SLOT_PREFIX "YubiKey PIV Attestation "
#define OTHERS_MAX 64
#define CHECK "rules.yubikey"

static const char *const copied[] = { OID_FIRMWARE, OID_SERIAL, OID_POLICY,
	OID_FORM, OID_FIPS, OID_CSPN };
#define NCOPIED (sizeof(copied) / sizeof(copied[0]))

bool
ae_rules_is_yubico(const char *oid)
{
	size_t i;

	for (i = 0; i < NCOPIED; i++)
		if (strcmp(copied[i], oid) == 0)
			return true;
	return false;
}

static const char *
word(const char *const *v, size_t n, unsigned i)
{
	return i < n && v[i] != NULL ? v[i] : "UNKNOWN";
}

const char *
ae_attestation_pin(unsigned i)
{
	static const char *const v[] = { "NONE", "NEVER", "ONCE", "ALWAYS",
		"MATCH_ONCE", "MATCH_ALWAYS" };

	return word(v, sizeof(v) / sizeof(v[0]), i);
}

const char *
ae_attestation_touch(unsigned i)
{
	static const char *const v[] = { "NONE", "NEVER", "ALWAYS", "CACHED" };

	return word(v, sizeof(v) / sizeof(v[0]), i);
}

const char *
ae_attestation_form(unsigned i)
{
	static const char *const v[] = { "UNKNOWN", "USB_A_KEYCHAIN",
		"USB_A_NANO", "USB_C_KEYCHAIN", "USB_C_NANO", "USB_C_LIGHTNING",
		"USB_A_BIOMETRIC_KEYCHAIN", "USB_C_BIOMETRIC_KEYCHAIN" };

	return word(v, sizeof(v) / sizeof(v[0]), i);
}

/* ---- reading ---- */

/* The value when it has n bytes. */
static const uint8_t *
value(const struct ae_cert *c, const char *oid, size_t n)
{
	const struct ae_ext *x = ae_exts_find(&c->x, oid);

	return x != NULL && x->value.len == n ? x->value.p : NULL;
}

/* A DER INTEGER of at most four bytes, and a sign byte. */
static uint32_t
serial(const struct ae_cert *c)
{
	const struct ae_ext *x = ae_exts_find(&c->x, OID_SERIAL);
	uint32_t v = 0;
	size_t i;

	if (x == NULL || x->value.len < 3 || x->value.len > 7 ||
	    x->value.p[0] != AE_DER_INTEGER ||
	    x->value.p[1] != x->value.len - 2)
		return 0;
	for (i = 2; i < x->value.len; i++)
		v = v << 8 | x->value.p[i];
	return v;
}

static void
read_slot(char out[3], const struct ae_cert *c)
{
	const size_t n = sizeof(SLOT_PREFIX) - 1;
	char *cn = NULL;

	out[0] = '\0';
	if (ae_name_get(&cn, c->subject, "CN", NULL) == AE_OK &&
	    strncmp(cn, SLOT_PREFIX, n) == 0 && strlen(cn + n) == 2)
		memcpy(out, cn + n, 3);
	free(cn);
}

static bool
copy_extensions(
    struct ae_attestation *out, const struct ae_cert *c, struct ae_arena *a)
{
	const struct ae_ext *x;
	size_t i;

	out->copied = ae_arena_array(a, NCOPIED, sizeof(*out->copied));
	for (i = 0; i < NCOPIED && out->copied != NULL; i++) {
		x = ae_exts_find(&c->x, copied[i]);
		if (x == NULL)
			continue;
		out->copied[out->ncopied].oid = copied[i];
		out->copied[out->ncopied].value.len = x->value.len;
		out->copied[out->ncopied].value.p =
		    ae_arena_dup(a, x->value.p, x->value.len);
		if (out->copied[out->ncopied++].value.p == NULL)
			return false;
	}
	return out->copied != NULL;
}

/* It is about this key, made by that device, and Yubico knows the device. */
static int
verify(const struct ae_cert *leaf, const struct ae_cert *device,
    const struct ae_csr *csr, const struct ae_rules_trust *trust, int64_t now,
    struct ae_err *e)
{
	const struct ae_cert *others[OTHERS_MAX + 1] = { device };
	struct ae_verify v = { .anchors = trust->roots,
		.nanchors = trust->nroots,
		.others = others,
		.nothers = 1,
		.at = now };
	struct ae_key *key = NULL;
	size_t i;
	int rc;

	if (!ae_der_equal(leaf->spki, csr->spki))
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "it is about another key than that of the request");
	for (i = 0; i < trust->nothers && i < OTHERS_MAX; i++)
		others[v.nothers++] = trust->others[i];
	rc = ae_key_from_spki(&key, device->spki.p, device->spki.len, e);
	if (rc == AE_OK && !ae_der_equal(leaf->issuer, device->subject))
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "it was made by another device than the one that is named");
	if (rc == AE_OK)
		rc = ae_cert_verify(leaf, key, e);
	if (rc == AE_OK)
		rc = ae_verify_chain(leaf, &v, e);
	ae_key_free(key);
	return rc;
}

static int
read_pair(struct ae_attestation *out, const struct ae_cert *leaf,
    const struct ae_cert *device, struct ae_arena *a, struct ae_err *e)
{
	const uint8_t *firmware = value(leaf, OID_FIRMWARE, 3);
	const uint8_t *policy = value(leaf, OID_POLICY, 2);
	const uint8_t *form = value(leaf, OID_FORM, 1);

	if (firmware == NULL || policy == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "it does not tell firmware and policies");
	memcpy(out->firmware, firmware, 3);
	out->pin = policy[0];
	out->touch = policy[1];
	out->form = form == NULL ? 0 : form[0] & 0x0fu;
	out->serial = serial(leaf);
	if (ae_exts_find(&device->x, OID_FIPS) != NULL)
		out->edition = AE_RULES_YK_FIPS;
	else if (ae_exts_find(&device->x, OID_CSPN) != NULL)
		out->edition = AE_RULES_YK_CSPN;
	read_slot(out->slot, leaf);
	return copy_extensions(out, leaf, a) ? AE_OK : ae_fail_mem(e);
}

int
ae_attestation_read(struct ae_attestation *out, const struct ae_csr *csr,
    const struct ae_rules_trust *trust, int64_t now, struct ae_arena *a,
    struct ae_err *e)
{
	const struct ae_ext *x = ae_exts_find(&csr->x, OID_DEVICE_A);
	const struct ae_ext *y = ae_exts_find(&csr->x, OID_INTERMEDIATE);
	struct ae_cert *leaf = NULL, *device = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	if (x == NULL)
		x = ae_exts_find(&csr->x, OID_DEVICE_B);
	if (x == NULL || y == NULL)
		return AE_ENOTFOUND;
	rc = ae_cert_parse(&leaf, x->value.p, x->value.len, e);
	if (rc == AE_OK)
		rc = ae_cert_parse(&device, y->value.p, y->value.len, e);
	if (rc == AE_OK)
		rc = verify(leaf, device, csr, trust, now, e);
	if (rc == AE_OK)
		rc = read_pair(out, leaf, device, a, e);
	ae_cert_free(leaf);
	ae_cert_free(device);
	return rc;
}

/* ---- judging ---- */

static bool
has_bit(uint32_t set, unsigned v)
{
	return set == 0 || (v < 32 && (set >> v & 1) != 0);
}

static bool
has_slot(const struct ae_rules_strings *l, const char *slot)
{
	const char *s;
	size_t i;

	for (i = 0; i < l->n; i++) {
		s = l->v[i];
		if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
			s += 2;
		if (ae_str_eq_nocase(s, slot))
			return true;
	}
	return l->n == 0;
}

static bool
matches(const struct ae_rules_yubikey *p, const struct judging *j)
{
	const struct ae_attestation *y = &j->yubikey;
	const int64_t firmware =
	    AE_RULES_FIRMWARE(y->firmware[0], y->firmware[1], y->firmware[2]);
	const unsigned algorithm = ae_key_type(j->f->csr->key) == AE_KEY_EC
	    ? AE_RULES_YK_ECC
	    : AE_RULES_YK_RSA;

	return (p->firmware_min < 0 || firmware >= p->firmware_min) &&
	    (p->firmware_max < 0 || firmware <= p->firmware_max) &&
	    has_bit(p->pin, y->pin) && has_bit(p->touch, y->touch) &&
	    has_bit(p->form, y->form) && has_bit(p->edition, y->edition) &&
	    has_bit(p->algorithm, algorithm) && has_slot(&p->slots, y->slot);
}

/*
 * One that denies always does; with one that allows, nothing else is
 * allowed.
 */
static void
judge_policies(struct judging *j)
{
	bool any_allow = false, allowed = false;
	size_t i;

	for (i = 0; i < j->r->yubikey.n; i++) {
		const struct ae_rules_yubikey *p = &j->r->yubikey.v[i];
		const bool hit = matches(p, j);

		any_allow = any_allow || p->action == AE_RULES_ALLOW;
		allowed = allowed || (hit && p->action == AE_RULES_ALLOW);
		if (hit && p->action == AE_RULES_DENY)
			judge_add(j, HR_TEMPLATE_DENIED, CHECK,
			    "the YubiKey %u is denied by YubiKeyPolicy %zu",
			    j->yubikey.serial, i + 1);
	}
	if (any_allow && !allowed)
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "the YubiKey %u (firmware %u.%u.%u, slot %s, PIN %s, touch "
		    "%s) is allowed by no YubiKeyPolicy",
		    j->yubikey.serial, j->yubikey.firmware[0],
		    j->yubikey.firmware[1], j->yubikey.firmware[2],
		    j->yubikey.slot, ae_attestation_pin(j->yubikey.pin),
		    ae_attestation_touch(j->yubikey.touch));
}

void
judge_yubikey(struct judging *j)
{
	const struct ae_rules *r = j->r;
	struct ae_err e = AE_ERR_INIT;
	int rc;

	if (r->yubikey.n == 0)
		return;
	rc = ae_attestation_read(
	    &j->yubikey, j->f->csr, &j->f->trust, j->f->now, j->a, &e);
	if (rc == AE_ENOMEM) {
		j->oom = true;
	} else if (rc == AE_ENOTFOUND) {
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "the request has no attestation of a YubiKey");
	} else if (rc != AE_OK) {
		judge_add(j, HR_NTE_FAIL, CHECK,
		    "the attestation of a YubiKey is not good: %s", e.text);
	} else {
		j->has_yubikey = true;
		judge_policies(j);
	}
}
