/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The tables of tables.h.
 */
#include "tables.h"

/* clang-format off */
const struct ae_ndr_type tower_type = AE_NDR_STRUCT("twr_t", struct tower, 4,
	AE_NDR_FIELD(struct tower, length, &ae_ndr_u32),
	AE_NDR_ARRAY(struct tower, octets, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u8,
	    length, 2000));

static const struct ae_ndr_type tower_ptr = {
	.name = "twr_p_t", .op = AE_NDR_OP_PTR, .align = 4, .size = sizeof(void *),
	.rows = AE_NDR_ROWS({ .name = "tower", .type = &tower_type,
	    .size = sizeof(void *), .ptr = AE_NDR_FULL }),
};

const struct ae_ndr_type epm_map_in = AE_NDR_PARAMS("ept_map", struct epm_map_in,
	AE_NDR_PTR(struct epm_map_in, object, AE_NDR_FULL, &ae_ndr_guid),
	AE_NDR_PTR(struct epm_map_in, tower, AE_NDR_FULL, &tower_type),
	AE_NDR_FIELD(struct epm_map_in, handle, &ae_ndr_ctx),
	AE_NDR_FIELD(struct epm_map_in, max_towers, &ae_ndr_u32, .max = 500));

const struct ae_ndr_type epm_map_out = AE_NDR_PARAMS("ept_map", struct epm_map_out,
	AE_NDR_FIELD(struct epm_map_out, handle, &ae_ndr_ctx),
	AE_NDR_FIELD(struct epm_map_out, num_towers, &ae_ndr_u32),
	AE_NDR_ARRAY(struct epm_map_out, towers, AE_NDR_VAL, AE_NDR_CONFVAR,
	    &tower_ptr, num_towers, 500,
	    .cap = offsetof(struct epm_map_out, max_towers), .cap_size = 4),
	AE_NDR_FIELD(struct epm_map_out, status, &ae_ndr_u32));

static const struct ae_ndr_type lsa_qos = AE_NDR_STRUCT("SECURITY_QUALITY_OF_SERVICE",
    struct lsa_qos, 4,
	AE_NDR_FIELD(struct lsa_qos, length, &ae_ndr_u32),
	AE_NDR_FIELD(struct lsa_qos, level, &ae_ndr_enum, .max = 3),
	AE_NDR_FIELD(struct lsa_qos, mode, &ae_ndr_u8),
	AE_NDR_FIELD(struct lsa_qos, effective_only, &ae_ndr_u8));

static const struct ae_ndr_type lsa_attributes = AE_NDR_STRUCT("LSAPR_OBJECT_ATTRIBUTES",
    struct lsa_attributes, 4,
	AE_NDR_FIELD(struct lsa_attributes, length, &ae_ndr_u32),
	AE_NDR_PTR(struct lsa_attributes, root, AE_NDR_UNIQUE, &ae_ndr_u8),
	AE_NDR_STRING(struct lsa_attributes, name, AE_NDR_UNIQUE, AE_NDR_STR8, 256),
	AE_NDR_FIELD(struct lsa_attributes, attributes, &ae_ndr_u32),
	AE_NDR_PTR(struct lsa_attributes, descriptor, AE_NDR_UNIQUE, &ae_ndr_u32),
	AE_NDR_PTR(struct lsa_attributes, qos, AE_NDR_UNIQUE, &lsa_qos));

const struct ae_ndr_type lsa_open_in = AE_NDR_PARAMS("LsarOpenPolicy2", struct lsa_open_in,
	AE_NDR_STRING(struct lsa_open_in, system, AE_NDR_UNIQUE, AE_NDR_STR16, 256),
	AE_NDR_FIELD(struct lsa_open_in, attributes, &lsa_attributes),
	AE_NDR_FIELD(struct lsa_open_in, access, &ae_ndr_u32));

static const struct ae_ndr_type lsa_domain = AE_NDR_STRUCT("LSAPR_POLICY_ACCOUNT_DOM_INFO",
    struct lsa_domain, 4,
	AE_NDR_FIELD(struct lsa_domain, name, &ae_ndr_ustr, .max = 64),
	AE_NDR_PTR(struct lsa_domain, sid, AE_NDR_UNIQUE, &ae_ndr_sid));

static const struct ae_ndr_type lsa_policy = AE_NDR_UNION("LSAPR_POLICY_INFORMATION",
    union lsa_policy, 8, 2,
	AE_NDR_FIELD(union lsa_policy, domain, &lsa_domain, .tag = 5),
	AE_NDR_FIELD(union lsa_policy, modified, &ae_ndr_u64, .tag = 9),
	{ .name = "nothing", .tag = 10 });

const struct ae_ndr_type lsa_policy_out = AE_NDR_PARAMS("LsarQueryInformationPolicy",
    struct lsa_policy_out,
	AE_NDR_PTR(struct lsa_policy_out, policy, AE_NDR_UNIQUE, &lsa_policy,
	    .of = offsetof(struct lsa_policy_out, level), .of_size = 2, .sets = true),
	AE_NDR_FIELD(struct lsa_policy_out, status, &ae_ndr_u32));

