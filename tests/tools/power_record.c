/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The recorder: a tracer that looks at each system call of a program and of
 * all that it starts; see power.h.  It needs nothing of them: processes with
 * a clean environment and a system call filter are recorded like any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "power.h"

#define MARK "/power-mark/"
#define PROCESSES 64
#define OPTIONS                                                             \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
#define HERE 100 /* instead of an argument's number: AT_FDCWD, nothing */

enum call_kind {
	OPEN,
	OPEN_HOW,
	WRITE,
	WRITE_MANY,
	CUT,
	CUT_FD,
	MOVE,
	HARD,
	REMOVE,
	SOFT,
	MAKE_DIR,
	FLUSH,
	FLUSH_ALL,
	MODE_OR_OWNER,
	MODE_OR_OWNER_FD,
	SAY,
};

/* Which arguments are the first directory and name, and the second. */
static const struct call {
	long number;
	enum call_kind kind;
	unsigned dir, name, dir2, name2, more;
} calls[] = {
	{ SYS_openat, OPEN, 0, 1, HERE, HERE, 2 },
	{ SYS_openat2, OPEN_HOW, 0, 1, HERE, HERE, 2 },
	{ SYS_write, WRITE, 0, 1, HERE, HERE, HERE },
	{ SYS_pwrite64, WRITE, 0, 1, HERE, HERE, 3 },
	{ SYS_writev, WRITE_MANY, 0, 1, HERE, HERE, 2 },
	{ SYS_truncate, CUT, HERE, 0, HERE, HERE, 1 },
	{ SYS_ftruncate, CUT_FD, 0, HERE, HERE, HERE, 1 },
	{ SYS_renameat2, MOVE, 0, 1, 2, 3, 4 },
	{ SYS_renameat, MOVE, 0, 1, 2, 3, HERE },
	{ SYS_linkat, HARD, 0, 1, 2, 3, HERE },
	{ SYS_unlinkat, REMOVE, 0, 1, HERE, HERE, HERE },
	{ SYS_symlinkat, SOFT, 1, 2, HERE, HERE, 0 },
	{ SYS_mkdirat, MAKE_DIR, 0, 1, HERE, HERE, HERE },
	{ SYS_fsync, FLUSH, 0, HERE, HERE, HERE, HERE },
	{ SYS_fdatasync, FLUSH, 0, HERE, HERE, HERE, HERE },
	{ SYS_syncfs, FLUSH_ALL, HERE, HERE, HERE, HERE, HERE },
	{ SYS_sync, FLUSH_ALL, HERE, HERE, HERE, HERE, HERE },
	{ SYS_fchmodat, MODE_OR_OWNER, 0, 1, HERE, HERE, HERE },
	{ SYS_fchownat, MODE_OR_OWNER, 0, 1, HERE, HERE, HERE },
	{ SYS_fchmod, MODE_OR_OWNER_FD, 0, HERE, HERE, HERE, HERE },
	{ SYS_fchown, MODE_OR_OWNER_FD, 0, HERE, HERE, HERE, HERE },
	{ SYS_faccessat, SAY, HERE, 1, HERE, HERE, HERE },
#ifdef SYS_open /* processors that have the old calls as well */
	{ SYS_open, OPEN, HERE, 0, HERE, HERE, 1 },
	{ SYS_creat, OPEN, HERE, 0, HERE, HERE, HERE },
	{ SYS_rename, MOVE, HERE, 0, HERE, 1, HERE },
	{ SYS_link, HARD, HERE, 0, HERE, 1, HERE },
	{ SYS_unlink, REMOVE, HERE, 0, HERE, HERE, HERE },
	{ SYS_rmdir, REMOVE, HERE, 0, HERE, HERE, HERE },
	{ SYS_symlink, SOFT, HERE, 1, HERE, HERE, 0 },
	{ SYS_mkdir, MAKE_DIR, HERE, 0, HERE, HERE, HERE },
	{ SYS_chmod, MODE_OR_OWNER, HERE, 0, HERE, HERE, HERE },
	{ SYS_chown, MODE_OR_OWNER, HERE, 0, HERE, HERE, HERE },
	{ SYS_access, SAY, HERE, 0, HERE, HERE, HERE },
#endif
};

