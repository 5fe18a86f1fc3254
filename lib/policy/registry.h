/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The small part of a Windows registry that policies are about, built anew
 * from all Registry.pol files in order, so that nothing stale survives a GPO
 * that went away (MS-GPREG 3.2.5.1.1, .2).
 */
#ifndef AE_POLICY_REGISTRY_H
#define AE_POLICY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/registry_pol.h"

#define AE_REGISTRY_VALUES_MAX 4096u

struct ae_registry_value {
	char *key;
	char *name;
	uint32_t type;
	uint8_t *data;
	size_t len;
	size_t source; /* what the caller said when it was applied */
};

struct ae_registry;

/*
 * Only keys at or below one of these prefixes (NULL ends them, borrowed) are
 * kept.  NULL: out of memory.
 */
struct ae_registry *ae_registry_new(const char *const *prefixes);
void ae_registry_free(struct ae_registry *r);

/*
 * Carry out all instructions in their order, **DeleteValues, **Del.,
 * **DelVals., **DeleteKeys and **soft. among them; **SecureKey means nothing
 * here.  source is remembered with every value set.
 */
int ae_registry_apply(struct ae_registry *r, const struct ae_pol *pol,
    size_t source, struct ae_err *e) AE_MUST_CHECK;

/* Set one value, as an instruction would. */
int ae_registry_set(struct ae_registry *r, const char *key, const char *name,
    uint32_t type, const void *data, size_t len, size_t source,
    struct ae_err *e) AE_MUST_CHECK;

/* NULL: not there.  Names are compared without case. */
const struct ae_registry_value *ae_registry_get(
    const struct ae_registry *r, const char *key, const char *name);

/* All of them, in no order; borrowed. */
const struct ae_registry_value *ae_registry_all(
    const struct ae_registry *r, size_t *n);

/* A DWORD (of either byte order).  False: absent or another type. */
bool ae_registry_u32(const struct ae_registry_value *v, uint32_t *out);

/*
 * The text of SZ and EXPAND_SZ, up to the first NUL, as UTF-8 on the heap.
 * NULL: another type, malformed, or out of memory.
 */
char *ae_registry_text(const struct ae_registry_value *v);

#endif
