/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CRLs of each key that lives, base and, where they are configured,
 * delta: which one is due, into the directory with it when it is out, and an
 * alarm when one is late.  How one is made: ca_crl_build.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "crlseen.h"
#include "sys/clock.h"
#include "sys/files.h"

#define RETRY_MS 15000
#define AD_RETRY_MS 60000 /* to put it into the directory */

/* ---- which is which ---- */

static bool
is_delta(const struct ca *ca, const struct ca_crl *c)
{
	return c >= ca->delta && c < ca->delta + AE_CA_SIGNING_MAX;
}

static size_t
key_place(const struct ca *ca, const struct ca_crl *c)
{
	return (size_t)(c - (is_delta(ca, c) ? ca->delta : ca->crl));
}

static unsigned
key_index(const struct ca *ca, const struct ca_crl *c)
{
	return ca->file.list.keys[key_place(ca, c)].index;
}

static bool
deltas(const struct ca *ca)
{
	return ca->p->conf.crl_delta_period > 0;
}

/* It is signed under the newest certificate with the key. */
struct ae_ca_crl_config
crl_config(const struct ca *ca, size_t key, bool delta)
{
	const struct conf *c = &ca->p->conf;
	const struct ae_ca_certs *l = &ca->file.list;
	const struct ae_ca_cert *cert = &l->v[l->keys[key].newest];

	return (struct ae_ca_crl_config){
		.cert = cert->cert,
		.period = delta ? c->crl_delta_period : c->crl_period,
		.overlap = delta ? c->crl_delta_overlap : c->crl_overlap,
		.clock_skew = c->clock_skew,
		.key_index = l->keys[key].index,
		.cert_index = cert->index,
	};
}

/* ---- what was published before ---- */

/*
 * The number in a file that was published, by us or by who had this CA
 * before: a database that was put back knows less.
 */
static void
see_file(struct ca *ca, size_t key, bool delta)
{
	char *path =
	    crlseen_path(&ca->p->conf, ca->file.list.keys[key].index, delta);
	struct ae_crl *c = NULL;
	uint8_t *der = NULL;
	size_t len, by;

	if (path != NULL &&
	    ae_file_read(&der, &len, path, CRLSEEN_FILE_MAX, NULL) == AE_OK)
		c = crlseen_ours(&ca->file.list, der, len, &by);
	if (c != NULL && c->number > ca->crl_seen[by])
		ca->crl_seen[by] = c->number;
	ae_crl_free(c);
	free(der);
	free(path);
}

void
crl_open(struct ca *ca)
{
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++) {
		see_file(ca, i, false);
		see_file(ca, i, true);
	}
}

/* ---- the directory ---- */

/*
 * The newest one goes into the directory, when this was set up; what fails
 * is tried again, and told once.
 */
static void
to_directory(struct ca *ca, struct ca_crl *c)
{
	struct peer *ad = peer_of(ca->p, ROLE_AD, 0);
	const bool delta = is_delta(ca, c);
	struct ae_wr w;

	if (!c->ad_due || c->ad_busy || !c->made ||
	    ae_clock_mono_ms() < c->ad_retry || !peer_is_up(ad))
		return;
	if (c->crl.len == 0) {
		c->ad_due = false;
		event_crl_directory(ca, key_index(ca, c), delta, c->number,
		    "it is too large for the directory");
		return;
	}
	ae_wr_init(&w, 4 + MSG_CRL_MAX);
	ae_wr_u16(&w, (uint16_t)key_index(ca, c));
	ae_wr_u8(&w, delta);
	ae_wr_u8(&w, ca->ad_over);
	ae_wr_bytes(&w, c->crl.p, c->crl.len);
	c->ad_busy = ae_wr_ok(&w) &&
	    peer_send(ad, MSG_AD_CRL,
		(uint32_t)(key_place(ca, c) << 1 | (delta ? 1u : 0)), &w);
	ae_wr_done(&w);
	c->ad_due = !c->ad_busy; /* a newer one sets it again */
}

int
on_ad_crl(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	const bool delta = (m->id & 1) != 0;
	struct ca_crl *c;
	const char *text;
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	text = get_str(&r, a);
	if (!ae_rd_done(&r) || rc > 0 || m->id >> 1 >= ca->file.list.nkeys) {
		ae_arena_free(a);
		return bad_message(&r, "AD_CRL_DONE", e);
	}
	c = delta ? &ca->delta[m->id >> 1] : &ca->crl[m->id >> 1];
	c->ad_busy = false;
	if (rc == AE_OK) {
		event_crl_directory(
		    ca, key_index(ca, c), delta, c->number, NULL);
		ca->ad_over = false;
		c->ad_told = false;
		c->ad_made = true;
		c->ad_plan = c->plan;
	} else {
		c->ad_due = true;
		c->ad_retry = ae_clock_mono_ms() + AD_RETRY_MS;
		if (!c->ad_told)
			event_crl_directory(ca, key_index(ca, c), delta,
			    c->number, text != NULL ? text : "no reason");
		c->ad_told = true;
	}
	ae_arena_free(a);
	return AE_OK;
}