static const struct ae_ndr_type filetime = AE_NDR_STRUCT("FILETIME", struct filetime, 4,
	AE_NDR_FIELD(struct filetime, low, &ae_ndr_u32),
	AE_NDR_FIELD(struct filetime, high, &ae_ndr_u32));

static const struct ae_ndr_type membership = AE_NDR_STRUCT("GROUP_MEMBERSHIP",
    struct membership, 4,
	AE_NDR_FIELD(struct membership, rid, &ae_ndr_u32),
	AE_NDR_FIELD(struct membership, attributes, &ae_ndr_u32));

static const struct ae_ndr_type sid_and_attributes = AE_NDR_STRUCT("KERB_SID_AND_ATTRIBUTES",
    struct sid_and_attributes, 4,
	AE_NDR_PTR(struct sid_and_attributes, sid, AE_NDR_UNIQUE, &ae_ndr_sid),
	AE_NDR_FIELD(struct sid_and_attributes, attributes, &ae_ndr_u32));

#define L struct logon_info
const struct ae_ndr_type logon_info = AE_NDR_STRUCT("KERB_VALIDATION_INFO", L, 4,
	AE_NDR_FIELD(L, logon, &filetime),
	AE_NDR_FIELD(L, logoff, &filetime),
	AE_NDR_FIELD(L, kickoff, &filetime),
	AE_NDR_FIELD(L, set, &filetime),
	AE_NDR_FIELD(L, can_change, &filetime),
	AE_NDR_FIELD(L, must_change, &filetime),
	AE_NDR_FIELD(L, name, &ae_ndr_ustr),
	AE_NDR_FIELD(L, full_name, &ae_ndr_ustr),
	AE_NDR_FIELD(L, script, &ae_ndr_ustr),
	AE_NDR_FIELD(L, profile, &ae_ndr_ustr),
	AE_NDR_FIELD(L, home, &ae_ndr_ustr),
	AE_NDR_FIELD(L, drive, &ae_ndr_ustr),
	AE_NDR_FIELD(L, logon_count, &ae_ndr_u16),
	AE_NDR_FIELD(L, bad_count, &ae_ndr_u16),
	AE_NDR_FIELD(L, rid, &ae_ndr_u32),
	AE_NDR_FIELD(L, primary, &ae_ndr_u32),
	AE_NDR_FIELD(L, group_count, &ae_ndr_u32),
	AE_NDR_ARRAY(L, groups, AE_NDR_UNIQUE, AE_NDR_CONF, &membership, group_count, 8192),
	AE_NDR_FIELD(L, flags, &ae_ndr_u32),
	AE_NDR_FIXED_ARRAY(L, session_key, &ae_ndr_u8, .secret = true),
	AE_NDR_FIELD(L, server, &ae_ndr_ustr),
	AE_NDR_FIELD(L, domain, &ae_ndr_ustr),
	AE_NDR_PTR(L, domain_sid, AE_NDR_UNIQUE, &ae_ndr_sid),
	AE_NDR_FIXED_ARRAY(L, reserved1, &ae_ndr_u32),
	AE_NDR_FIELD(L, account_control, &ae_ndr_u32),
	AE_NDR_FIXED_ARRAY(L, reserved3, &ae_ndr_u32),
	AE_NDR_FIELD(L, sid_count, &ae_ndr_u32),
	AE_NDR_ARRAY(L, sids, AE_NDR_UNIQUE, AE_NDR_CONF, &sid_and_attributes, sid_count, 8192),
	AE_NDR_PTR(L, resource_sid, AE_NDR_UNIQUE, &ae_ndr_sid),
	AE_NDR_FIELD(L, resource_count, &ae_ndr_u32),
	AE_NDR_ARRAY(L, resource_groups, AE_NDR_UNIQUE, AE_NDR_CONF, &membership, resource_count, 8192));
#undef L

const struct ae_ndr_type logon_info_ptr = AE_NDR_PARAMS("PKERB_VALIDATION_INFO",
    struct logon_info_ptr,
	AE_NDR_PTR(struct logon_info_ptr, info, AE_NDR_UNIQUE, &logon_info));

static const struct ae_ndr_type inner = AE_NDR_STRUCT("inner", struct inner, 4,
	AE_NDR_FIELD(struct inner, n, &ae_ndr_u16),
	AE_NDR_FIELD(struct inner, kind, &ae_ndr_enum),
	AE_NDR_ARRAY(struct inner, items, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u64, n, 9));

static const struct ae_ndr_type choice = AE_NDR_UNION("choice", union choice, 4, 2,
	AE_NDR_FIELD(union choice, small, &ae_ndr_u8, .tag = 1),
	AE_NDR_STRING(union choice, text, AE_NDR_UNIQUE, AE_NDR_STR16, 20, .tag = 2),
	AE_NDR_PTR(union choice, inner, AE_NDR_REF, &inner, .is_default = true));

