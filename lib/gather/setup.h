/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The directory's part of setting up an Enterprise CA: from a forest that
 * has never seen one, or next to what is there.  Everything is looked at
 * first and changed only where it differs, so that a second run changes
 * nothing; what somebody else made is completed, never replaced.
 */
#ifndef AE_GATHER_SETUP_H
#define AE_GATHER_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/ad.h"
#include "base/err.h"
#include "gather/sysvol.h"

/* An issuer above the CA. */
struct ae_setup_above {
	const char *object; /* sanitized short name */
	struct ae_value cert;
	bool root; /* trusted: goes to Certification Authorities */
};

struct ae_setup {
	struct ae_ad *ad; /* as Enterprise Admin */
	bool dry_run;	  /* look, say, change nothing */

	/* The CA. */
	const char *ca_name;	/* display name: its common name */
	const char *ca_object;	/* sanitized short name: cn of its objects */
	const char *ca_subject; /* cACertificateDN: the subject as text */
	const char *host;	/* DNS name of the CA host */
	const char *account;	/* its account: "CA1$" */
	const struct ae_value *certs; /* the CA's certificates, DER */
	size_t ncerts;
	bool root; /* self-signed: goes to Certification Authorities too */
	/* Of the keys after the first: "(2)"; ends with NULL; NULL: none. */
	const char *const *key_suffixes;
	const struct ae_value *cross; /* CertificatePairs between its keys */
	size_t ncross;
	const struct ae_setup_above *above; /* issuers of a subordinate CA */
	size_t nabove;

	/* What else. */
	bool templates; /* default templates, and offer them */
	/*
	 * Let computers enroll for ComputerLogon by themselves.  It needs a
	 * userPrincipalName on every computer account; those without one
	 * are denied, again and again.
	 */
	bool machine_logon;
	bool gpo; /* the auto-enrollment policy, linked to the domain */
	struct ae_gather_sysvol sysvol; /* for the policy's files */
};

enum ae_setup_action {
	AE_SETUP_CREATE, /* made, or would be */
	AE_SETUP_CHANGE, /* changed, or would be */
	AE_SETUP_KEEP,	 /* as it should be */
	AE_SETUP_LEAVE,	 /* somebody's own: different, and left so */
};

/* In the order things happened. */
struct ae_setup_step {
	enum ae_setup_action action;
	char *what;   /* a DN, a file, a link */
	char *detail; /* which attributes, why; NULL: nothing to say */
};

struct ae_setup_report {
	struct ae_setup_step *v;
	size_t n;
	size_t changes; /* creates and changes among them */
};

/*
 * Do it.  *report is filled as far as things went, on failure too; release
 * it in either case.
 */
int ae_setup_directory(struct ae_setup_report *report, const struct ae_setup *s,
    struct ae_err *e) AE_MUST_CHECK;
void ae_setup_report_done(struct ae_setup_report *report);

/* "create", "change", "keep", "leave" */
const char *ae_setup_action_name(enum ae_setup_action a);

#endif
