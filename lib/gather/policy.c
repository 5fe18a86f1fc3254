/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Gathering the settings; see policy.h.
 */
#include "gather/policy.h"

#include <stdlib.h>

static int
fetch(struct ae_gpos *g, const struct ae_gather_policy *how,
    struct ae_policy_cache *cache, struct ae_err *e)
{
	struct ae_sysvol_request q = { 0 };
	struct ae_sysvol_reply r = { 0 };
	size_t *of = NULL;
	int rc;

	rc = ae_policy_request(&q, &of, g, cache, ae_ad_root(how->ad)->host,
	    how->principal->domain_dns, e);
	if (rc == AE_OK && q.n != 0) {
		rc = ae_gather_sysvol(&r, &how->sysvol, &q, e);
		if (rc == AE_OK)
			rc = ae_policy_take(cache, g, of, &r, e);
		else
			rc = ae_note(e, rc, "SYSVOL");
	}
	ae_sysvol_request_done(&q);
	ae_sysvol_reply_done(&r);
	free(of);
	return rc;
}

int
ae_gather_policy(struct ae_settings **out, const struct ae_gather_policy *how,
    struct ae_policy_cache *cache, struct ae_err *e)
{
	const struct ae_gpo_target target = {
		.dn = how->principal->dn, .site = how->site, .user = how->user
	};
	struct ae_settings *s = NULL;
	struct ae_gpos *g = NULL;
	int rc;

	rc = ae_gpos_read(&g, how->ad, &target, how->token, e);
	if (rc == AE_OK && (rc = fetch(g, how, cache, e)) == AE_OK) {
		ae_policy_cache_keep(cache, g);
		rc = ae_settings_build(&s, g, cache, e);
	}
	if (rc == AE_OK && how->local != NULL)
		rc = ae_settings_override(s, how->local, AE_SETTING_LOCAL, e);
	ae_gpos_free(g);
	if (rc != AE_OK) {
		ae_settings_free(s);
		return rc;
	}
	*out = s;
	return AE_OK;
}
