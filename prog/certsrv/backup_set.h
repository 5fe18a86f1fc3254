/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A backup: a directory with manifest.json, which says of every file what it
 * is and what its bytes are, and below files/ the files with their paths.
 */
#ifndef CERTSRV_BACKUP_SET_H
#define CERTSRV_BACKUP_SET_H

#include <sys/types.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/rollback.h"

#define BACKUP_MANIFEST "manifest.json"
#define BACKUP_FILES "files"
#define BACKUP_FORMAT 1
#define BACKUP_FILES_MAX 4096
#define BACKUP_HASH_HEX 64

enum backup_kind {
	BACKUP_DATABASE,
	BACKUP_CONFIG,
	BACKUP_CERTIFICATE,
	BACKUP_SECURITY,
	BACKUP_POLICY,
	BACKUP_REQUEST,
	BACKUP_KEY,
	BACKUP_KIND_COUNT
};
const char *backup_kind_name(enum backup_kind k);

struct backup_file {
	enum backup_kind kind;
	char *path; /* absolute, where it belongs: without --root */
	unsigned mode;
	uint64_t size;
	char sha256[BACKUP_HASH_HEX + 1];
};

struct backup_set {
	char *ca, *dns_name;
	char *server; /* the URI its database was at; NULL: it was a file */
	int64_t time, generation;
	struct ae_db_state db;
	bool with_key;
	struct backup_file *file;
	size_t n;
	char sha256[BACKUP_HASH_HEX + 1]; /* of the manifest */
};
void backup_set_done(struct backup_set *s);

/* One more file, not looked at yet; AE_ELIMIT. */
int backup_set_add(struct backup_set *s, enum backup_kind kind,
    const char *path, unsigned mode, struct ae_err *e) AE_MUST_CHECK;

/* Where the file is in a backup at dir; heap, NULL: no memory. */
char *backup_file_path(const char *dir, const struct backup_file *f);
/* The first of that kind; NULL: there is none. */
const struct backup_file *backup_set_find(
    const struct backup_set *s, enum backup_kind kind);

/* SHA-256 and size of a file, however long it is. */
int backup_hash(const char *path, char sha256[BACKUP_HASH_HEX + 1],
    uint64_t *size, struct ae_err *e) AE_MUST_CHECK;

/* Copy into a new file, durably. */
int backup_copy(const char *from, const char *to, mode_t mode,
    struct ae_err *e) AE_MUST_CHECK;

/* The manifest; its hash is put into s. */
int backup_set_write(
    struct backup_set *s, const char *dir, struct ae_err *e) AE_MUST_CHECK;

/*
 * The manifest of dir, and every file against it: what is missing, too much,
 * or has other bytes is AE_ETRUST; what is no backup AE_EPROTO.
 */
int backup_set_read(
    struct backup_set *s, const char *dir, struct ae_err *e) AE_MUST_CHECK;

/* Besides: the database opens, is whole, and is as far as the manifest says. */
int backup_set_judge_db(const struct backup_set *s, const char *dir,
    struct ae_err *e) AE_MUST_CHECK;

/* What it says of itself. */
json_t *backup_set_json(const struct backup_set *s);

#endif
