/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Whose TPMs count, MS-WCCE 3.2.2.6.2.1.2.5: the roots and intermediates of
 * their manufacturers (the EKROOT and EKCA stores of a Windows CA), and a
 * list of endorsement keys (its EndorsementKeyListDirectories).
 */
#ifndef AE_CA_ATTEST_H
#define AE_CA_ATTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/attest.h"
#include "pki/cert.h"

#define AE_CA_EK_CERTS 256
#define AE_CA_EK_PEM_MAX (1024u * 1024u)
#define AE_CA_EK_KEYS 65536
#define AE_CA_EK_KEYS_MAX (16u * 1024u * 1024u) /* bytes of the list */
#define AE_CA_EK_HASH 32

/* The files they are in, in one directory. */
enum {
	AE_CA_TRUST_ROOTS,
	AE_CA_TRUST_OTHERS,
	AE_CA_TRUST_KEYS,
	AE_CA_TRUST_FILES
};
struct ae_ca_trust_file {
	const char *name;
	size_t max;
};
extern const struct ae_ca_trust_file ae_ca_trust_files[AE_CA_TRUST_FILES];

/* Self-owned.  Read only. */
struct ae_ca_trust {
	struct ae_cert **roots, **others;
	size_t nroots, nothers;
	uint8_t (*keys)[AE_CA_EK_HASH]; /* sorted */
	size_t nkeys;
};

/* A file's content; p NULL: there is none. */
struct ae_ca_trust_text {
	const uint8_t *p;
	size_t len;
};

/*
 * Certificates are PEM.  A line of the list is a SHA-256 of an endorsement
 * key in hex, and perhaps blanks and a comment; "#" begins a line that is a
 * comment alone.  AE_EPROTO names the file and its line.
 */
int ae_ca_trust_parse(struct ae_ca_trust **out, struct ae_ca_trust_text roots,
    struct ae_ca_trust_text others, struct ae_ca_trust_text keys,
    struct ae_err *e) AE_MUST_CHECK;
void ae_ca_trust_free(struct ae_ca_trust *t);

/* One line: 1 a hash, 0 nothing but a comment, AE_EPROTO. */
int ae_ca_trust_line(uint8_t hash[AE_CA_EK_HASH], const char *line, size_t len);

bool ae_ca_trust_has_key(
    const struct ae_ca_trust *t, const struct ae_ek_info *ek);

/*
 * Has one of these certificates the endorsement key in it, and a chain to
 * one of the roots?  AE_ETRUST: none, and why not.
 */
int ae_ca_trust_cert(const struct ae_ca_trust *t, const struct ae_ek_info *ek,
    int64_t now, struct ae_err *e) AE_MUST_CHECK;

#endif
