/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What ca counts, and prints for whoever watches the CA.
 */
#ifndef CERTSRVD_CA_METRICS_H
#define CERTSRVD_CA_METRICS_H

#include "ca.h"
#include "metrics.h"

#define METRICS_FILE_MS 15000

struct ca_metrics *ca_metrics_new(void); /* NULL: no memory */

void metrics_decided(struct job *j);
void metrics_took(struct job *j); /* it is being answered */
void metrics_revoked(struct ca *ca, bool release);
void metrics_peer_down(struct ca *ca, const struct peer *peer);
/* Is the file due? */
void metrics_tick(struct ca *ca);
ae_ipc_handler on_figures, on_metrics;

#endif
