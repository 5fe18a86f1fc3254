/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The task as a step function: no clock but the one that the tests turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "enroll/schedule.h"
#include "enroll/task.h"

#define S 1000
#define H (3600 * S)
#define WALL 1795000000 /* November 2026 */

struct world {
	struct ae_task t;
	struct ae_task_now now;
};

static void
set_up(struct world *w, bool user)
{
	memset(w, 0, sizeof(*w));
	w->now = (struct ae_task_now){ .up = 100 * H, .wall = WALL };
	w->t.conf = (struct ae_task_conf){ .user = user,
		.interval = 8 * 3600,
		.spread = 1800,
		.start_spread = 600,
		.policy_interval = 5400,
		.run_timeout = 3600,
		.keeps_running = true };
	w->t.id = "S-1-5-21-1-2-3-1104";
	w->t.enabled = true;
}

static void
pass(struct world *w, int64_t ms)
{
	w->now.up += ms;
	w->now.wall += ms / 1000;
}

static enum ae_task_do
step(struct world *w)
{
	return ae_task_step(&w->t, &w->now);
}

static enum ae_task_answer
ask(struct world *w, enum ae_trigger trigger, bool refresh)
{
	return ae_task_ask(&w->t, trigger, refresh, &w->now);
}

static void
end(struct world *w, enum ae_outcome outcome)
{
	struct ae_task_result r = { .outcome = outcome,
		.policy_version = outcome == AE_OUTCOME_DONE ? "v1" : NULL };

	ae_task_ended(&w->t, &r, &w->now);
}

/* A daemon whose first run went well a second ago. */
static void
settled(struct world *w)
{
	set_up(w, false);
	ae_task_begin(&w->t, true, &w->now);
	assert_int_equal(step(w), AE_TASK_RUN);
	pass(w, S);
	end(w, AE_OUTCOME_DONE);
	assert_int_equal(step(w), AE_TASK_NOTHING);
}

/* Sleep to the deadline, again and again, as a loop does. */
static enum ae_task_do
next(struct world *w)
{
	enum ae_task_do what;
	int64_t at;
	int i;

	for (i = 0; i < 100; i++) {
		if ((what = step(w)) != AE_TASK_NOTHING)
			return what;
		at = ae_task_deadline(&w->t);
		if (at == AE_TASK_NEVER)
			return AE_TASK_NOTHING;
		pass(w, at > w->now.up ? at - w->now.up : 0);
	}
	return AE_TASK_NOTHING;
}

static void
test_all_machines_boot_at_once(void **state)
{
	unsigned count[60] = { 0 };
	char sid[64];
	unsigned i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		struct world w;

		set_up(&w, false);
		(void)snprintf(sid, sizeof(sid), "S-1-5-21-1-2-3-%u", 1100 + i);
		w.t.id = sid;
		w.now.up = 20 * S; /* power is back, everywhere */
		ae_task_begin(&w.t, true, &w.now);
		assert_int_equal(next(&w), AE_TASK_RUN);
		assert_int_equal(w.t.running, AE_TRIGGER_START);
		assert_true(w.now.up <= 600 * S);
		count[w.now.up / (10 * S)]++;
	}
	for (i = 4; i < 60; i++) /* who was early begins when it is up */
		assert_true(count[i] <= 3 * 10000 / 60);
}

static void
test_a_user_logs_on_and_need_not_wait(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, true);
	ae_task_begin(&w.t, true, &w.now);
	assert_int_equal(step(&w), AE_TASK_RUN);
	assert_int_equal(w.t.running, AE_TRIGGER_LOGON);
}

