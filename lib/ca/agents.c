/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests on behalf of others: an enrollment agent asks for somebody
 * (MS-WCCE 3.2.2.6.2.1.2.1), or a certificate is renewed by other hands than
 * its owner's (3.2.2.6.2.1.2.4).
 */
#include <string.h>

#include "base/breaks.h"
#include "ca/rights.h"
#include "ca/work.h"
#include "db/db.h"
#include "pki/cert.h"
#include "pki/oid.h"
#include "wcce/icpr.h"

#define BEHALF_MAX 256 /* bytes of "DOMAIN\\account" */

#define SECTION_BEHALF "MS-WCCE 3.2.2.6.2.1.2.1"
#define SECTION_ROBO "MS-WCCE 3.2.2.6.2.1.2.4"

/* ---- enrollment agents ---- */

/*
 * The name in what the agent signed: RegInfo of a CMC, or the authenticated
 * attribute of the first signer of a CMS, which then must be the agent
 * (*by).  Two of them are none.
 */
static const char *
behalf_name(const struct ae_request *r, const struct ae_cert **by, bool *twice)
{
	const char *name =
	    ae_pairs_get(r->reginfo, r->nreginfo, "requestername");
	const char *other;
	size_t i;

	*by = NULL;
	*twice = false;
	for (i = 0; i < r->nsigners; i++) {
		other = ae_pairs_get(
		    r->signers[i].pairs, r->signers[i].npairs, "requestername");
		if (other == NULL)
			continue;
		*twice = *twice || name != NULL || i > 0;
		name = other;
		*by = r->signers[i].cert;
	}
	*twice = *twice ||
	    (name != NULL && r->form == AE_REQUEST_CMS && *by == NULL);
	return name;
}

/* A good certificate of the caller's with the agent's usage; by: this one. */
static const struct ae_ca_signer *
find_agent(
    const struct ae_ca_work *w, const struct ae_cert *by, const char **why)
{
	const struct ae_ca_signer *s;
	size_t i;

	*why = "no certificate of an enrollment agent signed it";
	for (i = 0; i < w->nsigners; i++) {
		s = &w->signers[i];
		if (s == w->renews || (by != NULL && s->cert != by) ||
		    (!ae_cert_allows(s->cert, AE_OID_EKU_ENROLLMENT_AGENT) &&
			!AE_BREAK(esc3_usage)))
			continue;
		if (s->wrong != NULL)
			*why = s->wrong;
		else if (!ae_ca_signer_is(s, &w->in->caller->user) &&
		    !AE_BREAK(esc3_whose))
			*why = "the agent's certificate is somebody else's";
		else
			return s;
	}
	return NULL;
}

/* MS-WCCE 3.2.2.6.2.1.2.1: an agent asks for somebody else. */
int
ae_ca_check_on_behalf(struct ae_ca_work *w)
{
	const struct ae_ca_requester *who = &w->answers->subject;
	const struct ae_cert *by;
	const char *name, *why, *cut;
	bool twice;
	int step;

	w->prefix = "Denied by Policy Module";
	name = behalf_name(w->req, &by, &twice);
	if (name == NULL)
		return AE_CA_GO;
	cut = strchr(name, '\\');
	if (twice || strlen(name) > BEHALF_MAX || cut == NULL || cut == name ||
	    cut[1] == '\0' || strchr(cut + 1, '\\') != NULL)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_RESTRICTEDOFFICER,
		    "deny.restricted-ea", SECTION_BEHALF,
		    "%s is not one requestername of the form DOMAIN\\account",
		    ae_ca_quote(w, name));
	if (w->renews != NULL || find_agent(w, by, &why) == NULL)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_RESTRICTEDOFFICER,
		    "deny.restricted-ea", SECTION_BEHALF,
		    "not on behalf of %s: %s", ae_ca_quote(w, name),
		    w->renews != NULL ? "it is a renewal" : why);
	w->d->ask_subject = w->d->on_behalf = ae_arena_strdup(w->a, name);
	if (w->d->on_behalf == NULL)
		return ae_fail_mem(w->e);
	w->d->request_flags |= AE_CR_FLG_ENROLLONBEHALFOF;
	step = ae_ca_ask(w, AE_CA_ASK_SUBJECT, SECTION_BEHALF);
	if (step != AE_CA_GO)
		return step;
	if (!who->found)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_NO_SUCH_USER,
		    "deny.requester-lookup", SECTION_BEHALF,
		    "the directory has no account %s", ae_ca_quote(w, name));
	w->who = who;
	w->sid = w->d->ask_sid = &who->sid;
	ae_ca_pass(w, "request.on-behalf", SECTION_BEHALF,
	    "%s, an enrollment agent, asks for %s",
	    ae_ca_quote(w, w->d->requester), ae_ca_quote(w, name));
	return AE_CA_GO;
}

/*
 * The template must be one that says so: one that demands an agent's
 * signature, or one too old to be able to.  And the CA's own list must let
 * this agent enroll that account for it.
 */
