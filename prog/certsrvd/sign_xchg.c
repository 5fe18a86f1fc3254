/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The exchange key, in the memory of the first signer: made here, gone when
 * it is replaced.  Where there are several nodes it also leaves sealed under
 * the CA's key, and those of others are opened for one request and forgotten.
 * With one node it is never written down.  What clients encrypt
 * to it is opened here, compared with the key that was certified, and
 * wrapped for the key recovery agents of this process's own configuration,
 * so that a broken ca cannot name itself one.  Of what else is opened here
 * ca learns an endorsement key, which is no secret, and whether a secret is
 * the one it knows: nothing that was meant for the archive.
 */
#include "sign.h"

#include <stdlib.h>
#include <string.h>

#include "pki/attest.h"
#include "pki/envelope.h"
#include "pki/oid.h"
#include "pki/recover.h"
#include "pki/seal.h"
#include "sys/clock.h"
#include "wcce/hresult.h"

#define XCHG_BITS 2048

static const char label[] = "exchange key";

/* For other nodes; nothing when it cannot be. */
static void
seal_key(struct signer *s, struct ae_wr *w)
{
	struct ae_secret blob = { 0 };
	struct ae_err e = AE_ERR_INIT;
	const struct ae_key *ca = NULL;
	size_t i;
	int rc;

	if (!conf_shared(&s->p->conf))
		return;
	for (i = 0; i < s->ca.list.nkeys; i++)
		if (s->key[i] != NULL)
			ca = s->key[i]; /* the newest that is here */
	rc = ca == NULL ? ae_fail(&e, AE_EUNAVAIL, AE_DOM_NONE, 0,
			      "no key of the CA is here")
			: ae_key_to_private_blob(&blob, s->xchg[0].key, &e);
	if (rc == AE_OK)
		rc = ae_seal(w, ca, label, blob.p, blob.len, &e);
	ae_secret_done(&blob);
	if (rc != AE_OK) {
		ae_wr_reset(w);
		log_line(s->p, AE_LOG_WARNING,
		    "keys that clients archive with this node's exchange "
		    "certificate can be opened here alone: %s",
		    e.text);
	}
}

int
on_xchg_new(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct ae_der spki = { NULL, 0 };
	struct ae_wr w, sealed;
	unsigned least = peer->p->conf.rsa_bits_min;
	unsigned bits = least > XCHG_BITS ? least : XCHG_BITS;
	int rc;

	(void)ipc;
	(void)e;
	ae_key_free(s->xchg[0].key);
	s->xchg[0].key = NULL;
	rc = ae_key_generate(&s->xchg[0].key, AE_KEY_RSA, bits, &why);
	ae_wr_init(&sealed, AE_SEALED_MAX);
	if (rc == AE_OK) {
		spki = ae_key_spki(s->xchg[0].key);
		seal_key(s, &sealed);
	}
	ae_wr_init(&w, AE_CA_TBS_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	put_bytes(&w, spki.p, spki.len);
	put_bytes(&w, sealed.p, sealed.len);
	put_str(&w, rc == AE_OK ? NULL : why.text);
	(void)peer_send(peer, MSG_XCHG_KEY, m->id, &w);
	ae_wr_done(&w);
	ae_wr_done(&sealed);
	return AE_OK;
}

static void
forget(struct xchg *x)
{
	ae_key_free(x->key);
	ae_cert_free(x->cert);
	memset(x, 0, sizeof(*x));
}

/* The new one counts; the last one still does, for who has its certificate. */
int
on_xchg_cert(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	int rc;

	(void)ipc;
	ae_cert_free(s->xchg[0].cert);
	s->xchg[0].cert = NULL;
	rc = ae_cert_parse(&s->xchg[0].cert, m->body, m->len, e);
	if (rc < 0)
		return rc == AE_ENOMEM ? rc
				       : ae_note(e, AE_EPROTO, "XCHG_CERT");
	if (s->xchg[0].key == NULL ||
	    !ae_cert_has_key(s->xchg[0].cert, s->xchg[0].key))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "an exchange certificate of another key");
	forget(&s->xchg[2]);
	s->xchg[2] = s->xchg[1];
	s->xchg[1] = s->xchg[0];
	memset(&s->xchg[0], 0, sizeof(s->xchg[0]));
	return AE_OK;
}

