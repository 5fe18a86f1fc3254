/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a sandboxed process can no longer do, tried for real in a child:
 * each test is one attempt and what must come of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/clock.h"
#include "sys/sandbox.h"

static char dir[] = "/tmp/ae-sandbox-XXXXXX";
static char inside[64], outside[64];

/* What an attempt returns: 0 it worked, else its errno. */
typedef int attempt_fn(void);

/* Runs fn in a child inside the sandbox; the exit status of the child. */
static int
attempt(const struct ae_sandbox *s, attempt_fn *fn)
{
	struct ae_sandbox_report r;
	struct ae_err e = AE_ERR_INIT;
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (ae_sandbox_enter(s, &r, &e) != AE_OK) {
			fprintf(stderr, "%s\n", e.text);
			_exit(200);
		}
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
errno_is(const struct ae_sandbox *s, attempt_fn *fn, int err)
{
	int st = attempt(s, fn);

	assert_true(WIFEXITED(st));
	assert_int_equal(WEXITSTATUS(st), err);
}

static void
killed(const struct ae_sandbox *s, attempt_fn *fn)
{
	int st = attempt(s, fn);

	assert_true(WIFSIGNALED(st));
	assert_int_equal(WTERMSIG(st), SIGSYS);
}

static int
try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int
try_connect(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	return connect(0, (struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
}

static int
try_exec(void)
{
	char *const argv[] = { NULL };

	return execve("/bin/true", argv, argv) < 0 ? errno : 0;
}

static int
try_fork(void)
{
	pid_t p = fork();

	if (p == 0)
		_exit(0);
	return p < 0 ? errno : 0;
}

static int
try_listen(void)
{
	return listen(0, 1) < 0 ? errno : 0;
}

static int
try_kill(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int text = -1; /* a program, open before the sandbox */

static int
try_open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}

static int
try_open_inside(void)
{
	return open(inside, O_RDONLY) < 0 ? errno : 0;
}

static int
try_open_outside(void)
{
	return open(outside, O_RDONLY) < 0 ? errno : 0;
}

static int
try_write_inside(void)
{
	int fd = open(inside, O_WRONLY);

	return fd < 0 ? errno : write(fd, "x", 1) < 0 ? errno : 0;
}

static int
try_create(void)
{
	char p[96];

	(void)snprintf(p, sizeof(p), "%s/in/new", dir);
	return open(p, O_WRONLY | O_CREAT, 0600) < 0 ? errno : unlink(p);
}

static int
try_exec_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno;
	return mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
}

static int
try_writable_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

/* As dlopen maps the text of a library. */
static int
try_text(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, text, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
try_ordinary_work(void)
{
	uint8_t r[16];
	char *p = malloc(1 << 20);
	int fd[2] = { 0, 0 };

	ae_random(r, sizeof(r));
	if (p == NULL || ae_clock_now() == 0)
		return 1;
	memset(p, r[0], 1 << 20);
	free(p);
	/* descriptors come from outside; making a pipe is not allowed */
	return pipe(fd) < 0 && errno == EPERM ? 0 : 2;
}

static int
try_root_again(void)
{
	return setresuid(0, 0, 0) < 0 ? errno : 0;
}

static int
check_user(void)
{
	return geteuid() == 54321 && getuid() == 54321 && getegid() == 54322
	    ? 0
	    : 1;
}

static int
check_limits(void)
{
	int i, fd = 0;

	for (i = 0; i < 64 && fd >= 0; i++)
		fd = fcntl(0, F_DUPFD, 0);
	return fd < 0 ? errno : 0;
}

/* rpc: sockets it is given, nothing else. */
static const struct ae_sandbox rpc_like = { .may = AE_MAY_ACCEPT,
	.max_file_size = UINT64_MAX };

static void
no_network(void **state)
{
	static const struct ae_sandbox none = { .max_file_size = UINT64_MAX };

	(void)state;
	errno_is(&none, try_socket, EPERM);
	killed(&none, try_connect);
	errno_is(&rpc_like, try_socket, EPERM);
	killed(&rpc_like, try_connect);
	killed(&rpc_like, try_listen);
}

static void
network_when_granted(void **state)
{
	static const struct ae_sandbox s = { .may = AE_MAY_CONNECT,
		.max_file_size = UINT64_MAX };

	(void)state;
	errno_is(&s, try_socket, 0);
	errno_is(&s, try_connect, ENOTSOCK);
}

static void
no_new_programs(void **state)
{
	(void)state;
	killed(&rpc_like, try_exec);
	killed(&rpc_like, try_kill);
	errno_is(&rpc_like, try_fork, EPERM);
	errno_is(&rpc_like, try_exec_memory, EPERM);
	errno_is(&rpc_like, try_writable_code, EPERM);
	text = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(text >= 0);
	errno_is(&rpc_like, try_text, 0);
	(void)close(text);
}

static void
no_files(void **state)
{
	(void)state;
	errno_is(&rpc_like, try_open_passwd, EPERM);
}

static void
ordinary_work_goes_on(void **state)
{
	(void)state;
	errno_is(&rpc_like, try_ordinary_work, 0);
}

static void
only_named_files(void **state)
{
	char in[64];
	const char *paths[] = { in, "/nonexistent/is/passed/over", NULL };
	struct ae_sandbox s = { .may = AE_MAY_READ_FILES,
		.read_paths = paths,
		.max_file_size = UINT64_MAX };

	(void)state;
	(void)snprintf(in, sizeof(in), "%s/in", dir);
	errno_is(&s, try_open_inside, 0);
	if (ae_sandbox_landlock_abi() == 0) {
		print_message("no Landlock: DAC alone separates files here\n");
		skip();
	}
	errno_is(&s, try_open_outside, EACCES);
	errno_is(&s, try_write_inside, EACCES);
	errno_is(&s, try_create, EACCES);
	/* a plain file as the path */
	(void)snprintf(in, sizeof(in), "%s", inside);
	errno_is(&s, try_open_inside, 0);
	errno_is(&s, try_open_outside, EACCES);
}

static void
writes_where_allowed(void **state)
{
	char in[64];
	const char *paths[] = { in, NULL };
	struct ae_sandbox s = { .may = AE_MAY_READ_FILES | AE_MAY_WRITE_FILES,
		.write_paths = paths,
		.max_file_size = UINT64_MAX };

	(void)state;
	(void)snprintf(in, sizeof(in), "%s/in", dir);
	errno_is(&s, try_create, 0);
	errno_is(&s, try_write_inside, 0);
	s.max_file_size = 0;
	/* SIGXFSZ ends it: a limit, not an errno */
	assert_true(WIFSIGNALED(attempt(&s, try_write_inside)));
}

static void
another_user_for_good(void **state)
{
	static const struct ae_sandbox s = {
		.uid = 54321, .gid = 54322, .max_file_size = UINT64_MAX
	};

	(void)state;
	if (geteuid() != 0)
		skip();
	errno_is(&s, check_user, 0);
	errno_is(&s, try_root_again, EPERM);
}

static void
unknown_user_is_fatal(void **state)
{
	static const struct ae_sandbox s = { .user = "ae-no-such-user",
		.max_file_size = UINT64_MAX };

	(void)state;
	errno_is(&s, try_ordinary_work, 200);
}

static void
few_descriptors(void **state)
{
	static const struct ae_sandbox s = { .max_files = 16,
		.max_file_size = UINT64_MAX };

	(void)state;
	errno_is(&s, check_limits, EMFILE);
}

static void
report_names_what_is_missing(void **state)
{
	struct ae_sandbox_report r;
	struct ae_err e = AE_ERR_INIT;
	int status, abi = ae_sandbox_landlock_abi();
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (ae_sandbox_enter(&rpc_like, &r, &e) != AE_OK)
			_exit(1);
		if (!r.seccomp || !r.no_new_privs)
			_exit(2);
		if (r.landlock != abi && strstr(r.missing, "landlock") == NULL)
			_exit(3);
		_exit(abi == 0 && strstr(r.missing, "landlock") == NULL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int
make_files(void **state)
{
	char in[64];
	int fd;

	(void)state;
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) < 0)
		return -1;
	(void)snprintf(in, sizeof(in), "%s/in", dir);
	(void)snprintf(inside, sizeof(inside), "%s/in/file", dir);
	(void)snprintf(outside, sizeof(outside), "%s/file", dir);
	if (mkdir(in, 0777) < 0)
		return -1;
	fd = open(inside, O_WRONLY | O_CREAT, 0644);
	(void)close(fd);
	fd = open(outside, O_WRONLY | O_CREAT, 0644);
	(void)close(fd);
	return 0;
}

static int
remove_files(void **state)
{
	char in[64];

	(void)state;
	(void)unlink(inside);
	(void)unlink(outside);
	(void)snprintf(in, sizeof(in), "%s/in", dir);
	(void)rmdir(in);
	(void)rmdir(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_network),
		cmocka_unit_test(network_when_granted),
		cmocka_unit_test(no_new_programs),
		cmocka_unit_test(no_files),
		cmocka_unit_test(ordinary_work_goes_on),
		cmocka_unit_test(only_named_files),
		cmocka_unit_test(writes_where_allowed),
		cmocka_unit_test(another_user_for_good),
		cmocka_unit_test(unknown_user_is_fatal),
		cmocka_unit_test(few_descriptors),
		cmocka_unit_test(report_names_what_is_missing),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
