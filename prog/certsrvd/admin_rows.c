/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Administration over the network that is about one row: the answers in the
 * words of each method, its attributes, and the methods that only read it.
 */
#include <string.h>

#include "admin_view.h"
#include "pki/cert.h"
#include "pki/request.h"
#include "sys/clock.h"
#include "wcce/admin_view.h"
#include "wcce/attrs.h"
#include "wcce/hresult.h"

#define EXTENSIONS_MAX 256

/* ---- answers ---- */

/* clang-format off */
/* What else than certsrv's numbers a method answers, and where it says so. */
static const struct {
	uint16_t opnum;
	int rc;
	uint32_t was, is; /* was 0: any */
} words[] = {
	/* MS-CSRA 3.1.4.1.3, note 30 */
	{ AE_ADMIN_RESUBMIT, AE_ENOTFOUND, 0, AE_HR_PROPERTY_EMPTY },
	/* 3.1.4.1.8, rules 1 and 8 */
	{ AE_ADMIN_REVOKE, AE_ENOTFOUND, 0, AE_HR_E_INVALIDARG },
	{ AE_ADMIN_REVOKE, AE_EDENIED, AE_HR_BAD_REQUESTSTATUS, AE_HR_E_INVALID_DATA },
	/* 3.1.4.2.9 */
	{ AE_ADMIN_GETARCHIVEDKEY, AE_ENOTFOUND, 0, AE_HR_PROPERTY_EMPTY },
	/* 3.1.4.1.11, rule 2 */
	{ AE_ADMIN_ENUMATTRIBUTES, AE_ENOTFOUND, 0, AE_HR_PROPERTY_EMPTY },
};
/* clang-format on */

static uint32_t
in_words(uint16_t opnum, int rc, uint32_t hresult)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].opnum == opnum && words[i].rc == rc &&
		    (words[i].was == 0 || words[i].was == hresult))
			return words[i].is;
	return hresult;
}

void
manage_end(
    struct job *j, int rc, uint32_t hresult, const uint8_t *blob, size_t len)
{
	const uint16_t opnum = j->manage.opnum;
	struct ae_admin_reply p = { .blob = {
					.len = (uint32_t)len, .p = blob } };

	if (rc != AE_OK && j->stage == STAGE_ROWS)
		admin_view_failed(j->manager);
	if (rc != AE_OK)
		p.hresult = in_words(opnum, rc, hresult);
	/* what was decided is a disposition, MS-CSRA 3.1.4.1.3 */
	if (opnum == AE_ADMIN_RESUBMIT && rc == AE_OK)
		p.n = AE_CR_DISP_ISSUED;
	if (opnum == AE_ADMIN_RESUBMIT && rc == AE_EDENIED && !j->barred) {
		p.n = hresult;
		p.hresult = 0;
	}
	/* a serial number nobody has, 3.1.4.1.5 */
	if (opnum == AE_ADMIN_ISVALID && rc == AE_ENOTFOUND) {
		p.m = AE_CR_DISP_ISSUED_OUT_OF_BAND;
		p.hresult = 0;
	}
	manage_reply(j, &p);
}

/* ---- attributes ---- */

/* Is there one of this name among them? */
static bool
has(const struct ae_wcce_attrs *attrs, const char *key)
{
	return ae_wcce_attrs_get(attrs, key) != NULL;
}

/* Lines of the old ones that the new ones do not replace, then those. */
static bool
put_lines(struct ae_wr *w, const struct ae_wcce_attrs *from,
    const struct ae_wcce_attrs *but)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (but == NULL || !has(but, from->v[i].key))
			ae_wr_printf(
			    w, "%s:%s\n", from->v[i].name, from->v[i].value);
	return ae_wr_ok(w);
}

/*
 * MS-CSRA 3.1.4.1.2.  They stand beside what the requester sent, for people;
 * the decision never looks at them, and which template it is about is not for
 * an officer to say.
 */
static void
set_attributes(struct job *j, const struct ae_db_request *row)
{
	struct ae_wcce_attrs old = { .n = 0 }, new = { .n = 0 };
	struct ae_wr lines, w;
	const char *text = NULL;

	if (row->disp != AE_DB_PENDING) {
		admin_refuse(j, AE_EDENIED, AE_HR_BAD_REQUESTSTATUS,
		    "attributes can be set while it is pending");
		return;
	}
	ae_wr_init(&lines, MSG_TEXT_MAX);
	if (ae_wcce_attrs_parse(&new, j->manage.text, j->arena, NULL) ==
		AE_OK &&
	    ae_wcce_attrs_parse(&old, row->set_attrs, j->arena, NULL) ==
		AE_OK &&
	    !has(&new, "certificatetemplate") &&
	    put_lines(&lines, &old, &new) && put_lines(&lines, &new, NULL))
		text = ae_wr_cstr(&lines);
	if (text == NULL) {
		admin_refuse(j, AE_EINVAL, AE_HR_E_INVALIDARG,
		    "too many attributes, or one that names a template");
	} else {
		ae_wr_init(&w, MSG_ATTRS_MAX);
		ae_wr_u64(&w, (uint64_t)j->row);
		put_str(&w, text);
		put_str(&w, j->by);
		(void)admin_to_db(j, MSG_DB_SET_ATTRS, &w);
		ae_wr_done(&w);
	}
	ae_wr_done(&lines);
}

/* ---- what is read of a row ---- */

