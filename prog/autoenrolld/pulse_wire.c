/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Plan and inventory between the processes of a run; see pulse_wire.h.
 */
#include "pulse_wire.h"

#include <string.h>

#include "role.h"
#include "store/store.h"

#define NAME_MAX_LEN (AE_STORE_NAME_MAX + 16)
#define TEXT_MAX_LEN 1024

static bool
requests(const struct ae_plan_item *it)
{
	return it->action == AE_PLAN_ENROLL || it->action == AE_PLAN_RENEW;
}

static void
put_cert_name(struct ae_wr *w, const struct ae_inv_cert *c)
{
	msg_put_str(w, c == NULL ? NULL : c->name);
}

static void
put_item(struct ae_wr *w, const struct ae_plan_item *it)
{
	size_t i;

	ae_template_put(w, it->tmpl);
	ae_wr_u8(w, (uint8_t)it->action);
	ae_wr_u8(w, it->same_key);
	put_cert_name(w, it->have);
	put_cert_name(w, it->signer);
	msg_put_str(w, it->resume == NULL ? NULL : it->resume->name);
	ae_wr_u32(w, (uint32_t)it->key.alg);
	ae_wr_u32(w, it->key.bits);
	ae_wr_u32(w, (uint32_t)it->ncas);
	for (i = 0; i < it->ncas; i++) {
		msg_put_str(w, it->cas[i]->dns_host_name);
		msg_put_str(w, it->cas[i]->cn);
	}
}

static int
get_item(struct pulse_item *it, struct ae_arena *a, struct ae_rd *in,
    struct ae_err *e)
{
	uint32_t n, i;
	int rc;

	rc = ae_template_get(&it->tmpl, in, e);
	if (rc != AE_OK)
		return rc;
	it->action = (enum ae_plan_action)ae_rd_u8(in);
	it->same_key = ae_rd_u8(in) != 0;
	it->have = msg_get_str(a, in, NAME_MAX_LEN);
	it->signer = msg_get_str(a, in, NAME_MAX_LEN);
	it->resume = msg_get_str(a, in, NAME_MAX_LEN);
	it->alg = ae_rd_u32(in);
	it->bits = ae_rd_u32(in);
	n = ae_rd_u32(in);
	if ((it->action != AE_PLAN_ENROLL && it->action != AE_PLAN_RENEW) ||
	    (it->action == AE_PLAN_RENEW && it->have == NULL) ||
	    n > PULSE_CAS_MAX)
		ae_rd_fail(in);
	for (i = 0; i < n && ae_rd_ok(in); i++) {
		it->cas[i].host = msg_get_str(a, in, 512);
		it->cas[i].cn = msg_get_str(a, in, 512);
		if (it->cas[i].host == NULL || it->cas[i].cn == NULL)
			ae_rd_fail(in);
	}
	it->ncas = n;
	return AE_OK;
}

/* The number an item has on the wire; UINT32_MAX: of none. */
static uint32_t
index_of(const struct ae_plan *p, const struct ae_plan_item *it)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; it != NULL && i < p->nitems; i++) {
		if (&p->items[i] == it)
			return requests(it) ? n : UINT32_MAX;
		n += requests(&p->items[i]);
	}
	return UINT32_MAX;
}

static size_t
get_index(struct ae_rd *in, size_t nitems)
{
	uint32_t i = ae_rd_u32(in);

	if (i == UINT32_MAX)
		return PULSE_NOW;
	if (i >= nitems)
		ae_rd_fail(in);
	return i;
}

static const char *
get_text(struct ae_arena *a, struct ae_rd *in, size_t max)
{
	const char *s = msg_get_str(a, in, max);

	if (s == NULL)
		ae_rd_fail(in);
	return s;
}

static const char *
first_name(const struct ae_inv_cert *c)
{
	return c->dns.n > 0 ? c->dns.v[0] : c->upns.n > 0 ? c->upns.v[0] : "";
}

/* What people call the template: its name, or what the certificate says. */
static const char *
template_of(const struct ae_plan *p, const struct ae_inv_cert *c)
{
	size_t i;

	for (i = 0; c->template_oid != NULL && i < p->nitems; i++)
		if (p->items[i].tmpl->oid != NULL &&
		    strcmp(p->items[i].tmpl->oid, c->template_oid) == 0)
			return p->items[i].tmpl->cn;
	return c->template_name != NULL ? c->template_name
	    : c->template_oid != NULL	? c->template_oid
					: "";
}

