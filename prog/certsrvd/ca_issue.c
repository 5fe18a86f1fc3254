/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Carrying out a decision: the serial durable, then signed, then verified,
 * then the certificate durable, then the reply.
 */
#include "admin.h"
#include "admin_view.h"
#include "ca_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "ad/template.h"
#include "ca/signcheck.h"
#include "pki/recover.h"
#include "pki/request.h"
#include "pki/tbs.h"
#include "sys/clock.h"
#include "wcce/icpr.h"

#define LOCAL_SYSTEM "S-1-5-18"
#define NO_JOB 0xfffeu /* of message ids; 0xffff are CRLs' */

/* ---- to db ---- */

static void
fill_row(struct job *j, struct ae_db_request *row, enum ae_db_disp disp)
{
	const struct ae_decision *d = &j->d;
	char *sid =
	    j->known == NULL ? NULL : ae_arena_alloc(j->arena, AE_SID_STR_MAX);

	memset(row, 0, sizeof(*row));
	row->disp = disp;
	row->hresult = d->hresult;
	row->message = d->message;
	if (sid != NULL)
		row->sid = ae_sid_print(sid, &j->known->caller->user);
	else if (j->known == NULL)
		row->sid = LOCAL_SYSTEM; /* the CA for itself */
	row->account = d->requester;
	row->on_behalf = d->on_behalf;
	row->request_flags = d->request_flags;
	row->template = d->template != NULL ? d->template->cn : NULL;
	row->subject = d->subject;
	row->attrs = j->q.attributes;
	row->flags = j->q.flags;
	row->csr = j->q.csr.p;
	row->csr_len = j->q.csr.len;
	memcpy(row->csr_hash, d->csr_hash, sizeof(row->csr_hash));
	row->submitted = j->now;
	row->not_before = d->not_before;
	row->not_after = d->not_after;
	if (disp == AE_DB_ACTIVE) {
		if (j->issuer == NULL)
			j->issuer = j->ca->current;
		row->issuer = ae_ca_cert_version(&j->ca->file.list, j->issuer);
	}
	if (disp == AE_DB_ACTIVE || disp == AE_DB_PENDING) {
		row->archived = j->archived.p;
		row->archived_len = j->archived.len;
	}
}

/* Who asks, for the day when somebody approves it: false, no memory. */
static bool
keep_caller(struct job *j, struct ae_db_request *row)
{
	struct ae_wr w;

	ae_wr_init(&w, AE_DB_CALLER_MAX);
	ae_caller_encode(&w, j->known->caller);
	row->caller = ae_wr_ok(&w) ? ae_arena_dup(j->arena, w.p, w.len) : NULL;
	row->caller_len = w.len;
	ae_wr_done(&w);
	return row->caller != NULL;
}

/*
 * What was known of the same request when this was decided: of what came
 * after it, here or on another node, this answer knows nothing.
 */
static int64_t
answered_after(const struct job *j)
{
	if ((j->answers.answered & AE_CA_ASK_ROW_SAME) == 0)
		return -1; /* it is decided anew on purpose */
	return j->answers.row_same == NULL ? 0 : j->answers.row_same->id;
}

void
job_record(struct job *j, enum ae_db_disp disp, enum stage next)
{
	struct ae_db_request row;
	uint8_t hash[AE_HASH_MAX] = { 0 };
	struct ae_wr w;

	fill_row(j, &row, disp);
	if (next == STAGE_INTENT) {
		memcpy(row.serial, j->d.serial, AE_CA_SERIAL_LEN);
		row.serial_len = AE_CA_SERIAL_LEN;
		if (ae_hash_bytes(hash, AE_HASH_SHA256, j->d.tbs,
			j->d.tbs_len) != AE_DB_HASH_LEN) {
			job_fail(j, HR_INTERNAL, "out of memory");
			return;
		}
	} else if (disp != AE_DB_PENDING) {
		row.resolved = j->now;
	} else if (!keep_caller(j, &row)) {
		job_fail(j, HR_BUSY, "out of memory");
		return;
	}
	j->stage = next;
	ae_wr_init(&w, MSG_ROW_MAX);
	put_row(&w, &row);
	ae_wr_bytes(&w, hash, AE_DB_HASH_LEN);
	ae_wr_u64(&w, (uint64_t)answered_after(j));
	if (!peer_send(peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_ADD, j->id, &w))
		job_fail(j, HR_BUSY, "the database is not there");
	ae_wr_done(&w);
}

