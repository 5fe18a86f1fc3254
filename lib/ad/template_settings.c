/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The table of settings, and one pair of functions for each kind: print and
 * parse.  See template_settings.h.
 */
#include "ad/template_settings.h"

#include <stdlib.h>
#include <string.h>

#include "ad/value.h"
#include "base/time.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define AT(field) offsetof(struct ae_template, field)

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define YEARS_MAX 100

#define SOFTWARE_KSP "Microsoft Software Key Storage Provider"

enum kind {
	TEXT,	/* char * */
	CHOICE, /* char *, one of words */
	NUMBER, /* uint32_t up to bits */
	PERIOD, /* int64_t seconds */
	FLAG,	/* bits of a uint32_t are set: yes */
	UNFLAG, /* they are clear: yes */
	BITS,	/* words, each some of bits of a uint32_t */
	USAGE,	/* words, bits of the first two octets of KeyUsage */
	OIDS,	/* struct ae_strv */
	NAMES,	/* struct ae_strv */
};

struct word {
	const char *name;
	uint32_t bits;
};

struct row {
	struct ae_template_setting pub;
	enum kind kind;
	size_t offset;
	uint32_t bits;
	const struct word *words;
};

/* clang-format off */
static const struct {
	const char *name, *oid;
} oids[] = {
	{ "any-purpose", "2.5.29.37.0" },
	{ "ca-exchange", "1.3.6.1.4.1.311.21.5" },
	{ "client-auth", "1.3.6.1.5.5.7.3.2" },
	{ "code-signing", "1.3.6.1.5.5.7.3.3" },
	{ "directory-replication", "1.3.6.1.4.1.311.21.19" },
	{ "document-signing", "1.3.6.1.4.1.311.10.3.12" },
	{ "efs", "1.3.6.1.4.1.311.10.3.4" },
	{ "efs-recovery", "1.3.6.1.4.1.311.10.3.4.1" },
	{ "email", "1.3.6.1.5.5.7.3.4" },
	{ "enrollment-agent", "1.3.6.1.4.1.311.20.2.1" },
	{ "ipsec", "1.3.6.1.5.5.8.2.2" },
	{ "kdc", "1.3.6.1.5.2.3.5" },
	{ "key-recovery", "1.3.6.1.4.1.311.21.6" },
	{ "key-usage", "2.5.29.15" },
	{ "ocsp-signing", "1.3.6.1.5.5.7.3.9" },
	{ "pkinit-client", "1.3.6.1.5.2.3.4" },
	{ "remote-desktop", "1.3.6.1.4.1.311.54.1.2" },
	{ "server-auth", "1.3.6.1.5.5.7.3.1" },
	{ "smartcard-logon", "1.3.6.1.4.1.311.20.2.2" },
	{ "basic-constraints", "2.5.29.19" },
	{ "extended-key-usage", "2.5.29.37" },
	{ "subject-alt-name", "2.5.29.17" },
	{ "time-stamping", "1.3.6.1.5.5.7.3.8" },
};

