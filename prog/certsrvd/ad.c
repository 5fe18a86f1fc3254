/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The directory, for ca: a snapshot of templates and enrollment services that
 * follows every change within seconds.  What is asked: ad_ask.c, ad_write.c.
 * LDAP blocks; that is why it has a process of its own.
 */
#include "adproc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/ad.h"
#include "ad/locate.h"
#include "object.h"
#include "sys/clock.h"
#include "sys/sandbox.h"

#define PARTS                                                              \
	(AE_PKI_TEMPLATES | AE_PKI_SERVICES | AE_PKI_NTAUTH | AE_PKI_KRA | \
	    AE_PKI_OIDS)
#define LDAP_TIMEOUT 5 /* seconds for one exchange */
#define RETRY_MS 2000

void
dir_disconnect(struct directory *d)
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

int
dir_connect(struct directory *d, struct ae_err *e)
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
	int rc = dir_connect(d, e);

	if (rc == AE_OK)
		rc = ae_ad_pki_changed(&changed, &d->mark, d->ad, e);
	if (rc == AE_OK && (changed || !d->have || d->unsure))
		rc = read_snapshot(d, e);
	return rc;
}

int
dir_send_crl(void *arg, const void *der, size_t len, struct ae_err *e)
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
	if (dir_connect(d, &e) < 0 ||
	    crlseen_directory(&d->p->conf, d->ad, dir_send_crl, d, &e) < 0)
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
		dir_disconnect(d);
		wait = RETRY_MS;
	}
	ae_source_set_timer(d->timer, ae_clock_mono_ms() + wait);
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
	{ MSG_AD_CRL, 4 + MSG_CRL_MAX, 1, false, on_write_crl },
	{ MSG_AD_PUBLISH, MSG_CERT_MAX, 1, false, on_write_cert },
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
