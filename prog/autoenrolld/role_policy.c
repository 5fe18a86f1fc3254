/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The policy role: group policy, the directory, and from both – with the
 * inventory that the key role listed – the plan.  Talks LDAP as the machine
 * or the user whom it is about; has no keys and cannot write the store.  It
 * is asked twice: what files of group policy it lacks, and then, with these,
 * for the plan.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "enroll/ca_order.h"
#include "enroll/event.h"
#include "gather/nearness.h"
#include "gather/stored.h"
#include "gss/caller.h"
#include "keys.h"
#include "plan_json.h"
#include "role_policy.h"
#include "roles.h"
#include "settings_json.h"
#include "store/store.h"
#include "sys/clock.h"

static int
read_stored(struct work *q, struct ae_arena *a, struct ae_rd *in)
{
	struct ae_rd r;
	const uint8_t *p;
	size_t len;

	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	if (p == NULL)
		return AE_EPROTO;
	ae_rd_init(&r, p, len);
	return pulse_wire_get_stored(&q->stored, a, &r, NULL) == AE_OK &&
		ae_rd_done(&r)
	    ? AE_OK
	    : AE_EPROTO;
}

static void
tell(struct role *r, enum ae_event_source source, unsigned id)
{
	const struct work *w = r->state;
	const char *params[] = { w->context };

	role_event(r, source, id, params, source == AE_EVENT_CSC ? 0 : 1);
}

/* The domain is the realm of our ticket. */
static int
connect_dc(struct work *w, struct ae_err *e)
{
	const char *realm = strchr(w->principal, '@') + 1;
	struct ae_ad_conf conf = { .ahead = w->ahead,
		.ahead_len = w->ahead_len };
	int rc;

	rc = ae_gss_cred_ccache(&w->cred, NULL, e);
	if (rc != AE_OK)
		return rc;
	conf.cred = w->cred;
	return ae_ad_locate_open(
	    &w->ad, &w->dc, realm, &conf, ae_random_u64(), e);
}

/* Events 74 and 67, or 75 and 68: nobody answered, or not to us. */
static void
tell_unreached(struct role *r, const struct ae_err *e)
{
	struct work *w = r->state;
	bool refused = e->rc == AE_EAUTH || e->rc == AE_EDENIED;
	const char *context = r->c->context, *dc = w->dc.host;
	const char *load[] = { context, "ldap:", dc, e->text };
	const char *auth[] = { context, "ldap:", dc, w->principal, "Kerberos",
		e->text };
	const char *all[] = { context, "ldap:", e->text };

	if (refused) {
		role_event(r, AE_EVENT_CERTENROLL, 75, auth, 6);
		role_event(r, AE_EVENT_CERTENROLL, 68, all, 3);
	} else {
		role_event(r, AE_EVENT_CERTENROLL, 74, load, 4);
		role_event(r, AE_EVENT_CERTENROLL, 67, all, 3);
	}
}

/* Event 15: the directory answers, and does not give its templates. */
static void
tell_unread(struct role *r, const struct ae_err *e)
{
	const struct work *w = r->state;
	const char *params[] = { w->context, e->text };

	role_event(r, AE_EVENT_CERTENROLL, 15, params, 2);
}

/* Events 65 and 64: who answered the question for policy. */
static void
tell_loaded(struct role *r, const struct work *w)
{
	const char *loaded[] = { w->context, "ldap:" };
	const char *authenticated[] = { w->context, "ldap:", w->dc.host,
		ae_gss_cred_principal(w->cred), "Kerberos" };

	role_event(r, AE_EVENT_CERTENROLL, 65, authenticated, 5);
	role_event(r, AE_EVENT_CERTENROLL, 64, loaded, 2);
}

