/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Power loss without a plug to pull.  What a program does to files is
 * recorded; then trees are made as they may stand on the medium when the
 * power goes at some moment of it: what was not flushed is there, or not,
 * or in part, in sectors of 512 bytes.  A write is safe once its file was
 * flushed after it, a name (made, renamed, removed) once its directory was.
 * Nothing else is believed: neither that names arrive in order, nor that a
 * flushed file has its name.  One rename is there whole or not at all.
 */
#ifndef AE_TESTS_POWER_H
#define AE_TESTS_POWER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POWER_TOP 0 /* the node that has the recorded directories */
#define POWER_NONE UINT32_MAX

enum power_kind {
	POWER_CREATE, /* file, directory or symlink: dir, name, node */
	POWER_WRITE,
	POWER_TRUNCATE, /* or grow: off is the new length */
	POWER_MODE,
	POWER_OWNER,
	POWER_RENAME, /* dir, name -> dir2, name2 */
	POWER_LINK,
	POWER_UNLINK, /* or rmdir */
	POWER_SYNC,
	POWER_SYNC_ALL,
	POWER_MARK, /* the program called access("/power-mark/<off>") */
};

struct power_op {
	enum power_kind kind;
	uint32_t node, dir, dir2;
	uint32_t mode, uid, gid; /* mode with S_IFMT, of CREATE */
	uint64_t off;
	char *name, *name2;
	uint8_t *data; /* of WRITE; a symlink's target */
	size_t len;
};

/* What was there at first is CREATE and WRITE as well, up to start. */
struct power_log {
	struct power_op *v;
	size_t n, start;
	uint32_t nodes;
};

struct power_entry {
	char *name;
	uint32_t node;
};

struct power_node {
	uint32_t mode, uid, gid;
	uint8_t *data;
	size_t len;
	struct power_entry *v;
	size_t n;
};

struct power_tree {
	struct power_node *v;
	size_t n;
};

/* All of these end the program when memory or the file system fails: it is a
 * test. */

/* Takes what op points to. */
struct power_op *power_log_add(struct power_log *log, struct power_op op);
void power_log_done(struct power_log *log);
void power_log_save(const struct power_log *log, const char *path);
void power_log_load(struct power_log *log, const char *path);

/* What op does, if what it needs is there. */
void power_tree_apply(struct power_tree *t, const struct power_op *op);
/* The node of an absolute path, POWER_NONE when it is not there or not ours. */
uint32_t power_tree_find(const struct power_tree *t, const char *path);
/* The directory of path and the name in it. */
uint32_t power_tree_parent(
    const struct power_tree *t, const char *path, const char **name);
void power_tree_done(struct power_tree *t);
/* SQLite's index of its log: shared memory with a name, and made anew. */
bool power_is_memory(const char *name);
/* Make the recorded directories on disk what the tree says. */
void power_tree_put(const struct power_tree *t);
/* Read root from disk; what is there is added to log and tree. */
void power_tree_get(
    struct power_tree *t, struct power_log *log, const char *root);
/* The first path at which disk and tree differ, or NULL.  free() it. */
char *power_tree_differs(const struct power_tree *t);

/*
 * Record pid, which waits for its tracer (PTRACE_TRACEME and SIGSTOP), and all
 * that it starts, below roots until pid ends; its wait status.  Ends the
 * program when a call was made that is not known here: the tree on disk is
 * compared in the end.
 */
int power_record(
    struct power_log *log, const char *const *roots, size_t n, pid_t pid);

/*
 * The tree that may be found after the power went before log->v[cut] (cut ==
 * log->n: after the end).  flushes false: as if fsync did nothing.
 */
void power_replay(struct power_tree *out, const struct power_log *log,
    size_t cut, uint64_t seed, bool flushes);
/* A cut between start and end, and by dice at a mark or at the very end. */
size_t power_cut(const struct power_log *log, uint64_t seed);

#endif
