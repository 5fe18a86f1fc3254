/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Our client against our server: binds, levels, fragments, faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "pair.h"
#include "torture.h"

struct fixture {
	struct ae_rpc_server *s;
	struct end x;
	struct ae_rpc_client *cl;
};

static void
start(struct fixture *f, const struct ae_rpc_limits *limits,
    const struct ae_rpc_client_config *config)
{
	f->s = test_server(limits);
	assert_non_null(f->s);
	end_init(&f->x, f->s, "peer");
	f->cl = ae_rpc_client_new(config, 1000);
	assert_non_null(f->cl);
}

static void
stop(struct fixture *f)
{
	ae_rpc_client_free(f->cl);
	end_done(&f->x);
	ae_rpc_server_free(f->s);
	assert_int_equal(fake_live, 0);
}

static struct ae_rpc_client_config
authenticated(enum ae_rpc_level level, bool header_sign)
{
	return (struct ae_rpc_client_config){
		.auth_type = AE_RPC_AUTH_KRB5,
		.level = level,
		.sec = fake_initiator(7),
		.no_header_sign = !header_sign,
	};
}

static void
bind_to(struct fixture *f, const struct ae_rpc_iface *i, size_t chunk)
{
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(ae_rpc_client_bind(f->cl, &i->id, 1, 1000, &e), AE_OK);
	exchange(&f->x, f->cl, chunk);
	assert_true(ae_rpc_client_event(f->cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_BOUND);
	assert_false(ae_rpc_client_event(f->cl, &ev));
}

static struct ae_rpc_client_event
call(struct fixture *f, uint16_t opnum, const void *stub, size_t len,
    size_t chunk)
{
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	uint32_t id;

	assert_int_equal(
	    ae_rpc_client_call(f->cl, 0, opnum, NULL, stub, len, &id, 1000, &e),
	    AE_OK);
	exchange(&f->x, f->cl, chunk);
	assert_true(ae_rpc_client_event(f->cl, &ev));
	if (ev.type == AE_RPC_CLIENT_CLOSED)
		print_message("closed: %s / %s\n", ev.err.text, f->x.why.text);
	assert_true(ev.type == AE_RPC_CLIENT_CLOSED || ev.call == id);
	return ev;
}

static void
check_echo(struct fixture *f, size_t len, size_t chunk)
{
	struct ae_rpc_client_event ev;
	uint8_t *stub = malloc(len + 1);
	size_t i;

	assert_non_null(stub);
	for (i = 0; i < len; i++)
		stub[i] = (uint8_t)(i * 31 + len);
	ev = call(f, 0, stub, len, chunk);
	assert_int_equal(ev.type, AE_RPC_CLIENT_REPLY);
	/* What aligned the verification trailer cannot be told from stub. */
	if (ae_rpc_client_header_sign(f->cl) ||
	    f->x.last.level < AE_RPC_LEVEL_PKT)
		assert_int_equal(ev.stub_len, len);
	else
		assert_int_equal(ev.stub_len, (len + 3) & ~(size_t)3);
	if (len > 0)
		assert_memory_equal(ev.stub, stub, len);
	assert_int_equal(f->x.last_stub.len, ev.stub_len);
	free(stub);
}

static void
test_anonymous(void **state)
{
	struct ae_rpc_client_config g = { .auth_type = AE_RPC_AUTH_NONE };
	struct fixture f;

	(void)state;
	start(&f, NULL, &g);
	bind_to(&f, &echo_iface, 0);
	check_echo(&f, 0, 0);
	check_echo(&f, 100, 0);
	check_echo(&f, 20000, 0);
	assert_int_equal(f.x.last.level, AE_RPC_LEVEL_NONE);
	assert_null(f.x.last.sid);
	assert_int_equal(f.x.last.name, 0);
	stop(&f);
}

static void
test_levels(void **state)
{
	static const size_t sizes[] = { 0, 1, 5, 15, 16, 17, 100, 5744, 5760,
		5761, 20001, 1024 * 1024 - 300 };
	static const enum ae_rpc_level levels[] = { AE_RPC_LEVEL_CONNECT,
		AE_RPC_LEVEL_PKT, AE_RPC_LEVEL_INTEGRITY,
		AE_RPC_LEVEL_PRIVACY };
	struct fixture f;
	size_t i, j;
	int sign;

	(void)state;
	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		for (sign = 0; sign < 2; sign++) {
			struct ae_rpc_client_config g =
			    authenticated(levels[i], sign);

			start(&f, NULL, &g);
			bind_to(&f, &echo_iface, 0);
			assert_int_equal(ae_rpc_client_header_sign(f.cl),
			    sign && levels[i] >= AE_RPC_LEVEL_PKT);
			for (j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++)
				check_echo(&f, sizes[j], 0);
			if (levels[i] >= AE_RPC_LEVEL_PKT) {
				assert_int_equal(f.x.last.level, levels[i]);
				assert_int_equal(f.x.last.name, 1007);
				assert_non_null(f.x.last.sid);
			}
			stop(&f);
		}
	}
}

