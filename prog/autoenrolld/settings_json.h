/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The settings in force as JSON: what "policy show" and the reports print.
 */
#ifndef AE_CLIENT_SETTINGS_JSON_H
#define AE_CLIENT_SETTINGS_JSON_H

#include <jansson.h>

#include "policy/settings.h"

/*
 * { "aepolicy": 7, "aepolicy_set", "text", "source", "gpo",
 *   "expiry_percent", "log_level", "gpos": [ {name, dn, scope, enforced,
 *   verdict, text, detail} ], "policy_servers": [...] }.  New reference.
 */
json_t *settings_to_json(const struct ae_settings *s);

#endif
