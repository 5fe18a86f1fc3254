/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a TPM 2.0 says of itself: whether it has locked itself, and which keys
 * it would make.  Asked over the library that tpm2-openssl is built on (TCG
 * TSS 2.0 TCTI), which is loaded when somebody asks; nothing is made, and no
 * authorization is used.  Not while a ae_keydev has the TPM open: a simulator
 * serves one connection at a time.
 */
#ifndef AE_PKI_TPM_LOOK_H
#define AE_PKI_TPM_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct ae_tpm_seen {
	bool locked; /* keys with dictionary attack protection are refused */
	uint32_t failures, max_failures; /* counted now; locks when reached */
	uint32_t interval;		 /* seconds until one is forgiven */
};

/* A kind of key, as the checks name it: "RSA:2048" … "P521". */
const char *ae_tpm_kind(size_t i); /* NULL past the last */

/*
 * makes[i]: the TPM says that it would make ae_tpm_kind(i); n of them at most.
 * Blocks while the TPM does.  AE_EUNAVAIL: no library, no TPM; AE_EPROTO: what
 * answers is none.
 */
int ae_tpm_look(struct ae_tpm_seen *out, bool *makes, size_t n,
    const char *tcti, struct ae_err *e) AE_MUST_CHECK;

/* The answers' two halves, pure: false, not what was asked for. */
bool ae_tpm_take_properties(struct ae_tpm_seen *out, const void *p, size_t len);
/* TPM2_TestParms: *yes, it makes such keys. */
bool ae_tpm_take_verdict(bool *yes, const void *p, size_t len);

#endif