static void
test_every_eight_hours_with_the_spread(void **state)
{
	struct world w;
	int64_t before, gap;
	int i, n;

	(void)state;
	settled(&w);
	w.t.conf.policy_interval = 0;
	w.t.past.check_at = AE_TASK_NEVER;
	for (i = 0, n = 0; i < 30; i++) {
		before = w.t.past.start_up;
		assert_int_equal(next(&w), AE_TASK_RUN);
		assert_int_equal(w.t.running, AE_TRIGGER_SCHEDULE);
		gap = w.now.up - before;
		assert_in_range(gap, 8 * H, 8 * H + 1800 * S);
		n += gap != 8 * H;
		assert_int_equal(w.t.past.missed, 0);
		end(&w, AE_OUTCOME_DONE);
	}
	assert_true(n > 20);
}

/* F8: eight jumps of the clock on the wall change nothing. */
static void
test_clock_jumps_cause_no_storm(void **state)
{
	static const int64_t jumps[] = { -365 * 86400, 3650 * 86400, 1, -1,
		3600, -3600, -WALL - 1000, 86400 };
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		int64_t at;

		settled(&w);
		w.t.past.check_at = w.t.conf.policy_interval = 0;
		w.t.past.check_at = AE_TASK_NEVER;
		at = w.t.past.at;
		w.now.wall += jumps[i];
		assert_int_equal(step(&w), AE_TASK_NOTHING);
		assert_int_equal(w.t.past.at, at);
		assert_int_equal(next(&w), AE_TASK_RUN);
		assert_int_equal(w.now.up, at);
		assert_int_equal(w.t.past.missed, 0);
		end(&w, AE_OUTCOME_DONE);
		assert_in_range(
		    w.t.past.at - w.now.up, 8 * H, 8 * H + 1800 * S);
	}
}

/* The same over a restart of the machine: one run, whatever the clock. */
static void
test_a_jump_over_a_reboot_causes_one_run(void **state)
{
	struct world w;

	(void)state;
	settled(&w);
	ae_task_new_boot(&w.t.past);
	w.now = (struct ae_task_now){ .up = 3600 * S,
		.wall = WALL + 3650 * INT64_C(86400) };
	ae_task_begin(&w.t, true, &w.now);
	assert_int_equal(step(&w), AE_TASK_RUN);
	assert_int_equal(w.t.past.missed, AE_MISSED_MAX);
	end(&w, AE_OUTCOME_DONE);
	assert_int_equal(step(&w), AE_TASK_NOTHING);
	assert_in_range(w.t.past.at - w.now.up, 8 * H, 8 * H + 1800 * S);

	ae_task_new_boot(&w.t.past);
	w.now = (struct ae_task_now){ .up = 3600 * S, .wall = 0 };
	ae_task_begin(&w.t, true, &w.now);
	assert_int_equal(step(&w), AE_TASK_RUN);
	assert_int_equal(w.t.past.missed, 0);
}

static void
test_three_days_asleep_are_missed_and_made_good_once(void **state)
{
	struct world w;

	(void)state;
	settled(&w);
	pass(&w, 72 * H);
	assert_int_equal(ae_task_missed(&w.t, true, &w.now), 8);
	assert_int_equal(step(&w), AE_TASK_RUN);
	assert_int_equal(w.t.past.missed, 8);
	end(&w, AE_OUTCOME_DONE);
	assert_int_equal(step(&w), AE_TASK_NOTHING);
	assert_int_equal(ae_task_missed(&w.t, true, &w.now), 0);
}

static void
test_who_comes_during_a_run_joins_it(void **state)
{
	struct world w;

	(void)state;
	settled(&w);
	assert_int_equal(ask(&w, AE_TRIGGER_MANUAL, false), AE_TASK_STARTS);
	assert_int_equal(step(&w), AE_TASK_RUN);
	assert_int_equal(ae_task_state(&w.t), AE_TASK_RUNNING);
	assert_int_equal(ask(&w, AE_TRIGGER_MANUAL, false), AE_TASK_JOINS);
	assert_int_equal(ask(&w, AE_TRIGGER_SCHEDULE, false), AE_TASK_JOINS);
	assert_int_equal(ask(&w, AE_TRIGGER_NETWORK, false), AE_TASK_JOINS);
	assert_int_equal(step(&w), AE_TASK_NOTHING);
	end(&w, AE_OUTCOME_DONE);
	assert_int_equal(step(&w), AE_TASK_NOTHING);
	assert_int_equal(w.t.past.runs, 2);
}

