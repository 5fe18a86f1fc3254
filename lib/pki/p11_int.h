/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the files that talk PKCS#11 share.  Nothing else includes p11-kit.
 */
#ifndef AE_PKI_P11_INT_H
#define AE_PKI_P11_INT_H

#define CRYPTOKI_GNU 1
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include "pki/key_int.h"

#define AE_P11_URI_MAX 1024

struct ae_p11 {
	const struct ae_keydev_conf *conf;
	CK_FUNCTION_LIST *f;
	bool initialized;
	P11KitUri *uri; /* which token */
	ck_slot_id_t slot;
	ck_session_handle_t session; /* 0: none */
	unsigned session_no;	     /* grows with each session */
	bool logged_in;
	bool refused; /* the PIN */
	char name[160];
	struct ck_token_info token;
};

/*
 * A session on the token, and with login logged in.  One that is there is
 * used again.
 */
int ae_p11_session(
    struct ae_p11 *p, bool login, struct ae_err *e) AE_MUST_CHECK;
/* Forget the session: the token went away, or the session did. */
void ae_p11_drop(struct ae_p11 *p);

/* Does a new session help against this answer? */
bool ae_p11_lost(CK_RV rv);

/* clang-format off */
/* PKCS#11 takes what it only reads as if it would write. */
#define AE_P11_ATTR(t, v, n) (struct ck_attribute){ .type = (t), \
	.value = (void *)(uintptr_t)(v), .value_len = (n) }
/* clang-format on */

/* What an object is looked for by; at least one of both. */
struct ae_p11_match {
	uint8_t id[64];
	size_t id_len; /* 0: any */
	uint8_t label[128];
	size_t label_len;
};

struct ae_p11_key {
	struct ae_p11 *p11;	   /* borrowed */
	uint8_t id[AE_KEY_ID_LEN]; /* that of a certificate of it */
	struct ae_p11_match match;
	ck_object_handle_t private; /* in the session of that number */
	unsigned session_no;
	char uri[AE_P11_URI_MAX];
};

/* The object of a class with this id; CKR_OBJECT_HANDLE_INVALID: none. */
CK_RV ae_p11_find(struct ae_p11 *p, ck_object_class_t class,
    const uint8_t id[AE_KEY_ID_LEN], ck_object_handle_t *out);

/*
 * The token's certificate of the key: this one and no other (p11_cert.c).
 * Destroying the key takes it away.
 */
int ae_p11_put_cert(const struct ae_key *k, const struct ae_cert *cert,
    const char *label, struct ae_err *e) AE_MUST_CHECK;

/* The failure a PKCS#11 answer stands for. */
int ae_p11_fail(struct ae_err *e, CK_RV rv, const char *what);

#endif
