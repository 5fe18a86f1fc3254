/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The directory as plan() sees it; see directory.h.
 */
#include "gather/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/cert.h"
#include "pki/verify.h"

#define ARENA_MAX (16u * 1024u * 1024u)

static int
read_token(struct ae_directory *d, struct ae_ad *ad, struct ae_err *e)
{
	struct ae_sid *groups = NULL;
	unsigned int flags = 0;
	size_t n = 0;
	int rc;

	rc = ae_ad_token_groups(&groups, &n, ad, d->me->dn, e);
	if (rc != AE_OK)
		return rc;
	if ((d->me->account_control & AE_UAC_SERVER_TRUST) != 0)
		flags |= AE_TOKEN_DC;
	rc = ae_token_new(&d->token, &d->me->sid, groups, n, flags, e);
	free(groups);
	return rc;
}

static struct ae_der *
borrow(struct ae_directory *d, const struct ae_octetsv *v)
{
	struct ae_der *out = ae_arena_array(d->arena, v->n + 1, sizeof(*out));
	size_t i;

	for (i = 0; out != NULL && i < v->n; i++)
		out[i] = (struct ae_der){ v->v[i].p, v->v[i].len };
	return out;
}

/* Certificates that do not parse are worth nothing and are passed over. */
static size_t
parse(struct ae_cert **out, const struct ae_octetsv *v)
{
	size_t i, n = 0;

	for (i = 0; i < v->n; i++)
		if (ae_cert_parse(&out[n], v->v[i].p, v->v[i].len, NULL) ==
		    AE_OK)
			n++;
	return n;
}

struct anchors {
	struct ae_cert **roots, **others;
	size_t nroots, nothers;
};

static bool
is_listed(const struct ae_octetsv *l, const struct ae_octets *der)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (ae_der_equal((struct ae_der){ l->v[i].p, l->v[i].len },
			(struct ae_der){ der->p, der->len }))
			return true;
	return false;
}

/* The best that any of a CA's certificates is worth. */
static void
judge(struct ae_directory *d, struct ae_plan_ca *ca, const struct anchors *t,
    int64_t now)
{
	struct ae_verify v = {
		.anchors = (const struct ae_cert *const *)t->roots,
		.nanchors = t->nroots,
		.others = (const struct ae_cert *const *)t->others,
		.nothers = t->nothers,
		.at = now,
	};
	const struct ae_octetsv *own = &ca->service->ca_certificates;
	struct ae_err e = AE_ERR_INIT;
	struct ae_cert *c;
	size_t i;

	ca->trust = AE_CA_NO_CERT;
	for (i = 0; i < own->n && ca->trust != AE_CA_TRUSTED; i++) {
		if (ae_cert_parse(&c, own->v[i].p, own->v[i].len, NULL) !=
		    AE_OK)
			continue;
		if (now < c->not_before || now >= c->not_after) {
			if (ca->trust == AE_CA_NO_CERT)
				ca->trust = AE_CA_EXPIRED;
		} else if (ae_verify_chain(c, &v, &e) == AE_OK) {
			ca->trust = AE_CA_TRUSTED;
			ca->not_after = c->not_after;
			ca->ntauth = is_listed(&d->pki->ntauth, &own->v[i]);
		} else {
			ca->trust = AE_CA_NOT_TRUSTED;
			ca->trust_text = ae_arena_strdup(d->arena, e.text);
		}
		ae_cert_free(c);
	}
}

