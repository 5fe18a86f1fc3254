/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the files of the process itself: its connection, and what it is
 * asked.
 */
#ifndef CERTSRVD_ADPROC_H
#define CERTSRVD_ADPROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad.h"
#include "ad/pki.h"
#include "role.h"

struct directory {
	struct proc *p;
	struct ae_gss_cred *cred;
	struct ae_ad *ad;
	struct ad_forest *forest;
	char *ccache;
	char host[256], site[256];
	struct ae_pki_mark mark;
	bool have;	       /* a snapshot was read over this connection */
	bool told;	       /* ca has it */
	bool unsure;	       /* a group was away: it is read again */
	struct ae_pki *last;   /* the snapshot, whichever DC it came from */
	struct ae_wr snapshot; /* encoded */
	struct ae_source *timer;
	bool complained;
};

/* ---- ad.c ---- */

/* There is a connection to the CA's own domain after this. */
int dir_connect(struct directory *d, struct ae_err *e) AE_MUST_CHECK;
void dir_disconnect(struct directory *d);
crlseen_fn dir_send_crl; /* to ca: a CRL that is published */

/* ---- ad_ask.c ---- */

/* Errors that another connection may cure. */
bool dir_worth_another(int rc);
/* at is another domain's, which is away: the next try would find the same. */
bool dir_is_away(const struct directory *d, const struct ae_ad *at);
void dir_let_go(struct directory *d, const struct ae_ad *at);
ae_ipc_handler on_ask_requester, on_ask_subject, on_ask_dns, on_ask_object;

/* ---- ad_write.c ---- */

ae_ipc_handler on_write_crl, on_write_cert;

#endif
