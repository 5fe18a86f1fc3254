/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading Public Key Services; see pki.h.
 */
#include "ad/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/fields.h"

/* What takes one entry of a container into the snapshot. */
typedef int take_fn(
    struct ae_pki *p, const struct ae_entry *entry, struct ae_err *e);

#define OID_AT(field) offsetof(struct ae_pki_oid, field)

/* clang-format off */
static const struct ae_field oid_fields[] = {
	{ "msPKI-Cert-Template-OID", AE_FIELD_OID, OID_AT(oid) },
	{ "displayName",             AE_FIELD_STR, OID_AT(display_name) },
	{ "flags",                   AE_FIELD_U32, OID_AT(flags) },
	{ "msDS-OIDToGroupLink",     AE_FIELD_STR, OID_AT(group) },
	{ "groupSid",                AE_FIELD_STR, OID_AT(group_sid), true },
	{ NULL },
};
/* clang-format on */

static void
octetsv_done(struct ae_octetsv *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].p);
	free(l->v);
}

void
ae_pki_free(struct ae_pki *p)
{
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->ntemplates; i++)
		ae_template_free(p->templates[i]);
	free(p->templates);
	for (i = 0; i < p->nservices; i++)
		ae_enrollment_service_free(p->services[i]);
	free(p->services);
	octetsv_done(&p->ntauth);
	octetsv_done(&p->roots);
	octetsv_done(&p->aia);
	octetsv_done(&p->kra);
	for (i = 0; i < p->noids; i++)
		ae_fields_done(&p->oids[i], oid_fields);
	free(p->oids);
	for (i = 0; i < p->nrefused; i++) {
		free(p->refused[i].dn);
		free(p->refused[i].why);
	}
	free(p->refused);
	free(p);
}

/* Make room for one more of size bytes in the array *v of n. */
static bool
grow(void *v, size_t n, size_t size)
{
	void *old, *more;

	memcpy(&old, v, sizeof(old));
	more = reallocarray(old, n + 1, size);
	if (more == NULL)
		return false;
	memcpy(v, &more, sizeof(more));
	memset((char *)more + n * size, 0, size);
	/* cppcheck-suppress memleak ; *v has it */
	return true;
}

static int
take_template(struct ae_pki *p, const struct ae_entry *entry, struct ae_err *e)
{
	int rc;

	if (!grow(&p->templates, p->ntemplates, sizeof(*p->templates)))
		return ae_fail_mem(e);
	rc = ae_template_decode(&p->templates[p->ntemplates], entry, e);
	if (rc == AE_OK)
		p->ntemplates++;
	return rc;
}

static int
take_service(struct ae_pki *p, const struct ae_entry *entry, struct ae_err *e)
{
	int rc;

	if (!grow(&p->services, p->nservices, sizeof(*p->services)))
		return ae_fail_mem(e);
	rc = ae_enrollment_service_decode(&p->services[p->nservices], entry, e);
	if (rc == AE_OK)
		p->nservices++;
	return rc;
}

static int
take_oid(struct ae_pki *p, const struct ae_entry *entry, struct ae_err *e)
{
	struct ae_pki_oid o = { 0 };
	int rc;

	if (!grow(&p->oids, p->noids, sizeof(*p->oids)))
		return ae_fail_mem(e);
	rc = ae_fields_decode(&o, oid_fields, entry, e);
	if (rc == AE_OK && o.oid == NULL)
		rc = ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "an OID object without OID");
	if (rc != AE_OK) {
		ae_fields_done(&o, oid_fields);
		return rc;
	}
	p->oids[p->noids++] = o;
	return AE_OK;
}

static int
take_certs(struct ae_octetsv *to, const char *attr,
    const struct ae_entry *entry, struct ae_err *e)
{
	const struct ae_field row[] = { { attr, AE_FIELD_OCTETSV, 0, false },
		{ NULL, 0, 0, false } };

	return ae_fields_decode(to, row, entry, e);
}

static int
take_ntauth(struct ae_pki *p, const struct ae_entry *entry, struct ae_err *e)
{
	return take_certs(&p->ntauth, "cACertificate", entry, e);
}

static int
take_root(struct ae_pki *p, const struct ae_entry *entry, struct ae_err *e)
{
	return take_certs(&p->roots, "cACertificate", entry, e);
}

static int
take_aia(struct ae_pki *p, const struct ae_entry *entry, struct ae_err *e)
{
	return take_certs(&p->aia, "cACertificate", entry, e);
}

static int
take_kra(struct ae_pki *p, const struct ae_entry *entry, struct ae_err *e)
{
	return take_certs(&p->kra, "userCertificate", entry, e);
}

static const char *const cert_attrs[] = { "cACertificate", NULL };
static const char *const kra_attrs[] = { "userCertificate", NULL };
static const char *const oid_attrs[] = { "msPKI-Cert-Template-OID",
	"displayName", "flags", "msDS-OIDToGroupLink", NULL };

