/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of key attestation: statements of a TPM (swtpm) and what is done to
 * them, endorsement keys, challenges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "hexfile.h"
#include "mutate.h"
#include "pki/attest.h"
#include "pki/envelope.h"
#include "pki/ossl.h"
#include "torture.h"

struct vector {
	uint8_t *p;
	size_t len;
};

static struct vector statement, ek_info;
static struct ae_key *key; /* the attested one */

static struct vector
vector(const char *name)
{
	struct vector v;

	v.p = ae_hexfile(AE_VECTORS, name, &v.len);
	return v;
}

static struct ae_key *
public_of(const char *name)
{
	struct vector v = vector(name);
	struct ae_key *k = NULL;

	assert_ok(ae_key_from_spki(&k, v.p, v.len, NULL));
	free(v.p);
	return k;
}

static int
judge(struct vector v, const struct ae_key *k, enum ae_attest_part *part)
{
	struct ae_attestation a;

	return ae_attestation_verify(
	    &a, part, (struct ae_der){ v.p, v.len }, k, false, NULL);
}

static int
setup(void **state)
{
	(void)state;
	statement = vector("pki-attest-statement.hex");
	ek_info = vector("pki-attest-ek.hex");
	key = public_of("pki-attest-key.hex");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(statement.p);
	free(ek_info.p);
	ae_key_free(key);
	return 0;
}

static void
a_tpm_is_believed(void **state)
{
	enum ae_attest_part part;
	struct ae_attestation a;

	(void)state;
	assert_ok(ae_attestation_verify(&a, &part,
	    (struct ae_der){ statement.p, statement.len }, key, false, NULL));
	assert_int_equal(a.aik_name_len, 34);
	assert_int_equal(a.aik_name[1], 0x0b); /* TPM_ALG_SHA256 */
	assert_int_equal(a.aik_opaque.len, 0);
}

static void
a_statement_about_another_key(void **state)
{
	struct ae_key *other = NULL;
	enum ae_attest_part part;

	(void)state;
	assert_ok(ae_key_generate(&other, AE_KEY_EC, 256, NULL));
	assert_rc(judge(statement, other, &part), AE_ETRUST);
	assert_int_equal(part, AE_ATTEST_KEY);
	ae_key_free(other);
}

static void
an_attestation_key_that_signs_anything(void **state)
{
	struct vector v = vector("pki-attest-unrestricted.hex");
	struct ae_key *k = public_of("pki-attest-free-key.hex");
	enum ae_attest_part part;

	(void)state;
	assert_rc(judge(v, k, &part), AE_ETRUST);
	assert_int_equal(part, AE_ATTEST_ID_BINDING);
	ae_key_free(k);
	free(v.p);
}

static void
a_key_that_may_leave_its_tpm(void **state)
{
	struct vector v = vector("pki-attest-loose.hex");
	struct ae_key *k = public_of("pki-attest-loose-key.hex");
	enum ae_attest_part part;

	(void)state;
	assert_rc(judge(v, k, &part), AE_ETRUST);
	assert_int_equal(part, AE_ATTEST_KEY);
	ae_key_free(k);
	free(v.p);
}

static uint32_t
u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

/* The id binding of one TPM's key, the statement about a key of another. */
static void
parts_of_two_statements(void **state)
{
	struct vector v = vector("pki-attest-loose.hex"), mixed;
	const size_t id = u32(v.p + 16), mine = u32(statement.p + 16);
	const size_t rest = statement.len - 28 - mine;
	enum ae_attest_part part;

	(void)state;
	assert_int_equal(id, mine);
	mixed.len = statement.len;
	mixed.p = malloc(mixed.len);
	assert_non_null(mixed.p);
	memcpy(mixed.p, statement.p, 28);
	memcpy(mixed.p + 28, v.p + 28, id);
	memcpy(mixed.p + 28 + id, statement.p + 28 + mine, rest);
	assert_rc(judge(mixed, key, &part), AE_ETRUST);
	assert_int_equal(part, AE_ATTEST_KEY);
	free(mixed.p);
	free(v.p);
}

/* What the key's own blob says beside its public area is nobody's. */
static size_t ignored_from, ignored_to;

static void
no_other_byte_is_true(const uint8_t *p, size_t len, void *arg)
{
	struct ae_attestation a;
	enum ae_attest_part part;
	size_t i, n = 0;

	(void)arg;
	if (ae_attestation_verify(&a, &part, (struct ae_der){ p, len }, key,
		false, NULL) != AE_OK)
		return;
	assert_int_equal(len, statement.len);
	for (i = 0; i < len; i++)
		if (p[i] != statement.p[i]) {
			assert_true(i >= ignored_from && i < ignored_to);
			n++;
		}
	assert_true(n <= 4 || memcmp(p, statement.p, len) == 0);
}

