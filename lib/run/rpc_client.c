/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One client connection on a socket; see rpc_client.h.
 */
#include "run/rpc_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gss/cred.h"
#include "gss/ctx.h"
#include "rpc/client.h"
#include "rpc/epm.h"
#include "run/tcp.h"
#include "run/trace.h"
#include "sys/clock.h"

struct ae_run_rpc {
	int fd;
	struct ae_rpc_client *c;
	struct ae_run_trace *trace;
	int64_t deadline;
	bool whole; /* all that was to be written was written */
	bool deaf;  /* the server takes no more bytes */
	bool asked; /* something was written, and nothing came yet */
	bool dead;
	char peer[AE_RUN_PEER_MAX];
};

static uint64_t
now(void)
{
	return (uint64_t)ae_clock_mono_ms();
}

/* ---- moving bytes ---- */

static void
write_some(struct ae_run_rpc *r)
{
	const uint8_t *p;
	size_t len;
	ssize_t n;

	p = ae_rpc_client_output(r->c, &len);
	if (len == 0)
		return;
	n = send(r->fd, p, len, MSG_NOSIGNAL);
	if (n > 0) {
		ae_rpc_client_sent(r->c, (size_t)n, now());
		r->whole = (size_t)n == len;
		r->asked = true;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* What the server still said comes with the next read. */
		r->deaf = true;
	}
}

static void
read_some(struct ae_run_rpc *r)
{
	uint8_t buf[16384];
	size_t room = ae_rpc_client_room(r->c);
	ssize_t n;

	if (room == 0)
		return;
	n = recv(r->fd, buf, room < sizeof(buf) ? room : sizeof(buf), 0);
	if (n > 0 && r->asked && r->trace != NULL)
		r->trace->trips++;
	r->asked = r->asked && n <= 0;
	if (n > 0)
		ae_rpc_client_feed(r->c, buf, (size_t)n, now());
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		ae_rpc_client_eof(r->c, now());
}

