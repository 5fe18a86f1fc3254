/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What certsrv diagnose sees of the CA on this host, as facts; which there
 * are is in lib/diag/check_server.c.  Nothing is changed.
 */
#ifndef CERTSRV_LOOK_H
#define CERTSRV_LOOK_H

#include <jansson.h>

#include "cli.h"

struct look {
	struct cli *cli;
	int64_t request;       /* --request; 0: none */
	const char *requester; /* --requester; NULL: none */
};

/* A new reference. */
json_t *look_at_ca(const struct look *l);

#endif
