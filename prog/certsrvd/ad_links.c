/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Issuance policies that make whoever has them a member of a group
 * (msDS-OIDToGroupLink, ESC13): which group, by SID, so that a request can be
 * judged by its ticket alone.
 */
#include <stdlib.h>
#include <string.h>

#include "ad.h"
#include "ad/mapped.h"
#include "ad/pki.h"

static int
resolve(struct ad_reach *d, struct ae_pki_oid *o, struct ae_err *e)
{
	char text[AE_SID_STR_MAX];
	struct ae_sid sid;
	struct ae_ad *at = NULL;
	int rc = ad_dc_of(d, o->group, &at, e);

	d->at = at;
	if (rc == AE_OK)
		rc = ae_ad_group_sid(&sid, at, o->group, e);
	if (rc != AE_OK)
		return rc;
	o->group_sid = strdup(ae_sid_print(text, &sid));
	return o->group_sid != NULL ? AE_OK : ae_fail_mem(e);
}

/* A group should be universal and empty; what is not so is told. */
static int
look_at_group(struct ad_reach *d, const struct ae_pki_oid *o, ad_link_fn *fn,
    void *arg, struct ae_err *e)
{
	unsigned flaws = 0;
	int rc = ae_ad_group_flaws(&flaws, d->at, o->group, e);

	if (rc == AE_OK && (flaws & AE_AD_GROUP_NOT_UNIVERSAL) != 0)
		fn(arg, o->oid, o->group, true,
		    "no universal security group: domain controllers do not "
		    "add it");
	if (rc == AE_OK && (flaws & AE_AD_GROUP_HAS_MEMBERS) != 0)
		fn(arg, o->oid, o->group, true,
		    "not empty: its members have without a certificate what "
		    "the policy gives");
	return rc;
}

int
ad_resolve_links(struct ad_reach *d, struct ae_pki *pki, ad_link_fn *fn,
    void *arg, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	int rc, away = AE_OK;
	size_t i;

	for (i = 0; i < pki->noids; i++) {
		struct ae_pki_oid *o = &pki->oids[i];

		if (o->group == NULL)
			continue;
		rc = resolve(d, o, &why);
		if (rc == AE_OK)
			rc = look_at_group(d, o, fn, arg, &why);
		if (rc == AE_OK)
			continue;
		fn(arg, o->oid, o->group, false, why.text);
		if (ad_is_away(rc) && away == AE_OK) {
			away = rc;
			if (e != NULL)
				*e = why;
		}
	}
	return away;
}
