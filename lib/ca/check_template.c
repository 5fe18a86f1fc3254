/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The template: which one is meant, whether this CA offers it, whether the
 * caller may have it, and whether request and key are what it demands
 * (MS-WCCE 3.2.2.6.2.1.4.1 to .5.8).
 */
#include <stdlib.h>
#include <string.h>

#include "ad/pki.h"
#include "base/breaks.h"
#include "ca/work.h"
#include "pki/cert.h"
#include "pki/oid.h"

/*
 * The CA versions a template may ask for (bits 16-19 of the private key
 * flag): 6 is Windows Server 2016, whose template features this CA has.
 */
#define SERVER_VERSION 6

#define SECTION_WHICH "MS-WCCE 3.2.2.6.2.1.4.1"

static int
deny(struct ae_ca_work *w, uint32_t hr, const char *check, const char *section,
    const char *text)
{
	return ae_ca_stop(w, AE_CA_DENY, hr, check, section, "%s", text);
}

/* By cn or by OID. */
static const struct ae_template *
find(const struct ae_ca_templates *set, const char *name)
{
	const struct ae_template *t;
	size_t i;

	for (i = 0; i < set->n; i++) {
		t = set->v[i];
		if (ae_str_eq_nocase(t->cn, name) ||
		    (t->oid != NULL && strcmp(t->oid, name) == 0))
			return t;
	}
	return NULL;
}

/* The four places a request can name its template in, and RegInfo. */
struct named {
	const char *where;
	const char *name;
};

static size_t
collect(const struct ae_ca_work *w, struct named out[5])
{
	const struct ae_request *r = w->req;
	const struct named all[] = {
		{ "the template name extension", r->csr->x.template_name },
		{ "the template extension", r->csr->x.template_oid },
		{ "the request's name-value pair",
		    ae_pairs_get(
			r->csr->pairs, r->csr->npairs, "CertificateTemplate") },
		{ "RegInfo",
		    ae_pairs_get(
			r->reginfo, r->nreginfo, "CertificateTemplate") },
		{ "the request attributes",
		    ae_wcce_attrs_get(&w->d->attrs, "certificatetemplate") },
	};
	size_t i, n = 0;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].name != NULL)
			out[n++] = all[i];
	return n;
}

static int
check_which(struct ae_ca_work *w)
{
	const struct ae_template *t;
	struct named v[5];
	size_t i, n = collect(w, v);

	w->prefix = "Denied by Policy Module";
	if (n == 0)
		return deny(w, AE_HR_NO_CERT_TYPE, "deny.no-template-info",
		    SECTION_WHICH, "the request names no template");
	for (i = 0; i < n; i++) {
		t = find(w->in->templates, v[i].name);
		if (t == NULL)
			return ae_ca_stop(w, AE_CA_DENY,
			    AE_HR_UNSUPPORTED_CERT_TYPE,
			    "deny.template-not-supported", SECTION_WHICH,
			    "there is no template %s, named in %s",
			    ae_ca_quote(w, v[i].name), v[i].where);
		if (w->t != NULL && w->t != t)
			return ae_ca_stop(w, AE_CA_DENY,
			    AE_HR_TEMPLATE_CONFLICT, "deny.template-conflict",
			    SECTION_WHICH, "%s names template %s, %s %s",
			    v[0].where, ae_ca_quote(w, w->t->cn), v[i].where,
			    ae_ca_quote(w, t->cn));
		w->t = t;
	}
	return AE_CA_GO;
}

