/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What every process but the parent is made of: configuration, loop, log
 * through the parent, channels to its peers that come and go.  A role is a
 * row of struct role_def; its file says the rest.
 */
#ifndef CERTSRVD_ROLE_H
#define CERTSRVD_ROLE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "conf.h"
#include "proto.h"
#include "sys/ipcmsg.h"
#include "sys/log.h"
#include "sys/loop.h"

struct proc;

/* The channel to one process; the arg of its handlers. */
struct peer {
	struct proc *p;
	enum role role;
	uint8_t index;
	uint32_t generation;
	struct ae_ipc *ipc; /* NULL: not there now */
};

/* Who may be a peer, and what it may say. */
struct role_link {
	enum role role;
	const struct ae_ipc_row *rows;
};

struct role_def {
	enum role role;
	const char *user;	       /* of sysusers.d */
	unsigned may;		       /* enum ae_sandbox_may */
	uint64_t max_memory;	       /* address space */
	int oom;		       /* added to oom_score_adj */
	const struct role_link *links; /* ends with rows NULL */
	/*
	 * As root, before the sandbox: open what will not be reachable
	 * later, make directories.  Sets p->state.
	 */
	int (*open)(struct proc *p, struct ae_err *e);
	/* In the sandbox, before the loop runs. */
	int (*start)(struct proc *p, struct ae_err *e);
	void (*peer_up)(struct proc *p, struct peer *peer);
	/* peer->ipc is NULL already. */
	void (*peer_down)(struct proc *p, struct peer *peer);
	/* Wind down; call proc_exit() when done.  NULL: at once. */
	void (*stop)(struct proc *p);
	void (*ticket)(struct proc *p);	 /* MSG_TICKET */
	void (*publish)(struct proc *p); /* MSG_PUBLISH */
	/* MSG_POLICY_FILE, MSG_POLICIES, MSG_PIN_FILE, MSG_PINS */
	int (*policy)(struct proc *p, struct ae_ipc_msg *m, struct ae_err *e);
	void (*lost)(struct proc *p, uint64_t lines); /* MSG_LOST */
	/* MSG_CRL_SAID: parent has written a part of a CRL, or could not. */
	int (*crl_said)(struct proc *p, struct ae_ipc_msg *m, struct ae_err *e);
	/* MSG_ADMIN: somebody who has a role here, on this socket. */
	int (*admin)(struct proc *p, int take_fd, const struct local_who *who,
	    struct ae_err *e);
};

struct proc {
	const struct role_def *def;
	uint8_t index;
	struct conf conf;
	struct ae_loop *loop;
	struct ae_log *log;
	struct ae_ipc *control;
	struct ae_log_rate rate; /* of lines that peers outside can cause */
	struct peer peer[ROLE_COUNT][WORKERS_MAX];
	uint8_t seed[16]; /* the same in all processes of one start */
	int listen[8];
	size_t nlisten;
	uid_t uid; /* what the sandbox will switch to; 0: nobody else */
	gid_t gid;
	unsigned may;	 /* of the role; open may add to it */
	gid_t groups[8]; /* of its user, where a device needs them */
	size_t ngroups;
	char *read_paths[16]; /* for Landlock, filled by open */
	char *write_paths[16];
	void *state; /* the role's own */
};

extern const struct role_def role_rpc135, role_rpc, role_auth, role_ca, role_ad,
    role_db, role_sign, role_ticket, role_http, role_ocsp;

/* Run a role on its descriptors; the program's exit status. */
struct role_args {
	enum role role;
	uint8_t index;
	const char *root, *config;
	size_t nlisten;
	const char *seed; /* 32 hex digits */
};
int role_main(const struct role_args *args);

/* The user of a role by configuration: a name, or uid_base and the role. */
int role_user(const struct conf *c, enum role r, uid_t *uid, gid_t *gid,
    struct ae_err *e) AE_MUST_CHECK;

void proc_exit(struct proc *p, int code);
bool proc_allow_read(struct proc *p, const char *path); /* false: memory */
bool proc_allow_write(struct proc *p, const char *path);

/* Send to a peer that may be gone: then nothing happens and false. */
bool peer_send(
    struct peer *peer, enum msg type, uint32_t id, const struct ae_wr *body);
bool peer_send_secret(
    struct peer *peer, enum msg type, uint32_t id, const struct ae_wr *body);
/* Between cork and uncork nothing is written; see ae_ipc_cork. */
void peer_cork(struct peer *peer, bool cork);
#define peer_of(p, role, index) (&(p)->peer[role][index])
static inline bool
peer_is_up(const struct peer *peer)
{
	return peer->ipc != NULL;
}

/* This process's figures to ca, every so often. */
#define FIGURES_MS 5000
struct metrics;
void figures_send(struct proc *p, const struct metrics *m);

void log_line(struct proc *p, enum ae_log_level level, const char *fmt, ...)
    AE_PRINTF(3, 4);
/* A line that somebody outside can cause: bounded in number. */
void log_outside(struct proc *p, const char *fmt, ...) AE_PRINTF(2, 3);
/* Into the log and the event file. */
void log_event(struct proc *p, const struct ae_log_record *r);

#endif
