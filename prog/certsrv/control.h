/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What certsrv has the running certsrvd do.
 */
#ifndef CERTSRV_CONTROL_H
#define CERTSRV_CONTROL_H

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

#endif
