/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The types every interface uses: integers, GUID, RPC_UNICODE_STRING,
 * RPC_SID, context handle.
 */
#include "base/sid.h"
#include "ndr/ndr.h"

#include <string.h>

/* clang-format off */
const struct ae_ndr_type ae_ndr_u8 =
    { .name = "byte", .op = AE_NDR_OP_U8, .align = 1, .size = 1 };
const struct ae_ndr_type ae_ndr_u16 =
    { .name = "short", .op = AE_NDR_OP_U16, .align = 2, .size = 2 };
const struct ae_ndr_type ae_ndr_u32 =
    { .name = "long", .op = AE_NDR_OP_U32, .align = 4, .size = 4 };
const struct ae_ndr_type ae_ndr_u64 =
    { .name = "hyper", .op = AE_NDR_OP_U64, .align = 8, .size = 8 };
const struct ae_ndr_type ae_ndr_enum =
    { .name = "enum", .op = AE_NDR_OP_ENUM, .align = 2, .size = 4 };
const struct ae_ndr_type ae_ndr_guid =
    { .name = "GUID", .op = AE_NDR_OP_GUID, .align = 4,
      .size = sizeof(struct ae_guid) };
const struct ae_ndr_type ae_ndr_ustr =
    { .name = "RPC_UNICODE_STRING", .op = AE_NDR_OP_USTR, .align = 4,
      .size = sizeof(char *) };

/* C706 appendix: ndr_context_handle */
const struct ae_ndr_type ae_ndr_ctx = AE_NDR_STRUCT(
    "ndr_context_handle", struct ae_ndr_context_handle, 4,
	AE_NDR_FIELD(struct ae_ndr_context_handle, attributes, &ae_ndr_u32),
	AE_NDR_FIELD(struct ae_ndr_context_handle, uuid, &ae_ndr_guid));
/* clang-format on */

/*
 * MS-DTYP 2.4.2.3: conformant, and its maximum count is the number of
 * sub-authorities inside.  It only ever stands behind a pointer, so that
 * its count can be read in place.
 */
static void
sid_get(struct ae_rd *r, void *out, struct ae_arena *a)
{
	uint32_t count = ae_rd_u32(r);
	struct ae_rd bytes;
	struct ae_sid sid;

	(void)a;
	if (count > AE_SID_SUBS_MAX)
		ae_rd_fail(r);
	bytes = ae_rd_sub(r, 8 + 4 * (size_t)(count & 15));
	sid = ae_sid_get(&bytes);
	if (!ae_rd_done(&bytes))
		ae_rd_fail(r);
	memcpy(out, &sid, sizeof(sid));
}

static void
sid_put(struct ae_wr *w, const void *v)
{
	struct ae_sid sid;

	memcpy(&sid, v, sizeof(sid));
	ae_wr_u32(w, sid.nsubs);
	ae_sid_put(w, &sid);
}

static void
sid_print(struct ae_wr *w, const void *v)
{
	char text[AE_SID_STR_MAX];
	struct ae_sid sid;

	memcpy(&sid, v, sizeof(sid));
	ae_wr_str(w, ae_sid_print(text, &sid));
}

static const struct ae_ndr_custom sid_functions = {
	.get = sid_get,
	.put = sid_put,
	.print = sid_print,
	.wire_min = 12,
};

const struct ae_ndr_type ae_ndr_sid = {
	.name = "RPC_SID",
	.op = AE_NDR_OP_CUSTOM,
	.align = 4,
	.size = sizeof(struct ae_sid),
	.custom = &sid_functions,
};
