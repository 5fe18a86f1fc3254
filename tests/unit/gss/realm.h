/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A throw-away Kerberos realm on a loopback port: MIT's KDC in a directory
 * of its own.  Points KRB5_CONFIG of this process at it.
 */
#ifndef AE_TEST_REALM_H
#define AE_TEST_REALM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gss/cred.h"
#include "gss/ctx.h"

#define REALM "AE.TEST"
#define CLIENT "PC1$"
#define SERVICE "host/ca1.ae.test"
#define SERVICE_LOCAL "host/localhost"
#define SERVICE_RPCSS "RPCSS/localhost"
#define SERVICE_CIFS "cifs/ca1.ae.test" /* in the keytab, never served */
#define SERVICE_RC4 "host/old.ae.test"	/* has an RC4 key only */

/* Aborts when the realm cannot be made.  One at a time. */
void realm_up(void);
void realm_down(void);
void realm_kdc_stop(void);
void realm_kdc_start(void);

/* dir/name, in one of four static buffers. */
const char *realm_path(const char *name);

/* Credentials against the realm; abort on failure. */
struct ae_gss_cred *realm_client(void);
struct ae_gss_cred *realm_service(bool allow_rc4);

/* Fixtures of a whole group: the realm with both sides' credentials. */
struct realm {
	struct ae_gss_cred *client, *service;
};
extern struct realm realm;
int realm_setup(void **state);
int realm_teardown(void **state);

/* A pair of contexts and what is between them. */
struct pair {
	struct ae_gss_ctx *init;
	struct ae_gss_ctx *acc;
	int legs; /* tokens sent by the initiator */
	struct ae_err e;
	bool acceptor_failed;
};

/*
 * Run the handshake until both ends are done or one fails; returns AE_OK or
 * that failure.  free with pair_done in any case.
 */
int pair_shake(struct pair *p, struct ae_gss_cred *client,
    struct ae_gss_cred *service, const struct ae_gss_initiator *ic,
    enum ae_gss_level accept_level);
void pair_done(struct pair *p);

/* The same for the usual case; aborts on failure. */
struct pair pair_new(struct ae_gss_cred *client, struct ae_gss_cred *service,
    enum ae_gss_mech mech, enum ae_gss_level level);

#endif
