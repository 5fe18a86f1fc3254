/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * An issued certificate in its owner's userCertificate (MS-WCCE 3.2.2.1.5,
 * CT_FLAG_PUBLISH_TO_DS), where others find it to encipher to him.  The CA's
 * host may write that attribute and no other of his: it is a member of Cert
 * Publishers.  And those of recovery agents in the CA's own object of the
 * KRA container (3.2.2.1.4, CT_FLAG_PUBLISH_TO_KRA_CONTAINER).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad.h"
#include "ad/ad.h"
#include "ad/escape.h"
#include "pki/cert.h"
#include "wcce/name.h"

#define KEPT_AFTER_END 86400 /* seconds, MS-WCCE 3.2.2.1.5.1 step 3.4 */

/*
 * Ended more than a day ago, or the byte that stands for none; what else is
 * no certificate is left alone.
 */
static bool
is_over(const struct ae_value *v, int64_t now)
{
	struct ae_cert *c = NULL;
	bool over;

	if (v->len == 1 && v->p[0] == 0)
		return true;
	if (ae_cert_parse(&c, v->p, v->len, NULL) != AE_OK)
		return false;
	over = c->not_after < now - KEPT_AFTER_END;
	ae_cert_free(c);
	return over;
}

/*
 * Only values that are ours to change are named, so that nobody else's
 * change in between is undone.
 */
static int
change(struct ae_ad *ad, const struct ae_entry *o, const struct ae_value *own,
    int64_t now, struct ae_err *e)
{
	const struct ae_attr *have = ae_entry_get(o, "userCertificate");
	struct ae_ad_mod mods[2] = { { AE_AD_ADD,
					 { "userCertificate", own, 1 } },
		{ AE_AD_DELETE, { "userCertificate", NULL, 0 } } };
	struct ae_value *old;
	size_t i, n = have == NULL ? 0 : have->n;
	bool there = false;
	int rc;

	old = calloc(n + 1, sizeof(*old));
	if (old == NULL)
		return ae_fail_mem(e);
	mods[1].attr.v = old;
	for (i = 0; i < n; i++)
		if (have->v[i].len == own->len &&
		    memcmp(have->v[i].p, own->p, own->len) == 0)
			there = true;
		else if (is_over(&have->v[i], now))
			old[mods[1].attr.n++] = have->v[i];
	if (there)
		mods[0] = mods[1];
	if (there && mods[0].attr.n == 0)
		rc = AE_OK;
	else
		rc = ae_ad_modify(
		    ad, o->dn, mods, there || mods[1].attr.n == 0 ? 1 : 2, e);
	free(old);
	return rc;
}

/* The CA's object in the KRA container; false: no memory. */
static bool
put_kra_dn(char *dn, size_t dn_len, const char *ca, const struct ae_ad *ad)
{
	struct ae_arena *a = ae_arena_new(64 * 1024);
	const char *name = a == NULL ? NULL : ae_wcce_sanitize_short(a, ca);
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, dn_len);
	ae_wr_str(&w, "CN=");
	if (name != NULL)
		ae_ad_put_dn_value(&w, name);
	ae_wr_printf(&w, ",CN=KRA,%s", ae_ad_pks_dn(ad));
	ok = name != NULL && ae_wr_cstr(&w) != NULL;
	if (ok)
		(void)snprintf(dn, dn_len, "%s", ae_wr_cstr(&w));
	ae_wr_done(&w);
	ae_arena_free(a);
	return ok;
}

int
ad_publish_cert(struct ae_ad *ad, const struct ad_published *p, int64_t now,
    char *dn, size_t dn_len, struct ae_err *e)
{
	static const char *const attrs[] = { "userCertificate", NULL };
	const struct ae_value own = { p->der, p->len };
	struct ae_entries l = { 0 };
	char text[AE_SID_STR_MAX];
	int rc;

	if (p->kra == NULL)
		(void)snprintf(
		    dn, dn_len, "<SID=%s>", ae_sid_print(text, &p->owner));
	else if (!put_kra_dn(dn, dn_len, p->kra, ad))
		return ae_fail_mem(e);
	rc = ae_ad_read(ad, dn, attrs, &l, e);
	if (rc == AE_OK) {
		(void)snprintf(dn, dn_len, "%s", l.v[0].dn);
		rc = change(ad, &l.v[0], &own, now, e);
	}
	ae_entries_done(&l);
	return rc;
}