static void
test_dribble(void **state)
{
	struct ae_rpc_client_config g =
	    authenticated(AE_RPC_LEVEL_PRIVACY, true);
	struct fixture f;

	(void)state;
	start(&f, NULL, &g);
	bind_to(&f, &vault_iface, 1);
	check_echo(&f, 9000, 1);
	check_echo(&f, 9000, 7);
	stop(&f);
}

static void
test_required_level(void **state)
{
	struct ae_rpc_client_event ev;
	enum ae_rpc_level l;
	struct fixture f;

	(void)state;
	for (l = AE_RPC_LEVEL_NONE; l < AE_RPC_LEVEL_PRIVACY; l++) {
		struct ae_rpc_client_config g = { .auth_type =
						      AE_RPC_AUTH_NONE };

		if (l == AE_RPC_LEVEL_CALL)
			continue;
		if (l != AE_RPC_LEVEL_NONE)
			g = authenticated(l, true);
		start(&f, NULL, &g);
		bind_to(&f, &vault_iface, 0);
		ev = call(&f, 0, "secret", 6, 0);
		assert_int_equal(ev.type, AE_RPC_CLIENT_FAULT);
		assert_int_equal(ev.fault, AE_RPC_FAULT_ACCESS_DENIED);
		assert_true(ev.did_not_execute);
		assert_int_equal(ev.err.rc, AE_EDENIED);
		assert_int_equal(f.x.calls, 0);
		/* The connection goes on. */
		ev = call(&f, 0, "secret", 6, 0);
		assert_int_equal(ev.type, AE_RPC_CLIENT_FAULT);
		stop(&f);
	}
}

static void
test_faults(void **state)
{
	struct ae_rpc_client_config g =
	    authenticated(AE_RPC_LEVEL_INTEGRITY, true);
	struct ae_rpc_client_event ev;
	struct fixture f;

	(void)state;
	start(&f, NULL, &g);
	bind_to(&f, &echo_iface, 0);
	ev = call(&f, 1, "x", 1, 0);
	assert_int_equal(ev.type, AE_RPC_CLIENT_FAULT);
	assert_int_equal(ev.fault, 0x1234);
	assert_false(ev.did_not_execute);
	assert_int_equal(ev.err.rc, AE_EREMOTE);
	assert_int_equal(ev.err.code, 0x1234);
	ev = call(&f, 4, "x", 1, 0);
	assert_int_equal(ev.type, AE_RPC_CLIENT_FAULT);
	assert_int_equal(ev.fault, AE_RPC_FAULT_OP_RNG_ERROR);
	assert_true(ev.did_not_execute);
	check_echo(&f, 33, 0);
	stop(&f);
}