static bool
verify_torture(void *arg)
{
	enum ae_attest_part part;

	(void)arg;
	return judge(statement, key, &part) == AE_OK;
}

static void
no_byte_can_be_changed(void **state)
{
	const size_t blob =
	    54 + u32(statement.p + statement.len - 88 - 54 + 16);

	(void)state;
	ignored_from = statement.len - blob + 12;
	ignored_to = statement.len - 88;
	assert_true(ae_mutate(statement.p, statement.len, no_other_byte_is_true,
			NULL) > 5000);
	assert_true(ae_torture(verify_torture, NULL, 20000, false) > 5);
}

/* Taken apart and put together again, it is the same. */
static void
what_is_written_is_what_came(void **state)
{
	const uint8_t *p = statement.p + 28;
	struct ae_attestation_spec s = { .aik_public = { p, 0 } };
	struct ae_wr w;
	size_t id = u32(statement.p + 16);

	(void)state;
	s.aik_public.len = 2 + (size_t)(p[0] << 8 | p[1]);
	s.creation_data.p = p + s.aik_public.len;
	s.creation_data.len =
	    2 + (size_t)(s.creation_data.p[0] << 8 | s.creation_data.p[1]);
	s.id_attest.p = s.creation_data.p + s.creation_data.len + 2;
	s.id_attest.len = (size_t)(s.id_attest.p[-2] << 8 | s.id_attest.p[-1]);
	s.id_signature.p = s.id_attest.p + s.id_attest.len;
	s.id_signature.len = id - (size_t)(s.id_signature.p - p);
	p += id;
	s.key_attest = (struct ae_der){ p + 24, u32(p + 12) };
	s.key_signature =
	    (struct ae_der){ s.key_attest.p + s.key_attest.len, u32(p + 16) };
	s.key_public =
	    (struct ae_der){ s.key_signature.p + s.key_signature.len + 54, 88 };
	ae_wr_init(&w, AE_ATTESTATION_MAX);
	assert_ok(ae_attestation_put(&w, &s, NULL));
	assert_int_equal(w.len, statement.len);
	assert_memory_equal(w.p, statement.p, w.len);
	ae_wr_done(&w);
}

static void
read_ek(const uint8_t *p, size_t len, void *arg)
{
	struct ae_ek_info i;

	(void)arg;
	if (ae_ek_info_parse(&i, p, len, NULL) == AE_OK)
		ae_ek_info_done(&i);
}

static bool
ek_torture(void *arg)
{
	struct ae_ek_info i;
	int rc = ae_ek_info_parse(&i, ek_info.p, ek_info.len, NULL);

	(void)arg;
	if (rc == AE_OK)
		ae_ek_info_done(&i);
	return rc == AE_OK;
}

static void
endorsement_keys(void **state)
{
	struct ae_ek_info i;
	struct ae_key *small = NULL;
	struct ae_wr w;

	(void)state;
	assert_ok(ae_ek_info_parse(&i, ek_info.p, ek_info.len, NULL));
	assert_int_equal(ae_key_bits(i.ek), 2048);
	assert_int_equal(i.ncerts, 1);
	assert_true(ae_cert_has_key(i.certs[0], i.ek));
	assert_memory_not_equal(i.hash, i.spki_hash, 32);
	ae_wr_init(&w, AE_EK_INFO_MAX);
	assert_ok(ae_ek_info_put(&w, i.ek, i.certs[0]->der, NULL));
	assert_int_equal(w.len, ek_info.len);
	assert_memory_equal(w.p, ek_info.p, w.len);
	ae_ek_info_done(&i);
	/* without a certificate, and a key of another kind */
	ae_wr_reset(&w);
	assert_ok(ae_key_generate(&small, AE_KEY_EC, 256, NULL));
	assert_ok(ae_ek_info_put(&w, small, (struct ae_der){ NULL, 0 }, NULL));
	assert_rc(ae_ek_info_parse(&i, w.p, w.len, NULL), AE_EINVAL);
	ae_wr_done(&w);
	ae_key_free(small);
	assert_true(ae_mutate(ek_info.p, ek_info.len, read_ek, NULL) > 5000);
	assert_true(ae_torture(ek_torture, NULL, 20000, false) > 5);
}

/* ---- challenges: what a TPM does with one, in software ---- */

static void
derive(uint8_t *out, size_t len, const uint8_t *seed, const char *label,
    const uint8_t *name, size_t n)
{
	uint8_t in[256] = { 0, 0, 0, 1 };
	size_t at = 4, got = 0;
	uint8_t mac[32];

	memcpy(in + at, label, strlen(label) + 1);
	at += strlen(label) + 1;
	if (n > 0)
		memcpy(in + at, name, n);
	at += n;
	in[at + 2] = (uint8_t)(len * 8 >> 8);
	in[at + 3] = (uint8_t)(len * 8);
	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, seed, 32,
	    in, at + 4, mac, sizeof(mac), &got));
	memcpy(out, mac, len);
}

