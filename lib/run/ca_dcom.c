/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * MS-WCCE over DCOM: activates CCertRequestD on the CA's host and prefers
 * ICertRequestD2.
 */
#include <string.h>

#include "run/ca_impl.h"
#include "wcce/icpr.h"

/* Order of preference; also of the activation's answers. */
static const enum ae_wcce_iface ifaces[] = { AE_WCCE_ICERTREQUESTD2,
	AE_WCCE_ICERTREQUESTD };
#define NIFACES (sizeof(ifaces) / sizeof(ifaces[0]))

static void
dcom_close(struct ae_run_ca *ca, bool politely)
{
	ae_run_dcom_close(&ca->dcom, politely);
}

static int
dcom_open(struct ae_run_ca *ca, struct ae_err *e)
{
	const struct ae_guid iids[NIFACES] = { ae_iid_icertrequestd2,
		ae_iid_icertrequestd };
	struct ae_dcom_client_config c = { .host = ca->host,
		.clsid = ae_clsid_ccertrequestd,
		.iids = iids,
		.niids = NIFACES,
		.call_level = AE_RPC_LEVEL_PRIVACY,
		.alternatives = true };
	const enum ae_rpc_level only = ca->config.only_level;
	const struct ae_run_target t = ae_run_ca_target(ca);
	const struct ae_dcom_seen *seen;
	struct ae_run_ca_known *known = ca->config.known;
	int rc;

	if (only != 0) {
		c.activation_level = AE_RPC_LEVEL_PRIVACY;
		c.call_level = only;
		c.no_hint = true;
	}
	if (known != NULL)
		c.server = known->com;
	rc = ae_run_dcom_open(&ca->dcom, &t, &c, e);
	if (known != NULL)
		known->com = rc == AE_OK
		    ? ae_dcom_client_server(ca->dcom.client)
		    : (struct ae_dcom_version){ 0 };
	if (ca->dcom.client != NULL) {
		seen = ae_dcom_client_seen(ca->dcom.client, &ca->nseen);
		memcpy(ca->seen, seen, ca->nseen * sizeof(*seen));
		ca->hint = ae_dcom_client_hint(ca->dcom.client);
	}
	return rc;
}

/* Which interface to use for this question. */
static const struct ae_dcom_proxy *
choose(const struct ae_run_ca *ca, struct ae_wcce_request *rq, struct ae_err *e)
{
	const struct ae_dcom_proxy *p = NULL;
	uint32_t hresult = 0;
	size_t i;

	for (i = 0; i < NIFACES; i++) {
		p = ae_dcom_client_proxy(ca->dcom.client, i);
		if (p->hresult == 0) {
			rq->iface = ifaces[i];
			return p;
		}
		hresult = hresult == 0 ? p->hresult : hresult;
	}
	(void)ae_fail(e, AE_EREMOTE, AE_DOM_HRESULT, hresult,
	    "the server has no ICertRequestD2 nor ICertRequestD (0x%08x)",
	    hresult);
	return NULL;
}

/* The method that carries the question on the chosen interface. */
static int
fit(struct ae_wcce_request *rq, struct ae_err *e)
{
	static const uint16_t ops[][2] = {
		/* on ICertRequestD2, on ICertRequestD */
		[AE_WCCE_CALL_REQUEST] = { AE_OP_REQUEST2, AE_OP_REQUEST },
		[AE_WCCE_CALL_GETCACERT] = { AE_OP_GETCACERT, AE_OP_GETCACERT },
		[AE_WCCE_CALL_PING] = { AE_OP_PING2, AE_OP_PING },
		[AE_WCCE_CALL_GETPROPERTY] = { AE_OP_GETCAPROPERTY, 0 },
		[AE_WCCE_CALL_GETPROPERTYINFO] = { AE_OP_GETCAPROPERTYINFO, 0 },
	};
	bool old = rq->iface == AE_WCCE_ICERTREQUESTD;

	rq->opnum = ops[rq->call][old ? 1 : 0];
	if (rq->opnum == 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "the server has no ICertRequestD2, and with it no "
		    "properties");
	if (old) {
		rq->flags &= ~AE_CR_IN_FULLRESPONSE;
		rq->serial = NULL;
	}
	return AE_OK;
}

static int
call_method(struct ae_run_ca *ca, const struct ae_dcom_proxy *p,
    const struct ae_wcce_request *rq, struct ae_run_reply *r, bool *acted,
    struct ae_err *e)
{
	struct ae_wr stub;
	int rc;

	ae_wr_init(&stub, AE_RUN_CA_STUB_MAX);
	ae_dcom_client_call_begin(ca->dcom.client, &stub);
	rc = ae_wcce_request_encode(&stub, rq, e);
	if (rc == AE_OK) {
		rc = ae_run_rpc_call(ca->dcom.rpc, p->iface, rq->opnum,
		    &p->ipid, stub.p, stub.len,
		    ae_wcce_method_name(rq->iface, rq->opnum), r, e);
		*acted = rc != AE_OK && ae_run_ca_acted(r);
	}
	ae_wr_done(&stub);
	return rc;
}

static int
dcom_ask(struct ae_run_ca *ca, struct ae_wcce_request *rq,
    struct ae_wcce_reply *reply, struct ae_arena *a, bool *acted,
    struct ae_err *e)
{
	const struct ae_dcom_proxy *p;
	struct ae_run_reply r;
	const uint8_t *args;
	size_t len;
	int rc;

	*acted = false;
	if ((rc = dcom_open(ca, e)) != AE_OK)
		return rc;
	if ((p = choose(ca, rq, e)) == NULL)
		return e->rc;
	rc = fit(rq, e);
	if (rc == AE_OK)
		rc = call_method(ca, p, rq, &r, acted, e);
	if (rc != AE_OK)
		return rc;
	rc = ae_dcom_client_answer(r.stub, r.len, r.big_endian, &args, &len, e);
	if (rc == AE_OK)
		rc = ae_wcce_reply_decode(
		    reply, rq, args, len, r.big_endian, a, e);
	*acted = rc != AE_OK;
	return rc;
}

const struct ae_run_ca_way ae_run_ca_dcom = {
	.name = "dcom",
	.ask = dcom_ask,
	.close = dcom_close,
};
