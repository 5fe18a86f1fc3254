/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of one server at which issuers publish (probe_links.c): what is
 * really there is fetched, and looked at.  The addresses are an issuer's
 * words: HTTP without a name or ticket of ours (run/fetch.h), LDAP to our own
 * domain controller alone.
 *
 *   "fetched": [ { "answers": [ { "url", "use", "thumbprint", "subject",
 *       "own", "ca", "template", "path": as in links, "state": "fits" |
 *           "stale" | "foreign" | "dead" | "left out", "why": text,
 *       "root": bool, what fits is self-signed; "issuer": its thumbprint;
 *       "next_update", "revoked": time, of lists } ] } ], beside links.servers
 */
#include <stdio.h>
#include <string.h>

#include "ad/ad.h"
#include "ad/url.h"
#include "base/hex.h"
#include "base/str.h"
#include "base/time.h"
#include "diag/facts.h"
#include "gss/cred.h"
#include "pki/published.h"
#include "probe_pki.h"
#include "run/fetch.h"
#include "sys/clock.h"

#define ALL_MS 7000 /* for one server */
#define EACH_MS 5000
#define TRIED_MAX 16u /* values of one attribute */

struct fetch {
	struct probe *p;
	json_t *answers;
	struct ae_run_fetch *http;
	struct ae_ad *ad;
	struct ae_gss_cred *cred;
	struct ae_err dead; /* nobody answered before */
	int64_t began;
};

static void
say(json_t *j, const char *state, const char *why)
{
	(void)json_object_set_new(j, "state", json_string(state));
	(void)json_object_set_new(j, "why", client_text(why));
}

static void
put_time(json_t *j, const char *name, int64_t t)
{
	char when[AE_TIME_STR_MAX];

	if (t != 0)
		(void)json_object_set_new(
		    j, name, json_string(ae_time_print(when, t)));
}

/* ---- is it what it should be? ---- */

static bool
judge_issuer(json_t *j, const struct ae_cert *c, const void *p, size_t len)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_cert *up = NULL;
	uint8_t sha1[20];
	char thumb[41];

	if (ae_published_issuer(&up, c, p, len, &e) != AE_OK) {
		say(j, "foreign", e.text);
		return false;
	}
	ae_cert_sha1(sha1, up);
	ae_hex_encode(thumb, sha1, sizeof(sha1));
	say(j, "fits", "");
	(void)json_object_update_new(j,
	    json_pack("{s:b, s:s}", "root", ae_cert_self_issued(up), "issuer",
		thumb));
	ae_cert_free(up);
	return true;
}

static bool
judge_list(json_t *j, const struct ae_cert *c, const struct ae_cert *issuer,
    const void *p, size_t len)
{
	struct ae_published_list l = { 0 };
	struct ae_err e = AE_ERR_INIT;

	if (ae_published_list(&l, c, issuer, ae_clock_now(), p, len, &e) !=
	    AE_OK) {
		say(j, "foreign", e.text);
		return false;
	}
	put_time(j, "next_update", l.next_update);
	if (l.listed && l.reason != AE_CRL_REMOVE)
		put_time(j, "revoked", l.revoked);
	say(j, l.stale ? "stale" : "fits", l.stale ? "it has expired" : "");
	return !l.stale;
}

/* False: another value of the same place may be the right one. */
static bool
judge(json_t *j, const json_t *address, const void *p, size_t len)
{
	struct ae_cert *c = probe_get_der(ae_fact_str(address, "cert")),
		       *issuer = probe_get_der(ae_fact_str(address, "issuer"));
	bool ok = false;

	if (c == NULL)
		say(j, "left out", "the certificate cannot be read again");
	else if (ae_fact_is(address, "use", "aia"))
		ok = judge_issuer(j, c, p, len);
	else
		ok = judge_list(j, c, issuer, p, len);
	ae_cert_free(c);
	ae_cert_free(issuer);
	return ok;
}

/* ---- how it is fetched ---- */

static void
by_http(struct fetch *f, json_t *j, const json_t *address, int64_t left)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr body;
	long status = 0;
	int rc = AE_OK;

	if (f->http == NULL)
		rc = ae_run_fetch_new(&f->http, &e);
	if (rc != AE_OK) {
		say(j, "left out", e.text);
		return;
	}
	ae_wr_init(&body,
	    ae_fact_is(address, "use", "aia") ? AE_PKI_CERT_MAX
					      : AE_PUBLISHED_LIST_MAX);
	rc = ae_run_fetch_get(f->http, ae_fact_text(address, "url"),
	    left < EACH_MS ? left : EACH_MS, &body, &status, &e);
	if (rc == AE_OK)
		(void)judge(j, address, body.p, body.len);
	else
		say(j, rc == AE_ELIMIT ? "foreign" : "dead", e.text);
	if (rc == AE_EUNAVAIL || rc == AE_ETIMEDOUT)
		f->dead = e;
	ae_wr_done(&body);
}

