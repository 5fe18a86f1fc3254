/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: key attestation.  The first byte says what the rest is: a statement,
 * an endorsement key, a challenge, an envelope, or the list of keys.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ca/attest.h"
#include "pki/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
statement(const uint8_t *p, size_t len)
{
	static struct ae_key *key;
	struct ae_attestation a;
	enum ae_attest_part part;

	if (key == NULL && ae_key_generate(&key, AE_KEY_EC, 256, NULL) != AE_OK)
		abort();
	/* No statement is about a key that was made a moment ago. */
	if (ae_attestation_verify(
		&a, &part, (struct ae_der){ p, len }, key, true, NULL) == AE_OK)
		abort();
}

static void
endorsement_key(const uint8_t *p, size_t len)
{
	struct ae_ek_info i;

	if (ae_ek_info_parse(&i, p, len, NULL) == AE_OK)
		ae_ek_info_done(&i);
}

static void
challenge(const uint8_t *p, size_t len)
{
	struct ae_der id, secret;

	if (ae_attest_challenge_parse(&id, &secret, p, len, NULL) != AE_OK)
		return;
	if (id.p < p || secret.p + secret.len > p + len)
		abort();
}

static void
envelope(const uint8_t *p, size_t len)
{
	struct ae_wr w;

	ae_wr_init(&w, 1024);
	(void)!ae_envelope_algorithm(&w, p, len, NULL);
	ae_wr_done(&w);
}

static void
keys(const uint8_t *p, size_t len)
{
	const struct ae_ca_trust_text none = { NULL, 0 };
	struct ae_ca_trust *t = NULL;

	if (ae_ca_trust_parse(&t, none, none,
		(struct ae_ca_trust_text){ p, len }, NULL) == AE_OK)
		ae_ca_trust_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static void (*const doors[])(const uint8_t *, size_t) = { statement,
		endorsement_key, challenge, envelope, keys };

	if (len > 0 && p[0] < sizeof(doors) / sizeof(doors[0]))
		doors[p[0]](p + 1, len - 1);
	return 0;
}
