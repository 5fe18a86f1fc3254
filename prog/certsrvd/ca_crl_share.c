/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CRLs of a CA with several nodes: who did not make the newest one takes it
 * from the database, verifies it, and has it in its own files.
 */
#include <string.h>

#include "ca.h"
#include "pki/crl.h"
#include "sys/clock.h"

#define LOOK_MS 2000	 /* between two looks */
#define BELIEVED_MS 6000 /* after one that found nothing newer */
#define ANSWER_MS 10000
#define AD_OTHERS_MS 5000
#define CRL_SLOT 0xffffu /* of message ids: no job has it */
#define FRONT 4		 /* bytes that the file gets last */

bool
crl_is_ours(struct ca *ca, struct ca_crl *c, size_t key, bool delta)
{
	const int64_t now = ae_clock_mono_ms();
	struct ae_wr w;

	if (ca->crl_look != NULL && now - ca->crl_look_at > ANSWER_MS)
		ca->crl_look = NULL; /* it will not be answered */
	if (ca->crl_look == NULL && ca->crl_work.crl == NULL &&
	    (c->looked == 0 || now - c->looked >= LOOK_MS)) {
		ae_wr_init(&w, 16);
		ae_wr_u16(&w, ca->file.list.keys[key].index);
		ae_wr_u8(&w, delta);
		ae_wr_u64(&w, c->made ? c->number : 0);
		if (peer_send(peer_of(ca->p, ROLE_DB, 0), MSG_DB_CRL_LOOK,
			(uint32_t)(key << 1 | (delta ? 1u : 0)), &w)) {
			ca->crl_look = c;
			ca->crl_look_at = now;
		}
		ae_wr_done(&w);
	}
	return c->looked != 0 && now - c->looked < BELIEVED_MS;
}

/* It is what it is said to be, and of this key. */
static int
verify(const struct ca *ca, size_t key, bool delta, uint64_t number,
    const uint8_t *der, size_t len, uint64_t *entries, struct ae_err *e)
{
	struct ae_crl *crl = NULL;
	int rc = ae_crl_parse(&crl, der, len, len, false, e);

	if (rc == AE_OK)
		rc = ae_crl_verify(crl, ca->file.list.keys[key].pub, e);
	if (rc == AE_OK &&
	    (!crl->has_number || crl->number != number ||
		crl->has_base_number != delta))
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "it is not the one that it is called");
	if (rc == AE_OK)
		*entries = crl->entries;
	ae_crl_free(crl);
	return rc;
}

/* Into the file, by the road of those that are made here. */
static int
write_file(struct ca *ca, const uint8_t *der, size_t len, struct ae_err *e)
{
	struct crl_work *k = &ca->crl_work;
	struct ae_ipc *parent = ca->p->control;
	size_t at, n;
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, 64);
	ae_wr_u16(&w, ca->file.list.keys[k->key].index);
	ae_wr_u8(&w, k->delta);
	ae_wr_u8(&w, FRONT);
	rc = ae_ipc_send(parent, MSG_CRL_BEGIN, k->id, w.p, w.len, -1, e);
	for (at = FRONT; at < len && rc == AE_OK; at += n) {
		n = len - at < MSG_CRL_PART_MAX / 2 ? len - at
						    : MSG_CRL_PART_MAX / 2;
		rc = ae_ipc_send(
		    parent, MSG_CRL_PART, k->id, der + at, n, -1, e);
	}
	ae_wr_reset(&w);
	put_bytes(&w, der, FRONT);
	put_bytes(&w, der, 0);
	if (rc == AE_OK)
		rc = ae_ipc_send(parent, MSG_CRL_END, k->id, w.p, w.len, -1, e);
	ae_wr_done(&w);
	return rc;
}

static int
adopt(struct ca *ca, struct ca_crl *c, size_t key, bool delta, uint64_t number,
    const struct ae_ca_crl_plan *plan, const uint8_t *der, size_t len,
    struct ae_err *e)
{
	struct crl_work *k = &ca->crl_work;
	uint64_t entries = 0;
	int rc;

	if (len <= FRONT)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "it is longer than 8 MiB, which are handed over at most: "
		    "let all nodes have the same crl-directory");
	rc = verify(ca, key, delta, number, der, len, &entries, e);
	if (rc < 0)
		return rc;
	crl_work_end(ca);
	k->crl = c;
	k->key = key;
	k->delta = delta;
	k->adopt = true;
	k->was_wanted = c->wanted;
	k->id = ++ca->crl_attempts << 16 | CRL_SLOT;
	k->number = number;
	k->plan = *plan;
	k->entries = entries;
	k->size = len;
	k->kept = true;
	ae_wr_init(&k->keep, MSG_CRL_MAX);
	ae_wr_bytes(&k->keep, der, len);
	rc = ae_wr_ok(&k->keep) ? write_file(ca, der, len, e) : ae_fail_mem(e);
	if (rc < 0)
		crl_work_end(ca);
	return rc;
}

int
on_crl_newest(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	const bool delta = (m->id & 1) != 0;
	const size_t key = m->id >> 1;
	struct ae_err why = AE_ERR_INIT;
	struct ae_ca_crl_plan plan;
	const uint8_t *der;
	uint64_t number;
	struct ca_crl *c;
	struct ae_rd r;
	size_t len;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	number = ae_rd_u64(&r);
	plan.this_update = (int64_t)ae_rd_u64(&r);
	plan.next_update = (int64_t)ae_rd_u64(&r);
	plan.next_publish = (int64_t)ae_rd_u64(&r);
	len = ae_rd_left(&r);
	der = ae_rd_take(&r, len);
	if (!ae_rd_done(&r) || rc > 0 || key >= ca->file.list.nkeys)
		return bad_message(&r, "DB_CRL_NEWEST", e);
	c = delta ? &ca->delta[key] : &ca->crl[key];
	if (ca->crl_look == c)
		ca->crl_look = NULL;
	if (rc == AE_ENOTFOUND) {
		c->looked = ae_clock_mono_ms();
		return AE_OK;
	}
	/* while one is made here it is the database that decides */
	if (rc < 0 || ca->crl_work.crl != NULL)
		return AE_OK;
	rc = adopt(ca, c, key, delta, number, &plan, der, len, &why);
	if (rc < 0) {
		if (!c->told)
			log_line(ca->p, AE_LOG_ERROR,
			    "CRL %llu of another node: %s",
			    (unsigned long long)number, why.text);
		c->told = true;
	}
	return AE_OK;
}

void
crl_adopted(struct ca *ca, struct ca_crl *c, size_t key, bool delta)
{
	c->made = true;
	c->told = false;
	c->alarmed = false;
	/* who made it puts it into the directory; unless he died before */
	c->ad_due = true;
	c->ad_retry = ae_clock_mono_ms() + AD_OTHERS_MS;
	c->looked = 0;
	if (c->number > ca->crl_seen[key])
		ca->crl_seen[key] = c->number;
	if (!delta) {
		info_crl(ca, key);
		xchg_crl(ca);
	}
	/* what was revoked at another node is in it: no answer of before */
	ocsp_changed(ca, NULL, 0);
	info_update(ca);
	log_line(ca->p, AE_LOG_NOTICE, "%sCRL %llu of another node is here",
	    delta ? "delta " : "", (unsigned long long)c->number);
	crl_tick(ca);
}
