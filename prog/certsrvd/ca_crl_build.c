/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One CRL on its road: number and size from db, then its parts, each to the
 * signer, which looks at it, and to the parent, which writes it, before the
 * next rows are asked for; the signature, verified over the same parts; the
 * file takes its name.  However long it is, two parts are in memory.
 */
#include <string.h>

#include "ca.h"
#include "pki/crl.h"
#include "pki/signed.h"
#include "sys/clock.h"

#define OTHERS_MS 2000
#define PARTS_OUT 2	 /* that nobody has dealt with yet */
#define CRL_SLOT 0xffffu /* of message ids: no job has it */

static struct crl_work *
work_of(struct ca *ca, uint32_t id)
{
	struct crl_work *k = &ca->crl_work;

	return k->crl != NULL && k->id == id ? k : NULL;
}

void
crl_work_end(struct ca *ca)
{
	struct crl_work *k = &ca->crl_work;

	ae_key_stream_free(k->verify);
	ae_wr_done(&k->keep);
	ae_wr_done(&k->ends);
	ae_strv_done(&k->spec.freshest);
	ae_strv_done(&k->spec.self_cdp);
	memset(k, 0, sizeof(*k));
}

/* Another node is making one, or has: nothing is wrong. */
static void
not_now(struct ca *ca)
{
	struct ca_crl *c = ca->crl_work.crl;

	c->wanted = ca->crl_work.was_wanted;
	c->retry = ae_clock_mono_ms() + OTHERS_MS;
	c->looked = 0;
	crl_work_end(ca);
}

static void
fail(struct ca *ca, const char *why)
{
	struct ca_crl *c = ca->crl_work.crl;

	if (ca->crl_work.adopt) {
		log_line(ca->p, AE_LOG_ERROR, "another node's CRL: %s", why);
		not_now(ca);
		return;
	}
	crl_work_end(ca);
	crl_failed(ca, c, why);
}

static const struct ae_ca_key *
key_of(const struct ca *ca, const struct crl_work *k)
{
	return &ca->file.list.keys[k->key];
}

static const struct ae_ca_cert *
issuer_of(const struct ca *ca, const struct crl_work *k)
{
	return &ca->file.list.v[key_of(ca, k)->newest];
}

bool
crl_work_begin(struct ca *ca, struct ca_crl *c, size_t key, bool delta)
{
	struct crl_work *k = &ca->crl_work;
	struct ae_wr w;
	bool sent;

	crl_work_end(ca);
	ae_wr_init(&w, 32);
	ae_wr_u16(&w, ca->file.list.keys[key].index);
	ae_wr_u8(&w, delta);
	ae_wr_u64(&w, ca->crl_seen[key]);
	ae_wr_u64(&w, c->made ? c->number : 0);
	k->id = ++ca->crl_attempts << 16 | CRL_SLOT;
	sent =
	    peer_send(peer_of(ca->p, ROLE_DB, 0), MSG_DB_CRL_OPEN, k->id, &w);
	ae_wr_done(&w);
	if (!sent)
		return false;
	k->crl = c;
	k->key = key;
	k->delta = delta;
	k->was_wanted = c->wanted;
	return true;
}

static void
ask_db(struct ca *ca, enum msg type)
{
	struct crl_work *k = &ca->crl_work;

	k->asked = true;
	if (!peer_send(peer_of(ca->p, ROLE_DB, 0), type, k->id, NULL))
		fail(ca, "the database is not there");
}

/* ---- answers ---- */

/* What the others answer, as far as they do. */
struct told {
	int rc;
	bool end;
	uint64_t n[3];
	const char *text; /* gone afterwards */
};

/* Its fields in their order: i rc, b end, q the next number, s text. */
static void
told_get(struct told *t, struct ae_rd *r, const char *form, struct ae_arena *a)
{
	size_t n = 0;

	for (; *form != '\0'; form++)
		if (*form == 'i')
			t->rc = (int)ae_rd_u32(r);
		else if (*form == 'b')
			t->end = ae_rd_u8(r) != 0;
		else if (*form == 'q')
			t->n[n++] = ae_rd_u64(r);
		else
			t->text = get_str(r, a);
}

