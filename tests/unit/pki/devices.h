/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A TPM (swtpm on a Unix socket) and a token (SoftHSM in a directory) of a
 * test's own, in a temporary directory that goes with them.
 */
#ifndef AE_TEST_PKI_DEVICES_H
#define AE_TEST_PKI_DEVICES_H

#include <stdbool.h>

#define DEV_PIN "123456"
#define DEV_TOKEN "pkcs11:token=ae-test"

/* Makes the directory and the token.  False: the programs are not here. */
bool dev_init(void);
void dev_done(void); /* ends what was started */

const char *dev_tcti(void);
const char *dev_module(void);

bool dev_tpm_start(void); /* waits until it answers */
void dev_tpm_stop(void);
bool dev_tpm_clear(void); /* other seeds: old keys are lost.  Stopped only. */

/* Take the token out of its slot and put it back. */
void dev_token_out(void);
void dev_token_in(void);

#endif