static void
test_fresh_policy_is_more_than_the_run_has(void **state)
{
	struct world w;

	(void)state;
	settled(&w);
	(void)ask(&w, AE_TRIGGER_MANUAL, false);
	assert_int_equal(step(&w), AE_TASK_RUN);
	assert_false(w.t.refresh);
	assert_int_equal(ask(&w, AE_TRIGGER_MANUAL, true), AE_TASK_FOLLOWS);
	assert_int_equal(ask(&w, AE_TRIGGER_MANUAL, true), AE_TASK_FOLLOWS);
	end(&w, AE_OUTCOME_DONE);
	assert_int_equal(step(&w), AE_TASK_RUN); /* one for both */
	assert_true(w.t.refresh);
	assert_int_equal(ask(&w, AE_TRIGGER_MANUAL, true), AE_TASK_JOINS);
	end(&w, AE_OUTCOME_DONE);
	assert_int_equal(step(&w), AE_TASK_NOTHING);
}

/* F9: no busy loop, at most five repeats in any ten minutes. */
static void
test_no_dc_is_asked_for_later_and_later(void **state)
{
	int64_t when[200];
	struct world w;
	int i, j, n = 0;

	(void)state;
	settled(&w);
	w.t.past.check_at = AE_TASK_NEVER;
	w.t.conf.policy_interval = 0;
	(void)ask(&w, AE_TRIGGER_MANUAL, false);
	assert_int_equal(step(&w), AE_TASK_RUN);
	for (i = 0; i < 200; i++) {
		/* Luck is on the side of the storm more often than not. */
		w.now.random =
		    i % 3 == 0 ? 0x9e3779b97f4a7c15u * (unsigned)i : 0;
		pass(&w, S);
		end(&w, AE_OUTCOME_DEFERRED);
		assert_int_equal(ae_task_state(&w.t), AE_TASK_QUEUED);
		assert_int_equal(next(&w), AE_TASK_RUN);
		assert_int_equal(w.t.running, AE_TRIGGER_RETRY);
		when[n++] = w.now.up;
	}
	for (i = 5; i < n; i++) {
		for (j = i - 5; j < i; j++)
			assert_true(when[j] < when[i]);
		assert_true(when[i] - when[i - 5] >= 600 * S);
	}
	end(&w, AE_OUTCOME_DONE);
	assert_int_equal(ae_task_state(&w.t), AE_TASK_READY);
	assert_int_equal(w.t.past.retries, 0);
	assert_in_range(w.t.past.at - w.now.up, 7 * H, 9 * H);
}

static void
test_a_busy_ca_is_given_time(void **state)
{
	struct ae_task_result r = {
		.outcome = AE_OUTCOME_DEFERRED, .busy = true, .no_ca = true
	};
	struct world w;

	(void)state;
	settled(&w);
	(void)ask(&w, AE_TRIGGER_MANUAL, false);
	assert_int_equal(step(&w), AE_TASK_RUN);
	w.now.random = 0;
	ae_task_ended(&w.t, &r, &w.now);
	assert_true(w.t.past.at >= w.now.up + 60 * S);
}

