/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The object a policy file's rules are about, and which of the groups they
 * name it is in: nested ones and the primary group too, as the DC counts them
 * into a token.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad.h"
#include "ad/escape.h"
#include "ad/mapped.h"
#include "ad/principal.h"
#include "object.h"

int
ad_dc_of(
    struct ad_reach *d, const char *dn, struct ae_ad **at, struct ae_err *e)
{
	char dns[256], host[260];

	*at = d->home;
	if (dn == NULL || !ae_ad_dn_to_dns(dns, sizeof(dns), dn))
		return AE_OK;
	(void)snprintf(host, sizeof(host), "x.%s", dns);
	return ad_forest_by_host(at, d->forest, d->home, d->cred, host, e);
}

bool
ad_is_away(int rc)
{
	return rc == AE_EUNAVAIL || rc == AE_ETIMEDOUT || rc == AE_EAUTH ||
	    rc == AE_EIO || rc == AE_ENOMEM;
}

static int
judge_group(struct ad_reach *d, const char *dn, const struct ae_sid *sids,
    size_t n, uint8_t *out, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	struct ae_sid sid;
	struct ae_ad *at;
	size_t i;
	int rc = ad_dc_of(d, dn, &at, e);

	*out = AE_RULES_GROUP_UNKNOWN;
	if (rc < 0)
		return rc;
	d->at = at;
	rc = ae_ad_group_sid(&sid, at, dn, &why);
	if (ad_is_away(rc)) {
		*e = why;
		return rc;
	}
	if (rc < 0)
		return AE_OK;
	*out = AE_RULES_GROUP_OUT;
	for (i = 0; i < n; i++)
		if (ae_sid_equal(&sids[i], &sid))
			*out = AE_RULES_GROUP_IN;
	return AE_OK;
}

static int
judge_groups(struct ad_reach *d, struct ae_ad *at, const char *dn,
    const struct ae_rules_strings *groups, uint8_t *out, struct ae_err *e)
{
	struct ae_sid *sids = NULL;
	size_t i, n = 0;
	int rc;

	if (groups->n == 0)
		return AE_OK;
	rc = ae_ad_token_groups(&sids, &n, at, dn, e);
	for (i = 0; i < groups->n && rc == AE_OK; i++)
		rc = judge_group(d, groups->v[i], sids, n, &out[i], e);
	free(sids);
	return rc;
}

/* What was read, in the form the rules want it. */
static bool
convert(struct ae_rules_object *out, const struct ae_ad_mapped *m,
    const uint8_t *groups, size_t ngroups, struct ae_arena *a)
{
	struct ae_rules_value *v = ae_arena_array(a, m->n, sizeof(*v));
	size_t i;

	for (i = 0; i < m->n && v != NULL; i++) {
		v[i].field = m->names[i];
		v[i].value = m->values[i];
	}
	*out = (struct ae_rules_object){ .found = m->found,
		.dn = m->dn,
		.sid = m->sid,
		.account_control = m->account_control,
		.attributes = v,
		.nattributes = m->n,
		.spns = { m->spns, m->nspns },
		.groups = groups,
		.ngroups = ngroups };
	return v != NULL;
}

int
ad_object(struct ad_reach *d, const struct ae_rules_question *q,
    const struct ae_sid *own, struct ae_rules_object *out, struct ae_arena *a,
    struct ae_err *e)
{
	const struct ae_ad_mapping m = { .sid = q->own ? own : NULL,
		.attribute = q->attribute,
		.value = q->value,
		.computer = strcmp(q->category, "computer") == 0,
		.root = q->own ? NULL : q->search_root,
		.attributes = q->attributes.v,
		.nattributes = q->attributes.n,
		.spns = q->spns };
	uint8_t *groups = ae_arena_alloc(a, q->groups.n);
	struct ae_ad_mapped found;
	struct ae_ad *at = NULL;
	int rc;

	if (groups == NULL)
		return ae_fail_mem(e);
	rc = q->own ? ad_forest_by_sid(&at, d->forest, d->home, d->cred, own, e)
		    : ad_dc_of(d, q->search_root, &at, e);
	d->at = at;
	if (rc == AE_OK)
		rc = ae_ad_mapped(&found, at, &m, a, e);
	if (rc == AE_OK && found.found == 1)
		rc = judge_groups(d, at, found.dn, &q->groups, groups, e);
	if (rc == AE_OK && !convert(out, &found, groups, q->groups.n, a))
		rc = ae_fail_mem(e);
	return rc;
}