/* MS-WCCE 3.2.2.6.2.1.4.7 */
static int
check_offered(struct ae_ca_work *w)
{
	static const char section[] = "MS-WCCE 3.2.2.6.2.1.4.7";

	if (!ae_strv_has_nocase(w->in->templates->published, w->t->cn) &&
	    !AE_BREAK(template_offered))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_UNSUPPORTED_CERT_TYPE,
		    "deny.template-not-supported", section,
		    "this CA does not offer template %s",
		    ae_ca_quote(w, w->t->cn));
	if (w->t->schema_version < 1 || w->t->schema_version > 4 ||
	    (w->t->schema_version > 1 && w->t->oid == NULL) ||
	    w->t->validity <= 0)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_UNSUPPORTED_CERT_TYPE,
		    "deny.template-not-supported", section,
		    "template %s cannot be used: schema %u, OID %s, validity "
		    "%lld s",
		    ae_ca_quote(w, w->t->cn), w->t->schema_version,
		    ae_ca_quote(w, w->t->oid), (long long)w->t->validity);
	ae_ca_pass(w, "template.offered", section,
	    "template %s is offered here", ae_ca_quote(w, w->t->cn));
	return AE_CA_GO;
}

/* MS-WCCE 3.2.2.6.2.1.4.2: not newer than what this CA knows. */
static int
check_version(struct ae_ca_work *w)
{
	const struct ae_exts *x = &w->req->csr->x;
	const uint32_t major = x->has_template_major ? x->template_major : 0;
	const uint32_t minor = x->has_template_minor ? x->template_minor : 0;

	if (w->t->schema_version < 2 || major < w->t->revision ||
	    (major == w->t->revision && minor <= w->t->minor_revision))
		return AE_CA_GO;
	return ae_ca_stop(w, AE_CA_DENY, AE_HR_BAD_TEMPLATE_VERSION,
	    "deny.template-version", "MS-WCCE 3.2.2.6.2.1.4.2",
	    "the request is for version %u.%u of template %s, known is %u.%u",
	    major, minor, ae_ca_quote(w, w->t->cn), w->t->revision,
	    w->t->minor_revision);
}

/*
 * Renewals that need no Enroll permission (MS-WCCE 3.2.2.6.2.1.4.5.6,
 * ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL): whoever has the old certificate
 * gets one with the same names.
 */
static bool
by_key(const struct ae_ca_work *w)
{
	const uint32_t flags = AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT |
	    AE_CT_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL;

	return w->renews != NULL && w->t->schema_version > 1 &&
	    (w->t->enrollment_flag & flags) == flags &&
	    (w->t->name_flag & AE_CT_ENROLLEE_SUPPLIES_SUBJECT) != 0;
}

/*
 * MS-WCCE 3.2.2.6.2.1.4.3; with the groups of the PAC and nothing else,
 * unless a renewal came by other hands.
 */
static int
permission(struct ae_ca_work *w)
{
	static const char section[] = "MS-WCCE 3.2.2.6.2.1.4.3";

	if (!ae_sd_can_enroll(w->t->sd, w->token) && !AE_BREAK(enroll_right))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_TEMPLATE_DENIED,
		    "deny.template-no-enroll", section,
		    "the permissions of template %s do not let %s enroll, with "
		    "the groups of the ticket",
		    ae_ca_quote(w, w->t->cn), ae_ca_quote(w, w->enrolls));
	ae_ca_pass(w, "template.enroll-right", section, "%s may enroll for %s",
	    ae_ca_quote(w, w->enrolls), ae_ca_quote(w, w->t->cn));
	return AE_CA_GO;
}

static int
check_permission(struct ae_ca_work *w)
{
	return by_key(w) ? AE_CA_GO : permission(w);
}

/* When it is known whether the old certificate stands in for an approval. */
static int
check_by_key(struct ae_ca_work *w)
{
	if (!by_key(w))
		return AE_CA_GO;
	if (!w->reenroll)
		return permission(w);
	ae_ca_pass(w, "template.key-based-renewal", "MS-WCCE 3.2.2.6.2.1.4.5.6",
	    "template %s lets certificates be renewed by their key, without "
	    "permission to enroll",
	    ae_ca_quote(w, w->t->cn));
	return AE_CA_GO;
}

