/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Distinguished names.  A name is its DER; these functions make one, show
 * one and compare two.
 */
#ifndef AE_PKI_NAME_H
#define AE_PKI_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/wr.h"
#include "pki/der.h"

/* One relative name: "CN", "E", "OU", "O", "L", "S", "DC", "C", … or an OID. */
struct ae_name_part {
	const char *type;
	const char *value; /* UTF-8 */
};

#define AE_NAME_PARTS_MAX 64

/*
 * Append the DER Name of n single-valued RDNs in the order they have in the
 * certificate, which is the reverse of how AD and RFC 4514 print them
 * (DC=com first, CN last).  DC and E are IA5String, C PrintableString, the
 * others PrintableString where the value allows it and UTF8String
 * otherwise, as Windows does.  n 0 makes the empty name.  AE_EINVAL for an
 * unknown type, a value its string type cannot hold, or an empty value.
 */
int ae_name_encode(struct ae_wr *w, const struct ae_name_part *parts, size_t n,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Append the DER Name of a distinguishedName as AD stores it, RFC 4514:
 * "CN=PC1,CN=Computers,DC=example,DC=com".  Escapes \, and \2C are
 * understood, multi-valued RDNs ('+') and #hex values are not: AE_EINVAL.
 */
int ae_name_from_text(
    struct ae_wr *w, const char *dn, struct ae_err *e) AE_MUST_CHECK;

/* RFC 4514 text of a DER Name, heap; free() it.  "" for the empty name. */
int ae_name_print(
    char **out, struct ae_der name, struct ae_err *e) AE_MUST_CHECK;

/*
 * The last value of the given type (for CN: the most specific), as UTF-8 on
 * the heap; free() it.  AE_ENOTFOUND when there is none.
 */
int ae_name_get(char **out, struct ae_der name, const char *type,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Every attribute in the order of the certificate, from the arena: type as a
 * dotted OID, value as UTF-8.  RDNs of several values come out flat.
 * AE_ELIMIT for more than AE_NAME_PARTS_MAX.
 */
int ae_name_list(struct ae_name_part **out, size_t *n, struct ae_der name,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/* Same bytes, or equal after RFC 5280 7.1 folding of case and white space. */
bool ae_name_equal(struct ae_der a, struct ae_der b);

bool ae_name_is_empty(struct ae_der name);

/* The dotted OID of "CN" and the like; an OID as it is; NULL for others. */
const char *ae_name_type_oid(const char *type);

#endif
