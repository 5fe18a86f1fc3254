/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A connection to the directory as whoever runs the command: root uses the
 * machine's keytab, everybody else their own ticket.
 */
#ifndef AE_CLI_SESSION_H
#define AE_CLI_SESSION_H

#include "ad/ad.h"
#include "ad/locate.h"
#include "ad/pki.h"
#include "cli.h"
#include "gss/cred.h"

struct session {
	struct ae_gss_cred *cred;
	struct ae_ad_ping dc;
	struct ae_ad *ad;
	struct ae_pki *pki; /* enrollment services, after session_cas */
};

/* A ticket alone. */
int session_ticket(
    struct session *s, const struct cli *cli, struct ae_err *e) AE_MUST_CHECK;

/* A domain controller of the ticket's realm, by that ticket. */
int session_connect(struct session *s, struct ae_err *e) AE_MUST_CHECK;

/* A ticket and a domain controller. */
int session_open(
    struct session *s, const struct cli *cli, struct ae_err *e) AE_MUST_CHECK;

/*
 * The CAs of the forest into s->pki.  With config ("host\\name"), which
 * of them it is in *index; AE_ENOTFOUND when none is.  Without, the first.
 */
int session_cas(struct session *s, const char *config, size_t *index,
    struct ae_err *e) AE_MUST_CHECK;

void session_done(struct session *s);

#endif
