/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Parsing, building and encoding of security descriptors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ad/sd.h"
#include "hexfile.h"
#include "mutate.h"
#include "torture.h"

static const char *const recorded[] = {
	"ad-sd-templates-container.hex",
	"ad-sd-default-gpo.hex",
	"ad-sd-dc-computer.hex",
	"ad-sd-domain.hex",
};

static struct ae_sid
sid(const char *s)
{
	struct ae_sid out;

	assert_true(ae_sid_parse(&out, s));
	return out;
}

static struct ae_sd *
parsed(const void *p, size_t len)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = NULL;

	if (ae_sd_parse(&sd, p, len, &e) != AE_OK)
		fail_msg("%s", e.text);
	return sd;
}

/* What a real directory wrote survives a round trip. */
static void
recorded_round_trip(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd, *again, *dup;
	struct ae_wr w;
	uint8_t *p;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		p = ae_hexfile(AE_VECTORS, recorded[i], &len);
		sd = parsed(p, len);
		assert_true(sd->has_owner && sd->has_group && sd->has_dacl);
		assert_true(sd->dacl.n > 0);
		ae_wr_init(&w, AE_SD_BYTES_MAX);
		assert_int_equal(ae_sd_encode(&w, sd, &e), AE_OK);
		/* The same parts, perhaps in another order: the same size. */
		assert_int_equal(w.len, len);
		again = parsed(w.p, w.len);
		assert_true(ae_sd_equal(sd, again));
		assert_int_equal(sd->control, again->control);
		dup = ae_sd_dup(sd);
		assert_non_null(dup);
		assert_true(ae_sd_equal(sd, dup));
		ae_sd_free(dup);
		ae_sd_free(again);
		ae_sd_free(sd);
		ae_wr_done(&w);
		free(p);
	}
}

static void
recorded_gpo_facts(void **state)
{
	struct ae_sid au = sid("S-1-5-11");
	struct ae_sd *sd;
	uint8_t *p;
	size_t i, len, found = 0;

	(void)state;
	p = ae_hexfile(AE_VECTORS, "ad-sd-default-gpo.hex", &len);
	sd = parsed(p, len);
	for (i = 0; i < sd->dacl.n; i++) {
		const struct ae_ace *a = &sd->dacl.v[i];

		if (a->type == AE_ACE_ALLOWED_OBJECT && a->has_object &&
		    ae_guid_equal(&a->object, &ae_right_apply_group_policy) &&
		    ae_sid_equal(&a->sid, &au)) {
			assert_int_equal(a->mask, AE_ACCESS_CONTROL);
			found++;
		}
	}
	assert_int_equal(found, 1);
	ae_sd_free(sd);
	free(p);
}

static void
mutated(const uint8_t *p, size_t len, void *arg)
{
	struct ae_sd *sd = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)arg;
	if (ae_sd_parse(&sd, p, len, &e) != AE_OK) {
		assert_null(sd);
		assert_true(e.text[0] != '\0');
		return;
	}
	ae_wr_init(&w, AE_SD_BYTES_MAX);
	assert_int_equal(ae_sd_encode(&w, sd, &e), AE_OK);
	ae_sd_free(sd);
	ae_wr_done(&w);
}

static void
every_mutation(void **state)
{
	uint8_t *p;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		p = ae_hexfile(AE_VECTORS, recorded[i], &len);
		assert_true(ae_mutate(p, len, mutated, NULL) > len);
		free(p);
	}
}

struct input {
	const uint8_t *p;
	size_t len;
};

static bool
work(void *arg)
{
	const struct input *in = arg;
	struct ae_err e = AE_ERR_INIT;
	struct ae_sid who = sid("S-1-5-11");
	struct ae_sd *sd = NULL, *dup = NULL;
	struct ae_wr w;
	bool ok = false;

	ae_wr_init(&w, AE_SD_BYTES_MAX);
	if (ae_sd_parse(&sd, in->p, in->len, &e) == AE_OK &&
	    (dup = ae_sd_dup(sd)) != NULL &&
	    ae_sd_allow(dup, 0, AE_ACCESS_CONTROL, &ae_right_enroll, &who,
		&e) == AE_OK &&
	    ae_sd_encode(&w, dup, &e) == AE_OK)
		ok = true;
	ae_sd_free(sd);
	ae_sd_free(dup);
	ae_wr_done(&w);
	return ok;
}

static void
torture(void **state)
{
	struct input in;
	uint8_t *p;

	(void)state;
	p = ae_hexfile(AE_VECTORS, "ad-sd-default-gpo.hex", &in.len);
	in.p = p;
	assert_true(ae_torture(work, &in, 200, true) > 3);
	free(p);
}

