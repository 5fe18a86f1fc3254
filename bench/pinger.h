/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A client's ping set (MS-DCOM 3.2.4.1.5) at a host's object resolver: made
 * by ComplexPing, kept by SimplePing, over a connection of its own.
 */
#ifndef BENCH_PINGER_H
#define BENCH_PINGER_H

#include "run/rpc_client.h"

struct pinger;

/* addrs are host's; all are borrowed, cred for the pinger's life. */
int pinger_new(struct pinger **out, const char *host,
    const struct ae_run_addrs *addrs, struct ae_gss_cred *cred,
    struct ae_err *e) AE_MUST_CHECK;
int pinger_ping(struct pinger *p, struct ae_err *e) AE_MUST_CHECK;
void pinger_free(struct pinger *p);

#endif
