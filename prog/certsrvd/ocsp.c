/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The process that answers OCSP: what http understood of a request comes in,
 * db says what the serial numbers are, the first signer signs, and the answer
 * goes back to http.  Answers without a nonce are kept until the half of
 * their time is over or the certificate changes.  No network, no keys, no
 * database.
 */
#include "ocsp.h"

#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"

/* ---- issuers ---- */

/* The key of the CA whose certificate this is; NULL: it is not ours. */
static struct ocsp_issuer *
issuer_of(struct ocsp *o, const struct ae_ocsp_id *id)
{
	size_t i;

	for (i = 0; i < o->nissuers; i++) {
		struct ocsp_issuer *s = &o->issuer[i];
		const struct ae_ocsp_issuer *n =
		    id->hash == AE_HASH_SHA1 ? &s->sha1 : &s->sha256;

		if (id->hash != AE_HASH_NONE && id->name_hash.len == n->len &&
		    id->key_hash.len == n->len &&
		    memcmp(id->name_hash.p, n->name, n->len) == 0 &&
		    memcmp(id->key_hash.p, n->key, n->len) == 0)
			return s;
	}
	return NULL;
}

static void
issuer_forget(struct ocsp_issuer *s)
{
	ae_cert_free(s->cert);
	ae_key_free(s->pub);
	s->cert = NULL;
	s->pub = NULL;
}

int
on_ocsp_cert(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ocsp *o = peer->p->state;
	struct ocsp_issuer *s = NULL;
	struct ae_cert *c = NULL;
	struct ae_key *pub = NULL;
	const uint8_t *der;
	struct ae_rd r;
	uint16_t key;
	size_t len, i;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	key = ae_rd_u16(&r);
	der = get_bytes(&r, &len);
	for (i = 0; i < o->nissuers; i++)
		if (o->issuer[i].index == key)
			s = &o->issuer[i];
	if (!ae_rd_done(&r) || s == NULL)
		return bad_message(&r, "OCSP_CERT", e);
	rc = ae_cert_parse(&c, der, len, e);
	if (rc == AE_OK)
		rc = ae_key_from_spki(&pub, c->spki.p, c->spki.len, e);
	if (rc == AE_OK)
		rc = ae_key_id(s->id, pub, e);
	if (rc < 0) {
		ae_cert_free(c);
		ae_key_free(pub);
		return rc;
	}
	issuer_forget(s);
	s->cert = c;
	s->pub = pub;
	cache_clear(o->cache); /* they name the last one's key */
	return AE_OK;
}

/* ---- answers ---- */

static void
ask_end(struct ask *a)
{
	ae_wr_done(&a->data);
	a->used = false;
}

static void
answer(
    struct ocsp *o, uint32_t id, const uint8_t *p, size_t len, uint32_t max_age)
{
	struct ae_wr w;

	ae_wr_init(&w, AE_OCSP_RESPONSE_MAX + 8);
	ae_wr_u32(&w, max_age);
	put_bytes(&w, p, len);
	(void)peer_send(peer_of(o->p, ROLE_HTTP, 0), MSG_OCSP_ANSWER, id, &w);
	ae_wr_done(&w);
}

static void
refuse(struct ocsp *o, uint32_t id, enum ae_ocsp_error what)
{
	struct ae_wr w;

	o->m.v[M_OCSP_ERRORS]++;
	ae_wr_init(&w, 64);
	ae_ocsp_error_put(&w, what);
	answer(o, id, w.p, w.len, 0);
	ae_wr_done(&w);
}

static void
give_up(struct ocsp *o, struct ask *a, enum ae_ocsp_error what)
{
	refuse(o, a->http_id, what);
	ask_end(a);
}

static struct ask *
ask_find(struct ocsp *o, uint32_t id, enum ask_stage stage)
{
	struct ask *a = &o->ask[id % OCSP_ASKS_MAX];

	return a->used && a->id == id && a->stage == stage ? a : NULL;
}