static void
build(void **state)
{
	struct ae_sid owner = sid("S-1-5-21-1-2-3-519");
	struct ae_sid au = sid("S-1-5-11"), bad = sid("S-1-5-21-1-2-3-1104");
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = ae_sd_new(), *again;
	struct ae_wr w;

	(void)state;
	assert_non_null(sd);
	assert_false(sd->has_dacl);
	ae_sd_set_owner(sd, &owner);
	ae_sd_set_group(sd, &owner);
	assert_int_equal(
	    ae_sd_allow(sd, 0, AE_ACCESS_READ, NULL, &au, &e), AE_OK);
	assert_int_equal(sd->dacl.revision, 2);
	assert_int_equal(
	    ae_sd_allow(sd, AE_ACE_INHERITED, AE_ACCESS_FULL, NULL, &owner, &e),
	    AE_OK);
	assert_int_equal(
	    ae_sd_deny(sd, 0, AE_ACCESS_CONTROL, &ae_right_enroll, &bad, &e),
	    AE_OK);
	assert_int_equal(sd->dacl.revision, 4);
	ae_sd_canonicalize(sd);
	assert_int_equal(sd->dacl.v[0].type, AE_ACE_DENIED_OBJECT);
	assert_int_equal(sd->dacl.v[1].mask, AE_ACCESS_READ);
	assert_int_equal(sd->dacl.v[2].flags, AE_ACE_INHERITED);
	ae_wr_init(&w, AE_SD_BYTES_MAX);
	assert_int_equal(ae_sd_encode(&w, sd, &e), AE_OK);
	again = parsed(w.p, w.len);
	assert_true(ae_sd_equal(sd, again));
	ae_sd_remove(again, 7);
	assert_int_equal(again->dacl.n, 3);
	ae_sd_remove(again, 0);
	assert_int_equal(again->dacl.n, 2);
	assert_false(ae_sd_equal(sd, again));
	assert_int_equal(again->dacl.v[0].mask, AE_ACCESS_READ);
	ae_sd_free(again);
	ae_sd_free(sd);
	ae_wr_done(&w);
}

/* Compared fields one by one: equal means equal. */
static void
differences_show(void **state)
{
	struct ae_sid a = sid("S-1-5-21-1-2-3-519"), b = sid("S-1-5-11");
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *x = ae_sd_new(), *y;

	(void)state;
	assert_int_equal(
	    ae_sd_allow(x, 0, AE_ACCESS_CONTROL, &ae_right_enroll, &a, &e),
	    AE_OK);
	y = ae_sd_dup(x);
	assert_true(ae_sd_equal(x, y));
	y->dacl.v[0].mask = 0;
	assert_false(ae_sd_equal(x, y));
	y->dacl.v[0].mask = AE_ACCESS_CONTROL;
	y->dacl.v[0].sid = b;
	assert_false(ae_sd_equal(x, y));
	y->dacl.v[0].sid = a;
	y->dacl.v[0].object = ae_right_autoenroll;
	assert_false(ae_sd_equal(x, y));
	y->dacl.v[0].object = ae_right_enroll;
	assert_true(ae_sd_equal(x, y));
	ae_sd_set_owner(y, &a);
	assert_false(ae_sd_equal(x, y));
	ae_sd_set_owner(x, &b);
	assert_false(ae_sd_equal(x, y));
	ae_sd_free(x);
	ae_sd_free(y);
}

static void
acl_too_large(void **state)
{
	struct ae_sid who = sid("S-1-5-21-1-2-3-519");
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = ae_sd_new();
	struct ae_wr w;
	int i;

	(void)state;
	for (i = 0; i < 2000; i++)
		assert_int_equal(ae_sd_allow(sd, 0, 1, NULL, &who, &e), AE_OK);
	ae_wr_init(&w, AE_SD_BYTES_MAX);
	assert_int_equal(ae_sd_encode(&w, sd, &e), AE_ELIMIT);
	ae_wr_done(&w);
	ae_sd_free(sd);
}

/* A header with a DACL at 20 of the given bytes. */
static int
refused(const void *dacl, size_t len, uint16_t control)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = NULL;
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_SD_BYTES_MAX);
	ae_wr_u8(&w, 1);
	ae_wr_u8(&w, 0);
	ae_wr_u16(&w, control);
	ae_wr_zeros(&w, 12);
	ae_wr_u32(&w, dacl != NULL ? 20 : 0);
	ae_wr_bytes(&w, dacl, len);
	rc = ae_sd_parse(&sd, w.p, w.len, &e);
	ae_sd_free(sd);
	ae_wr_done(&w);
	return rc;
}

