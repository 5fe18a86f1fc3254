/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Endpoint mapper and mgmt, called as the server's owner calls them; our own
 * client's ept_map against it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mutate.h"
#include "raw.h"
#include "rpc/epm.h"
#include "rpc/epm_ndr.h"
#include "rpc/mgmt.h"
#include "torture.h"

#define NENTRIES 5

struct fixture {
	struct raw r;
	struct ae_rpc_server *s;
	struct ae_rpc_epm *m;
	struct ae_rpc_call call;
	struct ae_arena *a;
	struct ae_wr in, out;
};

/* Where the client reached us. */
static const uint8_t here[4] = { 198, 51, 100, 7 };

static struct ae_rpc_epm_entry
entry(int i)
{
	struct ae_rpc_epm_entry x = { .id = echo_iface.id,
		.port = (uint16_t)(49500 + i),
		.ip = { 192, 0, 2, 1 } };

	x.id.uuid.d1 = 1000U + (unsigned int)i / 2; /* two of each */
	x.id.minor = (uint16_t)(i % 2);
	x.object.d1 = i == 3 ? 77 : 0;
	(void)snprintf(x.annotation, sizeof(x.annotation), "entry %d", i);
	return x;
}

static void
start(struct fixture *f)
{
	struct ae_rpc_epm_entry x;
	int i;

	f->s = test_server(&(struct ae_rpc_limits){ .max_handles = 4 });
	assert_int_equal(
	    ae_rpc_server_add(f->s, &ae_rpc_epm_iface, NULL), AE_OK);
	raw_join(&f->r, f->s, "10.0.0.1");
	raw_bound(&f->r, &echo_iface);
	raw_send_request(
	    &f->r, &(struct raw_request){ .flags = FL, .call_id = 1 });
	raw_expect(&f->r, AE_RPC_RESPONSE, 1);
	f->call = f->r.x.last;
	f->call.iface = &ae_rpc_epm_iface;
	f->m = ae_rpc_epm_new(NENTRIES);
	for (i = 0; i < NENTRIES; i++) {
		x = entry(i);
		assert_int_equal(ae_rpc_epm_add(f->m, &x, NULL), AE_OK);
	}
	assert_int_equal(ae_rpc_epm_add(f->m, &x, NULL), AE_ELIMIT);
	f->a = ae_arena_new(1 << 20);
	ae_wr_init(&f->in, 65536);
	ae_wr_init(&f->out, 65536);
}

static void
stop(struct fixture *f)
{
	raw_close(&f->r);
	ae_rpc_epm_free(f->m);
	ae_rpc_server_free(f->s);
	ae_arena_free(f->a);
	ae_wr_done(&f->in);
	ae_wr_done(&f->out);
}

static uint32_t
ask(struct fixture *f, uint16_t opnum, const struct ae_ndr_type *t,
    const void *v)
{
	ae_wr_reset(&f->in);
	ae_wr_reset(&f->out);
	if (t != NULL)
		assert_int_equal(ae_ndr_encode(t, v, &f->in, NULL), AE_OK);
	f->call.opnum = opnum;
	f->call.stub = f->in.p;
	f->call.stub_len = f->in.len;
	return ae_rpc_epm_call(f->m, f->s, &f->call, here, &f->out);
}

static struct epm_lookup_out
lookup(struct fixture *f, const struct epm_lookup_in *i)
{
	struct epm_lookup_out o;

	assert_int_equal(ask(f, 2, &epm_lookup_in_ndr, i), 0);
	assert_int_equal(ae_ndr_decode(&epm_lookup_out_ndr, &o, f->out.p,
			     f->out.len, false, f->a, NULL, NULL),
	    AE_OK);
	return o;
}

static void
tables(void **state)
{
	(void)state;
	assert_int_equal(ae_ndr_lint(&epm_lookup_in_ndr, NULL), AE_OK);
	assert_int_equal(ae_ndr_lint(&epm_lookup_out_ndr, NULL), AE_OK);
	assert_int_equal(ae_ndr_lint(&epm_map_in_ndr, NULL), AE_OK);
	assert_int_equal(ae_ndr_lint(&epm_map_out_ndr, NULL), AE_OK);
	assert_int_equal(ae_ndr_lint(&epm_free_in_ndr, NULL), AE_OK);
	assert_int_equal(ae_ndr_lint(&epm_free_out_ndr, NULL), AE_OK);
}

