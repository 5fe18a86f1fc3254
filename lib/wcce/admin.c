/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Encoding of the administration methods, and which of them a role may call.
 */
#include "wcce/admin.h"

#include <string.h>

#include "ndr/ndr.h"
#include "wcce/hresult.h"

/* Stub padding of a client that aligns what follows to 16. */
#define TRAILING_MAX 15

#define HR_ROLECONFLICT 0x80094008u /* CERTSRV_E_ROLECONFLICT */

static int
served(const struct ae_admin_method **m, uint16_t opnum, struct ae_err *e)
{
	*m = ae_admin_method_find(opnum);
	if (*m == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_RPC, 0,
		    "method %u of ICertAdminD2 is not served", opnum);
	return AE_OK;
}

int
ae_admin_request_decode(struct ae_admin_request *out, uint16_t opnum,
    const void *stub, size_t len, bool big, struct ae_arena *a,
    struct ae_err *e)
{
	const struct ae_admin_method *m;
	struct ae_admin_request rq;
	size_t used;
	int rc = served(&m, opnum, e);

	if (rc == AE_OK && m->in == NULL)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_RPC, 0,
		    "%s is refused unread", m->name);
	if (rc != AE_OK)
		return rc;
	memset(&rq, 0, sizeof(rq));
	rc = ae_ndr_decode(m->in, &rq, stub, len, big, a, &used, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "%s", m->name);
	if (len - used > TRAILING_MAX)
		return ae_fail(e, AE_EPROTO, AE_DOM_RPC, AE_NDR_BAD_STUB_DATA,
		    "%s: %zu bytes behind the arguments", m->name, len - used);
	rq.opnum = opnum;
	*out = rq;
	return AE_OK;
}

int
ae_admin_request_encode(
    struct ae_wr *w, const struct ae_admin_request *rq, struct ae_err *e)
{
	const struct ae_admin_method *m;
	int rc = served(&m, rq->opnum, e);

	if (rc == AE_OK && m->in == NULL)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "%s is not called over the network", m->name);
	return rc == AE_OK ? ae_ndr_encode(m->in, rq, w, e) : rc;
}

int
ae_admin_reply_encode(struct ae_wr *w, uint16_t opnum,
    const struct ae_admin_reply *p, struct ae_err *e)
{
	const struct ae_admin_method *m;
	int rc = served(&m, opnum, e);

	return rc == AE_OK ? ae_ndr_encode(m->out, p, w, e) : rc;
}

int
ae_admin_reply_decode(struct ae_admin_reply *out, uint16_t opnum,
    const void *stub, size_t len, bool big, struct ae_arena *a,
    struct ae_err *e)
{
	const struct ae_admin_method *m;
	struct ae_admin_reply p = { .hresult = 0 };
	size_t used;
	int rc = served(&m, opnum, e);

	if (rc == AE_OK)
		rc = ae_ndr_decode(m->out, &p, stub, len, big, a, &used, e);
	if (rc == AE_OK)
		*out = p;
	return rc;
}

uint32_t
ae_admin_roles(uint32_t rights)
{
	uint32_t roles = rights & AE_ADMIN_ROLES;

	return roles != 0 ? roles | AE_ADMIN_ROLE_READ : 0;
}

uint32_t
ae_admin_may(uint16_t opnum, uint32_t roles, bool separated)
{
	const struct ae_admin_method *m = ae_admin_method_find(opnum);
	const uint32_t apart = roles & AE_ADMIN_ROLES_APART;

	if (m == NULL || (m->roles & roles) == 0)
		return AE_HR_E_ACCESSDENIED;
	if (separated && (apart & (apart - 1)) != 0)
		return HR_ROLECONFLICT;
	return 0;
}
