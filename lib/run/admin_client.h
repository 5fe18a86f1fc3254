/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Administers a CA over DCOM: ICertAdminD2, sealed, with the administrator's
 * own ticket.  Blocks; see rpc_client.h.
 */
#ifndef AE_RUN_ADMIN_CLIENT_H
#define AE_RUN_ADMIN_CLIENT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "wcce/admin.h"

struct ae_gss_cred;
struct ae_run_admin;

/* Copied, except cred, which must outlive it. */
struct ae_run_admin_config {
	const char *host;	  /* the CA's dNSHostName, also for its SPNs */
	const char *authority;	  /* the CA's name */
	struct ae_gss_cred *cred; /* a client's */
	uint16_t resolver_port;	  /* 0: 135 */
};

int ae_run_admin_new(struct ae_run_admin **out,
    const struct ae_run_admin_config *c, struct ae_err *e) AE_MUST_CHECK;
/* Gives DCOM references back and closes. */
void ae_run_admin_free(struct ae_run_admin *c);

/*
 * One call and its answer; rq->authority is filled in here.  AE_OK: the CA
 * answered, perhaps with an HRESULT.  Otherwise nobody did, or not in a way
 * that makes sense; the CA may have acted on it.  What the answer points to
 * lives in a.  The connection, and a view that is open on it, stays.
 */
int ae_run_admin_ask(struct ae_run_admin *c, struct ae_admin_request *rq,
    struct ae_admin_reply *reply, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

#endif