/* The one CA asked for by hand, or all of them. */
static void
restrict_ca(struct ae_plan_input *in, const struct work *q, struct ae_arena *a)
{
	struct ae_plan_ca *kept;
	size_t i, n = 0;

	if (q->ca == NULL)
		return;
	kept = ae_arena_array(a, in->ncas + 1, sizeof(*kept));
	for (i = 0; kept != NULL && i < in->ncas; i++) {
		const struct ae_enrollment_service *s = in->cas[i].service;
		char *config = ae_arena_printf(a, "%s\\%s",
		    s->dns_host_name == NULL ? "" : s->dns_host_name, s->cn);

		if (config != NULL && ae_str_eq_nocase(config, q->ca))
			kept[n++] = in->cas[i];
	}
	in->cas = kept;
	in->ncas = n;
}

/* OfflineExpirationStoreNames; nobody said: our own store. */
static bool
watches_my(const struct ae_settings *s)
{
	return s->expiry_stores.n == 0 ||
	    ae_strv_has_nocase(&s->expiry_stores, "MY");
}

static const struct ae_template *
find_template(const struct ae_directory *d, const char *cn)
{
	size_t i;

	for (i = 0; i < d->pki->ntemplates; i++)
		if (ae_str_eq_nocase(d->templates[i]->cn, cn))
			return d->templates[i];
	return NULL;
}

/* Is there a request for which one of several CAs is to be chosen? */
static bool
has_choice(const struct ae_plan *p)
{
	size_t i;

	for (i = 0; i < p->nitems; i++)
		if ((p->items[i].action == AE_PLAN_ENROLL ||
			p->items[i].action == AE_PLAN_RENEW) &&
		    p->items[i].ncas > 1)
			return true;
	return false;
}

/*
 * Near CAs first.  Sites that cannot be read are no failure: any CA will do.
 */
static int
order_cas(struct work *w, struct ae_err *e)
{
	const char *site =
	    w->dc.client_site[0] == '\0' ? NULL : w->dc.client_site;
	struct ae_err why = AE_ERR_INIT;
	size_t i, n = w->dir->pki->nservices;

	if (has_choice(w->plan)) {
		w->costs = ae_arena_array(w->a, n + 1, sizeof(*w->costs));
		if (w->costs == NULL)
			return ae_fail_mem(e);
		if (ae_gather_nearness(w->costs, w->dir->pki->services, n,
			w->ad, site, w->a, &why) == AE_OK)
			w->ncosts = n;
	}
	for (i = 0; i < w->plan->nitems; i++)
		ae_ca_order(w->plan->items[i].cas, w->plan->items[i].ncas,
		    w->costs, w->ncosts, &w->dir->me->sid);
	return AE_OK;
}

/* An agent enrolls others for templates that are not for itself. */
static void
on_behalf(struct ae_plan_input *in, const struct work *w)
{
	const struct ae_template *t = find_template(w->dir, w->only);

	in->signed_by_hand = true;
	if (t != NULL)
		in->context = (t->flags & AE_CT_MACHINE_TYPE) != 0
		    ? AE_CONTEXT_MACHINE
		    : AE_CONTEXT_USER;
}

/*
 * What the CA will see of us, when it is to be asked.  Not having looked is
 * no failure: the CA is going to say it.
 */
static struct ae_token *
read_ticket(const struct work *w)
{
	struct ae_caller *me = NULL;
	struct ae_token *t = NULL;

	if (ae_caller_own(&me, w->cred, NULL) == AE_OK &&
	    ae_token_new(&t, &me->user, me->sids, me->nsids, AE_TOKEN_NETWORK,
		NULL) != AE_OK)
		t = NULL;
	ae_caller_free(me);
	return t;
}

static bool
asks(const struct ae_plan *p)
{
	size_t i;

	for (i = 0; i < p->nitems; i++)
		if (p->items[i].action == AE_PLAN_ENROLL ||
		    p->items[i].action == AE_PLAN_RENEW)
			return true;
	return false;
}

static int
load(struct work *w, int64_t now, struct ae_err *e)
{
	return ae_directory_load(w->dir, w->ad, w->stored.ncerts > 0,
	    w->only == NULL && ae_settings_may(w->settings, AE_POLICY_MANAGE),
	    now, e);
}

