/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The process with the CA key.  It receives whole certificates and CRLs to
 * be signed, judges them by its own configuration, and signs.
 */
#include "sign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "pki/attest.h"
#include "pki/envelope.h"
#include "pki/ocsp.h"
#include "pki/recover.h"
#include "sys/clock.h"
#include "sys/sandbox.h"

#define PROBE_MS 1000 /* a device that is away is asked so often */
#define WELL_MS 2000  /* and one that is there */

static void learn(struct signer *s, int rc, const struct ae_err *why);

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

/* Of an enveloped message, which nobody but its recipients can read. */
static int
sign_archived(struct signer *s, const struct ae_ca_cert *c, struct ae_der what,
    struct ae_wr *sig, struct ae_err *e)
{
	const struct ae_sigalg *alg = &ae_ca_cert_key(&s->ca.list, c)->alg;
	struct ae_wr attrs;
	int rc;

	ae_wr_init(&attrs, 1024);
	rc = ae_archive_attrs(&attrs, what.p, what.len, alg->hash, e);
	if (rc == AE_OK)
		rc = ae_key_sign(
		    sig, s->key[c->key], alg, attrs.p, attrs.len, e);
	ae_wr_done(&attrs);
	return rc;
}

static int
judge(struct ae_ca_signing *which, const struct ae_ca_sign_config *cfg,
    uint32_t type, struct ae_der what, int64_t now, struct ae_err *e)
{
	if (type == MSG_SIGN)
		return ae_ca_sign_check_which(
		    which, cfg, what.p, what.len, now, e);
	return ae_ca_sign_check_response(cfg, what.p, what.len, e);
}

/* Under the certificate of this index: judged as it says, with its key. */
static int
sign_under(struct signer *s, unsigned index, uint32_t type, struct ae_der what,
    struct ae_wr *sig, struct ae_err *e)
{
	const struct ae_ca_cert *c = ae_ca_certs_get(&s->ca.list, index);
	struct ae_ca_signing which;
	int rc;

	if (c == NULL)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "not signed: the CA has no certificate %u", index);
	rc = type == MSG_SIGN_ARCHIVED
	    ? AE_OK
	    : judge(&which, &s->cfg[c->index], type, what, ae_clock_now(), e);
	if (rc == AE_OK && type == MSG_SIGN)
		rc = note_may(s, e);
	if (rc != AE_OK)
		return rc;
	if (s->key[c->key] == NULL)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "the key of the CA's certificate %u is not here", index);
	if (type == MSG_SIGN_ARCHIVED)
		return sign_archived(s, c, what, sig, e);
	rc = ae_key_sign(sig, s->key[c->key],
	    &ae_ca_cert_key(&s->ca.list, c)->alg, what.p, what.len, e);
	return rc == AE_OK && type == MSG_SIGN
	    ? note_take(
		  s, &which, ae_ca_cert_key(&s->ca.list, c)->index, what, e)
	    : rc;
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
	learn(s, rc, &why);
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
			.max_postdate = c->request_dates ? c->max_validity : 0,
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

/* ---- keys ---- */

/* A key goes to the certificates that have it. */
static int
place_key(
    struct signer *s, struct ae_key *take, const char *uri, struct ae_err *e)
{
	size_t i;

	for (i = 0; i < s->ca.list.nkeys; i++)
		if (ae_key_same_public(s->ca.list.keys[i].pub, take) &&
		    s->key[i] == NULL) {
			s->key[i] = take;
			return AE_OK;
		}
	ae_key_free(take);
	return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
	    "%s is not the key of any certificate of the CA", uri);
}

static bool
in_token(const char *uri)
{
	return strncmp(uri, "pkcs11:", 7) == 0;
}

/*
 * Keys in files, while we may read them.  One in a TPM's file is used in the
 * sandbox only.
 */
