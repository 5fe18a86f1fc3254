/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The base CRL: made when it is due, its number durable before it is signed,
 * verified, then handed to the parent to be written.
 */
#include <string.h>

#include "ca.h"
#include "pki/crl.h"
#include "sys/clock.h"

#define RETRY_MS 15000
#define AD_RETRY_MS 60000 /* to put it into the directory */
#define CRL_SLOT 0xffffu  /* of message ids: no job has it */

static struct ae_ca_crl_config
crl_config(const struct ca *ca)
{
	const struct ae_cert *cert = cafile_cert(&ca->file);

	return (struct ae_ca_crl_config){
		.cert = cert,
		.period = ca->p->conf.crl_period,
		.overlap = ca->p->conf.crl_overlap,
		.clock_skew = ca->p->conf.clock_skew,
		.key_index = (uint16_t)(cert->x.ca_version >> 16),
		.cert_index = (uint16_t)(ca->file.ncerts - 1),
	};
}

static void
failed(struct ca *ca, const char *why)
{
	ca->crl_busy = false;
	ca->crl_wanted = true;
	ca->crl_retry = ae_clock_mono_ms() + RETRY_MS;
	ae_wr_done(&ca->crl_tbs);
	event_crl(ca, 0, why);
}

/*
 * The newest CRL goes into the directory, when this was set up; what fails
 * is tried again, and told once.
 */
static void
to_directory(struct ca *ca)
{
	struct peer *ad = peer_of(ca->p, ROLE_AD, 0);

	if (!ca->ad_crl_due || ca->ad_crl_busy || !ca->crl_made ||
	    ae_clock_mono_ms() < ca->ad_crl_retry || !peer_is_up(ad))
		return;
	ca->ad_crl_busy = peer_send(ad, MSG_AD_CRL, 0, &ca->crl);
	ca->ad_crl_due = false; /* a newer one sets it again */
}

int
on_ad_crl(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	const char *text;
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	text = get_str(&r, a);
	if (!ae_rd_done(&r) || rc > 0) {
		ae_arena_free(a);
		return bad_message(&r, "AD_CRL_DONE", e);
	}
	ca->ad_crl_busy = false;
	if (rc == AE_OK) {
		log_line(ca->p, AE_LOG_INFO, "the CRL is in the directory");
		ca->ad_crl_told = false;
	} else {
		ca->ad_crl_due = true;
		ca->ad_crl_retry = ae_clock_mono_ms() + AD_RETRY_MS;
		if (!ca->ad_crl_told)
			event_crl_directory(ca, ca->crl_number,
			    text != NULL ? text : "no reason");
		ca->ad_crl_told = true;
	}
	ae_arena_free(a);
	return AE_OK;
}

void
crl_tick(struct ca *ca)
{
	struct ae_ca_crl_config cfg = crl_config(ca);
	struct peer *db = peer_of(ca->p, ROLE_DB, 0);
	struct ae_wr w;

	to_directory(ca);
	if (ca->crl_busy || ae_clock_mono_ms() < ca->crl_retry ||
	    !peer_is_up(db) || !peer_is_up(peer_of(ca->p, ROLE_SIGN, 0)))
		return;
	if (!ae_ca_crl_due(&cfg, ca->crl_made ? &ca->crl_plan : NULL,
		ca->crl_wanted, ae_clock_now(), NULL))
		return;
	ca->crl_id = ((ca->crl_id >> 16) + 1) << 16 | CRL_SLOT;
	ae_wr_init(&w, 2);
	ae_wr_u16(&w, cfg.key_index);
	ca->crl_busy = peer_send(db, MSG_DB_CRL, ca->crl_id, &w);
	/* what is revoked from here on needs another one */
	if (ca->crl_busy)
		ca->crl_wanted = false;
	ae_wr_done(&w);
}

void
crl_publish(struct proc *p)
{
	struct ca *ca = p->state;

	ca->crl_wanted = true;
	ca->crl_retry = 0;
	crl_tick(ca);
}

