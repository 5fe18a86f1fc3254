/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What SSSD's settings (sssd.conf(5)) say of its domains.  A reader for
 * diagnose: it takes what it understands and passes over the rest.
 */
#ifndef AE_DIAG_SSSD_CONF_H
#define AE_DIAG_SSSD_CONF_H

#include <stdbool.h>
#include <stddef.h>

#define AE_SSSD_DOMAINS_MAX 16u
#define AE_SSSD_NAME_MAX 256u

struct ae_sssd_domain {
	char name[AE_SSSD_NAME_MAX]; /* of [domain/NAME], cut when longer */
	char provider[64]; /* id_provider: "ad", "ldap"; "" when unsaid */
	/* It renews the machine account's password, as it does for "ad"
	 * unless ad_maximum_machine_account_password_age is 0. */
	bool renews_password;
};

/*
 * The domains that are switched on – in "domains" of [sssd], or all when that
 * is missing – in the file's order; how many.
 */
size_t ae_sssd_domains(
    struct ae_sssd_domain v[AE_SSSD_DOMAINS_MAX], const char *text);

#endif
