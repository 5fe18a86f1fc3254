/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the wire structs and the typed request and reply, all methods in
 * both directions.
 */
#include "wcce/request.h"

#include <string.h>

#include "base/utf16.h"
#include "ndr/ndr.h"
#include "wcce/caprop.h"
#include "wcce/hresult.h"
#include "wcce/icpr.h"
#include "wcce/wire.h"

/* Stub padding of a client that aligns what follows to 16. */
#define TRAILING_MAX 15

/* clang-format off */
const struct ae_guid ae_iid_icertpassage = { 0x91ae6020, 0x9e3c, 0x11cf,
	{ 0x8d, 0x7c, 0x00, 0xaa, 0x00, 0xc0, 0x91, 0xbe } };
const struct ae_guid ae_iid_icertrequestd = { 0xd99e6e70, 0xfc88, 0x11d0,
	{ 0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3 } };
const struct ae_guid ae_iid_icertrequestd2 = { 0x5422fd3a, 0xd4b8, 0x4cef,
	{ 0xa1, 0x2e, 0xe8, 0x7d, 0x4c, 0xa2, 0x2e, 0x90 } };
const struct ae_guid ae_clsid_ccertrequestd = { 0xd99e6e74, 0xfc88, 0x11d0,
	{ 0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3 } };

static const struct {
	const struct ae_guid *iid;
	enum ae_wcce_iface iface;
} ifaces[] = {
	{ &ae_iid_icertpassage, AE_WCCE_ICERTPASSAGE },
	{ &ae_iid_icertrequestd, AE_WCCE_ICERTREQUESTD },
	{ &ae_iid_icertrequestd2, AE_WCCE_ICERTREQUESTD2 },
};

static const char *const disp_names[] = {
	[AE_CR_DISP_INCOMPLETE] = "CR_DISP_INCOMPLETE",
	[AE_CR_DISP_ERROR] = "CR_DISP_ERROR",
	[AE_CR_DISP_DENIED] = "CR_DISP_DENIED",
	[AE_CR_DISP_ISSUED] = "CR_DISP_ISSUED",
	[AE_CR_DISP_ISSUED_OUT_OF_BAND] = "CR_DISP_ISSUED_OUT_OF_BAND",
	[AE_CR_DISP_UNDER_SUBMISSION] = "CR_DISP_UNDER_SUBMISSION",
	[AE_CR_DISP_REVOKED] = "CR_DISP_REVOKED",
};
/* clang-format on */

const char *
ae_cr_disp_name(uint32_t disp)
{
	return disp < sizeof(disp_names) / sizeof(disp_names[0])
	    ? disp_names[disp]
	    : NULL;
}

const char *
ae_wcce_method_name(enum ae_wcce_iface iface, uint16_t opnum)
{
	const struct ae_wcce_method *m = ae_wcce_method_find(iface, opnum);

	return m == NULL ? NULL : m->name;
}

bool
ae_wcce_iface_find(enum ae_wcce_iface *out, const struct ae_guid *iid)
{
	size_t i;

	for (i = 0; i < sizeof(ifaces) / sizeof(ifaces[0]); i++)
		if (ae_guid_equal(ifaces[i].iid, iid)) {
			*out = ifaces[i].iface;
			return true;
		}
	return false;
}

/*
 * ICPR's attributes: UTF-16LE in a blob.  MS-ICPR 3.2.4.1.1 wants one
 * terminating NUL counted in cb; clients also send none (interop).  Two or
 * more strings, half a character or lone surrogates are E_INVALIDARG.
 */
static int
icpr_attributes(struct ae_wcce_request *rq, uint32_t *refuse,
    const struct ae_wire_blob *b, struct ae_arena *a, struct ae_err *e)
{
	size_t units = b->cb / 2;

	if (b->cb == 0)
		return AE_OK;
	if (units > 0 && b->pb[2 * units - 2] == 0 && b->pb[2 * units - 1] == 0)
		units--;
	if (b->cb % 2 != 0 || !ae_utf16_valid(b->pb, units)) {
		*refuse = AE_HR_E_INVALIDARG;
		return AE_OK;
	}
	rq->attributes = ae_utf16_to_utf8(a, b->pb, units);
	return rq->attributes == NULL ? ae_fail_mem(e) : AE_OK;
}

static int
request_from_wire(struct ae_wcce_request *rq, uint32_t *refuse,
    const struct ae_wire_request_in *w, struct ae_arena *a, struct ae_err *e)
{
	rq->flags = w->flags;
	rq->authority = w->authority;
	rq->serial = w->serial;
	rq->request_id = w->request_id;
	rq->attributes = w->attributes;
	rq->csr = (struct ae_wcce_blob){ w->request.pb, w->request.cb };
	if (w->request.cb > AE_WCCE_REQUEST_MAX)
		*refuse = AE_HR_E_INVALID_DATA;
	if (rq->iface != AE_WCCE_ICERTPASSAGE)
		return AE_OK;
	return icpr_attributes(rq, refuse, &w->attribs, a, e);
}