/* A process, and the call it is in. */
struct traced {
	pid_t pid; /* 0: free */
	const struct call *call;
	uint64_t args[6];
	char path[PATH_MAX], path2[PATH_MAX]; /* "": not ours to know */
};

struct recorder {
	struct power_log *log;
	struct power_tree tree;
	struct traced v[PROCESSES];
};

static _Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "power: %s: %s\n", what, strerror(errno));
	exit(3);
}

static size_t
peek(pid_t pid, uint64_t at, void *out, size_t len)
{
	struct iovec mine = { out, len };
	struct iovec theirs = { (void *)(uintptr_t)at, len };
	ssize_t n = process_vm_readv(pid, &mine, 1, &theirs, 1, 0);

	return n < 0 ? 0 : (size_t)n;
}

/* A string; pages behind its end need not be there. */
static bool
peek_text(pid_t pid, uint64_t at, char *out, size_t outlen)
{
	size_t n = 0, part;

	while (n < outlen) {
		part = 4096 - (at + n) % 4096;
		if (part > outlen - n)
			part = outlen - n;
		if (peek(pid, at + n, out + n, part) != part)
			return false;
		if (memchr(out + n, '\0', part) != NULL)
			return true;
		n += part;
	}
	return false;
}

static bool
fd_path(pid_t pid, int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		(void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	else
		(void)snprintf(
		    link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(link, out, PATH_MAX - 1);
	out[n < 0 ? 0 : n] = '\0';
	return n > 0 && out[0] == '/';
}

/* The name a call means: its directory as it really is, the last part as it
 * stands. */
static void
full_path(struct traced *t, unsigned dir, unsigned name, char out[PATH_MAX])
{
	char base[PATH_MAX], text[PATH_MAX], real[PATH_MAX], *slash;
	char joined[2 * PATH_MAX + 2];

	out[0] = '\0';
	if (name == HERE ||
	    !peek_text(t->pid, t->args[name], text, sizeof(text)))
		return;
	if (strncmp(text, MARK, strlen(MARK)) == 0) {
		(void)snprintf(out, PATH_MAX, "%s", text);
		return;
	}
	if (!fd_path(t->pid, dir == HERE ? AT_FDCWD : (int)t->args[dir], base))
		return;
	if (strncmp(text, "/proc/self/", 11) == 0)
		(void)snprintf(joined, sizeof(joined), "/proc/%d/%s",
		    (int)t->pid, text + 11);
	else if (text[0] == '/')
		(void)snprintf(joined, sizeof(joined), "%s", text);
	else
		(void)snprintf(joined, sizeof(joined), "%s/%s", base, text);
	slash = strrchr(joined, '/');
	while (slash > joined && slash[1] == '\0') { /* "dir/" */
		*slash = '\0';
		slash = strrchr(joined, '/');
	}
	*slash = '\0';
	if (realpath(joined[0] == '\0' ? "/" : joined, real) != NULL &&
	    snprintf(out, PATH_MAX, "%s/%s", real, slash + 1) >= PATH_MAX)
		out[0] = '\0';
}

static struct power_op *
add(struct recorder *r, struct power_op op)
{
	struct power_op *p = power_log_add(r->log, op);

	power_tree_apply(&r->tree, p);
	return p;
}

/* A new name at path, with what is there now. */
static void
created(struct recorder *r, const char *path)
{
	const char *name = NULL;
	uint32_t dir = power_tree_parent(&r->tree, path, &name);
	struct power_op op = { .kind = POWER_CREATE, .dir = dir };
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (dir == POWER_NONE || power_is_memory(name) || lstat(path, &st) != 0)
		return;
	op.node = r->log->nodes++;
	op.name = strdup(name);
	op.mode = st.st_mode;
	op.uid = st.st_uid;
	op.gid = st.st_gid;
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, target, sizeof(target));
		op.len = n < 0 ? 0 : (size_t)n;
		op.data = malloc(op.len + 1);
		if (op.data == NULL)
			abort();
		memcpy(op.data, target, op.len);
	}
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
		(void)add(r, op);
}

