/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The default templates, their OIDs and who may have them.  A template that
 * is there already, Microsoft's or an administrator's, stays as it is.
 */
#include "gather/setup_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "ad/template.h"
#include "base/str.h"
#include "base/time.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DAY (24 * 3600)
#define YEAR (365 * DAY)

#define EKU_SERVER "1.3.6.1.5.5.7.3.1"
#define EKU_CLIENT "1.3.6.1.5.5.7.3.2"
#define EKU_EMAIL "1.3.6.1.5.5.7.3.4"
#define EKU_KDC "1.3.6.1.5.2.3.5"
#define EKU_PKINIT "1.3.6.1.5.2.3.4"
#define EKU_LOGON "1.3.6.1.4.1.311.20.2.2"

#define KEY_USAGE "2.5.29.15"
#define SUBJECT_ALT_NAME "2.5.29.17"

/* Template OIDs below the forest's base, as in MS-CRTD's samples. */
#define OID_ROOT "1.3.6.1.4.1.311.21.8"

enum group {
	NOBODY,
	COMPUTERS = 1 << 0,
	CONTROLLERS = 1 << 1, /* and enterprise domain controllers */
	USERS = 1 << 2,
};

struct kind {
	const char *cn;
	const char *display_name;
	unsigned int arc; /* last arc; stock templates keep Microsoft's */
	unsigned int revision;
	uint32_t flags, name_flag, enrollment_flag;
	int64_t validity;
	const char *ekus[5];
	const char *critical[3];
	unsigned int enroll, autoenroll; /* enum group */
	bool machine_logon;		 /* autoenroll only when wanted */
};

/*
 * All of them have schema version 2: clients send CMC, and the CA needs
 * nothing later for RSA keys.
 */
/* clang-format off */
static const struct kind kinds[] = {
	{ "Workstation", "Workstation Authentication", 30, 101,
	    AE_CT_AUTO_ENROLLMENT | AE_CT_MACHINE_TYPE,
	    AE_CT_SAN_DNS | AE_CT_SUBJECT_DNS_AS_CN, AE_CT_AUTO_ENROLLMENT, YEAR,
	    { EKU_CLIENT }, { KEY_USAGE }, COMPUTERS, COMPUTERS, false },
	{ "ComputerLogon", "Computer Logon (PKINIT)", 101, 100,
	    AE_CT_AUTO_ENROLLMENT | AE_CT_MACHINE_TYPE,
	    AE_CT_SAN_DNS | AE_CT_SAN_UPN | AE_CT_SUBJECT_DNS_AS_CN,
	    AE_CT_AUTO_ENROLLMENT, YEAR,
	    { EKU_CLIENT, EKU_PKINIT, EKU_LOGON }, { KEY_USAGE },
	    COMPUTERS, COMPUTERS, true },
	{ "KerberosAuthentication", "Kerberos Authentication", 33, 110,
	    AE_CT_AUTO_ENROLLMENT | AE_CT_MACHINE_TYPE,
	    AE_CT_SAN_DNS | AE_CT_SAN_DOMAIN_DNS, AE_CT_AUTO_ENROLLMENT, YEAR,
	    { EKU_CLIENT, EKU_SERVER, EKU_LOGON, EKU_KDC },
	    { KEY_USAGE, SUBJECT_ALT_NAME }, CONTROLLERS, CONTROLLERS, false },
	{ "WebServer", "Web Server", 16, 100,
	    AE_CT_MACHINE_TYPE,
	    AE_CT_ENROLLEE_SUPPLIES_SUBJECT | AE_CT_ENROLLEE_SUPPLIES_SAN, 0, 2 * YEAR,
	    { EKU_SERVER }, { KEY_USAGE }, NOBODY, NOBODY, false },
	{ "User", "User", 1, 100,
	    AE_CT_AUTO_ENROLLMENT,
	    AE_CT_SUBJECT_DIRECTORY_PATH | AE_CT_SAN_UPN, AE_CT_AUTO_ENROLLMENT, YEAR,
	    { EKU_CLIENT, EKU_EMAIL }, { KEY_USAGE }, USERS, NOBODY, false },
};
/* clang-format on */

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

