/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Callers: whoever auth has let in, by the name that auth gave him, as long
 * as the process that speaks to him says so.
 */
#include "ca.h"

#include "admin_view.h"

#include <stdlib.h>
#include <string.h>

static struct known **
bucket(struct ca *ca, uint64_t name)
{
	return &ca->bucket[name % CALLER_BUCKETS];
}

void
known_unref(struct known *k)
{
	if (--k->refs > 0)
		return;
	ae_caller_free(k->caller);
	admin_view_free(k->view);
	free(k);
}

static struct known **
known_find(struct ca *ca, uint64_t name)
{
	struct known **k = bucket(ca, name);

	while (*k != NULL && (*k)->name != name)
		k = &(*k)->next;
	return k;
}

static void
known_remove(struct ca *ca, struct known **at)
{
	struct known *k = *at;

	*at = k->next;
	ca->ncallers--;
	known_unref(k);
}

void
known_remove_worker(struct ca *ca, uint8_t worker, uint32_t before)
{
	size_t i;

	for (i = 0; i < CALLER_BUCKETS; i++) {
		struct known **k = &ca->bucket[i];

		while (*k != NULL)
			if ((*k)->worker == worker && (*k)->generation < before)
				known_remove(ca, k);
			else
				k = &(*k)->next;
	}
}

int
on_caller(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct known *k;
	struct ae_rd r;
	int rc;

	(void)ipc;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	k->name = ae_rd_u64(&r);
	k->worker = ae_rd_u8(&r);
	k->generation = ae_rd_u32(&r);
	k->refs = 1;
	rc = ae_caller_decode(&k->caller, &r, e);
	if (rc == AE_OK &&
	    (!ae_rd_done(&r) || k->name == 0 || k->worker >= WORKERS_MAX))
		rc = bad_message(&r, "CALLER", e);
	if (rc == AE_OK && *known_find(ca, k->name) != NULL)
		rc = ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "a context's name twice");
	if (rc < 0) {
		known_unref(k);
		return rc;
	}
	if (ca->ncallers >= CALLERS_MAX) {
		/* Its requests will be told to come again. */
		known_unref(k);
	} else {
		k->next = *bucket(ca, k->name);
		*bucket(ca, k->name) = k;
		ca->ncallers++;
	}
	(void)peer_send(peer, MSG_CALLER_OK, m->id, NULL);
	return AE_OK;
}

static bool
is_from(const struct known *k, const struct peer *rpc)
{
	return k->worker == rpc->index && k->generation == rpc->generation;
}

struct known *
known_for(struct ca *ca, const struct peer *rpc, uint64_t name)
{
	struct known *k = *known_find(ca, name);

	return k != NULL && is_from(k, rpc) ? k : NULL;
}

int
on_forget(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct known **k;
	struct ae_rd r;
	uint64_t name;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	name = ae_rd_u64(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "FORGET", e);
	k = known_find(ca, name);
	if (*k != NULL && is_from(*k, peer))
		known_remove(ca, k);
	return AE_OK;
}
