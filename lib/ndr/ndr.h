/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * NDR20 (C706 chapter 14, MS-RPCE 2.2.4) driven by tables.  A type is a row
 * of rows, written by hand beside its IDL; one walker decodes, encodes,
 * prints and bounds whatever the rows describe.  Type serialization version
 * 1 (MS-RPCE 2.2.6) is here too.  Not here: PDUs, faults, NDR64.
 *
 * A row says where a member of an ordinary C struct lives, how it looks on
 * the wire and how large it may get:
 *
 *	wire					C
 *	integer, enum				uintN_t (an enum: uint32_t)
 *	[string] char or wchar_t		char *, UTF-8
 *	array sized by another member		T * and that member
 *	array inside a struct, fixed size	T [n]
 *	[ref], [unique], [ptr] T *		T *
 *	conformant struct			struct with T * as last member
 *	union					C union
 *	RPC_UNICODE_STRING			char *
 *	RPC_SID					struct ae_sid
 *
 * A top-level [ref] pointer has nothing on the wire: describe what it
 * points to, by value.  doc/ndr.md has worked examples.
 */
#ifndef AE_NDR_NDR_H
#define AE_NDR_NDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/rd.h"
#include "base/wr.h"

/* Nesting of structs, unions and referents before AE_ELIMIT. */
#define AE_NDR_DEPTH_MAX 32
/* Full pointers one message may hold. */
#define AE_NDR_FULL_MAX 64

/* Win32 codes an NDR failure carries in ae_err (AE_DOM_RPC); a server
 * faults with them, as Windows does. */
#define AE_NDR_BAD_STUB_DATA 0x000006f7u /* RPC_X_BAD_STUB_DATA */
#define AE_NDR_INVALID_BOUND 0x000006c6u /* RPC_S_INVALID_BOUND */

enum ae_ndr_op {
	AE_NDR_OP_U8 = 1, /* octet, small, char, boolean */
	AE_NDR_OP_U16,
	AE_NDR_OP_U32,
	AE_NDR_OP_U64,
	AE_NDR_OP_ENUM, /* 16 bits on the wire, uint32_t in C */
	AE_NDR_OP_GUID,
	AE_NDR_OP_STRUCT,
	AE_NDR_OP_PARAMS, /* one side of a method: every row stands alone */
	AE_NDR_OP_UNION,
	AE_NDR_OP_PTR,	  /* a pointer as array element: .rows[0] says which */
	AE_NDR_OP_USTR,	  /* RPC_UNICODE_STRING */
	AE_NDR_OP_CUSTOM, /* functions of its own; holds no pointers */
};

enum ae_ndr_ptr {
	AE_NDR_VAL = 0, /* not a pointer */
	AE_NDR_REF,	/* never NULL; in PARAMS nothing on the wire */
	AE_NDR_UNIQUE,
	AE_NDR_FULL, /* [ptr]; aliases are followed on decode, cycles refused */
};

enum ae_ndr_shape {
	AE_NDR_ONE = 0,
	AE_NDR_FIXED,	/* .max elements, in the C struct itself */
	AE_NDR_CONF,	/* [size_is] */
	AE_NDR_VARYING, /* [length_is], the IDL's bound is .max */
	AE_NDR_CONFVAR, /* [size_is, length_is] */
	AE_NDR_STR8,	/* [string] char, one conformant-varying string */
	AE_NDR_STR16,	/* [string] wchar_t */
};

struct ae_ndr_type;

/* One member, parameter or union arm.  name NULL ends a list. */
struct ae_ndr_row {
	const char *name;
	const struct ae_ndr_type *type; /* element type; NULL: a string or an
					   empty arm */
	size_t off;			/* of the member in the C struct */
	size_t size;			/* of the member, for ae_ndr_lint */
	enum ae_ndr_ptr ptr;
	enum ae_ndr_shape shape;
	/*
	 * Integers: the [range], enforced when max is not 0.  Arrays: fewest
	 * and most elements.  Strings: most units, terminator included.
	 * Arrays and strings must have a max.
	 */
	uint64_t min;
	uint64_t max;
	/*
	 * The member this row depends on: an array's count (size_is, or
	 * length_is when there is one) or a union's discriminant.  When it
	 * has a row of its own the two must agree; with .sets it is not on
	 * the wire and is set from the wire's own count or discriminant.
	 */
	size_t of;
	size_t of_size; /* 0: none */
	bool sets;
	/* CONFVAR: the size_is member, not on the wire of this side. */
	size_t cap;
	size_t cap_size; /* 0: none; the maximum is the actual count */
	uint32_t round;	 /* size_is((n + round - 1) & ~(round - 1)); 0: 1 */
	/* Union arms. */
	uint64_t tag;
	bool is_default;
	bool secret; /* printed as a length only */
};