static void
test_reply_limits(void **state)
{
	struct ae_rpc_client_config g = { .max_reply = 100000 };
	struct ae_rpc_client_event ev;
	struct fixture f;
	uint32_t n;

	(void)state;
	start(&f, NULL, &g);
	bind_to(&f, &echo_iface, 0);
	n = 100000;
	ev = call(&f, 3, &n, 4, 0);
	assert_int_equal(ev.type, AE_RPC_CLIENT_REPLY);
	assert_int_equal(ev.stub_len, n);
	/* More than the server sends at all: a fault. */
	n = 1024 * 1024 + 1;
	ev = call(&f, 3, &n, 4, 0);
	assert_int_equal(ev.type, AE_RPC_CLIENT_FAULT);
	assert_int_equal(ev.fault, AE_RPC_FAULT_NO_RESOURCES);
	/* More than the client takes: the end. */
	n = 100001;
	ev = call(&f, 3, &n, 4, 0);
	assert_int_equal(ev.type, AE_RPC_CLIENT_CLOSED);
	assert_int_equal(ev.err.rc, AE_ELIMIT);
	stop(&f);
}

static void
test_request_limit(void **state)
{
	struct ae_rpc_limits l = { .max_stub = 30000 };
	struct ae_rpc_client_config g = { .max_stub = 50000 };
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct fixture f;
	uint8_t *stub = calloc(1, 60000);
	uint32_t id;

	(void)state;
	assert_non_null(stub);
	start(&f, &l, &g);
	bind_to(&f, &echo_iface, 0);
	assert_int_equal(
	    ae_rpc_client_call(f.cl, 0, 0, NULL, stub, 60000, &id, 1000, &e),
	    AE_ELIMIT);
	ev = call(&f, 0, stub, 30000, 0);
	assert_int_equal(ev.type, AE_RPC_CLIENT_REPLY);
	ev = call(&f, 0, stub, 30001, 0);
	assert_int_equal(ev.type, AE_RPC_CLIENT_FAULT);
	assert_int_equal(ev.fault, AE_RPC_FAULT_ACCESS_DENIED);
	assert_true(f.x.closed);
	free(stub);
	stop(&f);
}

static void
test_many_interfaces(void **state)
{
	struct ae_rpc_client_config g =
	    authenticated(AE_RPC_LEVEL_PRIVACY, true);
	struct ae_rpc_syntax ids[2] = { echo_iface.id, vault_iface.id };
	struct ae_rpc_syntax unknown = { .major = 1 };
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct fixture f;
	uint32_t ctx, id;

	(void)state;
	start(&f, NULL, &g);
	assert_int_equal(ae_rpc_client_bind(f.cl, ids, 2, 1000, &e), AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_BOUND);
	assert_int_equal(ae_rpc_client_context(f.cl, &vault_iface.id), 1);
	assert_int_equal(
	    ae_rpc_client_alter(f.cl, &unknown, &ctx, 1000, &e), AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_ALTERED);
	assert_int_equal(ev.context, ctx);
	assert_int_equal(ev.err.rc, AE_ENOTFOUND);
	assert_int_equal(ae_rpc_client_context(f.cl, &unknown), -1);
	assert_int_equal(
	    ae_rpc_client_call(f.cl, ctx, 0, NULL, NULL, 0, &id, 1000, &e),
	    AE_EINVAL);
	/* Once more for one that is there; its minor version may be lower. */
	ids[1].minor = 1;
	assert_int_equal(
	    ae_rpc_client_alter(f.cl, &ids[1], &ctx, 1000, &e), AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_ALTERED);
	assert_int_equal(ev.err.rc, AE_OK);
	assert_int_equal(
	    ae_rpc_client_call(f.cl, ctx, 0, NULL, NULL, 0, &id, 1000, &e),
	    AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_REPLY);
	assert_ptr_equal(f.x.last.iface, &vault_iface);
	stop(&f);
}

/*
 * The second leg asks for the second interface: two PDUs for two of them,
 * and the first call's id tells how many there were.
 */
static void
test_leg_asks_on(void **state)
{
	struct ae_rpc_client_config g =
	    authenticated(AE_RPC_LEVEL_PRIVACY, true);
	struct ae_rpc_syntax ids[2] = { echo_iface.id, vault_iface.id };
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct fixture f;
	uint32_t id;

	(void)state;
	start(&f, NULL, &g);
	assert_int_equal(ae_rpc_client_bind(f.cl, ids, 2, 1000, &e), AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_BOUND);
	assert_int_equal(
	    ae_rpc_client_call(f.cl, 1, 0, NULL, NULL, 0, &id, 1000, &e),
	    AE_OK);
	assert_int_equal(id, 3);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_REPLY);
	assert_ptr_equal(f.x.last.iface, &vault_iface);
	assert_int_equal(f.x.last.level, AE_RPC_LEVEL_PRIVACY);
	stop(&f);
}

