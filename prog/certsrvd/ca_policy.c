/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Policy files: the parent passes them on unread, here they are read.  A set
 * counts as a whole once all of it is there; requests in hand keep theirs.
 */
#include <stdlib.h>
#include <string.h>

#include "ca.h"
#include "sys/files.h"

#define PEM_MAX (1024u * 1024u)
#define CERTS_MAX 64

void
policies_unref(struct policies *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	ae_rules_set_free(s->set);
	free(s);
}

static void
tell(struct ca *ca, const struct ae_rules_set *set)
{
	size_t i, n = ae_rules_set_count(set), broken = 0;

	for (i = 0; i < n; i++) {
		const struct ae_rules_entry *entry = ae_rules_set_at(set, i);

		if (entry->rules != NULL)
			continue;
		broken++;
		event_policy_broken(ca, entry);
	}
	log_line(ca->p, AE_LOG_NOTICE, "policy files: %zu, %zu of them broken",
	    n, broken);
}

static int
take_file(struct ca *ca, struct ae_rd *r, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(2 * MSG_TEXT_MAX);
	const uint8_t *text;
	char *name, *error;
	size_t len;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	name = get_str(r, a);
	error = get_str(r, a);
	text = get_bytes(r, &len);
	if (!ae_rd_done(r) || name == NULL)
		rc = bad_message(r, "POLICY_FILE", e);
	else if (ca->policies_next == NULL &&
	    (ca->policies_next = ae_rules_set_new()) == NULL)
		rc = ae_fail_mem(e);
	else
		rc = ae_rules_set_add(
		    ca->policies_next, name, text, len, error, e);
	ae_arena_free(a);
	return rc;
}

/* All were told: they count from now on. */
static int
take_set(struct ca *ca, uint32_t n, struct ae_err *e)
{
	struct ae_rules_set *set = ca->policies_next;
	struct policies *s;

	if (set == NULL && (set = ae_rules_set_new()) == NULL)
		return ae_fail_mem(e);
	ca->policies_next = NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL || n != ae_rules_set_count(set)) {
		free(s);
		ae_rules_set_free(set);
		return s == NULL ? ae_fail_mem(e)
				 : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
				       "%u policy files were announced", n);
	}
	s->refs = 1;
	s->set = set;
	policies_unref(ca->policies);
	ca->policies = s;
	tell(ca, set);
	return AE_OK;
}

int
ca_policy(struct proc *p, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct ca *ca = p->state;
	struct ae_rd r;
	uint32_t n;

	if (m->type == MSG_EK_TRUST)
		return attest_trust(ca, m, e);
	ae_rd_init(&r, m->body, m->len);
	if (m->type == MSG_POLICY_FILE)
		return take_file(ca, &r, e);
	n = ae_rd_u32(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "POLICIES", e);
	return take_set(ca, n, e);
}

/* ---- whose attestations count ---- */

static int
read_certs(struct ae_cert ***v, size_t *n, const char *path, struct ae_err *e)
{
	uint8_t *text = NULL;
	size_t len = 0;
	int rc;

	if (path == NULL || path[0] == '\0')
		return AE_OK;
	rc = ae_file_read(&text, &len, path, PEM_MAX, e);
	if (rc == AE_OK)
		rc = ae_certs_read(v, n, CERTS_MAX, text, len, e);
	free(text);
	return rc < 0 ? ae_note(e, rc, "%s", path) : AE_OK;
}

int
policy_open(struct ca *ca, struct ae_err *e)
{
	const struct conf *c = &ca->p->conf;
	struct ae_rules_trust *t = &ca->config.yubikey;
	struct ae_cert **roots = NULL, **others = NULL;
	int rc;

	ca->config.policy_required = c->policy_required;
	ca->config.more_extensions = c->policy_extensions;
	rc = read_certs(&roots, &t->nroots, c->yubikey_roots, e);
	if (rc == AE_OK)
		rc = read_certs(
		    &others, &t->nothers, c->yubikey_intermediates, e);
	/* they live as long as this process */
	t->roots = (const struct ae_cert *const *)roots;
	t->others = (const struct ae_cert *const *)others;
	return rc;
}
