/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Entries as LDIF (RFC 2849).  Only entries: no changes but "add", and no
 * value that is somewhere else ("attr:< url" would read files).
 */
#ifndef AE_AD_LDIF_H
#define AE_AD_LDIF_H

#include <stddef.h>

#include "ad/entry.h"
#include "base/err.h"
#include "base/wr.h"

#define AE_LDIF_MAX (1024u * 1024u) /* bytes of one file */
#define AE_LDIF_ENTRIES_MAX 256u
#define AE_LDIF_VALUES_MAX 4096u /* of one entry */

/* Append one entry and the empty line behind it. */
void ae_ldif_put(
    struct ae_wr *w, const char *dn, const struct ae_attr *attrs, size_t n);

/*
 * All entries of a text; name is for messages ("name:12: ...").  Values of
 * an attribute are together, in their order.  AE_EPROTO, AE_ELIMIT.
 */
int ae_ldif_parse(struct ae_entries *out, const char *name, const void *text,
    size_t len, struct ae_err *e) AE_MUST_CHECK;

#endif
