/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Looking at a TBSCertList that comes in parts and is never in memory as a
 * whole: everything before the list, any number of parts of whole entries,
 * everything behind.  What is accepted is one TBSCertList, from the first
 * byte to the last; entries have the one form that pki/crl.h writes.
 */
#ifndef AE_PKI_CRL_PARTS_H
#define AE_PKI_CRL_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "pki/crl.h"

struct ae_crl_parts {
	uint64_t left;	    /* bytes of all that are still to come */
	uint64_t list_left; /* bytes of entries among them */
	struct ae_wr rest;  /* all but the list, as it comes */
	size_t entries;
	bool removes;	 /* an entry says removeFromCRL */
	char newest[16]; /* the latest revocation, YYYYMMDDHHMMSS */
	bool begun;
};

/* Zeroed, or after done, is ready. */
void ae_crl_parts_done(struct ae_crl_parts *p);

/* All before the first entry, the list's own header included. */
int ae_crl_parts_head(struct ae_crl_parts *p, const void *der, size_t len,
    uint64_t max, struct ae_err *e) AE_MUST_CHECK;
/* Whole entries. */
int ae_crl_parts_list(struct ae_crl_parts *p, const void *der, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
/*
 * All behind the last entry; what the CRL says of itself, as of
 * ae_crl_parse, with no entries to look at but their number.
 */
int ae_crl_parts_tail(struct ae_crl_parts *p, const void *der, size_t len,
    struct ae_crl **out, struct ae_err *e) AE_MUST_CHECK;

#endif
