/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Addresses in certificates, as they were fetched: what the rows about trust
 * want to know of them.  For lib/diag itself.
 */
#ifndef AE_DIAG_CHECK_LINKS_H
#define AE_DIAG_CHECK_LINKS_H

#include "diag/checks.h"

/* Elements of fetched[].answers; NULL: there is none such. */
struct ae_diag_links {
	const json_t *good; /* gave what it should */
	const json_t *bad;  /* did not */
};

/* Of the certificate's addresses for "aia" or "cdp"; those that nobody asked
 * do not count. */
struct ae_diag_links ae_diag_links_of(
    const json_t *facts, const char *thumbprint, const char *use);

/* Part of the row trust.revocation-offline: what was fetched. */
void ae_diag_links_lists(struct ae_diag_walk *w);

/*
 * Is this certificate the last that is known of a CA's chain, is there no
 * issuer of it anywhere, and has a template of ours no certificate for it?
 */
bool ae_diag_trust_waits_for(const json_t *facts, const char *thumbprint);

#endif
