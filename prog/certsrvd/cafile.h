/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's own certificate, the issuers above it and its security
 * descriptor, read from their files.
 */
#ifndef CERTSRVD_CAFILE_H
#define CERTSRVD_CAFILE_H

#include <stddef.h>

#include "ad/sd.h"
#include "base/err.h"
#include "ca/cacerts.h"
#include "ca/rights.h"
#include "conf.h"
#include "pki/cert.h"
#include "pki/key.h"

struct cafile {
	struct ae_cert **certs; /* oldest first */
	size_t ncerts;
	struct ae_ca_certs list; /* the same with their indexes and keys */
	struct ae_cert **chain;	 /* issuers above */
	size_t nchain;
	struct ae_cert **cross; /* between its own keys */
	size_t ncross;
	struct ae_sd *sd; /* NULL unless asked for */
};

/* The struct must not be moved afterwards. */
int cafile_read(struct cafile *f, const struct conf *c, bool with_sd,
    struct ae_err *e) AE_MUST_CHECK;
void cafile_done(struct cafile *f);

/*
 * The list of enrollment agents' or officers' rights at path; NULL: there is
 * none, and nobody is restricted.  A file that is not understood is an error:
 * nobody is told yes because of it.
 */
int cafile_rights(struct ae_ca_rights **out, const char *path,
    struct ae_err *e) AE_MUST_CHECK;

/* The newest certificate. */
const struct ae_cert *cafile_cert(const struct cafile *f);

/* Is it a key recovery agent: configured, for that usage, valid at now? */
bool cafile_is_agent(
    const struct conf *c, const struct ae_cert *cert, int64_t now);
/* Configured, whatever else it is; the place in the list, or -1. */
int cafile_agent_index(const struct conf *c, const struct ae_cert *cert);

#endif
