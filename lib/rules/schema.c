/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The elements of a policy file.  doc/rules.md has the same table with what
 * each of them means.
 */
#include <stddef.h>

#include "rules/load_int.h"

#define ROW(owner, tag, k, member) \
	.name = tag, .kind = k, .offset = offsetof(struct owner, member)

/* clang-format off */
static const struct ae_rules_word actions[] = { { "Allow", AE_RULES_ALLOW }, { "Deny", AE_RULES_DENY }, { 0 } };
static const struct ae_rules_word sid_actions[] = { { "Allow", AE_RULES_ALLOW }, { "Deny", AE_RULES_DENY },
	{ "Add", AE_RULES_ADD }, { "Remove", AE_RULES_REMOVE }, { 0 } };
static const struct ae_rules_word mappings[] = { { "Allow", AE_RULES_MAP_ALLOW }, { "Deny", AE_RULES_MAP_DENY },
	{ "Continue", AE_RULES_MAP_CONTINUE }, { 0 } };
static const struct ae_rules_word treats[] = { { "RegEx", AE_RULES_REGEX }, { "RegExIgnoreCase", AE_RULES_REGEX_NOCASE },
	{ "Cidr", AE_RULES_CIDR }, { "ExactMatch", AE_RULES_EXACT }, { "ExactMatchIgnoreCase", AE_RULES_EXACT_NOCASE }, { 0 } };
/* the numbers are those of the attestation (Yubico's PIV extensions) */
static const struct ae_rules_word pins[] = { { "None", 0 }, { "Never", 1 }, { "Once", 2 }, { "Always", 3 },
	{ "MatchOnce", 4 }, { "MatchAlways", 5 }, { "Default", 31 }, { 0 } };
static const struct ae_rules_word touches[] = { { "None", 0 }, { "Never", 1 }, { "Always", 2 }, { "Cached", 3 },
	{ "Default", 31 }, { 0 } };
static const struct ae_rules_word forms[] = { { "Unknown", 0 }, { "UsbAKeychain", 1 }, { "UsbANano", 2 },
	{ "UsbCKeychain", 3 }, { "UsbCNano", 4 }, { "UsbCLightning", 5 }, { "UsbABiometricKeychain", 6 },
	{ "UsbCBiometricKeychain", 7 }, { 0 } };
static const struct ae_rules_word editions[] = { { "Normal", AE_RULES_YK_NORMAL }, { "FIPS", AE_RULES_YK_FIPS },
	{ "CSPN", AE_RULES_YK_CSPN }, { 0 } };
static const struct ae_rules_word algorithms[] = { { "RSA", AE_RULES_YK_RSA }, { "DSA", 2 }, { "ECC", AE_RULES_YK_ECC }, { 0 } };

static const struct ae_rules_element pattern[] = {
	{ ROW(ae_rules_pattern, "Expression", KIND_TEXT, expression) },
	{ ROW(ae_rules_pattern, "TreatAs", KIND_ENUM, treat_as), .words = treats },
	{ ROW(ae_rules_pattern, "Action", KIND_ENUM, action), .words = actions },
	{ .name = NULL },
};
static const struct ae_rules_pattern pattern_initial = { .treat_as = AE_RULES_REGEX, .action = AE_RULES_ALLOW };
static const struct ae_rules_type type_pattern = { sizeof(struct ae_rules_pattern), &pattern_initial, pattern,
	ae_rules_finish_pattern };

static const struct ae_rules_element subject[] = {
	{ ROW(ae_rules_subject, "Field", KIND_WORD, field) },
	{ ROW(ae_rules_subject, "Mandatory", KIND_BOOL, mandatory) },
	{ ROW(ae_rules_subject, "MaxOccurrences", KIND_NUMBER, max_occurrences) },
	{ ROW(ae_rules_subject, "MinLength", KIND_NUMBER, min_length) },
	{ ROW(ae_rules_subject, "MaxLength", KIND_NUMBER, max_length) },
	{ ROW(ae_rules_subject, "Patterns", KIND_LIST, patterns), .type = &type_pattern, .item = "Pattern" },
	{ .name = NULL },
};
static const struct ae_rules_subject subject_initial = { .max_occurrences = 1, .min_length = 1, .max_length = 128 };
static const struct ae_rules_type type_subject = { sizeof(struct ae_rules_subject), &subject_initial, subject,
	ae_rules_finish_subject };