static const struct ae_ndr_type text_ptr = {
	.name = "text", .op = AE_NDR_OP_PTR, .align = 4, .size = sizeof(char *),
	.rows = AE_NDR_ROWS({ .name = "text", .size = sizeof(char *),
	    .ptr = AE_NDR_UNIQUE, .shape = AE_NDR_STR16, .max = 10 }),
};

#define Z struct zoo
const struct ae_ndr_type zoo_type = AE_NDR_STRUCT("zoo", Z, 8,
	AE_NDR_FIELD(Z, a, &ae_ndr_u8),
	AE_NDR_FIELD(Z, b, &ae_ndr_u64),
	AE_NDR_FIELD(Z, color, &ae_ndr_enum, .max = 5),
	AE_NDR_FIELD(Z, id, &ae_ndr_guid),
	AE_NDR_FIXED_ARRAY(Z, fixed, &ae_ndr_u16),
	AE_NDR_STRING(Z, name, AE_NDR_REF, AE_NDR_STR16, 16, .min = 2),
	AE_NDR_STRING(Z, label, AE_NDR_UNIQUE, AE_NDR_STR8, 16),
	AE_NDR_FIELD(Z, n, &ae_ndr_u32),
	AE_NDR_ARRAY(Z, bytes, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 32),
	AE_NDR_ARRAY(Z, words, AE_NDR_UNIQUE, AE_NDR_CONFVAR, &ae_ndr_u16, n, 32),
	AE_NDR_ARRAY(Z, varying, AE_NDR_VAL, AE_NDR_VARYING, &ae_ndr_u8, nvarying, 7, .sets = true),
	AE_NDR_ARRAY(Z, texts, AE_NDR_UNIQUE, AE_NDR_CONF, &text_ptr, ntexts, 5, .sets = true),
	AE_NDR_FIELD(Z, tag, &ae_ndr_u16),
	AE_NDR_SWITCH(Z, choice, &choice, tag),
	AE_NDR_ARRAY(Z, list, AE_NDR_UNIQUE, AE_NDR_CONF, &inner, nlist, 4, .min = 1, .sets = true),
	AE_NDR_FIELD(Z, ext_size, &ae_ndr_u32),
	AE_NDR_ARRAY(Z, ext, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, ext_size, 24, .round = 8),
	AE_NDR_PTR(Z, again, AE_NDR_FULL, &ae_ndr_u32),
	AE_NDR_PTR(Z, same, AE_NDR_FULL, &ae_ndr_u32),
	AE_NDR_STRING(Z, secret, AE_NDR_UNIQUE, AE_NDR_STR16, 16, .secret = true),
	AE_NDR_FIELD(Z, ntail, &ae_ndr_u16),
	AE_NDR_FIELD(Z, tail_head, &inner),
	AE_NDR_ARRAY(Z, tail, AE_NDR_VAL, AE_NDR_CONF, &ae_ndr_u16, ntail, 6));
#undef Z

const struct ae_ndr_type node_type = AE_NDR_STRUCT("node", struct node, 4,
	AE_NDR_FIELD(struct node, v, &ae_ndr_u32),
	AE_NDR_PTR(struct node, next, AE_NDR_UNIQUE, &node_type));
/* clang-format on */

static char text1[] = "\xe2\x82\xac 1", text2[] = "two", name[] = "n\xc3\xa4me",
	    label[] = "label", secret[] = "hunter2";
static char *texts[] = { text1, NULL, text2 };
static uint8_t bytes[] = { 1, 2, 3, 4, 5 }, varying[] = { 9, 8 };
static uint8_t ext[] = "0123456789";
static uint16_t words[] = { 0x1111, 0x2222, 0x3333, 0x4444, 0x5555 };
static uint16_t tail[] = { 7, 8, 9 };
static uint64_t items1[] = { 0x1122334455667788 }, items2[] = { 1, 2 };
static struct inner list[] = { { 1, 3, items1 }, { 0, 4, NULL },
	{ 2, 5, items2 } };
static struct inner chosen = { 2, 1, items2 };
static uint32_t again = 0xdeadbeef, same = 0xcafe;

static const struct zoo sample = {
	.a = 0xa5,
	.b = 0x0102030405060708,
	.color = 5,
	.id = { 0x11223344, 0x5566, 0x7788, { 1, 2, 3, 4, 5, 6, 7, 8 } },
	.fixed = { 10, 20, 30 },
	.name = name,
	.label = label,
	.n = 5,
	.bytes = bytes,
	.words = words,
	.varying = varying,
	.nvarying = 2,
	.texts = texts,
	.ntexts = 3,
	.tag = 77,
	.choice = { .inner = &chosen },
	.list = list,
	.nlist = 3,
	.ext_size = 10,
	.ext = ext,
	.again = &again,
	.same = &same,
	.secret = secret,
	.ntail = 3,
	.tail_head = { 1, 6, items1 },
	.tail = tail,
};

const struct zoo *
zoo_sample(void)
{
	return &sample;
}
