/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CA properties: a table from property to the function that answers it.
 */
#include "ca/caprops.h"

#include <string.h>

#include "wcce/caprop.h"
#include "wcce/hresult.h"
#include "wcce/name.h"

#define VALUE_MAX 0x100000

struct asked {
	const struct ae_ca_info *info;
	const struct ae_ca_info_cert *cert; /* of an indexed property */
	struct ae_arena *a;
	struct ae_wr out;	  /* what the answer is written to */
	struct ae_wcce_blob blob; /* or what it is, as it stands */
	int64_t index;
	bool newest; /* the index was -1 */
};

/* An answer's HRESULT; 0: it is in out or blob. */
typedef uint32_t answer_fn(struct asked *q);

static uint32_t
text(struct asked *q, const char *s)
{
	if (s == NULL)
		return AE_HR_E_FILE_NOT_FOUND;
	return ae_wcce_blob_string_put(&q->out, s) ? AE_HR_OK
						   : AE_HR_E_UNEXPECTED;
}

static uint32_t
version(struct asked *q)
{
	return text(q, q->info->version);
}

static uint32_t
policy(struct asked *q)
{
	return text(q, q->info->policy);
}

static uint32_t
name(struct asked *q)
{
	return text(q, q->info->name);
}

static uint32_t
sanitized(struct asked *q)
{
	const char *s = ae_wcce_sanitize(q->a, q->info->name);

	return s == NULL ? AE_HR_E_OUTOFMEMORY : text(q, s);
}

static uint32_t
sanitized_short(struct asked *q)
{
	const char *s = ae_wcce_sanitize_short(q->a, q->info->name);

	return s == NULL ? AE_HR_E_OUTOFMEMORY : text(q, s);
}

static uint32_t
parent(struct asked *q)
{
	return text(q, q->info->parent);
}

static uint32_t
dns_name(struct asked *q)
{
	return text(q, q->info->dns_name);
}

static uint32_t
locale(struct asked *q)
{
	return text(q, q->info->locale);
}

static uint32_t
nothing(struct asked *q)
{
	(void)q;
	return AE_HR_E_FILE_NOT_FOUND;
}

/* MS-WCCE 3.2.1.4.3.2.3 and others: the whole CAINFO, whichever is asked. */
static uint32_t
cainfo(struct asked *q)
{
	const struct ae_cainfo c = {
		.ca_type = q->info->root ? AE_CATYPE_ENTERPRISE_ROOT
					 : AE_CATYPE_ENTERPRISE_SUB,
		.sig_certs = (uint32_t)q->info->ncerts,
		.xchg_certs = q->info->xchg.p != NULL,
		.kra_used = (uint32_t)q->info->nkras,
		.kra_count = (uint32_t)q->info->nkras,
		.prop_id_max = AE_CR_PROP_MAX,
		.advanced_server = 1,
	};

	ae_cainfo_put(&q->out, &c);
	return AE_HR_OK;
}

static uint32_t
blob(struct asked *q, const struct ae_wcce_blob *b)
{
	q->blob = *b;
	return b->p == NULL ? AE_HR_PROPERTY_EMPTY : AE_HR_OK;
}

static uint32_t
sig_cert(struct asked *q)
{
	return blob(q, &q->cert->cert);
}

static uint32_t
sig_chain(struct asked *q)
{
	return blob(q, &q->cert->chain);
}

static uint32_t
xchg_cert(struct asked *q)
{
	return blob(q, &q->info->xchg);
}

static uint32_t
xchg_chain(struct asked *q)
{
	return blob(q, &q->info->xchg_chain);
}

static uint32_t
xchg_crls(struct asked *q)
{
	return blob(q, &q->info->xchg_crls);
}

static uint32_t
kra_cert(struct asked *q)
{
	if (q->index < 0 || (uint64_t)q->index >= q->info->nkras ||
	    q->info->kras[q->index].cert.p == NULL)
		return AE_HR_E_FILE_NOT_FOUND;
	return blob(q, &q->info->kras[q->index].cert);
}

/* One byte for each, MS-WCCE 3.2.1.4.3.2.27 */
static uint32_t
kra_states(struct asked *q)
{
	size_t i;

	if (q->index < 0 || (uint64_t)q->index >= q->info->nkras)
		return AE_HR_E_FILE_NOT_FOUND;
	for (i = 0; i < q->info->nkras; i++)
		ae_wr_u8(&q->out, (uint8_t)q->info->kras[i].state);
	return AE_HR_OK;
}

