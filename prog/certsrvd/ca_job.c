/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The road of one request: decide, ask, decide again; the serial durable,
 * then signed, then verified, then the certificate durable, then the reply.
 * A request is a small state machine; every message from ad, db and sign
 * names the job it is for and moves it one step.
 */
#include <stdlib.h>
#include <string.h>

#include "ca.h"
#include "ca_cache.h"
#include "pki/request.h"
#include "pki/tbs.h"
#include "sys/clock.h"
#include "wcce/icpr.h"

#define HR_BUSY 0x800706bbu	/* RPC_S_SERVER_TOO_BUSY */
#define HR_QUOTA 0x80070718u	/* ERROR_NOT_ENOUGH_QUOTA */
#define HR_INTERNAL 0x8007054fu /* ERROR_INTERNAL_ERROR */

static void advance(struct job *j);

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

static struct job *
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

static void
job_free(struct job *j)
{
	submitted_remove(j);
	j->known->jobs--;
	known_unref(j->known);
	snapshot_unref(j->snapshot);
	ae_request_free(j->parsed);
	ae_arena_free(j->arena);
	ae_wr_done(&j->cert);
	ae_response_free(j->response);
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

static void
job_reply(struct job *j, const struct ae_wcce_reply *p)
{
	send_reply(j->ca, j->worker, j->generation, j->call, p);
	job_free(j);
}

/* It cannot be carried out; the client may come again. */
static void
job_fail(struct job *j, uint32_t hresult, const char *why)
{
	struct ae_wcce_reply p = { .hresult = hresult };

	log_line(j->ca->p, AE_LOG_ERROR, "request %lld of %s: %s",
	    (long long)j->row, j->known->caller->principal, why);
	send_reply(j->ca, j->worker, j->generation, j->call, &p);
	job_free(j);
}

/* The chain that goes with a certificate, in the job's arena. */
static void
add_chain(struct job *j, struct ae_wcce_reply *p)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	if (p->cert.p == NULL)
		return;
	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	if (info_chain(j->ca, &w, p->cert.p, p->cert.len, &e) == AE_OK &&
	    ae_wr_ok(&w)) {
		p->chain.p = ae_arena_dup(j->arena, w.p, w.len);
		p->chain.len = p->chain.p != NULL ? w.len : 0;
	} else {
		log_line(
		    j->ca->p, AE_LOG_WARNING, "building a chain: %s", e.text);
	}
	ae_wr_done(&w);
}

/* ---- to db ---- */

static void
fill_row(struct job *j, struct ae_db_request *row, enum ae_db_disp disp)
{
	const struct ae_decision *d = &j->d;
	char *sid = ae_arena_alloc(j->arena, AE_SID_STR_MAX);

	memset(row, 0, sizeof(*row));
	row->disp = disp;
	row->hresult = d->hresult;
	row->message = d->message;
	row->sid =
	    sid == NULL ? NULL : ae_sid_print(sid, &j->known->caller->user);
	row->account = d->requester;
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
}

static void
record(struct job *j, enum ae_db_disp disp, enum stage next)
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
	} else {
		row.resolved = disp == AE_DB_PENDING ? 0 : j->now;
	}
	j->stage = next;
	ae_wr_init(&w, MSG_ROW_MAX);
	put_row(&w, &row);
	ae_wr_bytes(&w, hash, AE_DB_HASH_LEN);
	if (!peer_send(peer_of(j->ca->p, ROLE_DB, 0), MSG_DB_ADD, j->id, &w))
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

/* To the next signer that is there; false: there is none. */
static bool
to_signer(struct job *j, enum msg type, const void *p, size_t len)
{
	struct ca *ca = j->ca;
	struct ae_err e = AE_ERR_INIT;
	unsigned i;

	for (i = 0; i < WORKERS_MAX; i++) {
		unsigned k = (ca->next_signer + i) % WORKERS_MAX;
		struct peer *s = peer_of(ca->p, ROLE_SIGN, k);

		if (!peer_is_up(s))
			continue;
		ca->next_signer = k + 1;
		j->signer = (uint8_t)k;
		if (ae_ipc_send(s->ipc, type, j->id, p, len, -1, &e) == AE_OK)
			return true;
	}
	return false;
}