static struct ask *
ask_new(struct ocsp *o, uint32_t http_id)
{
	size_t i;

	for (i = 0; i < OCSP_ASKS_MAX; i++) {
		struct ask *a = &o->ask[++o->attempts % OCSP_ASKS_MAX];

		if (a->used)
			continue;
		memset(a, 0, sizeof(*a));
		a->used = true;
		a->id = o->attempts;
		a->http_id = http_id;
		a->deadline = ae_clock_mono_ms() + ASK_MS;
		a->changes = o->changes;
		return a;
	}
	return NULL;
}

/* ---- a request ---- */

/* Keep what is needed of one CertID; which of our keys it is of. */
static int
take_id(struct ocsp *o, struct ask *a, const uint8_t *der, size_t len,
    struct ae_err *e)
{
	struct ask_id *out = &a->id_of[a->n];
	struct ae_ocsp_request *q = NULL;
	const struct ocsp_issuer *s;
	int rc;

	rc = ae_ocsp_id_parse(&q, der, len, e);
	if (rc < 0)
		return rc;
	s = issuer_of(o, &q->id[0]);
	memcpy(out->der, der, len);
	out->len = len;
	if (a->issuer == NULL)
		a->issuer = s;
	/* of another key than the first, or a number nobody gives: unknown */
	if (s != NULL && a->issuer == s && q->id[0].serial.len > 0 &&
	    q->id[0].serial.len <= AE_DB_SERIAL_MAX) {
		memcpy(out->serial, q->id[0].serial.p, q->id[0].serial.len);
		out->serial_len = q->id[0].serial.len;
	}
	a->n++;
	ae_ocsp_request_free(q);
	return AE_OK;
}

static int
take_request(struct ocsp *o, struct ask *a, struct ae_rd *r, struct ae_err *e)
{
	const uint8_t *p;
	uint8_t i, n;
	size_t len;
	int rc = AE_OK;

	p = get_bytes(r, &len);
	if (len > sizeof(a->nonce))
		ae_rd_fail(r);
	else if (p != NULL && len > 0)
		memcpy(a->nonce, p, a->nonce_len = len);
	n = ae_rd_u8(r);
	if (n == 0 || n > AE_OCSP_IDS_MAX)
		ae_rd_fail(r);
	for (i = 0; i < n && ae_rd_ok(r) && rc == AE_OK; i++) {
		p = get_bytes(r, &len);
		if (p == NULL || len > AE_OCSP_ID_MAX)
			ae_rd_fail(r);
		else
			rc = take_id(o, a, p, len, e);
	}
	return rc == AE_OK && !ae_rd_done(r) ? bad_message(r, "OCSP", e) : rc;
}

static bool
from_cache(struct ocsp *o, const struct ask *a)
{
	const struct cached *c;
	int64_t now = ae_clock_now();

	if (a->n != 1 || a->nonce_len > 0)
		return false;
	c = cache_get(o->cache, a->id_of[0].der, a->id_of[0].len, now);
	if (c == NULL)
		return false;
	o->m.v[M_OCSP_CACHED]++;
	o->m.v[c->status == AE_OCSP_GOOD ? M_OCSP_GOOD : M_OCSP_REVOKED]++;
	answer(o, a->http_id, c->response, c->response_len,
	    (uint32_t)(c->next_update - now));
	return true;
}

/* ---- what db says ---- */

static void
one_status(const struct ask *a, struct ae_rd *r, struct ae_ocsp_single *out)
{
	uint8_t status = ae_rd_u8(r), why;
	uint16_t key = ae_rd_u16(r);
	int64_t at = (int64_t)ae_rd_u64(r);

	why = ae_rd_u8(r);
	if (status == STATUS_NONE || key != a->issuer->index)
		return;
	out->status = status == STATUS_ISSUED ? AE_OCSP_GOOD : AE_OCSP_REVOKED;
	out->revoked = at;
	out->reason = (enum ae_crl_reason)why;
}