/* A type with an encoding of its own; see lib/ndr/types.c for RPC_SID. */
struct ae_ndr_custom {
	/* Make the reader bad to refuse.  Allocate from a. */
	void (*get)(struct ae_rd *r, void *out, struct ae_arena *a);
	void (*put)(struct ae_wr *w, const void *v);
	void (*print)(struct ae_wr *w, const void *v);
	size_t wire_min; /* fewest bytes it takes */
};

struct ae_ndr_type {
	const char *name; /* the specification's */
	enum ae_ndr_op op;
	uint8_t align;	 /* on the wire; written by hand, checked by lint */
	uint8_t tag_len; /* unions: 1, 2 or 4 bytes of discriminant */
	size_t size;	 /* sizeof the C form */
	const struct ae_ndr_row *rows;
	const struct ae_ndr_custom *custom;
};

/*
 * The macros: each expands to one plain initialiser.  T is the C struct, m
 * its member; what follows the named arguments is more designated
 * initialisers (.max = 5, .secret = true).  Tables stand at file scope:
 * only there are their row lists constants.
 */
/* clang-format off */
#define AE_NDR_SIZE(T, m) sizeof(((T *)0)->m)
#define AE_NDR_ROWS(...)                                  \
	(const struct ae_ndr_row[])                       \
	{                                                 \
		__VA_ARGS__, { .name = NULL }             \
	}

#define AE_NDR_STRUCT(label, T, al, ...)                             \
	{ .name = (label), .op = AE_NDR_OP_STRUCT, .align = (al),    \
	  .size = sizeof(T), .rows = AE_NDR_ROWS(__VA_ARGS__) }

#define AE_NDR_PARAMS(label, T, ...)                                 \
	{ .name = (label), .op = AE_NDR_OP_PARAMS, .align = 1,       \
	  .size = sizeof(T), .rows = AE_NDR_ROWS(__VA_ARGS__) }

/* al: the widest of the discriminant and all arms. */
#define AE_NDR_UNION(label, T, al, taglen, ...)                      \
	{ .name = (label), .op = AE_NDR_OP_UNION, .align = (al),     \
	  .tag_len = (taglen), .size = sizeof(T),                    \
	  .rows = AE_NDR_ROWS(__VA_ARGS__) }

/* A member by value: an integer, GUID, struct. */
#define AE_NDR_FIELD(T, m, t, ...)                                   \
	{ .name = #m, .type = (t), .off = offsetof(T, m),            \
	  .size = AE_NDR_SIZE(T, m), __VA_ARGS__ }

/* kind: AE_NDR_REF, _UNIQUE or _FULL, to one t. */
#define AE_NDR_PTR(T, m, kind, t, ...)                               \
	{ .name = #m, .type = (t), .off = offsetof(T, m),            \
	  .size = AE_NDR_SIZE(T, m), .ptr = (kind), __VA_ARGS__ }

/* An array of t counted by member n; kind AE_NDR_VAL when it is in place. */
#define AE_NDR_ARRAY(T, m, kind, shp, t, n, most, ...)               \
	{ .name = #m, .type = (t), .off = offsetof(T, m),            \
	  .size = AE_NDR_SIZE(T, m), .ptr = (kind), .shape = (shp),  \
	  .of = offsetof(T, n), .of_size = AE_NDR_SIZE(T, n),        \
	  .max = (most), __VA_ARGS__ }

/* shp: AE_NDR_STR8 or AE_NDR_STR16; most units, terminator included. */
#define AE_NDR_STRING(T, m, kind, shp, most, ...)                    \
	{ .name = #m, .off = offsetof(T, m),                         \
	  .size = AE_NDR_SIZE(T, m), .ptr = (kind), .shape = (shp),  \
	  .max = (most), __VA_ARGS__ }

