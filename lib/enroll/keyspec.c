/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Key settings of a template; see keyspec.h.
 */
#include "enroll/keyspec.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"

#define RSA_MIN 2048u
#define RSA_MAX 4096u

/* clang-format off */

/*
 * Windows' provider names and what stands for them here.  The software
 * providers differ in API and history, not in what they can make for us;
 * DSS and DH providers have no counterpart.
 */
static const struct {
	const char *name;
	enum ae_provider provider;
} providers[] = {
	{ "Microsoft Software Key Storage Provider", AE_PROVIDER_SOFTWARE },
	{ "Microsoft RSA SChannel Cryptographic Provider", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Enhanced Cryptographic Provider v1.0", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Enhanced RSA and AES Cryptographic Provider", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Strong Cryptographic Provider", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Base Cryptographic Provider v1.0", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Platform Crypto Provider", AE_PROVIDER_TPM },
	{ "Microsoft Smart Card Key Storage Provider", AE_PROVIDER_TOKEN },
	{ "Microsoft Base Smart Card Crypto Provider", AE_PROVIDER_TOKEN },
};

/* Names of msPKI-Asymmetric-Algorithm; a curve serves signing or agreement. */
static const struct {
	const char *name;
	enum ae_key_alg alg;
	uint32_t bits; /* 0: from msPKI-Minimal-Key-Size */
} algorithms[] = {
	{ "RSA",        AE_ALG_RSA,  0 },
	{ "ECDSA_P256", AE_ALG_P256, 256 },
	{ "ECDSA_P384", AE_ALG_P384, 384 },
	{ "ECDSA_P521", AE_ALG_P521, 521 },
	{ "ECDH_P256",  AE_ALG_P256, 256 },
	{ "ECDH_P384",  AE_ALG_P384, 384 },
	{ "ECDH_P521",  AE_ALG_P521, 521 },
};
/* clang-format on */

enum ae_provider
ae_provider_find(const char *windows_name)
{
	size_t i;

	for (i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (ae_str_eq_nocase(windows_name, providers[i].name))
			return providers[i].provider;
	return AE_PROVIDER_NONE;
}

const char *
ae_key_alg_name(enum ae_key_alg alg)
{
	size_t i;

	for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].alg == alg)
			return algorithms[i].name;
	return "unknown";
}

/* The first provider in the template's order that is at hand: software. */
static int
choose_provider(
    struct ae_key_spec *out, const struct ae_template *t, struct ae_err *e)
{
	size_t i;

	/* No list means the client's own choice, MS-WCCE 3.1.2.4.2.2.1.6. */
	if (t->csps.n == 0) {
		out->provider = AE_PROVIDER_SOFTWARE;
		return AE_OK;
	}
	for (i = 0; i < t->csps.n; i++) {
		if (ae_provider_find(t->csps.v[i]) == AE_PROVIDER_SOFTWARE) {
			out->provider = AE_PROVIDER_SOFTWARE;
			return AE_OK;
		}
	}
	out->provider = AE_PROVIDER_NONE;
	return ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, 0x80090019,
	    "none of the template's %zu providers is at hand; the first is "
	    "'%s'",
	    t->csps.n, t->csps.v[0]);
}

static int
rsa_bits(struct ae_key_spec *out, const struct ae_template *t, struct ae_err *e)
{
	uint32_t bits = t->min_key_size < RSA_MIN ? RSA_MIN : t->min_key_size;

	/* Key sizes are multiples of 1024 everywhere that matters. */
	bits = (bits + 1023) / 1024 * 1024;
	if (bits > RSA_MAX || t->min_key_size > RSA_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, 0x80090009,
		    "the template wants an RSA key of %u bits, the most is %u",
		    t->min_key_size, RSA_MAX);
	out->bits = bits;
	return AE_OK;
}

int
ae_key_spec_from_template(
    struct ae_key_spec *out, const struct ae_template *t, struct ae_err *e)
{
	const char *name = t->algorithms.asymmetric;
	size_t i;
	int rc;

	*out = (struct ae_key_spec){ .alg = AE_ALG_RSA };
	rc = choose_provider(out, t, e);
	if (rc != AE_OK)
		return rc;
	if (name == NULL)
		return rsa_bits(out, t, e);
	for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (!ae_str_eq_nocase(name, algorithms[i].name))
			continue;
		out->alg = algorithms[i].alg;
		out->bits = algorithms[i].bits;
		if (out->bits == 0)
			return rsa_bits(out, t, e);
		if (t->min_key_size > out->bits)
			return ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, 0x80090009,
			    "the template wants %s and at least %u bits", name,
			    t->min_key_size);
		return AE_OK;
	}
	return ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, 0x80090008,
	    "the template's key algorithm '%s' is not known here", name);
}
