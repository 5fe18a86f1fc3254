/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Client and server without sockets; see pair.h.
 */
#include "pair.h"

#include <stdlib.h>
#include <string.h>

#include "fake.h"

const struct ae_rpc_iface echo_iface = {
	.name = "echo",
	.id = { .uuid = { 0xec40, 1, 2, { 1, 2, 3, 4, 5, 6, 7, 8 } },
	    .major = 1 },
	.nops = 4,
	.min_level = AE_RPC_LEVEL_NONE,
};

const struct ae_rpc_iface vault_iface = {
	.name = "vault",
	.id = { .uuid = { 0x7a017, 1, 2, { 1, 2, 3, 4, 5, 6, 7, 8 } },
	    .major = 3,
	    .minor = 2 },
	.nops = 4,
	.min_level = AE_RPC_LEVEL_PRIVACY,
};

struct ae_rpc_server *
test_server(const struct ae_rpc_limits *limits)
{
	struct ae_rpc_server_config g = { .sec_addr = "135",
		.seed = { 0x10, 0x20, 0x30, 0x40, 0x50 } };
	struct ae_rpc_server *s;

	if (limits != NULL)
		g.limits = *limits;
	s = ae_rpc_server_new(&g);
	if (s == NULL)
		return NULL;
	if (ae_rpc_server_add(s, &echo_iface, NULL) != AE_OK ||
	    ae_rpc_server_add(s, &vault_iface, NULL) != AE_OK) {
		ae_rpc_server_free(s);
		return NULL;
	}
	return s;
}

void
end_init(struct end *x, struct ae_rpc_server *s, const char *peer)
{
	memset(x, 0, sizeof(*x));
	ae_wr_init(&x->last_stub, 8 * 1024 * 1024);
	x->now = 1000;
	x->conn =
	    ae_rpc_conn_new(s, (const uint8_t *)peer, strlen(peer), x->now);
}

void
end_done(struct end *x)
{
	ae_rpc_conn_free(x->conn);
	ae_wr_done(&x->last_stub);
}

static void
on_auth(struct end *x, const struct ae_rpc_auth_event *a)
{
	struct ae_rpc_auth_result r = { .status = AE_RPC_AUTH_FAILED };
	uint8_t out[32], who = 0;
	bool done;

	x->auth = *a;
	if (x->hold_auth)
		return;
	r.token = out;
	if (fake_accept(&x->accept_state[a->auth & 7], a->token, a->token_len,
		out, &r.token_len, &done, &r.sec, &who)) {
		r.status = done ? AE_RPC_AUTH_COMPLETE : AE_RPC_AUTH_CONTINUE;
		r.name = 1000U + who;
		r.sid = (struct ae_sid){
			.authority = 5, .nsubs = 1, .sub = { who }
		};
		if (done && x->weak)
			fake_weaken(&r.sec);
	}
	ae_rpc_conn_auth_done(x->conn, a->auth, &r, x->now);
}

static void
on_call(struct end *x, const struct ae_rpc_call *k)
{
	uint8_t *big;
	uint32_t n;

	x->calls++;
	x->last = *k;
	x->last.stub = NULL;
	ae_wr_reset(&x->last_stub);
	ae_wr_bytes(&x->last_stub, k->stub, k->stub_len);
	switch (k->opnum) {
	case 0:
		ae_rpc_conn_reply(
		    x->conn, k->call, k->stub, k->stub_len, x->now);
		break;
	case 1:
		ae_rpc_conn_fault(x->conn, k->call, 0x1234, x->now);
		break;
	case 2:
		if (x->nheld < sizeof(x->held) / sizeof(x->held[0]))
			x->held[x->nheld++] = k->call;
		break;
	default:
		n = 0;
		if (k->stub_len >= 4)
			memcpy(&n, k->stub, 4);
		big = calloc(n + 1, 1);
		if (big != NULL)
			memset(big, 0x5a, n);
		if (big == NULL)
			ae_rpc_conn_fault(x->conn, k->call,
			    AE_RPC_FAULT_NO_RESOURCES, x->now);
		else
			ae_rpc_conn_reply(x->conn, k->call, big, n, x->now);
		free(big);
		break;
	}
}

void
end_run(struct end *x)
{
	struct ae_rpc_event ev;

	while (ae_rpc_conn_event(x->conn, &ev)) {
		switch (ev.type) {
		case AE_RPC_EVENT_AUTH:
			on_auth(x, &ev.u.auth);
			break;
		case AE_RPC_EVENT_CALL:
			on_call(x, &ev.u.call);
			break;
		case AE_RPC_EVENT_CANCEL:
			x->cancels++;
			break;
		case AE_RPC_EVENT_AUTH_GONE:
			x->gone++;
			break;
		case AE_RPC_EVENT_CLOSED:
			x->closed = true;
			x->why = ev.u.closed;
			break;
		}
	}
}

size_t
end_feed(struct end *x, const void *p, size_t len)
{
	const uint8_t *b = p;
	size_t n, done = 0;

	end_run(x);
	while (done < len && (n = ae_rpc_conn_room(x->conn)) > 0) {
		if (n > len - done)
			n = len - done;
		ae_rpc_conn_feed(x->conn, b + done, n, x->now);
		done += n;
		end_run(x);
	}
	return done;
}

bool
end_pdu(struct end *x, struct ae_rpc_pdu *pdu, uint8_t *bytes)
{
	struct ae_rpc_hdr h;
	const uint8_t *p;
	size_t len;

	end_run(x);
	p = ae_rpc_conn_output(x->conn, &len);
	if (len < AE_RPC_HDR_LEN || !ae_rpc_hdr_decode(&h, p) ||
	    h.frag_len > len || h.frag_len > 6000)
		return false;
	memcpy(bytes, p, h.frag_len);
	if (!ae_rpc_pdu_decode(pdu, &h, bytes))
		return false;
	ae_rpc_conn_sent(x->conn, h.frag_len, x->now);
	end_run(x);
	return true;
}

static size_t
least(size_t a, size_t b, size_t chunk)
{
	size_t n = a < b ? a : b;

	return chunk != 0 && chunk < n ? chunk : n;
}

void
exchange(struct end *x, struct ae_rpc_client *cl, size_t chunk)
{
	const uint8_t *p;
	uint8_t *copy;
	size_t len, n;
	bool moved;

	do {
		moved = false;
		end_run(x);
		p = ae_rpc_client_output(cl, &len);
		n = least(len, ae_rpc_conn_room(x->conn), chunk);
		if (n > 0) {
			ae_rpc_conn_feed(x->conn, p, n, x->now);
			ae_rpc_client_sent(cl, n, x->now);
			moved = true;
		}
		end_run(x);
		p = ae_rpc_conn_output(x->conn, &len);
		n = least(len, ae_rpc_client_room(cl), chunk);
		if (n > 0) {
			copy = malloc(n);
			if (copy == NULL)
				return;
			memcpy(copy, p, n);
			ae_rpc_conn_sent(x->conn, n, x->now);
			ae_rpc_client_feed(cl, copy, n, x->now);
			free(copy);
			moved = true;
		}
	} while (moved);
	if (ae_rpc_conn_finished(x->conn))
		ae_rpc_client_eof(cl, x->now);
}
