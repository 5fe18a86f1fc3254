/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The directory, for ca: a snapshot of templates and enrollment services that
 * follows every change within seconds, and answers about one requester.
 * LDAP blocks; that is why it has a process of its own.
 */
#include "ad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/ad.h"
#include "ad/locate.h"
#include "ad/pki.h"
#include "ad/principal.h"
#include "crlseen.h"
#include "gss/cred.h"
#include "object.h"
#include "role.h"
#include "sys/clock.h"
#include "sys/sandbox.h"

#define PARTS                                                              \
	(AE_PKI_TEMPLATES | AE_PKI_SERVICES | AE_PKI_NTAUTH | AE_PKI_KRA | \
	    AE_PKI_OIDS)
#define LDAP_TIMEOUT 5 /* seconds for one exchange */
#define RETRY_MS 2000

struct directory {
	struct proc *p;
	struct ae_gss_cred *cred;
	struct ae_ad *ad;
	struct ad_forest *forest;
	char *ccache;
	char host[256], site[256];
	struct ae_pki_mark mark;
	bool have;	       /* a snapshot was read over this connection */
	bool told;	       /* ca has it */
	bool unsure;	       /* a group was away: it is read again */
	struct ae_pki *last;   /* the snapshot, whichever DC it came from */
	struct ae_wr snapshot; /* encoded */
	struct ae_source *timer;
	bool complained;
};

static void
disconnect(struct directory *d)
{
	ae_ad_free(d->ad);
	d->ad = NULL;
	d->have = false;
	memset(&d->mark, 0, sizeof(d->mark));
}

static const char *
domain(const struct directory *d)
{
	const char *dot = strchr(d->p->conf.dns_name, '.');

	if (d->p->conf.domain != NULL)
		return d->p->conf.domain;
	return dot != NULL ? dot + 1 : d->p->conf.dns_name;
}

static int
find_dc(struct directory *d, struct ae_err *e)
{
	struct ae_ad_ping ping;
	int rc;

	if (d->p->conf.server != NULL) {
		(void)snprintf(
		    d->host, sizeof(d->host), "%s", d->p->conf.server);
		return AE_OK;
	}
	rc = ae_ad_locate(&ping, domain(d), d->site[0] ? d->site : NULL,
	    d->host[0] ? d->host : NULL, ae_random_u64(), e);
	if (rc < 0)
		return rc;
	(void)snprintf(d->host, sizeof(d->host), "%s", ping.host);
	(void)snprintf(d->site, sizeof(d->site), "%s", ping.client_site);
	return AE_OK;
}

static int
connect_dc(struct directory *d, struct ae_err *e)
{
	struct ae_ad_conf conf = { .host = d->host, .timeout = LDAP_TIMEOUT };
	int rc;

	if (d->ad != NULL)
		return AE_OK;
	if (d->cred == NULL) {
		rc = ae_gss_cred_ccache(&d->cred, d->ccache, e);
		if (rc < 0)
			return rc;
	}
	rc = find_dc(d, e);
	if (rc < 0)
		return rc;
	conf.cred = d->cred;
	rc = ae_ad_open(&d->ad, &conf, e);
	if (rc == AE_OK)
		log_line(
		    d->p, AE_LOG_INFO, "directory: connected to %s", d->host);
	return rc;
}

/* ---- the snapshot ---- */

static void
on_kept(void *arg, const char *dn)
{
	const struct directory *d = arg;

	log_line(d->p, AE_LOG_WARNING,
	    "directory: %s has an older version of %s than was seen before: "
	    "the newer one counts",
	    d->host, dn);
}

static void
on_no_group(
    void *arg, const char *oid, const char *group, bool found, const char *why)
{
	const struct directory *d = arg;

	if (found)
		log_line(d->p, AE_LOG_WARNING,
		    "directory: issuance policy %s is linked to %s, which is "
		    "%s (ESC13)",
		    oid, group, why);
	else
		log_line(d->p, AE_LOG_WARNING,
		    "directory: issuance policy %s is linked to %s, which "
		    "cannot be "
		    "read: nobody counts as its member: %s",
		    oid, group, why);
}

