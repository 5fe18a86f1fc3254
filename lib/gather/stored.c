/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The inventory; see stored.h.
 */
#include "gather/stored.h"

#include "base/hex.h"
#include "base/str.h"
#include "gather/revocation.h"
#include "pki/cert.h"
#include "pki/verify.h"

/* Certificates of the directory that a chain may go through. */
struct chains {
	struct ae_cert **v; /* roots, then the others */
	size_t nroots, n;
};

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
chains_init(struct chains *t, struct ae_arena *a, const struct ae_directory *d,
    struct ae_err *e)
{
	t->v = ae_arena_array(
	    a, d->nroots + d->nothers + 1, sizeof(struct ae_cert *));
	if (t->v == NULL)
		return ae_fail_mem(e);
	t->nroots = parse(t->v, d->roots, d->nroots);
	t->n = t->nroots + parse(t->v + t->nroots, d->others, d->nothers);
	return AE_OK;
}

static void
chains_done(struct chains *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		ae_cert_free(t->v[i]);
}

static void
judge_trust(struct ae_inv_cert *out, struct ae_arena *a,
    const struct ae_cert *c, const struct chains *t, int64_t now)
{
	const struct ae_cert *const *v = (const struct ae_cert *const *)t->v;
	struct ae_verify how = { .anchors = v,
		.nanchors = t->nroots,
		.others = v + t->nroots,
		.nothers = t->n - t->nroots,
		.at = now };
	struct ae_err e = AE_ERR_INIT;

	/* A certificate out of its time is judged as such, not as untrusted. */
	if (how.at >= c->not_after)
		how.at = c->not_after - 1;
	if (how.at < c->not_before)
		how.at = c->not_before;
	out->trusted = ae_verify_chain(c, &how, &e) == AE_OK;
	if (!out->trusted)
		out->trust_text = ae_arena_strdup(a, e.text);
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

/* Strings of a list that pass, copied; NULL: all pass. */
static void
copy_list(struct ae_strv *out, struct ae_arena *a, const struct ae_strv *v,
    const struct ae_cert *allows, bool *nomem)
{
	size_t i;

	if (out->v == NULL)
		out->v = ae_arena_array(
		    a, (size_t)AE_EXT_LIST_MAX + 1, sizeof(*out->v));
	*nomem = *nomem || out->v == NULL;
	for (i = 0; !*nomem && i < v->n && out->n < AE_EXT_LIST_MAX; i++) {
		if ((allows != NULL && !ae_cert_allows(allows, v->v[i])) ||
		    ae_strv_has(out, v->v[i]))
			continue;
		out->v[out->n] = ae_arena_strdup(a, v->v[i]);
		*nomem = *nomem || out->v[out->n] == NULL;
		out->n++;
	}
}

static void
copy_names(struct ae_inv_cert *out, struct ae_arena *a, const struct ae_cert *c,
    bool *nomem)
{
	size_t i;

	for (i = 0; i < c->x.nsans; i++) {
		char *text = (char *)(uintptr_t)c->x.sans[i].text;
		const struct ae_strv one = { &text, 1 };

		if (c->x.sans[i].type == AE_SAN_DNS)
			copy_list(&out->dns, a, &one, NULL, nomem);
		else if (c->x.sans[i].type == AE_SAN_UPN)
			copy_list(&out->upns, a, &one, NULL, nomem);
	}
}

/* What the key may do besides signing; without the extension, anything. */
static bool
encrypts(const struct ae_cert *c)
{
	return !c->x.has_key_usage ||
	    (c->x.key_usage &
		(AE_KU_KEY_ENCIPHERMENT | AE_KU_DATA_ENCIPHERMENT |
		    AE_KU_KEY_AGREEMENT)) != 0;
}

static int
describe(struct ae_inv_cert *out, struct ae_arena *a, const struct ae_cert *c,
    struct ae_err *e)
{
	uint8_t sha1[20];
	bool nomem = false;
	char hex[41];

	ae_cert_sha1(sha1, c);
	ae_hex_encode(hex, sha1, sizeof(sha1));
	out->thumbprint = copy(a, hex, &nomem);
	out->template_oid = copy(a, c->x.template_oid, &nomem);
	out->template_name = copy(a, c->x.template_name, &nomem);
	out->major = c->x.template_major;
	out->minor = c->x.template_minor;
	out->not_before = c->not_before;
	out->not_after = c->not_after;
	out->has_sid = c->x.has_sid;
	out->sid = c->x.sid;
	out->encrypts = encrypts(c);
	copy_names(out, a, c, &nomem);
	copy_list(&out->usages, a, &c->x.eku, c, &nomem);
	copy_list(&out->usages, a, &c->x.app_policies, c, &nomem);
	copy_list(&out->policies, a, &c->x.cert_policies, NULL, &nomem);
	return nomem ? ae_fail_mem(e) : AE_OK;
}

struct judge {
	struct ae_arena *a;
	struct chains chains;
	const struct ae_revocation *lists;
	int64_t now;
};

static int
take(struct ae_inv_cert *out, const struct judge *j, const struct ae_cert *c,
    struct ae_err *e)
{
	int rc = describe(out, j->a, c, e);

	if (rc != AE_OK)
		return rc;
	judge_trust(out, j->a, c, &j->chains, j->now);
	if (j->lists != NULL)
		ae_revocation_judge(out, j->lists, c,
		    (const struct ae_cert *const *)j->chains.v, j->chains.n);
	return AE_OK;
}

static int
take_stored(struct ae_inventory *out, const struct judge *j,
    const struct ae_stored *v, size_t n, struct ae_err *e)
{
	struct ae_inv_cert *certs = ae_arena_array(j->a, n + 1, sizeof(*certs));
	size_t i, count = 0;
	int rc = AE_OK;

	if (certs == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n && rc == AE_OK; i++) {
		struct ae_inv_cert *to = &certs[count];
		struct ae_cert **c = NULL;
		size_t k = 0;

		if (ae_certs_read(&c, &k, 1, v[i].pem, v[i].len, NULL) != AE_OK)
			continue;
		rc = take(to, j, c[0], e);
		to->name =
		    ae_arena_printf(j->a, "%s/%u", v[i].tmpl, v[i].number);
		to->has_key = v[i].has_key;
		to->archived = !v[i].current;
		if (rc == AE_OK && to->name == NULL)
			rc = ae_fail_mem(e);
		count++;
		ae_certs_free(c, k);
	}
	out->certs = certs;
	out->ncerts = count;
	return rc;
}

static int
take_published(struct ae_inventory *out, const struct judge *j,
    const struct ae_octetsv *v, struct ae_err *e)
{
	struct ae_inv_cert *certs =
	    ae_arena_array(j->a, v->n + 1, sizeof(*certs));
	size_t i, count = 0;
	int rc = AE_OK;

	if (certs == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < v->n && rc == AE_OK; i++) {
		struct ae_cert *c;

		if (ae_cert_parse(&c, v->v[i].p, v->v[i].len, NULL) != AE_OK)
			continue;
		rc = take(&certs[count], j, c, e);
		certs[count].value = i;
		certs[count++].name = "userCertificate";
		ae_cert_free(c);
	}
	out->published = certs;
	out->npublished = count;
	return rc;
}

int
ae_gather_inventory(struct ae_inventory *out, struct ae_arena *a,
    const struct ae_stored *v, size_t n, const struct ae_directory *d,
    int64_t now, struct ae_err *e)
{
	struct judge j = { .a = a, .lists = d->lists, .now = now };
	int rc;

	rc = chains_init(&j.chains, a, d, e);
	if (rc == AE_OK)
		rc = take_stored(out, &j, v, n, e);
	if (rc == AE_OK)
		rc = take_published(out, &j, &d->published, e);
	chains_done(&j.chains);
	return rc;
}
