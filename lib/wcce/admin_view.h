/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA database as ICertAdminD shows it: tables and columns (MS-CSRA
 * 3.1.1.1 to 3.1.1.5), restrictions over them, and the marshaled forms of
 * columns, rows, attributes and extensions (2.2.1.7 to 2.2.1.10, 2.2.3).
 * Where values come from is the CA's business.
 */
#ifndef AE_WCCE_ADMIN_VIEW_H
#define AE_WCCE_ADMIN_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/wr.h"
#include "wcce/admin.h"

/* Column types, MS-CSRA 3.1.1.5. */
enum ae_admin_type {
	AE_ADMIN_NONE = 0, /* of a value: the row has none */
	AE_ADMIN_LONG = 1,
	AE_ADMIN_DATE = 2,
	AE_ADMIN_BINARY = 3,
	AE_ADMIN_STRING = 4,
};
#define AE_ADMIN_TYPE_MASK 0xffu
#define AE_ADMIN_INDEXED 0x00010000u /* the column flag I */

struct ae_admin_column {
	uint32_t id;
	uint32_t type; /* enum ae_admin_type, or'ed with AE_ADMIN_INDEXED */
	uint32_t max;  /* bytes */
	const char *name;
	const char *display;
};

/* iTable of EnumViewColumnTable, MS-CSRA 3.1.4.2.5. */
#define AE_ADMIN_TABLE_REQUEST 0x0000u
#define AE_ADMIN_TABLE_EXTENSION 0x3000u
#define AE_ADMIN_TABLE_ATTRIBUTE 0x4000u
#define AE_ADMIN_TABLE_CRL 0x5000u

/* Columns that code names; the others are rows of the table alone. */
enum {
	AE_ADMIN_COL_REQUESTID = 0x1000,
	AE_ADMIN_COL_DISPOSITION = 0x1009,
	AE_ADMIN_COL_SUBMITTED = 0x100b,
	AE_ADMIN_COL_REQUESTER = 0x1010,
	AE_ADMIN_COL_ISSUEDID = 0x2000,
	AE_ADMIN_COL_TEMPLATE = 0x2003,
	AE_ADMIN_COL_SERIAL = 0x2007,
	AE_ADMIN_COL_CRLROW = 0x5000,
};

/* The columns of a table in their order; NULL: there is no such table. */
const struct ae_admin_column *ae_admin_columns(uint32_t table, size_t *n);
/* By the number, or by the name a view has; NULL: none. */
const struct ae_admin_column *ae_admin_column_find(uint32_t id);
const struct ae_admin_column *ae_admin_column_named(const char *name);
/* Request's columns are numbered 0x1000 and 0x2000 on, the CRL's 0x5000. */
bool ae_admin_column_is_request(uint32_t id);
bool ae_admin_column_is_crl(uint32_t id);

/* GetViewDefaultColumnSet (MS-CSRA 3.1.4.1.10); NULL: no such set. */
const uint32_t *ae_admin_default_columns(uint32_t set, size_t *n);

/* A value of any column. */
struct ae_admin_value {
	enum ae_admin_type type;
	uint32_t number;  /* LONG */
	uint64_t date;	  /* DATE, a FILETIME */
	const uint8_t *p; /* BINARY */
	size_t len;
	const char *text; /* STRING, UTF-8 */
};

/*
 * A restriction that makes sense: its column exists, its value is of the
 * column's type, its operator is one (none, where it only gives an order).
 * AE_EINVAL otherwise; what is decoded lives in a.
 */
struct ae_admin_filter {
	uint32_t column;
	enum ae_admin_seek seek;
	enum ae_admin_sort sort;
	struct ae_admin_value value;
};
int ae_admin_filter_parse(struct ae_admin_filter *out,
    const struct ae_admin_restriction *r, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Does this value of the filter's column satisfy it?  A row without a value
 * satisfies nothing.  Strings are compared without regard to case (ASCII),
 * serial numbers with.
 */
bool ae_admin_filter_match(
    const struct ae_admin_filter *f, const struct ae_admin_value *have);

/* <0, 0, >0; no value comes before every value.  Of one column. */
int ae_admin_value_compare(uint32_t column, const struct ae_admin_value *a,
    const struct ae_admin_value *b);

/* ---- marshaled forms; each appends to w, whose length may be anything ---- */

/* CERTTRANSDBCOLUMN, n of them; w must be empty. */
void ae_admin_put_columns(
    struct ae_wr *w, const struct ae_admin_column *v, size_t n);
/* CERTTRANSDBRESULTROW with its columns; values are in the order of ids. */
void ae_admin_put_row(struct ae_wr *w, uint32_t row, const uint32_t *ids,
    const struct ae_admin_value *values, size_t n);
/* The extra row that ends an enumeration, MS-CSRA 3.1.4.1.13. */
void ae_admin_put_end(struct ae_wr *w, uint32_t total);

struct ae_admin_pair { /* CERTTRANSDBATTRIBUTE */
	const char *name, *value;
};
void ae_admin_put_attributes(
    struct ae_wr *w, const struct ae_admin_pair *v, size_t n);

struct ae_admin_extension { /* CERTTRANSDBEXTENSION */
	const char *oid;
	uint32_t flags; /* 1 critical, 2 disabled, origin in bits 16 to 31 */
	const uint8_t *p;
	size_t len;
};
#define AE_ADMIN_EXT_CRITICAL 0x1u
#define AE_ADMIN_EXT_FROM_REQUEST 0x00010000u
#define AE_ADMIN_EXT_FROM_POLICY 0x00020000u
void ae_admin_put_extensions(
    struct ae_wr *w, const struct ae_admin_extension *v, size_t n);

/* ---- and back, for a client ---- */

/*
 * The columns of a blob with n of them.  Names live in a.  AE_EPROTO:
 * offsets outside, strings without end.
 */
int ae_admin_get_columns(struct ae_admin_column **out, size_t n, const void *p,
    size_t len, struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

struct ae_admin_row {
	uint32_t id;
	size_t n;
	uint32_t *ids;
	struct ae_admin_value *values;
};
/*
 * n rows; *total is that of the extra row, or -1 when the enumeration goes
 * on.  Everything lives in a.
 */
int ae_admin_get_rows(struct ae_admin_row **out, size_t n, int64_t *total,
    const void *p, size_t len, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

#endif
