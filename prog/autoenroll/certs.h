/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The certificates of a store as they are shown: what they say, what is with
 * their keys, what state they are in.  For store list and status.
 */
#ifndef AE_CLI_CERTS_H
#define AE_CLI_CERTS_H

#include "cli.h"

/*
 * A JSON array (new reference) of
 *
 *   { "template", "template_oid", "number", "current", "state", "thumbprint",
 *     "thumbprint_sha256", "serial", "subject", "issuer", "not_before",
 *     "not_after", "dns", "upn", "sid", "usages": [OIDs], "ca", "request_id",
 *     "installed", "archived": time or null, "why": archived, "provider",
 *     "key": algorithm, "key_test": "passed" | "failed" | "not made",
 *     "key_error", "path", "friendly_name", "revocation": revocation_state.h }
 *
 * state is "valid", "revoked", "on hold", "expired", "not yet valid",
 * "archived", "key missing", "key does not fit" or "key fails".  Every key is
 * really used: it signs, and the certificate's public key verifies.  Without
 * archived, current ones only.  No store is an empty one.
 */
int certs_load(json_t **out, const struct cli *cli, bool archived,
    struct ae_err *e) AE_MUST_CHECK;

/* Requests under way: { "template", "number", "state", "ca", "request_id",
 * "made", "asked" }. */
int certs_requests(
    json_t **out, const struct cli *cli, struct ae_err *e) AE_MUST_CHECK;

#endif