void
job_activate(struct job *j)
{
	uint8_t hash[AE_HASH_MAX];
	struct ae_wr w;

	if (!j->proven)
		j->d.message = ae_arena_printf(
		    j->arena, "Issued  Resubmitted by %s", j->by);
	if (j->d.message == NULL ||
	    ae_hash_bytes(hash, AE_HASH_SHA256, j->d.tbs, j->d.tbs_len) !=
		AE_DB_HASH_LEN) {
		job_fail(j, HR_INTERNAL, "out of memory");
		return;
	}
	j->stage = STAGE_INTENT;
	j->issuer = j->ca->current;
	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u64(&w, (uint64_t)j->row);
	put_bytes(&w, j->d.serial, AE_CA_SERIAL_LEN);
	ae_wr_bytes(&w, hash, AE_DB_HASH_LEN);
	ae_wr_u32(&w, ae_ca_cert_version(&j->ca->file.list, j->issuer));
	put_str(&w, j->proven ? NULL : j->by);
	if (!peer_send(
		peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_ACTIVATE, j->id, &w))
		job_fail(j, HR_BUSY, "the database is not there");
	ae_wr_done(&w);
}

static void
store_certificate(struct job *j)
{
	struct ae_wr w;

	j->stage = STAGE_ISSUE;
	ae_wr_init(&w, MSG_ROW_MAX);
	ae_wr_u64(&w, (uint64_t)j->row);
	put_bytes(&w, j->cert.p, j->cert.len);
	ae_wr_u64(&w, (uint64_t)j->d.not_before);
	ae_wr_u64(&w, (uint64_t)j->d.not_after);
	put_str(&w, j->d.message);
	if (!peer_send(peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_ISSUE, j->id, &w))
		job_fail(j, HR_BUSY, "the database is not there");
	ae_wr_done(&w);
}

/* ---- to sign ---- */

/*
 * To the next signer that is there, under that certificate; false: there is
 * none.
 */
static bool
to_signer(struct job *j, enum msg type, const struct ae_ca_cert *under,
    const void *p, size_t len)
{
	struct ca *ca = j->ca;
	struct ae_wr w;
	bool sent = false;
	unsigned i;

	ae_wr_init(&w, 2 + AE_CA_TBS_MAX);
	ae_wr_u16(&w, under->index);
	ae_wr_bytes(&w, p, len);
	for (i = 0; i < 2 * WORKERS_MAX; i++) {
		unsigned k = (ca->next_signer + i) % WORKERS_MAX;
		struct peer *s = peer_of(ca->p, ROLE_SIGN, k);

		/* One without its device only when there is no other. */
		if (!peer_is_up(s) || (ca->signer_ill[k] && i < WORKERS_MAX))
			continue;
		ca->next_signer = k + 1;
		j->signer = (uint8_t)k;
		sent = peer_send(s, type, j->id, &w);
		if (sent)
			break;
	}
	ae_wr_done(&w);
	return sent;
}

void
job_sign(struct job *j)
{
	j->stage = STAGE_SIGN;
	/* Without a signer the intent stays and is void at db's next start. */
	if (!to_signer(j, MSG_SIGN, j->issuer, j->d.tbs, j->d.tbs_len))
		job_fail(j, HR_BUSY, "no signer is there");
}

