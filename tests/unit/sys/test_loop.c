/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The event loop: each kind of source, freeing inside callbacks, timers that
 * are armed again.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/clock.h"
#include "sys/loop.h"

struct fix {
	struct ae_loop *l;
	struct ae_source *s, *other;
	int n, status, code;
	unsigned ev;
};

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	struct ae_err e = AE_ERR_INIT;

	*state = f;
	return f == NULL ? -1 : ae_loop_new(&f->l, &e);
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	ae_source_free(f->s);
	ae_source_free(f->other);
	ae_loop_free(f->l);
	free(f);
	return 0;
}

static void
run(struct fix *f)
{
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(ae_loop_run(f->l, &f->code, &e), AE_OK);
}

static void
exit_now(void *arg)
{
	struct fix *f = arg;

	f->n++;
	ae_loop_exit(f->l, 7);
}

static void
on_fd(void *arg, int fd, unsigned ev)
{
	struct fix *f = arg;
	char c;

	f->ev |= ev;
	if ((ev & AE_LOOP_IN) != 0 && read(fd, &c, 1) == 1)
		f->n++;
	if (f->n == 2 || (ev & AE_LOOP_HUP) != 0)
		ae_loop_exit(f->l, 0);
}

static void
fd_is_level_triggered(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_int_equal(
	    ae_loop_fd(&f->s, f->l, p[0], AE_LOOP_IN, on_fd, f, &e), AE_OK);
	assert_int_equal(write(p[1], "ab", 2), 2);
	run(f);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->ev, AE_LOOP_IN);
	ae_source_free(f->s);
	f->s = NULL;
	close(p[0]);
	close(p[1]);
}

static void
hangup_without_interest(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_int_equal(
	    ae_loop_fd(&f->s, f->l, p[0], AE_LOOP_IN, on_fd, f, &e), AE_OK);
	ae_source_set_events(f->s, 0);
	assert_int_equal(write(p[1], "a", 1), 1);
	assert_int_equal(ae_loop_turn(f->l, 0, &e), AE_OK);
	assert_int_equal(f->n, 0);
	close(p[1]);
	run(f);
	assert_int_equal(f->ev, AE_LOOP_HUP);
	ae_source_free(f->s);
	f->s = NULL;
	close(p[0]);
}

static void
on_letter(void *arg, int fd, unsigned ev)
{
	struct fix *f = arg;
	char c;

	(void)ev;
	assert_int_equal(read(fd, &c, 1), 1);
	f->n++;
	ae_source_later(f->other);
}

static void
when_quiet(void *arg)
{
	struct fix *f = arg;

	f->code++;
	assert_int_equal(f->n, 3); /* after all that was there to read */
	ae_loop_exit(f->l, 0);
}

/* Asked for three times, done once, after what was ready before. */
static void
later_waits_for_quiet(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	int p[2], code = -1;

	assert_int_equal(pipe(p), 0);
	assert_int_equal(
	    ae_loop_fd(&f->s, f->l, p[0], AE_LOOP_IN, on_letter, f, &e), AE_OK);
	assert_int_equal(
	    ae_loop_later(&f->other, f->l, when_quiet, f, &e), AE_OK);
	assert_int_equal(ae_loop_turn(f->l, 0, &e), AE_OK);
	assert_int_equal(f->code, 0); /* nobody asked */
	assert_int_equal(write(p[1], "abc", 3), 3);
	assert_int_equal(ae_loop_run(f->l, &code, &e), AE_OK);
	assert_int_equal(f->code, 1);
	ae_source_free(f->s);
	f->s = NULL;
	close(p[0]);
	close(p[1]);
}

static void
again(void *arg)
{
	struct fix *f = arg;

	if (++f->n == 3)
		ae_loop_exit(f->l, 3);
	else
		ae_source_set_timer(f->s, ae_loop_now(f->l) + 2);
}

static void
timer_rearms_and_disarms(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	int64_t t0 = ae_clock_mono_ms();

	assert_int_equal(ae_loop_timer(&f->s, f->l, again, f, &e), AE_OK);
	assert_int_equal(ae_loop_timer(&f->other, f->l, again, f, &e), AE_OK);
	ae_source_set_timer(f->other, t0 + 1);
	ae_source_set_timer(f->other, AE_LOOP_NEVER);
	ae_source_set_timer(f->s, -5); /* the past is now */
	run(f);
	assert_int_equal(f->n, 3);
	assert_int_equal(f->code, 3);
	assert_true(ae_clock_mono_ms() - t0 >= 4);
	assert_true(ae_clock_mono_ms() - t0 < 2000);
}

static void
free_self(void *arg)
{
	struct fix *f = arg;

	f->n++;
	ae_source_free(f->s);
	f->s = NULL;
	ae_source_free(f->other);
	f->other = NULL;
}

