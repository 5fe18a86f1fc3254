/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The inventory; see stored.h.
 */
#include "gather/stored.h"

#include "base/hex.h"
#include "pki/cert.h"
#include "pki/verify.h"

static bool
is_trusted(const struct ae_cert *c, const struct ae_verify *v)
{
	/* An expired certificate is judged as such, not as untrusted. */
	struct ae_verify at = *v;

	if (at.at >= c->not_after)
		at.at = c->not_after - 1;
	return ae_verify_chain(c, &at, NULL) == AE_OK;
}

static const char *
copy(struct ae_arena *a, const char *s, bool *nomem)
{
	char *out;

	if (s == NULL)
		return NULL;
	out = ae_arena_strdup(a, s);
	*nomem = *nomem || out == NULL;
	return out;
}

static bool
describe(struct ae_inv_cert *out, struct ae_arena *a, const struct ae_stored *s,
    const struct ae_cert *c)
{
	uint8_t sha1[20];
	bool nomem = false;
	char hex[41];

	ae_cert_sha1(sha1, c);
	ae_hex_encode(hex, sha1, sizeof(sha1));
	out->name = ae_arena_printf(a, "%s/%u", s->tmpl, s->number);
	out->thumbprint = ae_arena_strdup(a, hex);
	out->template_oid = copy(a, c->x.template_oid, &nomem);
	out->template_name = copy(a, c->x.template_name, &nomem);
	out->major = c->x.template_major;
	out->minor = c->x.template_minor;
	out->not_before = c->not_before;
	out->not_after = c->not_after;
	out->has_key = s->has_key;
	out->archived = !s->current;
	return !nomem && out->name != NULL && out->thumbprint != NULL;
}

static size_t
parse(struct ae_cert **out, const struct ae_der *v, size_t count)
{
	size_t i, n = 0;

	for (i = 0; i < count; i++)
		if (ae_cert_parse(&out[n], v[i].p, v[i].len, NULL) == AE_OK)
			n++;
	return n;
}

int
ae_gather_inventory(struct ae_inventory *out, struct ae_arena *a,
    const struct ae_stored *v, size_t n, const struct ae_directory *d,
    int64_t now, struct ae_err *e)
{
	struct ae_inv_cert *certs = ae_arena_array(a, n + 1, sizeof(*certs));
	struct ae_cert **roots =
	    ae_arena_array(a, d->nroots + 1, sizeof(struct ae_cert *));
	struct ae_cert **others =
	    ae_arena_array(a, d->nothers + 1, sizeof(struct ae_cert *));
	size_t nroots = 0, nothers = 0, i, count = 0;
	struct ae_verify vf = { .at = now };
	int rc = AE_OK;

	if (certs == NULL || roots == NULL || others == NULL)
		return ae_fail_mem(e);
	nroots = parse(roots, d->roots, d->nroots);
	nothers = parse(others, d->others, d->nothers);
	vf.anchors = (const struct ae_cert *const *)roots;
	vf.nanchors = nroots;
	vf.others = (const struct ae_cert *const *)others;
	vf.nothers = nothers;
	for (i = 0; i < n && rc == AE_OK; i++) {
		struct ae_cert **c = NULL;
		size_t k = 0;

		if (ae_certs_read(&c, &k, 1, v[i].pem, v[i].len, NULL) != AE_OK)
			continue;
		if (!describe(&certs[count], a, &v[i], c[0]))
			rc = ae_fail_mem(e);
		else
			certs[count++].trusted = is_trusted(c[0], &vf);
		ae_certs_free(c, k);
	}
	for (i = 0; i < nroots; i++)
		ae_cert_free(roots[i]);
	for (i = 0; i < nothers; i++)
		ae_cert_free(others[i]);
	if (rc == AE_OK) {
		out->certs = certs;
		out->ncerts = count;
	}
	return rc;
}
