/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The remote management interface that answers on every port (C706 appendix
 * Q): interface ids, statistics, "is listening"; stopping is denied.
 */
#ifndef AE_RPC_MGMT_H
#define AE_RPC_MGMT_H

#include <stdint.h>

#include "base/wr.h"
#include "rpc/server.h"

extern const struct ae_rpc_iface ae_rpc_mgmt_iface; /* min_level NONE */

/*
 * Answer one call on ae_rpc_mgmt_iface.  princ_name is what inq_princ_name
 * tells (a service principal name); NULL: none.  Returns 0 with the reply's
 * stub appended to out, or the fault status to send.
 */
uint32_t ae_rpc_mgmt_call(struct ae_rpc_server *s,
    const struct ae_rpc_call *call, const char *princ_name, struct ae_wr *out);

#endif
