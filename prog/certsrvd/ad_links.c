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
			continue;
		fn(arg, o->oid, o->group, why.text);
		if (ad_is_away(rc) && away == AE_OK) {
			away = rc;
			if (e != NULL)
				*e = why;
		}
	}
	return away;
}
