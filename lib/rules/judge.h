/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Applying a policy file to a request: a pure function from what is known to
 * all violations, in order, and to what the certificate is to have instead.
 */
#ifndef AE_RULES_JUDGE_H
#define AE_RULES_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/sid.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "rules/rules.h"

#define AE_RULES_VIOLATIONS_MAX 128
#define AE_RULES_SANS_MAX 64

/* A name or an attribute with its value. */
struct ae_rules_value {
	const char *field;
	const char *value;
};

/* Is the mapped object in a group that the rules name? */
enum ae_rules_group {
	AE_RULES_GROUP_UNKNOWN, /* there is no such group */
	AE_RULES_GROUP_OUT,
	AE_RULES_GROUP_IN,
};

/* What is to be asked of the directory. */
struct ae_rules_question {
	bool own; /* the object of the one the certificate is for, by SID */
	/* or one that is found by what the request says */
	const char *attribute;
	const char *value;
	const char *category;	 /* "user" or "computer" */
	const char *search_root; /* NULL: everywhere */
	/* single-valued attributes to bring */
	struct ae_rules_strings attributes;
	bool spns; /* servicePrincipalName, too */
	/* DNs; membership counts nested and the primary group */
	struct ae_rules_strings groups;
};

/* The answer. */
struct ae_rules_object {
	unsigned found; /* how many; what follows when it is 1 */
	const char *dn;
	struct ae_sid sid;
	uint32_t account_control;
	const struct ae_rules_value *attributes;
	size_t nattributes;
	struct ae_rules_strings spns;
	const uint8_t *groups; /* enum ae_rules_group of each asked */
	size_t ngroups;
};

/* Certificates that attestations are verified with. */
struct ae_rules_trust {
	const struct ae_cert *const *roots;
	size_t nroots;
	const struct ae_cert *const *others;
	size_t nothers;
};

/* Everything is borrowed. */
struct ae_rules_facts {
	int64_t now;
	const struct ae_csr *csr;
	bool supplied; /* the template takes names from the request */
	bool user;     /* its subjects are users, not machines */
	enum ae_key_type wanted_key; /* the template's; 0: it does not say */
	/* the certificate as it would be without the rules */
	struct ae_der subject;
	const struct ae_san *sans;
	size_t nsans;
	int64_t not_after;
	const struct ae_rules_object *object; /* NULL: not asked for */
	struct ae_rules_trust trust;
};

struct ae_rules_violation {
	uint32_t hresult;
	const char *check; /* "rules.subject" */
	const char *text;
};

/* Everything is in the arena or borrowed from facts and rules. */
struct ae_rules_outcome {
	struct ae_rules_violation *violations;
	size_t n;
	bool more; /* there were more than fit */

	/* the certificate to be: only where the flag is set */
	bool new_subject, new_sans, new_not_after, new_sid;
	const struct ae_name_part *subject; /* type is an OID */
	size_t nsubject;
	struct ae_san *sans;
	size_t nsans;
	/*
	 * Host names in it that only the mapped object's word stands for: who
	 * issues asks whether somebody else bears one, too (CVE-2022-26923).
	 */
	const char **hosts;
	size_t nhosts;
	int64_t not_after;
	struct ae_sid sid;
	/* URLs with the CA's variables in them (%1 …); n 0: as it was */
	struct ae_rules_strings cdp, aia, ocsp;
	const struct ae_ext *extensions;
	size_t nextensions;
	bool ocsp_nocheck;
};

/*
 * The question these rules have about this request; false: none, and
 * judging needs no object.
 */
bool ae_rules_ask(struct ae_rules_question *q, const struct ae_rules *r,
    const struct ae_rules_facts *f, struct ae_arena *a);

/* AE_OK whatever is found; AE_ENOMEM and AE_ELIMIT are our own failing. */
int ae_rules_judge(struct ae_rules_outcome *out, const struct ae_rules *r,
    const struct ae_rules_facts *f, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* Extensions of Yubico's PIV attestation, which are copied, 1.3.6.1.4.1.41482
 */
bool ae_rules_is_yubico(const char *oid);

#endif
