/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client, step by step against our own exporter; against servers that
 * are old, unwilling or lying; and with every reply mutated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "dcom/client.h"
#include "dcom/exporter.h"
#include "dcom/objref.h"
#include "dcom/wire.h"
#include "fixture.h"
#include "mutate.h"
#include "torture.h"

static struct ae_dcom_exporter *x;
static struct ae_dcom_client *c;
static struct ae_dcom_client_want want;
static struct ae_arena *arena;

static struct ae_dcom_client *
new_client(void)
{
	const struct ae_guid iids[] = { fixture_iid, fixture_iid2 };
	const struct ae_dcom_client_config config = { .host = FIXTURE_HOST,
		.clsid = fixture_clsid,
		.iids = iids,
		.niids = 2,
		.cid = fixture_cid };
	struct ae_dcom_client *n = NULL;

	return ae_dcom_client_new(&n, &config, NULL) == AE_OK ? n : NULL;
}

/* The interfaces of the connection that was wanted last. */
static const struct ae_rpc_syntax *ifaces;
static size_t nifaces;

static void
connect_as_wanted(void)
{
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_CONNECT);
	assert_string_equal(want.host, FIXTURE_HOST);
	ifaces = want.ifaces;
	nifaces = want.nifaces;
	ae_dcom_client_connected(c);
}

/* Let the exporter answer the call that is wanted. */
static uint32_t
ask_exporter(struct ae_wr *reply)
{
	struct ae_rpc_call call;

	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_CALL);
	call = fixture_call(fixture_find(&ifaces[want.iface].uuid), want.opnum,
	    want.stub, want.stub_len);
	if (want.object != NULL) {
		call.has_object = true;
		call.object = *want.object;
	}
	return ae_dcom_exporter_call(x, &call, true, 0, reply, NULL);
}

static void
call_as_wanted(void)
{
	struct ae_wr reply;

	ae_wr_init(&reply, 1 << 17);
	assert_int_equal(ask_exporter(&reply), 0);
	ae_dcom_client_reply(c, reply.p, reply.len, false);
	ae_wr_done(&reply);
}

static void
to_ready(void)
{
	connect_as_wanted();
	call_as_wanted();
	connect_as_wanted();
	call_as_wanted();
	connect_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_READY);
}

static void
assert_failed(int rc, enum ae_dom dom, int64_t code, const char *text)
{
	const struct ae_err *e = ae_dcom_client_error(c);

	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_FAILED);
	assert_int_equal(e->rc, rc);
	assert_int_equal(e->dom, dom);
	assert_int_equal(e->code, code);
	if (strstr(e->text, text) == NULL)
		fail_msg("%s", e->text);
}

static void
whole_way(void **state)
{
	struct ae_guid ipid = ae_dcom_exporter_ipid(x, 0, 0);
	struct ae_guid ipid2 = ae_dcom_exporter_ipid(x, 0, 1);
	struct ae_dcom_orpc o;
	struct ae_rpc_call call;
	const uint8_t *args;
	size_t args_len;
	struct ae_wr w;

	(void)state;
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.port, 135);
	assert_int_equal(want.auth_type, AE_RPC_AUTH_NONE);
	assert_null(want.spn);
	connect_as_wanted();
	call_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.port, 135);
	assert_int_equal(want.auth_type, AE_RPC_AUTH_SPNEGO);
	assert_int_equal(want.level, AE_RPC_LEVEL_INTEGRITY);
	assert_string_equal(want.spn, "RPCSS/" FIXTURE_HOST);
	connect_as_wanted();
	call_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.port, FIXTURE_PORT);
	assert_int_equal(want.level, AE_RPC_LEVEL_PRIVACY);
	assert_string_equal(want.spn, "host/" FIXTURE_HOST);
	assert_int_equal(want.nifaces, 3);
	connect_as_wanted();
	assert_int_equal(ae_dcom_client_version(c).minor, 7);
	assert_int_equal(ae_dcom_client_proxy(c, 0)->hresult, 0);
	assert_true(ae_guid_equal(&ae_dcom_client_proxy(c, 0)->ipid, &ipid));
	assert_true(ae_guid_equal(&ae_dcom_client_proxy(c, 1)->ipid, &ipid2));
	assert_int_equal(ae_dcom_client_proxy(c, 1)->refs, 5);

	/* A call of the application, there and back. */
	ae_wr_init(&w, 4096);
	ae_dcom_client_call_begin(c, &w);
	assert_int_equal(w.len, 32);
	ae_wr_str(&w, "question");
	call = fixture_call(
	    fixture_find(&ifaces[ae_dcom_client_proxy(c, 1)->iface].uuid), 6,
	    w.p, w.len);
	call.has_object = true;
	call.object = ae_dcom_client_proxy(c, 1)->ipid;
	assert_int_equal(ae_dcom_exporter_open(x, &call, &o, NULL), 0);
	assert_int_equal(o.args_len, 8);
	assert_memory_equal(o.args, "question", 8);
	ae_wr_reset(&w);
	ae_dcom_reply_begin(&w);
	ae_wr_str(&w, "answer");
	assert_int_equal(
	    ae_dcom_client_answer(w.p, w.len, false, &args, &args_len, NULL),
	    AE_OK);
	assert_int_equal(args_len, 6);
	assert_memory_equal(args, "answer", 6);
	assert_int_equal(
	    ae_dcom_client_answer(w.p, 7, false, &args, &args_len, NULL),
	    AE_EPROTO);
	ae_wr_done(&w);

	ae_dcom_client_release(c);
	call_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_DONE);
}