/*
 * CRLs stand with the certificate that began with their key: "the newest" of
 * them is that key's, whichever certificate of it was asked for by -1.
 */
static const struct ae_ca_info_cert *
crl_holder(const struct asked *q)
{
	return q->newest ? &q->info->certs[q->cert->key_index] : q->cert;
}

static uint32_t
base_crl(struct asked *q)
{
	return blob(q, &crl_holder(q)->crl);
}

static uint32_t
crl_chain(struct asked *q)
{
	return blob(q, &crl_holder(q)->crl_chain);
}

/* One byte for each CA certificate, MS-WCCE 3.2.1.4.3.2.19, .20 */
static uint32_t
cert_states(struct asked *q)
{
	size_t i;

	for (i = 0; i < q->info->ncerts; i++)
		ae_wr_u8(&q->out, (uint8_t)q->info->certs[i].state);
	return AE_HR_OK;
}

static uint32_t
crl_states(struct asked *q)
{
	size_t i;

	for (i = 0; i < q->info->ncerts; i++)
		ae_wr_u8(&q->out, (uint8_t)q->info->certs[i].crl_state);
	return AE_HR_OK;
}

static uint32_t
cert_versions(struct asked *q)
{
	size_t i;

	for (i = 0; i < q->info->ncerts; i++)
		ae_wr_u32(&q->out,
		    (uint32_t)q->info->certs[i].key_index << 16 |
			(uint32_t)(i & 0xffff));
	return AE_HR_OK;
}

static uint32_t
crl_status(struct asked *q)
{
	ae_wr_u32(&q->out, crl_holder(q)->crl_publish_status);
	return AE_HR_OK;
}

/* Of the certificate that began with a key, as base CRLs; NULL: none. */
static const struct ae_ca_info_cert *
delta_holder(const struct asked *q)
{
	const struct ae_ca_info *i = q->info;

	if (q->index == -1 && i->ncerts > 0)
		return &i->certs[i->certs[i->ncerts - 1].key_index];
	return q->index >= 0 && (uint64_t)q->index < i->ncerts
	    ? &i->certs[q->index]
	    : NULL;
}

/* MS-WCCE 3.2.1.4.3.2.18: a CA without delta CRLs has this property empty */
static uint32_t
delta_crl(struct asked *q)
{
	const struct ae_ca_info_cert *c = delta_holder(q);

	if (!q->info->deltas)
		return AE_HR_PROPERTY_EMPTY;
	return c != NULL ? blob(q, &c->delta) : AE_HR_E_INVALIDARG;
}

/* MS-WCCE 3.2.1.4.3.2.31 */
static uint32_t
delta_status(struct asked *q)
{
	const struct ae_ca_info_cert *c = delta_holder(q);

	if (!q->info->deltas)
		return AE_HR_PROPERTY_EMPTY;
	if (c == NULL)
		return AE_HR_E_INVALIDARG;
	ae_wr_u32(&q->out, c->delta_publish_status);
	return AE_HR_OK;
}

static uint32_t
cert_status(struct asked *q)
{
	ae_wr_u32(&q->out, q->cert->status);
	return AE_HR_OK;
}

/* "cn\nOID\n" for each, MS-WCCE 3.2.2.6.3.1.1 */
static uint32_t
templates(struct asked *q)
{
	struct ae_wr list;
	const char *s;
	uint32_t hr;
	size_t i;

	ae_wr_init(&list, VALUE_MAX / 2);
	for (i = 0; i < q->info->ntemplates; i++) {
		ae_wr_str(&list, q->info->templates[i].cn);
		ae_wr_str(&list, "\n");
		if (q->info->templates[i].oid != NULL)
			ae_wr_str(&list, q->info->templates[i].oid);
		ae_wr_str(&list, "\n");
	}
	s = ae_wr_cstr(&list);
	hr = s == NULL ? AE_HR_E_OUTOFMEMORY : text(q, s);
	ae_wr_done(&list);
	return hr;
}

static uint32_t
urls(struct asked *q, const char *const *v)
{
	struct ae_wr list;
	const char *s;
	uint32_t hr;

	ae_wr_init(&list, VALUE_MAX / 2);
	for (; v != NULL && *v != NULL; v++) {
		ae_wr_str(&list, *v);
		ae_wr_str(&list, "\n");
	}
	s = ae_wr_cstr(&list);
	hr = s == NULL ? AE_HR_E_OUTOFMEMORY : text(q, s);
	ae_wr_done(&list);
	return hr;
}

static uint32_t
cdp_urls(struct asked *q)
{
	return urls(q, q->info->cdp_urls);
}

