/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What ca wants written: CRLs, and certificates into the objects of those who
 * own them.  Once more over another connection when it was the connection's
 * fault.
 */
#include "adproc.h"

#include "ad/ad.h"
#include "sys/clock.h"

/* ---- the CRL ---- */

static int
write_crl(struct directory *d, unsigned key, bool delta, bool over,
    const void *der, size_t len, struct ae_err *e)
{
	const struct ad_newer newer = { over ? NULL : dir_send_crl, d };
	int rc, tries;

	for (tries = 0; tries < 2; tries++) {
		rc = dir_connect(d, e);
		if (rc == AE_OK)
			rc = ad_write_crl(&d->p->conf, d->ad, key, delta, der,
			    len, &newer, e);
		if (!dir_worth_another(rc))
			return rc;
		dir_disconnect(d);
	}
	return rc;
}

int
on_write_crl(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *der;
	struct ae_wr w;
	struct ae_rd r;
	uint16_t key;
	bool delta, over;
	size_t len;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	key = ae_rd_u16(&r);
	delta = ae_rd_u8(&r) != 0;
	over = ae_rd_u8(&r) != 0;
	len = ae_rd_left(&r);
	der = ae_rd_take(&r, len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "AD_CRL", e);
	rc = write_crl(peer->p->state, key, delta, over, der, len, &why);
	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	put_str(&w, rc < 0 ? why.text : NULL);
	(void)peer_send(peer, MSG_AD_CRL_DONE, m->id, &w);
	ae_wr_done(&w);
	return AE_OK;
}

/* ---- certificates ---- */

static int
publish(struct directory *d, const struct ad_published *p, char *dn,
    size_t dn_len, struct ae_err *e)
{
	struct ae_ad *at;
	int rc, tries;

	for (tries = 0; tries < 2; tries++) {
		at = NULL;
		rc = dir_connect(d, e);
		if (rc == AE_OK)
			at = d->ad;
		if (rc == AE_OK && p->kra == NULL)
			rc = ad_forest_by_sid(
			    &at, d->forest, d->ad, d->cred, &p->owner, e);
		if (rc == AE_OK)
			rc = ad_publish_cert(
			    at, p, ae_clock_now(), dn, dn_len, e);
		if (!dir_worth_another(rc) || dir_is_away(d, at))
			return rc;
		dir_let_go(d, at);
	}
	return rc;
}

int
on_write_cert(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct directory *d = peer->p->state;
	struct ad_published p = { .kra = NULL };
	struct ae_err why = AE_ERR_INIT;
	char dn[1024];
	struct ae_rd r;
	struct ae_wr w;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	if (ae_rd_u8(&r) != 0)
		p.kra = peer->p->conf.name;
	p.owner = ae_sid_get(&r);
	p.der = get_bytes(&r, &p.len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "AD_PUBLISH", e);
	ae_sid_print(dn, &p.owner);
	rc = publish(d, &p, dn, sizeof(dn), &why);
	ae_wr_init(&w, 2 * MSG_TEXT_MAX);
	ae_wr_u32(&w, (uint32_t)rc);
	put_str(&w, dn);
	put_str(&w, d->host);
	put_str(&w, rc < 0 ? why.text : NULL);
	(void)peer_send(peer, MSG_AD_PUBLISHED, m->id, &w);
	ae_wr_done(&w);
	return AE_OK;
}
