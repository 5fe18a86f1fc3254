/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Key settings of a template; see keyspec.h.
 */
#include "enroll/keyspec.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/wr.h"
#include "pki/nte.h"

#define RSA_MIN 2048u
#define RSA_MAX 4096u

/* clang-format off */

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

const char *
ae_key_alg_name(enum ae_key_alg alg)
{
	size_t i;

	for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].alg == alg)
			return algorithms[i].name;
	return "unknown";
}

const char *
ae_key_kind_refused(const struct ae_template *t, enum ae_provider kind)
{
	if (kind != AE_PROVIDER_TPM && kind != AE_PROVIDER_TOKEN)
		return NULL;
	if ((t->private_key_flag & AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL) != 0)
		return "its keys cannot leave, and the template wants the key "
		       "archived";
	if ((t->private_key_flag & AE_CT_EXPORTABLE_KEY) != 0)
		return "its keys cannot leave, and the template wants the key "
		       "exportable";
	return NULL;
}

static int
refuse(struct ae_key_spec *out, const char *check, uint16_t event)
{
	out->check = check;
	out->event = event;
	return AE_EINVAL;
}

/* Append "; 'Name': why" as long as there is room. */
static void
add_why(struct ae_wr *w, const char *name, const char *why)
{
	char shown[96];

	(void)ae_str_quote(shown, sizeof(shown), name, strlen(name));
	ae_wr_printf(w, "%s'%s': %s", w->len == 0 ? "" : "; ", shown, why);
}

/* Every name of the list with what is wrong with it. */
static int
none_serves(struct ae_key_spec *out, const struct ae_template *t,
    const struct ae_providers *p, struct ae_err *e)
{
	uint32_t code = 0;
	struct ae_wr w;
	size_t i;

	ae_wr_init(&w, 4096);
	for (i = 0; i < t->csps.n && ae_wr_ok(&w); i++) {
		enum ae_provider kind = ae_provider_find(p, t->csps.v[i]);
		const char *why = p->state[kind].why;

		if (p->state[kind].present) {
			why = ae_key_kind_refused(t, kind);
			out->check = "key.exportable-hardware";
		} else if (code == 0) {
			code = p->state[kind].nte;
		}
		add_why(&w, t->csps.v[i], why);
	}
	out->provider = AE_PROVIDER_NONE;
	(void)ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, code != 0 ? code : NTE_PERM,
	    "none of the template's %zu providers can serve: %s", t->csps.n,
	    ae_wr_ok(&w) ? ae_wr_cstr(&w) : "the list is too long to show");
	ae_wr_done(&w);
	return refuse(
	    out, out->check != NULL ? out->check : "key.provider-missing", 55);
}

/* The first provider in the template's order that is here and will do. */
static int
choose_provider(struct ae_key_spec *out, const struct ae_template *t,
    const struct ae_providers *p, struct ae_err *e)
{
	struct ae_provider_choice c[AE_PROVIDERS];
	size_t i, n = ae_provider_choices(c, p, t);

	for (i = 0; i < n; i++) {
		if (!p->state[c[i].kind].present ||
		    ae_key_kind_refused(t, c[i].kind) != NULL)
			continue;
		out->provider = c[i].kind;
		out->provider_name = c[i].name;
		return AE_OK;
	}
	return none_serves(out, t, p, e);
}

static enum ae_hash
hash_of(const struct ae_template *t)
{
	const char *name = t->algorithms.hash;

	if (name != NULL && ae_str_eq_nocase(name, "SHA384"))
		return AE_HASH_SHA384;
	if (name != NULL && ae_str_eq_nocase(name, "SHA512"))
		return AE_HASH_SHA512;
	return AE_HASH_SHA256; /* SHA-1 in a template is not obeyed */
}

