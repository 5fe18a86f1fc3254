/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the directory says, and the door for requests.  What happens to a
 * request is in ca_job.c.
 */
#include "ca.h"
#include "accounts.h"
#include "base/time.h"
#include "ca/changes.h"
#include "ca/url.h"
#include "admin_view.h"
#include "ca_cache.h"
#include "ca_metrics.h"
#include "wcce/name.h"

#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"

#define TICK_MS 1000

static void name_directory(struct ca *ca);

/* ---- requests ---- */

static void
answer_property(struct ca *ca, struct peer *rpc, uint32_t call,
    const struct ae_wcce_request *q, struct ae_arena *a)
{
	struct ae_wcce_reply p = { .hresult = 0 };
	struct ae_err e = AE_ERR_INIT;

	if (ae_ca_property(&p, &ca->info, q, a, &e) < 0) {
		log_line(ca->p, AE_LOG_ERROR, "a CA property: %s", e.text);
		memset(&p, 0, sizeof(p));
		p.hresult = 0x8007000e; /* E_OUTOFMEMORY */
	}
	send_reply(ca, rpc->index, rpc->generation, call, &p);
}

static int
on_request(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_wcce_reply denied = { .hresult = 0x80070005 };
	struct ae_wcce_reply slow = { .hresult = 0x800706bb }; /* too busy */
	struct ae_arena *a = ae_arena_new(JOB_ARENA);
	struct ae_wcce_request q;
	struct known *who;
	uint64_t name;
	struct ae_rd r;
	char *ip;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	name = ae_rd_u64(&r);
	ip = get_str(&r, a);
	get_request(&r, &q, a);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "REQUEST", e);
	}
	who = known_for(ca, peer, name);
	if (who == NULL) {
		/* Not a client's doing: the context outlived its name. */
		log_outside(ca->p, "%s: a request under an unknown name",
		    ip != NULL ? ip : "?");
		send_reply(ca, peer->index, peer->generation, m->id, &denied);
		ae_arena_free(a);
	} else if (q.call != AE_WCCE_CALL_REQUEST) {
		answer_property(ca, peer, m->id, &q, a);
		ae_arena_free(a);
	} else if (!rate_take(
		       ca->rate, &who->caller->user, ae_clock_mono_ms())) {
		log_outside(ca->p, "%s from %s: more than %u requests a minute",
		    who->caller->principal, ip != NULL ? ip : "?",
		    ca->p->conf.per_minute);
		send_reply(ca, peer->index, peer->generation, m->id, &slow);
		ae_arena_free(a);
	} else if (!signers_well(ca)) {
		/* Before anything is stored; it is told once, elsewhere. */
		send_reply(ca, peer->index, peer->generation, m->id, &slow);
		ae_arena_free(a);
	} else {
		job_start(ca, peer, m->id, who, &q, ip, a);
	}
	return AE_OK;
}

/* ---- the directory ---- */

void
snapshot_unref(struct snapshot *s)
{
	size_t i;

	if (s == NULL || --s->refs > 0)
		return;
	for (i = 0; s->own != NULL && i < s->pki->ntemplates; i++)
		ae_template_free(s->own[i]);
	free(s->own);
	free((void *)(uintptr_t)s->templates.v);
	ae_pki_free(s->pki);
	free(s->info);
	free(s);
}

/*
 * Our own object: the one with our name whose certificates hold ours, so
 * that nobody takes our place by a name alone.
 */
static const struct ae_enrollment_service *
find_service(struct ca *ca, const struct ae_pki *pki)
{
	size_t i, j, k;

	/* Any of ours: a new one takes its time to every controller. */
	for (i = 0; i < pki->nservices; i++) {
		const struct ae_enrollment_service *s = pki->services[i];

		for (k = 0; k < s->ca_certificates.n; k++)
			for (j = 0; j < ca->file.ncerts; j++) {
				struct ae_der d = ca->file.certs[j]->der;

				if (s->ca_certificates.v[k].len == d.len &&
				    memcmp(s->ca_certificates.v[k].p, d.p,
					d.len) == 0)
					return s;
			}
	}
	return NULL;
}

/* As it counts. */
static const struct ae_template *
find_template(const struct ae_ca_templates *l, const char *cn)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (ae_str_eq_nocase(l->v[i]->cn, cn))
			return l->v[i];
	return NULL;
}

