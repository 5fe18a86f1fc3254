/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The table of provider names; see provider.h.
 */
#include "enroll/provider.h"

#include <string.h>

#include "pki/nte.h"

/* clang-format off */

/*
 * The software providers differ in API and history, not in what they can make
 * for us.  DSS and Diffie-Hellman keys are not made, and Windows Hello has no
 * counterpart.  Names of other makers' HSM providers are for the admin to map.
 */
static const struct {
	const char *name;
	enum ae_provider kind;
} table[] = {
	{ "Microsoft Software Key Storage Provider", AE_PROVIDER_SOFTWARE },
	{ "Microsoft RSA SChannel Cryptographic Provider", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Enhanced RSA and AES Cryptographic Provider", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Enhanced Cryptographic Provider v1.0", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Strong Cryptographic Provider", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Base Cryptographic Provider v1.0", AE_PROVIDER_SOFTWARE },
	{ "Microsoft Platform Crypto Provider", AE_PROVIDER_TPM },
	{ "Microsoft Smart Card Key Storage Provider", AE_PROVIDER_TOKEN },
	{ "Microsoft Base Smart Card Crypto Provider", AE_PROVIDER_TOKEN },
	{ "Microsoft Passport Key Storage Provider", AE_PROVIDER_NONE },
	{ "Microsoft Base DSS Cryptographic Provider", AE_PROVIDER_NONE },
	{ "Microsoft Base DSS and Diffie-Hellman Cryptographic Provider", AE_PROVIDER_NONE },
	{ "Microsoft Enhanced DSS and Diffie-Hellman Cryptographic Provider", AE_PROVIDER_NONE },
	{ "Microsoft DH SChannel Cryptographic Provider", AE_PROVIDER_NONE },
};

static const char *const words[AE_PROVIDERS] = {
	[AE_PROVIDER_NONE] = "none",
	[AE_PROVIDER_SOFTWARE] = "software",
	[AE_PROVIDER_TPM] = "tpm",
	[AE_PROVIDER_TOKEN] = "pkcs11",
};
/* clang-format on */

#define N(a) (sizeof(a) / sizeof((a)[0]))

void
ae_providers_init(struct ae_providers *p)
{
	memset(p, 0, sizeof(*p));
	p->state[AE_PROVIDER_NONE].nte = NTE_PROV_TYPE_NOT_DEF;
	p->state[AE_PROVIDER_NONE].why = "nothing here stands for it";
	p->state[AE_PROVIDER_SOFTWARE].present = true;
	p->state[AE_PROVIDER_TPM].nte = NTE_DEVICE_NOT_FOUND;
	p->state[AE_PROVIDER_TPM].why = "there is no TPM";
	p->state[AE_PROVIDER_TOKEN].nte = NTE_DEVICE_NOT_FOUND;
	p->state[AE_PROVIDER_TOKEN].why = "no PKCS#11 token is configured";
}

const char *
ae_provider_word(enum ae_provider kind)
{
	return words[kind];
}

int
ae_provider_from_word(const char *word)
{
	int i;

	for (i = 0; i < AE_PROVIDERS; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

const char *
ae_provider_name(size_t i, enum ae_provider *kind)
{
	if (i >= N(table))
		return NULL;
	*kind = table[i].kind;
	return table[i].name;
}

enum ae_provider
ae_provider_find(const struct ae_providers *p, const char *windows_name)
{
	size_t i;
	int kind;

	for (i = 0; p != NULL && i + 1 < p->rules.n; i += 2) {
		kind = ae_provider_from_word(p->rules.v[i + 1]);
		if (kind >= 0 && ae_str_eq_nocase(windows_name, p->rules.v[i]))
			return (enum ae_provider)kind;
	}
	for (i = 0; i < N(table); i++)
		if (ae_str_eq_nocase(windows_name, table[i].name))
			return table[i].kind;
	return AE_PROVIDER_NONE;
}

size_t
ae_provider_choices(struct ae_provider_choice out[AE_PROVIDERS],
    const struct ae_providers *p, const struct ae_template *t)
{
	bool seen[AE_PROVIDERS] = { [AE_PROVIDER_NONE] = true };
	enum ae_provider kind;
	size_t i, n = 0;

	if (t->csps.n == 0) {
		out[0].kind = AE_PROVIDER_SOFTWARE;
		out[0].name = NULL;
		return 1;
	}
	for (i = 0; i < t->csps.n; i++) {
		kind = ae_provider_find(p, t->csps.v[i]);
		if (seen[kind])
			continue;
		seen[kind] = true;
		out[n].kind = kind;
		out[n++].name = t->csps.v[i];
	}
	return n;
}