static void
malformed(void **state)
{
	static const struct {
		const char *what;
		uint8_t b[40];
		size_t len;
	} rows[] = {
		{ "size below the header", { 2, 0, 4, 0, 0, 0, 0, 0 }, 8 },
		{ "runs past the end", { 2, 0, 16, 0, 0, 0, 0, 0 }, 8 },
		{ "revision 1", { 1, 0, 8, 0, 0, 0, 0, 0 }, 8 },
		{ "revision 5", { 5, 0, 8, 0, 0, 0, 0, 0 }, 8 },
		{ "counts what is not there", { 2, 0, 8, 0, 1, 0, 0, 0 }, 8 },
		{ "65535 ACEs", { 2, 0, 12, 0, 255, 255, 0, 0, 0, 0, 4, 0 },
		    12 },
		{ "ACE of size 0", { 2, 0, 12, 0, 1, 0, 0, 0, 0, 0, 0, 0 },
		    12 },
		{ "ACE of size 6",
		    { 2, 0, 16, 0, 1, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0 }, 16 },
		{ "ACE past its ACL",
		    { 2, 0, 12, 0, 1, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0 }, 16 },
		{ "allow ACE without a SID",
		    { 2, 0, 16, 0, 1, 0, 0, 0, 0, 0, 8, 0, 1, 0, 0, 0 }, 16 },
		{ "SID revision 2",
		    { 2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0, 1, 0, 0, 0, 2, 1, 0,
			0, 0, 0, 0, 1, 0, 0, 0, 0 },
		    28 },
		{ "SID with 16 sub-authorities",
		    { 2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0, 1, 0, 0, 0, 1, 16,
			0, 0, 0, 0, 0, 1, 0, 0, 0, 0 },
		    28 },
		{ "object ACE without its GUID",
		    { 2, 0, 28, 0, 1, 0, 0, 0, 5, 0, 20, 0, 1, 0, 0, 0, 1, 0, 0,
			0, 1, 1, 0, 0, 0, 0, 0, 1 },
		    28 },
	};
	uint8_t good[] = { 2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0, 1, 0, 0, 0, 1,
		1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 };
	size_t i;

	(void)state;
	assert_int_equal(refused(good, sizeof(good), 0x8004), AE_OK);
	assert_int_equal(refused(NULL, 0, 0x8004), AE_OK);
	assert_int_equal(refused(good, sizeof(good), 0x0004), AE_EPROTO);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (refused(rows[i].b, rows[i].len, 0x8004) != AE_EPROTO)
			fail_msg("%s: accepted", rows[i].what);
}

static void
malformed_header(void **state)
{
	uint8_t b[20] = { 1, 0, 0, 0x80 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(b); i++)
		assert_int_equal(ae_sd_parse(&sd, b, i, &e), AE_EPROTO);
	assert_int_equal(ae_sd_parse(&sd, b, sizeof(b), &e), AE_OK);
	assert_false(sd->has_dacl || sd->has_owner || sd->has_group);
	ae_sd_free(sd);
	sd = NULL;
	b[0] = 2;
	assert_int_equal(ae_sd_parse(&sd, b, sizeof(b), &e), AE_EPROTO);
	b[0] = 1;
	for (i = 4; i < 8; i++) { /* owner inside the header, or far away */
		memset(b + 4, 0, 16);
		b[i] = 3;
		assert_int_equal(ae_sd_parse(&sd, b, sizeof(b), &e), AE_EPROTO);
	}
	assert_null(sd);
	assert_int_equal(
	    ae_sd_parse(&sd, b, AE_SD_BYTES_MAX + 1, &e), AE_ELIMIT);
}

/* Types that mean nothing to us are kept as they are. */
static void
unknown_ace_is_kept(void **state)
{
	uint8_t b[] = { 1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20,
		0, 0, 0, 2, 0, 16, 0, 1, 0, 0, 0, 0x77, 0, 8, 0, 1, 2, 3, 4 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = parsed(b, sizeof(b));
	struct ae_wr w;

	(void)state;
	assert_false(sd->dacl.v[0].known);
	assert_int_equal(sd->dacl.v[0].body_len, 4);
	ae_wr_init(&w, 100);
	assert_int_equal(ae_sd_encode(&w, sd, &e), AE_OK);
	assert_int_equal(w.len, sizeof(b));
	assert_memory_equal(w.p, b, sizeof(b));
	ae_wr_done(&w);
	ae_sd_free(sd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_round_trip),
		cmocka_unit_test(recorded_gpo_facts),
		cmocka_unit_test(every_mutation),
		cmocka_unit_test(torture),
		cmocka_unit_test(build),
		cmocka_unit_test(differences_show),
		cmocka_unit_test(acl_too_large),
		cmocka_unit_test(malformed),
		cmocka_unit_test(malformed_header),
		cmocka_unit_test(unknown_ace_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
