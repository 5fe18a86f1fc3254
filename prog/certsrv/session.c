/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Connecting to the directory; names and SIDs.
 */
#include "session.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ad/escape.h"
#include "ad/locate.h"
#include "ad/principal.h"
#include "base/wr.h"
#include "sys/clock.h"
#include "wcce/name.h"

#define LDAP_TIMEOUT 10

/* clang-format off */
/* MS-DTYP 2.4.2.4: those a descriptor of a CA is likely to name. */
static const struct {
	const char *sid, *name;
} well_known[] = {
	{ "S-1-1-0", "Everyone" },
	{ "S-1-5-9", "Enterprise Domain Controllers" },
	{ "S-1-5-11", "Authenticated Users" },
	{ "S-1-5-18", "SYSTEM" },
	{ "S-1-5-32-544", "Administrators" },
	{ "S-1-5-32-545", "Users" },
};
/* clang-format on */

/* "ca1.example.com" is the account CA1$. */
static void
account_name(char out[32], const struct conf *c)
{
	size_t i;

	if (c->account != NULL) {
		(void)snprintf(out, 32, "%s", c->account);
		return;
	}
	for (i = 0; i < 15 && c->dns_name[i] != '.' && c->dns_name[i] != '\0';
	     i++)
		out[i] = (char)toupper((unsigned char)c->dns_name[i]);
	out[i++] = '$';
	out[i] = '\0';
}

static int
credential(struct session *s, const struct conf *c, struct ae_err *e)
{
	char account[32];
	int rc;

	if (access(c->krb5_conf, R_OK) == 0)
		(void)setenv("KRB5_CONFIG", c->krb5_conf, 0);
	rc = ae_gss_cred_ccache(&s->cred, NULL, e);
	if (rc != AE_EAUTH)
		return rc;
	account_name(account, c);
	rc = ae_gss_cred_keytab(
	    &s->cred, c->keytab, account, "MEMORY:certsrv", e);
	return rc == AE_OK
	    ? rc
	    : ae_note(e, rc, "you have no Kerberos ticket, and as %s", account);
}

static int
connect_dc(struct session *s, const struct conf *c, struct ae_err *e)
{
	struct ae_ad_conf conf = { .timeout = LDAP_TIMEOUT, .cred = s->cred };
	const char *dot = strchr(c->dns_name, '.');
	struct ae_ad_ping ping;
	int rc = AE_OK;

	conf.host = c->server;
	if (c->server == NULL) {
		rc = ae_ad_locate(&ping,
		    c->domain != NULL ? c->domain
			: dot != NULL ? dot + 1
				      : c->dns_name,
		    NULL, NULL, ae_random_u64(), e);
		conf.host = ping.host;
	}
	return rc == AE_OK ? ae_ad_open(&s->ad, &conf, e) : rc;
}

/* Our object: cn is the sanitized short name (MS-WCCE 2.2.2.11.2). */
static int
find_service(struct session *s, const struct conf *c, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(1 << 16);
	const char *cn = a == NULL ? NULL : ae_wcce_sanitize_short(a, c->name);
	size_t i;

	for (i = 0; cn != NULL && i < s->pki->nservices; i++)
		if (ae_str_eq_nocase(s->pki->services[i]->cn, cn))
			s->service = s->pki->services[i];
	ae_arena_free(a);
	return s->service != NULL
	    ? AE_OK
	    : ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		  "the directory has no enrollment service \"%s\": run "
		  "certsrv setup",
		  c->name);
}

int
session_open(
    struct session *s, struct cli *cli, unsigned parts, struct ae_err *e)
{
	int rc;

	memset(s, 0, sizeof(*s));
	rc = cli_conf(cli, e);
	if (rc == AE_OK)
		rc = credential(s, &cli->conf, e);
	if (rc == AE_OK)
		rc = connect_dc(s, &cli->conf, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "connecting to the directory");
	if (parts != 0)
		rc = ae_ad_pki_read(&s->pki, s->ad, parts, e);
	if (rc == AE_OK && (parts & AE_PKI_SERVICES))
		rc = find_service(s, &cli->conf, e);
	return rc;
}

void
session_done(struct session *s)
{
	ae_pki_free(s->pki);
	ae_ad_free(s->ad);
	ae_gss_cred_free(s->cred);
	memset(s, 0, sizeof(*s));
}

/* "PC1$@EXAMPLE.COM", as Kerberos and diagnose call it, is PC1$ of here. */
static size_t
without_realm(struct session *s, const char *name)
{
	const char *at = strrchr(name, '@');
	struct ae_ad_domain domain;

	if (at == NULL || ae_ad_domain(&domain, s->ad, NULL) != AE_OK ||
	    !ae_str_eq_nocase(at + 1, domain.dns))
		return strlen(name);
	return (size_t)(at - name);
}

int
session_sid(
    struct session *s, const char *who, struct ae_sid *sid, struct ae_err *e)
{
	static const char *const attrs[] = { "objectSid", NULL };
	const char *slash = strrchr(who, '\\');
	const char *name = slash == NULL ? who : slash + 1;
	struct ae_ad_query q = { .scope = AE_AD_SUB, .attrs = attrs, .max = 2 };
	struct ae_entries found = { 0 };
	struct ae_wr filter;
	size_t i;
	int rc;

	if (ae_sid_parse(sid, who))
		return AE_OK;
	for (i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++)
		if (ae_str_eq_nocase(well_known[i].name, name))
			return ae_sid_parse(sid, well_known[i].sid)
			    ? AE_OK
			    : AE_EINTERNAL;
	ae_wr_init(&filter, 2048);
	ae_wr_str(&filter, "(&(objectSid=*)(sAMAccountName=");
	ae_ad_put_filter_value(&filter, name, without_realm(s, name));
	ae_wr_str(&filter, "))");
	q.base = ae_ad_root(s->ad)->default_nc;
	q.filter = ae_wr_cstr(&filter);
	rc = q.filter == NULL ? ae_fail_mem(e)
			      : ae_ad_search(s->ad, &q, &found, e);
	ae_wr_done(&filter);
	if (rc == AE_OK && found.n != 1)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "the domain has no account \"%s\"", who);
	if (rc == AE_OK)
		rc = ae_entry_sid(&found.v[0], "objectSid", sid, e);
	ae_entries_done(&found);
	return rc;
}

const char *
session_name(struct session *s, const struct ae_sid *sid, char *out, size_t len)
{
	static const char *const attrs[] = { "sAMAccountName", NULL };
	char text[AE_SID_STR_MAX], base[AE_SID_STR_MAX + 8];
	struct ae_entries found = { 0 };
	const struct ae_attr *at;
	size_t i;

	ae_sid_print(text, sid);
	(void)snprintf(out, len, "%s", text);
	for (i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++)
		if (strcmp(well_known[i].sid, text) == 0)
			(void)snprintf(out, len, "%s", well_known[i].name);
	if (s->ad == NULL || strcmp(out, text) != 0)
		return out;
	(void)snprintf(base, sizeof(base), "<SID=%s>", text);
	if (ae_ad_read(s->ad, base, attrs, &found, NULL) == AE_OK &&
	    found.n == 1 &&
	    (at = ae_entry_get(&found.v[0], "sAMAccountName")) != NULL)
		(void)snprintf(out, len, "%.*s", (int)at->v[0].len, at->v[0].p);
	ae_entries_done(&found);
	return out;
}