/* clang-format off */
static const struct part {
	unsigned int bit;
	const char *rdn;   /* below Public Key Services */
	enum ae_ad_scope scope;
	const char *filter;
	const char *const *attrs;
	take_fn *take;
} parts_table[] = {
	{ AE_PKI_TEMPLATES, "CN=Certificate Templates,", AE_AD_SUB,
	    "(objectClass=pKICertificateTemplate)", ae_template_attrs, take_template },
	{ AE_PKI_SERVICES, "CN=Enrollment Services,", AE_AD_SUB,
	    "(objectClass=pKIEnrollmentService)", ae_enrollment_service_attrs, take_service },
	{ AE_PKI_NTAUTH, "CN=NTAuthCertificates,", AE_AD_BASE,
	    "(objectClass=certificationAuthority)", cert_attrs, take_ntauth },
	{ AE_PKI_ROOTS, "CN=Certification Authorities,", AE_AD_SUB,
	    "(objectClass=certificationAuthority)", cert_attrs, take_root },
	{ AE_PKI_AIA, "CN=AIA,", AE_AD_SUB,
	    "(objectClass=certificationAuthority)", cert_attrs, take_aia },
	{ AE_PKI_KRA, "CN=KRA,", AE_AD_SUB,
	    "(objectClass=msPKI-PrivateKeyRecoveryAgent)", kra_attrs, take_kra },
	{ AE_PKI_OIDS, "CN=OID,", AE_AD_ONE,
	    "(objectClass=msPKI-Enterprise-Oid)", oid_attrs, take_oid },
};
/* clang-format on */

#define NPARTS (sizeof(parts_table) / sizeof(parts_table[0]))

static int
add_refused(struct ae_pki *p, const char *dn, const char *why, struct ae_err *e)
{
	struct ae_pki_refused *r;

	if (!grow(&p->refused, p->nrefused, sizeof(*p->refused)))
		return ae_fail_mem(e);
	r = &p->refused[p->nrefused++];
	r->dn = strdup(dn);
	r->why = strdup(why);
	return r->dn != NULL && r->why != NULL ? AE_OK : ae_fail_mem(e);
}

static int
read_part(struct ae_pki *p, struct ae_ad *ad, const struct part *part,
    struct ae_err *e)
{
	struct ae_ad_query q = { .scope = part->scope,
		.filter = part->filter,
		.attrs = part->attrs };
	struct ae_entries l = { 0 };
	struct ae_err why = AE_ERR_INIT;
	char *base;
	size_t i;
	int rc;

	if (asprintf(&base, "%s%s", part->rdn, ae_ad_pks_dn(ad)) < 0)
		return ae_fail_mem(e);
	q.base = base;
	rc = ae_ad_search(ad, &q, &l, e);
	free(base);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	for (i = 0; rc == AE_OK && i < l.n; i++) {
		rc = part->take(p, &l.v[i], &why);
		if (rc == AE_EPROTO || rc == AE_ELIMIT)
			rc = add_refused(p, l.v[i].dn, why.text, e);
		else if (rc != AE_OK && e != NULL)
			*e = why;
	}
	ae_entries_done(&l);
	return rc;
}

int
ae_ad_pki_read(
    struct ae_pki **out, struct ae_ad *ad, unsigned int parts, struct ae_err *e)
{
	struct ae_pki *p = calloc(1, sizeof(*p));
	size_t i;
	int rc = AE_OK;

	if (p == NULL)
		return ae_fail_mem(e);
	p->parts = parts & AE_PKI_ALL;
	for (i = 0; i < NPARTS && rc == AE_OK; i++)
		if ((parts & parts_table[i].bit) != 0)
			rc = read_part(p, ad, &parts_table[i], e);
	if (rc != AE_OK) {
		ae_pki_free(p);
		return rc;
	}
	*out = p;
	return AE_OK;
}

/* FNV-1a: tells whether, not what; nobody gains by a collision. */
static uint64_t
mix(uint64_t h, const void *p, size_t len)
{
	const uint8_t *b = p;

	while (len-- > 0)
		h = (h ^ *b++) * UINT64_C(0x100000001b3);
	return h;
}

#define MIX_START UINT64_C(0xcbf29ce484222325)

static int
fingerprint(uint64_t *out, struct ae_ad *ad, struct ae_err *e)
{
	static const char *const attrs[] = { "uSNChanged", NULL };
	struct ae_ad_query q = {
		.base = ae_ad_pks_dn(ad), .scope = AE_AD_SUB, .attrs = attrs
	};
	struct ae_entries l = { 0 };
	uint64_t usn, h, sum = 0;
	size_t i;
	int rc;

	rc = ae_ad_search(ad, &q, &l, e);
	if (rc == AE_ENOTFOUND) {
		*out = 0;
		return AE_OK;
	}
	for (i = 0; rc == AE_OK && i < l.n; i++) {
		usn = 0;
		rc = ae_entry_u64(&l.v[i], attrs[0], &usn, e);
		if (rc == AE_ENOTFOUND)
			rc = AE_OK;
		h = mix(MIX_START, l.v[i].dn, strlen(l.v[i].dn));
		/* A sum: the order of the answer means nothing. */
		sum += mix(h, &usn, sizeof(usn));
	}
	ae_entries_done(&l);
	if (rc == AE_OK)
		*out = sum;
	return rc;
}

int
ae_ad_pki_changed(
    bool *changed, struct ae_pki_mark *mark, struct ae_ad *ad, struct ae_err *e)
{
	const struct ae_ad_root *root = ae_ad_root(ad);
	const char *dc =
	    root->ds_service_name != NULL ? root->ds_service_name : root->host;
	struct ae_pki_mark now = { .dc = mix(MIX_START, dc, strlen(dc)) };
	int rc;

	if ((rc = ae_ad_usn(ad, &now.usn, e)) != AE_OK)
		return rc;
	if (now.dc == mark->dc && now.usn == mark->usn) {
		*changed = false;
		return AE_OK;
	}
	if ((rc = fingerprint(&now.objects, ad, e)) != AE_OK)
		return rc;
	*changed = now.dc != mark->dc || now.objects != mark->objects;
	*mark = now;
	return AE_OK;
}