/* What is refused there ends the bind, as it does in a PDU of its own. */
static void
test_leg_asks_in_vain(void **state)
{
	struct ae_rpc_client_config g =
	    authenticated(AE_RPC_LEVEL_PRIVACY, true);
	struct ae_rpc_syntax ids[2] = { echo_iface.id, { .major = 1 } };
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct fixture f;

	(void)state;
	start(&f, NULL, &g);
	assert_int_equal(ae_rpc_client_bind(f.cl, ids, 2, 1000, &e), AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_CLOSED);
	assert_int_equal(ev.err.rc, AE_ENOTFOUND);
	stop(&f);
}

static void
test_unknown_interface(void **state)
{
	struct ae_rpc_client_config g = { .auth_type = AE_RPC_AUTH_NONE };
	struct ae_rpc_syntax newer = echo_iface.id;
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct fixture f;

	(void)state;
	newer.minor++;
	start(&f, NULL, &g);
	assert_int_equal(ae_rpc_client_bind(f.cl, &newer, 1, 1000, &e), AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_CLOSED);
	assert_int_equal(ev.err.rc, AE_ENOTFOUND);
	stop(&f);
}

static void
test_object(void **state)
{
	struct ae_guid ipid = { 1, 2, 3, { 4, 5, 6, 7, 8, 9, 10, 11 } };
	struct ae_rpc_client_config g =
	    authenticated(AE_RPC_LEVEL_PRIVACY, true);
	uint8_t stub[12000] = { 1 };
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct fixture f;
	uint32_t id;

	(void)state;
	start(&f, NULL, &g);
	bind_to(&f, &vault_iface, 0);
	assert_int_equal(ae_rpc_client_call(f.cl, 0, 0, &ipid, stub,
			     sizeof(stub), &id, 1000, &e),
	    AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_REPLY);
	assert_int_equal(ev.stub_len, sizeof(stub));
	assert_true(f.x.last.has_object);
	assert_true(ae_guid_equal(&f.x.last.object, &ipid));
	stop(&f);
}

static void
test_queued_calls(void **state)
{
	struct ae_rpc_client_config g =
	    authenticated(AE_RPC_LEVEL_PRIVACY, false);
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct fixture f;
	uint32_t id[5];
	char text[8];
	int i;

	(void)state;
	start(&f, NULL, &g);
	bind_to(&f, &vault_iface, 0);
	for (i = 0; i < 5; i++) {
		(void)snprintf(text, sizeof(text), "call %d", i);
		assert_int_equal(ae_rpc_client_call(f.cl, 0, 0, NULL,
				     (uint8_t *)text, 6, &id[i], 1000, &e),
		    AE_OK);
	}
	for (i = 0; i < 5; i++) {
		exchange(&f.x, f.cl, 0);
		assert_true(ae_rpc_client_event(f.cl, &ev));
		assert_int_equal(ev.type, AE_RPC_CLIENT_REPLY);
		assert_int_equal(ev.call, id[i]);
		assert_int_equal(ev.stub[5], '0' + i);
	}
	stop(&f);
}

static void
test_refused(void **state)
{
	struct ae_rpc_client_config g =
	    authenticated(AE_RPC_LEVEL_PRIVACY, true);
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct fixture f;

	(void)state;
	/* The acceptor does not like the first token. */
	start(&f, NULL, &g);
	f.x.accept_state[1] = 1;
	assert_int_equal(
	    ae_rpc_client_bind(f.cl, &vault_iface.id, 1, 1000, &e), AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_CLOSED);
	assert_int_equal(ev.err.rc, AE_EAUTH);
	assert_int_equal(ev.err.code, AE_RPC_NAK_CHECKSUM);
	assert_int_equal(f.x.gone, 1);
	stop(&f);

	/* A context that cannot do what was asked for. */
	g = authenticated(AE_RPC_LEVEL_PRIVACY, true);
	start(&f, NULL, &g);
	f.x.weak = true;
	assert_int_equal(
	    ae_rpc_client_bind(f.cl, &vault_iface.id, 1, 1000, &e), AE_OK);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_CLOSED);
	assert_int_equal(ev.err.code, AE_RPC_FAULT_SEC_PKG_ERROR);
	stop(&f);
}