/* No ServerAlive2: 5.1, and IActivation on the second presentation context. */
static void
old_server(void **state)
{
	(void)state;
	connect_as_wanted();
	ae_dcom_client_fault(c, AE_RPC_FAULT_OP_RNG_ERROR);
	connect_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.iface, 1);
	assert_int_equal(want.opnum, AE_DCOM_OP_REMOTE_ACTIVATION);
	assert_memory_equal(want.stub, "\5\0\1\0", 4); /* 5.1 */
	call_as_wanted();
	connect_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_READY);
	assert_int_equal(ae_dcom_client_proxy(c, 1)->hresult, 0);
}

static void
no_scm_activator(void **state)
{
	(void)state;
	connect_as_wanted();
	call_as_wanted();
	connect_as_wanted();
	ae_dcom_client_fault(c, AE_RPC_FAULT_UNK_IF);
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.iface, 1);
	call_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_CONNECT);
	assert_int_equal(want.port, FIXTURE_PORT);
}

static void
refusals(void **state)
{
	struct ae_err why = AE_ERR_INIT;

	(void)state;
	ae_fail(&why, AE_EUNAVAIL, AE_DOM_ERRNO, 111, "connection refused");
	ae_dcom_client_refused(c, &why);
	assert_failed(AE_EUNAVAIL, AE_DOM_ERRNO, 111,
	    FIXTURE_HOST ": connecting to its object resolver: connection "
			 "refused");
	ae_dcom_client_free(c);

	c = new_client();
	connect_as_wanted();
	ae_dcom_client_fault(c, 5);
	assert_failed(AE_EDENIED, AE_DOM_RPC, 5, "ServerAlive2");
	ae_dcom_client_free(c);

	c = new_client();
	connect_as_wanted();
	call_as_wanted();
	connect_as_wanted();
	ae_dcom_client_fault(c, 5);
	assert_failed(AE_EDENIED, AE_DOM_RPC, 5, "RemoteCreateInstance");
}

/* Stop where RemoteCreateInstance is to be answered. */
static void
to_activation(void)
{
	connect_as_wanted();
	call_as_wanted();
	connect_as_wanted();
}

static void
refused_activation(void **state)
{
	static const struct {
		const char *hr;
		uint32_t code;
		int rc;
	} rows[] = {
		{ "\5\0\7\x80", AE_DCOM_E_ACCESSDENIED, AE_EDENIED },
		{ "\x54\1\4\x80", AE_DCOM_E_CLASSNOTREG, AE_ENOTFOUND },
		{ "\x10\1\1\x80", AE_DCOM_E_VERSION_MISMATCH, AE_EREMOTE },
	};
	uint8_t reply[16] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ae_dcom_client_free(c);
		c = new_client();
		to_activation();
		memcpy(reply + 12, rows[i].hr, 4);
		ae_dcom_client_reply(c, reply, sizeof(reply), false);
		assert_failed(rows[i].rc, AE_DOM_HRESULT, rows[i].code,
		    "RemoteCreateInstance");
	}
}

/*
 * A server that lists other machines in its bindings: the port is taken,
 * the machine is not; one at our name is preferred.
 */
