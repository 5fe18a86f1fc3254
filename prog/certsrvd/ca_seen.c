/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Was the database put back to an older state?  db judges by its anchor; what
 * is published of this CA, in files and in the directory, is told to it from
 * here.  As long as the answer is yes nobody gets a certificate and no CRL is
 * made: one of an older state would lack what was revoked since.
 */
#include <string.h>

#include "ca.h"
#include "crlseen.h"
#include "sys/clock.h"

/* For the directory to say what it has, when it can be reached at all. */
#define DIRECTORY_MS 20000

static void
tell(struct ca *ca, size_t key, uint64_t number, bool directory)
{
	struct ae_wr w;

	if (number == 0)
		return;
	ae_wr_init(&w, 16);
	ae_wr_u16(&w, ca->file.list.keys[key].index);
	ae_wr_u64(&w, number);
	ae_wr_u8(&w, directory);
	(void)peer_send(peer_of(ca->p, ROLE_DB, 0), MSG_DB_SEEN, 0, &w);
	ae_wr_done(&w);
}

void
seen_tell_db(struct ca *ca)
{
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++) {
		tell(ca, i, ca->crl_seen[i], false);
		tell(ca, i, ca->crl_seen_dir[i], true);
	}
}

bool
seen_well(const struct ca *ca)
{
	return !ca->suspended &&
	    (ca->directory_spoke ||
		ae_clock_mono_ms() - ca->started > DIRECTORY_MS);
}

/* A list with our name that is not ours is in the way, and says nothing. */
int
on_ad_seen(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_crl *crl;
	size_t key;

	(void)ipc;
	(void)e;
	crl = crlseen_ours(&ca->file.list, m->body, m->len, &key);
	if (crl != NULL && crl->number > ca->crl_seen_dir[key]) {
		ca->crl_seen_dir[key] = crl->number;
		tell(ca, key, crl->number, true);
	}
	if (crl == NULL)
		ca->ad_over = true;
	ae_crl_free(crl);
	return AE_OK;
}

int
on_db_state(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	const char *why;
	struct ae_rd r;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	why = get_str(&r, a);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "DB_STATE", e);
	}
	if (why != NULL && why[0] != '\0' && !ca->suspended)
		event_own(ca, AE_LOG_ERROR, 1,
		    "the database was put back to an older state: %s. Nothing "
		    "is issued and no CRL is made until \"certsrv restore "
		    "acknowledge\"",
		    why);
	ca->suspended = why != NULL && why[0] != '\0';
	ae_arena_free(a);
	return AE_OK;
}
