/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writing extensions: one row each, in the order in which Windows CAs have
 * been seen to emit them.
 */
#include "pki/ext.h"

#include <string.h>

#include "base/utf16.h"
#include "pki/ext_int.h"

static int
no(struct ae_err *e, const char *what, const char *value)
{
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "%s: %.100s", what, value);
}

int
ae_ext_put_template_name(struct ae_wr *w, const char *name, struct ae_err *e)
{
	if (name[0] == '\0' || !ae_der_bmp(w, name))
		return no(e, "not a template's name", name);
	return AE_OK;
}

int
ae_ext_put_template(struct ae_wr *w, const char *oid, uint32_t major,
    uint32_t minor, struct ae_err *e)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);

	if (!ae_der_oid(w, oid))
		return no(e, "not a template's OID", oid);
	ae_der_uint(w, major);
	ae_der_uint(w, minor);
	ae_der_close(w, seq);
	return AE_OK;
}

/* otherName [0] { type, [0] EXPLICIT value }, RFC 5280 4.2.1.6 */
static int
put_other(struct ae_wr *w, const char *oid, uint8_t tag, const void *p,
    size_t len, struct ae_err *e)
{
	size_t other = ae_der_open(w, AE_DER_CTX_CONS(0)), val;

	if (!ae_der_oid(w, oid))
		return no(e, "not an OID", oid);
	val = ae_der_open(w, AE_DER_CTX_CONS(0));
	if (tag != 0)
		ae_der_put(w, tag, p, len);
	else
		ae_wr_bytes(w, p, len);
	ae_der_close(w, val);
	ae_der_close(w, other);
	return AE_OK;
}

void
ae_ext_put_sid(struct ae_wr *w, const struct ae_sid *sid)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);
	char text[AE_SID_STR_MAX];

	(void)ae_sid_print(text, sid);
	(void)put_other(w, AE_OID_MS_SID_OBJECTSID, AE_DER_OCTETS, text,
	    strlen(text), NULL);
	ae_der_close(w, seq);
}

static int
put_template_v1(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	return ae_ext_put_template_name(w, x->template_name, e);
}

static int
put_template_v2(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);

	if (!ae_der_oid(w, x->template_oid))
		return no(e, "not a template's OID", x->template_oid);
	if (x->has_template_major)
		ae_der_uint(w, x->template_major);
	if (x->has_template_minor)
		ae_der_uint(w, x->template_minor);
	ae_der_close(w, seq);
	return AE_OK;
}

static int
put_oids(
    struct ae_wr *w, const struct ae_strv *l, bool wrapped, struct ae_err *e)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE), one = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (wrapped)
			one = ae_der_open(w, AE_DER_SEQUENCE);
		if (!ae_der_oid(w, l->v[i]))
			return no(e, "not an OID", l->v[i]);
		if (wrapped)
			ae_der_close(w, one);
	}
	ae_der_close(w, seq);
	return AE_OK;
}

static int
put_eku(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	return put_oids(w, &x->eku, false, e);
}

/* PolicyInformation without qualifiers: MS-WCCE 2.2.2.7.7.3 */
static int
put_app_policies(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	return put_oids(w, &x->app_policies, true, e);
}

static int
put_cert_policies(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	return put_oids(w, &x->cert_policies, true, e);
}

/* A named bit list: no trailing zero bits, X.690 11.2.2. */
static int
put_key_usage(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	uint8_t v[3] = { 0, (uint8_t)x->key_usage,
		(uint8_t)(x->key_usage >> 8) };
	size_t n = v[2] != 0 ? 3 : v[1] != 0 ? 2 : 1;

	(void)e;
	if (n > 1)
		v[0] = (uint8_t)__builtin_ctz(v[n - 1]);
	ae_der_put(w, AE_DER_BITSTRING, v, n);
	return AE_OK;
}

static int
put_basic_constraints(
    struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);

	(void)e;
	if (x->ca)
		ae_der_bool(w, true);
	if (x->ca && x->path_len >= 0)
		ae_der_uint(w, (uint64_t)x->path_len);
	ae_der_close(w, seq);
	return AE_OK;
}