static void
cve_2022_37976_foreign_bindings(void **state)
{
	static const struct {
		struct ae_dcom_binding v[3];
		uint16_t port;
	} rows[] = {
		{ { { 7, "evil.example", 4444 }, { 7, "CA.Example.TEST", 5555 },
		      { 7, "10.0.0.1", 6666 } },
		    5555 },
		{ { { 7, "10.0.0.1", 0 }, { 15, "\\\\x", 0 },
		      { 7, "evil.example", 4444 } },
		    4444 },
		{ { { 15, "a", 0 }, { 7, FIXTURE_HOST, 0 }, { 8, "b", 0 } },
		    0 },
	};
	struct ae_dcom_remote_activation_out out;
	struct ae_dcom_dsa dsa;
	struct ae_wr w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ae_dcom_bindings b = { rows[i].v, 3, NULL, 0 };

		ae_dcom_client_free(c);
		c = new_client();
		connect_as_wanted();
		ae_dcom_client_fault(c, AE_RPC_FAULT_OP_RNG_ERROR);
		connect_as_wanted();
		/* The exporter's reply, with other bindings put in. */
		ae_wr_init(&w, 1 << 17);
		assert_int_equal(ask_exporter(&w), 0);
		assert_int_equal(
		    ae_ndr_decode(&ae_dcom_remote_activation_out_type, &out,
			w.p, w.len, false, arena, NULL, NULL),
		    AE_OK);
		assert_int_equal(
		    ae_dcom_bindings_put(&dsa, &b, true, arena, NULL), AE_OK);
		out.bindings = &dsa;
		ae_wr_reset(&w);
		assert_int_equal(
		    ae_ndr_encode(
			&ae_dcom_remote_activation_out_type, &out, &w, NULL),
		    AE_OK);
		ae_dcom_client_reply(c, w.p, w.len, false);
		ae_wr_done(&w);
		if (rows[i].port == 0) {
			assert_failed(AE_EPROTO, AE_DOM_NONE, 0, "no TCP port");
			continue;
		}
		ae_dcom_client_want(c, &want);
		assert_int_equal(want.type, AE_DCOM_WANT_CONNECT);
		assert_string_equal(want.host, FIXTURE_HOST);
		assert_string_equal(want.spn, "host/" FIXTURE_HOST);
		assert_int_equal(want.port, rows[i].port);
	}
}

/* RemoteActivation's answer with something about it changed. */
static void
lying_server(void **state)
{
	struct ae_dcom_remote_activation_out out;
	struct ae_wr w;
	int lie;

	(void)state;
	for (lie = 0; lie < 6; lie++) {
		ae_dcom_client_free(c);
		c = new_client();
		connect_as_wanted();
		ae_dcom_client_fault(c, AE_RPC_FAULT_OP_RNG_ERROR);
		connect_as_wanted();
		ae_wr_init(&w, 1 << 17);
		assert_int_equal(ask_exporter(&w), 0);
		assert_int_equal(
		    ae_ndr_decode(&ae_dcom_remote_activation_out_type, &out,
			w.p, w.len, false, arena, NULL, NULL),
		    AE_OK);
		if (lie == 0)
			out.objrefs[0] = NULL;
		else if (lie == 1)
			out.objrefs[0] = out.objrefs[1];
		else if (lie == 2)
			out.oxid++;
		else if (lie == 3)
			out.n = out.nresults = 1;
		else if (lie == 4)
			out.n = 1;
		else
			out.version.major = 4;
		ae_wr_reset(&w);
		assert_int_equal(
		    ae_ndr_encode(
			&ae_dcom_remote_activation_out_type, &out, &w, NULL),
		    AE_OK);
		ae_dcom_client_reply(c, w.p, w.len, false);
		ae_wr_done(&w);
		ae_dcom_client_want(c, &want);
		assert_int_equal(want.type, AE_DCOM_WANT_FAILED);
		assert_int_equal(ae_dcom_client_error(c)->rc,
		    lie == 5 ? AE_EUNAVAIL : AE_EPROTO);
	}
}