int
ae_wcce_request_decode(struct ae_wcce_request *out, uint32_t *refuse,
    enum ae_wcce_iface iface, uint16_t opnum, const void *stub, size_t len,
    bool big, struct ae_arena *a, struct ae_err *e)
{
	const struct ae_wcce_method *m = ae_wcce_method_find(iface, opnum);
	struct ae_wcce_request rq = { .iface = iface, .opnum = opnum };
	union ae_wire_in in;
	size_t used;
	int rc;

	if (m == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_RPC, 0,
		    "opnum %u does not exist", opnum);
	memset(&in, 0, sizeof(in));
	rc = ae_ndr_decode(m->in, &in, stub, len, big, a, &used, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "%s", m->name);
	if (len - used > TRAILING_MAX)
		return ae_fail(e, AE_EPROTO, AE_DOM_RPC, AE_NDR_BAD_STUB_DATA,
		    "%s: %zu bytes behind the arguments", m->name, len - used);
	*refuse = AE_HR_OK;
	rq.call = m->call;
	switch (m->call) {
	case AE_WCCE_CALL_REQUEST:
		rc = request_from_wire(&rq, refuse, &in.request, a, e);
		break;
	case AE_WCCE_CALL_GETCACERT:
		rq.fchain = in.getcacert.fchain;
		rq.authority = in.getcacert.authority;
		break;
	case AE_WCCE_CALL_GETPROPERTY:
		rq.authority = in.property.authority;
		rq.prop_id = (int32_t)in.property.prop_id;
		rq.prop_index = (int32_t)in.property.prop_index;
		rq.prop_type = (int32_t)in.property.prop_type;
		break;
	case AE_WCCE_CALL_PING:
	case AE_WCCE_CALL_GETPROPERTYINFO:
		rq.authority = in.authority.authority;
		break;
	}
	if (rc == AE_OK)
		*out = rq;
	return rc;
}

static struct ae_wire_blob
wire_blob(struct ae_wcce_blob b)
{
	/* a length beyond 32 bits is over every table's maximum anyway */
	return (struct ae_wire_blob){
		.cb = b.len > UINT32_MAX ? UINT32_MAX : (uint32_t)b.len,
		.pb = b.len == 0 ? NULL : b.p,
	};
}

int
ae_wcce_reply_encode(struct ae_wr *out, const struct ae_wcce_request *rq,
    const struct ae_wcce_reply *reply, struct ae_err *e)
{
	const struct ae_wcce_method *m =
	    ae_wcce_method_find(rq->iface, rq->opnum);
	union ae_wire_out o;
	struct ae_wr text;
	int rc;

	if (m == NULL)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "no method %d.%u to reply to", rq->iface, rq->opnum);
	memset(&o, 0, sizeof(o));
	ae_wr_init(&text, AE_WCCE_REPLY_MAX);
	switch (m->call) {
	case AE_WCCE_CALL_REQUEST:
		o.request.request_id = reply->request_id;
		o.request.disposition = reply->disposition;
		o.request.chain = wire_blob(reply->chain);
		o.request.cert = wire_blob(reply->cert);
		if (reply->message != NULL &&
		    ae_wcce_blob_string_put(&text, reply->message))
			o.request.message = wire_blob(
			    (struct ae_wcce_blob){ text.p, text.len });
		o.request.result = reply->hresult;
		break;
	case AE_WCCE_CALL_GETCACERT:
	case AE_WCCE_CALL_GETPROPERTY:
		o.value.value = wire_blob(reply->value);
		o.value.result = reply->hresult;
		break;
	case AE_WCCE_CALL_GETPROPERTYINFO:
		o.propertyinfo.count = (uint32_t)reply->nprops;
		o.propertyinfo.value = wire_blob(reply->value);
		o.propertyinfo.result = reply->hresult;
		break;
	case AE_WCCE_CALL_PING:
		o.result.result = reply->hresult;
		break;
	}
	rc = ae_wr_ok(&text) ? ae_ndr_encode(m->out, &o, out, e)
			     : ae_fail_mem(e);
	ae_wr_done(&text);
	return rc;
}

/* Attributes as ICPR's blob: UTF-16LE with its NUL; none is an empty blob. */
static bool
icpr_blob(struct ae_wr *w, const char *attributes)
{
	if (attributes == NULL)
		return true;
	return ae_wcce_blob_string_put(w, attributes);
}

