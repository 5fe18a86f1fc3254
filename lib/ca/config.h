/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the CA knows about itself when it decides: plain structs, filled by
 * the program from its configuration and its certificate, read only here.
 * All times are seconds (base/time.h).  Pointers are borrowed.
 */
#ifndef AE_CA_CONFIG_H
#define AE_CA_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "pki/key.h"
#include "rules/judge.h"

struct ae_ca_rights;
struct ae_ca_trust;
struct ae_cert;
struct ae_sd;

/* Rights in the CA's own security descriptor, MS-CSRA 3.1.1.7. */
#define AE_CA_RIGHT_ADMIN 0x00000001u	/* manage CA */
#define AE_CA_RIGHT_OFFICER 0x00000002u /* manage certificates */
#define AE_CA_RIGHT_AUDITOR 0x00000004u
#define AE_CA_RIGHT_OPERATOR 0x00000008u /* backup */
#define AE_CA_RIGHT_READ 0x00000100u
#define AE_CA_RIGHT_ENROLL 0x00000200u

/* RequestDisposition, MS-WCCE 3.2.1.1.4 (Config_CA_Requests_Disposition). */
#define AE_REQDISP_PENDING 0x00000000u
#define AE_REQDISP_ISSUE 0x00000001u
#define AE_REQDISP_DENY 0x00000002u
#define AE_REQDISP_PENDINGFIRST 0x00000100u

#define AE_CA_SKEW_DEFAULT 600 /* ClockSkewMinutes, 10 min */
#define AE_CA_REPEAT_WINDOW_DEFAULT (30 * 86400)

struct ae_ca_config {
	const char *name;	    /* common name of the CA */
	const char *dns_name;	    /* of its host */
	const struct ae_cert *cert; /* the newest CA certificate */
	const struct ae_sd *sd;	    /* who may enroll, read, manage */

	/*
	 * Whom enrollment agents may enroll, for which templates; NULL: every
	 * agent anybody, for every template that an agent's signature opens.
	 */
	const struct ae_ca_rights *agent_rights;
	/*
	 * A renewal may come from somebody else than the certificate's owner
	 * (CR_IN_ROBO), an enrollment web service say: the old key's signature
	 * alone tells whose it is.
	 */
	bool allow_renew_on_behalf;

	/* whose TPMs count; NULL: keys are not attested here */
	const struct ae_ca_trust *attest;
	bool archival; /* it has an exchange certificate and recovery agents */

	/*
	 * Requests may make a certificate begin later or end earlier
	 * (Config_CA_Accept_Request_Attributes_ValidityTime,
	 * MS-WCCE 3.2.1.1.4).
	 */
	bool request_dates;
	int64_t max_validity; /* of an issued certificate; 0: no bound */
	int64_t clock_skew;   /* notBefore = now - this */

	/*
	 * The same bytes from the same SID within this many seconds of an
	 * issued answer get that very certificate again, for a client whose
	 * answer was lost; 0 turns it off.
	 */
	int64_t repeat_window;

	uint8_t serial_instance;      /* first serial byte, 0x01..0x7f */
	uint32_t request_disposition; /* AE_REQDISP_* */

	struct ae_sigalg sigalg; /* how the CA key signs */

	unsigned rsa_bits_min; /* floor under every template's own minimum */
	unsigned rsa_bits_max;
	bool allow_sha1_csr;  /* accept SHA-1 proof of possession */
	bool allow_delegated; /* callers a service speaks for (S4U2proxy) */

	/*
	 * Templates that let the requester choose the subject while their
	 * usages authenticate clients (or anything), and templates without
	 * any usage, are refused unless the admin says yes (doc/ca.md).
	 */
	bool allow_supplied_auth_subject;
	bool allow_any_purpose;
	/*
	 * Templates (cn; "*": every) whose requesters may choose host names
	 * that are not their own for a server's certificate.
	 */
	struct ae_strv any_host_names;
	/*
	 * Issuance policies that are linked to a group go to its members
	 * alone, unless the admin says that the certificate may make members.
	 */
	bool allow_group_policies;

	/* Policy files, doc/rules.md */
	bool policy_required;	       /* a template without one: denied */
	struct ae_rules_trust yubikey; /* whose attestations count */
	/* extensions that policy files may add, besides those of lint.c */
	struct ae_strv more_extensions;

	/* URLs for issued certificates */
	struct ae_strv cdp_urls;
	struct ae_strv aia_urls;
	struct ae_strv ocsp_urls;
};

#endif
