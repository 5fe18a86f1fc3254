/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * F21: a writer of the store is killed at every one of its system calls, on
 * the way in and on the way out.  Whatever the point, what is left is the old
 * pair or the new one, complete; no request without its key; no key that
 * others may read; and the next writer goes on from there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/request.h"

#define TMPL "Workstation"
#define POINTS_MIN 150 /* fewer: the tracer does not see them */
#define POINTS_MAX 5000

static char dir[64];

/* Key and certificate of one generation name it; DER is the key again. */
static bool
work(unsigned gen)
{
	struct ae_store_request_meta rq = { .state = AE_STORE_MADE, .made = 1 };
	const struct ae_store_meta meta = { .installed = 2 };
	struct ae_store_draft *d = NULL;
	struct ae_store *s = NULL;
	char text[16];
	unsigned number;
	int len = snprintf(text, sizeof(text), "%u\n", gen);
	bool done;

	done = ae_store_open(&s, dir, true, NULL) == AE_OK &&
	    ae_store_request_new(&number, s, TMPL, AE_STORE_KEY_PEM, text,
		(size_t)len, text, (size_t)len, &rq, NULL) == AE_OK;
	rq.state = AE_STORE_ASKED;
	done = done &&
	    ae_store_request_update(s, TMPL, number, &rq, NULL) == AE_OK &&
	    ae_store_draft_from_request(&d, s, TMPL, number, NULL) == AE_OK &&
	    ae_store_commit(d, text, (size_t)len, "", 0, &meta, NULL, NULL) ==
		AE_OK &&
	    ae_store_request_remove(s, TMPL, number, NULL) == AE_OK;
	ae_store_draft_free(d);
	ae_store_free(s);
	return done;
}

/* False: it came to its end before the point. */
static bool
work_killed_at(unsigned gen, unsigned point)
{
	unsigned stops = 0;
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(2);
		(void)raise(SIGSTOP);
		_exit(work(gen) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	for (;;) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
		if (++stops == point)
			break;
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return true;
}

static int
key_is_ours_alone(
    const char *path, const struct stat *st, int kind, struct FTW *at)
{
	if (kind == FTW_F && strstr(path + at->base, "key") != NULL)
		assert_int_equal(st->st_mode & 0077, 0);
	return 0;
}

static void
slurp(char out[16], const char *name)
{
	char path[128];
	FILE *f;
	size_t n;

	(void)snprintf(
	    path, sizeof(path), "%s/my/" TMPL "/current/%s", dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(out, 1, 15, f);
	out[n] = '\0';
	(void)fclose(f);
}

static unsigned
current_generation(void)
{
	static const char *const names[] = { "cert.pem", "key.pem",
		"fullchain.pem" };
	char first[16], other[16];
	size_t i;

	slurp(first, names[0]);
	for (i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
		slurp(other, names[i]);
		assert_string_equal(first, other);
	}
	return (unsigned)strtoul(first, NULL, 10);
}

static void
forget_old(struct ae_store *s)
{
	struct ae_store_list l;
	size_t i;

	assert_int_equal(ae_store_list(s, &l, NULL), AE_OK);
	for (i = 0; i < l.n; i++)
		if (!l.v[i].current)
			assert_int_equal(
			    ae_store_delete(s, TMPL, l.v[i].number, NULL),
			    AE_OK);
	ae_store_list_done(&l);
}

/* What a run does with a request that it finds: the same once more. */
static void
go_on(unsigned gen)
{
	const struct ae_store_meta meta = { .installed = 3 };
	struct ae_store_request_list l;
	struct ae_store_draft *d = NULL;
	struct ae_store *s = NULL;
	size_t i;

	assert_int_equal(ae_store_open(&s, dir, true, NULL), AE_OK);
	assert_int_equal(ae_store_request_list(s, &l, NULL), AE_OK);
	assert_true(l.n <= 1);
	for (i = 0; i < l.n; i++) {
		assert_true(l.v[i].der_len >= 2);
		assert_int_equal(ae_store_draft_from_request(
				     &d, s, TMPL, l.v[i].number, NULL),
		    AE_OK);
		assert_int_equal(ae_store_commit(d, l.v[i].der, l.v[i].der_len,
				     "", 0, &meta, NULL, NULL),
		    AE_OK);
		ae_store_draft_free(d);
		assert_int_equal(
		    ae_store_request_remove(s, TMPL, l.v[i].number, NULL),
		    AE_OK);
		assert_int_equal(current_generation(), gen);
	}
	ae_store_request_list_done(&l);
	forget_old(s);
	ae_store_free(s);
}

static void
killed_at_every_system_call(void **state)
{
	unsigned point, gen = 1, now, seen_old = 0, seen_new = 0;

	(void)state;
	assert_true(work(gen));
	for (point = 1; point < POINTS_MAX; point++) {
		unsigned old = gen++;
		bool killed = work_killed_at(gen, point);

		now = current_generation();
		assert_true(now == old || now == gen);
		seen_old += now == old;
		seen_new += now == gen;
		assert_int_equal(nftw(dir, key_is_ours_alone, 8, FTW_PHYS), 0);
		go_on(gen);
		gen = current_generation();
		if (!killed)
			break;
	}
	assert_true(point > POINTS_MIN && point < POINTS_MAX);
	assert_true(seen_old > 10 && seen_new > 10);
	print_message("%u points: the old pair after %u, the new one after "
		      "%u\n",
	    point - 1, seen_old, seen_new);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/ae-kills-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	char cmd[96];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    killed_at_every_system_call, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
