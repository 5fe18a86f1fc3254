/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The system calls a sandboxed process may make: the seccomp half of
 * sys/sandbox.h, private to this folder.
 */
#ifndef AE_SYS_SANDBOX_SYSCALLS_H
#define AE_SYS_SANDBOX_SYSCALLS_H

#include "sys/sandbox.h"

/* Sanitizers map terabytes and make calls of their own for a report. */
#if defined(__SANITIZE_ADDRESS__)
#define AE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define AE_SANITIZED 1
#endif
#endif
#ifndef AE_SANITIZED
#define AE_SANITIZED 0
#endif

/* Load the filter for this set of enum ae_sandbox_may.  0 or an errno. */
int ae_sandbox_seccomp(unsigned may);

#endif
