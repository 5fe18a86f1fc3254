/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * PIV attestation of a YubiKey that came with a request: two certificates in
 * its extensions, one that the key's slot made about its key and the one of
 * the device, which Yubico signed.
 */
#ifndef AE_RULES_ATTESTATION_H
#define AE_RULES_ATTESTATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "pki/csr.h"
#include "rules/judge.h"

struct ae_attestation {
	char slot[3];		   /* "9a"; "": the certificate does not say */
	unsigned pin, touch, form; /* as the device has them */
	unsigned edition;	   /* AE_RULES_YK_* */
	uint8_t firmware[3];
	uint32_t serial; /* 0: not said */
	/* its extensions that are copied into the certificate */
	struct ae_ext *copied;
	size_t ncopied;
};

/*
 * AE_ENOTFOUND (no message): the request has none.  AE_ETRUST: it is not of
 * the requested key, or there is no chain to a root.  AE_EPROTO: malformed.
 */
int ae_attestation_read(struct ae_attestation *out, const struct ae_csr *csr,
    const struct ae_rules_trust *trust, int64_t now, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* "ONCE", "CACHED", "USB_A_KEYCHAIN" …; "UNKNOWN" for other numbers. */
const char *ae_attestation_pin(unsigned v);
const char *ae_attestation_touch(unsigned v);
const char *ae_attestation_form(unsigned v);

#endif