/*
 * The DC was lost while it was read: all of it once more from another, if
 * there is one.  Nothing of what came before is used.
 */
static int
load_anywhere(struct work *w, int64_t now, struct ae_err *e)
{
	const char *realm = strchr(w->principal, '@') + 1;
	struct ae_ad_conf conf = { .cred = w->cred };
	struct ae_directory *dir = NULL;
	struct ae_ad *ad = NULL;
	struct ae_ad_ping next;
	int rc = load(w, now, e);

	if (rc != AE_EUNAVAIL && rc != AE_ETIMEDOUT)
		return rc;
	conf.host = next.host;
	if (ae_ad_locate(&next, realm, NULL, w->dc.host, ae_random_u64(),
		NULL) != AE_OK ||
	    ae_str_eq_nocase(next.host, w->dc.host) ||
	    ae_ad_open(&ad, &conf, NULL) != AE_OK)
		return rc;
	if (ae_directory_open(&dir, ad, w->principal, NULL) != AE_OK) {
		ae_ad_free(ad);
		return rc;
	}
	w->lost = w->dir; /* somebody may hold a part of it */
	w->dir = dir;
	ae_ad_free(w->ad);
	w->ad = ad;
	w->dc = next;
	return load(w, now, e);
}

static int
plan(struct work *w, bool user, struct ae_err *e)
{
	struct ae_plan_input in = {
		.context = user ? AE_CONTEXT_USER : AE_CONTEXT_MACHINE,
	};
	struct ae_token *ticket;
	int rc;

	in.now = ae_clock_now();
	rc = load_anywhere(w, in.now, e);
	if (rc == AE_OK)
		rc = ae_gather_inventory(&w->have, w->a, w->stored.certs,
		    w->stored.ncerts, w->dir, in.now, e);
	if (rc != AE_OK)
		return rc;
	in.policy = w->settings->ae_policy;
	in.policy_set =
	    w->settings->ae_policy_from.source != AE_SETTING_DEFAULT;
	in.templates = w->dir->templates;
	in.ntemplates = w->dir->pki->ntemplates;
	in.cas = w->dir->cas;
	in.ncas = w->dir->pki->nservices;
	in.token = w->dir->token;
	in.sid = &w->dir->me->sid;
	in.dns_host_name = w->dir->me->dns_host_name;
	in.upn = w->dir->me->upn;
	in.dc_now = w->dir->dc_now;
	in.expiry_percent = w->settings->expiry_percent;
	in.pending_max = (int64_t)w->settings->pending_days * 86400;
	in.unwatched = !watches_my(w->settings);
	in.have = w->have;
	in.providers = &w->providers;
	in.have.requests = w->stored.requests;
	in.have.nrequests = w->stored.nrequests;
	in.only = w->only != NULL ? w->only : w->show;
	in.manual = w->only != NULL;
	if (w->only != NULL && w->requester != NULL)
		on_behalf(&in, w);
	restrict_ca(&in, w, w->a);
	in.off_check = ae_settings_servers_check(w->settings, &in.off_text);
	rc = ae_plan_make(&w->plan, &in, w->a, e);
	if (rc == AE_OK && asks(w->plan)) {
		in.ticket = ticket = read_ticket(w);
		if (ticket != NULL)
			rc = ae_plan_make(&w->plan, &in, w->a, e);
		ae_token_free(ticket);
	}
	if (rc == AE_OK)
		rc = order_cas(w, e);
	if (rc == AE_OK && in.only != NULL && w->plan->nitems == 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_HRESULT, 0x80094800,
		    "there is no template '%s'; its common name is wanted, "
		    "not its display name",
		    in.only);
	if (rc == AE_OK && w->only != NULL &&
	    w->plan->items[0].action == AE_PLAN_SKIP)
		rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0, "%s: %s", in.only,
		    ae_plan_decisive(&w->plan->items[0])->text);
	return rc;
}

