/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What to do: group policy, inventory and plan; see pulse_run.h.
 */
#include "pulse_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "eventlog.h"
#include "gather/sysvol.h"
#include "policy_state.h"
#include "revocation_state.h"
#include "store/store.h"
#include "sys/files.h"

/* The directory's templates of the requests under way. */
static int
read_open(struct run *r, struct ae_rd *in, struct ae_err *e)
{
	uint32_t n = ae_rd_u32(in), i;
	size_t j;
	int rc;

	if (n > PULSE_CERTS_MAX || !ae_rd_ok(in))
		return pulse_nonsense(e, "policy");
	r->open_templates =
	    ae_arena_array(r->a, n, sizeof(struct ae_template *));
	if (r->open_templates == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++) {
		rc = ae_template_get(&r->open_templates[i], in, e);
		if (rc != AE_OK)
			return rc;
		r->nopen_templates++;
		for (j = 0; j < r->nopen; j++)
			if (ae_str_eq_nocase(
				r->open[j].tmpl, r->open_templates[i]->cn))
				r->open[j].now = r->open_templates[i];
	}
	return AE_OK;
}

/* What was asked for by hand outweighs what the plan would have done. */
static int
by_hand(struct run *r, struct ae_err *e)
{
	size_t i;

	r->installed =
	    ae_arena_array(r->a, r->plan.nitems, sizeof(*r->installed));
	if (r->installed == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < r->plan.nitems; i++) {
		struct pulse_item *it = &r->plan.items[i];

		if (r->o->renew != NULL) {
			it->action = AE_PLAN_RENEW;
			it->same_key = r->o->reuse_key;
			it->have = r->o->renew;
		}
		if (r->o->agent != NULL)
			it->signer = r->o->agent;
	}
	return AE_OK;
}

/*
 * LogLevel holds from here on, and for the beginning of the next run.  A
 * policy that says 3 is not one that says nothing, though 3 is the default.
 */
static void
policy_level(const struct run *r, const json_t *report)
{
	const json_t *policy = json_object_get(report, "policy");
	const char *from =
	    json_string_value(json_object_get(policy, "log_level_source"));
	json_int_t level =
	    json_integer_value(json_object_get(policy, "log_level"));

	if (r->c->user) /* it is the computer's that holds, for users too */
		return;
	eventlog_set_policy_level(r->c,
	    from == NULL || strcmp(from, "default") == 0 || level < 0 ||
		    level > AE_EVENT_LOG_EXHAUSTIVE
		? -1
		: (int)level);
}

/* For "store list", which asks no directory.  Written when it says more than
 * that time went by, or after an hour. */
static void
keep_revocation(const struct run *r, const json_t *report)
{
	const json_t *now = json_object_get(report, "revocation");
	struct ae_err e = AE_ERR_INIT;
	char path[4096], *text;
	int rc;

	if (now == NULL || revocation_is_kept(r->c, now))
		return;
	(void)snprintf(
	    path, sizeof(path), "%s/" REVOCATION_FILE, r->c->state_dir);
	text = json_dumps(now, JSON_COMPACT | JSON_SORT_KEYS);
	rc = text == NULL ? ae_fail_mem(&e)
			  : ae_file_put(path, text, strlen(text), 0644, &e);
	if (rc != AE_OK && r->c->log != NULL)
		ae_log_printf(r->c->log, AE_LOG_WARNING,
		    "what is revoked was not kept: %s", e.text);
	free(text);
}

/* The three PEM texts of the anchors go to the key role unread. */
static int
read_plan(struct run *r, struct ae_rd *in, struct ae_wr *pems, json_t *report,
    struct ae_err *e)
{
	char sid[AE_SID_STR_MAX];
	const uint8_t *p;
	const char *plan;
	json_t *explained;
	size_t len, plan_len;
	int rc;