/* ESC13; a domain that is away is asked again with the next refresh. */
static void
link_groups(struct directory *d, struct ae_pki *pki)
{
	struct ad_reach reach = {
		.forest = d->forest, .home = d->ad, .cred = d->cred
	};
	struct ae_err e = AE_ERR_INIT;
	int rc = ad_resolve_links(&reach, pki, on_no_group, d, &e);

	d->unsure = rc < 0;
	if (rc < 0 && reach.at != NULL && reach.at != d->ad)
		ad_forest_drop(d->forest, reach.at);
}

static int
read_snapshot(struct directory *d, struct ae_err *e)
{
	struct ae_pki *pki = NULL;
	size_t i;
	int rc = ae_ad_pki_read(&pki, d->ad, PARTS, e);

	if (rc < 0)
		return rc;
	for (i = 0; i < pki->nrefused; i++)
		log_line(d->p, AE_LOG_WARNING, "directory: %s: %s",
		    pki->refused[i].dn, pki->refused[i].why);
	link_groups(d, pki);
	/* What was tightened at one DC is not loose again at the next. */
	if (d->last != NULL)
		(void)ae_pki_keep_newer(pki, d->last, on_kept, d);
	ae_wr_reset(&d->snapshot);
	ae_pki_put(&d->snapshot, pki);
	log_line(d->p, AE_LOG_INFO,
	    "directory: %zu templates, %zu enrollment services",
	    pki->ntemplates, pki->nservices);
	ae_pki_free(d->last);
	d->last = pki;
	if (!ae_wr_ok(&d->snapshot))
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the directory's PKI objects are too large");
	d->have = true;
	d->told = false;
	return AE_OK;
}

static int
refresh(struct directory *d, struct ae_err *e)
{
	bool changed = true;
	int rc = connect_dc(d, e);

	if (rc == AE_OK)
		rc = ae_ad_pki_changed(&changed, &d->mark, d->ad, e);
	if (rc == AE_OK && (changed || !d->have || d->unsure))
		rc = read_snapshot(d, e);
	return rc;
}

static int
send_crl(void *arg, const void *der, size_t len, struct ae_err *e)
{
	struct directory *d = arg;
	struct ae_wr w;

	(void)e;
	ae_wr_init(&w, MSG_CRL_MAX);
	ae_wr_bytes(&w, der, len);
	if (ae_wr_ok(&w)) /* a longer one was never put there by us */
		(void)peer_send(peer_of(d->p, ROLE_CA, 0), MSG_AD_SEEN, 0, &w);
	ae_wr_done(&w);
	return AE_OK;
}

/*
 * Before ca may decide anything it hears which of its CRLs the world has: a
 * database that was put back shows by that.
 */
static void
tell_crls(struct directory *d)
{
	struct ae_err e = AE_ERR_INIT;

	if (!peer_is_up(peer_of(d->p, ROLE_CA, 0)))
		return;
	if (connect_dc(d, &e) < 0 ||
	    crlseen_directory(&d->p->conf, d->ad, send_crl, d, &e) < 0)
		log_line(d->p, AE_LOG_WARNING,
		    "directory: which CRLs are published: %s", e.text);
}

static void
tell(struct directory *d)
{
	struct peer *ca = peer_of(d->p, ROLE_CA, 0);

	if (d->told) {
		(void)peer_send(ca, MSG_FRESH, 0, NULL);
	} else {
		tell_crls(d);
		d->told = peer_send(ca, MSG_SNAPSHOT, 0, &d->snapshot);
	}
}

