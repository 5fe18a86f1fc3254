/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Making and ending a connection: GSSAPI with sealing, rootDSE.
 */
#include "ad/ad.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "ad/ldap_int.h"
#include "ad/result.h"
#include "base/str.h"
#include "sys/clock.h"
#include "sys/sock.h"

#define DEFAULT_TIMEOUT 20u
#define SILENCE 5 /* seconds, in the middle of a message */
#define ASKED_MAX (512u * 1024u)
#define MESSAGE_MAX (16u * 1024u * 1024u)
/*
 * Any sealing is reported as at least 56; which cipher it is is the KDC's
 * and krb5.conf's business, no sealing at all is ours.
 */
#define SECPROPS "noplain,noanonymous,minssf=56"
#define SSF_MIN 56u

int
ae_ad_fail(struct ae_ad *ad, int code, struct ae_err *e, const char *fmt, ...)
{
	char quoted[200], *diagnostic = NULL;
	enum ae_rc rc = ae_ad_result_rc(code);
	va_list ap;
	size_t n;

	(void)ad->lib.ldap_get_option(
	    ad->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
	ad->hresult = ae_ad_result_hresult(code, diagnostic);
	if (code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR)
		ad->lost = true;
	if (e != NULL) {
		va_start(ap, fmt);
		(void)ae_vfail(e, rc, AE_DOM_LDAP, code, fmt, ap);
		va_end(ap);
		n = strlen(e->text);
		n += (size_t)snprintf(e->text + n, sizeof(e->text) - n, ": %s",
		    ad->lib.ldap_err2string(code));
		if (diagnostic != NULL && diagnostic[0] != '\0' &&
		    n < sizeof(e->text))
			(void)snprintf(e->text + n, sizeof(e->text) - n,
			    " (%s)",
			    ae_str_quote(quoted, sizeof(quoted), diagnostic,
				strlen(diagnostic)));
	}
	ad->lib.ldap_memfree(diagnostic);
	return rc;
}

int
ae_ad_is_up(const struct ae_ad *ad, struct ae_err *e)
{
	return ad->lost ? ae_fail(e, AE_EUNAVAIL, AE_DOM_LDAP, LDAP_SERVER_DOWN,
			      "the connection was lost")
			: AE_OK;
}

uint32_t
ae_ad_last_hresult(const struct ae_ad *ad)
{
	return ad->hresult;
}

static void
root_done(struct ae_ad_root *r)
{
	free(r->host);
	free(r->default_nc);
	free(r->config_nc);
	free(r->schema_nc);
	free(r->root_domain_nc);
	free(r->ds_service_name);
	free(r->server_name);
}

void
ae_ad_free(struct ae_ad *ad)
{
	if (ad == NULL)
		return;
	ae_ad_ahead_done(ad);
	ae_wr_done(&ad->asked);
	if (ad->ld != NULL)
		(void)ad->lib.ldap_unbind_ext_s(ad->ld, NULL, NULL);
	root_done(&ad->root);
	free(ad->pks_dn);
	free(ad->host);
	free(ad);
}

unsigned int
ae_ad_sent(const struct ae_ad *ad)
{
	return (unsigned int)ad->sent;
}

const struct ae_ad_root *
ae_ad_root(const struct ae_ad *ad)
{
	return &ad->root;
}

const char *
ae_ad_pks_dn(const struct ae_ad *ad)
{
	return ad->pks_dn;
}

/* GSSAPI asks nothing we would not answer with its own default. */
static int
no_questions(LDAP *ld, unsigned int flags, void *arg, void *prompts)
{
	sasl_interact_t *p;

	(void)ld;
	(void)flags;
	(void)arg;
	for (p = prompts; p->id != SASL_CB_LIST_END; p++) {
		p->result = p->defresult != NULL ? p->defresult : "";
		p->len = (unsigned int)strlen(p->result);
	}
	return LDAP_SUCCESS;
}

/*
 * libldap waits for the first byte of a sealed message with a deadline, and
 * then reads the rest of it for as long as it takes.
 */
static int
bound_reads(LDAP *ld, Sockbuf *sb, LDAPURLDesc *url, struct sockaddr *addr,
    struct ldap_conncb *cb)
{
	const struct ae_ad *ad =
	    (const struct ae_ad *)(const void *)((char *)cb -
		offsetof(struct ae_ad, connected));
	int fd = -1;

	(void)ld;
	(void)url;
	(void)addr;
	if (ad->lib.ber_sockbuf_ctrl(sb, LBER_SB_OPT_GET_FD, &fd) == 1 &&
	    fd >= 0)
		ae_sock_silence(fd, SILENCE);
	return 0;
}

static void
closed(LDAP *ld, Sockbuf *sb, struct ldap_conncb *cb)
{
	(void)ld;
	(void)sb;
	(void)cb;
}

static int
set_options(struct ae_ad *ad, struct ae_err *e)
{
	/* Any pointer that is not LDAP_OPT_OFF says on. */
	static const int v3 = LDAP_VERSION3, on = 1;
	const struct {
		int option;
		const void *value;
	} options[] = {
		{ LDAP_OPT_PROTOCOL_VERSION, &v3 },
		{ LDAP_OPT_REFERRALS, LDAP_OPT_OFF },
		{ LDAP_OPT_RESTART, &on },
		{ LDAP_OPT_NETWORK_TIMEOUT, &ad->timeout },
		{ LDAP_OPT_TIMEOUT, &ad->timeout },
		/* The ticket is for the name given, not for what DNS says. */
		{ LDAP_OPT_X_SASL_NOCANON, &on },
		{ LDAP_OPT_X_SASL_SECPROPS, SECPROPS },
		{ LDAP_OPT_CONNECT_CB, &ad->connected },
	};
	ber_len_t max = MESSAGE_MAX;
	Sockbuf *sb = NULL;
	size_t i;

	ad->connected =
	    (struct ldap_conncb){ .lc_add = bound_reads, .lc_del = closed };
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ad->lib.ldap_set_option(ad->ld, options[i].option,
			options[i].value) != LDAP_OPT_SUCCESS)
			return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
			    "libldap refuses option 0x%x",
			    (unsigned int)options[i].option);
	if (ad->lib.ldap_get_option(ad->ld, LDAP_OPT_SOCKBUF, &sb) ==
		LDAP_OPT_SUCCESS &&
	    sb != NULL)
		(void)ad->lib.ber_sockbuf_ctrl(
		    sb, LBER_SB_OPT_SET_MAX_INCOMING, &max);
	return AE_OK;
}

