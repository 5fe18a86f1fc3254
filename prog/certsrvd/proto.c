/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Bodies of messages.  Written with base/wr.h, read with the bounded reader:
 * a process of ours that was taken over is a peer like any other.
 */
#include "proto.h"

#include <string.h>

#define NULL_STRING 0xffffffffu

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_PARENT] = "parent",
	[ROLE_RPC135] = "rpc135",
	[ROLE_RPC] = "rpc",
	[ROLE_AUTH] = "auth",
	[ROLE_CA] = "ca",
	[ROLE_AD] = "ad",
	[ROLE_DB] = "db",
	[ROLE_SIGN] = "sign",
	[ROLE_TICKET] = "ticket",
	[ROLE_HTTP] = "http",
	[ROLE_OCSP] = "ocsp",
};

const char *
role_name(enum role r)
{
	return r < ROLE_COUNT ? role_names[r] : "?";
}

enum role
role_find(const char *name)
{
	unsigned r;

	for (r = 0; r < ROLE_COUNT; r++)
		if (strcmp(role_names[r], name) == 0)
			break;
	return (enum role)r;
}

void
put_local_who(struct ae_wr *w, const struct local_who *l)
{
	uint8_t i;

	put_str(w, l->who);
	ae_wr_u8(w, l->roles);
	ae_wr_u8(w, l->nnames);
	for (i = 0; i < l->nnames; i++)
		put_str(w, l->name[i]);
}

static void
get_into(struct ae_rd *r, char *out, size_t size)
{
	size_t len;
	const uint8_t *p = get_bytes(r, &len);

	if (p == NULL || len >= size || memchr(p, '\0', len) != NULL) {
		ae_rd_fail(r);
		return;
	}
	memcpy(out, p, len);
	out[len] = '\0';
}

void
get_local_who(struct ae_rd *r, struct local_who *l)
{
	uint8_t i;

	memset(l, 0, sizeof(*l));
	get_into(r, l->who, sizeof(l->who));
	l->roles = ae_rd_u8(r);
	l->nnames = ae_rd_u8(r);
	if (l->nnames > LOCAL_NAMES_MAX)
		ae_rd_fail(r);
	for (i = 0; i < l->nnames && ae_rd_ok(r); i++)
		get_into(r, l->name[i], sizeof(l->name[i]));
}

int
bad_message(const struct ae_rd *r, const char *what, struct ae_err *e)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
	    "%s does not decode (at %zu of %zu bytes)", what, r->off, r->len);
}

void
put_bytes(struct ae_wr *w, const void *p, size_t len)
{
	ae_wr_u32(w, (uint32_t)len);
	ae_wr_bytes(w, p, len);
}

const uint8_t *
get_bytes(struct ae_rd *r, size_t *len)
{
	uint32_t n = ae_rd_u32(r);
	const uint8_t *p = ae_rd_take(r, n);

	*len = p == NULL ? 0 : n;
	return p;
}

void
put_str(struct ae_wr *w, const char *s)
{
	if (s == NULL)
		ae_wr_u32(w, NULL_STRING);
	else
		put_bytes(w, s, strlen(s));
}

char *
get_str(struct ae_rd *r, struct ae_arena *a)
{
	uint32_t n = ae_rd_u32(r);
	const uint8_t *p;
	char *s;

	if (n == NULL_STRING || !ae_rd_ok(r))
		return NULL;
	p = ae_rd_take(r, n);
	if (p == NULL)
		return NULL;
	if (memchr(p, '\0', n) != NULL) {
		ae_rd_fail(r);
		return NULL;
	}
	s = ae_arena_strndup(a, (const char *)p, n);
	if (s == NULL)
		ae_rd_fail(r);
	return s;
}

static void
put_blob(struct ae_wr *w, const struct ae_wcce_blob *b)
{
	ae_wr_u8(w, b->p != NULL);
	if (b->p != NULL)
		put_bytes(w, b->p, b->len);
}

static void
get_blob(struct ae_rd *r, struct ae_wcce_blob *b, struct ae_arena *a)
{
	const uint8_t *p;

	b->p = NULL;
	b->len = 0;
	if (ae_rd_u8(r) == 0)
		return;
	p = get_bytes(r, &b->len);
	if (p == NULL)
		return;
	b->p = ae_arena_dup(a, p, b->len);
	if (b->p == NULL)
		ae_rd_fail(r);
}

void
put_request(struct ae_wr *w, const struct ae_wcce_request *q)
{
	ae_wr_u8(w, (uint8_t)q->iface);
	ae_wr_u8(w, (uint8_t)q->call);
	ae_wr_u16(w, q->opnum);
	put_str(w, q->authority);
	ae_wr_u32(w, q->flags);
	ae_wr_u32(w, q->request_id);
	put_str(w, q->serial);
	put_str(w, q->attributes);
	put_blob(w, &q->csr);
	ae_wr_u32(w, q->fchain);
	ae_wr_u32(w, (uint32_t)q->prop_id);
	ae_wr_u32(w, (uint32_t)q->prop_index);
	ae_wr_u32(w, (uint32_t)q->prop_type);
}