static void
on_timer(void *arg)
{
	struct directory *d = arg;
	struct ae_err e = AE_ERR_INIT;
	int64_t wait = d->p->conf.refresh * 1000;

	if (refresh(d, &e) == AE_OK) {
		if (d->complained)
			log_line(d->p, AE_LOG_NOTICE,
			    "directory: %s answers again", d->host);
		d->complained = false;
		tell(d);
	} else {
		if (!d->complained)
			log_line(d->p, AE_LOG_WARNING, "directory: %s", e.text);
		d->complained = true;
		disconnect(d);
		wait = RETRY_MS;
	}
	ae_source_set_timer(d->timer, ae_clock_mono_ms() + wait);
}

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
static bool
worth_another(int rc)
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
static bool
is_away(const struct directory *d, const struct ae_ad *at)
{
	return d->ad != NULL && at == NULL;
}

/* Let go of a connection that failed: our own domain's, or another's. */
static void
let_go(struct directory *d, const struct ae_ad *at)
{
	if (at == d->ad)
		disconnect(d);
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
		rc = connect_dc(d, e);
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
		if (!worth_another(rc) || is_away(d, at))
			return rc;
		let_go(d, at);
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

static int
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

static int
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
		rc = connect_dc(d, e);
		if (rc == AE_OK)
			rc = owners_once(d, dns, sid, n, &at, e);
		if (!worth_another(rc) || is_away(d, at))
			return rc;
		let_go(d, at);
	}
	return rc;
}

static int
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

		rc = connect_dc(d, e);
		reach.home = d->ad;
		reach.cred = d->cred;
		if (rc == AE_OK)
			rc = ad_object(&reach, q, own, out, a, e);
		if (!worth_another(rc) || is_away(d, reach.at))
			return rc;
		let_go(d, reach.at);
	}
	return rc;
}

static int
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

/* ---- the CRL ---- */

static int
write_crl(struct directory *d, unsigned key, bool delta, bool over,
    const void *der, size_t len, struct ae_err *e)
{
	const struct ad_newer newer = { over ? NULL : send_crl, d };
	int rc, tries;

	for (tries = 0; tries < 2; tries++) {
		rc = connect_dc(d, e);
		if (rc == AE_OK)
			rc = ad_write_crl(&d->p->conf, d->ad, key, delta, der,
			    len, &newer, e);
		if (!worth_another(rc))
			return rc;
		disconnect(d);
	}
	return rc;
}

static int
on_crl(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *der;
	struct ae_wr w;
	struct ae_rd r;
	uint16_t key;
	bool delta, over;
	size_t len;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	key = ae_rd_u16(&r);
	delta = ae_rd_u8(&r) != 0;
	over = ae_rd_u8(&r) != 0;
	len = ae_rd_left(&r);
	der = ae_rd_take(&r, len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "AD_CRL", e);
	rc = write_crl(peer->p->state, key, delta, over, der, len, &why);
	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	put_str(&w, rc < 0 ? why.text : NULL);
	(void)peer_send(peer, MSG_AD_CRL_DONE, m->id, &w);
	ae_wr_done(&w);
	return AE_OK;
}

/* ---- certificates ---- */

static int
publish(struct directory *d, const struct ad_published *p, char *dn,
    size_t dn_len, struct ae_err *e)
{
	struct ae_ad *at;
	int rc, tries;

	for (tries = 0; tries < 2; tries++) {
		at = NULL;
		rc = connect_dc(d, e);
		if (rc == AE_OK)
			at = d->ad;
		if (rc == AE_OK && p->kra == NULL)
			rc = ad_forest_by_sid(
			    &at, d->forest, d->ad, d->cred, &p->owner, e);
		if (rc == AE_OK)
			rc = ad_publish_cert(
			    at, p, ae_clock_now(), dn, dn_len, e);
		if (!worth_another(rc) || is_away(d, at))
			return rc;
		let_go(d, at);
	}
	return rc;
}

