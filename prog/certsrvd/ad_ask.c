/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What decide asks about one requester, or a policy file about an object:
 * answered by whichever DC of the forest knows.
 */
#include "adproc.h"

#include <stdlib.h>
#include <string.h>

#include "ad/ad.h"
#include "ad/principal.h"
#include "object.h"

/* ---- one requester ---- */

static void
put_principal(struct ae_wr *w, const struct ae_principal *o)
{
	size_t i;

	ae_wr_u8(w, o->is_computer);
	ae_sid_put(w, &o->sid);
	ae_guid_put(w, &o->guid);
	put_str(w, o->dn);
	put_str(w, o->cn);
	put_str(w, o->dns_host_name);
	put_str(w, o->mail);
	put_str(w, o->upn);
	put_str(w, o->domain_dns);
	put_str(w, o->domain_netbios);
	ae_wr_u32(w, (uint32_t)o->hosts.n);
	for (i = 0; i < o->hosts.n; i++)
		put_str(w, o->hosts.v[i]);
}

/* Errors that another connection may cure. */
bool
dir_worth_another(int rc)
{
	return rc == AE_EUNAVAIL || rc == AE_ETIMEDOUT || rc == AE_EAUTH ||
	    rc == AE_EIO;
}

static int
by_sid(struct directory *d, const struct ae_sid *sid, struct ae_ad **at,
    struct ae_principal **out, struct ae_err *e)
{
	int rc = ad_forest_by_sid(at, d->forest, d->ad, d->cred, sid, e);

	return rc < 0 ? rc : ae_ad_principal(out, *at, sid, e);
}

/*
 * "DOMAIN\\account" of any domain of the forest, a SID, or the name or UPN of
 * an account of the CA's own domain.
 */
static int
by_name(struct directory *d, const char *name, struct ae_ad **at,
    struct ae_principal **out, struct ae_err *e)
{
	const char *cut = strchr(name, '\\');
	struct ae_sid sid;
	int rc;

	if (ae_sid_parse(&sid, name))
		return by_sid(d, &sid, at, out, e);
	if (cut == NULL) {
		*at = d->ad;
		return strchr(name, '@') != NULL
		    ? ae_ad_principal_upn(out, d->ad, name, e)
		    : ae_ad_principal_account(out, d->ad, name, e);
	}
	rc = ad_forest_by_name(
	    at, d->forest, d->ad, d->cred, name, (size_t)(cut - name), e);
	return rc < 0 ? rc : ae_ad_principal_account(out, *at, cut + 1, e);
}

/* It was another domain that could not be reached: not tried again at once. */
bool
dir_is_away(const struct directory *d, const struct ae_ad *at)
{
	return d->ad != NULL && at == NULL;
}

/* Let go of a connection that failed: our own domain's, or another's. */
void
dir_let_go(struct directory *d, const struct ae_ad *at)
{
	if (at == d->ad)
		dir_disconnect(d);
	else if (at != NULL)
		ad_forest_drop(d->forest, at);
}

/* The groups of an account. */
struct groups {
	struct ae_sid *v;
	size_t n;
};

/* By name, or (name NULL) by SID; with its groups, or (NULL) without. */
static int
look_up(struct directory *d, const struct ae_sid *sid, const char *name,
    struct ae_principal **out, struct groups *g, struct ae_err *e)
{
	struct ae_ad *at;
	int rc, tries;

	for (tries = 0; tries < 2; tries++) {
		at = NULL;
		rc = dir_connect(d, e);
		if (rc == AE_OK)
			rc = name != NULL ? by_name(d, name, &at, out, e)
					  : by_sid(d, sid, &at, out, e);
		if (rc == AE_OK && g != NULL) {
			rc =
			    ae_ad_token_groups(&g->v, &g->n, at, (*out)->dn, e);
			if (rc < 0) { /* gone meanwhile, or the DC is */
				ae_principal_free(*out);
				*out = NULL;
			}
		}
		if (!dir_worth_another(rc) || dir_is_away(d, at))
			return rc;
		dir_let_go(d, at);
	}
	return rc;
}

static void
put_groups(struct ae_wr *w, const struct groups *g)
{
	size_t i;

	ae_wr_u32(w, (uint32_t)g->n);
	for (i = 0; i < g->n; i++)
		ae_sid_put(w, &g->v[i]);
}

static void
answer_object(struct peer *peer, enum msg type, uint32_t id, int rc,
    const struct ae_principal *o, const struct groups *g,
    const struct ae_err *why)
{
	struct ae_wr w;

	ae_wr_init(&w, MSG_SUBJECT_MAX);
	ae_wr_u8(&w, rc == AE_OK || rc == AE_ENOTFOUND);
	ae_wr_u8(&w, rc == AE_OK);
	if (rc == AE_OK)
		put_principal(&w, o);
	if (rc == AE_OK && g != NULL) {
		put_str(&w, o->sam_account_name);
		ae_wr_u8(&w, (o->account_control & AE_UAC_DISABLED) != 0);
		put_groups(&w, g);
	}
	if (rc < 0)
		log_line(peer->p, AE_LOG_WARNING,
		    "directory: looking somebody up: %s", why->text);
	(void)peer_send(peer, type, id, &w);
	ae_wr_done(&w);
}

