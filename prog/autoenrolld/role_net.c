/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The net role: carries one request at a time to one CA, over DCOM, then
 * ICPR, as the machine.  It has no keys and no store; what it brings back is
 * judged elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempts.h"
#include "gss/cred.h"
#include "role.h"
#include "roles.h"
#include "run/ca_client.h"

struct question {
	const char *host, *authority, *attributes;
	uint64_t ms;
	const uint8_t *der;
	size_t len;
};

static int
read_question(
    struct question *q, struct ae_arena *a, struct ae_rd *in, struct ae_err *e)
{
	q->host = msg_get_str(a, in, 512);
	q->authority = msg_get_str(a, in, 512);
	q->attributes = msg_get_str(a, in, 4096);
	q->ms = ae_rd_u64(in);
	q->der = msg_get_bytes(in, AE_WCCE_REQUEST_MAX, &q->len);
	if (!ae_rd_done(in) || q->host == NULL || q->authority == NULL ||
	    q->attributes == NULL || q->ms == 0 || q->ms > 3600000)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "malformed question: request");
	return AE_OK;
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
 * did; then in either case how each attempt went, as JSON.
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

static int
on_request(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_REQUEST };
	struct ae_arena *a = ae_arena_new(32u * 1024u * 1024u);
	struct ae_run_ca_config conf = { 0 };
	struct ae_wcce_reply reply = { 0 };
	struct ae_gss_cred *cred = NULL;
	struct ae_run_ca *ca = NULL;
	struct ae_err why = AE_ERR_INIT;
	struct question q = { 0 };
	int rc;

	(void)r;
	rc = a == NULL ? ae_fail_mem(e) : read_question(&q, a, in, e);
	if (rc == AE_OK)
		rc = ae_gss_cred_ccache(&cred, NULL, e);
	if (rc != AE_OK)
		goto out;
	conf.host = q.host;
	conf.authority = q.authority;
	conf.cred = cred;
	conf.total_ms = (uint32_t)q.ms;
	rq.attributes = q.attributes;
	rq.csr = (struct ae_wcce_blob){ q.der, q.len };
	rc = ae_run_ca_new(&ca, &conf, e);
	if (rc != AE_OK)
		goto out;
	if (ae_run_ca_ask(ca, &rq, &reply, a, &why) == AE_OK &&
	    reply.hresult != 0)
		(void)ae_fail(&why, AE_EREMOTE, AE_DOM_HRESULT,
		    (int64_t)reply.hresult, "the CA answered 0x%08x",
		    reply.hresult);
	rc = put_answer(out, &reply, ca, &why,
	    ae_arena_printf(a, "%s\\%s", q.host, q.authority), e);
out:
	ae_run_ca_free(ca);
	ae_gss_cred_free(cred);
	ae_arena_free(a);
	return rc;
}

static const struct role_question questions[] = {
	{ ROLE_REQUEST, on_request },
	{ 0, NULL },
};

int
role_net(const struct client *c, int fd, struct ae_err *e)
{
	/* Kerberos and the resolver read their configuration; tickets for
	 * the CA are added to the cache. */
	const char *reads[] = { "/etc", "/usr/lib", "/usr/share", "/lib",
		"/run/systemd/resolve", c->ccache, NULL };
	const char *writes[] = { c->ccache, NULL };
	struct ae_sandbox box = { .user = c->role_user,
		.may = AE_MAY_READ_FILES | AE_MAY_WRITE_FILES | AE_MAY_CONNECT |
		    AE_MAY_RESOLVE,
		.read_paths = reads,
		.write_paths = writes,
		.max_file_size = 1024u * 1024u,
		.require = c->require_sandbox };
	struct role r = { .c = c };

	return role_serve(&r, fd, &box, questions, e);
}
