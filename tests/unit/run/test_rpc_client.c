/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One client connection on real sockets: each stage that can fail does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "realm.h"
#include "rpc/epm.h"
#include "run/rpc_client.h"
#include "sys/clock.h"
#include "wcce/request.h"

static struct ae_gss_cred *client;
static struct ae_run_addrs local;

static int
setup(void **state)
{
	(void)state;
	realm_up();
	client = realm_client();
	return ae_run_resolve(&local, "127.0.0.1", NULL, NULL);
}

static int
teardown(void **state)
{
	(void)state;
	ae_gss_cred_free(client);
	realm_down();
	return 0;
}

static struct ae_rpc_syntax
icpr(void)
{
	return (struct ae_rpc_syntax){ .uuid = ae_iid_icertpassage };
}

static struct ae_run_target
target(uint16_t port, struct ae_run_trace *trace)
{
	if (trace != NULL)
		trace->n = trace->trips = 0;
	return (struct ae_run_target){ .addrs = &local,
		.port = port,
		.cred = client,
		.spn = "host/localhost",
		.auth = AE_RPC_AUTH_SPNEGO,
		.level = AE_RPC_LEVEL_PRIVACY,
		.connect_ms = 30000,
		.bind_ms = 30000,
		.call_ms = 30000,
		.trace = trace };
}

static struct peer
start(enum peer_how how)
{
	return peer_start(how, PEER_NO_DCOM, realm_path("service.keytab"));
}

static void
expect_stages(const struct ae_run_trace *t, size_t n,
    const enum ae_run_stage_kind *kinds, int last_rc)
{
	size_t i;

	assert_int_equal(t->n, n);
	for (i = 0; i < n; i++) {
		assert_int_equal(t->v[i].kind, kinds[i]);
		assert_int_equal(t->v[i].err.rc, i + 1 == n ? last_rc : AE_OK);
		assert_true(t->v[i].us >= 0);
		assert_true(t->v[i].what[0] != '\0');
	}
}

static void
maps(void **state)
{
	const enum ae_run_stage_kind kinds[] = { AE_RUN_CONNECT, AE_RUN_BIND,
		AE_RUN_CALL };
	struct peer p = start(PEER_ANSWERS);
	struct ae_rpc_syntax id = icpr();
	struct ae_run_trace trace;
	struct ae_run_target t = target(p.port, &trace);
	struct ae_err e = AE_ERR_INIT;
	uint16_t port = 0;

	(void)state;
	assert_int_equal(ae_run_epm_port(&port, &t, &id, &e), AE_OK);
	assert_int_equal(port, p.port);
	expect_stages(&trace, 3, kinds, AE_OK);
	assert_int_equal(trace.trips, 2);
	/* a trace is no duty */
	t.trace = NULL;
	assert_int_equal(ae_run_epm_port(&port, &t, &id, NULL), AE_OK);
	/* another interface is not there */
	id.uuid.d1++;
	t.trace = &trace;
	trace.n = 0;
	assert_int_equal(ae_run_epm_port(&port, &t, &id, &e), AE_ENOTFOUND);
	expect_stages(&trace, 3, kinds, AE_OK);
	assert_int_equal(trace.trips, 4);
	(void)peer_stop(&p);
}

static void
nobody_listens(void **state)
{
	const enum ae_run_stage_kind kinds[] = { AE_RUN_CONNECT };
	struct peer p = start(PEER_CLOSES_AT_ONCE);
	struct ae_rpc_syntax id = icpr();
	struct ae_run_trace trace;
	struct ae_run_target t = target(p.port, &trace);
	struct ae_err e = AE_ERR_INIT;
	uint16_t port = 0;

	(void)state;
	(void)peer_stop(&p);
	assert_int_equal(ae_run_epm_port(&port, &t, &id, &e), AE_EUNAVAIL);
	assert_non_null(strstr(e.text, "127.0.0.1:"));
	expect_stages(&trace, 1, kinds, AE_EUNAVAIL);
}

static void
bad_binds(void **state)
{
	static const struct {
		enum peer_how how;
		int rc;
	} rows[] = {
		{ PEER_CLOSES_AT_ONCE, AE_EUNAVAIL },
		{ PEER_SENDS_GARBAGE, AE_EPROTO },
		{ PEER_IS_MUTE, AE_ETIMEDOUT },
	};
	const enum ae_run_stage_kind kinds[] = { AE_RUN_CONNECT, AE_RUN_TICKET,
		AE_RUN_BIND };
	struct ae_rpc_syntax id = icpr();
	struct ae_run_rpc *r = NULL;
	struct ae_run_trace trace;
	struct ae_run_target t;
	struct peer p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = start(rows[i].how);
		t = target(p.port, &trace);
		t.ifaces = &id;
		t.nifaces = 1;
		if (rows[i].how == PEER_IS_MUTE)
			t.bind_ms = 300;
		assert_int_equal(ae_run_rpc_open(&r, &t, NULL), rows[i].rc);
		assert_null(r);
		expect_stages(&trace, 3, kinds, rows[i].rc);
		(void)peer_stop(&p);
	}
}

