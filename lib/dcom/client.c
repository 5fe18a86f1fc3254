/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client's steps: a table says what each one wants and what follows.
 */
#include "dcom/client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcom/calling.h"

#define CALL_CEILING (1u << 20)
#define STUB_MAX (1u << 17)

/* clang-format off */
static const struct ae_rpc_syntax resolver_ifaces[] = {
	{ .uuid = { 0x99fcfec4, 0x5260, 0x101b, { 0xbb, 0xcb, 0x00, 0xaa, 0x00, 0x21, 0x34, 0x7a } } },
};
/* IRemoteSCMActivator, and what servers older than 5.6 have. */
static const struct ae_rpc_syntax activation_ifaces[] = {
	{ .uuid = { 0x000001a0, 0, 0, { 0xc0, 0, 0, 0, 0, 0, 0, 0x46 } } },
	{ .uuid = { 0x4d9f4ab8, 0x7d1c, 0x11cf, { 0x86, 0x1e, 0x00, 0x20, 0xaf, 0x6e, 0x7c, 0x57 } } },
};

static const struct step {
	const char *what; /* for a person: "asking which COM version it speaks" */
	enum ae_dcom_client_want_type want;
	enum dcom_step next; /* of a connection; calls decide for themselves */
	uint32_t iface;
	uint16_t opnum;
	bool orpc; /* the object is the Remote Unknown */
	dcom_build_fn *build;
	dcom_take_fn *take;
} steps[] = {
	[STEP_ALIVE_CONNECT] = { "connecting to its object resolver", AE_DCOM_WANT_CONNECT, STEP_ALIVE, 0, 0, false, NULL, NULL },
	[STEP_ALIVE] = { "ServerAlive2", AE_DCOM_WANT_CALL, 0, 0, AE_DCOM_OP_SERVER_ALIVE2, false, dcom_build_nothing, dcom_take_alive },
	[STEP_ACTIVATE_CONNECT] = { "connecting to its activator", AE_DCOM_WANT_CONNECT, STEP_ACTIVATE, 0, 0, false, NULL, NULL },
	[STEP_ACTIVATE] = { "RemoteCreateInstance", AE_DCOM_WANT_CALL, 0, 0, AE_DCOM_OP_CREATE_INSTANCE, false, dcom_build_activate, dcom_take_activate },
	[STEP_ACTIVATE_OLD] = { "RemoteActivation", AE_DCOM_WANT_CALL, 0, 1, AE_DCOM_OP_REMOTE_ACTIVATION, false, dcom_build_activate_old, dcom_take_activate_old },
	[STEP_OBJECT_CONNECT] = { "connecting to the object", AE_DCOM_WANT_CONNECT, STEP_READY, 0, 0, false, NULL, NULL },
	[STEP_READY] = { "ready", AE_DCOM_WANT_READY, 0, 0, 0, false, NULL, NULL },
	[STEP_QUERY] = { "RemQueryInterface", AE_DCOM_WANT_CALL, 0, 0, AE_DCOM_OP_REM_QUERY_INTERFACE, true, dcom_build_query, dcom_take_query },
	[STEP_RELEASE] = { "RemRelease", AE_DCOM_WANT_CALL, 0, 0, AE_DCOM_OP_REM_RELEASE, true, dcom_build_release, dcom_take_release },
	[STEP_DONE] = { "done", AE_DCOM_WANT_DONE, 0, 0, 0, false, NULL, NULL },
	[STEP_FAILED] = { "failed", AE_DCOM_WANT_FAILED, 0, 0, 0, false, NULL, NULL },
};
/* clang-format on */

/* Releasing is a courtesy: when it fails, we are done all the same. */
static void
failed(struct ae_dcom_client *c, int rc)
{
	if (c->step == STEP_RELEASE) {
		c->step = STEP_DONE;
		return;
	}
	ae_note(&c->err, rc, "%s: %s", c->host, steps[c->step].what);
	c->step = STEP_FAILED;
}