/* Decoded, and if it is about the CRL in hand, acted upon. */
static int
answered(struct ca *ca, const struct ae_ipc_msg *m, const char *form,
    const char *name,
    void (*act)(struct ca *ca, struct crl_work *k, const struct told *t),
    struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	struct told t = { 0 };
	struct ae_rd r;
	int rc = AE_OK;

	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	told_get(&t, &r, form, a);
	if (!ae_rd_done(&r) || t.rc > 0)
		rc = bad_message(&r, name, e);
	else if (work_of(ca, m->id) != NULL)
		act(ca, &ca->crl_work, &t);
	ae_arena_free(a);
	return rc;
}

/* ---- the description ---- */

static bool
describe(struct ca *ca, uint64_t base_number)
{
	const struct conf *conf = &ca->p->conf;
	struct crl_work *k = &ca->crl_work;
	const struct ae_ca_certs *l = &ca->file.list;
	const struct ae_ca_cert *c = issuer_of(ca, k);
	struct ae_ca_crl_config cfg = crl_config(ca, k->key, k->delta);

	ae_ca_crl_times(&k->plan, &cfg, ae_clock_now());
	k->spec = (struct ae_crl_spec){
		.sigalg = key_of(ca, k)->alg,
		.issuer = c->cert->subject,
		.this_update = k->plan.this_update,
		.next_update = k->plan.next_update,
		.next_publish = k->plan.next_publish,
		.number = k->number,
		.aki = c->keyid,
		.ca_version = ae_ca_cert_version(l, c),
		.delta = k->delta,
		.base_number = base_number,
	};
	if (!k->delta && conf->crl_delta_period > 0 &&
	    !urls_for(ca, &k->spec.freshest, &conf->delta_cdp, c, true))
		return false;
	return urls_for(ca, &k->spec.self_cdp, &conf->cdp, c, true);
}

static void
opened(struct ca *ca, struct crl_work *k, const struct told *t)
{
	if (t->rc < 0 && conf_shared(&ca->p->conf) &&
	    (t->rc == AE_EDENIED || t->rc == AE_EINVAL)) {
		not_now(ca);
		return;
	}
	if (t->rc < 0) {
		fail(ca, t->text != NULL ? t->text : "the database refused");
		return;
	}
	k->number = t->n[0];
	k->changed = t->n[2];
	ca->crl_seen[k->key] = k->number;
	if (!describe(ca, t->n[1]))
		fail(ca, "out of memory");
	else
		ask_db(ca, MSG_DB_CRL_SIZE);
}

int
on_crl_opened(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	const struct peer *peer = arg;

	(void)ipc;
	return answered(peer->p->state, m, "iqqqs", "DB_CRL_OPENED", opened, e);
}

/* ---- parts ---- */

static void
keep(struct crl_work *k, const struct ae_wr *part)
{
	if (k->kept) {
		ae_wr_bytes(&k->keep, part->p, part->len);
		if (!ae_wr_ok(&k->keep)) { /* too long to be in memory */
			ae_wr_done(&k->keep);
			k->kept = false;
		}
	}
}

/* To the signer (with what stands before it there), and to the parent. */
static void
part(struct ca *ca, enum msg type, const struct ae_wr *der)
{
	struct crl_work *k = &ca->crl_work;
	struct peer *sign = peer_of(ca->p, ROLE_SIGN, 0);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	bool ok;
	int rc;

	ae_wr_init(&w, MSG_CRL_PART_MAX + 2);
	if (type == MSG_SIGN_CRL_HEAD)
		ae_wr_u16(&w, issuer_of(ca, k)->index);
	ae_wr_bytes(&w, der->p, der->len);
	keep(k, der);
	rc = ae_key_stream_add(k->verify, der->p, der->len, &e);
	ok = rc == AE_OK && peer_send(sign, type, k->id, &w);
	ae_wr_done(&w);
	if (!ok) {
		fail(ca, rc < 0 ? e.text : "no signer is there");
		return;
	}
	k->sign_out++;
	k->file_out++;
	rc = ae_ipc_send(
	    ca->p->control, MSG_CRL_PART, k->id, der->p, der->len, -1, &e);
	if (rc < 0)
		fail(ca, e.text);
}