static int
put_smime(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	(void)e;
	ae_der_raw(w, x->smime_caps);
	return AE_OK;
}

static int
put_nocheck(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	(void)x;
	(void)e;
	ae_der_put(w, AE_DER_NULL, NULL, 0);
	return AE_OK;
}

static int
put_ski(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	(void)e;
	ae_der_put(w, AE_DER_OCTETS, x->ski.p, x->ski.len);
	return AE_OK;
}

static int
put_aki(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);

	(void)e;
	ae_der_put(w, AE_DER_CTX(0), x->aki.p, x->aki.len);
	ae_der_close(w, seq);
	return AE_OK;
}

static int
put_ca_version(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	(void)e;
	ae_der_uint(w, x->ca_version);
	return AE_OK;
}

static int
put_previous_hash(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	(void)e;
	ae_der_put(w, AE_DER_OCTETS, x->previous_cert_hash.p,
	    x->previous_cert_hash.len);
	return AE_OK;
}

static bool
is_visible_ascii(const char *s)
{
	if (s == NULL || *s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return false;
	return true;
}

/* A GeneralName with text: rfc822Name [1], dNSName [2], URI [6]. */
static int
put_text(struct ae_wr *w, int tag, const char *s, struct ae_err *e)
{
	if (!is_visible_ascii(s))
		return no(e, "not an ASCII name or URL", s == NULL ? "" : s);
	ae_der_put(w, AE_DER_CTX(tag), s, strlen(s));
	return AE_OK;
}

/* SEQUENCE { SEQUENCE { [0] { [0] { URIs } } } }: one DistributionPoint */
int
ae_ext_put_cdp(struct ae_wr *w, const struct ae_strv *urls, struct ae_err *e)
{
	size_t seq, dp, dpn, full;
	int rc;

	seq = ae_der_open(w, AE_DER_SEQUENCE);
	dp = ae_der_open(w, AE_DER_SEQUENCE);
	dpn = ae_der_open(w, AE_DER_CTX_CONS(0));
	full = ae_der_open(w, AE_DER_CTX_CONS(0));
	for (size_t i = 0; i < urls->n; i++) {
		rc = put_text(w, 6, urls->v[i], e);
		if (rc != AE_OK)
			return rc;
	}
	ae_der_close(w, full);
	ae_der_close(w, dpn);
	ae_der_close(w, dp);
	ae_der_close(w, seq);
	return AE_OK;
}

static int
put_cdp(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	return ae_ext_put_cdp(w, &x->cdp, e);
}

static int
put_access(struct ae_wr *w, const char *method, const struct ae_strv *urls,
    struct ae_err *e)
{
	size_t seq;
	int rc;

	for (size_t i = 0; i < urls->n; i++) {
		seq = ae_der_open(w, AE_DER_SEQUENCE);
		(void)ae_der_oid(w, method);
		rc = put_text(w, 6, urls->v[i], e);
		if (rc != AE_OK)
			return rc;
		ae_der_close(w, seq);
	}
	return AE_OK;
}

static int
put_aia(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);
	int rc;

	rc = put_access(w, AE_OID_AD_CA_ISSUERS, &x->aia_issuers, e);
	if (rc == AE_OK)
		rc = put_access(w, AE_OID_AD_OCSP, &x->aia_ocsp, e);
	ae_der_close(w, seq);
	return rc;
}

static int
put_guid(struct ae_wr *w, const struct ae_guid *g, struct ae_err *e)
{
	uint8_t bytes[16];
	struct ae_wr tmp;

	ae_wr_init(&tmp, sizeof(bytes));
	ae_guid_put(&tmp, g);
	if (!ae_wr_ok(&tmp))
		return ae_fail_mem(e);
	memcpy(bytes, tmp.p, sizeof(bytes));
	ae_wr_done(&tmp);
	return put_other(w, AE_OID_MS_NTDS_REPLICATION, AE_DER_OCTETS, bytes,
	    sizeof(bytes), e);
}

