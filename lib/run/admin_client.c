/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See admin_client.h.
 */
#include "run/admin_client.h"

#include <stdlib.h>
#include <string.h>

#include "run/dcom_conn.h"
#include "sys/clock.h"

#define CALL_MS 60000
#define TOTAL_MS 120000 /* with looking up, connecting, activation */

struct ae_run_admin {
	char *host, *authority;
	struct ae_gss_cred *cred;
	uint16_t resolver_port;
	struct ae_run_addrs addrs;
	struct ae_run_dcom dcom;
};

int
ae_run_admin_new(struct ae_run_admin **out, const struct ae_run_admin_config *c,
    struct ae_err *e)
{
	struct ae_run_admin *n;

	if (c->host == NULL || c->host[0] == '\0' || c->cred == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "no host or credential to administer a CA with");
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return ae_fail_mem(e);
	n->host = strdup(c->host);
	n->authority = strdup(c->authority != NULL ? c->authority : "");
	n->cred = c->cred;
	n->resolver_port = c->resolver_port;
	if (n->host == NULL || n->authority == NULL) {
		ae_run_admin_free(n);
		return ae_fail_mem(e);
	}
	*out = n;
	return AE_OK;
}

void
ae_run_admin_free(struct ae_run_admin *c)
{
	if (c == NULL)
		return;
	ae_run_dcom_close(&c->dcom, true);
	free(c->host);
	free(c->authority);
	free(c);
}

static int
reach(struct ae_run_admin *c, struct ae_err *e)
{
	struct ae_dcom_client_config conf = { .host = c->host,
		.clsid = ae_clsid_ccertadmind,
		.iids = &ae_iid_icertadmind2,
		.niids = 1,
		.call_level = AE_RPC_LEVEL_PRIVACY };
	const struct ae_run_target t = { .addrs = &c->addrs,
		.port = c->resolver_port,
		.cred = c->cred,
		.call_ms = CALL_MS,
		.deadline = ae_clock_mono_ms() + TOTAL_MS };
	const struct ae_dcom_proxy *p;
	int rc = AE_OK;

	if (c->addrs.n == 0)
		rc = ae_run_resolve(&c->addrs, c->host, NULL, e);
	if (rc == AE_OK)
		rc = ae_run_dcom_open(&c->dcom, &t, &conf, e);
	if (rc < 0)
		return ae_note(e, rc, "%s (is [admin] network on?)", c->host);
	p = ae_dcom_client_proxy(c->dcom.client, 0);
	return p->hresult == 0
	    ? AE_OK
	    : ae_fail(e, AE_EREMOTE, AE_DOM_HRESULT, p->hresult,
		  "%s has no ICertAdminD2 (0x%08x)", c->host, p->hresult);
}

int
ae_run_admin_ask(struct ae_run_admin *c, struct ae_admin_request *rq,
    struct ae_admin_reply *reply, struct ae_arena *a, struct ae_err *e)
{
	const struct ae_admin_method *m = ae_admin_method_find(rq->opnum);
	const struct ae_dcom_proxy *p;
	struct ae_run_reply r;
	const uint8_t *args;
	struct ae_wr stub;
	size_t len;
	int rc = reach(c, e);

	if (rc < 0)
		return rc;
	rq->authority = c->authority;
	p = ae_dcom_client_proxy(c->dcom.client, 0);
	ae_wr_init(&stub, 2 * AE_ADMIN_STUB_MAX);
	ae_dcom_client_call_begin(c->dcom.client, &stub);
	rc = ae_admin_request_encode(&stub, rq, e);
	if (rc == AE_OK)
		rc = ae_run_rpc_call(c->dcom.rpc, p->iface, rq->opnum, &p->ipid,
		    stub.p, stub.len, m != NULL ? m->name : "?", &r, e);
	ae_wr_done(&stub);
	if (rc == AE_OK)
		rc = ae_dcom_client_answer(
		    r.stub, r.len, r.big_endian, &args, &len, e);
	if (rc == AE_OK)
		rc = ae_admin_reply_decode(
		    reply, rq->opnum, args, len, r.big_endian, a, e);
	if (rc < 0) /* whatever state it is in, the next one starts afresh */
		ae_run_dcom_close(&c->dcom, false);
	return rc;
}
