/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What others publish over plain HTTP, and what a TLS server shows of
 * itself.  Both block, within a bound; they are for processes that have
 * nothing else to do.
 *
 * A URL from a certificate is whatever its issuer wrote there: nothing but
 * http is spoken, to the server that is named and to no other, no
 * redirection is followed, and no name, ticket or cookie of ours is sent.
 */
#ifndef AE_RUN_FETCH_H
#define AE_RUN_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"

#define AE_RUN_URL_MAX 2048u

struct ae_run_fetch;
/* AE_EINTERNAL: there is no library for it here. */
int ae_run_fetch_new(struct ae_run_fetch **out, struct ae_err *e) AE_MUST_CHECK;
void ae_run_fetch_free(struct ae_run_fetch *f);

/*
 * GET; body is appended to, up to its maximum.  *status is HTTP's, 0 when
 * nobody answered.  AE_OK for 200 alone; AE_EINVAL: this is no URL that is
 * asked, see above; AE_EUNAVAIL, AE_ETIMEDOUT: nobody answered; AE_ELIMIT:
 * more than body may hold; AE_EREMOTE: another status.
 */
int ae_run_fetch_get(struct ae_run_fetch *f, const char *url, int64_t ms,
    struct ae_wr *body, long *status, struct ae_err *e) AE_MUST_CHECK;

/*
 * A handshake with whoever listens at this numeric address of this host: the
 * certificate that he shows, as PEM, appended.  It is not judged, and nothing
 * is asked.  AE_EPROTO: he speaks no TLS.
 */
int ae_run_fetch_shown(struct ae_run_fetch *f, const char *address,
    uint16_t port, int64_t ms, struct ae_wr *pem,
    struct ae_err *e) AE_MUST_CHECK;

/* Is it one that ae_run_fetch_get would ask: http, a host, no user? */
bool ae_run_fetch_asks(const char *url);

#endif
