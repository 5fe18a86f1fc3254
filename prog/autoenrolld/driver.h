/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What makes the task happen: it steps the state machine of enroll/task.h,
 * starts and ends the runs that come out, and keeps task.json.  The daemon
 * is one of these with a control socket; "autoenroll pulse" without a
 * daemon is one that leaves when nothing is due any more.
 */
#ifndef AE_CLIENT_DRIVER_H
#define AE_CLIENT_DRIVER_H

#include "client.h"
#include "enroll/task.h"
#include "sys/loop.h"

struct driver;

/*
 * Run number run is over, with this report; never NULL.  Number 0: a look at
 * group policy found nothing new, or failed.
 */
typedef void driver_report_fn(
    void *arg, uint64_t run, const char *report, size_t len);

/*
 * Takes the task's lock: AE_EUNAVAIL when somebody else drives it.  Nothing
 * happens before the first driver_go.
 */
int driver_new(struct driver **out, struct client *c, struct ae_loop *loop,
    bool keeps_running, driver_report_fn *fn, void *arg,
    struct ae_err *e) AE_MUST_CHECK;

/* Ends a run that is under way. */
void driver_free(struct driver *d);

struct driver_answer {
	enum ae_task_answer what;
	uint64_t run;  /* whose report serves the one who asks */
	int64_t in_ms; /* AE_TASK_LATER: until it begins */
};

/* Somebody wants a run.  What follows happens at the loop's next turn. */
struct driver_answer driver_ask(
    struct driver *d, enum ae_trigger trigger, bool refresh);

/* "starts", "joins" …, and a sentence about it. */
const char *driver_answer_name(enum ae_task_answer a);
const char *driver_answer_text(enum ae_task_answer a);

/* Do what is due, and arrange to be woken for the rest. */
void driver_go(struct driver *d);

/* Nothing is under way. */
bool driver_is_idle(const struct driver *d);

#endif
