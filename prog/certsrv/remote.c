/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Calls to a CA on another host; see remote.h.  What its database calls its
 * columns is asked of it: their numbers differ between servers.
 */
#include "remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/str.h"
#include "base/time.h"
#include "base/utf16.h"
#include "gss/cred.h"
#include "run/admin_client.h"
#include "wcce/admin_view.h"
#include "wcce/hresult.h"
#include "wcce/request.h"

#define ANSWER_MAX (16u << 20)
#define COLUMNS_MAX 256u

struct remote {
	struct ae_gss_cred *cred;
	struct ae_run_admin *admin;
	struct ae_arena *a;	/* of the last answer */
	struct ae_arena *names; /* of the columns */
	struct ae_admin_column *columns;
	size_t ncolumns;
	char *host, *name;
};

int
remote_open(struct remote **out, const struct cli *cli, struct ae_err *e)
{
	const char *cut = strchr(cli->ca, '\\');
	struct ae_run_admin_config c = { .host = NULL };
	struct remote *r;
	int rc;

	if (cut == NULL || cut == cli->ca || cut[1] == '\0')
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "--ca is HOST\\NAME, as \"ca1.example.com\\Example CA\"");
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ae_fail_mem(e);
	r->host = strndup(cli->ca, (size_t)(cut - cli->ca));
	r->name = strdup(cut + 1);
	r->a = ae_arena_new(ANSWER_MAX);
	r->names = ae_arena_new(1 << 20);
	rc = r->host == NULL || r->name == NULL || r->a == NULL ||
		r->names == NULL
	    ? ae_fail_mem(e)
	    : ae_gss_cred_ccache(&r->cred, NULL, e);
	if (rc == AE_EAUTH)
		rc = ae_note(e, rc, "you have no Kerberos ticket");
	c.host = r->host;
	c.authority = r->name;
	c.cred = r->cred;
	if (rc == AE_OK)
		rc = ae_run_admin_new(&r->admin, &c, e);
	if (rc < 0)
		remote_close(r);
	else
		*out = r;
	return rc;
}

void
remote_close(struct remote *r)
{
	if (r == NULL)
		return;
	ae_run_admin_free(r->admin);
	ae_gss_cred_free(r->cred);
	ae_arena_free(r->a);
	ae_arena_free(r->names);
	free(r->host);
	free(r->name);
	free(r);
}

/* An HRESULT as a failure. */
static int
refused(uint32_t hresult, const char *what, struct ae_err *e)
{
	static const struct {
		uint32_t hresult;
		enum ae_rc rc;
	} rows[] = {
		{ AE_HR_E_ACCESSDENIED, AE_EDENIED },
		{ 0x80094008, AE_EDENIED }, /* CERTSRV_E_ROLECONFLICT */
		{ AE_HR_RESTRICTEDOFFICER, AE_EDENIED },
		{ AE_HR_BAD_REQUESTSTATUS, AE_EDENIED },
		{ AE_HR_NO_REQUEST, AE_ENOTFOUND },
		{ AE_HR_PROPERTY_EMPTY, AE_ENOTFOUND },
	};
	char text[AE_HRESULT_STR_MAX];
	enum ae_rc rc = AE_EREMOTE;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].hresult == hresult)
			rc = rows[i].rc;
	return ae_fail(e, rc, AE_DOM_HRESULT, hresult, "%s: %s", what,
	    ae_hresult_print(text, hresult));
}

int
remote_ask(struct remote *r, struct ae_admin_request *rq,
    struct ae_admin_reply *reply, struct ae_err *e)
{
	const struct ae_admin_method *m = ae_admin_method_find(rq->opnum);
	int rc;

	ae_arena_reset(r->a);
	rc = ae_run_admin_ask(r->admin, rq, reply, r->a, e);
	if (rc < 0)
		return ae_note(e, rc, "%s\\%s", r->host, r->name);
	return reply->hresult == 0 || m == NULL
	    ? AE_OK
	    : refused(reply->hresult, m->name, e);
}

/* ---- views ---- */

