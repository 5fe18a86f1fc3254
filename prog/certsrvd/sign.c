/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The process with the CA key.  It receives whole certificates and CRLs to
 * be signed, judges them by its own configuration, and signs.
 */
#include "sign.h"

#include <stdlib.h>
#include <string.h>

#include "pki/recover.h"
#include "sys/clock.h"

static void
answer(struct peer *peer, uint32_t id, int rc, const struct ae_wr *sig,
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
judge(const struct signer *s, const struct ae_ipc_msg *m, int64_t now,
    struct ae_err *e)
{
	if (m->type == MSG_SIGN)
		return ae_ca_sign_check(&s->cfg, m->body, m->len, now, e);
	if (m->type == MSG_SIGN_CRL)
		return ae_ca_sign_check_crl(&s->cfg, m->body, m->len, now, e);
	return ae_ca_sign_check_response(&s->cfg, m->body, m->len, e);
}

static int
on_sign(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_wr sig;
	int64_t now = ae_clock_now();
	int rc;

	(void)ipc;
	(void)e;
	ae_wr_init(&sig, AE_SIG_MAX);
	rc = judge(s, m, now, &why);
	if (rc == AE_OK)
		rc = ae_key_sign(
		    &sig, s->key, &s->ca.alg, m->body, m->len, &why);
	if (rc == AE_OK) {
		s->made++;
	} else {
		s->refused++;
		log_line(peer->p, AE_LOG_ERROR,
		    "refused to sign (%llu signed, %llu refused): %s",
		    (unsigned long long)s->made, (unsigned long long)s->refused,
		    why.text);
	}
	answer(peer, m->id, rc, &sig, &why);
	ae_wr_done(&sig);
	return AE_OK;
}

/* As long as ae_ca_crl_times() makes one with this configuration. */
static int64_t
crl_lifetime(const struct conf *c)
{
	int64_t overlap =
	    c->crl_overlap > 0 ? c->crl_overlap : c->crl_period / 10;

	return c->clock_skew + c->crl_period + overlap + 60;
}

static int
sign_open(struct proc *p, struct ae_err *e)
{
	struct signer *s = calloc(1, sizeof(*s));
	const struct ae_cert *cert;
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	p->state = s;
	rc = cafile_read(&s->ca, &p->conf, false, e);
	if (rc == AE_OK)
		rc = ae_key_open(&s->key, p->conf.key, NULL, e);
	if (rc < 0)
		return ae_note(e, rc, "opening the CA key");
	cert = cafile_cert(&s->ca);
	if (!ae_cert_has_key(cert, s->key))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is not the key of %s", p->conf.key,
		    p->conf.certificate);
	s->cfg = (struct ae_ca_sign_config){
		.issuer = cert->subject,
		.sigalg = s->ca.alg,
		.ca_not_before = cert->not_before,
		.ca_not_after = cert->not_after,
		.max_lifetime = p->conf.max_validity + p->conf.clock_skew,
		.max_backdate = p->conf.clock_skew,
		.max_crl_lifetime = crl_lifetime(&p->conf),
		.serial_instance = (uint8_t)p->conf.serial_instance,
		.rsa_bits_min = p->conf.rsa_bits_min,
		.rsa_bits_max = p->conf.rsa_bits_max,
	};
	return AE_OK;
}

static const struct ae_ipc_row ca_rows[] = {
	{ MSG_SIGN, AE_CA_TBS_MAX, 1, false, on_sign },
	{ MSG_SIGN_CRL, MSG_CRL_MAX, 1, false, on_sign },
	{ MSG_SIGN_RESPONSE, 4096, 1, false, on_sign },
	{ MSG_XCHG_NEW, 0, 1, false, on_xchg_new },
	{ MSG_XCHG_CERT, AE_PKI_CERT_MAX, 1, false, on_xchg_cert },
	{ MSG_XCHG_OPEN, XCHG_OPEN_MAX, 1, false, on_xchg_open },
	{ .handle = NULL },
};

static const struct role_link links[] = {
	{ ROLE_CA, ca_rows },
	{ .rows = NULL },
};

const struct role_def role_sign = {
	.role = ROLE_SIGN,
	.user = "_certsrv-sign",
	.may = 0,
	.max_memory = 1024ULL * 1024 * 1024,
	.links = links,
	.open = sign_open,
};
