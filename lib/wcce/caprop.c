/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CAINFO and CATRANSPROP to bytes and back, and the list of properties.
 */
#include "wcce/caprop.h"

#include <string.h>

#include "base/rd.h"
#include "base/utf16.h"

#define CATRANSPROP_SIZE 12
#define PROPS_MAX 256
#define NAME_UNITS_MAX 256

/* clang-format off */
#define L AE_PROPTYPE_LONG
#define B AE_PROPTYPE_BINARY
#define S AE_PROPTYPE_STRING
#define X AE_PROPFLAGS_INDEXED
/* MS-WCCE 3.2.1.4.3.2; in order of their numbers. */
static const struct ae_catransprop props[] = {
	{ AE_CR_PROP_FILEVERSION, S, 0, "File version" },
	{ AE_CR_PROP_PRODUCTVERSION, S, 0, "Product version" },
	{ AE_CR_PROP_EXITCOUNT, L, 0, "Exit module count" },
	{ AE_CR_PROP_EXITDESCRIPTION, S, X, "Exit module description" },
	{ AE_CR_PROP_POLICYDESCRIPTION, S, 0, "Policy module description" },
	{ AE_CR_PROP_CANAME, S, 0, "CA name" },
	{ AE_CR_PROP_SANITIZEDCANAME, S, 0, "Sanitized CA name" },
	{ AE_CR_PROP_SHAREDFOLDER, S, 0, "Shared folder" },
	{ AE_CR_PROP_PARENTCA, S, 0, "Parent CA name" },
	{ AE_CR_PROP_CATYPE, L, 0, "CA type" },
	{ AE_CR_PROP_CASIGCERTCOUNT, L, 0, "CA cert count" },
	{ AE_CR_PROP_CASIGCERT, B, X, "CA cert" },
	{ AE_CR_PROP_CASIGCERTCHAIN, B, X, "CA cert chain" },
	{ AE_CR_PROP_CAXCHGCERTCOUNT, L, 0, "CA exchange cert count" },
	{ AE_CR_PROP_CAXCHGCERT, B, X, "CA exchange cert" },
	{ AE_CR_PROP_CAXCHGCERTCHAIN, B, X, "CA exchange cert chain" },
	{ AE_CR_PROP_BASECRL, B, X, "Base CRL" },
	{ AE_CR_PROP_DELTACRL, B, X, "Delta CRL" },
	{ AE_CR_PROP_CACERTSTATE, L, X, "CA cert state" },
	{ AE_CR_PROP_CRLSTATE, L, X, "CRL state" },
	{ AE_CR_PROP_CAPROPIDMAX, L, 0, "Maximum property ID" },
	{ AE_CR_PROP_DNSNAME, S, 0, "CA DNS name" },
	{ AE_CR_PROP_ROLESEPARATIONENABLED, L, 0, "Role separation enabled" },
	{ AE_CR_PROP_KRACERTUSEDCOUNT, L, 0, "KRA cert used count" },
	{ AE_CR_PROP_KRACERTCOUNT, L, 0, "KRA cert count" },
	{ AE_CR_PROP_KRACERT, B, X, "KRA cert" },
	{ AE_CR_PROP_KRACERTSTATE, L, X, "KRA cert state" },
	{ AE_CR_PROP_ADVANCEDSERVER, L, 0, "Advanced server" },
	{ AE_CR_PROP_TEMPLATES, S, 0, "Templates" },
	{ AE_CR_PROP_BASECRLPUBLISHSTATUS, L, X, "Base CRL publish status" },
	{ AE_CR_PROP_DELTACRLPUBLISHSTATUS, L, X, "Delta CRL publish status" },
	{ AE_CR_PROP_CASIGCERTCRLCHAIN, B, X, "CA cert CRL chain" },
	{ AE_CR_PROP_CAXCHGCERTCRLCHAIN, B, X, "CA exchange cert CRL chain" },
	{ AE_CR_PROP_CACERTSTATUSCODE, L, X, "CA cert status" },
	{ AE_CR_PROP_CAFORWARDCROSSCERT, B, X, "Forward cross cert" },
	{ AE_CR_PROP_CABACKWARDCROSSCERT, B, X, "Backward cross cert" },
	{ AE_CR_PROP_CAFORWARDCROSSCERTSTATE, L, X, "Forward cross cert state" },
	{ AE_CR_PROP_CABACKWARDCROSSCERTSTATE, L, X,
	  "Backward cross cert state" },
	{ AE_CR_PROP_CACERTVERSION, L, X, "CA cert version" },
	{ AE_CR_PROP_SANITIZEDCASHORTNAME, S, 0, "Sanitized CA short name" },
	{ AE_CR_PROP_CERTCDPURLS, S, X, "CRL distribution point URLs" },
	{ AE_CR_PROP_CERTAIAURLS, S, X, "Authority information access URLs" },
	{ AE_CR_PROP_CERTAIAOCSPURLS, S, X, "OCSP URLs" },
	{ AE_CR_PROP_LOCALENAME, S, 0, "CA locale name" },
	{ AE_CR_PROP_SUBJECTTEMPLATE_OIDS, S, 0, "Subject template OIDs" },
};
#undef L
#undef B
#undef S
#undef X
/* clang-format on */

