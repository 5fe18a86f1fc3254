/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of the other domain controllers, at most three, each in a process of
 * its own: what do they show of templates and CAs?
 *
 *   "replica", in the order of dc.srv: { "host", "templates": as "ad" has
 *   them, "cas": [ { "name", "host", "templates": [ cn ] } ] }; without
 *   templates it was not asked, or did not answer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/keys.h"
#include "ad/ad.h"
#include "ad/pki.h"
#include "ad/principal.h"
#include "base/str.h"
#include "diag/facts.h"
#include "gss/cred.h"
#include "probe.h"
#include "probe_pki.h"

#define OTHERS_MAX 3u
#define SECONDS 4u

/* Is it one of the first that are not the one that "ad" asked? */
static bool
is_to_be_asked(const struct probe *p, const char *host)
{
	const json_t *name;
	size_t i, n = 0;

	json_array_foreach(ae_fact(p->facts, "dc.srv"), i, name)
	{
		if (ae_str_eq_nocase(json_string_value(name),
			ae_fact_text(p->facts, "dc.host")))
			continue;
		if (n++ == OTHERS_MAX)
			return false;
		if (ae_str_eq_nocase(json_string_value(name), host))
			return true;
	}
	return false;
}

static int
token(struct ae_token **out, struct ae_ad *ad, const struct probe *p,
    struct ae_err *e)
{
	const char *principal = ae_fact_text(p->facts, "krb.principal");
	struct ae_principal *me = NULL;
	struct ae_sid *groups = NULL;
	char account[256];
	size_t n = 0;
	int rc;

	(void)snprintf(account, sizeof(account), "%.*s",
	    (int)strcspn(principal, "@"), principal);
	rc = ae_ad_principal_account(&me, ad, account, e);
	if (rc == AE_OK)
		rc = ae_ad_token_groups(&groups, &n, ad, me->dn, e);
	if (rc == AE_OK)
		rc = ae_token_new(out, &me->sid, groups, n, 0, e);
	free(groups);
	ae_principal_free(me);
	return rc;
}

static json_t *
service(const struct ae_enrollment_service *es)
{
	json_t *names = json_array();
	size_t i;

	for (i = 0; i < es->templates.n; i++)
		(void)json_array_append_new(
		    names, client_text(es->templates.v[i]));
	return json_pack("{s:o, s:o, s:o}", "name", client_text(es->cn), "host",
	    client_text(es->dns_host_name == NULL ? "" : es->dns_host_name),
	    "templates", names);
}

static int
see(struct ae_ad *ad, const struct ae_token *me, struct probe *p,
    struct ae_err *e)
{
	json_t *templates, *cas, *j;
	struct ae_providers here;
	struct ae_pki *pki = NULL;
	size_t i;
	int rc = ae_ad_pki_read(
	    &pki, ad, AE_PKI_TEMPLATES | AE_PKI_SERVICES | AE_PKI_OIDS, e);

	if (rc != AE_OK)
		return rc;
	keys_at_hand(&here, &p->cli->c);
	templates = json_array();
	cas = json_array();
	for (i = 0; i < pki->ntemplates; i++) {
		j = probe_pki_template_new(pki->templates[i]);
		probe_pki_template(j, pki->templates[i], pki, me, &here);
		(void)json_array_append_new(templates, j);
	}
	for (i = 0; i < pki->nservices; i++)
		(void)json_array_append_new(cas, service(pki->services[i]));
	probe_set(p, "templates", templates);
	probe_set(p, "cas", cas);
	ae_pki_free(pki);
	return AE_OK;
}

int
probe_replica(struct probe *p, struct ae_err *e)
{
	struct ae_ad_conf conf = { .host = json_string_value(p->about),
		.timeout = SECONDS };
	struct ae_gss_cred *cred = NULL;
	struct ae_token *me = NULL;
	struct ae_ad *ad = NULL;
	int rc;

	if (conf.host == NULL || !is_to_be_asked(p, conf.host))
		return AE_OK;
	probe_set(p, "host", client_text(conf.host));
	probe_doing(p, "replica", conf.host);
	rc = ae_gss_cred_ccache(&cred, probe_ccache(p), e);
	conf.cred = cred;
	if (rc == AE_OK)
		rc = ae_ad_open(&ad, &conf, e);
	if (rc == AE_OK)
		rc = token(&me, ad, p, e);
	if (rc == AE_OK)
		rc = see(ad, me, p, e);
	if (ad != NULL)
		probe_asked(p, "ldap", ae_ad_sent(ad));
	ae_token_free(me);
	ae_ad_free(ad);
	ae_gss_cred_free(cred);
	return rc;
}
