/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How many durable writes a second this disk makes: 4 KiB overwritten in
 * place, fdatasync, for a second.  fsync_rate FILE
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	static char page[4096];
	double start, t;
	long n = 0;
	int fd;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: fsync_rate FILE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	start = now();
	do {
		page[n % 4096]++;
		if (pwrite(fd, page, sizeof(page), n % 64 * 4096) !=
			sizeof(page) ||
		    fdatasync(fd) < 0) {
			perror(argv[1]);
			return 1;
		}
		n++;
		t = now() - start;
	} while (t < 1);
	(void)printf("%.0f\n", (double)n / t);
	(void)close(fd);
	(void)unlink(argv[1]);
	return 0;
}
