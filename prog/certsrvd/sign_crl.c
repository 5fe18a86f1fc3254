/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CRLs to be signed come in parts, so that one of a million entries costs no
 * memory.  Every byte is looked at before it is hashed, the signature is made
 * when the last part has come and the whole was judged: what is signed here
 * is hashed here.
 */
#include "sign.h"

#include "sys/clock.h"

/* i32 rc, text: this part was looked at. */
static void
seen(struct peer *peer, uint32_t id, int rc, const struct ae_err *e)
{
	struct ae_wr w;

	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	put_str(&w, rc < 0 ? e->text : NULL);
	(void)peer_send(peer, MSG_SIGN_CRL_SEEN, id, &w);
	ae_wr_done(&w);
}

static void
forget(struct signer *s)
{
	ae_crl_parts_done(&s->crl.parts);
	ae_key_stream_free(s->crl.stream);
	s->crl.stream = NULL;
}

static int
refused(struct peer *peer, int rc, const struct ae_err *e)
{
	struct signer *s = peer->p->state;

	if (rc < 0) {
		sign_refused(peer, e);
		forget(s);
	}
	return rc;
}

static int
begin(struct signer *s, unsigned index, struct ae_der head, struct ae_err *e)
{
	const struct ae_ca_cert *c = ae_ca_certs_get(&s->ca.list, index);
	int rc;

	forget(s);
	if (c == NULL)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "not signed: the CA has no certificate %u", index);
	if (s->key[c->key] == NULL)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "the key of the CA's certificate %u is not here", index);
	s->crl.cert = c;
	rc = ae_crl_parts_head(
	    &s->crl.parts, head.p, head.len, AE_CA_TBSCRL_MAX, e);
	if (rc == AE_OK)
		rc = ae_key_stream_new(&s->crl.stream, s->key[c->key],
		    &ae_ca_cert_key(&s->ca.list, c)->alg, e);
	if (rc == AE_OK)
		rc = ae_key_stream_add(s->crl.stream, head.p, head.len, e);
	return rc;
}

int
on_sign_crl_head(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_der head;
	struct ae_rd r;
	uint16_t index;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	index = ae_rd_u16(&r);
	head.len = ae_rd_left(&r);
	head.p = ae_rd_take(&r, head.len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "SIGN_CRL_HEAD", e);
	s->crl.id = m->id;
	seen(peer, m->id, refused(peer, begin(s, index, head, &why), &why),
	    &why);
	return AE_OK;
}

int
on_sign_crl_list(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	int rc;

	(void)ipc;
	(void)e;
	if (s->crl.stream == NULL || s->crl.id != m->id)
		return AE_OK; /* of one that was refused */
	rc = ae_crl_parts_list(&s->crl.parts, m->body, m->len, &why);
	if (rc == AE_OK)
		rc = ae_key_stream_add(s->crl.stream, m->body, m->len, &why);
	seen(peer, m->id, refused(peer, rc, &why), &why);
	return AE_OK;
}

int
on_sign_crl_tail(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_wr sig;
	int rc;

	(void)ipc;
	(void)e;
	if (s->crl.stream == NULL || s->crl.id != m->id)
		return AE_OK;
	ae_wr_init(&sig, AE_SIG_MAX);
	rc = ae_ca_sign_check_crl(&s->cfg[s->crl.cert->index], &s->crl.parts,
	    m->body, m->len, ae_clock_now(), &why);
	if (rc == AE_OK)
		rc = ae_key_stream_add(s->crl.stream, m->body, m->len, &why);
	if (rc == AE_OK)
		rc = ae_key_stream_sign(s->crl.stream, &sig, &why);
	if (refused(peer, rc, &why) == AE_OK)
		s->m.v[M_SIGNED]++;
	sign_answer(peer, m->id, rc, &sig, &why);
	ae_wr_done(&sig);
	forget(s);
	return AE_OK;
}
