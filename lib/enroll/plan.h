/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * plan: what this principal should do about its certificates, and for every
 * template the ordered reasons.  A pure function: it asks for nothing, reads
 * no clock, and is told everything.  What --dry-run, templates --explain and
 * diagnose print are the reasons found here, so that the explanation is the
 * decision.
 *
 * The rules follow MS-CRTD 2.4-2.28, MS-WCCE 3.1.2 and the documented
 * behaviour of Windows' client; doc/enroll.md lists them in order.
 */
#ifndef AE_ENROLL_PLAN_H
#define AE_ENROLL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/enrollment_service.h"
#include "ad/sd.h"
#include "ad/template.h"
#include "base/arena.h"
#include "base/err.h"
#include "enroll/inventory.h"
#include "enroll/keyspec.h"
#include "policy/settings.h" /* AE_POLICY_* */

enum ae_context {
	AE_CONTEXT_MACHINE,
	AE_CONTEXT_USER,
};

enum ae_verdict {
	AE_PASS, /* the check was made and is in order */
	AE_FAIL, /* the check is why the template is not requested */
	AE_WARN, /* worth knowing, does not decide */
};

/* One reason.  check is a stable id such as "template.no-enroll-right". */
struct ae_reason {
	const char *check;
	enum ae_verdict verdict;
	uint16_t event; /* CertEnroll event that reports it, or 0 */
	const char *text;
};

struct ae_reasons {
	struct ae_reason *v;
	size_t n;
};

enum ae_plan_action {
	AE_PLAN_SKIP,	/* not for this principal, or not now */
	AE_PLAN_KEEP,	/* a valid certificate is there */
	AE_PLAN_ENROLL, /* request one */
};

struct ae_plan_item {
	const struct ae_template *tmpl;
	enum ae_plan_action action;
	bool candidate; /* AutoEnroll flag and right, right context: a failing
			   check is news and gets its event */
	struct ae_reasons reasons;
	const struct ae_inv_cert *have; /* what KEEP keeps or ENROLL replaces */
	struct ae_key_spec key;		/* for ENROLL */
	const struct ae_enrollment_service **cas; /* for ENROLL, in order */
	size_t ncas;
};

struct ae_plan {
	bool enabled;		    /* AEPolicy lets templates be requested */
	struct ae_reasons reasons;  /* about the run as a whole */
	struct ae_plan_item *items; /* one a template, in directory order */
	size_t nitems;
	const struct ae_inv_cert **archive; /* superseded or replaced */
	size_t narchive;
};

/* What is known about one CA's certificate before asking it anything. */
enum ae_ca_trust {
	AE_CA_TRUSTED,
	AE_CA_NO_CERT,	   /* pKIEnrollmentService without cACertificate */
	AE_CA_EXPIRED,	   /* or not yet valid */
	AE_CA_NOT_TRUSTED, /* does not chain to a root of the directory */
};

struct ae_plan_ca {
	const struct ae_enrollment_service *service;
	enum ae_ca_trust trust;
	const char *trust_text; /* why not, when not trusted; may be NULL */
};

struct ae_plan_input {
	enum ae_context context;
	bool policy_set; /* AEPolicy exists */
	uint32_t policy; /* its value */
	const struct ae_template *const *templates;
	size_t ntemplates;
	const struct ae_plan_ca *cas;
	size_t ncas;
	const struct ae_token *token; /* the principal and its groups, as AD
					 knows them, and well-known ones */
	struct ae_inventory have;
	const struct ae_providers *providers; /* of this machine; NULL:
						 software alone */
	const char *only; /* consider this template alone, NULL: all */
	bool manual;	  /* asked for by hand: AEPolicy, the AutoEnroll flag
			     and right, and what is there do not matter */
	int64_t now;
};

/*
 * The plan, allocated from a together with all it points to except what the
 * input owns.  AE_ENOMEM or AE_ELIMIT when a is exhausted.
 */
int ae_plan_make(struct ae_plan **out, const struct ae_plan_input *in,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/* The reason that decided an item: its first FAIL, or NULL. */
const struct ae_reason *ae_plan_decisive(const struct ae_plan_item *item);

/* "skip", "keep", "enroll". */
const char *ae_plan_action_name(enum ae_plan_action action);

/* "pass", "fail", "warn". */
const char *ae_verdict_name(enum ae_verdict v);

/*
 * The second at which a certificate is due for replacement: 80 % of its
 * lifetime is over and the template's overlap period has begun, whichever
 * is later (autoenrollment on Windows Server 2003 and later).
 */
int64_t ae_plan_renew_at(
    int64_t not_before, int64_t not_after, int64_t overlap);

#endif
