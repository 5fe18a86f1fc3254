/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The control socket: who asks nothing is not kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control.h"
#include "sys/clock.h"

#define PLACES 16
#define LONG_MS 60000

struct fixture {
	char dir[32], path[64];
	struct client c;
	struct ae_loop *loop;
	struct control *ctl;
};

static struct driver_answer
started(void *arg, const struct control_request *q)
{
	(void)arg;
	(void)q;
	return (struct driver_answer){ .what = AE_TASK_STARTS, .run = 1 };
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	memcpy(f->dir, "/tmp/ae-control-XXXXXX", 23);
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/control", f->dir);
	f->c.run_dir = f->dir;
	f->c.socket = f->path;
	assert_int_equal(ae_loop_new(&f->loop, NULL), AE_OK);
	assert_int_equal(
	    control_listen(&f->ctl, &f->c, f->loop, started, NULL, NULL),
	    AE_OK);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	control_free(f->ctl);
	ae_loop_free(f->loop);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static int
say(const struct fixture *f, const char *text)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(sa.sun_path, f->path, strlen(f->path) + 1);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	return fd;
}

/* What there is to read, run the loop until the end; fd is closed. */
static void
hear(struct fixture *f, int fd, char *out, size_t size)
{
	int64_t until = ae_clock_mono_ms() + LONG_MS;
	size_t len = 0;
	ssize_t n = -1;

	while (n != 0) {
		assert_true(ae_clock_mono_ms() < until);
		assert_int_equal(ae_loop_turn(f->loop, 10, NULL), AE_OK);
		n = recv(fd, out + len, size - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			len += (size_t)n;
	}
	out[len] = '\0';
	(void)close(fd);
}

static void
the_silent_are_cut_off(void **state)
{
	struct fixture *f = *state;
	int fds[PLACES];
	char text[256];
	size_t i;

	fds[0] = say(f, "");
	fds[1] = say(f, "{\"op\": ");
	/* Another is served meanwhile. */
	hear(f, say(f, "{}\n"), text, sizeof(text));
	assert_non_null(strstr(text, "unknown request"));
	for (i = 2; i < PLACES; i++)
		fds[i] = say(f, "{\"op\": ");
	/* Now there is no place for one more, and then there is. */
	hear(f, say(f, "{}\n"), text, sizeof(text));
	assert_string_equal(text, "");
	for (i = 0; i < PLACES; i++) {
		hear(f, fds[i], text, sizeof(text));
		assert_string_equal(text, "");
	}
	hear(f, say(f, "{}\n"), text, sizeof(text));
	assert_non_null(strstr(text, "unknown request"));
}

static void
who_waits_for_a_report_is_not(void **state)
{
	struct fixture *f = *state;
	char text[256];
	int fd, later;

	if (geteuid() != 0) /* polkit would have to be asked */
		skip();
	fd = say(f,
	    "{\"op\": \"pulse\", \"trigger\": \"manual\", \"wait\": true}\n");
	assert_int_equal(ae_loop_turn(f->loop, LONG_MS, NULL), AE_OK);
	later = say(f, "");
	hear(f, later, text, sizeof(text));
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	control_finish(f->ctl, 1, "the report", 10);
	hear(f, fd, text, sizeof(text));
	assert_string_equal(text, "the report");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_silent_are_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    who_waits_for_a_report_is_not, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