/*
 * All is done and durable; the answer itself is signed when the client wants
 * a full response (MS-WCCE 3.2.1.4.2.1.4.8.2).
 */
void
job_sign_response(struct job *j)
{
	struct ae_err e = AE_ERR_INIT;

	j->stage = STAGE_RESPONSE;
	/* The answer is given today, whenever the certificate was made. */
	j->answers_as = j->ca->current;
	if (j->response == NULL && info_response(j->ca, j, &e) < 0)
		job_fail(j, HR_INTERNAL, e.text);
	else if (!to_signer(j, MSG_SIGN_RESPONSE, j->answers_as, j->to_sign.p,
		     j->to_sign.len))
		job_fail(j, HR_BUSY, "no signer is there");
}

static void
response_signed(struct job *j, const uint8_t *sig, size_t len)
{
	const struct ae_ca_key *k =
	    ae_ca_cert_key(&j->ca->file.list, j->answers_as);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	rc = ae_key_verify(
	    k->pub, &k->alg, j->to_sign.p, j->to_sign.len, sig, len, &e);
	if (rc == AE_OK)
		rc = ae_response_finish(&w, j->response, sig, len, &e);
	if (rc == AE_OK) {
		j->reply.chain.p = ae_arena_dup(j->arena, w.p, w.len);
		j->reply.chain.len = w.len;
		if (!ae_wr_ok(&w) || j->reply.chain.p == NULL)
			rc = ae_fail_mem(&e);
	}
	ae_wr_done(&w);
	if (rc == AE_OK)
		job_reply(j, &j->reply);
	else
		job_fail(j, HR_INTERNAL, e.text);
}

/* The answer of GetArchivedKey, MS-CSRA 3.1.4.2.9. */
void
job_sign_archived(struct job *j, const uint8_t *blob, size_t len)
{
	j->stage = STAGE_KEY;
	j->answers_as = j->ca->current;
	j->to_sign.p = ae_arena_dup(j->arena, blob, len);
	j->to_sign.len = len;
	if (j->to_sign.p == NULL ||
	    !to_signer(j, MSG_SIGN_ARCHIVED, j->answers_as, j->to_sign.p, len))
		job_fail(j, HR_BUSY, "no signer is there");
}

static void
archived_signed(struct job *j, const uint8_t *sig, size_t len)
{
	const struct ae_ca_key *k =
	    ae_ca_cert_key(&j->ca->file.list, j->answers_as);
	const struct ae_der what = j->to_sign, made = { sig, len };
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr attrs, w;
	int rc;

	ae_wr_init(&attrs, 1024);
	ae_wr_init(&w, 2 * AE_ARCHIVED_MAX + AE_PKI_CERT_MAX);
	rc = ae_archive_attrs(&attrs, what.p, what.len, k->alg.hash, &e);
	if (rc == AE_OK)
		rc = ae_key_verify(
		    k->pub, &k->alg, attrs.p, attrs.len, sig, len, &e);
	if (rc == AE_OK)
		rc = ae_archive_sign(&w, what.p, what.len, j->answers_as->cert,
		    &k->alg, (struct ae_der){ attrs.p, attrs.len }, made, &e);
	if (rc == AE_OK) {
		manage_end(j, AE_OK, 0, w.p, w.len);
		job_end(j);
	} else {
		job_fail(j, HR_INTERNAL, e.text);
	}
	ae_wr_done(&attrs);
	ae_wr_done(&w);
}

/* The answer in the form that was asked for; refusals have one too. */
static void
job_answer(struct job *j, const struct ae_wcce_reply *p)
{
	if (!j->local || j->d.verdict == AE_CA_ISSUE)
		event_decided(j, p);
	if (j->local) {
		job_reply(j, p);
		return;
	}
	j->reply = *p;
	if (j->asks.challenge.p != NULL ||
	    (p->hresult == 0 && j->q.opnum == AE_OP_REQUEST2 &&
		j->q.iface == AE_WCCE_ICERTREQUESTD2 &&
		(j->q.flags & AE_CR_IN_FULLRESPONSE) != 0)) {
		job_sign_response(j);
		return;
	}
	job_add_chain(j, &j->reply);
	job_reply(j, &j->reply);
}