static int
fill_info(struct snapshot *s, struct ae_err *e)
{
	size_t i;

	if (s->service == NULL)
		return AE_OK;
	s->info = calloc(s->service->templates.n + 1, sizeof(*s->info));
	if (s->info == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < s->service->templates.n; i++) {
		const struct ae_template *t =
		    find_template(&s->templates, s->service->templates.v[i]);

		if (t == NULL)
			continue;
		s->info[s->ninfo].cn = t->cn;
		s->info[s->ninfo].oid = t->oid;
		s->ninfo++;
	}
	return AE_OK;
}

#define CHANGES_MAX 800u /* of an event's text */

/* ESC4: a template that is offered was changed for who gets what. */
static void
tell_changes(struct ca *ca, const struct snapshot *now)
{
	char when[AE_TIME_STR_MAX];
	const struct ae_template *a, *b;
	struct ae_wr w;
	size_t i;

	for (i = 0; ca->snapshot != NULL && i < now->pki->ntemplates; i++) {
		b = now->pki->templates[i];
		if (!ae_strv_has_nocase(now->templates.published, b->cn))
			continue;
		a = ae_template_find(ca->snapshot->pki->templates,
		    ca->snapshot->pki->ntemplates, b->cn);
		if (a == NULL)
			continue;
		ae_wr_init(&w, CHANGES_MAX);
		if (ae_ca_template_changes(&w, a, b) > 0)
			event_own(ca, AE_LOG_WARNING, 4,
			    "template %s was changed in the directory "
			    "(whenChanged %s): %s",
			    b->cn,
			    b->when_changed == INT64_MAX
				? "unknown"
				: ae_time_print(when, b->when_changed),
			    ae_wr_cstr(&w) != NULL ? ae_wr_cstr(&w)
						   : "too much to tell");
		ae_wr_done(&w);
	}
}

static void watch_ntauth(struct ca *ca);

/* The snapshot as it is decided by. */
static int
read_snapshot(struct ca *ca, struct snapshot *s, struct ae_err *e)
{
	static const struct ae_strv none;
	struct ae_rd r;
	int rc;

	ae_rd_init(&r, ca->directory, ca->directory_len);
	rc = ae_pki_get(&s->pki, &r, e);
	if (rc == AE_OK && !ae_rd_done(&r))
		rc = bad_message(&r, "SNAPSHOT", e);
	if (rc < 0)
		return rc;
	s->service = find_service(ca, s->pki);
	s->templates.published =
	    s->service != NULL ? &s->service->templates : &none;
	s->templates.oids = s->pki->oids;
	s->templates.noids = s->pki->noids;
	rc = pins_apply(ca, s, e);
	return rc == AE_OK ? fill_info(s, e) : rc;
}

int
snapshot_again(struct ca *ca, struct ae_err *e)
{
	struct snapshot *s;
	int rc;

	if (ca->directory == NULL)
		return AE_OK;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return ae_fail_mem(e);
	s->refs = 1;
	rc = read_snapshot(ca, s, e);
	if (rc < 0) {
		snapshot_unref(s);
		return rc;
	}
	tell_changes(ca, s);
	snapshot_unref(ca->snapshot);
	ca->snapshot = s;
	pins_watch(ca);
	info_update(ca);
	return AE_OK;
}

int
on_snapshot(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	uint8_t *copy = malloc(m->len + 1);
	int rc;

	(void)ipc;
	if (copy == NULL)
		return ae_fail_mem(e);
	memcpy(copy, m->body, m->len);
	free(ca->directory);
	ca->directory = copy;
	ca->directory_len = m->len;
	rc = snapshot_again(ca, e);
	if (rc < 0)
		return rc;
	if (ca->snapshot->service == NULL)
		log_line(ca->p, AE_LOG_WARNING,
		    "the directory has no enrollment service with this CA's "
		    "certificate: run certsrv setup");
	ca->fresh = ae_clock_mono_ms();
	ca->directory_spoke = true;
	watch_ntauth(ca);
	name_directory(ca);
	info_update(ca);
	xchg_update(ca);
	return AE_OK;
}