static uint32_t
aia_urls(struct asked *q)
{
	return urls(q, q->info->aia_urls);
}

static uint32_t
ocsp_urls(struct asked *q)
{
	return urls(q, q->info->ocsp_urls);
}

/* SubjectTemplate: CN, E, OU, O, L, S, DC, C (MS-CSRA note 15). */
static uint32_t
subject_oids(struct asked *q)
{
	return text(q,
	    "1.2.840.113549.1.9.1\n2.5.4.3\n2.5.4.11\n2.5.4.10\n2.5.4.7\n"
	    "2.5.4.8\n0.9.2342.19200300.100.1.25\n2.5.4.6\n");
}

/* MS-WCCE 3.2.1.4.3.2.35 to .38; not of a certificate that has none. */
static uint32_t
forward_cross(struct asked *q)
{
	return blob(q, &q->cert->forward);
}

static uint32_t
backward_cross(struct asked *q)
{
	return blob(q, &q->cert->backward);
}

static uint32_t
forward_states(struct asked *q)
{
	size_t i;

	for (i = 0; i < q->info->ncerts; i++)
		ae_wr_u8(&q->out, (uint8_t)q->info->certs[i].forward_state);
	return AE_HR_OK;
}

static uint32_t
backward_states(struct asked *q)
{
	size_t i;

	for (i = 0; i < q->info->ncerts; i++)
		ae_wr_u8(&q->out, (uint8_t)q->info->certs[i].backward_state);
	return AE_HR_OK;
}

/* How PropIndex is meant, MS-WCCE 3.2.1.4.3.2. */
enum index_rule {
	ONE,	     /* 0 only */
	CERT,	     /* a CA certificate's */
	CERT_OR_NEW, /* the same, 0xffffffff: the newest */
	ONE_OR_NEW,  /* 0 or 0xffffffff */
	OWN	     /* the answer looks itself */
};

/*
 * One row each; what is not here this CA does not have.
 */
/* clang-format off */
static const struct row {
	enum ae_cr_prop id;
	enum index_rule index;
	answer_fn *fn;
} rows[] = {
	{ AE_CR_PROP_FILEVERSION, ONE, version },
	{ AE_CR_PROP_PRODUCTVERSION, ONE, version },
	{ AE_CR_PROP_EXITCOUNT, ONE, cainfo },
	/* a list of none: every index is out of its range */
	{ AE_CR_PROP_EXITDESCRIPTION, OWN, nothing },
	{ AE_CR_PROP_POLICYDESCRIPTION, ONE, policy },
	{ AE_CR_PROP_CANAME, ONE, name },
	{ AE_CR_PROP_SANITIZEDCANAME, ONE, sanitized },
	{ AE_CR_PROP_SHAREDFOLDER, ONE, nothing },
	{ AE_CR_PROP_PARENTCA, ONE, parent },
	{ AE_CR_PROP_CATYPE, ONE, cainfo },
	{ AE_CR_PROP_CASIGCERTCOUNT, ONE, cainfo },
	{ AE_CR_PROP_CASIGCERT, CERT_OR_NEW, sig_cert },
	{ AE_CR_PROP_CASIGCERTCHAIN, CERT_OR_NEW, sig_chain },
	{ AE_CR_PROP_CAXCHGCERTCOUNT, ONE, cainfo },
	{ AE_CR_PROP_CAXCHGCERT, ONE_OR_NEW, xchg_cert },
	{ AE_CR_PROP_CAXCHGCERTCHAIN, ONE_OR_NEW, xchg_chain },
	{ AE_CR_PROP_BASECRL, CERT_OR_NEW, base_crl },
	{ AE_CR_PROP_DELTACRL, OWN, delta_crl },
	{ AE_CR_PROP_CACERTSTATE, CERT, cert_states },
	{ AE_CR_PROP_CRLSTATE, CERT, crl_states },
	{ AE_CR_PROP_CAPROPIDMAX, ONE, cainfo },
	{ AE_CR_PROP_DNSNAME, ONE, dns_name },
	{ AE_CR_PROP_ROLESEPARATIONENABLED, ONE, cainfo },
	{ AE_CR_PROP_KRACERTUSEDCOUNT, ONE, cainfo },
	{ AE_CR_PROP_KRACERTCOUNT, ONE, cainfo },
	{ AE_CR_PROP_KRACERT, OWN, kra_cert },
	{ AE_CR_PROP_KRACERTSTATE, OWN, kra_states },
	{ AE_CR_PROP_ADVANCEDSERVER, ONE, cainfo },
	{ AE_CR_PROP_TEMPLATES, ONE, templates },
	{ AE_CR_PROP_BASECRLPUBLISHSTATUS, CERT_OR_NEW, crl_status },
	{ AE_CR_PROP_DELTACRLPUBLISHSTATUS, OWN, delta_status },
	{ AE_CR_PROP_CASIGCERTCRLCHAIN, CERT_OR_NEW, crl_chain },
	{ AE_CR_PROP_CAXCHGCERTCRLCHAIN, ONE_OR_NEW, xchg_crls },
	{ AE_CR_PROP_CACERTSTATUSCODE, CERT_OR_NEW, cert_status },
	{ AE_CR_PROP_CAFORWARDCROSSCERT, CERT, forward_cross },
	{ AE_CR_PROP_CABACKWARDCROSSCERT, CERT, backward_cross },
	{ AE_CR_PROP_CAFORWARDCROSSCERTSTATE, CERT, forward_states },
	{ AE_CR_PROP_CABACKWARDCROSSCERTSTATE, CERT, backward_states },
	{ AE_CR_PROP_CACERTVERSION, CERT, cert_versions },
	{ AE_CR_PROP_SANITIZEDCASHORTNAME, ONE, sanitized_short },
	{ AE_CR_PROP_CERTCDPURLS, CERT_OR_NEW, cdp_urls },
	{ AE_CR_PROP_CERTAIAURLS, CERT_OR_NEW, aia_urls },
	{ AE_CR_PROP_CERTAIAOCSPURLS, CERT_OR_NEW, ocsp_urls },
	{ AE_CR_PROP_LOCALENAME, ONE, locale },
	{ AE_CR_PROP_SUBJECTTEMPLATE_OIDS, ONE, subject_oids },
};

