/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The mistakes a table's author can make, and what printing shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tables.h"

static void
sound_tables(void **state)
{
	static const struct ae_ndr_type *const all[] = { &tower_type,
		&epm_map_in, &epm_map_out, &lsa_open_in, &lsa_policy_out,
		&logon_info, &logon_info_ptr, &zoo_type, &node_type, &ae_ndr_u8,
		&ae_ndr_u16, &ae_ndr_u32, &ae_ndr_u64, &ae_ndr_enum,
		&ae_ndr_guid, &ae_ndr_ustr, &ae_ndr_sid, &ae_ndr_ctx };
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (ae_ndr_lint(all[i], &e) != AE_OK)
			fail_msg("%s", e.text);
}

struct s {
	uint32_t n;
	uint16_t small;
	uint8_t *p;
	char *text;
	uint8_t fixed[4];
	struct tower tower;
	struct ae_sid sid;
	union lsa_policy u;
};

/* clang-format off */
static const struct ae_ndr_type some_union = AE_NDR_UNION("u", union lsa_policy, 8, 4,
	AE_NDR_FIELD(union lsa_policy, modified, &ae_ndr_u64, .tag = 1));

#define N AE_NDR_FIELD(struct s, n, &ae_ndr_u32)
#define BAD(al, ...) AE_NDR_STRUCT("s", struct s, al, __VA_ARGS__)
static const struct {
	const char *text;
	struct ae_ndr_type t;
} bad[] = {
	{ "alignment", BAD(2, N) },
	{ "alignment", BAD(8, AE_NDR_FIELD(struct s, small, &ae_ndr_u16)) },
	{ "another size", BAD(4, AE_NDR_FIELD(struct s, small, &ae_ndr_u32)) },
	{ "another size", BAD(4, AE_NDR_PTR(struct s, n, AE_NDR_UNIQUE, &ae_ndr_u32)) },
	{ "another size", BAD(4, AE_NDR_FIXED_ARRAY(struct s, fixed, &ae_ndr_u32)) },
	{ "outside", BAD(4, { .name = "x", .type = &ae_ndr_u32, .off = sizeof(struct s), .size = 4 }) },
	{ "no type", BAD(4, { .name = "x", .size = 4 }) },
	{ "empty range", BAD(4, AE_NDR_FIELD(struct s, n, &ae_ndr_u32, .min = 5, .max = 4)) },
	{ "needs a maximum", BAD(4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 0)) },
	{ "needs a maximum", BAD(4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 1, .min = 2)) },
	{ "needs a maximum", BAD(4, AE_NDR_STRING(struct s, text, AE_NDR_UNIQUE, AE_NDR_STR16, 0)) },
	{ "C pointer", BAD(4, N, AE_NDR_ARRAY(struct s, fixed, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 4)) },
	{ "needs a count", BAD(4, { .name = "p", .type = &ae_ndr_u8, .off = offsetof(struct s, p), .size = 8, .ptr = AE_NDR_UNIQUE, .shape = AE_NDR_CONF, .max = 5 }) },
	{ "say .sets", BAD(4, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 4)) },
	{ "has a row", BAD(4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 4, .sets = true)) },
	{ "not an integer", BAD(4, AE_NDR_PTR(struct s, p, AE_NDR_UNIQUE, &ae_ndr_u8),
	    AE_NDR_ARRAY(struct s, text, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, p, 4)) },
	{ "comes after", BAD(4, AE_NDR_ARRAY(struct s, p, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u8, n, 4), N) },
	{ "comes last", BAD(4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u8, n, 4),
	    AE_NDR_FIELD(struct s, small, &ae_ndr_u16)) },
	{ "comes last", BAD(4, AE_NDR_FIELD(struct s, tower, &tower_type), N) },
	{ "array of conformant", BAD(4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &tower_type, n, 4)) },
	{ "array of conformant", BAD(4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_sid, n, 4)) },
	{ "behind a pointer", BAD(4, AE_NDR_FIELD(struct s, sid, &ae_ndr_sid)) },
	{ "free member", BAD(4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONFVAR, &ae_ndr_u8, n, 4,
	    .cap = offsetof(struct s, n), .cap_size = 4)) },
	{ "rounded", BAD(4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 4, .round = 3)) },
	{ "rounded", BAD(4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u16, n, 4, .round = 2)) },
	{ "switched", BAD(8, N, AE_NDR_FIELD(struct s, u, &some_union)) },
	{ "switched", BAD(4, N, AE_NDR_SWITCH(struct s, small, &ae_ndr_u16, n)) },
	{ "parameters inside", BAD(4, { .name = "x", .type = &lsa_open_in, .size = sizeof(struct lsa_open_in) }) },
	{ "fixed array", BAD(4, { .name = "p", .type = &ae_ndr_u8, .off = offsetof(struct s, p), .size = 8,
	    .ptr = AE_NDR_UNIQUE, .shape = AE_NDR_FIXED, .max = 4 }) },
	{ "comes after", AE_NDR_PARAMS("s", struct s,
	    AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 4), N) },
	{ "1, 2 or 4", AE_NDR_UNION("u", union lsa_policy, 8, 3, AE_NDR_FIELD(union lsa_policy, modified, &ae_ndr_u64)) },
	{ "behind a pointer", AE_NDR_UNION("u", struct s, 4, 4, AE_NDR_FIELD(struct s, tower, &tower_type)) },
	{ "struct around it", AE_NDR_UNION("u", struct s, 4, 4, N, AE_NDR_ARRAY(struct s, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 4)) },
	{ "one pointer row", { .name = "p", .op = AE_NDR_OP_PTR, .align = 4, .size = 8, .rows = AE_NDR_ROWS(N) } },
	{ "no functions", { .name = "c", .op = AE_NDR_OP_CUSTOM, .align = 4, .size = 8 } },
};
/* clang-format on */

