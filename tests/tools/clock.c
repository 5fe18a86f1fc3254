/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The wall clock of a lab's host, wrong by as many seconds as the first
 * eight bytes of /run/lab-clock say, now and whenever they change.  Every
 * program of the host loads this by its /etc/ld.so.preload: a clean
 * environment does not keep it out, and the page is mapped before a process
 * gives up its rights.  Clocks that nobody can set are left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define VISIBLE __attribute__((visibility("default")))

static const volatile int64_t *offset;

static __attribute__((constructor)) void
begin(void)
{
	int fd = open("/run/lab-clock", O_RDONLY | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		offset = p;
	(void)close(fd);
}

VISIBLE int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (syscall(SYS_clock_gettime, id, ts) != 0)
		return -1;
	if ((id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) &&
	    offset != NULL)
		ts->tv_sec += *offset;
	return 0;
}

VISIBLE int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return -1;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

VISIBLE time_t
time(time_t *out)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return -1;
	if (out != NULL)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

VISIBLE int
timespec_get(struct timespec *ts, int base)
{
	return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, ts) == 0 ? base
									  : 0;
}
