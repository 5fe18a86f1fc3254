/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What plan() is told about the directory: who we are and which groups AD
 * counts us into, the templates, and the CAs with what their certificates
 * are worth.  All over one authenticated, sealed connection.
 */
#ifndef AE_GATHER_DIRECTORY_H
#define AE_GATHER_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include "ad/ad.h"
#include "ad/pki.h"
#include "ad/principal.h"
#include "base/arena.h"
#include "base/err.h"
#include "enroll/plan.h"
#include "gather/revocation.h"
#include "pki/der.h"

struct ae_directory {
	struct ae_principal *me;
	struct ae_token *token; /* AD's groups and the well-known ones */
	struct ae_pki *pki;
	const struct ae_template **templates; /* pki's, for plan's input */
	struct ae_plan_ca *cas;		      /* one a pki->services */
	struct ae_der *roots, *others;	      /* borrowed from pki */
	size_t nroots, nothers;
	struct ae_revocation *lists; /* NULL: not read */
	struct ae_octetsv published; /* userCertificate of me */
	int64_t dc_now;		     /* the DC's clock */
	struct ae_arena *arena;	     /* not yours */
};

/*
 * Who the principal of a ticket ("PC1$@EXAMPLE.COM") is, and its token:
 * enough to choose its group policy.  The name is that of an account, or a
 * userPrincipalName, with which people may log in as well.  The rest is
 * empty until ae_directory_load.
 */
int ae_directory_open(struct ae_directory **out, struct ae_ad *ad,
    const char *principal, struct ae_err *e) AE_MUST_CHECK;

/*
 * Read the templates, CAs and anchors, and judge the CAs at time now; with
 * lists the revocation lists, too, and with published – or where a template
 * asks about it – what the directory publishes for us, for which the lists
 * are read as well.  Objects that are malformed are left out
 * (pki->refused names them).
 */
int ae_directory_load(struct ae_directory *d, struct ae_ad *ad, bool lists,
    bool published, int64_t now, struct ae_err *e) AE_MUST_CHECK;

/*
 * Take n of the published certificates, by their place in d->published, out
 * of our own object: these very values, whatever else was added meanwhile.
 * All or none; AE_ENOTFOUND: one is gone already.
 */
int ae_directory_unpublish(struct ae_directory *d, struct ae_ad *ad,
    const size_t *which, size_t n, struct ae_err *e) AE_MUST_CHECK;
void ae_directory_free(struct ae_directory *d);

/* PEM of octet strings that parse as certificates, appended. */
void ae_directory_put_pem(struct ae_wr *w, const struct ae_octetsv *v);

#endif
