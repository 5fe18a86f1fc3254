/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The host's keytab, which only root can read, copied for the one user of
 * ours that may have it.
 */
#ifndef CERTSRVD_KEYTAB_H
#define CERTSRVD_KEYTAB_H

#include "base/err.h"
#include "role.h"

/*
 * Copy it to RUN_DIR/auth/NAME, readable by the process's user to be; *path
 * (heap) says where.  Called while still root.
 */
int keytab_copy(struct proc *p, const char *name, char **path,
    struct ae_err *e) AE_MUST_CHECK;

#endif
