/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What certsrv has the running certsrvd do.
 */
#ifndef CERTSRV_CONTROL_H
#define CERTSRV_CONTROL_H

#include "base/rd.h"
#include "base/wr.h"
#include "cli.h"
#include "proto.h"

struct control_answer {
	int rc; /* enum ae_rc */
	uint32_t hresult;
	int64_t id; /* of the request */
	char text[1024];
	uint8_t blob[0x10000]; /* of MSG_ADMIN_RECOVER */
	size_t blob_len;
};

/*
 * One MSG_ADMIN_… and its answer.  What certsrvd refuses is a failure with
 * its reason: AE_ENOTFOUND, AE_EDENIED, AE_EUNAVAIL.
 */
int control_ask(const struct cli *cli, enum msg type, const struct ae_wr *body,
    struct control_answer *out, struct ae_err *e) AE_MUST_CHECK;

/*
 * The same for an answer of another kind: take gets its body once.  An
 * MSG_ADMIN_DONE is a refusal then.
 */
typedef int control_take_fn(void *arg, struct ae_rd *r, struct ae_err *e);
int control_ask_for(const struct cli *cli, enum msg type,
    const struct ae_wr *body, enum msg answer, control_take_fn *take, void *arg,
    struct ae_err *e) AE_MUST_CHECK;

#endif
