/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How the last question to a CA went, as JSON: one object an attempt.
 */
#ifndef AE_CLIENT_ATTEMPTS_H
#define AE_CLIENT_ATTEMPTS_H

#include <jansson.h>

#include "run/ca_client.h"

/*
 * [ { "ca", "transport", "error" (absent: it answered), "stages": [
 *     { "stage", "what", "ms", "error" } ] } ].  New reference.
 */
json_t *attempts_to_json(const struct ae_run_ca *ca, const char *config);

#endif
