/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The key role, for the files that make it up: role_key.c has its table and
 * what it tells about the store, key_make.c makes and opens keys,
 * key_request.c makes requests, key_open.c takes them up again and ends
 * them, key_install.c judges answers and installs.
 */
#ifndef AE_CLIENT_ROLE_KEY_H
#define AE_CLIENT_ROLE_KEY_H

#include "ad/template.h"
#include "keys.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "role.h"
#include "store/request.h"
#include "store/store.h"

/* The request in hand: made or taken up, not yet settled. */
struct key_role {
	struct ae_store *store;
	struct keys keys;
	struct ae_template *tmpl; /* NULL: none in hand */
	unsigned number;	  /* of its directory */
	struct ae_key *key;
	struct ae_store_request_meta meta;
};

/* Nothing is in hand any more; on disk everything stays. */
void key_let_go(struct key_role *k);

/* The failure of a question that role.h does not know in this form. */
int key_malformed(struct ae_err *e, const char *what);

/*
 * key_make.c, all that knows where keys live.  key_make: a new one as the
 * plan says (alg is an enum ae_key_alg), by the first provider of the
 * template that can; those before it get event 57.  key_file: what is stored
 * of it and under which name.  key_open: the key of my/ or
 * request/<tmpl>/<number>.  key_is_there: does it still exist, and belong to
 * this certificate; a device that is away is not asked.  key_forget: a
 * request is given up, and with it a key that a token made for it alone.
 * key_own: mode and owner of the key file in a draft.
 */
int key_make(struct ae_key **out, struct role *r, const struct ae_template *t,
    uint32_t alg, uint32_t bits, struct ae_err *e) AE_MUST_CHECK;
int key_file(struct ae_secret *out, const char **name, const struct ae_key *k,
    struct ae_err *e) AE_MUST_CHECK;
int key_open(struct ae_key **out, const struct role *r, const char *area,
    const char *tmpl, unsigned number, struct ae_err *e) AE_MUST_CHECK;
bool key_is_there(const struct role *r, const char *tmpl, unsigned number,
    const struct ae_cert *cert);
void key_forget(const struct role *r, const char *tmpl, unsigned number);
int key_own(struct ae_store_draft *d, const struct key_role *k,
    struct ae_err *e) AE_MUST_CHECK;

/* Encoded DER certificates, at most KEY_ANCHORS_MAX; how many. */
#define KEY_ANCHORS_MAX 256
size_t key_get_ders(struct ae_der *v, struct ae_rd *in);

/* Answers to ROLE_NEW; ROLE_OPEN, LOAD, MARK, DROP; ROLE_INSTALL. */
role_fn key_new_request;
role_fn key_list_open;
role_fn key_load;
role_fn key_mark;
role_fn key_drop;
role_fn key_install;

#endif
