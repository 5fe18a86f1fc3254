/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One run from beginning to end, and the order of what it does; see pulse.h.
 */
#include "pulse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "deploy.h"
#include "eventlog.h"
#include "logon.h"
#include "policy_state.h"
#include "pulse_run.h"
#include "rpc/types.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "wcce/hresult.h"

void
pulse_event(struct run *r, enum ae_event_source source, unsigned id,
    const char *const *more, size_t nmore)
{
	const char *params[AE_EVENT_PARAMS_MAX] = { r->c->context };
	size_t i;

	if (r->o->dry_run)
		return;
	for (i = 0; i < nmore && i + 1 < AE_EVENT_PARAMS_MAX; i++)
		params[i + 1] = more[i];
	eventlog_write(r->c, source, id, params, i + 1);
}

int
pulse_nonsense(struct ae_err *e, const char *who)
{
	return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
	    "the %s process answered nonsense", who);
}

/* The code a failure on this side stands for in events. */
uint32_t
pulse_code_of(const struct ae_err *e)
{
	if (e->dom == AE_DOM_HRESULT)
		return (uint32_t)e->code;
	if (e->dom == AE_DOM_RPC && e->code == AE_RPC_FAULT_SERVER_TOO_BUSY)
		return 0x800706bb; /* RPC_S_SERVER_TOO_BUSY */
	switch (e->rc) {
	case AE_EUNAVAIL:
	case AE_ETIMEDOUT:
		return AE_HR_RPC_S_SERVER_UNAVAILABLE;
	case AE_EAUTH:
	case AE_EDENIED:
		return AE_HR_E_ACCESSDENIED;
	case AE_ETRUST:
		return 0x800b0109; /* CERT_E_UNTRUSTEDROOT */
	default:
		return AE_HR_E_FAIL;
	}
}

/*
 * The order of a cycle as far as Windows' is known: trust (written with the
 * plan), pending requests, clean-up, renewals, new certificates, the directory,
 * warnings.
 */