static const struct word subject[] = {
	{ "supplied", AE_CT_ENROLLEE_SUPPLIES_SUBJECT },
	{ "old-certificate", AE_CT_OLD_CERT_SUPPLIES_SUBJECT },
	{ "dns", AE_CT_SUBJECT_DNS_AS_CN },
	{ "common-name", AE_CT_SUBJECT_COMMON_NAME },
	{ "directory-path", AE_CT_SUBJECT_DIRECTORY_PATH },
	{ "email", AE_CT_SUBJECT_EMAIL },
	{ NULL, 0 },
};
static const struct word san[] = {
	{ "supplied", AE_CT_ENROLLEE_SUPPLIES_SAN },
	{ "dns", AE_CT_SAN_DNS },
	{ "domain-dns", AE_CT_SAN_DOMAIN_DNS },
	{ "upn", AE_CT_SAN_UPN },
	{ "email", AE_CT_SAN_EMAIL },
	{ "spn", AE_CT_SAN_SPN },
	{ "guid", AE_CT_SAN_DIRECTORY_GUID },
	{ NULL, 0 },
};
/* RFC 5280 4.2.1.3: bit 0 is the highest of the first octet. */
static const struct word usages[] = {
	{ "digital-signature", 0x8000 }, { "non-repudiation", 0x4000 },
	{ "key-encipherment", 0x2000 }, { "data-encipherment", 0x1000 },
	{ "key-agreement", 0x0800 }, { "key-cert-sign", 0x0400 },
	{ "crl-sign", 0x0200 }, { "encipher-only", 0x0100 },
	{ "decipher-only", 0x0080 }, { NULL, 0 },
};
/* MS-CRTD 2.23.2: names as CNG has them */
static const struct word algorithms[] = {
	{ "RSA", 0 }, { "ECDSA_P256", 0 }, { "ECDSA_P384", 0 }, { "ECDSA_P521", 0 },
	{ "ECDH_P256", 0 }, { "ECDH_P384", 0 }, { "ECDH_P521", 0 }, { NULL, 0 },
};
static const struct word hashes[] = {
	{ "SHA1", 0 }, { "SHA256", 0 }, { "SHA384", 0 }, { "SHA512", 0 }, { NULL, 0 },
};
static const struct word key_specs[] = {
	{ "exchange", AE_CT_AT_KEYEXCHANGE }, { "signature", AE_CT_AT_SIGNATURE }, { NULL, 0 },
};

static const struct row rows[] = {
	{ { "display-name", "the name people see" }, TEXT, AT(display_name), 0, NULL },
	{ { "validity", "of certificates: 1y, 6w, 90d, 12h" }, PERIOD, AT(validity), 0, NULL },
	{ { "renewal", "how long before the end to renew, a period" }, PERIOD, AT(overlap), 0, NULL },
	{ { "subject", "supplied, old-certificate, dns, common-name, directory-path, email" }, BITS, AT(name_flag), 0, subject },
	{ { "san", "supplied, dns, domain-dns, upn, email, spn, guid" }, BITS, AT(name_flag), 0, san },
	{ { "eku", "purposes: client-auth, server-auth, ... or object identifiers" }, OIDS, AT(ekus), 0, NULL },
	{ { "issuance-policies", "object identifiers" }, OIDS, AT(certificate_policies), 0, NULL },
	{ { "key-usage", "digital-signature, key-encipherment, ..." }, USAGE, AT(key_usage), 0, usages },
	{ { "critical", "extensions that are critical: key-usage, ..." }, OIDS, AT(critical_extensions), 0, NULL },
	{ { "machine", "for computers, not for users: yes, no" }, FLAG, AT(flags), AE_CT_MACHINE_TYPE, NULL },
	{ { "min-key-size", "bits" }, NUMBER, AT(min_key_size), 16384, NULL },
	{ { "key-algorithm", "RSA, ECDSA_P256, ECDSA_P384, ECDSA_P521, ECDH_P256, ..." }, CHOICE, AT(algorithms.asymmetric), 0, algorithms },
	{ { "hash", "of requests: SHA256, SHA384, SHA512" }, CHOICE, AT(algorithms.hash), 0, hashes },
	{ { "key-spec", "exchange or signature" }, BITS, AT(key_spec), 0, key_specs },
	{ { "providers", "names, the preferred first" }, NAMES, AT(csps), 0, NULL },
	{ { "exportable", "private keys may be exported" }, FLAG, AT(private_key_flag), AE_CT_EXPORTABLE_KEY, NULL },
	{ { "archive-key", "the CA keeps private keys for recovery agents" }, FLAG, AT(private_key_flag), AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL, NULL },
	{ { "same-key", "renew with the same key" }, FLAG, AT(private_key_flag), AE_CT_REQUIRE_SAME_KEY_RENEWAL, NULL },
	{ { "pss", "requests are signed with RSASSA-PSS" }, FLAG, AT(private_key_flag), AE_CT_REQUIRE_ALTERNATE_SIGNATURE, NULL },
	{ { "auto-enroll", "may be requested without being asked for" }, FLAG, AT(enrollment_flag), AE_CT_AUTO_ENROLLMENT, NULL },
	{ { "approval", "a certificate manager approves each request" }, FLAG, AT(enrollment_flag), AE_CT_PEND_ALL_REQUESTS, NULL },
	{ { "renewal-without-approval", "a valid certificate stands in for approval" }, FLAG, AT(enrollment_flag), AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT, NULL },
	{ { "key-based-renewal", "a valid certificate stands in for the right to enroll" }, FLAG, AT(enrollment_flag), AE_CT_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL, NULL },
	{ { "user-interaction", "the person is asked" }, FLAG, AT(enrollment_flag), AE_CT_USER_INTERACTION_REQUIRED, NULL },
	{ { "publish", "into the requester's directory object" }, FLAG, AT(enrollment_flag), AE_CT_PUBLISH_TO_DS, NULL },
	{ { "publish-kra", "into the KRA container" }, FLAG, AT(enrollment_flag), AE_CT_PUBLISH_TO_KRA_CONTAINER, NULL },
	{ { "check-directory", "not again while the directory object has one" }, FLAG, AT(enrollment_flag), AE_CT_CHECK_USER_DS_CERTIFICATE, NULL },
	{ { "remove-invalid", "clients delete old certificates, not only archive them" }, FLAG, AT(enrollment_flag), AE_CT_REMOVE_INVALID_CERTIFICATE, NULL },
	{ { "symmetric-algorithms", "S/MIME capabilities in certificates" }, FLAG, AT(enrollment_flag), AE_CT_INCLUDE_SYMMETRIC_ALGORITHMS, NULL },
	{ { "on-behalf-of", "an enrollment agent may request for others" }, FLAG, AT(enrollment_flag), AE_CT_ALLOW_ENROLL_ON_BEHALF_OF, NULL },
	{ { "ocsp-nocheck", "for OCSP responders" }, FLAG, AT(enrollment_flag), AE_CT_ADD_OCSP_NOCHECK, NULL },
	{ { "revocation-info", "CDP and OCSP addresses in certificates" }, UNFLAG, AT(enrollment_flag), AE_CT_NOREVOCATIONINFO, NULL },
	{ { "sid-extension", "the requester's SID in certificates" }, UNFLAG, AT(enrollment_flag), AE_CT_NO_SECURITY_EXTENSION, NULL },
	{ { "signatures", "of registration authorities that requests need" }, NUMBER, AT(ra_signature), 16, NULL },
	{ { "signature-purposes", "application policies these need" }, OIDS, AT(ra_application_policies), 0, NULL },
	{ { "signature-policies", "issuance policies these need" }, OIDS, AT(ra_policies), 0, NULL },
	{ { "supersedes", "names of templates that this one replaces" }, NAMES, AT(supersedes), 0, NULL },
};
/* clang-format on */