static void
count(struct ocsp *o, const struct ask *a)
{
	static const enum metric of[] = { [AE_OCSP_GOOD] = M_OCSP_GOOD,
		[AE_OCSP_REVOKED] = M_OCSP_REVOKED,
		[AE_OCSP_UNKNOWN] = M_OCSP_UNKNOWN };
	size_t i;

	for (i = 0; i < a->n; i++)
		o->m.v[of[a->single[i].status]]++;
}

/* To the signer. */
static void
to_sign(struct ocsp *o, struct ask *a, struct ae_err *e)
{
	const struct ae_der nonce = { a->nonce_len > 0 ? a->nonce : NULL,
		a->nonce_len };
	int rc;

	ae_wr_init(&a->data, AE_OCSP_DATA_MAX);
	rc = ae_ocsp_data_put(
	    &a->data, a->issuer->id, a->now, a->single, a->n, nonce, e);
	if (rc < 0) {
		give_up(o, a, AE_OCSP_INTERNAL);
		return;
	}
	a->stage = ASK_SIGN;
	if (!peer_send(
		peer_of(o->p, ROLE_SIGN, 0), MSG_SIGN_OCSP, a->id, &a->data))
		give_up(o, a, AE_OCSP_TRY_LATER);
}

/* All is known, by what db said of those it was asked about. */
static bool
settle(struct ocsp *o, struct ask *a, struct ae_rd *r)
{
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	a->now = ae_clock_now();
	for (i = 0; i < a->n; i++) {
		struct ae_ocsp_single *s = &a->single[i];

		s->id = (struct ae_der){ a->id_of[i].der, a->id_of[i].len };
		s->status = AE_OCSP_UNKNOWN;
		s->this_update = a->now - BACKDATE;
		s->next_update = a->now + o->p->conf.ocsp_validity;
		if (s->next_update > a->issuer->cert->not_after)
			s->next_update = a->issuer->cert->not_after;
		if (r != NULL && a->id_of[i].serial_len > 0)
			one_status(a, r, s);
	}
	if (r != NULL && !ae_rd_done(r))
		return false;
	count(o, a);
	to_sign(o, a, &e);
	return true;
}

int
on_ocsp_statuses(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ocsp *o = peer->p->state;
	struct ask *a = ask_find(o, m->id, ASK_DB);
	struct ae_rd r;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	if (a == NULL)
		return AE_OK; /* it took too long */
	if (rc < 0 || a->issuer->cert == NULL)
		give_up(o, a, AE_OCSP_TRY_LATER);
	else if (!settle(o, a, &r))
		return bad_message(&r, "DB_STATUSES", e);
	return AE_OK;
}

static void
ask_db(struct ocsp *o, struct ask *a)
{
	struct ae_wr w;
	uint8_t n = 0;
	size_t i;
	bool ok;

	ae_wr_init(&w, MSG_STATUSES_MAX);
	ae_wr_u8(&w, 0);
	for (i = 0; i < a->n; i++)
		if (a->id_of[i].serial_len > 0) {
			put_bytes(
			    &w, a->id_of[i].serial, a->id_of[i].serial_len);
			n++;
		}
	if (ae_wr_ok(&w))
		w.p[0] = n;
	a->stage = ASK_DB;
	if (n == 0) {
		ae_wr_done(&w);
		(void)settle(o, a, NULL);
		return;
	}
	ok = peer_send(peer_of(o->p, ROLE_DB, 0), MSG_DB_STATUS, a->id, &w);
	ae_wr_done(&w);
	if (!ok)
		give_up(o, a, AE_OCSP_TRY_LATER);
}

