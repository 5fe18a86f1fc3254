/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the CA says about itself: the struct that GetCAProperty and its like
 * read, and the chain that goes with an issued certificate.
 */
#include <string.h>

#include "ca_job.h"
#include "pki/request.h"
#include "pki/response.h"
#include "sys/clock.h"

#define VERSION "0.1.0"

static bool
is_root(const struct ca *ca)
{
	return ae_cert_self_issued(cafile_cert(&ca->file));
}

size_t
info_issuers(const struct ca *ca, const struct ae_ca_cert *c, struct ae_der *v,
    size_t from, size_t max)
{
	const struct cafile *f = &ca->file;
	size_t n = from, i;

	if (n < max)
		v[n++] = c->cert->der;
	for (i = 0; i < f->nchain && n < max; i++)
		v[n++] = f->chain[i]->der;
	return n;
}

int
info_chain(struct ca *ca, struct ae_wr *w, const struct ae_ca_cert *issuer,
    const void *cert, size_t len, bool with_crl, struct ae_err *e)
{
	const struct ca_crl *k = &ca->crl[issuer->key];
	const struct ae_der crl = { k->crl.p, k->crl.len };
	struct ae_der v[AE_CHAIN_MAX];
	size_t n;

	v[0].p = cert;
	v[0].len = len;
	n = info_issuers(ca, issuer, v, 1, AE_CHAIN_MAX);
	return ae_chain_build(w, v, n, &crl, with_crl && k->made ? 1 : 0, e);
}

/*
 * The chain once more, with the CRL that was made: CASIGCERTCRLCHAIN.  It
 * stays as it was when that fails; the CRL itself is there.
 */
void
info_crl(struct ca *ca, size_t key)
{
	const struct ae_ca_certs *l = &ca->file.list;
	struct ca_crl *k = &ca->crl[key];
	const struct ae_der crl = { k->crl.p, k->crl.len };
	struct ae_err e = AE_ERR_INIT;
	struct ae_der v[AE_CHAIN_MAX];
	struct ae_wr w;
	size_t n;

	if (k->crl.len == 0) { /* too large to be in memory */
		ae_wr_done(&k->chain);
		return;
	}
	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	n = info_issuers(ca, &l->v[l->keys[key].newest], v, 0, AE_CHAIN_MAX);
	if (ae_chain_build(&w, v, n, &crl, 1, &e) == AE_OK && ae_wr_ok(&w)) {
		ae_wr_done(&k->chain);
		k->chain = w;
		return;
	}
	log_line(ca->p, AE_LOG_WARNING, "the chain with CRL: %s", e.text);
	ae_wr_done(&w);
}

static enum ae_cmc_status
cmc_status(uint32_t disposition)
{
	if (disposition == AE_CR_DISP_ISSUED ||
	    disposition == AE_CR_DISP_REVOKED)
		return AE_CMC_SUCCESS;
	return disposition == AE_CR_DISP_UNDER_SUBMISSION ? AE_CMC_PENDING
							  : AE_CMC_FAILED;
}

/*
 * The hash of a key that is in the archive, MS-WCCE 3.2.1.4.2.1.4.8.2: of the
 * request that is being answered, or, when its certificate is fetched later,
 * of the stored one.
 */
static struct ae_der
archived_hash(struct job *j)
{
	const struct ae_db_request *row =
	    j->d.verdict == AE_CA_STORED ? j->d.row : NULL;
	const struct ae_der none = { NULL, 0 };
	const uint32_t flags =
	    row != NULL ? row->request_flags : j->d.request_flags;

	if (!(flags & AE_CR_FLG_VALIDENCRYPTEDKEYHASH) ||
	    j->reply.cert.p == NULL)
		return none;
	if (j->parsed == NULL && row != NULL && row->csr_len > 0 &&
	    ae_request_parse(
		&j->parsed, AE_REQUEST_ANY, row->csr, row->csr_len, NULL) < 0)
		return none; /* it did when it was stored */
	return j->parsed != NULL ? j->parsed->encrypted_key_hash : none;
}

int
info_response(struct ca *ca, struct job *j, struct ae_err *e)
{
	const struct ae_wcce_reply *p = &j->reply;
	const struct ae_ca_cert *as = j->answers_as;
	const struct ae_ca_cert *issuer = job_issuer(j);
	const struct ca_crl *k = &ca->crl[issuer->key];
	const struct ae_der crl = { k->crl.p, k->crl.len };
	struct ae_der v[AE_CHAIN_MAX];
	size_t n = 0;
	struct ae_response_spec s = { .status = cmc_status(p->disposition),
		.status_text = p->message,
		.request_id = p->request_id,
		.pend_time = j->now,
		.issued = { p->cert.p, p->cert.len },
		.chain = v,
		.ca = as->cert,
		.hash = ae_ca_cert_key(&ca->file.list, as)->alg.hash };

	/* Issued under another of ours: that one belongs there, too. */
	if (issuer != as)
		v[n++] = issuer->cert->der;
	if (j->asks.challenge.p != NULL) {
		s.challenge = &j->asks;
		v[n++] = j->asks.exchange_cert;
	}
	s.nchain = info_issuers(ca, as, v, n, AE_CHAIN_MAX);
	s.encrypted_key_hash = archived_hash(j);
	/* with a certificate only, MS-WCCE 3.2.1.4.2.1.4.8.2 */
	if ((j->q.flags & AE_CR_IN_CRLS) != 0 && p->cert.p != NULL &&
	    k->crl.len > 0) {
		s.crls = &crl;
		s.ncrls = 1;
	}
	return ae_response_begin(&j->response, &j->to_sign, &s, e);
}

