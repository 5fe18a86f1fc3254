/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See fixture.h.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERT                                                   \
	{                                                      \
		0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3 \
	}
#define D2                                                     \
	{                                                      \
		0xa1, 0x2e, 0xe8, 0x7d, 0x4c, 0xa2, 0x2e, 0x90 \
	}

/* clang-format off */
const struct ae_guid fixture_clsid = { 0xd99e6e74, 0xfc88, 0x11d0, CERT };
const struct ae_guid fixture_iid = { 0xd99e6e70, 0xfc88, 0x11d0, CERT };
const struct ae_guid fixture_iid2 = { 0x5422fd3a, 0xd4b8, 0x4cef, D2 };
const struct ae_guid fixture_cid = { 0x03020100, 0x0504, 0x0706,
    { 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f } };
const struct ae_rpc_iface fixture_iface = {
	.name = "ICertRequestD", .nops = 6, .id.uuid = { 0xd99e6e70, 0xfc88, 0x11d0, CERT } };
const struct ae_rpc_iface fixture_iface2 = {
	.name = "ICertRequestD2", .nops = 10, .id.uuid = { 0x5422fd3a, 0xd4b8, 0x4cef, D2 } };
/* clang-format on */

static const struct ae_sid caller = {
	.authority = 5, .nsubs = 5, .sub = { 21, 1, 2, 3, 1000 }
};

struct ae_dcom_exporter *
fixture_exporter(void)
{
	static const char *const hosts[] = { FIXTURE_HOST, "192.0.2.7" };
	struct ae_dcom_class class = { .clsid = fixture_clsid,
		.iids = { fixture_iid, fixture_iid2 },
		.niids = 2 };
	const struct ae_dcom_exporter_config config = {
		.seed = "0123456789abcde",
		.hosts = hosts,
		.nhosts = 2,
		.port = FIXTURE_PORT,
		.spn = "host/" FIXTURE_HOST,
		.classes = &class,
		.nclasses = 1,
		.max_sets = 5,
		.max_caller_sets = 3,
	};
	struct ae_dcom_exporter *x = NULL;

	return ae_dcom_exporter_new(&x, &config, NULL) == AE_OK ? x : NULL;
}

struct ae_rpc_call
fixture_call(const struct ae_rpc_iface *iface, uint16_t opnum,
    const uint8_t *stub, size_t len)
{
	return (struct ae_rpc_call){ .iface = iface,
		.opnum = opnum,
		.stub = stub,
		.stub_len = len,
		.level = AE_RPC_LEVEL_PRIVACY,
		.auth_type = AE_RPC_AUTH_SPNEGO,
		.sid = &caller };
}

void
fixture_decode(const struct ae_ndr_type *t, void *out,
    const struct ae_wr *reply, struct ae_arena *a)
{
	struct ae_err e = AE_ERR_INIT;

	if (ae_ndr_decode(t, out, reply->p, reply->len, false, a, NULL, &e) ==
	    AE_OK)
		return;
	fprintf(stderr, "%s\n", e.text);
	abort();
}

void
fixture_blank(const struct ae_ndr_type *t, void *out)
{
	memset(out, 0, t->size);
}

const struct ae_rpc_iface *
fixture_find(const struct ae_guid *uuid)
{
	static const struct ae_rpc_iface *const all[] = {
		&ae_dcom_object_exporter_iface, &ae_dcom_activation_iface,
		&ae_dcom_scm_iface, &ae_dcom_rem_unknown_iface,
		&ae_dcom_rem_unknown2_iface, &ae_dcom_class_factory_iface,
		&fixture_iface, &fixture_iface2
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (ae_guid_equal(&all[i]->id.uuid, uuid))
			return all[i];
	return NULL;
}