/*
 * A signature is looked at before anything is made of it: a fault in the
 * signer must not leave the CA (it can betray an RSA key).
 */
static int
assemble(struct job *j, const uint8_t *sig, size_t len, struct ae_err *e)
{
	const struct ae_ca_key *k =
	    ae_ca_cert_key(&j->ca->file.list, j->issuer);
	int rc;

	rc =
	    ae_key_verify(k->pub, &k->alg, j->d.tbs, j->d.tbs_len, sig, len, e);
	if (rc < 0)
		return ae_note(e, rc, "the signer's answer");
	ae_wr_init(&j->cert, AE_PKI_CERT_MAX);
	rc = ae_tbs_assemble(
	    &j->cert, j->d.tbs, j->d.tbs_len, &k->alg, sig, len, e);
	if (rc == AE_OK && !ae_wr_ok(&j->cert))
		rc = ae_fail_mem(e);
	return rc;
}

/* Is there a signer with its key at hand? */
bool
signers_well(const struct ca *ca)
{
	unsigned i;

	for (i = 0; i < WORKERS_MAX; i++)
		if (peer_is_up(peer_of(ca->p, ROLE_SIGN, i)) &&
		    !ca->signer_ill[i])
			return true;
	return false;
}

/* A token or TPM went away, or came back. */
static int
on_sign_state(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	const char *text;
	struct ae_rd r;
	bool well, before = signers_well(ca);

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	well = ae_rd_u8(&r) != 0;
	text = get_str(&r, a);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "SIGN_STATE", e);
	}
	ca->signer_ill[peer->index] = !well;
	if (before && !signers_well(ca))
		log_line(ca->p, AE_LOG_ERROR,
		    "the CA's key cannot be used, requests are answered "
		    "busy: %s",
		    text != NULL ? text : "no reason");
	else if (!before && well)
		log_line(ca->p, AE_LOG_NOTICE, "the CA's key can be used");
	ae_arena_free(a);
	return AE_OK;
}

/*
 * The signer said no.  The intent ends with that; a device that is away is
 * no fault of the request.
 */
static void
not_signed(struct job *j, int rc, const char *text)
{
	const uint32_t hr =
	    rc == AE_EDENIED || rc == AE_EPROTO ? HR_INTERNAL : HR_BUSY;
	struct ae_wr w;

	if (text == NULL)
		text = "the signer refused";
	if (j->stage == STAGE_SIGN) {
		ae_wr_init(&w, MSG_TEXT_MAX);
		ae_wr_u64(&w, (uint64_t)j->row);
		ae_wr_u32(&w, AE_DB_FAILED);
		ae_wr_u32(&w, hr);
		put_str(&w, text);
		put_str(&w, NULL);
		/* Nobody waits for the answer, which names no job. */
		(void)peer_send(
		    peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_REFUSE, NO_JOB, &w);
		ae_wr_done(&w);
	}
	job_fail(j, hr, text);
}

