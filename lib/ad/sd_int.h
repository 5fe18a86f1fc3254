/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What sd.c and access.c share: the hash that lets a check pass over an ACE
 * whose SID is not in the token with one look.
 */
#ifndef AE_AD_SD_INT_H
#define AE_AD_SD_INT_H

#include <stdint.h>

#include "base/sid.h"

static inline uint32_t
ae_sd_hash(const struct ae_sid *s)
{
	uint32_t h = UINT32_C(2166136261) ^ (uint32_t)s->authority;
	uint8_t i;

	for (i = 0; i < s->nsubs; i++)
		h = (h ^ s->sub[i]) * UINT32_C(0x9e3779b1);
	return h ^ h >> 15;
}

#endif
