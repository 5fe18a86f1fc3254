/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Public Key Services: what a forest's directory says about its PKI, read
 * as one snapshot, and whether it has changed since (MS-WCCE 2.2.2.11,
 * 3.2.2.1).
 */
#ifndef AE_AD_PKI_H
#define AE_AD_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/ad.h"
#include "ad/enrollment_service.h"
#include "ad/template.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

/* What to read. */
#define AE_PKI_TEMPLATES 0x01u
#define AE_PKI_SERVICES 0x02u
#define AE_PKI_NTAUTH 0x04u
#define AE_PKI_ROOTS 0x08u /* Certification Authorities */
#define AE_PKI_AIA 0x10u
#define AE_PKI_KRA 0x20u
#define AE_PKI_OIDS 0x40u
#define AE_PKI_ALL 0x7fu

/* An object under CN=OID. */
struct ae_pki_oid {
	char *oid;	    /* msPKI-Cert-Template-OID */
	char *display_name; /* NULL: none */
	uint32_t flags;	    /* 1 template, 2 issuance policy, 3 application */
	char *group;	    /* msDS-OIDToGroupLink: a DN; NULL: none */
	/*
	 * The SID of that group, as text.  Not of the object: whoever knows
	 * where to ask for the group sets it (prog/certsrvd/ad_links.c).
	 * NULL: it is not known.
	 */
	char *group_sid;
};

/* An object that was not understood, so that it can be shown. */
struct ae_pki_refused {
	char *dn;
	char *why;
};

struct ae_pki {
	unsigned int parts; /* AE_PKI_* that were read */
	struct ae_template **templates;
	size_t ntemplates;
	struct ae_enrollment_service **services;
	size_t nservices;
	/* Certificates in DER as stored, not judged. */
	struct ae_octetsv ntauth, roots, aia, kra;
	struct ae_pki_oid *oids;
	size_t noids;
	struct ae_pki_refused *refused;
	size_t nrefused;
};

/*
 * Read the parts.  A container that is not there is an empty one (a fresh
 * Samba domain has no NTAuthCertificates); an object that is malformed is
 * left out whole and listed in refused.
 */
int ae_ad_pki_read(struct ae_pki **out, struct ae_ad *ad, unsigned int parts,
    struct ae_err *e) AE_MUST_CHECK;
void ae_pki_free(struct ae_pki *p);

/*
 * Another domain controller may not know yet what one knew before.  Where
 * the snapshot before has a template or an enrollment service in a version
 * that was changed later (whenChanged) than now's, it takes its place in now
 * – the two are exchanged – and fn is told its DN.  How many.  An object that
 * one of them does not have is left as it is.
 */
typedef void ae_pki_kept_fn(void *arg, const char *dn);
size_t ae_pki_keep_newer(
    struct ae_pki *now, struct ae_pki *before, ae_pki_kept_fn *fn, void *arg);

#define AE_PKI_ENCODED_MAX (16u * 1024u * 1024u)

/* A form for our own processes to pass on; get is as strict as read. */
void ae_pki_put(struct ae_wr *w, const struct ae_pki *p);
int ae_pki_get(
    struct ae_pki **out, struct ae_rd *r, struct ae_err *e) AE_MUST_CHECK;

/*
 * Where we stand with one DC.  USNs of one DC mean nothing at another, so a
 * changed DC is a change.  Zeroed: has seen nothing.
 */
struct ae_pki_mark {
	uint64_t usn;	  /* highestCommittedUSN */
	uint64_t objects; /* fingerprint over DN and uSNChanged of each */
	uint64_t dc;	  /* fingerprint of the DC's nTDSDSA name */
};

/*
 * Has anything under Public Key Services been added, changed or deleted
 * since *mark was last given here?  One rootDSE read when the DC has
 * committed nothing, else one more search for numbers only.  *mark is
 * brought up to date.  Call it before the read it decides about.
 */
int ae_ad_pki_changed(bool *changed, struct ae_pki_mark *mark, struct ae_ad *ad,
    struct ae_err *e) AE_MUST_CHECK;

#endif
