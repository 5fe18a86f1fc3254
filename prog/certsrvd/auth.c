/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The process with the keytab.  It does one thing: the accept step of a
 * Kerberos exchange.  When that is complete it tells ca who it was, waits
 * for the acknowledgement, and only then hands the context over.
 */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "gss/caller.h"
#include "gss/cred.h"
#include "gss/ctx.h"
#include "keytab.h"
#include "metrics.h"
#include "role.h"
#include "sys/clock.h"
#include "sys/sandbox.h"

#define HALVES_MAX 1024u /* exchanges of one rpc process */

/* One exchange. */
struct half {
	struct half *next;
	struct peer *peer;
	uint32_t conn, auth;
	struct ae_gss_ctx *ctx;
	/* complete, and ca is being told: */
	uint64_t name;
	uint32_t ask; /* id of MSG_CALLER; 0: not yet */
	struct ae_sid sid;
	struct ae_wr token; /* the last one, for the client */
};

struct auth {
	struct proc *p;
	struct ae_source *figures;
	struct metrics m;
	struct ae_gss_cred *cred;
	char *keytab; /* our copy */
	struct half *halves;
	uint32_t next_ask;
};

static void
half_free(struct half *h)
{
	ae_gss_ctx_free(h->ctx);
	ae_wr_wipe(&h->token);
	free(h);
}

static struct half **
half_find(struct auth *a, const struct peer *peer, uint32_t conn, uint32_t auth)
{
	struct half **h;

	for (h = &a->halves; *h != NULL; h = &(*h)->next)
		if ((*h)->peer == peer && (*h)->conn == conn &&
		    (*h)->auth == auth)
			break;
	return h;
}

/*
 * Counted for each process by itself: whoever floods port 135, where nobody
 * needs a ticket to begin, must not close the CA's port.
 */
static size_t
halves_of(const struct auth *a, const struct peer *peer)
{
	const struct half *h;
	size_t n = 0;

	for (h = a->halves; h != NULL; h = h->next)
		n += h->peer == peer;
	return n;
}

static void
half_remove(struct half **h)
{
	struct half *gone = *h;

	*h = gone->next;
	half_free(gone);
}

static void
answer(struct half *h, enum msg type, const void *p, size_t len)
{
	struct ae_wr w;

	ae_wr_init(&w, MSG_TOKEN_MAX);
	ae_wr_u32(&w, h->conn);
	ae_wr_u32(&w, h->auth);
	if (type == MSG_AUTH_FAILED)
		put_bytes(&w, p, len);
	else
		ae_wr_bytes(&w, p, len);
	(void)peer_send(h->peer, type, 0, &w);
	ae_wr_done(&w);
}

static void
fail(struct half **h, const char *why)
{
	struct auth *a = (*h)->peer->p->state;

	a->m.v[M_AUTH_FAILED]++;
	answer(*h, MSG_AUTH_FAILED, why, strlen(why));
	half_remove(h);
}

/* ---- handing over ---- */

static void
hand_over(struct half **at)
{
	struct half *h = *at;
	struct ae_secret exported = { NULL, 0 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	if (ae_gss_export(h->ctx, &exported, &e) < 0) {
		fail(at, e.text);
		return;
	}
	ae_wr_init(&w, MSG_CONTEXT_MAX);
	ae_wr_u32(&w, h->conn);
	ae_wr_u32(&w, h->auth);
	ae_wr_u64(&w, h->name);
	ae_sid_put(&w, &h->sid);
	put_bytes(&w, h->token.p, h->token.len);
	put_bytes(&w, exported.p, exported.len);
	((struct auth *)h->peer->p->state)->m.v[M_AUTH_OK]++;
	(void)peer_send_secret(h->peer, MSG_AUTH_DONE, 0, &w);
	ae_wr_wipe(&w);
	ae_secret_done(&exported);
	half_remove(at);
}

/*
 * Who it is, to ca.  Contexts for port 135 are not for certificates: ca
 * never hears their names, so they are worth nothing there.
 */
static int
introduce(struct auth *a, struct proc *p, struct half *h, struct ae_err *e)
{
	struct ae_caller *caller = NULL;
	struct ae_wr w;
	int rc;

	rc = ae_caller_get(&caller, h->ctx, e);
	if (rc < 0)
		return rc;
	h->sid = caller->user;
	do
		h->name = ae_random_u64();
	while (h->name == 0);
	if (h->peer->role == ROLE_RPC) {
		if (++a->next_ask == 0)
			a->next_ask = 1;
		h->ask = a->next_ask;
		ae_wr_init(&w, MSG_CALLER_MAX);
		ae_wr_u64(&w, h->name);
		ae_wr_u8(&w, h->peer->index);
		ae_wr_u32(&w, h->peer->generation);
		ae_caller_encode(&w, caller);
		if (!peer_send(peer_of(p, ROLE_CA, 0), MSG_CALLER, h->ask, &w))
			rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
			    "the CA process is not there");
		ae_wr_done(&w);
	}
	ae_caller_free(caller);
	return rc;
}

static int
on_caller_ok(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct auth *a = peer->p->state;
	struct half **h;

	(void)ipc;
	(void)e;
	for (h = &a->halves; *h != NULL; h = &(*h)->next)
		if ((*h)->ask == m->id && m->id != 0)
			break;
	/* The client may have gone meanwhile; its rpc process then said so. */
	if (*h != NULL)
		hand_over(h);
	return AE_OK;
}

/* ---- one leg ---- */

