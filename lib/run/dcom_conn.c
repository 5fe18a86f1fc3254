/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See dcom_conn.h.
 */
#include "run/dcom_conn.h"

#include <string.h>

#include "sys/clock.h"

#define LEAVE_MS 2000 /* for giving references back */

/* What to call a call that the DCOM client wants, for people. */
static const char *
call_name(const struct ae_run_dcom *d, const struct ae_dcom_client_want *w)
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

	if (w->iface >= d->nifaces)
		return "a DCOM call";
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].opnum == w->opnum &&
		    ae_guid_equal(rows[i].iid, &d->ifaces[w->iface].uuid))
			return rows[i].name;
	return "a DCOM call";
}

static void
do_connect(struct ae_run_dcom *d, const struct ae_dcom_client_want *w)
{
	struct ae_run_target t = d->target;
	struct ae_err why = AE_ERR_INIT;

	ae_run_rpc_close(d->rpc);
	d->rpc = NULL;
	d->nifaces = w->nifaces < AE_RUN_DCOM_IFACES_MAX
	    ? w->nifaces
	    : AE_RUN_DCOM_IFACES_MAX;
	memcpy(d->ifaces, w->ifaces, d->nifaces * sizeof(w->ifaces[0]));
	if (w->port != AE_DCOM_RESOLVER_PORT || t.port == 0)
		t.port = w->port;
	t.auth = w->auth_type;
	t.level = w->level;
	t.spn = w->spn;
	t.ifaces = w->ifaces;
	t.nifaces = w->nifaces;
	if (ae_run_rpc_open(&d->rpc, &t, &why) == AE_OK)
		ae_dcom_client_connected(d->client);
	else
		ae_dcom_client_refused(d->client, &why);
}

/* AE_OK also when the server answered by a fault: the client judges it. */
static int
do_call(struct ae_run_dcom *d, const struct ae_dcom_client_want *w,
    struct ae_err *e)
{
	struct ae_run_reply r;
	int rc;

	rc = ae_run_rpc_call(d->rpc, w->iface, w->opnum, w->object, w->stub,
	    w->stub_len, call_name(d, w), &r, e);
	if (rc == AE_OK)
		ae_dcom_client_reply(d->client, r.stub, r.len, r.big_endian);
	else if (r.fault != 0)
		ae_dcom_client_fault(d->client, r.fault);
	else
		return rc;
	return AE_OK;
}

/* Do what is wanted until there is nothing more to do. */
static int
drive(struct ae_run_dcom *d, struct ae_err *e)
{
	struct ae_dcom_client_want w;
	int rc = AE_OK;

	while (rc == AE_OK) {
		ae_dcom_client_want(d->client, &w);
		switch (w.type) {
		case AE_DCOM_WANT_CONNECT:
			do_connect(d, &w);
			break;
		case AE_DCOM_WANT_CALL:
			rc = do_call(d, &w, e);
			break;
		case AE_DCOM_WANT_FAILED:
			*e = *ae_dcom_client_error(d->client);
			return e->rc;
		case AE_DCOM_WANT_READY:
		case AE_DCOM_WANT_DONE:
			return AE_OK;
		}
	}
	return rc;
}

void
ae_run_dcom_close(struct ae_run_dcom *d, bool politely)
{
	struct ae_err ignored = AE_ERR_INIT;

	if (politely && d->rpc != NULL && d->client != NULL &&
	    ae_run_rpc_alive(d->rpc)) {
		/* Nobody is told when it fails: the server's pings end it. */
		d->target.deadline = ae_clock_mono_ms() + LEAVE_MS;
		ae_run_rpc_until(d->rpc, d->target.deadline);
		ae_dcom_client_release(d->client);
		if (drive(d, &ignored) != AE_OK)
			ignored.rc = AE_OK;
	}
	ae_run_rpc_close(d->rpc);
	d->rpc = NULL;
	ae_dcom_client_free(d->client);
	d->client = NULL;
}

int
ae_run_dcom_open(struct ae_run_dcom *d, const struct ae_run_target *t,
    struct ae_dcom_client_config *c, struct ae_err *e)
{
	int rc;

	d->target = *t;
	if (d->rpc != NULL && ae_run_rpc_alive(d->rpc)) {
		ae_run_rpc_until(d->rpc, t->deadline);
		return AE_OK;
	}
	ae_run_dcom_close(d, false);
	ae_random(&c->cid, sizeof(c->cid));
	rc = ae_dcom_client_new(&d->client, c, e);
	return rc == AE_OK ? drive(d, e) : rc;
}
