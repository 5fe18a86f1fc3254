/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * When a CRL, base or delta, is due, and what times stand in it.  Signing and
 * writing are others' work.
 */
#ifndef AE_CA_CRLPLAN_H
#define AE_CA_CRLPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"

struct ae_cert;

struct ae_ca_crl_config {
	const struct ae_cert *cert; /* the CA certificate; its key signs */
	int64_t period;		    /* to the next publication; a week */
	int64_t overlap;	    /* validity beyond that; 0: a tenth */
	int64_t clock_skew;
	uint16_t key_index; /* CERTSRV_CA_VERSION, MS-WCCE note 87 */
	uint16_t cert_index;
};

struct ae_ca_crl_plan {
	int64_t this_update;
	int64_t next_update;  /* in the CRL */
	int64_t next_publish; /* 1.3.6.1.4.1.311.21.4 and our own timer */
};

/* The times of a CRL made now, within the CA certificate's validity. */
void ae_ca_crl_times(struct ae_ca_crl_plan *out,
    const struct ae_ca_crl_config *cfg, int64_t now);

/*
 * Must a new one be made?  last is the newest one's times or NULL;
 * revoked_since: something was revoked after it and is to be told at once.
 * *why (may be NULL) is set to a static sentence.
 */
bool ae_ca_crl_due(const struct ae_ca_crl_config *cfg,
    const struct ae_ca_crl_plan *last, bool revoked_since, int64_t now,
    const char **why);

/*
 * Is it late?  It should have been replaced when it was due, and half of the
 * time from there to its end is over: somebody has to look.
 */
bool ae_ca_crl_alarm(const struct ae_ca_crl_plan *last, int64_t now);

#endif
