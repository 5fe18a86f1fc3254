/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The road of one request: decide, ask, decide again; then what was decided
 * is carried out (ca_issue.c).  A request is a small state machine; every
 * message from ad, db and sign names the job it is for and moves it one
 * step.
 */
#include "ca_job.h"
#include "ca_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca_cache.h"
#include "pki/request.h"
#include "sys/clock.h"
#include "wcce/hresult.h"

/* ---- slots ---- */

static struct job *
job_new(struct ca *ca)
{
	size_t i;

	for (i = 0; i < JOBS_MAX; i++) {
		size_t k = (ca->next_job + i) % JOBS_MAX;
		struct job *j = &ca->job[k];
		uint16_t gen;

		if (j->used)
			continue;
		ca->next_job = k + 1;
		ca->njobs++;
		gen = (uint16_t)(j->generation_no + 1);
		memset(j, 0, sizeof(*j));
		j->used = true;
		j->ca = ca;
		j->generation_no = gen;
		j->id = (uint32_t)gen << 16 | (uint32_t)k;
		return j;
	}
	return NULL;
}

struct job *
job_find(struct ca *ca, uint32_t id)
{
	uint32_t k = id & 0xffff;

	if (k >= JOBS_MAX || !ca->job[k].used || ca->job[k].id != id)
		return NULL;
	return &ca->job[k];
}

/* ---- submissions in hand ---- */

static struct job **
submitted_bucket(struct ca *ca, const uint8_t hash[32])
{
	return &ca->submitted[(hash[0] | (size_t)hash[1] << 8) %
	    SUBMIT_BUCKETS];
}

/*
 * False: the same bytes of the same SID are being decided or signed.  Their
 * client came again because it lost the connection, and two certificates
 * would come of it; the next time it finds the one in the database.
 */
static bool
submitted_add(struct job *j, const uint8_t hash[32])
{
	struct job **head = submitted_bucket(j->ca, hash), *o;

	for (o = *head; o != NULL; o = o->next_submitted)
		if (memcmp(o->csr_hash, hash, 32) == 0 &&
		    ae_sid_equal(
			&o->known->caller->user, &j->known->caller->user))
			return false;
	memcpy(j->csr_hash, hash, 32);
	j->next_submitted = *head;
	*head = j;
	j->submits = true;
	return true;
}

static void
submitted_remove(struct job *j)
{
	struct job **at;

	if (!j->submits)
		return;
	for (at = submitted_bucket(j->ca, j->csr_hash); *at != NULL;
	     at = &(*at)->next_submitted)
		if (*at == j) {
			*at = j->next_submitted;
			return;
		}
}

void
job_end(struct job *j)
{
	submitted_remove(j);
	if (j->known != NULL) {
		j->known->jobs--;
		known_unref(j->known);
	}
	if (j->manager != NULL) {
		j->manager->jobs--;
		known_unref(j->manager);
	}
	snapshot_unref(j->snapshot);
	policies_unref(j->policies);
	ae_rules_free(j->try.rules);
	free(j->try.error);
	ae_request_free(j->parsed);
	ae_arena_free(j->arena);
	ae_wr_done(&j->cert);
	ae_response_free(j->response);
	if (j->op == MSG_XCHG_NEW && j->ca->xchg_id != 0)
		xchg_failed(
		    j->ca, "signer or database refused; the log has why");
	if (j->op == MSG_OCSP_NEW)
		ocsp_job_end(j);
	j->used = false;
	j->ca->njobs--;
}

/* ---- replies ---- */

void
send_reply(struct ca *ca, uint8_t worker, uint32_t generation, uint32_t call,
    const struct ae_wcce_reply *p)
{
	struct peer *rpc = peer_of(ca->p, ROLE_RPC, worker);
	struct ae_wr w;

	if (!peer_is_up(rpc) || rpc->generation != generation)
		return;
	ae_wr_init(&w, MSG_REPLY_MAX);
	put_reply(&w, p);
	(void)peer_send(rpc, MSG_REPLY, call, &w);
	ae_wr_done(&w);
}

void
job_reply(struct job *j, const struct ae_wcce_reply *p)
{
	if (!j->local)
		metrics_took(j);
	if (j->local)
		admin_reply(j, p);
	else
		send_reply(j->ca, j->worker, j->generation, j->call, p);
	job_end(j);
}

