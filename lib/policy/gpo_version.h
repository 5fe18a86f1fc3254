/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Noticing that group policy changed, from what LDAP alone says: which
 * objects apply, in which order, each in which version of our half.
 */
#ifndef AE_POLICY_GPO_VERSION_H
#define AE_POLICY_GPO_VERSION_H

#include "policy/gpo.h"

#define AE_GPO_VERSION_STR_MAX 17

/*
 * A short text that is another one when any of that changed.  To be taken
 * before SYSVOL is read, which changes verdicts.  Returns out.
 */
const char *ae_gpos_version(
    char out[AE_GPO_VERSION_STR_MAX], const struct ae_gpos *g);

#endif