/* With the current key, or with the one before. */
static int
open_any(const struct signer *s, struct ae_secret *out, const void *p,
    size_t len, size_t max, const char *what, struct ae_err *e)
{
	int64_t now = ae_clock_now();
	int i, rc = AE_ETRUST;

	(void)ae_fail(
	    e, AE_ETRUST, AE_DOM_NONE, 0, "the CA has no exchange key for it");
	for (i = 1; i <= 2 && rc == AE_ETRUST; i++)
		if (s->xchg[i].key != NULL && now <= s->xchg[i].cert->not_after)
			rc = ae_envelope_open(out, p, len, s->xchg[i].key,
			    s->xchg[i].cert, max, what, e);
	return rc;
}

/* An exchange certificate of this CA, whoever's key it has. */
static int
check_exchange(const struct signer *s, const struct ae_cert *c, int64_t now,
    struct ae_err *e)
{
	size_t i;

	if (now > c->not_after || !ae_cert_allows(c, AE_OID_EKU_CA_EXCHANGE))
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the exchange certificate has ended, or is none");
	for (i = 0; i < s->ca.list.nkeys; i++)
		if (ae_cert_verify(c, s->ca.list.keys[i].pub, NULL) == AE_OK)
			return AE_OK;
	return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
	    "the exchange certificate is not of this CA");
}

/* Another node's key, with whichever of the CA's it was sealed under. */
static int
unseal_key(const struct signer *s, struct ae_key **k, struct ae_der sealed,
    struct ae_err *e)
{
	struct ae_secret blob = { 0 };
	size_t i;
	int rc = AE_ETRUST;

	for (i = s->ca.list.nkeys; i-- > 0 && rc != AE_OK;) {
		*e = (struct ae_err)AE_ERR_INIT;
		if (s->key[i] != NULL)
			rc = ae_unseal(
			    &blob, s->key[i], label, sealed.p, sealed.len, e);
	}
	if (rc == AE_OK)
		rc = ae_key_from_private_blob(k, blob.p, blob.len, e);
	ae_secret_done(&blob);
	return rc;
}

static int
open_others(const struct signer *s, struct ae_secret *blob, struct ae_der env,
    struct ae_der der, struct ae_der sealed, struct ae_err *e)
{
	struct ae_cert *c = NULL;
	struct ae_key *k = NULL;
	int rc = ae_cert_parse(&c, der.p, der.len, e);

	if (rc == AE_OK)
		rc = check_exchange(s, c, ae_clock_now(), e);
	if (rc == AE_OK)
		rc = unseal_key(s, &k, sealed, e);
	if (rc == AE_OK && !ae_cert_has_key(c, k))
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the sealed key is not that of its certificate");
	if (rc == AE_OK)
		rc = ae_archive_open(blob, env.p, env.len, k, c, e);
	ae_key_free(k);
	ae_cert_free(c);
	return rc;
}

/* The recipients: each must be an agent of our own configuration. */
static int
take_agents(struct proc *p, struct ae_rd *r, struct ae_cert **v, size_t *n,
    struct ae_err *e)
{
	const uint8_t *der;
	size_t len, count = ae_rd_u8(r);
	int rc = AE_OK;

	if (count > AE_RECOVERY_AGENTS_MAX)
		ae_rd_fail(r);
	while (rc == AE_OK && *n < count && ae_rd_ok(r)) {
		der = get_bytes(r, &len);
		if (der == NULL)
			break;
		rc = ae_cert_parse(&v[*n], der, len, e);
		if (rc == AE_OK &&
		    !cafile_is_agent(&p->conf, v[(*n)++], ae_clock_now()))
			rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
			    "a recovery agent that is none");
	}
	return rc;
}

