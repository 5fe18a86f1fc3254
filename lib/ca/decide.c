/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Running the checks in their order, and keeping the reasons.
 */
#include "ca/decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ca/work.h"
#include "db/db.h"

#define TEXT_MAX 512

static void remember(struct ae_ca_work *w, enum ae_ca_mark mark,
    const char *check, const char *section, const char *fmt, va_list ap)
    AE_PRINTF(5, 0);

static void
remember(struct ae_ca_work *w, enum ae_ca_mark mark, const char *check,
    const char *section, const char *fmt, va_list ap)
{
	struct ae_ca_reason *r;
	char text[TEXT_MAX];

	/* the last place is kept for what stops it */
	if (w->nreasons >= AE_CA_REASONS_MAX - (mark == AE_CA_STOP ? 0 : 1))
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	r = &w->reasons[w->nreasons];
	r->text = ae_arena_strdup(w->a, text);
	if (r->text == NULL)
		r->text = ""; /* a lost sentence; the verdict stands */
	r->mark = mark;
	r->check = check;
	r->section = section;
	w->nreasons++;
}

void
ae_ca_pass(struct ae_ca_work *w, const char *check, const char *section,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	remember(w, AE_CA_PASS, check, section, fmt, ap);
	va_end(ap);
}

void
ae_ca_note(struct ae_ca_work *w, const char *check, const char *section,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	remember(w, AE_CA_NOTE, check, section, fmt, ap);
	va_end(ap);
}

int
ae_ca_stop(struct ae_ca_work *w, enum ae_ca_verdict v, uint32_t hresult,
    const char *check, const char *section, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	remember(w, AE_CA_STOP, check, section, fmt, ap);
	va_end(ap);
	w->d->verdict = v;
	w->d->hresult = hresult;
	if (v != AE_CA_DENY && v != AE_CA_FAIL)
		return AE_CA_HALT;
	w->d->message = ae_arena_printf(w->a, "%s  0x%08x, %s", w->prefix,
	    hresult, w->reasons[w->nreasons - 1].text);
	return w->d->message == NULL ? ae_fail_mem(w->e) : AE_CA_HALT;
}

int
ae_ca_ask(struct ae_ca_work *w, enum ae_ca_ask what, const char *section)
{
	static const struct {
		enum ae_ca_ask what;
		const char *name;
	} names[] = {
		{ AE_CA_ASK_REQUESTER, "the requester's directory object" },
		{ AE_CA_ASK_DNS_OWNERS, "other bearers of the DNS name" },
		{ AE_CA_ASK_ROW_ID, "the request's row" },
		{ AE_CA_ASK_ROW_SERIAL, "the certificate's row" },
		{ AE_CA_ASK_ROW_SAME, "an earlier row of the same request" },
		{ AE_CA_ASK_ROW_CERTS, "the rows of the signing certificates" },
		{ AE_CA_ASK_SUBJECT, "the subject's directory object" },
		{ AE_CA_ASK_OBJECT, "the object the policy file asks for" },
		{ AE_CA_ASK_HOSTS, "other bearers of the policy's host names" },
		{ AE_CA_ASK_NAMES, "other bearers of the host names" },
		{ AE_CA_ASK_ARCHIVE, "the key for the archive" },
		{ AE_CA_ASK_EK, "the endorsement key" },
	};
	const char *name = "?";
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].what == what)
			name = names[i].name;
	if (w->answers->failed & what)
		return ae_ca_stop(w, AE_CA_DENY,
		    what == AE_CA_ASK_REQUESTER || what == AE_CA_ASK_SUBJECT ||
			    what == AE_CA_ASK_DNS_OWNERS ||
			    what == AE_CA_ASK_OBJECT ||
			    what == AE_CA_ASK_HOSTS || what == AE_CA_ASK_NAMES
			? AE_HR_DS_UNAVAILABLE
			: AE_HR_NO_DB_SESSIONS,
		    "deny.requester-lookup", section,
		    "%s could not be read now", name);
	if (w->answers->answered & what)
		return AE_CA_GO;
	w->d->ask |= what;
	return ae_ca_stop(
	    w, AE_CA_ASK, 0, "ca.ask", section, "asking for %s", name);
}

const char *
ae_ca_quote(struct ae_ca_work *w, const char *s)
{
	char out[128];
	const char *q;

	if (s == NULL)
		return "(none)";
	q = ae_arena_printf(
	    w->a, "\"%s\"", ae_str_quote(out, sizeof(out), s, strlen(s)));
	return q == NULL ? "?" : q;
}

static const struct ae_ca_check *const all[] = { ae_ca_checks_call,
	ae_ca_checks_request, ae_ca_checks_signers, ae_ca_checks_template,
	ae_ca_checks_build };

#define STAGES (sizeof(all) / sizeof(all[0]))

/* Every rule, not reached yet. */
static int
lay_out(struct ae_ca_work *w)
{
	const struct ae_ca_check *c;
	size_t i, n = 0;

	for (i = 0; i < STAGES; i++)
		for (c = all[i]; c->fn != NULL; c++)
			n++;
	w->rulings = ae_arena_array(w->a, n, sizeof(*w->rulings));
	if (w->rulings == NULL)
		return ae_fail_mem(w->e);
	for (i = 0; i < STAGES; i++)
		for (c = all[i]; c->fn != NULL; c++)
			w->rulings[w->d->nrulings++].rule = c->rule;
	w->d->rulings = w->rulings;
	return AE_OK;
}