	r->sid = ae_sid_get(in);
	r->dns = msg_get_str(r->a, in, 1024);
	r->upn = msg_get_str(r->a, in, 1024);
	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	if (p != NULL)
		ae_wr_bytes(pems, p, len);
	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	r->anchors = p == NULL ? NULL : ae_arena_dup(r->a, p, len);
	r->anchors_len = len;
	if (r->anchors == NULL)
		return ae_rd_ok(in) ? ae_fail_mem(e)
				    : pulse_nonsense(e, "policy");
	rc = pulse_wire_get_plan(&r->plan, r->a, in, e);
	if (rc == AE_OK)
		rc = read_open(r, in, e);
	if (rc == AE_OK)
		rc = by_hand(r, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "the policy process");
	plan = (const char *)msg_get_bytes(in, ROLE_BODY_MAX, &plan_len);
	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	if (plan == NULL || p == NULL || !ae_rd_done(in) ||
	    !ae_json_is_line(plan, plan_len))
		return pulse_nonsense(e, "policy");
	r->explained = ae_arena_strndup(r->a, plan, plan_len);
	if (r->explained == NULL)
		return ae_fail_mem(e);
	explained =
	    json_loadb((const char *)p, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(explained)) {
		json_decref(explained);
		return pulse_nonsense(e, "policy");
	}
	(void)json_object_update(report, explained);
	(void)json_object_set_new(
	    report, "sid", json_string(ae_sid_print(sid, &r->sid)));
	json_decref(explained);
	if (!r->o->dry_run) {
		policy_level(r, report);
		keep_revocation(r, report);
	}
	return AE_OK;
}

void
pulse_put_file(struct ae_wr *q, const char *path)
{
	uint8_t *p = NULL;
	size_t len = 0;

	if (path == NULL ||
	    ae_file_read(&p, &len, path, ROLE_BODY_MAX / 4, NULL) != AE_OK)
		len = 0;
	msg_put_bytes(q, p, len);
	free(p);
}

/*
 * The files of group policy that the last runs did not leave us.  That the
 * helper fails is for the policy role to judge: *why.
 */
static int
fetch_policy(
    struct run *r, struct ae_wr *reply, struct ae_err *why, struct ae_err *e)
{
	const struct ae_gather_sysvol how = { .program = r->c->helper,
		.ccache = getenv("KRB5CCNAME") };
	const char *domain, *account;
	const uint8_t *frame;
	struct ae_rd answer;
	struct ae_wr q;
	size_t len = 0;
	int rc;

	ae_wr_init(&q, ROLE_BODY_MAX);
	msg_put_str(&q, r->principal);
	if (r->o->refresh)
		msg_put_bytes(&q, NULL, 0);
	else
		pulse_put_file(&q, r->c->policy_cache);
	pulse_put_file(&q, r->c->policy_last);
	pulse_put_file(&q, r->c->user ? r->c->machine_policy_last : NULL);
	pulse_put_file(&q, r->c->ldap_ahead);
	rc = peer_ask(r->policy, ROLE_SETTINGS, &q, PULSE_PLAN_MS, &answer, e);
	ae_wr_done(&q);
	if (rc != AE_OK)
		return rc;
	domain = msg_get_str(r->a, &answer, 256);
	account = msg_get_str(r->a, &answer, 256);
	frame = msg_get_bytes(&answer, ROLE_BODY_MAX, &len);
	if (frame == NULL || domain == NULL || account == NULL ||
	    !ae_rd_done(&answer))
		return pulse_nonsense(e, "policy");
	if (r->c->user)
		rc = client_set_context(r->c, domain, account, e);
	if (rc != AE_OK)
		return rc;
	if (len == 0)
		return AE_OK;
	client_progress(r->c, "sysvol");
	ae_wr_init(&q, ROLE_BODY_MAX);
	ae_wr_bytes(&q, frame, len);
	if (!ae_wr_ok(&q))
		rc = ae_fail_mem(e);
	else if (ae_gather_sysvol_frame(reply, &how, &q, false, why) != AE_OK)
		ae_wr_reset(reply);
	ae_wr_done(&q);
	return rc;
}