void
pulse_wire_put_plan(struct ae_wr *w, const struct ae_plan *p)
{
	uint32_t n = 0;
	size_t i;

	ae_wr_u8(w, p->enabled);
	for (i = 0; i < p->nitems; i++)
		n += requests(&p->items[i]);
	ae_wr_u32(w, n);
	for (i = 0; i < p->nitems; i++)
		if (requests(&p->items[i]))
			put_item(w, &p->items[i]);
	ae_wr_u32(w, (uint32_t)p->nstore);
	for (i = 0; i < p->nstore; i++) {
		msg_put_str(w, p->store[i].cert->name);
		ae_wr_u8(w, (uint8_t)p->store[i].what);
		msg_put_str(w, p->store[i].check);
		msg_put_str(w, p->store[i].text);
		ae_wr_u32(w, index_of(p, p->store[i].after));
	}
	ae_wr_u32(w, (uint32_t)p->npending);
	for (i = 0; i < p->npending; i++) {
		msg_put_str(w, p->pending[i].request->name);
		ae_wr_u8(w, (uint8_t)p->pending[i].what);
		msg_put_str(w, p->pending[i].check);
		msg_put_str(w, p->pending[i].text);
		ae_wr_u8(w, p->pending[i].tmpl != NULL);
		if (p->pending[i].tmpl != NULL)
			ae_template_put(w, p->pending[i].tmpl);
	}
	ae_wr_u32(w, (uint32_t)p->nunpublish);
	for (i = 0; i < p->nunpublish; i++) {
		const struct ae_inv_cert *c = p->unpublish[i].cert;

		msg_put_str(w, template_of(p, c));
		msg_put_str(w, c->thumbprint);
		msg_put_str(w, first_name(c));
		ae_wr_u64(w, (uint64_t)c->not_after);
	}
	ae_wr_u32(w, (uint32_t)p->nexpiring);
	for (i = 0; i < p->nexpiring; i++) {
		msg_put_str(w, p->expiring[i].cert->name);
		msg_put_str(w, p->expiring[i].cert->thumbprint);
		msg_put_str(w, p->expiring[i].text);
		msg_put_str(w, first_name(p->expiring[i].cert));
		ae_wr_u64(w, (uint64_t)p->expiring[i].cert->not_after);
		ae_wr_u32(w, index_of(p, p->expiring[i].unless));
	}
}

/* A count, and room for as many. */
static void *
get_list(
    size_t *n, struct ae_arena *a, struct ae_rd *in, size_t max, size_t size)
{
	uint32_t count = ae_rd_u32(in);
	void *v;

	*n = 0;
	if (count > max || !ae_rd_ok(in)) {
		ae_rd_fail(in);
		return NULL;
	}
	v = ae_arena_array(a, (size_t)count + 1, size);
	if (v == NULL)
		ae_rd_fail(in);
	else
		*n = count;
	return v;
}

static void
get_store(struct pulse_wire_plan *out, struct ae_arena *a, struct ae_rd *in)
{
	size_t i;

	out->store =
	    get_list(&out->nstore, a, in, PULSE_CERTS_MAX, sizeof(*out->store));
	for (i = 0; i < out->nstore && ae_rd_ok(in); i++) {
		struct pulse_store_action *s = &out->store[i];
		uint8_t what;

		s->name = get_text(a, in, NAME_MAX_LEN);
		what = ae_rd_u8(in);
		s->check = get_text(a, in, 64);
		s->text = get_text(a, in, TEXT_MAX_LEN);
		s->after = get_index(in, out->nitems);
		s->what = (enum ae_plan_store_what)what;
		if (what > AE_PLAN_DELETE)
			ae_rd_fail(in);
	}
}

static int
get_pending(struct pulse_wire_plan *out, struct ae_arena *a, struct ae_rd *in,
    struct ae_err *e)
{
	size_t i, n;
	int rc = AE_OK;

	out->pending =
	    get_list(&n, a, in, PULSE_CERTS_MAX, sizeof(*out->pending));
	for (i = 0; i < n && rc == AE_OK && ae_rd_ok(in); i++) {
		struct pulse_pending *p = &out->pending[i];
		uint8_t what;

		p->name = get_text(a, in, NAME_MAX_LEN);
		what = ae_rd_u8(in);
		p->check = get_text(a, in, 64);
		p->text = get_text(a, in, TEXT_MAX_LEN);
		p->what = (enum ae_plan_pending_what)what;
		if (what > AE_PLAN_DROP)
			ae_rd_fail(in);
		if (ae_rd_u8(in) != 0)
			rc = ae_template_get(&p->tmpl, in, e);
		out->npending++;
	}
	return rc;
}

static void
get_unpublish(struct pulse_wire_plan *out, struct ae_arena *a, struct ae_rd *in)
{
	size_t i;

	out->unpublish = get_list(
	    &out->nunpublish, a, in, PULSE_CERTS_MAX, sizeof(*out->unpublish));
	for (i = 0; i < out->nunpublish && ae_rd_ok(in); i++) {
		struct pulse_unpublish *u = &out->unpublish[i];

		u->tmpl = get_text(a, in, TEXT_MAX_LEN);
		u->thumbprint = get_text(a, in, 64);
		u->subject = get_text(a, in, TEXT_MAX_LEN);
		u->not_after = (int64_t)ae_rd_u64(in);
	}
}