int
on_ocsp(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ocsp *o = peer->p->state;
	struct ask *a = ask_new(o, m->id);
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (a == NULL) {
		refuse(o, m->id, AE_OCSP_TRY_LATER);
		return AE_OK;
	}
	ae_rd_init(&r, m->body, m->len);
	rc = take_request(o, a, &r, e);
	if (rc < 0) {
		ask_end(a);
		return rc;
	}
	if (a->issuer == NULL)
		give_up(o, a, AE_OCSP_UNAUTHORIZED);
	else if (a->issuer->cert == NULL)
		give_up(o, a, AE_OCSP_TRY_LATER);
	else if (from_cache(o, a))
		ask_end(a);
	else
		ask_db(o, a);
	return AE_OK;
}

/* ---- signed ---- */

static void
deliver(struct ocsp *o, struct ask *a, const struct ae_wr *w)
{
	const struct ae_ocsp_single *s = &a->single[0];
	const bool alone = a->n == 1 && a->nonce_len == 0;
	const bool fixed = alone && s->status != AE_OCSP_UNKNOWN;

	/* Something changed meanwhile: it may have been this one. */
	if (fixed && a->changes == o->changes)
		cache_put(o->cache, &a->id_of[0], s, w, a->now);
	answer(o, a->http_id, w->p, w->len,
	    fixed ? (uint32_t)(s->next_update - a->now) : 0);
	ask_end(a);
}