/* Event 6: asked for by hand, and not there. */
static void
tell_unknown(struct role *r, const char *name)
{
	const struct work *w = r->state;
	const char *params[] = { w->context, name };

	role_event(r, AE_EVENT_CERTENROLL, 6, params, 2);
}

/* Event 5: not one of all templates is for us. */
static void
tell_nothing_usable(struct role *r, const struct ae_plan *p)
{
	const struct work *w = r->state;
	const char *params[] = { w->context };
	size_t i;

	for (i = 0; i < p->nitems; i++)
		if (p->items[i].action != AE_PLAN_SKIP || p->items[i].candidate)
			return;
	if (p->enabled && (p->may & AE_POLICY_ENROLL) != 0)
		role_event(r, AE_EVENT_CERTENROLL, 5, params, 1);
}

/* What a candidate failed at is news: its event. */
static void
tell_items(struct role *r, const struct ae_plan *p)
{
	const struct work *w = r->state;
	size_t i;

	for (i = 0; p->enabled && i < p->nitems; i++) {
		const struct ae_plan_item *it = &p->items[i];
		const struct ae_reason *why = ae_plan_decisive(it);
		const char *params[] = { w->context, it->tmpl->cn,
			why == NULL ? "" : why->text };
		const struct ae_event_def *d;

		if (!it->candidate || why == NULL || why->event == 0)
			continue;
		d = ae_event_find(AE_EVENT_CERTENROLL, why->event);
		if (d != NULL)
			role_event(r, AE_EVENT_CERTENROLL, why->event, params,
			    ae_event_nparams(d) < 3 ? ae_event_nparams(d) : 3);
	}
}

static void
put_ders(struct ae_wr *w, const struct ae_der *v, size_t n)
{
	size_t i;

	ae_wr_u32(w, (uint32_t)n);
	for (i = 0; i < n; i++)
		msg_put_bytes(w, v[i].p, v[i].len);
}

static void
put_pem(struct ae_wr *w, const struct ae_octetsv *v)
{
	struct ae_wr pem;

	ae_wr_init(&pem, AE_STORE_FILE_MAX);
	ae_directory_put_pem(&pem, v);
	/* What is too much changes nothing: a container that somebody filled
	 * must not empty our store of it. */
	ae_wr_u8(w, ae_wr_ok(&pem));
	msg_put_bytes(w, pem.p, ae_wr_ok(&pem) ? pem.len : 0);
	ae_wr_done(&pem);
}

/* The templates of requests under way, as they are now. */
static void
put_open(struct ae_wr *w, const struct work *an)
{
	const struct ae_template *t;
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < an->stored.nrequests; i++)
		n += find_template(
			 an->dir, an->stored.requests[i].template_cn) != NULL;
	ae_wr_u32(w, n);
	for (i = 0; i < an->stored.nrequests; i++) {
		t = find_template(an->dir, an->stored.requests[i].template_cn);
		if (t != NULL)
			ae_template_put(w, t);
	}
}

/* Why the CAs are in this order. */
static void
put_nearness(json_t *j, const struct work *an)
{
	json_t *list = json_array(), *one;
	size_t i;

	for (i = 0; i < an->ncosts; i++) {
		const struct ae_ca_cost *c = &an->costs[i];

		one = json_pack("{s:o, s:s?}", "ca",
		    json_sprintf("%s\\%s",
			c->service->dns_host_name == NULL
			    ? ""
			    : c->service->dns_host_name,
			c->service->cn),
		    "site", c->site);
		if (one != NULL && c->cost < AE_CA_COST_UNKNOWN)
			(void)json_object_set_new(
			    one, "cost", json_integer((json_int_t)c->cost));
		(void)json_array_append_new(list, one);
	}
	(void)json_object_set_new(j, "nearness", list);
	(void)json_object_set_new(j, "site",
	    an->dc.client_site[0] == '\0' ? json_null()
					  : json_string(an->dc.client_site));
}

