/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The objects of the CA itself; see setup.h.
 */
#include "gather/setup.h"

#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "base/str.h"
#include "gather/setup_int.h"

#define ARENA_MAX (4u * 1024u * 1024u)

#define RID_DOMAIN_ADMINS 512u
#define RID_DOMAIN_USERS 513u
#define RID_DOMAIN_COMPUTERS 515u
#define RID_DOMAIN_CONTROLLERS 516u
#define RID_CERT_PUBLISHERS 517u
#define RID_ENTERPRISE_ADMINS 519u

/* Mandatory CRL attributes start as one zero byte, as Windows writes them. */
static const struct ae_value no_crl = { (const uint8_t *)"", 1 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Enterprise Admins belong to the forest's root domain.  In another domain
 * their SID is taken from where they have full control: the descriptor of
 * Public Key Services.
 */
static int
find_enterprise_admins(struct ae_setup_run *r, struct ae_err *e)
{
	static const char *const attrs[] = { "nTSecurityDescriptor", NULL };
	const struct ae_ad_root *root = ae_ad_root(r->ad);
	struct ae_entries l = { 0 };
	struct ae_sd *sd = NULL;
	const struct ae_attr *a;
	const struct ae_sid *s;
	size_t i;
	int rc;

	if (ae_str_eq_nocase(root->default_nc, root->root_domain_nc)) {
		(void)ae_sid_append(&r->enterprise_admins, &r->domain.sid,
		    RID_ENTERPRISE_ADMINS);
		return AE_OK;
	}
	if ((rc = ae_ad_read(r->ad, ae_ad_pks_dn(r->ad), attrs, &l, e)) !=
	    AE_OK)
		return rc;
	a = ae_entry_get(&l.v[0], attrs[0]);
	if (a != NULL)
		rc = ae_sd_parse(&sd, a->v[0].p, a->v[0].len, e);
	ae_entries_done(&l);
	if (rc != AE_OK)
		return rc;
	rc = AE_ENOTFOUND;
	for (i = 0; sd != NULL && i < sd->dacl.n; i++) {
		s = &sd->dacl.v[i].sid;
		if (s->authority == 5 && s->nsubs == 5 && s->sub[0] == 21 &&
		    s->sub[4] == RID_ENTERPRISE_ADMINS) {
			r->enterprise_admins = *s;
			rc = AE_OK;
		}
	}
	ae_sd_free(sd);
	return rc == AE_OK
	    ? AE_OK
	    : ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		  "the SID of Enterprise Admins: set up from the forest's "
		  "root domain");
}

static int
find_groups(struct ae_setup_run *r, struct ae_err *e)
{
	const struct {
		struct ae_sid *sid;
		uint32_t rid;
	} groups[] = {
		{ &r->domain_admins, RID_DOMAIN_ADMINS },
		{ &r->domain_users, RID_DOMAIN_USERS },
		{ &r->domain_computers, RID_DOMAIN_COMPUTERS },
		{ &r->domain_controllers, RID_DOMAIN_CONTROLLERS },
		{ &r->cert_publishers, RID_CERT_PUBLISHERS },
	};
	size_t i;

	for (i = 0; i < COUNT(groups); i++)
		if (!ae_sid_append(
			groups[i].sid, &r->domain.sid, groups[i].rid))
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "the domain's SID is too long");
	return find_enterprise_admins(r, e);
}

/* certificationAuthority objects: NTAuth, AIA and trusted roots. */
static int
ensure_authority(struct ae_setup_run *r, const char *dn,
    const struct ae_value *certs, size_t n, struct ae_err *e)
{
	const struct ae_setup_attr attrs[] = {
		{ "cACertificate", AE_SETUP_ADD, certs, n },
		{ "authorityRevocationList", AE_SETUP_ONLY_NEW, &no_crl, 1 },
		{ "certificateRevocationList", AE_SETUP_ONLY_NEW, &no_crl, 1 },
	};

	return ae_setup_ensure(
	    r, dn, "certificationAuthority", attrs, COUNT(attrs), NULL, e);
}