static int
wait_for(struct ae_run_rpc *r, struct ae_err *e)
{
	uint64_t due = ae_rpc_client_deadline(r->c), t = now();
	struct pollfd p = { .fd = r->fd };
	int64_t most = due == UINT64_MAX ? INT32_MAX
	    : due > t			 ? (int64_t)(due - t)
					 : 0;
	size_t len;

	if (!r->deaf)
		write_some(r);
	(void)ae_rpc_client_output(r->c, &len);
	if (len > 0 && !r->deaf)
		p.events |= POLLOUT;
	if (ae_rpc_client_room(r->c) > 0)
		p.events |= POLLIN;
	if (poll(&p, 1, ae_run_left(r->deadline, most)) < 0 && errno != EINTR)
		return ae_fail_errno(e, errno, "waiting for %s", r->peer);
	if ((p.revents & POLLOUT) != 0)
		write_some(r);
	if ((p.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		read_some(r);
	ae_rpc_client_tick(r->c, now());
	return AE_OK;
}

/* Until something happened. */
static int
next_event(
    struct ae_run_rpc *r, struct ae_rpc_client_event *ev, struct ae_err *e)
{
	int rc;

	while (!ae_rpc_client_event(r->c, ev)) {
		if (ae_run_left(r->deadline, 1) == 0)
			return ae_fail(e, AE_ETIMEDOUT, AE_DOM_NONE, 0,
			    "%s: no time left", r->peer);
		if ((rc = wait_for(r, e)) != AE_OK)
			return rc;
	}
	return AE_OK;
}

/* ---- open ---- */

static int
get_ticket(const struct ae_run_target *t, struct ae_err *e)
{
	struct ae_run_timer timer;

	ae_run_stage_begin(&timer, AE_RUN_TICKET, "%s", t->spn);
	return ae_run_stage_end(
	    &timer, t->trace, ae_gss_cred_ticket(t->cred, t->spn, e), e);
}

static int
make_client(
    struct ae_run_rpc *r, const struct ae_run_target *t, struct ae_err *e)
{
	struct ae_gss_initiator gc = { .mech = (enum ae_gss_mech)t->auth,
		.level = (enum ae_gss_level)t->level,
		.target = t->spn,
		.dce = true };
	struct ae_rpc_client_config rc = { .auth_type = t->auth,
		.level = t->level,
		.bind_ms = t->bind_ms,
		.call_ms = t->call_ms };
	struct ae_gss_ctx *ctx = NULL;
	int result;

	if (t->auth != AE_RPC_AUTH_NONE) {
		result = ae_gss_ctx_initiate(&ctx, t->cred, &gc, e);
		if (result != AE_OK)
			return result;
		rc.sec = ae_rpc_sec_gss(ctx);
	}
	r->c = ae_rpc_client_new(&rc, now());
	return r->c == NULL ? ae_fail_mem(e) : AE_OK;
}

static int
bind_now(struct ae_run_rpc *r, const struct ae_run_target *t, struct ae_err *e)
{
	struct ae_rpc_client_event ev = { 0 };
	int rc;

	rc = make_client(r, t, e);
	if (rc == AE_OK)
		rc = ae_rpc_client_bind(r->c, t->ifaces, t->nifaces, now(), e);
	if (rc == AE_OK)
		rc = next_event(r, &ev, e);
	if (rc == AE_OK && ev.type != AE_RPC_CLIENT_BOUND) {
		if (e != NULL)
			*e = ev.err;
		rc = ev.err.rc;
	}
	return rc == AE_OK ? rc : ae_note(e, rc, "binding at %s", r->peer);
}

static int
bind_stage(
    struct ae_run_rpc *r, const struct ae_run_target *t, struct ae_err *e)
{
	struct ae_run_timer timer;

	ae_run_stage_begin(&timer, AE_RUN_BIND, "%s %s", r->peer,
	    t->auth == AE_RPC_AUTH_NONE ? "anonymous"
					: ae_rpc_level_name(t->level));
	return ae_run_stage_end(&timer, t->trace, bind_now(r, t, e), e);
}

int
ae_run_rpc_open(
    struct ae_run_rpc **out, const struct ae_run_target *t, struct ae_err *e)
{
	struct ae_err ours = AE_ERR_INIT;
	struct ae_run_rpc *r;
	int rc;

	e = e != NULL ? e : &ours;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ae_fail_mem(e);
	r->fd = -1;
	r->trace = t->trace;
	r->deadline = t->deadline;
	/* The server first: a ticket for one that is away tells nothing. */
	rc = ae_run_tcp_connect(&r->fd, r->peer, t, e);
	if (rc == AE_OK && t->auth != AE_RPC_AUTH_NONE)
		rc = get_ticket(t, e);
	if (rc == AE_OK)
		rc = bind_stage(r, t, e);
	if (rc == AE_OK)
		*out = r;
	else
		ae_run_rpc_close(r);
	return rc;
}

void
ae_run_rpc_close(struct ae_run_rpc *r)
{
	if (r == NULL)
		return;
	ae_rpc_client_free(r->c);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
}

bool
ae_run_rpc_alive(const struct ae_run_rpc *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	return !r->dead && poll(&p, 1, 0) == 0;
}

void
ae_run_rpc_until(struct ae_run_rpc *r, int64_t deadline)
{
	r->deadline = deadline;
}

/* ---- call ---- */

static int
answer(struct ae_run_rpc *r, uint32_t call, struct ae_run_reply *out,
    struct ae_err *e)
{
	struct ae_rpc_client_event ev = { 0 };
	int rc;

	rc = next_event(r, &ev, e);
	if (rc != AE_OK)
		return rc;
	if (ev.type == AE_RPC_CLIENT_CLOSED) {
		*e = ev.err;
		return ev.err.rc;
	}
	if (ev.call != call ||
	    (ev.type != AE_RPC_CLIENT_REPLY && ev.type != AE_RPC_CLIENT_FAULT))
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "an event that nobody waits for");
	if (ev.type == AE_RPC_CLIENT_FAULT) {
		out->fault = ev.fault;
		out->not_executed = ev.did_not_execute;
		*e = ev.err;
		return ev.err.rc;
	}
	out->stub = ev.stub;
	out->len = ev.stub_len;
	out->big_endian = ev.big_endian;
	return AE_OK;
}

int
ae_run_rpc_call(struct ae_run_rpc *r, uint32_t context, uint16_t opnum,
    const struct ae_guid *object, const uint8_t *stub, size_t len,
    const char *name, struct ae_run_reply *out, struct ae_err *e)
{
	struct ae_err ours = AE_ERR_INIT;
	struct ae_run_timer timer;
	uint32_t call = 0;
	int rc;

	e = e != NULL ? e : &ours;
	*out = (struct ae_run_reply){ .not_executed = true };
	if (r->dead)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "%s: the connection is gone", r->peer);
	ae_run_stage_begin(&timer, AE_RUN_CALL, "%s", name);
	r->whole = false;
	rc = ae_rpc_client_call(
	    r->c, context, opnum, object, stub, len, &call, now(), e);
	if (rc == AE_OK) {
		rc = answer(r, call, out, e);
		if (out->fault == 0)
			out->not_executed = rc != AE_OK && !r->whole;
	}
	r->dead = rc != AE_OK && out->fault == 0;
	if (rc != AE_OK)
		rc = ae_note(e, rc, "calling %s at %s", name, r->peer);
	return ae_run_stage_end(&timer, r->trace, rc, e);
}

/* ---- the endpoint mapper ---- */

int
ae_run_epm_port(uint16_t *port, const struct ae_run_target *t,
    const struct ae_rpc_syntax *iface, struct ae_err *e)
{
	struct ae_run_target epm = *t;
	struct ae_rpc_epm_entry entry;
	struct ae_run_rpc *r = NULL;
	struct ae_run_reply reply;
	struct ae_wr stub;
	int rc;

	epm.port = t->port != 0 ? t->port : AE_RPC_EPM_PORT;
	epm.auth = AE_RPC_AUTH_NONE;
	epm.ifaces = &ae_rpc_epm_iface.id;
	epm.nifaces = 1;
	ae_wr_init(&stub, 4096);
	rc = ae_rpc_epm_map_request(&stub, iface, e);
	if (rc == AE_OK)
		rc = ae_run_rpc_open(&r, &epm, e);
	if (rc == AE_OK)
		rc = ae_run_rpc_call(r, 0, AE_RPC_EPM_OP_MAP, NULL, stub.p,
		    stub.len, "ept_map", &reply, e);
	if (rc == AE_OK)
		rc = ae_rpc_epm_map_reply(
		    &entry, reply.stub, reply.len, reply.big_endian, iface, e);
	if (rc == AE_OK)
		*port = entry.port;
	ae_run_rpc_close(r);
	ae_wr_done(&stub);
	return rc;
}
