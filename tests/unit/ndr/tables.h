/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tables the tests and the fuzz door share: real interfaces that Samba's
 * library knows too (epm_Map, LSA, the PAC's logon information), and one
 * made-up struct that has every shape there is.
 */
#ifndef AE_TEST_NDR_TABLES_H
#define AE_TEST_NDR_TABLES_H

#include "base/sid.h"
#include "ndr/ndr.h"

/* C706 appendix: twr_t */
struct tower {
	uint32_t length;
	uint8_t *octets;
};

/* MS-RPCE 2.2.1.2.5 */
struct epm_map_in {
	struct ae_guid *object;
	struct tower *tower;
	struct ae_ndr_context_handle handle;
	uint32_t max_towers;
};

struct epm_map_out {
	struct ae_ndr_context_handle handle;
	uint32_t num_towers;
	uint32_t max_towers; /* size_is: a parameter of the other side */
	struct tower **towers;
	uint32_t status;
};

extern const struct ae_ndr_type tower_type, epm_map_in, epm_map_out;

/* MS-LSAD 3.1.4.4.1, 3.1.4.4.2 (the arm for level 5) */
struct lsa_qos {
	uint32_t length;
	uint32_t level;
	uint8_t mode, effective_only;
};

struct lsa_attributes {
	uint32_t length;
	uint8_t *root;
	char *name;
	uint32_t attributes;
	uint32_t *descriptor;
	struct lsa_qos *qos;
};

struct lsa_open_in {
	char *system;
	struct lsa_attributes attributes;
	uint32_t access;
};

struct lsa_domain {
	char *name;
	struct ae_sid *sid;
};

union lsa_policy {
	struct lsa_domain domain;
	uint64_t modified;
};

struct lsa_policy_out {
	uint16_t level; /* set from the discriminant */
	union lsa_policy *policy;
	uint32_t status;
};

extern const struct ae_ndr_type lsa_open_in, lsa_policy_out;

/* MS-PAC 2.5 */
struct membership {
	uint32_t rid, attributes;
};

struct sid_and_attributes {
	struct ae_sid *sid;
	uint32_t attributes;
};

struct filetime {
	uint32_t low, high;
};

struct logon_info {
	struct filetime logon, logoff, kickoff, set, can_change, must_change;
	char *name, *full_name, *script, *profile, *home, *drive;
	uint16_t logon_count, bad_count;
	uint32_t rid, primary, group_count;
	struct membership *groups;
	uint32_t flags;
	uint8_t session_key[16];
	char *server, *domain;
	struct ae_sid *domain_sid;
	uint32_t reserved1[2], account_control, reserved3[7];
	uint32_t sid_count;
	struct sid_and_attributes *sids;
	struct ae_sid *resource_sid;
	uint32_t resource_count;
	struct membership *resource_groups;
};

struct logon_info_ptr {
	struct logon_info *info;
};

extern const struct ae_ndr_type logon_info, logon_info_ptr;

/* Every shape once. */
struct inner {
	uint16_t n;
	uint32_t kind; /* enum */
	uint64_t *items;
};

union choice {
	uint8_t small;
	char *text;
	struct inner *inner;
};

struct zoo {
	uint8_t a;
	uint64_t b;
	uint32_t color; /* enum, 0..5 */
	struct ae_guid id;
	uint16_t fixed[3];
	char *name, *label; /* wchar_t, char */
	uint32_t n;	    /* of bytes, words */
	uint8_t *bytes;
	uint16_t *words;
	uint8_t *varying; /* counted by nvarying, not on the wire */
	uint8_t nvarying;
	char **texts; /* pointers to strings; counted by ntexts */
	uint32_t ntexts;
	uint16_t tag;
	union choice choice;
	struct inner *list; /* array of structs with pointers */
	uint32_t nlist;
	uint32_t ext_size;
	uint8_t *ext;		/* rounded to 8 */
	uint32_t *again, *same; /* full pointers */
	char *secret;
	uint16_t ntail;
	struct inner tail_head;
	uint16_t *tail; /* conformant end */
};

extern const struct ae_ndr_type zoo_type;

/* A list, to go deep with. */
struct node {
	uint32_t v;
	struct node *next;
};

extern const struct ae_ndr_type node_type;

/* A zoo filled with fixed values; its parts are static. */
const struct zoo *zoo_sample(void);

#endif
