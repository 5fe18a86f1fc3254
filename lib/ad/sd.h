/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Security descriptors in self-relative form (MS-DTYP 2.4.6) and the access
 * check over them (MS-DTYP 2.5.3.2, MS-ADTS 5.1.3.3).  Parsed once, checked
 * often: a check allocates nothing.  No SDDL, no names: SIDs and masks.
 */
#ifndef AE_AD_SD_H
#define AE_AD_SD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"
#include "base/sid.h"
#include "base/wr.h"

/* An ACL's size field is 16 bits; owner, group and two ACLs fit in this. */
#define AE_SD_BYTES_MAX (192u * 1024u)

/* Standard, generic and directory rights: MS-DTYP 2.4.3, MS-ADTS 5.1.3.2. */
#define AE_ACCESS_CREATE_CHILD UINT32_C(0x00000001)
#define AE_ACCESS_DELETE_CHILD UINT32_C(0x00000002)
#define AE_ACCESS_LIST UINT32_C(0x00000004)
#define AE_ACCESS_SELF UINT32_C(0x00000008)
#define AE_ACCESS_READ_PROP UINT32_C(0x00000010)
#define AE_ACCESS_WRITE_PROP UINT32_C(0x00000020)
#define AE_ACCESS_DELETE_TREE UINT32_C(0x00000040)
#define AE_ACCESS_LIST_OBJECT UINT32_C(0x00000080)
#define AE_ACCESS_CONTROL UINT32_C(0x00000100)
#define AE_ACCESS_DELETE UINT32_C(0x00010000)
#define AE_ACCESS_READ_CONTROL UINT32_C(0x00020000)
#define AE_ACCESS_WRITE_DAC UINT32_C(0x00040000)
#define AE_ACCESS_WRITE_OWNER UINT32_C(0x00080000)
#define AE_ACCESS_SYSTEM_SECURITY UINT32_C(0x01000000)
#define AE_ACCESS_MAXIMUM_ALLOWED UINT32_C(0x02000000)
#define AE_ACCESS_GENERIC_ALL UINT32_C(0x10000000)
#define AE_ACCESS_GENERIC_EXECUTE UINT32_C(0x20000000)
#define AE_ACCESS_GENERIC_WRITE UINT32_C(0x40000000)
#define AE_ACCESS_GENERIC_READ UINT32_C(0x80000000)
#define AE_ACCESS_FULL UINT32_C(0x000f01ff)
/* "Read" of a template: MS-CRTD 2.5. */
#define AE_ACCESS_READ \
	(AE_ACCESS_READ_CONTROL | AE_ACCESS_LIST | AE_ACCESS_READ_PROP)

/* ACE types, MS-DTYP 2.4.4.1. */
enum {
	AE_ACE_ALLOWED = 0x00,
	AE_ACE_DENIED = 0x01,
	AE_ACE_AUDIT = 0x02,
	AE_ACE_ALLOWED_OBJECT = 0x05,
	AE_ACE_DENIED_OBJECT = 0x06,
	AE_ACE_AUDIT_OBJECT = 0x07,
	AE_ACE_ALLOWED_CALLBACK = 0x09,
	AE_ACE_DENIED_CALLBACK = 0x0a,
	AE_ACE_ALLOWED_CALLBACK_OBJECT = 0x0b,
	AE_ACE_DENIED_CALLBACK_OBJECT = 0x0c,
};

/* ACE flags, MS-DTYP 2.4.4.1. */
#define AE_ACE_OBJECT_INHERIT 0x01
#define AE_ACE_CONTAINER_INHERIT 0x02
#define AE_ACE_NO_PROPAGATE 0x04
#define AE_ACE_INHERIT_ONLY 0x08
#define AE_ACE_INHERITED 0x10

/* Control bits, MS-DTYP 2.4.6. */
#define AE_SD_DACL_PRESENT UINT16_C(0x0004)
#define AE_SD_SACL_PRESENT UINT16_C(0x0010)
#define AE_SD_DACL_AUTO_INHERITED UINT16_C(0x0400)
#define AE_SD_DACL_PROTECTED UINT16_C(0x1000)
#define AE_SD_SELF_RELATIVE UINT16_C(0x8000)

/*
 * One ACE.  For the types whose layout is not known, mask and sid are zero
 * and body holds everything behind the 4-byte header; for the others body is
 * what follows the SID (application data of callback ACEs, MS-CSRA 2.2.1.11).
 */
struct ae_ace {
	uint8_t type;
	uint8_t flags;
	bool known;		   /* mask and sid are meaningful */
	bool has_object;	   /* object is meaningful */
	bool has_inherited_object; /* inherited_object is meaningful */
	uint32_t mask;
	uint32_t hash; /* of sid; kept by the functions here */
	struct ae_sid sid;
	struct ae_guid object;
	struct ae_guid inherited_object;
	uint8_t *body; /* owned, NULL when empty */
	size_t body_len;
};

struct ae_acl {
	struct ae_ace *v;
	size_t n;
	uint8_t revision; /* 2, or 4 with object ACEs */
};

/*
 * A parsed descriptor: reading its fields is fine, changing them is for the
 * functions below.  dacl is meaningful only with has_dacl; control keeps the
 * bits as they came.  has_dacl is false for an absent and for a NULL DACL.
 */
struct ae_sd {
	uint16_t control;
	bool has_owner, has_group, has_dacl, has_sacl;
	struct ae_sid owner, group;
	struct ae_acl dacl, sacl;
};

/*
 * Parse the self-relative form.  AE_EPROTO: lengths or offsets out of bounds,
 * wrong revision, not self-relative, an ACE with a malformed SID.  Bytes
 * between the parts are ignored, parts may lie in any order.
 */
