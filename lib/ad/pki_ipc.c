/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A snapshot of Public Key Services between our own processes.
 */
#include "ad/pki.h"

#include <stdlib.h>

#include "ad/fields.h"

#define OBJECTS_MAX 4096u

#define AT(field) offsetof(struct ae_pki, field)

/* clang-format off */
static const struct ae_field list_fields[] = {
	{ "parts",              AE_FIELD_U32,     AT(parts) },
	{ "NTAuthCertificates", AE_FIELD_OCTETSV, AT(ntauth) },
	{ "roots",              AE_FIELD_OCTETSV, AT(roots) },
	{ "AIA",                AE_FIELD_OCTETSV, AT(aia) },
	{ "KRA",                AE_FIELD_OCTETSV, AT(kra) },
	{ NULL },
};

static const struct ae_field oid_fields[] = {
	{ "OID",         AE_FIELD_OID, offsetof(struct ae_pki_oid, oid) },
	{ "displayName", AE_FIELD_STR, offsetof(struct ae_pki_oid, display_name) },
	{ "flags",       AE_FIELD_U32, offsetof(struct ae_pki_oid, flags) },
	{ "group",       AE_FIELD_STR, offsetof(struct ae_pki_oid, group) },
	{ "groupSid",    AE_FIELD_STR, offsetof(struct ae_pki_oid, group_sid) },
	{ NULL },
};

static const struct ae_field refused_fields[] = {
	{ "dn",  AE_FIELD_STR, offsetof(struct ae_pki_refused, dn) },
	{ "why", AE_FIELD_STR, offsetof(struct ae_pki_refused, why) },
	{ NULL },
};
/* clang-format on */

void
ae_pki_put(struct ae_wr *w, const struct ae_pki *p)
{
	size_t i;

	ae_fields_put(w, p, list_fields);
	ae_wr_u32(w, (uint32_t)p->ntemplates);
	for (i = 0; i < p->ntemplates; i++)
		ae_template_put(w, p->templates[i]);
	ae_wr_u32(w, (uint32_t)p->nservices);
	for (i = 0; i < p->nservices; i++)
		ae_enrollment_service_put(w, p->services[i]);
	ae_wr_u32(w, (uint32_t)p->noids);
	for (i = 0; i < p->noids; i++)
		ae_fields_put(w, &p->oids[i], oid_fields);
	ae_wr_u32(w, (uint32_t)p->nrefused);
	for (i = 0; i < p->nrefused; i++)
		ae_fields_put(w, &p->refused[i], refused_fields);
}

/* A count, and an array of that many zeroed things; NULL: refused. */
static void *
get_array(struct ae_rd *r, size_t size, uint32_t *n, int *rc, struct ae_err *e)
{
	void *v;

	*n = ae_rd_u32(r);
	if (!ae_rd_ok(r) || *n > OBJECTS_MAX || *n > ae_rd_left(r)) {
		*rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "impossible count");
		return NULL;
	}
	v = calloc(*n != 0 ? *n : 1, size);
	*rc = v != NULL ? AE_OK : ae_fail_mem(e);
	return v;
}

static int
get(struct ae_pki *p, struct ae_rd *r, struct ae_err *e)
{
	uint32_t n;
	int rc;

	if ((rc = ae_fields_get(p, list_fields, r, e)) != AE_OK)
		return rc;
	p->templates = get_array(r, sizeof(*p->templates), &n, &rc, e);
	for (; rc == AE_OK && p->ntemplates < n; p->ntemplates++) {
		rc = ae_template_get(&p->templates[p->ntemplates], r, e);
		if (rc != AE_OK)
			return rc;
	}
	if (rc != AE_OK)
		return rc;
	p->services = get_array(r, sizeof(*p->services), &n, &rc, e);
	for (; rc == AE_OK && p->nservices < n; p->nservices++) {
		rc =
		    ae_enrollment_service_get(&p->services[p->nservices], r, e);
		if (rc != AE_OK)
			return rc;
	}
	if (rc != AE_OK)
		return rc;
	p->oids = get_array(r, sizeof(*p->oids), &n, &rc, e);
	for (; rc == AE_OK && p->noids < n; p->noids++)
		if ((rc = ae_fields_get(
			 &p->oids[p->noids], oid_fields, r, e)) != AE_OK)
			break;
	if (rc != AE_OK) {
		p->noids += p->oids != NULL; /* free the broken one too */
		return rc;
	}
	p->refused = get_array(r, sizeof(*p->refused), &n, &rc, e);
	for (; rc == AE_OK && p->nrefused < n; p->nrefused++)
		if ((rc = ae_fields_get(&p->refused[p->nrefused],
			 refused_fields, r, e)) != AE_OK)
			break;
	if (rc != AE_OK)
		p->nrefused += p->refused != NULL;
	return rc;
}

int
ae_pki_get(struct ae_pki **out, struct ae_rd *r, struct ae_err *e)
{
	struct ae_pki *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return ae_fail_mem(e);
	if ((rc = get(p, r, e)) != AE_OK) {
		ae_pki_free(p);
		return ae_note(e, rc, "public key services");
	}
	*out = p;
	return AE_OK;
}
