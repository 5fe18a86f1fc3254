/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The walk: every row has its words, nobody explains himself in a circle,
 * what was not seen is unknown, and consequences are folded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/diag.h"
#include "diag/facts.h"
#include "diag/report.h"

#define ROWS_MAX 512

struct rows {
	const struct ae_diag_check *v[ROWS_MAX];
	size_t n;
};

static void
collect(struct rows *r)
{
	const struct ae_diag_stage *s;
	const struct ae_diag_check *row;

	r->n = 0;
	for (s = ae_diag_stages; s->name != NULL; s++) {
		for (row = s->v; row->id != NULL; row++) {
			assert_true(r->n < ROWS_MAX);
			r->v[r->n++] = row;
		}
	}
}

static void
test_every_row_has_words_and_one_place(void **state)
{
	const struct ae_diag_stage *stage;
	struct rows r;
	size_t i;

	(void)state;
	collect(&r);
	assert_true(r.n > 50);
	for (i = 0; i < r.n; i++) {
		if (ae_diag_text_find(r.v[i]->id) == NULL)
			fail_msg("no words for %s", r.v[i]->id);
		assert_ptr_equal(ae_diag_find(r.v[i]->id, &stage), r.v[i]);
		assert_non_null(r.v[i]->judge);
	}
}

/* Is to reachable from i by "is explained by"? */
static bool
leads_to(const struct rows *r, size_t i, size_t to, bool *been)
{
	size_t k;

	if (been[i])
		return false;
	been[i] = true;
	for (k = 0; k < r->n; k++) {
		if (k == i || !ae_diag_match(r->v[i]->after, r->v[k]->id))
			continue;
		if (k == to || leads_to(r, k, to, been))
			return true;
	}
	return false;
}

static void
test_no_circle_of_explanations(void **state)
{
	struct rows r;
	size_t i;

	(void)state;
	collect(&r);
	for (i = 0; i < r.n; i++) {
		bool been[ROWS_MAX] = { false };

		if (leads_to(&r, i, i, been))
			fail_msg("%s explains itself", r.v[i]->id);
	}
}

static struct ae_diag *
walk(json_t *facts)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d = NULL;

	assert_non_null(facts);
	assert_int_equal(ae_diag_make(&d, facts, &e), AE_OK);
	return d;
}

/* Nothing was seen: nothing is wrong, and nothing is fine. */
static void
test_nothing_seen_is_unknown(void **state)
{
	json_t *facts = json_object(), *report;
	struct ae_diag *d = walk(facts);
	size_t i;

	(void)state;
	assert_int_equal(d->root, AE_DIAG_NOBODY);
	assert_int_equal(d->nfine, 0);
	for (i = 0; i < d->n; i++)
		assert_int_equal(d->v[i].verdict, AE_DIAG_UNKNOWN);
	report = ae_diag_report(d, facts, AE_DIAG_EN);
	assert_true(ae_fact_is(report, "category", "unknown"));
	json_decref(report);
	ae_diag_free(d);
	json_decref(facts);
}

/* A clock that is wrong explains the ticket that was refused. */
static void
test_consequences_are_folded(void **state)
{
	json_t *facts =
	    json_loads("{\"probes\": {\"dc\": {\"state\": \"done\"},"
		       " \"krb\": {\"because\": \"the KDC says no\"}},"
		       " \"host\": {\"realm\": \"X\", \"principal\": \"A$\","
		       " \"keytab\": {\"state\": \"present\","
		       " \"keys\": [{\"principal\": \"A$@X\"}]}},"
		       " \"krb\": {\"fresh\": {\"error\": {\"kdc_error\": 37,"
		       " \"text\": \"Clock skew too great\"}}}}",
		0, NULL);
	json_t *report;
	struct ae_diag *d;

	(void)state;
	d = walk(facts);
	assert_true(d->root != AE_DIAG_NOBODY);
	assert_string_equal(d->v[d->root].check->id, "time.skew");
	report = ae_diag_report(d, facts, AE_DIAG_FR);
	assert_true(ae_fact_is(report, "root.check_id", "time.skew"));
	assert_int_equal(json_array_size(json_object_get(report, "also")), 0);
	assert_true(ae_fact_is(
	    json_array_get(json_object_get(report, "consequences"), 0),
	    "check_id", "auth.no-tgt"));
	json_decref(report);
	ae_diag_free(d);
	json_decref(facts);
}

