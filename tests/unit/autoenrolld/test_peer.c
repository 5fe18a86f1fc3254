/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a run takes from a role that does not keep to its part: this program,
 * started again by peer_start, plays the role.
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

#include "enroll/event.h"
#include "role.h"
#include "sys/spawn.h"

#define MANY 5000

/* In the role's process. */

static void
tell(struct role *r, unsigned source, const char *text)
{
	const char *params[] = { "Local system", text };

	role_event(r, source, 6, params, 2);
}

static int
flood(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	unsigned i;

	(void)e;
	(void)in;
	for (i = 0; i < MANY; i++)
		tell(r, AE_EVENT_CERTENROLL, "a template");
	ae_wr_u32(out, 7);
	return AE_OK;
}

/* A source that no role has anything to tell of. */
static int
forge(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	(void)e;
	(void)in;
	(void)out;
	tell(r, AE_EVENT_LIFECYCLE_SYSTEM, "nothing of mine");
	return AE_OK;
}

static int
refuse(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	(void)r;
	(void)in;
	(void)out;
	return ae_fail(e, AE_EDENIED, AE_DOM_HRESULT, 0x80094012, "no");
}

static int
vanish(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	(void)r;
	(void)in;
	(void)out;
	(void)e;
	_exit(3);
}

static const struct role_question questions[] = {
	{ ROLE_PLAN, flood },
	{ ROLE_CHECK, forge },
	{ ROLE_SETTINGS, refuse },
	{ ROLE_OPEN, vanish },
	{ 0, NULL },
};

static int
play(void)
{
	static const struct ae_sandbox box = { .max_file_size = UINT64_MAX };
	struct ae_err e = AE_ERR_INIT;
	struct client c = { 0 };
	struct role r = { .c = &c };

	return role_serve(&r, AE_SPAWN_FD_FIRST, &box, questions, &e);
}

/* In ours. */

struct heard {
	unsigned events, gone;
};

static void
on_event(void *arg, unsigned source, unsigned id, const char *const *params,
    size_t nparams)
{
	struct heard *h = arg;

	if (source == AE_EVENT_CSC && id == 1004) {
		h->gone++;
		return;
	}
	assert_int_equal(source, AE_EVENT_CERTENROLL);
	assert_int_equal(id, 6);
	assert_int_equal(nparams, 2);
	assert_string_equal(params[0], "Local system");
	h->events++;
}

static int
ask(enum role_msg type, struct heard *h, uint32_t *answer, struct ae_err *e)
{
	static char root[] = "";
	struct client c = { .root = root };
	struct peer_conf conf = {
		.c = &c, .role = "test", .event = on_event, .arg = h
	};
	struct peer *p = NULL;
	struct ae_wr none;
	struct ae_rd in;
	int rc;

	*h = (struct heard){ 0 };
	*e = (struct ae_err)AE_ERR_INIT;
	ae_wr_init(&none, 1);
	assert_int_equal(peer_start(&p, &conf, e), AE_OK);
	rc = peer_ask(p, type, &none, 60000, &in, e);
	if (rc == AE_OK)
		*answer = ae_rd_u32(&in);
	peer_stop(p);
	return rc;
}

/* Events beyond all reason are dropped; the work goes on. */
static void
floods(void **state)
{
	uint32_t answer = 0;
	struct heard h;
	struct ae_err e;

	(void)state;
	assert_int_equal(ask(ROLE_PLAN, &h, &answer, &e), AE_OK);
	assert_int_equal(answer, 7);
	assert_int_equal(h.events, 2048);
	assert_int_equal(h.gone, 0);
}

static void
foreign_events(void **state)
{
	uint32_t answer;
	struct heard h;
	struct ae_err e;

	(void)state;
	assert_int_equal(ask(ROLE_CHECK, &h, &answer, &e), AE_EUNAVAIL);
	assert_int_equal(h.events, 0);
	assert_int_equal(h.gone, 1);
}

static void
failures(void **state)
{
	uint32_t answer;
	struct heard h;
	struct ae_err e;

	(void)state;
	assert_int_equal(ask(ROLE_SETTINGS, &h, &answer, &e), AE_EDENIED);
	assert_int_equal(e.code, 0x80094012);
	assert_string_equal(e.text, "no");
	assert_int_equal(ask(ROLE_OPEN, &h, &answer, &e), AE_EUNAVAIL);
	assert_int_equal(h.gone, 1);
	/* Not in the role's table: it ends itself. */
	assert_int_equal(ask(ROLE_MARK, &h, &answer, &e), AE_EUNAVAIL);
	assert_int_equal(h.gone, 1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floods),
		cmocka_unit_test(foreign_events),
		cmocka_unit_test(failures),
	};

	/* Its sandbox forbids what the leak checker does at an exit. */
	if (argc > 1 && strcmp(argv[1], "--role") == 0)
		_exit(play());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
