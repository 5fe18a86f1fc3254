/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Keys in a TPM 2.0, by OpenSSL's provider tpm2 (tpm2-openssl).  The provider
 * lives in a library context of its own, so that nothing else is ever fetched
 * from the TPM: hashes and verifying stay in software.
 */
#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "pki/key_int.h"
#include "pki/nte.h"
#include "pki/ossl.h"
#include "pki/tss2.h"

#define FROM_TPM "provider=tpm2"

struct ae_tpm {
	OSSL_LIB_CTX *ctx;
	OSSL_PROVIDER *deflt, *tpm2;
	uint32_t parent;
};

/* One private key: its file, and once it is in use, its handle. */
struct tpm_key {
	ae_tpm_get *get;
	void *arg;
	struct ae_tpm *tpm; /* borrowed */
	EVP_PKEY *pkey;
	struct ae_secret pem;
};

/* clang-format off */
/* Words of the TPM's own error texts and what they mean to people here. */
static const struct {
	const char *word;
	uint32_t nte;
	enum ae_rc rc;
	const char *text;
} meanings[] = {
	{ "could not load the shared library", NTE_PROV_DLL_NOT_FOUND, AE_EUNAVAIL,
	  "OpenSSL's provider tpm2 is not installed" },
	{ "filename", NTE_PROV_DLL_NOT_FOUND, AE_EUNAVAIL,
	  "OpenSSL's provider tpm2 is not installed" },
	{ "lockout", NTE_DEVICE_NOT_READY, AE_EUNAVAIL,
	  "the TPM is locked out after wrong passwords" },
	{ "integrity", NTE_BAD_KEYSET, AE_ENOTFOUND,
	  "the key is not one of this TPM, or the TPM was cleared" },
	{ "authorization fail", NTE_PERM, AE_EDENIED,
	  "the TPM's hierarchy is protected by a password" },
	{ "auth fail", NTE_PERM, AE_EDENIED,
	  "the TPM's hierarchy is protected by a password" },
	{ "out of range", NTE_NOT_SUPPORTED, AE_EINVAL,
	  "the TPM does not make keys of this kind or size" },
	{ "not supported", NTE_NOT_SUPPORTED, AE_EINVAL,
	  "the TPM does not make keys of this kind or size" },
	{ "unsupported", NTE_NOT_SUPPORTED, AE_EINVAL,
	  "the TPM does not make keys of this kind or size" },
};
/* clang-format on */

static bool
has_word(const char *s, const char *word)
{
	return s != NULL && strcasestr(s, word) != NULL;
}

/*
 * The story the TPM left in OpenSSL's queue: the first entry with words of
 * the TPM's own is its cause.  Everything unknown means: not ready.
 */
static int
fail_tpm(struct ae_err *e, const char *what)
{
	char cause[160] = "", shown[200];
	const char *data, *reason;
	size_t i, known = sizeof(meanings) / sizeof(meanings[0]);
	unsigned long code;
	int flags;

	while (
	    (code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
		reason = ERR_reason_error_string(code);
		if ((flags & ERR_TXT_STRING) == 0)
			data = NULL;
		for (i = 0; i < known; i++)
			if (has_word(data, meanings[i].word) ||
			    has_word(reason, meanings[i].word))
				known = i;
		if (cause[0] == '\0' && data != NULL)
			(void)snprintf(cause, sizeof(cause), "%s", data);
	}
	(void)ae_str_quote(shown, sizeof(shown), cause, strlen(cause));
	if (known < sizeof(meanings) / sizeof(meanings[0]))
		return ae_fail(e, meanings[known].rc, AE_DOM_HRESULT,
		    meanings[known].nte, "%s: %s%s%s%s", what,
		    meanings[known].text, cause[0] != '\0' ? " (" : "", shown,
		    cause[0] != '\0' ? ")" : "");
	return ae_fail(e, AE_EUNAVAIL, AE_DOM_HRESULT, NTE_DEVICE_NOT_READY,
	    "%s: the TPM is not ready%s%s%s", what,
	    cause[0] != '\0' ? " (" : "", shown, cause[0] != '\0' ? ")" : "");
}

/* "device:/dev/tpmrm0", "swtpm:path=/run/tpm": no spaces, no quotes. */
static bool
tcti_ok(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    strchr(":/=,._-@+", s[i]) == NULL)
			return false;
	return i > 0 && i < 256;
}

