/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates that a signer signed and no row knows of: db found them, here
 * they are told, until an administrator has revoked them.
 */
#include <string.h>

#include "base/hex.h"
#include "ca.h"

bool
signed_unrecorded(const struct ca *ca, const uint8_t *serial, size_t len)
{
	size_t i;

	for (i = 0; i < ca->nunrecorded; i++)
		if (ca->unrecorded[i].len == len &&
		    memcmp(ca->unrecorded[i].serial, serial, len) == 0)
			return true;
	return false;
}

static void
tell(struct ca *ca, const struct unrecorded *v)
{
	char hex[2 * AE_DB_SERIAL_MAX + 1];

	ae_hex_encode(hex, v->serial, v->len);
	event_own(ca, AE_LOG_ERROR, 7,
	    "a signer has signed the certificate with the serial number %s, "
	    "and no request has it: somebody uses the CA's key behind its "
	    "back. certsrv revoke %s, and doc/operations.md, X3",
	    hex, hex);
}

int
on_db_unrecorded(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct unrecorded now[AE_DB_UNRECORDED_MAX] = { { .len = 0 } };
	const uint8_t *serial;
	struct ae_rd r;
	size_t n, i;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	n = ae_rd_u8(&r);
	for (i = 0; i < n && i < AE_DB_UNRECORDED_MAX; i++) {
		serial = get_bytes(&r, &now[i].len);
		now[i].at = (int64_t)ae_rd_u64(&r);
		if (serial == NULL || now[i].len > sizeof(now[i].serial))
			return bad_message(&r, "DB_UNRECORDED", e);
		memcpy(now[i].serial, serial, now[i].len);
	}
	if (!ae_rd_done(&r))
		return bad_message(&r, "DB_UNRECORDED", e);
	for (i = 0; i < n; i++)
		if (!signed_unrecorded(ca, now[i].serial, now[i].len))
			tell(ca, &now[i]);
	memcpy(ca->unrecorded, now, sizeof(now));
	ca->nunrecorded = n;
	return AE_OK;
}
