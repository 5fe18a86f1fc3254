/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The private keys of the CA, wherever they are: in files (perhaps encrypted),
 * in a PKCS#11 token, in the TPM.  Shared by the process that signs and by
 * certsrv, which makes them.
 *
 * The passphrase and the PIN come from a file of root's alone or from a
 * credential of systemd's (certsrv.key-passphrase, certsrv.pkcs11-pin), never
 * from the configuration, a command line or the environment.
 */
#ifndef CERTSRVD_CAKEY_H
#define CERTSRVD_CAKEY_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "conf.h"
#include "pki/keydev.h"

struct cakeys;

/* What --key and --key-type say. */
struct cakey_spec {
	enum ae_key_home home;
	enum ae_key_type type;
	unsigned bits;
	const char *uri; /* of a token, borrowed */
	bool existing;	 /* the URI names a key that is there */
};

/*
 * key: a type ("rsa3072", "p256"), "tpm:" or a "pkcs11:" URI; type (NULL: what
 * is usual there): what kind of key the device makes.
 */
int cakey_parse(struct cakey_spec *out, const char *key, const char *type,
    struct ae_err *e) AE_MUST_CHECK;

/* A key by its name.  False: none of rsa2048, rsa3072, rsa4096, p256, p384. */
bool cakey_type(const char *name, enum ae_key_type *type, unsigned *bits);
#define CAKEY_TYPES "rsa2048, rsa3072, rsa4096, p256, p384"
/* The hash a CA of this key signs with. */
enum ae_hash cakey_hash(const struct ae_key *k);

/*
 * Reads what is secret, as root, and touches no device yet.  c must outlive
 * it.  A secret that cannot be read is told when it is needed.
 */
int cakeys_new(
    struct cakeys **out, const struct conf *c, struct ae_err *e) AE_MUST_CHECK;
void cakeys_free(struct cakeys *k); /* after its keys */

/*
 * The private key at uri.  With public, whose half it must be (AE_ETRUST), a
 * token is not asked before it signs; without, it is asked now.
 */
int cakeys_open(struct ae_key **out, struct cakeys *k, const char *uri,
    const struct ae_key *public, struct ae_err *e) AE_MUST_CHECK;

/*
 * Make a key.  *stored is what has to be written to a file of its own, the
 * key's URI then being that of the file; of a token's key it is the URI.
 */
int cakeys_make(struct ae_key **out, struct ae_secret *stored, struct cakeys *k,
    const struct cakey_spec *spec, const char *label,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Several processes, one PIN: it is tried by one at a time, and by none after
 * it was refused.  fd is a file they share, open for reading and writing.
 */
void cakeys_share(struct cakeys *k, int fd);

/*
 * While devices are used as that user and group, whose files a token's
 * library makes; back with cakeys_return.  Root only; 0 changes nothing.
 */
int cakeys_become(uid_t uid, gid_t gid, struct ae_err *e) AE_MUST_CHECK;
/*
 * The groups that the administrator put this user into, for a TPM's device
 * (tss) or a token's files; how many, at most max.
 */
size_t cakeys_groups(uid_t uid, gid_t gid, gid_t *out, size_t max);
void cakeys_return(void);

/* Is the device there, the PIN good and the key known? */
int cakeys_ready(
    struct cakeys *k, const struct ae_key *key, struct ae_err *e) AE_MUST_CHECK;
/* What the device of a key calls itself. */
const char *cakeys_device(const struct cakeys *k, const struct ae_key *key);

/* What the TCTI is; the file it names, or NULL. */
const char *cakeys_tcti(const struct conf *c);
const char *cakeys_tcti_file(const char *tcti);

#endif
