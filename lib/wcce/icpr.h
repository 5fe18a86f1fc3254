/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The wire forms of the enrollment methods: one struct and one NDR table for
 * each direction of each method, beside the IDL they come from (MS-WCCE 6,
 * MS-ICPR 6).  Most callers want request.h; printing and fuzzing use these.
 */
#ifndef AE_WCCE_ICPR_H
#define AE_WCCE_ICPR_H

#include <stddef.h>
#include <stdint.h>

#include "wcce/request.h"

struct ae_ndr_type;

/* Opnums; 0..2 of the DCOM interfaces are IUnknown's and never on the wire. */
#define AE_OP_CERTSERVERREQUEST 0
#define AE_OP_REQUEST 3
#define AE_OP_GETCACERT 4
#define AE_OP_PING 5
#define AE_OP_REQUEST2 6
#define AE_OP_GETCAPROPERTY 7
#define AE_OP_GETCAPROPERTYINFO 8
#define AE_OP_PING2 9

/* One method: where it lives and what its two stubs look like. */
struct ae_wcce_method {
	enum ae_wcce_iface iface; /* where it is defined: D2 inherits D's */
	uint16_t opnum;
	enum ae_wcce_call call;
	const char *name; /* "ICertRequestD::Request" */
	const struct ae_ndr_type *in;
	const struct ae_ndr_type *out;
};

/* The method's row, inherited ones included; NULL when there is none. */
const struct ae_wcce_method *ae_wcce_method_find(
    enum ae_wcce_iface iface, uint16_t opnum);

/* All rows, for tests and printers; ends with name == NULL. */
extern const struct ae_wcce_method ae_wcce_methods[];

#endif
