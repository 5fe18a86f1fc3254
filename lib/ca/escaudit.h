/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The catalogue of known ways to misuse a certification authority's objects
 * in the directory (ESC1 to ESC17), held against the objects as they are.
 * Pure.  A finding says what somebody without power could do today, and how
 * that is taken away; none is found in a forest as "certsrv setup" makes it.
 */
#ifndef AE_CA_ESCAUDIT_H
#define AE_CA_ESCAUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/enrollment_service.h"
#include "ad/sd.h"
#include "ad/template.h"
#include "base/err.h"

/* Any object of the PKI with a descriptor. */
struct ae_esc_object {
	const char *dn;
	const char
	    *what; /* "NTAuthCertificates", "the CA's computer account" */
	const struct ae_sd *sd;
	const struct ae_sid *own; /* may do everything with it; or NULL */
};

/* An issuance policy that makes who has it a member of a group (ESC13). */
struct ae_esc_link {
	const char *oid;
	const char *group; /* DN */
};

struct ae_esc_in {
	struct ae_template *const *templates;
	size_t ntemplates;
	struct ae_enrollment_service *const *services;
	size_t nservices;
	const struct ae_esc_object *objects;
	size_t nobjects;
	const struct ae_esc_link *links;
	size_t nlinks;
	const struct ae_sd *ca_sd; /* of this CA itself; NULL: not looked at */
	/*
	 * Who counts as powerful besides SYSTEM, the administrators' groups,
	 * domain controllers and Cert Publishers of every domain.
	 */
	const struct ae_sid *trusted;
	size_t ntrusted;
};

#define AE_ESC_TEXT_MAX 256

struct ae_esc_finding {
	const char *esc;    /* "ESC1" */
	const char *object; /* borrowed: DN, or "this CA" */
	const char *name;   /* borrowed: the template's cn, or NULL */
	bool has_who;
	struct ae_sid who;
	char what[AE_ESC_TEXT_MAX]; /* what can be done */
	char fix[AE_ESC_TEXT_MAX];  /* a command where there is one; WHO stands
				       for who */
};

struct ae_esc_findings {
	struct ae_esc_finding *v;
	size_t n;
};

/* Templates: what they let people ask for (ESC1-3, 9, 13, 15, 17). */
int ae_esc_templates(struct ae_esc_findings *out, const struct ae_esc_in *in,
    struct ae_err *e) AE_MUST_CHECK;

/* Permissions: who may change what (ESC4, 5, 7), and open doors (ESC8). */
int ae_esc_permissions(struct ae_esc_findings *out, const struct ae_esc_in *in,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * What a template as such lets its requesters do, whoever they are: one
 * sentence with the number of the weakness that is gravest, NULL: nothing
 * that this CA would go along with.
 */
const char *ae_esc_template_danger(const struct ae_template *t);

void ae_esc_findings_done(struct ae_esc_findings *f);

/*
 * Is this value of altSecurityIdentities a strong mapping (MS-PKCA
 * 3.1.5.2.1.5: issuer and serial number, key identifier, SHA-1 of the key)?
 * Values that do not begin with "X509:" map no certificates: strong.
 */
bool ae_esc_mapping_is_strong(const char *value);

/* ESC numbers that this CA has no switch for, with the reason, one a row. */
struct ae_esc_absent {
	const char *esc, *why;
};
extern const struct ae_esc_absent ae_esc_absent[]; /* ends with NULL */

#endif