/* What is to be run stands in the report, as it stands in the sentence. */
static void
test_commands_of_a_finding(void **state)
{
	json_t *facts = json_loads(
	    "{\"plan\": {\"plan\": [], \"policy\": {\"source\": \"local\"},"
	    " \"policy_reasons\": [{\"check\": \"policy.no-enroll-bit\","
	    " \"verdict\": \"fail\", \"text\": \"AEPolicy is 0x6\"}]},"
	    " \"host\": {\"local_policy\": {\"path\": \"/p.conf\"}}}",
	    0, NULL);
	const json_t *root, *first;
	json_t *report;
	struct ae_diag *d;
	int round;

	(void)state;
	for (round = 0; round < 2; round++) {
		d = walk(facts);
		report = ae_diag_report(d, facts, AE_DIAG_EN);
		root = json_object_get(report, "root");
		assert_true(
		    ae_fact_is(root, "check_id", "policy.no-enroll-bit"));
		first = json_array_get(json_object_get(root, "commands"), 0);
		if (round == 0) {
			assert_true(ae_fact_is(first, "where", "account"));
			assert_true(ae_fact_is(first, "run",
			    "autoenroll policy set AEPolicy=0x7"));
			assert_non_null(strstr(ae_fact_text(root, "fix"),
			    "`autoenroll policy set AEPolicy=0x7`"));
		} else { /* a GPO says so: no command changes that */
			assert_null(first);
			assert_null(strstr(
			    ae_fact_text(root, "fix"), "autoenroll policy"));
		}
		json_decref(report);
		ae_diag_free(d);
		(void)json_object_set_new(
		    json_object_get(json_object_get(facts, "plan"), "policy"),
		    "source", json_string("gpo"));
	}
	json_decref(facts);
}

/* Whoever could not be asked, because something else failed, is not fine. */
static void
test_behind_a_failure_nothing_is_fine(void **state)
{
	json_t *facts = json_loads(
	    "{\"probes\": {\"krb\": {\"state\": \"failed\", \"error\": \"no\"},"
	    " \"ad\": {\"state\": \"late\", \"seconds\": 9, \"doing\":"
	    " {\"what\": \"forest\", \"about\": \"\"}}},"
	    " \"dc\": {\"domain\": \"x\", \"srv_error\": {\"text\": \"no\"}},"
	    " \"host\": {\"keytab\": {\"state\": \"absent\", \"error\": "
	    "\"e\"}}}",
	    0, NULL);
	struct ae_diag *d = walk(facts);
	json_t *report = ae_diag_report(d, facts, AE_DIAG_FR);
	const json_t *late =
	    json_object_get(json_object_get(report, "probes"), "ad");

	(void)state;
	assert_string_equal(d->v[d->root].check->id, "join.not-joined");
	assert_int_equal(
	    ae_diag_verdict_of(
		d, ae_diag_find("join.keytab-missing-principal", NULL)),
	    AE_DIAG_UNKNOWN);
	assert_int_equal(
	    ae_diag_verdict_of(d, ae_diag_find("join.account-missing", NULL)),
	    AE_DIAG_UNKNOWN);
	assert_int_equal(
	    ae_diag_verdict_of(d, ae_diag_find("dns.resolver-wrong", NULL)),
	    AE_DIAG_FAIL);
	assert_string_equal(ae_fact_text(late, "because"),
	    "Pas de réponse en 9 s (lecture des modèles et autorités de la "
	    "forêt).");
	json_decref(report);
	ae_diag_free(d);
	json_decref(facts);
}

/* A request was made to see, and no answer came: nothing is in order yet. */
static void
test_no_answer_is_unknown(void **state)
{
	json_t *facts =
	    json_loads("{\"plan\": {\"plan\": []}, \"dcom\": [],"
		       " \"live\": {\"template\": \"Machine\"},"
		       " \"probes\": {\"live\": {\"state\": \"late\","
		       " \"seconds\": 26}}}",
		0, NULL);
	json_t *report, *live = json_object_get(facts, "live");
	struct ae_diag *d;

	(void)state;
	d = walk(facts);
	report = ae_diag_report(d, facts, AE_DIAG_EN);
	assert_true(ae_fact_is(report, "category", "unknown"));
	json_decref(report);
	ae_diag_free(d);
	(void)json_object_set_new(live, "results", json_array());
	d = walk(facts);
	report = ae_diag_report(d, facts, AE_DIAG_EN);
	assert_true(ae_fact_is(report, "category", "ok"));
	json_decref(report);
	ae_diag_free(d);
	json_decref(facts);
}

static void
test_patterns(void **state)
{
	(void)state;
	assert_true(ae_diag_match("net.* time.skew", "net.epm-unreachable"));
	assert_true(ae_diag_match("net.* time.skew", "time.skew"));
	assert_false(ae_diag_match("net.* time.skew", "time.skewed"));
	assert_false(ae_diag_match("net.* time.skew", "network.x"));
	assert_false(ae_diag_match("", "time.skew"));
	assert_false(ae_diag_match(NULL, "time.skew"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_has_words_and_one_place),
		cmocka_unit_test(test_no_circle_of_explanations),
		cmocka_unit_test(test_nothing_seen_is_unknown),
		cmocka_unit_test(test_consequences_are_folded),
		cmocka_unit_test(test_commands_of_a_finding),
		cmocka_unit_test(test_behind_a_failure_nothing_is_fine),
		cmocka_unit_test(test_no_answer_is_unknown),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
