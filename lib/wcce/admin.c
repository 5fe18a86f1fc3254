/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Encoding of the administration methods, and which of them a role may call.
 */
#include "wcce/admin.h"

#include <string.h>

#include "base/utf16.h"
#include "ndr/ndr.h"
#include "wcce/admin_wire.h"
#include "wcce/hresult.h"

/* Stub padding of a client that aligns what follows to 16. */
#define TRAILING_MAX 15

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

/* UTF-16 units in the host's order; false: the text is no UTF-8. */
static bool
units_of(uint16_t v[AE_ADMIN_WORDS_MAX], uint32_t *n, const char *text)
{
	struct ae_wr w;
	size_t i;
	bool ok;

	ae_wr_init(&w, 2 * AE_ADMIN_WORDS_MAX);
	ok = ae_utf16_put(&w, text) && ae_wr_ok(&w);
	for (i = 0; ok && i < w.len / 2; i++)
		v[i] = (uint16_t)(w.p[2 * i] | w.p[2 * i + 1] << 8);
	*n = (uint32_t)i;
	ae_wr_done(&w);
	return ok;
}

static int
encode_variant(struct ae_wr *w, const struct ae_ndr_type *t,
    const struct ae_admin_reply *p, struct ae_err *e)
{
	uint16_t units[AE_ADMIN_WORDS_MAX];
	struct ae_admin_words words = { .v = units };
	struct ae_admin_variant v = { .size = 3, .vt = p->vt };
	struct ae_admin_reply whole = *p;

	/* size counts eight bytes: the struct, then the text behind it */
	if (p->vt == AE_ADMIN_VT_I4)
		v.u.number = p->n;
	if (p->vt == AE_ADMIN_VT_BSTR) {
		if (p->text == NULL || !units_of(units, &words.n, p->text))
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "a value that is no text, or too long");
		words.bytes = 2 * words.n;
		v.size = (24 + 12 + words.bytes + 7) / 8;
		v.u.text = &words;
	}
	whole.variant = &v;
	return ae_ndr_encode(t, &whole, w, e);
}

/* The two kinds that we know; others are no value. */
static int
take_variant(struct ae_admin_reply *p, struct ae_arena *a, struct ae_err *e)
{
	const struct ae_admin_variant *v = p->variant;
	struct ae_wr w;
	uint32_t i;

	if (v == NULL)
		return AE_OK;
	p->vt = v->vt;
	if (v->vt == AE_ADMIN_VT_I4)
		p->n = v->u.number;
	if (v->vt != AE_ADMIN_VT_BSTR || v->u.text == NULL)
		return AE_OK;
	ae_wr_init(&w, 2 * AE_ADMIN_WORDS_MAX);
	for (i = 0; i < v->u.text->n; i++)
		ae_wr_u16(&w, v->u.text->v[i]);
	if (ae_utf16_valid(w.p, v->u.text->n))
		p->text = ae_utf16_to_utf8(a, w.p, v->u.text->n);
	ae_wr_done(&w);
	return p->text != NULL ? AE_OK
			       : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
				     "a value that is no UTF-16");
}

int
ae_admin_reply_encode(struct ae_wr *w, uint16_t opnum,
    const struct ae_admin_reply *p, struct ae_err *e)
{
	const struct ae_admin_method *m;
	int rc = served(&m, opnum, e);

	if (rc == AE_OK && opnum == AE_ADMIN_GETCONFIGENTRY)
		return encode_variant(w, m->out, p, e);
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
	if (rc == AE_OK && opnum == AE_ADMIN_GETCONFIGENTRY)
		rc = take_variant(&p, a, e);
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
		return AE_HR_ROLECONFLICT;
	return 0;
}
