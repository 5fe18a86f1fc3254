/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Templates in the directory, as an administrator changes them: made,
 * changed, taken away.  Everything is checked before anything is written.
 */
#ifndef AE_GATHER_TEMPLATE_ADMIN_H
#define AE_GATHER_TEMPLATE_ADMIN_H

#include "ad/ad.h"
#include "ad/template.h"
#include "base/err.h"

/*
 * Make the template, and before it the object that names its OID; a
 * template without an OID gets one below the forest's arc with the two
 * numbers, which should be random.  sd NULL: what the schema says.
 * AE_EINVAL: contradicts itself, or a template of this name or OID is there.
 */
int ae_template_create(struct ae_ad *ad, struct ae_template *t,
    const struct ae_sd *sd, const uint32_t numbers[2],
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Write what differs between the two, with the next minor version; with the
 * next major one when everybody who has a certificate shall enroll again.
 * *n says how many attributes; 0: nothing differs, nothing was written.
 */
int ae_template_change(struct ae_ad *ad, const struct ae_template *from,
    struct ae_template *to, bool reenroll, size_t *n,
    struct ae_err *e) AE_MUST_CHECK;

/* Delete the template and the object that names its OID. */
int ae_template_delete(struct ae_ad *ad, const struct ae_template *t,
    struct ae_err *e) AE_MUST_CHECK;

#endif