/* What this CA never issues, whatever a template says. */
static int
check_possible(struct ae_ca_work *w)
{
	static const char *const cas[] = { "SubCA", "CA", "CrossCA" };
	const struct ae_template *t = w->t;
	const uint8_t ku =
	    t->key_usage.len > 0 ? t->key_usage.p[0] : (uint8_t)0;
	bool ca = (t->flags & (AE_CT_IS_CA | AE_CT_IS_CROSS_CA)) != 0 ||
	    (ku & (AE_KU_KEY_CERT_SIGN | AE_KU_CRL_SIGN)) != 0;
	size_t i;

	for (i = 0; i < sizeof(cas) / sizeof(cas[0]); i++)
		ca = ca || ae_str_eq_nocase(t->cn, cas[i]);
	if (ca && !AE_BREAK(no_ca_template))
		return deny(w, AE_HR_UNSUPPORTED_CERT_TYPE,
		    "deny.template-not-supported", "MS-WCCE 3.2.2.6.2.1.4.4.1",
		    "this CA issues no CA certificates");
	if (AE_CT_SERVER_VERSION(t->private_key_flag) > SERVER_VERSION)
		return deny(w, AE_HR_UNSUPPORTED_CERT_TYPE,
		    "deny.template-not-supported", "MS-WCCE 3.2.2.6.2.1.4.5.7",
		    "the template wants a newer CA");
	return AE_CA_GO;
}

enum ae_key_type
ae_ca_wanted_key(const struct ae_template *t)
{
	const char *s = t->algorithms.asymmetric;

	if (s == NULL)
		return 0;
	if (strncmp(s, "EC", 2) == 0)
		return AE_KEY_EC;
	return strcmp(s, "RSA") == 0 ? AE_KEY_RSA : 0;
}

/* MS-WCCE 3.2.2.6.2.1.4.5.2, and our own idea of a sound key */
static int
check_key(struct ae_ca_work *w)
{
	static const char section[] = "MS-WCCE 3.2.2.6.2.1.4.5.2";
	const struct ae_key_policy policy = { .rsa_min = w->cfg->rsa_bits_min,
		.rsa_max = w->cfg->rsa_bits_max,
		.ec_min = 256 };
	const struct ae_key *k = w->req->csr->key;
	const enum ae_key_type want = ae_ca_wanted_key(w->t);
	struct ae_err e = AE_ERR_INIT;
	char name[16];
	int rc;

	ae_key_print(name, k);
	if (want != 0 && ae_key_type(k) != want)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_NTE_BAD_ALGID,
		    "deny.key-algorithm", "MS-CRTD 2.23",
		    "the template wants a key for %s, the request has %s",
		    ae_ca_quote(w, w->t->algorithms.asymmetric), name);
	if (ae_key_bits(k) < w->t->min_key_size)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_KEY_LENGTH,
		    "deny.key-length", section,
		    "the template wants a key of at least %u bits, the "
		    "request has %s",
		    w->t->min_key_size, name);
	rc = ae_key_check(k, &policy, &e);
	if (rc == AE_EDENIED && AE_BREAK(weak_key_check))
		rc = AE_OK;
	if (rc == AE_EDENIED)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_WEAK_SIGNATURE_OR_KEY,
		    "deny.weak-key", "policy", "%s", e.text);
	if (rc != AE_OK) {
		if (w->e != NULL)
			*w->e = e;
		return rc;
	}
	ae_ca_pass(w, "request.key", section,
	    "%s is at least %u bits and has no known weakness", name,
	    w->t->min_key_size);
	return AE_CA_GO;
}

/* Usages with which somebody can be authenticated as somebody. */
static bool
authenticates(const struct ae_strv *usages)
{
	static const char *const v[] = { AE_OID_EKU_CLIENT_AUTH,
		AE_OID_EKU_SMARTCARD_LOGON, AE_OID_EKU_ANY,
		AE_OID_POLICY_ANY_APPLICATION, AE_OID_EKU_KDC,
		AE_OID_EKU_ENROLLMENT_AGENT,
		"1.3.6.1.5.2.3.4" /* id-pkinit-KPClientAuth, RFC 4556 */ };
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (ae_strv_has(usages, v[i]))
			return true;
	return false;
}

