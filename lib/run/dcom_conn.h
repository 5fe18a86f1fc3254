/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A class activated on a host and ready to be called: makes the connections
 * and calls that dcom/client.h wants.  Blocks; see rpc_client.h.  The calls of
 * the application's methods are the caller's, on rpc and client.
 */
#ifndef AE_RUN_DCOM_CONN_H
#define AE_RUN_DCOM_CONN_H

#include "dcom/client.h"
#include "run/rpc_client.h"

#define AE_RUN_DCOM_IFACES_MAX 16

/* Zeroed is closed. */
struct ae_run_dcom {
	struct ae_run_rpc *rpc;
	struct ae_dcom_client *client; /* READY while rpc stands */
	/* inside: */
	struct ae_run_target target;
	struct ae_rpc_syntax ifaces[AE_RUN_DCOM_IFACES_MAX];
	size_t nifaces;
};

/*
 * Connect and activate what c says (its cid is set here), unless that stands
 * already.  Of t the addresses, credential, deadlines, trace and the
 * resolver's port (0: 135) count; what it points to must outlive d.
 */
int ae_run_dcom_open(struct ae_run_dcom *d, const struct ae_run_target *t,
    struct ae_dcom_client_config *c, struct ae_err *e) AE_MUST_CHECK;

/* politely: give the references back first. */
void ae_run_dcom_close(struct ae_run_dcom *d, bool politely);

#endif