/* Of a row, by the names of MS-CSRA 3.1.1.1. */
enum field {
	F_ID,
	F_DISP,
	F_STATUS,
	F_MESSAGE,
	F_REQUESTER,
	F_CALLER,
	F_TEMPLATE,
	F_SUBJECT,
	F_ATTRS,
	F_FLAGS,
	F_SERIAL,
	F_SUBMITTED,
	F_RESOLVED,
	F_NOT_BEFORE,
	F_NOT_AFTER,
	F_REVOKED,
	F_REASON,
	F_CERT, /* last: only where one row is wanted */
	F_COUNT
};

static const char *const names[F_COUNT] = {
	[F_ID] = "Request.RequestID",
	[F_DISP] = "Request.Disposition",
	[F_STATUS] = "Request.StatusCode",
	[F_MESSAGE] = "Request.DispositionMessage",
	[F_REQUESTER] = "Request.RequesterName",
	[F_CALLER] = "Request.CallerName",
	[F_TEMPLATE] = "CertificateTemplate",
	[F_SUBJECT] = "Request.DistinguishedName",
	[F_ATTRS] = "Request.RequestAttributes",
	[F_FLAGS] = "Request.RequestFlags",
	[F_SERIAL] = "SerialNumber",
	[F_SUBMITTED] = "Request.SubmittedWhen",
	[F_RESOLVED] = "Request.ResolvedWhen",
	[F_NOT_BEFORE] = "NotBefore",
	[F_NOT_AFTER] = "NotAfter",
	[F_REVOKED] = "Request.RevokedEffectiveWhen",
	[F_REASON] = "Request.RevokedReason",
	[F_CERT] = "RawCertificate",
};

/* Once a connection. */
static int
learn_columns(struct remote *r, struct ae_err *e)
{
	struct ae_admin_request rq = { .opnum = AE_ADMIN_ENUMVIEWCOLUMN,
		.count = COLUMNS_MAX };
	struct ae_admin_reply p;
	int rc;

	if (r->columns != NULL)
		return AE_OK;
	rc = remote_ask(r, &rq, &p, e);
	if (rc == AE_OK)
		rc = ae_admin_get_columns(
		    &r->columns, p.n, p.blob.p, p.blob.len, r->names, e);
	if (rc == AE_OK)
		r->ncolumns = p.n;
	return rc;
}

static int
number_of(const struct remote *r, enum field f, uint32_t *id, struct ae_err *e)
{
	size_t i;

	for (i = 0; i < r->ncolumns; i++)
		if (ae_str_eq_nocase(r->columns[i].name, names[f])) {
			*id = r->columns[i].id;
			return AE_OK;
		}
	return ae_fail(
	    e, AE_EREMOTE, AE_DOM_NONE, 0, "the CA has no column %s", names[f]);
}

static void
number_field(struct ae_db_request *q, enum field f, uint32_t n)
{
	if (f == F_ID)
		q->id = n;
	else if (f == F_DISP)
		q->disp = (enum ae_db_disp)n;
	else if (f == F_STATUS)
		q->hresult = n;
	else if (f == F_FLAGS)
		q->request_flags = n;
	else if (f == F_REASON)
		q->revoked_reason = (int)n;
}

static void
date_field(struct ae_db_request *q, enum field f, uint64_t date)
{
	const int64_t t = ae_time_from_filetime(date);

	if (f == F_SUBMITTED)
		q->submitted = t;
	else if (f == F_RESOLVED)
		q->resolved = t;
	else if (f == F_NOT_BEFORE)
		q->not_before = t;
	else if (f == F_NOT_AFTER)
		q->not_after = t;
	else if (f == F_REVOKED)
		q->revoked_at = t;
}

static void
text_field(struct ae_db_request *q, enum field f, const char *s)
{
	const size_t len = strlen(s) / 2;

	if (f == F_MESSAGE)
		q->message = s;
	else if (f == F_REQUESTER)
		q->on_behalf = s;
	else if (f == F_CALLER)
		q->account = s;
	else if (f == F_TEMPLATE)
		q->template = s;
	else if (f == F_SUBJECT)
		q->subject = s;
	else if (f == F_ATTRS)
		q->attrs = s;
	else if (f == F_SERIAL && len <= sizeof(q->serial) &&
	    ae_hex_decode(q->serial, len, s))
		q->serial_len = len;
}

