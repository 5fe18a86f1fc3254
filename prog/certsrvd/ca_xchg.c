/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The exchange certificate, as far as it is not the key: asked for, issued
 * like any other (serial durable, signed, stored), offered to clients,
 * replaced in time; and keys that clients archive, on their way to the
 * signer and back.
 */
#include <string.h>

#include "ca/exchange.h"
#include "ca_service.h"
#include "pki/envelope.h"
#include "pki/oid.h"
#include "pki/recover.h"
#include "pki/request.h"
#include "pki/seal.h"
#include "sys/clock.h"
#include "wcce/hresult.h"

static const struct ca_service service = { MSG_XCHG_NEW, "Xchg",
	AE_CR_FLG_CAXCHGCERT, ae_ca_exchange_tbs };

static bool
configured(const struct ca *ca)
{
	return ca->p->conf.recovery_agents.n > 0 ||
	    ca->p->conf.attest_dir != NULL;
}

static void
forget(struct ca *ca)
{
	ae_wr_done(&ca->xchg);
	ae_wr_done(&ca->xchg_chain);
	ae_wr_done(&ca->xchg_crls);
	ae_wr_init(&ca->xchg, AE_PKI_CERT_MAX);
	ae_wr_init(&ca->xchg_chain, AE_PKI_RESPONSE_MAX);
	ae_wr_init(&ca->xchg_crls, AE_PKI_RESPONSE_MAX);
	ca->info.xchg.p = ca->info.xchg_chain.p = NULL;
	ca->info.xchg_crls.p = NULL;
	ca->xchg_not_after = 0;
}

void
xchg_tick(struct ca *ca)
{
	if (!configured(ca) || ca->xchg_id != 0 ||
	    !service_may_ask(ca, ca->xchg_retry) ||
	    ae_clock_now() + AE_CA_EXCHANGE_ROTATE < ca->xchg_not_after)
		return;
	ca->xchg_retry = ae_clock_mono_ms() + SERVICE_RETRY_MS;
	if (peer_send(service_keeper(ca), MSG_XCHG_NEW, 1, NULL))
		ca->xchg_id = 1;
}

/* It is tried again in a while, and told once. */
void
xchg_failed(struct ca *ca, const char *why)
{
	if (!ca->told_xchg)
		event_plain(ca->p, 96,
		    "no exchange certificate could be made, so that no key "
		    "can be archived: %s",
		    why);
	ca->told_xchg = true;
	ca->xchg_id = 0;
}

/* The key is gone with its process; so is what is encrypted to it. */
void
xchg_signer_down(struct ca *ca, const struct peer *peer)
{
	if (peer != service_keeper(ca) || !configured(ca))
		return;
	forget(ca);
	memset(ca->xchg_own, 0, sizeof(ca->xchg_own));
	ca->xchg_id = 0;
	ca->xchg_retry = 0;
}

int
on_xchg_key(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	struct ae_err why = AE_ERR_INIT;
	struct ca_service_key key;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	rc = service_key_get(&key, m, "XCHG_KEY", a, e);
	if (rc < 0) {
		ae_arena_free(a);
		return rc;
	}
	if (ca->xchg_id == 1) {
		ae_wr_done(&ca->xchg_sealed);
		ae_wr_init(&ca->xchg_sealed, AE_SEALED_MAX);
		ae_wr_bytes(&ca->xchg_sealed, key.sealed, key.sealed_len);
		if (key.rc == AE_OK)
			key.rc = service_issue(
			    ca, &service, NULL, key.spki, key.len, &why);
		else
			(void)ae_fail(&why, AE_EINTERNAL, AE_DOM_NONE, 0, "%s",
			    key.text != NULL ? key.text : "no key");
		if (key.rc < 0)
			xchg_failed(ca, why.text);
	}
	ae_arena_free(a);
	return AE_OK;
}

/* The chain once more with the issuer's CRL, CR_PROP_CAXCHGCERTCRLCHAIN. */
void
xchg_crl(struct ca *ca)
{
	const struct ae_der cert = { ca->xchg.p, ca->xchg.len };
	const struct ca_crl *k;
	struct ae_der v[AE_CHAIN_MAX], crl;
	struct ae_err e = AE_ERR_INIT;
	size_t n;

	if (ca->info.xchg.p == NULL)
		return;
	k = &ca->crl[ca->xchg_issuer->key];
	crl = (struct ae_der){ k->crl.p, k->crl.len };
	n = info_issuers(ca, ca->xchg_issuer, v, 0, AE_CHAIN_MAX);
	ae_wr_reset(&ca->xchg_crls);
	ca->info.xchg_crls.p = NULL;
	if (ae_chain_build_around(&ca->xchg_crls, cert, v, n, &crl,
		k->crl.len > 0 ? 1 : 0, &e) < 0 ||
	    !ae_wr_ok(&ca->xchg_crls)) {
		log_line(ca->p, AE_LOG_WARNING,
		    "the exchange certificate's chain with CRLs: %s", e.text);
		return;
	}
	ca->info.xchg_crls =
	    (struct ae_wcce_blob){ ca->xchg_crls.p, ca->xchg_crls.len };
}

