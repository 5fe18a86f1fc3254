/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Key attestation, as far as it is not decided: whose TPMs count, as the
 * parent reads it; endorsement keys, on their way to the signer and back; the
 * challenges that are out, and their answers (MS-WCCE 3.2.2.6.2.1.2.6, .7).
 *
 * A challenge lives here alone.  It ends with this process, as the exchange
 * key does with its own; then the client begins anew.
 */
#include <stdlib.h>
#include <string.h>

#include "ca/attest.h"
#include "ca_job.h"
#include "ca_service.h"
#include "pki/envelope.h"
#include "pki/request.h"
#include "sys/clock.h"
#include "wcce/hresult.h"

#define NO_JOB 0xfffeu /* of message ids, as in ca_issue.c */

/* ---- whose TPMs count ---- */

static struct ae_ca_trust_text
get_text(struct ae_rd *r)
{
	struct ae_ca_trust_text t;

	t.p = get_bytes(r, &t.len);
	return t;
}

/* MSG_EK_TRUST: what is not good leaves the last one as it was. */
int
attest_trust(struct ca *ca, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct ae_ca_trust_text roots, others, keys;
	struct ae_ca_trust *t = NULL;
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *error;
	struct ae_rd r;
	size_t len;
	int rc;

	ae_rd_init(&r, m->body, m->len);
	roots = get_text(&r);
	others = get_text(&r);
	keys = get_text(&r);
	error = get_bytes(&r, &len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "EK_TRUST", e);
	if (len > 0)
		rc = ae_fail(&why, AE_EIO, AE_DOM_NONE, 0, "%.*s", (int)len,
		    (const char *)error);
	else
		rc = ae_ca_trust_parse(&t, roots, others, keys, &why);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(e);
	if (rc < 0) {
		log_line(ca->p, AE_LOG_ERROR, "%s: %s; %s",
		    ca->p->conf.attest_dir, why.text,
		    ca->trust != NULL ? "what was read before counts"
				      : "no TPM is trusted");
		return AE_OK;
	}
	log_line(ca->p, AE_LOG_NOTICE,
	    "TPMs that count: %zu roots, %zu intermediates, %zu keys",
	    t->nroots, t->nothers, t->nkeys);
	ae_ca_trust_free(ca->trust);
	ca->trust = t;
	ca->config.attest = t;
	return AE_OK;
}

/* ---- the endorsement key ---- */

bool
attest_ask(struct job *j)
{
	const struct ae_der *d = &j->parsed->csr->ek_info;
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, AE_ENVELOPE_MAX);
	ae_wr_bytes(&w, d->p, d->len);
	if (d->len > AE_ENVELOPE_MAX) {
		j->answers.ek_hresult = AE_HR_CORRUPT_KEY_ATTESTATION;
		j->answers.ek_text = "the endorsement key's envelope is too "
				     "long";
		j->answers.answered |= AE_CA_ASK_EK;
		ok = false;
	} else {
		ok = ae_wr_ok(&w) &&
		    peer_send(service_keeper(j->ca), MSG_XCHG_EK, j->id, &w);
		if (!ok)
			j->answers.failed |= AE_CA_ASK_EK;
	}
	ae_wr_done(&w);
	return ok;
}

static void
ek_opened(
    struct job *j, uint32_t hr, const uint8_t *p, size_t len, const char *text)
{
	j->answers.ek_hresult = hr;
	j->answers.ek_text = text;
	if (hr == 0) {
		j->answers.ek.p = ae_arena_dup(j->arena, p, len);
		j->answers.ek.len = len;
	}
	job_answered(j, AE_CA_ASK_EK, hr != 0 || j->answers.ek.p != NULL);
}

/* ---- challenges ---- */

/* Nobody answered in time: its row ends, too. */
static void
expire(struct ca *ca, int64_t row)
{
	struct ae_wr w;

	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u64(&w, (uint64_t)row);
	ae_wr_u32(&w, AE_DB_FAILED);
	ae_wr_u32(&w, AE_HR_EXPIRED_CHALLENGE);
	put_str(&w, "The attestation challenge was not answered");
	put_str(&w, NULL);
	/* Nobody waits for the answer, which names no job. */
	(void)peer_send(peer_of(ca->p, ROLE_DB, 0), MSG_DB_REFUSE, NO_JOB, &w);
	ae_wr_done(&w);
}