/* A row of the view as a row of the database. */
static void
to_request(struct ae_db_request *q, const struct ae_admin_row *row,
    const uint32_t ids[F_COUNT])
{
	size_t i, f;

	memset(q, 0, sizeof(*q));
	for (i = 0; i < row->n; i++) {
		const struct ae_admin_value *v = &row->values[i];

		for (f = 0; f < F_COUNT && ids[f] != row->ids[i]; f++)
			;
		if (f == F_COUNT)
			continue;
		if (v->type == AE_ADMIN_LONG)
			number_field(q, (enum field)f, v->number);
		else if (v->type == AE_ADMIN_DATE)
			date_field(q, (enum field)f, v->date);
		else if (v->type == AE_ADMIN_STRING)
			text_field(q, (enum field)f, v->text);
		else if (v->type == AE_ADMIN_BINARY && f == F_CERT) {
			q->cert = v->p;
			q->cert_len = v->len;
		}
	}
	/* asked for by oneself is not on behalf */
	if (q->account == NULL)
		q->account = q->on_behalf;
	if (q->on_behalf != NULL && q->account != NULL &&
	    ae_str_eq_nocase(q->on_behalf, q->account))
		q->on_behalf = NULL;
}

/* What a view is restricted by. */
struct wanted {
	struct ae_admin_restriction v[4];
	uint8_t numbers[4][4];
	struct ae_wr text;
	uint32_t n;
};

static void
want_number(
    struct wanted *w, uint32_t column, uint32_t seek, uint32_t sort, int64_t n)
{
	uint8_t *p = w->numbers[w->n];
	size_t i;

	for (i = 0; i < 4; i++)
		p[i] = (uint8_t)((uint64_t)n >> 8 * i);
	w->v[w->n++] =
	    (struct ae_admin_restriction){ column, seek, sort, p, 4 };
}

static bool
want_text(struct wanted *w, uint32_t column, const char *s)
{
	if (!ae_utf16_put(&w->text, s))
		return false;
	ae_wr_u16(&w->text, 0);
	w->v[w->n++] = (struct ae_admin_restriction){ column, AE_ADMIN_SEEK_EQ,
		AE_ADMIN_SORT_NONE, w->text.p, (uint32_t)w->text.len };
	return ae_wr_ok(&w->text);
}

/* Rows into v until there are max, or no more. */
static int
pages(struct remote *r, struct ae_admin_request *rq,
    const uint32_t ids[F_COUNT], struct ae_db_request *v, size_t max, size_t *n,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_admin_row *rows;
	struct ae_admin_reply p;
	int64_t total = -1;
	size_t i;
	int rc = AE_OK;

	*n = 0;
	while (rc == AE_OK && *n < max && total < 0) {
		rq->from = (uint32_t)*n;
		rq->count = (uint32_t)(max - *n);
		rc = remote_ask(r, rq, &p, e);
		if (rc == AE_OK)
			rc = ae_admin_get_rows(
			    &rows, p.n, &total, p.blob.p, p.blob.len, a, e);
		for (i = 0; rc == AE_OK && i < p.n && *n < max; i++)
			to_request(&v[(*n)++], &rows[i], ids);
		if (rc == AE_OK && p.n == 0)
			break;
		rq->opnum = AE_ADMIN_ENUMVIEW;
	}
	return rc;
}

static int
view(struct remote *r, struct wanted *w, const uint32_t ids[F_COUNT],
    size_t ncolumns, struct ae_db_request *v, size_t max, size_t *n,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_admin_request rq = { .opnum = AE_ADMIN_OPENVIEW,
		.nrestrictions = w->n,
		.restrictions = w->v,
		.ncolumns = (uint32_t)ncolumns,
		.columns = ids };
	struct ae_admin_request close = { .opnum = AE_ADMIN_CLOSEVIEW };
	struct ae_err ignored = AE_ERR_INIT;
	struct ae_admin_reply p;
	int rc = pages(r, &rq, ids, v, max, n, a, e);

	if (rq.opnum == AE_ADMIN_ENUMVIEW) /* it was opened */
		(void)!remote_ask(r, &close, &p, &ignored);
	return rc;
}

static int
numbers_of(struct remote *r, uint32_t ids[F_COUNT], struct ae_err *e)
{
	int f, rc = learn_columns(r, e);

	for (f = 0; f < F_COUNT && rc == AE_OK; f++)
		rc = number_of(r, (enum field)f, &ids[f], e);
	return rc;
}