static int
judge_cas(struct ae_directory *d, int64_t now, struct ae_err *e)
{
	struct anchors t = { 0 };
	size_t i;
	int rc = AE_OK;

	d->cas =
	    ae_arena_array(d->arena, d->pki->nservices + 1, sizeof(*d->cas));
	t.roots = calloc(d->pki->roots.n + 1, sizeof(struct ae_cert *));
	t.others = calloc(d->pki->aia.n + 1, sizeof(struct ae_cert *));
	if (d->cas == NULL || t.roots == NULL || t.others == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	t.nroots = parse(t.roots, &d->pki->roots);
	t.nothers = parse(t.others, &d->pki->aia);
	for (i = 0; i < d->pki->nservices; i++) {
		d->cas[i].service = d->pki->services[i];
		judge(d, &d->cas[i], &t, now);
	}
out:
	for (i = 0; i < t.nroots; i++)
		ae_cert_free(t.roots[i]);
	for (i = 0; i < t.nothers; i++)
		ae_cert_free(t.others[i]);
	free(t.roots);
	free(t.others);
	return rc;
}

static int
borrow_all(struct ae_directory *d, struct ae_err *e)
{
	size_t i;

	d->templates = ae_arena_array(
	    d->arena, d->pki->ntemplates + 1, sizeof(*d->templates));
	d->roots = borrow(d, &d->pki->roots);
	d->others = borrow(d, &d->pki->aia);
	if (d->templates == NULL || d->roots == NULL || d->others == NULL)
		return ae_fail_mem(e);
	d->nroots = d->pki->roots.n;
	d->nothers = d->pki->aia.n;
	for (i = 0; i < d->pki->ntemplates; i++)
		d->templates[i] = d->pki->templates[i];
	return AE_OK;
}

/* A ticket's name is that of the account, or its userPrincipalName. */
static int
find_me(struct ae_directory *d, struct ae_ad *ad, const char *principal,
    struct ae_err *e)
{
	char account[256];
	int rc;

	if ((size_t)snprintf(account, sizeof(account), "%.*s",
		(int)strcspn(principal, "@"), principal) >= sizeof(account))
		return ae_fail(
		    e, AE_EINVAL, AE_DOM_NONE, 0, "the name is too long");
	rc = ae_ad_principal_account(&d->me, ad, account, e);
	if (rc == AE_ENOTFOUND)
		rc = ae_ad_principal_upn(&d->me, ad, principal, e);
	if (rc == AE_OK && e != NULL)
		e->rc = AE_OK; /* of the first try */
	return rc;
}

int
ae_directory_open(struct ae_directory **out, struct ae_ad *ad,
    const char *principal, struct ae_err *e)
{
	struct ae_directory *d = calloc(1, sizeof(*d));
	int rc;

	if (d == NULL)
		return ae_fail_mem(e);
	d->arena = ae_arena_new(ARENA_MAX);
	rc = d->arena == NULL ? ae_fail_mem(e) : find_me(d, ad, principal, e);
	if (rc == AE_OK)
		rc = read_token(d, ad, e);
	if (rc != AE_OK) {
		ae_directory_free(d);
		return ae_note(e, rc, "looking up %s", principal);
	}
	*out = d;
	return AE_OK;
}

/* userCertificate, where it may be cleaned up or a template asks whether
 * something is there. */
static int
read_published(
    struct ae_directory *d, struct ae_ad *ad, bool asked, struct ae_err *e)
{
	static const char *const attrs[] = { "userCertificate", NULL };
	const struct ae_attr *attr;
	struct ae_entries l = { 0 };
	size_t i;
	int rc;

	for (i = 0; i < d->pki->ntemplates; i++)
		asked = asked ||
		    (d->pki->templates[i]->enrollment_flag &
			AE_CT_CHECK_USER_DS_CERTIFICATE) != 0;
	if (!asked)
		return AE_OK;
	rc = ae_ad_read(ad, d->me->dn, attrs, &l, e);
	attr = rc == AE_OK ? ae_entry_get(&l.v[0], attrs[0]) : NULL;
	if (attr != NULL) {
		d->published.v =
		    ae_arena_array(d->arena, attr->n, sizeof(*d->published.v));
		if (d->published.v == NULL)
			rc = ae_fail_mem(e);
		for (i = 0; rc == AE_OK && i < attr->n; i++) {
			struct ae_octets *o = &d->published.v[i];

			o->len = attr->v[i].len;
			o->p = ae_arena_dup(d->arena, attr->v[i].p, o->len);
			if (o->p == NULL)
				rc = ae_fail_mem(e);
			d->published.n++;
		}
	}
	ae_entries_done(&l);
	return rc;
}

static int
read_lists(
    struct ae_directory *d, struct ae_ad *ad, int64_t now, struct ae_err *e)
{
	d->lists = ae_revocation_new();
	return d->lists == NULL ? ae_fail_mem(e)
				: ae_revocation_read(d->lists, ad, now, e);
}

int
ae_directory_unpublish(struct ae_directory *d, struct ae_ad *ad,
    const size_t *which, size_t n, struct ae_err *e)
{
	struct ae_value *v = calloc(n + 1, sizeof(*v));
	struct ae_ad_mod mod = { AE_AD_DELETE, { "userCertificate", v, n } };
	size_t i;
	int rc = AE_OK;

	if (v == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n && rc == AE_OK; i++) {
		if (which[i] >= d->published.n)
			rc = ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
			    "there is no such value");
		else
			v[i] = (struct ae_value){ d->published.v[which[i]].p,
				d->published.v[which[i]].len };
	}
	/* Without values it would be all of them. */
	if (rc == AE_OK && n > 0)
		rc = ae_ad_modify(ad, d->me->dn, &mod, 1, e);
	free(v);
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "userCertificate");
}

int
ae_directory_load(struct ae_directory *d, struct ae_ad *ad, bool lists,
    bool published, int64_t now, struct ae_err *e)
{
	const unsigned int parts = AE_PKI_TEMPLATES | AE_PKI_SERVICES |
	    AE_PKI_NTAUTH | AE_PKI_ROOTS | AE_PKI_AIA;
	const struct ae_ad_root *root = ae_ad_root(ad);
	int rc;

	rc = ae_ad_pki_read(&d->pki, ad, parts, e);
	if (rc == AE_OK)
		rc = borrow_all(d, e);
	if (rc == AE_OK)
		rc = judge_cas(d, now, e);
	if (rc == AE_OK)
		rc = read_published(d, ad, published, e);
	if (rc == AE_OK && (lists || d->published.n > 0))
		rc = read_lists(d, ad, now, e);
	if (rc == AE_OK && !root->has_time)
		rc = ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "rootDSE: no currentTime");
	d->dc_now = now + root->ahead_of_us;
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "reading the directory");
}

void
ae_directory_free(struct ae_directory *d)
{
	if (d == NULL)
		return;
	ae_revocation_free(d->lists);
	ae_pki_free(d->pki);
	ae_token_free(d->token);
	ae_principal_free(d->me);
	ae_arena_free(d->arena);
	free(d);
}

void
ae_directory_put_pem(struct ae_wr *w, const struct ae_octetsv *v)
{
	struct ae_cert *c;
	size_t i;

	for (i = 0; i < v->n; i++) {
		if (ae_cert_parse(&c, v->v[i].p, v->v[i].len, NULL) != AE_OK)
			continue;
		ae_cert_put_pem(w, c);
		ae_cert_free(c);
	}
}
