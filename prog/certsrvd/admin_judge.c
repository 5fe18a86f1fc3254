/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Which officer may decide about which row: not about his own request, and
 * where there is a list of officers' rights only about what it lets him.
 */
#include <string.h>

#include "ad/sd.h"
#include "admin.h"
#include "ca/rights.h"
#include "wcce/hresult.h"

/* Did this administrator ask for it, or is it for him? */
static bool
is_his_own(const struct job *j, const struct ae_db_request *row)
{
	char sid[AE_SID_STR_MAX];

	ae_sid_print(sid, &j->manager->caller->user);
	if (row->sid != NULL && strcmp(row->sid, sid) == 0)
		return true;
	return row->on_behalf != NULL &&
	    ae_str_eq_nocase(row->on_behalf, j->by);
}

static void
bar(struct job *j, uint32_t hresult, const char *why)
{
	j->barred = true;
	admin_refuse(j, AE_EDENIED, hresult, why);
}

/* What restrictions of officers are about, MS-CSRA 3.1.1.7. */
static bool
is_decision(const struct job *j)
{
	const struct ae_admin_method *m = ae_admin_method_find(j->manage.opnum);

	return m != NULL && m->roles == AE_ADMIN_ROLE_OFFICER;
}

/* A template that is no longer there still has its name. */
static bool
may_decide(const struct job *j, const struct ae_sid *sids, size_t n)
{
	const struct snapshot *s = j->ca->snapshot;
	const struct ae_caller *c = j->manager->caller;
	const struct ae_template *t = NULL;
	struct ae_template gone = { .cn = NULL };
	const struct ae_ca_right *by;
	struct ae_token *token = NULL;
	bool ok;

	if (j->stored->template == NULL ||
	    ae_token_exact(&token, c->sids, c->nsids, NULL) != AE_OK)
		return false;
	gone.cn = ae_arena_strdup(j->arena, j->stored->template);
	if (s != NULL)
		t = ae_template_find(
		    s->pki->templates, s->pki->ntemplates, j->stored->template);
	ok = gone.cn != NULL &&
	    ae_ca_rights_allow(
		j->ca->officers, token, t != NULL ? t : &gone, sids, n, &by);
	ae_token_free(token);
	return ok;
}

static void
restricted(struct job *j, const struct ae_sid *sids, size_t n)
{
	if (may_decide(j, sids, n))
		admin_go(j);
	else
		bar(j, AE_HR_RESTRICTEDOFFICER,
		    "the list of officers does not let him decide about this "
		    "requester and template");
}

void
manage_who(struct job *j, const struct ae_ca_requester *o, bool ok)
{
	struct ae_sid sid;

	if (!ok)
		admin_refuse(j, AE_EUNAVAIL, HR_BUSY,
		    "no domain controller tells the requester's groups");
	else if (o->found)
		restricted(j, o->sids, o->nsids);
	else if (ae_sid_parse(&sid, j->stored->sid)) /* it was deleted */
		restricted(j, &sid, 1);
	else
		bar(j, AE_HR_RESTRICTEDOFFICER, "nobody knows the requester");
}

/* With the groups of his ticket while it waits, the directory's after. */
static void
ask_who(struct job *j)
{
	const struct ae_db_request *row = j->stored;
	struct ae_caller *c = NULL;
	struct ae_rd r;

	ae_rd_init(&r, row->caller, row->caller_len);
	if (row->caller_len > 0 && ae_caller_decode(&c, &r, NULL) == AE_OK) {
		restricted(j, c->sids, c->nsids);
		ae_caller_free(c);
		return;
	}
	j->stage = STAGE_WHO;
	if (row->sid == NULL || !job_ask_account(j, row->sid))
		admin_refuse(
		    j, AE_EUNAVAIL, HR_BUSY, "the directory is not there");
}

void
manage_judge(struct job *j)
{
	if (j->op == MSG_ADMIN_APPROVE && is_his_own(j, j->stored))
		bar(j, AE_HR_E_ACCESSDENIED,
		    "nobody approves a request of his own");
	else if (j->ca->officers != NULL && is_decision(j))
		ask_who(j);
	else
		admin_go(j);
}
