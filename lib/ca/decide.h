/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's decision, Enterprise mode (MS-WCCE 3.2.2.6.2.1): a pure function
 * from what is known to what happens, with its reasons in the order they
 * were found.  It reads no clock, draws no random bytes, asks no directory
 * and no database: what it lacks it names as a question, is given the
 * answer, and is called again with all it had before.  It does not sign,
 * store or reply; doc/ca.md has the order of processing with sections.
 */
#ifndef AE_CA_DECIDE_H
#define AE_CA_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/sid.h"
#include "base/str.h"
#include "ca/config.h"
#include "pki/attest.h"
#include "rules/judge.h"
#include "wcce/attrs.h"
#include "wcce/request.h"

struct ae_caller;
struct ae_pki_oid;
struct ae_request;
struct ae_template;
struct ae_db_request;

#define AE_CA_SERIAL_LEN 17 /* instance byte and 16 random ones */
#define AE_CA_RANDOM_LEN 16

/* What decide may ask, bits of ae_decision.ask. */
enum ae_ca_ask {
	AE_CA_ASK_REQUESTER = 1,  /* the caller's own directory object */
	AE_CA_ASK_DNS_OWNERS = 2, /* who else bears ae_decision.ask_dns */
	AE_CA_ASK_ROW_ID = 4,	  /* request row ae_wcce_request.request_id */
	AE_CA_ASK_ROW_SERIAL = 8, /* row of the certificate ask_serial */
	AE_CA_ASK_ROW_SAME = 16,  /* newest pending or issued row of the
				     same SID, CSR hash and attributes */
	AE_CA_ASK_ROW_CERTS = 32, /* rows of ae_decision.ask_certs, by serial */
	AE_CA_ASK_SUBJECT = 64,	  /* directory object of ask_subject, and its
				     groups as the directory counts them */
	AE_CA_ASK_OBJECT = 256,	  /* the object ae_decision.ask_object is about,
				     for a policy file's rules */
	AE_CA_ASK_HOSTS = 512,	  /* who else bears one of ask_hosts */
	AE_CA_ASK_NAMES = 1024,	  /* who else bears one of ask_names */
	AE_CA_ASK_ARCHIVE = 128,  /* the private key that came along: opened,
				     compared, wrapped for the agents */
	AE_CA_ASK_EK = 2048,	  /* the endorsement key in its envelope */
};

/* Request.RequestFlags, MS-CSRA 3.1.1.1.2: of what kind a request was. */
#define AE_CR_FLG_RENEWAL 0x00000002u
#define AE_CR_FLG_CAXCHGCERT 0x00000008u
#define AE_CR_FLG_ENROLLONBEHALFOF 0x00000010u
#define AE_CR_FLG_VALIDENCRYPTEDKEYHASH 0x00000040u
#define AE_CR_FLG_CHALLENGEPENDING 0x00000400u
#define AE_CR_FLG_CHALLENGESATISFIED 0x00000800u
#define AE_CR_FLG_TRUSTONUSE 0x00001000u
#define AE_CR_FLG_TRUSTEKCERT 0x00002000u
#define AE_CR_FLG_TRUSTEKKEY 0x00004000u
#define AE_CR_FLG_ATTESTATION 0x00007c00u /* all five */

#define AE_CA_CERTS_MAX 8 /* that sign one request */

/*
 * The requester's object, found by the caller's SID (never by a name from
 * the request), and what belongs to it.  Absent attributes are NULL.
 */
struct ae_ca_requester {
	bool found;
	bool is_computer;    /* objectClass computer */
	struct ae_sid sid;   /* objectSid */
	struct ae_guid guid; /* objectGUID */
	const char *dn;
	const char *cn;
	const char *dns_host_name;
	const char *mail;
	const char *upn;	    /* userPrincipalName */
	const char *domain_dns;	    /* of the domain the object is in */
	const char *domain_netbios; /* the same, NetBIOS name */
	const char *const *hosts;   /* of its service principal names */
	size_t nhosts;
	/*
	 * Only of AE_CA_ASK_SUBJECT: what a ticket would say, as far as the
	 * directory knows: sAMAccountName, whether it may log on, and its own
	 * SID with all groups and the well-known ones of a network logon,
	 * sorted.
	 */
	const char *account;
	bool disabled;
	const struct ae_sid *sids;
	size_t nsids;
};

