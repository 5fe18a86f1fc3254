/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The control socket: how "autoenroll pulse" asks the daemon for a run.  A
 * request is one line of JSON, {"op": "pulse", "refresh": false, "wait":
 * true}; the answer is one JSON object: the report of the run when waiting,
 * {"started": true} otherwise.  Root alone can connect.
 */
#ifndef AE_CLIENT_CONTROL_H
#define AE_CLIENT_CONTROL_H

#include <jansson.h>
#include <stdbool.h>

#include "client.h"
#include "sys/loop.h"

#define CONTROL_REQUEST_MAX 256
#define CONTROL_REPORT_MAX (16u * 1024u * 1024u)

/*
 * Ask the daemon.  AE_ENOTFOUND when none listens, with e untouched.
 * *report is a new reference when wait is set.
 */
int control_ask(const struct client *c, bool refresh, bool wait,
    json_t **report, struct ae_err *e) AE_MUST_CHECK;

struct control;

/* Somebody wants a run.  Answered by control_finish when it is over. */
typedef void control_pulse_fn(void *arg, bool refresh);

/* Listen.  A socket left by a dead daemon is replaced. */
int control_listen(struct control **out, const struct client *c,
    struct ae_loop *l, control_pulse_fn *fn, void *arg,
    struct ae_err *e) AE_MUST_CHECK;

/* The run is over: this report goes to everybody who waits. */
void control_finish(struct control *ctl, const char *report, size_t len);

void control_free(struct control *ctl);

#endif
