/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The task on disk; see task.h.
 */
#include "task.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "sys/clock.h"
#include "sys/files.h"

#define TASK_FILE_MAX (64u * 1024u)

static char *
below(const char *dir, const char *name)
{
	char *p = NULL;

	return asprintf(&p, "%s/%s", dir, name) < 0 ? NULL : p;
}

struct ae_task_now
task_now(void)
{
	return (struct ae_task_now){ .up = ae_clock_boot_ms(),
		.wall = ae_clock_now(),
		.random = ae_random_u64() };
}

/* One line of a small file; empty when there is none. */
static void
read_line(char *out, size_t len, const char *path)
{
	FILE *f = fopen(path, "re");

	out[0] = '\0';
	if (f == NULL)
		return;
	if (fgets(out, (int)len, f) == NULL)
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	(void)fclose(f);
}

static const char *
str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : s;
}

static int64_t
num(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

static int64_t
when(const json_t *j, const char *key)
{
	int64_t t = 0;

	return ae_time_parse(&t, str(j, key)) ? t : 0;
}

static void
from_json(struct task *t, const json_t *j)
{
	const json_t *r = json_object_get(j, "resume");
	struct ae_task_past *p = &t->t.past;
	size_t i;

	p->runs = (uint64_t)num(j, "runs");
	p->start = when(j, "last_run");
	p->end = when(j, "last_end");
	p->trigger = ae_trigger_parse(str(j, "trigger"));
	p->outcome = ae_outcome_parse(str(j, "outcome"));
	p->exit = (int)num(j, "exit");
	p->result = (uint32_t)strtoul(str(j, "result"), NULL, 16);
	(void)snprintf(p->error, sizeof(p->error), "%s", str(j, "error"));
	(void)snprintf(p->stage, sizeof(p->stage), "%s", str(j, "stage"));
	t->stage_at = when(j, "stage_since");
	p->checked = when(j, "policy_checked");
	p->retries = (unsigned)num(j, "retries");
	p->missed = (uint32_t)num(j, "missed_runs");
	p->start_up = num(r, "start_up");
	p->end_up = num(r, "end_up");
	p->checked_up = num(r, "checked_up");
	p->at = num(r, "at");
	p->at_trigger = ae_trigger_parse(str(j, "next_trigger"));
	p->check_at = num(r, "check_at");
	p->open = json_is_true(json_object_get(r, "open"));
	for (i = 0; i < AE_TASK_RECENT; i++)
		p->recent[i] = json_integer_value(
		    json_array_get(json_object_get(r, "recent"), i));
	(void)snprintf(p->sid, sizeof(p->sid), "%s", str(r, "sid"));
	(void)snprintf(p->policy_version, sizeof(p->policy_version), "%s",
	    str(r, "policy_version"));
	t->same_boot = strcmp(str(r, "boot"), t->boot) == 0;
	if (!t->same_boot)
		ae_task_new_boot(p);
}

void
task_read(struct task *t, const struct client *c, bool keeps_running)
{
	char *path = below(c->state_dir, "task.json"), machine[64];
	char host[64];
	uint8_t *text = NULL;
	json_t *j = NULL;
	size_t len;

	t->c = c;
	t->t = (struct ae_task){
		.conf = { .user = c->user,
		    .interval = c->interval,
		    .spread = c->spread,
		    .start_spread = c->start_spread,
		    .policy_interval = c->policy_interval,
		    .run_timeout = c->run_timeout,
		    .keeps_running = keeps_running },
		.id = t->id,
		.enabled = task_enabled(c),
	};
	read_line(t->boot, sizeof(t->boot), "/proc/sys/kernel/random/boot_id");
	if (path != NULL &&
	    ae_file_read(&text, &len, path, TASK_FILE_MAX, NULL) == AE_OK)
		j = json_loadb((const char *)text, len, 0, NULL);
	t->same_boot = false;
	if (json_is_object(j))
		from_json(t, j);
	if (t->t.past.sid[0] != '\0') {
		(void)snprintf(t->id, sizeof(t->id), "%s", t->t.past.sid);
	} else { /* until the directory has told */
		read_line(machine, sizeof(machine), "/etc/machine-id");
		if (gethostname(host, sizeof(host)) != 0)
			host[0] = '\0';
		host[sizeof(host) - 1] = '\0';
		(void)snprintf(t->id, sizeof(t->id), "%s:%s:%u", machine, host,
		    (unsigned)geteuid());
	}
	json_decref(j);
	free(text);
	free(path);
}

int
task_lock(struct task *t, const struct client *c, struct ae_err *e)
{
	char *path = below(c->state_dir, "task.lock");
	int rc;

	t->lock = -1;
	if (path == NULL)
		return ae_fail_mem(e);
	rc = ae_file_mkdirs(c->state_dir, c->user ? 0700 : 0755, e);
	if (rc == AE_OK)
		rc = ae_file_lock(&t->lock, path, false, e);
	free(path);
	return rc;
}

/* Is somebody driving the task? */
static bool
is_locked(const struct client *c)
{
	char *path = below(c->state_dir, "task.lock");
	bool locked = false;
	int fd = -1;

	if (path != NULL && access(path, R_OK | W_OK) == 0)
		locked = ae_file_lock(&fd, path, false, NULL) == AE_EUNAVAIL;
	else if (path != NULL && access(path, F_OK) == 0)
		locked = true; /* not ours to try: believe the file */
	if (fd >= 0)
		(void)close(fd);
	free(path);
	return locked;
}

void
task_look(struct task *t, const struct client *c)
{
	struct ae_task_past *p = &t->t.past;

	task_read(t, c, true);
	if (p->open && t->same_boot && is_locked(c)) {
		t->t.running = p->trigger;
	} else if (p->open) {
		p->outcome = AE_OUTCOME_LOST;
		p->result = 0x80004005; /* E_FAIL */
	}
}

void
task_done(struct task *t)
{
	if (t->lock >= 0)
		(void)close(t->lock);
	t->lock = -1;
}

void
task_begin(struct task *t)
{
	struct ae_task_now now = task_now();
	char *mark = below(t->c->run_dir, "session");
	bool new_session = mark == NULL || access(mark, F_OK) != 0;

	/* run_dir goes when the machine, or the user's session, ends. */
	if (mark != NULL && new_session &&
	    (ae_file_put_dirs(t->c->run_dir, t->c->user ? 0700 : 0755, NULL) !=
		    AE_OK ||
		ae_file_put(mark, "", 0, 0644, NULL) != AE_OK))
		new_session = t->t.past.runs == 0;
	ae_task_begin(&t->t, new_session, &now);
	free(mark);
}

static json_t *
time_or_null(int64_t t)
{
	char text[AE_TIME_STR_MAX];

	return t <= 0 ? json_null() : json_string(ae_time_print(text, t));
}

/* A moment since the machine started, on the wall: by milliseconds, so that
   it is the same second whenever it is asked. */
static json_t *
moment(int64_t up)
{
	struct timespec ts;
	int64_t wall_ms;

	if (up <= 0 || up == AE_TASK_NEVER)
		return json_null();
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	wall_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	return time_or_null((wall_ms + up - ae_clock_boot_ms()) / 1000);
}

static json_t *
resume_json(const struct task *t)
{
	const struct ae_task_past *p = &t->t.past;
	json_t *recent = json_array();
	size_t i;

	for (i = 0; i < AE_TASK_RECENT; i++)
		(void)json_array_append_new(recent, json_integer(p->recent[i]));
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:s, s:s}",
	    "boot", t->boot, "start_up", (json_int_t)p->start_up, "end_up",
	    (json_int_t)p->end_up, "checked_up", (json_int_t)p->checked_up,
	    "at", (json_int_t)p->at, "check_at", (json_int_t)p->check_at,
	    "open", p->open, "recent", recent, "sid", p->sid, "policy_version",
	    p->policy_version);
}

