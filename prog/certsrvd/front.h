/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the processes with a network port share (rpc135 and rpc): the server
 * of lib/run, and security contexts that auth makes for them.
 */
#ifndef CERTSRVD_FRONT_H
#define CERTSRVD_FRONT_H

#include <stddef.h>
#include <stdint.h>

#include "accounts.h"
#include "base/err.h"
#include "dcom/exporter.h"
#include "role.h"
#include "rpc/server.h"
#include "run/rpc_server.h"

struct front;

/* What one of them does with calls and names. */
struct front_ops {
	void (*call)(struct front *f, struct ae_run_conn *c,
	    const struct ae_rpc_call *call);
	/* A context that was complete is gone.  May be NULL. */
	void (*forget)(struct front *f, uint64_t name);
};

/* A token that auth has not answered yet. */
struct front_auth {
	uint32_t conn, auth;
};

struct front {
	struct proc *p;
	const struct front_ops *ops;
	struct ae_rpc_server *rpc;
	struct ae_run_server *run;
	struct ae_dcom_exporter *dcom;
	struct ae_gss_warm *warm;
	struct holders *holders; /* whose contexts there are */
	struct front_auth *pending;
	size_t npending, cap;
	bool told;  /* why the connection at hand is refused */
	void *data; /* the owner's */
};

/* The rows of auth's channel. */
extern const struct ae_ipc_row front_auth_rows[];

/* Before the sandbox: memory and what Kerberos wants to read. */
int front_open(struct front *f, struct proc *p, const struct front_ops *ops,
    const char *sec_addr, struct ae_err *e) AE_MUST_CHECK;
/* In the sandbox: begin to listen. */
int front_start(struct front *f, struct ae_err *e) AE_MUST_CHECK;
/* auth is gone: what it had in hand fails. */
void front_auth_down(struct front *f);
void front_stop(struct front *f);

/* What is on both ports: mgmt and DCOM's own interfaces.  False: not these. */
bool front_common(
    struct front *f, struct ae_run_conn *c, const struct ae_rpc_call *call);

#endif
