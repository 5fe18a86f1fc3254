/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * MS-PAC 2.5 KERB_VALIDATION_INFO as tables, in the IDL's order.
 */
#include "gss/pac.h"

#define STR_MAX 512 /* UTF-16 units; AD's attributes end well before */

/* clang-format off */

/* MS-DTYP 2.3.3 */
static const struct ae_ndr_type filetime = AE_NDR_STRUCT("FILETIME",
    struct ae_pac_filetime, 4,
	AE_NDR_FIELD(struct ae_pac_filetime, lo, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_pac_filetime, hi, &ae_ndr_u32));

/* MS-PAC 2.2.2 */
static const struct ae_ndr_type group_membership =
    AE_NDR_STRUCT("GROUP_MEMBERSHIP", struct ae_pac_group, 4,
	AE_NDR_FIELD(struct ae_pac_group, rid, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_pac_group, attributes, &ae_ndr_u32));

/* MS-PAC 2.2.1 */
static const struct ae_ndr_type sid_and_attributes =
    AE_NDR_STRUCT("KERB_SID_AND_ATTRIBUTES", struct ae_pac_sid, 4,
	AE_NDR_PTR(struct ae_pac_sid, sid, AE_NDR_UNIQUE, &ae_ndr_sid),
	AE_NDR_FIELD(struct ae_pac_sid, attributes, &ae_ndr_u32));

#define T struct ae_pac_validation_info
#define STRING(m) AE_NDR_FIELD(T, m, &ae_ndr_ustr, .max = STR_MAX)
#define NUMBER(m) AE_NDR_FIELD(T, m, &ae_ndr_u32)
#define TIME(m) AE_NDR_FIELD(T, m, &filetime)
#define SID(m) AE_NDR_PTR(T, m, AE_NDR_UNIQUE, &ae_ndr_sid)

static const struct ae_ndr_type validation_info =
    AE_NDR_STRUCT("KERB_VALIDATION_INFO", T, 4,
	TIME(logon_time),
	TIME(logoff_time),
	TIME(kickoff_time),
	TIME(password_last_set),
	TIME(password_can_change),
	TIME(password_must_change),
	STRING(effective_name),
	STRING(full_name),
	STRING(logon_script),
	STRING(profile_path),
	STRING(home_directory),
	STRING(home_directory_drive),
	AE_NDR_FIELD(T, logon_count, &ae_ndr_u16),
	AE_NDR_FIELD(T, bad_password_count, &ae_ndr_u16),
	NUMBER(user_id),
	NUMBER(primary_group_id),
	NUMBER(group_count),
	AE_NDR_ARRAY(T, groups, AE_NDR_UNIQUE, AE_NDR_CONF, &group_membership,
	    group_count, AE_CALLER_SIDS_MAX),
	NUMBER(user_flags),
	AE_NDR_FIXED_ARRAY(T, session_key, &ae_ndr_u8, .secret = true),
	STRING(logon_server),
	STRING(logon_domain_name),
	SID(logon_domain_id),
	AE_NDR_FIXED_ARRAY(T, reserved1, &ae_ndr_u32),
	NUMBER(user_account_control),
	NUMBER(sub_auth_status),
	TIME(last_successful_logon),
	TIME(last_failed_logon),
	NUMBER(failed_logon_count),
	NUMBER(reserved3),
	NUMBER(sid_count),
	AE_NDR_ARRAY(T, extra_sids, AE_NDR_UNIQUE, AE_NDR_CONF,
	    &sid_and_attributes, sid_count, AE_CALLER_SIDS_MAX),
	SID(resource_group_domain),
	NUMBER(resource_group_count),
	AE_NDR_ARRAY(T, resource_groups, AE_NDR_UNIQUE, AE_NDR_CONF,
	    &group_membership, resource_group_count, AE_CALLER_SIDS_MAX));
#undef T

const struct ae_ndr_type ae_ndr_pac_logon_info =
    AE_NDR_STRUCT("PKERB_VALIDATION_INFO", struct ae_pac_logon_info, 4,
	AE_NDR_PTR(struct ae_pac_logon_info, info, AE_NDR_UNIQUE,
	    &validation_info));
/* clang-format on */
