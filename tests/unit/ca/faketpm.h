/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A TPM in software, as far as it attests keys: it says whatever a test wants
 * it to.  tests/unit/pki/test_attest.c has statements of a TPM that does not.
 */
#ifndef AE_TEST_FAKETPM_H
#define AE_TEST_FAKETPM_H

#include "base/wr.h"
#include "pki/attest.h"
#include "pki/key.h"

struct faketpm {
	struct ae_key *ek, *aik;
	uint32_t aik_attributes, key_attributes;
};

/* Keys, and attributes as they should be; false: they could not be made. */
bool faketpm_begin(struct faketpm *t);
void faketpm_end(struct faketpm *t);

/* A statement about that EC key. */
bool faketpm_attest(
    const struct faketpm *t, struct ae_wr *w, const struct ae_key *key);

#endif
