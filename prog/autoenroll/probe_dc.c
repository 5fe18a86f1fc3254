/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probes of the domain: which controllers DNS names and which answer; the
 * tickets that the KDC gives.
 *
 *   "dc": { "domain", "resolvers": [ address ], "srv": [ host ],
 *           "srv_error": error, "dcs": [ { "host", "ms", "error", "site",
 *           "flags" } ], "host", "site", "writable": bool }
 *   "krb": { "fresh": { "ms", "error" }, "principal", "source": "keytab" |
 *            "cache", "auth_time", "expires", "groups": [ SID ],
 *            "groups_error", "cache": "none" | "expired", "account_known":
 *            bool: of a user of /etc/passwd without a ticket }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ad/locate.h"
#include "base/sid.h"
#include "base/time.h"
#include "diag/facts.h"
#include "gss/caller.h"
#include "gss/cred.h"
#include "gss/look.h"
#include "probe.h"
#include "sys/clock.h"

#define DCS_ASKED 4u
#define PING_SECONDS 2u

static void
resolvers(struct probe *p)
{
	json_t *list = json_array();
	char line[512], address[128];
	FILE *f = fopen("/etc/resolv.conf", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " nameserver %127s", address) == 1)
			(void)json_array_append_new(list, client_text(address));
	if (f != NULL)
		(void)fclose(f);
	probe_set(p, "resolvers", list);
}

static void
ask_dc(struct probe *p, json_t *list, const char *host, const char *domain)
{
	struct ae_ad_ping answer;
	struct ae_err e = AE_ERR_INIT;
	int64_t start = probe_now_us();
	json_t *j = json_pack("{s:s}", "host", host);
	int rc;

	probe_doing(p, "cldap", host);
	rc = ae_ad_ping(&answer, host, domain, PING_SECONDS, &e);
	probe_asked(p, "ldap", 1);
	(void)json_object_set_new(j, "ms", json_real(probe_ms(start)));
	if (rc != AE_OK) {
		(void)json_object_set_new(j, "error", probe_error(&e));
	} else {
		(void)json_object_set_new(
		    j, "site", client_text(answer.client_site));
		(void)json_object_set_new(
		    j, "flags", json_integer(answer.flags));
		if (ae_fact(p->mine, "host") == NULL) {
			probe_set(p, "host", client_text(answer.host));
			probe_set(p, "site", client_text(answer.client_site));
			probe_set(p, "writable",
			    json_boolean(
				(answer.flags & AE_AD_DS_WRITABLE) != 0));
		}
	}
	(void)json_array_append_new(list, j);
}

int
probe_dc(struct probe *p, struct ae_err *e)
{
	struct ae_ad_srv v[AE_AD_DCS_MAX];
	const char *realm = ae_fact_text(p->facts, "host.realm");
	char domain[256];
	json_t *names = json_array(), *dcs = json_array();
	uint64_t seed = ae_random_u64();
	size_t n = 0, i;
	int rc;

	for (i = 0; i < sizeof(domain) - 1 && realm[i] != '\0'; i++)
		domain[i] = (char)((realm[i] >= 'A' && realm[i] <= 'Z')
			? realm[i] + ('a' - 'A')
			: realm[i]);
	domain[i] = '\0';
	probe_set(p, "domain", client_text(domain));
	probe_set(p, "srv", names);
	probe_set(p, "dcs", dcs);
	resolvers(p);
	probe_doing(p, "srv", domain);
	rc = ae_ad_srv_lookup(v, &n, domain, NULL, e);
	if (rc != AE_OK) {
		probe_set(p, "srv_error", probe_error(e));
		return rc;
	}
	ae_ad_srv_order(v, n, &seed);
	for (i = 0; i < n; i++)
		(void)json_array_append_new(names, client_text(v[i].host));
	for (i = 0; i < n && i < DCS_ASKED && ae_fact(p->mine, "host") == NULL;
	     i++)
		ask_dc(p, dcs, v[i].host, domain);
	return ae_fact(p->mine, "host") != NULL
	    ? AE_OK
	    : ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		  "no domain controller of %s answers", domain);
}