/* ---- the clock ---- */

void
crl_failed(struct ca *ca, struct ca_crl *c, const char *why)
{
	c->wanted = true;
	c->retry = ae_clock_mono_ms() + RETRY_MS;
	if (!c->told)
		event_crl(ca, key_index(ca, c), is_delta(ca, c), 0, why);
	c->told = true;
	if (!is_delta(ca, c))
		manage_crl(ca, HR_INTERNAL);
}

void
crl_is_out(struct ca *ca, struct ca_crl *c)
{
	const bool delta = is_delta(ca, c);
	const size_t key = key_place(ca, c);

	c->made = true;
	c->told = false;
	c->alarmed = false;
	c->ad_due = true;
	c->ad_retry = 0;
	if (!delta) {
		/* deltas of the last one no longer say enough */
		ca->delta[key].wanted = deltas(ca);
		info_crl(ca, key);
		xchg_crl(ca);
	}
	info_update(ca);
	event_crl(ca, key_index(ca, c), delta, c->number, NULL);
	if (!delta)
		manage_crl(ca, 0);
	crl_tick(ca);
}

/* Nobody has to look twice at the same one. */
static void
alarm_when_late(struct ca *ca, struct ca_crl *c, int64_t now)
{
	if (c->alarmed || !c->made)
		return;
	if (ae_ca_crl_alarm(&c->plan, now)) {
		c->alarmed = true;
		event_crl_late(
		    ca, key_index(ca, c), is_delta(ca, c), false, &c->plan);
	} else if (c->ad_made && ae_ca_crl_alarm(&c->ad_plan, now)) {
		c->alarmed = true;
		event_crl_late(
		    ca, key_index(ca, c), is_delta(ca, c), true, &c->ad_plan);
	}
}

static bool
due(const struct ca *ca, struct ca_crl *c, bool delta, int64_t now)
{
	const size_t key = key_place(ca, c);
	struct ae_ca_crl_config cfg = crl_config(ca, key, delta);

	if (ae_clock_mono_ms() < c->retry || (delta && !ca->crl[key].made))
		return false;
	return ae_ca_crl_due(
	    &cfg, c->made ? &c->plan : NULL, c->wanted, now, NULL);
}

static void
one_tick(struct ca *ca, struct ca_crl *c, int64_t now)
{
	const bool delta = is_delta(ca, c);

	to_directory(ca, c);
	/* A key that has ended for good is asked about nothing any more. */
	if (!ae_ca_key_lives(&ca->file.list.keys[key_place(ca, c)], now))
		return;
	if (conf_shared(&ca->p->conf) &&
	    !crl_is_ours(ca, c, key_place(ca, c), delta))
		return;
	alarm_when_late(ca, c, now);
	if (ca->crl_work.crl != NULL || !due(ca, c, delta, now) ||
	    !peer_is_up(peer_of(ca->p, ROLE_SIGN, 0)) || ca->signer_ill[0])
		return;
	/* what is revoked from here on needs another one */
	if (crl_work_begin(ca, c, key_place(ca, c), delta))
		c->wanted = false;
}

void
crl_tick(struct ca *ca)
{
	int64_t now = ae_clock_now();
	size_t i;

	if (!seen_well(ca))
		return;
	for (i = 0; i < ca->file.list.nkeys; i++) {
		one_tick(ca, &ca->crl[i], now);
		if (deltas(ca))
			one_tick(ca, &ca->delta[i], now);
	}
}

unsigned
crl_outstanding(const struct ca *ca)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++)
		if (ae_ca_key_lives(&ca->file.list.keys[i], ae_clock_now()))
			/* one that is being made lacks what was revoked since
			 */
			n += ca->crl_work.crl == &ca->crl[i] ? 2 : 1;
	return n;
}

void
crl_publish(struct proc *p)
{
	struct ca *ca = p->state;
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++) {
		ca->crl[i].wanted = true;
		ca->crl[i].retry = 0;
	}
	crl_tick(ca);
}

/* With deltas, they tell; the base comes when it is due. */
void
crl_changed(struct ca *ca)
{
	struct ca_crl *v = deltas(ca) ? ca->delta : ca->crl;
	size_t i;

	for (i = 0; i < ca->file.list.nkeys; i++) {
		v[i].wanted = true;
		v[i].retry = 0;
	}
	crl_tick(ca);
}

void
crl_peer_down(struct ca *ca, const struct peer *peer)
{
	struct ca_crl *c = ca->crl_work.crl;
	size_t i;

	if (peer->role == ROLE_AD) {
		for (i = 0; i < 2 * ca->file.list.nkeys; i++) {
			c = i % 2 == 0 ? &ca->crl[i / 2] : &ca->delta[i / 2];
			c->ad_due = c->ad_due || c->ad_busy;
			c->ad_busy = false;
		}
	} else if (c != NULL &&
	    (peer->role == ROLE_DB ||
		(peer->role == ROLE_SIGN && peer->index == 0))) {
		crl_work_end(ca);
		crl_failed(ca, c, "a process it needs was restarted");
	}
}
