/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv diagnose by hand-made facts: what keeps a CA from starting, from
 * serving a template, and why it denied.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/diag.h"
#include "diag/facts.h"
#include "diag/text.h"
#include "said.h"

static const char healthy[] =
    "{\"host\": {\"name\": \"ca1\", \"now\": 1790000000}, \"server\": {"
    " \"config\": {\"path\": \"/etc/certsrv/certsrv.conf\"}, \"name\": \"CA\","
    " \"running\": true, \"certificate\": {\"not_before\": 1780000000,"
    "  \"not_after\": 1990000000, \"ends\": \"then\"},"
    " \"keys\": [{\"uri\": \"file:k\", \"works\": true}],"
    " \"database\": {\"path\": \"db\"}, \"ports\": [],"
    " \"keytab\": {\"path\": \"kt\", \"state\": \"present\", \"has\": true,"
    "  \"principal\": \"host/ca1\"}, \"disk\": {\"path\": \"d\","
    "  \"free\": 1000000000}, \"unloaded\": [], \"requests\": [],"
    " \"directory\": {\"ahead\": 0, \"offered\": [\"T\"],"
    "  \"templates\": [\"T\"]}}, \"asked\": {}}";

/* clang-format off */
static const struct {
	const char *cause, *path, *value;
	bool stopped;
} rows[] = {
	{ NULL, "", "{}", false },
	{ "net.ca-service-stopped", "", "{}", true },
	{ "ca.service-wont-start", "server.config", "{\"error\": \"line 3: what?\"}", true },
	{ "ca.service-wont-start", "server.certificate", "{\"error\": \"no such file\"}", true },
	{ "trust.ca-cert-expired", "server.certificate", "{\"not_after\": 1789999999}", true },
	{ "trust.ca-cert-expired", "server.certificate", "{\"not_before\": 1790000001}", false },
	{ "ca.service-wont-start", "server.keys.0", "{\"works\": false, \"error\": \"the PIN is wrong\"}", true },
	{ "deny.sign-failure", "server.keys.0", "{\"works\": false, \"error\": \"the token is gone\"}", false },
	{ "ca.service-wont-start", "server", "{\"keys_error\": \"no module\"}", true },
	{ "ca.service-wont-start", "server.database", "{\"error\": \"database disk image is malformed\"}", true },
	{ "ca.service-wont-start", "server", "{\"ports\": [{\"port\": 135, \"state\": \"used\", \"text\": \"port 135\"}]}", true },
	{ "join.not-joined", "server.keytab", "{\"state\": \"absent\", \"error\": \"no such file\"}", true },
	{ "join.keytab-missing-principal", "server.keytab", "{\"has\": false}", true },
	{ "join.keytab-missing-principal", "server.keytab", "{\"state\": \"damaged\", \"error\": \"no keytab\"}", true },
	{ "dc.unreachable", "server.directory", "{\"error\": \"no answer\"}", false },
	{ "time.skew", "server.directory", "{\"ahead\": -4000}", false },
	{ "env.disk-full", "server.disk", "{\"free\": 4096}", true },
	{ "ca.published-ad-not-loaded", "server.directory", "{\"templates\": []}", false },
	{ "ca.template-not-published", "asked", "{\"template\": \"U\"}", false },
	{ "deny.subject-dns", "server", "{\"requests\": [{\"id\": 4, \"disp\": \"denied\", \"hresult\": 2148091919, "
	  "\"check_id\": \"deny.subject-dns\"}]}", false },
	{ "deny.policy-module-custom", "server", "{\"requests\": [{\"id\": 4, \"disp\": \"denied\", \"hresult\": 2148091921, "
	  "\"check_id\": \"rules.key\"}]}", false },
	{ "deny.key-length", "server", "{\"requests\": [{\"id\": 4, \"disp\": \"denied\", \"hresult\": 2148091921}]}", false },
	{ "deny.access-denied", "server", "{\"requests\": [{\"id\": 4, \"disp\": \"failed\", \"hresult\": 1}]}", false },
	{ "pending.awaiting-approval", "server", "{\"requests\": [{\"id\": 4, \"disp\": \"pending\"}]}", false },
	{ NULL, "server", "{\"requests\": [{\"id\": 4, \"disp\": \"issued\"}]}", false },
};
/* clang-format on */

static json_t *
facts_of(const char *path, const char *value, bool stopped)
{
	json_t *facts = json_loads(healthy, 0, NULL),
	       *change = json_loads(value, 0, NULL), *at;

	assert_non_null(facts);
	assert_non_null(change);
	at = strcmp(path, "server.keys.0") == 0
	    ? json_array_get(ae_fact(facts, "server.keys"), 0)
	    : (json_t *)(uintptr_t)ae_fact(facts, path);
	if (path[0] != '\0')
		assert_int_equal(json_object_update(at, change), 0);
	if (stopped)
		(void)json_object_set_new(
		    json_object_get(facts, "server"), "running", json_false());
	json_decref(change);
	return facts;
}

static void
test_one_cause_each(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_diag *d;
	const char *id;
	json_t *facts;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		facts = facts_of(rows[i].path, rows[i].value, rows[i].stopped);
		d = NULL;
		assert_int_equal(ae_diag_make_server(&d, facts, &e), AE_OK);
		assert_string_equal(said_wrongly(d, facts), "");
		id = d->root == AE_DIAG_NOBODY ? "" : d->v[d->root].check->id;
		assert_string_equal(
		    id, rows[i].cause == NULL ? "" : rows[i].cause);
		for (k = 0; k < d->n; k++)
			if (k != d->root && d->v[k].verdict == AE_DIAG_FAIL &&
			    d->v[k].cause == AE_DIAG_NOBODY)
				fail_msg("%s beside %s", d->v[k].check->id, id);
		ae_diag_free(d);
		json_decref(facts);
	}
}

static void
test_every_row_has_words(void **state)
{
	const struct ae_diag_stage *s;
	const struct ae_diag_check *row;
	size_t n = 0;

	(void)state;
	for (s = ae_diag_server_stages; s->name != NULL; s++) {
		for (row = s->v; row->id != NULL; row++, n++)
			if (ae_diag_text_find(row->id) == NULL)
				fail_msg("no words for %s", row->id);
	}
	assert_true(n > 40);
}

/* Nothing seen: nothing is wrong, and nothing fine. */
static void
test_nothing_seen(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	json_t *facts = json_object();
	struct ae_diag *d = NULL;

	(void)state;
	assert_int_equal(ae_diag_make_server(&d, facts, &e), AE_OK);
	assert_string_equal(said_wrongly(d, facts), "");
	assert_int_equal(d->root, AE_DIAG_NOBODY);
	assert_int_equal(d->nfine, 0);
	ae_diag_free(d);
	json_decref(facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_cause_each),
		cmocka_unit_test(test_every_row_has_words),
		cmocka_unit_test(test_nothing_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