static void
source_frees_itself_and_another(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	int i;

	assert_int_equal(ae_loop_defer(&f->s, f->l, free_self, f, &e), AE_OK);
	assert_int_equal(
	    ae_loop_timer(&f->other, f->l, free_self, f, &e), AE_OK);
	ae_source_set_timer(f->other, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(ae_loop_turn(f->l, 5, &e), AE_OK);
	assert_int_equal(f->n, 1);
}

/*
 * Two descriptors are ready; whoever is first makes the other's event void:
 * frees it, or has no interest in it any more.
 */
static struct two {
	struct ae_source *s[2];
	int called;
	bool frees;
} two;

static void
on_either(void *arg, int fd, unsigned ev)
{
	int me = arg != NULL;

	(void)fd;
	assert_int_equal(ev, AE_LOOP_IN);
	two.called++;
	if (two.frees) {
		ae_source_free(two.s[1 - me]);
		two.s[1 - me] = NULL;
	} else {
		ae_source_set_events(two.s[1 - me], 0);
	}
}

static void
events_of_one_turn_may_be_void(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	int p[2][2], i, k;

	for (k = 0; k < 2; k++) {
		two = (struct two){ .frees = k == 1 };
		for (i = 0; i < 2; i++) {
			assert_int_equal(pipe(p[i]), 0);
			assert_int_equal(write(p[i][1], "a", 1), 1);
			assert_int_equal(
			    ae_loop_fd(&two.s[i], f->l, p[i][0], AE_LOOP_IN,
				on_either, i == 0 ? NULL : &two, &e),
			    AE_OK);
		}
		assert_int_equal(ae_loop_turn(f->l, 0, &e), AE_OK);
		assert_int_equal(two.called, 1);
		for (i = 0; i < 2; i++) {
			ae_source_free(two.s[i]);
			close(p[i][0]);
			close(p[i][1]);
		}
	}
}

/* What defers itself again is for the next turn; after the end comes none. */
static void
defer_again(void *arg)
{
	struct fix *f = arg;
	struct ae_err e = AE_ERR_INIT;

	f->n++;
	ae_source_free(f->s);
	f->s = NULL;
	assert_int_equal(ae_loop_defer(&f->s, f->l, defer_again, f, &e), AE_OK);
	if (f->n == 2)
		ae_loop_exit(f->l, 5);
}

static void
a_turn_at_a_time(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(ae_loop_defer(&f->s, f->l, defer_again, f, &e), AE_OK);
	assert_int_equal(ae_loop_turn(f->l, -1, &e), AE_OK);
	assert_int_equal(f->n, 1);
	run(f);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->code, 5);
	assert_int_equal(ae_loop_turn(f->l, -1, &e), AE_EIO);
	assert_int_equal(f->n, 2);
}

static void
on_signal(void *arg, int signo)
{
	struct fix *f = arg;

	assert_int_equal(signo, SIGUSR1);
	exit_now(f);
}

static void
signal_arrives(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(
	    ae_loop_signal(&f->s, f->l, SIGUSR1, on_signal, f, &e), AE_OK);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	run(f);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->code, 7);
}

static void
on_child(void *arg, pid_t pid, int status)
{
	struct fix *f = arg;

	assert_true(pid > 0);
	f->status = status;
	exit_now(f);
}

static void
child_status(struct fix *f, bool by_signal)
{
	struct ae_err e = AE_ERR_INIT;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (by_signal)
			(void)kill(getpid(), SIGKILL);
		_exit(42);
	}
	assert_int_equal(
	    ae_loop_child(&f->s, f->l, pid, on_child, f, &e), AE_OK);
	run(f);
}

static void
child_exits(void **state)
{
	struct fix *f = *state;

	child_status(f, false);
	assert_true(WIFEXITED(f->status));
	assert_int_equal(WEXITSTATUS(f->status), 42);
}

static void
child_killed(void **state)
{
	struct fix *f = *state;

	child_status(f, true);
	assert_true(WIFSIGNALED(f->status));
	assert_int_equal(WTERMSIG(f->status), SIGKILL);
}

static void
bad_descriptor(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(
	    ae_loop_fd(&f->s, f->l, 9999, AE_LOOP_IN, on_fd, f, &e), AE_EIO);
	assert_null(f->s);
	assert_int_equal(e.dom, AE_DOM_ERRNO);
}

static void
randomness_is_not_constant(void **state)
{
	(void)state;
	assert_int_not_equal(ae_random_u64(), ae_random_u64());
	assert_true(ae_clock_now() > 1700000000);
	assert_int_equal(ae_watchdog_ms(), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(fd_is_level_triggered),
		T(hangup_without_interest),
		T(later_waits_for_quiet),
		T(timer_rearms_and_disarms),
		T(source_frees_itself_and_another),
		T(events_of_one_turn_may_be_void),
		T(a_turn_at_a_time),
		T(signal_arrives),
		T(child_exits),
		T(child_killed),
		T(bad_descriptor),
		cmocka_unit_test(randomness_is_not_constant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
