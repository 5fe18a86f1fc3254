/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The process with the CA key.  It receives whole certificates and CRLs to
 * be signed, judges them by its own configuration, and signs.
 */
#include "sign.h"

#include <stdlib.h>
#include <string.h>

#include "pki/ocsp.h"
#include "pki/recover.h"
#include "sys/clock.h"

void
sign_answer(struct peer *peer, uint32_t id, int rc, const struct ae_wr *sig,
    const struct ae_err *e)
{
	struct ae_wr w;

	ae_wr_init(&w, AE_SIG_MAX + MSG_TEXT_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	put_bytes(&w, sig->p, rc == AE_OK ? sig->len : 0);
	put_str(&w, rc == AE_OK ? "" : e->text);
	(void)peer_send(peer, MSG_SIGNED, id, &w);
	ae_wr_done(&w);
}

static int
judge(const struct ae_ca_sign_config *cfg, uint32_t type, struct ae_der what,
    int64_t now, struct ae_err *e)
{
	if (type == MSG_SIGN)
		return ae_ca_sign_check(cfg, what.p, what.len, now, e);
	return ae_ca_sign_check_response(cfg, what.p, what.len, e);
}

/* Under the certificate of this index: judged as it says, with its key. */
static int
sign_under(const struct signer *s, unsigned index, uint32_t type,
    struct ae_der what, struct ae_wr *sig, struct ae_err *e)
{
	const struct ae_ca_cert *c = ae_ca_certs_get(&s->ca.list, index);
	int rc;

	if (c == NULL)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "not signed: the CA has no certificate %u", index);
	rc = judge(&s->cfg[c->index], type, what, ae_clock_now(), e);
	if (rc != AE_OK)
		return rc;
	if (s->key[c->key] == NULL)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "the key of the CA's certificate %u is not here", index);
	return ae_key_sign(sig, s->key[c->key],
	    &ae_ca_cert_key(&s->ca.list, c)->alg, what.p, what.len, e);
}

static int
on_sign(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_wr sig;
	struct ae_rd r;
	struct ae_der what;
	uint16_t index;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	index = ae_rd_u16(&r);
	what.len = ae_rd_left(&r);
	what.p = ae_rd_take(&r, what.len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "SIGN", e);
	ae_wr_init(&sig, AE_SIG_MAX);
	rc = sign_under(s, index, m->type, what, &sig, &why);
	if (rc == AE_OK)
		s->m.v[M_SIGNED]++;
	else
		sign_refused(peer, &why);
	sign_answer(peer, m->id, rc, &sig, &why);
	ae_wr_done(&sig);
	return AE_OK;
}

void
sign_refused(struct peer *peer, const struct ae_err *why)
{
	struct signer *s = peer->p->state;

	s->m.v[M_REFUSED]++;
	log_line(peer->p, AE_LOG_ERROR,
	    "refused to sign (%llu signed, %llu refused): %s",
	    (unsigned long long)s->m.v[M_SIGNED],
	    (unsigned long long)s->m.v[M_REFUSED], why->text);
}

/* As long as ae_ca_crl_times() makes one with this configuration. */
static int64_t
crl_lifetime(const struct conf *c, int64_t period, int64_t overlap)
{
	if (period == 0)
		return 0;
	return c->clock_skew + period + (overlap > 0 ? overlap : period / 10) +
	    60;
}

static void
configure(struct signer *s, const struct conf *c)
{
	const struct ae_ca_certs *l = &s->ca.list;
	size_t i;

	for (i = 0; i < l->n; i++)
		s->cfg[i] = (struct ae_ca_sign_config){
			.issuer = l->v[i].cert->subject,
			.keyid = l->v[i].keyid,
			.sigalg = ae_ca_cert_key(l, &l->v[i])->alg,
			.ca_not_before = l->v[i].cert->not_before,
			.ca_not_after = l->v[i].cert->not_after,
			.max_lifetime = c->max_validity + c->clock_skew,
			.max_backdate = c->clock_skew,
			.max_crl_lifetime =
			    crl_lifetime(c, c->crl_period, c->crl_overlap),
			.max_delta_lifetime = crl_lifetime(
			    c, c->crl_delta_period, c->crl_delta_overlap),
			.serial_instance = (uint8_t)c->serial_instance,
			.rsa_bits_min = c->rsa_bits_min,
			.rsa_bits_max = c->rsa_bits_max,
			.more_extensions = c->policy_extensions,
		};
}

