/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The value of a view's column for a row of our database, or for a CRL: what
 * the row has, and what its certificate says.  A column that is not here has
 * no value; the archived key is never one.
 */
#include "admin_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/time.h"
#include "pki/crl.h"
#include "pki/name.h"

/* ---- making values ---- */

static struct ae_admin_value
none(void)
{
	return (struct ae_admin_value){ .type = AE_ADMIN_NONE };
}

static struct ae_admin_value
number(uint32_t n)
{
	return (struct ae_admin_value){ .type = AE_ADMIN_LONG, .number = n };
}

static struct ae_admin_value
date(int64_t t)
{
	if (t == 0)
		return none();
	return (struct ae_admin_value){ .type = AE_ADMIN_DATE,
		.date = ae_time_to_filetime(t) };
}

static struct ae_admin_value
text(const char *s)
{
	if (s == NULL || s[0] == '\0')
		return none();
	return (struct ae_admin_value){ .type = AE_ADMIN_STRING, .text = s };
}

static struct ae_admin_value
bytes(const uint8_t *p, size_t len)
{
	if (len == 0)
		return none();
	return (struct ae_admin_value){
		.type = AE_ADMIN_BINARY, .p = p, .len = len
	};
}

/* "1f 0a 3c", as Windows stores hashes. */
static struct ae_admin_value
spaced(const uint8_t *p, size_t len, struct ae_arena *a)
{
	char *s = len == 0 ? NULL : ae_arena_alloc(a, 3 * len + 1);
	size_t i;

	for (i = 0; s != NULL && i < len; i++) {
		ae_hex_encode(s + 3 * i, p + i, 1);
		s[3 * i + 2] = i + 1 < len ? ' ' : '\0';
	}
	return text(s);
}

/* ---- of a request ---- */

static const struct ae_cert *
cert_of(struct admin_row *r)
{
	if (r->cert == NULL && !r->no_cert && r->db->cert_len > 0)
		r->no_cert = ae_cert_parse(&r->cert, r->db->cert,
				 r->db->cert_len, NULL) != AE_OK;
	return r->cert;
}

void
admin_row_done(struct admin_row *r)
{
	ae_cert_free(r->cert);
	r->cert = NULL;
}

static struct ae_admin_value
col_id(struct admin_row *r)
{
	return number((uint32_t)r->db->id);
}

static struct ae_admin_value
col_request(struct admin_row *r)
{
	return bytes(r->db->csr, r->db->csr_len);
}

static struct ae_admin_value
col_attributes(struct admin_row *r)
{
	return text(r->db->attrs);
}

static struct ae_admin_value
col_type(struct admin_row *r)
{
	return number(r->db->flags & AE_CR_IN_FORMATMASK);
}

static struct ae_admin_value
col_request_flags(struct admin_row *r)
{
	return number(r->db->request_flags);
}

static struct ae_admin_value
col_status(struct admin_row *r)
{
	return number(r->db->hresult);
}

/* The numbers of the SDK (DB_DISP_), which tools ask for. */
static struct ae_admin_value
col_disposition(struct admin_row *r)
{
	return number((uint32_t)r->db->disp);
}

static struct ae_admin_value
col_message(struct admin_row *r)
{
	return text(r->db->message);
}

static struct ae_admin_value
col_submitted(struct admin_row *r)
{
	return date(r->db->submitted);
}

static struct ae_admin_value
col_resolved(struct admin_row *r)
{
	return date(r->db->resolved);
}

static struct ae_admin_value
col_revoked(struct admin_row *r)
{
	return date(r->db->revoked_at);
}

static struct ae_admin_value
col_reason(struct admin_row *r)
{
	return r->db->revoked_at == 0 ? none()
				      : number((uint32_t)r->db->revoked_reason);
}

/* Whom it is for, and who sent it. */
static struct ae_admin_value
col_requester(struct admin_row *r)
{
	return text(
	    r->db->on_behalf != NULL ? r->db->on_behalf : r->db->account);
}

