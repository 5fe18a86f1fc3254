/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What is a logon of one's own, and what Windows would call RunAs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "logon.h"

static void
test_logons(void **state)
{
	static const struct {
		struct logon l;
		const char *says; /* NULL: a logon of one's own */
	} rows[] = {
		{ { 1000, "alice", LOGON_UNKNOWN, NULL, NULL, NULL }, NULL },
		{ { 1000, "alice", 1000, "alice", NULL, "alice@X.ORG" }, NULL },
		/* However the directory's users are called here. */
		{ { 1000, "LAB\\alice", 1000, "LAB\\alice", NULL,
		      "ALICE@LAB.X" },
		    NULL },
		{ { 1000, "alice@lab.x", 1000, NULL, NULL, "alice@LAB.X" },
		    NULL },
		/* sudo to oneself, as scripts do. */
		{ { 1000, "alice", 1000, "alice", "alice", NULL }, NULL },
		{ { 1000, "alice", 0, "root", NULL, "alice@X" },
		    "out of a session of root" },
		{ { 1000, "alice", 1001, NULL, NULL, NULL },
		    "out of a session of another user" },
		{ { 1000, "alice", LOGON_UNKNOWN, NULL, "bob", "alice@X" },
		    "started by sudo out of a session of bob" },
		{ { 1000, "alice", 1000, "alice", NULL, "admin-alice@X" },
		    "the ticket is that of admin-alice@X" },
		{ { 1000, "alice", 1000, "alice", NULL, "al@X" },
		    "the ticket is that of al@X" },
	};
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text[0] = '\0';
		if (logon_is_runas(&rows[i].l, text, sizeof(text)) !=
			(rows[i].says != NULL) ||
		    (rows[i].says != NULL &&
			strstr(text, rows[i].says) == NULL))
			fail_msg("row %zu: %s", i, text);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
