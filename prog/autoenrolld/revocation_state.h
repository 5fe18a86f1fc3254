/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the directory's revocation lists said of our certificates when a run
 * last read them, for those who ask nobody: revocation.json beside the store.
 *
 *   { "read_at": time, "certificates": { thumbprint:
 *       { "state": "good" | "hold" | "revoked" | "unknown", "why": text or
 *         null, "since", "list_of", "list_until": time or null } } }
 */
#ifndef AE_CLIENT_REVOCATION_STATE_H
#define AE_CLIENT_REVOCATION_STATE_H

#include <jansson.h>
#include <stdbool.h>

#include "client.h"

#define REVOCATION_FILE "revocation.json"

/* The file, a new reference; NULL: there is none, or it is damaged. */
json_t *revocation_read(const struct client *c);

/* The file says the same, and not long ago. */
bool revocation_is_kept(const struct client *c, const json_t *now);

/*
 * What is known of one certificate, for people and programs: the object of
 * that thumbprint with "read_at", and as "text" a clause about it.  New
 * reference, never NULL unless out of memory; kept may be NULL.
 */
json_t *revocation_of(const json_t *kept, const char *thumbprint, int64_t now);

#endif
