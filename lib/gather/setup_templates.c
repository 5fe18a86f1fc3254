/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The default templates, their OIDs and who may have them.  A template that
 * is there already, Microsoft's or an administrator's, stays as it is.
 */
#include "gather/setup_int.h"

#include <stdlib.h>
#include <string.h>

#include "ad/template_settings.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum group {
	NOBODY, /* but administrators */
	COMPUTERS = 1 << 0,
	CONTROLLERS = 1 << 1, /* and enterprise domain controllers */
	USERS = 1 << 2,
};

struct kind {
	const char *cn;
	unsigned int arc; /* last arc; stock templates keep Microsoft's */
	unsigned int revision;
	unsigned int enroll, autoenroll; /* enum group */
	bool machine_logon;		 /* autoenroll only when wanted */
	const char *settings[16];	 /* as ae_template_set takes them */
};

/* What each begins with. */
static const char *const common[] = { "validity=1y", "renewal=6w",
	"key-usage=digital-signature,key-encipherment", "critical=key-usage",
	"key-spec=exchange", "min-key-size=2048",
	"providers=Microsoft RSA SChannel Cryptographic Provider" };

#define SOFTWARE "providers=Microsoft Enhanced Cryptographic Provider v1.0"
#define SIGNS "key-usage=digital-signature", "key-spec=signature", SOFTWARE
#define ENCRYPTS "key-usage=key-encipherment", SOFTWARE

/*
 * All of them have schema version 2: clients send CMC, and the CA needs
 * nothing later for RSA keys.
 */
/* clang-format off */
static const struct kind kinds[] = {
	{ "Workstation", 30, 101, COMPUTERS, COMPUTERS, false,
	  { "display-name=Workstation Authentication", "machine=yes", "auto-enroll=yes",
	    "subject=dns", "san=dns", "eku=client-auth" } },
	{ "ComputerLogon", 101, 100, COMPUTERS, COMPUTERS, true,
	  { "display-name=Computer Logon (PKINIT)", "machine=yes", "auto-enroll=yes",
	    "subject=dns", "san=dns,upn", "eku=client-auth,pkinit-client,smartcard-logon" } },
	{ "KerberosAuthentication", 33, 110, CONTROLLERS, CONTROLLERS, false,
	  { "display-name=Kerberos Authentication", "machine=yes", "auto-enroll=yes",
	    "san=dns,domain-dns", "eku=client-auth,server-auth,smartcard-logon,kdc",
	    "critical=key-usage,subject-alt-name" } },
	{ "WebServer", 16, 100, NOBODY, NOBODY, false,
	  { "display-name=Web Server", "machine=yes", "subject=supplied", "san=supplied",
	    "eku=server-auth", "validity=2y" } },
	{ "RemoteDesktop", 102, 100, COMPUTERS, NOBODY, false,
	  { "display-name=Remote Desktop", "machine=yes", "auto-enroll=yes",
	    "subject=dns", "san=dns", "eku=remote-desktop" } },
	{ "User", 1, 100, USERS, NOBODY, false,
	  { "display-name=User", "auto-enroll=yes", "subject=directory-path", "san=upn",
	    "eku=client-auth,email" } },
	{ "SmartcardLogon", 5, 106, NOBODY, NOBODY, false,
	  { "display-name=Smartcard Logon", "subject=directory-path", "san=upn",
	    "eku=client-auth,smartcard-logon",
	    "providers=Microsoft Base Smart Card Crypto Provider" } },
	{ "EFS", 6, 103, USERS, NOBODY, false,
	  { "display-name=Basic EFS", "auto-enroll=yes", "subject=directory-path", "san=upn",
	    "eku=efs", "exportable=yes", "symmetric-algorithms=yes", "publish=yes", ENCRYPTS } },
	{ "EFSRecovery", 8, 106, NOBODY, NOBODY, false,
	  { "display-name=EFS Recovery Agent", "subject=directory-path", "san=upn",
	    "eku=efs-recovery", "exportable=yes", "symmetric-algorithms=yes", "validity=5y", ENCRYPTS } },
	{ "CodeSigning", 9, 103, NOBODY, NOBODY, false,
	  { "display-name=Code Signing", "subject=directory-path", "san=upn",
	    "eku=code-signing", SIGNS } },
	{ "EnrollmentAgent", 11, 104, NOBODY, NOBODY, false,
	  { "display-name=Enrollment Agent", "subject=directory-path", "san=upn",
	    "eku=enrollment-agent", "validity=2y", SIGNS } },
	{ "CAExchange", 26, 106, NOBODY, NOBODY, false,
	  { "display-name=CA Exchange", "machine=yes", "subject=supplied", "eku=ca-exchange",
	    "symmetric-algorithms=yes", "validity=1w", "renewal=1d", ENCRYPTS } },
	{ "KeyRecoveryAgent", 27, 105, NOBODY, NOBODY, false,
	  { "display-name=Key Recovery Agent", "subject=directory-path", "san=upn",
	    "eku=key-recovery", "approval=yes", "publish-kra=yes", "exportable=yes", "symmetric-algorithms=yes",
	    "validity=2y", ENCRYPTS } },
	{ "OCSPResponseSigning", 32, 101, NOBODY, NOBODY, false,
	  { "display-name=OCSP Response Signing", "machine=yes", "subject=dns", "san=dns",
	    "eku=ocsp-signing", "ocsp-nocheck=yes", "revocation-info=no", "validity=2w",
	    "renewal=2d", SIGNS } },
};
/* clang-format on */