const struct ae_template_setting *
ae_template_setting(size_t i)
{
	return i < COUNT(rows) ? &rows[i].pub : NULL;
}

const char *
ae_template_oid_name(const char *oid)
{
	size_t i;

	for (i = 0; i < COUNT(oids); i++)
		if (strcmp(oids[i].oid, oid) == 0)
			return oids[i].name;
	return oid;
}

const char *
ae_template_oid(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(oids); i++)
		if (strcmp(oids[i].name, name) == 0)
			return oids[i].oid;
	return ae_value_is_oid(name) ? name : NULL;
}

static uint32_t
usage_bits(const struct ae_octets *o)
{
	return (o->len > 0 ? (uint32_t)o->p[0] << 8 : 0) |
	    (o->len > 1 ? o->p[1] : 0);
}

static void
put_words(struct ae_wr *w, const struct word *words, uint32_t bits)
{
	bool first = true;

	for (; words->name != NULL; words++) {
		if ((bits & words->bits) == 0)
			continue;
		ae_wr_printf(w, "%s%s", first ? "" : ",", words->name);
		first = false;
	}
}

/* In the largest unit that leaves nothing over. */
static void
put_period(struct ae_wr *w, int64_t s)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = { { 365 * DAY, 'y' }, { 7 * DAY, 'w' }, { DAY, 'd' },
		{ HOUR, 'h' }, { 1, 's' } };
	size_t i;

	for (i = 0; s > 0 && i < COUNT(units); i++)
		if (s % units[i].seconds == 0) {
			ae_wr_printf(w, "%lld%c",
			    (long long)(s / units[i].seconds), units[i].unit);
			return;
		}
}