/* No server of another's choice gets our ticket. */
static bool
is_ours(const struct fetch *f, const char *host)
{
	return host[0] == '\0' ||
	    ae_str_eq_nocase(host, ae_fact_text(f->p->facts, "dc.host")) ||
	    ae_str_eq_nocase(host, ae_fact_text(f->p->facts, "host.realm"));
}

static int
open_directory(struct fetch *f, struct ae_err *e)
{
	struct ae_ad_conf conf = { .host = ae_fact_text(f->p->facts, "dc.host"),
		.timeout = EACH_MS / 1000 };
	int rc;

	if (f->ad != NULL)
		return AE_OK;
	rc = ae_gss_cred_ccache(&f->cred, probe_ccache(f->p), e);
	conf.cred = f->cred;
	return rc == AE_OK ? ae_ad_open(&f->ad, &conf, e) : rc;
}

static void
judge_values(json_t *j, const json_t *address, const struct ae_entries *l,
    const char *attr)
{
	const struct ae_attr *a = l->n == 0 ? NULL : ae_entry_get(l->v, attr);
	size_t i;

	if (a == NULL)
		say(j, "dead", "the object has no such attribute");
	for (i = 0; a != NULL && i < a->n && i < TRIED_MAX; i++)
		if (judge(j, address, a->v[i].p, a->v[i].len))
			return;
}

static void
by_ldap(struct fetch *f, json_t *j, const json_t *address)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_entries l = { 0 };
	const char *attrs[] = { NULL, NULL };
	struct ae_ad_url u;
	int rc;

	if (ae_ad_url_parse(&u, ae_fact_text(address, "url"), &e) != AE_OK) {
		say(j, "foreign", e.text);
		return;
	}
	if (!is_ours(f, u.host)) {
		say(j, "left out", "it names another directory than ours");
		return;
	}
	rc = open_directory(f, &e);
	if (rc != AE_OK) {
		/* The directory has rows of its own. */
		say(j, "left out", e.text);
		return;
	}
	attrs[0] = u.attr;
	rc = ae_ad_read(f->ad, u.dn, attrs, &l, &e);
	if (rc == AE_OK)
		judge_values(j, address, &l, u.attr);
	else
		say(j, "dead",
		    rc == AE_ENOTFOUND ? "the directory has no such object"
				       : e.text);
	ae_entries_done(&l);
}

static void
one(struct fetch *f, const json_t *address, const char *server)
{
	static const char *const kept[] = { "url", "use", "thumbprint",
		"subject", "own", "ca", "template", "path" };
	int64_t left = ALL_MS - (int64_t)probe_ms(f->began);
	json_t *j = json_object();
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		(void)json_object_set(
		    j, kept[i], json_object_get(address, kept[i]));
	probe_doing(f->p, "fetched", ae_fact_text(address, "url"));
	if (strcmp(server, "ldap") == 0)
		by_ldap(f, j, address);
	else if (strcmp(server, "none") == 0)
		say(j, "left out", "only http and ldap are asked");
	else if (f->dead.rc != AE_OK)
		say(j, "dead", f->dead.text);
	else if (left <= 0)
		say(j, "left out", "there was no time left");
	else
		by_http(f, j, address, left);
	(void)json_array_append_new(f->answers, j);
}

int
probe_fetch(struct probe *p, struct ae_err *e)
{
	struct fetch f = {
		.p = p, .answers = json_array(), .began = probe_now_us()
	};
	const char *server = ae_fact_text(p->about, "server");
	const json_t *address;
	size_t i;

	(void)e;
	f.dead.rc = AE_OK;
	probe_set(p, "answers", f.answers);
	json_array_foreach(ae_fact(p->about, "addresses"), i, address)
	{
		one(&f, address, server);
	}
	/* All is told, should a name server still be waited for below. */
	probe_doing(p, "fetched", server);
	ae_run_fetch_free(f.http);
	ae_ad_free(f.ad);
	ae_gss_cred_free(f.cred);
	return AE_OK;
}