/* An HRESULT for the client, 0 with the recovery blob. */
static uint32_t
recover(struct proc *p, struct ae_rd *r, struct ae_wr *out, struct ae_err *e)
{
	struct signer *s = p->state;
	struct ae_cert *agents[AE_RECOVERY_AGENTS_MAX] = { NULL };
	struct ae_secret blob = { 0 };
	struct ae_der env, spki, cert, sealed;
	size_t n = 0, i;
	uint32_t hr = 0;
	int rc;

	env.p = get_bytes(r, &env.len);
	spki.p = get_bytes(r, &spki.len);
	cert.p = get_bytes(r, &cert.len);
	sealed.p = get_bytes(r, &sealed.len);
	rc = take_agents(p, r, agents, &n, e);
	if (!ae_rd_done(r))
		rc = bad_message(r, "XCHG_OPEN", e);
	if (rc != AE_OK || n == 0) {
		hr = AE_HR_NO_VALID_KRA;
	} else if ((sealed.len > 0 ? open_others(s, &blob, env, cert, sealed, e)
				   : open_any(s, &blob, env.p, env.len,
					 AE_ARCHIVED_KEY_MAX,
					 "the archived key", e)) != AE_OK ||
	    ae_archive_matches(&blob, spki.p, spki.len, e) != AE_OK) {
		hr = AE_HR_BAD_REQUEST_KEY_ARCHIVAL;
	} else {
		rc = ae_archive_wrap(
		    out, &blob, (const struct ae_cert *const *)agents, n, e);
		hr = rc == AE_OK ? 0 : AE_HR_NO_VALID_KRA;
	}
	ae_secret_done(&blob);
	for (i = 0; i < AE_RECOVERY_AGENTS_MAX; i++)
		ae_cert_free(agents[i]);
	return hr;
}

int
on_xchg_open(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ae_err why = AE_ERR_INIT;
	struct ae_wr out, w;
	struct ae_rd r;
	uint32_t hr;

	(void)ipc;
	(void)e;
	ae_wr_init(&out, AE_ARCHIVED_MAX * 2);
	ae_wr_init(&w, AE_ARCHIVED_MAX * 2 + MSG_TEXT_MAX);
	ae_rd_init(&r, m->body, m->len);
	hr = recover(peer->p, &r, &out, &why);
	ae_wr_u32(&w, hr);
	put_bytes(&w, out.p, hr == 0 ? out.len : 0);
	put_str(&w, hr == 0 ? NULL : why.text);
	(void)peer_send(peer, MSG_XCHG_OPENED, m->id, &w);
	ae_wr_done(&out);
	ae_wr_done(&w);
	return AE_OK;
}

/* ---- key attestation ---- */

static void
opened(struct peer *peer, uint32_t id, uint32_t hr,
    const struct ae_secret *found, const char *why)
{
	struct ae_wr w;

	ae_wr_init(&w, AE_EK_INFO_MAX + MSG_TEXT_MAX);
	ae_wr_u32(&w, hr);
	put_bytes(&w, found != NULL ? found->p : NULL,
	    found != NULL ? found->len : 0);
	put_str(&w, hr == 0 ? NULL : why);
	(void)peer_send(peer, MSG_XCHG_OPENED, id, &w);
	ae_wr_done(&w);
}

/*
 * Handed out only when it is what it should be.  Why an envelope does not
 * open is told to nobody: whoever can try many would learn from it.
 */
int
on_xchg_ek(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	static const char closed[] =
	    "the endorsement key cannot be read with the CA's exchange key";
	struct peer *peer = arg;
	struct ae_secret found = { 0 };
	struct ae_ek_info ek;
	uint32_t hr = 0;

	(void)ipc;
	(void)e;
	if (open_any(peer->p->state, &found, m->body, m->len, AE_EK_INFO_MAX,
		"the endorsement key", NULL) != AE_OK)
		hr = AE_HR_CORRUPT_KEY_ATTESTATION;
	else if (ae_ek_info_parse(&ek, found.p, found.len, NULL) != AE_OK)
		hr = AE_HR_INVALID_EK;
	else
		ae_ek_info_done(&ek);
	opened(peer, m->id, hr, hr == 0 ? &found : NULL,
	    hr == AE_HR_INVALID_EK
		? "the endorsement key is not RSA of 2048 bits, or malformed"
		: closed);
	ae_secret_done(&found);
	return AE_OK;
}

/* Is the secret in there that has this hash? */
int
on_xchg_secret(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ae_secret found = { 0 };
	uint8_t hash[AE_HASH_MAX];
	const size_t n = AE_ATTEST_SECRET;
	bool right;

	(void)ipc;
	if (m->len < n)
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "XCHG_SECRET is cut off");
	right = open_any(peer->p->state, &found, m->body + n, m->len - n, n,
		    "the answer", NULL) == AE_OK &&
	    found.len == n &&
	    ae_hash_bytes(hash, AE_HASH_SHA256, found.p, n) == n &&
	    memcmp(hash, m->body, n) == 0;
	opened(peer, m->id, right ? 0 : AE_HR_INVALID_RESPONSE, NULL,
	    "the answer is not the secret");
	ae_secret_done(&found);
	return AE_OK;
}
