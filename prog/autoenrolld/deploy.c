/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The run's side and the process's side of deployment; see deploy.h.
 */
#include "deploy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "eventlog.h"
#include "store/store.h"
#include "sys/exec.h"

#define ROLE_MS (30 * 60 * 1000)
#define REPORT_MAX (4u * 1024u * 1024u)

void
deploy_settings(struct ae_deploy *d, const struct client *c)
{
	*d = (struct ae_deploy){ .root = c->root,
		.state_dir = c->state_dir,
		.run_dir = c->run_dir,
		.conf_path = c->deploy_path,
		.hooks_dir = c->hooks_dir,
		.context = c->user ? "user" : "machine",
		.user = c->user };
}

static struct ae_trust
trust_settings(const struct client *c, bool dry_run)
{
	return (struct ae_trust){ .root = c->root,
		.state_dir = c->state_dir,
		.method = c->trust_method,
		.dry_run = dry_run };
}

static json_t *
one_json(const struct ae_deploy_one *one)
{
	json_t *items = json_array(), *it;
	char when[AE_TIME_STR_MAX];
	size_t i;

	for (i = 0; i < one->n; i++) {
		const struct ae_deploy_item *v = &one->v[i];

		it = json_pack("{s:s, s:s*, s:s}", "what", v->what, "path",
		    v->path, "outcome", ae_deploy_outcome_name(v->outcome));
		if (v->text != NULL)
			(void)json_object_set_new(
			    it, "text", client_text(v->text));
		(void)json_array_append_new(items, it);
	}
	it = json_pack("{s:s, s:i, s:s, s:s, s:o}", "template", one->tmpl,
	    "number", (int)one->number, "event", one->event, "outcome",
	    ae_deploy_outcome_name(one->outcome), "items", items);
	if (it != NULL && one->thumbprint != NULL) {
		(void)json_object_set_new(
		    it, "thumbprint", json_string(one->thumbprint));
		(void)json_object_set_new(
		    it, "subject", client_text(one->subject));
		(void)json_object_set_new(it, "not_after",
		    json_string(ae_time_print(when, one->not_after)));
	}
	return it;
}

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : s;
}

/* Targets that hold the private key. */
static bool
holds_key(const char *what)
{
	unsigned k;

	for (k = 0; k < AE_DEPLOY_KINDS; k++)
		if (strcmp(what, ae_deploy_kind_name((enum ae_deploy_kind)k)) ==
		    0)
			return ae_deploy_kind_has_key((enum ae_deploy_kind)k);
	return false;
}

void
deploy_tell_exports(const struct client *c, const json_t *list)
{
	const json_t *one, *it;
	size_t i, j;

	json_array_foreach(list, i, one)
	{
		json_array_foreach(json_object_get(one, "items"), j, it)
		{
			const char *params[] = { c->context,
				text(one, "template"), text(one, "thumbprint"),
				text(one, "subject"), text(one, "not_after"),
				text(it, "path") };

			if (holds_key(text(it, "what")) &&
			    strcmp(text(it, "outcome"),
				ae_deploy_outcome_name(AE_DEPLOY_DONE)) == 0)
				eventlog_lifecycle(c, 1007, params, 6);
		}
	}
}

int
deploy_apply(const struct client *c, const char *only, bool dry_run,
    json_t **out, struct ae_err *e)
{
	struct ae_deploy_report r;
	struct ae_deploy d;
	size_t i;
	int rc;

	deploy_settings(&d, c);
	d.only = only;
	d.dry_run = dry_run;
	rc = ae_deploy_run(&r, &d, e);
	if (rc != AE_OK)
		return rc;
	*out = json_array();
	for (i = 0; i < r.n; i++)
		(void)json_array_append_new(*out, one_json(&r.v[i]));
	ae_deploy_report_done(&r);
	return AE_OK;
}

static json_t *
trust_json(const struct ae_trust_report *r)
{
	json_t *items = json_array(), *it;
	size_t i;

	for (i = 0; i < r->n; i++) {
		it = json_pack("{s:s, s:s, s:s}", "state",
		    ae_trust_state_name(r->v[i].state), "file", r->v[i].name,
		    "subject", r->v[i].subject);
		if (r->v[i].text != NULL)
			(void)json_object_set_new(
			    it, "text", client_text(r->v[i].text));
		(void)json_array_append_new(items, it);
	}
	return json_pack("{s:s, s:s, s:b, s:o}", "method",
	    r->method == NULL ? "" : r->method, "dir",
	    r->dir == NULL ? "" : r->dir, "changed", r->changed, "items",
	    items);
}

int
deploy_trust(const struct client *c, enum ae_manifest_by by, bool dry_run,
    json_t **out, struct ae_err *e)
{
	struct ae_trust t = trust_settings(c, dry_run);
	struct ae_trust_report r;
	struct ae_store *s = NULL;
	uint8_t *pem = NULL;
	size_t len = 0;
	int rc;

	rc = ae_store_open(&s, c->state_dir, false, e);
	if (rc == AE_OK && by != AE_BY_NOBODY)
		rc = ae_store_trust_read(s, "roots", &pem, &len, e);
	if (rc == AE_OK)
		rc = ae_trust_sync(&r, &t, by, pem, len, e);
	if (rc == AE_OK) {
		*out = trust_json(&r);
		ae_trust_report_done(&r);
	}
	free(pem);
	ae_store_free(s);
	return rc;
}

