/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside lib/ndr: the state of one walk over a table, and the primitives
 * that move one value between the C form and the wire.  Every primitive
 * works in both directions, so that decoding and encoding cannot disagree
 * about the order of things.
 */
#ifndef AE_NDR_WALK_H
#define AE_NDR_WALK_H

#include "ndr/ndr.h"

/* A pointer whose referent follows later. */
struct ndr_later {
	const struct ae_ndr_row *row;
	uint8_t *base; /* the struct (or union) that row describes */
	uint8_t *slot; /* the C pointer */
	uint32_t id;
	uint16_t units; /* of a RPC_UNICODE_STRING's buffer */
	bool ustr;
};

/* A [ptr] referent seen in this message. */
struct ndr_full {
	uint32_t id;
	const struct ae_ndr_row *row;
	void *p; /* NULL while its referent is being decoded */
};

struct ndr_walk {
	bool encode;
	struct ae_rd r;	    /* decoding */
	struct ae_arena *a; /* decoding */
	struct ae_wr *w;    /* encoding */
	struct ae_err *e;   /* never NULL */
	unsigned depth;
	uint32_t next_id;
	bool hoisted; /* hoist holds a conformance not yet used */
	uint32_t hoist;
	struct ndr_later *later;
	size_t nlater;
	size_t later_cap;
	struct ndr_full full[AE_NDR_FULL_MAX];
	size_t nfull;
};

/* One whole value, its referents included: the walk proper. */
int ndr_walk_root(struct ndr_walk *x, const struct ae_ndr_row *row,
    uint8_t *base, uint8_t *at);

/* wire.c */

/* The peer's, or when encoding the caller's, value breaks the table. */
int ndr_bad(struct ndr_walk *x, const struct ae_ndr_row *row, const char *fmt,
    ...) AE_PRINTF(3, 4);
int ndr_over(struct ndr_walk *x, const struct ae_ndr_row *row, const char *fmt,
    ...) AE_PRINTF(3, 4);

/* The n bytes wide unsigned member at p.  Storing fails when v is wider. */
uint64_t ndr_load(const uint8_t *p, size_t n);
bool ndr_store(uint8_t *p, size_t n, uint64_t v);
uint8_t *ndr_load_ptr(const uint8_t *slot);
void ndr_store_ptr(uint8_t *slot, const void *p);

/* Zeroed array from the arena in NULL's place on failure, e filled. */
void *ndr_alloc(struct ndr_walk *x, size_t n, size_t size);

int ndr_align(struct ndr_walk *x, size_t n);
/* An aligned integer of 1, 2, 4 or 8 bytes. */
int ndr_uint(
    struct ndr_walk *x, const struct ae_ndr_row *row, uint64_t *v, size_t n);
/* An integer type's member, range checked. */
int ndr_scalar(struct ndr_walk *x, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, uint8_t *at);
int ndr_guid(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *at);
int ndr_octets(
    struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *at, size_t n);
int ndr_custom(struct ndr_walk *x, const struct ae_ndr_row *row,
    const struct ae_ndr_type *t, uint8_t *at);

/* Maximum count of a conformant thing, from where it was hoisted to. */
int ndr_conformance(
    struct ndr_walk *x, const struct ae_ndr_row *row, uint64_t *max);
/* Offset (always 0) and actual count. */
int ndr_variance(
    struct ndr_walk *x, const struct ae_ndr_row *row, uint64_t *actual);

/* str.c: a [string]; its units with terminator, for encoding. */
int ndr_string(struct ndr_walk *x, const struct ae_ndr_row *row, uint8_t *slot);
int ndr_string_units(struct ndr_walk *x, const struct ae_ndr_row *row,
    const uint8_t *slot, uint64_t *units);
/* RPC_UNICODE_STRING: the header, and the buffer that follows later. */
int ndr_ustr_inline(struct ndr_walk *x, const struct ae_ndr_row *row,
    uint8_t *slot, uint32_t *id, uint16_t *units);
int ndr_ustr_buffer(struct ndr_walk *x, const struct ndr_later *l);

/* lint.c: properties of a table. */
size_t ndr_wire_min(const struct ae_ndr_type *t);
bool ndr_is_array(enum ae_ndr_shape shape); /* counted: not ONE, FIXED, STR */
bool ndr_is_string(enum ae_ndr_shape shape);
/* The conformant row that ends t, or NULL; *base is moved to its struct. */
const struct ae_ndr_row *ndr_tail(const struct ae_ndr_type *t, size_t *off);

#endif
