/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Association groups and context handles: who may join, who may use, and
 * that connections may go in any order (CVE-2021-3738).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "raw.h"

static uint32_t
group_of(struct raw *r)
{
	struct ae_rpc_ack a;

	assert_true(ae_rpc_ack_decode(&a, &r->pdu));
	return a.group;
}

static uint32_t
bind_group(struct raw *r, uint32_t group)
{
	raw_send_bind(r, &(struct raw_bind){ .group = group });
	raw_expect(r, AE_RPC_BIND_ACK, 0);
	return group_of(r);
}

static void
joining(void **state)
{
	struct ae_rpc_server *s = test_server(NULL);
	struct raw a, b, c, d;
	uint32_t id;

	(void)state;
	raw_join(&a, s, "10.0.0.1");
	raw_join(&b, s, "10.0.0.1");
	raw_join(&c, s, "10.0.0.2");
	id = bind_group(&a, 0);
	assert_true(id != 0);
	assert_int_equal(bind_group(&b, id), id);
	/* Not from another address. */
	raw_send_bind(&c, &(struct raw_bind){ .group = id });
	raw_expect_nak(&c, 0, AE_RPC_NAK_NONE);
	/* It lives as long as one of them does. */
	raw_close(&a);
	raw_join(&a, s, "10.0.0.1");
	assert_int_equal(bind_group(&a, id), id);
	raw_close(&a);
	raw_close(&b);
	raw_join(&d, s, "10.0.0.1");
	raw_send_bind(&d, &(struct raw_bind){ .group = id });
	raw_expect_nak(&d, 0, AE_RPC_NAK_NONE);
	raw_close(&c);
	raw_close(&d);
	/* New ones differ. */
	raw_join(&a, s, "10.0.0.1");
	raw_join(&b, s, "10.0.0.1");
	assert_int_not_equal(bind_group(&a, 0), bind_group(&b, 0));
	raw_close(&a);
	raw_close(&b);
	ae_rpc_server_free(s);
}

static void
limit(void **state)
{
	struct ae_rpc_limits l = { .max_groups = 2 };
	struct ae_rpc_server *s = test_server(&l);
	struct raw r[3];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		raw_join(&r[i], s, "10.0.0.1");
	(void)bind_group(&r[0], 0);
	(void)bind_group(&r[1], 0);
	raw_send_bind(&r[2], &(struct raw_bind){ .call_id = 1 });
	raw_expect_nak(&r[2], 1, AE_RPC_NAK_LIMIT);
	for (i = 0; i < 3; i++)
		raw_close(&r[i]);
	ae_rpc_server_free(s);
}

/* One of several processes on a port takes what another one gave out. */
static void
cve_2021_3738_adopting(void **state)
{
	struct ae_rpc_server_config g = { .adopt_groups = true,
		.seed = { 5, 0, 0, 0 } };
	struct ae_rpc_server *s = ae_rpc_server_new(&g);
	struct raw a, b;

	(void)state;
	assert_int_equal(ae_rpc_server_add(s, &echo_iface, NULL), AE_OK);
	assert_int_equal(ae_rpc_server_add(s, &echo_iface, NULL), AE_EINVAL);
	raw_join(&a, s, "10.0.0.1");
	raw_join(&b, s, "10.0.0.1");
	assert_int_equal(bind_group(&a, 5), 5);
	/* Our own next number is taken for this peer: the one after it. */
	assert_int_equal(bind_group(&b, 0), 6);
	raw_close(&a);
	raw_close(&b);
	ae_rpc_server_free(s);
}

/* A call as the handle functions see it. */
static struct ae_rpc_call
call_as(struct raw *r, const struct ae_rpc_iface *i, const struct ae_sid *sid)
{
	raw_send_request(
	    r, &(struct raw_request){ .flags = FL, .call_id = 1, .opnum = 0 });
	raw_expect(r, AE_RPC_RESPONSE, 1);
	r->x.last.iface = i;
	r->x.last.sid = sid;
	return r->x.last;
}