static int
decide(struct ae_ca_work *w)
{
	struct ae_ca_ruling *at;
	const struct ae_ca_check *c;
	int step;
	size_t i;

	step = lay_out(w);
	at = w->rulings;
	for (i = 0; i < STAGES && step == AE_CA_GO; i++)
		for (c = all[i]; c->fn != NULL && step == AE_CA_GO; c++, at++) {
			at->first = w->nreasons;
			step = c->fn(w);
			at->n = w->nreasons - at->first;
			at->outcome =
			    step == AE_CA_GO ? AE_CA_HELD : AE_CA_DECIDED;
		}
	if (step == AE_CA_GO) /* the last table always halts */
		return ae_fail(w->e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "the checks ended without a verdict");
	return step < 0 ? step : AE_OK;
}

int
ae_ca_decide(struct ae_decision *out, const struct ae_ca_input *in,
    struct ae_arena *a, struct ae_err *e)
{
	static const struct ae_ca_answers none = { 0 };
	struct ae_decision d = { .verdict = AE_CA_FAIL };
	struct ae_ca_work w = { .in = in,
		.cfg = in->config,
		.answers = in->answers == NULL ? &none : in->answers,
		.d = &d,
		.a = a,
		.e = e,
		.prefix = "Denied by Policy Module" };
	int rc;

	w.who = &w.answers->requester;
	w.sid = d.ask_sid = &in->caller->user;
	ae_wr_init(&w.subject, AE_PKI_NAME_MAX);
	ae_wr_init(&w.smime, 256);
	w.reasons = ae_arena_array(a, AE_CA_REASONS_MAX, sizeof(*w.reasons));
	d.requester = ae_arena_printf(
	    a, "%s\\%s", in->caller->netbios, in->caller->account);
	w.enrolls = d.requester;
	if (w.reasons == NULL || d.requester == NULL)
		rc = ae_fail_mem(e);
	else
		rc = decide(&w);
	d.reasons = w.reasons;
	d.nreasons = w.nreasons;
	d.template = w.t;
	ae_token_free(w.token);
	if (in->parsed == NULL)
		ae_request_free(w.req);
	ae_strv_done(&w.policies);
	ae_strv_done(&w.critical);
	ae_wr_done(&w.subject);
	ae_wr_done(&w.smime);
	if (rc != AE_OK && ae_arena_full(a))
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the decision does not fit its arena");
	if (rc == AE_OK)
		*out = d;
	return rc;
}

/* What a stored row says on the wire, MS-WCCE 3.2.1.4.2.1.3. */
static void
reply_row(struct ae_wcce_reply *out, const struct ae_db_request *row)
{
	out->request_id = (uint32_t)row->id;
	out->message = row->message;
	switch (row->disp) {
	case AE_DB_ISSUED:
		out->disposition = AE_CR_DISP_ISSUED;
		out->cert = (struct ae_wcce_blob){ row->cert, row->cert_len };
		break;
	case AE_DB_REVOKED:
		out->disposition = AE_CR_DISP_REVOKED;
		break;
	case AE_DB_PENDING:
	case AE_DB_ACTIVE:
		out->disposition = AE_CR_DISP_UNDER_SUBMISSION;
		break;
	case AE_DB_DENIED:
		out->disposition = AE_CR_DISP_DENIED;
		out->hresult = AE_HR_ADMIN_DENIED_REQUEST;
		break;
	case AE_DB_VOID:
	case AE_DB_FAILED:
		out->disposition =
		    row->hresult == 0 ? AE_HR_E_UNEXPECTED : row->hresult;
		break;
	}
}

void
ae_ca_reply(struct ae_wcce_reply *out, const struct ae_decision *d, uint32_t id)
{
	*out =
	    (struct ae_wcce_reply){ .request_id = id, .message = d->message };
	switch (d->verdict) {
	case AE_CA_PEND:
		out->disposition = AE_CR_DISP_UNDER_SUBMISSION;
		break;
	case AE_CA_DENY:
	case AE_CA_FAIL:
		out->disposition = d->hresult;
		break;
	case AE_CA_STORED:
		reply_row(out, d->row);
		break;
	case AE_CA_REFUSE:
		out->hresult = d->hresult;
		break;
	case AE_CA_ASK:
	case AE_CA_ISSUE:
		/* not answered from here: a broken caller must not look
		 * like a certificate */
		out->hresult = AE_HR_E_UNEXPECTED;
		break;
	}
}

const char *
ae_ca_verdict_name(enum ae_ca_verdict v)
{
	switch (v) {
	case AE_CA_ASK:
		return "ask";
	case AE_CA_ISSUE:
		return "issue";
	case AE_CA_PEND:
		return "pend";
	case AE_CA_DENY:
		return "deny";
	case AE_CA_FAIL:
		return "fail";
	case AE_CA_STORED:
		return "stored";
	case AE_CA_REFUSE:
		return "refuse";
	}
	return "?";
}

const char *
ae_ca_outcome_name(enum ae_ca_outcome o)
{
	switch (o) {
	case AE_CA_NOT_REACHED:
		return "not reached";
	case AE_CA_HELD:
		return "passed";
	case AE_CA_DECIDED:
		return "decided";
	}
	return "?";
}

const char *
ae_ca_mark_name(enum ae_ca_mark m)
{
	switch (m) {
	case AE_CA_PASS:
		return "pass";
	case AE_CA_NOTE:
		return "note";
	case AE_CA_STOP:
		return "stop";
	}
	return "?";
}
