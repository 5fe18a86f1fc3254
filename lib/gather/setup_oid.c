/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The forest's arc for template OIDs and the objects below CN=OID that name
 * them (MS-WCCE 2.2.2.11, MS-CRTD 2.21).
 */
#include <string.h>

#include "gather/setup_int.h"

/* Template OIDs below the forest's base, as in MS-CRTD's samples. */
#define OID_ROOT "1.3.6.1.4.1.311.21.8"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * The forest's base OID: what CN=OID says, or made of the root domain's
 * GUID in five arcs of 24 bits and one of 8, which no client's 32-bit arc
 * parser stumbles over.
 */
static int
find_base(struct ae_setup_run *r, const char **out, struct ae_err *e)
{
	static const char *const oid_attr[] = { "msPKI-Cert-Template-OID",
		NULL };
	static const char *const guid_attr[] = { "objectGUID", NULL };
	struct ae_entries l = { 0 };
	const char *dn, *have = NULL;
	struct ae_guid g;
	uint8_t b[16];
	struct ae_wr w;
	size_t i;
	int rc;

	dn = ae_setup_dn(r, "CN", "OID", ae_ad_pks_dn(r->ad));
	if (dn == NULL)
		return ae_fail_mem(e);
	rc = ae_ad_read(r->ad, dn, oid_attr, &l, e);
	if (rc == AE_OK) {
		rc = ae_entry_str(&l.v[0], oid_attr[0], r->arena, &have, e);
		ae_entries_done(&l);
	}
	if (rc == AE_OK) {
		*out = have;
		return AE_OK;
	}
	if (rc != AE_ENOTFOUND)
		return rc;
	rc = ae_ad_read(
	    r->ad, ae_ad_root(r->ad)->root_domain_nc, guid_attr, &l, e);
	if (rc != AE_OK)
		return rc;
	rc = ae_entry_guid(&l.v[0], guid_attr[0], &g, e);
	ae_entries_done(&l);
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&w, 16);
	ae_guid_put(&w, &g);
	if (w.len != sizeof(b)) {
		ae_wr_done(&w);
		return ae_fail_mem(e);
	}
	memcpy(b, w.p, sizeof(b));
	ae_wr_done(&w);
	ae_wr_init(&w, 256);
	ae_wr_str(&w, OID_ROOT);
	for (i = 0; i < 15; i += 3)
		ae_wr_printf(&w, ".%u",
		    (unsigned int)b[i] << 16 | (unsigned int)b[i + 1] << 8 |
			b[i + 2]);
	ae_wr_printf(&w, ".%u", (unsigned int)b[15]);
	*out = ae_wr_cstr(&w) != NULL
	    ? ae_arena_strdup(r->arena, ae_wr_cstr(&w))
	    : NULL;
	ae_wr_done(&w);
	return *out != NULL ? AE_OK : ae_fail_mem(e);
}

int
ae_setup_base_oid(struct ae_setup_run *r, const char **base, struct ae_err *e)
{
	struct ae_setup_attr attr = { "msPKI-Cert-Template-OID", AE_SETUP_ADD,
		NULL, 1 };
	int rc;

	if ((rc = find_base(r, base, e)) != AE_OK)
		return rc;
	if ((attr.v = ae_setup_text(r, *base)) == NULL)
		return ae_fail_mem(e);
	return ae_setup_ensure(r,
	    ae_setup_dn(r, "CN", "OID", ae_ad_pks_dn(r->ad)),
	    "msPKI-Enterprise-Oid", &attr, 1, NULL, e);
}

/* "<last arc>.<32 hex digits>": the digits from the OID, so always the same */
static const char *
oid_rdn(struct ae_setup_run *r, const char *oid)
{
	const char *arc = strrchr(oid, '.');
	uint64_t h[2] = { UINT64_C(0xcbf29ce484222325),
		UINT64_C(0x84222325cbf29ce4) };
	const char *p;
	int i;

	for (i = 0; i < 2; i++)
		for (p = oid; *p != '\0'; p++)
			h[i] = (h[i] ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	return ae_arena_printf(r->arena, "%s.%016llX%016llX",
	    arc != NULL ? arc + 1 : oid, (unsigned long long)h[0],
	    (unsigned long long)h[1]);
}

int
ae_setup_oid(struct ae_setup_run *r, const char *oid, const char *display_name,
    struct ae_err *e)
{
	static const char *const none[] = { "cn", NULL };
	struct ae_setup_attr attrs[] = {
		{ "msPKI-Cert-Template-OID", AE_SETUP_ONLY_NEW,
		    ae_setup_text(r, oid), 1 },
		{ "displayName", AE_SETUP_ONLY_NEW,
		    ae_setup_text(r, display_name), 1 },
		{ "flags", AE_SETUP_ONLY_NEW, ae_setup_text(r, "1"), 1 },
	};
	struct ae_ad_query q = { .scope = AE_AD_ONE, .attrs = none, .max = 2 };
	struct ae_entries l = { 0 };
	const char *rdn = oid_rdn(r, oid), *dn;
	int rc;

	q.base = ae_setup_dn(r, "CN", "OID", ae_ad_pks_dn(r->ad));
	q.filter =
	    ae_arena_printf(r->arena, "(msPKI-Cert-Template-OID=%s)", oid);
	if (attrs[0].v == NULL || attrs[1].v == NULL || attrs[2].v == NULL ||
	    q.base == NULL || q.filter == NULL || rdn == NULL)
		return ae_fail_mem(e);
	rc = ae_ad_search(r->ad, &q, &l, e);
	if (rc == AE_OK && l.n != 0) {
		rc = ae_setup_note(r, AE_SETUP_KEEP, l.v[0].dn, NULL, e);
		ae_entries_done(&l);
		return rc;
	}
	ae_entries_done(&l);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	dn = ae_setup_dn(r, "CN", rdn, q.base);
	return ae_setup_ensure(
	    r, dn, "msPKI-Enterprise-Oid", attrs, COUNT(attrs), NULL, e);
}