static void
cve_2021_3738_handles(void **state)
{
	struct ae_sid alice = { .authority = 5, .nsubs = 1, .sub = { 1 } };
	struct ae_sid bob = { .authority = 5, .nsubs = 1, .sub = { 2 } };
	struct ae_rpc_server *s = test_server(NULL);
	struct ae_rpc_handle h, h2, nil = { .attributes = 0 };
	struct ae_rpc_call ca, cb, cc, other;
	struct raw a, b, c;
	void *data;

	(void)state;
	raw_join(&a, s, "10.0.0.1");
	raw_join(&b, s, "10.0.0.1");
	raw_join(&c, s, "10.0.0.1");
	(void)bind_group(&b, bind_group(&a, 0));
	(void)bind_group(&c, 0);
	ca = call_as(&a, &echo_iface, &alice);
	cb = call_as(&b, &echo_iface, &bob);
	cc = call_as(&c, &echo_iface, &alice);

	data = ae_rpc_handle_new(s, &ca, &h);
	assert_non_null(data);
	assert_non_null(ae_rpc_handle_new(s, &ca, &h2));
	assert_false(ae_guid_equal(&h.uuid, &h2.uuid));
	assert_ptr_equal(ae_rpc_handle_get(s, &ca, &h), data);
	assert_null(ae_rpc_handle_get(s, &ca, &nil));
	/* Another caller in the group, another group, another interface. */
	assert_null(ae_rpc_handle_get(s, &cb, &h));
	assert_false(ae_rpc_handle_close(s, &cb, &h));
	assert_null(ae_rpc_handle_get(s, &cc, &h));
	other = ca;
	other.iface = &vault_iface;
	assert_null(ae_rpc_handle_get(s, &other, &h));
	other = ca;
	other.sid = NULL;
	assert_null(ae_rpc_handle_get(s, &other, &h));
	/* The same caller on another connection of the group. */
	cb.sid = &alice;
	assert_ptr_equal(ae_rpc_handle_get(s, &cb, &h), data);
	/* Its connection goes; the handle stays while the group does. */
	raw_close(&a);
	assert_ptr_equal(ae_rpc_handle_get(s, &cb, &h), data);
	assert_true(ae_rpc_handle_close(s, &cb, &h));
	assert_false(ae_rpc_handle_close(s, &cb, &h));
	raw_close(&b);
	raw_close(&c);
	ae_rpc_server_free(s);
}

static void
handle_limit(void **state)
{
	struct ae_rpc_limits l = { .max_handles = 3 };
	struct ae_rpc_server *s = test_server(&l);
	struct ae_rpc_handle h;
	struct ae_rpc_call k;
	struct raw a;
	int i;

	(void)state;
	raw_join(&a, s, "10.0.0.1");
	(void)bind_group(&a, 0);
	k = call_as(&a, &echo_iface, NULL);
	for (i = 0; i < 3; i++)
		assert_non_null(ae_rpc_handle_new(s, &k, &h));
	assert_null(ae_rpc_handle_new(s, &k, &h));
	assert_true(ae_rpc_handle_close(s, &k, &h));
	assert_non_null(ae_rpc_handle_new(s, &k, &h));
	raw_close(&a);
	ae_rpc_server_free(s);
}

/* Two connections of different people share a group; all orders of leaving. */
static void
cve_2021_3738_orders(void **state)
{
	struct ae_rpc_server *s = test_server(NULL);
	struct ae_rpc_handle h;
	struct ae_rpc_call k;
	struct raw r[3];
	uint32_t id;
	int i, n;

	(void)state;
	for (n = 0; n < 600; n++) {
		for (i = 0; i < 3; i++)
			raw_join(&r[i], s, "10.0.0.1");
		id = bind_group(&r[0], 0);
		(void)bind_group(&r[1], id);
		(void)bind_group(&r[2], id);
		k = call_as(&r[n % 3], &echo_iface, NULL);
		assert_non_null(ae_rpc_handle_new(s, &k, &h));
		for (i = 0; i < 3; i++)
			if (i != n % 3 && n % 2 == 0)
				raw_close(&r[i]);
		raw_close(&r[n % 3]);
		for (i = 0; i < 3; i++)
			if (i != n % 3 && n % 2 != 0)
				raw_close(&r[i]);
	}
	ae_rpc_server_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joining),
		cmocka_unit_test(limit),
		cmocka_unit_test(cve_2021_3738_adopting),
		cmocka_unit_test(cve_2021_3738_handles),
		cmocka_unit_test(handle_limit),
		cmocka_unit_test(cve_2021_3738_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
