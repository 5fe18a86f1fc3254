/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What we put into the system's trust, so that exactly that can be taken out
 * again: one line a file, with the hash of what we wrote.  Pure.
 */
#ifndef AE_DEPLOY_MANIFEST_H
#define AE_DEPLOY_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/wr.h"

#define AE_MANIFEST_FILES_MAX 256
#define AE_MANIFEST_MAX (128u * 1024u)
#define AE_MANIFEST_NAME_MAX 64

/* Who asked for it: what the configuration asked for goes with it. */
enum ae_manifest_by { AE_BY_NOBODY, AE_BY_CONFIG, AE_BY_COMMAND };

struct ae_manifest_file {
	char name[AE_MANIFEST_NAME_MAX]; /* ae_manifest_name_ok */
	char sha256[65];		 /* of the file, lower case hex */
};

struct ae_manifest {
	enum ae_manifest_by by;
	char method[32]; /* how the system is told */
	bool pending;	 /* files were touched, the system was not told yet */
	struct ae_manifest_file *v;
	size_t n;
};

/* "autoenroll-" with hex digits and ".crt": nothing else is ever touched. */
bool ae_manifest_name_ok(const char *name);

/* AE_EPROTO for anything that ae_manifest_print does not write. */
int ae_manifest_parse(struct ae_manifest *out, const char *text, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
void ae_manifest_print(struct ae_wr *w, const struct ae_manifest *m);
void ae_manifest_done(struct ae_manifest *m);

/* The row of that name, or NULL. */
const struct ae_manifest_file *ae_manifest_find(
    const struct ae_manifest *m, const char *name);

/* Add a row, or change the hash of the one there is. */
int ae_manifest_add(struct ae_manifest *m, const char *name, const char *sha256,
    struct ae_err *e) AE_MUST_CHECK;

#endif
