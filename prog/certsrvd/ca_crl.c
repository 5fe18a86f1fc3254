/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The base CRLs, one of each key that lives: made when it is due, its number
 * durable before it is signed, verified, then handed to the parent to be
 * written.
 */
#include <string.h>

#include "admin.h"
#include "pki/crl.h"
#include "sys/clock.h"

#define RETRY_MS 15000
#define AD_RETRY_MS 60000 /* to put it into the directory */
#define CRL_SLOT 0xffffu  /* of message ids: no job has it */

static unsigned
key_index(const struct ca *ca, const struct ca_crl *k)
{
	return ca->file.list.keys[k - ca->crl].index;
}

/* It is signed under the newest certificate with the key. */
static const struct ae_ca_cert *
crl_issuer(const struct ca *ca, const struct ca_crl *k)
{
	const struct ae_ca_certs *l = &ca->file.list;

	return &l->v[l->keys[k - ca->crl].newest];
}

static struct ae_ca_crl_config
crl_config(const struct ca *ca, const struct ca_crl *k)
{
	const struct ae_ca_cert *c = crl_issuer(ca, k);

	return (struct ae_ca_crl_config){
		.cert = c->cert,
		.period = ca->p->conf.crl_period,
		.overlap = ca->p->conf.crl_overlap,
		.clock_skew = ca->p->conf.clock_skew,
		.key_index = (uint16_t)key_index(ca, k),
		.cert_index = c->index,
	};
}

/* That of the attempt with this id; NULL: it was given up. */
static struct ca_crl *
crl_busy(struct ca *ca, uint32_t id)
{
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++)
		if (ca->crl[i].busy && ca->crl[i].id == id)
			return &ca->crl[i];
	return NULL;
}

static void
failed(struct ca *ca, struct ca_crl *k, const char *why)
{
	k->busy = false;
	k->wanted = true;
	k->retry = ae_clock_mono_ms() + RETRY_MS;
	ae_wr_done(&k->tbs);
	event_crl(ca, key_index(ca, k), 0, why);
	manage_crl(ca, HR_INTERNAL);
}

/* What is sent of a CRL: its key index and its bytes. */
static bool
put_crl(struct ae_wr *w, const struct ca *ca, const struct ca_crl *k)
{
	ae_wr_init(w, MSG_CRL_MAX);
	ae_wr_u16(w, (uint16_t)key_index(ca, k));
	ae_wr_bytes(w, k->crl.p, k->crl.len);
	return ae_wr_ok(w);
}

/*
 * The newest CRL goes into the directory, when this was set up; what fails
 * is tried again, and told once.
 */
static void
to_directory(struct ca *ca, struct ca_crl *k)
{
	struct peer *ad = peer_of(ca->p, ROLE_AD, 0);
	struct ae_wr w;

	if (!k->ad_due || k->ad_busy || !k->made ||
	    ae_clock_mono_ms() < k->ad_retry || !peer_is_up(ad))
		return;
	k->ad_busy = put_crl(&w, ca, k) &&
	    peer_send(ad, MSG_AD_CRL, (uint32_t)(k - ca->crl), &w);
	ae_wr_done(&w);
	k->ad_due = !k->ad_busy; /* a newer one sets it again */
}

int
on_ad_crl(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	struct ca_crl *k;
	const char *text;
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	text = get_str(&r, a);
	if (!ae_rd_done(&r) || rc > 0 || m->id >= ca->file.list.nkeys) {
		ae_arena_free(a);
		return bad_message(&r, "AD_CRL_DONE", e);
	}
	k = &ca->crl[m->id];
	k->ad_busy = false;
	if (rc == AE_OK) {
		log_line(ca->p, AE_LOG_INFO, "the CRL is in the directory");
		k->ad_told = false;
	} else {
		k->ad_due = true;
		k->ad_retry = ae_clock_mono_ms() + AD_RETRY_MS;
		if (!k->ad_told)
			event_crl_directory(ca, key_index(ca, k), k->number,
			    text != NULL ? text : "no reason");
		k->ad_told = true;
	}
	ae_arena_free(a);
	return AE_OK;
}

static void
key_tick(struct ca *ca, struct ca_crl *k)
{
	struct ae_ca_crl_config cfg = crl_config(ca, k);
	struct peer *db = peer_of(ca->p, ROLE_DB, 0);
	int64_t now = ae_clock_now();
	struct ae_wr w;

	to_directory(ca, k);
	/* One that has ended for good is asked about nothing any more. */
	if (!ae_ca_key_lives(&ca->file.list.keys[k - ca->crl], now))
		return;
	if (k->busy || ae_clock_mono_ms() < k->retry || !peer_is_up(db) ||
	    !peer_is_up(peer_of(ca->p, ROLE_SIGN, 0)))
		return;
	if (!ae_ca_crl_due(
		&cfg, k->made ? &k->plan : NULL, k->wanted, now, NULL))
		return;
	k->id = ++ca->crl_attempts << 16 | CRL_SLOT;
	ae_wr_init(&w, 2);
	ae_wr_u16(&w, cfg.key_index);
	k->busy = peer_send(db, MSG_DB_CRL, k->id, &w);
	/* what is revoked from here on needs another one */
	if (k->busy)
		k->wanted = false;
	ae_wr_done(&w);
}

void
crl_tick(struct ca *ca)
{
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++)
		key_tick(ca, &ca->crl[i]);
}

