/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates for the OCSP key: one under each CA key that lives, issued
 * like any other (serial durable, signed, stored), handed to ocsp, replaced
 * with their key in time.
 */
#include <string.h>

#include "ca/ocspsign.h"
#include "ca_service.h"
#include "sys/clock.h"

static const struct ca_service service = { MSG_OCSP_NEW, "OCSP", 0,
	ae_ca_ocsp_tbs };

static bool
configured(const struct ca *ca)
{
	return ca->p->conf.http_address.n > 0;
}

static void
forget(struct ca *ca)
{
	size_t i;

	ca->ocsp_asked = false;
	ca->ocsp_spki_len = 0;
	ca->ocsp_retry = 0;
	for (i = 0; i < AE_CA_SIGNING_MAX; i++) {
		ae_wr_done(&ca->ocsp_for[i].cert);
		memset(&ca->ocsp_for[i], 0, sizeof(ca->ocsp_for[i]));
	}
}

void
ocsp_signer_down(struct ca *ca, const struct peer *peer)
{
	if (peer == service_keeper(ca))
		forget(ca);
}

/* ---- the certificate under one key ---- */

static int
issue(struct ca *ca, size_t key, struct ae_err *e)
{
	const struct ae_ca_certs *l = &ca->file.list;
	int rc;

	/* it may have ended before this returns: ocsp_job_end */
	ca->ocsp_for[key].issuing = true;
	rc = service_issue(ca, &service, &l->v[l->keys[key].newest],
	    ca->ocsp_spki, ca->ocsp_spki_len, e);
	if (rc < 0)
		ca->ocsp_for[key].issuing = false;
	return rc;
}

static void
to_ocsp(struct ca *ca, size_t key)
{
	const struct ae_wr *cert = &ca->ocsp_for[key].cert;
	struct ae_wr w;

	if (cert->len == 0)
		return;
	ae_wr_init(&w, AE_PKI_CERT_MAX + 16);
	ae_wr_u16(&w, ca->file.list.keys[key].index);
	put_bytes(&w, cert->p, cert->len);
	(void)peer_send(peer_of(ca->p, ROLE_OCSP, 0), MSG_OCSP_CERT, 0, &w);
	ae_wr_done(&w);
}

void
ocsp_peer_up(struct ca *ca)
{
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++)
		to_ocsp(ca, i);
}

void
ocsp_issued(struct job *j)
{
	struct ca *ca = j->ca;
	const size_t key = j->issuer->key;
	struct ae_wr *cert = &ca->ocsp_for[key].cert;

	ae_wr_done(cert);
	ae_wr_init(cert, AE_PKI_CERT_MAX);
	ae_wr_bytes(cert, j->cert.p, j->cert.len);
	if (!ae_wr_ok(cert)) {
		ae_wr_done(cert);
		return; /* it comes again */
	}
	ca->ocsp_for[key].not_after = j->d.not_after;
	log_line(ca->p, AE_LOG_INFO, "a new certificate for OCSP: request %lld",
	    (long long)j->row);
	to_ocsp(ca, key);
}

/* Issued or not: the next tick sees. */
void
ocsp_job_end(struct job *j)
{
	j->ca->ocsp_for[j->issuer->key].issuing = false;
}

/* ---- the clock ---- */

/* With a new key all are due; with an old one those that end. */
static bool
missing(const struct ca *ca, size_t key, int64_t now)
{
	const struct ca_ocsp *o = &ca->ocsp_for[key];

	return !o->issuing && now + AE_CA_OCSP_ROTATE >= o->not_after &&
	    /* one under a CA certificate that ends sooner is as good as any */
	    now + AE_CA_OCSP_ROTATE < ca->file.list.keys[key].end;
}

void
ocsp_tick(struct ca *ca)
{
	int64_t now = ae_clock_now();
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	if (!configured(ca) || ca->ocsp_asked ||
	    !service_may_ask(ca, ca->ocsp_retry))
		return;
	if (ca->ocsp_spki_len == 0 || now >= ca->ocsp_rotate) {
		ca->ocsp_retry = ae_clock_mono_ms() + SERVICE_RETRY_MS;
		ca->ocsp_asked =
		    peer_send(service_keeper(ca), MSG_OCSP_NEW, 0, NULL);
		return;
	}
	for (i = 0; i < ca->file.list.nkeys; i++) {
		if (!missing(ca, i, now))
			continue;
		ca->ocsp_retry = ae_clock_mono_ms() + SERVICE_RETRY_MS / 10;
		if (issue(ca, i, &e) < 0) {
			ca->ocsp_retry = ae_clock_mono_ms() + SERVICE_RETRY_MS;
			log_line(ca->p, AE_LOG_ERROR,
			    "a certificate for OCSP: %s", e.text);
		}
	}
}

int
on_ocsp_key(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	struct ca_service_key key;
	size_t i;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	rc = service_key_get(&key, m, "OCSP_KEY", a, e);
	if (rc == AE_OK && key.rc == AE_OK && key.len > sizeof(ca->ocsp_spki))
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "OCSP_KEY with a key of %zu bytes", key.len);
	if (rc < 0) {
		ae_arena_free(a);
		return rc;
	}
	ca->ocsp_asked = false;
	if (key.rc == AE_OK) {
		memcpy(ca->ocsp_spki, key.spki, key.len);
		ca->ocsp_spki_len = key.len;
		ca->ocsp_rotate = ae_clock_now() + AE_CA_OCSP_DAYS * 86400 -
		    AE_CA_OCSP_ROTATE;
		ca->ocsp_retry = 0;
		/* the last one's go on until these are there */
		for (i = 0; i < AE_CA_SIGNING_MAX; i++)
			ca->ocsp_for[i].not_after = 0;
		ocsp_tick(ca);
	} else {
		log_line(ca->p, AE_LOG_ERROR, "a key for OCSP: %s",
		    key.text != NULL ? key.text : "none");
	}
	ae_arena_free(a);
	return AE_OK;
}

void
ocsp_changed(struct ca *ca, const uint8_t *serial, size_t len)
{
	struct ae_wr w;

	ae_wr_init(&w, 64);
	put_bytes(&w, serial, len);
	(void)peer_send(peer_of(ca->p, ROLE_OCSP, 0), MSG_OCSP_CHANGED, 0, &w);
	ae_wr_done(&w);
}