/* It cannot be carried out; the client may come again. */
void
job_fail(struct job *j, uint32_t hresult, const char *why)
{
	struct ae_wcce_reply p = { .hresult = hresult };

	log_line(j->ca->p, AE_LOG_ERROR, "request %lld of %s: %s",
	    (long long)j->row,
	    j->known != NULL ? j->known->caller->principal : j->by, why);
	if (j->local)
		admin_fail(j, hresult, why);
	else
		send_reply(j->ca, j->worker, j->generation, j->call, &p);
	job_end(j);
}

/* Whose chain goes with the certificate that is answered. */
const struct ae_ca_cert *
job_issuer(const struct job *j)
{
	const struct ae_ca_cert *c = j->issuer;

	if (c == NULL && j->d.row != NULL)
		c = ae_ca_certs_get(&j->ca->file.list, j->d.row->issuer);
	return c != NULL ? c : j->ca->current;
}

/* The chain that goes with a certificate, in the job's arena. */
void
job_add_chain(struct job *j, struct ae_wcce_reply *p)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	if (p->cert.p == NULL)
		return;
	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	if (info_chain(j->ca, &w, job_issuer(j), p->cert.p, p->cert.len,
		(j->q.flags & AE_CR_IN_CRLS) != 0, &e) == AE_OK &&
	    ae_wr_ok(&w)) {
		p->chain.p = ae_arena_dup(j->arena, w.p, w.len);
		p->chain.len = p->chain.p != NULL ? w.len : 0;
	} else {
		log_line(
		    j->ca->p, AE_LOG_WARNING, "building a chain: %s", e.text);
	}
	ae_wr_done(&w);
}

/* ---- deciding ---- */

void
job_advance(struct job *j)
{
	struct ca *ca = j->ca;
	struct ae_err e = AE_ERR_INIT;
	struct ae_ca_input in = {
		.request = &j->q,
		.caller = j->known->caller,
		.templates = &j->snapshot->templates,
		.config = &ca->config,
		.policies = j->policies->set,
		.policy = j->try.template != NULL ? &j->try : NULL,
		.answers = &j->answers,
		.now = j->now,
		.random = j->random,
		.approved = j->local && j->op == MSG_ADMIN_APPROVE,
		.answered = j->proven,
		.row_flags = j->stored == NULL ? 0
					       : j->stored->request_flags |
			(j->proven ? AE_CR_FLG_CHALLENGESATISFIED : 0),
		.anew = j->op == MSG_ADMIN_EXPLAIN && j->stored != NULL,
		.parsed = &j->parsed,
	};

	if (ae_ca_decide(&j->d, &in, j->arena, &e) < 0) {
		job_fail(j, HR_INTERNAL, e.text);
		return;
	}
	if (j->op == MSG_ADMIN_EXPLAIN && j->d.verdict != AE_CA_ASK) {
		explain_decided(j);
		return;
	}
	/* An approval issues, or leaves the row as it is. */
	if (j->local && j->d.verdict != AE_CA_ASK &&
	    j->d.verdict != AE_CA_ISSUE) {
		job_reply_decided(j);
		return;
	}
	if (j->proven && j->d.verdict != AE_CA_ASK &&
	    j->d.verdict != AE_CA_ISSUE) {
		attest_decided(j);
		return;
	}
	switch (j->d.verdict) {
	case AE_CA_ASK:
		job_ask(j);
		break;
	case AE_CA_ISSUE:
		if (j->local || j->proven)
			job_activate(j);
		else
			job_record(j, AE_DB_ACTIVE, STAGE_INTENT);
		break;
	case AE_CA_PEND:
		job_record(j, AE_DB_PENDING, STAGE_RECORD);
		break;
	case AE_CA_DENY:
	case AE_CA_FAIL:
		if (j->d.store)
			job_record(j,
			    j->d.verdict == AE_CA_DENY ? AE_DB_DENIED
						       : AE_DB_FAILED,
			    STAGE_RECORD);
		else
			job_reply_decided(j);
		break;
	case AE_CA_STORED:
		j->row = j->d.row != NULL ? j->d.row->id : 0;
		job_reply_decided(j);
		break;
	case AE_CA_REFUSE:
		job_reply_decided(j);
		break;
	}
}