static void
sign(struct job *j)
{
	j->stage = STAGE_SIGN;
	/* Without a signer the intent stays and is void at db's next start. */
	if (!to_signer(j, MSG_SIGN, j->d.tbs, j->d.tbs_len))
		job_fail(j, HR_BUSY, "no signer is there");
}

/*
 * All is done and durable; the answer itself is signed when the client wants
 * a full response (MS-WCCE 3.2.1.4.2.1.4.8.2).
 */
static void
sign_response(struct job *j)
{
	struct ae_err e = AE_ERR_INIT;

	j->stage = STAGE_RESPONSE;
	if (j->response == NULL && info_response(j->ca, j, &e) < 0)
		job_fail(j, HR_INTERNAL, e.text);
	else if (!to_signer(j, MSG_SIGN_RESPONSE, j->to_sign.p, j->to_sign.len))
		job_fail(j, HR_BUSY, "no signer is there");
}

static void
response_signed(struct job *j, const uint8_t *sig, size_t len)
{
	struct cafile *f = &j->ca->file;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	rc = ae_key_verify(
	    f->pub, &f->alg, j->to_sign.p, j->to_sign.len, sig, len, &e);
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

/* The answer in the form that was asked for; refusals have one too. */
static void
job_answer(struct job *j, const struct ae_wcce_reply *p)
{
	event_decided(j, p);
	j->reply = *p;
	if (p->hresult == 0 && j->q.opnum == AE_OP_REQUEST2 &&
	    j->q.iface == AE_WCCE_ICERTREQUESTD2 &&
	    (j->q.flags & AE_CR_IN_FULLRESPONSE) != 0) {
		sign_response(j);
		return;
	}
	add_chain(j, &j->reply);
	job_reply(j, &j->reply);
}

/*
 * A signature is looked at before anything is made of it: a fault in the
 * signer must not leave the CA (it can betray an RSA key).
 */
static int
assemble(struct job *j, const uint8_t *sig, size_t len, struct ae_err *e)
{
	struct cafile *f = &j->ca->file;
	int rc;

	rc =
	    ae_key_verify(f->pub, &f->alg, j->d.tbs, j->d.tbs_len, sig, len, e);
	if (rc < 0)
		return ae_note(e, rc, "the signer's answer");
	ae_wr_init(&j->cert, AE_PKI_CERT_MAX);
	rc = ae_tbs_assemble(
	    &j->cert, j->d.tbs, j->d.tbs_len, &f->alg, sig, len, e);
	if (rc == AE_OK && !ae_wr_ok(&j->cert))
		rc = ae_fail_mem(e);
	return rc;
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
	if (j != NULL && j->stage == STAGE_RESPONSE &&
	    j->signer == peer->index) {
		if (rc < 0)
			job_fail(j, HR_INTERNAL,
			    text != NULL ? text : "the signer refused");
		else
			response_signed(j, sig, len);
	} else if (j != NULL && j->stage == STAGE_SIGN &&
	    j->signer == peer->index) {
		if (rc < 0)
			job_fail(j, HR_INTERNAL,
			    text != NULL ? text : "the signer refused");
		else if (assemble(j, sig, len, &why) < 0)
			job_fail(j, HR_INTERNAL, why.text);
		else
			store_certificate(j);
	}
	ae_arena_free(a);
	return AE_OK;
}

/* ---- answers of db ---- */

static void
reply_issued(struct job *j)
{
	struct ae_wcce_reply p = {
		.request_id = (uint32_t)j->row,
		.disposition = AE_CR_DISP_ISSUED,
		.cert = { j->cert.p, j->cert.len },
		.message = j->d.message,
	};

	job_answer(j, &p);
}

static void
reply_decided(struct job *j)
{
	struct ae_wcce_reply p = { .hresult = 0 };

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
	if (j == NULL) {
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
		sign(j);
		break;
	case STAGE_RECORD:
		j->row = id;
		reply_decided(j);
		break;
	case STAGE_ISSUE:
		reply_issued(j);
		break;
	case STAGE_ASK:
	case STAGE_SIGN:
	case STAGE_RESPONSE:
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "DB_DONE for a request that waits for something else");
	}
	return AE_OK;
}

/* ---- questions and their answers ---- */