static int
on_signed(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct job *j = job_find(ca, m->id);
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *sig;
	const char *text;
	struct ae_rd r;
	size_t len;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	sig = get_bytes(&r, &len);
	text = get_str(&r, a);
	if (!ae_rd_done(&r) || rc > 0) {
		ae_arena_free(a);
		return bad_message(&r, "SIGNED", e);
	}
	if (crl_signed(ca, m->id, rc, sig, len, text)) {
		ae_arena_free(a);
		return AE_OK;
	}
	if (j != NULL && j->stage == STAGE_KEY && j->signer == peer->index) {
		if (rc < 0)
			not_signed(j, rc, text);
		else
			archived_signed(j, sig, len);
	} else if (j != NULL && j->stage == STAGE_RESPONSE &&
	    j->signer == peer->index) {
		if (rc < 0)
			not_signed(j, rc, text);
		else
			response_signed(j, sig, len);
	} else if (j != NULL && j->stage == STAGE_SIGN &&
	    j->signer == peer->index) {
		if (rc < 0)
			not_signed(j, rc, text);
		else if (assemble(j, sig, len, &why) < 0)
			job_fail(j, HR_INTERNAL, why.text);
		else
			store_certificate(j);
	}
	ae_arena_free(a);
	return AE_OK;
}

/* ---- answers of db ---- */

/*
 * CT_FLAG_PUBLISH_TO_DS and its like: into its owner's directory object as
 * well, or a recovery agent's into the KRA container.  The answer does not
 * wait for it, and issued it stays when that fails.
 */
static void
publish_in(struct job *j, bool kra)
{
	static const char why[] = "the directory process is not there";
	char sid[AE_SID_STR_MAX];
	struct ae_wr w;

	ae_wr_init(&w, MSG_CERT_MAX);
	ae_wr_u8(&w, kra);
	ae_sid_put(&w, j->d.ask_sid);
	put_bytes(&w, j->cert.p, j->cert.len);
	if (!peer_send(peer_of(j->ca->p, ROLE_AD, 0), MSG_AD_PUBLISH,
		(uint32_t)j->row, &w))
		event_not_published(j->ca, (uint32_t)j->row, AE_EUNAVAIL,
		    kra ? "CN=KRA" : ae_sid_print(sid, j->d.ask_sid), NULL,
		    why);
	ae_wr_done(&w);
}

static void
publish(struct job *j)
{
	const struct ae_template *t = j->d.template;

	if (t == NULL || j->d.ask_sid == NULL)
		return;
	if (t->enrollment_flag & AE_CT_PUBLISH_TO_DS)
		publish_in(j, false);
	if (t->enrollment_flag & AE_CT_PUBLISH_TO_KRA_CONTAINER)
		publish_in(j, true);
}

static void
reply_issued(struct job *j)
{
	struct ae_wcce_reply p = {
		.request_id = (uint32_t)j->row,
		.disposition = AE_CR_DISP_ISSUED,
		.cert = { j->cert.p, j->cert.len },
		.message = j->d.message,
	};

	if (j->op == MSG_XCHG_NEW && j->stage != STAGE_KEEP && xchg_keep(j))
		return;
	if (j->op == MSG_XCHG_NEW || j->op == MSG_OCSP_NEW) {
		if (j->op == MSG_XCHG_NEW)
			xchg_issued(j);
		else
			ocsp_issued(j);
		job_end(j);
		return;
	}
	publish(j);
	job_answer(j, &p);
}

void
job_reply_decided(struct job *j)
{
	struct ae_wcce_reply p = { .hresult = 0 };
	struct ae_err e = AE_ERR_INIT;

	if (j->d.verdict == AE_CA_PEND && j->d.challenge != NULL && !j->local &&
	    attest_challenge(j, &e) < 0) {
		job_fail(j, HR_BUSY, e.text);
		return;
	}
	ae_ca_reply(&p, &j->d, (uint32_t)j->row);
	job_answer(j, &p);
}