/*
 * The forest's base OID: what CN=OID says, or made of the root domain's
 * GUID in five arcs of 24 bits and one of 8, which no client's 32-bit arc
 * parser stumbles over.
 */
static int
base_oid(struct ae_setup_run *r, const char **out, struct ae_err *e)
{
	static const char *const oid_attr[] = { "msPKI-Cert-Template-OID",
		NULL };
	static const char *const guid_attr[] = { "objectGUID", NULL };
	struct ae_entries l = { 0 };
	const char *dn, *have = NULL;
	struct ae_guid g;
	uint8_t b[16];
	struct ae_wr w;
	size_t i;
	int rc;

	dn = ae_setup_dn(r, "CN", "OID", ae_ad_pks_dn(r->ad));
	if (dn == NULL)
		return ae_fail_mem(e);
	rc = ae_ad_read(r->ad, dn, oid_attr, &l, e);
	if (rc == AE_OK) {
		rc = ae_entry_str(&l.v[0], oid_attr[0], r->arena, &have, e);
		ae_entries_done(&l);
	}
	if (rc == AE_OK) {
		*out = have;
		return AE_OK;
	}
	if (rc != AE_ENOTFOUND)
		return rc;
	rc = ae_ad_read(
	    r->ad, ae_ad_root(r->ad)->root_domain_nc, guid_attr, &l, e);
	if (rc != AE_OK)
		return rc;
	rc = ae_entry_guid(&l.v[0], guid_attr[0], &g, e);
	ae_entries_done(&l);
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&w, 16);
	ae_guid_put(&w, &g);
	if (w.len != sizeof(b)) {
		ae_wr_done(&w);
		return ae_fail_mem(e);
	}
	memcpy(b, w.p, sizeof(b));
	ae_wr_done(&w);
	ae_wr_init(&w, 256);
	ae_wr_str(&w, OID_ROOT);
	for (i = 0; i < 15; i += 3)
		ae_wr_printf(&w, ".%u",
		    (unsigned int)b[i] << 16 | (unsigned int)b[i + 1] << 8 |
			b[i + 2]);
	ae_wr_printf(&w, ".%u", (unsigned int)b[15]);
	*out = ae_wr_cstr(&w) != NULL
	    ? ae_arena_strdup(r->arena, ae_wr_cstr(&w))
	    : NULL;
	ae_wr_done(&w);
	return *out != NULL ? AE_OK : ae_fail_mem(e);
}

/* CN=OID itself remembers the base for all tools after us. */
static int
ensure_base(struct ae_setup_run *r, const char *base, struct ae_err *e)
{
	struct ae_setup_attr attr = { "msPKI-Cert-Template-OID", AE_SETUP_ADD,
		ae_setup_text(r, base), 1 };

	if (attr.v == NULL)
		return ae_fail_mem(e);
	return ae_setup_ensure(r,
	    ae_setup_dn(r, "CN", "OID", ae_ad_pks_dn(r->ad)),
	    "msPKI-Enterprise-Oid", &attr, 1, NULL, e);
}

