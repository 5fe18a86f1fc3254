/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the tests of pki share: keys made once, a CA, and OpenSSL's
 * allocations led through the test program so that torture reaches them.
 */
#ifndef AE_TEST_PKI_FIXTURE_H
#define AE_TEST_PKI_FIXTURE_H

#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/tbs.h"

/* First thing in main(). */
void fix_init(void);
/* Last thing: frees the keys.  Returns failed, for main's return. */
int fix_done(int failed);

/* P-256, made once each; borrowed. */
struct ae_key *fix_ca_key(void);
struct ae_key *fix_leaf_key(void);
struct ae_key *fix_rsa_key(void); /* 2048 */

/* A root for fix_ca_key, and a leaf with everything in it, as DER. */
struct ae_der fix_root(void);
struct ae_der fix_leaf(void);
/* A request of fix_leaf_key with every attribute. */
struct ae_der fix_csr(void);

/* The description fix_leaf is made of; points to static storage. */
struct ae_tbs fix_leaf_tbs(void);

#define FIX_NOW INT64_C(1795000000) /* 2026-11-18 */

#define assert_ok(rc) assert_rc(rc, AE_OK)
#define assert_rc(rc, want) \
	assert_string_equal(ae_rc_name(rc), ae_rc_name(want))

#endif