/* T member[k] inside the struct. */
#define AE_NDR_FIXED_ARRAY(T, m, t, ...)                             \
	{ .name = #m, .type = (t), .off = offsetof(T, m),            \
	  .size = AE_NDR_SIZE(T, m), .shape = AE_NDR_FIXED,          \
	  .max = AE_NDR_SIZE(T, m) / AE_NDR_SIZE(T, m[0]), __VA_ARGS__ }

/* A union member selected by member n. */
#define AE_NDR_SWITCH(T, m, t, n, ...)                               \
	{ .name = #m, .type = (t), .off = offsetof(T, m),            \
	  .size = AE_NDR_SIZE(T, m), .of = offsetof(T, n),           \
	  .of_size = AE_NDR_SIZE(T, n), __VA_ARGS__ }
/* clang-format on */

/*
 * Decode one t from len bytes at p.  out is caller's storage of t->size
 * bytes; everything it points to is allocated from a.  big: the data
 * representation says big endian.  used NULL: bytes left over are an
 * error; otherwise *used is what was consumed.  On failure *out is
 * untouched: AE_EPROTO, AE_ELIMIT (a row's maximum, the arena's ceiling,
 * depth) or AE_ENOMEM.
 *
 * Decided here: padding octets are not looked at; the first element of a
 * varying array is element 0; a [string] ends with its only NUL; a NULL
 * array has count 0; a referent id of a [ref] pointer is not 0; UTF-16 and
 * UTF-8 are well-formed (a char string that is not UTF-8 is refused).
 */
int ae_ndr_decode(const struct ae_ndr_type *t, void *out, const void *p,
    size_t len, bool big, struct ae_arena *a, size_t *used,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Append v, little endian.  w->len must be a multiple of 8, as alignment
 * counts from there.  Fails with AE_EINVAL when v does not fit its table
 * (over a maximum, NULL where that is not allowed, malformed UTF-8),
 * AE_ELIMIT when w is full, AE_ENOMEM.  On failure w holds what it held.
 */
int ae_ndr_encode(const struct ae_ndr_type *t, const void *v, struct ae_wr *w,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Append v as indented "name: value" lines for a person: strings quoted,
 * bytes as hex and cut after 64, secrets as their length.
 */
int ae_ndr_print(const struct ae_ndr_type *t, const void *v, struct ae_wr *w,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Type serialization version 1, MS-RPCE 2.2.6: common and private header,
 * then one t padded to 8.  Unpickling takes one such record from p and
 * tells in *used how long it was (used NULL: it must be all); what follows
 * t inside the record's own length is padding and not looked at, and a
 * length that is not a multiple of 8 is taken: there are senders that leave
 * the padding out of it.  Either byte order is decoded.
 */
int ae_ndr_unpickle(const struct ae_ndr_type *t, void *out, const void *p,
    size_t len, struct ae_arena *a, size_t *used,
    struct ae_err *e) AE_MUST_CHECK;
int ae_ndr_pickle(const struct ae_ndr_type *t, const void *v, struct ae_wr *w,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Is the table itself sound: sizes, offsets, alignments, maxima, what it
 * depends on?  Every table has a unit test that calls this.
 */
int ae_ndr_lint(const struct ae_ndr_type *t, struct ae_err *e) AE_MUST_CHECK;

/* Twenty bytes on the wire; all zero is the NULL handle. */
struct ae_ndr_context_handle {
	uint32_t attributes;
	struct ae_guid uuid;
};

extern const struct ae_ndr_type ae_ndr_u8;
extern const struct ae_ndr_type ae_ndr_u16;
extern const struct ae_ndr_type ae_ndr_u32;
extern const struct ae_ndr_type ae_ndr_u64;  /* hyper, aligned to 8 */
extern const struct ae_ndr_type ae_ndr_enum; /* uint32_t in C */
extern const struct ae_ndr_type ae_ndr_guid;
extern const struct ae_ndr_type ae_ndr_ustr; /* RPC_UNICODE_STRING: char * */
extern const struct ae_ndr_type ae_ndr_sid;  /* RPC_SID: struct ae_sid */
extern const struct ae_ndr_type ae_ndr_ctx;  /* ndr_context_handle */

#endif
