/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * NetworkManager's keyfile format, as much of it as keeping a few keys of
 * somebody else's file current needs: lines that are not ours pass through
 * byte for byte.  Pure: text in, text out.
 */
#ifndef AE_DEPLOY_KEYFILE_H
#define AE_DEPLOY_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/wr.h"

#define AE_KEYFILE_MAX (64u * 1024u)

struct ae_keyfile_row {
	const char *section, *key;
	const char *value; /* NULL: the key is taken out */
	bool keep;	   /* set only where the file has no such key */
};

/*
 * Append to *out the text with each row's key set in its section: replaced
 * where it is, added at the end of the section (which is added at the end of
 * the file) where it is not.  A second line with the same key is dropped.
 * Values are escaped as GKeyFile wants it.  AE_EPROTO for text that is not a
 * keyfile, AE_ELIMIT above AE_KEYFILE_MAX.
 */
int ae_keyfile_update(struct ae_wr *out, const char *text, size_t len,
    const struct ae_keyfile_row *rows, size_t nrows,
    struct ae_err *e) AE_MUST_CHECK;

#endif
