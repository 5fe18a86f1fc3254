/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The net role: carries requests to CAs, over DCOM, then ICPR, as the
 * machine.  It has no keys and no store; what it brings back is judged
 * elsewhere.  A connection that stands serves all that is asked of its CA.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempts.h"
#include "gss/cred.h"
#include "role.h"
#include "roles.h"
#include "run/ca_client.h"
#include "wcce/caprop.h"

#define CAS_MAX 32

struct net {
	struct ae_gss_cred *cred;
	struct {
		char *host, *authority;
		struct ae_run_ca *ca;
	} v[CAS_MAX];
	size_t n;
};

struct question {
	const char *host, *authority, *attributes;
	uint64_t ms;
	uint32_t request_id;
	bool full; /* a CMC full response is wanted */
	const uint8_t *der;
	size_t len;
};

static int
malformed(struct ae_err *e)
{
	return ae_fail(
	    e, AE_EPROTO, AE_DOM_NONE, 0, "malformed question: request");
}

static int
read_question(
    struct question *q, struct ae_arena *a, struct ae_rd *in, struct ae_err *e)
{
	q->host = msg_get_str(a, in, 512);
	q->authority = msg_get_str(a, in, 512);
	q->ms = ae_rd_u64(in);
	q->attributes = msg_get_str(a, in, 4096);
	q->request_id = ae_rd_u32(in);
	q->full = ae_rd_u8(in) != 0;
	q->der = msg_get_bytes(in, AE_WCCE_REQUEST_MAX, &q->len);
	if (!ae_rd_done(in) || q->host == NULL || q->authority == NULL ||
	    q->ms == 0 || q->ms > 3600000 ||
	    (q->request_id == 0) != (q->len > 0))
		return malformed(e);
	return AE_OK;
}

/* The CA as it was left by the last question, or a new one. */
static int
find_ca(struct ae_run_ca **out, struct net *n, const char *host,
    const char *authority, uint64_t ms, struct ae_err *e)
{
	struct ae_run_ca_config conf = {
		.host = host, .authority = authority, .total_ms = (uint32_t)ms
	};
	size_t i;
	int rc;

	for (i = 0; i < n->n; i++)
		if (strcmp(n->v[i].host, host) == 0 &&
		    strcmp(n->v[i].authority, authority) == 0) {
			*out = n->v[i].ca;
			return AE_OK;
		}
	if (n->n == CAS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d CAs in one run", CAS_MAX);
	if (n->cred == NULL) {
		rc = ae_gss_cred_ccache(&n->cred, NULL, e);
		if (rc != AE_OK)
			return rc;
	}
	conf.cred = n->cred;
	n->v[i].host = strdup(host);
	n->v[i].authority = strdup(authority);
	rc = n->v[i].host == NULL || n->v[i].authority == NULL
	    ? ae_fail_mem(e)
	    : ae_run_ca_new(&n->v[i].ca, &conf, e);
	if (rc != AE_OK) {
		free(n->v[i].host);
		free(n->v[i].authority);
		return rc;
	}
	n->n++;
	*out = n->v[i].ca;
	return AE_OK;
}

static void
net_done(struct net *n)
{
	size_t i;

	for (i = 0; i < n->n; i++) {
		ae_run_ca_free(n->v[i].ca);
		free(n->v[i].host);
		free(n->v[i].authority);
	}
	ae_gss_cred_free(n->cred);
}

static const char *
answered_by(const struct ae_run_ca *ca)
{
	const struct ae_run_attempt *v;
	size_t n;

	v = ae_run_ca_attempts(ca, &n);
	return n == 0 ? "" : ae_run_transport_name(v[n - 1].transport);
}

/*
 * One byte says whether the CA answered; then its answer, or why nobody
 * did and whether the request may have arrived all the same; then in either
 * case how each attempt went, as JSON.
 */
static int
put_answer(struct ae_wr *out, const struct ae_wcce_reply *reply,
    const struct ae_run_ca *ca, const struct ae_err *why, const char *config,
    struct ae_err *e)
{
	json_t *j = attempts_to_json(ca, config);
	char *text = json_dumps(j, JSON_COMPACT);
	struct ae_wr err;

	json_decref(j);
	if (text == NULL)
		return ae_fail_mem(e);
	ae_wr_u8(out, why->rc == AE_OK);
	if (why->rc != AE_OK) {
		ae_wr_u8(out, ae_run_ca_in_doubt(ca));
		ae_wr_init(&err, 4096);
		msg_put_err(&err, why);
		msg_put_bytes(out, err.p, err.len);
		ae_wr_done(&err);
	} else {
		ae_wr_u32(out, reply->disposition);
		ae_wr_u32(out, reply->request_id);
		msg_put_str(out, reply->message);
		msg_put_str(out, answered_by(ca));
		msg_put_bytes(out, reply->chain.p, reply->chain.len);
	}
	msg_put_bytes(out, text, strlen(text));
	free(text);
	return AE_OK;
}

/* A new request, or (request_id) one that was left at the CA. */
static int
on_request(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_REQUEST };
	struct ae_arena *a = ae_arena_new(32u * 1024u * 1024u);
	struct ae_wcce_reply reply = { 0 };
	struct ae_run_ca *ca = NULL;
	struct ae_err why = AE_ERR_INIT;
	struct question q = { 0 };
	int rc;

	rc = a == NULL ? ae_fail_mem(e) : read_question(&q, a, in, e);
	if (rc == AE_OK)
		rc = find_ca(&ca, r->state, q.host, q.authority, q.ms, e);
	if (rc != AE_OK)
		goto out;
	rq.attributes = q.attributes;
	rq.request_id = q.request_id;
	rq.flags = q.full ? AE_CR_IN_FULLRESPONSE : 0;
	if (q.len > 0)
		rq.csr = (struct ae_wcce_blob){ q.der, q.len };
	if (ae_run_ca_ask(ca, &rq, &reply, a, &why) == AE_OK &&
	    reply.hresult != 0)
		(void)ae_fail(&why, AE_EREMOTE, AE_DOM_HRESULT,
		    (int64_t)reply.hresult, "the CA answered 0x%08x",
		    reply.hresult);
	rc = put_answer(out, &reply, ca, &why,
	    ae_arena_printf(a, "%s\\%s", q.host, q.authority), e);
out:
	ae_arena_free(a);
	return rc;
}

