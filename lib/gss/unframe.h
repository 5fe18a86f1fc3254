/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * First tokens of DCE style clients in the form that MIT's acceptor takes.
 */
#ifndef AE_GSS_UNFRAME_H
#define AE_GSS_UNFRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wr.h"

/*
 * A DCE style AP-REQ is sent bare (MS-KILE 3.4.5.1), and MIT's acceptor
 * refuses one in GSS framing (RFC 4121 4.1); Windows and Samba take both,
 * and impacket sends the framed form, inside SPNEGO.  True: the token was of
 * that kind, and out has it without the inner framing (or is bad, when there
 * was no memory).  False: it is to be used as it is.  Nothing is verified
 * here; the framing is not covered by any signature.
 */
bool ae_gss_unframe(struct ae_wr *out, const void *token, size_t len);

#endif
