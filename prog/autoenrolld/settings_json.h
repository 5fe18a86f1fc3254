/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Settings as JSON, for reports and "policy show --json".
 */
#ifndef AE_CLIENT_SETTINGS_JSON_H
#define AE_CLIENT_SETTINGS_JSON_H

#include <jansson.h>

#include "policy/settings.h"

/* What is told about the settings as a whole. */
struct settings_shown {
	int64_t read_at;   /* when a domain controller gave them */
	const char *dc;	   /* which */
	const char *why;   /* it was not now; NULL: it was */
	const char *check; /* its id; NULL: none */
	const char *note;  /* about the loopback; NULL: nothing */
};

/* New reference, or NULL when out of memory. */
json_t *settings_to_json(
    const struct ae_settings *s, const struct settings_shown *shown);

#endif
