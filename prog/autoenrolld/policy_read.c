/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The policy role's settings: from group policy, or as they were when it
 * could last be read, and the local layers on top; see role_policy.h.
 */
#include <stdlib.h>
#include <string.h>

#include "ad/principal.h"
#include "base/str.h"
#include "policy_state.h"
#include "role_policy.h"
#include "sys/clock.h"

/* Go on with the last good policy, if there is one. */
static int
fall_back(struct work *w, int rc, const char *check, struct ae_err *e)
{
	if (rc == AE_ENOMEM || w->last.settings == NULL)
		return rc;
	w->stale = ae_arena_strdup(w->a, e->text);
	if (w->stale == NULL)
		return ae_fail_mem(e);
	w->stale_check = check;
	*e = (struct ae_err)AE_ERR_INIT;
	ae_gpos_free(w->gpos);
	w->gpos = NULL;
	w->nfiles = 0;
	return AE_OK;
}

/*
 * UserPolicyMode is what the computer's policy left on this host, as Windows
 * reads it from the registry (MS-GPOL 3.2.1.2): a user does not read the
 * computer's policy himself, he may not be allowed to.
 */
static int
find_loopback(struct work *w, struct ae_gpo_target *t, struct ae_err *e)
{
	const struct ae_settings *s = w->machine.settings;
	struct ae_principal *computer = NULL;
	const char *realm, *account;
	int rc;

	if (s == NULL) {
		w->note = "this computer's own policy was never read: whether "
			  "it wants loopback is not known";
		return AE_OK;
	}
	t->loopback = (enum ae_loopback)s->loopback;
	if (t->loopback == AE_LOOPBACK_OFF)
		return AE_OK;
	realm = strchrnul(w->machine.principal, '@');
	account = ae_arena_strndup(
	    w->a, w->machine.principal, (size_t)(realm - w->machine.principal));
	if (account == NULL)
		return ae_fail_mem(e);
	if (!ae_str_eq_nocase(realm, strchr(w->principal, '@')))
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "loopback: the computer %s is in another domain than the "
		    "user, which this client does not read",
		    w->machine.principal);
	rc = ae_ad_principal_account(&computer, w->ad, account, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "loopback");
	t->computer = ae_arena_strdup(w->a, computer->dn);
	ae_principal_free(computer);
	return t->computer == NULL ? ae_fail_mem(e) : AE_OK;
}

static int
choose(struct work *w, bool user, struct ae_sysvol_request *q, struct ae_err *e)
{
	struct ae_gpo_target t = { .dn = w->dir->me->dn,
		.site = w->dc.client_site[0] == '\0' ? NULL : w->dc.client_site,
		.user = user };
	int rc = AE_OK;

	if (user)
		rc = find_loopback(w, &t, e);
	if (rc == AE_OK)
		rc = ae_gpos_read(&w->gpos, w->ad, &t, w->dir->token, e);
	if (rc == AE_OK)
		(void)ae_gpos_version(w->version, w->gpos);
	if (rc == AE_OK)
		rc = ae_policy_request(
		    q, &w->of, w->gpos, &w->cache, w->dc.host, w->dc.domain, e);
	return rc;
}

int
policy_read_choose(struct role *r, struct ae_wr *out, struct ae_err *e)
{
	struct ae_sysvol_request q = { 0 };
	struct work *w = r->state;
	struct ae_wr frame;
	int rc;

	rc = choose(w, r->c->user, &q, e);
	if (rc != AE_OK) {
		rc = fall_back(
		    w, ae_note(e, rc, "reading group policy"), NULL, e);
		msg_put_bytes(out, NULL, 0);
		return rc;
	}
	w->nfiles = q.n;
	ae_wr_init(&frame, AE_SYSVOL_REQUEST_MAX);
	if (q.n > 0)
		ae_sysvol_request_put(&frame, &q);
	if (!ae_wr_ok(&frame))
		rc = ae_fail_mem(e);
	msg_put_bytes(out, frame.p, frame.len);
	ae_wr_done(&frame);
	ae_sysvol_request_done(&q);
	return rc;
}