/* The next rows, or when all have gone the end. */
static void
go_on(struct ca *ca)
{
	struct crl_work *k = &ca->crl_work;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	if (k->asked || k->signing || k->sign_out >= PARTS_OUT ||
	    k->file_out >= PARTS_OUT)
		return;
	if (!k->last) {
		ask_db(ca, MSG_DB_CRL_PAGE);
		return;
	}
	if (k->list_left != 0) {
		fail(ca, "the rows are not those that were measured");
		return;
	}
	ae_wr_init(&w, AE_CRL_HEAD_MAX);
	k->signing = true;
	if (ae_crl_tail(&w, &k->spec, &e) < 0)
		fail(ca, e.text);
	else
		part(ca, MSG_SIGN_CRL_TAIL, &w);
	ae_wr_done(&w);
}

/* The size is known: file and head. */
static void
begin_parts(struct ca *ca)
{
	struct crl_work *k = &ca->crl_work;
	const struct ae_ca_key *key = key_of(ca, k);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w, b;
	int rc;

	ae_wr_init(&w, AE_CRL_HEAD_MAX);
	ae_wr_init(&b, 64);
	ae_wr_init(&k->keep, MSG_CRL_MAX);
	k->kept = true;
	k->list_left = k->list;
	rc = ae_crl_head(&w, &k->total, &k->spec, (size_t)k->list, &e);
	if (rc == AE_OK)
		rc = ae_key_stream_new(&k->verify, key->pub, &key->alg, &e);
	/* as much as stands before all that with any signature of the key */
	ae_signed_head(&b, k->total, &key->alg, ae_key_sig_size(key->pub));
	k->reserve = b.len;
	ae_wr_reset(&b);
	ae_wr_u16(&b, key->index);
	ae_wr_u8(&b, k->delta);
	ae_wr_u8(&b, (uint8_t)k->reserve);
	if (rc == AE_OK)
		rc = ae_ipc_send(
		    ca->p->control, MSG_CRL_BEGIN, k->id, b.p, b.len, -1, &e);
	if (rc == AE_OK) {
		k->file_out++;
		part(ca, MSG_SIGN_CRL_HEAD, &w);
	} else {
		fail(ca, e.text);
	}
	ae_wr_done(&w);
	ae_wr_done(&b);
}

static void
sized(struct ca *ca, struct crl_work *k, const struct told *t)
{
	k->asked = false;
	k->list += t->n[0];
	if (t->rc < 0)
		fail(ca, "the database has no rows for it");
	else if (!t->end)
		ask_db(ca, MSG_DB_CRL_SIZE);
	else
		begin_parts(ca);
}

int
on_crl_sized(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	const struct peer *peer = arg;

	(void)ipc;
	return answered(peer->p->state, m, "ibq", "DB_CRL_SIZED", sized, e);
}

/* Rows as entries. */
static int
entries(struct crl_work *k, struct ae_rd *r, struct ae_wr *w, struct ae_err *e)
{
	const uint8_t *serial;
	int64_t at;
	uint8_t len, reason;
	int rc = AE_OK;

	while (rc == AE_OK && ae_rd_left(r) > 0) {
		len = ae_rd_u8(r);
		serial = ae_rd_take(r, len);
		at = (int64_t)ae_rd_u64(r);
		reason = ae_rd_u8(r);
		if (!ae_rd_ok(r))
			break;
		rc = ae_crl_entry(w, &k->spec, serial, len, at,
		    (enum ae_crl_reason)reason, e);
		k->entries++;
	}
	return rc;
}