static bool
says_any(const struct ae_strv *usages)
{
	return ae_strv_has(usages, AE_OID_EKU_ANY) ||
	    ae_strv_has(usages, AE_OID_POLICY_ANY_APPLICATION);
}

/*
 * Templates with which anyone could become anyone.  A certificate without
 * extended key usages authenticates wherever application policies are not
 * looked at, whatever they say; schema 1 has none in the certificate.
 */
static int
check_purpose(struct ae_ca_work *w)
{
	static const struct ae_strv none;
	const struct ae_template *t = w->t;
	const struct ae_strv *apps =
	    t->schema_version > 1 ? &t->application_policies : &none;
	const bool any = (t->ekus.n == 0 && apps->n == 0) ||
	    says_any(&t->ekus) || says_any(apps);

	w->auth = any || t->ekus.n == 0 || authenticates(&t->ekus) ||
	    authenticates(apps);
	w->server = any || t->ekus.n == 0 ||
	    ae_strv_has(&t->ekus, AE_OID_EKU_SERVER_AUTH) ||
	    ae_strv_has(apps, AE_OID_EKU_SERVER_AUTH);
	if (any && !w->cfg->allow_any_purpose && !AE_BREAK(esc2_any_purpose))
		return deny(w, AE_HR_UNSUPPORTED_CERT_TYPE,
		    "template.any-purpose", "policy",
		    "the template limits certificates to no purpose, and the "
		    "CA's configuration does not allow such templates");
	if ((t->name_flag & AE_CT_ENROLLEE_SUPPLIES_SUBJECT) && w->auth &&
	    !w->cfg->allow_supplied_auth_subject &&
	    !AE_BREAK(esc1_supplied_subject))
		return deny(w, AE_HR_BAD_REQUESTSUBJECT,
		    "template.supplied-auth-subject", "policy",
		    "the template lets the requester choose the name to be "
		    "authenticated as, and the CA's configuration does not "
		    "allow such templates");
	return AE_CA_GO;
}

/* Which certificate policies go in: MS-WCCE 3.2.2.6.2.1.4.5.8 */
static int
check_policies(struct ae_ca_work *w)
{
	const struct ae_strv *asked = &w->req->csr->x.cert_policies;
	const struct ae_strv *have = &w->t->certificate_policies;
	const bool from_request =
	    (w->t->enrollment_flag & AE_CT_ISSUANCE_POLICIES_FROM_REQUEST) != 0;
	size_t i;

	if (w->t->schema_version < 2)
		return AE_CA_GO;
	if (from_request && have->n == 0 && asked->n > 0)
		return deny(w, AE_HR_TEMPLATE_CONFLICT,
		    "deny.template-conflict", "MS-WCCE 3.2.2.6.2.1.4.5.8",
		    "issuance policies are requested, the template has none");
	for (i = 0; i < have->n; i++) {
		if (from_request && !ae_strv_has(asked, have->v[i]))
			continue;
		if (!ae_strv_add(&w->policies, have->v[i]))
			return ae_fail_mem(w->e);
	}
	return ae_ca_attest_policies(w);
}

/*
 * Is the SID among those of whoever the certificate is for?  The ticket's;
 * where an agent asks for somebody else, that account's by the directory.
 */
static bool
is_member(const struct ae_ca_work *w, const char *sid)
{
	struct ae_sid s;
	size_t i;

	if (sid == NULL || !ae_sid_parse(&s, sid))
		return false;
	if (w->d->on_behalf == NULL)
		return ae_token_has(w->token, &s);
	for (i = 0; i < w->who->nsids; i++)
		if (ae_sid_equal(&w->who->sids[i], &s))
			return true;
	return false;
}

/*
 * An issuance policy that the directory links to a group makes who logs in
 * with the certificate its member (ESC13).
 */