int
ae_tpm_new(
    struct ae_tpm **out, const char *tcti, uint32_t parent, struct ae_err *e)
{
	struct ae_tpm *t;

	if (!tcti_ok(tcti))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the TCTI of the TPM is not like device:/dev/tpmrm0");
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ae_fail_mem(e);
	ERR_clear_error();
	t->parent = parent;
	/*
	 * tpm2-openssl 1.1.1 knows a configuration parameter for it, too, but
	 * does not read it; and what it and its libraries would say on stderr
	 * is in our errors.
	 */
	if (setenv("TPM2OPENSSL_TCTI", tcti, 1) == 0 &&
	    setenv("TSS2_LOG", "all+NONE", 0) == 0)
		t->ctx = OSSL_LIB_CTX_new();
	if (t->ctx == NULL ||
	    (t->deflt = OSSL_PROVIDER_load(t->ctx, "default")) == NULL ||
	    (t->tpm2 = OSSL_PROVIDER_load(t->ctx, "tpm2")) == NULL) {
		ae_tpm_free(t);
		return fail_tpm(e, "opening the TPM");
	}
	*out = t;
	return AE_OK;
}

void
ae_tpm_free(struct ae_tpm *t)
{
	if (t == NULL)
		return;
	if (t->tpm2 != NULL)
		(void)OSSL_PROVIDER_unload(t->tpm2);
	if (t->deflt != NULL)
		(void)OSSL_PROVIDER_unload(t->deflt);
	OSSL_LIB_CTX_free(t->ctx);
	free(t);
}

/* The key in the TPM's memory, brought there when it is first wanted. */
static int
load(struct tpm_key *k, struct ae_err *e)
{
	OSSL_DECODER_CTX *d = NULL;
	const unsigned char *p = k->pem.p;
	size_t left = k->pem.len;
	int rc = AE_OK;

	if (k->pkey != NULL)
		return AE_OK;
	if (k->tpm == NULL && (rc = k->get(&k->tpm, k->arg, e)) != AE_OK)
		return rc;
	d = OSSL_DECODER_CTX_new_for_pkey(
	    &k->pkey, "PEM", NULL, NULL, EVP_PKEY_KEYPAIR, k->tpm->ctx, NULL);
	if (d == NULL || OSSL_DECODER_from_data(d, &p, &left) != 1) {
		EVP_PKEY_free(k->pkey);
		k->pkey = NULL;
		rc = fail_tpm(e, "loading the key into the TPM");
	}
	OSSL_DECODER_CTX_free(d);
	ERR_clear_error();
	return rc;
}

static bool
set_pss(EVP_PKEY_CTX *c, const struct ae_sigalg *alg)
{
	return !alg->pss ||
	    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) > 0;
}

static int
tpm_sign(const struct ae_key *key, struct ae_wr *sig,
    const struct ae_sigalg *alg, const uint8_t *hash, size_t len,
    struct ae_err *e)
{
	struct tpm_key *k = key->at;
	EVP_PKEY_CTX *c = NULL;
	uint8_t buf[AE_SIG_MAX];
	size_t n = sizeof(buf);
	int rc;

	rc = load(k, e);
	if (rc != AE_OK)
		return rc;
	c = EVP_PKEY_CTX_new_from_pkey(k->tpm->ctx, k->pkey, FROM_TPM);
	if (c == NULL || EVP_PKEY_sign_init(c) != 1 || !set_pss(c, alg) ||
	    EVP_PKEY_CTX_set_signature_md(c, ae_hash_md(alg->hash)) != 1 ||
	    EVP_PKEY_sign(c, buf, &n, hash, len) != 1)
		rc = fail_tpm(e, "signing in the TPM");
	else
		ae_wr_bytes(sig, buf, n);
	EVP_PKEY_CTX_free(c);
	ERR_clear_error();
	return rc;
}

static int
tpm_find(const struct ae_key *key, struct ae_err *e)
{
	return load(key->at, e);
}

static int
tpm_store(struct ae_secret *out, const struct ae_key *key, struct ae_err *e)
{
	const struct tpm_key *k = key->at;

	return ae_secret_set(out, k->pem.p, k->pem.len) == 0 ? AE_OK
							     : ae_fail_mem(e);
}

