/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Bytes of others: the PAC of MS-PAC section 3 and what Samba's NDR library
 * makes of calls that have tables here.  Decoded, looked at, re-encoded and
 * compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hexfile.h"
#include "mutate.h"
#include "tables.h"

static struct ae_arena *arena;
static uint8_t *vector;
static size_t vector_len;

/* Decode the whole file into out. */
static void
load(const char *file, const struct ae_ndr_type *t, void *out, bool big)
{
	struct ae_err e = AE_ERR_INIT;
	int rc;

	vector = ae_hexfile(AE_VECTORS, file, &vector_len);
	rc = ae_ndr_decode(t, out, vector, vector_len, big, arena, NULL, &e);
	if (rc != AE_OK)
		fail_msg("%s: %s", file, e.text);
}

/* Re-encoded it is the file again, apart from referent ids of masked. */
static void
same_again(const struct ae_ndr_type *t, const void *v, const size_t *masked,
    size_t nmasked)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	size_t i;

	ae_wr_init(&w, 65536);
	if (ae_ndr_encode(t, v, &w, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(w.len, vector_len);
	for (i = 0; i < nmasked; i++) {
		assert_memory_not_equal(w.p + masked[i], "\0\0\0", 4);
		memcpy(w.p + masked[i], vector + masked[i], 4);
	}
	assert_memory_equal(w.p, vector, vector_len);
	ae_wr_done(&w);
}

static void
samba_epm_map_in(void **state)
{
	static const size_t ids[] = { 0, 20 };
	struct epm_map_in in;

	(void)state;
	load("ndr-samba-epm-map-in.hex", &epm_map_in, &in, false);
	assert_int_equal(in.object->d1, 0x01020304);
	assert_int_equal(in.tower->length, 0x47);
	assert_int_equal(in.tower->octets[0], 5);
	assert_int_equal(in.max_towers, 4);
	same_again(&epm_map_in, &in, ids, 2);
}

static void
samba_epm_map_out(void **state)
{
	static const size_t ids[] = { 36, 40 };
	struct epm_map_out out;

	(void)state;
	load("ndr-samba-epm-map-out.hex", &epm_map_out, &out, false);
	assert_int_equal(out.num_towers, 2);
	assert_int_equal(out.max_towers, 4);
	assert_int_equal(out.towers[1]->length, 0x47);
	assert_memory_equal(out.towers[0]->octets + 58, "\x02\x00\xc1\x5c", 4);
	assert_memory_equal(out.towers[1]->octets + 58, "\x02\x00\xc1\x5d", 4);
	assert_int_equal(out.status, 0);
	same_again(&epm_map_out, &out, ids, 2);
}

static void
samba_open_policy(void **state)
{
	struct lsa_open_in in, be;

	(void)state;
	load("ndr-samba-lsa-open-in-be.hex", &lsa_open_in, &be, true);
	free(vector);
	load("ndr-samba-lsa-open-in.hex", &lsa_open_in, &in, false);
	assert_string_equal(in.system, "\\\\dc1.ex\xc3\xa4mple.test");
	assert_string_equal(be.system, in.system);
	assert_int_equal(in.attributes.length, 24);
	assert_null(in.attributes.name);
	assert_int_equal(in.attributes.qos->level, 2);
	assert_int_equal(in.attributes.qos->mode, 1);
	assert_int_equal(be.attributes.qos->level, 2);
	assert_int_equal(in.access, 0x02000000);
	assert_int_equal(be.access, 0x02000000);
	same_again(&lsa_open_in, &in, NULL, 0);
}

static void
samba_union(void **state)
{
	struct lsa_policy_out out, be;

	(void)state;
	load("ndr-samba-lsa-policy-out-be.hex", &lsa_policy_out, &be, true);
	free(vector);
	load("ndr-samba-lsa-policy-out.hex", &lsa_policy_out, &out, false);
	assert_int_equal(out.level, 5);
	assert_string_equal(out.policy->domain.name, "EXAMPLE");
	assert_int_equal(out.policy->domain.sid->nsubs, 4);
	assert_int_equal(out.policy->domain.sid->sub[3], 3);
	assert_int_equal(be.level, 5);
	assert_string_equal(be.policy->domain.name, "EXAMPLE");
	assert_true(
	    ae_sid_equal(be.policy->domain.sid, out.policy->domain.sid));
	/* Samba's MaximumLength counts a terminator, ours does not. */
	vector[10] -= 2;
	vector[20] -= 1;
	same_again(&lsa_policy_out, &out, NULL, 0);
}

static void
samba_logon_info(void **state)
{
	char text[AE_SID_STR_MAX];
	struct logon_info_ptr p;
	const struct logon_info *i;

	(void)state;
	load("ndr-samba-logon-info.hex", &logon_info_ptr, &p, false);
	i = p.info;
	assert_string_equal(i->name, "WS01$");
	assert_string_equal(i->full_name, "");
	assert_int_equal(i->rid, 1104);
	assert_int_equal(i->group_count, 3);
	assert_int_equal(i->groups[2].rid, 2201);
	assert_string_equal(i->domain, "EX");
	assert_int_equal(i->account_control, 0x80);
	assert_int_equal(i->sid_count, 2);
	assert_string_equal(ae_sid_print(text, i->sids[0].sid), "S-1-18-1");
	assert_string_equal(ae_sid_print(text, i->sids[1].sid),
	    "S-1-5-21-1004336348-1177238915-682003330-5555");
	assert_string_equal(ae_sid_print(text, i->resource_sid),
	    "S-1-5-21-1004336348-1177238915-682003330");
	assert_int_equal(i->resource_groups[0].rid, 1139);
	assert_int_equal(i->resource_groups[0].attributes, 0x20000007);
	/* Server and domain: Samba's MaximumLength counts a terminator. */
	vector[142] -= 2;
	vector[150] -= 2;
	vector[332] -= 1;
	vector[352] -= 1;
	same_again(&logon_info_ptr, &p, NULL, 0);
}

/* The annotated PAC of the specification. */
static void
spec_logon_info(void **state)
{
	static const char *const file = "ndr-mspac-logon-info.hex";
	struct ae_err e = AE_ERR_INIT;
	struct logon_info_ptr p, q;
	char text[AE_SID_STR_MAX];
	struct ae_wr w, printed;

	(void)state;
	vector = ae_hexfile(AE_VECTORS, file, &vector_len);
	assert_int_equal(ae_ndr_unpickle(&logon_info_ptr, &p, vector,
			     vector_len, arena, NULL, &e),
	    AE_OK);
	assert_string_equal(p.info->name, "lzhu");
	assert_string_equal(p.info->full_name, "Liqiang(Larry) Zhu");
	assert_string_equal(p.info->script, "ntds2.bat");
	assert_string_equal(p.info->server, "NTDEV-DC-05");
	assert_string_equal(p.info->domain, "NTDEV");
	assert_int_equal(p.info->logon_count, 0x1054);
	assert_int_equal(p.info->rid, 2914711);
	assert_int_equal(p.info->primary, 513);
	assert_int_equal(p.info->group_count, 26);
	assert_int_equal(p.info->groups[25].rid, 0x2e0e72);
	assert_int_equal(p.info->sid_count, 13);
	assert_string_equal(ae_sid_print(text, p.info->domain_sid),
	    "S-1-5-21-397955417-626881126-188441444");
	assert_string_equal(ae_sid_print(text, p.info->sids[0].sid),
	    "S-1-5-21-773533881-1816936887-355810188-513");
	assert_string_equal(ae_sid_print(text, p.info->sids[12].sid),
	    "S-1-5-21-397955417-626881126-188441444-3038983");
	assert_null(p.info->resource_sid);

	/* Once through our own encoder it means the same. */
	ae_wr_init(&w, 65536);
	assert_int_equal(ae_ndr_pickle(&logon_info_ptr, &p, &w, &e), AE_OK);
	assert_int_equal(w.len % 8, 0);
	assert_int_equal(
	    ae_ndr_unpickle(&logon_info_ptr, &q, w.p, w.len, arena, NULL, &e),
	    AE_OK);
	assert_string_equal(q.info->full_name, p.info->full_name);
	assert_int_equal(q.info->sid_count, 13);
	assert_memory_equal(
	    q.info->groups, p.info->groups, 26 * sizeof(*p.info->groups));
	ae_wr_done(&w);
	ae_wr_init(&printed, 65536);
	assert_int_equal(
	    ae_ndr_print(&logon_info_ptr, &p, &printed, &e), AE_OK);
	assert_non_null(strstr(ae_wr_cstr(&printed), "\"Liqiang(Larry) Zhu\""));
	assert_non_null(
	    strstr(ae_wr_cstr(&printed), "session_key: secret, 16 bytes\n"));
	ae_wr_done(&printed);
}

static void
decode_once(const uint8_t *p, size_t len, void *arg)
{
	const struct ae_ndr_type *t = arg;
	struct ae_arena *a = ae_arena_new(65536);
	uint64_t out[64];
	struct ae_wr w;

	assert_true(t->size <= sizeof(out));
	ae_wr_init(&w, 65536);
	if (ae_ndr_decode(t, out, p, len, false, a, NULL, NULL) == AE_OK) {
		/* Whatever was accepted can be written and printed. */
		assert_int_equal(ae_ndr_encode(t, out, &w, NULL), AE_OK);
		ae_wr_reset(&w);
		assert_int_equal(ae_ndr_print(t, out, &w, NULL), AE_OK);
	}
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
mutated(void **state)
{
	static const struct {
		const char *file;
		const struct ae_ndr_type *t;
	} all[] = {
		{ "ndr-samba-epm-map-in.hex", &epm_map_in },
		{ "ndr-samba-epm-map-out.hex", &epm_map_out },
		{ "ndr-samba-lsa-open-in.hex", &lsa_open_in },
		{ "ndr-samba-lsa-policy-out.hex", &lsa_policy_out },
		{ "ndr-samba-logon-info.hex", &logon_info_ptr },
	};
	size_t i, len;
	uint8_t *p;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ae_ndr_type t = *all[i].t;

		p = ae_hexfile(AE_VECTORS, all[i].file, &len);
		assert_int_equal(ae_mutate(p, len, decode_once, &t), 13 * len);
		free(p);
	}
}

static int
setup(void **state)
{
	(void)state;
	arena = ae_arena_new(1 << 20);
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	ae_arena_free(arena);
	free(vector);
	vector = NULL;
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(samba_epm_map_in),
		T(samba_epm_map_out),
		T(samba_open_policy),
		T(samba_union),
		T(samba_logon_info),
		T(spec_logon_info),
		cmocka_unit_test(mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
