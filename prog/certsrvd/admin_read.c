/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Methods of ICertAdminD that only read what ca knows anyway: they are
 * answered at once.
 */
#include "ad/sd.h"
#include "admin.h"
#include "ca/rights.h"
#include "wcce/admin_view.h"
#include "wcce/hresult.h"

#define HR_FILE_NOT_FOUND 0x80070002u
#define HR_OVERFLOW 0x00000001u /* ERROR_ARITHMETIC_OVERFLOW, MS-CSRA 2.2.5 */
#define AUDIT_ALL 0x7fu		/* MS-CSRA 3.1.4.2.10: there is no less */

static void
take_blob(struct manage *m)
{
	if (!ae_wr_ok(&m->w)) {
		m->reply.hresult = HR_INTERNAL;
		return;
	}
	m->reply.blob.p = m->w.p;
	m->reply.blob.len = (uint32_t)m->w.len;
}

void
read_nothing(struct manage *m)
{
	(void)m; /* Ping: it was answered */
}

void
read_server_state(struct manage *m)
{
	m->reply.n = 1; /* he reads */
}

void
read_my_roles(struct manage *m)
{
	m->reply.n = m->roles;
}

void
read_audit_filter(struct manage *m)
{
	m->reply.n = AUDIT_ALL;
}

void
read_get_crl(struct manage *m)
{
	const struct ca_crl *k = &m->ca->crl[m->ca->current->key];

	/* one that is too long to be in memory is read where it is published */
	if (!k->made || k->crl.len == 0) {
		m->reply.hresult = HR_FILE_NOT_FOUND;
		return;
	}
	ae_wr_bytes(&m->w, k->crl.p, k->crl.len);
	take_blob(m);
}

void
read_ca_security(struct manage *m)
{
	struct ae_err e = AE_ERR_INIT;

	if (ae_sd_encode(&m->w, m->ca->config.sd, &e) < 0)
		m->reply.hresult = HR_INTERNAL;
	else
		take_blob(m);
}

static bool
put_rights(struct ae_wr *w, const struct ae_ca_rights *r)
{
	struct ae_wr one; /* a descriptor's offsets are from its own start */
	bool ok;

	ae_wr_init(&one, AE_SD_BYTES_MAX);
	ok = ae_ca_rights_encode(&one, r->v, r->n, NULL) == AE_OK;
	ae_wr_bytes(w, one.p, one.len);
	ae_wr_done(&one);
	return ok;
}

/* MS-CSRA 2.2.1.11.1: officers, whether agents are restricted, agents. */
void
read_officer_rights(struct manage *m)
{
	const struct ca *ca = m->ca;
	bool ok = true;

	m->reply.n = ca->officers != NULL;
	if (ca->officers != NULL)
		ok = put_rights(&m->w, ca->officers);
	ae_wr_u32(&m->w, ca->agents != NULL);
	if (ca->agents != NULL)
		ok = put_rights(&m->w, ca->agents) && ok;
	if (ok)
		take_blob(m);
	else
		m->reply.hresult = HR_INTERNAL;
}

/* GetCAProperty and GetCAPropertyInfo are those of ICertRequestD2. */
void
read_ca_property(struct manage *m)
{
	const bool info = m->q.opnum == AE_ADMIN_GETCAPROPERTYINFO;
	const struct ae_wcce_request q = { .iface = AE_WCCE_ICERTREQUESTD2,
		.call = info ? AE_WCCE_CALL_GETPROPERTYINFO
			     : AE_WCCE_CALL_GETPROPERTY,
		.authority = m->q.authority,
		.prop_id = (int32_t)m->q.prop_id,
		.prop_index = (int32_t)m->q.prop_index,
		.prop_type = (int32_t)m->q.prop_type };
	struct ae_wcce_reply p = { .hresult = 0 };
	struct ae_err e = AE_ERR_INIT;

	if (ae_ca_property(&p, &m->ca->info, &q, m->a, &e) < 0) {
		m->reply.hresult = HR_INTERNAL;
		return;
	}
	m->reply.hresult = p.hresult;
	m->reply.n = info ? (uint32_t)p.nprops : 0;
	m->reply.blob.p = p.value.p;
	m->reply.blob.len = (uint32_t)p.value.len;
}

/* EnumViewColumn is EnumViewColumnTable with the table of requests. */
void
read_view_columns(struct manage *m)
{
	const struct ae_admin_column *v;
	size_t n;

	v = ae_admin_columns(m->q.table, &n);
	if (v == NULL || m->q.count == 0) {
		m->reply.hresult = AE_HR_E_INVALIDARG;
	} else if (m->q.from >= n) {
		m->reply.hresult = HR_OVERFLOW;
	} else {
		n -= m->q.from;
		if (n > m->q.count)
			n = m->q.count;
		ae_admin_put_columns(&m->w, v + m->q.from, n);
		m->reply.n = (uint32_t)n;
		take_blob(m);
	}
}

void
read_default_columns(struct manage *m)
{
	const uint32_t *v;
	size_t n, i;

	v = ae_admin_default_columns(m->q.flags, &n);
	if (v == NULL) {
		m->reply.hresult = AE_HR_E_INVALIDARG;
		return;
	}
	for (i = 0; i < n; i++)
		ae_wr_u32(&m->w, v[i]);
	m->reply.n = (uint32_t)n;
	take_blob(m);
}