static struct ae_admin_value
col_caller(struct admin_row *r)
{
	return text(r->db->account);
}

/* The subject as it was decided; in brackets it is an alternative name. */
static struct ae_admin_value
col_subject(struct admin_row *r)
{
	return text(r->db->subject != NULL && r->db->subject[0] != '('
		? r->db->subject
		: NULL);
}

static struct ae_admin_value
col_issued_id(struct admin_row *r)
{
	return r->db->serial_len > 0 ? number((uint32_t)r->db->id) : none();
}

static struct ae_admin_value
col_cert(struct admin_row *r)
{
	return bytes(r->db->cert, r->db->cert_len);
}

static struct ae_admin_value
col_cert_hash(struct admin_row *r)
{
	const struct ae_cert *c = cert_of(r);
	uint8_t hash[20];

	if (c == NULL)
		return text(NULL);
	ae_cert_sha1(hash, c);
	return spaced(hash, sizeof(hash), r->a);
}

static struct ae_admin_value
col_template(struct admin_row *r)
{
	return text(r->db->template);
}

static struct ae_admin_value
col_serial(struct admin_row *r)
{
	char *s = r->db->serial_len == 0
	    ? NULL
	    : ae_arena_alloc(r->a, 2 * r->db->serial_len + 1);

	if (s != NULL)
		ae_hex_encode(s, r->db->serial, r->db->serial_len);
	return text(s);
}

static struct ae_admin_value
col_not_before(struct admin_row *r)
{
	return date(r->db->serial_len > 0 ? r->db->not_before : 0);
}

static struct ae_admin_value
col_not_after(struct admin_row *r)
{
	return date(r->db->serial_len > 0 ? r->db->not_after : 0);
}

static struct ae_admin_value
col_ski(struct admin_row *r)
{
	const struct ae_cert *c = cert_of(r);

	return c == NULL ? text(NULL) : spaced(c->x.ski.p, c->x.ski.len, r->a);
}

static struct ae_admin_value
col_key(struct admin_row *r)
{
	const struct ae_cert *c = cert_of(r);

	return c == NULL ? bytes(NULL, 0) : bytes(c->spki.p, c->spki.len);
}

static struct ae_admin_value
col_key_length(struct admin_row *r)
{
	const struct ae_cert *c = cert_of(r);
	struct ae_admin_value v = none();
	struct ae_key *k = NULL;

	if (c != NULL &&
	    ae_key_from_spki(&k, c->spki.p, c->spki.len, NULL) == AE_OK)
		v = number(ae_key_bits(k));
	ae_key_free(k);
	return v;
}

static struct ae_admin_value
col_upn(struct admin_row *r)
{
	const struct ae_cert *c = cert_of(r);
	const struct ae_san *san =
	    c == NULL ? NULL : ae_exts_san(&c->x, AE_SAN_UPN);

	return text(san == NULL ? NULL : san->text);
}

static struct ae_admin_value
col_issued_subject(struct admin_row *r)
{
	return r->db->serial_len > 0 ? col_subject(r) : text(NULL);
}

static struct ae_admin_value
col_raw_name(struct admin_row *r)
{
	const struct ae_cert *c = cert_of(r);

	return c == NULL ? bytes(NULL, 0) : bytes(c->subject.p, c->subject.len);
}

/* clang-format off */
static const struct {
	uint32_t id;
	struct ae_admin_value (*get)(struct admin_row *r);
	bool blobs; /* it needs the request or the certificate */
} columns[] = {
	{ 0x1000, col_id, false },
	{ 0x1001, col_request, true },
	{ 0x1005, col_attributes, false },
	{ 0x1006, col_type, false },
	{ 0x1007, col_request_flags, false },
	{ 0x1008, col_status, false },
	{ 0x1009, col_disposition, false },
	{ 0x100a, col_message, false },
	{ 0x100b, col_submitted, false },
	{ 0x100c, col_resolved, false },
	{ 0x100d, col_revoked, false },
	{ 0x100e, col_revoked, false },
	{ 0x100f, col_reason, false },
	{ 0x1010, col_requester, false },
	{ 0x1011, col_caller, false },
	{ 0x1015, col_subject, false },
	{ 0x2000, col_issued_id, false },
	{ 0x2001, col_cert, true },
	{ 0x2002, col_cert_hash, true },
	{ 0x2003, col_template, false },
	{ 0x2007, col_serial, false },
	{ 0x2009, col_not_before, false },
	{ 0x200a, col_not_after, false },
	{ 0x200b, col_ski, true },
	{ 0x200c, col_key, true },
	{ 0x200d, col_key_length, true },
	{ 0x2011, col_upn, true },
	{ 0x2012, col_issued_subject, false },
	{ 0x2013, col_raw_name, true },
};