bool
xchg_keep(struct job *j)
{
	const struct ae_wr *sealed = &j->ca->xchg_sealed;
	struct ae_wr w;
	bool sent;

	if (sealed->len == 0)
		return false;
	ae_wr_init(&w, AE_SEALED_MAX + 64);
	put_bytes(&w, j->d.serial, sizeof(j->d.serial));
	put_bytes(&w, sealed->p, sealed->len);
	ae_wr_u64(&w, (uint64_t)j->d.not_after);
	j->stage = STAGE_KEEP;
	sent = peer_send(
	    peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_XCHG_KEEP, j->id, &w);
	ae_wr_done(&w);
	if (!sent)
		job_end(j); /* again in a while, with another key */
	return true;
}

void
xchg_issued(struct job *j)
{
	struct ca *ca = j->ca;
	const struct ae_der cert = { j->cert.p, j->cert.len };
	struct ae_der v[AE_CHAIN_MAX];
	struct ae_err e = AE_ERR_INIT;
	size_t n;

	forget(ca);
	ca->xchg_id = 0;
	ae_wr_bytes(&ca->xchg, cert.p, cert.len);
	n = info_issuers(ca, j->issuer, v, 0, AE_CHAIN_MAX);
	if (!ae_wr_ok(&ca->xchg) ||
	    ae_chain_build_around(&ca->xchg_chain, cert, v, n, NULL, 0, &e) <
		0 ||
	    !peer_send(service_keeper(ca), MSG_XCHG_CERT, 0, &ca->xchg)) {
		log_line(ca->p, AE_LOG_ERROR,
		    "the exchange certificate was issued, and is lost: %s",
		    e.text);
		forget(ca);
		return;
	}
	memcpy(ca->xchg_own[1], ca->xchg_own[0], sizeof(ca->xchg_own[0]));
	memcpy(ca->xchg_own[0], j->d.serial, sizeof(ca->xchg_own[0]));
	ca->told_xchg = false;
	ca->xchg_not_after = j->d.not_after;
	ca->info.xchg = (struct ae_wcce_blob){ ca->xchg.p, ca->xchg.len };
	ca->info.xchg_chain =
	    (struct ae_wcce_blob){ ca->xchg_chain.p, ca->xchg_chain.len };
	ca->xchg_issuer = j->issuer;
	xchg_crl(ca);
	log_line(ca->p, AE_LOG_INFO, "a new exchange certificate: request %lld",
	    (long long)j->row);
}

/* ---- recovery agents ---- */

/* The certificates of the directory's KRA container that are configured. */
void
xchg_update(struct ca *ca)
{
	const struct ae_octetsv *kra = &ca->snapshot->pki->kra;
	struct ae_cert *c = NULL;
	int64_t now = ae_clock_now();
	size_t i;
	int k;

	if (!configured(ca))
		return;
	ca->info.kras = ca->kra;
	ca->info.nkras = ca->p->conf.recovery_agents.n;
	for (i = 0; i < ca->info.nkras; i++)
		ca->kra[i] =
		    (struct ae_ca_info_kra){ { NULL, 0 }, AE_KRA_NOT_FOUND };
	for (i = 0; i < kra->n; i++) {
		if (ae_cert_parse(&c, kra->v[i].p, kra->v[i].len, NULL) < 0)
			continue;
		k = cafile_agent_index(&ca->p->conf, c);
		if (k >= 0) {
			ca->kra[k].cert.p = kra->v[i].p;
			ca->kra[k].cert.len = kra->v[i].len;
			ca->kra[k].state = now > c->not_after ? AE_KRA_EXPIRED
			    : cafile_is_agent(&ca->p->conf, c, now)
			    ? AE_KRA_VALID
			    : AE_KRA_INVALID;
		}
		ae_cert_free(c);
		c = NULL;
	}
}

/* ---- keys that come along ---- */

static void
answer(struct job *j, uint32_t hresult, const char *text)
{
	j->answers.archive_hresult = hresult;
	j->answers.archive_text = text;
	j->answers.answered |= AE_CA_ASK_ARCHIVE;
}

/*
 * To the signer: with its own key, or with that of another node, which comes
 * sealed.  False: the answer is there, or nobody to give it.
 */