/* An interface that activation did not give is asked for again. */
static void
query(void **state)
{
	struct ae_dcom_remote_activation_out out;
	struct ae_wr w;

	(void)state;
	connect_as_wanted();
	ae_dcom_client_fault(c, AE_RPC_FAULT_OP_RNG_ERROR);
	connect_as_wanted();
	ae_wr_init(&w, 1 << 17);
	assert_int_equal(ask_exporter(&w), 0);
	assert_int_equal(ae_ndr_decode(&ae_dcom_remote_activation_out_type,
			     &out, w.p, w.len, false, arena, NULL, NULL),
	    AE_OK);
	out.results[1] = AE_DCOM_E_NOINTERFACE;
	out.objrefs[1] = NULL;
	ae_wr_reset(&w);
	assert_int_equal(
	    ae_ndr_encode(&ae_dcom_remote_activation_out_type, &out, &w, NULL),
	    AE_OK);
	ae_dcom_client_reply(c, w.p, w.len, false);
	ae_wr_done(&w);
	connect_as_wanted();
	assert_int_equal(
	    ae_dcom_client_proxy(c, 1)->hresult, AE_DCOM_E_NOINTERFACE);
	ae_dcom_client_query(c);
	call_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_READY);
	assert_int_equal(ae_dcom_client_proxy(c, 1)->hresult, 0);
	/* A release that fails is no failure. */
	ae_dcom_client_release(c);
	ae_dcom_client_fault(c, AE_DCOM_E_DISCONNECTED);
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_DONE);
}

/*
 * Of alternatives the first that is there is bound, whichever that is, and
 * all references are given back.
 */
static void
alternatives(void **state)
{
	const struct ae_guid iids[] = { fixture_cid, fixture_iid2,
		fixture_iid };
	const struct ae_dcom_client_config config = { .host = FIXTURE_HOST,
		.clsid = fixture_clsid,
		.iids = iids,
		.niids = 3,
		.cid = fixture_cid,
		.alternatives = true };

	(void)state;
	ae_dcom_client_free(c);
	c = NULL;
	assert_int_equal(ae_dcom_client_new(&c, &config, NULL), AE_OK);
	to_ready();
	assert_int_equal(want.type, AE_DCOM_WANT_READY);
	assert_int_equal(
	    ae_dcom_client_proxy(c, 0)->hresult, AE_DCOM_E_NOINTERFACE);
	assert_int_equal(ae_dcom_client_proxy(c, 1)->hresult, 0);
	assert_int_equal(ae_dcom_client_proxy(c, 1)->iface, 1);
	assert_true(ae_guid_equal(&ifaces[1].uuid, &fixture_iid2));
	assert_int_equal(nifaces, 2);
	ae_dcom_client_release(c);
	call_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_DONE);
}

/* A host that was asked before is not asked for its version again. */
static void
known_server(void **state)
{
	struct ae_guid iid = fixture_iid;
	struct ae_dcom_client_config config = { .host = FIXTURE_HOST,
		.clsid = fixture_clsid,
		.iids = &iid,
		.niids = 1,
		.server = { 5, 7 } };
	struct ae_dcom_client *n = NULL;
	struct ae_dcom_client_want w;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	assert_int_equal(ae_dcom_client_new(&n, &config, &e), AE_OK);
	ae_dcom_client_want(n, &w);
	assert_int_equal(w.type, AE_DCOM_WANT_CONNECT);
	assert_int_equal(w.auth_type, AE_RPC_AUTH_SPNEGO);
	assert_int_equal(ae_dcom_client_version(n).minor, 7);
	assert_int_equal(ae_dcom_client_server(n).minor, 7);
	ae_dcom_client_connected(n);
	ae_dcom_client_want(n, &w);
	assert_int_equal(w.opnum, AE_DCOM_OP_CREATE_INSTANCE);
	ae_dcom_client_free(n);

	/* an old one gets what it knows */
	n = NULL;
	config.server.minor = 1;
	assert_int_equal(ae_dcom_client_new(&n, &config, &e), AE_OK);
	ae_dcom_client_connected(n);
	ae_dcom_client_want(n, &w);
	assert_int_equal(w.opnum, AE_DCOM_OP_REMOTE_ACTIVATION);
	ae_dcom_client_free(n);

	n = NULL;
	config.server.major = 4;
	assert_int_equal(ae_dcom_client_new(&n, &config, &e), AE_EUNAVAIL);
	assert_int_equal((uint32_t)e.code, AE_DCOM_E_VERSION_MISMATCH);
	assert_null(n);
}

static void
bad_config(void **state)
{
	struct ae_guid iid = fixture_iid;
	struct ae_dcom_client_config config = {
		.host = "", .iids = &iid, .niids = 1
	};
	char host[AE_DCOM_CLIENT_HOST_MAX + 1];
	struct ae_dcom_client *n = NULL;

	(void)state;
	assert_int_equal(ae_dcom_client_new(&n, &config, NULL), AE_EINVAL);
	memset(host, 'a', sizeof(host));
	host[AE_DCOM_CLIENT_HOST_MAX] = '\0';
	config.host = host;
	assert_int_equal(ae_dcom_client_new(&n, &config, NULL), AE_EINVAL);
	config.host = "a";
	config.niids = 0;
	assert_int_equal(ae_dcom_client_new(&n, &config, NULL), AE_EINVAL);
	config.niids = AE_DCOM_CLIENT_IIDS_MAX + 1;
	assert_int_equal(ae_dcom_client_new(&n, &config, NULL), AE_EINVAL);
	assert_null(n);
}

