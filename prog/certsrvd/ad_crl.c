/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CRL in the directory: CN=<CA>,CN=<host>,CN=CDP, for a later key of the
 * CA CN=<CA>(2) and so on (MS-CSRA note on CRLPublicationURLs), where clients
 * of the domain read it without any web server (MS-WCCE 3.2.1.1.4, CDP by
 * LDAP). certsrv setup made the object, and let the CA's host write it.
 */
#include <string.h>

#include "ad.h"
#include "ad/ad.h"
#include "ad/escape.h"
#include "ca/cacerts.h"
#include "pki/crl.h"
#include "wcce/name.h"

/* The object's DN; false: no memory. */
static bool
put_object_dn(struct ae_wr *w, const struct conf *c, unsigned key,
    const struct ae_ad *ad, struct ae_arena *a)
{
	char suffix[AE_CA_SUFFIX_MAX];

	const char *name = ae_wcce_sanitize_short(a, c->name);
	char *host = ae_arena_strdup(a, c->dns_name);

	if (name != NULL)
		name =
		    ae_arena_printf(a, "%s%s", name, ae_ca_suffix(suffix, key));
	if (name == NULL || host == NULL)
		return false;
	host[strcspn(host, ".")] = '\0';
	ae_wr_str(w, "CN=");
	ae_ad_put_dn_value(w, name);
	ae_wr_str(w, ",CN=");
	ae_ad_put_dn_value(w, host);
	ae_wr_printf(w, ",CN=CDP,%s", ae_ad_pks_dn(ad));
	return ae_wr_cstr(w) != NULL;
}

/* The number of a list; 0: it is none, or has none. */
static uint64_t
number_of(const void *der, size_t len)
{
	struct ae_crl *crl = NULL;
	uint64_t n = 0;

	if (ae_crl_parse(&crl, der, len, CRLSEEN_FILE_MAX, false, NULL) ==
		AE_OK &&
	    crl->has_number)
		n = crl->number;
	ae_crl_free(crl);
	return n;
}

/*
 * In place of exactly the one that is there, if that is older: a node that
 * slept finds a newer one, or in the last moment that its old value is gone.
 */
static int
replace_older(struct ae_ad *ad, const char *dn, const char *name,
    const struct ae_value *value, struct ae_err *e)
{
	const char *const attrs[] = { name, NULL };
	struct ae_ad_mod mods[2];
	struct ae_entries found;
	const struct ae_attr *old;
	size_t n = 0;
	int rc;

	rc = ae_ad_read(ad, dn, attrs, &found, e);
	if (rc < 0)
		return rc;
	old = ae_entry_get(&found.v[0], name);
	if (old != NULL && old->n > 0 &&
	    number_of(old->v[0].p, old->v[0].len) >=
		number_of(value->p, value->len)) {
		ae_entries_done(&found);
		return AE_OK; /* another node was faster */
	}
	if (old != NULL && old->n > 0)
		mods[n++] = (struct ae_ad_mod){ AE_AD_DELETE,
			{ name, old->v, old->n } };
	mods[n++] = (struct ae_ad_mod){ AE_AD_ADD, { name, value, 1 } };
	rc = ae_ad_modify(ad, dn, mods, n, e);
	ae_entries_done(&found);
	return rc;
}

/* AE_ETRUST when what is there is newer than number. */
static int
look(struct ae_ad *ad, const char *dn, const char *attr, uint64_t number,
    const struct ad_newer *newer, struct ae_err *e)
{
	const char *const attrs[] = { attr, NULL };
	struct ae_entries found = { 0 };
	const struct ae_attr *at = NULL;
	uint64_t there = 0;
	int rc = ae_ad_read(ad, dn, attrs, &found, e);

	if (rc == AE_OK && found.n == 1)
		at = ae_entry_get(&found.v[0], attr);
	if (at != NULL)
		there = number_of(at->v[0].p, at->v[0].len);
	if (there > number) {
		rc = newer->fn(newer->arg, at->v[0].p, at->v[0].len, e);
		if (rc == AE_OK)
			rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
			    "the directory has number %llu already",
			    (unsigned long long)there);
	}
	ae_entries_done(&found);
	return rc;
}

int
ad_write_crl(const struct conf *c, struct ae_ad *ad, unsigned key, bool delta,
    const void *der, size_t len, const struct ad_newer *newer, struct ae_err *e)
{
	const union {
		const void *c;
		uint8_t *p;
	} crl = { .c = der };
	struct ae_value value = { crl.p, len };
	struct ae_ad_mod mod = { AE_AD_REPLACE,
		{ delta ? "deltaRevocationList" : "certificateRevocationList",
		    &value, 1 } };
	struct ae_arena *a = ae_arena_new(64 * 1024);
	struct ae_wr dn;
	int rc;

	ae_wr_init(&dn, 4096);
	if (a == NULL || !put_object_dn(&dn, c, key, ad, a)) {
		rc = ae_fail_mem(e);
	} else {
		rc = newer->fn == NULL || conf_shared(c)
		    ? AE_OK
		    : look(ad, ae_wr_cstr(&dn), mod.attr.name,
			  number_of(der, len), newer, e);
		if (rc == AE_OK && conf_shared(c))
			rc = replace_older(
			    ad, ae_wr_cstr(&dn), mod.attr.name, &value, e);
		else if (rc == AE_OK)
			rc = ae_ad_modify(ad, ae_wr_cstr(&dn), &mod, 1, e);
		if (rc < 0)
			rc = ae_note(e, rc, "%s", ae_wr_cstr(&dn));
	}
	ae_wr_done(&dn);
	ae_arena_free(a);
	return rc;
}
