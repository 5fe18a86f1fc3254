/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The frames to and from the sysvol helper, and which paths there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "policy/sysvol_proto.h"
#include "torture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ID "{31B2F340-016D-11D2-945F-00C04FB984F9}"

static void
paths(void **state)
{
	static const char *const good[] = { ID "\\GPT.INI",
		ID "\\Machine\\Registry.pol", ID "\\User\\a\\b\\c.x",
		"{31b2f340-016d-11d2-945f-00c04fb984f9}\\x" };
	static const char *const bad[] = { "", "\\", "GPT.INI", ID "\\",
		"\\" ID "\\x", ID "\\..\\x", ID "\\.", ID "\\a\\..", "..\\" ID,
		ID "\\a/b", ID "/x", ID "\\a:stream", ID "\\*", ID "\\a?",
		ID "\\a|b", ID "\\a\nb", ID "\\%2e%2e", ID "\\\xc3\xa4",
		ID "\\x.", ID "\\x ", ID "\\a\\b\\c\\d\\e", ID "x\\y",
		"31B2F340-016D-11D2-945F-00C04FB984F9\\x",
		"{31B2F340-016D-11D2-945F-00C04FB984FG}\\x" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		if (!ae_sysvol_path_ok(good[i]))
			fail_msg("%s", good[i]);
	for (i = 0; i < COUNT(bad); i++)
		if (ae_sysvol_path_ok(bad[i]))
			fail_msg("%s", bad[i]);
}

static void
request(void **state)
{
	char path[] = ID "\\GPT.INI", server[] = "dc1", domain[] = "d.test";
	uint8_t data[] = { 1, 2, 3 };
	struct ae_sysvol_file f = { .path = path, .data = data, .len = 3 };
	struct ae_sysvol_request q = { .op = AE_SYSVOL_WRITE,
		.server = server,
		.domain = domain,
		.sd = data,
		.sd_len = 2,
		.files = &f,
		.n = 1 };
	struct ae_sysvol_request got;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	uint32_t op;

	(void)state;
	for (op = AE_SYSVOL_READ; op <= AE_SYSVOL_WRITE; op++) {
		q.op = op;
		ae_wr_init(&w, AE_SYSVOL_REQUEST_MAX);
		ae_sysvol_request_put(&w, &q);
		assert_true(ae_wr_ok(&w));
		assert_int_equal(ae_sysvol_frame_len(w.p, false), w.len);
		assert_int_equal(ae_sysvol_frame_len(w.p, true), 0);
		assert_int_equal(
		    ae_sysvol_request_get(&got, w.p, w.len, &e), AE_OK);
		assert_int_equal(got.op, op);
		assert_string_equal(got.server, "dc1");
		assert_string_equal(got.domain, "d.test");
		assert_int_equal(got.sd_len, 2);
		assert_memory_equal(got.sd, data, 2);
		assert_int_equal(got.n, 1);
		assert_string_equal(got.files[0].path, path);
		assert_int_equal(
		    got.files[0].len, op == AE_SYSVOL_WRITE ? 3 : 0);
		ae_sysvol_request_done(&got);
		ae_wr_done(&w);
	}
	q.op = 3;
	ae_wr_init(&w, AE_SYSVOL_REQUEST_MAX);
	ae_sysvol_request_put(&w, &q);
	assert_int_equal(
	    ae_sysvol_request_get(&got, w.p, w.len, &e), AE_EPROTO);
	ae_wr_done(&w);
}

static uint8_t data[] = { 'P', 'R', 'e', 'g' };
static struct ae_sysvol_file files[] = {
	{ .data = data, .len = 4 },
	{ .status = AE_SYSVOL_NOT_FOUND, .error = 2 },
	{ .status = AE_SYSVOL_OK },
};
static const struct ae_sysvol_reply sample = { files, 3 };

static void
reply(void **state)
{
	struct ae_sysvol_reply got;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_SYSVOL_REPLY_MAX);
	ae_sysvol_reply_put(&w, &sample);
	assert_int_equal(ae_sysvol_reply_get(&got, w.p, w.len, 3, &e), AE_OK);
	assert_memory_equal(got.files[0].data, data, 4);
	assert_int_equal(got.files[1].status, AE_SYSVOL_NOT_FOUND);
	assert_int_equal(got.files[1].error, 2);
	assert_null(got.files[2].data);
	ae_sysvol_reply_done(&got);
	assert_int_equal(
	    ae_sysvol_reply_get(&got, w.p, w.len, 2, &e), AE_EPROTO);
	assert_int_equal(
	    ae_sysvol_reply_get(&got, w.p, w.len - 1, 3, &e), AE_EPROTO);
	assert_int_equal(ae_sysvol_reply_get(&got, NULL, 0, 3, &e), AE_EPROTO);
	ae_wr_done(&w);
}

