/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What was published for a certificate; see published.h.
 */
#include "pki/published.h"

#include <string.h>

#include "pki/name.h"
#include "pki/response.h"

/* Is one among them whose key signed c? */
static bool
find_issuer(struct ae_cert **out, const struct ae_cert *c,
    struct ae_cert *const *v, size_t n)
{
	struct ae_key *key;
	bool found = false;
	size_t i;

	for (i = 0; i < n && !found; i++) {
		key = NULL;
		found = ae_name_equal(v[i]->subject, c->issuer) &&
		    ae_key_from_spki(
			&key, v[i]->spki.p, v[i]->spki.len, NULL) == AE_OK &&
		    ae_cert_verify(c, key, NULL) == AE_OK;
		ae_key_free(key);
		if (found)
			*out = ae_cert_dup(v[i]);
	}
	return found;
}

int
ae_published_issuer(struct ae_cert **out, const struct ae_cert *c,
    const void *p, size_t len, struct ae_err *e)
{
	struct ae_answer *cms = NULL;
	struct ae_cert **v = NULL;
	size_t n = 0;
	bool found;
	int rc;

	rc = ae_certs_read(&v, &n, AE_PUBLISHED_CERTS_MAX, p, len, e);
	if (rc == AE_OK) {
		found = find_issuer(out, c, v, n);
		ae_certs_free(v, n);
	} else if (ae_answer_parse(&cms, p, len, NULL) == AE_OK) {
		found = find_issuer(out, c, cms->certs, cms->ncerts);
		ae_answer_free(cms);
	} else {
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "it gives %zu bytes that are no certificate", len);
	}
	if (!found)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "it gives a certificate that is not the issuer's");
	return *out == NULL ? ae_fail_mem(e) : AE_OK;
}

static int
judge(struct ae_published_list *out, const struct ae_crl *l,
    const struct ae_cert *c, const struct ae_cert *issuer, int64_t now,
    struct ae_err *e)
{
	struct ae_key *key = NULL;
	int rc;

	if (!ae_name_equal(l->issuer, c->issuer))
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "it gives the list of another issuer");
	out->next_update = l->next_update;
	out->stale = l->next_update != 0 && l->next_update <= now;
	if (issuer == NULL)
		return AE_OK;
	rc = ae_key_from_spki(&key, issuer->spki.p, issuer->spki.len, e);
	if (rc == AE_OK && ae_crl_verify(l, key, e) != AE_OK)
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "it gives a list that the issuer's key did not sign");
	ae_key_free(key);
	if (rc == AE_OK)
		rc = ae_crl_find(
		    l, c->serial, &out->listed, &out->revoked, &out->reason, e);
	out->verified = rc == AE_OK;
	return rc;
}

int
ae_published_list(struct ae_published_list *out, const struct ae_cert *c,
    const struct ae_cert *issuer, int64_t now, const void *p, size_t len,
    struct ae_err *e)
{
	struct ae_published_list found = { 0 };
	struct ae_crl *l = NULL;
	int rc;

	if (ae_crl_parse(&l, p, len, AE_PUBLISHED_LIST_MAX, false, NULL) !=
	    AE_OK)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "it gives %zu bytes that are no revocation list", len);
	rc = judge(&found, l, c, issuer, now, e);
	ae_crl_free(l);
	if (rc == AE_OK)
		*out = found;
	return rc;
}
