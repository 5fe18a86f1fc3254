/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Client and server with real Kerberos between them: a realm on loopback,
 * every level and mechanism, with and without header signing, and a context
 * that is moved to "another process" before its first message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../gss/realm.h"
#include "pair.h"

static struct ae_gss_cred *client, *service;

static int
setup(void **state)
{
	(void)state;
	realm_up();
	client = realm_client();
	service = realm_service(false);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ae_gss_cred_free(client);
	ae_gss_cred_free(service);
	realm_down();
	return 0;
}

/* The acceptor: its one half-open context. */
static struct ae_gss_ctx *half;

static struct ae_gss_ctx *
moved(struct ae_gss_ctx *ctx)
{
	struct ae_gss_ctx *there = NULL;
	struct ae_secret s = { NULL, 0 };

	assert_int_equal(ae_gss_export(ctx, &s, NULL), AE_OK);
	ae_gss_ctx_free(ctx);
	assert_int_equal(ae_gss_import(&there, s.p, s.len, NULL), AE_OK);
	ae_secret_done(&s);
	return there;
}

static void
accept_leg(struct end *x)
{
	struct ae_rpc_auth_result r = { .status = AE_RPC_AUTH_FAILED };
	const struct ae_rpc_auth_event *a = &x->auth;
	struct ae_gss_acceptor conf = { .mech = (enum ae_gss_mech)a->type,
		.level = (enum ae_gss_level)a->level };
	struct ae_wr out;
	bool done = false;

	ae_wr_init(&out, AE_GSS_TOKEN_MAX);
	if (a->first)
		assert_int_equal(
		    ae_gss_ctx_accept(&half, service, &conf, NULL), AE_OK);
	if (ae_gss_step(half, a->token, a->token_len, &out, &done, NULL) ==
	    AE_OK) {
		r.status = done ? AE_RPC_AUTH_COMPLETE : AE_RPC_AUTH_CONTINUE;
		r.token = out.p;
		r.token_len = out.len;
		r.name = 7;
	}
	if (done) {
		r.sec = ae_rpc_sec_gss(moved(half));
		half = NULL;
	}
	ae_rpc_conn_auth_done(x->conn, a->auth, &r, 0);
	ae_wr_done(&out);
	if (r.status == AE_RPC_AUTH_FAILED) {
		ae_gss_ctx_free(half);
		half = NULL;
	}
}

/* As exchange() of pair.h, with the acceptor above. */
static void
talk(struct end *x, struct ae_rpc_client *cl)
{
	do {
		x->auth.token = NULL;
		exchange(x, cl, 0);
		if (x->auth.token != NULL)
			accept_leg(x);
	} while (x->auth.token != NULL);
}

static struct ae_rpc_client *
connect_to(struct end *x, struct ae_rpc_server *s, enum ae_gss_mech mech,
    enum ae_gss_level level, bool header_sign)
{
	struct ae_gss_initiator ic = {
		.mech = mech, .level = level, .target = SERVICE, .dce = true
	};
	struct ae_rpc_client_config g = {
		.auth_type = (enum ae_rpc_auth_type)mech,
		.level = (enum ae_rpc_level)level,
		.no_header_sign = !header_sign,
	};
	struct ae_gss_ctx *init;
	struct ae_rpc_client *cl;

	end_init(x, s, "peer");
	x->hold_auth = true;
	assert_int_equal(ae_gss_ctx_initiate(&init, client, &ic, NULL), AE_OK);
	g.sec = ae_rpc_sec_gss(init);
	cl = ae_rpc_client_new(&g, 0);
	assert_int_equal(
	    ae_rpc_client_bind(cl, &echo_iface.id, 1, 0, NULL), AE_OK);
	talk(x, cl);
	return cl;
}

static void
echoes(struct end *x, struct ae_rpc_client *cl)
{
	static const size_t sizes[] = { 0, 1, 16, 17, 5700, 5760, 30000 };
	struct ae_rpc_client_event ev;
	uint8_t *stub = malloc(30000);
	uint32_t id;
	size_t i;

	assert_non_null(stub);
	for (i = 0; i < 30000; i++)
		stub[i] = (uint8_t)(i * 3);
	assert_true(ae_rpc_client_event(cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_BOUND);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(ae_rpc_client_call(cl, 0, 0, NULL, stub,
				     sizes[i], &id, 0, NULL),
		    AE_OK);
		talk(x, cl);
		assert_true(ae_rpc_client_event(cl, &ev));
		assert_int_equal(ev.type, AE_RPC_CLIENT_REPLY);
		assert_true(ev.stub_len >= sizes[i]);
		assert_true(ev.stub_len < sizes[i] + 4);
		if (sizes[i] > 0)
			assert_memory_equal(ev.stub, stub, sizes[i]);
	}
	free(stub);
}

static void
all_levels(void **state)
{
	static const enum ae_gss_mech mechs[] = { AE_GSS_KRB5, AE_GSS_SPNEGO };
	static const enum ae_gss_level levels[] = { AE_GSS_CONNECT, AE_GSS_PKT,
		AE_GSS_INTEGRITY, AE_GSS_PRIVACY };
	struct ae_rpc_server *s = test_server(NULL);
	struct ae_rpc_client *cl;
	struct end x;
	int i;

	(void)state;
	for (i = 0; i < 16; i++) {
		cl = connect_to(
		    &x, s, mechs[i & 1], levels[i >> 2], (i & 2) != 0);
		echoes(&x, cl);
		if (levels[i >> 2] >= AE_GSS_PKT) {
			assert_int_equal(x.last.name, 7);
			assert_int_equal(x.last.level, levels[i >> 2]);
		}
		ae_rpc_client_free(cl);
		end_done(&x);
	}
	ae_rpc_server_free(s);
}

/* One octet of a sealed request changed on its way. */
static void
cve_2021_23192_changed_on_the_way(void **state)
{
	struct ae_rpc_server *s = test_server(NULL);
	struct ae_rpc_client_event ev;
	struct ae_rpc_client *cl;
	const uint8_t *p;
	uint8_t copy[512];
	size_t len, at;
	struct end x;
	uint32_t id;

	(void)state;
	for (at = 0; at < 150; at += 7) {
		/* These end the PDU early, late, or say who speaks. */
		if (at == 7 || at == 14)
			continue;
		cl = connect_to(&x, s, AE_GSS_KRB5, AE_GSS_PRIVACY, true);
		assert_true(ae_rpc_client_event(cl, &ev));
		assert_int_equal(
		    ae_rpc_client_call(cl, 0, 0, NULL,
			(const uint8_t *)"secret", 6, &id, 0, NULL),
		    AE_OK);
		p = ae_rpc_client_output(cl, &len);
		assert_true(len < sizeof(copy));
		memcpy(copy, p, len);
		if (at < len)
			copy[at] ^= 0x40;
		(void)end_feed(&x, copy, len);
		end_run(&x);
		assert_int_equal(x.calls, at < len ? 0 : 1);
		assert_int_equal(x.closed, at < len);
		ae_rpc_client_free(cl);
		end_done(&x);
	}
	ae_rpc_server_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_levels),
		cmocka_unit_test(cve_2021_23192_changed_on_the_way),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
