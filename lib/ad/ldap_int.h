/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The inside of a connection, shared by the files that talk to libldap.
 */
#ifndef AE_AD_LDAP_INT_H
#define AE_AD_LDAP_INT_H

#include <ldap.h>
#include <sys/time.h>

#include "ad/ad.h"

#define AE_AD_OID_SD_FLAGS "1.2.840.113556.1.4.801"

struct ae_ad {
	LDAP *ld;
	char *host;
	char *pks_dn;
	struct ae_ad_root root;
	struct timeval timeout;
	struct ldap_conncb connected; /* libldap keeps a pointer to it */
	uint32_t hresult;	      /* of the last failure */
};

/* Record what the server said about result code and return ours. */
int ae_ad_fail(struct ae_ad *ad, int code, struct ae_err *e, const char *fmt,
    ...) AE_PRINTF(4, 5);

/*
 * An LDAP_SERVER_SD_FLAGS control (MS-ADTS 3.1.1.3.4.1.11) for owner, group
 * and DACL as flags say; ldap_control_free it.
 */
int ae_ad_sd_flags(LDAPControl **out, int flags, struct ae_err *e);

#endif
