/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Telling the directory of this CA, as setup does and as a renewed or new
 * certificate needs it again: the connection with the administrator's ticket,
 * the CA's own objects, and a report step by step.
 */
#ifndef CERTSRV_PUBLISH_H
#define CERTSRV_PUBLISH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "ad/ad.h"
#include "ad/principal.h"
#include "base/arena.h"
#include "cli.h"
#include "gss/cred.h"

struct publish {
	struct cli *cli;
	struct ae_arena *a;
	struct ae_gss_cred *cred;
	struct ae_ad *ad;
	struct ae_ad_domain domain;
	char fqdn[256];
	json_t *steps;
	size_t changes;
};

/* Host name and connection.  publish_done in any case. */
int publish_open(
    struct publish *p, struct cli *cli, struct ae_err *e) AE_MUST_CHECK;
void publish_done(struct publish *p);

/* One thing that was done, printed or kept for --json. */
void publish_step(struct publish *p, const char *action, const char *what,
    const char *detail);

/* What besides the CA's own objects. */
struct publish_what {
	const char *root; /* whose files; NULL: / */
	const char *name; /* of the CA */
	const char *sysvol;
	bool dry_run, templates, gpo, machine_logon;
};
int publish_ca(struct publish *p, const struct publish_what *w,
    struct ae_err *e) AE_MUST_CHECK;

#endif
