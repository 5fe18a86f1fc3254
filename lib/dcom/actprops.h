/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Activation properties (MS-DCOM 2.2.22): the blob inside the interface
 * pointer that IRemoteSCMActivator takes and returns, both directions.
 */
#ifndef AE_DCOM_ACTPROPS_H
#define AE_DCOM_ACTPROPS_H

#include "base/arena.h"
#include "base/err.h"
#include "dcom/types.h"
#include "dcom/wire.h"

/* What an activation asks for.  Required: class and iids. */
struct ae_dcom_props_in {
	struct ae_guid clsid;
	uint32_t flags; /* actvflags */
	const struct ae_guid *iids;
	size_t niids;
};

/*
 * Read the properties of a request from its interface pointer.  What must
 * be there is (InstantiationInfo, ScmRequestInfo, ServerLocationInfo);
 * what we do not know is skipped.  On failure *hresult is the answer:
 * RPC_E_INVALID_OBJREF, or E_INVALIDARG for the blob.  Lives in a.
 */
int ae_dcom_props_in_get(struct ae_dcom_props_in *out,
    const struct ae_dcom_mip *m, struct ae_arena *a, uint32_t *hresult,
    struct ae_err *e) AE_MUST_CHECK;

/* The request of a client; NULL with e filled. */
struct ae_dcom_mip *ae_dcom_props_in_put(const struct ae_dcom_props_in *in,
    const struct ae_dcom_version *version, struct ae_arena *a,
    struct ae_err *e);

/* The reply: what activation gives. */
struct ae_dcom_props_reply {
	struct ae_dcom_scm_reply_info scm;
	struct ae_dcom_props_out out;
};

int ae_dcom_props_reply_get(struct ae_dcom_props_reply *out,
    const struct ae_dcom_mip *m, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;
struct ae_dcom_mip *ae_dcom_props_reply_put(
    const struct ae_dcom_props_reply *reply, struct ae_arena *a,
    struct ae_err *e);

#endif