static void
put_list(struct ae_wr *w, const struct ae_strv *l, bool are_oids)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		ae_wr_printf(w, "%s%s", i == 0 ? "" : ",",
		    are_oids ? ae_template_oid_name(l->v[i]) : l->v[i]);
}

void
ae_template_setting_put(struct ae_wr *w, const struct ae_template *t, size_t i)
{
	const struct row *r = &rows[i];
	const char *at = (const char *)t + r->offset;
	const char *s;
	uint32_t u32;
	int64_t span;

	switch (r->kind) {
	case TEXT:
	case CHOICE:
		memcpy(&s, at, sizeof(s));
		ae_wr_str(w, s != NULL ? s : "");
		break;
	case NUMBER:
	case FLAG:
	case UNFLAG:
	case BITS:
		memcpy(&u32, at, sizeof(u32));
		if (r->kind == NUMBER)
			ae_wr_printf(w, "%u", u32);
		else if (r->kind == BITS)
			put_words(w, r->words, u32);
		else
			ae_wr_str(w,
			    ((u32 & r->bits) != 0) == (r->kind == FLAG) ? "yes"
									: "no");
		break;
	case PERIOD:
		memcpy(&span, at, sizeof(span));
		put_period(w, span);
		break;
	case USAGE:
		put_words(w, r->words, usage_bits(&t->key_usage));
		break;
	case OIDS:
	case NAMES:
		put_list(w, (const struct ae_strv *)(const void *)at,
		    r->kind == OIDS);
		break;
	}
}

/* What one word of a list stands for; false: nothing. */
static bool
find_word(uint32_t *bits, const struct word *words, const char *name)
{
	for (; words->name != NULL; words++)
		if (strcmp(words->name, name) == 0) {
			*bits = words->bits;
			return true;
		}
	return false;
}

static int
no_value(const struct row *r, const char *value, struct ae_err *e)
{
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
	    "%s: \"%.64s\" is no value (%s)", r->pub.name, value, r->pub.help);
}

/* op is '=', '+' or '-'; *have gets what value, a list of words, makes of it */
static int
set_words(
    uint32_t *have, const struct row *r, char op, char *value, struct ae_err *e)
{
	uint32_t all = 0, given = 0, bits = 0;
	const struct word *w;
	char *name;

	for (w = r->words; w->name != NULL; w++)
		all |= w->bits;
	while ((name = strsep(&value, ",")) != NULL) {
		if (*name == '\0')
			continue;
		if (!find_word(&bits, r->words, name))
			return no_value(r, name, e);
		given |= bits;
	}
	if (op == '=')
		*have = (*have & ~all) | given;
	else if (op == '+')
		*have |= given;
	else
		*have &= ~given;
	return AE_OK;
}

static int
set_usage(struct ae_template *t, const struct row *r, char op, char *value,
    struct ae_err *e)
{
	uint32_t bits = usage_bits(&t->key_usage);
	uint8_t *p;
	int rc;

	if ((rc = set_words(&bits, r, op, value, e)) != AE_OK)
		return rc;
	if ((p = malloc(2)) == NULL)
		return ae_fail_mem(e);
	p[0] = (uint8_t)(bits >> 8);
	p[1] = (uint8_t)bits;
	free(t->key_usage.p);
	t->key_usage.p = p;
	t->key_usage.len = 2;
	return AE_OK;
}

static int
set_period(
    int64_t *out, const struct row *r, const char *value, struct ae_err *e)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'h', HOUR }, { 'd', DAY }, { 'w', 7 * DAY },
		{ 'm', 30 * DAY }, { 'y', 365 * DAY } };
	char *end = NULL;
	long n = strtol(value, &end, 10);
	size_t i;

	for (i = 0; end != value && n > 0 && i < COUNT(units); i++)
		if (end[0] == units[i].unit && end[1] == '\0' &&
		    n <= YEARS_MAX * 365 * DAY / units[i].seconds) {
			*out = n * units[i].seconds;
			return AE_OK;
		}
	return no_value(r, value, e);
}