int ae_sd_parse(struct ae_sd **out, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* An empty descriptor for building: no owner, no group, no DACL.  NULL: no
 * memory. */
struct ae_sd *ae_sd_new(void);
struct ae_sd *ae_sd_dup(const struct ae_sd *sd);
void ae_sd_free(struct ae_sd *sd);

void ae_sd_set_owner(struct ae_sd *sd, const struct ae_sid *owner);
void ae_sd_set_group(struct ae_sd *sd, const struct ae_sid *group);

/*
 * Append an ACE to the DACL, which exists afterwards.  object NULL makes a
 * plain ACE (allow or deny), otherwise the object form of it with that
 * ObjectType.  The caller keeps canonical order: deny before allow.
 */
int ae_sd_allow(struct ae_sd *sd, uint8_t flags, uint32_t mask,
    const struct ae_guid *object, const struct ae_sid *sid,
    struct ae_err *e) AE_MUST_CHECK;
int ae_sd_deny(struct ae_sd *sd, uint8_t flags, uint32_t mask,
    const struct ae_guid *object, const struct ae_sid *sid,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The same for a callback ACE: len (not 0) bytes of application data follow
 * the SID, a multiple of four of them (MS-DTYP 2.4.4.6).
 */
int ae_sd_add_callback(struct ae_sd *sd, bool allow, uint32_t mask,
    const struct ae_sid *sid, const void *body, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* Remove the DACL's ACE number i. */
void ae_sd_remove(struct ae_sd *sd, size_t i);

/*
 * Put the DACL in canonical order: explicit deny, explicit allow, inherited
 * as they stand; the order inside each class is kept.
 */
void ae_sd_canonicalize(struct ae_sd *sd);

/* Append the self-relative form; order: header, SACL, DACL, owner, group. */
int ae_sd_encode(
    struct ae_wr *w, const struct ae_sd *sd, struct ae_err *e) AE_MUST_CHECK;

/* Same owner, group and DACL (ACE by ACE; control and SACL not compared). */
bool ae_sd_equal(const struct ae_sd *a, const struct ae_sd *b);

/*
 * Who asks: the sorted SIDs of the user and all its groups, made ready for
 * many checks.
 */
struct ae_token;

/* What ae_token_new adds besides Everyone and Authenticated Users. */
#define AE_TOKEN_DC 0x1u      /* S-1-5-9: the account is a DC's */
#define AE_TOKEN_NETWORK 0x2u /* S-1-5-2: a network logon, as at the CA */

/*
 * user may be NULL when the groups hold it.  Adds Everyone (S-1-1-0),
 * Authenticated Users (S-1-5-11), This Organization (S-1-5-15) unless
 * S-1-5-1000 is in the groups, and what flags say.  Copies everything.
 */
int ae_token_new(struct ae_token **out, const struct ae_sid *user,
    const struct ae_sid *groups, size_t n, unsigned int flags,
    struct ae_err *e) AE_MUST_CHECK;
/* Exactly these SIDs, in any order; nothing is added. */
int ae_token_exact(struct ae_token **out, const struct ae_sid *sids, size_t n,
    struct ae_err *e) AE_MUST_CHECK;
void ae_token_free(struct ae_token *t);

/* The token's sorted SIDs, borrowed. */
const struct ae_sid *ae_token_sids(const struct ae_token *t, size_t *n);
bool ae_token_has(const struct ae_token *t, const struct ae_sid *sid);

/* The wanted bits with generic ones replaced: MS-ADTS 5.1.3.2. */
uint32_t ae_access_map_generic(uint32_t mask);

/*
 * MS-DTYP 2.5.3.2 without privileges, for a tree of at most one object type.
 * True when everything in desired (generic bits are mapped) is granted.
 *
 *   object  the right, property or class asked about; NULL: the whole object.
 *           An object ACE counts when its ObjectType is absent or equal.
 *   self    what PRINCIPAL_SELF (S-1-5-10) stands for; NULL: nobody.
 *   granted when not NULL: with MAXIMUM_ALLOWED in desired everything that
 *           is granted, otherwise desired or 0.
 *
 * Rules worth knowing: ACEs count in their order; inherit-only ones do not
 * count; the owner has READ_CONTROL and WRITE_DAC unless an ACE for OWNER
 * RIGHTS (S-1-3-4) is there; a conditional (callback) ACE never allows and
 * always denies, because conditions are not evaluated; generic bits in an
 * ACE deny but do not allow; no DACL allows everything.
 */
bool ae_sd_access_check(const struct ae_sd *sd, const struct ae_token *t,
    uint32_t desired, const struct ae_guid *object, const struct ae_sid *self,
    uint32_t *granted);

/* Control access rights, MS-ADTS 6.1.1.2.7.26, .77 and MS-GPOL 3.2.5.1.6. */
extern const struct ae_guid ae_right_enroll;
extern const struct ae_guid ae_right_autoenroll;
extern const struct ae_guid ae_right_apply_group_policy;

/*
 * The questions asked of templates and enrollment services.  Unlike
 * ae_sd_access_check these answer no when sd is NULL or has no DACL: a
 * directory that leaves it out must not open anything.
 */
bool ae_sd_can_read(const struct ae_sd *sd, const struct ae_token *t);
bool ae_sd_can_enroll(const struct ae_sd *sd, const struct ae_token *t);
bool ae_sd_can_autoenroll(const struct ae_sd *sd, const struct ae_token *t);
/* Any control access right by its GUID. */
bool ae_sd_has_right(const struct ae_sd *sd, const struct ae_token *t,
    const struct ae_guid *right);

#endif
