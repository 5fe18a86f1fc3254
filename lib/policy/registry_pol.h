/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Registry.pol (MS-GPREG 2.2.1): a list of instructions, parsed whole
 * before any of them counts, and written.
 */
#ifndef AE_POLICY_REGISTRY_POL_H
#define AE_POLICY_REGISTRY_POL_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/wr.h"

#define AE_POL_FILE_MAX (4u * 1024u * 1024u)
#define AE_POL_INSTRUCTIONS_MAX 16384u
#define AE_POL_KEY_MAX 1024u  /* UTF-16 units, ours */
#define AE_POL_VALUE_MAX 259u /* UTF-16 units, 2.2.1; 16 more for a prefix */
#define AE_POL_DATA_MAX 65535u

/* Registry types, MS-GPREG 2.2.1. */
enum {
	AE_REG_SZ = 1,
	AE_REG_EXPAND_SZ = 2,
	AE_REG_BINARY = 3,
	AE_REG_DWORD = 4,
	AE_REG_DWORD_BE = 5,
	AE_REG_MULTI_SZ = 7,
	AE_REG_QWORD = 11,
};

struct ae_pol_instruction {
	const char *key;   /* UTF-8, without hive */
	const char *value; /* UTF-8, may be "" (the default value) */
	uint32_t type;
	const uint8_t *data;
	size_t len;
};

struct ae_pol {
	struct ae_arena *arena; /* everything below lives here */
	struct ae_pol_instruction *v;
	size_t n;
};

/*
 * AE_EPROTO: wrong signature or version (such a file is to be skipped,
 * 3.2.5.1.2), or malformed anywhere; AE_ELIMIT: over the limits above.
 * Unknown types are kept.
 */
int ae_pol_parse(struct ae_pol *out, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
void ae_pol_done(struct ae_pol *pol);

/* Append a whole file.  AE_EINVAL: text that is not UTF-8, or too long. */
int ae_pol_encode(struct ae_wr *w, const struct ae_pol_instruction *v, size_t n,
    struct ae_err *e) AE_MUST_CHECK;

#endif
