/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One version of the store, read whole: what targets are made of and what
 * hooks are told.
 */
#ifndef AE_DEPLOY_MATERIAL_H
#define AE_DEPLOY_MATERIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "deploy/conf.h"
#include "pki/cert.h"

#define AE_MATERIAL_CHAIN_MAX 16

enum ae_key_place {
	AE_KEY_NOWHERE, /* there is no key beside the certificate */
	AE_KEY_FILE,	/* key.pem, a private key in the open */
	AE_KEY_TPM,	/* key.pem, wrapped by this machine's TPM */
	AE_KEY_TOKEN,	/* key.uri: it never leaves its token */
};

struct ae_material {
	char tmpl[65];
	unsigned number;
	char *dir; /* …/my/<template>/<number> */
	struct ae_cert *cert;
	struct ae_cert **chain;
	size_t nchain;
	uint8_t *cert_pem, *chain_pem, *key_pem; /* key_pem: AE_KEY_FILE */
	size_t cert_len, chain_len, key_len;
	enum ae_key_place place;
	char *key_uri;	     /* how to name the key to who can use it */
	char thumbprint[41]; /* SHA-1, lower case hex */
	char serial[129];
	char *subject, *issuer;
};

/* Read state_dir/my/<tmpl>/<number>.  AE_ENOTFOUND without a certificate. */
int ae_material_load(struct ae_material *m, const char *state_dir,
    const char *tmpl, unsigned number, struct ae_err *e) AE_MUST_CHECK;
void ae_material_done(struct ae_material *m); /* wipes the key */

/* AE_EDENIED saying where the key is, unless its bytes may be copied. */
int ae_material_key_copies(
    const struct ae_material *m, struct ae_err *e) AE_MUST_CHECK;

/* The first DNS name, or UPN; NULL. */
const char *ae_material_dns(const struct ae_material *m);
const char *ae_material_upn(const struct ae_material *m);

/*
 * The certificate's facts, "AE_NAME=value", added to env: AE_TEMPLATE,
 * AE_SUBJECT, AE_ISSUER, AE_SERIAL, AE_THUMBPRINT, AE_NOT_BEFORE,
 * AE_NOT_AFTER, AE_DNS, AE_UPN, AE_VERSION, AE_CERT, AE_CHAIN, AE_FULLCHAIN,
 * AE_KEY.  False when out of memory.
 */
bool ae_material_env(struct ae_strv *env, const struct ae_material *m);

/* Append "name=value", cut off at the first line end of value. */
bool ae_env_add(struct ae_strv *env, const char *name, const char *value);

#endif