static void
is_valid(struct job *j, const struct ae_db_request *row)
{
	struct ae_admin_reply p = { .m = AE_CR_DISP_ISSUED };

	if (row->disp == AE_DB_REVOKED) {
		p.n = (uint32_t)row->revoked_reason;
		p.m = 2; /* revoked, MS-CSRA 3.1.4.1.5 */
	} else if (row->disp != AE_DB_ISSUED) {
		p.m = AE_CR_DISP_ISSUED_OUT_OF_BAND; /* never issued */
	}
	manage_reply(j, &p);
}

/* Which of n entries come after the one called last; false: none is. */
static bool
after(const char *last, const char *name, size_t i, size_t *first)
{
	if (last == NULL || !ae_str_eq_nocase(last, name))
		return false;
	*first = i + 1;
	return true;
}

static void
attributes(struct job *j, const struct ae_db_request *row,
    struct ae_admin_reply *p, struct ae_wr *w)
{
	const char *last = j->manage.text;
	struct ae_admin_pair v[AE_WCCE_ATTRS_COUNT_MAX];
	struct ae_wcce_attrs came = { .n = 0 }, set = { .n = 0 };
	bool found = last == NULL;
	size_t i, all = 0, first = 0, n;

	if (ae_wcce_attrs_parse(&came, row->attrs, j->arena, NULL) < 0 ||
	    ae_wcce_attrs_parse(&set, row->set_attrs, j->arena, NULL) < 0) {
		p->hresult = HR_INTERNAL;
		return;
	}
	/* what an officer set takes the place of what came */
	for (i = 0; i < came.n && all < AE_WCCE_ATTRS_COUNT_MAX; i++)
		if (!has(&set, came.v[i].key))
			v[all++] = (struct ae_admin_pair){ came.v[i].name,
				came.v[i].value };
	for (i = 0; i < set.n && all < AE_WCCE_ATTRS_COUNT_MAX; i++)
		v[all++] =
		    (struct ae_admin_pair){ set.v[i].name, set.v[i].value };
	for (i = 0; i < all; i++)
		found = after(last, v[i].name, i, &first) || found;
	if (!found) { /* MS-CSRA 3.1.4.1.11, rule 3 */
		p->hresult = AE_HR_PROPERTY_EMPTY;
		return;
	}
	n = all - first < j->manage.count ? all - first : j->manage.count;
	ae_admin_put_attributes(w, v + first, n);
	p->n = (uint32_t)n;
}

static void
put_extensions(struct job *j, const struct ae_exts *x, uint32_t origin,
    struct ae_admin_reply *p, struct ae_wr *w)
{
	const char *last = j->manage.text;
	struct ae_admin_extension v[EXTENSIONS_MAX];
	bool found = last == NULL;
	size_t i, first = 0, n;

	for (i = 0; i < x->nraw && i < EXTENSIONS_MAX; i++) {
		v[i] = (struct ae_admin_extension){ .oid = x->raw[i].oid,
			.flags = origin |
			    (x->raw[i].critical ? AE_ADMIN_EXT_CRITICAL : 0),
			.p = x->raw[i].value.p,
			.len = x->raw[i].value.len };
		found = after(last, v[i].oid, i, &first) || found;
	}
	if (!found) { /* rule 4 */
		p->hresult = AE_HR_E_INVALIDARG;
		return;
	}
	n = i - first < j->manage.count ? i - first : j->manage.count;
	ae_admin_put_extensions(w, v + first, n);
	p->n = (uint32_t)n;
}

/* Those of the certificate; before there is one, those that were asked for. */
static void
extensions(struct job *j, const struct ae_db_request *row,
    struct ae_admin_reply *p, struct ae_wr *w)
{
	struct ae_request *rq = NULL;
	struct ae_cert *c = NULL;
	struct ae_err e = AE_ERR_INIT;

	if (row->cert_len > 0 &&
	    ae_cert_parse(&c, row->cert, row->cert_len, &e) == AE_OK)
		put_extensions(j, &c->x, AE_ADMIN_EXT_FROM_POLICY, p, w);
	else if (ae_request_parse(&rq, AE_REQUEST_ANY, row->csr, row->csr_len,
		     &e) == AE_OK &&
	    rq->csr != NULL)
		put_extensions(j, &rq->csr->x, AE_ADMIN_EXT_FROM_REQUEST, p, w);
	ae_cert_free(c);
	ae_request_free(rq);
}

static void
enum_attributes(struct job *j, const struct ae_db_request *row)
{
	struct ae_admin_reply p = { .hresult = 0 };
	struct ae_wr w;

	ae_wr_init(&w, AE_ADMIN_REPLY_MAX);
	if (j->manage.flags > 1)
		p.hresult = AE_HR_E_INVALIDARG;
	else if (j->manage.flags == 0)
		attributes(j, row, &p, &w);
	else
		extensions(j, row, &p, &w);
	if (!ae_wr_ok(&w))
		p = (struct ae_admin_reply){ .hresult = HR_INTERNAL };
	else if (p.hresult == 0)
		p.blob =
		    (struct ae_admin_blob){ .len = (uint32_t)w.len, .p = w.p };
	manage_reply(j, &p);
	ae_wr_done(&w);
}

void
manage_loaded(struct job *j, struct ae_db_request *row)
{
	if (j->manage.opnum == AE_ADMIN_SETATTRIBUTES) {
		set_attributes(j, row);
		return;
	}
	if (j->manage.opnum == AE_ADMIN_ISVALID)
		is_valid(j, row);
	else
		enum_attributes(j, row);
	job_end(j);
}
