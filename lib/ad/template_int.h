/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What reading and writing templates share.
 */
#ifndef AE_AD_TEMPLATE_INT_H
#define AE_AD_TEMPLATE_INT_H

#include "ad/fields.h"
#include "ad/template.h"

extern const struct ae_field ae_template_fields[];

/*
 * MS-CRTD 2.23: schema 3, and 4 without the legacy bit, pack properties into
 * msPKI-RA-Application-Policies; otherwise each value is an OID.
 */
bool ae_template_packs(const struct ae_template *t);

#endif
