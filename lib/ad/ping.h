/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The LDAP ping: the question every DC answers without authentication, and
 * its answer (MS-ADTS 6.3.3, 6.3.1.9).  Pure; nothing in it is trusted
 * beyond choosing whom to ask next.
 */
#ifndef AE_AD_PING_H
#define AE_AD_PING_H

#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"

/* DS_FLAG bits, MS-ADTS 6.3.1.2 */
#define AE_AD_DS_PDC UINT32_C(0x00000001)
#define AE_AD_DS_GC UINT32_C(0x00000004)
#define AE_AD_DS_LDAP UINT32_C(0x00000008)
#define AE_AD_DS_DS UINT32_C(0x00000010)
#define AE_AD_DS_KDC UINT32_C(0x00000020)
#define AE_AD_DS_CLOSEST UINT32_C(0x00000080)
#define AE_AD_DS_WRITABLE UINT32_C(0x00000100)

#define AE_AD_NAME_MAX 256

struct ae_ad_ping {
	uint32_t flags;
	struct ae_guid domain_guid;
	char forest[AE_AD_NAME_MAX];
	char domain[AE_AD_NAME_MAX];
	char host[AE_AD_NAME_MAX];
	char netbios_domain[AE_AD_NAME_MAX];
	char netbios_host[AE_AD_NAME_MAX];
	char dc_site[AE_AD_NAME_MAX];
	char client_site[AE_AD_NAME_MAX]; /* "" when no subnet matches */
};

/*
 * The value of the rootDSE attribute netlogon.  AE_EPROTO: another kind of
 * answer, bad lengths or name compression, names that are no names.
 */
int ae_ad_ping_decode(struct ae_ad_ping *out, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
