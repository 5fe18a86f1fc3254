/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the files that carry one request along its road: ca_job.c (its
 * place, deciding), ca_ask.c (questions), ca_issue.c (what becomes of the
 * decision), ca_admin.c (what administrators want).
 */
#ifndef CERTSRVD_CA_JOB_H
#define CERTSRVD_CA_JOB_H

#include "ca.h"

#define HR_BUSY 0x800706bbu	/* RPC_S_SERVER_TOO_BUSY */
#define HR_QUOTA 0x80070718u	/* ERROR_NOT_ENOUGH_QUOTA */
#define HR_INTERNAL 0x8007054fu /* ERROR_INTERNAL_ERROR */

/* ---- ca_job.c ---- */

struct job *job_find(struct ca *ca, uint32_t id); /* NULL: gone */
/* Decide with what is known now, and do what follows from it. */
void job_advance(struct job *j);
/* Answer and end it. */
void job_reply(struct job *j, const struct ae_wcce_reply *p);
/* It cannot be carried out; the client may come again. */
void job_fail(struct job *j, uint32_t hresult, const char *why);
void job_end(struct job *j); /* without a word */
/*
 * It is decided about as this encoded caller, who is not connected, with the
 * directory as it is now; false: that cannot be, see e.
 */
bool job_adopt(struct job *j, struct ae_rd *r, struct ae_err *e);
/* The chain that goes with a certificate, in the job's arena. */
void job_add_chain(struct job *j, struct ae_wcce_reply *p);

/* ---- ca_ask.c ---- */

/* Put what decide asks. */
void job_ask(struct job *j);
/* From what was answered within the last minute; false: ask. */
bool job_ask_cache(struct job *j, unsigned bit);
/* Bits of enum ae_ca_ask are answered, or (!ok) will not be. */
void job_answered(struct job *j, unsigned bits, bool ok);
int on_db_row(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);
int on_db_key(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);

/* Whose chain goes with the certificate that is answered. */
const struct ae_ca_cert *job_issuer(const struct job *j);

/* MSG_ASK_SUBJECT about this account; false: ad is not there. */
bool job_ask_account(struct job *j, const char *who);

/* ---- ca_account.c ---- */

/*
 * The rest of MSG_SUBJECT: what a ticket of that account would say, as far as
 * the directory knows.
 */
void account_get(
    struct ae_rd *r, struct ae_ca_requester *o, struct ae_arena *a);
/* The account as a caller; the wire form of gss/caller.h is appended. */
int account_caller(struct ae_wr *w, const struct ae_ca_requester *o,
    struct ae_err *e) AE_MUST_CHECK;

/* ---- ca_admin.c ---- */

/* Who asked for what was denied, and is to be decided again. */
void approve_who(struct job *j, const struct ae_ca_requester *o, bool ok);

/* ---- ca_explain.c ---- */

/* MSG_ADMIN_EXPLAIN; the row it may be about. */
int on_explain(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);
void explain_loaded(struct job *j);
/* STAGE_WHO is over; ok: the directory answered. */
void explain_who(struct job *j, const struct ae_ca_requester *o, bool ok);
/* It is decided: tell, and end. */
void explain_decided(struct job *j);

/* ---- ca_issue.c ---- */

/* A row in this state, and what is done when it is stored. */
void job_record(struct job *j, enum ae_db_disp disp, enum stage next);
/* A pending row becomes the intent. */
void job_activate(struct job *j);
void job_sign(struct job *j);
void job_sign_response(struct job *j);
/* The message around an archived key, for GetArchivedKey. */
void job_sign_archived(struct job *j, const uint8_t *blob, size_t len);
void job_reply_decided(struct job *j);

/* ---- ca_admin.c ---- */

/* The row of STAGE_LOAD, NULL: there is none. */
void admin_loaded(struct job *j, struct ae_db_request *row);
/* It may be decided about: do it. */
void admin_go(struct job *j);
/* To db, as STAGE_ADMIN; false: that failed and was told. */
bool admin_to_db(struct job *j, enum msg type, const struct ae_wr *w);
/* STAGE_ADMIN is over. */
void admin_done(struct job *j);
/* db refused it. */
void admin_refused(struct job *j, int rc, const char *text);
/* The answers to certsrv; the job goes on. */
void admin_reply(struct job *j, const struct ae_wcce_reply *p);
void admin_fail(struct job *j, uint32_t hresult, const char *why);
/* There is no place for a job now. */
void admin_busy(struct admin *a, uint32_t msg, int64_t id);
/* It cannot be done: this is why, and that was it. */
void admin_refuse(struct job *j, int rc, uint32_t hresult, const char *text);
/* Ask db for a row by its number, or by the serial of its certificate. */
void admin_load(struct job *j, int64_t id, const uint8_t *serial, size_t len);
/* An archived key, NULL: there is none. */
void admin_key(struct job *j, const uint8_t *blob, size_t len);

/* ---- ca_xchg.c ---- */

/* The exchange certificate was signed and stored. */
void xchg_issued(struct job *j);
/* Where nodes share: its key first goes where others find it; false: no. */
bool xchg_keep(struct job *j);
/* Put AE_CA_ASK_ARCHIVE to the signer; false: it is answered already. */
bool xchg_ask(struct job *j);

/* ---- ca_attest.c ---- */

/* Put AE_CA_ASK_EK to the signer; false: it is answered already. */
bool attest_ask(struct job *j);
/* What he found, or not. */
void attest_opened(
    struct job *j, uint32_t hr, const uint8_t *p, size_t len, const char *text);
/* The row of STAGE_LOAD that an answer is about, NULL: there is none. */
void attest_loaded(struct job *j, struct ae_db_request *row);
void attest_decide(struct job *j);  /* STAGE_ATTESTED is over */
void attest_decided(struct job *j); /* anything but to issue it */

#endif