int
on_fresh(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;

	(void)ipc;
	(void)m;
	(void)e;
	ca->fresh = ae_clock_mono_ms();
	return AE_OK;
}

/* ---- which certificate signs ---- */

/* A NULL-terminated view of a list. */
static bool
terminate(const char ***out, const struct ae_strv *l)
{
	const char **v = calloc(l->n + 1, sizeof(*v));
	size_t i;

	if (v == NULL)
		return false;
	for (i = 0; i < l->n; i++)
		v[i] = l->v[i];
	free(*out);
	*out = v;
	return true;
}

bool
urls_for(struct ca *ca, struct ae_strv *out, const struct ae_strv *in,
    const struct ae_ca_cert *c, bool crl)
{
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_ca_url_vars vars = { .dns_name = ca->p->conf.dns_name,
		.config_dn = ca->config_dn };
	struct ae_strv named = { NULL, 0 };
	struct ae_err e = AE_ERR_INIT;
	bool ok = a != NULL;
	size_t i;
	int rc;

	if (ok) {
		vars.ca_name = ae_wcce_sanitize(a, ca->p->conf.name);
		vars.ca_short = ae_wcce_sanitize_short(a, ca->p->conf.name);
		ok = vars.ca_name != NULL && vars.ca_short != NULL;
	}
	for (i = 0; ok && i < in->n; i++) {
		rc = ae_ca_url_expand(&named, &vars, in->v[i], &e);
		if (rc < 0 && rc != AE_EUNAVAIL)
			log_line(
			    ca->p, AE_LOG_ERROR, "%s: %s", in->v[i], e.text);
		ok = rc != AE_ENOMEM;
	}
	ae_strv_done(out);
	for (i = 0; ok && i < named.n; i++)
		ok = ae_ca_url(out, &ca->file.list, c, named.v[i], crl);
	ae_strv_done(&named);
	ae_arena_free(a);
	return ok;
}

/*
 * From now on this certificate signs: its name, key and times, and its own
 * places for CRLs and issuers, go into what is issued.
 */
static int
make_current(struct ca *ca, const struct ae_ca_cert *c, struct ae_err *e)
{
	const struct conf *conf = &ca->p->conf;

	if (!urls_for(ca, &ca->cdp, &conf->cdp, c, true) ||
	    !urls_for(ca, &ca->aia, &conf->aia, c, false) ||
	    !urls_for(ca, &ca->ocsp, &conf->ocsp, c, false) ||
	    !terminate(&ca->cdp_list, &ca->cdp) ||
	    !terminate(&ca->aia_list, &ca->aia) ||
	    !terminate(&ca->ocsp_list, &ca->ocsp))
		return ae_fail_mem(e);
	ca->current = c;
	ca->config.cert = c->cert;
	ca->config.sigalg = ae_ca_cert_key(&ca->file.list, c)->alg;
	ca->config.cdp_urls = ca->cdp;
	ca->config.aia_urls = ca->aia;
	ca->config.ocsp_urls = ca->ocsp;
	ca->info.cdp_urls = ca->cdp_list;
	ca->info.aia_urls = ca->aia_list;
	ca->info.ocsp_urls = ca->ocsp_list;
	return AE_OK;
}

/* The directory was read: its configuration's name is in our URLs. */
static void
name_directory(struct ca *ca)
{
	static const char services[] = ",CN=Services,";
	const char *dn = ca->snapshot->service == NULL
	    ? NULL
	    : strcasestr(ca->snapshot->service->dn, services);
	struct ae_err e = AE_ERR_INIT;
	char *name;

	if (dn == NULL)
		return;
	dn += sizeof(services) - 1;
	if (ca->config_dn != NULL && strcmp(ca->config_dn, dn) == 0)
		return;
	name = strdup(dn);
	if (name == NULL)
		return; /* the next snapshot has it, too */
	free(ca->config_dn);
	ca->config_dn = name;
	if (make_current(ca, ca->current, &e) < 0)
		log_line(ca->p, AE_LOG_ERROR, "URLs: %s", e.text);
}