static enum ae_ca_state
cert_state(const struct ae_cert *c, int64_t now)
{
	return now > c->not_after ? AE_CA_STATE_EXPIRED : AE_CA_STATE_VALID;
}

static uint32_t
publish_status(const struct ca_crl *k)
{
	return (k->made ? AE_CPF_COMPLETE : 0u) |
	    (k->ad_told ? AE_CPF_LDAP_ERROR : 0u) |
	    (k->told ? AE_CPF_FILE_ERROR : 0u);
}

/*
 * A CRL belongs to the certificate that began with the key (MS-WCCE
 * 3.2.1.4.3.2.17, .20), whichever of them is the newest.
 */
static void
update_crl(struct ca *ca, const struct ae_ca_cert *c, int64_t now)
{
	struct ae_ca_info_cert *out = &ca->info_cert[c->index];
	const struct ae_ca_key *key = ae_ca_cert_key(&ca->file.list, c);
	const struct ca_crl *k = &ca->crl[c->key];

	out->crl_state = AE_CA_STATE_ERROR;
	if (key->index != c->index)
		return;
	if (!ae_ca_key_lives(key, now))
		out->crl_state = AE_CA_STATE_EXPIRED;
	else if (k->made)
		out->crl_state = AE_CA_STATE_VALID;
	out->crl_publish_status = AE_CPF_BASE | publish_status(k);
	out->delta_publish_status =
	    AE_CPF_DELTA | publish_status(&ca->delta[c->key]);
	out->delta.p = ca->delta[c->key].crl.p;
	out->delta.len = ca->delta[c->key].crl.len;
	out->crl.p = k->crl.p;
	out->crl.len = k->crl.len;
	out->crl_chain.p = k->chain.p;
	out->crl_chain.len = k->chain.len;
}

void
info_update(struct ca *ca)
{
	int64_t now = ae_clock_now();
	size_t i;

	for (i = 0; i < ca->file.ncerts; i++) {
		ca->info_cert[i].state = cert_state(ca->file.certs[i], now);
		update_crl(ca, &ca->file.list.v[i], now);
	}
	ca->info.templates = ca->snapshot != NULL ? ca->snapshot->info : NULL;
	ca->info.ntemplates = ca->snapshot != NULL ? ca->snapshot->ninfo : 0;
}

static int
one_cert(struct ca *ca, size_t i, struct ae_err *e)
{
	const struct cafile *f = &ca->file;
	struct ae_ca_info_cert *out = &ca->info_cert[i];
	const struct ae_ca_cert *c = &f->list.v[i];
	struct ae_der v[AE_CHAIN_MAX];
	size_t n = info_issuers(ca, c, v, 0, AE_CHAIN_MAX);
	int rc;

	ae_wr_init(&ca->chain[i], AE_PKI_RESPONSE_MAX);
	rc = ae_chain_build(&ca->chain[i], v, n, NULL, 0, e);
	if (rc < 0)
		return rc;
	out->cert.p = f->certs[i]->der.p;
	out->cert.len = f->certs[i]->der.len;
	out->chain.p = ca->chain[i].p;
	out->chain.len = ca->chain[i].len;
	out->key_index = ae_ca_cert_key(&f->list, c)->index;
	out->forward_state = AE_CA_STATE_ERROR;
	out->backward_state = AE_CA_STATE_ERROR;
	return AE_OK;
}

/*
 * A cross certificate: the key of one of ours, signed by another of ours.
 * Forward: the next key under the one before; it stands with the last
 * certificate of that key.  Backward the other way round, with the first.
 */
static void
one_cross(struct ca *ca, const struct ae_cert *x, int64_t now)
{
	const struct ae_ca_certs *l = &ca->file.list;
	struct ae_ca_info_cert *out;
	enum ae_ca_state state = cert_state(x, now);
	size_t subject, issuer;

	for (subject = 0; subject < l->nkeys; subject++)
		if (ae_cert_has_key(x, l->keys[subject].pub))
			break;
	for (issuer = 0; issuer < l->nkeys; issuer++)
		if (ae_cert_verify(x, l->keys[issuer].pub, NULL) == AE_OK)
			break;
	if (subject == issuer + 1 && subject < l->nkeys) {
		out = &ca->info_cert[l->keys[issuer].newest];
		out->forward = (struct ae_wcce_blob){ x->der.p, x->der.len };
		out->forward_state = state;
	} else if (issuer == subject + 1 && issuer < l->nkeys) {
		out = &ca->info_cert[l->keys[issuer].index];
		out->backward = (struct ae_wcce_blob){ x->der.p, x->der.len };
		out->backward_state = state;
	} else {
		log_line(ca->p, AE_LOG_WARNING,
		    "%s has a certificate that is none between this CA's keys",
		    ca->p->conf.cross);
	}
}

int
info_init(struct ca *ca, struct ae_err *e)
{
	const struct conf *c = &ca->p->conf;
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < ca->file.ncerts && rc == AE_OK; i++)
		rc = one_cert(ca, i, e);
	for (i = 0; i < ca->file.ncross && rc == AE_OK; i++)
		one_cross(ca, ca->file.cross[i], ae_clock_now());
	ca->info = (struct ae_ca_info){
		.name = c->name,
		.dns_name = c->dns_name,
		.version = "autoenroll " VERSION,
		.policy = "autoenroll Enterprise policy",
		.locale = "en-US",
		.root = is_root(ca),
		.deltas = c->crl_delta_period > 0,
		.certs = ca->info_cert,
		.ncerts = ca->file.ncerts,
	};
	info_update(ca);
	return rc;
}
