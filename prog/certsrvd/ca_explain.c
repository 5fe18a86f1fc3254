/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What would be decided about a request, and why: the road of ca_job.c as
 * far as the verdict.  No row is made, no serial number promised, nothing
 * signed; the account is looked up in the directory, because nobody calls.
 */
#include <string.h>

#include "ca_job.h"
#include "explain.h"
#include "wcce/hresult.h"

static void
look_up(struct job *j, const char *who)
{
	j->stage = STAGE_WHO;
	if (who == NULL)
		admin_refuse(j, AE_EINVAL, AE_HR_E_INVALIDARG,
		    "whose request? An account must be named");
	else if (!job_ask_account(j, who))
		admin_refuse(j, AE_EUNAVAIL, AE_HR_DS_UNAVAILABLE,
		    "the directory process is not there");
}

/* The caller is known: decide. */
static void
begin(struct job *j, struct ae_rd *r)
{
	struct ae_err e = AE_ERR_INIT;

	if (!job_adopt(j, r, &e)) {
		admin_refuse(j, AE_EUNAVAIL, AE_HR_DS_UNAVAILABLE, e.text);
		return;
	}
	j->q.iface = AE_WCCE_ICERTREQUESTD;
	j->q.call = AE_WCCE_CALL_REQUEST;
	j->q.authority = j->ca->config.name;
	job_advance(j);
}

/* A policy file that is not in force: it counts for this one decision. */
static void
try_policy(struct job *j, const uint8_t *xml, size_t len)
{
	struct ae_err e = AE_ERR_INIT;

	j->try.template = j->by; /* any: it is not looked up */
	if (ae_rules_load(&j->try.rules, "the policy file", xml, len, &e) < 0)
		j->try.error = strdup(e.text);
}

int
on_explain(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct admin *a = arg;
	const uint8_t *csr, *policy;
	const char *who, *attrs;
	struct ae_rd r;
	struct job *j;
	size_t len, policy_len;
	int64_t id;
	uint32_t flags;

	(void)ipc;
	j = job_start_local(a->ca, a, m->id);
	if (j == NULL) {
		admin_busy(a, m->id, 0);
		return AE_OK;
	}
	j->op = MSG_ADMIN_EXPLAIN;
	ae_rd_init(&r, m->body, m->len);
	id = (int64_t)ae_rd_u64(&r);
	who = get_str(&r, j->arena);
	flags = ae_rd_u32(&r);
	attrs = get_str(&r, j->arena);
	csr = get_bytes(&r, &len);
	policy = get_bytes(&r, &policy_len);
	if (!ae_rd_done(&r) || id < 0 || (id == 0) != (len > 0)) {
		job_end(j);
		return bad_message(&r, "ADMIN_EXPLAIN", e);
	}
	if (policy_len > 0)
		try_policy(j, policy, policy_len);
	j->explain_as = who;
	j->q.flags = flags;
	j->q.attributes = attrs;
	if (id != 0) {
		admin_load(j, id, NULL, 0);
		return AE_OK;
	}
	j->q.csr.p = ae_arena_dup(j->arena, csr, len);
	j->q.csr.len = len;
	if (j->q.csr.p == NULL)
		admin_refuse(
		    j, AE_ENOMEM, AE_HR_E_OUTOFMEMORY, "out of memory");
	else
		look_up(j, who);
	return AE_OK;
}

/*
 * A stored request: as who sent it, with the groups he had when that is
 * known, or as who is asked about.
 */
void
explain_loaded(struct job *j)
{
	const struct ae_db_request *row = j->stored;
	struct ae_rd r;

	if (row->csr_len == 0) {
		admin_refuse(j, AE_ENOTFOUND, AE_HR_PROPERTY_EMPTY,
		    "the CA made this certificate by itself");
		return;
	}
	j->q.flags = row->flags;
	j->q.attributes = row->attrs;
	j->q.csr = (struct ae_wcce_blob){ row->csr, row->csr_len };
	if (j->explain_as == NULL && row->caller_len > 0) {
		ae_rd_init(&r, row->caller, row->caller_len);
		begin(j, &r);
		return;
	}
	look_up(j, j->explain_as != NULL ? j->explain_as : row->sid);
}

void
explain_who(struct job *j, const struct ae_ca_requester *o, bool ok)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_rd r;
	struct ae_wr w;

	if (!ok) {
		admin_refuse(j, AE_EUNAVAIL, AE_HR_DS_UNAVAILABLE,
		    "the directory did not answer");
		return;
	}
	if (!o->found) {
		admin_refuse(j, AE_ENOTFOUND, AE_HR_NO_SUCH_USER,
		    "the directory has no such account");
		return;
	}
	j->by_directory = true;
	j->disabled = o->disabled;
	ae_wr_init(&w, AE_DB_CALLER_MAX);
	if (account_caller(&w, o, &e) < 0) {
		admin_refuse(j, AE_ELIMIT, HR_INTERNAL, e.text);
	} else {
		ae_rd_init(&r, w.p, w.len);
		begin(j, &r);
	}
	ae_wr_done(&w);
}

void
explain_decided(struct job *j)
{
	const struct ae_decision *d = &j->d;
	struct explained x = { .d = *d,
		.template = d->template != NULL ? d->template->cn : NULL,
		.by_directory = j->by_directory,
		.disabled = j->disabled,
		.nsids = (uint32_t)j->known->caller->nsids };
	char sid[AE_SID_STR_MAX];
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	x.sid = ae_sid_print(sid, &j->known->caller->user);
	x.row = d->verdict == AE_CA_STORED && d->row != NULL ? d->row->id : 0;
	ae_wr_init(&w, MSG_ROW_MAX);
	put_explained(&w, &x);
	if (!ae_wr_ok(&w))
		admin_fail(j, HR_INTERNAL, "the explanation is too long");
	else if (j->admin != NULL && j->admin->ipc != NULL)
		/* who does not read it asks again */
		(void)!ae_ipc_send(j->admin->ipc, MSG_ADMIN_EXPLAINED, j->call,
		    w.p, w.len, -1, &e);
	ae_wr_done(&w);
	log_line(j->ca->p, AE_LOG_INFO,
	    "%s had the decision about a request "
	    "of %s explained: %s",
	    j->by, d->requester, ae_ca_verdict_name(d->verdict));
	job_end(j);
}
