/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Request attributes: the lines "Name:Value" of pwszAttributes and of ICPR's
 * pctbAttribs (MS-WCCE 3.2.1.4.2.1.2), and the pairs that CMC's RegInfo and
 * a PKCS#10 carry (MS-WCCE 2.2.2.6.3, 2.2.2.7.10).  Parsing never refuses a
 * request: lines that make no sense are counted and left out, as the
 * specification says.  What an attribute may do to a certificate is the CA's
 * business, and there is exactly one that does anything: CertificateTemplate.
 */
#ifndef AE_WCCE_ATTRS_H
#define AE_WCCE_ATTRS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

#define AE_WCCE_ATTRS_COUNT_MAX 128 /* further lines are ignored */

enum ae_wcce_attr_use {
	AE_WCCE_ATTR_UNKNOWN, /* no meaning to us: ignored, logged */
	AE_WCCE_ATTR_USED,    /* CertificateTemplate */
	AE_WCCE_ATTR_DATE,    /* acted upon where the configuration says so */
	AE_WCCE_ATTR_IGNORED, /* known, and never acted upon: san, cdc, rmd… */
};

struct ae_wcce_attr {
	const char *key;   /* folded: lower case, no blanks, no '-' */
	const char *name;  /* as sent, blanks around it removed */
	const char *value; /* blanks around it removed; not empty */
	enum ae_wcce_attr_use use;
	const char
	    *why; /* of an IGNORED one or a DATE: a sentence for the log */
};

struct ae_wcce_attrs {
	struct ae_wcce_attr *v;
	size_t n;
	size_t bad_lines; /* lines without name, separator or value */
};

/*
 * Parse lines separated by LF (a CR before it is dropped).  text may be NULL.
 * Only AE_ENOMEM can be returned.  Everything lives in a.
 */
int ae_wcce_attrs_parse(struct ae_wcce_attrs *out, const char *text,
    struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/*
 * Append one pair as CMC's RegInfo or a PKCS#10's ENROLLMENT_NAME_VALUE_PAIR
 * has it; the same rules for name and value hold.
 */
int ae_wcce_attrs_add(struct ae_wcce_attrs *out, const char *name,
    const char *value, struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/* The first value of a folded key ("certificatetemplate"); NULL: absent. */
const char *ae_wcce_attrs_get(
    const struct ae_wcce_attrs *attrs, const char *key);

#endif
