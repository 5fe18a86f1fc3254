/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Judging a CA's exchange certificate; see exchange.h.
 */
#include "enroll/exchange.h"

#include <stdlib.h>

#include "base/str.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/verify.h"

#define REFUSE(e, ...) ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0, __VA_ARGS__)

static int
check_issuer(const struct ae_cert *c, const char *authority, struct ae_err *e)
{
	char *cn = NULL;
	int rc;

	rc = ae_name_get(&cn, c->issuer, "CN", e);
	if (rc == AE_ENOTFOUND)
		return REFUSE(e, "its issuer has no name");
	if (rc != AE_OK)
		return rc;
	if (!ae_str_eq_nocase(cn, authority))
		rc = REFUSE(e, "it was issued by '%.64s', not by '%.64s'", cn,
		    authority);
	free(cn);
	return rc;
}

static int
check_key(const struct ae_cert *c, struct ae_err *e)
{
	struct ae_key *k = NULL;
	int rc;

	rc = ae_key_from_spki(&k, c->spki.p, c->spki.len, e);
	if (rc == AE_OK && ae_key_type(k) != AE_KEY_RSA)
		rc = REFUSE(e, "it has no RSA key to encrypt to");
	ae_key_free(k);
	return rc;
}

/* What does not parse is passed over: others may do. */
static size_t
parse(struct ae_cert **out, const struct ae_der *v, size_t count)
{
	size_t i, n = 0;

	for (i = 0; i < count; i++)
		if (ae_cert_parse(&out[n], v[i].p, v[i].len, NULL) == AE_OK)
			n++;
	return n;
}

static int
check_chain(const struct ae_cert *c, const struct ae_exchange_trust *t,
    struct ae_err *e)
{
	struct ae_cert **roots = calloc(t->nroots + 1, sizeof(*roots));
	struct ae_cert **others = calloc(t->nothers + 1, sizeof(*others));
	struct ae_verify v = { .at = t->now, .eku = AE_OID_EKU_CA_EXCHANGE };
	int rc;

	if (roots == NULL || others == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	v.anchors = (const struct ae_cert *const *)roots;
	v.nanchors = parse(roots, t->roots, t->nroots);
	v.others = (const struct ae_cert *const *)others;
	v.nothers = parse(others, t->others, t->nothers);
	rc = ae_verify_chain(c, &v, e);
	ae_certs_free(roots, v.nanchors);
	ae_certs_free(others, v.nothers);
	return rc;
out:
	free(roots);
	free(others);
	return rc;
}

int
ae_exchange_check(const struct ae_cert *c, const struct ae_exchange_trust *t,
    struct ae_err *e)
{
	int rc;

	if (c->x.ca)
		return REFUSE(e, "it is a CA certificate");
	if (!ae_cert_allows(c, AE_OID_EKU_CA_EXCHANGE))
		return REFUSE(e, "it is not for the exchange of keys");
	rc = check_issuer(c, t->authority, e);
	if (rc == AE_OK)
		rc = check_key(c, e);
	return rc == AE_OK ? check_chain(c, t, e) : rc;
}
