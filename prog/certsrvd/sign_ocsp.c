/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The key for OCSP, in the memory of the first signer and nowhere else, like
 * the exchange key: made here, replaced with its certificates.  It signs
 * response data and nothing else, for itself, of this moment.
 */
#include <string.h>

#include "ca/ocspsign.h"
#include "sign.h"
#include "sys/clock.h"

/* The new one counts; the last one goes on until its certificates are gone. */
static int
make(struct signer *s, struct ae_err *e)
{
	struct ae_key *k = NULL;
	uint8_t id[AE_KEY_ID_LEN];
	int rc = ae_key_generate(&k, AE_KEY_EC, 256, e);

	if (rc == AE_OK)
		rc = ae_key_id(id, k, e);
	if (rc < 0) {
		ae_key_free(k);
		return rc;
	}
	ae_key_free(s->ocsp[1].key);
	s->ocsp[1] = s->ocsp[0];
	s->ocsp[0].key = k;
	memcpy(s->ocsp[0].id, id, sizeof(id));
	return AE_OK;
}

int
on_ocsp_new(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_der spki = { NULL, 0 };
	struct ae_wr w;
	int rc = make(s, &why);

	(void)ipc;
	(void)e;
	if (rc == AE_OK)
		spki = ae_key_spki(s->ocsp[0].key);
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	put_bytes(&w, spki.p, spki.len);
	put_bytes(&w, NULL, 0);
	put_str(&w, rc == AE_OK ? NULL : why.text);
	(void)peer_send(peer, MSG_OCSP_KEY, m->id, &w);
	ae_wr_done(&w);
	return AE_OK;
}

/* By the key it speaks for; neither of ours: judged by the newest, refused. */
static int
sign_data(const struct signer *s, const struct conf *c, struct ae_wr *sig,
    const struct ae_ipc_msg *m, struct ae_err *e)
{
	int i, rc = AE_EUNAVAIL;

	(void)ae_fail(
	    e, AE_EUNAVAIL, AE_DOM_NONE, 0, "there is no OCSP key yet");
	for (i = 0; i < 2; i++) {
		struct ae_sigalg alg;

		if (s->ocsp[i].key == NULL)
			continue;
		rc = ae_ca_sign_check_ocsp(m->body, m->len, s->ocsp[i].id,
		    c->ocsp_validity, ae_clock_now(), e);
		if (rc != AE_OK)
			continue;
		alg = ae_key_sigalg(s->ocsp[i].key, AE_HASH_SHA256);
		return ae_key_sign(
		    sig, s->ocsp[i].key, &alg, m->body, m->len, e);
	}
	return rc;
}

int
on_sign_ocsp(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_wr sig;
	int rc;

	(void)ipc;
	(void)e;
	ae_wr_init(&sig, AE_SIG_MAX);
	rc = sign_data(s, &peer->p->conf, &sig, m, &why);
	if (rc == AE_OK)
		s->m.v[M_OCSP_SIGNED]++;
	else
		sign_refused(peer, &why);
	sign_answer(peer, m->id, rc, &sig, &why);
	ae_wr_done(&sig);
	return AE_OK;
}
