/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Running the sysvol helper: one request there, one reply back.
 */
#ifndef AE_GATHER_SYSVOL_H
#define AE_GATHER_SYSVOL_H

#include "base/err.h"
#include "policy/sysvol_proto.h"

struct ae_gather_sysvol {
	const char *program;  /* path of the helper */
	const char *ccache;   /* "FILE:…"; NULL: KRB5CCNAME of this process */
	unsigned int timeout; /* seconds; 0: 60.  Then it is killed. */
};

/*
 * AE_EUNAVAIL: the helper cannot be started or died; AE_ETIMEDOUT; AE_EPROTO:
 * it answers nonsense.  How each file fared is in the reply.
 */
int ae_gather_sysvol(struct ae_sysvol_reply *out,
    const struct ae_gather_sysvol *how, const struct ae_sysvol_request *q,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The same for a program that passes frames on unread: the request's frame
 * in, the reply's appended to *reply, which bounds it.
 */
int ae_gather_sysvol_frame(struct ae_wr *reply,
    const struct ae_gather_sysvol *how, const struct ae_wr *request,
    bool writes, struct ae_err *e) AE_MUST_CHECK;

#endif
