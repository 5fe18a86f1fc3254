/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Figures about the CA.  Each process counts in a struct of its own and
 * tells ca from time to time; ca adds them up and prints them in the text
 * format of Prometheus.  Nothing here names a requester, and what names a
 * template is bounded.
 */
#ifndef CERTSRVD_METRICS_H
#define CERTSRVD_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

/* A figure; metrics.c has its name and what it is. */
enum metric {
	M_CONNECTIONS, /* rpc: now */
	M_HTTP_CONNECTIONS,
	M_HTTP_CRL, /* requests, by what was asked for */
	M_HTTP_AIA,
	M_HTTP_OCSP,
	M_HTTP_OTHER,
	M_HTTP_REFUSED, /* by a limit */
	M_OCSP_GOOD,	/* certificates asked for */
	M_OCSP_REVOKED,
	M_OCSP_UNKNOWN,
	M_OCSP_CACHED, /* answers that needed no signature */
	M_OCSP_ERRORS,
	M_OCSP_SIGNED,
	M_SIGNED, /* by the CA's keys */
	M_SIGNED_CERTS,
	M_RECORDED, /* db: of these, with a row */
	M_REFUSED,  /* to be signed */
	M_KEY_USABLE,
	M_AUTH_OK, /* security contexts */
	M_AUTH_FAILED,
	M_DB_COMMITS,
	M_DB_CHANGES,
	M_COUNT
};

struct metrics {
	uint64_t v[M_COUNT];
};

/* For a message, and out of one: sizes must be ours. */
void metrics_put(struct ae_wr *w, const struct metrics *m);
void metrics_get(struct ae_rd *r, struct metrics *m);
#define METRICS_BYTES (8u * M_COUNT)

/* One process's figures added to a sum: gauges and counters alike. */
void metrics_sum(struct metrics *to, const struct metrics *m);
/* Keep the counters of one that has ended, drop its gauges. */
void metrics_retire(struct metrics *kept, const struct metrics *m);

/* Text: "# HELP", "# TYPE" and the values. */
void metrics_print(struct ae_wr *w, const struct metrics *m);

#define METRICS_PREFIX "certsrvd_"

#endif
