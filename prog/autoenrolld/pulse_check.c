/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A look at group policy: which objects apply now, and in which version.
 * The policy role alone is asked; no key, no store, no CA, no SYSVOL.
 */
#include <string.h>

#include "pulse_run.h"
#include "sys/files.h"

static int
look(struct run *r, json_t *report, struct ae_err *e)
{
	struct ae_rd answer;
	const char *version;
	struct ae_wr q;
	int rc = AE_OK;

	if (!r->c->user)
		rc = client_principal(
		    r->c, r->principal, sizeof(r->principal), e);
	if (rc == AE_OK)
		rc = ae_file_put_dirs(
		    r->c->run_dir, r->c->user ? 0700 : 0755, e);
	if (rc == AE_OK)
		rc = pulse_set_krb5(r, e);
	if (rc == AE_OK)
		rc = pulse_start_policy(r, e);
	if (rc == AE_OK)
		rc = pulse_get_ticket(r, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&q, ROLE_BODY_MAX);
	msg_put_str(&q, r->principal);
	pulse_put_file(&q, r->c->user ? r->c->machine_policy_last : NULL);
	rc = peer_ask(r->policy, ROLE_CHECK, &q, PULSE_PLAN_MS, &answer, e);
	ae_wr_done(&q);
	if (rc != AE_OK)
		return rc;
	version = msg_get_str(r->a, &answer, 64);
	if (version == NULL || !ae_rd_done(&answer))
		return pulse_nonsense(e, "policy");
	(void)json_object_set_new(
	    report, "policy_version", json_string(version));
	return AE_OK;
}

int
pulse_check(struct client *c, json_t **report, struct ae_err *e)
{
	static const struct pulse_options o = { .dry_run = true };
	struct run r = { .c = c, .o = &o };
	json_t *rep = json_object();
	int rc;

	r.a = ae_arena_new(1024u * 1024u);
	if (r.a == NULL || rep == NULL)
		rc = ae_fail_mem(e);
	else
		rc = look(&r, rep, e);
	if (rc != AE_OK && rep != NULL)
		(void)json_object_set_new(
		    rep, "error", client_text(e == NULL ? "" : e->text));
	peer_stop(r.policy);
	ae_arena_free(r.a);
	*report = rep;
	return rc;
}