void
attest_tick(struct ca *ca)
{
	int64_t row;

	while (
	    (row = challenge_expired(&ca->challenges, ae_clock_mono_ms())) != 0)
		expire(ca, row);
}

/* The bytes of the challenge and by what its answer is encrypted. */
static int
make(struct job *j, const uint8_t secret[AE_ATTEST_SECRET], struct ae_err *e)
{
	const struct ae_ca_challenge *c = j->d.challenge;
	const struct ae_der *sent = &j->parsed->csr->ek_info;
	struct ae_key *ek = NULL;
	struct ae_wr w, alg;
	int rc;

	ae_wr_init(&w, AE_ATTEST_CHALLENGE_MAX);
	ae_wr_init(&alg, 64);
	rc = ae_key_from_spki(&ek, c->ek.p, c->ek.len, e);
	if (rc == AE_OK)
		rc = ae_attest_challenge(&w, ek, &c->to, secret, e);
	if (rc == AE_OK)
		rc = ae_envelope_algorithm(&alg, sent->p, sent->len, e);
	if (rc == AE_OK) {
		j->asks = (struct ae_response_challenge){
			.challenge = { ae_arena_dup(j->arena, w.p, w.len),
			    w.len },
			.exchange_cert = { j->ca->xchg.p, j->ca->xchg.len },
			.algorithm = { ae_arena_dup(j->arena, alg.p, alg.len),
			    alg.len },
			.ksp_name = AE_TPM_KSP_NAME,
		};
		if (j->asks.challenge.p == NULL || j->asks.algorithm.p == NULL)
			rc = ae_fail_mem(e);
	}
	ae_key_free(ek);
	ae_wr_done(&w);
	ae_wr_done(&alg);
	return rc;
}

int
attest_challenge(struct job *j, struct ae_err *e)
{
	uint8_t secret[AE_ATTEST_SECRET], hash[AE_HASH_MAX];
	int64_t gone;
	int rc;

	if (j->ca->xchg.len == 0)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "there is no exchange certificate now");
	ae_random(secret, sizeof(secret));
	rc = make(j, secret, e);
	if (rc == AE_OK &&
	    ae_hash_bytes(hash, AE_HASH_SHA256, secret, sizeof(secret)) !=
		CHALLENGE_HASH)
		rc = ae_fail_mem(e);
	memset(secret, 0, sizeof(secret));
	if (rc < 0)
		return rc;
	gone = challenge_add(&j->ca->challenges, j->row,
	    &j->known->caller->user, hash, ae_clock_mono_ms());
	if (gone != 0)
		expire(j->ca, gone);
	return AE_OK;
}

/* ---- their answers ---- */

bool
attest_is_answer(const struct ae_wcce_request *q)
{
	return q->csr.p != NULL &&
	    (q->flags & AE_CR_IN_FORMATMASK) == AE_CR_IN_CHALLENGERESPONSE;
}

/* Refused without a row of its own. */
static void
refuse(struct job *j, uint32_t hr, const char *text)
{
	j->d.verdict = AE_CA_FAIL;
	j->d.hresult = hr;
	j->d.message = ae_arena_printf(
	    j->arena, "Error Parsing Request  0x%08x, %s", hr, text);
	j->row = 0;
	job_reply_decided(j);
}

/* The attribute RequestId, MS-WCCE 2.2.2.7.10; 0: there is none. */
static int64_t
request_id(struct job *j)
{
	struct ae_wcce_attrs attrs;
	const char *s = NULL;
	char *end;
	long long v;

	if (ae_wcce_attrs_parse(&attrs, j->q.attributes, j->arena, NULL) ==
	    AE_OK)
		s = ae_wcce_attrs_get(&attrs, "requestid");
	if (s == NULL || s[0] < '0' || s[0] > '9')
		return 0;
	v = strtoll(s, &end, 10);
	return *end == '\0' && v > 0 && v <= INT32_MAX ? v : 0;
}

/*
 * One answer a challenge, right or wrong: it is forgotten before the signer
 * has looked into the envelope.
 */