/* The files that came go to the cache. */
static int
take_files(struct work *w, const uint8_t *reply, size_t len,
    const struct ae_err *why, struct ae_err *e)
{
	struct ae_sysvol_reply files = { 0 };
	int rc;

	if (w->nfiles == 0)
		return AE_OK;
	if (why->rc != AE_OK)
		return ae_fail(e, why->rc, why->dom, why->code,
		    "reading SYSVOL on %s: %s", w->dc.host, why->text);
	rc = ae_sysvol_reply_get(&files, reply, len, w->nfiles, e);
	if (rc == AE_OK)
		rc = ae_policy_take(&w->cache, w->gpos, w->of, &files, e);
	ae_sysvol_reply_done(&files);
	if (rc != AE_OK)
		return ae_note(e, rc, "reading SYSVOL on %s", w->dc.host);
	ae_policy_cache_keep(&w->cache, w->gpos);
	return AE_OK;
}

/*
 * The PolicyID of an LDAP: entry is the objectGUID of the forest's root
 * domain.  A DC of another domain may not have that object: then no entry
 * is refused for it.
 */
static void
judge_servers(struct work *w)
{
	static const char *const attrs[] = { "objectGUID", NULL };
	struct ae_entries l = { 0 };
	struct ae_guid forest;

	if (w->settings->nservers == 0 ||
	    ae_ad_read(w->ad, ae_ad_root(w->ad)->root_domain_nc, attrs, &l,
		NULL) != AE_OK)
		return;
	if (ae_entry_guid(&l.v[0], attrs[0], &forest, NULL) == AE_OK)
		ae_settings_judge_servers(w->settings, &forest);
	ae_entries_done(&l);
}

/* What a computer's policy did to its user's. */
static int
tell_loopback(struct work *w, struct ae_err *e)
{
	const struct ae_settings *m = w->machine.settings;

	w->settings->loopback = m->loopback;
	if (m->loopback_from.source != AE_SETTING_GPO)
		return AE_OK;
	w->settings->by_computer = strdup(m->gpos[m->loopback_from.gpo].name);
	return w->settings->by_computer == NULL ? ae_fail_mem(e) : AE_OK;
}

/* New settings, kept before the local layers change them. */
static int
build(struct work *w, struct ae_err *e)
{
	struct ae_policy_last now = { 0 };
	char host[256], principal[256];
	int rc;

	rc = ae_settings_build(&w->settings, w->gpos, &w->cache, e);
	if (rc != AE_OK)
		return rc;
	judge_servers(w);
	if (w->settings->user && w->machine.settings != NULL)
		rc = tell_loopback(w, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(host, sizeof(host), "%s", w->dc.host);
	(void)snprintf(principal, sizeof(principal), "%s", w->principal);
	now.read_at = ae_clock_now();
	now.dc = host;
	now.principal = principal;
	now.settings = w->settings;
	ae_wr_init(&w->fresh, AE_SETTINGS_ENCODED_MAX);
	ae_policy_last_put(&w->fresh, &now);
	return AE_OK;
}

int
policy_read_settings(struct role *r, const uint8_t *reply, size_t len,
    const struct ae_err *why, struct ae_err *e)
{
	struct work *w = r->state;
	int rc = AE_OK;

	if (w->stale == NULL) {
		rc = take_files(w, reply, len, why, e);
		if (rc != AE_OK)
			rc = fall_back(w, rc, "policy.sysvol-unreadable", e);
	}
	if (rc == AE_OK && w->stale == NULL)
		rc = build(w, e);
	if (rc != AE_OK)
		return rc;
	if (w->stale != NULL) {
		w->settings = w->last.settings;
		w->last.settings = NULL;
	}
	return policy_state_override(w->settings, r->c, e);
}

void
policy_read_put_kept(struct ae_wr *out, const struct work *w)
{
	const void *asked;
	struct ae_wr c;
	size_t len;

	ae_wr_init(&c, ROLE_BODY_MAX);
	ae_policy_cache_put(&c, &w->cache);
	msg_put_bytes(out, c.p, ae_wr_ok(&c) && w->nfiles > 0 ? c.len : 0);
	ae_wr_done(&c);
	msg_put_bytes(out, w->fresh.p, ae_wr_ok(&w->fresh) ? w->fresh.len : 0);
	asked = ae_ad_asked(w->ad, &len);
	msg_put_bytes(out, asked, len);
}
