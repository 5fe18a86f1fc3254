/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * OpenView, EnumView and CloseView.  A view belongs to the security context
 * that opened it and ends with it.
 */
#ifndef CERTSRVD_ADMIN_VIEW_H
#define CERTSRVD_ADMIN_VIEW_H

#include "admin.h"

void admin_view_free(struct admin_view *v);
void admin_open_view(struct manage *m);
void admin_enum_view(struct manage *m);
void admin_close_view(struct manage *m);

/* The call that fetched rows has failed: one that was to open it did not. */
void admin_view_failed(struct known *k);

/* MSG_DB_ROWS */
int on_db_rows(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);

#endif
