/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's own certificate after setup: renewing it, and taking over what an
 * issuer above answered.  All of it is local; the directory is told by
 * whoever calls this.  A step that is interrupted can be done again.
 */
#ifndef CERTSRVD_CARENEW_H
#define CERTSRVD_CARENEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "conf.h"

struct ca_renew {
	bool new_key;
	const char *key; /* as cakey_parse; NULL: like the key before */
	const char *key_type;
	int64_t validity; /* of a root's; 0: as long as the one before */
	bool no_cross;	  /* none between the old key and a new one */
};

struct ca_renewed {
	bool request;	  /* one was written and waits for its answer */
	char *path;	  /* of it, or of the certificates */
	uint32_t version; /* key index << 16 | certificate index */
};
void ca_renewed_done(struct ca_renewed *r);

/*
 * A root gets its next certificate now, with cross certificates between the
 * old and a new key; a subordinate CA gets a request for the issuer above,
 * and its new key waits with it.
 */
int ca_renew(struct ca_renewed *out, const struct conf *c,
    const struct ca_renew *r, struct ae_err *e) AE_MUST_CHECK;

/*
 * Take over the answer to the request that waits: PEM, DER or PKCS#7, with or
 * without the issuers above, which may come as chain (PEM; len 0: none).  The
 * certificate is judged (ca/own.h) and its key is tried before anything is
 * changed.  AE_ENOTFOUND: no request waits.
 */
int ca_install(struct ca_renewed *out, const struct conf *c, const void *p,
    size_t len, const void *chain, size_t chain_len,
    struct ae_err *e) AE_MUST_CHECK;

/* The certificates of a file: PEM, one in DER, or a PKCS#7. */
struct ae_cert;
#define CA_ANSWER_MAX 32
int ca_read_certs(struct ae_cert ***v, size_t *n, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
