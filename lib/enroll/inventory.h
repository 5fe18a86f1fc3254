/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What this principal has already: the certificates of its store, the
 * requests under way and what the directory publishes for it, as far as
 * plan() weighs them.  Filled by gather/, plain data, owned by the caller.
 */
#ifndef AE_ENROLL_INVENTORY_H
#define AE_ENROLL_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sid.h"
#include "base/str.h"

/* What a revocation list that can be believed says. */
enum ae_inv_revocation {
	AE_INV_UNKNOWN, /* no list, a stale one, or one nobody vouches for */
	AE_INV_GOOD,	/* a fresh list does not name it */
	AE_INV_HOLD,	/* certificateHold: it may come back */
	AE_INV_REVOKED,
};

struct ae_inv_cert {
	const char *name;	   /* where it is: "Workstation/3" */
	const char *thumbprint;	   /* SHA-1 in lower-case hex */
	const char *friendly_name; /* NULL: none */
	const char *template_oid;  /* from extension 311.21.7; NULL: absent */
	const char *template_name; /* from extension 311.20.2; NULL: absent */
	uint32_t major, minor;	   /* of the template, from 311.21.7 */
	int64_t not_before, not_after;
	bool has_key;		/* the private key is there and matches */
	bool archived;		/* kept, but not current */
	bool trusted;		/* chains to an anchor now */
	const char *trust_text; /* why not, when not trusted; may be NULL */

	enum ae_inv_revocation revocation;
	const char *revoked_why; /* "key compromise" …; NULL: not stated */
	int64_t revoked_at;	 /* since when, for HOLD and REVOKED */
	bool crl_stale; /* a list of its CA is there, but out of date */
	/* Of the newest list that was looked at; 0: there is none. */
	int64_t crl_this_update, crl_next_update;

	bool encrypts; /* its key may decrypt something: never deleted */
	bool has_sid;  /* extension 311.25.2 */
	struct ae_sid sid;
	struct ae_strv dns, upns; /* names it was issued for */
	/* What it may sign for: EKUs and application policies, and issuance
	 * policies, as far as the certificate names any. */
	struct ae_strv usages, policies;
	size_t value; /* published: which value of the attribute it is */
};

enum ae_inv_request_state {
	AE_INV_MADE,	/* kept, but no CA was asked yet */
	AE_INV_ASKED,	/* sent, and no answer is known */
	AE_INV_PENDING, /* the CA holds it under its request id */
	AE_INV_KEPT,	/* a person carries it to a CA: none of our business */
};

/* One request that has not become a certificate yet. */
struct ae_inv_request {
	const char *name;	  /* where it is: "Workstation/1" */
	const char *template_cn;  /* the store's name for its template */
	const char *template_oid; /* NULL: not known */
	const char *ca_config;	  /* "host\\CA" asked last; NULL: none yet */
	const char *renews;	  /* thumbprint of what it renews; NULL: new */
	uint32_t request_id;	  /* with AE_INV_PENDING */
	enum ae_inv_request_state state;
	int64_t submitted; /* when it was made, or sent */
	bool automatic;	   /* made by a run of its own, not by a person */
};

struct ae_inventory {
	const struct ae_inv_cert *certs;
	size_t ncerts;
	const struct ae_inv_request *requests;
	size_t nrequests;
	/* userCertificate of the principal's object: no key is known of. */
	const struct ae_inv_cert *published;
	size_t npublished;
};

/* "unknown", "good", "hold", "revoked". */
const char *ae_inv_revocation_name(enum ae_inv_revocation r);

/* "made", "asked", "pending", "kept". */
const char *ae_inv_request_state_name(enum ae_inv_request_state s);

#endif
