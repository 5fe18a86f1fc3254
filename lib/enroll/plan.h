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
	/* The name in the text that no setting has: of a CA, another template,
	 * a SID, a certificate.  NULL: none. */
	const char *about;
};

struct ae_reasons {
	struct ae_reason *v;
	size_t n, room;
};

enum ae_plan_action {
	AE_PLAN_SKIP,	/* not for this principal, or not now */
	AE_PLAN_KEEP,	/* a valid certificate is there */
	AE_PLAN_ENROLL, /* request one */
	AE_PLAN_RENEW,	/* request one, signed with the key of have */
};

struct ae_plan_item {
	const struct ae_template *tmpl;
	enum ae_plan_action action;
	bool candidate; /* AutoEnroll flag and right, right context: a failing
			   check is news and gets its event */
	struct ae_reasons reasons;
	/* What KEEP keeps, RENEW renews and ENROLL replaces; NULL: nothing. */
	const struct ae_inv_cert *have;
	bool same_key; /* RENEW: for the key of have, MS-CRTD 2.27 0x80 */
	/* Whose signature the template wants besides; NULL: nobody's. */
	const struct ae_inv_cert *signer;
	/* The same request, made earlier and not answered: send its bytes
	 * again instead of making another.  NULL: none. */
	const struct ae_inv_request *resume;
	struct ae_key_spec key;			  /* ENROLL, RENEW */
	const struct ae_enrollment_service **cas; /* likewise, in order */
	size_t ncas;
};

/* A certificate that leaves the set in use. */
enum ae_plan_store_what {
	AE_PLAN_ARCHIVE, /* stays in the store, marked */
	AE_PLAN_DELETE,	 /* with its key, if it has one */
};

struct ae_plan_store {
	const struct ae_inv_cert *cert;
	enum ae_plan_store_what what;
	const char *check, *text; /* why */
	/* Only once this item's request was installed in this run; NULL: now.
	 * A pair that still works is never taken away before. */
	const struct ae_plan_item *after;
};

/* A certificate that leaves the directory: a value of userCertificate of the
 * account's own object. */
struct ae_plan_unpublish {
	const struct ae_inv_cert *cert;
	const char *check, *text; /* why */
};

/* A request under way: ask the CA for its outcome, or forget it. */
enum ae_plan_pending_what {
	AE_PLAN_FETCH,
	AE_PLAN_DROP, /* with its key */
};

struct ae_plan_pending {
	const struct ae_inv_request *request;
	enum ae_plan_pending_what what;
	const char *check, *text;	/* why */
	const struct ae_template *tmpl; /* NULL: the directory has it no more */
};

/* Event 64 of AutoEnrollment: about to expire, or expired. */
struct ae_plan_expiring {
	const struct ae_inv_cert *cert;
	const char *text;
	const struct ae_plan_item *unless; /* no news once this is installed;
					      NULL: nothing will replace it */
};

struct ae_plan {
	bool enabled; /* AEPolicy lets anything at all be done */
	uint32_t may; /* which of AE_POLICY_ENROLL, _MANAGE, _PENDING */
	struct ae_reasons reasons;  /* about the run as a whole */
	struct ae_plan_item *items; /* one a template, in directory order */
	size_t nitems;
	/* Carried out in this order: pending, store without after, items,
	 * store with after, unpublish, expiring. */
	struct ae_plan_pending *pending;
	size_t npending;
	struct ae_plan_store *store;
	size_t nstore;
	struct ae_plan_unpublish *unpublish;
	size_t nunpublish;
	struct ae_plan_expiring *expiring;
	size_t nexpiring;
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
	bool ntauth;		/* its certificate is in NTAuthCertificates */
	int64_t not_after;	/* of the trusted one; 0: none */
};

#define AE_PLAN_PENDING_MAX (INT64_C(60) * 86400) /* MaxPendingRequestDays */
#define AE_PLAN_CLOCK_SKEW 300			  /* as Kerberos */
/* How long an expired certificate stays published: as at the CA, MS-WCCE
 * 3.2.2.1.5. */
#define AE_PLAN_UNPUBLISH_AFTER INT64_C(86400)

struct ae_plan_input {
	enum ae_context context;
	bool policy_set; /* AEPolicy exists */
	uint32_t policy; /* its value */
	/* A check of the policy that forbids asking AD for templates, and a
	 * sentence about it; NULL: none. */
	const char *off_check, *off_text;
	const struct ae_template *const *templates;
	size_t ntemplates;
	const struct ae_plan_ca *cas;
	size_t ncas;
	const struct ae_token *token;  /* the principal and its groups, as AD
					  knows them, and well-known ones */
	const struct ae_token *ticket; /* likewise as its ticket has them, to
					  warn of what a CA will see; NULL:
					  not known */
	struct ae_inventory have;
	const struct ae_providers *providers; /* of this machine; NULL:
						 software alone */
	/* The principal's names and SID as the directory has them, to compare
	 * certificates with; NULL: not compared. */
	const char *dns_host_name, *upn;
	const struct ae_sid *sid;
	const char *only;    /* consider this template alone, NULL: all */
	bool manual;	     /* asked for by hand: AEPolicy, the AutoEnroll flag
				and right, and what is there do not matter */
	bool signed_by_hand; /* the signatures that a template asks for are
				brought along (an enrollment agent's) */
	uint32_t expiry_percent; /* OfflineExpirationPercent: warn when no more
				    of the lifetime is left */
	bool unwatched;	     /* OfflineExpirationStoreNames leaves "MY" out */
	int64_t pending_max; /* seconds; 0: AE_PLAN_PENDING_MAX */
	int64_t now;
	/* What a domain controller's clock says at now; 0: nobody asked.  On
	 * a machine whose own clock disagrees nothing is decided by time: no
	 * single bad reading renews or archives everything. */
	int64_t dc_now;
};

/*
 * The plan, allocated from a together with all it points to except what the
 * input owns.  AE_ENOMEM or AE_ELIMIT when a is exhausted.
 */
int ae_plan_make(struct ae_plan **out, const struct ae_plan_input *in,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/* The reason that decided an item: its first FAIL, or NULL. */
const struct ae_reason *ae_plan_decisive(const struct ae_plan_item *item);

/* "skip", "keep", "enroll", "renew". */
const char *ae_plan_action_name(enum ae_plan_action action);

/* "archive", "delete"; "fetch", "drop". */
const char *ae_plan_store_name(enum ae_plan_store_what what);
const char *ae_plan_pending_name(enum ae_plan_pending_what what);

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
