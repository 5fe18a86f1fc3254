/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the CA says about itself: the struct that GetCAProperty and its like
 * read, and the chain that goes with an issued certificate.
 */
#include <string.h>

#include "ca.h"
#include "pki/request.h"
#include "pki/response.h"
#include "sys/clock.h"

#define VERSION "0.1.0"

static bool
is_root(const struct ca *ca)
{
	return ae_cert_self_issued(cafile_cert(&ca->file));
}

/* The CA's certificates, newest first, then the issuers above. */
static size_t
ca_ders(const struct ca *ca, struct ae_der *v, size_t from, size_t max)
{
	const struct cafile *f = &ca->file;
	size_t n = from, i;

	if (n < max)
		v[n++] = cafile_cert(f)->der;
	for (i = 0; i < f->nchain && n < max; i++)
		v[n++] = f->chain[i]->der;
	return n;
}

int
info_chain(struct ca *ca, struct ae_wr *w, const void *cert, size_t len,
    struct ae_err *e)
{
	struct ae_der v[AE_CHAIN_MAX];
	size_t n;

	v[0].p = cert;
	v[0].len = len;
	n = ca_ders(ca, v, 1, AE_CHAIN_MAX);
	return ae_chain_build(w, v, n, NULL, 0, e);
}

/*
 * The chain once more, with the CRL that was made: CASIGCERTCRLCHAIN.  It
 * stays as it was when that fails; the CRL itself is there.
 */
void
info_crl(struct ca *ca)
{
	struct ae_ca_info_cert *out = &ca->info_cert[ca->file.ncerts - 1];
	const struct ae_der crl = { ca->crl.p, ca->crl.len };
	struct ae_err e = AE_ERR_INIT;
	struct ae_der v[AE_CHAIN_MAX];
	struct ae_wr w;

	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	if (ae_chain_build(
		&w, v, ca_ders(ca, v, 0, AE_CHAIN_MAX), &crl, 1, &e) == AE_OK &&
	    ae_wr_ok(&w)) {
		ae_wr_done(&ca->crl_chain);
		ca->crl_chain = w;
		out->crl_chain.p = w.p;
		out->crl_chain.len = w.len;
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

int
info_response(struct ca *ca, struct job *j, struct ae_err *e)
{
	const struct ae_wcce_reply *p = &j->reply;
	const struct ae_der crl = { ca->crl.p, ca->crl.len };
	struct ae_der v[AE_CHAIN_MAX];
	struct ae_response_spec s = { .status = cmc_status(p->disposition),
		.status_text = p->message,
		.request_id = p->request_id,
		.pend_time = j->now,
		.issued = { p->cert.p, p->cert.len },
		.chain = v,
		.nchain = ca_ders(ca, v, 0, AE_CHAIN_MAX),
		.ca = cafile_cert(&ca->file),
		.hash = ca->file.alg.hash };

	if (j->parsed != NULL && j->archived.p != NULL)
		s.encrypted_key_hash = j->parsed->encrypted_key_hash;
	if ((j->q.flags & AE_CR_IN_CRLS) != 0 && ca->crl_made) {
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

void
info_update(struct ca *ca)
{
	int64_t now = ae_clock_now();
	size_t i;

	for (i = 0; i < ca->file.ncerts; i++)
		ca->info_cert[i].state = cert_state(ca->file.certs[i], now);
	if (ca->crl_made) {
		i = ca->file.ncerts - 1;
		ca->info_cert[i].crl.p = ca->crl.p;
		ca->info_cert[i].crl.len = ca->crl.len;
		ca->info_cert[i].crl_state = now > ca->crl_plan.next_update
		    ? AE_CA_STATE_EXPIRED
		    : AE_CA_STATE_VALID;
	}
	ca->info.templates = ca->snapshot != NULL ? ca->snapshot->info : NULL;
	ca->info.ntemplates = ca->snapshot != NULL ? ca->snapshot->ninfo : 0;
}

static int
one_cert(struct ca *ca, size_t i, struct ae_err *e)
{
	const struct cafile *f = &ca->file;
	struct ae_ca_info_cert *out = &ca->info_cert[i];
	struct ae_der v[AE_CHAIN_MAX];
	size_t n = 0, k;
	int rc;

	v[n++] = f->certs[i]->der;
	for (k = 0; k < f->nchain && n < AE_CHAIN_MAX; k++)
		v[n++] = f->chain[k]->der;
	ae_wr_init(&ca->chain[i], AE_PKI_RESPONSE_MAX);
	rc = ae_chain_build(&ca->chain[i], v, n, NULL, 0, e);
	if (rc < 0)
		return rc;
	out->cert.p = f->certs[i]->der.p;
	out->cert.len = f->certs[i]->der.len;
	out->chain.p = ca->chain[i].p;
	out->chain.len = ca->chain[i].len;
	out->crl_state = AE_CA_STATE_ERROR; /* none yet */
	out->key_index = (uint16_t)(f->certs[i]->x.ca_version >> 16);
	return AE_OK;
}

int
info_init(struct ca *ca, struct ae_err *e)
{
	const struct conf *c = &ca->p->conf;
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < ca->file.ncerts && rc == AE_OK; i++)
		rc = one_cert(ca, i, e);
	ca->info = (struct ae_ca_info){
		.name = c->name,
		.dns_name = c->dns_name,
		.version = "autoenroll " VERSION,
		.policy = "autoenroll Enterprise policy",
		.locale = "en-US",
		.root = is_root(ca),
		.certs = ca->info_cert,
		.ncerts = ca->file.ncerts,
		.cdp_urls = ca->cdp,
		.aia_urls = ca->aia,
		.ocsp_urls = ca->ocsp,
	};
	info_update(ca);
	return rc;
}