static const struct ae_rules_element outbound[] = {
	{ ROW(ae_rules_outbound, "Field", KIND_WORD, field) },
	{ ROW(ae_rules_outbound, "Value", KIND_TEXT, value) },
	{ ROW(ae_rules_outbound, "Mandatory", KIND_BOOL, mandatory) },
	{ ROW(ae_rules_outbound, "Force", KIND_BOOL, force) },
	{ .name = NULL },
};
static const struct ae_rules_type type_outbound = { sizeof(struct ae_rules_outbound), NULL, outbound,
	ae_rules_finish_outbound };

static const struct ae_rules_element attribute[] = {
	{ ROW(ae_rules_attribute, "DirectoryServicesAttribute", KIND_WORD, attribute) },
	{ ROW(ae_rules_attribute, "Mandatory", KIND_BOOL, mandatory) },
	{ ROW(ae_rules_attribute, "Patterns", KIND_LIST, patterns), .type = &type_pattern, .item = "Pattern" },
	{ .name = NULL },
};
static const struct ae_rules_attribute attribute_initial = { .attribute = "sAMAccountName" };
static const struct ae_rules_type type_attribute = { sizeof(struct ae_rules_attribute), &attribute_initial, attribute,
	ae_rules_finish_attribute };

static const struct ae_rules_element directory[] = {
	{ ROW(ae_rules_directory, "Action", KIND_ENUM, action), .words = mappings },
	{ ROW(ae_rules_directory, "SearchRoot", KIND_WORD, search_root) },
	{ ROW(ae_rules_directory, "CertificateAttribute", KIND_WORD, certificate_attribute) },
	{ ROW(ae_rules_directory, "DirectoryServicesAttribute", KIND_WORD, directory_attribute) },
	{ ROW(ae_rules_directory, "ObjectCategory", KIND_WORD, object_category) },
	{ ROW(ae_rules_directory, "DirectoryObjectRules", KIND_LIST, rules), .type = &type_attribute, .item = "DirectoryObjectRule" },
	{ ROW(ae_rules_directory, "CustomAttributes", KIND_STRINGS, custom) },
	{ ROW(ae_rules_directory, "AllowedSecurityGroups", KIND_STRINGS, allowed_groups) },
	{ ROW(ae_rules_directory, "DisallowedSecurityGroups", KIND_STRINGS, disallowed_groups) },
	{ ROW(ae_rules_directory, "AllowedOrganizationalUnits", KIND_STRINGS, allowed_units) },
	{ ROW(ae_rules_directory, "DisallowedOrganizationalUnits", KIND_STRINGS, disallowed_units) },
	{ ROW(ae_rules_directory, "PermitDisabledAccounts", KIND_BOOL, permit_disabled) },
	{ ROW(ae_rules_directory, "SupplementServicePrincipalNames", KIND_BOOL, supplement_spns) },
	{ ROW(ae_rules_directory, "AddSidUniformResourceIdentifier", KIND_BOOL, add_sid_uri) },
	{ ROW(ae_rules_directory, "MaximumPasswordAge", KIND_NUMBER, password_age) },
	{ .name = NULL },
};
static const struct ae_rules_directory directory_initial = { .certificate_attribute = "userPrincipalName",
	.directory_attribute = "userPrincipalName", .object_category = "user" };
static const struct ae_rules_type type_directory = { sizeof(struct ae_rules_directory), &directory_initial, directory,
	ae_rules_finish_directory };

static const struct ae_rules_element yubikey[] = {
	{ ROW(ae_rules_yubikey, "Action", KIND_ENUM, action), .words = actions },
	{ ROW(ae_rules_yubikey, "PinPolicy", KIND_FLAGS, pin), .words = pins },
	{ ROW(ae_rules_yubikey, "TouchPolicy", KIND_FLAGS, touch), .words = touches },
	{ ROW(ae_rules_yubikey, "FormFactor", KIND_FLAGS, form), .words = forms },
	{ ROW(ae_rules_yubikey, "MaximumFirmwareVersion", KIND_VERSION, firmware_max) },
	{ ROW(ae_rules_yubikey, "MinimumFirmwareVersion", KIND_VERSION, firmware_min) },
	{ ROW(ae_rules_yubikey, "Edition", KIND_FLAGS, edition), .words = editions },
	{ ROW(ae_rules_yubikey, "Slot", KIND_STRINGS, slots) },
	{ ROW(ae_rules_yubikey, "KeyAlgorithm", KIND_FLAGS, algorithm), .words = algorithms },
	{ .name = NULL },
};
static const struct ae_rules_yubikey yubikey_initial = { .action = AE_RULES_ALLOW, .firmware_min = -1, .firmware_max = -1 };
static const struct ae_rules_type type_yubikey = { sizeof(struct ae_rules_yubikey), &yubikey_initial, yubikey, NULL };