/* Nothing can be decided by what may no longer be so. */
static bool
directory_is_known(const struct ca *ca)
{
	return ca->snapshot != NULL && ca->policies != NULL &&
	    ca->pins != NULL && ae_clock_mono_ms() - ca->fresh <= SNAPSHOT_AGE;
}

/*
 * What every submission asks is answered before deciding, which then is done
 * once: was the same request there before, and the requester if known.
 */
static void
begin(struct job *j)
{
	const struct ae_wcce_reply busy = { .hresult = HR_BUSY };
	const struct ae_wcce_blob *csr = &j->q.csr;
	uint8_t hash[AE_HASH_MAX];

	if (attest_is_answer(&j->q)) {
		attest_answer(j);
		return;
	}
	if (csr->p == NULL || j->q.request_id != 0 ||
	    ae_hash_bytes(hash, AE_HASH_SHA256, csr->p, csr->len) == 0) {
		job_advance(j);
		return;
	}
	if (job_ask_cache(j, AE_CA_ASK_REQUESTER) &&
	    j->answers.requester.dns_host_name != NULL) {
		j->d.ask_dns = j->answers.requester.dns_host_name;
		(void)job_ask_cache(j, AE_CA_ASK_DNS_OWNERS);
	}
	if (!submitted_add(j, hash)) {
		log_outside(j->ca->p, "%s: the same request is in hand",
		    j->known->caller->principal);
		send_reply(j->ca, j->worker, j->generation, j->call, &busy);
		job_end(j);
		return;
	}
	memcpy(j->d.csr_hash, hash, sizeof(j->d.csr_hash));
	j->d.ask = AE_CA_ASK_ROW_SAME;
	job_ask(j);
}

void
job_start(struct ca *ca, struct peer *rpc, uint32_t call, struct known *who,
    const struct ae_wcce_request *q, const char *ip,
    struct ae_arena *take_arena)
{
	struct ae_wcce_reply busy = { .hresult = HR_BUSY };
	struct job *j = NULL;

	if (ca->suspended) {
		busy.hresult = AE_HR_SERVER_SUSPENDED;
		log_outside(ca->p,
		    "%s from %s: not now: the database was put back",
		    who->caller->principal, ip != NULL ? ip : "?");
		send_reply(ca, rpc->index, rpc->generation, call, &busy);
		ae_arena_free(take_arena);
		return;
	}
	if (directory_is_known(ca) && who->jobs < JOBS_PER_SID)
		j = job_new(ca);
	if (j == NULL) {
		log_outside(ca->p, "%s from %s: not now: %s",
		    who->caller->principal, ip != NULL ? ip : "?",
		    directory_is_known(ca) ? "too many requests at once"
					   : "no domain controller answers");
		send_reply(ca, rpc->index, rpc->generation, call, &busy);
		ae_arena_free(take_arena);
		return;
	}
	j->worker = rpc->index;
	j->generation = rpc->generation;
	j->call = call;
	j->known = who;
	who->refs++;
	who->jobs++;
	j->snapshot = ca->snapshot;
	j->snapshot->refs++;
	j->policies = ca->policies;
	j->policies->refs++;
	j->arena = take_arena;
	j->q = *q;
	j->ip = ip;
	j->now = ae_clock_now();
	j->deadline = ae_clock_mono_ms() + JOB_MS;
	ae_random(j->random, sizeof(j->random));
	begin(j);
}

struct job *
job_start_local(struct ca *ca, struct admin *a, uint32_t msg)
{
	struct ae_arena *arena = ae_arena_new(JOB_ARENA);
	struct job *j = NULL;

	if (arena != NULL)
		j = job_new(ca);
	if (j == NULL) {
		ae_arena_free(arena);
		return NULL;
	}
	j->local = true;
	j->admin = a;
	j->call = msg;
	j->at = a->at;
	(void)snprintf(j->by, sizeof(j->by), "%s", a->at.who);
	j->arena = arena;
	j->now = ae_clock_now();
	j->deadline = ae_clock_mono_ms() + JOB_MS;
	ae_random(j->random, sizeof(j->random));
	return j;
}

struct job *
job_start_remote(struct ca *ca, const struct peer *rpc, uint32_t call,
    struct known *who, struct ae_arena *take_arena)
{
	const struct ae_caller *c = who->caller;
	struct job *j = who->jobs < JOBS_PER_SID ? job_new(ca) : NULL;