static void
lookup_all(void **state)
{
	struct epm_lookup_in i = { .max = 100 };
	struct epm_lookup_out o;
	struct ae_rpc_tower t;
	struct fixture f;

	(void)state;
	start(&f);
	o = lookup(&f, &i);
	assert_int_equal(o.status, 0);
	assert_int_equal(o.n, NENTRIES);
	assert_true(ae_guid_is_nil(&o.handle.uuid)); /* that was all */
	assert_string_equal((char *)o.entries[2].annotation, "entry 2");
	assert_true(ae_rpc_tower_get(
	    &t, o.entries[2].tower->octets, o.entries[2].tower->len));
	assert_int_equal(t.port, 49502);
	assert_int_equal(t.iface.uuid.d1, 1001);
	assert_int_equal(o.entries[3].object.d1, 77);
	i.max = 0;
	o = lookup(&f, &i);
	assert_int_equal(o.n, 0);
	assert_int_equal(o.status, AE_RPC_EPM_NOT_REGISTERED);
	i.max = 0xffffffff;
	assert_int_equal(lookup(&f, &i).n, NENTRIES);
	stop(&f);
}

/* As rpcclient does: one at a time, until there is no more. */
static void
lookup_resumes(void **state)
{
	struct epm_lookup_in i = { .max = 1 };
	struct epm_lookup_out o;
	struct fixture f;
	uint32_t n;

	(void)state;
	start(&f);
	for (n = 0; n < NENTRIES; n++) {
		o = lookup(&f, &i);
		assert_int_equal(o.status, 0);
		assert_int_equal(o.n, 1);
		assert_false(ae_guid_is_nil(&o.handle.uuid));
		if (n > 0)
			assert_true(
			    ae_guid_equal(&o.handle.uuid, &i.handle.uuid));
		i.handle = o.handle;
	}
	o = lookup(&f, &i);
	assert_int_equal(o.status, AE_RPC_EPM_NOT_REGISTERED);
	assert_int_equal(o.n, 0);
	assert_true(ae_guid_is_nil(&o.handle.uuid));
	/* The handle is gone with that. */
	assert_int_equal(
	    ask(&f, 2, &epm_lookup_in_ndr, &i), AE_RPC_FAULT_CONTEXT_MISMATCH);
	stop(&f);
}

static void
lookup_handles(void **state)
{
	struct epm_lookup_in i = { .max = 1 };
	struct epm_free_in fr = { .handle = { .attributes = 0 } };
	struct epm_lookup_out o;
	struct fixture f;
	int n;

	(void)state;
	start(&f);
	for (n = 0; n < 4; n++)
		o = lookup(&f, &i);
	/* No room for a fifth; freeing one makes some. */
	assert_int_equal(
	    ask(&f, 2, &epm_lookup_in_ndr, &i), AE_RPC_FAULT_NO_RESOURCES);
	fr.handle = o.handle;
	assert_int_equal(ask(&f, 4, &epm_free_in_ndr, &fr), 0);
	assert_int_equal(f.out.len, 24);
	assert_int_equal(
	    ask(&f, 4, &epm_free_in_ndr, &fr), AE_RPC_FAULT_CONTEXT_MISMATCH);
	o = lookup(&f, &i);
	assert_int_equal(o.n, 1);
	/* Somebody else's. */
	i.handle = o.handle;
	f.call.sid = &(struct ae_sid){ .authority = 5 };
	assert_int_equal(
	    ask(&f, 2, &epm_lookup_in_ndr, &i), AE_RPC_FAULT_CONTEXT_MISMATCH);
	stop(&f);
}