static size_t
unwrap(uint8_t seed[512], const struct ae_key *ek, struct ae_der d)
{
	EVP_PKEY_CTX *c =
	    EVP_PKEY_CTX_new_from_pkey(NULL, ae_key_pkey(ek), NULL);
	char *label = OPENSSL_strdup("IDENTITY");
	size_t n = 512;

	assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()), 1);
	assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(c, label, 9), 1);
	if (EVP_PKEY_decrypt(c, seed, &n, d.p + 2, d.len - 2) != 1)
		n = 0;
	EVP_PKEY_CTX_free(c);
	return n;
}

/* The secret, when it is for that name. */
static bool
activate(uint8_t secret[32], const struct ae_key *ek,
    const struct ae_attestation *who, const void *p, size_t len)
{
	uint8_t seed[512], aes[16], hkey[32], mac[32], clear[34];
	uint8_t said[34 + sizeof(who->aik_name)];
	struct ae_der id, enc;
	EVP_CIPHER_CTX *c;
	size_t n;
	int got = 0;

	assert_ok(ae_attest_challenge_parse(&id, &enc, p, len, NULL));
	assert_int_equal(id.len, 2 + 2 + 32 + 34);
	if (unwrap(seed, ek, enc) != 32)
		return false;
	derive(hkey, 32, seed, "INTEGRITY", NULL, 0);
	memcpy(said, id.p + 36, 34);
	memcpy(said + 34, who->aik_name, who->aik_name_len);
	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, hkey, 32,
	    said, 34 + who->aik_name_len, mac, sizeof(mac), &n));
	if (memcmp(mac, id.p + 4, 32) != 0)
		return false;
	derive(aes, 16, seed, "STORAGE", who->aik_name, who->aik_name_len);
	c = EVP_CIPHER_CTX_new();
	assert_int_equal(EVP_DecryptInit_ex(c, EVP_aes_128_cfb128(), NULL, aes,
			     (const uint8_t[16]){ 0 }),
	    1);
	assert_int_equal(EVP_DecryptUpdate(c, clear, &got, id.p + 36, 34), 1);
	EVP_CIPHER_CTX_free(c);
	memcpy(secret, clear + 2, 32);
	return clear[0] == 0 && clear[1] == 32;
}

static void
read_challenge(const uint8_t *p, size_t len, void *arg)
{
	struct ae_der a, b;

	(void)arg;
	if (ae_attest_challenge_parse(&a, &b, p, len, NULL) == AE_OK)
		assert_true(a.p >= p && b.p + b.len <= p + len);
}

static void
challenges(void **state)
{
	const uint8_t opaque[] = "for the client's TPM";
	struct ae_attestation to = { .aik_name = { 0, 0x0b, 1, 2, 3 },
		.aik_name_len = 34,
		.aik_opaque = { opaque, sizeof(opaque) } };
	uint8_t secret[32] = "thirty-two bytes nobody can know", got[32];
	struct ae_key *ek = NULL, *other = NULL;
	struct ae_wr w;

	(void)state;
	assert_ok(ae_key_generate(&ek, AE_KEY_RSA, 2048, NULL));
	assert_ok(ae_key_generate(&other, AE_KEY_RSA, 2048, NULL));
	ae_wr_init(&w, AE_ATTEST_CHALLENGE_MAX);
	assert_ok(ae_attest_challenge(&w, ek, &to, secret, NULL));
	assert_memory_equal(w.p, "TACH", 4);
	assert_memory_equal(
	    w.p + w.len - sizeof(opaque), opaque, sizeof(opaque));
	assert_true(activate(got, ek, &to, w.p, w.len));
	assert_memory_equal(got, secret, 32);
	/* another TPM; another key of this one */
	assert_false(activate(got, other, &to, w.p, w.len));
	to.aik_name[33] ^= 1;
	assert_false(activate(got, ek, &to, w.p, w.len));
	assert_true(ae_mutate(w.p, w.len, read_challenge, NULL) > 1000);
	ae_wr_done(&w);
	ae_key_free(ek);
	ae_key_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tpm_is_believed),
		cmocka_unit_test(a_statement_about_another_key),
		cmocka_unit_test(an_attestation_key_that_signs_anything),
		cmocka_unit_test(a_key_that_may_leave_its_tpm),
		cmocka_unit_test(parts_of_two_statements),
		cmocka_unit_test(no_byte_can_be_changed),
		cmocka_unit_test(what_is_written_is_what_came),
		cmocka_unit_test(endorsement_keys),
		cmocka_unit_test(challenges),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, setup, teardown));
}
