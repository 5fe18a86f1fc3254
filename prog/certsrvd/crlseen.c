/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Looking for CRLs that were published.
 */
#include "crlseen.h"

#include <stdio.h>
#include <string.h>

#include "ad/escape.h"
#include "ad/entry.h"

int
crlseen_directory(const struct conf *c, struct ae_ad *ad, crlseen_fn *fn,
    void *arg, struct ae_err *e)
{
	static const char *const attrs[] = { "certificateRevocationList",
		"deltaRevocationList", NULL };
	struct ae_ad_query q = { .scope = AE_AD_ONE,
		.filter = "(objectClass=cRLDistributionPoint)",
		.attrs = attrs,
		.max = 2 * AE_CA_SIGNING_MAX };
	const size_t host = strcspn(c->dns_name, ".");
	struct ae_entries found = { 0 };
	const struct ae_attr *at;
	struct ae_wr dn;
	char name[256];
	size_t i, k;
	int rc;

	(void)snprintf(name, sizeof(name), "%.*s", (int)host, c->dns_name);
	ae_wr_init(&dn, 4096);
	ae_wr_str(&dn, "CN=");
	ae_ad_put_dn_value(&dn, name);
	ae_wr_printf(&dn, ",CN=CDP,%s", ae_ad_pks_dn(ad));
	q.base = ae_wr_cstr(&dn);
	rc = q.base == NULL ? ae_fail_mem(e) : ae_ad_search(ad, &q, &found, e);
	ae_wr_done(&dn);
	if (rc == AE_ENOTFOUND) {
		*e = (struct ae_err)AE_ERR_INIT;
		return AE_OK;
	}
	for (i = 0; rc == AE_OK && i < found.n; i++)
		for (k = 0; rc == AE_OK && attrs[k] != NULL; k++) {
			at = ae_entry_get(&found.v[i], attrs[k]);
			if (at != NULL)
				rc = fn(arg, at->v[0].p, at->v[0].len, e);
		}
	ae_entries_done(&found);
	return rc;
}

char *
crlseen_path(const struct conf *c, unsigned key_index, bool delta)
{
	char suffix[AE_CA_SUFFIX_MAX], *path = NULL, *p;

	if (asprintf(&path, "%s/%s%s%s.crl", c->crl_dir, c->name,
		ae_ca_suffix(suffix, key_index), delta ? "+" : "") < 0)
		return NULL;
	for (p = path + strlen(c->crl_dir) + 1; *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	return path;
}

struct ae_crl *
crlseen_ours(
    const struct ae_ca_certs *l, const void *der, size_t len, size_t *key)
{
	struct ae_crl *crl = NULL;
	size_t i;

	if (ae_crl_parse(&crl, der, len, CRLSEEN_FILE_MAX, false, NULL) ==
		AE_OK &&
	    crl->has_number && crl->number < INT64_MAX / 4)
		for (i = 0; i < l->nkeys; i++)
			if (ae_crl_verify(crl, l->keys[i].pub, NULL) == AE_OK) {
				*key = i;
				return crl;
			}
	ae_crl_free(crl);
	return NULL;
}