static void
answered(struct job *j, unsigned bit, bool ok)
{
	j->asked &= ~bit;
	if (ok)
		j->answers.answered |= bit;
	else
		j->answers.failed |= bit;
	if (j->asked == 0)
		advance(j);
}

/* The one row question that is outstanding: they are asked one at a time. */
static int
on_db_row(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct job *j = job_find(peer->p->state, m->id);
	struct ae_db_request *row = NULL;
	unsigned bit;
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (j == NULL || j->stage != STAGE_ASK)
		return AE_OK;
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	if (rc == AE_OK) {
		row = ae_arena_alloc(j->arena, sizeof(*row));
		if (row == NULL) {
			job_fail(j, HR_BUSY, "out of memory");
			return AE_OK;
		}
		get_row(&r, row, j->arena);
	}
	if (!ae_rd_done(&r) || rc > 0)
		return bad_message(&r, "DB_ROW", e);
	bit = j->asked &
	    (AE_CA_ASK_ROW_ID | AE_CA_ASK_ROW_SERIAL | AE_CA_ASK_ROW_SAME);
	if ((bit & AE_CA_ASK_ROW_ID) != 0) {
		j->answers.row_id = row;
		bit = AE_CA_ASK_ROW_ID;
	} else if ((bit & AE_CA_ASK_ROW_SERIAL) != 0) {
		j->answers.row_serial = row;
		bit = AE_CA_ASK_ROW_SERIAL;
	} else if (bit != 0) {
		j->answers.row_same = row;
	} else {
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "DB_ROW that nobody asked for");
	}
	answered(j, bit, rc == AE_OK || rc == AE_ENOTFOUND);
	return AE_OK;
}

static void
get_requester(struct ae_rd *r, struct ae_ca_requester *o, struct ae_arena *a)
{
	o->is_computer = ae_rd_u8(r) != 0;
	o->sid = ae_sid_get(r);
	o->guid = ae_guid_get(r);
	o->dn = get_str(r, a);
	o->cn = get_str(r, a);
	o->dns_host_name = get_str(r, a);
	o->mail = get_str(r, a);
	o->upn = get_str(r, a);
	o->domain_dns = get_str(r, a);
	o->domain_netbios = get_str(r, a);
}

/* The body of MSG_REQUESTER, from ad or from the cache. */
static bool
take_requester(struct job *j, const uint8_t *body, size_t len, bool *ok)
{
	struct ae_ca_requester *o = &j->answers.requester;
	struct ae_rd r;

	ae_rd_init(&r, body, len);
	*ok = ae_rd_u8(&r) != 0;
	o->found = ae_rd_u8(&r) != 0;
	if (o->found)
		get_requester(&r, o, j->arena);
	return ae_rd_done(&r);
}

static int
on_requester(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct job *j = job_find(ca, m->id);
	bool ok;

	(void)ipc;
	if (j == NULL || (j->asked & AE_CA_ASK_REQUESTER) == 0)
		return AE_OK;
	if (!take_requester(j, m->body, m->len, &ok))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "REQUESTER does not decode");
	if (ok && j->answers.requester.found)
		ca_cache_set_requester(ca->cache, &j->known->caller->user,
		    m->body, m->len, ae_clock_mono_ms());
	answered(j, AE_CA_ASK_REQUESTER, ok);
	return AE_OK;
}

static int
on_dns_owners(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct job *j = job_find(ca, m->id);
	struct ae_rd r;
	bool ok;

	(void)ipc;
	if (j == NULL || (j->asked & AE_CA_ASK_DNS_OWNERS) == 0)
		return AE_OK;
	ae_rd_init(&r, m->body, m->len);
	ok = ae_rd_u8(&r) != 0;
	j->answers.dns_other_owners = ae_rd_u32(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "DNS_OWNERS", e);
	if (ok)
		ca_cache_set_owners(ca->cache, &j->known->caller->user,
		    j->d.ask_dns, j->answers.dns_other_owners,
		    ae_clock_mono_ms());
	answered(j, AE_CA_ASK_DNS_OWNERS, ok);
	return AE_OK;
}

