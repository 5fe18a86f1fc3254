/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Identifiers of MS-DCOM 1.9, and the version rule of 1.7.
 */
#include "dcom/types.h"

/* Most end in 0000-0000-c000-000000000046. */
#define OLE                                  \
	{                                    \
		0xc0, 0, 0, 0, 0, 0, 0, 0x46 \
	}

/* clang-format off */
const struct ae_guid ae_dcom_iid_unknown = { 0x00000000, 0, 0, OLE };
const struct ae_guid ae_dcom_iid_class_factory = { 0x00000001, 0, 0, OLE };
const struct ae_guid ae_dcom_iid_rem_unknown = { 0x00000131, 0, 0, OLE };
const struct ae_guid ae_dcom_iid_rem_unknown2 = { 0x00000143, 0, 0, OLE };
const struct ae_guid ae_dcom_iid_object_exporter = { 0x99fcfec4, 0x5260, 0x101b,
    { 0xbb, 0xcb, 0x00, 0xaa, 0x00, 0x21, 0x34, 0x7a } };
const struct ae_guid ae_dcom_iid_activation = { 0x4d9f4ab8, 0x7d1c, 0x11cf,
    { 0x86, 0x1e, 0x00, 0x20, 0xaf, 0x6e, 0x7c, 0x57 } };
const struct ae_guid ae_dcom_iid_scm_activator = { 0x000001a0, 0, 0, OLE };
const struct ae_guid ae_dcom_iid_props_in = { 0x000001a2, 0, 0, OLE };
const struct ae_guid ae_dcom_iid_props_out = { 0x000001a3, 0, 0, OLE };
const struct ae_guid ae_dcom_iid_context = { 0x000001c0, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_props_in = { 0x00000338, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_props_out = { 0x00000339, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_context_marshaler = { 0x0000033b, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_location = { 0x000001a4, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_activation_context = { 0x000001a5, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_security_info = { 0x000001a6, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_scm_request = { 0x000001aa, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_instantiation = { 0x000001ab, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_instance_info = { 0x000001ad, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_scm_reply = { 0x000001b6, 0, 0, OLE };
const struct ae_guid ae_dcom_clsid_special = { 0x000001b9, 0, 0, OLE };
/* clang-format on */

bool
ae_dcom_version_ok(const struct ae_dcom_version *client)
{
	/* 5.3 and 5.5 never were. */
	return client->major == AE_DCOM_MAJOR && client->minor >= 1 &&
	    client->minor <= AE_DCOM_MINOR && client->minor != 3 &&
	    client->minor != 5;
}
