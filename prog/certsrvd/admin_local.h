/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Who may what at the local door.
 */
#ifndef CERTSRVD_ADMIN_LOCAL_H
#define CERTSRVD_ADMIN_LOCAL_H

#include "ca_job.h"

/* Has he one of these roles?  Not while separation takes them from him. */
bool local_may(const struct admin *a, uint8_t roles);
/* Two roles, and the configuration wants them apart. */
bool local_conflict(const struct admin *a);

/* A list of officers' rights is by SIDs, which a local account has not. */
bool local_restricted(const struct admin *a, uint8_t roles);

/*
 * Is the requester, or whom it is for, an account that he may be?  Names are
 * compared, so a local account of the same name counts as well.
 */
bool local_is_his_own(const struct job *j, const struct ae_db_request *row);

/* MSG_ADMIN_LIST (at most 500 rows, 20 with blobs), and what db says to it. */
ae_ipc_handler local_list;
/* MSG_ADMIN_STATUS (ca_status.c) */
ae_ipc_handler local_status;
void local_rows(struct job *j, const void *body, size_t len);

#endif
