/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv --ca HOST\NAME: a CA on another host, asked over ICertAdminD2 with
 * the administrator's own ticket.
 */
#ifndef CERTSRV_REMOTE_H
#define CERTSRV_REMOTE_H

#include "cli.h"
#include "db/db.h"
#include "wcce/admin.h"

struct remote;

/* By cli->ca; connects to nobody yet. */
int remote_open(
    struct remote **out, const struct cli *cli, struct ae_err *e) AE_MUST_CHECK;
void remote_close(struct remote *r);

/*
 * One call.  What the CA refuses is a failure with its HRESULT: AE_EDENIED,
 * AE_ENOTFOUND, AE_EREMOTE.  What the reply points to lives until the next
 * call.
 */
int remote_ask(struct remote *r, struct ae_admin_request *rq,
    struct ae_admin_reply *reply, struct ae_err *e) AE_MUST_CHECK;

/*
 * Rows as the database would list them, as far as a view tells: the filter's
 * SID is not among it.  They live in a.
 */
int remote_list(struct remote *r, const struct ae_db_filter *f,
    struct ae_db_request **out, size_t *n, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;
int remote_get(struct remote *r, int64_t id, struct ae_db_request *out,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/* id 0: the certificate with this serial number. */
int remote_decide(
    struct remote *r, int64_t id, bool approve, struct ae_err *e) AE_MUST_CHECK;
#define REMOTE_RELEASE 0xffffffffu /* a reason, MS-CSRA 3.1.4.1.8 */
int remote_revoke(struct remote *r, int64_t id, const uint8_t *serial,
    size_t len, uint32_t reason, struct ae_err *e) AE_MUST_CHECK;

#endif
