/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The task on disk: state_dir/task.json, written whole whenever something
 * begins or ends, so that "autoenroll task" and monitoring can read it
 * without asking anybody; and the switch beside it.
 */
#ifndef AE_CLIENT_TASK_H
#define AE_CLIENT_TASK_H

#include <jansson.h>

#include "client.h"
#include "enroll/task.h"

struct task {
	const struct client *c;
	struct ae_task t;
	char id[256];	  /* for the spread */
	char boot[48];	  /* of the kernel now */
	bool same_boot;	  /* what was read is of this one */
	int64_t stage_at; /* wall, when it began its last stage */
	int lock;	  /* -1: not ours */
};

/* Milliseconds since the machine started, the time, and some luck. */
struct ae_task_now task_now(void);

/*
 * Read what is known; a file that is missing or makes no sense is none.
 * With keeps_running for a daemon.  Nothing is begun.
 */
void task_read(struct task *t, const struct client *c, bool keeps_running);

/* Read for showing: also whether a run is under way in this moment. */
void task_look(struct task *t, const struct client *c);

/*
 * Whoever starts runs holds the lock.  AE_EUNAVAIL when somebody does.
 * Read the state after that, and then call task_begin.
 */
int task_lock(
    struct task *t, const struct client *c, struct ae_err *e) AE_MUST_CHECK;
void task_done(struct task *t);

/* ae_task_begin; notices whether this is a new session of run_dir. */
void task_begin(struct task *t);

/* Write the file. */
int task_write(const struct task *t, struct ae_err *e) AE_MUST_CHECK;

/*
 * What there is to show, and what the file holds:
 *
 *   { "context": "machine", "state": "Ready", "enabled": true,
 *     "runs": 3, "last_run", "last_end": time or null, "trigger": "schedule",
 *     "outcome": "done", "exit": 0, "result": "0x00000000",
 *     "error": text or null, "stage": text or null, "stage_since": time or
 *     null, "next_run": time or null, "next_trigger": "schedule",
 *     "next_policy_check": time or null, "policy_checked": time or null,
 *     "retries": 0, "missed_runs": 0 }
 *
 * and in the file, for us alone, "resume": { … }.
 */
json_t *task_to_json(const struct task *t, bool with_resume);

/* The switch: a file beside task.json. */
bool task_enabled(const struct client *c);
int task_enable(
    const struct client *c, bool on, struct ae_err *e) AE_MUST_CHECK;

#endif
