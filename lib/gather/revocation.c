/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Revocation lists; see revocation.h.
 */
#include "gather/revocation.h"

#include <stdio.h>
#include <stdlib.h>

#include "pki/crl.h"
#include "pki/key.h"

#define LISTS_MAX 1024
#define CLOCK_GRACE 600

struct list {
	struct ae_crl *crl;
	bool fresh;
};

struct ae_revocation {
	struct list *v;
	size_t n;
};

struct ae_revocation *
ae_revocation_new(void)
{
	return calloc(1, sizeof(struct ae_revocation));
}

void
ae_revocation_free(struct ae_revocation *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++)
		ae_crl_free(r->v[i].crl);
	free(r->v);
	free(r);
}

int
ae_revocation_add(struct ae_revocation *r, const void *der, size_t len,
    int64_t now, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	struct ae_crl *crl;
	struct list *more;
	int rc;

	rc = ae_crl_parse(&crl, der, len, AE_REVOCATION_LIST_MAX, false, &why);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(e);
	if (rc != AE_OK)
		return AE_OK;
	if (crl->this_update > now + CLOCK_GRACE || r->n == LISTS_MAX) {
		ae_crl_free(crl);
		return AE_OK;
	}
	more = reallocarray(r->v, r->n + 1, sizeof(*r->v));
	if (more == NULL) {
		ae_crl_free(crl);
		return ae_fail_mem(e);
	}
	r->v = more;
	/* Without nextUpdate nobody says how long it holds. */
	r->v[r->n++] = (struct list){ crl, now < crl->next_update };
	return AE_OK;
}

static int
add_values(struct ae_revocation *r, const struct ae_entry *entry,
    const char *name, int64_t now, struct ae_err *e)
{
	const struct ae_attr *attr = ae_entry_get(entry, name);
	size_t i;
	int rc = AE_OK;

	for (i = 0; attr != NULL && i < attr->n && rc == AE_OK; i++)
		rc = ae_revocation_add(r, attr->v[i].p, attr->v[i].len, now, e);
	return rc;
}

int
ae_revocation_read(
    struct ae_revocation *r, struct ae_ad *ad, int64_t now, struct ae_err *e)
{
	static const char *const attrs[] = { "certificateRevocationList",
		"deltaRevocationList", NULL };
	struct ae_ad_query q = { .scope = AE_AD_SUB,
		.filter = "(objectClass=cRLDistributionPoint)",
		.attrs = attrs };
	struct ae_entries l = { 0 };
	char *base;
	size_t i;
	int rc;

	if (asprintf(&base, "CN=CDP,%s", ae_ad_pks_dn(ad)) < 0)
		return ae_fail_mem(e);
	q.base = base;
	rc = ae_ad_search(ad, &q, &l, e);
	free(base);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	for (i = 0; rc == AE_OK && i < l.n; i++) {
		rc = add_values(r, &l.v[i], attrs[0], now, e);
		if (rc == AE_OK)
			rc = add_values(r, &l.v[i], attrs[1], now, e);
	}
	ae_entries_done(&l);
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "reading revocation lists");
}

static const char *
reason_text(enum ae_crl_reason reason)
{
	switch (reason) {
	case AE_CRL_KEY_COMPROMISE:
		return "key compromise";
	case AE_CRL_CA_COMPROMISE:
		return "CA compromise";
	case AE_CRL_AFFILIATION_CHANGED:
		return "affiliation changed";
	case AE_CRL_SUPERSEDED:
		return "superseded";
	case AE_CRL_CESSATION:
		return "cessation of operation";
	case AE_CRL_HOLD:
		return "certificate hold";
	case AE_CRL_PRIVILEGE_WITHDRAWN:
		return "privilege withdrawn";
	case AE_CRL_AA_COMPROMISE:
		return "AA compromise";
	case AE_CRL_REMOVE:
	case AE_CRL_UNSPECIFIED:
		break;
	}
	return NULL;
}

/* The key that signed c, among the certificates that bear its issuer's name. */
static struct ae_key *
signer_of(const struct ae_cert *c, const struct ae_cert *const *v, size_t n)
{
	struct ae_key *key = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!ae_der_equal(v[i]->subject, c->issuer) ||
		    ae_key_from_spki(
			&key, v[i]->spki.p, v[i]->spki.len, NULL) != AE_OK)
			continue;
		if (ae_cert_verify(c, key, NULL) == AE_OK)
			return key;
		ae_key_free(key);
		key = NULL;
	}
	return NULL;
}

/* One list that can be believed, the lists before it taken into account. */
static void
apply(struct ae_inv_cert *out, const struct list *l, const struct ae_cert *c)
{
	bool delta = l->crl->has_base_number, listed = false;
	enum ae_crl_reason reason = AE_CRL_UNSPECIFIED;
	int64_t at = 0;

	if (ae_crl_find(l->crl, c->serial, &listed, &at, &reason, NULL) !=
	    AE_OK)
		return;
	out->crl_this_update = l->crl->this_update;
	out->crl_next_update = l->crl->next_update;
	if (!l->fresh) {
		out->crl_stale = out->revocation == AE_INV_UNKNOWN;
		if (!listed || reason == AE_CRL_HOLD || reason == AE_CRL_REMOVE)
			return;
	}
	if (!listed) {
		if (!delta && out->revocation == AE_INV_UNKNOWN)
			out->revocation = AE_INV_GOOD;
	} else if (reason == AE_CRL_REMOVE) {
		if (out->revocation == AE_INV_HOLD)
			out->revocation = AE_INV_GOOD;
	} else if (out->revocation != AE_INV_REVOKED) {
		out->revocation =
		    reason == AE_CRL_HOLD ? AE_INV_HOLD : AE_INV_REVOKED;
		out->revoked_why = reason_text(reason);
		out->revoked_at = at;
	}
	if (l->fresh)
		out->crl_stale = false;
}

/*
 * The newest list of each kind speaks for its kind; a delta list only about
 * what has changed since the base list.
 */
static const struct list *
newest(const struct ae_revocation *r, const struct ae_cert *c,
    const struct ae_key *key, bool delta)
{
	const struct list *best = NULL;
	size_t i;

	for (i = 0; i < r->n; i++) {
		const struct list *l = &r->v[i];

		if (l->crl->has_base_number == delta &&
		    ae_der_equal(l->crl->issuer, c->issuer) &&
		    (best == NULL ||
			l->crl->this_update > best->crl->this_update) &&
		    ae_crl_verify(l->crl, key, NULL) == AE_OK)
			best = l;
	}
	return best;
}

void
ae_revocation_judge(struct ae_inv_cert *out, const struct ae_revocation *r,
    const struct ae_cert *c, const struct ae_cert *const *issuers,
    size_t nissuers)
{
	struct ae_key *key = signer_of(c, issuers, nissuers);
	const struct list *base, *delta;

	out->revocation = AE_INV_UNKNOWN;
	out->revoked_why = NULL;
	out->revoked_at = 0;
	out->crl_stale = false;
	out->crl_this_update = out->crl_next_update = 0;
	if (key == NULL)
		return;
	base = newest(r, c, key, false);
	delta = newest(r, c, key, true);
	if (base != NULL)
		apply(out, base, c);
	if (base != NULL && delta != NULL &&
	    delta->crl->this_update >= base->crl->this_update)
		apply(out, delta, c);
	ae_key_free(key);
}
