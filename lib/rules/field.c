/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tables of names; see field.h.
 */
#include "rules/field.h"

#include <string.h>
#include <strings.h>

#include "base/ip.h"
#include "base/str.h"

#define RANK_MIDDLE 60

/* clang-format off */
static const struct ae_rules_rdn rdns[] = {
	{ "countryName",            "2.5.4.6",                        2,  0 },
	{ "domainComponent",        "0.9.2342.19200300.100.1.25",   128, 10 },
	{ "stateOrProvinceName",    "2.5.4.8",                      128, 20 },
	{ "localityName",           "2.5.4.7",                      128, 30 },
	{ "streetAddress",          "2.5.4.9",                       30, 35 },
	{ "organizationName",       "2.5.4.10",                      64, 40 },
	{ "organizationalUnitName", "2.5.4.11",                      64, 50 },
	{ "title",                  "2.5.4.12",                      64, 61 },
	{ "surname",                "2.5.4.4",                       40, 62 },
	{ "givenName",              "2.5.4.42",                      16, 63 },
	{ "initials",               "2.5.4.43",                       5, 64 },
	{ "serialNumber",           "2.5.4.5",                     1024, 65 },
	{ "unstructuredAddress",    "1.2.840.113549.1.9.8",        1024, 66 },
	{ "unstructuredName",       "1.2.840.113549.1.9.2",        1024, 67 },
	{ "commonName",             AE_RULES_OID_CN,                 64, 70 },
	{ "emailAddress",           "1.2.840.113549.1.9.1",         128, 80 },
	/* only where a request has them */
	{ "postalCode",             "2.5.4.17",                       0, 60 },
	{ "description",            "2.5.4.13",                       0, 60 },
	{ "postOfficeBox",          "2.5.4.18",                       0, 60 },
	{ "telephoneNumber",        "2.5.4.20",                       0, 60 },
};

static const struct {
	enum ae_san_type type;
	const char *field;
	bool ruled;
} sans[] = {
	{ AE_SAN_DNS,   "dNSName",                   true },
	{ AE_SAN_IP,    "iPAddress",                 true },
	{ AE_SAN_EMAIL, "rfc822Name",                true },
	{ AE_SAN_URI,   "uniformResourceIdentifier", true },
	{ AE_SAN_UPN,   "userPrincipalName",         true },
	{ AE_SAN_DN,    "directoryName",             false },
	{ AE_SAN_GUID,  "objectGUID",                false },
	{ AE_SAN_OTHER, "otherName",                 false },
};

/* The attributes a file may name without listing them in CustomAttributes. */
static const char *const attributes[] = { "c", "cn", "co", "company",
	"department", "departmentNumber", "description", "displayName",
	"division", "dNSHostName", "employeeID", "employeeNumber",
	"employeeType", "facsimileTelephoneNumber", "gecos", "givenName",
	"homePhone", "homePostalAddress", "info", "initials", "l", "location",
	"mail", "mailNickname", "middleName", "mobile", "name", "otherMailbox",
	"otherMobile", "otherPager", "otherTelephone", "pager",
	"personalPager", "personalTitle", "postalAddress", "postalCode",
	"postOfficeBox", "pwdLastSet", "sAMAccountName", "sn", "st", "street",
	"streetAddress", "telephoneNumber", "title", "userPrincipalName" };
/* clang-format on */

#define N(t) (sizeof(t) / sizeof((t)[0]))
#define OID_PREFIX "OID."

const struct ae_rules_rdn *
ae_rules_rdn(const char *field)
{
	size_t i;

	for (i = 0; i < N(rdns); i++)
		if (ae_str_eq_nocase(rdns[i].field, field))
			return &rdns[i];
	return NULL;
}

const struct ae_rules_rdn *
ae_rules_rdn_oid(const char *oid)
{
	size_t i;

	for (i = 0; i < N(rdns); i++)
		if (strcmp(rdns[i].oid, oid) == 0)
			return &rdns[i];
	return NULL;
}

int
ae_rules_rank(const char *oid)
{
	const struct ae_rules_rdn *r = ae_rules_rdn_oid(oid);

	return r != NULL ? r->rank : RANK_MIDDLE;
}

const char *
ae_rules_rdn_name(struct ae_arena *a, const char *oid)
{
	const struct ae_rules_rdn *r = ae_rules_rdn_oid(oid);

	return r != NULL ? r->field : ae_arena_printf(a, OID_PREFIX "%s", oid);
}

bool
ae_rules_is_oid(const char *s)
{
	size_t parts = 0;

	if (strlen(s) > 128 || s[0] < '0' || s[0] > '2' ||
	    (s[1] != '.' && s[1] != '\0'))
		return false;
	for (;; s++) {
		if (*s < '0' || *s > '9' ||
		    (*s == '0' && s[1] >= '0' && s[1] <= '9'))
			return false;
		s += strspn(s, "0123456789");
		parts++;
		if (*s == '\0')
			return parts > 1;
		if (*s != '.')
			return false;
	}
}

bool
ae_rules_rdn_known(const char *field)
{
	if (strncasecmp(field, OID_PREFIX, sizeof(OID_PREFIX) - 1) == 0)
		return ae_rules_is_oid(field + sizeof(OID_PREFIX) - 1);
	return ae_rules_rdn(field) != NULL;
}

const char *
ae_rules_san_known(const char *field)
{
	size_t i;

	for (i = 0; i < N(sans); i++)
		if (sans[i].ruled && ae_str_eq_nocase(sans[i].field, field))
			return sans[i].field;
	return NULL;
}

enum ae_san_type
ae_rules_san_type(const char *field)
{
	size_t i;

	for (i = 0; i < N(sans); i++)
		if (ae_str_eq_nocase(sans[i].field, field))
			return sans[i].type;
	return AE_SAN_RAW;
}

const char *
ae_rules_san_name(enum ae_san_type type)
{
	size_t i;

	for (i = 0; i < N(sans); i++)
		if (sans[i].type == type)
			return sans[i].field;
	return "other";
}

const char *
ae_rules_san_text(struct ae_arena *a, const struct ae_san *san)
{
	char ip[AE_IP_STR_MAX];

	if (san->type == AE_SAN_IP)
		return ae_arena_strdup(
		    a, ae_ip_print(ip, san->der.p, san->der.len));
	return san->text != NULL ? san->text : "";
}

bool
ae_rules_attribute_known(const char *name)
{
	static const char prefix[] = "extensionAttribute";
	const size_t n = sizeof(prefix) - 1;
	size_t i;

	for (i = 0; i < N(attributes); i++)
		if (ae_str_eq_nocase(attributes[i], name))
			return true;
	/* extensionAttribute1 to 15 */
	if (strncasecmp(name, prefix, n) != 0)
		return false;
	name += n;
	return (strlen(name) == 1 && name[0] >= '1' && name[0] <= '9') ||
	    (strlen(name) == 2 && name[0] == '1' && name[1] >= '0' &&
		name[1] <= '5');
}

bool
ae_rules_is_host(const char *s)
{
	size_t n;

	if (*s == '\0' || strlen(s) > 253)
		return false;
	for (;;) {
		n = strspn(s,
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "0123456789-_");
		if (n == 0 || n > 63)
			return false;
		s += n;
		if (*s == '\0')
			return true;
		if (*s++ != '.')
			return false;
	}
}