static int
half_new(struct auth *a, struct peer *peer, uint32_t conn, uint32_t auth,
    uint8_t type, uint8_t level, struct ae_err *e)
{
	struct ae_gss_acceptor conf = { .mech = (enum ae_gss_mech)type,
		.level = (enum ae_gss_level)level };
	struct half *h = calloc(1, sizeof(*h));
	int rc;

	if (h == NULL)
		return ae_fail_mem(e);
	rc = ae_gss_ctx_accept(&h->ctx, a->cred, &conf, e);
	if (rc < 0) {
		free(h);
		return rc;
	}
	ae_wr_init(&h->token, AE_GSS_TOKEN_MAX);
	h->peer = peer;
	h->conn = conn;
	h->auth = auth;
	h->next = a->halves;
	a->halves = h;
	return AE_OK;
}

static void
step(struct auth *a, struct proc *p, struct half **at, const uint8_t *token,
    size_t len)
{
	struct half *h = *at;
	struct ae_err e = AE_ERR_INIT;
	bool done = false;
	int rc;

	ae_wr_reset(&h->token);
	rc = ae_gss_step(h->ctx, token, len, &h->token, &done, &e);
	if (rc == AE_OK && !done) {
		answer(h, MSG_AUTH_CONTINUE, h->token.p, h->token.len);
		return;
	}
	if (rc == AE_OK)
		rc = introduce(a, p, h, &e);
	if (rc < 0)
		fail(at, e.text);
	else if (h->ask == 0)
		hand_over(at);
}

static int
on_step(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct auth *a = peer->p->state;
	struct ae_err why = AE_ERR_INIT;
	struct half **h, refused = { .peer = peer };
	uint8_t first, type, level;
	const uint8_t *token;
	struct ae_rd r;
	size_t len;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	refused.conn = ae_rd_u32(&r);
	refused.auth = ae_rd_u32(&r);
	first = ae_rd_u8(&r);
	type = ae_rd_u8(&r);
	level = ae_rd_u8(&r);
	len = ae_rd_left(&r);
	token = ae_rd_take(&r, len);
	if (!ae_rd_done(&r) || first > 1)
		return bad_message(&r, "AUTH_STEP", e);
	h = half_find(a, peer, refused.conn, refused.auth);
	/* A first leg for one that exists, a later one for none, or a leg
	   while ca is being asked: the rpc process is not itself. */
	if ((*h != NULL) != (first == 0) || (*h != NULL && (*h)->ask != 0))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "AUTH_STEP for an exchange in another state");
	if (first == 1) {
		int rc = halves_of(a, peer) >= HALVES_MAX
		    ? ae_fail(&why, AE_ELIMIT, AE_DOM_NONE, 0,
			  "too many exchanges at once")
		    : half_new(a, peer, refused.conn, refused.auth, type, level,
			  &why);

		if (rc < 0) {
			answer(&refused, MSG_AUTH_FAILED, why.text,
			    strlen(why.text));
			return AE_OK;
		}
		h = &a->halves;
	}
	step(a, peer->p, h, token, len);
	return AE_OK;
}

static int
on_drop(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct auth *a = peer->p->state;
	struct ae_rd r;
	uint32_t conn, auth;
	struct half **h;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	conn = ae_rd_u32(&r);
	auth = ae_rd_u32(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "AUTH_DROP", e);
	h = half_find(a, peer, conn, auth);
	/* One that ca is being told about is handed over first: the rpc
	   process then says that its name is to be forgotten. */
	if (*h != NULL && (*h)->ask == 0)
		half_remove(h);
	return AE_OK;
}

/* ---- peers ---- */

static void
peer_down(struct proc *p, struct peer *peer)
{
	struct auth *a = p->state;
	struct half **h = &a->halves;

	while (*h != NULL) {
		if ((*h)->peer == peer)
			half_remove(h);
		else if (peer->role == ROLE_CA && (*h)->ask != 0)
			fail(h, "the CA process was restarted");
		else
			h = &(*h)->next;
	}
}

static int
auth_open(struct proc *p, struct ae_err *e)
{
	struct auth *a = calloc(1, sizeof(*a));
	struct ae_gss_service conf = { .keytab = NULL };
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	p->state = a;
	rc = keytab_copy(p, "keytab", &a->keytab, e);
	if (rc < 0)
		return rc;
	conf.keytab = a->keytab;
	if (!proc_allow_read(p, a->keytab) ||
	    !proc_allow_read(p, p->conf.krb5_conf))
		return ae_fail_mem(e);
	return ae_gss_cred_service(&a->cred, &conf, e);
}

static const struct ae_ipc_row rpc_rows[] = {
	{ MSG_AUTH_STEP, MSG_TOKEN_MAX, 1, false, on_step },
	{ MSG_AUTH_DROP, 8, 1, false, on_drop },
	{ .handle = NULL },
};

static const struct ae_ipc_row ca_rows[] = {
	{ MSG_CALLER_OK, 0, 1, false, on_caller_ok },
	{ .handle = NULL },
};

static const struct role_link links[] = {
	{ ROLE_RPC135, rpc_rows },
	{ ROLE_RPC, rpc_rows },
	{ ROLE_CA, ca_rows },
	{ .rows = NULL },
};

static void
on_figures(void *arg)
{
	struct auth *a = arg;

	figures_send(a->p, &a->m);
	ae_source_set_timer(a->figures, ae_clock_mono_ms() + FIGURES_MS);
}

static int
auth_start(struct proc *p, struct ae_err *e)
{
	struct auth *a = p->state;
	int rc;

	a->p = p;
	rc = ae_loop_timer(&a->figures, p->loop, on_figures, a, e);
	if (rc == AE_OK)
		on_figures(a);
	return rc;
}

const struct role_def role_auth = {
	.role = ROLE_AUTH,
	.user = "_certsrv-auth",
	.may = AE_MAY_READ_FILES,
	.max_memory = 512ULL * 1024 * 1024,
	.oom = 300,
	.links = links,
	.open = auth_open,
	.start = auth_start,
	.peer_down = peer_down,
};
