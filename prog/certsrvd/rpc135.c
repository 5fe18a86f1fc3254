/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Port 135: the endpoint mapper and mgmt, which anybody may ask, and DCOM's
 * object resolver and activation, which say whom they serve themselves.
 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "front.h"
#include "rpc/epm.h"
#include "sys/sandbox.h"
#include "wcce/request.h"

#define EPM_REPLY_MAX 262144u

struct mapper {
	struct front front; /* first: p->state is a struct front */
	struct ae_rpc_epm *epm;
};

static void
on_call(struct front *f, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	struct mapper *m = (struct mapper *)f;
	uint8_t local[4];
	struct ae_wr w;
	uint32_t fault;

	if (front_common(f, c, call))
		return;
	ae_wr_init(&w, EPM_REPLY_MAX);
	ae_run_conn_local_ip(c, local);
	fault = ae_rpc_epm_call(m->epm, f->rpc, call, local, &w);
	if (fault == 0 && ae_wr_ok(&w))
		ae_run_conn_reply(c, call->call, w.p, w.len);
	else
		ae_run_conn_fault(c, call->call,
		    fault != 0 ? fault : AE_RPC_FAULT_NO_RESOURCES);
	ae_wr_done(&w);
}

static const struct front_ops ops = { .call = on_call };

static int
add_entry(struct mapper *m, const struct ae_rpc_syntax *id, uint16_t port,
    const char *annotation, struct ae_err *e)
{
	struct ae_rpc_epm_entry entry = { .id = *id, .port = port };

	(void)snprintf(
	    entry.annotation, sizeof(entry.annotation), "%s", annotation);
	return ae_rpc_epm_add(m->epm, &entry, e);
}

static int
mapper_open(struct proc *p, struct ae_err *e)
{
	static const struct ae_rpc_iface *const ifaces[] = { &ae_rpc_epm_iface,
		&ae_dcom_object_exporter_iface, &ae_dcom_activation_iface,
		&ae_dcom_scm_iface };
	struct mapper *m = calloc(1, sizeof(*m));
	size_t i;
	struct ae_rpc_syntax icpr = { .uuid = ae_iid_icertpassage };
	int rc;

	if (m == NULL)
		return ae_fail_mem(e);
	rc = front_open(&m->front, p, &ops, "135", e);
	if (rc < 0)
		return rc;
	m->epm = ae_rpc_epm_new(64);
	if (m->epm == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < sizeof(ifaces) / sizeof(ifaces[0]) && rc == AE_OK; i++)
		rc = ae_rpc_server_add(m->front.rpc, ifaces[i], e);
	if (rc == AE_OK)
		rc = add_entry(
		    m, &icpr, (uint16_t)p->conf.port, "ICertPassage", e);
	return rc;
}

static int
mapper_start(struct proc *p, struct ae_err *e)
{
	return front_start(p->state, e);
}

static void
peer_down(struct proc *p, struct peer *peer)
{
	(void)peer;
	front_auth_down(p->state);
}

static void
stop(struct proc *p)
{
	front_stop(p->state);
}

static const struct role_link links[] = {
	{ ROLE_AUTH, front_auth_rows },
	{ .rows = NULL },
};

const struct role_def role_rpc135 = {
	.role = ROLE_RPC135,
	.user = "_certsrv-rpc",
	.may = AE_MAY_ACCEPT,
	.max_memory = 1024ULL * 1024 * 1024,
	.oom = 600,
	.links = links,
	.open = mapper_open,
	.start = mapper_start,
	.peer_down = peer_down,
	.stop = stop,
};
