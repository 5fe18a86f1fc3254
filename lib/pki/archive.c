/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Sealing a key for the archive; see archive.h.
 */
#include "pki/archive.h"

#include "base/secret.h"
#include "pki/envelope.h"

int
ae_archive_seal(struct ae_wr *w, const struct ae_key *k,
    const struct ae_cert *to, struct ae_err *e)
{
	struct ae_secret blob = { 0 };
	int rc;

	rc = ae_key_to_private_blob(&blob, k, e);
	if (rc == AE_OK)
		rc = ae_envelope_seal(w, blob.p, blob.len, to, e);
	ae_secret_done(&blob);
	return rc;
}
