/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Object references and bindings: the hand-marshalled, little-endian byte
 * strings inside interface pointers (MS-DCOM 2.2.18, 2.2.19).  Reading one
 * does nothing with it: no connection, no lookup.
 */
#ifndef AE_DCOM_OBJREF_H
#define AE_DCOM_OBJREF_H

#include "base/arena.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"
#include "dcom/types.h"
#include "dcom/wire.h"

/* Entries of one DUALSTRINGARRAY. */
#define AE_DCOM_BINDINGS_MAX 64
#define AE_DCOM_BINDING_TEXT_MAX 1024

/*
 * Take an array of 16-bit units apart; strings go to a.  AE_EPROTO when a
 * string does not end, is not UTF-16, or the offset points outside.  A TCP
 * binding with a port that is not 1..65535 is refused too.
 */
int ae_dcom_bindings_get(struct ae_dcom_bindings *out,
    const struct ae_dcom_dsa *dsa, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/* The reverse.  ports: write "host[port]" where there is a port. */
int ae_dcom_bindings_put(struct ae_dcom_dsa *out,
    const struct ae_dcom_bindings *b, bool ports, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

enum ae_dcom_objref_kind {
	AE_DCOM_OBJREF_STANDARD = 1,
	AE_DCOM_OBJREF_HANDLER = 2,
	AE_DCOM_OBJREF_CUSTOM = 4,
	AE_DCOM_OBJREF_EXTENDED = 8,
};

#define AE_DCOM_SORF_NOPING 0x1000U

struct ae_dcom_objref {
	enum ae_dcom_objref_kind kind;
	struct ae_guid iid;
	struct ae_dcom_std std;	     /* all but CUSTOM */
	struct ae_guid clsid;	     /* HANDLER, CUSTOM; EXTENDED: data's id */
	struct ae_dcom_dsa resolver; /* all but CUSTOM; may be empty */
	const uint8_t *data;	     /* CUSTOM, EXTENDED */
	size_t data_len;
};

/*
 * Decode p.  data is borrowed from p, the rest lives in a.  Bytes after it
 * are ignored.  AE_EPROTO: it is not an OBJREF (RPC_E_INVALID_OBJREF).
 */
int ae_dcom_objref_decode(struct ae_dcom_objref *out, const uint8_t *p,
    size_t len, struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/* Append; STANDARD and CUSTOM are all we ever send. */
int ae_dcom_objref_encode(const struct ae_dcom_objref *o, struct ae_wr *w,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * An interface pointer that holds o, in a.  NULL: out of memory or too
 * large, e filled.
 */
struct ae_dcom_mip *ae_dcom_objref_mip(
    const struct ae_dcom_objref *o, struct ae_arena *a, struct ae_err *e);

/*
 * Is this a marshalled client or prototype context (MS-DCOM 2.2.20): an
 * OBJREF_CUSTOM of the context marshaler, by value, without extents?
 */
bool ae_dcom_context_ok(const struct ae_dcom_mip *m, struct ae_arena *a);

#endif
