/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Asks a CA: over DCOM (ICertRequestD2, else ICertRequestD), then over plain
 * RPC (ICertPassage).  Each attempt keeps its own error, so that the last
 * one never hides the first.  Blocks; see rpc_client.h.
 */
#ifndef AE_RUN_CA_CLIENT_H
#define AE_RUN_CA_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "dcom/types.h"
#include "run/rpc_client.h"
#include "wcce/request.h"

struct ae_gss_cred;
struct ae_run_ca;

enum ae_run_transport {
	AE_RUN_DCOM,
	AE_RUN_ICPR,
};
#define AE_RUN_TRANSPORTS 2

/* "dcom", "icpr" */
const char *ae_run_transport_name(enum ae_run_transport t);

/*
 * What one host was asked on the way to its CA and need not be asked again:
 * filled in by those who ask it, for the next ae_run_ca.  Zeroed: nothing; and
 * forgotten when what was known does not lead to the CA.
 */
struct ae_run_ca_known {
	struct ae_dcom_version com; /* by ServerAlive2 */
	uint16_t icpr_port;	    /* by the endpoint mapper */
	struct ae_run_addrs addrs;  /* by the resolver */
};

/* Copied, except cred and known, which must outlive the ae_run_ca. */
struct ae_run_ca_config {
	const char *host;	  /* the CA's dNSHostName, also for its SPNs */
	const char *authority;	  /* the CA's name */
	struct ae_gss_cred *cred; /* a client's */
	bool no_dcom;		  /* leave that transport out */
	bool no_icpr;
	/*
	 * Not 0: DCOM at this level, whatever the CA's host hints, after an
	 * activation at PRIVACY: for whoever wants to know what is demanded.
	 */
	enum ae_rpc_level only_level;
	uint16_t resolver_port;	       /* 0: 135 */
	uint32_t call_ms;	       /* one call: 60 s */
	uint32_t total_ms;	       /* one ae_run_ca_ask: 180 s */
	struct ae_run_ca_known *known; /* NULL, or the caller's */
};

/* Connects to nobody yet.  AE_EINVAL: neither transport, or no host. */
int ae_run_ca_new(struct ae_run_ca **out, const struct ae_run_ca_config *config,
    struct ae_err *e) AE_MUST_CHECK;

/* Gives DCOM references back and closes. */
void ae_run_ca_free(struct ae_run_ca *ca);

/*
 * One question and its answer.  rq says what is asked by rq->call and the
 * members that belong to it; iface, opnum and authority are filled in here,
 * by what the CA speaks: rq->serial and FULLRESPONSE need ICertRequestD2 and
 * are left out otherwise; properties need D2, Ping and GetCACert DCOM.
 * What the answer points to lives in a.
 *
 * AE_OK: the CA answered; reply->hresult may still be an error of its own.
 * Otherwise nobody answered and *e is the story of all attempts; rc and
 * number are the first one's.  A transport is given up for the next only
 * while the CA cannot have acted on the request: a submission whose answer
 * was lost is an error (AE_EREMOTE), never sent a second time.
 *
 * The connection stays for further questions.
 */
int ae_run_ca_ask(struct ae_run_ca *ca, struct ae_wcce_request *rq,
    struct ae_wcce_reply *reply, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* The attempts of the last ae_run_ca_ask, in order. */
struct ae_run_attempt {
	enum ae_run_transport transport;
	struct ae_err err;  /* rc AE_OK: this one answered; always the last */
	size_t first_stage; /* its stages are trace.v[first..first + n) */
	size_t nstages;
};

const struct ae_run_attempt *ae_run_ca_attempts(
    const struct ae_run_ca *ca, size_t *n);

/*
 * After a failed ae_run_ca_ask: the request may have reached the CA all the
 * same, and only the answer was lost.
 */
bool ae_run_ca_in_doubt(const struct ae_run_ca *ca);

/*
 * The bindings that the CA's host named when it was last activated over DCOM,
 * also when the way ended behind that; see dcom/client.h.
 */
struct ae_dcom_seen;
const struct ae_dcom_seen *ae_run_ca_bindings(
    const struct ae_run_ca *ca, size_t *n);

/* What its last activation hinted at (dcom/client.h); 0: nothing. */
uint32_t ae_run_ca_hint(const struct ae_run_ca *ca);

/* Stages of the last ae_run_ca_ask; a connection that stood has none. */
const struct ae_run_trace *ae_run_ca_trace(const struct ae_run_ca *ca);

#endif
