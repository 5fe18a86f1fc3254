/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The envelope of an ORPC call, MS-DCOM 3.1.1.5.4: version, header flags,
 * and which object and interface the IPID names.
 */
#include "dcom/export.h"

#include <assert.h>

#define OPEN_CEILING (1u << 19) /* extensions, read and forgotten */

static uint32_t
refuse(struct ae_err *e, uint32_t fault, const char *what)
{
	ae_fail(e, AE_EPROTO, AE_DOM_HRESULT, fault, "ORPC call: %s", what);
	return fault;
}

/*
 * The IPID's interface is the one the presentation context is for.  The
 * Remote Unknown has one IPID for both of its interfaces, as clients are
 * only told one.
 */
static bool
iface_matches(const struct ae_dcom_exporter *x, size_t object, size_t slot,
    const struct ae_guid *iid)
{
	if (object == OBJECT_REM_UNKNOWN && slot != 0)
		return ae_guid_equal(iid, &ae_dcom_iid_rem_unknown) ||
		    ae_guid_equal(iid, &ae_dcom_iid_rem_unknown2);
	return ae_guid_equal(dcom_iid(x, object, slot), iid);
}

uint32_t
dcom_envelope(const struct ae_dcom_exporter *x, const struct ae_rpc_call *call,
    const struct ae_dcom_this *this, size_t *object, size_t *slot,
    struct ae_err *e)
{
	if (!ae_dcom_version_ok(&this->version))
		return refuse(e, AE_DCOM_E_VERSION_MISMATCH,
		    "a COM version that is not ours");
	if (this->flags != 0)
		return refuse(e, AE_DCOM_E_INVALID_HEADER,
		    "flags that may not be on the wire");
	if (!call->has_object || !dcom_find(x, &call->object, object, slot) ||
	    !iface_matches(x, *object, *slot, &call->iface->id.uuid))
		return refuse(e, AE_DCOM_E_DISCONNECTED, "no such object here");
	return 0;
}

/* ORPCTHIS alone; *used is where the arguments begin. */
static uint32_t
read_this(const struct ae_rpc_call *call, struct ae_dcom_this *this,
    size_t *used, struct ae_err *e)
{
	struct ae_err unheard = AE_ERR_INIT;
	struct ae_arena *a = ae_arena_new(OPEN_CEILING);
	uint32_t fault = 0;

	e = e != NULL ? e : &unheard;
	if (a == NULL) {
		ae_fail_mem(e);
		return AE_DCOM_E_OUTOFMEMORY;
	}
	if (ae_ndr_decode(&ae_dcom_this_type, this, call->stub, call->stub_len,
		call->big_endian, a, used, e) != AE_OK)
		fault = dcom_fault(e);
	this->extensions = NULL; /* gone with the arena */
	ae_arena_free(a);
	return fault;
}

uint32_t
ae_dcom_exporter_open(const struct ae_dcom_exporter *x,
    const struct ae_rpc_call *call, struct ae_dcom_orpc *out, struct ae_err *e)
{
	struct ae_dcom_this this;
	size_t used, object, slot;
	uint32_t fault;

	if (call->level < x->call_level || call->sid == NULL) {
		ae_fail(e, AE_EDENIED, AE_DOM_RPC, AE_RPC_FAULT_ACCESS_DENIED,
		    "%s at level %s", call->iface->name,
		    ae_rpc_level_name(call->level));
		return AE_RPC_FAULT_ACCESS_DENIED;
	}
	fault = read_this(call, &this, &used, e);
	if (fault != 0)
		return fault;
	fault = dcom_envelope(x, call, &this, &object, &slot, e);
	if (fault != 0)
		return fault;
	if (object == OBJECT_REM_UNKNOWN || IS_FACTORY(object) || slot == 0)
		return refuse(e, AE_DCOM_E_DISCONNECTED,
		    "not an interface of the application");
	/* Extents are multiples of 8 so that what follows is aligned. */
	if (used % 8 != 0 && used != call->stub_len)
		return refuse(e, AE_DCOM_E_INVALID_HEADER,
		    "arguments that are not aligned");
	*out = (struct ae_dcom_orpc){ .class = CLASS_OF(object),
		.iid = slot - 1,
		.cid = this.cid,
		.args = call->stub + used,
		.args_len = call->stub_len - used };
	return 0;
}

void
ae_dcom_reply_begin(struct ae_wr *out)
{
	assert(out->len == 0);
	ae_wr_u32(out, 0); /* flags */
	ae_wr_u32(out, 0); /* extensions: NULL */
}
