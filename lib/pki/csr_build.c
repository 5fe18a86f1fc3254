/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writing PKCS#10 requests: attributes in the order Windows clients send
 * them.
 */
#include <string.h>

#include "base/utf16.h"
#include "pki/csr.h"
#include "pki/csr_int.h"
#include "pki/name.h"
#include "pki/signed.h"

static int
no(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "request: %s", what);
}

struct mark {
	size_t seq, set;
};

/* Attribute ::= SEQUENCE { type, SET OF value } with one value */
static struct mark
attr_open(struct ae_wr *w, const char *oid)
{
	struct mark m;

	m.seq = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, oid);
	m.set = ae_der_open(w, AE_DER_SET);
	return m;
}

static void
attr_close(struct ae_wr *w, struct mark m)
{
	ae_der_close(w, m.set);
	ae_der_close(w, m.seq);
}

/* MS-WCCE 2.2.2.7.1: IA5String as Windows sends it. */
static int
put_os_version(struct ae_wr *w, const struct ae_csr_spec *s, struct ae_err *e)
{
	struct mark m;

	if (s->os_version == NULL)
		return AE_OK;
	if (s->os_version[strspn(s->os_version, "0123456789.")] != '\0')
		return no(e, "an OS version is digits and dots");
	m = attr_open(w, AE_OID_MS_OS_VERSION);
	ae_der_put(w, AE_DER_IA5, s->os_version, strlen(s->os_version));
	attr_close(w, m);
	return AE_OK;
}

/* MS-WCCE 2.2.2.7.4 */
static int
put_client_info(struct ae_wr *w, const struct ae_csr_spec *s, struct ae_err *e)
{
	const struct ae_client_info *c = &s->client;
	const char *v[] = { c->machine, c->user, c->process };
	struct mark m;
	size_t seq;

	if (c->machine == NULL)
		return AE_OK;
	m = attr_open(w, AE_OID_MS_CLIENT_INFO);
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, c->client_id);
	for (size_t i = 0; i < 3; i++) {
		if (v[i] == NULL || !ae_utf8_valid(v[i]))
			return no(e, "client information is not UTF-8");
		ae_der_put(w, AE_DER_UTF8, v[i], strlen(v[i]));
	}
	ae_der_close(w, seq);
	attr_close(w, m);
	return AE_OK;
}

/* MS-WCCE 2.2.2.7.2, key spec AT_KEYEXCHANGE and an empty signature */
static int
put_csp(struct ae_wr *w, const struct ae_csr_spec *s, struct ae_err *e)
{
	static const uint8_t none = 0;
	struct mark m;
	size_t seq;

	if (s->csp_name == NULL)
		return AE_OK;
	m = attr_open(w, AE_OID_MS_CSP_PROVIDER);
	seq = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, 1);
	if (!ae_der_bmp(w, s->csp_name))
		return no(e, "the provider's name is not UTF-8");
	ae_der_put(w, AE_DER_BITSTRING, &none, 1);
	ae_der_close(w, seq);
	attr_close(w, m);
	return AE_OK;
}

/*
 * MS-WCCE 2.2.2.7.10: one attribute, a value for each pair.  A SET OF is
 * sorted in DER, and as all have the same tag, so by their bytes.
 */
int
ae_pairs_put_attr(
    struct ae_wr *w, const struct ae_pair *v, size_t n, struct ae_err *e)
{
	struct ae_wr one[AE_PAIRS_MAX], t;
	int rc = AE_OK;
	struct mark m;
	size_t seq, i;

	if (n == 0)
		return AE_OK;
	if (n > AE_PAIRS_MAX)
		return no(e, "too many pairs");
	for (i = 0; i < n; i++)
		ae_wr_init(&one[i], AE_PKI_REQUEST_MAX);
	for (i = 0; i < n; i++) {
		seq = ae_der_open(&one[i], AE_DER_SEQUENCE);
		if (!ae_der_bmp(&one[i], v[i].name) ||
		    !ae_der_bmp(&one[i], v[i].value)) {
			rc = no(e, "a pair is not UTF-8");
			goto out;
		}
		ae_der_close(&one[i], seq);
		if (!ae_wr_ok(&one[i])) {
			rc = ae_fail_mem(e);
			goto out;
		}
		for (size_t j = i; j > 0; j--) {
			if (ae_der_set_order(one[j - 1].p, one[j - 1].len,
				one[j].p, one[j].len) <= 0)
				break;
			t = one[j];
			one[j] = one[j - 1];
			one[j - 1] = t;
		}
	}
	m = attr_open(w, AE_OID_MS_NAME_VALUE_PAIR);
	for (i = 0; i < n; i++)
		ae_wr_bytes(w, one[i].p, one[i].len);
	attr_close(w, m);
out:
	for (i = 0; i < n; i++)
		ae_wr_done(&one[i]);
	return rc;
}

