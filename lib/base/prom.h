/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Prometheus' text exposition format (version 0.0.4), as node_exporter's
 * textfile collector reads it.
 */
#ifndef AE_BASE_PROM_H
#define AE_BASE_PROM_H

#include <stddef.h>
#include <stdint.h>

#include "base/wr.h"

struct ae_prom_label {
	const char *name;  /* [a-zA-Z_][a-zA-Z0-9_]* */
	const char *value; /* anything; NULL and what is not UTF-8: empty */
};

/* HELP and TYPE ("gauge", "counter", …); its samples must follow at once. */
void ae_prom_head(
    struct ae_wr *w, const char *name, const char *type, const char *help);
/* The same for a gauge. */
void ae_prom_gauge(struct ae_wr *w, const char *name, const char *help);

void ae_prom_sample(struct ae_wr *w, const char *name,
    const struct ae_prom_label *labels, size_t n, int64_t value);

#endif
