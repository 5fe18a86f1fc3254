/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What pure code is handed: the time, randomness; and what systemd is told.
 */
#ifndef AE_SYS_CLOCK_H
#define AE_SYS_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Seconds since 1970, UTC. */
int64_t ae_clock_now(void);

/* Milliseconds that only grow; the same clock as ae_loop_now(). */
int64_t ae_clock_mono_ms(void);

/* The same, and they grow while the machine sleeps. */
int64_t ae_clock_boot_ms(void);

/* len random bytes from the kernel.  Does not fail: without them it aborts. */
void ae_random(void *p, size_t len);
uint64_t ae_random_u64(void);

/* Tell the service manager ("READY=1"); nothing without one. */
void ae_notify(const char *state);

/* How often, in milliseconds, it wants "WATCHDOG=1"; 0: not at all. */
int64_t ae_watchdog_ms(void);

#endif