int
on_ocsp_signed(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ocsp *o = peer->p->state;
	struct ask *a = ask_find(o, m->id, ASK_SIGN);
	struct ae_arena *mem = ae_arena_new(MSG_TEXT_MAX * 2);
	struct ae_err why = AE_ERR_INIT;
	struct ae_sigalg alg;
	const uint8_t *sig;
	struct ae_rd r;
	struct ae_wr w;
	size_t len;
	int rc;

	(void)ipc;
	if (mem == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	sig = get_bytes(&r, &len);
	(void)get_str(&r, mem);
	ae_arena_free(mem);
	if (!ae_rd_done(&r) || rc > 0)
		return bad_message(&r, "SIGNED", e);
	if (a == NULL)
		return AE_OK;
	if (rc < 0 || a->issuer->cert == NULL) {
		give_up(o, a, AE_OCSP_TRY_LATER);
		return AE_OK;
	}
	ae_wr_init(&w, AE_OCSP_RESPONSE_MAX);
	alg = ae_key_sigalg(a->issuer->pub, AE_HASH_SHA256);
	rc = ae_key_verify(
	    a->issuer->pub, &alg, a->data.p, a->data.len, sig, len, &why);
	if (rc == AE_OK)
		rc = ae_ocsp_assemble(&w, a->data.p, a->data.len, &alg, sig,
		    len, a->issuer->cert->der, &why);
	if (rc == AE_OK)
		deliver(o, a, &w);
	else
		give_up(o, a, AE_OCSP_TRY_LATER); /* another key by now */
	ae_wr_done(&w);
	return AE_OK;
}

int
on_ocsp_changed(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ocsp *o = peer->p->state;
	const uint8_t *serial;
	struct ae_rd r;
	size_t len;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	serial = get_bytes(&r, &len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "OCSP_CHANGED", e);
	o->changes++;
	if (len == 0)
		cache_clear(o->cache);
	else
		cache_drop(o->cache, serial, len);
	return AE_OK;
}

/* ---- life ---- */

static void
on_timer(void *arg)
{
	struct ocsp *o = arg;
	int64_t now = ae_clock_mono_ms();
	size_t i;

	for (i = 0; i < OCSP_ASKS_MAX; i++)
		if (o->ask[i].used && now >= o->ask[i].deadline)
			give_up(o, &o->ask[i], AE_OCSP_TRY_LATER);
	if (now >= o->told + FIGURES_MS) {
		o->told = now;
		figures_send(o->p, &o->m);
	}
	ae_source_set_timer(o->timer, now + TICK_MS);
}

static int
one_issuer(struct ocsp_issuer *s, const struct ae_ca_certs *l, size_t key,
    struct ae_err *e)
{
	const struct ae_cert *c = l->v[l->keys[key].newest].cert;
	int rc;

	s->index = l->keys[key].index;
	rc = ae_ocsp_issuer(&s->sha1, AE_HASH_SHA1, c->subject, c->spki, e);
	if (rc == AE_OK)
		rc = ae_ocsp_issuer(
		    &s->sha256, AE_HASH_SHA256, c->subject, c->spki, e);
	return rc;
}

static int
ocsp_open(struct proc *p, struct ae_err *e)
{
	struct ocsp *o = calloc(1, sizeof(*o));
	struct cafile f;
	size_t i;
	int rc;

	if (o == NULL)
		return ae_fail_mem(e);
	p->state = o;
	o->p = p;
	o->cache = cache_new();
	if (o->cache == NULL)
		return ae_fail_mem(e);
	rc = cafile_read(&f, &p->conf, false, e);
	if (rc < 0)
		return rc;
	o->nissuers = f.list.nkeys;
	for (i = 0; i < o->nissuers && rc == AE_OK; i++)
		rc = one_issuer(&o->issuer[i], &f.list, i, e);
	cafile_done(&f);
	return rc;
}

static int
ocsp_start(struct proc *p, struct ae_err *e)
{
	struct ocsp *o = p->state;
	int rc = ae_loop_timer(&o->timer, p->loop, on_timer, o, e);

	if (rc == AE_OK)
		ae_source_set_timer(o->timer, 0);
	return rc;
}

/* The key went with the first signer; ca sends what is certified next. */
static void
peer_down(struct proc *p, struct peer *peer)
{
	struct ocsp *o = p->state;
	const enum ask_stage stage = peer->role == ROLE_DB ? ASK_DB : ASK_SIGN;
	size_t i;

	if (peer->role != ROLE_DB &&
	    (peer->role != ROLE_SIGN || peer->index != 0))
		return;
	for (i = 0; i < OCSP_ASKS_MAX; i++)
		if (o->ask[i].used && o->ask[i].stage == stage)
			give_up(o, &o->ask[i], AE_OCSP_TRY_LATER);
	if (peer->role == ROLE_SIGN)
		for (i = 0; i < o->nissuers; i++)
			issuer_forget(&o->issuer[i]);
}

static const struct ae_ipc_row http_rows[] = {
	{ MSG_OCSP, MSG_OCSP_MAX, 1, false, on_ocsp },
	{ .handle = NULL },
};

static const struct ae_ipc_row ca_rows[] = {
	{ MSG_OCSP_CERT, AE_PKI_CERT_MAX + 16, 1, false, on_ocsp_cert },
	{ MSG_OCSP_CHANGED, 64, 1, false, on_ocsp_changed },
	{ .handle = NULL },
};

static const struct ae_ipc_row db_rows[] = {
	{ MSG_DB_STATUSES, MSG_STATUSES_MAX, 1, false, on_ocsp_statuses },
	{ .handle = NULL },
};

static const struct ae_ipc_row sign_rows[] = {
	{ MSG_SIGNED, AE_SIG_MAX + MSG_TEXT_MAX, 1, false, on_ocsp_signed },
	{ .handle = NULL },
};

static const struct role_link links[] = {
	{ ROLE_HTTP, http_rows },
	{ ROLE_CA, ca_rows },
	{ ROLE_DB, db_rows },
	{ ROLE_SIGN, sign_rows },
	{ .rows = NULL },
};

const struct role_def role_ocsp = {
	.role = ROLE_OCSP,
	.user = "_certsrv-ocsp",
	.may = 0,
	.max_memory = 512ULL * 1024 * 1024,
	.oom = 300,
	.links = links,
	.open = ocsp_open,
	.start = ocsp_start,
	.peer_down = peer_down,
};
