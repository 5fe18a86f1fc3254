/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CAINFO and CATRANSPROP, bytes and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "torture.h"
#include "wcce/caprop.h"

static void
cainfo(void **state)
{
	static const uint8_t wire[AE_CAINFO_SIZE] = { 40, 0, 0, 0, 1, 0, 0, 0,
		2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 45, 0, 0, 0, 0xff, 0xff,
		0xff, 0xff, 7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0x80 };
	const struct ae_cainfo in = { 1, 2, 3, 4, 45, -1, 7, 8, 0x80000009 };
	struct ae_cainfo out = { 0 };
	struct ae_wr w;
	uint8_t bad[AE_CAINFO_SIZE];

	(void)state;
	ae_wr_init(&w, 100);
	ae_cainfo_put(&w, &in);
	assert_true(ae_wr_ok(&w));
	assert_int_equal(w.len, AE_CAINFO_SIZE);
	assert_memory_equal(w.p, wire, sizeof(wire));
	assert_true(ae_cainfo_get(&out, wire, sizeof(wire)));
	assert_memory_equal(&in, &out, sizeof(in));
	ae_wr_done(&w);

	assert_false(ae_cainfo_get(&out, wire, sizeof(wire) - 1));
	assert_false(ae_cainfo_get(&out, NULL, 0));
	memcpy(bad, wire, sizeof(bad));
	bad[0] = 39;
	assert_false(ae_cainfo_get(&out, bad, sizeof(bad)));
}

static void
all_properties_are_known_by_number(void **state)
{
	int32_t i;

	(void)state;
	for (i = 1; i <= AE_CR_PROP_MAX; i++) {
		assert_non_null(ae_cr_prop_find(i));
		assert_int_equal(ae_cr_prop_find(i)->prop_id, i);
		assert_true(ae_cr_prop_find(i)->name[0] != '\0');
	}
	assert_null(ae_cr_prop_find(0));
	assert_null(ae_cr_prop_find(-1));
	assert_null(ae_cr_prop_find(AE_CR_PROP_MAX + 1));
}

static void
catransprop(void **state)
{
	/* MS-WCCE 2.2.2.3.1: rows, then names, each on a DWORD boundary */
	static const uint8_t wire[] = { 6, 0, 0, 0, 4, 0, 0, 0, 24, 0, 0, 0, 12,
		0, 0, 0, 3, 0, 1, 0, 28, 0, 0, 0, 'A', 0, 0, 0, 'B', 0, 'c', 0,
		0, 0 };
	const struct ae_catransprop in[] = { { 6, AE_PROPTYPE_STRING, 0, "A" },
		{ 12, AE_PROPTYPE_BINARY, AE_PROPFLAGS_INDEXED, "Bc" } };
	struct ae_arena *a = ae_arena_new(4096);
	struct ae_catransprop *out;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 100);
	ae_catransprop_put(&w, in, 2);
	assert_int_equal(w.len, sizeof(wire));
	assert_memory_equal(w.p, wire, sizeof(wire));
	assert_int_equal(
	    ae_catransprop_get(&out, 2, wire, sizeof(wire), a, NULL), 0);
	assert_int_equal(out[1].prop_id, 12);
	assert_int_equal(out[1].flags, AE_PROPFLAGS_INDEXED);
	assert_string_equal(out[0].name, "A");
	assert_string_equal(out[1].name, "Bc");
	/* a count the bytes cannot hold, a name that does not end, no name */
	assert_int_equal(
	    ae_catransprop_get(&out, 3, wire, sizeof(wire), a, NULL),
	    AE_EPROTO);
	assert_int_equal(
	    ae_catransprop_get(&out, 2, wire, sizeof(wire) - 2, a, NULL),
	    AE_EPROTO);
	assert_int_equal(
	    ae_catransprop_get(&out, 100000, wire, sizeof(wire), a, NULL),
	    AE_ELIMIT);
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
mutated(const uint8_t *p, size_t len, void *arg)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_catransprop *out;
	struct ae_cainfo info;

	(void)arg;
	assert_non_null(a);
	(void)!ae_catransprop_get(&out, 5, p, len, a, NULL);
	(void)ae_cainfo_get(&info, p, len);
	ae_arena_free(a);
}

static void
mutations(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 4096);
	ae_catransprop_put(&w, ae_cr_prop_find(1), 5);
	assert_true(ae_wr_ok(&w));
	assert_true(ae_mutate(w.p, w.len, mutated, NULL) > 1000);
	ae_wr_done(&w);
}

static void
blob_strings(void **state)
{
	struct ae_arena *a = ae_arena_new(4096);
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 64);
	assert_true(ae_wcce_blob_string_put(&w, "A\xc3\xbc"));
	assert_int_equal(w.len, 6);
	assert_string_equal(ae_wcce_blob_string(a, w.p, w.len), "A\xc3\xbc");
	assert_null(ae_wcce_blob_string(a, w.p, w.len - 2)); /* no NUL */
	assert_null(ae_wcce_blob_string(a, w.p, w.len - 1)); /* odd */
	assert_null(ae_wcce_blob_string(a, NULL, 0));
	assert_null(ae_wcce_blob_string(a, "A\0\0\0B\0\0\0", 8));
	assert_false(ae_wcce_blob_string_put(&w, "\xff"));
	ae_wr_done(&w);
	ae_arena_free(a);
}

static bool
tortured(void *arg)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_catransprop *out;
	struct ae_wr w;
	bool ok;

	(void)arg;
	if (a == NULL)
		return false;
	ae_wr_init(&w, 4096);
	ae_catransprop_put(&w, ae_cr_prop_find(1), 3);
	ok = ae_wr_ok(&w) &&
	    ae_catransprop_get(&out, 3, w.p, w.len, a, NULL) == AE_OK &&
	    strcmp(out[2].name, ae_cr_prop_find(3)->name) == 0;
	ae_wr_done(&w);
	ae_arena_free(a);
	return ok;
}

static void
torture(void **state)
{
	(void)state;
	assert_true(ae_torture(tortured, NULL, 100, true) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cainfo),
		cmocka_unit_test(all_properties_are_known_by_number),
		cmocka_unit_test(catransprop),
		cmocka_unit_test(mutations),
		cmocka_unit_test(blob_strings),
		cmocka_unit_test(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
