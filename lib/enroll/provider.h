/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Windows' names for cryptographic providers and what stands for them here.
 * A template lists names in an order of preference (pKIDefaultCSPs, MS-CRTD
 * 2.8); a name means software, the TPM, a PKCS#11 token, or nothing.  The
 * table is ours, and the admin may overrule it name by name.  Pure: what is
 * at hand on this machine is told.
 */
#ifndef AE_ENROLL_PROVIDER_H
#define AE_ENROLL_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/template.h"
#include "base/str.h"

enum ae_provider {
	AE_PROVIDER_NONE, /* nothing here can serve */
	AE_PROVIDER_SOFTWARE,
	AE_PROVIDER_TPM,
	AE_PROVIDER_TOKEN, /* smart card or HSM, by PKCS#11 */
};
#define AE_PROVIDERS (AE_PROVIDER_TOKEN + 1)

/* One kind of provider on this machine. */
struct ae_provider_state {
	bool present;	 /* keys can be asked of it */
	uint32_t nte;	 /* MS-ERREF code of why not; 0 when present */
	const char *why; /* a clause such as "no TPM device /dev/tpmrm0" */
};

struct ae_providers {
	struct ae_provider_state state[AE_PROVIDERS]; /* by enum ae_provider */
	struct ae_strv rules; /* the admin's: name, kind, name, kind, … */
};

/* Software alone, no rules: what holds until somebody looks. */
void ae_providers_init(struct ae_providers *p);

/*
 * The counterpart of a Windows provider name: what is between "N," and the
 * end of a pKIDefaultCSPs line, compared without case.  The admin's rules
 * come first; p may be NULL.  Unknown names give AE_PROVIDER_NONE.
 */
enum ae_provider ae_provider_find(
    const struct ae_providers *p, const char *windows_name);

/* The table, for showing; NULL past its end. */
const char *ae_provider_name(size_t i, enum ae_provider *kind);

/* "software", "tpm", "pkcs11", "none"; the other way -1 for other words. */
const char *ae_provider_word(enum ae_provider kind);
int ae_provider_from_word(const char *word);

/* One kind that would do for a template, in the template's order. */
struct ae_provider_choice {
	enum ae_provider kind;
	const char *name; /* the first name that means it; NULL: no list */
};

/*
 * The kinds a template's list comes down to, each once, most preferred
 * first; whether they are present is not looked at.  A template without a
 * list leaves the choice to the client (MS-WCCE 3.1.2.4.2.2.1.6): software.
 * Returns how many; 0 when no name has a counterpart here.
 */
size_t ae_provider_choices(struct ae_provider_choice out[AE_PROVIDERS],
    const struct ae_providers *p, const struct ae_template *t);

#endif
