/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Giving up, before the first outside byte is read: user and groups, the
 * ability to gain privileges, the file system (Landlock), system calls
 * (seccomp) and resources.  What a running kernel lacks is reported.
 */
#ifndef AE_SYS_SANDBOX_H
#define AE_SYS_SANDBOX_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * What a role may still do, on top of reading, writing and polling the
 * descriptors it has, memory, clocks, randomness and its own exit.
 */
enum ae_sandbox_may {
	AE_MAY_READ_FILES = 1 << 0,  /* open files, read only */
	AE_MAY_WRITE_FILES = 1 << 1, /* create, write, rename, remove, lock */
	AE_MAY_ACCEPT = 1 << 2,	     /* accept on listening sockets it has */
	AE_MAY_CONNECT = 1 << 3,     /* make sockets and connect them */
	AE_MAY_PASS_FDS = 1 << 4,    /* descriptors in messages, both ways */
	AE_MAY_RESOLVE = 1 << 5,     /* bind, sendmmsg, netlink: getaddrinfo */
};

struct ae_sandbox {
	const char *user; /* name, NULL: keep uid and gid */
	uid_t uid;	  /* used when user is NULL and uid is not 0 */
	gid_t gid;
	const gid_t *groups; /* kept besides gid: a device's; NULL: none */
	size_t ngroups;
	unsigned may; /* set of enum ae_sandbox_may */
	/* Files and directories (with all below), end with NULL; NULL: none.
	   One that does not exist is passed over. */
	const char *const *read_paths;
	const char *const *write_paths;
	uint64_t max_memory;	/* RLIMIT_AS bytes, 0: no limit */
	uint64_t max_files;	/* RLIMIT_NOFILE, 0: as it is */
	uint64_t max_file_size; /* RLIMIT_FSIZE bytes, UINT64_MAX: no limit */
	bool require; /* a kernel without Landlock or seccomp is a failure */
};

/* What happened, for one log line. */
struct ae_sandbox_report {
	bool user;    /* runs as another user now */
	int landlock; /* ABI in force, 0: not available */
	bool seccomp;
	bool no_new_privs;
	char missing[160]; /* "landlock, user _x"; empty when all is in force */
};

/*
 * Give up for good.  The calling process has one thread.  A user that does
 * not exist is always a failure.  On failure the process may be half locked
 * in and should exit.
 */
int ae_sandbox_enter(const struct ae_sandbox *s, struct ae_sandbox_report *r,
    struct ae_err *e) AE_MUST_CHECK;

/* The Landlock ABI of the running kernel, 0 without. */
int ae_sandbox_landlock_abi(void);

/* Address space is not limited in builds with a sanitizer, which need it. */
bool ae_sandbox_limits_memory(void);

#endif
