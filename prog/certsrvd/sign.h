/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the files of the process that has the CA key.
 */
#ifndef CERTSRVD_SIGN_H
#define CERTSRVD_SIGN_H

#include "ca/signcheck.h"
#include "cafile.h"
#include "pki/key.h"
#include "role.h"

/* An exchange key with its certificate. */
struct xchg {
	struct ae_key *key;
	struct ae_cert *cert;
};

struct signer {
	struct cafile ca;
	struct ae_key *key[AE_CA_SIGNING_MAX]; /* by place; NULL: not here */
	struct ae_ca_sign_config cfg[AE_CA_SIGNING_MAX]; /* by certificate */
	struct xchg xchg[3]; /* being certified, current, the one before */
	uint64_t made, refused;
};

ae_ipc_handler on_xchg_new, on_xchg_cert, on_xchg_open;

#endif