static int
put_pairs(struct ae_wr *w, const struct ae_csr_spec *s, struct ae_err *e)
{
	return ae_pairs_put_attr(w, s->pairs, s->npairs, e);
}

static int
put_extensions(struct ae_wr *w, const struct ae_csr_spec *s, struct ae_err *e)
{
	size_t start = w->len, inside;
	struct mark m;
	int rc;

	m = attr_open(w,
	    s->ms_extensions ? AE_OID_MS_CERT_EXTENSIONS
			     : AE_OID_EXTENSION_REQUEST);
	inside = w->len;
	rc = ae_exts_encode(w, &s->x, e);
	if (rc == AE_OK && ae_wr_ok(w) && w->len == inside)
		w->len = start;
	else
		attr_close(w, m);
	return rc;
}

static int
put_renewal(struct ae_wr *w, const struct ae_csr_spec *s, struct ae_err *e)
{
	struct mark m;

	(void)e;
	if (s->renewal_cert.p == NULL)
		return AE_OK;
	m = attr_open(w, AE_OID_MS_RENEWAL_CERT);
	ae_der_raw(w, s->renewal_cert);
	attr_close(w, m);
	return AE_OK;
}

/* MS-WCCE 3.1.1.4.3.4; the statement's OID is that of Windows' headers. */
static int
put_attestation(struct ae_wr *w, const struct ae_csr_spec *s, struct ae_err *e)
{
	struct mark m;

	if (s->attestation.p == NULL)
		return AE_OK;
	m = attr_open(w, AE_OID_MS_EK_INFO);
	ae_der_raw(w, s->ek_info);
	attr_close(w, m);
	m = attr_open(w, AE_OID_MS_ATTESTATION);
	ae_der_put(w, AE_DER_OCTETS, s->attestation.p, s->attestation.len);
	attr_close(w, m);
	m = attr_open(w, AE_OID_MS_KSP_NAME);
	if (s->ksp_name == NULL || !ae_der_bmp_nul(w, s->ksp_name))
		return no(e, "the provider's name is not UTF-8");
	attr_close(w, m);
	return AE_OK;
}

static int (*const attrs[])(
    struct ae_wr *, const struct ae_csr_spec *, struct ae_err *) = {
	put_os_version,
	put_client_info,
	put_csp,
	put_pairs,
	put_extensions,
	put_renewal,
	put_attestation,
};

/* RFC 2986 4.1 */
static int
put_info(struct ae_wr *w, const struct ae_csr_spec *s, const struct ae_key *k,
    struct ae_err *e)
{
	size_t info, list;
	int rc;

	info = ae_der_open(w, AE_DER_SEQUENCE);
	ae_der_uint(w, 0);
	if (ae_name_is_empty(s->subject))
		ae_der_put(w, AE_DER_SEQUENCE, NULL, 0);
	else
		ae_der_raw(w, s->subject);
	ae_der_raw(w, ae_key_spki(k));
	list = ae_der_open(w, AE_DER_CTX_CONS(0));
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		rc = attrs[i](w, s, e);
		if (rc != AE_OK)
			return rc;
	}
	ae_der_close(w, list);
	ae_der_close(w, info);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

int
ae_csr_build(struct ae_wr *w, const struct ae_csr_spec *s,
    const struct ae_key *k, struct ae_err *e)
{
	struct ae_sigalg alg = ae_key_sigalg(k, s->hash);
	struct ae_wr info;
	int rc;

	alg.pss = s->pss && alg.key == AE_KEY_RSA;
	ae_wr_init(&info, AE_PKI_REQUEST_MAX);
	rc = put_info(&info, s, k, e);
	if (rc == AE_OK)
		rc = ae_signed_make(w, info.p, info.len, &alg, k, e);
	ae_wr_done(&info);
	return rc;
}