static void
tpm_key_free(void *at)
{
	struct tpm_key *k = at;

	EVP_PKEY_free(k->pkey);
	ae_secret_done(&k->pem);
	free(k);
}

static const struct ae_key_ops tpm_ops = {
	.home = AE_KEY_IN_TPM,
	.sign = tpm_sign,
	.find = tpm_find,
	.store = tpm_store,
	.free = tpm_key_free,
};

int
ae_tpm_open(struct ae_key **out, ae_tpm_get *get, void *arg, const void *pem,
    size_t len, struct ae_err *e)
{
	struct tpm_key *k = calloc(1, sizeof(*k));
	struct ae_key *key = NULL;
	int rc;

	if (k == NULL)
		return ae_fail_mem(e);
	k->get = get;
	k->arg = arg;
	rc = ae_secret_set(&k->pem, pem, len) == 0
	    ? ae_tss2_public(&key, pem, len, e)
	    : ae_fail_mem(e);
	if (rc != AE_OK) {
		tpm_key_free(k);
		return rc;
	}
	ae_key_attach(key, &tpm_ops, k);
	*out = key;
	return AE_OK;
}

/* The TPM makes the key; what comes back is sealed to it. */
static EVP_PKEY *
make(struct ae_tpm *t, enum ae_key_type type, unsigned bits)
{
	const char *name = type == AE_KEY_RSA ? "RSA" : "EC", *curve;
	OSSL_PARAM params[3], *p = params;
	size_t size = bits;
	EVP_PKEY_CTX *c;
	EVP_PKEY *pkey = NULL;
	char group[16];

	if (type == AE_KEY_RSA) {
		*p++ = OSSL_PARAM_construct_size_t(
		    OSSL_PKEY_PARAM_RSA_BITS, &size);
	} else {
		curve = ae_key_curve(bits);
		(void)snprintf(
		    group, sizeof(group), "%s", curve != NULL ? curve : "");
		*p++ = OSSL_PARAM_construct_utf8_string(
		    OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	}
	if (t->parent != 0)
		*p++ = OSSL_PARAM_construct_uint32("parent", &t->parent);
	*p = OSSL_PARAM_construct_end();
	c = EVP_PKEY_CTX_new_from_name(t->ctx, name, FROM_TPM);
	if (c == NULL || EVP_PKEY_keygen_init(c) != 1 ||
	    EVP_PKEY_CTX_set_params(c, params) != 1 ||
	    EVP_PKEY_generate(c, &pkey) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(c);
	return pkey;
}

static int
to_pem(struct ae_secret *out, EVP_PKEY *pkey, struct ae_err *e)
{
	OSSL_ENCODER_CTX *enc = OSSL_ENCODER_CTX_new_for_pkey(
	    pkey, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", FROM_TPM);
	unsigned char *p = NULL;
	size_t n = 0;
	int rc = AE_OK;

	if (enc == NULL || OSSL_ENCODER_to_data(enc, &p, &n) != 1)
		rc = fail_tpm(e, "writing the TPM's key");
	else if (ae_secret_set(out, p, n) != 0)
		rc = ae_fail_mem(e);
	OPENSSL_clear_free(p, n);
	OSSL_ENCODER_CTX_free(enc);
	return rc;
}

static int
is_the_tpm(struct ae_tpm **out, void *arg, struct ae_err *e)
{
	(void)e;
	*out = arg;
	return AE_OK;
}

int
ae_tpm_generate(struct ae_key **out, struct ae_tpm *t, enum ae_key_type type,
    unsigned bits, struct ae_err *e)
{
	struct ae_secret pem = { 0 };
	EVP_PKEY *pkey = make(t, type, bits);
	int rc;

	if (pkey == NULL)
		return fail_tpm(e, "making a key in the TPM");
	rc = to_pem(&pem, pkey, e);
	if (rc == AE_OK)
		rc = ae_tpm_open(out, is_the_tpm, t, pem.p, pem.len, e);
	if (rc == AE_OK) {
		struct tpm_key *k = (*out)->at;

		k->tpm = t;
		k->pkey = pkey; /* it is in the TPM already */
		pkey = NULL;
	}
	EVP_PKEY_free(pkey);
	ae_secret_done(&pem);
	return rc;
}