/* Has one become valid, or the newest ended? */
static void
choose_current(struct ca *ca)
{
	const struct ae_ca_cert *c =
	    ae_ca_certs_at(&ca->file.list, ae_clock_now());
	struct ae_err e = AE_ERR_INIT;

	if (c == ca->current)
		return;
	if (make_current(ca, c, &e) < 0)
		log_line(ca->p, AE_LOG_ERROR, "changing to certificate %u: %s",
		    c->index, e.text);
	else
		log_line(ca->p, AE_LOG_NOTICE,
		    "signing under the CA's certificate %u from now on",
		    c->index);
	info_update(ca);
}

/* ---- life ---- */

/* Nothing is decided by what may no longer be so: then somebody is told. */
static void
watch_directory(struct ca *ca)
{
	const bool stale = ca->snapshot != NULL &&
	    ae_clock_mono_ms() - ca->fresh > SNAPSHOT_AGE;

	if (stale && !ca->told_stale)
		event_plain(ca->p, 91,
		    "no domain controller has answered for %d s: requests are "
		    "told to come again",
		    SNAPSHOT_AGE / 1000);
	ca->told_stale = stale;
}

/* Told with the first snapshot, and when it has changed. */
static void
watch_ntauth(struct ca *ca)
{
	const struct ae_octetsv *v = &ca->snapshot->pki->ntauth;
	const struct ae_der der = ca->current->cert->der;
	bool there = false;
	size_t i;

	for (i = 0; i < v->n; i++)
		there = there ||
		    ae_der_equal(
			der, (struct ae_der){ v->v[i].p, v->v[i].len });
	if (!there && !ca->told_ntauth)
		event_ntauth(ca);
	ca->told_ntauth = !there;
}

static void
on_tick(void *arg)
{
	struct ca *ca = arg;

	if (!ca->told_start) {
		ca->told_start = true;
		event_started(ca);
	}
	choose_current(ca);
	watch_directory(ca);
	job_tick(ca);
	attest_tick(ca);
	crl_tick(ca);
	if (seen_well(ca)) { /* their certificates are rows, too */
		xchg_tick(ca);
		ocsp_tick(ca);
	}
	metrics_tick(ca);
	ae_source_set_timer(ca->tick, ae_clock_mono_ms() + TICK_MS);
}

static void
peer_up(struct proc *p, struct peer *peer)
{
	struct ca *ca = p->state;

	if (peer->role == ROLE_RPC)
		known_remove_worker(ca, peer->index, peer->generation);
	if (peer->role == ROLE_DB) {
		seen_tell_db(ca);
		ae_source_set_timer(ca->tick, 0);
	}
	if (peer->role == ROLE_OCSP)
		ocsp_peer_up(ca);
}

static void
peer_down(struct proc *p, struct peer *peer)
{
	struct ca *ca = p->state;

	if (peer->role == ROLE_RPC)
		known_remove_worker(ca, peer->index, peer->generation + 1);
	metrics_peer_down(ca, peer);
	job_peer_down(ca, peer);
	if (peer->role == ROLE_SIGN) {
		ca->signer_ill[peer->index] = false;
		xchg_signer_down(ca, peer);
		ocsp_signer_down(ca, peer);
	}
	if (peer->role == ROLE_DB || peer->role == ROLE_SIGN ||
	    peer->role == ROLE_AD)
		crl_peer_down(ca, peer);
}

