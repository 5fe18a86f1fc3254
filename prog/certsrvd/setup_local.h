/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The half of `certsrv setup` that needs no directory: the CA's key, its
 * database, its self-signed certificate or the request to an issuer above,
 * its security descriptor and the configuration.
 */
#ifndef CERTSRVD_SETUP_LOCAL_H
#define CERTSRVD_SETUP_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/key.h"

struct setup_local {
	const char *root;	    /* NULL: / */
	const char *name;	    /* of the CA: "Example CA" */
	const char *dns_name;	    /* of this host */
	const char *key;	    /* as cakey_parse takes it */
	const char *key_type;	    /* of a device's; NULL: what is usual */
	bool subordinate;	    /* a request instead of a certificate */
	int64_t validity;	    /* of the CA certificate; 0: ten years */
	const char *subject_suffix; /* "DC=example,DC=com"; NULL: none */
	const char *const *cdp;	    /* URLs, end with NULL; NULL: none */
	const char *const *aia;
	/* Section [key] of certsrv.conf; NULL: not said. */
	const char *passphrase_file, *pkcs11_module, *pkcs11_pin_file, *tpm;
	const char *const *pkcs11_paths; /* end with NULL */
	/* Section [database]; NULL: SQLite. */
	const char *db_server, *db_password_file;
	uint32_t uid_base; /* as in certsrv.conf; 0: users of sysusers.d */
	/*
	 * The CA has its certificate but not its database: begin a new one.
	 * What it issued and revoked before is then unknown.
	 */
	bool new_database;
	bool dry_run; /* say what would be made, make nothing */
};

/* What it did, one bit per thing it made; 0: all was there. */
enum {
	SETUP_MADE_KEY = 1,
	SETUP_MADE_CERTIFICATE = 2,
	SETUP_MADE_SECURITY = 4,
	SETUP_MADE_CONF = 8,
	SETUP_MADE_DATABASE = 16,
	SETUP_MADE_REQUEST = 32, /* CA_REQUEST_PATH; it waits for its answer */
};

/*
 * Make what is missing and leave alone what is there: a second run changes
 * nothing.  A key without its certificate is used, a certificate without its
 * key or its database is AE_EINVAL: they were lost, and a backup has them.
 */
int setup_local(const struct setup_local *s, unsigned *made,
    struct ae_err *e) AE_MUST_CHECK;

#endif
