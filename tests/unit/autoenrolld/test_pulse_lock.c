/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One run at a time: who waits takes over the result, and what a run itself
 * started does not wait for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pulse_run.h"
#include "scratch.h"
#include "sys/clock.h"
#include "sys/files.h"

static char root[64];
static const struct pulse_options plain;

static int
make_root(void **state)
{
	static struct client c;

	if (scratch_make(root) != 0)
		return -1;
	c.run_dir = root;
	*state = &c;
	return 0;
}

static int
remove_root(void **state)
{
	(void)state;
	return scratch_remove(root);
}

/* What a child of ours sees; its exit code. */
static int
in_child(int (*what)(struct client *c), struct client *c, bool deep)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (deep) { /* as a hook's own child */
			pid = fork();
			if (pid != 0) {
				(void)waitpid(pid, &status, 0);
				_exit(WEXITSTATUS(status));
			}
		}
		_exit(what(c));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
waits_for_us(struct client *c)
{
	struct ae_err e = AE_ERR_INIT;
	json_t *joined = NULL;
	int fd, rc = pulse_lock(&fd, &joined, c, &plain, &e);

	if (rc == AE_OK)
		return 0;
	return rc == AE_EINVAL && strstr(e.text, "hook") != NULL ? 1 : 2;
}

static int
is_within(struct client *c)
{
	return pulse_is_within_run(c);
}

static void
hooks_do_not_wait(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct client *c = *state;
	json_t *joined = NULL;
	int64_t begun = ae_clock_mono_ms();
	int fd;

	assert_int_equal(in_child(is_within, c, false), 0);
	assert_int_equal(pulse_lock(&fd, &joined, c, &plain, &e), AE_OK);
	assert_null(joined);
	assert_int_equal(in_child(is_within, c, false), 1);
	assert_int_equal(in_child(is_within, c, true), 1);
	assert_int_equal(in_child(waits_for_us, c, true), 1);
	pulse_unlock(fd, c, &plain, begun, NULL);
	/* The name of who had it last is no lock. */
	assert_int_equal(in_child(is_within, c, false), 0);
	assert_int_equal(in_child(waits_for_us, c, false), 0);
}

/* Another process holds it: that is waited for, and its result taken. */
static void
others_wait(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct client *c = *state;
	json_t *joined = NULL;
	int ready[2], fd, status;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (pulse_lock(&fd, &joined, c, &plain, &e) != AE_OK ||
		    write(ready[1], &byte, 1) != 1)
			_exit(1);
		(void)usleep(200000);
		pulse_unlock(fd, c, &plain, ae_clock_mono_ms() + 1000,
		    "{\"context\":\"machine\"}");
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_false(pulse_is_within_run(c));
	assert_int_equal(pulse_lock(&fd, &joined, c, &plain, &e), AE_OK);
	assert_string_equal(
	    json_string_value(json_object_get(joined, "context")), "machine");
	json_decref(joined);
	pulse_unlock(fd, c, &plain, 0, NULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* What stands in the file is somebody's word, and may be nonsense. */
static void
nonsense_in_the_file(void **state)
{
	static const char *const texts[] = { "", "x", "0", "1", "-1",
		"99999999999999999999", "\n" };
	struct client *c = *state;
	char path[256];
	size_t i;

	(void)snprintf(path, sizeof(path), "%s/run.lock", root);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(
		    ae_file_write(path, texts[i], strlen(texts[i]), 0600, NULL),
		    AE_OK);
		assert_false(pulse_is_within_run(c));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hooks_do_not_wait),
		cmocka_unit_test(others_wait),
		cmocka_unit_test(nonsense_in_the_file),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
