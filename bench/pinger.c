/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See pinger.h.
 */
#include "pinger.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "dcom/wire.h"
#include "rpc/epm.h"

#define STUB_MAX 256
#define ARENA_MAX 65536

struct pinger {
	struct ae_run_rpc *rpc;
	struct ae_arena *arena;
	uint64_t set;
};

/* One call on the resolver; out is what its answer decodes to. */
static int
call(struct pinger *p, uint16_t opnum, const char *name,
    const struct ae_ndr_type *in_type, const void *in,
    const struct ae_ndr_type *out_type, void *out, struct ae_err *e)
{
	struct ae_run_reply r;
	struct ae_wr stub;
	int rc;

	ae_arena_reset(p->arena);
	ae_wr_init(&stub, STUB_MAX);
	rc = ae_ndr_encode(in_type, in, &stub, e);
	if (rc == AE_OK)
		rc = ae_run_rpc_call(
		    p->rpc, 0, opnum, NULL, stub.p, stub.len, name, &r, e);
	if (rc == AE_OK)
		rc = ae_ndr_decode(out_type, out, r.stub, r.len, r.big_endian,
		    p->arena, NULL, e);
	ae_wr_done(&stub);
	return rc;
}

static int
accepted(uint32_t status, const char *name, struct ae_err *e)
{
	if (status == 0)
		return AE_OK;
	return ae_fail(e, AE_EREMOTE, AE_DOM_HRESULT, status,
	    "%s was answered by 0x%08x", name, status);
}

static int
make_set(struct pinger *p, struct ae_err *e)
{
	const struct ae_dcom_complex_ping_in in = { .sequence = 1 };
	struct ae_dcom_complex_ping_out out;
	int rc;

	rc = call(p, AE_DCOM_OP_COMPLEX_PING, "ComplexPing",
	    &ae_dcom_complex_ping_in_type, &in, &ae_dcom_complex_ping_out_type,
	    &out, e);
	if (rc == AE_OK)
		rc = accepted(out.status, "ComplexPing", e);
	if (rc == AE_OK)
		p->set = out.set;
	return rc;
}

int
pinger_new(struct pinger **out, const char *host,
    const struct ae_run_addrs *addrs, struct ae_gss_cred *cred,
    struct ae_err *e)
{
	struct ae_rpc_syntax iface = { .uuid = ae_dcom_iid_object_exporter };
	struct ae_run_target t = { .addrs = addrs,
		.port = AE_RPC_EPM_PORT,
		.auth = AE_RPC_AUTH_SPNEGO,
		.level = AE_RPC_LEVEL_INTEGRITY,
		.cred = cred,
		.ifaces = &iface,
		.nifaces = 1 };
	struct pinger *p = calloc(1, sizeof(*p));
	char spn[300];
	int rc;

	if (p == NULL)
		return ae_fail_mem(e);
	(void)snprintf(spn, sizeof(spn), "RPCSS/%s", host);
	t.spn = spn;
	p->arena = ae_arena_new(ARENA_MAX);
	rc =
	    p->arena == NULL ? ae_fail_mem(e) : ae_run_rpc_open(&p->rpc, &t, e);
	if (rc == AE_OK)
		rc = make_set(p, e);
	if (rc == AE_OK)
		*out = p;
	else
		pinger_free(p);
	return rc;
}

int
pinger_ping(struct pinger *p, struct ae_err *e)
{
	const struct ae_dcom_simple_ping_in in = { .set = p->set };
	struct ae_dcom_status_out out;
	int rc;

	rc = call(p, AE_DCOM_OP_SIMPLE_PING, "SimplePing",
	    &ae_dcom_simple_ping_in_type, &in, &ae_dcom_status_out_type, &out,
	    e);
	return rc == AE_OK ? accepted(out.status, "SimplePing", e) : rc;
}

void
pinger_free(struct pinger *p)
{
	if (p == NULL)
		return;
	ae_run_rpc_close(p->rpc);
	ae_arena_free(p->arena);
	free(p);
}