static void
cycle(struct run *r, json_t *report)
{
	static const enum ae_plan_action order[] = { AE_PLAN_RENEW,
		AE_PLAN_ENROLL };
	size_t i, k;

	/* It starts while a key is made.  Who needs it in earnest asks for
	 * it again, and says why it is not there. */
	if (r->plan.nitems > 0 && !r->o->keep &&
	    pulse_start_net(r, NULL) != AE_OK)
		r->net = NULL;
	pulse_retrieve(r);
	pulse_archive(r, false);
	for (k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		for (i = 0; i < r->plan.nitems; i++)
			if (r->plan.items[i].action == order[k])
				r->installed[i] =
				    pulse_request(r, &r->plan.items[i]);
	pulse_archive(r, true);
	pulse_unpublish(r, report);
	pulse_warn_expiring(r);
}

/* While the ticket is fetched, policy starts and key looks what it keeps. */
static int
work(struct run *r, json_t *report, struct ae_err *e)
{
	int rc;

	rc = pulse_set_krb5(r, e);
	if (rc == AE_OK)
		rc = pulse_start_policy(r, e);
	if (rc == AE_OK)
		rc = pulse_start_key(r, e);
	if (rc == AE_OK)
		rc = pulse_begin_open(r, e);
	if (rc == AE_OK)
		rc = client_fqdn(r->fqdn, sizeof(r->fqdn), e);
	if (rc == AE_OK && !r->c->user)
		rc = client_principal(
		    r->c, r->principal, sizeof(r->principal), e);
	if (rc == AE_OK)
		rc = pulse_get_ticket(r, e);
	if (rc == AE_OK)
		rc = pulse_list_open(r, e);
	if (rc == AE_OK)
		rc = pulse_plan(r, report, e);
	if (rc != AE_OK || r->o->dry_run)
		return rc;
	if (r->o->install != NULL)
		return pulse_accept(r, e);
	cycle(r, report);
	return AE_OK;
}

static void
finish(struct run *r)
{
	size_t i;

	peer_leave(r->net);
	peer_leave(r->policy);
	peer_leave(r->key);
	peer_stop(r->net);
	peer_stop(r->policy);
	peer_stop(r->key);
	pulse_wire_plan_done(&r->plan);
	for (i = 0; i < r->nopen_templates; i++)
		ae_template_free(r->open_templates[i]);
	ae_arena_free(r->a);
}

/* What ends a whole run and is a matter of reaching somebody is the domain:
 * ERROR_NO_SUCH_DOMAIN. */
static bool
no_domain(const struct ae_err *e)
{
	return e->dom != AE_DOM_HRESULT &&
	    (e->rc == AE_EUNAVAIL || e->rc == AE_ETIMEDOUT);
}

static int
run_alone(struct run *r, json_t *rep, struct ae_err *e)
{
	char when[AE_TIME_STR_MAX], code[16];
	json_t *last, *runas;
	int rc;

	rc = ae_file_mkdirs(r->c->state_dir, r->c->user ? 0700 : 0755, e);
	if (rc == AE_OK)
		rc = pulse_guess_context(r, e);
	if (rc != AE_OK)
		return rc;
	if (r->c->user &&
	    (runas = logon_json(
		 r->principal[0] != '\0' ? r->principal : NULL)) != NULL)
		(void)json_object_set_new(rep, "logon", runas);
	pulse_event(r, AE_EVENT_AUTOENROLLMENT, 2, NULL, 0);
	rc = work(r, rep, e);
	if (!r->o->dry_run) {
		client_progress(r->c, "deploy");
		deploy_run(r->c, rep);
	}
	if (rc != AE_OK) {
		(void)snprintf(code, sizeof(code), "0x%08" PRIx32,
		    no_domain(e) ? 0x8007054bu : pulse_code_of(e));
		if (no_domain(e))
			EVENT(r, AE_EVENT_AUTOENROLLMENT, 15, code, e->text);
		EVENT(r, AE_EVENT_AUTOENROLLMENT, 6, code, e->text);
		(void)json_object_set_new(rep, "error", client_text(e->text));
		/* What holds meanwhile is what was read last. */
		if (json_object_get(rep, "policy") == NULL &&
		    (last = policy_state_json(r->c, e->text)) != NULL)
			(void)json_object_set_new(rep, "policy", last);
	}
	/* The policy role told 4 and what follows it when policy is on. */
	if (rc == AE_OK && r->plan.enabled)
		pulse_event(r, AE_EVENT_AUTOENROLLMENT, 5, NULL, 0);
	if (rc == AE_OK)
		pulse_event(r, AE_EVENT_AUTOENROLLMENT, 3, NULL, 0);
	if (!r->o->dry_run)
		eventlog_write(r->c, AE_EVENT_CSC, 2, NULL, 0);
	(void)json_object_set_new(
	    rep, "finished", json_string(ae_time_print(when, ae_clock_now())));
	return rc;
}

/* Ours come last: of two members with one name a reader takes that. */
char *
pulse_report_text(const json_t *report, const char *plan)
{
	char *own = json_dumps(report, JSON_COMPACT), *both = NULL;

	if (own == NULL || plan == NULL || strlen(plan) < 3)
		return own;
	if (asprintf(&both, "%.*s,%s", (int)strlen(plan) - 1, plan, own + 1) <
	    0)
		both = NULL;
	free(own);
	return both;
}

int
pulse_run_text(struct client *c, const struct pulse_options *o, json_t **report,
    char **plan, struct ae_err *e)
{
	struct run r = { .c = c, .o = o };
	char when[AE_TIME_STR_MAX], *text = NULL;
	json_t *rep = NULL;
	int64_t begun;
	int rc, lock;

	*plan = NULL;
	rc = pulse_lock(&lock, &rep, c, o, e);
	if (rc != AE_OK)
		return rc;
	begun = ae_clock_mono_ms();
	if (rep != NULL) {
		(void)json_object_set_new(rep, "joined", json_true());
		pulse_unlock(lock, c, o, begun, NULL);
		*report = rep;
		return AE_OK;
	}
	r.a = ae_arena_new(64u * 1024u * 1024u);
	r.results = json_array();
	rep = json_pack("{s:s, s:s, s:O}", "context",
	    c->user ? "user" : "machine", "started",
	    ae_time_print(when, ae_clock_now()), "results", r.results);
	rc =
	    r.a == NULL || rep == NULL ? ae_fail_mem(e) : run_alone(&r, rep, e);
	if (r.explained != NULL && (*plan = strdup(r.explained)) == NULL &&
	    rc == AE_OK)
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		text = pulse_report_text(rep, *plan);
	finish(&r);
	pulse_unlock(lock, c, o, begun, text);
	free(text);
	json_decref(r.results);
	*report = rep;
	return rc;
}

int
pulse_run(struct client *c, const struct pulse_options *o, json_t **report,
    struct ae_err *e)
{
	json_t *rep = NULL, *plan = NULL;
	char *text = NULL;
	int rc;

	rc = pulse_run_text(c, o, &rep, &text, e);
	if (text != NULL)
		plan = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (plan != NULL && json_object_update_missing(rep, plan) != 0)
		rc = ae_fail_mem(e);
	else if (text != NULL && plan == NULL && rc == AE_OK)
		rc = pulse_nonsense(e, "policy");
	json_decref(plan);
	free(text);
	*report = rep;
	return rc;
}

int
pulse_exit_code(const json_t *report)
{
	const json_t *res;
	int code = EXIT_OK;
	size_t i;

	json_array_foreach(json_object_get(report, "results"), i, res)
	{
		const char *what =
		    json_string_value(json_object_get(res, "outcome"));
		json_int_t class =
		    json_integer_value(json_object_get(res, "error_class"));

		if (what == NULL || strcmp(what, "issued") == 0 ||
		    strcmp(what, "made") == 0 || strcmp(what, "abandoned") == 0)
			continue;
		if (strcmp(what, "denied") == 0)
			return EXIT_DENIED;
		if (strcmp(what, "pending") == 0)
			code = code == EXIT_OK ? EXIT_PENDING : code;
		else
			code = class > 0 ? (int)class : EXIT_FINDING;
	}
	/* Issued, but it did not get where it should be. */
	if (code == EXIT_OK && deploy_failed(report))
		code = EXIT_LOCAL;
	return code;
}
