/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the CA folder: one decision being made.  A check looks at the work
 * and answers whether to go on; it stops by saying why.
 */
#ifndef AE_CA_WORK_H
#define AE_CA_WORK_H

#include "ad/sd.h"
#include "ad/template.h"
#include "base/wr.h"
#include "ca/decide.h"
#include "gss/caller.h"
#include "pki/csr.h"
#include "pki/request.h"
#include "pki/tbs.h"
#include "wcce/hresult.h"

#define AE_CA_REASONS_MAX 256
#define AE_CA_SANS_MAX 64

/* A certificate that signed the request, and what is thought of it. */
struct ae_ca_signer {
	const struct ae_cert *cert;
	const struct ae_db_request *row; /* NULL: this CA knows it not */
	const char *wrong;		 /* NULL: ours and good now */
	uint32_t hresult;		 /* of what is wrong */
};

struct ae_ca_work {
	const struct ae_ca_input *in;
	const struct ae_ca_config *cfg;
	const struct ae_ca_answers *answers; /* never NULL */
	struct ae_decision *d;
	struct ae_arena *a;
	struct ae_err *e;

	struct ae_ca_reason *reasons;
	size_t nreasons;
	struct ae_ca_ruling *rulings;
	const char *prefix; /* of the disposition message when stopped */

	/*
	 * Who enrolls: the caller with the groups of his ticket, or, where a
	 * renewal comes from another's hands, the certificate's owner with
	 * those of the directory.
	 */
	struct ae_token *token;
	const char *enrolls;	/* his name */
	struct ae_request *req; /* parsed and verified */
	struct ae_ca_signer signers[AE_CA_CERTS_MAX];
	size_t nsigners;
	const struct ae_ca_signer *renews; /* the certificate being renewed */
	bool reenroll; /* it stands in for approval and signatures */
	const struct ae_template *t;

	/* whose certificate it is to be: the caller's, or on_behalf's */
	const struct ae_ca_requester *who;
	const struct ae_sid *sid;

	bool auth;   /* the template's usages authenticate */
	bool server; /* they are a server's */

	/* the certificate as it grows */
	struct ae_wr subject;
	struct ae_san sans[AE_CA_SANS_MAX];
	struct ae_tbs tbs;
	struct ae_strv policies; /* certificate policies that go in */
	const struct ae_ca_challenge *challenge; /* NULL: none is needed */
	struct ae_strv critical;		 /* extensions */
	uint8_t ski[AE_KEY_ID_LEN];
	uint8_t aki[AE_KEY_ID_LEN];
	struct ae_wr smime;
};

/* A check's answer; below zero is an ae_rc of our own failing. */
enum ae_ca_step {
	AE_CA_GO = 0,
	AE_CA_HALT = 1, /* d is complete */
};

typedef int ae_ca_check_fn(struct ae_ca_work *w);

/* Remember a check that held, or something worth telling. */
void ae_ca_pass(struct ae_ca_work *w, const char *check, const char *section,
    const char *fmt, ...) AE_PRINTF(4, 5);
void ae_ca_note(struct ae_ca_work *w, const char *check, const char *section,
    const char *fmt, ...) AE_PRINTF(4, 5);

/* Stop here with that verdict and HRESULT; returns AE_CA_HALT or ENOMEM. */
int ae_ca_stop(struct ae_ca_work *w, enum ae_ca_verdict v, uint32_t hresult,
    const char *check, const char *section, const char *fmt, ...)
    AE_PRINTF(6, 7);

/*
 * AE_CA_GO when the answer is there, AE_CA_HALT after putting the question,
 * or a denial when it was asked in vain.
 */
int ae_ca_ask(struct ae_ca_work *w, enum ae_ca_ask what, const char *section);

/* A string a peer or the directory chose, fit for a reason's text. */
const char *ae_ca_quote(struct ae_ca_work *w, const char *s);

/* Is this certificate's SID extension, or else its row, this SID's? */
bool ae_ca_signer_is(const struct ae_ca_signer *s, const struct ae_sid *sid);

/*
 * Of signers.c and agents.c, when the template is known: may this agent,
 * what is renewed, does it stand in for an approval, signatures of others.
 */
ae_ca_check_fn ae_ca_check_agent, ae_ca_check_old, ae_ca_check_reenroll,
    ae_ca_check_ra;

/* Of agents.c: on behalf of others. */
ae_ca_check_fn ae_ca_check_robo, ae_ca_check_on_behalf;

/* The key type a schema 3 or 4 template asks for; 0: it does not say. */
enum ae_key_type ae_ca_wanted_key(const struct ae_template *t);

/*
 * Of dates.c: a beginning and an end that the request asks for, within those
 * it would have.
 */
int ae_ca_requested_dates(struct ae_ca_work *w, int64_t *from, int64_t *to);

/* Of subject.c: what is needed of the requester, and is it there? */
ae_ca_check_fn ae_ca_check_requester;

/*
 * Of hostnames.c: the host names that the requester chose for a server are
 * his own.
 */
ae_ca_check_fn ae_ca_check_host_names;

/* Of check_rules.c: the template's policy file. */
ae_ca_check_fn ae_ca_check_rules;

/* The permissions of the CA, for w->token. */
ae_ca_check_fn ae_ca_check_ca_permission;

/*
 * Of archive.c: is there a key for the archive where there must be one; and,
 * last of all, is it the right one?
 */
ae_ca_check_fn ae_ca_check_archival, ae_ca_check_archived;

/*
 * Of attest.c: is the key attested where it must be; the issuance policies
 * that say so; and, last of all, must the TPM be asked?
 */
ae_ca_check_fn ae_ca_check_attestation, ae_ca_attest_policies,
    ae_ca_check_challenge;

/*
 * Tables of checks, in order; each ends with a row whose fn is NULL.
 * doc/ca-rules.md has the same rows with what they refuse and what tests them.
 */
struct ae_ca_check {
	struct ae_ca_rule rule;
	ae_ca_check_fn *fn;
};
extern const struct ae_ca_check ae_ca_checks_call[];	 /* caller, call */
extern const struct ae_ca_check ae_ca_checks_request[];	 /* bytes, form, key */
extern const struct ae_ca_check ae_ca_checks_signers[];	 /* renewal, agents */
extern const struct ae_ca_check ae_ca_checks_template[]; /* which, may, can */
extern const struct ae_ca_check ae_ca_checks_build[];	 /* names, dates, TBS */

#endif
