/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the files of store/ share; not for others.
 */
#ifndef AE_STORE_INTERNAL_H
#define AE_STORE_INTERNAL_H

#include "base/wr.h"
#include "store/request.h"
#include "store/store.h"

/* A version that is being written; removed by the next writer. */
#define STORE_DRAFT_PREFIX ".new-"

struct ae_store {
	int root, my, request, trust, lock; /* -1: not there */
	bool write;
};

typedef int store_each_fn(
    int dirfd, const char *name, void *arg, struct ae_err *e);

/* Descriptor of a subdirectory, or a negative ae_rc (AE_ENOTFOUND too). */
int store_dir(int at, const char *name, bool make, struct ae_err *e);

/*
 * Flush the names of my or request and of the directories in them.  Always,
 * not only when they were made just now: whoever made them may have been
 * killed before it came to that.
 */
int store_sync_above(const struct ae_store *s, int dirfd, struct ae_err *e);

/* Call fn for each name but "." and ".."; stops at the first failure. */
int store_each(int dirfd, store_each_fn *fn, void *arg, struct ae_err *e);

/* What a template's "current" points to; 0: nothing usable. */
unsigned store_current(int tmpl_fd);

/* "<digits>" without leading zero; 0 when it is something else. */
unsigned store_version_number(const char *name);

/* A store_each_fn: the highest number into *(unsigned *)arg. */
store_each_fn store_highest;

/* A draft with this key file; ae_store_draft_new names it key.pem. */
int store_draft(struct ae_store_draft **out, struct ae_store *s,
    const char *tmpl, const char *key_name, const void *key, size_t key_len,
    struct ae_err *e);

/* The whole file name in fd, NUL-terminated, to free(); AE_ENOTFOUND, with
 * nothing in e: there is none. */
int store_read_at(
    int fd, const char *name, uint8_t **out, size_t *len, struct ae_err *e);

/* Remove the directory <number> and all in it; AE_OK when it is not there. */
int store_retire(int dir, unsigned number, struct ae_err *e);

/* meta.json of a request, both ways. */
int store_meta_put(
    struct ae_wr *w, const struct ae_store_request_meta *m, struct ae_err *e);
int store_meta_parse(struct ae_store_request_meta *m, const void *text,
    size_t len, struct ae_err *e);

/* Beside a certificate: when and why it was archived. */
int store_note_archived(int tmpl_fd, unsigned number, int64_t when,
    const char *why, struct ae_err *e);
int store_read_archived(int fd, struct ae_store_entry *en, struct ae_err *e);

/* Remove a draft directory and the files in it. */
int store_remove_draft(int tmpl_fd, const char *name, struct ae_err *e);

/* Fill certificate, has_key and meta from an open version directory. */
int store_read_entry(int fd, struct ae_store_entry *en, struct ae_err *e);

#endif