/* Cert Publishers may keep what the CA publishes up to date. */
static int
publisher_sd(struct ae_sd **out, const struct ae_setup_run *r, struct ae_err *e)
{
	static const struct ae_sid authenticated = { 5, 1, { 11 } };
	struct ae_sd *sd = ae_sd_new();
	int rc;

	if (sd == NULL)
		return ae_fail_mem(e);
	ae_sd_set_owner(sd, &r->enterprise_admins);
	ae_sd_set_group(sd, &r->enterprise_admins);
	if ((rc = ae_sd_allow(sd, 0, AE_ACCESS_FULL, NULL,
		 &r->enterprise_admins, e)) == AE_OK &&
	    (rc = ae_sd_allow(
		 sd, 0, AE_ACCESS_FULL, NULL, &r->domain_admins, e)) == AE_OK &&
	    (rc = ae_sd_allow(sd, 0,
		 AE_ACCESS_READ | AE_ACCESS_LIST_OBJECT | AE_ACCESS_WRITE_PROP,
		 NULL, &r->cert_publishers, e)) == AE_OK)
		rc = ae_sd_allow(sd, 0, AE_ACCESS_READ | AE_ACCESS_LIST_OBJECT,
		    NULL, &authenticated, e);
	if (rc != AE_OK) {
		ae_sd_free(sd);
		return rc;
	}
	*out = sd;
	return AE_OK;
}

/* The objects of its CRLs, one for each key. */
static int
ensure_cdp(struct ae_setup_run *r, const struct ae_sd *sd, const char *cdp,
    struct ae_err *e)
{
	const char *const *suffix = r->conf->key_suffixes;
	const struct ae_setup_attr attrs[] = {
		{ "certificateRevocationList", AE_SETUP_ONLY_NEW, &no_crl, 1 },
	};
	const char *host, *dn;
	char *name, *dot;
	int rc;

	/* The host's short name, as it is the folder of all its CAs. */
	name = ae_arena_strdup(r->arena, r->conf->host);
	if (name == NULL)
		return ae_fail_mem(e);
	if ((dot = strchr(name, '.')) != NULL)
		*dot = '\0';
	host = ae_setup_dn(r, "CN", name, cdp);
	if ((rc = ae_setup_ensure(r, host, "container", NULL, 0, NULL, e)) !=
	    AE_OK)
		return rc;
	dn = ae_setup_dn(r, "CN", r->conf->ca_object, host);
	rc = ae_setup_ensure(
	    r, dn, "cRLDistributionPoint", attrs, COUNT(attrs), sd, e);
	for (; suffix != NULL && *suffix != NULL && rc == AE_OK; suffix++) {
		dn = ae_arena_printf(
		    r->arena, "%s%s", r->conf->ca_object, *suffix);
		if (dn == NULL)
			return ae_fail_mem(e);
		dn = ae_setup_dn(r, "CN", dn, host);
		rc = ae_setup_ensure(
		    r, dn, "cRLDistributionPoint", attrs, COUNT(attrs), sd, e);
	}
	return rc;
}

/*
 * Where the CA puts the certificates of recovery agents.  The class demands
 * a value: one zero byte, as with the CRLs, until there is one.
 */
static int
ensure_agents(struct ae_setup_run *r, const struct ae_sd *sd, const char *kra,
    struct ae_err *e)
{
	const struct ae_setup_attr none = { "userCertificate",
		AE_SETUP_ONLY_NEW, &no_crl, 1 };

	return ae_setup_ensure(r, ae_setup_dn(r, "CN", r->conf->ca_object, kra),
	    "msPKI-PrivateKeyRecoveryAgent", &none, 1, sd, e);
}

/*
 * Issuers above: where clients look for intermediates, and the root where
 * they look for what to trust.
 */
static int
ensure_above(struct ae_setup_run *r, const char *aia, const char *roots,
    struct ae_err *e)
{
	const struct ae_setup_above *a = r->conf->above;
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < r->conf->nabove && rc == AE_OK; i++) {
		rc = ensure_authority(r, ae_setup_dn(r, "CN", a[i].object, aia),
		    &a[i].cert, 1, e);
		if (rc == AE_OK && a[i].root)
			rc = ensure_authority(r,
			    ae_setup_dn(r, "CN", a[i].object, roots),
			    &a[i].cert, 1, e);
	}
	return rc;
}

