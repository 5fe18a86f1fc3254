/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Runs a program and prints what it cost with all its children: wall
 * milliseconds, CPU milliseconds, peak resident KB of the largest of them,
 * exit status.  once PROGRAM [ARGUMENT...]
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

int
main(int argc, char **argv)
{
	struct timespec a, b;
	struct rusage ru;
	int status = 0;
	pid_t pid;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: once PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	pid = fork();
	if (pid == 0) {
		/* Its words are not ours. */
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		(void)execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &ru) < 0) {
		perror("once");
		return 1;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	(void)printf("%.2f %.2f %ld %d\n",
	    (double)(b.tv_sec - a.tv_sec) * 1e3 +
		(double)(b.tv_nsec - a.tv_nsec) / 1e6,
	    ms(ru.ru_utime) + ms(ru.ru_stime), ru.ru_maxrss,
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return 0;
}