/* From what was answered within the last minute; false: ask. */
static bool
ask_cache(struct job *j, unsigned bit)
{
	struct ca_cache *c = j->ca->cache;
	const struct ae_sid *sid = &j->known->caller->user;
	int64_t now = ae_clock_mono_ms();
	const uint8_t *body;
	size_t len;
	bool ok = false;

	if (bit == AE_CA_ASK_DNS_OWNERS) {
		ok = ca_cache_owners(
		    c, sid, j->d.ask_dns, now, &j->answers.dns_other_owners);
	} else {
		body = ca_cache_requester(c, sid, now, &len);
		if (body == NULL || !take_requester(j, body, len, &ok))
			return false;
	}
	if (ok)
		j->answers.answered |= bit;
	return ok;
}

static bool
ask_directory(struct job *j, unsigned bit)
{
	struct peer *ad = peer_of(j->ca->p, ROLE_AD, 0);
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, MSG_TEXT_MAX);
	if (bit == AE_CA_ASK_DNS_OWNERS)
		put_str(&w, j->d.ask_dns);
	ae_sid_put(&w, &j->known->caller->user);
	ok = peer_send(ad,
	    bit == AE_CA_ASK_DNS_OWNERS ? MSG_ASK_DNS : MSG_ASK_REQUESTER,
	    j->id, &w);
	ae_wr_done(&w);
	return ok;
}

static bool
ask_database(struct job *j, unsigned bit)
{
	struct peer *db = peer_of(j->ca->p, ROLE_DB, 0);
	char sid[AE_SID_STR_MAX];
	enum msg type = MSG_DB_SAME;
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, MSG_ATTRS_MAX + 256);
	if (bit == AE_CA_ASK_ROW_ID) {
		type = MSG_DB_BY_ID;
		ae_wr_u64(&w, j->q.request_id);
	} else if (bit == AE_CA_ASK_ROW_SERIAL) {
		type = MSG_DB_BY_SERIAL;
		put_bytes(&w, j->d.ask_serial, j->d.ask_serial_len);
	} else {
		put_str(&w, ae_sid_print(sid, &j->known->caller->user));
		ae_wr_bytes(&w, j->d.csr_hash, sizeof(j->d.csr_hash));
		put_str(&w, j->q.attributes);
	}
	ok = peer_send(db, type, j->id, &w);
	ae_wr_done(&w);
	return ok;
}

/*
 * Put what decide asks.  Directory questions go out together; of the rows
 * one at a time, because their answers look alike.
 */
static void
ask(struct job *j)
{
	static const unsigned rows[] = { AE_CA_ASK_ROW_ID, AE_CA_ASK_ROW_SERIAL,
		AE_CA_ASK_ROW_SAME };
	static const unsigned dirs[] = { AE_CA_ASK_REQUESTER,
		AE_CA_ASK_DNS_OWNERS };
	unsigned want = j->d.ask;
	size_t i;

	j->stage = STAGE_ASK;
	for (i = 0; i < 2; i++) {
		if ((want & dirs[i]) == 0 || ask_cache(j, dirs[i]))
			continue;
		if (ask_directory(j, dirs[i]))
			j->asked |= dirs[i];
		else
			j->answers.failed |= dirs[i];
	}
	for (i = 0; i < 3; i++) {
		if ((want & rows[i]) == 0)
			continue;
		if (ask_database(j, rows[i])) {
			j->asked |= rows[i];
			break;
		}
		j->answers.failed |= rows[i];
	}
	if (j->asked == 0)
		advance(j);
}

/* ---- deciding ---- */

static void
advance(struct job *j)
{
	struct ca *ca = j->ca;
	struct ae_err e = AE_ERR_INIT;
	struct ae_ca_input in = {
		.request = &j->q,
		.caller = j->known->caller,
		.templates = &j->snapshot->templates,
		.config = &ca->config,
		.answers = &j->answers,
		.now = j->now,
		.random = j->random,
		.parsed = &j->parsed,
	};

	if (ae_ca_decide(&j->d, &in, j->arena, &e) < 0) {
		job_fail(j, HR_INTERNAL, e.text);
		return;
	}
	switch (j->d.verdict) {
	case AE_CA_ASK:
		ask(j);
		break;
	case AE_CA_ISSUE:
		record(j, AE_DB_ACTIVE, STAGE_INTENT);
		break;
	case AE_CA_PEND:
		record(j, AE_DB_PENDING, STAGE_RECORD);
		break;
	case AE_CA_DENY:
	case AE_CA_FAIL:
		if (j->d.store)
			record(j,
			    j->d.verdict == AE_CA_DENY ? AE_DB_DENIED
						       : AE_DB_FAILED,
			    STAGE_RECORD);
		else
			reply_decided(j);
		break;
	case AE_CA_STORED:
		j->row = j->d.row != NULL ? j->d.row->id : 0;
		reply_decided(j);
		break;
	case AE_CA_REFUSE:
		reply_decided(j);
		break;
	}
}

