/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Connections for commands; see session.h.
 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/clock.h"

int
session_ticket(struct session *s, const struct cli *cli, struct ae_err *e)
{
	char principal[256];
	int rc;

	if (geteuid() != 0 || getenv("KRB5CCNAME") != NULL) {
		rc = ae_gss_cred_ccache(&s->cred, NULL, e);
		return rc == AE_OK
		    ? AE_OK
		    : ae_note(e, rc, "using your Kerberos ticket");
	}
	rc = client_principal(&cli->c, principal, sizeof(principal), e);
	if (rc == AE_OK)
		rc = ae_gss_cred_keytab(
		    &s->cred, cli->c.keytab, principal, "MEMORY:autoenroll", e);
	return rc == AE_OK
	    ? AE_OK
	    : ae_note(e, rc, "getting a ticket for this machine");
}

int
session_open(struct session *s, const struct cli *cli, struct ae_err *e)
{
	int rc = session_ticket(s, cli, e);

	return rc == AE_OK ? session_connect(s, e) : rc;
}

int
session_connect(struct session *s, struct ae_err *e)
{
	struct ae_ad_conf conf = { .cred = s->cred };
	const char *realm;

	realm = strrchr(ae_gss_cred_principal(s->cred), '@');
	if (realm == NULL)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "the ticket's principal has no realm");
	return ae_ad_locate_open(
	    &s->ad, &s->dc, realm + 1, &conf, ae_random_u64(), e);
}

int
session_cas(
    struct session *s, const char *config, size_t *index, struct ae_err *e)
{
	char name[1024];
	size_t i;
	int rc;

	rc = ae_ad_pki_read(&s->pki, s->ad, AE_PKI_SERVICES, e);
	if (rc != AE_OK)
		return rc;
	*index = 0;
	if (s->pki->nservices == 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "the forest has no enterprise certification authority "
		    "(CN=Enrollment Services is empty)");
	for (i = 0; config != NULL && i < s->pki->nservices; i++) {
		const struct ae_enrollment_service *es = s->pki->services[i];

		(void)snprintf(name, sizeof(name), "%s\\%s",
		    es->dns_host_name == NULL ? "" : es->dns_host_name, es->cn);
		if (ae_str_eq_nocase(name, config)) {
			*index = i;
			return AE_OK;
		}
	}
	return config == NULL ? AE_OK
			      : ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
				    "no CA '%s'; 'autoenroll ca list' shows "
				    "them",
				    config);
}

void
session_done(struct session *s)
{
	ae_pki_free(s->pki);
	ae_ad_free(s->ad);
	ae_gss_cred_free(s->cred);
	memset(s, 0, sizeof(*s));
}