static int
request_to_wire(struct ae_wire_request_in *w, struct ae_wr *attribs,
    const struct ae_wcce_request *rq, struct ae_err *e)
{
	w->flags = rq->flags;
	w->authority = rq->authority;
	w->request_id = rq->request_id;
	w->request = wire_blob(rq->csr);
	if (rq->csr.len > AE_WCCE_REQUEST_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a request of %zu bytes, at most %d are sent", rq->csr.len,
		    AE_WCCE_REQUEST_MAX);
	if (rq->serial != NULL && rq->opnum != AE_OP_REQUEST2)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "only Request2 takes a serial number");
	w->serial = rq->serial;
	if (rq->iface != AE_WCCE_ICERTPASSAGE) {
		w->attributes = rq->attributes;
		return AE_OK;
	}
	if (!icpr_blob(attribs, rq->attributes))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "request attributes are not UTF-8");
	if (!ae_wr_ok(attribs))
		return ae_wr_full(attribs)
		    ? ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			  "request attributes are too long")
		    : ae_fail_mem(e);
	w->attribs =
	    wire_blob((struct ae_wcce_blob){ attribs->p, attribs->len });
	return AE_OK;
}

int
ae_wcce_request_encode(
    struct ae_wr *out, const struct ae_wcce_request *rq, struct ae_err *e)
{
	const struct ae_wcce_method *m =
	    ae_wcce_method_find(rq->iface, rq->opnum);
	union ae_wire_in in;
	struct ae_wr attribs;
	int rc = AE_OK;

	if (m == NULL || m->call != rq->call)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "method %d.%u does not carry that call", rq->iface,
		    rq->opnum);
	memset(&in, 0, sizeof(in));
	ae_wr_init(&attribs, AE_WCCE_ATTRS_MAX);
	switch (m->call) {
	case AE_WCCE_CALL_REQUEST:
		rc = request_to_wire(&in.request, &attribs, rq, e);
		break;
	case AE_WCCE_CALL_GETCACERT:
		in.getcacert.fchain = rq->fchain;
		in.getcacert.authority = rq->authority;
		break;
	case AE_WCCE_CALL_GETPROPERTY:
		in.property.authority = rq->authority;
		in.property.prop_id = (uint32_t)rq->prop_id;
		in.property.prop_index = (uint32_t)rq->prop_index;
		in.property.prop_type = (uint32_t)rq->prop_type;
		break;
	case AE_WCCE_CALL_PING:
	case AE_WCCE_CALL_GETPROPERTYINFO:
		in.authority.authority = rq->authority;
		break;
	}
	if (rc == AE_OK)
		rc = ae_ndr_encode(m->in, &in, out, e);
	ae_wr_done(&attribs);
	return rc == AE_OK ? rc : ae_note(e, rc, "%s", m->name);
}

static struct ae_wcce_blob
typed_blob(const struct ae_wire_blob *w)
{
	return (struct ae_wcce_blob){ w->pb, w->cb };
}

int
ae_wcce_reply_decode(struct ae_wcce_reply *out,
    const struct ae_wcce_request *rq, const void *stub, size_t len, bool big,
    struct ae_arena *a, struct ae_err *e)
{
	const struct ae_wcce_method *m =
	    ae_wcce_method_find(rq->iface, rq->opnum);
	struct ae_wcce_reply r = { 0 };
	union ae_wire_out o;
	size_t used;
	int rc;

	if (m == NULL)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "no method %d.%u to have a reply of", rq->iface, rq->opnum);
	memset(&o, 0, sizeof(o));
	rc = ae_ndr_decode(m->out, &o, stub, len, big, a, &used, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "the answer of %s", m->name);
	switch (m->call) {
	case AE_WCCE_CALL_REQUEST:
		r.hresult = o.request.result;
		r.request_id = o.request.request_id;
		r.disposition = o.request.disposition;
		r.chain = typed_blob(&o.request.chain);
		r.cert = typed_blob(&o.request.cert);
		/* only shown to people: broken text is no text */
		r.message = ae_wcce_blob_string(
		    a, o.request.message.pb, o.request.message.cb);
		break;
	case AE_WCCE_CALL_GETCACERT:
	case AE_WCCE_CALL_GETPROPERTY:
		r.hresult = o.value.result;
		r.value = typed_blob(&o.value.value);
		break;
	case AE_WCCE_CALL_GETPROPERTYINFO:
		r.hresult = o.propertyinfo.result;
		r.nprops = (int32_t)o.propertyinfo.count;
		r.value = typed_blob(&o.propertyinfo.value);
		break;
	case AE_WCCE_CALL_PING:
		r.hresult = o.result.result;
		break;
	}
	*out = r;
	return AE_OK;
}