static int
check_policy_groups(struct ae_ca_work *w)
{
	const struct ae_ca_templates *all = w->in->templates;
	const struct ae_pki_oid *o;
	size_t i;

	for (i = 0; i < all->noids; i++) {
		o = &all->oids[i];
		if (o->group == NULL || !ae_strv_has(&w->policies, o->oid))
			continue;
		if (is_member(w, o->group_sid) || AE_BREAK(esc13_group)) {
			ae_ca_pass(w, "template.policy-group", "policy",
			    "issuance policy %s is linked to %s, and the "
			    "requester is its member anyway",
			    o->oid, ae_ca_quote(w, o->group));
			continue;
		}
		if (!w->cfg->allow_group_policies)
			return ae_ca_stop(w, AE_CA_DENY, AE_HR_TEMPLATE_DENIED,
			    "template.policy-group", "policy",
			    "issuance policy %s makes a member of %s, which "
			    "is %s; allow-group-policies is off",
			    o->oid, ae_ca_quote(w, o->group),
			    o->group_sid == NULL ? "not to be found"
						 : "no group of the requester");
		ae_ca_note(w, "template.policy-group", "policy",
		    "issuance policy %s makes the requester a member of %s",
		    o->oid, ae_ca_quote(w, o->group));
	}
	return AE_CA_GO;
}

/* clang-format off */
const struct ae_ca_check ae_ca_checks_template[] = {
	{ { "template.named", "MS-WCCE 3.2.2.6.2.1.4.1",
	    "which template is asked for" }, check_which },
	{ { "template.offered", "MS-WCCE 3.2.2.6.2.1.4.7",
	    "does this CA offer it" }, check_offered },
	{ { "template.version", "MS-WCCE 3.2.2.6.2.1.4.2",
	    "is the requested version known" }, check_version },
	{ { "template.enroll-right", "MS-WCCE 3.2.2.6.2.1.4.3",
	    "may the requester enroll for it" }, check_permission },
	{ { "template.possible", "MS-WCCE 3.2.2.6.2.1.4.4.1",
	    "can this CA issue such certificates" }, check_possible },
	{ { "renewal.template", "MS-WCCE 3.2.2.6.2.1.2.3",
	    "is the old certificate of the same template, and the key as demanded" }, ae_ca_check_old },
	{ { "renewal.reenroll", "MS-WCCE 3.2.2.6.2.1.4.8",
	    "does the old certificate stand in for an approval" }, ae_ca_check_reenroll },
	{ { "renewal.by-key", "MS-WCCE 3.2.2.6.2.1.4.5.6",
	    "does the old key stand in for the permission" }, check_by_key },
	{ { "request.agent-rights", "MS-WCCE 3.2.2.6.2.1.2.1",
	    "may this agent enroll that account for it" }, ae_ca_check_agent },
	{ { "request.ra-signatures", "MS-WCCE 3.2.2.6.2.1.4.5.1",
	    "are the signatures there that it demands" }, ae_ca_check_ra },
	{ { "request.key", "MS-WCCE 3.2.2.6.2.1.4.5.2",
	    "is the key of the right kind, long enough and sound" }, check_key },
	{ { "request.archival", "MS-WCCE 3.2.2.6.2.1.4.5.7",
	    "is the private key there where it is archived" }, ae_ca_check_archival },
	{ { "request.attestation", "MS-WCCE 3.2.2.6.2.1.2.5",
	    "does a trusted TPM attest the key where it must" }, ae_ca_check_attestation },
	{ { "template.purpose", "policy",
	    "could anyone become anyone with it" }, check_purpose },
	{ { "template.policies", "MS-WCCE 3.2.2.6.2.1.4.5.8",
	    "which issuance policies go in" }, check_policies },
	{ { "template.policy-groups", "policy",
	    "could they make a member of a group" }, check_policy_groups },
	{ .fn = NULL },
};
/* clang-format on */