static void
get_expiring(struct pulse_wire_plan *out, struct ae_arena *a, struct ae_rd *in)
{
	size_t i;

	out->expiring = get_list(
	    &out->nexpiring, a, in, PULSE_CERTS_MAX, sizeof(*out->expiring));
	for (i = 0; i < out->nexpiring && ae_rd_ok(in); i++) {
		struct pulse_expiring *x = &out->expiring[i];

		x->name = get_text(a, in, NAME_MAX_LEN);
		x->thumbprint = get_text(a, in, 64);
		x->text = get_text(a, in, TEXT_MAX_LEN);
		x->subject = get_text(a, in, TEXT_MAX_LEN);
		x->not_after = (int64_t)ae_rd_u64(in);
		x->unless = get_index(in, out->nitems);
	}
}

int
pulse_wire_get_plan(struct pulse_wire_plan *out, struct ae_arena *a,
    struct ae_rd *in, struct ae_err *e)
{
	size_t i, n;
	int rc = AE_OK;

	memset(out, 0, sizeof(*out));
	out->enabled = ae_rd_u8(in) != 0;
	out->items = get_list(&n, a, in, PULSE_ITEMS_MAX, sizeof(*out->items));
	for (i = 0; i < n && rc == AE_OK && ae_rd_ok(in); i++) {
		rc = get_item(&out->items[i], a, in, e);
		out->nitems++;
	}
	if (rc == AE_OK)
		get_store(out, a, in);
	if (rc == AE_OK)
		rc = get_pending(out, a, in, e);
	if (rc == AE_OK) {
		get_unpublish(out, a, in);
		get_expiring(out, a, in);
	}
	if (rc != AE_OK)
		return rc;
	return ae_rd_ok(in)
	    ? AE_OK
	    : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "the plan cannot be read");
}

void
pulse_wire_plan_done(struct pulse_wire_plan *p)
{
	size_t i;

	for (i = 0; i < p->nitems; i++)
		ae_template_free(p->items[i].tmpl);
	for (i = 0; i < p->npending; i++)
		ae_template_free(p->pending[i].tmpl);
	memset(p, 0, sizeof(*p));
}

void
pulse_wire_put_stored(struct ae_wr *w, const struct ae_stored *s)
{
	msg_put_str(w, s->tmpl);
	ae_wr_u32(w, s->number);
	ae_wr_u8(w, s->current);
	ae_wr_u8(w, s->has_key);
	msg_put_bytes(w, s->pem, s->len);
}

void
pulse_wire_put_request(struct ae_wr *w, const struct ae_inv_request *q)
{
	msg_put_str(w, q->name);
	msg_put_str(w, q->template_cn);
	msg_put_str(w, q->template_oid);
	msg_put_str(w, q->ca_config);
	msg_put_str(w, q->renews);
	ae_wr_u32(w, q->request_id);
	ae_wr_u8(w, (uint8_t)q->state);
	ae_wr_u64(w, (uint64_t)q->submitted);
	ae_wr_u8(w, q->automatic);
}

static void
get_request(struct ae_inv_request *q, struct ae_arena *a, struct ae_rd *in)
{
	uint8_t state;

	q->name = get_text(a, in, NAME_MAX_LEN);
	q->template_cn = get_text(a, in, AE_STORE_NAME_MAX);
	q->template_oid = msg_get_str(a, in, 256);
	q->ca_config = msg_get_str(a, in, 1024);
	q->renews = msg_get_str(a, in, 64);
	q->request_id = ae_rd_u32(in);
	state = ae_rd_u8(in);
	q->submitted = (int64_t)ae_rd_u64(in);
	q->automatic = ae_rd_u8(in) != 0;
	if (state > AE_INV_KEPT)
		ae_rd_fail(in);
	q->state = (enum ae_inv_request_state)state;
}

int
pulse_wire_get_stored(struct pulse_wire_stored *out, struct ae_arena *a,
    struct ae_rd *in, struct ae_err *e)
{
	size_t i;

	memset(out, 0, sizeof(*out));
	out->certs =
	    get_list(&out->ncerts, a, in, PULSE_CERTS_MAX, sizeof(*out->certs));
	for (i = 0; i < out->ncerts && ae_rd_ok(in); i++) {
		struct ae_stored *s = &out->certs[i];

		s->tmpl = get_text(a, in, AE_STORE_NAME_MAX);
		s->number = ae_rd_u32(in);
		s->current = ae_rd_u8(in) != 0;
		s->has_key = ae_rd_u8(in) != 0;
		s->pem = msg_get_bytes(in, AE_STORE_FILE_MAX, &s->len);
	}
	out->requests = get_list(
	    &out->nrequests, a, in, PULSE_CERTS_MAX, sizeof(*out->requests));
	for (i = 0; i < out->nrequests && ae_rd_ok(in); i++)
		get_request(&out->requests[i], a, in);
	return ae_rd_ok(in) ? AE_OK
			    : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
				  "the inventory cannot be read");
}