static void
lookup_filters(void **state)
{
	static const struct {
		uint32_t type, option;
		uint16_t major, minor;
		uint32_t object;
		uint32_t n, status;
	} rows[] = {
		/* by interface: entries 2 (1.0) and 3 (1.1) */
		{ 1, 1, 9, 9, 0, 2, 0 },
		{ 1, 2, 1, 0, 0, 2, 0 },
		{ 1, 2, 1, 1, 0, 1, 0 },
		{ 1, 2, 2, 0, 0, 0, AE_RPC_EPM_NOT_REGISTERED },
		{ 1, 3, 1, 0, 0, 1, 0 },
		{ 1, 3, 1, 2, 0, 0, AE_RPC_EPM_NOT_REGISTERED },
		{ 1, 4, 1, 7, 0, 2, 0 },
		{ 1, 5, 1, 0, 0, 1, 0 },
		{ 1, 5, 2, 0, 0, 2, 0 },
		{ 1, 5, 0, 9, 0, 0, AE_RPC_EPM_NOT_REGISTERED },
		/* by object */
		{ 2, 0, 0, 0, 77, 1, 0 },
		{ 2, 0, 0, 0, 78, 0, AE_RPC_EPM_NOT_REGISTERED },
		/* both */
		{ 3, 1, 0, 0, 77, 1, 0 },
		{ 3, 3, 1, 0, 77, 0, AE_RPC_EPM_NOT_REGISTERED },
		/* nonsense */
		{ 4, 1, 0, 0, 0, 0, 0x16c9a0cd },
		{ 1, 0, 0, 0, 0, 0, 0x16c9a0cd },
		{ 1, 6, 0, 0, 0, 0, 0x16c9a0cd },
		{ 0x101, 1, 0, 0, 0, 0, 0x16c9a0cd },
	};
	struct epm_lookup_in i = { .max = 100 };
	struct epm_if_id id;
	struct ae_guid object = { .d1 = 0 };
	struct epm_lookup_out o;
	struct fixture f;
	size_t n;

	(void)state;
	start(&f);
	for (n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		id.uuid = entry(2).id.uuid;
		id.major = rows[n].major;
		id.minor = rows[n].minor;
		object.d1 = rows[n].object;
		i.inquiry_type = rows[n].type;
		i.vers_option = rows[n].option;
		i.iface = &id;
		i.object = &object;
		o = lookup(&f, &i);
		assert_int_equal(o.n, rows[n].n);
		assert_int_equal(o.status, rows[n].status);
	}
	/* Filters that are not there match nothing. */
	i = (struct epm_lookup_in){
		.inquiry_type = 1, .vers_option = 1, .max = 9
	};
	assert_int_equal(lookup(&f, &i).n, 0);
	stop(&f);
}

static void
other_methods(void **state)
{
	static const uint16_t ops[] = { 0, 1, 5, 6, 7, 8 };
	struct fixture f;
	size_t i;

	(void)state;
	start(&f);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		assert_int_equal(
		    ask(&f, ops[i], NULL, NULL), AE_RPC_FAULT_OP_RNG_ERROR);
	for (i = 2; i < 5; i++)
		assert_int_equal(ask(&f, (uint16_t)i, NULL, NULL),
		    AE_RPC_FAULT_BAD_STUB_DATA);
	stop(&f);
}

/* ---- ept_map, asked by our own client ---- */

static int
map(struct fixture *f, const struct ae_rpc_syntax *id,
    struct ae_rpc_epm_entry *x, struct ae_err *e)
{
	ae_wr_reset(&f->in);
	ae_wr_reset(&f->out);
	assert_int_equal(ae_rpc_epm_map_request(&f->in, id, e), AE_OK);
	f->call.opnum = AE_RPC_EPM_OP_MAP;
	f->call.stub = f->in.p;
	f->call.stub_len = f->in.len;
	assert_int_equal(
	    ae_rpc_epm_call(f->m, f->s, &f->call, here, &f->out), 0);
	return ae_rpc_epm_map_reply(x, f->out.p, f->out.len, false, id, e);
}

static void
mapping(void **state)
{
	struct ae_rpc_syntax id = entry(4).id;
	struct ae_err e = AE_ERR_INIT;
	struct ae_rpc_epm_entry x;
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(map(&f, &id, &x, &e), AE_OK);
	assert_int_equal(x.port, 49504);
	assert_memory_equal(x.ip, "\xc0\x00\x02\x01", 4);
	id.minor++; /* newer than what is there */
	assert_int_equal(map(&f, &id, &x, &e), AE_ENOTFOUND);
	assert_int_equal(e.code, AE_RPC_EPM_NOT_REGISTERED);
	id.minor--;
	id.major++;
	assert_int_equal(map(&f, &id, &x, &e), AE_ENOTFOUND);
	/* Entry 3 is for one object only. */
	id = entry(3).id;
	assert_int_equal(map(&f, &id, &x, &e), AE_ENOTFOUND);
	stop(&f);
}

/* An entry without an address is where the client asks, in both methods. */
static void
mapping_without_address(void **state)
{
	struct ae_rpc_epm_entry x = entry(0), got;
	struct ae_err e = AE_ERR_INIT;
	struct epm_lookup_in i = {
		.inquiry_type = 1, .vers_option = 3, .max = 1
	};
	struct epm_if_id id = { .uuid = { .d1 = 0xaaaa } };
	struct epm_lookup_out o;
	struct ae_rpc_tower t;
	struct fixture f;

	(void)state;
	start(&f);
	ae_rpc_epm_free(f.m);
	f.m = ae_rpc_epm_new(1);
	x.id = (struct ae_rpc_syntax){ .uuid = id.uuid };
	memset(x.ip, 0, sizeof(x.ip));
	assert_int_equal(ae_rpc_epm_add(f.m, &x, NULL), AE_OK);
	assert_int_equal(map(&f, &x.id, &got, &e), AE_OK);
	assert_memory_equal(got.ip, here, sizeof(here));
	i.iface = &id;
	o = lookup(&f, &i);
	assert_int_equal(o.n, 1);
	assert_true(ae_rpc_tower_get(
	    &t, o.entries[0].tower->octets, o.entries[0].tower->len));
	assert_memory_equal(t.ip, here, sizeof(here));
	stop(&f);
}