static int
set_number(
    uint32_t *out, const struct row *r, const char *value, struct ae_err *e)
{
	char *end = NULL;
	long n = strtol(value, &end, 10);

	if (end == value || *end != '\0' || n < 0 || n > (long)r->bits)
		return no_value(r, value, e);
	*out = (uint32_t)n;
	return AE_OK;
}

static int
set_flag(
    uint32_t *out, const struct row *r, const char *value, struct ae_err *e)
{
	const bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return no_value(r, value, e);
	if (yes == (r->kind == FLAG))
		*out |= r->bits;
	else
		*out &= ~r->bits;
	return AE_OK;
}

static int
set_text(char **out, const struct row *r, const char *value, struct ae_err *e)
{
	uint32_t bits;
	char *s = NULL;

	if (r->kind == CHOICE && *value != '\0' &&
	    !find_word(&bits, r->words, value))
		return no_value(r, value, e);
	if (!ae_value_is_text(value, strlen(value)) ||
	    strlen(value) > AE_TEMPLATE_STR_MAX)
		return no_value(r, value, e);
	if (*value != '\0' && (s = strdup(value)) == NULL)
		return ae_fail_mem(e);
	free(*out);
	*out = s;
	return AE_OK;
}

static void
drop(struct ae_strv *l, const char *s)
{
	size_t i, kept = 0;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			free(l->v[i]);
		else
			l->v[kept++] = l->v[i];
	l->n = kept;
}

static int
copy_list(struct ae_strv *to, const struct ae_strv *from, struct ae_err *e)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (!ae_strv_add(to, from->v[i]))
			return ae_fail_mem(e);
	return AE_OK;
}

static int
set_list(struct ae_strv *out, const struct row *r, char op, char *value,
    struct ae_err *e)
{
	struct ae_strv l = { 0 };
	const char *name, *s;
	int rc = op == '=' ? AE_OK : copy_list(&l, out, e);

	while (rc == AE_OK && (name = strsep(&value, ",")) != NULL) {
		s = r->kind == OIDS ? ae_template_oid(name) : name;
		if (*name == '\0')
			continue;
		if (s == NULL || strlen(s) > AE_TEMPLATE_STR_MAX ||
		    l.n >= AE_TEMPLATE_VALUES_MAX)
			rc = no_value(r, name, e);
		else if (op == '-')
			drop(&l, s);
		else if (!ae_strv_has(&l, s) && !ae_strv_add(&l, s))
			rc = ae_fail_mem(e);
	}
	if (rc != AE_OK) {
		ae_strv_done(&l);
		return rc;
	}
	ae_strv_done(out);
	*out = l;
	return AE_OK;
}

static int
apply(struct ae_template *t, const struct row *r, char op, char *value,
    struct ae_err *e)
{
	void *at = (char *)t + r->offset;

	switch (r->kind) {
	case TEXT:
	case CHOICE:
		return set_text(at, r, value, e);
	case NUMBER:
		return set_number(at, r, value, e);
	case PERIOD:
		return set_period(at, r, value, e);
	case FLAG:
	case UNFLAG:
		return set_flag(at, r, value, e);
	case BITS:
		return set_words(at, r, op, value, e);
	case USAGE:
		return set_usage(t, r, op, value, e);
	case OIDS:
	case NAMES:
		return set_list(at, r, op, value, e);
	}
	return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0, "%s", r->pub.name);
}

/* What the changed setting takes with it. */
static int
follow(struct ae_template *t, const struct row *r, struct ae_err *e)
{
	struct ae_strv policies = { 0 };
	int rc;

	if (r->offset == AT(ekus) && t->schema_version >= 2) {
		if ((rc = copy_list(&policies, &t->ekus, e)) != AE_OK) {
			ae_strv_done(&policies);
			return rc;
		}
		ae_strv_done(&t->application_policies);
		t->application_policies = policies;
	}
	/* Schema 1 had the bit in flags; it stays there too. */
	if (r->offset == AT(enrollment_flag) &&
	    r->bits == AE_CT_AUTO_ENROLLMENT)
		t->flags = (t->flags & ~AE_CT_AUTO_ENROLLMENT) |
		    (t->enrollment_flag & AE_CT_AUTO_ENROLLMENT);
	/* Only schema 3 can say it, and only CNG providers have them. */
	if ((t->algorithms.asymmetric != NULL || t->algorithms.hash != NULL) &&
	    t->schema_version < 3) {
		t->schema_version = 3;
		ae_strv_done(&t->csps);
		memset(&t->csps, 0, sizeof(t->csps));
		if (!ae_strv_add(&t->csps, SOFTWARE_KSP))
			return ae_fail_mem(e);
	}
	return AE_OK;
}

