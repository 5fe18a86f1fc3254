/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between admin.c and its tables.
 */
#ifndef AE_WCCE_ADMIN_WIRE_H
#define AE_WCCE_ADMIN_WIRE_H

#include <stdint.h>

#define AE_ADMIN_WORDS_MAX 0x2000

/* FLAGGED_WORD_BLOB, MS-OAUT 2.2.23.1 */
struct ae_admin_words {
	uint32_t bytes;
	uint32_t n;
	const uint16_t *v;
};

#endif
