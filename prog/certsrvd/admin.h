/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * In ca: administration over the network (MS-CSRA).  admin_call.c is the
 * door, admin_read.c and admin_config.c answer at once, admin_judge.c says
 * whether an officer may decide about a row, admin_rows.c what is about one
 * row, admin_view.c views of many.
 */
#ifndef CERTSRVD_ADMIN_H
#define CERTSRVD_ADMIN_H

#include "ca_job.h"
#include "wcce/admin.h"

/* One call while it is being answered at once. */
struct manage {
	struct ca *ca;
	struct peer *rpc;
	uint32_t call; /* where the answer goes */
	struct known *who;
	uint32_t roles;
	const char *ip;
	struct ae_admin_request q;
	struct ae_arena *a; /* what q points to; NULL when a job took it */
	struct ae_admin_reply reply;
	struct ae_wr w; /* room for the reply's blob */
	bool later;	/* a job answers */
};

/* MSG_MANAGE_ASK, MSG_MANAGE */
int on_manage_ask(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);
int on_manage(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);

/* The roles of this caller now, and his right to enroll; 0: nobody. */
uint32_t manage_roles(const struct ca *ca, const struct ae_caller *c);

/* A job for it, which has the arena from here on; NULL: not now. */
struct job *manage_start(struct manage *m, enum msg op);

/* admin_config.c: GetConfigEntry */
void admin_config_entry(struct manage *m);
/* admin_read.c: each fills m->reply */
void read_nothing(struct manage *m);
void read_server_state(struct manage *m);
void read_my_roles(struct manage *m);
void read_audit_filter(struct manage *m);
void read_get_crl(struct manage *m);
void read_ca_security(struct manage *m);
void read_officer_rights(struct manage *m);
void read_ca_property(struct manage *m);
void read_view_columns(struct manage *m);
void read_default_columns(struct manage *m);

/* Answer and be done with it: by a job, or without one. */
void manage_send(struct ca *ca, uint8_t worker, uint32_t generation,
    uint32_t call, const struct ae_admin_reply *p);
void manage_reply(struct job *j, const struct ae_admin_reply *p);

/*
 * A job of an administrator over the network has come to its end: what
 * certsrv would be told, in the words of the method.
 */
void manage_end(
    struct job *j, int rc, uint32_t hresult, const uint8_t *blob, size_t len);
/*
 * May this administrator decide about j->stored?  Goes on with admin_go,
 * now or when the directory has told the requester's groups, or refuses.
 */
void manage_judge(struct job *j);
void manage_who(struct job *j, const struct ae_ca_requester *o, bool ok);
/* The row of a job whose method has no counterpart in certsrv. */
void manage_loaded(struct job *j, struct ae_db_request *row);
/* A CRL was published (0), or could not be. */
void manage_crl(struct ca *ca, uint32_t hresult);

#endif