/* Enter a step; a call is built at once. */
static void
enter(struct ae_dcom_client *c, enum dcom_step step)
{
	struct ae_arena *a;
	int rc;

	c->step = step;
	if (steps[step].build == NULL)
		return;
	ae_wr_reset(&c->stub);
	a = ae_arena_new(CALL_CEILING);
	rc = a == NULL ? ae_fail_mem(&c->err) : steps[step].build(c, a);
	ae_arena_free(a);
	if (rc != AE_OK)
		failed(c, rc);
}

static int
check_config(const struct ae_dcom_client_config *config, struct ae_err *e)
{
	size_t len = config->host == NULL ? 0 : strlen(config->host);

	if (len == 0 || len >= AE_DCOM_CLIENT_HOST_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a DCOM server's name has 1 to %d octets",
		    AE_DCOM_CLIENT_HOST_MAX - 1);
	if (config->niids == 0 || config->niids > AE_DCOM_CLIENT_IIDS_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "1 to %d interfaces can be asked for",
		    AE_DCOM_CLIENT_IIDS_MAX);
	return AE_OK;
}

int
ae_dcom_client_new(struct ae_dcom_client **out,
    const struct ae_dcom_client_config *config, struct ae_err *e)
{
	struct ae_dcom_client *c;
	size_t i;
	int rc = check_config(config, e);

	if (rc != AE_OK)
		return rc;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ae_fail_mem(e);
	snprintf(c->host, sizeof(c->host), "%s", config->host);
	snprintf(c->resolver_spn, sizeof(c->resolver_spn), "RPCSS/%s", c->host);
	snprintf(c->object_spn, sizeof(c->object_spn), "host/%s", c->host);
	c->clsid = config->clsid;
	c->cid = config->cid;
	c->activation_level = config->activation_level != 0
	    ? config->activation_level
	    : AE_RPC_LEVEL_INTEGRITY;
	c->call_level =
	    config->call_level != 0 ? config->call_level : AE_RPC_LEVEL_PRIVACY;
	c->no_hint = config->no_hint;
	c->auth_type = AE_RPC_AUTH_SPNEGO;
	c->ifaces[0].uuid = ae_dcom_iid_rem_unknown;
	c->nproxies = config->niids;
	c->nifaces = 1 + config->niids;
	c->alternatives = config->alternatives;
	for (i = 0; i < config->niids; i++) {
		c->ifaces[1 + i].uuid = config->iids[i];
		c->proxies[i] = (struct ae_dcom_proxy){ .iid = config->iids[i],
			.hresult = AE_DCOM_E_NOINTERFACE,
			.iface = (uint32_t)(1 + i) };
	}
	ae_wr_init(&c->stub, STUB_MAX);
	c->step = STEP_ALIVE_CONNECT;
	if (config->server.major != 0) {
		c->step = STEP_ACTIVATE_CONNECT;
		rc = dcom_negotiate(c, &config->server);
	}
	if (rc == AE_OK) {
		*out = c;
		return AE_OK;
	}
	if (e != NULL)
		*e = c->err;
	ae_dcom_client_free(c);
	return rc;
}

void
ae_dcom_client_free(struct ae_dcom_client *c)
{
	if (c == NULL)
		return;
	ae_wr_done(&c->stub);
	free(c);
}

static void
want_connect(const struct ae_dcom_client *c, struct ae_dcom_client_want *out)
{
	out->host = c->host;
	out->port = AE_DCOM_RESOLVER_PORT;
	switch (c->step) {
	case STEP_ALIVE_CONNECT: /* without security, MS-DCOM 3.2.4.1.1.1 */
		out->auth_type = AE_RPC_AUTH_NONE;
		out->level = AE_RPC_LEVEL_NONE;
		out->ifaces = resolver_ifaces;
		out->nifaces = 1;
		return;
	case STEP_ACTIVATE_CONNECT:
		out->auth_type = c->auth_type;
		out->level = c->activation_level;
		out->spn = c->resolver_spn;
		out->ifaces = activation_ifaces;
		out->nifaces = 2;
		return;
	default:
		out->port = c->port;
		out->auth_type = c->auth_type;
		out->level = c->call_level;
		out->spn = c->object_spn;
		out->ifaces = c->ifaces;
		out->nifaces = c->nifaces;
	}
}

