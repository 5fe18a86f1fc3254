/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Base64 (RFC 4648 4), strict: padded, one spelling for each value.
 */
#ifndef AE_BASE_BASE64_H
#define AE_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of len characters; false when it is not base64, or more than
 * max bytes.  No line breaks, no bits that nobody reads.
 */
bool ae_base64_decode(
    uint8_t *out, size_t max, size_t *n, const char *text, size_t len);

#endif