/* The rest give powers that somebody has to want: "certsrv template publish".
 */
static const char *const offered[] = { "Workstation", "ComputerLogon",
	"KerberosAuthentication", "WebServer", "User", NULL };

/* Full control less control access rights: those are granted by name. */
#define MANAGE (AE_ACCESS_FULL & ~AE_ACCESS_CONTROL)
#define LOOK (AE_ACCESS_READ | AE_ACCESS_LIST_OBJECT)

static const struct ae_sid authenticated = { 5, 1, { 11 } };
static const struct ae_sid enterprise_dcs = { 5, 1, { 9 } };

static int
grant(struct ae_sd *sd, const struct ae_setup_run *r, unsigned int groups,
    const struct ae_guid *right, struct ae_err *e)
{
	const struct {
		unsigned int bit;
		const struct ae_sid *sid;
	} to[] = {
		{ COMPUTERS, &r->domain_computers },
		{ CONTROLLERS, &r->domain_controllers },
		{ CONTROLLERS, &enterprise_dcs },
		{ USERS, &r->domain_users },
	};
	size_t i;
	int rc;

	for (i = 0; i < COUNT(to); i++)
		if ((groups & to[i].bit) != 0 &&
		    (rc = ae_sd_allow(sd, 0, AE_ACCESS_CONTROL, right,
			 to[i].sid, e)) != AE_OK)
			return rc;
	return AE_OK;
}

/* Owner, administrators and readers: MS-CRTD's stock pattern. */
static int
start_sd(struct ae_sd **out, const struct ae_setup_run *r, struct ae_err *e)
{
	struct ae_sd *sd = ae_sd_new();
	int rc;

	if (sd == NULL)
		return ae_fail_mem(e);
	ae_sd_set_owner(sd, &r->enterprise_admins);
	ae_sd_set_group(sd, &r->enterprise_admins);
	if ((rc = ae_sd_allow(sd, 0, MANAGE, NULL, &r->enterprise_admins, e)) ==
		AE_OK &&
	    (rc = ae_sd_allow(sd, 0, MANAGE, NULL, &r->domain_admins, e)) ==
		AE_OK)
		rc = ae_sd_allow(sd, 0, LOOK, NULL, &authenticated, e);
	if (rc != AE_OK) {
		ae_sd_free(sd);
		return rc;
	}
	*out = sd;
	return AE_OK;
}

static int
template_sd(struct ae_sd **out, const struct ae_setup_run *r,
    const struct kind *k, struct ae_err *e)
{
	bool alone = !k->machine_logon || r->conf->machine_logon;
	struct ae_sd *sd = NULL;
	int rc;

	if ((rc = start_sd(&sd, r, e)) != AE_OK)
		return rc;
	if ((rc = ae_sd_allow(sd, 0, AE_ACCESS_CONTROL, &ae_right_enroll,
		 &r->enterprise_admins, e)) != AE_OK ||
	    (rc = ae_sd_allow(sd, 0, AE_ACCESS_CONTROL, &ae_right_enroll,
		 &r->domain_admins, e)) != AE_OK ||
	    (rc = grant(sd, r, k->enroll, &ae_right_enroll, e)) != AE_OK ||
	    (rc = grant(sd, r, alone ? k->autoenroll : (unsigned int)NOBODY,
		 &ae_right_autoenroll, e)) != AE_OK) {
		ae_sd_free(sd);
		return rc;
	}
	*out = sd;
	return AE_OK;
}

int
ae_setup_service_sd(struct ae_sd **out, const struct ae_setup_run *r,
    const struct ae_sid *host, struct ae_err *e)
{
	struct ae_sd *sd = NULL;
	int rc;

	if ((rc = start_sd(&sd, r, e)) != AE_OK)
		return rc;
	if ((rc = ae_sd_allow(
		 sd, 0, LOOK | AE_ACCESS_WRITE_PROP, NULL, host, e)) != AE_OK ||
	    (rc = ae_sd_allow(sd, 0, AE_ACCESS_CONTROL, &ae_right_enroll,
		 &authenticated, e)) != AE_OK) {
		ae_sd_free(sd);
		return rc;
	}
	*out = sd;
	return AE_OK;
}

