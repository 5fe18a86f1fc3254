/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Each certificate that is signed is told to db by the signer itself, so that
 * who asked for it cannot keep quiet about it ("golden certificates").
 */
#include <inttypes.h>
#include <string.h>

#include "sign.h"

static bool
send_note(struct signer *s, uint64_t number)
{
	const struct note *v = &s->note[number % NOTES_MAX];
	struct ae_wr w;
	bool sent;

	ae_wr_init(&w, 128);
	ae_wr_u64(&w, number);
	put_bytes(&w, v->which.serial, v->which.serial_len);
	ae_wr_bytes(&w, v->hash, sizeof(v->hash));
	ae_wr_u16(&w, v->key);
	ae_wr_u64(&w, (uint64_t)v->which.not_after);
	sent = peer_send(peer_of(s->p, ROLE_DB, 0), MSG_NOTE, 0, &w);
	ae_wr_done(&w);
	return sent;
}

int
note_may(const struct signer *s, struct ae_err *e)
{
	if (s->noted - s->seen < NOTES_MAX)
		return AE_OK;
	return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
	    "the database has not heard of %u certificates that were signed: "
	    "no more until it has",
	    NOTES_MAX);
}

int
note_take(struct signer *s, const struct ae_ca_signing *which, unsigned key,
    struct ae_der what, struct ae_err *e)
{
	struct note *v = &s->note[(s->noted + 1) % NOTES_MAX];
	uint8_t hash[AE_HASH_MAX];

	if (ae_hash_bytes(hash, AE_HASH_SHA256, what.p, what.len) !=
	    sizeof(v->hash))
		return ae_fail_mem(e);
	v->which = *which;
	v->key = (uint16_t)key;
	memcpy(v->hash, hash, sizeof(v->hash));
	s->noted++;
	s->m.v[M_SIGNED_CERTS]++;
	/* db is away: it hears when it comes back */
	(void)send_note(s, s->noted);
	return AE_OK;
}

void
note_db_up(struct signer *s)
{
	uint64_t i;

	for (i = s->seen + 1; i <= s->noted; i++)
		if (!send_note(s, i))
			return;
}

int
on_noted(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct signer *s = peer->p->state;
	struct ae_rd r;
	uint64_t number;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	number = ae_rd_u64(&r);
	if (!ae_rd_done(&r) || number > s->noted)
		return bad_message(&r, "NOTED", e);
	if (number > s->seen)
		s->seen = number;
	return AE_OK;
}