static json_t *
time_or_null(int64_t t)
{
	char when[AE_TIME_STR_MAX];

	return t == 0 || t == INT64_MAX ? json_null()
					: json_string(ae_time_print(when, t));
}

/* What the directory's revocation lists say of our certificates. */
static json_t *
revocation_json(const struct work *an)
{
	json_t *all = json_object(), *one;
	char when[AE_TIME_STR_MAX];
	size_t i;

	for (i = 0; i < an->have.ncerts; i++) {
		const struct ae_inv_cert *c = &an->have.certs[i];

		one = json_pack("{s:s, s:s?, s:o, s:o, s:o}", "state",
		    ae_inv_revocation_name(c->revocation), "why",
		    c->revoked_why, "since",
		    time_or_null(
			c->revocation >= AE_INV_HOLD ? c->revoked_at : 0),
		    "list_of", time_or_null(c->crl_this_update), "list_until",
		    time_or_null(c->crl_next_update));
		(void)json_object_set_new(all, c->thumbprint, one);
	}
	return json_pack("{s:s, s:o}", "read_at",
	    ae_time_print(when, ae_clock_now()), "certificates", all);
}

static int
put_answer(struct ae_wr *w, const struct work *an, struct ae_err *e)
{
	const struct ae_directory *d = an->dir;
	struct ae_wr part;
	const struct settings_shown shown = {
		.read_at =
		    an->stale != NULL ? an->last.read_at : ae_clock_now(),
		.dc = an->stale != NULL ? an->last.dc : an->dc.host,
		.why = an->stale,
		.check = an->stale_check,
		.note = an->note,
	};
	json_t *j;
	char *text;

	ae_sid_put(w, &d->me->sid);
	msg_put_str(w, d->me->dns_host_name);
	msg_put_str(w, d->me->upn);
	ae_wr_init(&part, ROLE_BODY_MAX);
	put_pem(&part, &d->pki->roots);
	put_pem(&part, &d->pki->aia);
	put_pem(&part, &d->pki->ntauth);
	msg_put_bytes(w, part.p, part.len);
	ae_wr_reset(&part);
	put_ders(&part, d->roots, d->nroots);
	put_ders(&part, d->others, d->nothers);
	msg_put_bytes(w, part.p, part.len);
	ae_wr_done(&part);
	pulse_wire_put_plan(w, an->plan);
	put_open(w, an);
	ae_wr_init(&part, ROLE_BODY_MAX);
	plan_put_json(&part, an->plan);
	if (!ae_wr_ok(&part))
		w->bad = true; /* told by whoever sends it */
	msg_put_bytes(w, part.p, part.len);
	ae_wr_done(&part);
	/* ldap_requests: for whoever measures. */
	j = json_pack("{s:o?, s:s, s:s, s:I}", "policy",
	    settings_to_json(an->settings, &shown), "dc", an->dc.host,
	    "policy_version", an->version, "ldap_requests",
	    (json_int_t)ae_ad_sent(an->ad));
	if (j != NULL && d->lists != NULL)
		(void)json_object_set_new(j, "revocation", revocation_json(an));
	if (j != NULL && an->ncosts > 0)
		put_nearness(j, an);
	text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
	json_decref(j);
	if (text == NULL)
		return ae_fail_mem(e);
	msg_put_bytes(w, text, strlen(text));
	free(text);
	return AE_OK;
}

static void
work_done(struct work *w)
{
	struct ae_providers here = w->providers;

	ae_gpos_free(w->gpos);
	ae_policy_cache_done(&w->cache);
	free(w->of);
	ae_directory_free(w->dir);
	ae_directory_free(w->lost);
	ae_settings_free(w->settings);
	ae_policy_last_done(&w->last);
	ae_policy_last_done(&w->machine);
	ae_wr_done(&w->fresh);
	ae_ad_free(w->ad);
	ae_gss_cred_free(w->cred);
	ae_arena_free(w->a);
	memset(w, 0, sizeof(*w));
	w->providers = here;
}