const struct ae_catransprop *
ae_cr_prop_find(int32_t prop_id)
{
	if (prop_id < 1 || prop_id > AE_CR_PROP_MAX)
		return NULL;
	return &props[prop_id - 1];
}

void
ae_cainfo_put(struct ae_wr *w, const struct ae_cainfo *info)
{
	ae_wr_u32(w, AE_CAINFO_SIZE);
	ae_wr_u32(w, (uint32_t)info->ca_type);
	ae_wr_u32(w, info->sig_certs);
	ae_wr_u32(w, info->xchg_certs);
	ae_wr_u32(w, info->exit_algorithms);
	ae_wr_u32(w, (uint32_t)info->prop_id_max);
	ae_wr_u32(w, (uint32_t)info->role_separation);
	ae_wr_u32(w, info->kra_used);
	ae_wr_u32(w, info->kra_count);
	ae_wr_u32(w, info->advanced_server);
}

bool
ae_cainfo_get(struct ae_cainfo *out, const void *p, size_t len)
{
	struct ae_cainfo c;
	struct ae_rd r;

	ae_rd_init(&r, p, len);
	if (ae_rd_u32(&r) != AE_CAINFO_SIZE)
		return false;
	c.ca_type = (int32_t)ae_rd_u32(&r);
	c.sig_certs = ae_rd_u32(&r);
	c.xchg_certs = ae_rd_u32(&r);
	c.exit_algorithms = ae_rd_u32(&r);
	c.prop_id_max = (int32_t)ae_rd_u32(&r);
	c.role_separation = (int32_t)ae_rd_u32(&r);
	c.kra_used = ae_rd_u32(&r);
	c.kra_count = ae_rd_u32(&r);
	c.advanced_server = ae_rd_u32(&r);
	if (!ae_rd_done(&r))
		return false;
	*out = c;
	return true;
}

void
ae_catransprop_put(struct ae_wr *w, const struct ae_catransprop *v, size_t n)
{
	size_t base = w->len, i;

	for (i = 0; i < n; i++) {
		ae_wr_u32(w, (uint32_t)v[i].prop_id);
		ae_wr_u8(w, v[i].prop_type);
		ae_wr_u8(w, 0);
		ae_wr_u16(w, v[i].flags);
		ae_wr_u32(w, 0); /* offset of the name, below */
	}
	for (i = 0; i < n && ae_wr_ok(w); i++) {
		while ((w->len - base) % 4 != 0 && ae_wr_ok(w))
			ae_wr_u8(w, 0);
		if (!ae_wr_ok(w))
			break;
		ae_wr_set_u32(w, base + i * CATRANSPROP_SIZE + 8,
		    (uint32_t)(w->len - base));
		(void)ae_wcce_blob_string_put(w, v[i].name);
	}
}

/* The NUL-terminated name at off; NULL: not one. */
static char *
name_at(struct ae_arena *a, const uint8_t *p, size_t len, size_t off)
{
	size_t i;

	if (off % 4 != 0 || off > len)
		return NULL;
	for (i = off; i + 1 < len; i += 2)
		if (p[i] == 0 && p[i + 1] == 0)
			return (i - off) / 2 > NAME_UNITS_MAX
			    ? NULL
			    : ae_utf16_to_utf8(a, p + off, (i - off) / 2);
	return NULL;
}

int
ae_catransprop_get(struct ae_catransprop **out, size_t n, const void *p,
    size_t len, struct ae_arena *a, struct ae_err *e)
{
	struct ae_catransprop *v;
	struct ae_rd r;
	size_t i;

	if (n > PROPS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%zu CA properties, at most %d are looked at", n,
		    PROPS_MAX);
	if (n * CATRANSPROP_SIZE > len)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "%zu CA properties in %zu bytes", n, len);
	v = ae_arena_array(a, n, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, p, len);
	for (i = 0; i < n; i++) {
		v[i].prop_id = (int32_t)ae_rd_u32(&r);
		v[i].prop_type = ae_rd_u8(&r);
		ae_rd_skip(&r, 1);
		v[i].flags = ae_rd_u16(&r);
		v[i].name = name_at(a, p, len, ae_rd_u32(&r));
		if (v[i].name == NULL)
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "CA property %d: its name is broken", v[i].prop_id);
	}
	*out = v;
	return AE_OK;
}

char *
ae_wcce_blob_string(struct ae_arena *a, const void *p, size_t len)
{
	const uint8_t *b = p;

	if (len < 2 || len % 2 != 0 || b[len - 1] != 0 || b[len - 2] != 0)
		return NULL;
	return ae_utf16_to_utf8(a, b, len / 2 - 1);
}

bool
ae_wcce_blob_string_put(struct ae_wr *w, const char *s)
{
	if (!ae_utf16_put(w, s))
		return false;
	ae_wr_u16(w, 0);
	return true;
}