static int
ca_open(struct proc *p, struct ae_err *e)
{
	static const uint32_t dispositions[] = { [CONF_ISSUE] =
						     AE_REQDISP_ISSUE,
		[CONF_PEND] = AE_REQDISP_PENDINGFIRST | AE_REQDISP_ISSUE,
		[CONF_DENY] = AE_REQDISP_DENY };
	struct ca *ca = calloc(1, sizeof(*ca));
	const struct conf *c = &p->conf;
	int rc;

	if (ca == NULL)
		return ae_fail_mem(e);
	p->state = ca;
	ca->p = p;
	ca->cache = ca_cache_new();
	ca->rate = rate_new(c->per_minute);
	ca->metrics = ca_metrics_new();
	if (ca->cache == NULL || ca->rate == NULL || ca->metrics == NULL)
		return ae_fail_mem(e);
	rc = cafile_read(&ca->file, c, true, e);
	if (rc == AE_OK)
		rc = cafile_rights(&ca->agents, c->agents, e);
	if (rc == AE_OK)
		rc = cafile_rights(&ca->officers, c->officers, e);
	if (rc < 0)
		return rc;
	ca->config = (struct ae_ca_config){
		.name = c->name,
		.dns_name = c->dns_name,
		.sd = ca->file.sd,
		.archival = c->recovery_agents.n > 0,
		.max_validity = c->max_validity,
		.clock_skew = c->clock_skew,
		.repeat_window = c->repeat_window,
		.serial_instance = (uint8_t)c->serial_instance,
		.request_disposition = dispositions[c->requests],
		.agent_rights = ca->agents,
		.allow_renew_on_behalf = c->allow_renew_on_behalf,
		.request_dates = c->request_dates,
		.rsa_bits_min = c->rsa_bits_min,
		.rsa_bits_max = c->rsa_bits_max,
		.allow_sha1_csr = c->allow_sha1_csr,
		.allow_supplied_auth_subject = c->allow_supplied_auth_subject,
		.allow_any_purpose = c->allow_any_purpose,
		.any_host_names = c->any_host_names,
		.allow_group_policies = c->allow_group_policies,
	};
	ca->started = ae_clock_mono_ms();
	crl_open(ca);
	rc = policy_open(ca, e);
	if (rc == AE_OK)
		rc = info_init(ca, e);
	if (rc == AE_OK)
		rc = make_current(
		    ca, ae_ca_certs_at(&ca->file.list, ae_clock_now()), e);
	return rc;
}

static int
ca_start(struct proc *p, struct ae_err *e)
{
	struct ca *ca = p->state;
	int rc = ae_loop_timer(&ca->tick, p->loop, on_tick, ca, e);

	if (rc == AE_OK)
		ae_source_set_timer(ca->tick, 0);
	return rc;
}

/* Of the administrator's directories. */
static int
ca_files(struct proc *p, struct ae_ipc_msg *m, struct ae_err *e)
{
	return m->type == MSG_PIN_FILE || m->type == MSG_PINS
	    ? ca_pins(p, m, e)
	    : ca_policy(p, m, e);
}

static void
ca_lost(struct proc *p, uint64_t lines)
{
	struct ca *ca = p->state;

	ca->lines_lost = lines;
}

static const struct ae_ipc_row rpc_rows[] = {
	{ MSG_REQUEST, MSG_REQUEST_MAX, 1, false, on_request },
	{ MSG_FORGET, 8, 1, false, on_forget },
	{ MSG_MANAGE_ASK, MSG_TEXT_MAX, 1, false, on_manage_ask },
	{ MSG_MANAGE, MSG_MANAGE_MAX, 1, false, on_manage },
	{ MSG_FIGURES, METRICS_BYTES, 1, false, on_figures },
	{ .handle = NULL },
};

static const struct ae_ipc_row auth_rows[] = {
	{ MSG_CALLER, MSG_CALLER_MAX, 1, false, on_caller },
	{ MSG_FIGURES, METRICS_BYTES, 1, false, on_figures },
	{ .handle = NULL },
};

static const struct ae_ipc_row ocsp_rows[] = {
	{ MSG_FIGURES, METRICS_BYTES, 1, false, on_figures },
	{ .handle = NULL },
};

static const struct ae_ipc_row http_rows[] = {
	{ MSG_FIGURES, METRICS_BYTES, 1, false, on_figures },
	{ MSG_METRICS, METRICS_BYTES, 1, false, on_metrics },
	{ .handle = NULL },
};

static const struct role_link links[] = {
	{ ROLE_RPC, rpc_rows },
	{ ROLE_AUTH, auth_rows },
	{ ROLE_AD, ca_ad_rows },
	{ ROLE_DB, ca_db_rows },
	{ ROLE_SIGN, ca_sign_rows },
	{ ROLE_OCSP, ocsp_rows },
	{ ROLE_HTTP, http_rows },
	{ .rows = NULL },
};

const struct role_def role_ca = {
	.role = ROLE_CA,
	.user = "_certsrv-ca",
	.may = 0,
	.max_memory = 4096ULL * 1024 * 1024,
	.oom = 100,
	.links = links,
	.open = ca_open,
	.start = ca_start,
	.peer_up = peer_up,
	.peer_down = peer_down,
	.publish = crl_publish,
	.policy = ca_files,
	.lost = ca_lost,
	.crl_said = crl_said,
	.admin = admin_open,
};