static void
opened(struct recorder *r, struct traced *t)
{
	uint32_t node = power_tree_find(&r->tree, t->path);
	struct open_how how = { .flags = O_CREAT | O_WRONLY | O_TRUNC };

	if (t->call->kind == OPEN_HOW)
		(void)peek(t->pid, t->args[2], &how, sizeof(how));
	else if (t->call->more != HERE)
		how.flags = t->args[t->call->more];
	if (node == POWER_NONE && (how.flags & O_CREAT) != 0)
		created(r, t->path);
	else if (node != POWER_NONE && (how.flags & O_TRUNC) != 0)
		(void)add(r,
		    (struct power_op){ .kind = POWER_TRUNCATE, .node = node });
}

/* The node of an open file that still has a name of ours. */
static uint32_t
fd_node(struct recorder *r, struct traced *t)
{
	char path[PATH_MAX];

	return fd_path(t->pid, (int)t->args[t->call->dir], path)
	    ? power_tree_find(&r->tree, path)
	    : POWER_NONE;
}

static uint64_t
fd_pos(struct traced *t)
{
	unsigned long long pos = 0;
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)t->pid,
	    (int)t->args[0]);
	f = fopen(path, "re");
	if (f == NULL || fscanf(f, "pos: %llu", &pos) != 1)
		die(path);
	(void)fclose(f);
	return pos;
}

static void
written(struct recorder *r, struct traced *t, uint64_t len)
{
	struct power_op op = { .kind = POWER_WRITE, .len = (size_t)len };
	struct iovec v[16];
	size_t n = 1, i, at = 0, part;

	op.node = fd_node(r, t);
	if (op.node == POWER_NONE || len == 0)
		return;
	op.data = malloc(op.len);
	if (op.data == NULL)
		abort();
	op.off = t->call->more == 3 ? t->args[3] : fd_pos(t) - len;
	v[0] = (struct iovec){ (void *)(uintptr_t)t->args[1], op.len };
	if (t->call->kind == WRITE_MANY) {
		n = t->args[2] > 16 ? 16 : (size_t)t->args[2];
		(void)peek(t->pid, t->args[1], v, n * sizeof(*v));
	}
	for (i = 0; i < n && at < op.len; i++, at += part) {
		part = v[i].iov_len > op.len - at ? op.len - at : v[i].iov_len;
		if (peek(t->pid, (uintptr_t)v[i].iov_base, op.data + at,
			part) != part)
			die("what was written");
	}
	(void)add(r, op);
}

static void
moved(struct recorder *r, struct traced *t)
{
	const char *from = NULL, *to = NULL;
	struct power_op op = { .kind = t->call->kind == MOVE ? POWER_RENAME
							     : POWER_LINK };

	op.node = power_tree_find(&r->tree, t->path);
	op.dir = power_tree_parent(&r->tree, t->path, &from);
	op.dir2 = power_tree_parent(&r->tree, t->path2, &to);
	if (op.node == POWER_NONE && op.dir2 == POWER_NONE)
		return;
	if (op.node == POWER_NONE || op.dir2 == POWER_NONE ||
	    (t->call->more != HERE && (t->args[4] & ~1u) != 0))
		die("a rename into or out of what is recorded, or an exchange");
	if (op.kind == POWER_LINK) {
		op.dir = op.dir2;
		op.name = strdup(to);
	} else {
		op.name = strdup(from);
		op.name2 = strdup(to);
	}
	(void)add(r, op);
}

static void
changed(struct recorder *r, uint32_t node, const char *path)
{
	struct power_op op = { .node = node };
	const struct power_node *n;
	struct stat st;

	if (node == POWER_NONE || stat(path, &st) != 0)
		return;
	n = &r->tree.v[node];
	op.mode = st.st_mode;
	op.uid = st.st_uid;
	op.gid = st.st_gid;
	op.kind = (n->mode & 07777) != (st.st_mode & 07777) ? POWER_MODE
							    : POWER_OWNER;
	(void)add(r, op);
}

static void
removed(struct recorder *r, const char *path)
{
	const char *name = NULL;
	struct power_op op = { .kind = POWER_UNLINK };

	op.node = power_tree_find(&r->tree, path);
	if (op.node == POWER_NONE)
		return;
	op.dir = power_tree_parent(&r->tree, path, &name);
	op.name = strdup(name);
	(void)add(r, op);
}

static void
on_node(struct recorder *r, enum power_kind kind, uint32_t node, uint64_t off)
{
	if (node != POWER_NONE)
		(void)add(r,
		    (struct power_op){
			.kind = kind, .node = node, .off = off });
}