/* How many calls come before the one whose reply is mutated. */
static void
mutated_step(const uint8_t *p, size_t len, void *arg)
{
	int before = *(const int *)arg, i;

	ae_dcom_client_free(c);
	c = new_client();
	connect_as_wanted();
	for (i = 0; i < before; i++) {
		call_as_wanted();
		connect_as_wanted();
	}
	ae_dcom_client_reply(c, p, len, false);
	ae_dcom_client_want(c, &want);
	assert_int_not_equal(want.type, AE_DCOM_WANT_CALL);
	if (want.type == AE_DCOM_WANT_CONNECT)
		assert_string_equal(want.host, FIXTURE_HOST);
}

static void
mutated(void **state)
{
	struct ae_wr w;
	int before, i;

	(void)state;
	for (before = 0; before < 2; before++) {
		ae_dcom_client_free(c);
		c = new_client();
		connect_as_wanted();
		for (i = 0; i < before; i++) {
			call_as_wanted();
			connect_as_wanted();
		}
		ae_wr_init(&w, 1 << 17);
		assert_int_equal(ask_exporter(&w), 0);
		assert_int_equal(
		    ae_mutate(w.p, w.len, mutated_step, &before), 13 * w.len);
		ae_wr_done(&w);
	}
}

/* The client's allocations fail one by one; the replies are at hand. */
struct replies {
	struct ae_wr alive, activate;
};

static bool
walk(void *arg)
{
	const struct replies *r = arg;
	struct ae_dcom_client *n = new_client();
	struct ae_dcom_client_want w;
	bool ok;

	if (n == NULL)
		return false;
	ae_dcom_client_connected(n);
	ae_dcom_client_want(n, &w);
	if (w.type == AE_DCOM_WANT_CALL)
		ae_dcom_client_reply(n, r->alive.p, r->alive.len, false);
	ae_dcom_client_want(n, &w);
	if (w.type == AE_DCOM_WANT_CONNECT)
		ae_dcom_client_connected(n);
	ae_dcom_client_want(n, &w);
	if (w.type == AE_DCOM_WANT_CALL)
		ae_dcom_client_reply(n, r->activate.p, r->activate.len, false);
	ae_dcom_client_want(n, &w);
	ok = w.type == AE_DCOM_WANT_CONNECT;
	if (!ok)
		assert_int_equal(ae_dcom_client_error(n)->rc, AE_ENOMEM);
	ae_dcom_client_free(n);
	return ok;
}

static void
torture(void **state)
{
	struct replies r;

	(void)state;
	ae_wr_init(&r.alive, 1 << 17);
	ae_wr_init(&r.activate, 1 << 17);
	connect_as_wanted();
	assert_int_equal(ask_exporter(&r.alive), 0);
	ae_dcom_client_reply(c, r.alive.p, r.alive.len, false);
	connect_as_wanted();
	assert_int_equal(ask_exporter(&r.activate), 0);
	assert_true(ae_torture(walk, &r, 300, true) > 5);
	ae_wr_done(&r.alive);
	ae_wr_done(&r.activate);
}

static void
ready_twice(void **state)
{
	(void)state;
	to_ready();
	ae_dcom_client_query(c); /* nothing is missing */
	call_as_wanted();
	ae_dcom_client_want(c, &want);
	assert_int_equal(want.type, AE_DCOM_WANT_READY);
}

static int
setup(void **state)
{
	(void)state;
	x = fixture_exporter();
	c = new_client();
	arena = ae_arena_new(1 << 20);
	return x == NULL || c == NULL || arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	ae_arena_free(arena);
	ae_dcom_client_free(c);
	ae_dcom_exporter_free(x);
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(whole_way),
		T(old_server),
		T(no_scm_activator),
		T(refusals),
		T(refused_activation),
		T(cve_2022_37976_foreign_bindings),
		T(lying_server),
		T(query),
		T(alternatives),
		T(ready_twice),
		T(known_server),
		T(bad_config),
		T(mutated),
		T(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
