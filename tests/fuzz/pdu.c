/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A server's connection fed with raw bytes: echo, endpoint mapper and mgmt
 * behind it, a toy security provider.  The first byte says in what pieces
 * the rest arrives.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "pair.h"
#include "rpc/epm.h"
#include "rpc/mgmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

struct door {
	struct ae_rpc_server *s;
	struct ae_rpc_epm *m;
	struct ae_rpc_conn *c;
	int accept[8];
};

static void
on_auth(struct door *d, const struct ae_rpc_auth_event *a)
{
	struct ae_rpc_auth_result r = { .status = AE_RPC_AUTH_FAILED };
	uint8_t out[32], who = 0;
	bool done;

	r.token = out;
	if (fake_accept(&d->accept[a->auth & 7], a->token, a->token_len, out,
		&r.token_len, &done, &r.sec, &who)) {
		r.status = done ? AE_RPC_AUTH_COMPLETE : AE_RPC_AUTH_CONTINUE;
		r.name = 1;
		r.sid.sub[0] = who;
	}
	ae_rpc_conn_auth_done(d->c, a->auth, &r, 0);
}

static void
on_call(struct door *d, const struct ae_rpc_call *call)
{
	uint32_t fault = 0;
	struct ae_wr out;

	ae_wr_init(&out, 65536);
	if (call->iface == &ae_rpc_epm_iface)
		fault = ae_rpc_epm_call(
		    d->m, d->s, call, (const uint8_t[4]){ 0 }, &out);
	else if (call->iface == &ae_rpc_mgmt_iface)
		fault = ae_rpc_mgmt_call(d->s, call, "host/x", &out);
	else if (call->opnum == 2)
		goto out; /* never answered */
	else
		ae_wr_bytes(&out, call->stub, call->stub_len);
	if (fault != 0)
		ae_rpc_conn_fault(d->c, call->call, fault, 0);
	else
		ae_rpc_conn_reply(d->c, call->call, out.p, out.len, 0);
out:
	ae_wr_done(&out);
}

static void
turn(struct door *d)
{
	struct ae_rpc_event ev;
	size_t len;

	while (ae_rpc_conn_event(d->c, &ev)) {
		if (ev.type == AE_RPC_EVENT_AUTH)
			on_auth(d, &ev.u.auth);
		else if (ev.type == AE_RPC_EVENT_CALL)
			on_call(d, &ev.u.call);
	}
	if (ae_rpc_conn_output(d->c, &len) != NULL)
		ae_rpc_conn_sent(d->c, len, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_rpc_limits limits = { .max_stub = 65536, .max_frag = 2048 };
	struct ae_rpc_epm_entry x = { .id = echo_iface.id, .port = 1 };
	struct door d = { .s = test_server(&limits), .m = ae_rpc_epm_new(4) };
	size_t n, off = 1;

	if (len == 0 || d.s == NULL || d.m == NULL ||
	    ae_rpc_server_add(d.s, &ae_rpc_epm_iface, NULL) != AE_OK ||
	    ae_rpc_server_add(d.s, &ae_rpc_mgmt_iface, NULL) != AE_OK ||
	    ae_rpc_epm_add(d.m, &x, NULL) != AE_OK)
		goto out;
	d.c = ae_rpc_conn_new(d.s, p, 0, 0);
	while (off < len && (n = ae_rpc_conn_room(d.c)) > 0) {
		if (p[0] != 0 && n > p[0])
			n = p[0];
		if (n > len - off)
			n = len - off;
		ae_rpc_conn_feed(d.c, p + off, n, 0);
		off += n;
		turn(&d);
	}
	ae_rpc_conn_eof(d.c, 0);
	turn(&d);
	if (!ae_rpc_conn_finished(d.c))
		abort();
	ae_rpc_conn_free(d.c);
	if (fake_live != 0)
		abort();
out:
	ae_rpc_epm_free(d.m);
	ae_rpc_server_free(d.s);
	return 0;
}
