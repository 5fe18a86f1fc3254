/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the two kinds of service certificates have in common; see
 * ca_service.h.
 */
#include "ca_service.h"

#include "sys/clock.h"

struct peer *
service_keeper(struct ca *ca)
{
	return peer_of(ca->p, ROLE_SIGN, 0);
}

bool
service_may_ask(struct ca *ca, int64_t retry)
{
	return ae_clock_mono_ms() >= retry && peer_is_up(service_keeper(ca)) &&
	    peer_is_up(peer_of(ca->p, ROLE_DB, 0));
}

int
service_key_get(struct ca_service_key *out, const struct ae_ipc_msg *m,
    const char *name, struct ae_arena *a, struct ae_err *e)
{
	struct ae_rd r;

	ae_rd_init(&r, m->body, m->len);
	out->rc = (int)ae_rd_u32(&r);
	out->spki = get_bytes(&r, &out->len);
	out->sealed = get_bytes(&r, &out->sealed_len);
	out->text = get_str(&r, a);
	return ae_rd_done(&r) && out->rc <= 0 ? AE_OK
					      : bad_message(&r, name, e);
}

static int
put_tbs(struct job *j, const struct ca_service *s, const uint8_t *spki,
    size_t len, struct ae_err *e)
{
	struct ca *ca = j->ca;
	struct ae_ca_config cfg = ca->config;
	struct ae_wr w;
	int rc;

	if (j->issuer != NULL) {
		cfg.cert = j->issuer->cert;
		cfg.sigalg = ae_ca_cert_key(&ca->file.list, j->issuer)->alg;
	}
	ae_wr_init(&w, AE_PKI_CERT_MAX);
	rc = s->tbs(&w, j->d.serial, &j->d.not_after, &cfg, spki, len, j->now,
	    j->random, e);
	if (rc == AE_OK) {
		j->d.tbs = ae_arena_dup(j->arena, w.p, w.len);
		j->d.tbs_len = w.len;
		j->d.subject = ae_arena_printf(
		    j->arena, "CN=%.59s-%s", ca->config.name, s->suffix);
		if (j->d.tbs == NULL || j->d.subject == NULL)
			rc = ae_fail_mem(e);
	}
	ae_wr_done(&w);
	return rc;
}

int
service_issue(struct ca *ca, const struct ca_service *s,
    const struct ae_ca_cert *issuer, const uint8_t *spki, size_t len,
    struct ae_err *e)
{
	struct admin nobody = { .at = { .who = "the CA" } };
	struct job *j = job_start_local(ca, &nobody, 0);
	int rc;

	if (j == NULL)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "too many requests at once");
	j->admin = NULL;
	j->op = s->op;
	j->issuer = issuer;
	rc = put_tbs(j, s, spki, len, e);
	if (rc < 0) {
		job_end(j);
		return rc;
	}
	j->d.verdict = AE_CA_ISSUE;
	j->d.not_before = j->now - ca->config.clock_skew;
	j->d.requester = "the CA";
	j->d.message = "Issued";
	j->d.request_flags = s->request_flags;
	job_record(j, AE_DB_ACTIVE, STAGE_INTENT);
	return AE_OK;
}
