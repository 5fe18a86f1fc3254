/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * ICertAdminD and ICertAdminD2 at the CA's port: the arguments of a call
 * stay unread until ca has said that this caller may make it.
 */
#ifndef CERTSRVD_ADMIN_RPC_H
#define CERTSRVD_ADMIN_RPC_H

#include "front.h"

struct admin_rpc;

/* Adds the interfaces to f->rpc. */
int admin_rpc_new(
    struct admin_rpc **out, struct front *f, struct ae_err *e) AE_MUST_CHECK;
/* Is it a call on one of them?  Then it is dealt with. */
bool admin_rpc_call(
    struct admin_rpc *r, struct ae_run_conn *c, const struct ae_rpc_call *call);
/* MSG_MANAGE_MAY and MSG_MANAGED, from ca. */
int admin_rpc_may(
    struct admin_rpc *r, struct ae_ipc_msg *m, struct ae_err *e) AE_MUST_CHECK;
int admin_rpc_done(
    struct admin_rpc *r, struct ae_ipc_msg *m, struct ae_err *e) AE_MUST_CHECK;
/* ca is gone: what it had in hand fails. */
void admin_rpc_down(struct admin_rpc *r);

#endif
