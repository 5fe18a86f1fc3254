/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One throw-away key through everything a key is for.
 */
#ifndef AE_CLI_KEY_TEST_H
#define AE_CLI_KEY_TEST_H

#include "../autoenrolld/keys.h"

struct key_result {
	const char *name;  /* of the algorithm */
	struct ae_err err; /* rc AE_OK: passed */
	bool pss;	   /* RSASSA-PSS works, too */
	int64_t ms;
	char thumbprint[41]; /* of the self-signed certificate; "" */
};

/* The algorithms, "RSA:2048" and so on; NULL past the last. */
const char *key_test_name(size_t i);
bool key_test_usual(size_t i); /* tested when none is named */

/*
 * Make a key, store it, open what was stored, sign and verify with both; with
 * self_signed, make a certificate for it, parse and verify that.  Whatever
 * happens, the key is gone afterwards.
 */
void key_test(struct key_result *r, struct keys *k, enum ae_provider kind,
    size_t alg, bool self_signed);

#endif