static void
test_timeouts(void **state)
{
	struct ae_rpc_client_config g = { .bind_ms = 500, .call_ms = 700 };
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct fixture f;
	uint32_t id;

	(void)state;
	start(&f, NULL, &g);
	assert_int_equal(
	    ae_rpc_client_bind(f.cl, &echo_iface.id, 1, 1000, &e), AE_OK);
	assert_int_equal(ae_rpc_client_deadline(f.cl), 1500);
	exchange(&f.x, f.cl, 0);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_true(ae_rpc_client_deadline(f.cl) == UINT64_MAX);
	assert_int_equal(
	    ae_rpc_client_call(f.cl, 0, 2, NULL, NULL, 0, &id, 2000, &e),
	    AE_OK);
	f.x.now = 2000;
	exchange(&f.x, f.cl, 0);
	ae_rpc_client_tick(f.cl, 2699);
	assert_false(ae_rpc_client_event(f.cl, &ev));
	ae_rpc_client_tick(f.cl, 2700);
	assert_true(ae_rpc_client_event(f.cl, &ev));
	assert_int_equal(ev.type, AE_RPC_CLIENT_CLOSED);
	assert_int_equal(ev.err.rc, AE_ETIMEDOUT);
	assert_int_equal(
	    ae_rpc_client_call(f.cl, 0, 0, NULL, NULL, 0, &id, 2000, &e),
	    AE_EINVAL);
	stop(&f);
}

/* A whole conversation; true when it went through. */
static bool
conversation(void *arg)
{
	struct ae_rpc_client_config g =
	    authenticated(AE_RPC_LEVEL_PRIVACY, *(bool *)arg);
	struct ae_rpc_server *s = test_server(NULL);
	struct ae_rpc_client *cl = NULL;
	struct ae_rpc_client_event ev;
	uint8_t stub[7000] = { 0 };
	struct end x = { .conn = NULL };
	bool ok = false;
	uint32_t id;

	if (s == NULL || g.sec.ops == NULL) {
		ae_rpc_sec_done(&g.sec);
		goto out;
	}
	cl = ae_rpc_client_new(&g, 0);
	end_init(&x, s, "peer");
	if (cl == NULL || x.conn == NULL)
		goto out;
	if (ae_rpc_client_bind(cl, &vault_iface.id, 1, 0, NULL) != AE_OK)
		goto out;
	exchange(&x, cl, 0);
	if (!ae_rpc_client_event(cl, &ev) || ev.type != AE_RPC_CLIENT_BOUND)
		goto out;
	if (ae_rpc_client_call(
		cl, 0, 0, NULL, stub, sizeof(stub), &id, 0, NULL) != AE_OK)
		goto out;
	exchange(&x, cl, 0);
	ok = ae_rpc_client_event(cl, &ev) && ev.type == AE_RPC_CLIENT_REPLY &&
	    ev.stub_len == sizeof(stub);
out:
	ae_rpc_client_free(cl);
	if (x.conn != NULL)
		end_done(&x);
	ae_rpc_server_free(s);
	return ok;
}

static void
test_torture(void **state)
{
	bool sign;

	(void)state;
	sign = true;
	assert_true(ae_torture(conversation, &sign, 2000, false) > 20);
	sign = false;
	assert_true(ae_torture(conversation, &sign, 2000, false) > 20);
	assert_int_equal(fake_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_dribble),
		cmocka_unit_test(test_required_level),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_reply_limits),
		cmocka_unit_test(test_request_limit),
		cmocka_unit_test(test_many_interfaces),
		cmocka_unit_test(test_leg_asks_on),
		cmocka_unit_test(test_leg_asks_in_vain),
		cmocka_unit_test(test_unknown_interface),
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_queued_calls),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
