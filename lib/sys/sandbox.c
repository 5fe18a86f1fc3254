/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The order of giving up: resources, file system, user, privileges, system
 * calls; each later step needs what an earlier one must still have.
 */
#include "sys/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "sys/sandbox_syscalls.h"

/* Debian 12's header knows ABI 2; these are of 3, 4 and 5. */
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_TCP (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                           \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM)
/* Bits 0..12 are ABI 1, 13 (refer) is ABI 2. */
#define FS_ABI1 ((1ULL << 13) - 1)
/* What a rule on a plain file may name. */
#define FS_ON_FILE                                                      \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    FS_TRUNCATE)

/* The attribute of ABI 4; older kernels are given its first member only. */
struct ruleset_attr {
	uint64_t fs;
	uint64_t net;
};

int
ae_sandbox_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

bool
ae_sandbox_limits_memory(void)
{
	return AE_SANITIZED == 0;
}

/* Remember what could not be given up; fatal when all of it is required. */
static int
missing(const struct ae_sandbox *s, struct ae_sandbox_report *r,
    const char *what, int err, struct ae_err *e)
{
	size_t n = strlen(r->missing);

	(void)snprintf(r->missing + n, sizeof(r->missing) - n, "%s%s",
	    n > 0 ? ", " : "", what);
	if (!s->require)
		return AE_OK;
	return ae_fail_errno(e, err, "the sandbox lacks %s", what);
}

static int
limit(int resource, uint64_t value, struct ae_err *e)
{
	struct rlimit old, rl = { .rlim_cur = value, .rlim_max = value };

	if (getrlimit((__rlimit_resource_t)resource, &old) == 0 &&
	    old.rlim_max != RLIM_INFINITY && value > old.rlim_max)
		rl.rlim_cur = rl.rlim_max = old.rlim_max;
	if (setrlimit((__rlimit_resource_t)resource, &rl) < 0)
		return ae_fail_errno(
		    e, errno, "limiting resource %d", resource);
	return AE_OK;
}

static int
limits(const struct ae_sandbox *s, struct ae_err *e)
{
	int rc = limit(RLIMIT_CORE, 0, e);

	if (rc == AE_OK && s->max_file_size != UINT64_MAX)
		rc = limit(RLIMIT_FSIZE, s->max_file_size, e);
	if (rc == AE_OK && s->max_files != 0)
		rc = limit(RLIMIT_NOFILE, s->max_files, e);
	if (rc == AE_OK && s->max_memory != 0 && ae_sandbox_limits_memory())
		rc = limit(RLIMIT_AS, s->max_memory, e);
	return rc;
}

static int
allow_path(int ruleset, const char *path, uint64_t access, struct ae_err *e)
{
	struct landlock_path_beneath_attr pb = { .allowed_access = access };
	int fd = open(path, O_PATH | O_CLOEXEC);
	int err;

	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return AE_OK;
		return ae_fail_errno(e, errno, "opening %s", path);
	}
	pb.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&pb, 0) < 0) {
		/* EINVAL: rights of a directory on a plain file. */
		pb.allowed_access &= FS_ON_FILE;
		if (errno != EINVAL ||
		    syscall(SYS_landlock_add_rule, ruleset,
			LANDLOCK_RULE_PATH_BENEATH, &pb, 0) < 0) {
			err = errno;
			(void)close(fd);
			return ae_fail_errno(e, err, "allowing %s", path);
		}
	}
	(void)close(fd);
	return AE_OK;
}

static int
allow_paths(
    int ruleset, const char *const *paths, uint64_t access, struct ae_err *e)
{
	int rc = AE_OK;

	for (; paths != NULL && *paths != NULL && rc == AE_OK; paths++)
		rc = allow_path(ruleset, *paths, access, e);
	return rc;
}

static int
landlock(
    const struct ae_sandbox *s, struct ae_sandbox_report *r, struct ae_err *e)
{
	struct ruleset_attr attr = { .fs = FS_ABI1 };
	int abi = ae_sandbox_landlock_abi(), fd, rc, err;
	size_t size = abi >= 4 ? sizeof(attr) : sizeof(attr.fs);
	uint64_t rw;

	if (abi == 0)
		return missing(s, r, "landlock", ENOSYS, e);
	if (abi >= 2)
		attr.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		attr.fs |= FS_TRUNCATE;
	if (abi >= 5)
		attr.fs |= FS_IOCTL_DEV;
	if (abi >= 4 && (s->may & AE_MAY_CONNECT) == 0)
		attr.net = NET_BIND_TCP | NET_CONNECT_TCP;
	rw = attr.fs & (FS_READ | FS_WRITE | FS_TRUNCATE);
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0)
		return missing(s, r, "landlock", errno, e);
	rc = allow_paths(fd, s->read_paths, FS_READ, e);
	if (rc == AE_OK)
		rc = allow_paths(fd, s->write_paths, rw, e);
	if (rc == AE_OK && syscall(SYS_landlock_restrict_self, fd, 0) < 0) {
		err = errno;
		(void)close(fd);
		return missing(s, r, "landlock", err, e);
	}
	(void)close(fd);
	if (rc == AE_OK)
		r->landlock = abi;
	return rc;
}

static int
resolve_user(const struct ae_sandbox *s, uid_t *uid, gid_t *gid)
{
	struct passwd pw, *found = NULL;
	char buf[4096];
	int err;

	*uid = s->uid;
	*gid = s->gid;
	if (s->user == NULL)
		return 0;
	err = getpwnam_r(s->user, &pw, buf, sizeof(buf), &found);
	if (found == NULL)
		return err != 0 ? err : ENOENT;
	*uid = pw.pw_uid;
	*gid = pw.pw_gid;
	return 0;
}

static int
drop_user(const struct ae_sandbox *s, uid_t uid, gid_t gid, struct ae_err *e)
{
	uid_t r, ef, sv;

	if (setgroups(s->ngroups, s->groups) < 0 ||
	    setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return ae_fail_errno(e, errno, "becoming user %u", uid);
	/* Believe the kernel's answer, not the return values. */
	if (getresuid(&r, &ef, &sv) < 0 || r != uid || ef != uid || sv != uid ||
	    setresuid(0, 0, 0) == 0)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "still not user %u alone", uid);
	return AE_OK;
}

int
ae_sandbox_enter(
    const struct ae_sandbox *s, struct ae_sandbox_report *r, struct ae_err *e)
{
	uid_t uid;
	gid_t gid;
	int rc, err;

	memset(r, 0, sizeof(*r));
	err = resolve_user(s, &uid, &gid);
	if (err != 0) /* staying root is not a lesser sandbox, it is none */
		return ae_fail_errno(e, err, "looking up user %s", s->user);
	rc = limits(s, e);
	if (rc < 0)
		return rc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		rc = missing(s, r, "no_new_privs", errno, e);
		if (rc < 0)
			return rc;
	} else {
		r->no_new_privs = true;
	}
	rc = landlock(s, r, e);
	if (rc < 0)
		return rc;
	if (uid != 0 && geteuid() == 0) {
		rc = drop_user(s, uid, gid, e);
		if (rc < 0)
			return rc;
	}
	r->user = geteuid() != 0;
	/* No core dump, no ptrace by the same user; reset by the switch. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	err = ae_sandbox_seccomp(s->may);
	if (err != 0)
		return missing(s, r, "seccomp", err, e);
	r->seccomp = true;
	return AE_OK;
}