void
attest_answer(struct job *j)
{
	const int64_t row = request_id(j);
	uint8_t hash[CHALLENGE_HASH];
	struct ae_wr w;

	if (row == 0) {
		refuse(j, AE_HR_INVALID_REQUESTID,
		    "the answer to a challenge names no request");
		return;
	}
	if (!challenge_take(&j->ca->challenges, row, &j->known->caller->user,
		hash, ae_clock_mono_ms())) {
		refuse(j, AE_HR_EXPIRED_CHALLENGE,
		    "no challenge is out for this request of this caller");
		return;
	}
	j->row = row;
	j->stage = STAGE_SECRET;
	ae_wr_init(&w, AE_ENVELOPE_MAX + AE_ATTEST_SECRET);
	ae_wr_bytes(&w, hash, sizeof(hash));
	ae_wr_bytes(&w, j->q.csr.p, j->q.csr.len);
	if (j->q.csr.len > AE_ENVELOPE_MAX)
		attest_opened(j, AE_HR_INVALID_RESPONSE, NULL, 0, "too long");
	else if (!ae_wr_ok(&w) ||
	    !peer_send(service_keeper(j->ca), MSG_XCHG_SECRET, j->id, &w))
		job_fail(j, HR_BUSY, "the signer is not there");
	ae_wr_done(&w);
}

/* The stored request ends here. */
static void
deny_row(struct job *j)
{
	struct ae_wr w;

	j->stage = STAGE_RECORD;
	ae_wr_init(&w, MSG_TEXT_MAX * 2);
	ae_wr_u64(&w, (uint64_t)j->row);
	ae_wr_u32(&w, AE_DB_DENIED);
	ae_wr_u32(&w, j->d.hresult);
	put_str(&w, j->d.message);
	put_str(&w, NULL);
	if (!peer_send(peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_REFUSE, j->id, &w))
		job_fail(j, HR_BUSY, "the database is not there");
	ae_wr_done(&w);
}

static void
load(struct job *j)
{
	struct ae_wr w;

	j->stage = STAGE_LOAD;
	ae_wr_init(&w, 8);
	ae_wr_u64(&w, (uint64_t)j->row);
	if (!peer_send(peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_BY_ID, j->id, &w))
		job_fail(j, HR_BUSY, "the database is not there");
	ae_wr_done(&w);
}

static void
answered(struct job *j, uint32_t hr, const char *text)
{
	if (hr == 0) {
		load(j);
		return;
	}
	j->d.verdict = AE_CA_DENY;
	j->d.store = true;
	j->d.hresult = hr;
	j->d.message = ae_arena_printf(j->arena,
	    "Denied by Policy Module  0x%08x, the attestation challenge: %s",
	    hr, text != NULL ? text : "no reason");
	deny_row(j);
}

void
attest_opened(
    struct job *j, uint32_t hr, const uint8_t *p, size_t len, const char *text)
{
	if (j->stage == STAGE_SECRET)
		answered(j, hr, text);
	else
		ek_opened(j, hr, p, len, text);
}

/* The row the answer is about: it says so itself before it is decided. */
void
attest_loaded(struct job *j, struct ae_db_request *row)
{
	struct ae_wr w;

	if (row == NULL || row->disp != AE_DB_PENDING ||
	    !(row->request_flags & AE_CR_FLG_CHALLENGEPENDING) ||
	    (row->request_flags & AE_CR_FLG_CHALLENGESATISFIED)) {
		refuse(j, AE_HR_INVALID_REQUESTID,
		    "the request waits for no answer");
		return;
	}
	j->stored = row;
	j->stage = STAGE_ATTESTED;
	ae_wr_init(&w, 16);
	ae_wr_u64(&w, (uint64_t)row->id);
	ae_wr_u32(&w, AE_CR_FLG_CHALLENGESATISFIED);
	if (!peer_send(
		peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_ATTESTED, j->id, &w))
		job_fail(j, HR_BUSY, "the database is not there");
	ae_wr_done(&w);
}

/*
 * Decided once more, for the caller as his ticket has him now; in the form
 * that he wants the answer in.
 */
void
attest_decide(struct job *j)
{
	const uint32_t form = AE_CR_IN_FULLRESPONSE | AE_CR_IN_CRLS;
	const struct ae_db_request *row = j->stored;

	j->proven = true;
	j->q.authority = j->ca->config.name;
	j->q.flags = (row->flags & ~form) | (j->q.flags & form);
	j->q.request_id = (uint32_t)row->id;
	j->q.attributes = row->attrs;
	j->q.csr = (struct ae_wcce_blob){ row->csr, row->csr_len };
	job_advance(j);
}

/* What was decided, where it is not what issues. */
void
attest_decided(struct job *j)
{
	if (j->d.verdict == AE_CA_DENY || j->d.verdict == AE_CA_FAIL)
		deny_row(j);
	else /* it waits for an officer, as it has since it came */
		job_reply_decided(j);
}
