/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Policy files: what a template's certificates must be, beyond the template,
 * in the XML form of the policy module TameMyCerts.  This is the file as
 * data; judge.h applies it to a request.  doc/rules.md has every element.
 */
#ifndef AE_RULES_RULES_H
#define AE_RULES_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rules/pattern.h"

#define AE_RULES_FILE_MAX (256u * 1024u)
#define AE_RULES_ITEMS_MAX 256 /* of one list */
#define AE_RULES_TEXT_MAX 8192 /* bytes in one element */
#define AE_RULES_ATTRS_MAX 128 /* directory attributes in all */

struct ae_rules_strings {
	const char **v;
	size_t n;
};

/* DirectoryServicesMapping/Action */
enum ae_rules_mapping {
	AE_RULES_MAP_ALLOW, /* there must be such an object */
	AE_RULES_MAP_DENY,  /* there must be none */
	AE_RULES_MAP_CONTINUE,
};

/* SubjectRule */
struct ae_rules_subject {
	const char *field; /* as field.h spells it */
	bool mandatory;
	int64_t max_occurrences, min_length, max_length;
	struct ae_rules_patterns patterns;
};

/* OutboundSubjectRule */
struct ae_rules_outbound {
	const char *field;
	const char *value; /* never NULL; empty: take the field away */
	bool mandatory, force;
};

/* DirectoryObjectRule */
struct ae_rules_attribute {
	const char *attribute;
	bool mandatory;
	struct ae_rules_patterns patterns;
};

/* CustomCertificateExtension */
struct ae_rules_extension {
	const char *oid;
	const char *text; /* base64 as written, NULL: none */
	const uint8_t *value;
	size_t len;
};

/* A bit for each enumerated value; 0: any. */
struct ae_rules_yubikey {
	enum ae_rules_action action;
	uint32_t pin, touch, form, edition, algorithm;
	struct ae_rules_strings slots;
	int64_t firmware_min, firmware_max; /* AE_RULES_FIRMWARE; -1: any */
};
#define AE_RULES_FIRMWARE(a, b, c) \
	((int64_t)(a) << 42 | (int64_t)(b) << 21 | ((int64_t)(c) + 1))

enum { AE_RULES_YK_NORMAL = 0, AE_RULES_YK_FIPS = 1, AE_RULES_YK_CSPN = 2 };
enum { AE_RULES_YK_RSA = 1, AE_RULES_YK_ECC = 3 };

struct ae_rules_directory {
	enum ae_rules_mapping action;
	const char *search_root; /* NULL: everywhere */
	const char *certificate_attribute;
	const char *directory_attribute;
	const char *object_category;
	struct {
		struct ae_rules_attribute *v;
		size_t n;
	} rules;
	struct ae_rules_strings custom, allowed_groups, disallowed_groups,
	    allowed_units, disallowed_units;
	bool permit_disabled, supplement_spns, add_sid_uri;
	int64_t password_age; /* minutes; 0: any */
};

/* One file.  Owns everything in it; read only. */
struct ae_rules {
	bool audit_only;
	int64_t not_after; /* INT64_MAX: no fixed date */
	struct ae_rules_strings allowed_processes, disallowed_processes,
	    allowed_providers, disallowed_providers, cdp, aia, ocsp;
	int64_t min_key, max_key; /* bits; 0: any */
	struct {
		struct ae_rules_subject *v;
		size_t n;
	} subject, san;
	struct {
		struct ae_rules_outbound *v;
		size_t n;
	} out_subject, out_san;
	enum ae_rules_action sid;
	struct ae_rules_directory *directory; /* NULL: no mapping */
	struct {
		struct ae_rules_yubikey *v;
		size_t n;
	} yubikey;
	bool supplement_dns, supplement_unqualified;
	bool subject_from_request; /* what this CA does anyway */
	bool permit_empty;
	struct {
		struct ae_rules_extension *v;
		size_t n;
	} extensions;

	/* the attributes of the mapped object that anything here looks at */
	struct ae_rules_strings attributes;
	struct ae_arena *arena; /* not yours */
	struct ae_regex *regexes;
};

/*
 * Read one file of at most AE_RULES_FILE_MAX bytes.  name stands before the
 * line and the column of whatever is wrong: "Web.xml:12:5: …".  Refused with
 * AE_EPROTO: what is not well-formed, a DTD, an element, attribute or value
 * that is not known, one twice that may be there once, text where elements
 * belong.  With AE_EINVAL: what is known and makes no sense – an expression
 * that does not compile, a field twice, a date that is none.
 */
int ae_rules_load(struct ae_rules **out, const char *name, const void *xml,
    size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_rules_free(struct ae_rules *r);

/*
 * The files of a directory, by the template they are for.  A file that could
 * not be read holds its error, so that its template is refused and no other.
 */
struct ae_rules_set;
struct ae_rules_entry {
	char *template;		/* the file's name without ".xml" */
	struct ae_rules *rules; /* NULL: broken */
	char *error;		/* why */
};
#define AE_RULES_SET_MAX 1024

struct ae_rules_set *ae_rules_set_new(void); /* NULL: out of memory */
void ae_rules_set_free(struct ae_rules_set *s);
/*
 * Add the file NAME.xml with these bytes; broken ones are added, too.
 * unreadable: the bytes are not there, this is why.  AE_EINVAL: not a name
 * that ends in .xml; AE_ELIMIT: too many.
 */
int ae_rules_set_add(struct ae_rules_set *s, const char *file, const void *xml,
    size_t len, const char *unreadable, struct ae_err *e) AE_MUST_CHECK;
size_t ae_rules_set_count(const struct ae_rules_set *s);
const struct ae_rules_entry *ae_rules_set_at(
    const struct ae_rules_set *s, size_t i);
/*
 * By the template's cn, in which characters that no file name may have under
 * Windows are passed over (any case); NULL: there is none.
 */
const struct ae_rules_entry *ae_rules_set_find(
    const struct ae_rules_set *s, const char *cn);

#endif
