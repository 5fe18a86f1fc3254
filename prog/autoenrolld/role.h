/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client's processes and how they talk: an orchestrator asks, a role
 * answers, one question at a time.  Each role is this program started again
 * with "--role NAME"; it gives up what it does not need before it reads its
 * first question (doc/privsep.md).
 */
#ifndef AE_CLIENT_ROLE_H
#define AE_CLIENT_ROLE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"
#include "client.h"
#include "sys/ipcmsg.h"
#include "sys/loop.h"
#include "sys/sandbox.h"

/* Questions; each is answered by its number + 1, or by ROLE_FAILED. */
enum role_msg {
	ROLE_LOG = 2,	     /* role to orchestrator: an encoded log record */
	ROLE_EVENT = 4,	     /* role to orchestrator: source, id, parameters */
	ROLE_FAILED = 6,     /* the answer is a failure: an encoded ae_err */
	ROLE_SETTINGS = 10,  /* policy: who we are, which files it lacks */
	ROLE_PLAN = 12,	     /* policy: settings, snapshot and plan */
	ROLE_CHECK = 14,     /* policy: which group policy applies now */
	ROLE_UNPUBLISH = 16, /* policy: clean up userCertificate */
	ROLE_INVENTORY = 20, /* key: what is in the store */
	ROLE_TRUST = 22,     /* key: write the directory's anchors */
	ROLE_NEW = 24,	     /* key: make a key and its request, keep both */
	ROLE_INSTALL = 26,   /* key: judge the answer, install the pair */
	ROLE_ARCHIVE = 28,   /* key: take a certificate out of use */
	ROLE_OPEN = 30,	     /* key: which requests are under way */
	ROLE_LOAD = 32,	     /* key: take one of them up again */
	ROLE_MARK = 34,	     /* key: what became of the one in hand */
	ROLE_DROP = 36,	     /* key: forget one */
	ROLE_REQUEST = 40,   /* net: submit a request to one CA */
	ROLE_EXCHANGE = 42,  /* net: one CA's exchange certificate */
};

#define ROLE_BODY_MAX (16u * 1024u * 1024u)

/* In the role's process. */

struct role {
	const struct client *c;
	struct ae_ipc *ipc;
	struct ae_loop *loop;
	void *state; /* the role's own */
};

typedef int role_fn(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e);

struct role_question {
	uint32_t type;
	role_fn *answer;
};

/*
 * Serve questions on fd until the orchestrator goes away.  rows ends with a
 * row whose answer is NULL.  A question that is not in the table, or with
 * bytes left over, ends the process.  Returns the exit code.
 */
int role_serve(struct role *r, int fd, const struct ae_sandbox *box,
    const struct role_question *rows, struct ae_err *e);

/*
 * Wait until there is a first question, without reading it: a role that was
 * started early enters its sandbox when what that is to leave open is there.
 */
void role_await(int fd);

/* Tell an event to the orchestrator, which owns the event log. */
void role_event(struct role *r, unsigned source, unsigned id,
    const char *const *params, size_t nparams);

/* In the orchestrator's process. */

struct peer;

/* What an orchestrator does with events and log records of its roles. */
typedef void peer_event_fn(void *arg, unsigned source, unsigned id,
    const char *const *params, size_t nparams);

struct peer_conf {
	const struct client *c;
	const char *role;
	const char *const *keep_env; /* see sys/spawn.h */
	const char *const *env;	     /* likewise */
	const int *fds;		     /* extra descriptors, from number 4 on */
	size_t nfds;
	peer_event_fn *event;
	void *arg;
};

int peer_start(struct peer **out, const struct peer_conf *conf,
    struct ae_err *e) AE_MUST_CHECK;
/* NULL is fine for both: tell it that nothing more comes; end it. */
void peer_leave(struct peer *p);
void peer_stop(struct peer *p);

/*
 * Ask and wait for the answer, at most timeout_ms.  *answer is good until
 * the next call.  What the role failed with is in e as if it had happened
 * here; AE_ETIMEDOUT, AE_EUNAVAIL when it does not answer.
 */
int peer_ask(struct peer *p, enum role_msg type, const struct ae_wr *question,
    int64_t timeout_ms, struct ae_rd *answer, struct ae_err *e) AE_MUST_CHECK;

/*
 * The same in two parts, with other work in between.  peer_end belongs to
 * the peer_begin before it.
 */
int peer_begin(struct peer *p, enum role_msg type, const struct ae_wr *question,
    struct ae_err *e) AE_MUST_CHECK;
int peer_end(struct peer *p, int64_t timeout_ms, struct ae_rd *answer,
    struct ae_err *e) AE_MUST_CHECK;

/* Encoding shared by questions and answers. */

void msg_put_str(struct ae_wr *w, const char *s); /* NULL is kept */
/* NULL when absent, or when r is bad; at most max bytes, valid UTF-8. */
char *msg_get_str(struct ae_arena *a, struct ae_rd *r, size_t max);
void msg_put_bytes(struct ae_wr *w, const void *p, size_t len);
/* Borrowed from the reader. */
const uint8_t *msg_get_bytes(struct ae_rd *r, size_t max, size_t *len);
void msg_put_err(struct ae_wr *w, const struct ae_err *e);
void msg_get_err(struct ae_rd *r, struct ae_err *e);

#endif
