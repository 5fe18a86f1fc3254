/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the files of the parent: parent.c (beginning and end), children.c
 * (their life), child_say.c (what they may tell it), control.c (the local
 * door for administrators).
 */
#ifndef CERTSRVD_PARENT_INT_H
#define CERTSRVD_PARENT_INT_H

#include "conf.h"
#include "ektrust.h"
#include "parent.h"
#include "proto.h"
#include "sys/growing.h"
#include "sys/ipcmsg.h"
#include "sys/log.h"
#include "sys/loop.h"

#define CHILDREN_MAX 32
#define LISTEN_MAX 8
#define MAPPER_PORT 135

/* What a child may say on its control channel, by state. */
enum { ST_STARTING = 1, ST_RUNNING = 2, ST_CA = 4, ST_TICKET = 8 };

/* Directories whose files ca reads, by way of the parent. */
enum { WATCHED_POLICIES, WATCHED_PINS, WATCHED_COUNT };

struct parent;

struct child {
	struct parent *p;
	enum role role;
	uint8_t index;
	uint32_t generation; /* grows with each start */
	pid_t pid;	     /* 0: not running */
	bool ready;
	bool was_ready; /* of any generation */
	struct ae_ipc *control;
	struct ae_source *watch;
	struct ae_source *timer; /* restart */
	int64_t started, backoff;
	struct ae_log_rate rate; /* of its lines; events are requests' */
	struct ae_growing *crl;	 /* the CRL it is writing */
};

struct parent {
	struct parent_options opt;
	struct conf conf;
	struct ae_loop *loop;
	struct ae_log *log;
	struct child child[CHILDREN_MAX];
	size_t n;
	int mapper[LISTEN_MAX], port[LISTEN_MAX];
	size_t nlisten;
	int http[LISTEN_MAX]; /* of the site, then of the figures */
	size_t nhttp;
	struct ae_source *sig[5];
	int pid_fd;	/* locked as long as we run */
	int control_fd; /* of the local door */
	struct ae_source *control;
	struct ae_log_rate door; /* of lines about who came there */
	struct ae_source *kill_timer, *ticket_timer, *watchdog;
	struct ae_source *policies_timer;
	struct {
		uint64_t seen; /* how the directory looked when sent */
		bool told;     /* that it cannot be read */
	} watched[WATCHED_COUNT];
	struct ektrust_seen ek_seen;
	bool stopping, killed, announced, failed, reload;
	bool figures_told; /* that their file could not be written */
	char seed[33];	   /* of DCOM identifiers: names, not secrets */
};

/* ---- children.c ---- */

int child_start(struct child *c, struct ae_err *e) AE_MUST_CHECK;
void child_restart(void *arg);	       /* of its timer */
void child_on_ticket_timer(void *arg); /* of the parent's */
bool children_left(const struct parent *p);
/* May these two talk to each other (doc/privsep.md)? */
bool children_linked(enum role a, enum role b);

/* ---- child_say.c ---- */

struct child *child_find(struct parent *p, enum role role, uint8_t index);
extern const struct ae_ipc_row child_control_rows[];
/* An event of the parent's own. */
void parent_event(struct parent *p, enum ae_log_level level, const char *id,
    const char *text);

/* ---- parent_crl.c ---- */

ae_ipc_handler child_crl_begin, child_crl_part, child_crl_end, child_figures;
/* It is gone: so is what it was writing. */
void child_crl_drop(struct child *c);

/* ---- control.c ---- */

int control_open(struct parent *p, struct ae_err *e) AE_MUST_CHECK;
void control_close(struct parent *p);

/* ---- policies.c ---- */

int policies_watch(struct parent *p, struct ae_err *e) AE_MUST_CHECK;
/* Policy files and pins, to ca, changed or not. */
void policies_send(struct parent *p);

/* ---- ektrust.c ---- */

void ektrust_send(struct parent *p); /* to ca, changed or not */
void ektrust_look(struct parent *p); /* when they changed */

/* ---- parent.c ---- */

void parent_stop(struct parent *p);

#endif