void
ae_dcom_client_want(
    const struct ae_dcom_client *c, struct ae_dcom_client_want *out)
{
	const struct step *s = &steps[c->step];

	*out = (struct ae_dcom_client_want){ .type = s->want };
	if (s->want == AE_DCOM_WANT_CONNECT)
		want_connect(c, out);
	if (s->want != AE_DCOM_WANT_CALL)
		return;
	out->iface = s->iface;
	out->opnum = s->opnum;
	out->object = s->orpc ? &c->rem_unknown : NULL;
	out->stub = c->stub.p;
	out->stub_len = c->stub.len;
}

void
ae_dcom_client_connected(struct ae_dcom_client *c)
{
	enum dcom_step next = steps[c->step].next;

	assert(steps[c->step].want == AE_DCOM_WANT_CONNECT);
	if (next == STEP_ACTIVATE && c->spoken.minor < AE_DCOM_MINOR_SCM)
		next = STEP_ACTIVATE_OLD;
	enter(c, next);
}

void
ae_dcom_client_refused(struct ae_dcom_client *c, const struct ae_err *why)
{
	c->err = *why;
	failed(c, why->rc);
}

void
ae_dcom_client_reply(
    struct ae_dcom_client *c, const uint8_t *stub, size_t len, bool big_endian)
{
	/* Where a call that was answered leads. */
	static const enum dcom_step after[] = {
		[STEP_ALIVE] = STEP_ACTIVATE_CONNECT,
		[STEP_ACTIVATE] = STEP_OBJECT_CONNECT,
		[STEP_ACTIVATE_OLD] = STEP_OBJECT_CONNECT,
		[STEP_QUERY] = STEP_READY,
		[STEP_RELEASE] = STEP_DONE,
	};
	struct dcom_answer r = { .stub = stub, .len = len, .big = big_endian };
	int rc;

	assert(steps[c->step].want == AE_DCOM_WANT_CALL);
	r.a = ae_arena_new(CALL_CEILING);
	rc = r.a == NULL ? ae_fail_mem(&c->err) : steps[c->step].take(c, &r);
	ae_arena_free(r.a);
	if (rc != AE_OK)
		failed(c, rc);
	else
		enter(c, after[c->step]);
}

void
ae_dcom_client_fault(struct ae_dcom_client *c, uint32_t status)
{
	bool absent = status == AE_RPC_FAULT_OP_RNG_ERROR ||
	    status == AE_RPC_FAULT_UNK_IF;

	assert(steps[c->step].want == AE_DCOM_WANT_CALL);
	if (c->step == STEP_ALIVE && status == AE_RPC_FAULT_OP_RNG_ERROR) {
		/* MS-DCOM 3.2.4.1.1.1: then it is 5.1. */
		c->server = (struct ae_dcom_version){ AE_DCOM_MAJOR,
			AE_DCOM_MINOR_OLD };
		c->spoken = c->server;
		enter(c, STEP_ACTIVATE_CONNECT);
		return;
	}
	if (c->step == STEP_ACTIVATE && absent) {
		enter(c, STEP_ACTIVATE_OLD);
		return;
	}
	failed(c, ae_rpc_fault_err(&c->err, status));
}

uint32_t
ae_dcom_client_hint(const struct ae_dcom_client *c)
{
	return c->hint;
}

const struct ae_dcom_seen *
ae_dcom_client_seen(const struct ae_dcom_client *c, size_t *n)
{
	*n = c->nseen;
	return c->seen;
}

const struct ae_err *
ae_dcom_client_error(const struct ae_dcom_client *c)
{
	return &c->err;
}

const struct ae_dcom_proxy *
ae_dcom_client_proxy(const struct ae_dcom_client *c, size_t i)
{
	assert(i < c->nproxies);
	return &c->proxies[i];
}

struct ae_dcom_version
ae_dcom_client_version(const struct ae_dcom_client *c)
{
	return c->spoken;
}

struct ae_dcom_version
ae_dcom_client_server(const struct ae_dcom_client *c)
{
	return c->server;
}

void
ae_dcom_client_query(struct ae_dcom_client *c)
{
	assert(c->step == STEP_READY);
	enter(c, STEP_QUERY);
}

void
ae_dcom_client_release(struct ae_dcom_client *c)
{
	assert(c->step == STEP_READY);
	enter(c, STEP_RELEASE);
}
