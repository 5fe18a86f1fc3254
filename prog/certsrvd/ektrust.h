/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How the files of [attestation] directory looked when they were sent.
 */
#ifndef CERTSRVD_EKTRUST_H
#define CERTSRVD_EKTRUST_H

#include <stdint.h>

#include "ca/attest.h"

struct ektrust_seen {
	uint64_t ino[AE_CA_TRUST_FILES];
	int64_t size[AE_CA_TRUST_FILES], at[AE_CA_TRUST_FILES];
};

#endif