void
get_request(struct ae_rd *r, struct ae_wcce_request *q, struct ae_arena *a)
{
	uint8_t iface = ae_rd_u8(r), call = ae_rd_u8(r);

	memset(q, 0, sizeof(*q));
	if (iface > AE_WCCE_ICERTREQUESTD2 ||
	    call > AE_WCCE_CALL_GETPROPERTYINFO)
		ae_rd_fail(r);
	q->iface = (enum ae_wcce_iface)iface;
	q->call = (enum ae_wcce_call)call;
	q->opnum = ae_rd_u16(r);
	q->authority = get_str(r, a);
	q->flags = ae_rd_u32(r);
	q->request_id = ae_rd_u32(r);
	q->serial = get_str(r, a);
	q->attributes = get_str(r, a);
	get_blob(r, &q->csr, a);
	q->fchain = ae_rd_u32(r);
	q->prop_id = (int32_t)ae_rd_u32(r);
	q->prop_index = (int32_t)ae_rd_u32(r);
	q->prop_type = (int32_t)ae_rd_u32(r);
}

void
put_reply(struct ae_wr *w, const struct ae_wcce_reply *p)
{
	ae_wr_u32(w, p->hresult);
	ae_wr_u32(w, p->request_id);
	ae_wr_u32(w, p->disposition);
	put_blob(w, &p->chain);
	put_blob(w, &p->cert);
	put_str(w, p->message);
	put_blob(w, &p->value);
	ae_wr_u32(w, (uint32_t)p->nprops);
}

void
get_reply(struct ae_rd *r, struct ae_wcce_reply *p, struct ae_arena *a)
{
	memset(p, 0, sizeof(*p));
	p->hresult = ae_rd_u32(r);
	p->request_id = ae_rd_u32(r);
	p->disposition = ae_rd_u32(r);
	get_blob(r, &p->chain, a);
	get_blob(r, &p->cert, a);
	p->message = get_str(r, a);
	get_blob(r, &p->value, a);
	p->nprops = (int32_t)ae_rd_u32(r);
}

void
put_row(struct ae_wr *w, const struct ae_db_request *q)
{
	ae_wr_u64(w, (uint64_t)q->id);
	ae_wr_u32(w, (uint32_t)q->disp);
	ae_wr_u32(w, q->hresult);
	put_str(w, q->message);
	put_str(w, q->sid);
	put_str(w, q->account);
	put_str(w, q->template);
	put_str(w, q->subject);
	put_str(w, q->attrs);
	ae_wr_u32(w, q->flags);
	put_bytes(w, q->csr, q->csr_len);
	ae_wr_bytes(w, q->csr_hash, sizeof(q->csr_hash));
	put_bytes(w, q->serial, q->serial_len);
	put_bytes(w, q->cert, q->cert_len);
	ae_wr_u64(w, (uint64_t)q->submitted);
	ae_wr_u64(w, (uint64_t)q->resolved);
	ae_wr_u64(w, (uint64_t)q->not_before);
	ae_wr_u64(w, (uint64_t)q->not_after);
	ae_wr_u64(w, (uint64_t)q->revoked_at);
	ae_wr_u32(w, (uint32_t)q->revoked_reason);
	put_bytes(w, q->caller, q->caller_len);
	put_str(w, q->on_behalf);
	ae_wr_u32(w, q->request_flags);
	ae_wr_u32(w, q->issuer);
	put_str(w, q->set_attrs);
	put_bytes(w, q->archived, q->archived_len);
}

static const uint8_t *
get_copy(struct ae_rd *r, size_t *len, struct ae_arena *a)
{
	const uint8_t *p = get_bytes(r, len);
	uint8_t *copy;

	if (p == NULL)
		return NULL;
	copy = ae_arena_dup(a, p, *len);
	if (copy == NULL)
		ae_rd_fail(r);
	return copy;
}

void
get_row(struct ae_rd *r, struct ae_db_request *q, struct ae_arena *a)
{
	const uint8_t *serial;

	memset(q, 0, sizeof(*q));
	q->id = (int64_t)ae_rd_u64(r);
	q->disp = (enum ae_db_disp)ae_rd_u32(r);
	q->hresult = ae_rd_u32(r);
	q->message = get_str(r, a);
	q->sid = get_str(r, a);
	q->account = get_str(r, a);
	q->template = get_str(r, a);
	q->subject = get_str(r, a);
	q->attrs = get_str(r, a);
	q->flags = ae_rd_u32(r);
	q->csr = get_copy(r, &q->csr_len, a);
	ae_rd_copy(r, q->csr_hash, sizeof(q->csr_hash));
	serial = get_bytes(r, &q->serial_len);
	if (q->serial_len > sizeof(q->serial)) {
		q->serial_len = 0;
		ae_rd_fail(r);
	}
	if (serial != NULL)
		memcpy(q->serial, serial, q->serial_len);
	q->cert = get_copy(r, &q->cert_len, a);
	q->submitted = (int64_t)ae_rd_u64(r);
	q->resolved = (int64_t)ae_rd_u64(r);
	q->not_before = (int64_t)ae_rd_u64(r);
	q->not_after = (int64_t)ae_rd_u64(r);
	q->revoked_at = (int64_t)ae_rd_u64(r);
	q->revoked_reason = (int)ae_rd_u32(r);
	q->caller = get_copy(r, &q->caller_len, a);
	q->on_behalf = get_str(r, a);
	q->request_flags = ae_rd_u32(r);
	q->issuer = ae_rd_u32(r);
	q->set_attrs = get_str(r, a);
	q->archived = get_copy(r, &q->archived_len, a);
}