/* AIA, CDP, Certification Authorities, NTAuthCertificates. */
static int
ensure_trust(struct ae_setup_run *r, struct ae_err *e)
{
	static const char *const containers[] = { "AIA", "CDP",
		"Certification Authorities", "Certificate Templates",
		"Enrollment Services", "KRA", NULL };
	const char *pks = ae_ad_pks_dn(r->ad), *at[6] = { NULL };
	const struct ae_setup *c = r->conf;
	const struct ae_setup_attr attrs[] = {
		{ "cACertificate", AE_SETUP_ADD, c->certs, c->ncerts },
		{ "authorityRevocationList", AE_SETUP_ONLY_NEW, &no_crl, 1 },
		{ "certificateRevocationList", AE_SETUP_ONLY_NEW, &no_crl, 1 },
		{ "crossCertificatePair", AE_SETUP_ADD, c->cross, c->ncross },
	};
	struct ae_sd *sd = NULL;
	size_t i;
	int rc = AE_OK;

	for (i = 0; containers[i] != NULL && rc == AE_OK; i++) {
		at[i] = ae_setup_dn(r, "CN", containers[i], pks);
		rc = ae_setup_ensure(r, at[i], "container", NULL, 0, NULL, e);
	}
	if (rc != AE_OK || (rc = publisher_sd(&sd, r, e)) != AE_OK)
		return rc;
	/* Relying parties find the issuer before anybody trusts it. */
	rc = ae_setup_ensure(r, ae_setup_dn(r, "CN", r->conf->ca_object, at[0]),
	    "certificationAuthority", attrs, COUNT(attrs), sd, e);
	if (rc == AE_OK)
		rc = ensure_cdp(r, sd, at[1], e);
	if (rc == AE_OK)
		rc = ensure_agents(r, sd, at[5], e);
	ae_sd_free(sd);
	if (rc == AE_OK)
		rc = ensure_above(r, at[0], at[2], e);
	if (rc == AE_OK && c->root)
		rc = ensure_authority(r,
		    ae_setup_dn(r, "CN", c->ca_object, at[2]), c->certs,
		    c->ncerts, e);
	if (rc == AE_OK)
		rc = ensure_authority(r,
		    ae_setup_dn(r, "CN", "NTAuthCertificates", pks), c->certs,
		    c->ncerts, e);
	return rc;
}

/* The names clients ask tickets for: targets of RPC and DCOM. */
static int
ensure_spns(
    struct ae_setup_run *r, const struct ae_principal *host, struct ae_err *e)
{
	static const char *const classes[] = { "HOST", "RestrictedKrbHost",
		"RPCSS", "rpc" };
	struct ae_value v[2 * COUNT(classes)], *one;
	const struct ae_attr *have;
	static const char *const want[] = { "servicePrincipalName", NULL };
	struct ae_setup_attr missing = { want[0], AE_SETUP_ADD, v, 0 };
	struct ae_entries l = { 0 };
	char *shorter, *dot;
	size_t i, j, n = 0;
	int rc;

	shorter = ae_arena_strdup(r->arena, r->conf->host);
	if (shorter == NULL)
		return ae_fail_mem(e);
	if ((dot = strchr(shorter, '.')) != NULL)
		*dot = '\0';
	if ((rc = ae_ad_read(r->ad, host->dn, want, &l, e)) != AE_OK)
		return rc;
	have = ae_entry_get(&l.v[0], want[0]);
	for (i = 0; i < 2 * COUNT(classes) && rc == AE_OK; i++) {
		const char *spn = ae_arena_printf(r->arena, "%s/%s",
		    classes[i / 2], i % 2 == 0 ? r->conf->host : shorter);

		if (spn == NULL || (one = ae_setup_text(r, spn)) == NULL) {
			rc = ae_fail_mem(e);
			break;
		}
		/* AD compares service names without case. */
		for (j = 0; have != NULL && j < have->n; j++)
			if (ae_str_eq_nocase((const char *)have->v[j].p, spn))
				break;
		if (have == NULL || j == have->n)
			v[n++] = *one;
	}
	ae_entries_done(&l);
	if (rc != AE_OK)
		return rc;
	missing.n = n;
	return ae_setup_ensure(r, host->dn, "computer", &missing, 1, NULL, e);
}

/* Cert Publishers may write certificates to directory objects. */
static int
ensure_publisher(
    struct ae_setup_run *r, const struct ae_principal *host, struct ae_err *e)
{
	static const char *const want[] = { "member", NULL };
	char sid[AE_SID_STR_MAX];
	struct ae_setup_attr member = { want[0], AE_SETUP_ADD, NULL, 1 };
	struct ae_entries l = { 0 };
	const struct ae_attr *a;
	const char *base, *dn = NULL;
	size_t i;
	int rc;

	base = ae_arena_printf(
	    r->arena, "<SID=%s>", ae_sid_print(sid, &r->cert_publishers));
	member.v = ae_setup_text(r, host->dn);
	if (base == NULL || member.v == NULL)
		return ae_fail_mem(e);
	if ((rc = ae_ad_read(r->ad, base, want, &l, e)) != AE_OK)
		return rc;
	dn = ae_arena_strdup(r->arena, l.v[0].dn);
	a = ae_entry_get(&l.v[0], want[0]);
	for (i = 0; a != NULL && i < a->n; i++)
		if (ae_str_eq_nocase((const char *)a->v[i].p, host->dn))
			member.n = 0;
	ae_entries_done(&l);
	return ae_setup_ensure(r, dn, "group", &member, 1, NULL, e);
}