/* What Get-ScheduledTaskInfo would call the last result. */
static uint32_t
last_result(const struct ae_task *t)
{
	if (t->running != AE_TRIGGER_NONE)
		return AE_SCHED_S_TASK_RUNNING;
	if (t->past.runs == 0)
		return AE_SCHED_S_TASK_HAS_NOT_RUN;
	return t->past.result;
}

json_t *
task_to_json(const struct task *t, bool with_resume)
{
	const struct ae_task_past *p = &t->t.past;
	struct ae_task_now now = task_now();
	bool running = t->t.running != AE_TRIGGER_NONE;
	uint32_t missed = p->missed, live = 0;
	char result[16];
	json_t *j;

	if (!running) /* nobody made the runs that are due by now */
		live = ae_task_missed(&t->t, p->start_up > 0, &now);
	if (live > 0)
		missed = live;
	(void)snprintf(
	    result, sizeof(result), "0x%08" PRIx32, last_result(&t->t));
	j = json_pack("{s:s, s:s, s:b, s:I, s:o, s:o, s:s, s:s, s:i, s:s, "
		      "s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:i, s:i}",
	    "context", t->t.conf.user ? "user" : "machine", "state",
	    ae_task_state_name(ae_task_state(&t->t)), "enabled", t->t.enabled,
	    "runs", (json_int_t)p->runs, "last_run", time_or_null(p->start),
	    "last_end", running ? json_null() : time_or_null(p->end), "trigger",
	    ae_trigger_name(p->trigger), "outcome",
	    ae_outcome_name(running ? AE_OUTCOME_NONE : p->outcome), "exit",
	    p->exit, "result", result, "error",
	    p->error[0] == '\0' || running ? json_null()
					   : json_string(p->error),
	    "stage", p->stage[0] == '\0' ? json_null() : json_string(p->stage),
	    "stage_since",
	    p->stage[0] == '\0' ? json_null() : time_or_null(t->stage_at),
	    "next_run", t->t.enabled ? moment(p->at) : json_null(),
	    "next_trigger", ae_trigger_name(p->at_trigger), "next_policy_check",
	    t->t.enabled ? moment(p->check_at) : json_null(), "policy_checked",
	    time_or_null(p->checked), "retries", (int)p->retries, "missed_runs",
	    (int)missed);
	if (j != NULL && with_resume)
		(void)json_object_set_new(j, "resume", resume_json(t));
	return j;
}