	if (j == NULL)
		return NULL;
	j->local = true;
	j->manager = who;
	who->refs++;
	who->jobs++;
	j->worker = rpc->index;
	j->generation = rpc->generation;
	j->call = call;
	(void)snprintf(j->by, sizeof(j->by), "%s\\%s",
	    c->netbios != NULL ? c->netbios : "?",
	    c->account != NULL ? c->account : "?");
	j->arena = take_arena;
	j->now = ae_clock_now();
	j->deadline = ae_clock_mono_ms() + JOB_MS;
	ae_random(j->random, sizeof(j->random));
	return j;
}

bool
job_adopt(struct job *j, struct ae_rd *r, struct ae_err *e)
{
	struct known *k;
	int rc;

	if (!directory_is_known(j->ca)) {
		(void)ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "no domain controller answers");
		return false;
	}
	k = calloc(1, sizeof(*k));
	if (k == NULL) {
		(void)ae_fail_mem(e);
		return false;
	}
	k->refs = k->jobs = 1;
	rc = ae_caller_decode(&k->caller, r, e);
	if (rc == AE_OK && !ae_rd_done(r))
		rc = bad_message(r, "the caller that was stored", e);
	if (rc < 0) {
		known_unref(k);
		return false;
	}
	j->known = k;
	j->snapshot = j->ca->snapshot;
	j->snapshot->refs++;
	j->policies = j->ca->policies;
	j->policies->refs++;
	return true;
}

void
job_admin_gone(struct ca *ca, const struct admin *a)
{
	size_t i;

	for (i = 0; ca->njobs > 0 && i < JOBS_MAX; i++)
		if (ca->job[i].used && ca->job[i].admin == a)
			ca->job[i].admin = NULL;
}

void
job_tick(struct ca *ca)
{
	int64_t now = ae_clock_mono_ms();
	size_t i;

	for (i = 0; ca->njobs > 0 && i < JOBS_MAX; i++)
		if (ca->job[i].used && now > ca->job[i].deadline)
			job_fail(&ca->job[i], HR_BUSY, "took too long");
}

void
job_peer_down(struct ca *ca, const struct peer *peer)
{
	size_t i;

	for (i = 0; ca->njobs > 0 && i < JOBS_MAX; i++) {
		struct job *j = &ca->job[i];
		const unsigned keys = AE_CA_ASK_ARCHIVE | AE_CA_ASK_EK;
		unsigned dir = AE_CA_ASK_REQUESTER | AE_CA_ASK_SUBJECT |
		    AE_CA_ASK_OBJECT | AE_CA_ASK_DNS_OWNERS | AE_CA_ASK_HOSTS |
		    AE_CA_ASK_NAMES;

		if (!j->used)
			continue;
		if (peer->role == ROLE_DB && j->stage != STAGE_SIGN &&
		    j->stage != STAGE_RESPONSE && j->stage != STAGE_KEY &&
		    (j->stage != STAGE_ASK || (j->asked & ~(dir | keys)) != 0))
			job_fail(j, HR_BUSY, "the database was restarted");
		else if (peer->role == ROLE_SIGN && peer->index == 0 &&
		    (j->asked & keys) != 0)
			job_answered(j, j->asked & keys, false);
		else if (peer->role == ROLE_SIGN && peer->index == 0 &&
		    j->stage == STAGE_SECRET)
			job_fail(j, HR_BUSY, "the signer was restarted");
		else if (peer->role == ROLE_AD && j->stage == STAGE_WHO)
			job_fail(j, HR_BUSY, "the directory was let go of");
		else if (peer->role == ROLE_AD && (j->asked & dir) != 0)
			job_answered(j, j->asked & dir, false);
		else if (peer->role == ROLE_SIGN && j->stage == STAGE_SIGN &&
		    j->signer == peer->index)
			/* Signed twice or not: only what is stored counts. */
			job_sign(j);
		else if (peer->role == ROLE_SIGN &&
		    j->stage == STAGE_RESPONSE && j->signer == peer->index)
			job_sign_response(j);
		else if (peer->role == ROLE_SIGN && j->stage == STAGE_KEY &&
		    j->signer == peer->index)
			job_sign_archived(j, j->to_sign.p, j->to_sign.len);
	}
}