/* "<last arc>.<32 hex digits>": the digits from the OID, so always the same */
static const char *
oid_rdn(struct ae_setup_run *r, const char *oid, unsigned int arc)
{
	uint64_t h[2] = { UINT64_C(0xcbf29ce484222325),
		UINT64_C(0x84222325cbf29ce4) };
	const char *p;
	int i;

	for (i = 0; i < 2; i++)
		for (p = oid; *p != '\0'; p++)
			h[i] = (h[i] ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	return ae_arena_printf(r->arena, "%u.%016llX%016llX", arc,
	    (unsigned long long)h[0], (unsigned long long)h[1]);
}

static int
ensure_oid(struct ae_setup_run *r, const struct kind *k, const char *oid,
    struct ae_err *e)
{
	static const char *const none[] = { "cn", NULL };
	struct ae_setup_attr attrs[] = {
		{ "msPKI-Cert-Template-OID", AE_SETUP_ONLY_NEW,
		    ae_setup_text(r, oid), 1 },
		{ "displayName", AE_SETUP_ONLY_NEW,
		    ae_setup_text(r, k->display_name), 1 },
		{ "flags", AE_SETUP_ONLY_NEW, ae_setup_text(r, "1"), 1 },
	};
	struct ae_ad_query q = { .scope = AE_AD_ONE, .attrs = none, .max = 2 };
	struct ae_entries l = { 0 };
	const char *rdn = oid_rdn(r, oid, k->arc), *dn;
	int rc;

	q.base = ae_setup_dn(r, "CN", "OID", ae_ad_pks_dn(r->ad));
	q.filter =
	    ae_arena_printf(r->arena, "(msPKI-Cert-Template-OID=%s)", oid);
	if (attrs[0].v == NULL || attrs[1].v == NULL || attrs[2].v == NULL ||
	    q.base == NULL || q.filter == NULL || rdn == NULL)
		return ae_fail_mem(e);
	rc = ae_ad_search(r->ad, &q, &l, e);
	if (rc == AE_OK && l.n != 0) {
		rc = ae_setup_note(r, AE_SETUP_KEEP, l.v[0].dn, NULL, e);
		ae_entries_done(&l);
		return rc;
	}
	ae_entries_done(&l);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	dn = ae_setup_dn(r, "CN", rdn, q.base);
	return ae_setup_ensure(
	    r, dn, "msPKI-Enterprise-Oid", attrs, COUNT(attrs), NULL, e);
}

static struct ae_value *
number(struct ae_setup_run *r, uint32_t n)
{
	char s[16];

	/* LDAP integers are signed. */
	(void)snprintf(s, sizeof(s), "%d", (int)n);
	return ae_setup_text(r, s);
}

static struct ae_value *
period(struct ae_setup_run *r, int64_t seconds)
{
	struct ae_value *v = ae_arena_alloc(r->arena, sizeof(*v));
	uint8_t *b = ae_arena_alloc(r->arena, 8);

	if (v == NULL || b == NULL)
		return NULL;
	ae_span_to_period(b, seconds);
	v->p = b;
	v->len = 8;
	return v;
}

static struct ae_value *
list(struct ae_setup_run *r, const char *const *s, size_t max, size_t *n)
{
	struct ae_value *v = ae_arena_array(r->arena, max + 1, sizeof(*v));

	for (*n = 0; v != NULL && *n < max && s[*n] != NULL; (*n)++) {
		v[*n].p = (const uint8_t *)s[*n];
		v[*n].len = strlen(s[*n]);
	}
	return v;
}

static int
create_template(struct ae_setup_run *r, const struct kind *k, const char *dn,
    const char *oid, struct ae_err *e)
{
	static const struct ae_value key_usage = { (const uint8_t *)"\xa0", 2 };
	size_t nekus, ncritical, i;
	struct ae_value *ekus = list(r, k->ekus, COUNT(k->ekus), &nekus);
	struct ae_value *critical =
	    list(r, k->critical, COUNT(k->critical), &ncritical);
	const struct {
		const char *name;
		const struct ae_value *v;
		size_t n;
	} rows[] = {
		{ "displayName", ae_setup_text(r, k->display_name), 1 },
		{ "flags", number(r, k->flags), 1 },
		{ "revision", number(r, k->revision), 1 },
		{ "pKIDefaultKeySpec", number(r, AE_CT_AT_KEYEXCHANGE), 1 },
		{ "pKIKeyUsage", &key_usage, 1 },
		{ "pKIMaxIssuingDepth", number(r, 0), 1 },
		{ "pKIExpirationPeriod", period(r, k->validity), 1 },
		{ "pKIOverlapPeriod", period(r, 42 * DAY), 1 },
		{ "pKIExtendedKeyUsage", ekus, nekus },
		{ "pKICriticalExtensions", critical, ncritical },
		{ "pKIDefaultCSPs",
		    ae_setup_text(
			r, "1,Microsoft RSA SChannel Cryptographic Provider"),
		    1 },
		{ "msPKI-Certificate-Application-Policy", ekus, nekus },
		{ "msPKI-RA-Signature", number(r, 0), 1 },
		{ "msPKI-Enrollment-Flag", number(r, k->enrollment_flag), 1 },
		{ "msPKI-Private-Key-Flag", number(r, 0), 1 },
		{ "msPKI-Certificate-Name-Flag", number(r, k->name_flag), 1 },
		{ "msPKI-Minimal-Key-Size", number(r, 2048), 1 },
		{ "msPKI-Template-Schema-Version", number(r, 2), 1 },
		{ "msPKI-Template-Minor-Revision", number(r, 0), 1 },
		{ "msPKI-Cert-Template-OID", ae_setup_text(r, oid), 1 },
	};
	struct ae_setup_attr attrs[COUNT(rows)];
	struct ae_sd *sd = NULL;
	int rc;

	for (i = 0; i < COUNT(rows); i++) {
		if (rows[i].v == NULL)
			return ae_fail_mem(e);
		attrs[i].name = rows[i].name;
		attrs[i].rule = AE_SETUP_ONLY_NEW;
		attrs[i].v = rows[i].v;
		attrs[i].n = rows[i].n;
	}
	if ((rc = template_sd(&sd, r, k, e)) != AE_OK)
		return rc;
	rc = ae_setup_ensure(
	    r, dn, "pKICertificateTemplate", attrs, COUNT(attrs), sd, e);
	ae_sd_free(sd);
	return rc;
}

/* There already: say whether it is the one that would have been made. */
static int
leave_template(struct ae_setup_run *r, const struct kind *k,
    const struct ae_entry *have, const char *oid, struct ae_err *e)
{
	struct ae_template *t = NULL;
	struct ae_err why = AE_ERR_INIT;
	bool ours;
	int rc;

	rc = ae_template_decode(&t, have, &why);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(e);
	ours = rc == AE_OK && t->oid != NULL && strcmp(t->oid, oid) == 0 &&
	    t->schema_version == 2 && t->name_flag == k->name_flag;
	ae_template_free(t);
	return ae_setup_note(r, ours ? AE_SETUP_KEEP : AE_SETUP_LEAVE, have->dn,
	    ours	      ? NULL
		: rc != AE_OK ? why.text
			      : "a template of this name was there before",
	    e);
}

static int
ensure_template(struct ae_setup_run *r, const struct kind *k, const char *base,
    struct ae_err *e)
{
	const char *oid, *dn, *container;
	struct ae_entries l = { 0 };
	int rc;

	oid = ae_arena_printf(r->arena, "%s.1.%u", base, k->arc);
	container =
	    ae_setup_dn(r, "CN", "Certificate Templates", ae_ad_pks_dn(r->ad));
	if (oid == NULL || container == NULL ||
	    (dn = ae_setup_dn(r, "CN", k->cn, container)) == NULL)
		return ae_fail_mem(e);
	rc = ae_ad_read(r->ad, dn, ae_template_attrs, &l, e);
	if (rc == AE_OK) {
		rc = leave_template(r, k, &l.v[0], oid, e);
		ae_entries_done(&l);
		return rc;
	}
	if (rc != AE_ENOTFOUND)
		return rc;
	/* The OID first: a template without its OID object shows no name. */
	if ((rc = ensure_oid(r, k, oid, e)) != AE_OK)
		return rc;
	return create_template(r, k, dn, oid, e);
}

int
ae_setup_templates(
    struct ae_setup_run *r, const char *const **names, struct ae_err *e)
{
	const char *base = NULL;
	size_t i;
	int rc;

	if ((rc = base_oid(r, &base, e)) != AE_OK ||
	    (rc = ensure_base(r, base, e)) != AE_OK)
		return rc;
	for (i = 0; i < COUNT(kinds) && rc == AE_OK; i++)
		rc = ensure_template(r, &kinds[i], base, e);
	*names = offered;
	return rc;
}