/* GetCACert's selectors as properties, MS-WCCE 3.2.1.4.2.2. */
static const struct {
	uint32_t fchain;
	uint32_t mask; /* the bits that select; others are an index */
	enum ae_cr_prop id;
	int64_t index; /* of those without one in fchain */
} selectors[] = {
	{ AE_GETCERT_CASIGCERT, ~0u, AE_CR_PROP_CASIGCERT, -1 },
	{ AE_GETCERT_CAXCHGCERT, ~0u, AE_CR_PROP_CAXCHGCERT, 0 },
	{ AE_GETCERT_CURRENTCRL, ~0u, AE_CR_PROP_BASECRL, -1 },
	{ AE_GETCERT_FILEVERSION, ~0u, AE_CR_PROP_FILEVERSION, 0 },
	{ AE_GETCERT_CAINFO, ~0u, AE_CR_PROP_CATYPE, 0 },
	{ AE_GETCERT_CANAME, ~0u, AE_CR_PROP_CANAME, 0 },
	{ AE_GETCERT_PARENTCONFIG, ~0u, AE_CR_PROP_PARENTCA, 0 },
	{ AE_GETCERT_POLICYVERSION, ~0u, AE_CR_PROP_POLICYDESCRIPTION, 0 },
	{ AE_GETCERT_PRODUCTVERSION, ~0u, AE_CR_PROP_PRODUCTVERSION, 0 },
	{ AE_GETCERT_SANITIZEDCANAME, ~0u, AE_CR_PROP_SANITIZEDCANAME, 0 },
	{ AE_GETCERT_SHAREDFOLDER, ~0u, AE_CR_PROP_SHAREDFOLDER, 0 },
	{ AE_GETCERT_CRLBYINDEX, 0xffff0000u, AE_CR_PROP_BASECRL, 0 },
	{ AE_GETCERT_CACERTBYINDEX, 0xffff0000u, AE_CR_PROP_CASIGCERT, 0 },
	{ AE_GETCERT_EXITVERSIONBYINDEX, 0xffff0000u,
	  AE_CR_PROP_EXITDESCRIPTION, 0 },
	{ AE_GETCERT_CRLSTATEBYINDEX, 0xffff0000u, AE_CR_PROP_CRLSTATE, 0 },
	{ AE_GETCERT_CACERTSTATEBYINDEX, 0xffff0000u,
	  AE_CR_PROP_CACERTSTATE, 0 },
};
/* clang-format on */