/* By whom the system's trust is wanted; false: it is none of our business. */
static bool
trust_wanted(const struct client *c, enum ae_manifest_by *by)
{
	struct ae_trust t = trust_settings(c, false);
	struct ae_manifest m = { 0 };
	bool ours = ae_trust_manifest(&m, &t, NULL) != AE_ENOTFOUND;

	*by = m.by == AE_BY_COMMAND ? AE_BY_COMMAND
	    : c->trust_system	    ? AE_BY_CONFIG
				    : AE_BY_NOBODY;
	ae_manifest_done(&m);
	return !c->user && (ours || c->trust_system);
}

static void
note_error(json_t *errors, const char *what, const struct ae_err *e)
{
	char text[AE_ERR_TEXT_MAX + 128];

	(void)snprintf(text, sizeof(text), "%s: %s", what, e->text);
	(void)json_array_append_new(errors, client_text(text));
}

int
deploy_role(const struct client *c)
{
	json_t *report = json_object(), *errors = json_array(), *j;
	struct ae_err e = AE_ERR_INIT, e2 = AE_ERR_INIT;
	enum ae_manifest_by by;
	struct ae_deploy d;
	int rc = AE_OK;

	deploy_settings(&d, c);
	/* Roots first: a hook may want to verify against them. */
	if (trust_wanted(c, &by)) {
		rc = deploy_trust(c, by, false, &j, &e);
		if (rc == AE_OK)
			(void)json_object_set_new(report, "system_trust", j);
		else if (rc != AE_ENOTFOUND || c->trust_system)
			note_error(errors, "trust", &e);
	}
	if (ae_deploy_wanted(&d)) {
		rc = deploy_apply(c, NULL, false, &j, &e2);
		if (rc == AE_OK)
			(void)json_object_set_new(report, "deploy", j);
		else if (rc != AE_ENOTFOUND) /* no store yet */
			note_error(errors, "deploy", &e2);
	}
	if (json_array_size(errors) > 0)
		(void)json_object_set(report, "deploy_errors", errors);
	rc = json_dumpf(report, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(errors);
	json_decref(report);
	return rc == 0 && fflush(stdout) == 0 ? EXIT_OK : EXIT_LOCAL;
}

/* Start it, wait, and take its report. */
static int
ask(const struct client *c, json_t **out, struct ae_err *e)
{
	static const char *const session[] = { "HOME", "USER", "LOGNAME",
		"LANG", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME",
		"DBUS_SESSION_BUS_ADDRESS", NULL };
	const char *argv[] = { "autoenrolld", "--role", "deploy", "--root",
		c->root, c->user ? "--as-user" : NULL, NULL };
	struct ae_wr text;
	struct ae_exec x = { .argv = argv,
		.keep_env = c->user ? session : NULL,
		.timeout_ms = ROLE_MS,
		.output = &text };
	int rc, status = 0;

	ae_wr_init(&text, REPORT_MAX);
	rc = ae_exec_run(&x, &status, e);
	if (rc == AE_OK) {
		*out = json_loadb((const char *)text.p, text.len,
		    JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(*out)) {
			json_decref(*out);
			rc = ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, status,
			    "the deploy process ended without a report (exit "
			    "%d)",
			    status);
		}
	}
	ae_wr_done(&text);
	return rc;
}

static void
log_failures(const struct client *c, const json_t *report)
{
	const json_t *one, *it, *error;
	size_t i, j;

	if (c->log == NULL)
		return;
	json_array_foreach(json_object_get(report, "deploy_errors"), i, error)
	    ae_log_printf(c->log, AE_LOG_ERROR, "%s", json_string_value(error));
	json_array_foreach(json_object_get(report, "deploy"), i, one)
	{
		json_array_foreach(json_object_get(one, "items"), j, it)
		{
			const char *what, *path, *out, *text = "";

			if (json_unpack((json_t *)(uintptr_t)it,
				"{s:s, s:s, s:s, s?s}", "what", &what, "path",
				&path, "outcome", &out, "text", &text) == 0 &&
			    strcmp(out, "failed") == 0)
				ae_log_printf(c->log, AE_LOG_ERROR,
				    "deploy: %s: %s %s: %s",
				    json_string_value(
					json_object_get(one, "template")),
				    what, path, text);
		}
	}
}

void
deploy_run(const struct client *c, json_t *report)
{
	struct ae_err e = AE_ERR_INIT;
	enum ae_manifest_by by;
	struct ae_deploy d;
	json_t *told = NULL;

	deploy_settings(&d, c);
	if (!ae_deploy_wanted(&d) && !trust_wanted(c, &by))
		return;
	if (ask(c, &told, &e) != AE_OK)
		told =
		    json_pack("{s:[o]}", "deploy_errors", client_text(e.text));
	(void)json_object_update(report, told);
	json_decref(told);
	deploy_tell_exports(c, json_object_get(report, "deploy"));
	log_failures(c, report);
}

bool
deploy_failed(const json_t *report)
{
	const json_t *one;
	size_t i;

	if (json_array_size(json_object_get(report, "deploy_errors")) > 0)
		return true;
	json_array_foreach(json_object_get(report, "deploy"), i, one)
	{
		const char *out =
		    json_string_value(json_object_get(one, "outcome"));

		if (out != NULL && strcmp(out, "failed") == 0)
			return true;
	}
	return false;
}
