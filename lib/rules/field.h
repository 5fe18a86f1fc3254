/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The names policy files have for what stands in subjects and alternative
 * names, beside the object identifiers and types of certificates.
 */
#ifndef AE_RULES_FIELD_H
#define AE_RULES_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "pki/ext.h"

/* An attribute of the subject. */
struct ae_rules_rdn {
	const char *field; /* "commonName" */
	const char *oid;
	/* most characters of one that is written (X.520); 0: only read */
	size_t max;
	int rank; /* place in a name that is put together, root first */
};

#define AE_RULES_OID_CN "2.5.4.3"

/* By name (ASCII case aside) or by OID; NULL: none. */
const struct ae_rules_rdn *ae_rules_rdn(const char *field);
const struct ae_rules_rdn *ae_rules_rdn_oid(const char *oid);
/* The rank of an attribute that has no name here is that of the middle. */
int ae_rules_rank(const char *oid);

/* "commonName", or "OID.1.2.3"; NULL: the arena is full. */
const char *ae_rules_rdn_name(struct ae_arena *a, const char *oid);
/* A field that rules may name: the table's, or OID.<dotted numbers>. */
bool ae_rules_rdn_known(const char *field);

/* By name (ASCII case aside), as the table spells it; NULL: none. */
const char *ae_rules_san_known(const char *field);
enum ae_san_type ae_rules_san_type(const char *field); /* of a known one */
/* Of one in a certificate; for kinds that have no rules "directoryName" … */
const char *ae_rules_san_name(enum ae_san_type type);
/* Its value as rules see it; NULL: the arena is full. */
const char *ae_rules_san_text(struct ae_arena *a, const struct ae_san *san);

/* A directory attribute that needs no CustomAttributes. */
bool ae_rules_attribute_known(const char *name);
/* A host name of letters, digits, - and _, with or without dots. */
bool ae_rules_is_host(const char *s);
/* One or more numbers with dots between, as an OID must be. */
bool ae_rules_is_oid(const char *s);

#endif
