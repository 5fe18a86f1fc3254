/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The C forms the NDR tables of wire.c describe.  Only request.c and tests
 * look at them: everybody else has struct ae_wcce_request.
 */
#ifndef AE_WCCE_WIRE_H
#define AE_WCCE_WIRE_H

#include <stdint.h>

/* CERTTRANSBLOB, MS-WCCE 2.2.2.2 */
struct ae_wire_blob {
	uint32_t cb;
	const uint8_t *pb;
};

/* Request, Request2, CertServerRequest: what goes in */
struct ae_wire_request_in {
	uint32_t flags;
	const char *authority;
	const char *serial; /* Request2 */
	uint32_t request_id;
	const char *attributes;	     /* Request, Request2 */
	struct ae_wire_blob attribs; /* CertServerRequest */
	struct ae_wire_blob request;
};

/* and what comes out; chain is pctbCertChain, pctbFullResponse or pctbCert */
struct ae_wire_request_out {
	uint32_t request_id;
	uint32_t disposition;
	struct ae_wire_blob chain;
	struct ae_wire_blob cert;
	struct ae_wire_blob message;
	uint32_t result;
};

struct ae_wire_getcacert_in {
	uint32_t fchain;
	const char *authority;
};

/* Ping, Ping2, GetCAPropertyInfo */
struct ae_wire_authority_in {
	const char *authority;
};

struct ae_wire_property_in {
	const char *authority;
	uint32_t prop_id; /* long on the wire; the sign is put back later */
	uint32_t prop_index;
	uint32_t prop_type;
};

/* GetCACert, GetCAProperty */
struct ae_wire_value_out {
	struct ae_wire_blob value;
	uint32_t result;
};

struct ae_wire_propertyinfo_out {
	uint32_t count;
	struct ae_wire_blob value;
	uint32_t result;
};

struct ae_wire_result_out {
	uint32_t result;
};

union ae_wire_in {
	struct ae_wire_request_in request;
	struct ae_wire_getcacert_in getcacert;
	struct ae_wire_authority_in authority;
	struct ae_wire_property_in property;
};

union ae_wire_out {
	struct ae_wire_request_out request;
	struct ae_wire_value_out value;
	struct ae_wire_propertyinfo_out propertyinfo;
	struct ae_wire_result_out result;
};

#endif
