/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The settings that hold for a principal: directory, SYSVOL and the local
 * layer put together.
 */
#ifndef AE_GATHER_POLICY_H
#define AE_GATHER_POLICY_H

#include "ad/ad.h"
#include "ad/principal.h"
#include "base/err.h"
#include "gather/sysvol.h"
#include "policy/settings.h"

struct ae_gather_policy {
	struct ae_ad *ad; /* connected as the machine */
	const struct ae_principal *principal;
	const struct ae_token *token; /* of the principal */
	const char *site;	      /* NULL: unknown */
	bool user;		      /* the user half */
	struct ae_gather_sysvol sysvol;
	const struct ae_local_policy *local; /* NULL: none */
};

/*
 * Read and put together; files that *cache has are not fetched again.  A
 * failure names the stage: "group policy: …" (LDAP) or "SYSVOL: …".
 */
int ae_gather_policy(struct ae_settings **out,
    const struct ae_gather_policy *how, struct ae_policy_cache *cache,
    struct ae_err *e) AE_MUST_CHECK;

#endif