int
on_crl_rows(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct crl_work *k = work_of(ca, m->id);
	struct ae_err why = AE_ERR_INIT;
	struct ae_rd r;
	struct ae_wr w;
	bool last;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	last = ae_rd_u8(&r) != 0;
	if (k == NULL || !k->asked)
		return ae_rd_ok(&r) ? AE_OK : bad_message(&r, "DB_CRL_ROWS", e);
	k->asked = false;
	k->last = last;
	if (rc < 0) {
		fail(ca, "the database has no more rows for it");
		return AE_OK;
	}
	ae_wr_init(&w, MSG_CRL_PART_MAX);
	rc = entries(k, &r, &w, &why);
	if (rc == AE_OK && !ae_rd_done(&r))
		rc = bad_message(&r, "DB_CRL_ROWS", e);
	else if (rc < 0 || w.len > k->list_left)
		fail(ca, rc < 0 ? why.text : "more rows than were measured");
	else if (w.len > 0) {
		k->list_left -= w.len;
		part(ca, MSG_SIGN_CRL_LIST, &w);
	}
	ae_wr_done(&w);
	if (rc != AE_EPROTO && work_of(ca, m->id) != NULL)
		go_on(ca);
	return rc == AE_EPROTO ? rc : AE_OK;
}

static void
seen(struct ca *ca, struct crl_work *k, const struct told *t)
{
	if (k->sign_out == 0)
		return;
	k->sign_out--;
	if (t->rc < 0)
		fail(ca, t->text != NULL ? t->text : "the signer refused");
	else
		go_on(ca);
}

int
on_crl_seen(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	const struct peer *peer = arg;

	(void)ipc;
	return answered(peer->p->state, m, "is", "SIGN_CRL_SEEN", seen, e);
}

/* ---- the end ---- */

/* What was written gets its ends, and the file its name. */
static int
file_ends(struct ca *ca, struct ae_err *e)
{
	struct crl_work *k = &ca->crl_work;

	return ae_ipc_send(
	    ca->p->control, MSG_CRL_END, k->id, k->ends.p, k->ends.len, -1, e);
}

/*
 * Among several nodes the database decides that it is published: this node
 * may have slept, and another one be ahead of it.
 */
static int
ask_to_keep(struct ca *ca, struct ae_err *e)
{
	struct crl_work *k = &ca->crl_work;
	struct ae_wr w;
	bool sent;

	ae_wr_init(&w, 64 + MSG_CRL_MAX);
	ae_wr_u16(&w, key_of(ca, k)->index);
	ae_wr_u8(&w, k->delta);
	ae_wr_u64(&w, k->number);
	ae_wr_u64(&w, (uint64_t)k->plan.this_update);
	ae_wr_u64(&w, (uint64_t)k->plan.next_update);
	ae_wr_u64(&w, (uint64_t)k->plan.next_publish);
	if (k->kept)
		ae_wr_bytes(&w, k->keep.p, k->keep.len);
	sent =
	    peer_send(peer_of(ca->p, ROLE_DB, 0), MSG_DB_CRL_KEEP, k->id, &w);
	ae_wr_done(&w);
	k->keeping = sent;
	return sent ? AE_OK
		    : ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
			  "the database is not there");
}