static void
test_the_network_comes_back(void **state)
{
	struct world w;

	(void)state;
	settled(&w);
	/* The last run was a minute ago and went well: for what? */
	pass(&w, 60 * S);
	assert_int_equal(
	    ask(&w, AE_TRIGGER_NETWORK, false), AE_TASK_NOT_NEEDED);
	/* Two hours later one more is welcome, when the dust has settled. */
	w.t.past.check_at = AE_TASK_NEVER;
	pass(&w, 2 * H);
	assert_int_equal(ask(&w, AE_TRIGGER_NETWORK, false), AE_TASK_LATER);
	assert_int_equal(next(&w), AE_TASK_RUN);
	assert_int_equal(w.t.running, AE_TRIGGER_NETWORK);
	/* Deferred, and the network changes while it runs: at once again. */
	assert_int_equal(ask(&w, AE_TRIGGER_NETWORK, false), AE_TASK_JOINS);
	w.now.random = UINT64_MAX;
	end(&w, AE_OUTCOME_DEFERRED);
	assert_true(w.t.past.at <= w.now.up + 62 * S);
	assert_int_equal(w.t.past.at_trigger, AE_TRIGGER_NETWORK);
}

static void
test_a_flapping_interface_is_bounded(void **state)
{
	struct world w;
	unsigned runs = 0;
	int i;

	(void)state;
	settled(&w);
	w.t.conf.policy_interval = 0;
	w.t.past.check_at = AE_TASK_NEVER;
	(void)ask(&w, AE_TRIGGER_MANUAL, false);
	assert_int_equal(step(&w), AE_TASK_RUN);
	end(&w, AE_OUTCOME_DEFERRED);
	for (i = 0; i < 600; i++) { /* each second for ten minutes */
		(void)ask(&w, AE_TRIGGER_NETWORK, false);
		if (step(&w) == AE_TASK_RUN) {
			runs++;
			end(&w, AE_OUTCOME_DEFERRED);
		}
		pass(&w, S);
	}
	assert_in_range(runs, 1, AE_TASK_RECENT);
}

static void
test_policy_that_did_not_change_starts_nothing(void **state)
{
	struct world w;
	int64_t at;

	(void)state;
	settled(&w);
	at = w.now.up;
	assert_int_equal(next(&w), AE_TASK_CHECK);
	assert_in_range(w.now.up - at, 5400 * S, 7201 * S);
	assert_false(ae_task_checked(&w.t, "v1", &w.now));
	assert_int_equal(step(&w), AE_TASK_NOTHING);
	/* No DC: no run either; the next look is as far away. */
	assert_int_equal(next(&w), AE_TASK_CHECK);
	at = w.now.up;
	assert_false(ae_task_checked(&w.t, NULL, &w.now));
	assert_int_equal(next(&w), AE_TASK_CHECK);
	assert_true(w.now.up - at >= 5400 * S);
	assert_true(ae_task_checked(&w.t, "v2", &w.now));
	assert_int_equal(step(&w), AE_TASK_RUN);
	assert_int_equal(w.t.running, AE_TRIGGER_POLICY);
}

/* A run without group policy went on with the last good one. */
static void
test_policy_that_could_not_be_read_is_not_seen(void **state)
{
	struct ae_task_result r = { .outcome = AE_OUTCOME_DONE,
		.policy_version = "" };
	struct world w;

	(void)state;
	settled(&w);
	(void)ask(&w, AE_TRIGGER_MANUAL, false);
	assert_int_equal(step(&w), AE_TASK_RUN);
	ae_task_ended(&w.t, &r, &w.now);
	assert_string_equal(w.t.past.policy_version, "v1");
	assert_int_equal(next(&w), AE_TASK_CHECK);
	assert_true(ae_task_checked(&w.t, "v2", &w.now));
}

static void
test_a_hook_says_that_policy_changed(void **state)
{
	struct world w;

	(void)state;
	settled(&w);
	assert_int_equal(ask(&w, AE_TRIGGER_POLICY, false), AE_TASK_STARTS);
	assert_int_equal(step(&w), AE_TASK_CHECK);
	assert_int_equal(ask(&w, AE_TRIGGER_POLICY, false), AE_TASK_JOINS);
	assert_int_equal(ask(&w, AE_TRIGGER_MANUAL, false), AE_TASK_FOLLOWS);
	assert_int_equal(step(&w), AE_TASK_NOTHING);
	assert_false(ae_task_checked(&w.t, "v1", &w.now));
	assert_int_equal(step(&w), AE_TASK_RUN);
	/* During a run: a look behind it, for the run may have read before. */
	assert_int_equal(ask(&w, AE_TRIGGER_POLICY, false), AE_TASK_FOLLOWS);
	end(&w, AE_OUTCOME_DONE);
	assert_int_equal(step(&w), AE_TASK_CHECK);
}

