/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Hexadecimal text.
 */
#ifndef AE_BASE_HEX_H
#define AE_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lower-case hex of len bytes; out holds 2 * len + 1 characters. */
void ae_hex_encode(char *out, const void *p, size_t len);

/*
 * The len bytes that s spells in exactly 2 * len digits of either case.
 * False when s has another length or another character; out is then
 * unspecified.
 */
bool ae_hex_decode(void *out, size_t len, const char *s);

#endif