/* Nothing can be decided by what may no longer be so. */
static bool
directory_is_known(const struct ca *ca)
{
	return ca->snapshot != NULL &&
	    ae_clock_mono_ms() - ca->fresh <= SNAPSHOT_AGE;
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

	if (csr->p == NULL || j->q.request_id != 0 ||
	    ae_hash_bytes(hash, AE_HASH_SHA256, csr->p, csr->len) == 0) {
		advance(j);
		return;
	}
	if (ask_cache(j, AE_CA_ASK_REQUESTER) &&
	    j->answers.requester.dns_host_name != NULL) {
		j->d.ask_dns = j->answers.requester.dns_host_name;
		(void)ask_cache(j, AE_CA_ASK_DNS_OWNERS);
	}
	if (!submitted_add(j, hash)) {
		log_outside(j->ca->p, "%s: the same request is in hand",
		    j->known->caller->principal);
		send_reply(j->ca, j->worker, j->generation, j->call, &busy);
		job_free(j);
		return;
	}
	memcpy(j->d.csr_hash, hash, sizeof(j->d.csr_hash));
	j->d.ask = AE_CA_ASK_ROW_SAME;
	ask(j);
}

void
job_start(struct ca *ca, struct peer *rpc, uint32_t call, struct known *who,
    const struct ae_wcce_request *q, const char *ip,
    struct ae_arena *take_arena)
{
	struct ae_wcce_reply busy = { .hresult = HR_BUSY };
	struct job *j = NULL;

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
	j->arena = take_arena;
	j->q = *q;
	j->ip = ip;
	j->now = ae_clock_now();
	j->deadline = ae_clock_mono_ms() + JOB_MS;
	ae_random(j->random, sizeof(j->random));
	begin(j);
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
		unsigned dir = AE_CA_ASK_REQUESTER | AE_CA_ASK_DNS_OWNERS;

		if (!j->used)
			continue;
		if (peer->role == ROLE_DB && j->stage != STAGE_SIGN &&
		    j->stage != STAGE_RESPONSE &&
		    (j->stage != STAGE_ASK || (j->asked & ~dir) != 0))
			job_fail(j, HR_BUSY, "the database was restarted");
		else if (peer->role == ROLE_AD && (j->asked & dir) != 0)
			answered(j, j->asked & dir, false);
		else if (peer->role == ROLE_SIGN && j->stage == STAGE_SIGN &&
		    j->signer == peer->index)
			/* Signed twice or not: only what is stored counts. */
			sign(j);
		else if (peer->role == ROLE_SIGN &&
		    j->stage == STAGE_RESPONSE && j->signer == peer->index)
			sign_response(j);
	}
}

const struct ae_ipc_row ca_ad_rows[] = {
	{ MSG_SNAPSHOT, MSG_SNAPSHOT_MAX, 1, false, on_snapshot },
	{ MSG_FRESH, 0, 1, false, on_fresh },
	{ MSG_REQUESTER, MSG_TEXT_MAX * 8, 1, false, on_requester },
	{ MSG_DNS_OWNERS, 16, 1, false, on_dns_owners },
	{ .handle = NULL },
};

const struct ae_ipc_row ca_db_rows[] = {
	{ MSG_DB_DONE, MSG_TEXT_MAX, 1, false, on_db_done },
	{ MSG_DB_ROW, MSG_ROW_MAX, 1, false, on_db_row },
	{ MSG_DB_REVOKED, MSG_CRL_MAX, 1, false, on_revoked },
	{ .handle = NULL },
};

const struct ae_ipc_row ca_sign_rows[] = {
	{ MSG_SIGNED, AE_SIG_MAX + MSG_TEXT_MAX, 1, false, on_signed },
	{ .handle = NULL },
};