static void
test_a_run_that_hangs_is_ended(void **state)
{
	struct world w;

	(void)state;
	settled(&w);
	(void)ask(&w, AE_TRIGGER_MANUAL, false);
	assert_int_equal(step(&w), AE_TASK_RUN);
	pass(&w, 60 * S);
	ae_task_stage(&w.t, "request", &w.now);
	assert_int_equal(w.t.stage_since, w.now.up);
	assert_int_equal(ae_task_deadline(&w.t), w.t.since + 3600 * S);
	pass(&w, 3540 * S);
	assert_int_equal(step(&w), AE_TASK_END);
	assert_int_equal(step(&w), AE_TASK_NOTHING); /* once */
	pass(&w, ae_task_deadline(&w.t) - w.now.up);
	assert_int_equal(step(&w), AE_TASK_KILL);
	end(&w, AE_OUTCOME_ENDED);
	assert_string_equal(w.t.past.stage, "request");
	assert_int_equal(ae_task_state(&w.t), AE_TASK_READY);
	assert_int_equal(step(&w), AE_TASK_NOTHING); /* not at once again */
}

static void
test_disabled(void **state)
{
	struct world w;

	(void)state;
	settled(&w);
	w.t.enabled = false;
	assert_int_equal(ae_task_state(&w.t), AE_TASK_DISABLED);
	assert_int_equal(ask(&w, AE_TRIGGER_MANUAL, true), AE_TASK_IS_DISABLED);
	assert_int_equal(ask(&w, AE_TRIGGER_DUE, false), AE_TASK_IS_DISABLED);
	pass(&w, 100 * H);
	assert_int_equal(step(&w), AE_TASK_NOTHING);
	assert_int_equal(ae_task_deadline(&w.t), AE_TASK_NEVER);
	w.t.enabled = true;
	assert_int_equal(step(&w), AE_TASK_RUN);
}

/* A timer every quarter of an hour, no daemon: the state is in the file. */
static void
test_ticks_do_what_is_due(void **state)
{
	unsigned runs = 0, looks = 0;
	struct world w;
	int i;

	(void)state;
	set_up(&w, true);
	w.t.conf.keeps_running = false;
	for (i = 0; i < 4 * 24; i++) {
		struct ae_task_past past = w.t.past;

		set_up(&w, true);
		w.t.conf.keeps_running = false;
		w.t.past = past;
		pass(&w, i * 900 * S);
		ae_task_begin(&w.t, i == 0, &w.now);
		if (ask(&w, AE_TRIGGER_DUE, false) == AE_TASK_NOT_NEEDED)
			continue;
		switch (step(&w)) {
		case AE_TASK_RUN:
			runs++;
			end(&w, AE_OUTCOME_DONE);
			break;
		case AE_TASK_CHECK:
			looks++;
			(void)ae_task_checked(&w.t, "v1", &w.now);
			break;
		default:
			fail_msg("due, but nothing was done");
		}
	}
	assert_int_equal(runs, 3); /* logon, 8 h and 16 h later */
	assert_in_range(looks, 9, 14);
}