/* A cache that does not decode is an empty one: everything is fetched. */
static void
read_cache(struct work *w, const uint8_t *p, size_t len)
{
	struct ae_rd r;

	ae_rd_init(&r, p, len);
	if (len > 0 && ae_policy_cache_get(&w->cache, &r, NULL) != AE_OK)
		memset(&w->cache, 0, sizeof(w->cache));
}

/* Last good settings that do not decode are none. */
static void
read_last(struct ae_policy_last *l, struct ae_rd *in)
{
	const uint8_t *p;
	struct ae_rd r;
	size_t len;

	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	ae_rd_init(&r, p, len);
	if (len > 0 && ae_policy_last_get(l, &r, NULL) != AE_OK)
		memset(l, 0, sizeof(*l));
}

/* Domain and account as Windows writes them. */
static int
put_who(struct work *w, bool user, struct ae_wr *out, struct ae_err *e)
{
	const struct ae_principal *me = w->dir->me;
	const char *domain =
	    me->domain_netbios != NULL ? me->domain_netbios : me->domain_dns;

	w->context = user
	    ? ae_arena_printf(w->a, "%s\\%s", domain, me->sam_account_name)
	    : "Local system";
	if (w->context == NULL)
		return ae_fail_mem(e);
	msg_put_str(out, domain);
	msg_put_str(out, me->sam_account_name);
	return AE_OK;
}

/* First question: who we are, which GPOs apply, which files are lacking. */
static int
on_settings(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct work *w = r->state;
	const uint8_t *p;
	size_t len;
	int rc;

	work_done(w);
	w->a = ae_arena_new(64u * 1024u * 1024u);
	if (w->a == NULL)
		return ae_fail_mem(e);
	w->principal = msg_get_str(w->a, in, 255);
	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	read_cache(w, p, len);
	read_last(&w->last, in);
	read_last(&w->machine, in);
	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	w->ahead = p == NULL ? NULL : ae_arena_dup(w->a, p, len);
	w->ahead_len = w->ahead == NULL ? 0 : len;
	if (!ae_rd_done(in) || w->principal == NULL ||
	    strchr(w->principal, '@') == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "malformed question: settings");
	/* Somebody else's is worth nothing. */
	if (w->last.settings != NULL &&
	    (!ae_str_eq_nocase(w->last.principal, w->principal) ||
		w->last.settings->user != r->c->user))
		ae_policy_last_done(&w->last);
	rc = connect_dc(w, e);
	if (rc != AE_OK)
		tell_unreached(r, e);
	if (rc == AE_OK)
		rc = ae_directory_open(&w->dir, w->ad, w->principal, e);
	if (rc == AE_OK)
		rc = put_who(w, r->c->user, out, e);
	if (rc == AE_OK)
		rc = policy_read_choose(r, out, e);
	return rc;
}

/* The only question of a look at policy: what applies now. */
static int
on_check(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct work *w = r->state;
	struct ae_wr files;
	int rc;

	work_done(w);
	w->a = ae_arena_new(1024u * 1024u);
	if (w->a == NULL)
		return ae_fail_mem(e);
	w->principal = msg_get_str(w->a, in, 255);
	read_last(&w->machine, in);
	if (!ae_rd_done(in) || w->principal == NULL ||
	    strchr(w->principal, '@') == NULL)
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "malformed question: check");
	ae_wr_init(&files, ROLE_BODY_MAX); /* nobody reads them */
	rc = connect_dc(w, e);
	if (rc == AE_OK)
		rc = ae_directory_open(&w->dir, w->ad, w->principal, e);
	if (rc == AE_OK)
		rc = policy_read_choose(r, &files, e);
	ae_wr_done(&files);
	if (rc == AE_OK)
		msg_put_str(out, w->version);
	return rc;
}

