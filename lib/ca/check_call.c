/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The first checks: is this CA meant, may the caller ask it at all, what is
 * asked.  Status inspection and retrieval end here.
 */
#include <string.h>

#include "base/breaks.h"
#include "base/hex.h"
#include "ca/work.h"
#include "db/db.h"
#include "wcce/icpr.h"
#include "wcce/name.h"

/* MS-WCCE 3.2.1.4.2.1.1 */
static int
check_authority(struct ae_ca_work *w)
{
	const char *asked = w->in->request->authority;

	if (ae_wcce_authority_matches(w->cfg->name, asked, false))
		return AE_CA_GO;
	return ae_ca_stop(w, AE_CA_REFUSE, AE_HR_E_INVALIDARG, "ca.name",
	    "MS-WCCE 3.2.1.4.2.1.1", "the request is for a CA named %s",
	    ae_ca_quote(w, asked));
}

/* A ticket through which a service speaks for the caller, MS-SFU. */
static int
check_delegation(struct ae_ca_work *w)
{
	if (!w->in->caller->delegated || w->cfg->allow_delegated ||
	    AE_BREAK(delegated))
		return AE_CA_GO;
	return ae_ca_stop(w, AE_CA_DENY, AE_HR_E_ACCESSDENIED,
	    "deny.access-denied", "policy",
	    "a service speaks for %s, which this CA does not allow",
	    ae_ca_quote(w, w->d->requester));
}

/* MS-CSRA 3.1.1.7 */
int
ae_ca_check_ca_permission(struct ae_ca_work *w)
{
	if (w->cfg->sd == NULL || !w->cfg->sd->has_dacl ||
	    !ae_sd_access_check(
		w->cfg->sd, w->token, AE_CA_RIGHT_ENROLL, NULL, NULL, NULL))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_ENROLL_DENIED,
		    "deny.ca-no-request-right", "MS-CSRA 3.1.1.7",
		    "the permissions of the CA do not let %s request "
		    "certificates",
		    ae_ca_quote(w, w->enrolls));
	ae_ca_pass(w, "ca.request-right", "MS-CSRA 3.1.1.7",
	    "%s may request certificates from this CA",
	    ae_ca_quote(w, w->enrolls));
	return AE_CA_GO;
}

/* Decided with the groups of the PAC. */
static int
check_caller(struct ae_ca_work *w)
{
	const struct ae_caller *c = w->in->caller;
	int rc;

	rc = ae_token_exact(&w->token, c->sids, c->nsids, w->e);
	return rc == AE_OK ? ae_ca_check_ca_permission(w) : rc;
}

/* MS-WCCE 3.2.1.4.2.1.2: nothing in them is acted upon but the template. */
static int
check_attributes(struct ae_ca_work *w)
{
	const struct ae_wcce_attr *at;
	size_t i;
	int rc;

	rc = ae_wcce_attrs_parse(
	    &w->d->attrs, w->in->request->attributes, w->a, w->e);
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < w->d->attrs.n; i++) {
		at = &w->d->attrs.v[i];
		if (at->use == AE_WCCE_ATTR_USED ||
		    (at->use == AE_WCCE_ATTR_DATE && w->cfg->request_dates))
			continue;
		ae_ca_note(w, "request.attribute-ignored",
		    "MS-WCCE 3.2.1.4.2.1.2", "ignored %s with value %s: %s",
		    ae_ca_quote(w, at->name), ae_ca_quote(w, at->value),
		    at->why == NULL ? "unknown" : at->why);
	}
	if (w->d->attrs.bad_lines > 0)
		ae_ca_note(w, "request.attribute-ignored",
		    "MS-WCCE 3.2.1.4.2.1.2",
		    "ignored %zu lines that are no attributes",
		    w->d->attrs.bad_lines);
	return AE_CA_GO;
}

/*
 * A serial number as clients write it: hex digits, an even number of them,
 * at most one zero in front (MS-WCCE 3.2.1.4.3.1).  False: it is none.
 */
static bool
parse_serial(struct ae_ca_work *w, const char *s)
{
	size_t len = strlen(s);
	uint8_t *p;

	if (len == 0 || len % 2 != 0 || len / 2 > AE_DB_SERIAL_MAX + 1)
		return false;
	p = ae_arena_alloc(w->a, len / 2);
	if (p == NULL || !ae_hex_decode(p, len / 2, s))
		return false;
	len /= 2;
	while (len > 1 && p[0] == 0) {
		p++;
		len--;
	}
	w->d->ask_serial = p;
	w->d->ask_serial_len = len;
	return true;
}

