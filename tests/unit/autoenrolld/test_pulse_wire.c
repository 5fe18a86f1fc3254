/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Plan and inventory between the processes of a run: what arrives is what
 * was sent, and nothing else is taken for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mutate.h"
#include "pulse_wire.h"
#include "role.h"

#define ARENA (8 * 1024 * 1024)

static char web[] = "Web", user[] = "User", gone[] = "Gone", ca[] = "Lab CA",
	    host[] = "ca1.lab.example", dns[] = "pc1.lab.example";
static char *dns_v[] = { dns };
static char oid[] = "1.3.6.1.4.1.311.21.8.1.2.3.1";
static struct ae_template t_web = { .dn = web, .cn = web, .oid = oid },
			  t_user = { .dn = user, .cn = user },
			  t_gone = { .dn = gone, .cn = gone };
static const struct ae_enrollment_service one_ca = { .cn = ca,
	.dns_host_name = host };
static const struct ae_enrollment_service *cas[] = { &one_ca };
static struct ae_inv_cert cert = { .name = "Web/3",
	.template_oid = oid,
	.thumbprint = "00112233445566778899aabbccddeeff00112233",
	.dns = { dns_v, 1 },
	.not_after = 1800000000 };
static struct ae_inv_request request = { .name = "User/1",
	.template_cn = "User",
	.ca_config = "ca1.lab.example\\Lab CA",
	.request_id = 7,
	.state = AE_INV_PENDING,
	.submitted = 1790000000 };

struct world {
	struct ae_plan_item items[3];
	struct ae_plan_store store[2];
	struct ae_plan_pending pending[2];
	struct ae_plan_unpublish unpublish[1];
	struct ae_plan_expiring expiring[2];
	struct ae_plan plan;
};

/* The first item requests nothing: it has no number on the wire. */
static void
make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->items[0] =
	    (struct ae_plan_item){ .tmpl = &t_gone, .action = AE_PLAN_SKIP };
	w->items[1] = (struct ae_plan_item){ .tmpl = &t_web,
		.action = AE_PLAN_RENEW,
		.same_key = true,
		.have = &cert,
		.key = { .alg = AE_ALG_P256, .bits = 256 },
		.cas = cas,
		.ncas = 1 };
	w->items[2] = (struct ae_plan_item){ .tmpl = &t_user,
		.action = AE_PLAN_ENROLL,
		.resume = &request,
		.key = { .alg = AE_ALG_RSA, .bits = 2048 } };
	w->store[0] = (struct ae_plan_store){ &cert, AE_PLAN_ARCHIVE,
		"existing.expired", "it expired", &w->items[1] };
	w->store[1] = (struct ae_plan_store){ &cert, AE_PLAN_DELETE,
		"existing.revoked", "its CA revoked it", NULL };
	w->pending[0] = (struct ae_plan_pending){ &request, AE_PLAN_FETCH,
		"pending.awaiting-approval", "it waits", &t_user };
	w->pending[1] = (struct ae_plan_pending){ &request, AE_PLAN_DROP,
		"pending.too-old", "too long ago", NULL };
	w->unpublish[0] = (struct ae_plan_unpublish){ &cert, "existing.expired",
		"it expired" };
	w->expiring[0] =
	    (struct ae_plan_expiring){ &cert, "it ends", &w->items[2] };
	w->expiring[1] =
	    (struct ae_plan_expiring){ &cert, "it ends too", &w->items[0] };
	w->plan = (struct ae_plan){ .enabled = true,
		.items = w->items,
		.nitems = 3,
		.store = w->store,
		.nstore = 2,
		.pending = w->pending,
		.npending = 2,
		.unpublish = w->unpublish,
		.nunpublish = 1,
		.expiring = w->expiring,
		.nexpiring = 2 };
}

static void
encode(struct ae_wr *out)
{
	struct world w;

	make(&w);
	ae_wr_init(out, ROLE_BODY_MAX);
	pulse_wire_put_plan(out, &w.plan);
	assert_true(ae_wr_ok(out));
}

static void
plan_there_and_back(void **state)
{
	struct ae_arena *a = ae_arena_new(ARENA);
	struct pulse_wire_plan p;
	struct ae_wr bytes;
	struct ae_rd r;

	(void)state;
	encode(&bytes);
	ae_rd_init(&r, bytes.p, bytes.len);
	assert_int_equal(pulse_wire_get_plan(&p, a, &r, NULL), AE_OK);
	assert_true(ae_rd_done(&r));
	assert_true(p.enabled);
	assert_int_equal(p.nitems, 2);
	assert_string_equal(p.items[0].tmpl->cn, "Web");
	assert_int_equal(p.items[0].action, AE_PLAN_RENEW);
	assert_true(p.items[0].same_key);
	assert_string_equal(p.items[0].have, "Web/3");
	assert_null(p.items[0].signer);
	assert_int_equal(p.items[0].alg, AE_ALG_P256);
	assert_int_equal(p.items[0].ncas, 1);
	assert_string_equal(p.items[0].cas[0].host, "ca1.lab.example");
	assert_string_equal(p.items[0].cas[0].cn, "Lab CA");
	assert_string_equal(p.items[1].resume, "User/1");
	assert_int_equal(p.nstore, 2);
	assert_int_equal(p.store[0].after, 0);
	assert_int_equal(p.store[1].after, PULSE_NOW);
	assert_int_equal(p.store[1].what, AE_PLAN_DELETE);
	assert_string_equal(p.store[1].check, "existing.revoked");
	assert_int_equal(p.npending, 2);
	assert_string_equal(p.pending[0].tmpl->cn, "User");
	assert_null(p.pending[1].tmpl);
	assert_int_equal(p.pending[1].what, AE_PLAN_DROP);
	assert_int_equal(p.nunpublish, 1);
	assert_string_equal(p.unpublish[0].tmpl, "Web");
	assert_string_equal(p.unpublish[0].thumbprint, cert.thumbprint);
	assert_string_equal(p.unpublish[0].subject, "pc1.lab.example");
	assert_int_equal(p.nexpiring, 2);
	assert_int_equal(p.expiring[0].unless, 1);
	assert_int_equal(p.expiring[1].unless, PULSE_NOW);
	assert_string_equal(p.expiring[0].subject, "pc1.lab.example");
	assert_int_equal(p.expiring[0].not_after, 1800000000);
	pulse_wire_plan_done(&p);
	ae_wr_done(&bytes);
	ae_arena_free(a);
}