static int
put_san(struct ae_wr *w, const struct ae_san *s, struct ae_err *e)
{
	switch (s->type) {
	case AE_SAN_EMAIL:
		return put_text(w, 1, s->text, e);
	case AE_SAN_DNS:
		return put_text(w, 2, s->text, e);
	case AE_SAN_URI:
		return put_text(w, 6, s->text, e);
	case AE_SAN_UPN:
		if (s->text == NULL || *s->text == '\0' ||
		    !ae_utf8_valid(s->text))
			return no(e, "not a UPN", s->text ? s->text : "");
		return put_other(
		    w, AE_OID_MS_UPN, AE_DER_UTF8, s->text, strlen(s->text), e);
	case AE_SAN_GUID:
		return put_guid(w, &s->guid, e);
	case AE_SAN_IP:
		if (s->der.len != 4 && s->der.len != 16)
			return no(e, "not an IP address", "");
		ae_der_put(w, AE_DER_CTX(7), s->der.p, s->der.len);
		return AE_OK;
	case AE_SAN_DN:
		ae_der_put(w, AE_DER_CTX_CONS(4), s->der.p, s->der.len);
		return AE_OK;
	case AE_SAN_OTHER:
		return put_other(w, s->text, 0, s->der.p, s->der.len, e);
	case AE_SAN_RAW:
		ae_der_raw(w, s->der);
		return AE_OK;
	}
	return no(e, "not a kind of name", "");
}

static int
put_sans(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	size_t seq = ae_der_open(w, AE_DER_SEQUENCE);
	int rc;

	for (size_t i = 0; i < x->nsans; i++) {
		rc = put_san(w, &x->sans[i], e);
		if (rc != AE_OK)
			return rc;
	}
	ae_der_close(w, seq);
	return AE_OK;
}

static int
put_sid(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	(void)e;
	ae_ext_put_sid(w, &x->sid);
	return AE_OK;
}

/* clang-format off */
static const struct row {
	const char *oid;
	int (*put)(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e);
} rows[] = {
	{ AE_OID_MS_TEMPLATE_V1,        put_template_v1 },
	{ AE_OID_MS_TEMPLATE_V2,        put_template_v2 },
	{ AE_OID_EKU,                   put_eku },
	{ AE_OID_KEY_USAGE,             put_key_usage },
	{ AE_OID_MS_APP_POLICIES,       put_app_policies },
	{ AE_OID_CERT_POLICIES,         put_cert_policies },
	{ AE_OID_BASIC_CONSTRAINTS,     put_basic_constraints },
	{ AE_OID_SMIME_CAPS,            put_smime },
	{ AE_OID_OCSP_NOCHECK,          put_nocheck },
	{ AE_OID_SKI,                   put_ski },
	{ AE_OID_MS_CA_VERSION,         put_ca_version },
	{ AE_OID_MS_PREVIOUS_CERT_HASH, put_previous_hash },
	{ AE_OID_AKI,                   put_aki },
	{ AE_OID_CDP,                   put_cdp },
	{ AE_OID_AIA,                   put_aia },
	{ AE_OID_SAN,                   put_sans },
	{ AE_OID_MS_SID,                put_sid },
};
/* clang-format on */

#define NROWS (sizeof(rows) / sizeof(rows[0]))

/* Which rows apply, in their order. */
static void
present(bool has[NROWS], const struct ae_exts *x)
{
	const bool v[NROWS] = { x->template_name != NULL,
		x->template_oid != NULL, x->eku.n > 0, x->has_key_usage,
		x->app_policies.n > 0, x->cert_policies.n > 0,
		x->has_basic_constraints, x->smime_caps.p != NULL,
		x->ocsp_nocheck, x->ski.p != NULL, x->has_ca_version,
		x->previous_cert_hash.p != NULL, x->aki.p != NULL, x->cdp.n > 0,
		x->aia_issuers.n + x->aia_ocsp.n > 0, x->nsans > 0,
		x->has_sid };

	memcpy(has, v, sizeof(v));
}