static int
on_publish(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct directory *d = peer->p->state;
	struct ad_published p = { .kra = NULL };
	struct ae_err why = AE_ERR_INIT;
	char dn[1024];
	struct ae_rd r;
	struct ae_wr w;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	if (ae_rd_u8(&r) != 0)
		p.kra = peer->p->conf.name;
	p.owner = ae_sid_get(&r);
	p.der = get_bytes(&r, &p.len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "AD_PUBLISH", e);
	ae_sid_print(dn, &p.owner);
	rc = publish(d, &p, dn, sizeof(dn), &why);
	ae_wr_init(&w, 2 * MSG_TEXT_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	put_str(&w, dn);
	put_str(&w, d->host);
	put_str(&w, rc < 0 ? why.text : NULL);
	(void)peer_send(peer, MSG_AD_PUBLISHED, m->id, &w);
	ae_wr_done(&w);
	return AE_OK;
}

/* ---- start ---- */

static void
peer_up(struct proc *p, struct peer *peer)
{
	struct directory *d = p->state;

	(void)peer;
	d->told = false;
	if (d->have)
		tell(d);
}

/* A new ticket: connections made with the old one go on until they end. */
static void
ticket(struct proc *p)
{
	struct directory *d = p->state;

	ae_gss_cred_free(d->cred);
	d->cred = NULL;
	if (d->ad == NULL)
		ae_source_set_timer(d->timer, 0);
}

static int
dir_open(struct proc *p, struct ae_err *e)
{
	/* The resolver, Kerberos, and the SASL plugins. */
	static const char *const read[] = { "/etc", "/usr", "/lib", "/lib64",
		"/run/systemd/resolve", "/dev/urandom", NULL };
	struct directory *d = calloc(1, sizeof(*d));
	char *dir = conf_path(&p->conf, RUN_DIR "/ad");
	size_t i;
	bool ok = d != NULL && dir != NULL;

	p->state = d;
	ok = ok && (d->forest = ad_forest_new()) != NULL;
	for (i = 0; ok && read[i] != NULL; i++)
		ok = proc_allow_read(p, read[i]);
	ok = ok && proc_allow_read(p, p->conf.krb5_conf) &&
	    proc_allow_write(p, dir) &&
	    asprintf(&d->ccache, "FILE:%s/ccache", dir) > 0;
	free(dir);
	if (!ok)
		return ae_fail_mem(e);
	d->p = p;
	ae_wr_init(&d->snapshot, MSG_SNAPSHOT_MAX);
	return AE_OK;
}

static int
dir_start(struct proc *p, struct ae_err *e)
{
	struct directory *d = p->state;
	int rc = ae_loop_timer(&d->timer, p->loop, on_timer, d, e);

	/* The ticket process says when to begin; a cache may be there. */
	if (rc == AE_OK)
		ae_source_set_timer(d->timer, ae_clock_mono_ms() + RETRY_MS);
	return rc;
}

static const struct ae_ipc_row ca_rows[] = {
	{ MSG_ASK_REQUESTER, 128, 1, false, on_ask_requester },
	{ MSG_ASK_SUBJECT, 1024, 1, false, on_ask_subject },
	{ MSG_AD_CRL, 4 + MSG_CRL_MAX, 1, false, on_crl },
	{ MSG_AD_PUBLISH, MSG_CERT_MAX, 1, false, on_publish },
	{ MSG_ASK_DNS, MSG_TEXT_MAX, 1, false, on_ask_dns },
	{ MSG_ASK_OBJECT, OBJECT_ASK_MAX, 1, false, on_ask_object },
	{ .handle = NULL },
};

static const struct role_link links[] = {
	{ ROLE_CA, ca_rows },
	{ .rows = NULL },
};

const struct role_def role_ad = {
	.role = ROLE_AD,
	.user = "_certsrv-ad",
	.may = AE_MAY_CONNECT | AE_MAY_RESOLVE | AE_MAY_READ_FILES |
	    AE_MAY_WRITE_FILES,
	.max_memory = 1024ULL * 1024 * 1024,
	.oom = 300,
	.links = links,
	.open = dir_open,
	.start = dir_start,
	.peer_up = peer_up,
	.ticket = ticket,
};