int
ae_ca_check_agent(struct ae_ca_work *w)
{
	const struct ae_template *t = w->t;
	const struct ae_ca_requester *o = w->who;
	const struct ae_ca_right *by;

	if (!(w->d->request_flags & AE_CR_FLG_ENROLLONBEHALFOF))
		return AE_CA_GO;
	if (t->schema_version > 1 &&
	    (t->ra_signature == 0 ||
		!ae_strv_has(
		    &t->ra_application_policies, AE_OID_EKU_ENROLLMENT_AGENT)))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_BAD_RENEWAL_SUBJECT,
		    "deny.restricted-ea", SECTION_BEHALF,
		    "template %s does not ask for the signature of an "
		    "enrollment agent, so nobody gets it for somebody else",
		    ae_ca_quote(w, t->cn));
	if (w->cfg->agent_rights == NULL || AE_BREAK(esc3_rights))
		return AE_CA_GO;
	if (!ae_ca_rights_allow(
		w->cfg->agent_rights, w->token, t, o->sids, o->nsids, &by))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_RESTRICTEDOFFICER,
		    "deny.restricted-ea", SECTION_BEHALF,
		    "the CA's list of enrollment agents %s %s enroll %s for "
		    "template %s",
		    by == NULL ? "does not let" : "forbids that",
		    ae_ca_quote(w, w->d->requester),
		    ae_ca_quote(w, w->d->on_behalf), ae_ca_quote(w, t->cn));
	ae_ca_pass(w, "request.agent-rights", SECTION_BEHALF,
	    "the CA's list of enrollment agents lets %s enroll %s for "
	    "template %s",
	    ae_ca_quote(w, w->d->requester), ae_ca_quote(w, w->d->on_behalf),
	    ae_ca_quote(w, t->cn));
	return AE_CA_GO;
}

/* ---- renewals by other hands ---- */

/* Whose certificate it is, by its SID or its row's; NULL: nobody's. */
static const char *
owner_sid(struct ae_ca_work *w)
{
	const struct ae_ca_signer *s = w->renews;
	char text[AE_SID_STR_MAX];

	if (s->cert->x.has_sid)
		return ae_arena_strdup(
		    w->a, ae_sid_print(text, &s->cert->x.sid));
	/* an agent's row names the agent */
	return s->row->on_behalf == NULL ? s->row->sid : NULL;
}

/* The owner, as the directory has him, asks from here on. */
static int
take_owner(struct ae_ca_work *w)
{
	const struct ae_ca_requester *o = &w->answers->subject;
	char sid[AE_SID_STR_MAX];
	int rc;

	if (!o->found)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_NO_SUCH_USER,
		    "deny.requester-lookup", SECTION_ROBO,
		    "the directory has no account with the SID %s",
		    w->d->ask_subject);
	if (strcmp(ae_sid_print(sid, &o->sid), w->d->ask_subject) != 0)
		return ae_ca_stop(w, AE_CA_FAIL, AE_HR_E_UNEXPECTED,
		    "deny.requester-lookup", SECTION_ROBO,
		    "the directory answered with somebody else's object");
	w->d->on_behalf = ae_arena_printf(w->a, "%s\\%s",
	    o->domain_netbios == NULL ? "" : o->domain_netbios,
	    o->account == NULL ? "" : o->account);
	if (w->d->on_behalf == NULL)
		return ae_fail_mem(w->e);
	/* no KDC looked whether he may log on */
	if (o->disabled)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_E_ACCESSDENIED,
		    "deny.access-denied", SECTION_ROBO,
		    "the account %s is disabled",
		    ae_ca_quote(w, w->d->on_behalf));
	ae_token_free(w->token);
	w->token = NULL;
	rc = ae_token_exact(&w->token, o->sids, o->nsids, w->e);
	if (rc < 0)
		return rc;
	w->who = o;
	w->sid = w->d->ask_sid = &o->sid;
	w->enrolls = w->d->on_behalf;
	return AE_CA_GO;
}

/*
 * The key that signed is the authentication, whoever brought the request;
 * the owner's permissions are those that the directory gives him.
 */
int
ae_ca_check_robo(struct ae_ca_work *w)
{
	int step;

	if (!(w->in->request->flags & AE_CR_IN_ROBO))
		return AE_CA_GO;
	if (w->renews == NULL)
		return ae_ca_stop(w, AE_CA_FAIL,
		    AE_HR_BAD_RENEWAL_CERT_ATTRIBUTE, "deny.renewal-attr",
		    SECTION_ROBO, "a renewal on behalf that renews nothing");
	w->d->ask_subject = owner_sid(w);
	if (w->d->ask_subject == NULL)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_NO_SUCH_USER,
		    "deny.requester-lookup", SECTION_ROBO,
		    "the certificate to be renewed does not say whose it is");
	step = ae_ca_ask(w, AE_CA_ASK_SUBJECT, SECTION_ROBO);
	if (step == AE_CA_GO)
		step = take_owner(w);
	if (step == AE_CA_GO)
		step = ae_ca_check_ca_permission(w);
	if (step == AE_CA_GO)
		ae_ca_pass(w, "request.renew-on-behalf", SECTION_ROBO,
		    "%s brings the renewal of %s, whose old key signed it",
		    ae_ca_quote(w, w->d->requester),
		    ae_ca_quote(w, w->d->on_behalf));
	return step;
}
