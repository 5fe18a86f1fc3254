/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copyright the autoenroll authors. */
/*
 * The share: where libsmbclient is used.
 */
#ifndef AE_SYSVOL_SHARE_H
#define AE_SYSVOL_SHARE_H

#include "policy/sysvol_proto.h"

/*
 * Carry out the request; r has room for as many files.  What goes wrong is
 * in the status of each file.
 */
void share_do(const struct ae_sysvol_request *q, struct ae_sysvol_reply *r);

#endif