int
ae_ad_new(struct ae_ad **out, const char *host, uint16_t port,
    unsigned int timeout, struct ae_err *e)
{
	struct ae_ad *ad = calloc(1, sizeof(*ad));
	char *uri = NULL;
	int code, rc;

	if (ad == NULL)
		return ae_fail_mem(e);
	ad->timeout.tv_sec = timeout != 0 ? timeout : DEFAULT_TIMEOUT;
	ae_wr_init(&ad->asked, ASKED_MAX);
	ad->host = strdup(host);
	if (ad->host == NULL ||
	    asprintf(&uri, "ldap://%s:%u", host, port != 0 ? port : LDAP_PORT) <
		0)
		rc = ae_fail_mem(e);
	else
		rc = ae_ad_lib_load(&ad->lib, e);
	if (rc == AE_OK) {
		code = ad->lib.ldap_initialize(&ad->ld, uri);
		rc = code == LDAP_SUCCESS
		    ? set_options(ad, e)
		    : ae_fail(e, ae_ad_result_rc(code), AE_DOM_LDAP, code, "%s",
			  ad->lib.ldap_err2string(code));
	}
	free(uri);
	if (rc != AE_OK) {
		ae_ad_free(ad);
		return rc;
	}
	*out = ad;
	return AE_OK;
}

static int
bind_sealed(struct ae_ad *ad, const struct ae_ad_conf *conf, struct ae_err *e)
{
	ber_len_t ssf = 0;
	int code, rc;

	/*
	 * libldap hands a credential on only to a SASL context that it has
	 * not made yet, so GSSAPI is left to find its default.
	 */
	if (conf->cred != NULL &&
	    (rc = ae_gss_cred_default(conf->cred, e)) != AE_OK)
		return rc;
	code = ad->lib.ldap_sasl_interactive_bind_s(ad->ld, NULL, "GSSAPI",
	    NULL, NULL, LDAP_SASL_QUIET, no_questions, NULL);
	if (conf->cred != NULL && (rc = ae_gss_cred_default(NULL, e)) != AE_OK)
		return rc;
	if (code != LDAP_SUCCESS)
		return ae_ad_fail(ad, code, e, "bind");
	if (ad->lib.ldap_get_option(ad->ld, LDAP_OPT_X_SASL_SSF, &ssf) !=
		LDAP_OPT_SUCCESS ||
	    ssf < SSF_MIN)
		return ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
		    "bind: the connection is not sealed");
	return AE_OK;
}

