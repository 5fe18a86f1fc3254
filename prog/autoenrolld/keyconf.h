/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The settings of keys in autoenroll.conf: [keys], [providers], [key-files].
 */
#ifndef AE_CLIENT_KEYCONF_H
#define AE_CLIENT_KEYCONF_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"

/* Part of struct client; everything heap, NULL or empty by default. */
struct keyconf {
	char *tpm; /* TCTI; "none"; NULL: /dev/tpmrm0 if there is one */
	uint32_t tpm_parent; /* 0: the owner hierarchy */
	char *module, *token, *pin_file;
	struct ae_strv paths;	  /* what the module may read and write */
	bool network;		  /* what it may connect to */
	struct ae_strv providers; /* Windows name, kind, … */
	struct ae_strv files;	  /* template, "mode [owner [group]]", … */
};

/* What the table cannot say: kinds, modes, which go together. */
int keyconf_check(const struct keyconf *k, struct ae_err *e) AE_MUST_CHECK;
void keyconf_done(struct keyconf *k);

/* Whose the key files of a template are; -1: as it comes. */
struct key_owner {
	const char *tmpl; /* "*": all that have no line; borrowed */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/*
 * [key-files] with its users and groups looked up, to free().  AE_EINVAL
 * when one does not exist.
 */
int keyconf_owners(struct key_owner **out, size_t *n, const struct keyconf *k,
    struct ae_err *e) AE_MUST_CHECK;

#endif