int
ae_template_set(struct ae_template *t, const char *assignment, struct ae_err *e)
{
	const char *eq = strchr(assignment, '=');
	const struct row *r = NULL;
	size_t i, len;
	char op = '=', *value;
	int rc;

	if (eq == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "\"%.64s\" is not NAME=VALUE", assignment);
	len = (size_t)(eq - assignment);
	if (len > 0 && (eq[-1] == '+' || eq[-1] == '-')) {
		op = eq[-1];
		len--;
	}
	for (i = 0; i < COUNT(rows) && r == NULL; i++)
		if (strlen(rows[i].pub.name) == len &&
		    strncmp(rows[i].pub.name, assignment, len) == 0)
			r = &rows[i];
	if (r == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "there is no setting \"%.*s\"", (int)(len < 64 ? len : 64),
		    assignment);
	if (op != '=' && r->kind < BITS)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is no list: use %s=", r->pub.name, r->pub.name);
	if ((value = strdup(eq + 1)) == NULL)
		return ae_fail_mem(e);
	rc = apply(t, r, op, value, e);
	free(value);
	return rc == AE_OK ? follow(t, r, e) : rc;
}

/* clang-format off */
int
ae_template_check(const struct ae_template *t, struct ae_err *e)
{
	const uint32_t name = t->name_flag;
	const uint32_t built = AE_CT_SUBJECT_DNS_AS_CN | AE_CT_SUBJECT_COMMON_NAME |
	    AE_CT_SUBJECT_DIRECTORY_PATH | AE_CT_SUBJECT_EMAIL;
	const uint32_t path = name & (AE_CT_SUBJECT_DNS_AS_CN |
	    AE_CT_SUBJECT_COMMON_NAME | AE_CT_SUBJECT_DIRECTORY_PATH);
	const struct {
		bool wrong;
		const char *why;
	} rules[] = {
		{ t->validity <= 0, "validity: certificates need one" },
		{ t->overlap >= t->validity,
		    "renewal: must be shorter than validity" },
		{ (name & AE_CT_ENROLLEE_SUPPLIES_SUBJECT) != 0 && (name & built) != 0,
		    "subject: supplied excludes what the CA would build" },
		{ (path & (path - 1)) != 0,
		    "subject: only one of dns, common-name and directory-path" },
		{ (name & AE_CT_SUBJECT_EMAIL) != 0 && path == 0,
		    "subject: email needs dns, common-name or directory-path" },
		{ (name & AE_CT_OLD_CERT_SUPPLIES_SUBJECT) != 0 &&
			(name & AE_CT_ENROLLEE_SUPPLIES_SUBJECT) == 0,
		    "subject: old-certificate needs supplied" },
		{ t->ra_signature == 0 && t->ra_application_policies.n + t->ra_policies.n != 0,
		    "signatures: 0, but something is demanded of them" },
		{ t->ra_signature > 1 && (t->enrollment_flag & AE_CT_AUTO_ENROLLMENT) != 0,
		    "auto-enroll: no client gathers more than one signature" },
		{ (t->enrollment_flag & AE_CT_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL) != 0 &&
			(t->enrollment_flag & AE_CT_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT) == 0,
		    "key-based-renewal: needs renewal-without-approval" },
		{ (t->private_key_flag & AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL) != 0 &&
			t->key_spec == AE_CT_AT_SIGNATURE,
		    "archive-key: signature keys are not archived" },
	};
	size_t i;

	for (i = 0; i < COUNT(rules); i++)
		if (rules[i].wrong)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "%s", rules[i].why);
	return AE_OK;
}
/* clang-format on */