static void
mapping_other_towers(void **state)
{
	struct ae_rpc_tower t = {
		.iface = entry(0).id, .transfer = ae_rpc_ndr20, .port = 135
	};
	struct epm_twr twr;
	struct epm_map_in i = { .tower = &twr, .max = 4 };
	struct epm_map_out o;
	struct fixture f;
	struct ae_wr w;
	int n;

	(void)state;
	start(&f);
	for (n = 0; n < 5; n++) {
		ae_wr_init(&w, 4096);
		t.transfer = n == 1 ? ae_rpc_ndr64 : ae_rpc_ndr20;
		ae_rpc_tower_put(&w, &t);
		if (n == 2)
			w.p[61] = 0x0f; /* over a pipe */
		if (n == 3)
			w.len -= 3; /* cut off */
		twr.octets = w.p;
		twr.len = (uint32_t)w.len;
		if (n == 4)
			i.tower = NULL;
		assert_int_equal(ask(&f, 3, &epm_map_in_ndr, &i), 0);
		assert_int_equal(ae_ndr_decode(&epm_map_out_ndr, &o, f.out.p,
				     f.out.len, false, f.a, NULL, NULL),
		    AE_OK);
		assert_int_equal(o.n, n == 0 ? 2 : 0);
		assert_int_equal(
		    o.status, n == 0 ? 0 : AE_RPC_EPM_NOT_REGISTERED);
		ae_wr_done(&w);
	}
	stop(&f);
}

/* ---- damage ---- */

static void
one_request(const uint8_t *p, size_t len, void *arg)
{
	struct fixture *f = arg;
	struct ae_rpc_epm_entry x;
	int i, rc;

	for (f->call.opnum = 2; f->call.opnum < 5; f->call.opnum++) {
		f->call.stub = p;
		f->call.stub_len = len;
		ae_wr_reset(&f->out);
		(void)ae_rpc_epm_call(f->m, f->s, &f->call, here, &f->out);
	}
	for (i = 0; i < 2; i++) {
		rc = ae_rpc_epm_map_reply(
		    &x, p, len, i == 1, &echo_iface.id, NULL);
		assert_true(rc == AE_OK || rc < 0);
	}
}

static void
mutated(void **state)
{
	struct epm_if_id id = { .major = 1 };
	struct epm_lookup_in i = {
		.inquiry_type = 1, .vers_option = 1, .iface = &id, .max = 3
	};
	struct ae_rpc_syntax want = entry(0).id;
	struct ae_rpc_epm_entry x;
	struct fixture f;
	struct ae_wr keep;

	(void)state;
	start(&f);
	ae_wr_init(&keep, 65536);
	assert_int_equal(
	    ae_ndr_encode(&epm_lookup_in_ndr, &i, &keep, NULL), AE_OK);
	assert_true(ae_mutate(keep.p, keep.len, one_request, &f) > 500);
	ae_wr_reset(&keep);
	assert_int_equal(ae_rpc_epm_map_request(&keep, &want, NULL), AE_OK);
	assert_true(ae_mutate(keep.p, keep.len, one_request, &f) > 500);
	ae_wr_reset(&keep);
	assert_int_equal(map(&f, &want, &x, NULL), AE_OK);
	ae_wr_bytes(&keep, f.out.p, f.out.len);
	assert_true(ae_mutate(keep.p, keep.len, one_request, &f) > 500);
	ae_wr_done(&keep);
	stop(&f);
}

static bool
work(void *arg)
{
	struct fixture *f = arg;
	struct ae_rpc_syntax id = entry(4).id;
	struct ae_rpc_epm_entry x;
	struct ae_wr in, out;
	bool ok = false;

	ae_wr_init(&in, 65536);
	ae_wr_init(&out, 65536);
	if (ae_rpc_epm_map_request(&in, &id, NULL) == AE_OK) {
		f->call.opnum = AE_RPC_EPM_OP_MAP;
		f->call.stub = in.p;
		f->call.stub_len = in.len;
		ok = ae_rpc_epm_call(f->m, f->s, &f->call, here, &out) == 0 &&
		    ae_rpc_epm_map_reply(
			&x, out.p, out.len, false, &id, NULL) == AE_OK;
	}
	ae_wr_done(&in);
	ae_wr_done(&out);
	return ok;
}

