/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * From the buffers of a PAC (MS-PAC 2.4) to a caller.  Says nothing about
 * whether they can be believed: that is ae_caller_get's part.  For lib/gss
 * and its tests.
 */
#ifndef AE_GSS_PAC_H
#define AE_GSS_PAC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "gss/caller.h"
#include "ndr/ndr.h"

struct ae_pac_buf {
	const uint8_t *p; /* NULL: the PAC has none of this type */
	size_t len;
};

struct ae_pac {
	struct ae_pac_buf logon;     /* 1, KERB_VALIDATION_INFO; required */
	struct ae_pac_buf client;    /* 10, PAC_CLIENT_INFO; required */
	struct ae_pac_buf delegated; /* 11, S4U_DELEGATION_INFO */
	struct ae_pac_buf upn_dns;   /* 12, UPN_DNS_INFO */
	struct ae_pac_buf requester; /* 18, PAC_REQUESTOR */
	const char *principal;	     /* the ticket's client, "PC1$@REALM" */
};

/* What a PAC may decode to, in bytes. */
#define AE_PAC_ARENA_MAX (1024 * 1024)

/*
 * Without the well-known SIDs.  AE_EPROTO, AE_ELIMIT: does not decode;
 * AE_EAUTH: its parts contradict each other or the account is nobody.
 */
int ae_pac_caller(struct ae_caller **out, const struct ae_pac *pac,
    struct ae_err *e) AE_MUST_CHECK;

/* MS-PAC 2.5, [unique] KERB_VALIDATION_INFO *, type serialization v1. */
extern const struct ae_ndr_type ae_ndr_pac_logon_info;

struct ae_pac_filetime {
	uint32_t lo;
	uint32_t hi;
};

struct ae_pac_group {
	uint32_t rid;
	uint32_t attributes;
};

struct ae_pac_sid {
	struct ae_sid *sid;
	uint32_t attributes;
};

struct ae_pac_validation_info {
	struct ae_pac_filetime logon_time;
	struct ae_pac_filetime logoff_time;
	struct ae_pac_filetime kickoff_time;
	struct ae_pac_filetime password_last_set;
	struct ae_pac_filetime password_can_change;
	struct ae_pac_filetime password_must_change;
	char *effective_name;
	char *full_name;
	char *logon_script;
	char *profile_path;
	char *home_directory;
	char *home_directory_drive;
	uint16_t logon_count;
	uint16_t bad_password_count;
	uint32_t user_id;
	uint32_t primary_group_id;
	uint32_t group_count;
	struct ae_pac_group *groups;
	uint32_t user_flags;
	uint8_t session_key[16];
	char *logon_server;
	char *logon_domain_name;
	struct ae_sid *logon_domain_id;
	uint32_t reserved1[2];
	uint32_t user_account_control;
	uint32_t sub_auth_status;
	struct ae_pac_filetime last_successful_logon;
	struct ae_pac_filetime last_failed_logon;
	uint32_t failed_logon_count;
	uint32_t reserved3;
	uint32_t sid_count;
	struct ae_pac_sid *extra_sids;
	struct ae_sid *resource_group_domain;
	uint32_t resource_group_count;
	struct ae_pac_group *resource_groups;
};

struct ae_pac_logon_info {
	struct ae_pac_validation_info *info;
};

#define AE_PAC_SE_GROUP_ENABLED 0x00000004u /* MS-PAC 2.2.1, C */

#endif