static int
on_db_done(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct job *j = job_find(peer->p->state, m->id);
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	const char *text;
	struct ae_rd r;
	int64_t id;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	id = (int64_t)ae_rd_u64(&r);
	text = get_str(&r, a);
	if (!ae_rd_done(&r) || rc > 0) {
		ae_arena_free(a);
		return bad_message(&r, "DB_DONE", e);
	}
	if (crl_kept(peer->p->state, m->id, rc, text) || j == NULL) {
		ae_arena_free(a);
		return AE_OK;
	}
	if (j->local && rc < 0) {
		admin_refused(j, rc, text);
		ae_arena_free(a);
		return AE_OK;
	}
	/* Too many refusals for one day: no row more, the answer the same. */
	if (rc == AE_EDENIED && j->stage == STAGE_RECORD &&
	    j->d.verdict != AE_CA_PEND) {
		rc = AE_OK;
		id = 0;
	}
	if (rc < 0) {
		job_fail(j, rc == AE_EDENIED ? HR_QUOTA : HR_BUSY,
		    text != NULL ? text : "the database refused");
		ae_arena_free(a);
		return AE_OK;
	}
	ae_arena_free(a);
	switch (j->stage) {
	case STAGE_INTENT:
		j->row = id;
		job_sign(j);
		break;
	case STAGE_RECORD:
		j->row = id;
		job_reply_decided(j);
		break;
	case STAGE_ISSUE:
	case STAGE_KEEP:
		reply_issued(j);
		break;
	case STAGE_ATTESTED:
		attest_decide(j);
		break;
	case STAGE_ADMIN:
		if (j->op == MSG_ADMIN_BACKUP)
			j->row = id;
		admin_done(j);
		break;
	case STAGE_SECRET:
	case STAGE_LOAD:
	case STAGE_WHO:
	case STAGE_CRL:
	case STAGE_ROWS:
	case STAGE_ASK:
	case STAGE_SIGN:
	case STAGE_RESPONSE:
	case STAGE_KEY:
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "DB_DONE for a request that waits for something else");
	}
	return AE_OK;
}

const struct ae_ipc_row ca_db_rows[] = {
	{ MSG_DB_DONE, MSG_TEXT_MAX, 1, false, on_db_done },
	{ MSG_DB_ROW, MSG_ROW_MAX, 1, false, on_db_row },
	{ MSG_FIGURES, METRICS_BYTES, 1, false, on_figures },
	{ MSG_DB_CRL_OPENED, MSG_TEXT_MAX, 1, false, on_crl_opened },
	{ MSG_DB_CRL_SIZED, 16, 1, false, on_crl_sized },
	{ MSG_DB_CRL_ROWS, MSG_CRL_PART_MAX, 1, false, on_crl_rows },
	{ MSG_DB_CRL_NEWEST, 64 + MSG_CRL_MAX, 1, false, on_crl_newest },
	{ MSG_DB_KEY, MSG_ROW_MAX, 1, false, on_db_key },
	{ MSG_DB_ROWS, MSG_ROWS_MAX, 1, false, on_db_rows },
	{ MSG_DB_STATE, MSG_TEXT_MAX, 1, false, on_db_state },
	{ MSG_DB_UNRECORDED, MSG_TEXT_MAX, 1, false, on_db_unrecorded },
	{ MSG_DB_XCHG, MSG_ROW_MAX, 1, false, on_xchg_found },
	{ .handle = NULL },
};

const struct ae_ipc_row ca_sign_rows[] = {
	{ MSG_SIGNED, AE_SIG_MAX + MSG_TEXT_MAX, 1, false, on_signed },
	{ MSG_FIGURES, METRICS_BYTES, 1, false, on_figures },
	{ MSG_OCSP_KEY, AE_PKI_CERT_MAX + MSG_TEXT_MAX, 1, false, on_ocsp_key },
	{ MSG_SIGN_CRL_SEEN, MSG_TEXT_MAX, 1, false, on_crl_seen },
	{ MSG_SIGN_STATE, MSG_TEXT_MAX, 1, false, on_sign_state },
	{ MSG_XCHG_KEY, AE_PKI_CERT_MAX + MSG_TEXT_MAX, 1, false, on_xchg_key },
	{ MSG_XCHG_OPENED, AE_ARCHIVED_MAX * 2 + MSG_TEXT_MAX, 1, false,
	    on_xchg_opened },
	{ .handle = NULL },
};
