/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What settings are made of.  For lib/policy itself.
 */
#ifndef AE_POLICY_SETTINGS_INT_H
#define AE_POLICY_SETTINGS_INT_H

#include "policy/registry.h"
#include "policy/settings.h"

#define AE_SERVERS_KEY \
	"Software\\Policies\\Microsoft\\Cryptography\\PolicyServers"

/* servers.c: the list as the registry has it, not yet judged. */
int ae_settings_take_servers(struct ae_settings *s, const struct ae_registry *r,
    struct ae_err *e) AE_MUST_CHECK;

#endif
