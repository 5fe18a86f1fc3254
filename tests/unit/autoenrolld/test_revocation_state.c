/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a run kept about revocation, as it is told later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "revocation_state.h"
#include "scratch.h"

#define LIST                                                      \
	"\"list_of\": \"2026-11-28T03:00:00Z\", \"list_until\": " \
	"\"2026-11-29T03:00:00Z\"}"

static const char text[] =
    "{\"read_at\": \"2026-11-28T04:00:00Z\", \"certificates\": {"
    "\"11\": {\"state\": \"good\", \"why\": null, \"since\": null, " LIST ","
    "\"22\": {\"state\": \"revoked\", \"why\": \"key compromise\", "
    "\"since\": \"2026-11-27T00:00:00Z\", " LIST ","
    "\"33\": {\"state\": \"hold\", \"why\": null, "
    "\"since\": \"2026-11-27T00:00:00Z\", " LIST ","
    "\"44\": {\"state\": \"unknown\", \"why\": null, \"since\": null, "
    "\"list_of\": null, \"list_until\": null}}}";

static char root[64];

static int
make_root(void **state)
{
	static struct client c;

	if (scratch_make(root) != 0)
		return -1;
	c.state_dir = root;
	*state = &c;
	return 0;
}

static int
remove_root(void **state)
{
	(void)state;
	return scratch_remove(root);
}

static void
says(const json_t *kept, const char *thumbprint, int64_t now, const char *state,
    const char *clause)
{
	json_t *j = revocation_of(kept, thumbprint, now);
	const char *got = json_string_value(json_object_get(j, "text"));

	assert_non_null(got);
	assert_string_equal(
	    json_string_value(json_object_get(j, "state")), state);
	if (strstr(got, clause) == NULL)
		fail_msg("'%s' lacks '%s'", got, clause);
	json_decref(j);
}

static void
what_is_told(void **state)
{
	const struct client *c = *state;
	json_t *kept;
	int64_t now;

	assert_true(ae_time_parse(&now, "2026-11-28T05:00:00Z"));
	assert_null(revocation_read(c));
	says(NULL, "11", now, "unknown", "no run has looked yet");
	scratch_write(root, REVOCATION_FILE, text);
	kept = revocation_read(c);
	assert_non_null(kept);
	says(kept, "11", now, "good",
	    "not revoked, by the list of 2026-11-28T03:00:00Z, read ");
	says(kept, "22", now, "revoked",
	    "revoked since 2026-11-27T00:00:00Z: key compromise, by");
	says(kept, "33", now, "hold", "on hold since 2026-11-27T00:00:00Z, by");
	says(kept, "44", now, "unknown", "the directory has no list of its CA");
	says(kept, "55", now, "unknown", "it came after the last look");
	/* A day later the list is old, and that is said. */
	says(kept, "11", now + 86400, "good", "; out of date");
	/* A clock that went back. */
	says(kept, "11", now - 864000, "good", "not revoked");
	json_decref(kept);
}

static void
damage(void **state)
{
	static const char *const bad[] = { "", "[]", "{", "null",
		"{\"read_at\": 7}", "{\"certificates\": []}",
		"{\"read_at\": \"2026-11-28T04:00:00Z\", \"certificates\": 3}",
		"{\"read_at\": \"2026-11-28T04:00:00Z\", \"certificates\": "
		"{\"11\": 3}}",
		"{\"read_at\": \"2026-11-28T04:00:00Z\", \"certificates\": "
		"{\"11\": {\"state\": 3}}}" };
	const struct client *c = *state;
	json_t *kept;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		scratch_write(root, REVOCATION_FILE, bad[i]);
		kept = revocation_read(c);
		says(kept, "11", 1795000000, "unknown", "not known");
		json_decref(kept);
	}
}

static void
when_it_is_written(void **state)
{
	const struct client *c = *state;
	json_t *now = json_loads(text, 0, NULL);

	scratch_write(root, REVOCATION_FILE, "{}");
	assert_false(revocation_is_kept(c, now));
	scratch_write(root, REVOCATION_FILE, text);
	assert_true(revocation_is_kept(c, now));
	(void)json_object_set_new(
	    now, "read_at", json_string("2026-11-28T04:59:59Z"));
	assert_true(revocation_is_kept(c, now));
	(void)json_object_set_new(
	    now, "read_at", json_string("2026-11-28T05:00:00Z"));
	assert_false(revocation_is_kept(c, now));
	/* The clock went back: what is kept is from the future. */
	(void)json_object_set_new(
	    now, "read_at", json_string("2026-11-27T05:00:00Z"));
	assert_false(revocation_is_kept(c, now));
	(void)json_object_set_new(
	    now, "read_at", json_string("2026-11-28T04:00:00Z"));
	(void)json_object_set_new(
	    json_object_get(json_object_get(now, "certificates"), "11"),
	    "state", json_string("hold"));
	assert_false(revocation_is_kept(c, now));
	json_decref(now);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told),
		cmocka_unit_test(damage),
		cmocka_unit_test(when_it_is_written),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