/* A DN or name of the rootDSE into *out; NULL when absent and allowed. */
static int
root_value(char **out, const struct ae_entries *l, const char *name,
    bool needed, struct ae_err *e)
{
	const char *s = NULL;
	int rc;

	rc = ae_entry_str(&l->v[0], name, l->arena, &s, e);
	if (rc == AE_ENOTFOUND && !needed)
		return AE_OK;
	if (rc == AE_ENOTFOUND || (rc == AE_OK && s[0] == '\0'))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "rootDSE: no %s: not a domain controller", name);
	if (rc != AE_OK)
		return ae_note(e, rc, "rootDSE");
	*out = strdup(s);
	return *out != NULL ? AE_OK : ae_fail_mem(e);
}

static int
read_root(struct ae_ad *ad, struct ae_err *e)
{
	static const char *const attrs[] = { "dnsHostName",
		"defaultNamingContext", "configurationNamingContext",
		"schemaNamingContext", "rootDomainNamingContext",
		"dsServiceName", "serverName", "currentTime", NULL };
	struct ae_ad_root *r = &ad->root;
	const struct {
		char **out;
		bool needed;
	} to[] = { { &r->host, false }, { &r->default_nc, true },
		{ &r->config_nc, true }, { &r->schema_nc, true },
		{ &r->root_domain_nc, true }, { &r->ds_service_name, false },
		{ &r->server_name, false } };
	struct ae_entries l = { 0 };
	int64_t now = 0;
	size_t i;
	int rc;

	if ((rc = ae_ad_read(ad, "", attrs, &l, e)) != AE_OK)
		return rc;
	for (i = 0; rc == AE_OK && i < sizeof(to) / sizeof(to[0]); i++)
		rc = root_value(to[i].out, &l, attrs[i], to[i].needed, e);
	if (rc == AE_OK) {
		rc = ae_entry_time(&l.v[0], "currentTime", &now, e);
		r->has_time = rc == AE_OK;
		r->ahead_of_us = now - ae_clock_now();
		if (rc == AE_ENOTFOUND)
			rc = AE_OK;
	}
	ae_entries_done(&l);
	if (rc != AE_OK)
		return rc;
	if (r->host == NULL && (r->host = strdup(ad->host)) == NULL)
		return ae_fail_mem(e);
	if (asprintf(&ad->pks_dn, "CN=Public Key Services,CN=Services,%s",
		r->config_nc) < 0) {
		ad->pks_dn = NULL;
		return ae_fail_mem(e);
	}
	return AE_OK;
}

/* One that was found has its own, shorter, patience. */
static int
adopt(struct ae_ad *ad, const struct ae_ad_conf *conf, struct ae_err *e)
{
	static const int options[] = { LDAP_OPT_NETWORK_TIMEOUT,
		LDAP_OPT_TIMEOUT };
	size_t i;

	ad->timeout.tv_sec =
	    conf->timeout != 0 ? conf->timeout : DEFAULT_TIMEOUT;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ad->lib.ldap_set_option(ad->ld, options[i], &ad->timeout) !=
		    LDAP_OPT_SUCCESS)
			return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
			    "libldap refuses a timeout");
	return AE_OK;
}

int
ae_ad_open(struct ae_ad **out, const struct ae_ad_conf *conf, struct ae_err *e)
{
	struct ae_ad *ad = conf->take_found;
	int rc;

	if (!ae_ad_dns_ok(conf->host)) {
		ae_ad_free(ad);
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the DC's name is not a DNS name");
	}
	if (ad != NULL)
		rc = adopt(ad, conf, e);
	else
		rc = ae_ad_new(&ad, conf->host, conf->port, conf->timeout, e);
	if (rc == AE_OK && (rc = bind_sealed(ad, conf, e)) == AE_OK) {
		if (conf->ahead != NULL)
			ae_ad_ahead_start(ad, conf->ahead, conf->ahead_len);
		rc = read_root(ad, e);
	}
	if (rc != AE_OK) {
		ae_ad_free(ad);
		return ae_note(e, rc, "LDAP at %s", conf->host);
	}
	*out = ad;
	return AE_OK;
}
