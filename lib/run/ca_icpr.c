/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * MS-ICPR: ICertPassage::CertServerRequest over TCP, sealed.  The port comes
 * from the endpoint mapper of the CA's own host.
 */
#include <stdio.h>

#include "run/ca_impl.h"
#include "wcce/icpr.h"

#define SPN_MAX 300

static void
icpr_close(struct ae_run_ca *ca, bool politely)
{
	(void)politely;
	ae_run_rpc_close(ca->icpr);
	ca->icpr = NULL;
}

static int
icpr_open(struct ae_run_ca *ca, struct ae_err *e)
{
	struct ae_rpc_syntax iface = { .uuid = ae_iid_icertpassage };
	struct ae_run_target t = ae_run_ca_target(ca);
	struct ae_run_ca_known *known = ca->config.known;
	uint16_t port = known != NULL ? known->icpr_port : 0;
	char spn[SPN_MAX];
	int rc = AE_OK;

	if (ca->icpr != NULL && ae_run_rpc_alive(ca->icpr)) {
		ae_run_rpc_until(ca->icpr, ca->deadline);
		return AE_OK;
	}
	icpr_close(ca, false);
	if (port == 0)
		rc = ae_run_epm_port(&port, &t, &iface, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(spn, sizeof(spn), "host/%s", ca->host);
	t.port = port;
	t.auth = AE_RPC_AUTH_SPNEGO;
	t.level = AE_RPC_LEVEL_PRIVACY;
	t.spn = spn;
	t.ifaces = &iface;
	t.nifaces = 1;
	rc = ae_run_rpc_open(&ca->icpr, &t, e);
	if (known != NULL)
		known->icpr_port = rc == AE_OK ? port : 0;
	return rc;
}

static int
icpr_ask(struct ae_run_ca *ca, struct ae_wcce_request *rq,
    struct ae_wcce_reply *reply, struct ae_arena *a, bool *acted,
    struct ae_err *e)
{
	struct ae_run_reply r;
	struct ae_wr stub;
	int rc;

	*acted = false;
	rq->iface = AE_WCCE_ICERTPASSAGE;
	rq->opnum = AE_OP_CERTSERVERREQUEST;
	rq->flags &= ~AE_CR_IN_FULLRESPONSE;
	rq->serial = NULL;
	rc = icpr_open(ca, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&stub, AE_RUN_CA_STUB_MAX);
	rc = ae_wcce_request_encode(&stub, rq, e);
	if (rc == AE_OK) {
		rc = ae_run_rpc_call(ca->icpr, 0, rq->opnum, NULL, stub.p,
		    stub.len, ae_wcce_method_name(rq->iface, rq->opnum), &r, e);
		*acted = rc != AE_OK && ae_run_ca_acted(&r);
	}
	if (rc == AE_OK) {
		rc = ae_wcce_reply_decode(
		    reply, rq, r.stub, r.len, r.big_endian, a, e);
		*acted = rc != AE_OK;
	}
	ae_wr_done(&stub);
	return rc;
}

const struct ae_run_ca_way ae_run_ca_icpr = {
	.name = "icpr",
	.ask = icpr_ask,
	.close = icpr_close,
};
