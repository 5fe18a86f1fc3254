/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the files of store/ share; not for others.
 */
#ifndef AE_STORE_INTERNAL_H
#define AE_STORE_INTERNAL_H

#include "store/store.h"

/* A version that is being written; removed by the next writer. */
#define STORE_DRAFT_PREFIX ".new-"

struct ae_store {
	int root, my, trust, lock; /* -1: not there */
	bool write;
};

typedef int store_each_fn(
    int dirfd, const char *name, void *arg, struct ae_err *e);

/* Descriptor of a subdirectory, or a negative ae_rc (AE_ENOTFOUND too). */
int store_dir(int at, const char *name, bool make, struct ae_err *e);

/* Call fn for each name but "." and ".."; stops at the first failure. */
int store_each(int dirfd, store_each_fn *fn, void *arg, struct ae_err *e);

/* What a template's "current" points to; 0: nothing usable. */
unsigned store_current(int tmpl_fd);

/* Remove a draft directory and the files in it. */
int store_remove_draft(int tmpl_fd, const char *name, struct ae_err *e);

/* Fill certificate, has_key and meta from an open version directory. */
int store_read_entry(int fd, struct ae_store_entry *en, struct ae_err *e);

#endif