int
on_ask_requester(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ae_principal *o = NULL;
	struct ae_err why = AE_ERR_INIT;
	struct ae_sid sid;
	struct ae_rd r;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	sid = ae_sid_get(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "ASK_REQUESTER", e);
	rc = look_up(peer->p->state, &sid, NULL, &o, NULL, &why);
	answer_object(peer, MSG_REQUESTER, m->id, rc, o, NULL, &why);
	ae_principal_free(o);
	return AE_OK;
}

int
on_ask_subject(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	struct ae_principal *o = NULL;
	struct groups g = { NULL, 0 };
	struct ae_err why = AE_ERR_INIT;
	struct ae_rd r;
	char *name;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	name = get_str(&r, a);
	if (!ae_rd_done(&r) || name == NULL) {
		ae_arena_free(a);
		return bad_message(&r, "ASK_SUBJECT", e);
	}
	rc = look_up(peer->p->state, NULL, name, &o, &g, &why);
	answer_object(peer, MSG_SUBJECT, m->id, rc, o, &g, &why);
	ae_principal_free(o);
	free(g.v);
	ae_arena_free(a);
	return AE_OK;
}

/*
 * In this CA's domain, in the one the requester is of, and in the one the
 * name is of: somebody who rules a domain may name its hosts as he likes.
 */
static int
owners_once(struct directory *d, const char *dns, const struct ae_sid *sid,
    unsigned *n, struct ae_ad **at, struct ae_err *e)
{
	struct ae_ad *asked[3] = { d->ad };
	unsigned here;
	size_t i;
	int rc;

	rc = ad_forest_by_sid(&asked[1], d->forest, d->ad, d->cred, sid, e);
	*at = asked[1];
	if (rc == AE_OK) {
		rc = ad_forest_by_host(
		    &asked[2], d->forest, d->ad, d->cred, dns, e);
		*at = asked[2];
	}
	for (i = 0, *n = 0; rc == AE_OK && i < 3; i++) {
		if (i > 0 && (asked[i] == asked[0] || asked[i] == asked[i - 1]))
			continue;
		*at = asked[i];
		rc = ae_ad_dns_owners(&here, asked[i], dns, sid, e);
		if (rc == AE_OK)
			*n += here;
	}
	return rc;
}

static int
owners(struct directory *d, const char *dns, const struct ae_sid *sid,
    unsigned *n, struct ae_err *e)
{
	struct ae_ad *at;
	int rc, tries;

	for (tries = 0; tries < 2; tries++) {
		at = NULL;
		rc = dir_connect(d, e);
		if (rc == AE_OK)
			rc = owners_once(d, dns, sid, n, &at, e);
		if (!dir_worth_another(rc) || dir_is_away(d, at))
			return rc;
		dir_let_go(d, at);
	}
	return rc;
}

int
on_ask_dns(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	struct ae_err why = AE_ERR_INIT;
	struct ae_sid sid;
	unsigned n = 0;
	char *dns;
	struct ae_rd r;
	struct ae_wr w;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	dns = get_str(&r, a);
	sid = ae_sid_get(&r);
	if (!ae_rd_done(&r) || dns == NULL) {
		ae_arena_free(a);
		return bad_message(&r, "ASK_DNS", e);
	}
	rc = owners(peer->p->state, dns, &sid, &n, &why);
	if (rc < 0)
		log_line(peer->p, AE_LOG_WARNING,
		    "directory: who bears a DNS name: %s", why.text);
	ae_wr_init(&w, 16);
	ae_wr_u8(&w, rc == AE_OK);
	ae_wr_u32(&w, n);
	(void)peer_send(peer, MSG_DNS_OWNERS, m->id, &w);
	ae_wr_done(&w);
	ae_arena_free(a);
	return AE_OK;
}

/* ---- for a policy file ---- */

static int
object(struct directory *d, const struct ae_rules_question *q,
    const struct ae_sid *own, struct ae_rules_object *out, struct ae_arena *a,
    struct ae_err *e)
{
	int rc, tries;

	for (tries = 0; tries < 2; tries++) {
		struct ad_reach reach = { .forest = d->forest };

		rc = dir_connect(d, e);
		reach.home = d->ad;
		reach.cred = d->cred;
		if (rc == AE_OK)
			rc = ad_object(&reach, q, own, out, a, e);
		if (!dir_worth_another(rc) || dir_is_away(d, reach.at))
			return rc;
		dir_let_go(d, reach.at);
	}
	return rc;
}

int
on_ask_object(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ae_arena *a = ae_arena_new(8 * OBJECT_ASK_MAX);
	struct ae_rules_question q;
	struct ae_rules_object o = { .found = 0 };
	struct ae_err why = AE_ERR_INIT;
	struct ae_sid own;
	struct ae_rd r;
	struct ae_wr w;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	get_question(&r, &q, &own, a);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "ASK_OBJECT", e);
	}
	rc = object(peer->p->state, &q, &own, &o, a, &why);
	if (rc < 0)
		log_line(peer->p, AE_LOG_WARNING,
		    "directory: an object for a policy file: %s", why.text);
	ae_wr_init(&w, OBJECT_ANSWER_MAX);
	put_object(&w, rc == AE_OK, &o);
	(void)peer_send(peer, MSG_OBJECT, m->id, &w);
	ae_wr_done(&w);
	ae_arena_free(a);
	return AE_OK;
}