static bool
open_by(struct job *j, struct ae_der cert, struct ae_der sealed)
{
	struct ca *ca = j->ca;
	const struct ae_request *q = j->parsed;
	struct ae_wr w;
	size_t i, at;
	uint8_t n = 0;
	bool ok;

	ae_wr_init(&w, XCHG_OPEN_MAX);
	put_bytes(&w, q->archived_key.p, q->archived_key.len);
	put_bytes(&w, q->csr->spki.p, q->csr->spki.len);
	put_bytes(&w, cert.p, cert.len);
	put_bytes(&w, sealed.p, sealed.len);
	at = w.len;
	ae_wr_u8(&w, 0);
	for (i = 0; i < ca->info.nkras; i++)
		if (ca->kra[i].state == AE_KRA_VALID) {
			put_bytes(&w, ca->kra[i].cert.p, ca->kra[i].cert.len);
			n++;
		}
	if (ae_wr_ok(&w))
		w.p[at] = n;
	ok = n > 0 && peer_send(service_keeper(ca), MSG_XCHG_OPEN, j->id, &w);
	ae_wr_done(&w);
	if (n == 0)
		answer(j, AE_HR_NO_VALID_KRA,
		    "none of the configured key recovery agents has a valid "
		    "certificate in the directory");
	else if (!ok)
		j->answers.failed |= AE_CA_ASK_ARCHIVE;
	return ok;
}

/* Is it for another node's key, or for one of before our start? */
static bool
is_others(const struct job *j, uint8_t serial[AE_RECIPIENT_MAX], size_t *len)
{
	const struct ca *ca = j->ca;
	const struct ae_der der = j->parsed->archived_key;
	size_t i;

	if (!conf_shared(&ca->p->conf) ||
	    ae_envelope_recipient(serial, len, der.p, der.len, NULL) != AE_OK)
		return false;
	for (i = 0; i < 2; i++)
		if (*len == sizeof(ca->xchg_own[i]) &&
		    memcmp(serial, ca->xchg_own[i], *len) == 0)
			return false;
	return true;
}

bool
xchg_ask(struct job *j)
{
	const struct ae_der none = { NULL, 0 };
	uint8_t serial[AE_RECIPIENT_MAX];
	struct ae_wr w;
	size_t len;
	bool sent;

	/* approved: it was opened and wrapped when it came */
	if (j->local) {
		answer(j, 0, NULL);
		return false;
	}
	if (!is_others(j, serial, &len))
		return open_by(j, none, none);
	ae_wr_init(&w, 64);
	put_bytes(&w, serial, len);
	sent = peer_send(
	    peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_XCHG_GET, j->id, &w);
	ae_wr_done(&w);
	if (!sent)
		j->answers.failed |= AE_CA_ASK_ARCHIVE;
	return sent;
}

int
on_xchg_found(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct job *j = job_find(peer->p->state, m->id);
	struct ae_der cert = { NULL, 0 }, sealed = { NULL, 0 };
	struct ae_rd r;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	sealed.p = get_bytes(&r, &sealed.len);
	cert.p = get_bytes(&r, &cert.len);
	if (!ae_rd_done(&r) || rc > 0)
		return bad_message(&r, "DB_XCHG", e);
	if (j == NULL || (j->asked & AE_CA_ASK_ARCHIVE) == 0)
		return AE_OK;
	/* nobody's: the signer says so in its own words */
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		job_answered(j, AE_CA_ASK_ARCHIVE, false);
	else if (!open_by(j, cert, sealed))
		job_answered(j, AE_CA_ASK_ARCHIVE,
		    (j->answers.failed & AE_CA_ASK_ARCHIVE) == 0);
	return AE_OK;
}

int
on_xchg_opened(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct job *j = job_find(peer->p->state, m->id);
	const uint8_t *blob;
	const char *text;
	struct ae_rd r;
	uint32_t hr;
	size_t len;

	(void)ipc;
	if (j == NULL ||
	    ((j->asked & (AE_CA_ASK_ARCHIVE | AE_CA_ASK_EK)) == 0 &&
		j->stage != STAGE_SECRET))
		return AE_OK;
	ae_rd_init(&r, m->body, m->len);
	hr = ae_rd_u32(&r);
	blob = get_bytes(&r, &len);
	text = get_str(&r, j->arena);
	if (!ae_rd_done(&r))
		return bad_message(&r, "XCHG_OPENED", e);
	if ((j->asked & AE_CA_ASK_ARCHIVE) == 0) {
		attest_opened(j, hr, blob, len, text);
		return AE_OK;
	}
	if (hr == 0) {
		j->archived.p = ae_arena_dup(j->arena, blob, len);
		j->archived.len = len;
	}
	answer(j, hr, text);
	job_answered(j, AE_CA_ASK_ARCHIVE,
	    hr != 0 || (j->archived.p != NULL && len > 0));
	return AE_OK;
}
