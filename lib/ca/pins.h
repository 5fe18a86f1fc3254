/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Pinned templates (ESC4): a snapshot of a template that an administrator of
 * the CA took, and that counts whatever becomes of the template in the
 * directory.  A pin is an LDIF file of one entry, the descriptor included.
 */
#ifndef AE_CA_PINS_H
#define AE_CA_PINS_H

#include "ad/template.h"
#include "base/err.h"
#include "base/wr.h"

#define AE_CA_PIN_SUFFIX ".ldif"
#define AE_CA_PIN_MAX (512u * 1024u) /* bytes of a file */
#define AE_CA_PINS_MAX 1024u

/*
 * Append a pin of t.  AE_EINVAL: t is one that cannot be pinned – what would
 * be read back is not the same, it has no descriptor, or its name is none for
 * a file.
 */
int ae_ca_pin_put(struct ae_wr *w, const struct ae_template *t,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Read one.  file is its name without directory: "Web.ldif" is the pin of the
 * template Web and of no other (AE_EINVAL).
 */
int ae_ca_pin_parse(struct ae_template **out, const char *file,
    const void *text, size_t len, struct ae_err *e) AE_MUST_CHECK;

/*
 * What the CA goes by: the pin, with the versions of the template that is in
 * the directory now, because clients compare those.  Free it.
 */
int ae_ca_pin_apply(struct ae_template **out, const struct ae_template *pin,
    const struct ae_template *now, struct ae_err *e) AE_MUST_CHECK;

#endif