static void
left_call(struct recorder *r, struct traced *t, int64_t result)
{
	char path[PATH_MAX];

	if (t->call->kind == SAY) {
		if (strncmp(t->path, MARK, strlen(MARK)) == 0)
			(void)add(r,
			    (struct power_op){ .kind = POWER_MARK,
				.node = POWER_NONE,
				.off = strtoull(
				    t->path + strlen(MARK), NULL, 10) });
		return;
	}
	if (result < 0)
		return;
	switch (t->call->kind) {
	case OPEN:
	case OPEN_HOW:
		opened(r, t);
		break;
	case WRITE:
	case WRITE_MANY:
		written(r, t, (uint64_t)result);
		break;
	case CUT:
		on_node(r, POWER_TRUNCATE, power_tree_find(&r->tree, t->path),
		    t->args[1]);
		break;
	case CUT_FD:
		on_node(r, POWER_TRUNCATE, fd_node(r, t), t->args[1]);
		break;
	case MOVE:
	case HARD:
		moved(r, t);
		break;
	case REMOVE:
		removed(r, t->path);
		break;
	case SOFT:
	case MAKE_DIR:
		created(r, t->path);
		break;
	case FLUSH:
		on_node(r, POWER_SYNC, fd_node(r, t), 0);
		break;
	case FLUSH_ALL:
		(void)add(r,
		    (struct power_op){
			.kind = POWER_SYNC_ALL, .node = POWER_NONE });
		break;
	case MODE_OR_OWNER:
		changed(r, power_tree_find(&r->tree, t->path), t->path);
		break;
	case MODE_OR_OWNER_FD:
		if (fd_path(t->pid, (int)t->args[0], path))
			changed(r, fd_node(r, t), path);
		break;
	case SAY:
		break;
	}
}

static void
entered_call(struct traced *t, const struct __ptrace_syscall_info *info)
{
	size_t i;

	t->call = NULL;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == (long)info->entry.nr)
			t->call = &calls[i];
	if (t->call == NULL)
		return;
	for (i = 0; i < 6; i++)
		t->args[i] = info->entry.args[i];
	if (t->call->kind == WRITE || t->call->kind == WRITE_MANY ||
	    t->call->kind == FLUSH || t->call->kind == FLUSH_ALL)
		return; /* no name among the arguments */
	full_path(t, t->call->dir, t->call->name, t->path);
	full_path(t, t->call->dir2, t->call->name2, t->path2);
}

static struct traced *
slot(struct recorder *r, pid_t pid)
{
	size_t i;

	for (i = 0; i < PROCESSES; i++)
		if (r->v[i].pid == pid)
			return &r->v[i];
	for (i = 0; i < PROCESSES; i++) {
		if (r->v[i].pid == 0) {
			r->v[i].pid = pid;
			r->v[i].call = NULL;
			return &r->v[i];
		}
	}
	errno = EAGAIN;
	die("processes");
}

static void
call_stop(struct recorder *r, struct traced *t)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		entered_call(t, &info);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && t->call != NULL) {
		left_call(r, t, info.exit.rval);
		t->call = NULL;
	}
}

/* Until the first process is gone, and its children with it. */
static int
follow(struct recorder *r, pid_t first)
{
	int status, result = 0;
	struct traced *t;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int sig = 0;

		t = slot(r, pid);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			t->pid = 0;
			if (pid != first)
				continue;
			result = status;
			break;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			call_stop(r, t);
		else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP &&
		    WSTOPSIG(status) != SIGTRAP)
			sig = WSTOPSIG(status);
		(void)ptrace(PTRACE_SYSCALL, pid, NULL, sig);
	}
	return result;
}

int
power_record(
    struct power_log *log, const char *const *roots, size_t n, pid_t pid)
{
	struct recorder *r = calloc(1, sizeof(*r));
	char *wrong;
	int status;
	size_t i;

	if (r == NULL)
		abort();
	r->log = log;
	for (i = 0; i < n; i++)
		power_tree_get(&r->tree, log, roots[i]);
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, OPTIONS) != 0)
		die("tracing");
	(void)ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	status = follow(r, pid);
	wrong = power_tree_differs(&r->tree);
	if (wrong != NULL) {
		errno = ENOSYS;
		die(wrong);
	}
	power_tree_done(&r->tree);
	free(r);
	return status;
}