static void
any_plan(const uint8_t *p, size_t len, void *arg)
{
	struct ae_arena *a = ae_arena_new(ARENA);
	struct pulse_wire_plan plan;
	struct ae_rd r;

	(void)arg;
	ae_rd_init(&r, p, len);
	if (pulse_wire_get_plan(&plan, a, &r, NULL) == AE_OK)
		for (size_t i = 0; i < plan.nstore; i++)
			assert_true(plan.store[i].after == PULSE_NOW ||
			    plan.store[i].after < plan.nitems);
	pulse_wire_plan_done(&plan);
	ae_arena_free(a);
}

static void
plans_that_are_none(void **state)
{
	struct ae_wr bytes;

	(void)state;
	encode(&bytes);
	assert_true(ae_mutate(bytes.p, bytes.len, any_plan, NULL) > 1000);
	ae_wr_done(&bytes);
}

static void
encode_stored(struct ae_wr *out)
{
	const struct ae_stored c = { .tmpl = "Web",
		.number = 3,
		.current = true,
		.has_key = true,
		.pem = (const uint8_t *)"PEM",
		.len = 3 };

	ae_wr_init(out, ROLE_BODY_MAX);
	ae_wr_u32(out, 1);
	pulse_wire_put_stored(out, &c);
	ae_wr_u32(out, 1);
	pulse_wire_put_request(out, &request);
	assert_true(ae_wr_ok(out));
}

static void
inventory_there_and_back(void **state)
{
	struct ae_arena *a = ae_arena_new(ARENA);
	struct pulse_wire_stored s;
	struct ae_wr bytes;
	struct ae_rd r;

	(void)state;
	encode_stored(&bytes);
	ae_rd_init(&r, bytes.p, bytes.len);
	assert_int_equal(pulse_wire_get_stored(&s, a, &r, NULL), AE_OK);
	assert_true(ae_rd_done(&r));
	assert_int_equal(s.ncerts, 1);
	assert_string_equal(s.certs[0].tmpl, "Web");
	assert_int_equal(s.certs[0].number, 3);
	assert_true(s.certs[0].current && s.certs[0].has_key);
	assert_memory_equal(s.certs[0].pem, "PEM", 3);
	assert_int_equal(s.nrequests, 1);
	assert_string_equal(s.requests[0].ca_config, request.ca_config);
	assert_int_equal(s.requests[0].request_id, 7);
	assert_int_equal(s.requests[0].state, AE_INV_PENDING);
	assert_null(s.requests[0].renews);
	assert_false(s.requests[0].automatic);
	ae_wr_done(&bytes);
	ae_arena_free(a);
}

static void
any_inventory(const uint8_t *p, size_t len, void *arg)
{
	struct ae_arena *a = ae_arena_new(ARENA);
	struct pulse_wire_stored s;
	struct ae_rd r;

	(void)arg;
	ae_rd_init(&r, p, len);
	if (pulse_wire_get_stored(&s, a, &r, NULL) == AE_OK)
		for (size_t i = 0; i < s.ncerts; i++)
			assert_non_null(s.certs[i].tmpl);
	ae_arena_free(a);
}

static void
inventories_that_are_none(void **state)
{
	struct ae_wr bytes;

	(void)state;
	encode_stored(&bytes);
	assert_true(ae_mutate(bytes.p, bytes.len, any_inventory, NULL) > 1000);
	ae_wr_done(&bytes);
}

/* Counts are judged before room is made for them. */
static void
too_many(void **state)
{
	struct ae_arena *a = ae_arena_new(ARENA);
	const uint8_t bytes[] = { 1, 0xff, 0xff, 0xff, 0x7f };
	struct pulse_wire_stored s;
	struct pulse_wire_plan p;
	struct ae_rd r;

	(void)state;
	ae_rd_init(&r, bytes, sizeof(bytes));
	assert_int_equal(pulse_wire_get_plan(&p, a, &r, NULL), AE_EPROTO);
	pulse_wire_plan_done(&p);
	ae_rd_init(&r, bytes + 1, sizeof(bytes) - 1);
	assert_int_equal(pulse_wire_get_stored(&s, a, &r, NULL), AE_EPROTO);
	ae_arena_free(a);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_there_and_back),
		cmocka_unit_test(plans_that_are_none),
		cmocka_unit_test(inventory_there_and_back),
		cmocka_unit_test(inventories_that_are_none),
		cmocka_unit_test(too_many),
	};
	struct ae_wr bytes;

	/* Seeds for the fuzz door: "plan" or "stored" to standard output. */
	if (argc > 1) {
		bool plan = strcmp(argv[1], "plan") == 0;

		(plan ? encode : encode_stored)(&bytes);
		(void)putchar(plan ? 0 : 1);
		(void)fwrite(bytes.p, 1, bytes.len, stdout);
		ae_wr_done(&bytes);
		return fflush(stdout) != 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