static void
test_a_daemon_that_restarts(void **state)
{
	struct ae_task_past past;
	struct world w;
	int64_t at;

	(void)state;
	settled(&w);
	at = w.t.past.at;
	past = w.t.past;
	/* A minute after its run: the schedule goes on. */
	set_up(&w, false);
	w.t.past = past;
	pass(&w, 60 * S);
	ae_task_begin(&w.t, false, &w.now);
	assert_int_equal(step(&w), AE_TASK_NOTHING);
	assert_int_equal(w.t.past.at, at);
	/* Half an hour after: somebody wants to see what it does. */
	pass(&w, 1800 * S);
	ae_task_begin(&w.t, false, &w.now);
	assert_int_equal(step(&w), AE_TASK_RUN);
	/* It dies in the middle. */
	past = w.t.past;
	set_up(&w, false);
	w.t.past = past;
	pass(&w, 1900 * S);
	ae_task_begin(&w.t, false, &w.now);
	assert_int_equal(w.t.past.outcome, AE_OUTCOME_LOST);
	assert_false(w.t.past.open);
	assert_int_equal(step(&w), AE_TASK_NOTHING);
	assert_true(w.t.past.at > w.now.up);
}

/* Whatever a damaged file says, the next run is not further than planned. */
static void
test_nonsense_in_the_file(void **state)
{
	static const int64_t bad[] = { INT64_MIN, -1, 0, 1, INT64_MAX - 1,
		AE_TASK_NEVER, 1000 * (int64_t)H };
	struct world w;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
			set_up(&w, false);
			w.t.past.runs = 1;
			w.t.past.start_up = bad[i];
			w.t.past.end_up = bad[j];
			w.t.past.at = bad[j];
			w.t.past.check_at = bad[i];
			w.t.past.checked_up = bad[j];
			w.t.past.recent[AE_TASK_RECENT - 1] = bad[j];
			w.t.past.retries = 3;
			ae_task_begin(&w.t, false, &w.now);
			assert_true(ae_task_deadline(&w.t) <=
			    w.now.up + 9 * (int64_t)H);
		}
	}
}

static void
test_names(void **state)
{
	int i;

	(void)state;
	for (i = AE_TRIGGER_START; i <= AE_TRIGGER_DUE; i++)
		assert_int_equal(
		    ae_trigger_parse(ae_trigger_name((enum ae_trigger)i)), i);
	assert_int_equal(ae_trigger_parse("none"), AE_TRIGGER_NONE);
	assert_int_equal(ae_trigger_parse(NULL), AE_TRIGGER_NONE);
	for (i = AE_OUTCOME_DONE; i <= AE_OUTCOME_LOST; i++)
		assert_int_equal(
		    ae_outcome_parse(ae_outcome_name((enum ae_outcome)i)), i);
	assert_string_equal(ae_task_state_name(AE_TASK_QUEUED), "Queued");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_machines_boot_at_once),
		cmocka_unit_test(test_a_user_logs_on_and_need_not_wait),
		cmocka_unit_test(test_every_eight_hours_with_the_spread),
		cmocka_unit_test(test_clock_jumps_cause_no_storm),
		cmocka_unit_test(test_a_jump_over_a_reboot_causes_one_run),
		cmocka_unit_test(
		    test_three_days_asleep_are_missed_and_made_good_once),
		cmocka_unit_test(test_who_comes_during_a_run_joins_it),
		cmocka_unit_test(test_fresh_policy_is_more_than_the_run_has),
		cmocka_unit_test(test_no_dc_is_asked_for_later_and_later),
		cmocka_unit_test(test_a_busy_ca_is_given_time),
		cmocka_unit_test(test_the_network_comes_back),
		cmocka_unit_test(test_a_flapping_interface_is_bounded),
		cmocka_unit_test(
		    test_policy_that_did_not_change_starts_nothing),
		cmocka_unit_test(
		    test_policy_that_could_not_be_read_is_not_seen),
		cmocka_unit_test(test_a_hook_says_that_policy_changed),
		cmocka_unit_test(test_a_run_that_hangs_is_ended),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_ticks_do_what_is_due),
		cmocka_unit_test(test_a_daemon_that_restarts),
		cmocka_unit_test(test_nonsense_in_the_file),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