/* Answers so far.  An answer counts only when its bit is in answered. */
struct ae_ca_answers {
	unsigned answered; /* enum ae_ca_ask */
	unsigned failed;   /* asked in vain: directory or database away */
	struct ae_ca_requester requester;
	/* AE_CA_ASK_SUBJECT: found by the name or SID in ask_subject */
	struct ae_ca_requester subject;

	/*
	 * AE_CA_ASK_DNS_OWNERS: objects other than ask_sid's whose
	 * dNSHostName, or service principal name's host, is ask_dns.
	 */
	unsigned dns_other_owners;

	/* AE_CA_ASK_OBJECT */
	struct ae_rules_object object;

	/*
	 * AE_CA_ASK_HOSTS: the same of each of ask_hosts, up to the first
	 * that others bear; their number is the last's.
	 */
	size_t nhosts;
	unsigned host_other_owners;

	/* AE_CA_ASK_NAMES: the same of ask_names */
	size_t nnames;
	unsigned name_other_owners;

	/* AE_CA_ASK_ARCHIVE: 0, or why not (an HRESULT and a sentence) */
	uint32_t archive_hresult;
	const char *archive_text;

	/* AE_CA_ASK_EK: EndorsementKeyInfo, or why there is none */
	struct ae_wcce_blob ek;
	uint32_t ek_hresult;
	const char *ek_text;

	/* Rows; NULL when there is none. */
	const struct ae_db_request *row_id;
	const struct ae_db_request *row_serial;
	const struct ae_db_request *row_same;
	const struct ae_db_request *row_certs[AE_CA_CERTS_MAX];
	size_t nrow_certs; /* as many as ask_certs when it is answered */
};

/* What a TPM is to be asked, when it attests a key: pki/attest.h */
struct ae_ca_challenge {
	struct ae_der ek; /* its SubjectPublicKeyInfo */
	struct ae_attestation to;
};

/* Templates as the directory has them, and which of them this CA offers. */
struct ae_ca_templates {
	const struct ae_template *const *v;
	size_t n;
	const struct ae_strv *published; /* certificateTemplates, cn each */
	/* what issuance policies are, and which groups they stand for */
	const struct ae_pki_oid *oids;
	size_t noids;
};

struct ae_ca_input {
	const struct ae_wcce_request *request; /* AE_WCCE_CALL_REQUEST */
	const struct ae_caller *caller;
	const struct ae_ca_templates *templates;
	const struct ae_ca_config *config;
	const struct ae_rules_set *policies; /* files; NULL: there are none */
	/* that file instead, for whichever template; NULL: as they are */
	const struct ae_rules_entry *policy;
	const struct ae_ca_answers *answers; /* NULL: none yet */
	int64_t now;
	const uint8_t *random; /* AE_CA_RANDOM_LEN fresh bytes */
	/*
	 * An officer approved this pending request: nothing pends it again.
	 * All other checks are made anew, with today's template.
	 */
	bool approved;
	/*
	 * The request is a stored one, whose TPM has or has not answered:
	 * AE_CR_FLG_ATTESTATION of its row.
	 */
	uint32_t row_flags;
	bool answered; /* it just has: nothing of the call counts but that */
	/*
	 * It is only asked what would be decided: no earlier answer to the
	 * same request counts.
	 */
	bool anew;
	/*
	 * Where the request, parsed and its signatures verified, is kept
	 * from one call to the next, so that an answered question does not
	 * cost all that again.  NULL: nowhere.  The caller frees it when it
	 * has called for the last time.
	 */
	struct ae_request **parsed;
};

enum ae_ca_verdict {
	AE_CA_ASK,    /* answer ask and call again */
	AE_CA_ISSUE,  /* store, sign tbs, store, reply */
	AE_CA_PEND,   /* store as pending, reply 5 */
	AE_CA_DENY,   /* policy says no: disposition is hresult; row 31 */
	AE_CA_FAIL,   /* request broken: disposition is hresult; row 30 */
	AE_CA_STORED, /* answer with row: retrieval, inspection, repeat */
	AE_CA_REFUSE, /* the call makes no sense: the method returns hresult */
};

enum ae_ca_mark {
	AE_CA_PASS, /* a check that held */
	AE_CA_NOTE, /* something ignored, adapted or asked */
	AE_CA_STOP, /* the check that decided; always the last */
};