/* The overall deadline counts, however patient the stages are. */
static void
overall_deadline(void **state)
{
	struct peer p = start(PEER_IS_MUTE);
	struct ae_run_target t = target(p.port, NULL);
	struct ae_rpc_syntax id = icpr();
	int64_t start_ms = ae_clock_mono_ms();
	struct ae_run_rpc *r = NULL;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	t.ifaces = &id;
	t.nifaces = 1;
	t.bind_ms = 60000;
	t.deadline = start_ms + 200;
	assert_int_equal(ae_run_rpc_open(&r, &t, &e), AE_ETIMEDOUT);
	assert_true(ae_clock_mono_ms() - start_ms < 20000);
	/* and once it is over nothing is begun */
	assert_int_equal(ae_run_rpc_open(&r, &t, &e), AE_ETIMEDOUT);
	assert_null(r);
	(void)peer_stop(&p);
}

static void
refused_binds(void **state)
{
	struct peer p = start(PEER_ANSWERS);
	struct ae_run_target t;
	struct ae_rpc_syntax id = icpr();
	struct ae_run_rpc *r = NULL;
	struct ae_run_trace trace;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	/* an interface it does not have */
	t = target(p.port, &trace);
	t.ifaces = &id;
	t.nifaces = 1;
	id.uuid.d1++;
	assert_int_not_equal(ae_run_rpc_open(&r, &t, &e), AE_OK);
	assert_int_equal(trace.v[trace.n - 1].kind, AE_RUN_BIND);
	/* a service the KDC does not know */
	id = icpr();
	t = target(p.port, &trace);
	t.ifaces = &id;
	t.nifaces = 1;
	t.spn = "host/nobody.ae.test";
	assert_int_equal(ae_run_rpc_open(&r, &t, &e), AE_EAUTH);
	assert_int_equal(trace.v[trace.n - 1].kind, AE_RUN_TICKET);
	/* a ticket that the server cannot read */
	t = target(p.port, &trace);
	t.ifaces = &id;
	t.nifaces = 1;
	t.spn = SERVICE_CIFS;
	assert_int_not_equal(ae_run_rpc_open(&r, &t, &e), AE_OK);
	assert_int_equal(trace.v[trace.n - 1].kind, AE_RUN_BIND);
	assert_null(r);
	(void)peer_stop(&p);
}

static void
names(void **state)
{
	struct ae_run_trace trace = { .n = 0 };
	struct ae_run_addrs a;
	struct ae_err e = AE_ERR_INIT;
	int rc;

	(void)state;
	assert_int_equal(ae_run_resolve(&a, "127.0.0.1", &trace, &e), AE_OK);
	assert_int_equal(a.n, 1);
	assert_int_equal(ae_run_resolve(&a, "localhost", &trace, &e), AE_OK);
	/* RFC 6761: never a name, whoever is asked or not */
	rc = ae_run_resolve(&a, "nobody.invalid", &trace, &e);
	assert_true(rc == AE_ENOTFOUND || rc == AE_EUNAVAIL);
	assert_non_null(strstr(e.text, "nobody.invalid"));
	assert_int_equal(trace.n, 3);
	assert_string_equal(ae_run_stage_name(trace.v[2].kind), "name");
	/* more stages than fit are dropped */
	trace.n = AE_RUN_STAGES_MAX;
	assert_int_equal(ae_run_resolve(&a, "127.0.0.1", &trace, &e), AE_OK);
	assert_int_equal(trace.n, AE_RUN_STAGES_MAX);
}

/* The first address is dead: the next is tried. */
static void
second_address(void **state)
{
	struct peer p = start(PEER_ANSWERS);
	struct ae_run_addrs two;
	struct ae_rpc_syntax id = icpr();
	struct ae_run_trace trace;
	struct ae_run_target t = target(p.port, &trace);
	uint16_t port = 0;

	(void)state;
	assert_int_equal(ae_run_resolve(&two, "127.0.0.2", NULL, NULL), AE_OK);
	two.v[1] = local.v[0];
	two.len[1] = local.len[0];
	two.n = 2;
	t.addrs = &two;
	assert_int_equal(ae_run_epm_port(&port, &t, &id, NULL), AE_OK);
	assert_int_equal(trace.n, 4);
	assert_int_equal(trace.v[0].err.rc, AE_EUNAVAIL);
	assert_non_null(strstr(trace.v[0].what, "127.0.0.2:"));
	assert_int_equal(trace.v[1].err.rc, AE_OK);
	(void)peer_stop(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(bad_binds),
		cmocka_unit_test(overall_deadline),
		cmocka_unit_test(refused_binds),
		cmocka_unit_test(names),
		cmocka_unit_test(second_address),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
