/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests under way, so that neither a lost answer nor an approval that
 * takes weeks loses the key:
 *
 *   request/<template>/<number>/{key.pem | key.uri, request.der, meta.json}
 *
 * Such a directory is there, whole and flushed, before a CA hears of the
 * request, and until its certificate is installed or it is given up.  The
 * bytes never change: what is sent again is what was sent before.
 */
#ifndef AE_STORE_REQUEST_H
#define AE_STORE_REQUEST_H

#include "base/secret.h"
#include "store/store.h"

/* Names of key files: PEM of whatever kind, or the URI of a key that never
 * leaves its token. */
#define AE_STORE_KEY_PEM "key.pem"
#define AE_STORE_KEY_URI "key.uri"

enum ae_store_request_state {
	AE_STORE_MADE,	  /* nobody was asked yet */
	AE_STORE_ASKED,	  /* about to be sent, or sent: no answer known */
	AE_STORE_PENDING, /* the CA holds it under its request id */
	AE_STORE_KEPT,	  /* a person carries it to a CA by hand */
};
#define AE_STORE_REQUEST_STATES 4

struct ae_store_request_meta {
	enum ae_store_request_state state;
	char template_oid[128]; /* empty: unknown */
	char ca_config[256];	/* asked last; empty while MADE */
	uint32_t request_id;	/* PENDING */
	int64_t made, asked;
	char renews[41]; /* thumbprint it renews; empty: none */
	bool automatic;	 /* a run made it, not a person */
	bool archival;	 /* carries the private key: CMC response wanted */
	bool imported;	 /* somebody's own key: never destroyed with it */
	char friendly_name[AE_STORE_FRIENDLY_MAX + 1]; /* empty: none */
};

struct ae_store_request {
	char tmpl[AE_STORE_NAME_MAX + 1];
	unsigned number;
	struct ae_store_request_meta meta;
	uint8_t *der;
	size_t der_len;
};

struct ae_store_request_list {
	struct ae_store_request *v;
	size_t n;
};

/* "made", "asked", "pending", "kept" */
const char *ae_store_request_state_name(enum ae_store_request_state s);

/*
 * Keep a new request with its key; durable on return.  key_name is one of
 * the two above.  *number is the name of its directory.
 */
int ae_store_request_new(unsigned *number, struct ae_store *s, const char *tmpl,
    const char *key_name, const void *key, size_t key_len, const void *der,
    size_t der_len, const struct ae_store_request_meta *meta,
    struct ae_err *e) AE_MUST_CHECK;

/* All of them, by template and ascending number. */
int ae_store_request_list(struct ae_store *s, struct ae_store_request_list *out,
    struct ae_err *e) AE_MUST_CHECK;
void ae_store_request_list_done(struct ae_store_request_list *l);

/* Replace meta.json, durably. */
int ae_store_request_update(struct ae_store *s, const char *tmpl,
    unsigned number, const struct ae_store_request_meta *meta,
    struct ae_err *e) AE_MUST_CHECK;

/* Forget it, with its key.  AE_OK also when it is gone already. */
int ae_store_request_remove(struct ae_store *s, const char *tmpl,
    unsigned number, struct ae_err *e) AE_MUST_CHECK;

/*
 * A draft (store.h) with a copy of the request's key, to be committed with
 * the certificate; the request stays until it is removed.
 */
int ae_store_draft_from_request(struct ae_store_draft **out, struct ae_store *s,
    const char *tmpl, unsigned number, struct ae_err *e) AE_MUST_CHECK;

/*
 * The key file of an installed certificate as it is, for a renewal with the
 * same key: its name is one of the two above.  AE_ENOTFOUND without one.
 */
int ae_store_key_get(struct ae_secret *out, const char **key_name,
    struct ae_store *s, const char *tmpl, unsigned number,
    struct ae_err *e) AE_MUST_CHECK;

#endif