struct ae_ca_reason {
	enum ae_ca_mark mark;
	const char *check;   /* stable id: "ca.template-denied" */
	const char *section; /* "MS-WCCE 3.2.2.6.2.1.4.3" or "policy" */
	const char *text;    /* what was compared, with the values */
};

/* A rule of the order of processing, whether it was come to or not. */
struct ae_ca_rule {
	const char *id;	     /* stable: "template.enroll-right" */
	const char *section; /* "MS-WCCE 3.2.2.6.2.1.4.3" or "policy" */
	const char *what;    /* what it asks, half a sentence */
};

enum ae_ca_outcome {
	AE_CA_NOT_REACHED, /* something before it decided */
	AE_CA_HELD,	   /* nothing against it, or nothing to look at */
	AE_CA_DECIDED,	   /* the verdict is this rule's */
};

struct ae_ca_ruling {
	struct ae_ca_rule rule;
	enum ae_ca_outcome outcome;
	size_t first, n; /* its reasons */
};

/* Everything it points to is in the arena or borrowed from the input. */
struct ae_decision {
	enum ae_ca_verdict verdict;
	uint32_t hresult; /* of DENY, FAIL and REFUSE; else 0 */
	/*
	 * Keep a row.  Not for what did not parse and not for callers
	 * without permission on the CA: those leave a log line.
	 */
	bool store;
	const char *message; /* disposition message for the client */

	unsigned ask; /* of AE_CA_ASK */
	const char *ask_dns;
	const struct ae_sid *ask_sid; /* whose it is to be: may bear ask_dns */
	/* names a policy file takes from the mapped object: its SID's */
	const char *const *ask_hosts;
	size_t nask_hosts;
	const struct ae_sid *ask_hosts_sid;
	/* host names the requester chose out of his own: ask_sid's, or his */
	const char *const *ask_names;
	size_t nask_names;
	struct ae_rules_question ask_object; /* its own: ask_sid's */
	const char *ask_subject;	     /* "DOMAIN\\account", or a SID */
	struct {
		const uint8_t *p; /* big endian, no leading zero byte */
		size_t len;
	} ask_certs[AE_CA_CERTS_MAX];
	size_t nask_certs;
	const uint8_t *ask_serial; /* big endian, no leading zero byte */
	size_t ask_serial_len;

	const struct ae_template *template; /* NULL until it is known */
	struct ae_wcce_attrs attrs;
	const struct ae_db_request *row; /* of AE_CA_STORED */
	/* of AE_CA_PEND: it waits for the TPM, not for an officer; or NULL */
	const struct ae_ca_challenge *challenge;

	uint8_t csr_hash[32];	/* SHA-256 of the request bytes */
	const char *subject;	/* text of the subject to be, for the row */
	const char *requester;	/* DOMAIN\account, for the row and events */
	const char *on_behalf;	/* the same of somebody else, NULL: of nobody */
	uint32_t request_flags; /* AE_CR_FLG_* */
	int64_t not_before;
	int64_t not_after;
	uint8_t serial[AE_CA_SERIAL_LEN]; /* big endian, positive */
	const uint8_t *tbs; /* of AE_CA_ISSUE: DER TBSCertificate */
	size_t tbs_len;

	const struct ae_ca_reason *reasons;
	size_t nreasons;
	const struct ae_ca_ruling *rulings; /* all rules, in their order */
	size_t nrulings;
};

/*
 * Decide.  Returns AE_OK with *out filled for every request, good or bad; a
 * refusal is an answer, not a failure.  Failures are ours alone: AE_ENOMEM,
 * AE_ELIMIT (arena), AE_EINTERNAL.
 */
int ae_ca_decide(struct ae_decision *out, const struct ae_ca_input *in,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/*
 * The reply to a decision that issues nothing new (PEND, DENY, FAIL, STORED,
 * REFUSE).  id is the row's number, 0 when there is no row.  What a stored
 * issued row answers as chain is the program's to add (it holds the CA
 * certificates).
 */
void ae_ca_reply(
    struct ae_wcce_reply *out, const struct ae_decision *d, uint32_t id);

/* "issue", "pend", … for logs and JSON. */
const char *ae_ca_verdict_name(enum ae_ca_verdict v);
/* "passed", "decided", "not reached" */
const char *ae_ca_outcome_name(enum ae_ca_outcome o);
/* "pass", "note", "stop" */
const char *ae_ca_mark_name(enum ae_ca_mark m);

#endif
