/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Directory objects as tables: one row per attribute says its type and
 * where it goes.  The same rows decode from LDAP, encode for our own
 * processes, decode again and free.
 */
#ifndef AE_AD_FIELDS_H
#define AE_AD_FIELDS_H

#include <stddef.h>

#include "ad/entry.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

enum ae_field_kind {
	AE_FIELD_STR,	  /* char *; NULL: absent */
	AE_FIELD_OID,	  /* char * in dotted form */
	AE_FIELD_U32,	  /* uint32_t (or int32_t), LDAP Integer */
	AE_FIELD_U64,	  /* uint64_t */
	AE_FIELD_TIME,	  /* int64_t */
	AE_FIELD_PERIOD,  /* int64_t seconds, MS-CRTD 2.11 */
	AE_FIELD_OCTETS,  /* struct ae_octets */
	AE_FIELD_STRV,	  /* struct ae_strv */
	AE_FIELD_OIDV,	  /* struct ae_strv of OIDs */
	AE_FIELD_OCTETSV, /* struct ae_octetsv */
};

/* Tables end with a row whose name is NULL. */
struct ae_field {
	const char *name;
	enum ae_field_kind kind;
	size_t offset;
	bool derived; /* not an attribute: set by the object's own code */
};

/*
 * Absent attributes leave what *object holds.  On failure the object may be
 * partly filled; release it with ae_fields_done as after success.
 */
int ae_fields_decode(void *object, const struct ae_field *fields,
    const struct ae_entry *entry, struct ae_err *e) AE_MUST_CHECK;
void ae_fields_put(
    struct ae_wr *w, const void *object, const struct ae_field *fields);
int ae_fields_get(void *object, const struct ae_field *fields, struct ae_rd *r,
    struct ae_err *e) AE_MUST_CHECK;
void ae_fields_done(void *object, const struct ae_field *fields);

/*
 * The attributes as LDAP wants them written, appended to out (room for
 * max, *n there already); all in the arena or borrowed from object.  Left
 * out: what is absent, derived rows, and what the server keeps (AE_FIELD_U64
 * and _TIME).
 */
int ae_fields_encode(struct ae_attr *out, size_t *n, size_t max,
    const void *object, const struct ae_field *fields, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

#endif
