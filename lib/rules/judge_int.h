/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the folder: one request being judged.
 */
#ifndef AE_RULES_JUDGE_INT_H
#define AE_RULES_JUDGE_INT_H

#include "rules/attestation.h"
#include "rules/judge.h"

#define HR_NTE_FAIL 0x80090020u
#define HR_TEMPLATE_DENIED 0x80094012u /* CERTSRV_E_TEMPLATE_DENIED */
#define HR_KEY_LENGTH 0x80094811u      /* CERTSRV_E_KEY_LENGTH */
#define HR_INVALID_NAME 0x800b0114u    /* CERT_E_INVALID_NAME */
#define HR_INVALID_TIME 0x8007076du    /* ERROR_INVALID_TIME */

/* Names of a request or certificate, in their order. */
struct names {
	struct ae_rules_value *v;
	size_t n;
};

struct judging {
	const struct ae_rules *r;
	const struct ae_rules_facts *f;
	struct ae_rules_outcome *out;
	struct ae_arena *a;
	struct names subject, sans; /* of the request */
	/* the subject of the certificate; type is an OID */
	struct ae_name_part *parts;
	size_t nparts;
	const struct ae_rules_object *object; /* the one that is mapped */
	bool has_yubikey;
	struct ae_attestation yubikey;
	bool oom;
};

/* One more violation.  The text may quote values with judge_quote. */
void judge_add(struct judging *j, uint32_t hresult, const char *check,
    const char *fmt, ...) AE_PRINTF(4, 5);
/* "value" in quotes, fit for a message. */
const char *judge_quote(struct judging *j, const char *s);
/* A host name that the directory's word alone stands for. */
void judge_host(struct judging *j, const char *name);
/* A place for one more name of the certificate; NULL: full or no memory. */
void judge_add_san(struct judging *j, const char *field, const char *value,
    bool mandatory, const char *check);
bool judge_san_value(struct ae_san *out, const char *field, const char *value,
    struct ae_arena *a);

/*
 * The names that are asked for: what the certificate would have of the
 * request where the template lets it choose, else what the request says.
 */
bool names_asked(struct names *subject, struct names *sans,
    const struct ae_rules_facts *f, struct ae_arena *a);
/* The first of this field (ASCII case aside), or NULL. */
const char *names_get(const struct names *l, const char *field);

/* In this order. */
void judge_request(struct judging *j); /* provider … SID, names */
void judge_not_after(struct judging *j);
void judge_object(struct judging *j); /* mapping and its rules */
void judge_yubikey(struct judging *j);
void judge_outbound(struct judging *j);

#endif