static int
rsa_bits(struct ae_key_spec *out, const struct ae_template *t, struct ae_err *e)
{
	uint32_t bits = t->min_key_size < RSA_MIN ? RSA_MIN : t->min_key_size;

	/* Key sizes are multiples of 1024 everywhere that matters. */
	bits = (bits + 1023) / 1024 * 1024;
	if (bits > RSA_MAX || t->min_key_size > RSA_MAX) {
		(void)ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, NTE_BAD_FLAGS,
		    "the template wants an RSA key of %u bits, the most is %u",
		    t->min_key_size, RSA_MAX);
		return refuse(out, "key.min-size-local", 45);
	}
	out->bits = bits;
	return AE_OK;
}

int
ae_key_spec_from_template(struct ae_key_spec *out, const struct ae_template *t,
    const struct ae_providers *p, struct ae_err *e)
{
	const char *name = t->algorithms.asymmetric;
	struct ae_providers alone;
	size_t i;
	int rc;

	*out = (struct ae_key_spec){ .alg = AE_ALG_RSA, .hash = hash_of(t) };
	out->exportable =
	    (t->private_key_flag &
		(AE_CT_EXPORTABLE_KEY | AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL)) !=
	    0;
	if (p == NULL) {
		ae_providers_init(&alone);
		p = &alone;
	}
	rc = choose_provider(out, t, p, e);
	if (rc != AE_OK)
		return rc;
	for (i = 0; name != NULL; i++) {
		if (i == sizeof(algorithms) / sizeof(algorithms[0])) {
			(void)ae_fail(e, AE_EINVAL, AE_DOM_HRESULT,
			    NTE_BAD_ALGID,
			    "the template's key algorithm '%s' is not known "
			    "here",
			    name);
			return refuse(out, "key.algorithm-unknown", 45);
		}
		if (ae_str_eq_nocase(name, algorithms[i].name))
			break;
	}
	if (name != NULL) {
		out->alg = algorithms[i].alg;
		out->bits = algorithms[i].bits;
	}
	if (out->alg == AE_ALG_RSA) {
		out->pss = (t->private_key_flag &
			       AE_CT_REQUIRE_ALTERNATE_SIGNATURE) != 0;
		return rsa_bits(out, t, e);
	}
	if (t->min_key_size <= out->bits)
		return AE_OK;
	(void)ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, NTE_BAD_FLAGS,
	    "the template wants %s and at least %u bits", name,
	    t->min_key_size);
	return refuse(out, "key.min-size-local", 45);
}

enum ae_attest
ae_attestation(const struct ae_template *t, char text[AE_ATTEST_STR_MAX])
{
	uint32_t f = t->private_key_flag;
	enum ae_attest wish = (f & AE_CT_ATTEST_REQUIRED) != 0
	    ? AE_ATTEST_REQUIRED
	    : (f & AE_CT_ATTEST_PREFERRED) != 0 ? AE_ATTEST_PREFERRED
						: AE_ATTEST_NONE;

	(void)snprintf(text, AE_ATTEST_STR_MAX,
	    "the template %s the key attested by a TPM whose endorsement key "
	    "is %s%s%s%s%s; keys are made in a TPM here, but not attested",
	    wish == AE_ATTEST_REQUIRED ? "requires" : "would like",
	    (f & AE_CT_EK_VALIDATE_CERT) != 0 ? "vouched for by its certificate"
					      : "",
	    (f & AE_CT_EK_VALIDATE_CERT) != 0 &&
		    (f & AE_CT_EK_VALIDATE_KEY) != 0
		? " or "
		: "",
	    (f & AE_CT_EK_VALIDATE_KEY) != 0 ? "on the CA's list" : "",
	    (f & (AE_CT_EK_VALIDATE_CERT | AE_CT_EK_VALIDATE_KEY)) == 0
		? "trusted as it is"
		: "",
	    (f & AE_CT_ATTESTATION_WITHOUT_POLICY) != 0
		? " (no issuance policy tells)"
		: "");
	if (wish == AE_ATTEST_NONE)
		text[0] = '\0';
	return wish;
}
