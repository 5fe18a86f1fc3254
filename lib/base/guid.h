/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * GUIDs (UUIDs), MS-DTYP 2.3.4.
 */
#ifndef AE_BASE_GUID_H
#define AE_BASE_GUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

struct ae_guid {
	uint32_t d1;
	uint16_t d2;
	uint16_t d3;
	uint8_t d4[8];
};

#define AE_GUID_STR_MAX 39 /* braces and NUL included */

/* The 16-byte little-endian packet form (in a big reader: network order). */
struct ae_guid ae_guid_get(struct ae_rd *r);
void ae_guid_put(struct ae_wr *w, const struct ae_guid *g);

bool ae_guid_equal(const struct ae_guid *a, const struct ae_guid *b);
bool ae_guid_is_nil(const struct ae_guid *g);

/* Lower case, no braces: "d99e6e70-fc88-11d0-b498-00a0c90312f3". */
const char *ae_guid_print(char out[AE_GUID_STR_MAX], const struct ae_guid *g);

/* Accepts either case, with or without braces.  False: *g untouched. */
bool ae_guid_parse(struct ae_guid *g, const char *s);

#endif