static void
unsound_tables(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ae_ndr_lint(&bad[i].t, &e) != AE_EINTERNAL)
			fail_msg("row %zu (%s) passed", i, bad[i].text);
		if (strstr(e.text, bad[i].text) == NULL)
			fail_msg("row %zu: %s, not %s", i, e.text, bad[i].text);
	}
}

static void
printed(void **state)
{
	static const char expected[] =
	    "zoo:\n"
	    "  a: 165 (0xa5)\n"
	    "  b: 72623859790382856 (0x102030405060708)\n"
	    "  color: 5\n"
	    "  id: 11223344-5566-7788-0102-030405060708\n"
	    "  fixed: 3 elements\n"
	    "    short: 10 (0xa)\n"
	    "    short: 20 (0x14)\n"
	    "    short: 30 (0x1e)\n"
	    "  name: \"n\\xc3\\xa4me\"\n"
	    "  label: \"label\"\n"
	    "  n: 5\n"
	    "  bytes: 5 bytes 0102030405\n";
	const char *text;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 8192);
	assert_int_equal(ae_ndr_print(&zoo_type, zoo_sample(), &w, NULL), 0);
	text = ae_wr_cstr(&w);
	assert_memory_equal(text, expected, sizeof(expected) - 1);
	assert_non_null(strstr(text, "\n  secret: secret, 7 bytes\n"));
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "\n    inner:\n      n: 2\n"));
	assert_non_null(strstr(text, "\n      text: NULL\n"));
	assert_null(strstr(text, "small:")); /* not the arm chosen */
	ae_wr_done(&w);
	ae_wr_init(&w, 100);
	assert_int_equal(
	    ae_ndr_print(&zoo_type, zoo_sample(), &w, NULL), AE_ELIMIT);
	ae_wr_done(&w);
}

static void
printed_bounds(void **state)
{
	uint8_t octets[100] = { 1 };
	struct tower t = { sizeof(octets), octets };
	struct node n = { 1, NULL };
	const char *text;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 8192);
	assert_int_equal(ae_ndr_print(&tower_type, &t, &w, NULL), AE_OK);
	text = ae_wr_cstr(&w);
	assert_non_null(strstr(text, "octets: 100 bytes 0100"));
	assert_non_null(strstr(text, "00...\n"));
	ae_wr_reset(&w);
	n.next = &n;
	assert_int_equal(ae_ndr_print(&node_type, &n, &w, NULL), AE_OK);
	assert_non_null(strstr(ae_wr_cstr(&w), "..."));
	ae_wr_done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_tables),
		cmocka_unit_test(unsound_tables),
		cmocka_unit_test(printed),
		cmocka_unit_test(printed_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
