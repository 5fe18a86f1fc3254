/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A pKIEnrollmentService object (MS-WCCE 2.2.2.11.2): what the directory
 * says about one Enterprise CA.
 */
#ifndef AE_AD_ENROLLMENT_SERVICE_H
#define AE_AD_ENROLLMENT_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/entry.h"
#include "ad/sd.h"
#include "ad/template.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/str.h"
#include "base/wr.h"

#define AE_ENROLLMENT_SERVICE_ENCODED_MAX (1024u * 1024u)

/* flags; bit names as public tools have them, a stock CA shows 2 | 8 */
#define AE_ES_NO_TEMPLATE_SUPPORT UINT32_C(0x1)
#define AE_ES_SUPPORTS_NT_AUTHENTICATION UINT32_C(0x2)
#define AE_ES_SUPPORTS_MANUAL_AUTHENTICATION UINT32_C(0x4)
#define AE_ES_SERVERTYPE_ADVANCED UINT32_C(0x8)

/* An owned list of octet strings (certificates in DER). */
struct ae_octetsv {
	struct ae_octets *v;
	size_t n;
};

struct ae_enrollment_service {
	char *dn;
	char *cn;	     /* sanitized CA name */
	char *display_name;  /* unsanitized; NULL: none */
	char *dns_host_name; /* NULL: none, then the CA cannot be asked */
	char *ca_certificate_dn;
	uint32_t flags;
	struct ae_strv templates; /* CNs on offer */
	/* DER as stored, not judged; the last is the newest by convention only
	 */
	struct ae_octetsv ca_certificates;
	struct ae_strv enrollment_servers; /* msPKI-Enrollment-Servers, raw */
	struct ae_strv sites;		   /* msPKI-Site-Name: near these */
	struct ae_octets sd_raw;
	struct ae_sd *sd;     /* NULL when none was readable */
	int64_t when_changed; /* INT64_MAX: unknown */
	uint64_t usn_changed; /* 0: unknown */
};

/* The attributes to ask for; ends with NULL. */
extern const char *const ae_enrollment_service_attrs[];

/* As ae_template_decode: all or nothing; cn is indispensable. */
int ae_enrollment_service_decode(struct ae_enrollment_service **out,
    const struct ae_entry *entry, struct ae_err *e) AE_MUST_CHECK;
void ae_enrollment_service_free(struct ae_enrollment_service *s);

void ae_enrollment_service_put(
    struct ae_wr *w, const struct ae_enrollment_service *s);
int ae_enrollment_service_get(struct ae_enrollment_service **out,
    struct ae_rd *r, struct ae_err *e) AE_MUST_CHECK;

/* The CA offers the template with this cn. */
bool ae_enrollment_service_offers(
    const struct ae_enrollment_service *s, const char *template_cn);

#endif