static bool
index_ok(struct asked *q, enum index_rule rule)
{
	const size_t n = q->info->ncerts;

	if (rule == OWN)
		return true;
	if (rule == ONE || rule == ONE_OR_NEW)
		return q->index == 0 || (rule == ONE_OR_NEW && q->index == -1);
	q->newest = rule == CERT_OR_NEW && q->index == -1;
	if (q->newest)
		q->index = (int64_t)n - 1;
	if (q->index < 0 || (uint64_t)q->index >= n)
		return false;
	q->cert = &q->info->certs[q->index];
	return true;
}

static uint32_t
answer(struct asked *q, int32_t id)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((int32_t)rows[i].id != id)
			continue;
		return index_ok(q, rows[i].index) ? rows[i].fn(q)
						  : AE_HR_E_INVALIDARG;
	}
	return ae_cr_prop_find(id) != NULL ? AE_HR_PROPERTY_EMPTY
					   : AE_HR_E_INVALIDARG;
}

static uint32_t
get_property(struct asked *q, const struct ae_wcce_request *rq)
{
	const struct ae_catransprop *p = ae_cr_prop_find(rq->prop_id);

	if (p == NULL || rq->prop_type != p->prop_type)
		return AE_HR_E_INVALIDARG;
	q->index = rq->prop_index;
	return answer(q, rq->prop_id);
}

static uint32_t
get_ca_cert(struct asked *q, uint32_t fchain)
{
	size_t i;

	if (fchain == AE_GETCERT_CATYPE) {
		ae_wr_u32(&q->out,
		    q->info->root ? AE_CATYPE_ENTERPRISE_ROOT
				  : AE_CATYPE_ENTERPRISE_SUB);
		return AE_HR_OK;
	}
	for (i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
		if ((fchain & selectors[i].mask) != selectors[i].fchain)
			continue;
		q->index = selectors[i].mask == ~0u ? selectors[i].index
						    : fchain & 0xffff;
		return answer(q, (int32_t)selectors[i].id);
	}
	return AE_HR_E_INVALIDARG;
}

/* The properties this CA answers, MS-WCCE 3.2.1.4.3.3. */
static uint32_t
property_info(struct asked *q, int32_t *n)
{
	struct ae_catransprop v[sizeof(rows) / sizeof(rows[0])];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		v[i] = *ae_cr_prop_find((int32_t)rows[i].id);
	ae_catransprop_put(&q->out, v, i);
	*n = (int32_t)i;
	return AE_HR_OK;
}

/* Is it this CA that is asked?  MS-WCCE 3.2.1.4.2.2, .3 */
static bool
authority_ok(const struct ae_ca_info *info, const struct ae_wcce_request *rq)
{
	if (rq->call == AE_WCCE_CALL_GETCACERT &&
	    (rq->fchain == AE_GETCERT_CANAME ||
		rq->fchain == AE_GETCERT_SANITIZEDCANAME))
		return true;
	return ae_wcce_authority_matches(
	    info->name, rq->authority, rq->call == AE_WCCE_CALL_PING);
}

int
ae_ca_property(struct ae_wcce_reply *out, const struct ae_ca_info *info,
    const struct ae_wcce_request *rq, struct ae_arena *a, struct ae_err *e)
{
	struct asked q = { .info = info, .a = a };
	struct ae_wcce_reply r = { .hresult = AE_HR_E_INVALIDARG };
	int rc = AE_OK;

	ae_wr_init(&q.out, VALUE_MAX);
	if (!authority_ok(info, rq)) {
		*out = r;
		return AE_OK;
	}
	switch (rq->call) {
	case AE_WCCE_CALL_PING:
		r.hresult = AE_HR_OK;
		break;
	case AE_WCCE_CALL_GETCACERT:
		r.hresult = get_ca_cert(&q, rq->fchain);
		break;
	case AE_WCCE_CALL_GETPROPERTY:
		r.hresult = get_property(&q, rq);
		break;
	case AE_WCCE_CALL_GETPROPERTYINFO:
		r.hresult = property_info(&q, &r.nprops);
		break;
	case AE_WCCE_CALL_REQUEST:
		break;
	}
	if (r.hresult == AE_HR_E_OUTOFMEMORY || !ae_wr_ok(&q.out)) {
		rc = ae_fail_mem(e);
	} else if (r.hresult == AE_HR_OK && q.blob.p != NULL) {
		r.value = q.blob;
	} else if (r.hresult == AE_HR_OK && q.out.len > 0) {
		r.value.p = ae_arena_dup(a, q.out.p, q.out.len);
		r.value.len = q.out.len;
		rc = r.value.p == NULL ? ae_fail_mem(e) : AE_OK;
	}
	ae_wr_done(&q.out);
	if (rc == AE_OK)
		*out = r;
	return rc;
}
