/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The control socket: how "autoenroll pulse" asks the daemon for a run.  A
 * request is one line of JSON, {"op": "pulse", "trigger": "manual",
 * "refresh": false, "wait": true}; the answer is one JSON object: the report
 * of the run when waiting, {"answer": "starts", "text": "…"} otherwise, or
 * {"error": "…", "exit": 8}.  Who waits and asks for "progress" gets a line
 * {"stage": "…"} before that for each stage of the run.  Root is served;
 * anybody else when polkit authorizes it.
 */
#ifndef AE_CLIENT_CONTROL_H
#define AE_CLIENT_CONTROL_H

#include <jansson.h>
#include <stdbool.h>

#include "client.h"
#include "driver.h"
#include "runner.h"
#include "sys/loop.h"

#define CONTROL_REQUEST_MAX 256

struct control_request {
	enum ae_trigger trigger;
	bool refresh, wait, progress;
};

/*
 * Ask the daemon.  AE_ENOTFOUND when none listens, with e untouched.
 * *answer is JSON text, to be free()d.  While it waits, c->progress is told.
 */
int control_ask(const struct client *c, const struct control_request *q,
    char **answer, struct ae_err *e) AE_MUST_CHECK;
/* That there was none, or none that can be read. */
int control_fail_silent(struct ae_err *e);

struct control;

/* Somebody who may wants a run. */
typedef struct driver_answer control_pulse_fn(
    void *arg, const struct control_request *q);

/* Listen.  A socket left by a dead daemon is replaced. */
int control_listen(struct control **out, const struct client *c,
    struct ae_loop *l, control_pulse_fn *fn, void *arg,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The report of this run goes to everybody who waits for it, or for one
 * before.  Run 0: to those who wait for a look at group policy.
 */
void control_finish(
    struct control *ctl, uint64_t run, const char *report, size_t len);

/* Those who wait and want to know are told what the run is doing. */
void control_progress(struct control *ctl, const char *stage);

void control_free(struct control *ctl);

/*
 * The process that asks polkit for the daemon, which must not wait: its role
 * names who is meant.  Its exit code is the answer: 0, EXIT_DENIED, or
 * EXIT_NETWORK when polkit is not there.
 */
#define CONTROL_POLKIT "polkit:"
#define CONTROL_POLKIT_ACTION "org.autoenroll.pulse"
int control_polkit(const char *role, struct ae_err *e);

#endif