/* What its row says, as a template. */
static int
make(struct ae_template **out, const struct kind *k, const char *oid,
    struct ae_err *e)
{
	const struct ae_value cn = { (const uint8_t *)k->cn, strlen(k->cn) };
	const struct ae_attr attr = { "cn", &cn, 1 };
	const struct ae_entry entry = { k->cn, &attr, 1 };
	struct ae_template *t = NULL;
	size_t i;
	int rc;

	if ((rc = ae_template_decode(&t, &entry, e)) != AE_OK)
		return rc;
	t->schema_version = 2;
	t->revision = k->revision;
	if ((t->oid = strdup(oid)) == NULL)
		rc = ae_fail_mem(e);
	for (i = 0; rc == AE_OK && i < COUNT(common); i++)
		rc = ae_template_set(t, common[i], e);
	for (i = 0; rc == AE_OK && k->settings[i] != NULL; i++)
		rc = ae_template_set(t, k->settings[i], e);
	if (rc == AE_OK)
		rc = ae_template_check(t, e);
	if (rc != AE_OK) {
		ae_template_free(t);
		return ae_note(e, rc, "%s", k->cn);
	}
	*out = t;
	return AE_OK;
}

static int
create_template(struct ae_setup_run *r, const struct kind *k,
    const struct ae_template *t, const char *dn, struct ae_err *e)
{
	struct ae_setup_attr *attrs;
	struct ae_attr *v = NULL;
	struct ae_sd *sd = NULL;
	size_t i, n = 0;
	int rc;

	if ((rc = ae_template_encode(&v, &n, t, r->arena, e)) != AE_OK)
		return rc;
	if ((attrs = ae_arena_array(r->arena, n, sizeof(*attrs))) == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++)
		attrs[i] = (struct ae_setup_attr){ v[i].name, AE_SETUP_ONLY_NEW,
			v[i].v, v[i].n };
	if ((rc = template_sd(&sd, r, k, e)) != AE_OK)
		return rc;
	rc = ae_setup_ensure(r, dn, "pKICertificateTemplate", attrs, n, sd, e);
	ae_sd_free(sd);
	return rc;
}

/* There already: say whether it is the one that would have been made. */
static int
leave_template(struct ae_setup_run *r, const struct ae_template *want,
    const struct ae_entry *have, struct ae_err *e)
{
	struct ae_template *t = NULL;
	struct ae_err why = AE_ERR_INIT;
	bool ours;
	int rc;

	rc = ae_template_decode(&t, have, &why);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(e);
	ours = rc == AE_OK && t->oid != NULL &&
	    strcmp(t->oid, want->oid) == 0 && t->schema_version == 2 &&
	    t->name_flag == want->name_flag;
	ae_template_free(t);
	return ae_setup_note(r, ours ? AE_SETUP_KEEP : AE_SETUP_LEAVE, have->dn,
	    ours	      ? NULL
		: rc != AE_OK ? why.text
			      : "a template of this name was there before",
	    e);
}

static int
ensure_template(struct ae_setup_run *r, const struct kind *k,
    const struct ae_template *want, struct ae_err *e)
{
	struct ae_entries l = { 0 };
	const char *dn, *container;
	int rc;

	container =
	    ae_setup_dn(r, "CN", "Certificate Templates", ae_ad_pks_dn(r->ad));
	if (container == NULL ||
	    (dn = ae_setup_dn(r, "CN", k->cn, container)) == NULL)
		return ae_fail_mem(e);
	rc = ae_ad_read(r->ad, dn, ae_template_attrs, &l, e);
	if (rc == AE_OK) {
		rc = leave_template(r, want, &l.v[0], e);
		ae_entries_done(&l);
		return rc;
	}
	if (rc != AE_ENOTFOUND)
		return rc;
	/* The OID first: a template without its OID object shows no name. */
	if ((rc = ae_setup_oid(r, want->oid, want->display_name, e)) != AE_OK)
		return rc;
	return create_template(r, k, want, dn, e);
}

int
ae_setup_templates(
    struct ae_setup_run *r, const char *const **names, struct ae_err *e)
{
	struct ae_template *t = NULL;
	const char *base = NULL, *oid;
	size_t i;
	int rc;

	rc = ae_setup_base_oid(r, &base, e);
	for (i = 0; i < COUNT(kinds) && rc == AE_OK; i++) {
		oid = ae_arena_printf(r->arena, "%s.1.%u", base, kinds[i].arc);
		if (oid == NULL)
			return ae_fail_mem(e);
		if ((rc = make(&t, &kinds[i], oid, e)) != AE_OK)
			return rc;
		rc = ensure_template(r, &kinds[i], t, e);
		ae_template_free(t);
	}
	*names = offered;
	return rc;
}