static const struct ae_rules_element extension[] = {
	{ ROW(ae_rules_extension, "Oid", KIND_WORD, oid) },
	{ ROW(ae_rules_extension, "Value", KIND_WORD, text) },
	{ .name = NULL },
};
static const struct ae_rules_type type_extension = { sizeof(struct ae_rules_extension), NULL, extension,
	ae_rules_finish_extension };

static const struct ae_rules_element policy[] = {
	{ ROW(ae_rules, "AuditOnly", KIND_BOOL, audit_only) },
	{ ROW(ae_rules, "NotAfter", KIND_TIME, not_after) },
	{ ROW(ae_rules, "AllowedProcesses", KIND_STRINGS, allowed_processes) },
	{ ROW(ae_rules, "DisallowedProcesses", KIND_STRINGS, disallowed_processes) },
	{ ROW(ae_rules, "AllowedCryptoProviders", KIND_STRINGS, allowed_providers) },
	{ ROW(ae_rules, "DisallowedCryptoProviders", KIND_STRINGS, disallowed_providers) },
	{ ROW(ae_rules, "CrlDistributionPoints", KIND_STRINGS, cdp) },
	{ ROW(ae_rules, "AuthorityInformationAccess", KIND_STRINGS, aia) },
	{ ROW(ae_rules, "OnlineCertificateStatusProtocol", KIND_STRINGS, ocsp) },
	{ ROW(ae_rules, "MinimumKeyLength", KIND_NUMBER, min_key) },
	{ ROW(ae_rules, "MaximumKeyLength", KIND_NUMBER, max_key) },
	{ ROW(ae_rules, "Subject", KIND_LIST, subject), .type = &type_subject, .item = "SubjectRule" },
	{ ROW(ae_rules, "SubjectAlternativeName", KIND_LIST, san), .type = &type_subject, .item = "SubjectRule" },
	{ ROW(ae_rules, "OutboundSubject", KIND_LIST, out_subject), .type = &type_outbound, .item = "OutboundSubjectRule" },
	{ ROW(ae_rules, "OutboundSubjectAlternativeName", KIND_LIST, out_san), .type = &type_outbound, .item = "OutboundSubjectRule" },
	{ ROW(ae_rules, "SecurityIdentifierExtension", KIND_ENUM, sid), .words = sid_actions },
	{ ROW(ae_rules, "DirectoryServicesMapping", KIND_OBJECT, directory), .type = &type_directory },
	{ ROW(ae_rules, "YubiKeyPolicies", KIND_LIST, yubikey), .type = &type_yubikey, .item = "YubiKeyPolicy" },
	{ ROW(ae_rules, "SupplementDnsNames", KIND_BOOL, supplement_dns) },
	{ ROW(ae_rules, "SupplementUnqualifiedNames", KIND_BOOL, supplement_unqualified) },
	{ ROW(ae_rules, "ReadSubjectFromRequest", KIND_BOOL, subject_from_request) },
	{ ROW(ae_rules, "PermitEmptyIdentities", KIND_BOOL, permit_empty) },
	{ ROW(ae_rules, "CustomCertificateExtensions", KIND_LIST, extensions), .type = &type_extension,
	    .item = "CustomCertificateExtension" },
	{ .name = NULL },
};
static const struct ae_rules policy_initial = { .not_after = INT64_MAX, .sid = AE_RULES_DENY, .supplement_unqualified = true };
const struct ae_rules_type ae_rules_type_policy = { sizeof(struct ae_rules), &policy_initial, policy,
	ae_rules_finish_policy };
/* clang-format on */