/* A key goes to the certificates that have it. */
static int
open_key(struct signer *s, const char *uri, struct ae_err *e)
{
	struct ae_key *k = NULL;
	size_t i;
	int rc = ae_key_open(&k, uri, NULL, e);

	if (rc < 0)
		return rc;
	for (i = 0; i < s->ca.list.nkeys; i++)
		if (ae_key_same_public(s->ca.list.keys[i].pub, k) &&
		    s->key[i] == NULL) {
			s->key[i] = k;
			return AE_OK;
		}
	ae_key_free(k);
	return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
	    "%s is not the key of any certificate of the CA", uri);
}

/*
 * Without the newest key there is no CA.  An older one is needed for CRLs
 * alone, and without it the others go on.
 */
static int
open_keys(struct proc *p, struct ae_err *e)
{
	struct signer *s = p->state;
	struct ae_err why = AE_ERR_INIT;
	const struct ae_ca_certs *l = &s->ca.list;
	size_t i;

	for (i = 0; i < p->conf.keys.n; i++)
		if (open_key(s, p->conf.keys.v[i], &why) < 0 && p->index == 0 &&
		    p->conf.keys.n > 1)
			log_line(
			    p, AE_LOG_ERROR, "a key of the CA: %s", why.text);
	for (i = 0; i < l->nkeys; i++) {
		if (s->key[i] != NULL ||
		    !ae_ca_key_lives(&l->keys[i], ae_clock_now()))
			continue;
		if (i == l->v[l->n - 1].key)
			return why.rc != AE_OK
			    ? ae_fail(e, why.rc, AE_DOM_NONE, 0,
				  "opening the CA key: %s", why.text)
			    : ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
				  "no configured key is that of %s",
				  p->conf.certificate);
		if (p->index == 0)
			log_line(p, AE_LOG_ERROR,
			    "key %u of the CA is not here: no more CRLs of it",
			    l->keys[i].index);
	}
	return AE_OK;
}

static int
sign_open(struct proc *p, struct ae_err *e)
{
	struct signer *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	p->state = s;
	rc = cafile_read(&s->ca, &p->conf, false, e);
	if (rc < 0)
		return rc;
	configure(s, &p->conf);
	return open_keys(p, e);
}

static void
on_figures(void *arg)
{
	struct signer *s = arg;
	const struct ae_ca_certs *l = &s->ca.list;

	s->m.v[M_KEY_USABLE] = s->key[l->v[l->n - 1].key] != NULL;
	figures_send(s->p, &s->m);
	ae_source_set_timer(s->figures, ae_clock_mono_ms() + FIGURES_MS);
}

static int
sign_start(struct proc *p, struct ae_err *e)
{
	struct signer *s = p->state;
	int rc;

	s->p = p;
	rc = ae_loop_timer(&s->figures, p->loop, on_figures, s, e);
	if (rc == AE_OK)
		on_figures(s);
	return rc;
}

static const struct ae_ipc_row ca_rows[] = {
	{ MSG_SIGN, 2 + AE_CA_TBS_MAX, 1, false, on_sign },
	{ MSG_SIGN_CRL_HEAD, 2 + AE_CRL_HEAD_MAX, 1, false, on_sign_crl_head },
	{ MSG_SIGN_CRL_LIST, MSG_CRL_PART_MAX, 1, false, on_sign_crl_list },
	{ MSG_SIGN_CRL_TAIL, AE_CRL_HEAD_MAX, 1, false, on_sign_crl_tail },
	{ MSG_SIGN_RESPONSE, 2 + 4096, 1, false, on_sign },
	{ MSG_OCSP_NEW, 0, 1, false, on_ocsp_new },
	{ MSG_XCHG_NEW, 0, 1, false, on_xchg_new },
	{ MSG_XCHG_CERT, AE_PKI_CERT_MAX, 1, false, on_xchg_cert },
	{ MSG_XCHG_OPEN, XCHG_OPEN_MAX, 1, false, on_xchg_open },
	{ .handle = NULL },
};

static const struct ae_ipc_row ocsp_rows[] = {
	{ MSG_SIGN_OCSP, AE_OCSP_DATA_MAX, 1, false, on_sign_ocsp },
	{ .handle = NULL },
};

static const struct role_link links[] = {
	{ ROLE_CA, ca_rows },
	{ ROLE_OCSP, ocsp_rows },
	{ .rows = NULL },
};

const struct role_def role_sign = {
	.role = ROLE_SIGN,
	.user = "_certsrv-sign",
	.may = 0,
	.max_memory = 1024ULL * 1024 * 1024,
	.links = links,
	.open = sign_open,
	.start = sign_start,
};
