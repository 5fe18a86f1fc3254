/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The key role, for the files that make it up: role_key.c has its table and
 * what it tells about the store, key_make.c makes keys, key_request.c the
 * requests for them, key_install.c judges answers and installs.
 */
#ifndef AE_CLIENT_ROLE_KEY_H
#define AE_CLIENT_ROLE_KEY_H

#include "ad/template.h"
#include "pki/key.h"
#include "role.h"
#include "store/store.h"

struct key_role {
	struct ae_store *store;
	struct ae_store_draft *draft; /* of the request under way */
	struct ae_key *key;
	struct ae_template *tmpl;
};

void key_drop_draft(struct key_role *k);

/* The failure of a question that role.h does not know in this form. */
int key_malformed(struct ae_err *e, const char *what);

/* key_make.c: k->key, as the plan says; alg is an enum ae_key_alg. */
int key_make(struct key_role *k, uint32_t alg, uint32_t bits,
    struct ae_err *e) AE_MUST_CHECK;

/* key_request.c, key_install.c: answers to ROLE_NEW and ROLE_INSTALL. */
role_fn key_new_request;
role_fn key_install;

#endif