static void
open_files(struct proc *p, struct ae_err *why)
{
	struct signer *s = p->state;
	struct ae_key *k;
	size_t i;

	for (i = 0; i < p->conf.keys.n; i++) {
		const char *uri = p->conf.keys.v[i];

		if (in_token(uri) ||
		    (cakeys_open(&k, s->keys, uri, NULL, why) == AE_OK &&
			place_key(s, k, uri, why) == AE_OK))
			continue;
		if (p->index == 0 && p->conf.keys.n > 1)
			log_line(
			    p, AE_LOG_ERROR, "a key of the CA: %s", why->text);
	}
}

/* The place of the key whose id the URI has, as keys made by us do; or -1. */
static int
place_by_id(const struct signer *s, const char *uri)
{
	uint8_t id[AE_KEY_ID_LEN], own[AE_KEY_ID_LEN];
	struct ae_key *none = NULL;
	size_t i;

	if (ae_key_stored_public(&none, id, uri, strlen(uri), NULL) != AE_OK)
		return -1;
	for (i = 0; i < s->ca.list.nkeys; i++)
		if (ae_key_id(own, s->ca.list.keys[i].pub, NULL) == AE_OK &&
		    memcmp(own, id, sizeof(id)) == 0)
			return (int)i;
	return -1;
}

/*
 * Which URI of a token is which of the keys that no file has: by its id, and
 * of those that others made, the last for the newest, because it is the old
 * ones that are taken away.
 */
static void
assign_tokens(const struct signer *s, const char **uri_of)
{
	const struct conf *c = &s->p->conf;
	size_t i, k = s->ca.list.nkeys;
	int place;

	for (i = 0; i < c->keys.n; i++)
		if (in_token(c->keys.v[i]) &&
		    (place = place_by_id(s, c->keys.v[i])) >= 0)
			uri_of[place] = c->keys.v[i];
	for (i = c->keys.n; i > 0; i--) {
		if (!in_token(c->keys.v[i - 1]) ||
		    place_by_id(s, c->keys.v[i - 1]) >= 0)
			continue;
		while (
		    k > 0 && (s->key[k - 1] != NULL || uri_of[k - 1] != NULL))
			k--;
		if (k == 0)
			return;
		uri_of[--k] = c->keys.v[i - 1];
	}
}

/* Keys in tokens, in the sandbox: their library runs as what we are. */
static void
open_tokens(struct proc *p, struct ae_err *why)
{
	const char *uri_of[AE_CA_SIGNING_MAX] = { NULL };
	struct signer *s = p->state;
	size_t i;

	assign_tokens(s, uri_of);
	for (i = 0; i < s->ca.list.nkeys; i++) {
		if (s->key[i] != NULL || uri_of[i] == NULL)
			continue;
		if (cakeys_open(&s->key[i], s->keys, uri_of[i],
			s->ca.list.keys[i].pub, why) < 0 &&
		    p->index == 0)
			log_line(
			    p, AE_LOG_ERROR, "a key of the CA: %s", why->text);
	}
}

/*
 * Without the newest key there is no CA.  An older one is needed for CRLs
 * alone, and without it the others go on.
 */
