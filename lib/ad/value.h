/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One attribute value as a type (MS-ADTS 3.1.1.2.2.2).  False: it is not of
 * that type, *out is untouched.
 */
#ifndef AE_AD_VALUE_H
#define AE_AD_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/entry.h"

/* s, a C string made from len bytes, has no embedded NUL and is UTF-8. */
bool ae_value_is_text(const char *s, size_t len);

/* Integer: signed decimal; -2^31 to 2^32-1, reinterpreted as unsigned. */
bool ae_value_u32(const struct ae_value *v, uint32_t *out);

/* LargeInteger as far as it is not negative. */
bool ae_value_u64(const struct ae_value *v, uint64_t *out);

/* "20261123134028.0Z": GeneralizedTime in UTC; a fraction is dropped. */
bool ae_value_time(const struct ae_value *v, int64_t *out);

bool ae_value_sid(const struct ae_value *v, struct ae_sid *out);

/* Dotted decimal with at least two arcs: "1.3.6.1.5.5.7.3.2". */
bool ae_value_is_oid(const char *s);

/* A heap copy as C string; NULL with *oom false: not text or over max. */
char *ae_value_strdup(const struct ae_value *v, size_t max, bool *oom);

#endif
