/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * MS-WCCE over DCOM: activates CCertRequestD on the CA's host, prefers
 * ICertRequestD2, and makes the connections and calls dcom/client.h wants.
 */
#include <string.h>

#include "run/ca_impl.h"
#include "sys/clock.h"
#include "wcce/icpr.h"

#define LEAVE_MS 2000 /* for giving references back */

/* Order of preference; also of the activation's answers. */
static const enum ae_wcce_iface ifaces[] = { AE_WCCE_ICERTREQUESTD2,
	AE_WCCE_ICERTREQUESTD };
#define NIFACES (sizeof(ifaces) / sizeof(ifaces[0]))

/* What to call a call that the DCOM client wants, for people. */
static const char *
call_name(const struct ae_run_ca *ca, const struct ae_dcom_client_want *w)
{
	const struct {
		const struct ae_guid *iid;
		uint16_t opnum;
		const char *name;
	} rows[] = {
		{ &ae_dcom_iid_object_exporter, AE_DCOM_OP_SERVER_ALIVE2,
		    "ServerAlive2" },
		{ &ae_dcom_iid_object_exporter, AE_DCOM_OP_SERVER_ALIVE,
		    "ServerAlive" },
		{ &ae_dcom_iid_object_exporter, AE_DCOM_OP_RESOLVE_OXID2,
		    "ResolveOxid2" },
		{ &ae_dcom_iid_object_exporter, AE_DCOM_OP_RESOLVE_OXID,
		    "ResolveOxid" },
		{ &ae_dcom_iid_scm_activator, AE_DCOM_OP_CREATE_INSTANCE,
		    "RemoteCreateInstance" },
		{ &ae_dcom_iid_activation, AE_DCOM_OP_REMOTE_ACTIVATION,
		    "RemoteActivation" },
		{ &ae_dcom_iid_rem_unknown, AE_DCOM_OP_REM_QUERY_INTERFACE,
		    "RemQueryInterface" },
		{ &ae_dcom_iid_rem_unknown, AE_DCOM_OP_REM_RELEASE,
		    "RemRelease" },
	};
	size_t i;

	if (w->iface >= ca->dcom_nifaces)
		return "a DCOM call";
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].opnum == w->opnum &&
		    ae_guid_equal(rows[i].iid, &ca->dcom_ifaces[w->iface].uuid))
			return rows[i].name;
	return "a DCOM call";
}

static void
do_connect(struct ae_run_ca *ca, const struct ae_dcom_client_want *w)
{
	struct ae_run_target t = ae_run_ca_target(ca);
	struct ae_err why = AE_ERR_INIT;

	ae_run_rpc_close(ca->dcom_rpc);
	ca->dcom_rpc = NULL;
	ca->dcom_nifaces = w->nifaces < AE_RUN_CA_IFACES_MAX
	    ? w->nifaces
	    : AE_RUN_CA_IFACES_MAX;
	memcpy(ca->dcom_ifaces, w->ifaces,
	    ca->dcom_nifaces * sizeof(w->ifaces[0]));
	if (w->port != AE_DCOM_RESOLVER_PORT || t.port == 0)
		t.port = w->port;
	t.auth = w->auth_type;
	t.level = w->level;
	t.spn = w->spn;
	t.ifaces = w->ifaces;
	t.nifaces = w->nifaces;
	if (ae_run_rpc_open(&ca->dcom_rpc, &t, &why) == AE_OK)
		ae_dcom_client_connected(ca->dcom);
	else
		ae_dcom_client_refused(ca->dcom, &why);
}

/* AE_OK also when the server answered by a fault: the client judges it. */
static int
do_call(
    struct ae_run_ca *ca, const struct ae_dcom_client_want *w, struct ae_err *e)
{
	struct ae_run_reply r;
	int rc;

	rc = ae_run_rpc_call(ca->dcom_rpc, w->iface, w->opnum, w->object,
	    w->stub, w->stub_len, call_name(ca, w), &r, e);
	if (rc == AE_OK)
		ae_dcom_client_reply(ca->dcom, r.stub, r.len, r.big_endian);
	else if (r.fault != 0)
		ae_dcom_client_fault(ca->dcom, r.fault);
	else
		return rc;
	return AE_OK;
}

/* Do what is wanted until there is nothing more to do. */
static int
drive(struct ae_run_ca *ca, struct ae_err *e)
{
	struct ae_dcom_client_want w;
	int rc = AE_OK;

	while (rc == AE_OK) {
		ae_dcom_client_want(ca->dcom, &w);
		switch (w.type) {
		case AE_DCOM_WANT_CONNECT:
			do_connect(ca, &w);
			break;
		case AE_DCOM_WANT_CALL:
			rc = do_call(ca, &w, e);
			break;
		case AE_DCOM_WANT_FAILED:
			*e = *ae_dcom_client_error(ca->dcom);
			return e->rc;
		case AE_DCOM_WANT_READY:
		case AE_DCOM_WANT_DONE:
			return AE_OK;
		}
	}
	return rc;
}

static void
dcom_close(struct ae_run_ca *ca, bool politely)
{
	struct ae_err ignored = AE_ERR_INIT;

	if (politely && ca->dcom_rpc != NULL && ca->dcom != NULL &&
	    ae_run_rpc_alive(ca->dcom_rpc)) {
		/* Nobody is told when it fails: the server's pings end it. */
		ca->deadline = ae_clock_mono_ms() + LEAVE_MS;
		ae_run_rpc_until(ca->dcom_rpc, ca->deadline);
		ae_dcom_client_release(ca->dcom);
		if (drive(ca, &ignored) != AE_OK)
			ignored.rc = AE_OK;
	}
	ae_run_rpc_close(ca->dcom_rpc);
	ca->dcom_rpc = NULL;
	ae_dcom_client_free(ca->dcom);
	ca->dcom = NULL;
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
		.call_level = AE_RPC_LEVEL_PRIVACY };
	int rc;

	if (ca->dcom_rpc != NULL && ae_run_rpc_alive(ca->dcom_rpc)) {
		ae_run_rpc_until(ca->dcom_rpc, ca->deadline);
		return AE_OK;
	}
	dcom_close(ca, false);
	ae_random(&c.cid, sizeof(c.cid));
	rc = ae_dcom_client_new(&ca->dcom, &c, e);
	return rc == AE_OK ? drive(ca, e) : rc;
}

/* Which interface to use for this question. */
static const struct ae_dcom_proxy *
choose(const struct ae_run_ca *ca, struct ae_wcce_request *rq, struct ae_err *e)
{
	const struct ae_dcom_proxy *p = NULL;
	uint32_t hresult = 0;
	size_t i;

	for (i = 0; i < NIFACES; i++) {
		p = ae_dcom_client_proxy(ca->dcom, i);
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
	ae_dcom_client_call_begin(ca->dcom, &stub);
	rc = ae_wcce_request_encode(&stub, rq, e);
	if (rc == AE_OK) {
		rc = ae_run_rpc_call(ca->dcom_rpc, p->iface, rq->opnum,
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