/* What services will see of us: the groups of the moment of the ticket. */
static void
see_groups(struct probe *p, const struct ae_gss_cred *cred)
{
	struct ae_caller *me = NULL;
	struct ae_err e = AE_ERR_INIT;
	char sid[AE_SID_STR_MAX], when[AE_TIME_STR_MAX];
	json_t *list = json_array();
	size_t i;

	if (ae_caller_own(&me, cred, &e) != AE_OK) {
		probe_set(p, "groups_error", probe_error(&e));
		json_decref(list);
		return;
	}
	for (i = 0; i < me->nsids; i++)
		(void)json_array_append_new(
		    list, json_string(ae_sid_print(sid, &me->sids[i])));
	probe_set(p, "groups", list);
	probe_set(
	    p, "auth_time", json_string(ae_time_print(when, me->auth_time)));
	ae_caller_free(me);
}

/* Why has he none: is there such an account in the domain at all? */
static void
without_ticket(struct probe *p)
{
	const char *name = ae_fact_text(p->facts, "host.session.name");
	char principal[600];
	int rc;

	probe_set(p, "cache",
	    json_string(
		ae_gss_ccache_copy(probe_ccache(p) + 5, NULL, NULL) == AE_OK
		    ? "expired"
		    : "none"));
	if (!ae_fact_yes(p->facts, "host.session.local"))
		return;
	(void)snprintf(principal, sizeof(principal), "%s@%s", name,
	    ae_fact_text(p->facts, "host.realm"));
	probe_doing(p, "known", principal);
	rc = ae_gss_account_known(principal, NULL);
	if (rc == AE_OK || rc == AE_ENOTFOUND)
		probe_set(p, "account_known", json_boolean(rc == AE_OK));
}

static int
users_ticket(struct ae_gss_cred **cred, struct probe *p, struct ae_err *e)
{
	int rc = ae_gss_cred_ccache(cred, NULL, e);

	if (rc != AE_OK)
		without_ticket(p);
	else
		rc = ae_gss_ccache_copy(probe_ccache(p) + 5, NULL, e);
	if (rc == AE_OK)
		probe_set(p, "source", json_string("cache"));
	return rc;
}

/*
 * Does the keytab open the door, and is what the runs use as good?  Theirs
 * may be hours old and is what a CA would see.
 */
static int
machines_ticket(struct ae_gss_cred **cred, struct probe *p, struct ae_err *e)
{
	const char *realm = ae_fact_text(p->facts, "host.realm");
	const char *account = ae_fact_text(p->facts, "host.principal");
	struct ae_err why = AE_ERR_INIT;
	char name[4096 + 8], principal[600];
	int64_t start = probe_now_us();
	struct ae_gss_cred *fresh = NULL;
	int rc;

	(void)snprintf(principal, sizeof(principal), "%s%s%s", account,
	    strchr(account, '@') == NULL ? "@" : "",
	    strchr(account, '@') == NULL ? realm : "");
	rc = ae_gss_cred_keytab(
	    &fresh, p->cli->c.keytab, principal, probe_ccache(p), &why);
	probe_set(p, "fresh",
	    rc == AE_OK ? json_pack("{s:f}", "ms", probe_ms(start))
			: json_pack("{s:f, s:o}", "ms", probe_ms(start),
			      "error", probe_error(&why)));
	(void)snprintf(name, sizeof(name), "FILE:%s", p->cli->c.ccache);
	if (ae_gss_cred_ccache(cred, name, NULL) == AE_OK) {
		probe_set(p, "source", json_string("cache"));
		if (rc == AE_OK) {
			ae_gss_cred_free(fresh);
			return AE_OK;
		}
		return ae_gss_ccache_copy(probe_ccache(p) + 5, name, e);
	}
	if (rc != AE_OK) {
		*e = why;
		return rc;
	}
	probe_set(p, "source", json_string("keytab"));
	*cred = fresh;
	return AE_OK;
}

int
probe_krb(struct probe *p, struct ae_err *e)
{
	struct ae_gss_cred *cred = NULL;
	char when[AE_TIME_STR_MAX];
	int rc;

	probe_doing(p, "ticket", ae_fact_text(p->facts, "host.realm"));
	rc = p->cli->c.user ? users_ticket(&cred, p, e)
			    : machines_ticket(&cred, p, e);
	if (rc != AE_OK)
		return rc;
	probe_doing(p, "pac", NULL);
	see_groups(p, cred);
	probe_set(p, "expires",
	    json_string(ae_time_print(when, ae_gss_cred_expires(cred))));
	/* Last: whoever needs a ticket waits for this. */
	probe_set(p, "principal", client_text(ae_gss_cred_principal(cred)));
	ae_gss_cred_free(cred);
	return AE_OK;
}