/* Parts of a name: 0x1017 on of the request's, 0x2014 on of the issued one. */
static const char *const parts[] = {
	"2.5.4.6", "2.5.4.10", "2.5.4.11", "2.5.4.3", "2.5.4.7", "2.5.4.8",
	"2.5.4.12", "2.5.4.42", "2.5.4.43", "2.5.4.4",
	"0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1", "2.5.4.9",
	"1.2.840.113549.1.9.2", "1.2.840.113549.1.9.8", "2.5.4.5",
};
/* clang-format on */
#define PARTS (sizeof(parts) / sizeof(parts[0]))
#define REQUEST_PARTS 0x1017u
#define ISSUED_PARTS 0x2014u

static bool
is_part(uint32_t id, uint32_t first)
{
	return id >= first && id < first + PARTS;
}

static struct ae_admin_value
part(struct admin_row *r, const char *type, bool issued)
{
	struct ae_admin_value v = none();
	const struct ae_admin_value whole = col_subject(r);
	const struct ae_cert *c = issued ? cert_of(r) : NULL;
	struct ae_der name = { NULL, 0 };
	struct ae_wr w;
	char *s = NULL;

	ae_wr_init(&w, 1 << 16);
	if (c != NULL)
		name = c->subject;
	else if (!issued && whole.type == AE_ADMIN_STRING &&
	    ae_name_from_text(&w, whole.text, NULL) == AE_OK)
		name = (struct ae_der){ w.p, w.len };
	if (name.len > 0 && ae_name_get(&s, name, type, NULL) == AE_OK)
		v = text(ae_arena_strdup(r->a, s));
	free(s);
	ae_wr_done(&w);
	return v;
}

struct ae_admin_value
admin_row_value(struct admin_row *r, uint32_t id)
{
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if (columns[i].id == id)
			return columns[i].get(r);
	if (is_part(id, REQUEST_PARTS))
		return part(r, parts[id - REQUEST_PARTS], false);
	if (is_part(id, ISSUED_PARTS))
		return part(r, parts[id - ISSUED_PARTS], true);
	return none();
}

bool
admin_row_wants_blobs(uint32_t id)
{
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if (columns[i].id == id)
			return columns[i].blobs;
	return is_part(id, ISSUED_PARTS);
}

/* ---- of a CRL ---- */

struct ae_admin_value
admin_crl_value(const struct ae_crl *c, uint32_t row, uint32_t id)
{
	switch (id) {
	case AE_ADMIN_COL_CRLROW:
		return number(row);
	case 0x5001:
		return number((uint32_t)c->number);
	case 0x5002: /* CRLMinBase */
		return number(
		    c->has_base_number ? (uint32_t)c->base_number : 0);
	case 0x5003: /* CRLNameId: which of the CA's keys */
		return number(c->ca_version >> 16);
	case 0x5004:
		return number((uint32_t)c->entries);
	case 0x5005:
		return date(c->this_update);
	case 0x5006:
		return date(c->next_update);
	case 0x5008:
		return date(c->next_publish);
	case 0x500d: /* CPF_BASE or CPF_DELTA, and CPF_COMPLETE */
		return number(c->has_base_number ? 6 : 5);
	case 0x500e:
		return number(0);
	case 0x5010:
		return bytes(c->der.p, c->der.len);
	default:
		return none();
	}
}