/* The TBSCertList from the rows that db sent. */
static int
build(struct ca *ca, struct ae_rd *r, uint64_t number, struct ae_err *e)
{
	struct ae_ca_crl_config cfg = crl_config(ca);
	struct ae_ca_crl_plan plan;
	struct ae_crl_build b;
	uint32_t n = ae_rd_u32(r), i;
	struct ae_crl_spec s = {
		.sigalg = ca->file.alg,
		.issuer = cfg.cert->subject,
		.number = number,
		.aki = cfg.cert->x.ski,
		.ca_version = cfg.cert->x.ca_version,
	};
	int rc;

	ae_ca_crl_times(&plan, &cfg, ae_clock_now());
	s.this_update = plan.this_update;
	s.next_update = plan.next_update;
	s.next_publish = plan.next_publish;
	ae_wr_init(&ca->crl_tbs, MSG_CRL_MAX);
	rc = ae_crl_begin(&b, &ca->crl_tbs, &s, e);
	for (i = 0; i < n && rc == AE_OK && ae_rd_ok(r); i++) {
		size_t len;
		const uint8_t *serial = get_bytes(r, &len);
		int64_t at = (int64_t)ae_rd_u64(r);
		uint8_t reason = ae_rd_u8(r);

		if (serial != NULL)
			rc = ae_crl_add(
			    &b, serial, len, at, (enum ae_crl_reason)reason, e);
	}
	if (rc == AE_OK)
		rc = ae_crl_end(&b, e);
	if (rc == AE_OK)
		ca->crl_plan = plan;
	return rc;
}

int
on_revoked(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct peer *sign = peer_of(ca->p, ROLE_SIGN, 0);
	struct ae_err why = AE_ERR_INIT;
	uint64_t number;
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (!ca->crl_busy || m->id != ca->crl_id)
		return AE_OK;
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	if (rc != AE_OK) {
		failed(ca, "the database has no number for it");
		return AE_OK;
	}
	number = ae_rd_u64(&r);
	rc = build(ca, &r, number, &why);
	if (rc == AE_OK && !ae_rd_done(&r))
		return bad_message(&r, "DB_REVOKED", e);
	ca->crl_number = number;
	if (rc < 0)
		failed(ca, why.text);
	else if (!peer_send(sign, MSG_SIGN_CRL, ca->crl_id, &ca->crl_tbs))
		failed(ca, "no signer is there");
	return AE_OK;
}

static int
finish(struct ca *ca, const uint8_t *sig, size_t len, struct ae_err *e)
{
	struct cafile *f = &ca->file;
	struct ae_wr w;
	int rc;

	rc = ae_key_verify(
	    f->pub, &f->alg, ca->crl_tbs.p, ca->crl_tbs.len, sig, len, e);
	if (rc < 0)
		return ae_note(e, rc, "the signer's answer");
	ae_wr_init(&w, MSG_CRL_MAX);
	rc = ae_crl_assemble(
	    &w, ca->crl_tbs.p, ca->crl_tbs.len, &f->alg, sig, len, e);
	if (rc == AE_OK && !ae_wr_ok(&w))
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_ipc_send(ca->p->control, MSG_CRL, 0, w.p, w.len, -1, e);
	if (rc < 0) {
		ae_wr_done(&w);
		return rc;
	}
	ae_wr_done(&ca->crl);
	ca->crl = w;
	return AE_OK;
}

bool
crl_signed(struct ca *ca, uint32_t id, int rc, const uint8_t *sig, size_t len,
    const char *text)
{
	struct ae_err e = AE_ERR_INIT;

	if ((id & 0xffff) != CRL_SLOT)
		return false;
	if (!ca->crl_busy || id != ca->crl_id)
		return true; /* of an attempt that was given up */
	if (rc < 0) {
		failed(ca, text != NULL ? text : "the signer refused");
		return true;
	}
	if (finish(ca, sig, len, &e) < 0) {
		failed(ca, e.text);
		return true;
	}
	ca->crl_busy = false;
	ca->crl_made = true;
	ca->ad_crl_due = true;
	ca->ad_crl_retry = 0;
	ae_wr_done(&ca->crl_tbs);
	info_crl(ca);
	info_update(ca);
	event_crl(ca, ca->crl_number, NULL);
	crl_tick(ca);
	return true;
}

void
crl_peer_down(struct ca *ca, const struct peer *peer)
{
	if (peer->role == ROLE_AD) {
		ca->ad_crl_due = ca->ad_crl_due || ca->ad_crl_busy;
		ca->ad_crl_busy = false;
		return;
	}
	if (ca->crl_busy)
		failed(ca, "a process it needs was restarted");
}