static int
ensure_service(struct ae_setup_run *r, const struct ae_principal *host,
    const char *const *templates, struct ae_err *e)
{
	static const char *const want[] = { "dNSHostName", NULL };
	const struct ae_setup *c = r->conf;
	struct ae_value offers[16];
	struct ae_setup_attr attrs[] = {
		{ "displayName", AE_SETUP_SET, ae_setup_text(r, c->ca_name),
		    1 },
		{ "dNSHostName", AE_SETUP_SET, ae_setup_text(r, c->host), 1 },
		{ "cACertificateDN", AE_SETUP_SET,
		    ae_setup_text(r, c->ca_subject), 1 },
		{ "cACertificate", AE_SETUP_ADD, c->certs, c->ncerts },
		{ "flags", AE_SETUP_ONLY_NEW, ae_setup_text(r, "10"), 1 },
		{ "certificateTemplates", AE_SETUP_ONLY_NEW, offers, 0 },
	};
	const char *dn, *other = NULL;
	struct ae_entries l = { 0 };
	struct ae_sd *sd = NULL;
	size_t i;
	int rc;

	for (i = 0; i < COUNT(attrs); i++)
		if (attrs[i].v == NULL)
			return ae_fail_mem(e);
	for (i = 0; i < COUNT(offers) && templates[i] != NULL; i++) {
		offers[i].p = (const uint8_t *)templates[i];
		offers[i].len = strlen(templates[i]);
	}
	attrs[5].n = i;
	dn = ae_arena_printf(
	    r->arena, "CN=Enrollment Services,%s", ae_ad_pks_dn(r->ad));
	if (dn == NULL || (dn = ae_setup_dn(r, "CN", c->ca_object, dn)) == NULL)
		return ae_fail_mem(e);
	/* Another host's CA of that name must not be taken over. */
	rc = ae_ad_read(r->ad, dn, want, &l, e);
	if (rc == AE_OK) {
		rc = ae_entry_str(&l.v[0], want[0], l.arena, &other, e);
		if (rc == AE_OK && !ae_str_eq_nocase(other, c->host))
			rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "a CA named %s is on %s already", c->ca_name,
			    other);
		ae_entries_done(&l);
	}
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	if ((rc = ae_setup_service_sd(&sd, r, &host->sid, e)) != AE_OK)
		return rc;
	rc = ae_setup_ensure(
	    r, dn, "pKIEnrollmentService", attrs, COUNT(attrs), sd, e);
	ae_sd_free(sd);
	return rc;
}

static int
run(struct ae_setup_run *r, struct ae_err *e)
{
	static const char *const none[] = { NULL };
	const char *const *offers = none;
	struct ae_principal *host = NULL;
	int rc;

	if ((rc = ae_ad_domain(&r->domain, r->ad, e)) != AE_OK ||
	    (rc = find_groups(r, e)) != AE_OK ||
	    (rc = ae_ad_principal_account(&host, r->ad, r->conf->account, e)) !=
		AE_OK)
		return rc;
	rc = ensure_trust(r, e);
	if (rc == AE_OK && r->conf->templates)
		rc = ae_setup_templates(r, &offers, e);
	if (rc == AE_OK)
		rc = ensure_spns(r, host, e);
	if (rc == AE_OK)
		rc = ensure_publisher(r, host, e);
	/* The CA is announced when all it needs is there. */
	if (rc == AE_OK)
		rc = ensure_service(r, host, offers, e);
	if (rc == AE_OK && r->conf->gpo)
		rc = ae_setup_gpo(r, e);
	ae_principal_free(host);
	return rc;
}

int
ae_setup_directory(
    struct ae_setup_report *report, const struct ae_setup *s, struct ae_err *e)
{
	struct ae_setup_run r = { .conf = s, .ad = s->ad, .report = report };
	int rc;

	memset(report, 0, sizeof(*report));
	r.arena = ae_arena_new(ARENA_MAX);
	if (r.arena == NULL)
		return ae_fail_mem(e);
	rc = run(&r, e);
	ae_arena_free(r.arena);
	return rc != AE_OK ? ae_note(e, rc, "setting up the directory") : AE_OK;
}