/* Bytes with a failure, unknown statuses, lengths from nowhere. */
static void
reply_nonsense(void **state)
{
	static const uint32_t rows[][4] = {
		{ 1, AE_SYSVOL_DENIED, 0, 4 },
		{ 1, 7, 0, 0 },
		{ 1, AE_SYSVOL_OK, 0, 5 },
		{ 1, AE_SYSVOL_OK, 0, UINT32_MAX },
		{ 2, AE_SYSVOL_OK, 0, 0 },
		{ UINT32_MAX, AE_SYSVOL_OK, 0, 0 },
	};
	struct ae_sysvol_reply got;
	struct ae_wr w;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		ae_wr_init(&w, 100);
		ae_wr_str(&w, "ASR1");
		ae_wr_u32(&w, 20);
		for (j = 0; j < 4; j++)
			ae_wr_u32(&w, rows[i][j]);
		ae_wr_u32(&w, 0);
		if (ae_sysvol_reply_get(&got, w.p, w.len, rows[i][0], NULL) !=
		    AE_EPROTO)
			fail_msg("row %zu", i);
		ae_wr_done(&w);
	}
}

static void
frame_lengths(void **state)
{
	uint8_t h[8] = { 'A', 'S', 'R', '1', 0xff, 0xff, 0xff, 0x7f };

	(void)state;
	assert_int_equal(ae_sysvol_frame_len(h, true), 0);
	memset(h + 4, 0, 4);
	assert_int_equal(ae_sysvol_frame_len(h, true), 8);
	assert_int_equal(ae_sysvol_frame_len(h, false), 0);
	h[0] = 'X';
	assert_int_equal(ae_sysvol_frame_len(h, true), 0);
}

static void
mutated_reply(const uint8_t *p, size_t len, void *arg)
{
	struct ae_sysvol_reply got;

	(void)arg;
	if (ae_sysvol_reply_get(&got, p, len, 3, NULL) == AE_OK)
		ae_sysvol_reply_done(&got);
}

static void
mutated_request(const uint8_t *p, size_t len, void *arg)
{
	struct ae_sysvol_request got;

	(void)arg;
	if (ae_sysvol_request_get(&got, p, len, NULL) == AE_OK)
		ae_sysvol_request_done(&got);
}

static void
every_mutation(void **state)
{
	char path[] = ID "\\GPT.INI", server[] = "dc1", domain[] = "d.test";
	struct ae_sysvol_file f = { .path = path, .data = data, .len = 4 };
	struct ae_sysvol_request q = { .op = AE_SYSVOL_WRITE,
		.server = server,
		.domain = domain,
		.sd = data,
		.sd_len = 2,
		.files = &f,
		.n = 1 };
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_SYSVOL_REPLY_MAX);
	ae_sysvol_reply_put(&w, &sample);
	assert_true(ae_mutate(w.p, w.len, mutated_reply, NULL) > w.len);
	ae_wr_done(&w);
	ae_wr_init(&w, AE_SYSVOL_REQUEST_MAX);
	ae_sysvol_request_put(&w, &q);
	assert_true(ae_mutate(w.p, w.len, mutated_request, NULL) > w.len);
	ae_wr_done(&w);
}

static bool
work(void *arg)
{
	const struct ae_wr *in = arg;
	struct ae_sysvol_reply got;

	if (ae_sysvol_reply_get(&got, in->p, in->len, 3, NULL) != AE_OK)
		return false;
	ae_sysvol_reply_done(&got);
	return true;
}

static void
torture(void **state)
{
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, AE_SYSVOL_REPLY_MAX);
	ae_sysvol_reply_put(&w, &sample);
	assert_int_equal(ae_torture(work, &w, 10, true), 2);
	ae_wr_done(&w);
}

static void
statuses_have_words(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i <= AE_SYSVOL_FAILED; i++)
		assert_string_not_equal(ae_sysvol_status_text(i), "unknown");
	assert_string_equal(ae_sysvol_status_text(99), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(request),
		cmocka_unit_test(reply),
		cmocka_unit_test(reply_nonsense),
		cmocka_unit_test(frame_lengths),
		cmocka_unit_test(every_mutation),
		cmocka_unit_test(torture),
		cmocka_unit_test(statuses_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
