/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A CA's properties, for the probe of the way to it; the facts are in
 * probe_said.c.
 */
#ifndef AE_CLI_PROBE_SAID_H
#define AE_CLI_PROBE_SAID_H

#include "probe.h"
#include "run/ca_client.h"

/* A property that is text, in a; NULL with *e: the CA does not say. */
char *probe_said_text(
    struct ae_run_ca *ca, int32_t id, struct ae_arena *a, struct ae_err *e);

/* All the rest that the checks want to know. */
void probe_said(struct probe *p, struct ae_run_ca *ca, struct ae_arena *a);

#endif