int
task_write(const struct task *t, struct ae_err *e)
{
	char *path = below(t->c->state_dir, "task.json"), *text;
	json_t *j = task_to_json(t, true);
	int rc;

	text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(2));
	json_decref(j);
	if (path == NULL || text == NULL)
		rc = ae_fail_mem(e);
	else
		rc = ae_file_mkdirs(
		    t->c->state_dir, t->c->user ? 0700 : 0755, e);
	/* What it says of runs to come holds for this boot; that one was
	 * under way is for the next. */
	if (rc == AE_OK && t->t.past.open)
		rc = ae_file_write(path, text, strlen(text), 0644, e);
	else if (rc == AE_OK)
		rc = ae_file_put(path, text, strlen(text), 0644, e);
	free(text);
	free(path);
	return rc;
}

bool
task_enabled(const struct client *c)
{
	char *path = below(c->state_dir, "task.disabled");
	bool on = path == NULL || access(path, F_OK) != 0;

	free(path);
	return on;
}

int
task_enable(const struct client *c, bool on, struct ae_err *e)
{
	char *path = below(c->state_dir, "task.disabled");
	int rc = AE_OK;

	if (path == NULL)
		return ae_fail_mem(e);
	if (on && unlink(path) != 0 && errno != ENOENT)
		rc = ae_fail_errno(e, errno, "remove %s", path);
	if (!on) {
		rc = ae_file_mkdirs(c->state_dir, c->user ? 0700 : 0755, e);
		if (rc == AE_OK)
			rc = ae_file_write(path, "", 0, 0644, e);
	}
	free(path);
	return rc;
}
