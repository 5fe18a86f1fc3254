/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the transports to a CA share.  For lib/run itself.
 */
#ifndef AE_RUN_CA_IMPL_H
#define AE_RUN_CA_IMPL_H

#include "run/ca_client.h"
#include "run/dcom_conn.h"

/* Room for a request: its blob, its strings, and NDR around them. */
#define AE_RUN_CA_STUB_MAX (AE_WCCE_REQUEST_MAX + 64 * 1024)

struct ae_run_ca {
	struct ae_run_ca_config config; /* pointers are to the copies below */
	char *host;
	char *authority;
	struct ae_run_addrs addrs; /* n 0: not looked up */
	int64_t deadline;	   /* of this question */
	struct ae_run_trace trace;
	struct ae_run_attempt attempts[AE_RUN_TRANSPORTS];
	size_t nattempts;
	struct ae_dcom_seen seen[AE_DCOM_CLIENT_SEEN_MAX];
	size_t nseen;
	uint32_t hint;
	bool in_doubt; /* the last question may have been acted on */
	/* Connections that stand; NULL: none. */
	struct ae_run_rpc *icpr;
	struct ae_run_dcom dcom;
};

/* One transport. */
struct ae_run_ca_way {
	const char *name;
	/*
	 * Connect if need be, and ask; rq->iface and opnum are for it to set.
	 * After a failure *acted says that the CA may have acted on it.
	 */
	int (*ask)(struct ae_run_ca *ca, struct ae_wcce_request *rq,
	    struct ae_wcce_reply *reply, struct ae_arena *a, bool *acted,
	    struct ae_err *e);
	/* politely: take leave of the server first. */
	void (*close)(struct ae_run_ca *ca, bool politely);
};

extern const struct ae_run_ca_way ae_run_ca_dcom;
extern const struct ae_run_ca_way ae_run_ca_icpr;

/* A target with all that does not depend on the interface; port is the
 * resolver's. */
struct ae_run_target ae_run_ca_target(struct ae_run_ca *ca);

/* After a failed call of a method: may the CA have acted? */
bool ae_run_ca_acted(const struct ae_run_reply *r);

#endif