/* The signature is there: verified, and around what was written. */
static int
finish(struct ca *ca, const uint8_t *sig, size_t len, struct ae_err *e)
{
	struct crl_work *k = &ca->crl_work;
	const struct ae_ca_key *key = key_of(ca, k);
	struct ae_wr head, tail, w;
	int rc;

	rc = ae_key_stream_verify(k->verify, sig, len, e);
	if (rc < 0)
		return ae_note(e, rc, "the signer's answer");
	ae_wr_init(&head, 64);
	ae_wr_init(&tail, AE_SIG_MAX + 128);
	ae_wr_init(&w, AE_SIG_MAX + 256);
	ae_signed_head(&head, k->total, &key->alg, len);
	ae_signed_tail(&tail, &key->alg, sig, len);
	if (head.len != k->reserve)
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "a signature shorter than ever: once more");
	put_bytes(&w, head.p, head.len);
	put_bytes(&w, tail.p, tail.len);
	if (rc == AE_OK && (!ae_wr_ok(&head) || !ae_wr_ok(&w)))
		rc = ae_fail_mem(e);
	if (rc == AE_OK && k->kept) {
		struct ae_wr whole;

		ae_wr_init(&whole, MSG_CRL_MAX);
		ae_wr_bytes(&whole, head.p, head.len);
		ae_wr_bytes(&whole, k->keep.p, k->keep.len);
		ae_wr_bytes(&whole, tail.p, tail.len);
		k->kept = ae_wr_ok(&whole);
		ae_wr_done(&k->keep);
		k->keep = whole;
	}
	if (rc == AE_OK) {
		k->size = head.len + k->total + tail.len;
		k->ends = w;
		memset(&w, 0, sizeof(w));
		rc = conf_shared(&ca->p->conf) ? ask_to_keep(ca, e)
					       : file_ends(ca, e);
	}
	ae_wr_done(&head);
	ae_wr_done(&tail);
	ae_wr_done(&w);
	return rc;
}

bool
crl_kept(struct ca *ca, uint32_t id, int rc, const char *text)
{
	struct ae_err e = AE_ERR_INIT;
	struct crl_work *k = work_of(ca, id);

	if ((id & 0xffff) != CRL_SLOT)
		return false;
	if (k == NULL || !k->keeping)
		return true; /* of its end, or of one that was given up */
	k->keeping = false;
	if (rc < 0)
		fail(ca, text != NULL ? text : "it may not be published");
	else if (file_ends(ca, &e) < 0)
		fail(ca, e.text);
	return true;
}

bool
crl_signed(struct ca *ca, uint32_t id, int rc, const uint8_t *sig, size_t len,
    const char *text)
{
	struct ae_err e = AE_ERR_INIT;
	struct crl_work *k = work_of(ca, id);

	if ((id & 0xffff) != CRL_SLOT)
		return false;
	if (k == NULL || !k->signing)
		return true; /* of an attempt that was given up */
	if (rc < 0)
		fail(ca, text != NULL ? text : "the signer refused");
	else if (finish(ca, sig, len, &e) < 0)
		fail(ca, e.text);
	return true;
}

/* It has its name: from here on it is the newest. */
static void
published(struct ca *ca)
{
	struct crl_work *k = &ca->crl_work;
	struct ca_crl *c = k->crl;
	struct ae_wr w;

	ae_wr_done(&c->crl);
	if (k->kept) {
		c->crl = k->keep;
		memset(&k->keep, 0, sizeof(k->keep));
	}
	c->plan = k->plan;
	c->number = k->number;
	c->entries = k->entries;
	c->size = k->size;
	if (k->adopt) {
		const size_t key = k->key;
		const bool delta = k->delta;

		crl_work_end(ca);
		crl_adopted(ca, c, key, delta);
		return;
	}
	if (!k->delta) {
		ae_wr_init(&w, 32);
		ae_wr_u16(&w, key_of(ca, k)->index);
		ae_wr_u64(&w, k->number);
		ae_wr_u64(&w, k->changed);
		ae_wr_u64(&w, (uint64_t)k->plan.this_update);
		(void)peer_send(
		    peer_of(ca->p, ROLE_DB, 0), MSG_DB_CRL_DONE, k->id, &w);
		ae_wr_done(&w);
	}
	crl_work_end(ca);
	crl_is_out(ca, c);
}

static void
said(struct ca *ca, struct crl_work *k, const struct told *t)
{
	if (t->rc < 0) {
		fail(ca, t->text != NULL ? t->text : "it was not written");
	} else if (t->end) {
		published(ca);
	} else if (k->file_out > 0) {
		k->file_out--;
		go_on(ca);
	}
}

int
crl_said(struct proc *p, struct ae_ipc_msg *m, struct ae_err *e)
{
	return answered(p->state, m, "bis", "CRL_SAID", said, e);
}
