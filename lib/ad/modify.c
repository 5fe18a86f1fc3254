/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writes to the directory.
 */
#include "ad/ad.h"

#include <stdlib.h>
#include <string.h>

#include "ad/ldap_int.h"

/* An LDAPMod list in one arena; libldap reads it only. */
static LDAPMod **
mods_new(struct ae_arena *a, const struct ae_ad_mod *mods, size_t n)
{
	static const int ops[] = { [AE_AD_ADD] = LDAP_MOD_ADD,
		[AE_AD_DELETE] = LDAP_MOD_DELETE,
		[AE_AD_REPLACE] = LDAP_MOD_REPLACE };
	LDAPMod **list = ae_arena_array(a, n + 1, sizeof(LDAPMod *));
	struct berval **vals, *bv;
	size_t i, j;

	if (list == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		const struct ae_attr *at = &mods[i].attr;

		list[i] = ae_arena_alloc(a, sizeof(LDAPMod));
		vals = ae_arena_array(a, at->n + 1, sizeof(*vals));
		bv = ae_arena_array(a, at->n + 1, sizeof(*bv));
		if (list[i] == NULL || vals == NULL || bv == NULL)
			return NULL;
		for (j = 0; j < at->n; j++) {
			bv[j].bv_len = at->v[j].len;
			bv[j].bv_val =
			    ae_arena_dup(a, at->v[j].p, at->v[j].len);
			if (bv[j].bv_val == NULL)
				return NULL;
			vals[j] = &bv[j];
		}
		list[i]->mod_op = ops[mods[i].change] | LDAP_MOD_BVALUES;
		list[i]->mod_type = ae_arena_strdup(a, at->name);
		list[i]->mod_bvalues = at->n != 0 ? vals : NULL;
		if (list[i]->mod_type == NULL)
			return NULL;
	}
	return list;
}

/* Add (when adding) or modify; sd_flags not 0 adds that control. */
static int
write_entry(struct ae_ad *ad, const char *dn, const struct ae_ad_mod *mods,
    size_t n, bool adding, int sd_flags, struct ae_err *e)
{
	LDAPControl *sd = NULL, *send[2] = { NULL };
	struct ae_arena *a = ae_arena_new(AE_AD_RESULT_MAX);
	LDAPMod **list;
	int code, rc = AE_OK;

	if (a == NULL)
		return ae_fail_mem(e);
	ae_ad_ahead_done(ad);
	if ((rc = ae_ad_is_up(ad, e)) != AE_OK)
		goto out;
	if (sd_flags != 0) {
		if ((rc = ae_ad_sd_flags(ad, &sd, sd_flags, e)) != AE_OK)
			goto out;
		send[0] = sd;
	}
	if ((list = mods_new(a, mods, n)) == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	if (adding)
		code = ad->lib.ldap_add_ext_s(ad->ld, dn, list, send, NULL);
	else
		code = ad->lib.ldap_modify_ext_s(ad->ld, dn, list, send, NULL);
	if (code != LDAP_SUCCESS)
		rc = ae_ad_fail(
		    ad, code, e, "%s %s", adding ? "adding" : "changing", dn);
out:
	ad->lib.ldap_control_free(sd);
	ae_arena_free(a);
	return rc;
}

int
ae_ad_add(struct ae_ad *ad, const char *dn, const struct ae_attr *attrs,
    size_t n, struct ae_err *e)
{
	struct ae_ad_mod *mods = calloc(n + 1, sizeof(*mods));
	size_t i;
	int rc;

	if (mods == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++)
		mods[i].attr = attrs[i];
	rc = write_entry(ad, dn, mods, n, true, 0, e);
	free(mods);
	return rc;
}

int
ae_ad_modify(struct ae_ad *ad, const char *dn, const struct ae_ad_mod *mods,
    size_t n, struct ae_err *e)
{
	return write_entry(ad, dn, mods, n, false, 0, e);
}

int
ae_ad_delete(struct ae_ad *ad, const char *dn, struct ae_err *e)
{
	int code;

	ae_ad_ahead_done(ad);
	if ((code = ae_ad_is_up(ad, e)) != AE_OK)
		return code;
	code = ad->lib.ldap_delete_ext_s(ad->ld, dn, NULL, NULL);
	return code == LDAP_SUCCESS
	    ? AE_OK
	    : ae_ad_fail(ad, code, e, "deleting %s", dn);
}

int
ae_ad_write_sd(
    struct ae_ad *ad, const char *dn, const struct ae_sd *sd, struct ae_err *e)
{
	struct ae_value v;
	struct ae_ad_mod mod = { AE_AD_REPLACE,
		{ "nTSecurityDescriptor", &v, 1 } };
	struct ae_wr w;
	int flags, rc;

	flags = 4 | (sd->has_owner ? 1 : 0) | (sd->has_group ? 2 : 0);
	ae_wr_init(&w, AE_SD_BYTES_MAX);
	if ((rc = ae_sd_encode(&w, sd, e)) == AE_OK) {
		v.p = w.p;
		v.len = w.len;
		rc = write_entry(ad, dn, &mod, 1, false, flags, e);
	}
	ae_wr_done(&w);
	return rc;
}
