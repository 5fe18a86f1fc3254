/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A directory entry as plain data: name and attribute values, as LDAP
 * delivered them or as a test wrote them.  Decoders start from this and so
 * need no LDAP.
 */
#ifndef AE_AD_ENTRY_H
#define AE_AD_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/sid.h"

struct ae_value {
	const uint8_t *p; /* NUL-terminated behind len when from ae_ad_search */
	size_t len;
};

struct ae_attr {
	const char *name; /* as requested; compared without case */
	const struct ae_value *v;
	size_t n;
};

struct ae_entry {
	const char *dn;
	const struct ae_attr *attrs;
	size_t n;
};

/* A search result: everything lives in arena.  Zeroed is empty. */
struct ae_entries {
	struct ae_arena *arena;
	struct ae_entry *v;
	size_t n;
};

void ae_entries_done(struct ae_entries *l);

/* The attribute, or NULL when it is absent or has no value. */
const struct ae_attr *ae_entry_get(
    const struct ae_entry *entry, const char *name);

/*
 * The single value of an attribute as a type.  AE_OK with *out set;
 * AE_ENOTFOUND (no message) when it is absent, *out untouched; AE_EPROTO
 * when it has several values or is not of that type.
 *
 * u32 reads LDAP's signed decimals: "-1509949440" is 0xa6000000.
 * str points into the arena a.  It refuses embedded NUL and bad UTF-8.
 * time reads GeneralizedTime "20261123134028.0Z".
 */
int ae_entry_str(const struct ae_entry *entry, const char *name,
    struct ae_arena *a, const char **out, struct ae_err *e) AE_MUST_CHECK;
int ae_entry_u32(const struct ae_entry *entry, const char *name, uint32_t *out,
    struct ae_err *e) AE_MUST_CHECK;
int ae_entry_u64(const struct ae_entry *entry, const char *name, uint64_t *out,
    struct ae_err *e) AE_MUST_CHECK;
int ae_entry_time(const struct ae_entry *entry, const char *name, int64_t *out,
    struct ae_err *e) AE_MUST_CHECK;
int ae_entry_sid(const struct ae_entry *entry, const char *name,
    struct ae_sid *out, struct ae_err *e) AE_MUST_CHECK;
int ae_entry_guid(const struct ae_entry *entry, const char *name,
    struct ae_guid *out, struct ae_err *e) AE_MUST_CHECK;

#endif