int
remote_list(struct remote *r, const struct ae_db_filter *f,
    struct ae_db_request **out, size_t *n, struct ae_arena *a, struct ae_err *e)
{
	const uint32_t sort =
	    f->newest_first ? AE_ADMIN_SORT_DESC : AE_ADMIN_SORT_ASC;
	struct wanted w = { .n = 0 };
	uint32_t ids[F_COUNT];
	bool ok = true;
	int rc;

	if (f->sid != NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a CA on another host does not tell SIDs");
	rc = numbers_of(r, ids, e);
	if (rc < 0)
		return rc;
	ae_wr_init(&w.text, 4096);
	if (f->newest_first && f->after > 0)
		want_number(&w, ids[F_ID], AE_ADMIN_SEEK_LT, sort, f->after);
	else
		want_number(&w, ids[F_ID], AE_ADMIN_SEEK_GT, sort, f->after);
	if (f->disp != 0)
		want_number(&w, ids[F_DISP], AE_ADMIN_SEEK_EQ, 0, f->disp);
	if (f->template != NULL)
		ok = want_text(&w, ids[F_TEMPLATE], f->template);
	*out = ae_arena_array(a, f->limit, sizeof(**out));
	if (!ok || *out == NULL)
		rc = ae_fail_mem(e);
	else
		rc = view(r, &w, ids, F_CERT, *out, f->limit, n, a, e);
	ae_wr_done(&w.text);
	return rc;
}

int
remote_get(struct remote *r, int64_t id, struct ae_db_request *out,
    struct ae_arena *a, struct ae_err *e)
{
	struct wanted w = { .n = 0 };
	uint32_t ids[F_COUNT];
	size_t n = 0;
	int rc = numbers_of(r, ids, e);

	if (rc < 0)
		return rc;
	want_number(&w, ids[F_ID], AE_ADMIN_SEEK_EQ, AE_ADMIN_SORT_NONE, id);
	rc = view(r, &w, ids, F_COUNT, out, 1, &n, a, e);
	if (rc == AE_OK && n == 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no such request");
	return rc;
}

/* ---- deciding ---- */

int
remote_decide(struct remote *r, int64_t id, bool approve, struct ae_err *e)
{
	struct ae_admin_request rq = { .opnum = approve ? AE_ADMIN_RESUBMIT
							: AE_ADMIN_DENY,
		.id = (uint32_t)id };
	struct ae_admin_reply p;
	int rc = remote_ask(r, &rq, &p, e);

	if (rc == AE_OK && approve && p.n != AE_CR_DISP_ISSUED)
		rc = p.n == AE_CR_DISP_UNDER_SUBMISSION
		    ? ae_fail(
			  e, AE_EDENIED, AE_DOM_NONE, 0, "it goes on waiting")
		    : refused(p.n, "it was not issued", e);
	return rc;
}

int
remote_revoke(struct remote *r, int64_t id, const uint8_t *serial, size_t len,
    uint32_t reason, struct ae_err *e)
{
	char hex[2 * AE_DB_SERIAL_MAX + 1];
	struct ae_admin_request rq = {
		.opnum = AE_ADMIN_REVOKE, .text = hex, .flags = reason
	};
	struct ae_arena *a = ae_arena_new(ANSWER_MAX);
	struct ae_db_request row = { .serial_len = 0 };
	struct ae_admin_reply p;
	int rc = a == NULL ? ae_fail_mem(e) : AE_OK;

	if (rc == AE_OK && id != 0) { /* it is called by its serial number */
		rc = remote_get(r, id, &row, a, e);
		if (rc == AE_OK && row.serial_len == 0)
			rc = ae_fail(e, AE_EDENIED, AE_DOM_HRESULT,
			    AE_HR_BAD_REQUESTSTATUS,
			    "request %lld is %s, not issued", (long long)id,
			    ae_db_disp_name((int)row.disp));
		serial = row.serial;
		len = row.serial_len;
	}
	if (rc == AE_OK) {
		ae_hex_encode(hex, serial, len);
		rc = remote_ask(r, &rq, &p, e);
	}
	ae_arena_free(a);
	return rc;
}
