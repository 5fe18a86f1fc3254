/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the signers say that they signed, beside the rows ("golden
 * certificates"): each certificate has one that was durable before.  What
 * was promised a moment ago is remembered, so that this costs no look-up;
 * one that is not is looked for, and when there is none the alarm stays until
 * it is revoked.
 */
#include "db/signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbproc.h"
#include "sys/clock.h"

#define PROMISED 16384u /* hashes that are remembered */
#define WAITING_MAX 4096u
#define LOOK_MS 10000 /* at what other nodes noticed, and at failures */
#define ACK_EVERY 256u

struct waiting {
	struct ae_db_signed v;
};

struct signed_state {
	uint8_t promised[PROMISED][AE_DB_HASH_LEN];
	struct waiting *waiting; /* the database could not be asked */
	size_t nwaiting;
	struct ae_source *timer;
	struct ae_db_signed list[AE_DB_UNRECORDED_MAX]; /* as ca knows them */
	size_t n;
	uint64_t unacked[WORKERS_MAX]; /* notes of each signer */
};

static uint8_t *
slot(struct signed_state *s, const uint8_t hash[AE_DB_HASH_LEN])
{
	/* a hash is as good a place as any */
	return s->promised[((unsigned)hash[0] << 8 | hash[1]) % PROMISED];
}

void
signed_promise(struct database *d, const uint8_t hash[AE_DB_HASH_LEN])
{
	memcpy(slot(d->signed_of, hash), hash, AE_DB_HASH_LEN);
}

/* ---- those without a row ---- */

void
signed_tell(struct database *d)
{
	const struct signed_state *s = d->signed_of;
	struct ae_wr w;
	size_t i;

	if (s == NULL)
		return;
	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u8(&w, (uint8_t)s->n);
	for (i = 0; i < s->n; i++) {
		put_bytes(&w, s->list[i].serial, s->list[i].serial_len);
		ae_wr_u64(&w, (uint64_t)s->list[i].at);
	}
	(void)peer_send(peer_of(d->p, ROLE_CA, 0), MSG_DB_UNRECORDED, 0, &w);
	ae_wr_done(&w);
}

/* As the database has them, by whichever node. */
static void
read_list(struct database *d)
{
	struct ae_db_signed now[AE_DB_UNRECORDED_MAX];
	struct signed_state *s = d->signed_of;
	struct ae_err why = AE_ERR_INIT;
	bool same;
	size_t n, i;

	if (ae_db_signed_list(d->db, now, &n, &why) < 0) {
		if (why.rc != AE_EUNAVAIL)
			log_line(d->p, AE_LOG_ERROR, "database: %s", why.text);
		return;
	}
	same = n == s->n;
	for (i = 0; same && i < n; i++)
		same = now[i].serial_len == s->list[i].serial_len &&
		    memcmp(now[i].serial, s->list[i].serial,
			now[i].serial_len) == 0;
	if (same)
		return;
	memcpy(s->list, now, n * sizeof(now[0]));
	s->n = n;
	signed_tell(d);
}

/* ---- one note ---- */

/* Later: the database did not answer. */
static void
wait_for(struct database *d, const struct ae_db_signed *v)
{
	struct signed_state *s = d->signed_of;

	if (s->nwaiting < WAITING_MAX)
		s->waiting[s->nwaiting++].v = *v;
}

/* false: the database could not be asked. */
static bool
judge(struct database *d, const struct ae_db_signed *v)
{
	struct ae_err why = AE_ERR_INIT;
	bool known;
	char node[64];
	int rc = ae_db_signed_known(d->db, v, &known, &why);

	if (rc == AE_OK && known) {
		d->m.v[M_RECORDED]++;
		return true;
	}
	if (rc == AE_OK)
		rc = db_batch(d, &why);
	(void)snprintf(node, sizeof(node), "%.63s", d->p->conf.dns_name);
	if (rc == AE_OK)
		rc = ae_db_signed_unrecorded(
		    d->db, v, node, ae_clock_now(), &why);
	if (rc == AE_OK)
		rc = db_flush(d, &why);
	if (rc < 0) {
		log_line(d->p, AE_LOG_ERROR,
		    "a signature could not be held against the rows: %s",
		    why.text);
		return false;
	}
	read_list(d);
	return true;
}

/* Enough that the signer does not wait, and not one for each. */
static void
acknowledge(struct database *d, unsigned signer, uint64_t number)
{
	struct signed_state *s = d->signed_of;
	struct ae_wr w;

	if (++s->unacked[signer] < ACK_EVERY)
		return;
	s->unacked[signer] = 0;
	ae_wr_init(&w, 8);
	ae_wr_u64(&w, number);
	(void)peer_send(peer_of(d->p, ROLE_SIGN, signer), MSG_NOTED, 0, &w);
	ae_wr_done(&w);
}

int
on_note(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_db_signed v = { .serial_len = 0 };
	const uint8_t *serial;
	struct ae_rd r;
	uint64_t number;
	size_t len;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	number = ae_rd_u64(&r);
	serial = get_bytes(&r, &len);
	ae_rd_copy(&r, v.tbs_hash, sizeof(v.tbs_hash));
	v.key_index = ae_rd_u16(&r);
	v.not_after = (int64_t)ae_rd_u64(&r);
	if (!ae_rd_done(&r) || len == 0 || len > sizeof(v.serial))
		return bad_message(&r, "NOTE", e);
	memcpy(v.serial, serial, len);
	v.serial_len = len;
	if (memcmp(slot(d->signed_of, v.tbs_hash), v.tbs_hash,
		sizeof(v.tbs_hash)) == 0)
		d->m.v[M_RECORDED]++;
	else if (!judge(d, &v))
		wait_for(d, &v);
	acknowledge(d, peer->index, number);
	return AE_OK;
}

static void
on_timer(void *arg)
{
	struct database *d = arg;
	struct signed_state *s = d->signed_of;
	size_t n = s->nwaiting, i;

	s->nwaiting = 0;
	for (i = 0; i < n; i++)
		if (!judge(d, &s->waiting[i].v))
			wait_for(d, &s->waiting[i].v);
	read_list(d);
	ae_source_set_timer(s->timer, ae_clock_mono_ms() + LOOK_MS);
}

int
signed_start(struct database *d, struct ae_err *e)
{
	struct signed_state *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	d->signed_of = s;
	s->waiting = calloc(WAITING_MAX, sizeof(*s->waiting));
	if (s->waiting == NULL)
		return ae_fail_mem(e);
	rc = ae_loop_timer(&s->timer, d->p->loop, on_timer, d, e);
	if (rc == AE_OK)
		ae_source_set_timer(s->timer, 0);
	return rc;
}

/* ---- it is revoked ---- */

int
on_revoke_unrecorded(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct database *d = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX);
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *serial;
	struct ae_rd r;
	int reason, rc;
	size_t len;
	char *by;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	serial = get_bytes(&r, &len);
	reason = ae_rd_u8(&r);
	by = get_str(&r, a);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "DB_REVOKE_UNRECORDED", e);
	}
	rc = db_batch(d, &why);
	if (rc == AE_OK)
		rc = ae_db_signed_revoke(
		    d->db, serial, len, reason, by, ae_clock_now(), &why);
	db_wrote(d, m->id, rc, 0, &why);
	/* ca hears of the new list with the next look */
	ae_source_set_timer(d->signed_of->timer, ae_clock_mono_ms() + 100);
	ae_arena_free(a);
	return AE_OK;
}