unsigned
crl_outstanding(const struct ca *ca)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++)
		if (ae_ca_key_lives(&ca->file.list.keys[i], ae_clock_now()))
			/* one that is being made lacks what was revoked since
			 */
			n += ca->crl[i].busy ? 2 : 1;
	return n;
}

void
crl_publish(struct proc *p)
{
	struct ca *ca = p->state;
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++) {
		ca->crl[i].wanted = true;
		ca->crl[i].retry = 0;
	}
	crl_tick(ca);
}

/* The TBSCertList from the rows that db sent. */
static int
build(struct ca *ca, struct ca_crl *k, struct ae_rd *r, struct ae_err *e)
{
	const struct ae_ca_certs *l = &ca->file.list;
	const struct ae_ca_cert *c = crl_issuer(ca, k);
	struct ae_ca_crl_config cfg = crl_config(ca, k);
	struct ae_ca_crl_plan plan;
	struct ae_crl_build b;
	uint32_t n = ae_rd_u32(r), i;
	struct ae_crl_spec s = {
		.sigalg = ae_ca_cert_key(l, c)->alg,
		.issuer = cfg.cert->subject,
		.number = k->number,
		.aki = c->keyid,
		.ca_version = ae_ca_cert_version(l, c),
	};
	int rc;

	ae_ca_crl_times(&plan, &cfg, ae_clock_now());
	s.this_update = plan.this_update;
	s.next_update = plan.next_update;
	s.next_publish = plan.next_publish;
	ae_wr_done(&k->tbs);
	ae_wr_init(&k->tbs, MSG_CRL_MAX);
	rc = ae_crl_begin(&b, &k->tbs, &s, e);
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
		k->plan = plan;
	return rc;
}

static bool
to_signer(struct ca *ca, struct ca_crl *k)
{
	struct ae_wr w;
	bool sent;

	ae_wr_init(&w, MSG_CRL_MAX);
	ae_wr_u16(&w, crl_issuer(ca, k)->index);
	ae_wr_bytes(&w, k->tbs.p, k->tbs.len);
	sent = peer_send(peer_of(ca->p, ROLE_SIGN, 0), MSG_SIGN_CRL, k->id, &w);
	ae_wr_done(&w);
	return sent;
}

int
on_revoked(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ca_crl *k = crl_busy(ca, m->id);
	struct ae_err why = AE_ERR_INIT;
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (k == NULL)
		return AE_OK; /* of an attempt that was given up */
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	if (rc != AE_OK) {
		failed(ca, k, "the database has no number for it");
		return AE_OK;
	}
	k->number = ae_rd_u64(&r);
	rc = build(ca, k, &r, &why);
	if (rc == AE_OK && !ae_rd_done(&r))
		return bad_message(&r, "DB_REVOKED", e);
	if (rc < 0)
		failed(ca, k, why.text);
	else if (!to_signer(ca, k))
		failed(ca, k, "no signer is there");
	return AE_OK;
}

static int
finish(struct ca *ca, struct ca_crl *k, const uint8_t *sig, size_t len,
    struct ae_err *e)
{
	const struct ae_ca_key *key = &ca->file.list.keys[k - ca->crl];
	struct ae_wr w, old = k->crl, m;
	int rc;

	rc = ae_key_verify(
	    key->pub, &key->alg, k->tbs.p, k->tbs.len, sig, len, e);
	if (rc < 0)
		return ae_note(e, rc, "the signer's answer");
	ae_wr_init(&w, MSG_CRL_MAX);
	rc = ae_crl_assemble(&w, k->tbs.p, k->tbs.len, &key->alg, sig, len, e);
	if (rc == AE_OK && !ae_wr_ok(&w))
		rc = ae_fail_mem(e);
	if (rc < 0) {
		ae_wr_done(&w);
		return rc;
	}
	k->crl = w;
	rc = put_crl(&m, ca, k)
	    ? ae_ipc_send(ca->p->control, MSG_CRL, 0, m.p, m.len, -1, e)
	    : ae_fail_mem(e);
	ae_wr_done(&m);
	if (rc < 0) {
		k->crl = old;
		ae_wr_done(&w);
		return rc;
	}
	ae_wr_done(&old);
	return AE_OK;
}

bool
crl_signed(struct ca *ca, uint32_t id, int rc, const uint8_t *sig, size_t len,
    const char *text)
{
	struct ae_err e = AE_ERR_INIT;
	struct ca_crl *k;

	if ((id & 0xffff) != CRL_SLOT)
		return false;
	k = crl_busy(ca, id);
	if (k == NULL)
		return true; /* of an attempt that was given up */
	if (rc < 0) {
		failed(ca, k, text != NULL ? text : "the signer refused");
		return true;
	}
	if (finish(ca, k, sig, len, &e) < 0) {
		failed(ca, k, e.text);
		return true;
	}
	k->busy = false;
	k->made = true;
	k->ad_due = true;
	k->ad_retry = 0;
	ae_wr_done(&k->tbs);
	info_crl(ca, (size_t)(k - ca->crl));
	xchg_crl(ca);
	info_update(ca);
	event_crl(ca, key_index(ca, k), k->number, NULL);
	manage_crl(ca, 0);
	crl_tick(ca);
	return true;
}

void
crl_peer_down(struct ca *ca, const struct peer *peer)
{
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++) {
		struct ca_crl *k = &ca->crl[i];

		if (peer->role == ROLE_AD) {
			k->ad_due = k->ad_due || k->ad_busy;
			k->ad_busy = false;
		} else if (k->busy) {
			failed(ca, k, "a process it needs was restarted");
		}
	}
}
