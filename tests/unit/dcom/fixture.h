/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the tests of this room share: an exporter with one class of two
 * interfaces, and calls to it that look as if lib/rpc had delivered them.
 */
#ifndef AE_TEST_DCOM_FIXTURE_H
#define AE_TEST_DCOM_FIXTURE_H

#include "base/sid.h"
#include "dcom/exporter.h"
#include "ndr/ndr.h"

#define FIXTURE_PORT 49500
#define FIXTURE_HOST "ca.example.test"

extern const struct ae_guid fixture_clsid; /* CCertRequestD */
extern const struct ae_guid fixture_iid;   /* ICertRequestD */
extern const struct ae_guid fixture_iid2;  /* ICertRequestD2 */
extern const struct ae_guid fixture_cid;
extern const struct ae_rpc_iface fixture_iface, fixture_iface2;

/* NULL when out of memory. */
struct ae_dcom_exporter *fixture_exporter(void);

/* An authenticated call at PRIVACY by S-1-5-21-1-2-3-1000. */
struct ae_rpc_call fixture_call(const struct ae_rpc_iface *iface,
    uint16_t opnum, const uint8_t *stub, size_t len);

/* Decode all of a reply, or abort: replies of ours always decode. */
void fixture_decode(const struct ae_ndr_type *t, void *out,
    const struct ae_wr *reply, struct ae_arena *a);

/* What a test sees of a reply that is a fault. */
void fixture_blank(const struct ae_ndr_type *t, void *out);

/* The table row's interface that belongs to this UUID. */
const struct ae_rpc_iface *fixture_find(const struct ae_guid *uuid);

#endif