/* By what a row is asked for; AE_CA_GO with *what, or a refusal. */
static int
inspection_key(struct ae_ca_work *w, enum ae_ca_ask *what)
{
	static const char section[] = "MS-WCCE 3.2.1.4.3.1.2";
	const struct ae_wcce_request *rq = w->in->request;
	const bool two =
	    rq->opnum == AE_OP_REQUEST2 && rq->iface == AE_WCCE_ICERTREQUESTD2;
	const char *serial = two ? rq->serial : rq->attributes;

	*what = AE_CA_ASK_ROW_ID;
	if (two && (rq->request_id == 0) == (serial == NULL))
		return ae_ca_stop(w, AE_CA_REFUSE, AE_HR_E_INVALIDARG,
		    "deny.bad-request", section,
		    "an inspection names either a request id or a serial "
		    "number");
	if (!two && rq->request_id == 0)
		return ae_ca_stop(w, AE_CA_REFUSE, AE_HR_E_INVALIDARG,
		    "deny.bad-request", "MS-WCCE 3.2.1.4.2.1.3",
		    "an inspection without a request id");
	if (serial != NULL && parse_serial(w, serial))
		*what = AE_CA_ASK_ROW_SERIAL;
	else if (two && serial != NULL)
		return ae_ca_stop(w, AE_CA_REFUSE, AE_HR_E_INVALIDARG,
		    "deny.bad-request", section, "%s is no serial number",
		    ae_ca_quote(w, serial));
	return AE_CA_GO;
}

/*
 * No request bytes: how does it stand with an earlier request (MS-WCCE
 * 3.2.1.4.2.1.3, 3.2.1.4.3.1.2)?  Only its requester and officers learn it;
 * for others it does not exist, so that ids tell nobody anything.
 */
static int
check_inspection(struct ae_ca_work *w)
{
	const struct ae_db_request *row;
	char sid[AE_SID_STR_MAX];
	enum ae_ca_ask what;
	int step;

	if (w->in->request->csr.p != NULL)
		return AE_CA_GO;
	step = inspection_key(w, &what);
	if (step == AE_CA_GO)
		step = ae_ca_ask(w, what, "MS-WCCE 3.2.1.4.2.1.3");
	if (step != AE_CA_GO)
		return step;
	row = what == AE_CA_ASK_ROW_ID ? w->answers->row_id
				       : w->answers->row_serial;
	ae_sid_print(sid, &w->in->caller->user);
	if (row == NULL ||
	    (strcmp(row->sid, sid) != 0 &&
		!ae_sd_access_check(w->cfg->sd, w->token, AE_CA_RIGHT_OFFICER,
		    NULL, NULL, NULL)))
		return ae_ca_stop(w, AE_CA_REFUSE, AE_HR_PROPERTY_EMPTY,
		    "ca.no-such-request", "MS-WCCE 3.2.1.4.2.1.3",
		    "no such request, or not one of %s",
		    ae_ca_quote(w, w->d->requester));
	w->d->row = row;
	return ae_ca_stop(w, AE_CA_STORED, 0, "ca.stored",
	    "MS-WCCE 3.2.1.4.2.1.3", "request %lld is %s", (long long)row->id,
	    ae_db_disp_name((int)row->disp));
}

/* dwFlags, MS-WCCE 3.2.1.4.3.1.1 */
static int
check_flags(struct ae_ca_work *w)
{
	static const struct {
		uint32_t bit;
		const char *what;
	} cannot[] = {
		{ AE_CR_IN_CT, "certificate transparency" },
		{ AE_CR_IN_PRESIGN, "pre-signing" },
	};
	const struct ae_wcce_request *rq = w->in->request;
	size_t i;

	w->prefix = "Error Parsing Request";
	if ((rq->flags & AE_CR_IN_ROBO) != 0 && !w->cfg->allow_renew_on_behalf)
		return ae_ca_stop(w, AE_CA_FAIL, AE_HR_E_NOT_SUPPORTED,
		    "deny.bad-request", "MS-WCCE 3.2.2.6.2.1.2.4",
		    "the CA's configuration does not allow renewals on behalf "
		    "of others");
	if (rq->request_id != 0 && !w->in->approved && !w->in->answered)
		return ae_ca_stop(w, AE_CA_REFUSE, AE_HR_E_INVALIDARG,
		    "deny.bad-request", "MS-WCCE 3.2.1.4.2.1",
		    "a new request with a request id");
	for (i = 0; i < sizeof(cannot) / sizeof(cannot[0]); i++)
		if (rq->flags & cannot[i].bit)
			return ae_ca_stop(w, AE_CA_FAIL, AE_HR_E_NOT_SUPPORTED,
			    "deny.bad-request", "MS-WCCE 3.2.1.4.3.1.1",
			    "this CA does not do %s", cannot[i].what);
	return AE_CA_GO;
}

/* clang-format off */
const struct ae_ca_check ae_ca_checks_call[] = {
	{ { "ca.name", "MS-WCCE 3.2.1.4.2.1.1",
	    "is this CA meant" }, check_authority },
	{ { "ca.delegation", "policy",
	    "does the caller speak for himself" }, check_delegation },
	{ { "ca.request-right", "MS-CSRA 3.1.1.7",
	    "may the caller ask this CA for certificates" }, check_caller },
	{ { "request.attributes", "MS-WCCE 3.2.1.4.2.1.2",
	    "which request attributes mean anything" }, check_attributes },
	{ { "request.inspection", "MS-WCCE 3.2.1.4.2.1.3",
	    "is an earlier request asked about" }, check_inspection },
	{ { "request.flags", "MS-WCCE 3.2.1.4.3.1.1",
	    "are the flags of the call possible" }, check_flags },
	{ .fn = NULL },
};
/* clang-format on */