static void
no_memory(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_true(ae_torture(work, &f, 200, true) > 5);
	stop(&f);
}

/* ---- mgmt ---- */

static uint32_t
manage(struct fixture *f, uint16_t opnum, const void *stub, size_t len,
    const char *name)
{
	ae_wr_reset(&f->out);
	f->call.iface = &ae_rpc_mgmt_iface;
	f->call.opnum = opnum;
	f->call.stub = stub;
	f->call.stub_len = len;
	return ae_rpc_mgmt_call(f->s, &f->call, name, &f->out);
}

static void
mgmt(void **state)
{
	static const uint8_t four[8] = { 4 }, zero[8] = { 0 },
			     many[4] = { 200 };
	static const uint8_t krb5[8] = { 16, 0, 0, 0, 100 };
	static const uint8_t ntlm[8] = { 10, 0, 0, 0, 100 };
	static const uint8_t tiny[8] = { 16, 0, 0, 0, 3 };
	struct fixture f;

	(void)state;
	start(&f);
	/* The three interfaces: ids, count, pointers, ids, status. */
	assert_int_equal(manage(&f, 0, "ignored", 7, NULL), 0);
	assert_int_equal(f.out.len, 4 + 4 + 4 + 3 * 4 + 3 * 20 + 4);
	assert_int_equal(f.out.p[4], 3);
	assert_int_equal(f.out.p[8], 3);
	/* Statistics: as many as asked for, at most four. */
	assert_int_equal(manage(&f, 1, four, 8, NULL), 0);
	assert_int_equal(f.out.len, 4 + 4 + 16 + 4);
	assert_int_equal(f.out.p[8], 1); /* calls in */
	assert_int_equal(manage(&f, 1, zero, 8, NULL), 0);
	assert_int_equal(f.out.len, 12);
	assert_int_equal(manage(&f, 1, many, 4, NULL), 0);
	assert_int_equal(f.out.p[0], 4);
	assert_int_equal(
	    manage(&f, 1, four, 3, NULL), AE_RPC_FAULT_BAD_STUB_DATA);
	/* Listening: yes.  Stop: no. */
	assert_int_equal(manage(&f, 2, NULL, 0, NULL), 0);
	assert_memory_equal(f.out.p, "\0\0\0\0\1\0\0\0", 8);
	assert_int_equal(manage(&f, 3, NULL, 0, NULL), 0);
	assert_memory_equal(f.out.p, "\5\0\0\0", 4);
	/* The name, when there is one and it fits. */
	assert_int_equal(manage(&f, 4, krb5, 8, "host/ca1"), 0);
	assert_memory_equal(f.out.p + 12, "host/ca1", 9);
	assert_int_equal(f.out.p[0], 100);
	assert_int_equal(f.out.p[8], 9);
	assert_memory_equal(f.out.p + f.out.len - 4, "\0\0\0\0", 4);
	assert_int_equal(manage(&f, 4, ntlm, 8, "host/ca1"), 0);
	assert_memory_equal(f.out.p + f.out.len - 4, "\xd3\x06\0\0", 4);
	assert_int_equal(manage(&f, 4, tiny, 8, "host/ca1"), 0);
	assert_memory_equal(f.out.p + f.out.len - 4, "\xd3\x06\0\0", 4);
	assert_int_equal(manage(&f, 4, krb5, 8, NULL), 0);
	assert_memory_equal(f.out.p + f.out.len - 4, "\xd3\x06\0\0", 4);
	assert_int_equal(
	    manage(&f, 4, zero, 8, "x"), AE_RPC_FAULT_BAD_STUB_DATA);
	assert_int_equal(
	    manage(&f, 5, zero, 8, "x"), AE_RPC_FAULT_OP_RNG_ERROR);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(lookup_all),
		cmocka_unit_test(lookup_resumes),
		cmocka_unit_test(lookup_handles),
		cmocka_unit_test(lookup_filters),
		cmocka_unit_test(other_methods),
		cmocka_unit_test(mapping),
		cmocka_unit_test(mapping_without_address),
		cmocka_unit_test(mapping_other_towers),
		cmocka_unit_test(mutated),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(mgmt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
