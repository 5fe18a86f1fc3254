/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Clocks, randomness and the service manager.
 */
#include "sys/clock.h"

#include <sys/random.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <systemd/sd-daemon.h>

int64_t
ae_clock_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int64_t
ae_clock_mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
ae_clock_boot_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
ae_random(void *p, size_t len)
{
	uint8_t *b = p;
	ssize_t n;

	while (len > 0) {
		n = getrandom(b, len > 256 ? 256 : len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort();
		b += n;
		len -= (size_t)n;
	}
}

uint64_t
ae_random_u64(void)
{
	uint64_t v;

	ae_random(&v, sizeof(v));
	return v;
}

void
ae_notify(const char *state)
{
	(void)sd_notify(0, state);
}

int64_t
ae_watchdog_ms(void)
{
	uint64_t usec = 0;

	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	return (int64_t)(usec / 2000);
}