/* It only saves time: that it cannot be kept is no failure. */
static void
keep_ahead(const struct run *r, const uint8_t *p, size_t len)
{
	uint8_t *old = NULL;
	size_t n;
	bool same =
	    ae_file_read(&old, &n, r->c->ldap_ahead, len, NULL) == AE_OK &&
	    n == len && memcmp(old, p, len) == 0;

	free(old);
	if (!same && len > 0 &&
	    ae_file_put(r->c->ldap_ahead, p, len, 0600, NULL) != AE_OK)
		(void)unlink(r->c->ldap_ahead);
}

/* What the next run, or one without a domain controller, begins with. */
static int
keep_policy(struct run *r, struct ae_rd *answer, struct ae_err *e)
{
	const uint8_t *cache, *last, *ahead;
	size_t ncache, nlast, nahead;
	int rc = AE_OK;

	cache = msg_get_bytes(answer, ROLE_BODY_MAX, &ncache);
	last = msg_get_bytes(answer, ROLE_BODY_MAX, &nlast);
	ahead = msg_get_bytes(answer, ROLE_BODY_MAX, &nahead);
	if (ahead == NULL || r->o->dry_run)
		return AE_OK;
	if (ncache > 0)
		rc = ae_file_write(r->c->policy_cache, cache, ncache, 0644, e);
	if (rc == AE_OK && nlast > 0)
		rc = policy_state_keep(r->c, last, nlast, e);
	keep_ahead(r, ahead, nahead);
	return rc;
}

static void
tell_trust(struct run *r, const struct ae_err *e)
{
	char code[16];

	(void)snprintf(code, sizeof(code), "0x%08" PRIx32, pulse_code_of(e));
	EVENT(r, AE_EVENT_AUTOENROLLMENT, 1, "trust", "Public Key Services",
	    code, e->text);
}

int
pulse_plan(struct run *r, json_t *report, struct ae_err *e)
{
	struct ae_wr q, pems, none, files, failed;
	struct ae_err why = AE_ERR_INIT;
	struct ae_rd answer;
	int rc;

	ae_wr_init(&none, 1);
	ae_wr_init(&q, ROLE_BODY_MAX);
	ae_wr_init(&pems, ROLE_BODY_MAX);
	ae_wr_init(&files, ROLE_BODY_MAX / 2);
	ae_wr_init(&failed, 4096);
	rc = peer_begin(r->key, ROLE_INVENTORY, &none, e);
	if (rc == AE_OK)
		rc = fetch_policy(r, &files, &why, e);
	if (rc == AE_OK)
		rc = peer_end(r->key, PULSE_KEY_MS, &answer, e);
	if (rc != AE_OK)
		goto out;
	msg_put_str(&q, r->o->only);
	msg_put_str(&q, r->o->show);
	msg_put_str(&q, r->o->ca);
	msg_put_str(&q, r->o->requester);
	if (why.rc != AE_OK)
		msg_put_err(&failed, &why);
	msg_put_bytes(&q, failed.p, failed.len);
	msg_put_bytes(&q, files.p, files.len);
	msg_put_bytes(&q, answer.p, answer.len);
	rc = peer_ask(r->policy, ROLE_PLAN, &q, PULSE_PLAN_MS, &answer, e);
	if (rc != AE_OK)
		goto out;
	rc = keep_policy(r, &answer, e);
	if (rc == AE_OK)
		rc = read_plan(r, &answer, &pems, report, e);
	if (rc == AE_OK && !r->o->dry_run && pems.len > 0) {
		rc = peer_ask(
		    r->key, ROLE_TRUST, &pems, PULSE_KEY_MS, &answer, e);
		if (rc != AE_OK)
			tell_trust(r, e);
	}
out:
	ae_wr_done(&q);
	ae_wr_done(&pems);
	ae_wr_done(&files);
	ae_wr_done(&failed);
	return rc;
}
