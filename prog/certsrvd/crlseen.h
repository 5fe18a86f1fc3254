/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CRLs of this CA that are published, wherever somebody could have them from.
 */
#ifndef CERTSRVD_CRLSEEN_H
#define CERTSRVD_CRLSEEN_H

#include "ad/ad.h"
#include "ca/cacerts.h"
#include "conf.h"
#include "pki/crl.h"

#define CRLSEEN_FILE_MAX ((size_t)1 << 30)

/* One list, not judged; a return other than AE_OK stops and is returned. */
typedef int crlseen_fn(
    void *arg, const void *der, size_t len, struct ae_err *e);

/* Base and delta of each object below CN=<host>,CN=CDP; none is none. */
int crlseen_directory(const struct conf *c, struct ae_ad *ad, crlseen_fn *fn,
    void *arg, struct ae_err *e) AE_MUST_CHECK;

/* The file of a key's base or delta CRL; heap, NULL: no memory. */
char *crlseen_path(const struct conf *c, unsigned key_index, bool delta);

/*
 * The list, when one of the CA's keys signed it and it has a number (NULL
 * otherwise), and the place of that key.
 */
struct ae_crl *crlseen_ours(
    const struct ae_ca_certs *l, const void *der, size_t len, size_t *key);

#endif
