/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How systems are told of trust anchors; for the files of trust.h alone.
 */
#ifndef AE_DEPLOY_TRUST_INT_H
#define AE_DEPLOY_TRUST_INT_H

#include "deploy/trust.h"

struct trust_method {
	const char *name;
	const char *dir; /* NULL: trust/anchors of our own state */
	const char *program;
	const char *args[3];	  /* end with NULL */
	const char *add, *remove; /* with each: the option for one file */
	bool each;		  /* told file by file, not all at once */
};

/* By name, or for "auto" the first whose directory and program are here. */
int trust_method_find(const struct trust_method **out, const struct ae_trust *t,
    const char *name, struct ae_err *e) AE_MUST_CHECK;

/* Open the directory; *fd stays -1 in a dry run when it is not there. */
int trust_method_dir(char *path, size_t len, int *fd, const struct ae_trust *t,
    const struct trust_method *m, struct ae_err *e) AE_MUST_CHECK;

/* Run the program, for all files or for one. */
int trust_tell(const struct ae_trust *t, const struct trust_method *m,
    struct ae_err *e) AE_MUST_CHECK;
int trust_tell_one(const struct ae_trust *t, const struct trust_method *m,
    const char *file, bool add, struct ae_err *e) AE_MUST_CHECK;

#endif