static int
all_there(struct proc *p, const struct ae_err *why, struct ae_err *e)
{
	struct signer *s = p->state;
	const struct ae_ca_certs *l = &s->ca.list;
	size_t i;

	for (i = 0; i < l->nkeys; i++) {
		if (s->key[i] != NULL ||
		    !ae_ca_key_lives(&l->keys[i], ae_clock_now()))
			continue;
		if (i == l->v[l->n - 1].key)
			return why->rc != AE_OK
			    ? ae_fail(e, why->rc, AE_DOM_NONE, 0,
				  "opening the CA key: %s", why->text)
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

/* ---- what a device needs of the sandbox ---- */

static bool
any_token(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->keys.n; i++)
		if (in_token(c->keys.v[i]))
			return true;
	return false;
}

static bool
any_tpm(const struct signer *s)
{
	size_t i;

	for (i = 0; i < s->ca.list.nkeys; i++)
		if (s->key[i] != NULL &&
		    ae_key_home(s->key[i]) == AE_KEY_IN_TPM)
			return true;
	return false;
}

/*
 * Libraries are loaded when a device is first used.  A TPM is one device
 * file; a simulator or resource manager is a socket.  What a PKCS#11 library
 * needs only the admin knows.  A key in a file needs nothing of this.
 */
static int
widen_sandbox(struct proc *p, struct ae_err *e)
{
	static const char *const libraries[] = { "/usr/lib", "/lib", "/lib64",
		"/etc", "/usr/share/p11-kit", NULL };
	struct signer *s = p->state;
	const bool token = any_token(&p->conf), tpm = any_tpm(s);
	const char *tcti = cakeys_tcti(&p->conf), *file;
	bool ok = true;
	size_t i;

	if (!token && !tpm)
		return AE_OK;
	p->may |= AE_MAY_READ_FILES | AE_MAY_WRITE_FILES;
	p->ngroups = cakeys_groups(p->uid, p->gid, p->groups,
	    sizeof(p->groups) / sizeof(p->groups[0]));
	for (i = 0; libraries[i] != NULL; i++)
		ok = ok && proc_allow_read(p, libraries[i]);
	if (tpm && tcti != NULL) {
		file = cakeys_tcti_file(tcti);
		ok = ok && (file == NULL || proc_allow_write(p, file));
		if (strncmp(tcti, "device:", 7) != 0)
			p->may |= AE_MAY_CONNECT;
	}
	if (token && p->conf.pkcs11_module != NULL)
		ok = ok && proc_allow_read(p, p->conf.pkcs11_module);
	for (i = 0; token && i < p->conf.pkcs11_paths.n; i++)
		ok = ok && proc_allow_write(p, p->conf.pkcs11_paths.v[i]);
	if (token && p->conf.pkcs11_network)
		p->may |= AE_MAY_CONNECT | AE_MAY_RESOLVE;
	return ok ? AE_OK : ae_fail_mem(e);
}

/* The PIN is tried by one signer at a time; see cakeys_share(). */
static int
share_pin(struct proc *p, struct ae_err *e)
{
	struct signer *s = p->state;
	char *path = conf_path(&p->conf, PIN_TRIED);
	int fd;

	if (path == NULL)
		return ae_fail_mem(e);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	free(path);
	if (fd < 0)
		return ae_fail_errno(e, errno, PIN_TRIED);
	cakeys_share(s->keys, fd);
	return AE_OK;
}

/* ---- is the device there? ---- */

static void
tell_state(struct signer *s, bool well, const char *why)
{
	struct ae_wr w;

	if (s->told && s->well == well)
		return;
	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u8(&w, well);
	put_str(&w, well ? NULL : why);
	s->told = peer_send(peer_of(s->p, ROLE_CA, 0), MSG_SIGN_STATE, 0, &w);
	s->well = well;
	ae_wr_done(&w);
}

static struct ae_key *
newest_key(const struct signer *s)
{
	return s->key[s->ca.list.v[s->ca.list.n - 1].key];
}

/*
 * A token is asked whether it is there, so that all signers know, not only
 * the one that was to sign; one that is away, more often.
 */
static void
on_probe(void *arg)
{
	struct signer *s = arg;
	struct ae_err e = AE_ERR_INIT;
	int rc = cakeys_ready(s->keys, newest_key(s), &e);

	tell_state(s, rc == AE_OK, e.text);
	ae_source_set_timer(
	    s->probe, ae_clock_mono_ms() + (rc == AE_OK ? WELL_MS : PROBE_MS));
}

/* What signing told of the device. */
static void
learn(struct signer *s, int rc, const struct ae_err *why)
{
	if (!s->device || rc == AE_EDENIED || rc == AE_EINVAL)
		return;
	tell_state(s, rc == AE_OK, why->text);
	if (rc == AE_OK)
		return;
	/* What it was connected to is gone; the next of us connects anew. */
	if (ae_key_home(newest_key(s)) == AE_KEY_IN_TPM) {
		log_line(s->p, AE_LOG_ERROR, "the TPM: %s", why->text);
		proc_exit(s->p, 1);
		return;
	}
	ae_source_set_timer(s->probe, ae_clock_mono_ms() + PROBE_MS);
}

static void
peer_up(struct proc *p, struct peer *peer)
{
	struct signer *s = p->state;

	if (peer->role == ROLE_DB)
		note_db_up(s);
	if (peer->role != ROLE_CA)
		return;
	s->told = false;
	if (s->device)
		ae_source_set_timer(s->probe, 0);
}

/* ---- life ---- */

static int
sign_open(struct proc *p, struct ae_err *e)
{
	struct signer *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	p->state = s;
	s->p = p;
	rc = cafile_read(&s->ca, &p->conf, false, e);
	if (rc == AE_OK)
		rc = cakeys_new(&s->keys, &p->conf, e);
	if (rc < 0)
		return rc;
	configure(s, &p->conf);
	open_files(p, &s->why);
	if (any_token(&p->conf))
		rc = share_pin(p, e);
	return rc == AE_OK ? widen_sandbox(p, e) : rc;
}

static void
on_figures(void *arg)
{
	struct signer *s = arg;
	const struct ae_ca_certs *l = &s->ca.list;

	s->m.v[M_KEY_USABLE] = s->key[l->v[l->n - 1].key] != NULL &&
	    (!s->device || !s->told || s->well);
	figures_send(s->p, &s->m);
	ae_source_set_timer(s->figures, ae_clock_mono_ms() + FIGURES_MS);
}

static int
sign_start(struct proc *p, struct ae_err *e)
{
	struct signer *s = p->state;
	int rc;

	open_tokens(p, &s->why);
	rc = all_there(p, &s->why, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&s->probe, p->loop, on_probe, s, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&s->figures, p->loop, on_figures, s, e);
	if (rc == AE_OK) {
		s->device = ae_key_home(newest_key(s)) != AE_KEY_IN_SOFTWARE;
		on_figures(s);
	}
	return rc;
}

static const struct ae_ipc_row ca_rows[] = {
	{ MSG_SIGN, 2 + AE_CA_TBS_MAX, 1, false, on_sign },
	{ MSG_SIGN_CRL_HEAD, 2 + AE_CRL_HEAD_MAX, 1, false, on_sign_crl_head },
	{ MSG_SIGN_CRL_LIST, MSG_CRL_PART_MAX, 1, false, on_sign_crl_list },
	{ MSG_SIGN_CRL_TAIL, AE_CRL_HEAD_MAX, 1, false, on_sign_crl_tail },
	{ MSG_SIGN_RESPONSE, 2 + 4096, 1, false, on_sign },
	{ MSG_SIGN_ARCHIVED, 2 + AE_ARCHIVED_MAX, 1, false, on_sign },
	{ MSG_OCSP_NEW, 0, 1, false, on_ocsp_new },
	{ MSG_XCHG_NEW, 0, 1, false, on_xchg_new },
	{ MSG_XCHG_CERT, AE_PKI_CERT_MAX, 1, false, on_xchg_cert },
	{ MSG_XCHG_OPEN, XCHG_OPEN_MAX, 1, false, on_xchg_open },
	{ MSG_XCHG_EK, AE_ENVELOPE_MAX, 1, false, on_xchg_ek },
	{ MSG_XCHG_SECRET, AE_ENVELOPE_MAX + AE_ATTEST_SECRET, 1, false,
	    on_xchg_secret },
	{ .handle = NULL },
};

static const struct ae_ipc_row ocsp_rows[] = {
	{ MSG_SIGN_OCSP, AE_OCSP_DATA_MAX, 1, false, on_sign_ocsp },
	{ .handle = NULL },
};

static const struct ae_ipc_row db_rows[] = {
	{ MSG_NOTED, 8, 1, false, on_noted },
	{ .handle = NULL },
};

static const struct role_link links[] = {
	{ ROLE_CA, ca_rows },
	{ ROLE_OCSP, ocsp_rows },
	{ ROLE_DB, db_rows },
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
	.peer_up = peer_up,
};