/*
 * RFC 5280 4.2.1.9: a CA's constraints are critical, and so by 4.2.1.3 is
 * its key usage.  MS-WCCE 2.2.2.7.7.1: a template's name never is.
 */
static bool
is_critical(const struct ae_exts *x, const char *oid)
{
	bool ca = x->has_basic_constraints && x->ca;

	if (strcmp(oid, AE_OID_MS_TEMPLATE_V1) == 0)
		return false;
	if (ca &&
	    (strcmp(oid, AE_OID_BASIC_CONSTRAINTS) == 0 ||
		strcmp(oid, AE_OID_KEY_USAGE) == 0))
		return true;
	return ae_strv_has(&x->critical, oid);
}

static int
put_rows(struct ae_wr *w, const struct ae_exts *x, const bool has[NROWS],
    struct ae_err *e)
{
	size_t ext, val;
	int rc;

	for (size_t i = 0; i < NROWS; i++) {
		if (!has[i])
			continue;
		ext = ae_der_open(w, AE_DER_SEQUENCE);
		(void)ae_der_oid(w, rows[i].oid);
		if (is_critical(x, rows[i].oid))
			ae_der_bool(w, true);
		val = ae_der_open(w, AE_DER_OCTETS);
		rc = rows[i].put(w, x, e);
		if (rc != AE_OK)
			return ae_note(e, rc, "extension %s", rows[i].oid);
		ae_der_close(w, val);
		ae_der_close(w, ext);
	}
	return AE_OK;
}

static bool
raw_is_second(const struct ae_exts *x, size_t at, const bool has[NROWS])
{
	const char *oid = x->raw[at].oid;

	for (size_t i = 0; i < NROWS; i++)
		if (has[i] && strcmp(rows[i].oid, oid) == 0)
			return true;
	for (size_t i = 0; i < at; i++)
		if (strcmp(x->raw[i].oid, oid) == 0)
			return true;
	return false;
}

static int
put_raw(struct ae_wr *w, const struct ae_exts *x, const bool has[NROWS],
    struct ae_err *e)
{
	size_t ext;

	for (size_t i = 0; i < x->nraw; i++) {
		if (raw_is_second(x, i, has))
			return no(e, "an extension twice", x->raw[i].oid);
		ext = ae_der_open(w, AE_DER_SEQUENCE);
		if (!ae_der_oid(w, x->raw[i].oid))
			return no(e, "not an OID", x->raw[i].oid);
		if (x->raw[i].critical)
			ae_der_bool(w, true);
		ae_der_put(
		    w, AE_DER_OCTETS, x->raw[i].value.p, x->raw[i].value.len);
		ae_der_close(w, ext);
	}
	return AE_OK;
}

int
ae_exts_encode(struct ae_wr *w, const struct ae_exts *x, struct ae_err *e)
{
	size_t start = w->len, seq;
	bool has[NROWS], any = x->nraw > 0;
	int rc;

	present(has, x);
	for (size_t i = 0; i < NROWS; i++)
		any = any || has[i];
	if (!any)
		return AE_OK;
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	rc = put_rows(w, x, has, e);
	if (rc == AE_OK)
		rc = put_raw(w, x, has, e);
	if (rc != AE_OK) {
		if (ae_wr_ok(w))
			w->len = start;
		return rc;
	}
	ae_der_close(w, seq);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

const struct ae_ext *
ae_exts_find(const struct ae_exts *x, const char *oid)
{
	for (size_t i = 0; i < x->nraw; i++)
		if (strcmp(x->raw[i].oid, oid) == 0)
			return &x->raw[i];
	return NULL;
}

const struct ae_san *
ae_exts_san(const struct ae_exts *x, enum ae_san_type type)
{
	for (size_t i = 0; i < x->nsans; i++)
		if (x->sans[i].type == type)
			return &x->sans[i];
	return NULL;
}