/* Second question: the plan. */
static int
on_plan(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct work *w = r->state;
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *reply, *p;
	struct ae_rd helper;
	size_t len, n;
	int rc;

	if (w->dir == NULL || w->plan != NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the plan is asked for out of turn");
	w->only = msg_get_str(w->a, in, 512);
	w->show = msg_get_str(w->a, in, 512);
	w->ca = msg_get_str(w->a, in, 1024);
	w->requester = msg_get_str(w->a, in, 512);
	p = msg_get_bytes(in, ROLE_BODY_MAX, &n);
	ae_rd_init(&helper, p, n);
	if (n > 0)
		msg_get_err(&helper, &why);
	reply = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	if (read_stored(w, w->a, in) != AE_OK || !ae_rd_done(in))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "malformed question: plan");
	rc = policy_read_settings(r, reply, len, &why, e);
	if (rc != AE_OK)
		return rc;
	if (w->only != NULL || ae_settings_may(w->settings, AE_POLICY_ENROLL) ||
	    ae_settings_may(w->settings, AE_POLICY_MANAGE) ||
	    ae_settings_may(w->settings, AE_POLICY_PENDING)) {
		tell(r, AE_EVENT_AUTOENROLLMENT, 4);
		tell(r, AE_EVENT_CSC, 1);
		tell(r, AE_EVENT_CSC, 3);
	}
	rc = plan(w, r->c->user, e);
	if (rc == AE_ENOTFOUND && w->only != NULL)
		tell_unknown(r, w->only);
	else if (rc != AE_OK && w->plan == NULL)
		tell_unread(r, e);
	if (rc != AE_OK)
		return rc;
	if (w->plan->enabled)
		tell_loaded(r, w);
	tell_items(r, w->plan);
	tell_nothing_usable(r, w->plan);
	policy_read_put_kept(out, w);
	return put_answer(out, w, e);
}

/*
 * Third question, and the only one that writes: the plan's clean-up of our own
 * object.  What goes is what this process judged, where policy lets it.
 */
static int
on_unpublish(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	const struct work *w = r->state;
	size_t *which, i, n;

	(void)out;
	if (w->plan == NULL || !ae_rd_done(in) ||
	    !ae_settings_may(w->settings, AE_POLICY_MANAGE))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the clean-up is asked for out of turn");
	n = w->plan->nunpublish;
	which = ae_arena_array(w->a, n + 1, sizeof(*which));
	if (which == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++)
		which[i] = w->plan->unpublish[i].cert->value;
	return ae_directory_unpublish(w->dir, w->ad, which, n, e);
}

static const struct role_question questions[] = {
	{ ROLE_SETTINGS, on_settings },
	{ ROLE_PLAN, on_plan },
	{ ROLE_UNPUBLISH, on_unpublish },
	{ ROLE_CHECK, on_check },
	{ 0, NULL },
};

int
role_policy(const struct client *c, int fd, struct ae_err *e)
{
	const char *reads[] = { "/etc", "/usr/lib", "/usr/share", "/lib",
		"/run/systemd/resolve", c->ccache, c->krb5_more, c->policy_path,
		c->user_policy_path, NULL };
	const char *writes[] = { c->ccache, NULL };
	struct ae_sandbox box = { .user = c->role_user,
		.may = AE_MAY_READ_FILES | AE_MAY_WRITE_FILES | AE_MAY_CONNECT |
		    AE_MAY_RESOLVE,
		.read_paths = reads,
		.write_paths = writes,
		.max_file_size = 16u * 1024u * 1024u,
		.require = c->require_sandbox };
	struct work w = { 0 };
	struct role r = { .c = c, .state = &w };
	int rc;

	keys_at_hand(&w.providers, c);
	rc = ae_ad_ready(e);
	if (rc != AE_OK)
		return rc;
	role_await(fd); /* for the ticket */
	rc = role_serve(&r, fd, &box, questions, e);
	work_done(&w);
	return rc;
}