/* The certificate to which keys for the archive are encrypted, DER. */
static int
on_exchange(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_GETPROPERTY,
		.prop_id = AE_CR_PROP_CAXCHGCERT,
		.prop_type = AE_PROPTYPE_BINARY };
	struct ae_arena *a = ae_arena_new(4u * 1024u * 1024u);
	struct ae_wcce_reply reply = { 0 };
	const char *host, *authority;
	struct ae_run_ca *ca = NULL;
	uint64_t ms;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	host = msg_get_str(a, in, 512);
	authority = msg_get_str(a, in, 512);
	ms = ae_rd_u64(in);
	rc = !ae_rd_done(in) || host == NULL || authority == NULL || ms == 0 ||
		ms > 3600000
	    ? malformed(e)
	    : find_ca(&ca, r->state, host, authority, ms, e);
	if (rc == AE_OK)
		rc = ae_run_ca_ask(ca, &rq, &reply, a, e);
	if (rc == AE_OK && reply.hresult != 0)
		rc = ae_fail(e, AE_EREMOTE, AE_DOM_HRESULT,
		    (int64_t)reply.hresult, "the CA answered 0x%08x",
		    reply.hresult);
	if (rc == AE_OK)
		msg_put_bytes(out, reply.value.p, reply.value.len);
	ae_arena_free(a);
	return rc == AE_OK
	    ? AE_OK
	    : ae_note(e, rc, "asking for the CA's exchange certificate");
}

static const struct role_question questions[] = {
	{ ROLE_REQUEST, on_request },
	{ ROLE_EXCHANGE, on_exchange },
	{ 0, NULL },
};

int
role_net(const struct client *c, int fd, struct ae_err *e)
{
	/* Kerberos and the resolver read their configuration; tickets for
	 * the CA are added to the cache. */
	const char *reads[] = { "/etc", "/usr/lib", "/usr/share", "/lib",
		"/run/systemd/resolve", c->ccache, c->krb5_more, NULL };
	const char *writes[] = { c->ccache, NULL };
	struct ae_sandbox box = { .user = c->role_user,
		.may = AE_MAY_READ_FILES | AE_MAY_WRITE_FILES | AE_MAY_CONNECT |
		    AE_MAY_RESOLVE,
		.read_paths = reads,
		.write_paths = writes,
		.max_file_size = 1024u * 1024u,
		.require = c->require_sandbox };
	struct net n = { 0 };
	struct role r = { .c = c, .state = &n };
	int rc;

	rc = role_serve(&r, fd, &box, questions, e);
	net_done(&n);
	return rc;
}
