/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * When a run begins, whom it serves, and what follows it.  A step function:
 * what happened and what time it is come in, what to do comes out; whoever
 * calls it has the clock, the processes and the file (interface: the state
 * of a task survives in struct ae_task_past).
 *
 * Moments are milliseconds since the machine started, time asleep included,
 * because that clock cannot be set; the clock on the wall is for showing,
 * for the day of the spread, and for what happened before this start.
 */
#ifndef AE_ENROLL_TASK_H
#define AE_ENROLL_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AE_TASK_NEVER INT64_MAX
#define AE_TASK_TEXT_MAX 512

/* Why a run began. */
enum ae_trigger {
	AE_TRIGGER_NONE,
	AE_TRIGGER_START,    /* the machine started */
	AE_TRIGGER_LOGON,    /* the user logged on */
	AE_TRIGGER_SCHEDULE, /* the interval is over */
	AE_TRIGGER_POLICY,   /* group policy changed, or may have */
	AE_TRIGGER_NETWORK,  /* an interface or a VPN came up */
	AE_TRIGGER_RETRY,    /* the run before found nobody */
	AE_TRIGGER_MANUAL,   /* somebody asked */
	AE_TRIGGER_DUE,	     /* ask only: whatever the schedule has due */
};

/* "start" …; never NULL. */
const char *ae_trigger_name(enum ae_trigger t);
/* One that can be asked for; AE_TRIGGER_NONE when there is none. */
enum ae_trigger ae_trigger_parse(const char *name);

enum ae_outcome {
	AE_OUTCOME_NONE,     /* never ran */
	AE_OUTCOME_DONE,     /* ran to its end, whatever the CA said */
	AE_OUTCOME_DEFERRED, /* no DC or no CA: will be repeated */
	AE_OUTCOME_FAILED,   /* something that waiting does not mend */
	AE_OUTCOME_ENDED,    /* took too long and was ended */
	AE_OUTCOME_LOST,     /* died without a report */
};
const char *ae_outcome_name(enum ae_outcome o);
enum ae_outcome ae_outcome_parse(const char *name);

enum ae_task_state {
	AE_TASK_READY,
	AE_TASK_RUNNING,
	AE_TASK_QUEUED, /* deferred, will be repeated */
	AE_TASK_DISABLED,
};
const char *ae_task_state_name(enum ae_task_state s); /* "Ready" … */

/* Results as the Task Scheduler gives them (winerror.h). */
#define AE_SCHED_S_TASK_RUNNING 0x00041301u
#define AE_SCHED_S_TASK_HAS_NOT_RUN 0x00041303u
#define AE_SCHED_S_TASK_TERMINATED 0x00041306u
#define AE_SCHED_E_TASK_DISABLED 0x80041326u

/* Seconds, all of them. */
struct ae_task_conf {
	bool user;
	int64_t interval;	 /* between runs */
	int64_t spread;		 /* added to it, up to this */
	int64_t start_spread;	 /* after the machine started, up to this */
	int64_t policy_interval; /* between looks at group policy; 0: none */
	int64_t run_timeout;	 /* the longest a run may take */
	bool keeps_running; /* a daemon, which can wait for the right moment */
};

#define AE_TASK_RECENT 5

/* What is known of the runs so far. */
struct ae_task_past {
	uint64_t runs;
	enum ae_trigger trigger;
	enum ae_outcome outcome;
	int64_t start, end; /* wall */
	int64_t start_up, end_up;
	int exit;
	uint32_t result; /* HRESULT, or one of the above */
	char error[AE_TASK_TEXT_MAX];
	char stage[64]; /* the last thing it did */
	uint32_t missed;
	unsigned retries;		/* deferred in a row */
	int64_t recent[AE_TASK_RECENT]; /* repeats by ourselves, newest first */
	int64_t checked_up;		/* group policy last looked at */
	int64_t checked;		/* wall */
	bool open;			/* a run began and has not ended */
	int64_t at;			/* the next run; 0: not known */
	enum ae_trigger at_trigger;
	int64_t check_at; /* the next look at policy; 0: not known */
	char sid[192];
	char policy_version[65]; /* of what a run or a look has seen */
};

struct ae_task_now {
	int64_t up;
	int64_t wall;
	uint64_t random;
};

struct ae_task {
	struct ae_task_conf conf;
	struct ae_task_past past;
	const char *id; /* for the spread, borrowed */
	bool enabled;

	enum ae_trigger running; /* AE_TRIGGER_NONE: no run is under way */
	bool refresh;		 /* it reads policy anew */
	bool checking;		 /* a look at group policy is under way */
	bool ending;		 /* it was told to end */
	int64_t since;		 /* its beginning */
	int64_t stage_since;

	bool again;	    /* another run with fresh policy follows */
	bool network_again; /* the network changed during a run */
	bool check_again;   /* and policy may have */
};

/*
 * What past says is of another start of the machine: forget the moments in
 * it, keep the rest.  Before ae_task_begin.
 */
void ae_task_new_boot(struct ae_task_past *past);

/*
 * Begin: conf, past, id and enabled are filled in, the rest is zero.
 * new_session is the first time after the machine started or the user
 * logged on.
 */
void ae_task_begin(
    struct ae_task *t, bool new_session, const struct ae_task_now *now);

enum ae_task_answer {
	AE_TASK_STARTS,	    /* the next step begins it */
	AE_TASK_JOINS,	    /* the run under way serves this as well */
	AE_TASK_FOLLOWS,    /* one begins when what is under way is over */
	AE_TASK_LATER,	    /* at past.at */
	AE_TASK_NOT_NEEDED, /* the last run is good enough */
	AE_TASK_IS_DISABLED,
};

/* Somebody wants a run, or with AE_TRIGGER_POLICY a look. */
enum ae_task_answer ae_task_ask(struct ae_task *t, enum ae_trigger trigger,
    bool refresh, const struct ae_task_now *now);

enum ae_task_do {
	AE_TASK_NOTHING,
	AE_TASK_RUN,   /* t->running, t->refresh; counts as begun */
	AE_TASK_CHECK, /* counts as begun */
	AE_TASK_END,   /* ask the run to end, once */
	AE_TASK_KILL,  /* it did not */
};

/* What to do now.  Call again after each of the calls below, and at the
   deadline. */
enum ae_task_do ae_task_step(struct ae_task *t, const struct ae_task_now *now);
int64_t ae_task_deadline(const struct ae_task *t);

/* The run says what it does. */
void ae_task_stage(
    struct ae_task *t, const char *stage, const struct ae_task_now *now);

struct ae_task_result {
	enum ae_outcome outcome;
	int exit;
	uint32_t result;
	bool busy;		    /* a CA said that it has too much to do */
	bool no_ca;		    /* the directory answered, no CA did */
	const char *error;	    /* NULL: none */
	const char *sid;	    /* NULL: not learnt */
	const char *policy_version; /* NULL: not learnt */
};

/* The run is over. */
void ae_task_ended(struct ae_task *t, const struct ae_task_result *r,
    const struct ae_task_now *now);

/*
 * The look is over; version is NULL when it failed.  True when a run
 * follows, because policy is not what it was.
 */
bool ae_task_checked(
    struct ae_task *t, const char *version, const struct ae_task_now *now);

enum ae_task_state ae_task_state(const struct ae_task *t);

/* Scheduled runs that did not happen, as of now. */
uint32_t ae_task_missed(
    const struct ae_task *t, bool same_boot, const struct ae_task_now *now);

#endif
